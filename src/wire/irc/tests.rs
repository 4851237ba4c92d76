//! What holds for reading and writing together.

use super::*;
use proptest::prelude::*;

/// A dialogue of all forms that lines have, and what is understood of each.
const GOLDEN: [(&str, &str); 13] = [
    ("CAP LS 302\r\n", r#"CAP ["LS", "302"]"#),
    ("NICK dan\n", r#"NICK ["dan"]"#),
    ("\r\n\n", ""),
    ("USER d 0 * :Dan, who ärgert : us\r\n", r#"USER ["d", "0", "*", "Dan, who ärgert : us"]"#),
    ("@label=1;+typing=active TAGMSG #tea\r\n", r##"@label=1;+typing=active TAGMSG ["#tea"]"##),
    (":dan!d@h  PRIVMSG  #tea  :\r\n", r##":dan!d@h PRIVMSG ["#tea", ""]"##),
    ("PRIVMSG #tea ::) \u{1f375}\r\r\n", r##"PRIVMSG ["#tea", ":) 🍵"]"##),
    ("MODE #tea +ov-b a b *!*@c\r\n", r##"MODE ["#tea", "+ov-b", "a", "b", "*!*@c"]"##),
    ("QUIT\rNICK x\r\n", "The byte 0x0d cannot be within a line"),
    ("PING \0\n", "The byte 0x00 cannot be within a line"),
    ("@label=1\r\n", "A line without a command"),
    (
        "A 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6\n",
        r#"A ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "1", "2", "3", "4", "5 6"]"#,
    ),
    ("QUIT :bye\r\n", r#"QUIT ["bye"]"#),
];

/// What is understood of bytes that come in these pieces, a line each.
fn understood<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let (mut decoder, mut held, mut understood) = (LineDecoder::new(), Vec::new(), Vec::new());
    for piece in pieces {
        held.extend_from_slice(piece);
        loop {
            let used = match decoder.next(&held) {
                LineStep::Incomplete { .. } => break,
                LineStep::Skipped { used } => used,
                LineStep::TooLong { used, part } => {
                    understood.push(format!("{part:?}"));
                    used
                }
                LineStep::Line { used, line } => {
                    understood.push(match Message::parse(line) {
                        Ok(message) => shown(message),
                        Err(error) => error.to_string(),
                    });
                    used
                }
            };
            held.drain(..used);
        }
    }
    understood
}

fn shown(message: Message<'_>) -> String {
    let tags = if message.tags.is_empty() { String::new() } else { format!("@{} ", message.tags.as_str()) };
    let source = message.source.map_or(String::new(), |source| format!(":{source} "));
    format!("{tags}{source}{} {:?}", message.command, message.params)
}

#[test]
fn a_dialogue_cut_in_two_at_every_byte_is_understood_the_same() {
    let bytes = GOLDEN.map(|(line, _)| line).concat().into_bytes();
    let expected: Vec<&str> =
        GOLDEN.iter().map(|(_, shown)| *shown).filter(|shown| !shown.is_empty()).collect();
    for cut in 0..=bytes.len() {
        let (front, back) = bytes.split_at(cut);
        assert_eq!(understood([front, back]), expected, "cut at {cut}");
    }
    for size in 1..40 {
        assert_eq!(understood(bytes.chunks(size)), expected, "pieces of {size}");
    }
}

/// Every reply that a server sends is a line with its number, its client and its sentence.
#[test]
fn every_numeric_is_three_digits_on_the_wire() {
    for row in Numeric::ALL {
        let mut out = Vec::new();
        LineHead::begin(&mut out).numeric("irc.test", row.numeric, "").echo("x").trailing(row.meaning);
        let line = out.strip_suffix(b"\r\n").unwrap();
        let message = Message::parse(line).unwrap();
        assert_eq!(message.command, format!("{:03}", row.numeric.number()));
        assert_eq!(message.params.as_slice(), ["*", "x", row.meaning]);
    }
}

/// Text that would end a line or a field, if anything here went by that.
fn awkward(max: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\0".to_owned()),
        Just(" :".to_owned()),
        Just("; @a=b".to_owned()),
        Just("\\".to_owned()),
        Just("é日🍵".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..max).prop_map(|pieces| pieces.concat())
}

/// What can be one parameter as it is.
fn param() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9#*!@.é日\u{1}-][a-zA-Z0-9#*!@.:é日]{0,12}"
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        tags in prop::collection::vec(("[a-z]{1,8}", awkward(6)), 0..4),
        source in prop::option::of(("[a-z]{1,9}", "[a-z~]{1,9}", "[a-z.]{1,9}")),
        command in "[A-Z]{1,8}",
        params in prop::collection::vec(param(), 0..14),
        trailing in "[^\0\r\n]{0,60}",
    ) {
        let mut out = Vec::new();
        let mut head = LineHead::begin(&mut out);
        for (key, value) in &tags {
            head = head.tag(key, value);
        }
        let whole = match &source {
            None => Source::Nobody,
            Some((nick, user, host)) => Source::User { nick, user, host },
        };
        let body = params.iter().fold(head.command(whole, &command), LineBody::param);
        prop_assume!(body.remaining() >= trailing.len());
        body.trailing(&trailing);

        let mut decoder = LineDecoder::new();
        let LineStep::Line { used, line } = decoder.next(&out) else { panic!("no line") };
        prop_assert_eq!(used, out.len());
        let message = Message::parse(line).unwrap();
        prop_assert_eq!(message.command, &command);
        prop_assert_eq!(message.source.map(str::to_owned), source.map(|(n, u, h)| format!("{n}!{u}@{h}")));
        let expected: Vec<&str> = params.iter().map(String::as_str).chain([trailing.as_str()]).collect();
        prop_assert_eq!(message.params.as_slice(), expected);
        prop_assert_eq!(message.tags.iter().count(), tags.len());
        for (tag, (key, value)) in message.tags.iter().zip(&tags) {
            prop_assert_eq!((tag.key, tag.value().into_owned()), (key.as_str(), value.replace('\0', "")));
        }
    }

    /// Whatever is in the fields, one line goes out, and what stands in it stands in its place.
    #[test]
    fn no_field_becomes_another(
        source in awkward(20),
        params in prop::collection::vec(awkward(20), 0..12),
        trailing in awkward(300),
        relayed in awkward(6),
    ) {
        let mut out = Vec::new();
        let mut body =
            LineHead::begin(&mut out).tag("a", &trailing).relayed(&relayed).numeric(&source, Numeric::RPL_INFO, &source);
        for param in &params {
            body = body.echo(param);
        }
        let remaining = body.remaining();
        body.trailing(&trailing);

        let end = out.iter().position(|byte| *byte == b'\n').unwrap();
        prop_assert_eq!(end + 1, out.len(), "several lines");
        let line = out.strip_suffix(b"\r\n").unwrap();
        prop_assert!(!line.iter().any(|byte| b"\0\r\n".contains(byte)));
        let message = Message::parse(line).unwrap();
        prop_assert_eq!(message.command, "371");
        let tags = usize::from(!relayed.is_empty()) + 1;
        prop_assert!(message.tags.as_str().matches(';').count() + 1 >= tags);
        prop_assert!(message.params.len() <= params.len() + 2);
        if remaining > 0 {
            prop_assert_eq!(message.params.len(), params.len() + 2);
            prop_assert!(message.params.last().unwrap().len() >= remaining.min(trailing.len()).saturating_sub(3));
        }
    }

    /// A line of a client that is passed on bears the same client-only tags, and none of the others.
    #[test]
    fn client_only_tags_are_relayed_as_they_were_sent(
        tags in prop::collection::vec(("[+]?[a-z]{1,2}", prop::option::of(r"[a-z\\:=é]{0,6}")), 0..20),
    ) {
        let raw: Vec<String> = tags
            .iter()
            .map(|(key, value)| value.as_ref().map_or(key.clone(), |value| format!("{key}={value}")))
            .collect();
        let raw = raw.join(";");
        let mut relayed = String::new();
        Tags::new(&raw).put_client_only(&mut relayed);
        let mut out = Vec::new();
        LineHead::begin(&mut out).relayed(&relayed).command(Source::Nobody, "TAGMSG").end();
        let message = Message::parse(out.strip_suffix(b"\r\n").unwrap()).unwrap();
        prop_assert!(message.tags.iter().all(|tag| tag.is_client_only()));
        prop_assert!(message.tags.client_only().eq(message.tags.iter()), "a key is there twice");
        for tag in Tags::new(&raw).iter().filter(Tag::is_client_only) {
            prop_assert_eq!(message.tags.find(tag.key), Tags::new(&raw).find(tag.key));
        }
    }
}
