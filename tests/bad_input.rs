//! Whatever arrives, the answer is a defined one: a refusal, after which the connection goes on, or a goodbye with its
//! reason. Nobody else notices, and the server's memory stays what it was.

mod common;
#[path = "common/intruder.rs"]
mod intruder;

use common::{Client, Server};
use intruder::{Bystanders, assert_small, bye_code, claimed, name, raw, whole};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{BODY_MAX, BODY_MAX_FLOOR, ByeCode, Kind, LeftCode, RefusalCode};

/// What becomes of somebody who sends something.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Refused(RefusalCode),
    Bye(ByeCode),
    /// Carried out, or passed over; in any case no reason for a word.
    Nothing,
}
use Outcome::{Bye, Nothing, Refused};

/// The request id that requests below carry.
const REQUEST: u32 = 0xabcd_1234;

/// A request of this kind, with these bytes behind its id.
fn request(kind: Kind, channel: u32, rest: &[u8]) -> Vec<u8> {
    raw(kind as u8, channel, &[&REQUEST.to_be_bytes(), rest].concat())
}

/// What stands in join behind the id: nothing of the past, a room, and no password.
fn joining(room: impl AsRef<[u8]>) -> Vec<u8> {
    [vec![0, 0], name(room), vec![0]].concat()
}

fn hello(version: u8, name: &str) -> Vec<u8> {
    whole(0, &frame::Hello { request: REQUEST, version, body_max: BODY_MAX, name })
}

/// Sends `bytes` and sees what comes of it. Whoever is only refused can go on.
fn check(client: &mut Client, bytes: &[u8], outcome: Outcome, case: &str) {
    client.send_bytes(bytes);
    match outcome {
        Bye(code) => {
            let received = client.receive_all();
            let codes: Vec<_> = received.iter().map(bye_code).collect();
            assert_eq!(codes, [Some(code)], "{case}: {:?}", received.first().map(|f| f.frame()));
        }
        Refused(code) => {
            let received = client.receive();
            let Frame::Refused(refused) = received.frame() else {
                panic!("{case}: {:?}", received.frame());
            };
            assert_eq!(RefusalCode::from_number(refused.code), Some(code), "{case}: {:?}", refused.text);
            assert!(!refused.text.is_empty(), "{case}: no sentence");
            assert_eq!(received.channel(), switchboard::wire::Header::read(bytes).expect("a header").channel);
            let sent = Kind::from_u8(bytes[0]).filter(|kind| kind.is_request()).map_or(0, |_| REQUEST);
            assert_eq!(refused.request, sent, "{case}: another request's id");
        }
        Nothing => {}
    }
}

#[test]
fn before_login() {
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::start(&server);
    let before = server.memory();
    let good = hello(frame::VERSION, "mallory");
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let refuse_name = Refused(RefusalCode::BadName);
    let cases: Vec<(&str, Vec<u8>, Outcome)> = vec![
        ("wrong magic", with(8, b'X'), Bye(ByeCode::BadMagic)),
        ("wrong version", hello(2, "mallory"), Refused(RefusalCode::Version)),
        ("version 0", hello(0, ""), Refused(RefusalCode::Version)),
        ("flags nobody knows", with(1, 0x40), Bye(ByeCode::Malformed)),
        ("unknown kind", raw(0xff, 0, b""), Bye(ByeCode::HelloExpected)),
        ("length 0", raw(0x80, 0, b""), Bye(ByeCode::Malformed)),
        ("magic alone", raw(0x80, 0, b"SWBD"), Bye(ByeCode::Malformed)),
        ("hello and more", raw(0x80, 0, &[&good[8..], b"x"].concat()), Bye(ByeCode::Malformed)),
        ("a longer name than the body", with(19, 200), Bye(ByeCode::Malformed)),
        (
            "as long as may be",
            raw(0x80, 0, &[&good[8..16], &[0; 4_088]].concat()),
            Refused(RefusalCode::Version),
        ),
        ("too long", claimed(0x80, 0, 4_097), Bye(ByeCode::FrameTooLong)),
        ("as long as can be", claimed(0x80, 0, u16::MAX), Bye(ByeCode::FrameTooLong)),
        ("say", whole(bystanders.room, &frame::Say { request: 1, text: "hi" }), Bye(ByeCode::HelloExpected)),
        (
            "join",
            whole(0, &frame::Join { request: 1, past: 0, room: "#lobby", password: "" }),
            Bye(ByeCode::HelloExpected),
        ),
        ("payload", whole(1, &frame::Data { payload: b"x" }), Bye(ByeCode::HelloExpected)),
        ("ping", whole(0, &frame::Ping { token: 1 }), Bye(ByeCode::HelloExpected)),
        ("pong", whole(0, &frame::Pong { token: 1 }), Bye(ByeCode::HelloExpected)),
        ("goodbye", whole(0, &frame::Bye { code: 0, text: "" }), Bye(ByeCode::HelloExpected)),
        ("what a server says", whole(0, &frame::Done { request: 1 }), Bye(ByeCode::HelloExpected)),
        ("no name", hello(1, ""), refuse_name),
        ("a name too long", hello(1, &"x".repeat(33)), refuse_name),
        ("the longest of names", hello(1, &"x".repeat(255)), refuse_name),
        ("a name that is not UTF-8", with(20, 0xff), refuse_name),
        ("a name with NUL", hello(1, "mal\0lory"), refuse_name),
        ("a name with an escape", hello(1, "\u{1b}[31mred"), refuse_name),
        ("a name in two lines", hello(1, "mal\r\nlory"), refuse_name),
        ("a name with a space", hello(1, "mal lory"), refuse_name),
        ("a name that turns the text around", hello(1, "mal\u{202e}lory"), refuse_name),
        ("a name like a room's", hello(1, "#lobby"), refuse_name),
        ("a name that is taken", hello(1, "Alice"), Refused(RefusalCode::NameTaken)),
    ];
    for (n, (case, bytes, outcome)) in cases.iter().enumerate() {
        let mut client = Client::connect(server.address);
        check(&mut client, bytes, *outcome, case);
        if let Refused(_) = outcome {
            client.hello(&format!("good{n}"));
            assert_eq!(client.receive().kind(), Kind::Welcome, "{case}");
        }
        bystanders.notice_nothing(case);
    }
    assert_small(&server, before, "the cases");
}

/// Every field that is text, as something that is none, and what each request is refused for.
fn cases_of_requests(room: u32, foreign_room: u32, offered: u32) -> Vec<(String, Vec<u8>, Outcome)> {
    let mut cases: Vec<(String, Vec<u8>, Outcome)> = Vec::new();
    let mut add = |case: &str, bytes, outcome| cases.push((case.to_string(), bytes, outcome));

    let not_utf8 = b"\xc3\x28".as_slice();
    for (kind, rest) in [
        (Kind::Hello, None),
        (Kind::Join, Some(joining(not_utf8))),
        (Kind::Say, Some(not_utf8.to_vec())),
        (Kind::SetSubject, Some(not_utf8.to_vec())),
        (Kind::ListRooms, Some(name(not_utf8))),
        (Kind::Who, Some(name(not_utf8))),
        (Kind::Tell, Some([name(not_utf8), b"text".to_vec()].concat())),
        (Kind::Tell, Some([name("bob"), not_utf8.to_vec()].concat())),
        (Kind::Lookup, Some(name(not_utf8))),
        (Kind::ListPeers, Some(name(not_utf8))),
        (Kind::Open, Some([vec![0], name(not_utf8)].concat())),
        (Kind::Decline, Some(not_utf8.to_vec())),
    ] {
        let bytes = match rest {
            Some(rest) => request(kind, room, &rest),
            None => {
                let mut bytes = hello(1, "xx");
                bytes[20] = 0xff;
                bytes
            }
        };
        add(&format!("{kind:?} that is not UTF-8"), bytes, Refused(RefusalCode::NotUtf8));
    }

    let bad_text = Refused(RefusalCode::BadText);
    for text in ["a\0b", "a\rb", "a\nb", "\r\n"] {
        add("say in two lines", request(Kind::Say, room, text.as_bytes()), bad_text);
        add("a subject in two lines", request(Kind::SetSubject, room, text.as_bytes()), bad_text);
        add("decline in two lines", request(Kind::Decline, offered, text.as_bytes()), bad_text);
        let tell = [name("bob"), text.as_bytes().to_vec()].concat();
        add("tell in two lines", request(Kind::Tell, 0, &tell), bad_text);
    }
    add("nothing said", request(Kind::Say, room, b""), bad_text);
    add("nothing told", request(Kind::Tell, 0, &name("bob")), bad_text);
    let too_long = Refused(RefusalCode::TextTooLong);
    add("too much said", request(Kind::Say, room, &[b'x'; 4_097]), too_long);
    add("as much said as a frame holds", request(Kind::Say, room, &[b'x'; 32_764]), too_long);
    add("too long a subject", request(Kind::SetSubject, room, &[b'x'; 1_025]), too_long);
    add("too much told", request(Kind::Tell, 0, &[name("bob"), vec![b'x'; 4_097]].concat()), too_long);
    add("too many words to decline", request(Kind::Decline, offered, &[b'x'; 4_097]), too_long);

    for bad in
        ["", "#", "lobby", "#a b", "#a,b", "#a\nb", "#\u{1b}[2J", "#a\0", &format!("#{}", "x".repeat(64))]
    {
        add("a bad room name", request(Kind::Join, 0, &joining(bad)), Refused(RefusalCode::BadRoomName));
    }
    add("a room twice", request(Kind::Join, 0, &joining("#ROOM")), Refused(RefusalCode::AlreadyInRoom));
    for channel in [0, 12_345, u32::MAX, foreign_room, offered] {
        let not_in_room = Refused(RefusalCode::NotInRoom);
        add("say elsewhere", request(Kind::Say, channel, b"hi"), not_in_room);
        add("leave elsewhere", request(Kind::Leave, channel, b""), not_in_room);
        add("a subject elsewhere", request(Kind::SetSubject, channel, b"hi"), not_in_room);
        add("who elsewhere", request(Kind::Who, channel, &name("")), not_in_room);
    }
    for channel in [0, 12_345, u32::MAX, foreign_room, room] {
        let no_relay = Refused(RefusalCode::NoSuchRelay);
        add("accept of nothing", request(Kind::Accept, channel, b""), no_relay);
        add("decline of nothing", request(Kind::Decline, channel, b""), no_relay);
        add("close of nothing", request(Kind::Close, channel, b""), no_relay);
        add("payload for nobody", whole(channel, &frame::Data { payload: b"x" }), no_relay);
        add("empty payload for nobody", whole(channel, &frame::Data { payload: b"" }), no_relay);
        add("much payload for nobody", whole(channel, &frame::Data { payload: &[1; 32_768] }), no_relay);
    }
    for who in ["nobody", "", "a b", "#lobby", "\u{1b}", &"x".repeat(255)] {
        let no_peer = Refused(RefusalCode::NoSuchPeer);
        add("tell nobody", request(Kind::Tell, 0, &[name(who), b"hi".to_vec()].concat()), no_peer);
        add("look up nobody", request(Kind::Lookup, 0, &name(who)), no_peer);
        add("call nobody", request(Kind::Open, 0, &[vec![0], name(who)].concat()), no_peer);
    }
    let yourself = Refused(RefusalCode::Yourself);
    add("tell oneself", request(Kind::Tell, 0, &[name("MALLORY"), b"hi".to_vec()].concat()), yourself);
    add("call oneself", request(Kind::Open, 0, &[vec![1], name("mallory")].concat()), yourself);
    let unknown = Refused(RefusalCode::UnknownRequest);
    add("call for no known purpose", request(Kind::Open, 0, &[vec![9], name("bob")].concat()), unknown);
    add("hello again", hello(1, "another"), Refused(RefusalCode::AlreadyLoggedIn));
    add("hello of another version", hello(9, "another"), Refused(RefusalCode::AlreadyLoggedIn));
    add("a pong out of nothing", whole(0, &frame::Pong { token: 5 }), Nothing);
    add("escapes in a text", whole(room, &frame::Say { request: 0, text: "\u{1b}[2J\u{7}" }), Nothing);
    for kind in [0x89, 0x8f, 0xaf, 0xc3, 0xf0, 0xff] {
        add("an unknown kind", raw(kind, 7, b"whatever"), unknown);
        add("a long one of an unknown kind", raw(kind, 7, &[0; BODY_MAX as usize]), unknown);
    }
    let (padding, tag) = ([0; 24], [0; 16]);
    add("what goes in datagrams: bind", whole(0, &frame::Bind { padding, tag }), unknown);
    let sealed = frame::Sealed { counter: 1, frame_and_tag: &[7; 100] };
    add("what goes in datagrams: sealed", whole(0, &sealed), unknown);
    add(
        "what a server says: welcome",
        whole(0, &frame::Welcome { request: 1, version: 1, body_max: 1, text_max: 1, name: "x" }),
        unknown,
    );
    add("what a server says: done", whole(0, &frame::Done { request: 1 }), unknown);
    add("what a server says: refused", whole(0, &frame::Refused { request: 1, code: 1, text: "x" }), unknown);
    add("what a server says: said", whole(room, &frame::Said { by: "bob", text: "forged" }), unknown);
    add("what a server says: entered", whole(room, &frame::Entered { who: "bob" }), unknown);
    add("what a server says: left", whole(room, &frame::Left { who: "bob", code: 0, text: "" }), unknown);
    add("what a server says: told", whole(0, &frame::Told { from: "bob", text: "forged" }), unknown);
    add(
        "what a server says: offer",
        whole(offered, &frame::Offer { purpose: 0, payload_max: 1, from: "bob" }),
        unknown,
    );
    add(
        "what a server says: opened",
        whole(offered, &frame::Opened { request: 1, payload_max: 1, peer: "bob" }),
        unknown,
    );
    add("what a server says: closed", whole(offered, &frame::Closed { code: 0, text: "" }), unknown);
    cases
}

#[test]
fn requests_that_cannot_be_carried_out_are_refused_and_the_connection_goes_on() {
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::start(&server);
    let before = server.memory();
    let mut mallory = Client::login(server.address, "mallory");
    let room = mallory.join("#room");
    // A call that rings at mallory's.
    bystanders.alice.call("mallory");
    let offered = mallory.receive_kind(Kind::Offer).channel();
    assert_eq!(bystanders.alice.receive().kind(), Kind::Ringing);
    for (case, bytes, outcome) in cases_of_requests(room, bystanders.room, offered) {
        check(&mut mallory, &bytes, outcome, &case);
        mallory.send(0, &frame::Ping { token: 3 });
        let next = mallory.receive();
        assert_eq!(next.frame(), Frame::Pong(frame::Pong { token: 3 }), "after {case}: one word too many");
        bystanders.notice_nothing(&case);
    }
    // After all that the call still rings, and can be taken.
    mallory.send(offered, &frame::Accept { request: 1 });
    assert_eq!(mallory.receive().kind(), Kind::Done);
    assert_eq!(bystanders.alice.receive().kind(), Kind::Opened);
    assert_small(&server, before, "the cases");
}

#[test]
fn what_breaks_framing_ends_the_connection_and_those_in_its_room_are_told() {
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::start(&server);
    let before = server.memory();
    let mut cases: Vec<(String, Vec<u8>, Outcome)> = Vec::new();
    let malformed = Bye(ByeCode::Malformed);
    for &kind in Kind::ALL.iter().filter(|&&kind| kind != Kind::Data && kind != Kind::Hello) {
        cases.push((format!("an empty {kind:?}"), raw(kind as u8, 0, b""), malformed));
    }
    for first in [0, b'\n', b'G', 0x7f] {
        cases.push((format!("a frame that begins with {first:#x}"), vec![first; 20], malformed));
    }
    for flags in [0x04, 0x80, 0xff] {
        let mut bytes = whole(0, &frame::Ping { token: 1 });
        bytes[1] = flags;
        cases.push((format!("flags {flags:#x}"), bytes, malformed));
    }
    cases.push(("hello without its magic".into(), raw(0x80, 0, b"XXXX"), malformed));
    cases.push(("a ping and more".into(), raw(Kind::Ping as u8, 0, &[0; 9]), malformed));
    cases.push(("a leave and more".into(), request(Kind::Leave, 0, b"x"), malformed));
    cases.push(("a name beyond the end".into(), request(Kind::Join, 0, &[9, b'#']), malformed));
    for kind in [Kind::Say as u8, Kind::Data as u8, 0xff] {
        for length in [BODY_MAX + 1, u16::MAX] {
            let case = format!("a body of {length} bytes");
            cases.push((case, claimed(kind, bystanders.room, length), Bye(ByeCode::FrameTooLong)));
        }
    }
    for (n, (case, bytes, outcome)) in cases.iter().enumerate() {
        let name = &format!("mallory{n}");
        let mut mallory = Client::login(server.address, name);
        mallory.join("#lobby");
        check(&mut mallory, bytes, *outcome, case);
        for client in [&mut bystanders.alice, &mut bystanders.bob] {
            assert_eq!(client.receive().frame(), Frame::Entered(frame::Entered { who: name }));
            let left = frame::Left { who: name, code: LeftCode::Dropped.number(), text: "protocol error" };
            assert_eq!(client.receive().frame(), Frame::Left(left), "{case}");
        }
        bystanders.notice_nothing(case);
    }
    assert_small(&server, before, "the cases");
}

#[test]
fn a_body_maximum_is_negotiated_downwards_to_a_floor_and_then_holds() {
    let server = Server::start(&[]);
    for (n, asked, granted) in
        [(0, 0, BODY_MAX_FLOOR), (1, 10_000, 10_000), (2, BODY_MAX, BODY_MAX), (3, u16::MAX, BODY_MAX)]
    {
        let mut client = Client::connect(server.address);
        let name = &format!("c{n}");
        client.send(0, &frame::Hello { request: 1, version: 1, body_max: asked, name });
        let welcome = client.receive();
        let Frame::Welcome(welcome) = welcome.frame() else { panic!("{:?}", welcome.frame()) };
        assert_eq!(welcome.body_max, granted);
        let longest = raw(Kind::Data as u8, 0, &vec![0; granted.into()]);
        check(&mut client, &longest, Refused(RefusalCode::NoSuchRelay), "as long as granted");
        check(&mut client, &claimed(0xb7, 0, granted + 1), Bye(ByeCode::FrameTooLong), "longer than granted");
    }
}

#[test]
fn a_name_is_free_again_once_its_owner_is_gone() {
    let server = Server::start(&[]);
    for _ in 0..20 {
        let mut first = Client::login(server.address, "mallory");
        let mut second = Client::connect(server.address);
        check(&mut second, &hello(1, "MALLORY"), Refused(RefusalCode::NameTaken), "the same name twice");
        first.send(0, &frame::Bye { code: 0, text: "a\nb" }); // words that cannot be passed on are left out
        assert_eq!(first.receive_all().iter().map(bye_code).collect::<Vec<_>>(), [Some(ByeCode::Goodbye)]);
        second.hello("Mallory");
        assert_eq!(second.receive().kind(), Kind::Welcome);
        second.send(0, &frame::Bye { code: 0, text: "" });
        second.receive_all();
    }
}
