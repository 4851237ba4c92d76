//! Reading an IRC line and writing one costs no allocation, once the buffer that is written to has its size: the hot path
//! of a client that speaks IRC is as free of them as that of a native one.

use switchboard::wire::irc::{
    LineDecoder, LineHead, LineStep, ListLines, Message, ModeChange, ModeChanges, ModeKind, ModeTable,
    Numeric, Source, put_modes,
};

const INPUT: &[u8] = b"@label=4;+typing=done PRIVMSG #tea :hello you\r\nMODE #tea +ov-b dan ann *!*@x\r\n";
const MODES: ModeTable<'static> =
    ModeTable(&[('o', ModeKind::Rank), ('v', ModeKind::Rank), ('b', ModeKind::List)]);

/// Reads every line, byte by byte; how many there were.
fn read_all() -> usize {
    let (mut decoder, mut start, mut lines) = (LineDecoder::new(), 0, 0);
    for end in 1..=INPUT.len() {
        if let LineStep::Line { used, line } = decoder.next(&INPUT[start..end]) {
            let message = Message::parse(line).expect("a message");
            lines += usize::from(message.params.get(0) == Some("#tea"));
            lines += ModeChanges::new(MODES, message.params.rest_from(1), 4).flatten().count();
            start += used;
        }
    }
    lines
}

fn write_all(out: &mut Vec<u8>) {
    out.clear();
    let dan = Source::User { nick: "dan", user: "d", host: &"a.b.ip" };
    LineHead::begin(out)
        .tag("time", format_args!("{:04}-01-01T00:00:00.000Z", 2026))
        .relayed("+typing=done")
        .command(dan, "PRIVMSG")
        .param("#tea")
        .trailing("hello you");
    LineHead::begin(out)
        .numeric("irc.test", Numeric::ERR_NOSUCHNICK, "dan")
        .echo("nobody")
        .trailing("No such nick");
    let mut names = ListLines::new(out, ' ', |head| {
        head.numeric("irc.test", Numeric::RPL_NAMREPLY, "dan").param("=").param("#tea")
    });
    for n in 0..200 {
        names.item(format_args!("@dan{n}"));
    }
    names.end();
    let changes = [ModeChange { adding: true, letter: 'o', param: Some("dan") }; 9];
    put_modes(out, &changes, 4, |head| head.command(dan, "MODE").param("#tea"));
}

#[test]
fn reading_and_writing_allocate_nothing() {
    let mut out = Vec::new();
    write_all(&mut out);
    let lines = out.iter().filter(|byte| **byte == b'\n').count();
    assert!(lines > 8, "only {lines} lines");
    let allocations = allocation_counter::measure(|| {
        assert_eq!(read_all(), 5);
        write_all(&mut out);
    });
    assert_eq!(allocations.count_total, 0);
}
