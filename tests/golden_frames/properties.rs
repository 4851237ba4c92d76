//! What holds for any bytes that come in and any text that goes out.

use crate::body_of;
use crate::goldens::{frames, goldens};
use proptest::prelude::*;
use switchboard::wire::frame::*;
use switchboard::wire::{BODY_MAX, Flags, Frame, HEADER_LEN, Kind, Split, header, split};

/// What parses is written again as it was, so that there is one way only to say a thing. The exception is a hello of
/// another version, of which only the beginning is read.
fn assert_canonical(kind: u8, body: &[u8]) {
    match Frame::decode(kind, body) {
        Ok(Frame::Hello(hello)) if hello.version != VERSION => {}
        Ok(frame) => assert_eq!(body_of(&frame), body, "{frame:?}"),
        Err(_) => {}
    }
}

/// Every kind of frame that holds a name or a text, with `a` and `b` in these places.
fn frames_with<'a>(a: &'a str, b: &'a str) -> Vec<Frame<'a>> {
    vec![
        Frame::Hello(Hello { request: 1, version: VERSION, body_max: 9_000, name: a }),
        Frame::Welcome(Welcome { request: 1, version: VERSION, body_max: 9_000, text_max: 1, name: a }),
        Frame::Refused(Refused { request: 1, code: 1, text: b }),
        Frame::Bye(Bye { code: 0, text: b }),
        Frame::Join(Join { request: 1, past: 1, room: a, password: a }),
        Frame::Joined(Joined {
            request: 1,
            room: a,
            occupants: 1,
            flags: 1,
            affiliation: 1,
            grants: 1,
            you: a,
            subject_millis: 1,
            subject_by: a,
            subject: b,
        }),
        Frame::Say(Say { request: 1, text: b }),
        Frame::Said(Said { by: a, text: b }),
        Frame::Entered(Entered { who: a }),
        Frame::Left(Left { who: a, code: 1, text: b }),
        Frame::Notice(Notice { by: a, text: b }),
        Frame::Kicked(Kicked { who: a, by: a, text: b }),
        Frame::Changed(Changed { by: a, change: 1, on: 1, seconds: 1, value: a, reason: b }),
        Frame::Change(Change { request: 1, change: 1, on: 1, seconds: 1, value: a, reason: b }),
        Frame::ReserveName(ReserveName { request: 1, name: a }),
        Frame::ListMembers(ListMembers { request: 1, affiliation: 1, after: a }),
        Frame::Kick(Kick { request: 1, who: a, text: b }),
        Frame::Invite(Invite { request: 1, who: a }),
        Frame::Destroy(Destroy { request: 1, instead: a, text: b }),
        Frame::Destroyed(Destroyed { by: a, instead: a, text: b }),
        Frame::RenameRoom(RenameRoom { request: 1, to: a, text: b }),
        Frame::RoomRenamed(RoomRenamed { by: a, to: a, text: b }),
        Frame::Wish(Wish { request: 1, wish: 1, room: a, text: b }),
        Frame::Wished(Wished { who: a, wish: 1, text: b }),
        Frame::Decide(Decide { request: 1, wish: 1, grant: 1, who: a }),
        Frame::Search(Search { request: 1, before: 1, limit: 1, room: a, words: b }),
        Frame::Retract(Retract { request: 1, id: 1, text: b }),
        Frame::Retracted(Retracted { id: 1, by: a, text: b }),
        Frame::MarkRead(MarkRead { request: 1, at_millis: 1, conversation: a }),
        Frame::ReadMark(ReadMark { request: 1, at_millis: 1, conversation: a }),
        Frame::Renamed(Renamed { who: a, to: a }),
        Frame::Invited(Invited { by: a, room: a }),
        Frame::SetSubject(SetSubject { request: 1, text: b }),
        Frame::Subject(Subject { at_millis: 1, by: a, text: b }),
        Frame::ListRooms(ListRooms { request: 1, after: a }),
        Frame::Who(Who { request: 1, after: a }),
        Frame::Tell(Tell { request: 1, to: a, text: b }),
        Frame::Told(Told { from: a, text: b }),
        Frame::ToldElsewhere(ToldElsewhere { to: a, text: b }),
        Frame::Lookup(Lookup { request: 1, name: a }),
        Frame::ListPeers(ListPeers { request: 1, after: a }),
        Frame::Open(Open { request: 1, purpose: 1, to: a }),
        Frame::Offer(Offer { purpose: 1, payload_max: 1, from: a }),
        Frame::Decline(Decline { request: 1, text: b }),
        Frame::Opened(Opened { request: 1, payload_max: 1, peer: a }),
        Frame::Closed(Closed { code: 1, text: b }),
        Frame::Data(Data { payload: b.as_bytes() }),
        Frame::Administer(Administer { request: 1, what: 1, seconds: 1, value: a, instead: a, text: b }),
        Frame::ListServer(ListServer { request: 1, what: 1, after: a }),
        Frame::Announced(Announced { by: a, text: b }),
    ]
}

/// Text that would end a line, a string or a frame, if anything here went by that.
fn awkward(bytes_max: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\0".to_owned()),
        Just("\u{84}\u{202e}é日".to_owned()),
        Just("PRIVMSG #a :b".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(move |pieces| {
        let mut text = pieces.concat();
        while text.len() > bytes_max {
            text.pop();
        }
        text
    })
}

proptest! {
    #[test]
    fn whatever_parses_is_written_the_same_way(
        kind in prop_oneof![any::<u8>(), prop::sample::select(Kind::ALL).prop_map(|kind| kind as u8)],
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        assert_canonical(kind, &body);
    }

    /// Damaged frames come much closer to being accepted than random bytes do.
    #[test]
    fn whatever_of_a_damaged_frame_parses_is_written_the_same_way(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let goldens = goldens();
        let mut bytes = which.get(&goldens).bytes.clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        if let Ok(Split::Frame(raw)) = split(&bytes, BODY_MAX) {
            assert_canonical(raw.header.kind, raw.body);
            prop_assert_eq!(raw.header.to_bytes(), &bytes[..HEADER_LEN]);
        }
    }

    /// More bytes never change what fewer bytes have shown.
    #[test]
    fn random_bytes_split_the_same_however_many_have_arrived(
        bytes in prop::collection::vec(prop_oneof![Just(0u8), 0x80u8..=0xbf, any::<u8>()], 0..64),
        body_max in 0u16..64,
    ) {
        let whole = split(&bytes, body_max);
        for cut in 0..bytes.len() {
            match split(&bytes[..cut], body_max) {
                Ok(Split::Incomplete { needed }) => prop_assert!(needed > cut),
                decided => prop_assert_eq!(&decided, &whole),
            }
        }
    }

    #[test]
    fn one_message_in_is_one_frame_out(a in awkward(255), b in awkward(2_000), channel in any::<u32>()) {
        for frame in frames_with(&a, &b) {
            let mut out = Vec::new();
            header::put_with(&mut out, frame.kind(), Flags::NONE, channel, |out| frame.encode_body(out));
            let [raw] = frames(&out)[..] else { panic!("{frame:?} became several frames") };
            prop_assert_eq!(raw.header.channel, channel);
            prop_assert_eq!(raw.decode(), Ok(frame));
        }
    }

    /// A name that cannot be written whole is cut, and what stands behind it stays where it belongs.
    #[test]
    fn a_name_too_long_for_its_field_moves_nothing_else(c in any::<char>(), text in awkward(100)) {
        let by = String::from(c).repeat(256);
        let mut out = Vec::new();
        header::put(&mut out, Flags::NONE, 1, &Said { by: &by, text: &text });
        let [raw] = frames(&out)[..] else { panic!("several frames") };
        let Ok(Frame::Said(said)) = raw.decode() else { panic!("{raw:?}") };
        prop_assert!(by.starts_with(said.by) && said.by.len() > 255 - c.len_utf8());
        prop_assert_eq!(said.text, &text);
    }

    /// Whoever follows `MORE` from page to page sees every entry once, however small the pages are.
    #[test]
    fn pages_add_up_to_the_list(lengths in prop::collection::vec(1usize..40, 0..30), body_max in 64u16..300) {
        let names: Vec<String> = lengths.iter().map(|&length| "n".repeat(length)).collect();
        let (mut read, mut pages) = (Vec::new(), 0);
        loop {
            let mut out = Vec::new();
            let rest = names.iter().skip(read.len()).map(String::as_str);
            put_list(&mut out, Kind::PeerList, 0, 1, body_max, rest, false);
            let [raw] = frames(&out)[..] else { panic!("several frames") };
            prop_assert!(raw.body.len() <= body_max.into());
            let Ok(Frame::PeerList(list)) = raw.decode() else { panic!("no list") };
            read.extend(list.names.iter().map(str::to_owned));
            pages += 1;
            if !raw.flags().contains(Flags::MORE) {
                break;
            }
            prop_assert!(list.names.iter().next().is_some() && pages <= names.len());
        }
        prop_assert_eq!(read, names);
    }
}
