//! What the dissector makes of a conversation as a whole: answers find their requests, datagrams their connection, text
//! goes to the dissectors that Wireshark has, and what is wrong is noted.
//!
//! Without tshark these tests fail.

#[path = "common/tshark.rs"]
mod tshark;

use switchboard::wire::datagram::{Seal, Sender};
use switchboard::wire::frame::*;
use switchboard::wire::{Flags, RefusalCode, header};
use tshark::{Capture, OTHER_PORT, PORT, STEP, Way, dissect};

const ROOM: u32 = 0x0010_0000;
const RELAY: u32 = 0xffe0_0001;
const BINDING: u32 = 7;

fn frame<'a>(channel: u32, body: &impl Body<'a>) -> Vec<u8> {
    let mut out = Vec::new();
    header::put(&mut out, Flags::NONE, channel, body);
    out
}

fn hello(request: u32) -> Vec<u8> {
    frame(0, &Hello { request, version: VERSION, body_max: 32_768, name: "alice" })
}

fn welcome(request: u32, body_max: u16) -> Vec<u8> {
    frame(0, &Welcome { request, version: VERSION, body_max, text_max: 4_096, name: "alice" })
}

/// A connection in which hello and welcome have passed: packets 1 to 5.
fn logged_in(way: Way) -> Capture {
    let mut capture = Capture::new();
    capture.connect(way);
    capture.tcp(way, &hello(1));
    capture.tcp(way.back(), &welcome(1, 32_768));
    capture
}

fn seconds(packets: u64) -> String {
    format!("{:.9}", (packets * STEP) as f64 / 1e9)
}

#[test]
fn requests_and_answers_know_each_other() {
    let way = Way::to_server(40_001);
    let mut capture = logged_in(way);
    let say = frame(ROOM, &Say { request: 2, text: "one" });
    let again = frame(ROOM, &Say { request: 2, text: "two" });
    capture.tcp(way, &[say, again].concat()); // 6: the same id twice, which the client may
    capture.tcp(way, &frame(0, &Open { request: 9, purpose: 0, to: "bob" })); // 7
    capture.tcp(way.back(), &frame(RELAY, &Ringing { request: 9 })); // 8
    capture.tcp(way.back(), &frame(ROOM, &Done { request: 2 })); // 9
    let code = RefusalCode::NoVoice.number();
    capture.tcp(way.back(), &frame(ROOM, &Refused { request: 2, code, text: "no" })); // 10
    capture.tcp(way.back(), &frame(RELAY, &Opened { request: 9, payload_max: 99, peer: "bob" })); // 11
    capture.tcp(way, &frame(0, &Ping { token: 5 })); // 12
    capture.tcp(way.back(), &frame(0, &Pong { token: 5 })); // 13
    capture.tcp(way.back(), &frame(ROOM, &Said { by: "bob", text: "an event" })); // 14
    let other = Way::to_server(40_101);
    capture.connect(other); // 17
    capture.tcp(other, &hello(0)); // 18
    capture.tcp(other.back(), &welcome(0, 32_768)); // 19
    capture.tcp(other.back(), &frame(0, &Account { request: 0, code: 1, name: "alice" })); // 20: another client's doing
    let packets = dissect(&capture);
    let link = |packet: usize, frame: usize, name: &str| {
        packets[packet - 1].frames[frame].field(&format!("switchboard.{name}")).map(str::to_owned)
    };
    let answered = |packet, frame| link(packet, frame, "response_in");
    let answers = |packet| (link(packet, 0, "response_to"), link(packet, 0, "response_time"));
    let pair = |packet: u64, later: u64| (Some(packet.to_string()), Some(seconds(later)));
    assert_eq!((answered(4, 0), answers(5)), (Some("5".into()), pair(4, 1)));
    assert_eq!((answered(6, 0), answered(6, 1)), (Some("9".into()), Some("10".into())));
    assert_eq!((answers(9), answers(10)), (pair(6, 3), pair(6, 4)));
    // A call is answered when it was taken; that it rings belongs to it.
    assert_eq!((answered(7, 0), answers(8), answers(11)), (Some("11".into()), pair(7, 1), pair(7, 4)));
    assert_eq!((answered(12, 0), answers(13)), (Some("13".into()), pair(12, 1)));
    assert_eq!(answers(14), (None, None));
    // With id 0, which is no request's own, a hello alone has an answer.
    assert_eq!((answered(18, 0), answers(19), answers(20)), (Some("19".into()), pair(18, 1), (None, None)));
    // So are they when packets are filtered, and in the one pass of a live capture as far as they can be.
    let filtered = tshark::tshark(
        &capture,
        &["-Y", "switchboard.response_in == 9", "-T", "fields", "-e", "frame.number"],
    );
    assert_eq!(filtered.trim(), "6");
    let live = tshark::tshark_live(
        &capture,
        &["-Y", "switchboard.response_to == 7", "-T", "fields", "-e", "frame.number"],
    );
    assert_eq!(live.lines().collect::<Vec<_>>(), ["8", "11"]);
}

#[test]
fn datagrams_belong_to_the_connection_of_their_ticket() {
    let (way, datagrams) = (Way::to_server(40_002), Way::to_server(50_002));
    let mut capture = logged_in(way);
    let key = [9; 32];
    let seal = Seal::derive(&key, Sender::Client);
    let signed = |sealed: &mut dyn FnMut(&mut Vec<u8>)| {
        let mut out = Vec::new();
        sealed(&mut out);
        out
    };
    capture.tcp(way, &frame(0, &GetTicket { request: 2, wants: 3 })); // 6
    capture.tcp(way.back(), &frame(BINDING, &Ticket { request: 2, key })); // 7
    let bind = signed(&mut |out| seal.sign(out, BINDING, &Bind { padding: [0; 24], tag: [0; 16] }));
    let challenge = signed(&mut |out| seal.sign(out, BINDING, &Challenge { cookie: [1; 24], tag: [0; 16] }));
    let prove = signed(&mut |out| seal.sign(out, BINDING, &Prove { cookie: [1; 24], tag: [0; 16] }));
    capture.udp(datagrams, &bind); // 8
    capture.udp(datagrams.back(), &challenge); // 9
    capture.udp(datagrams, &prove); // 10
    capture.tcp(way.back(), &frame(BINDING, &Bound { address: datagrams.from.into() })); // 11
    let say = frame(ROOM, &Say { request: 3, text: "over UDP" });
    capture.udp(datagrams, &signed(&mut |out| seal.seal(out, BINDING, 0, &say))); // 12
    capture.tcp(way.back(), &frame(ROOM, &Done { request: 3 })); // 13
    let packets = dissect(&capture);
    let to = |packet: usize| packets[packet - 1].frames[0].field("switchboard.response_to");
    assert_eq!((to(9), to(11), to(13)), (Some("8"), Some("10"), Some("12")));
    let bound = &packets[10].frames[0];
    assert_eq!(bound.field("switchboard.bound.address"), Some(datagrams.from.to_string().as_str()));
    assert_eq!(packets[11].frames[0].field("switchboard.say.text"), Some("over UDP"));
}

#[test]
fn payload_of_a_conversation_is_shown_as_lines_and_that_of_a_pipe_is_not() {
    let way = Way::to_server(40_003);
    for (purpose, text) in [(0, Some("hi <b>")), (1, None)] {
        let mut capture = logged_in(way);
        let (seq, ack) = (5_u32.to_be_bytes(), 4_u32.to_be_bytes());
        capture.tcp(way.back(), &frame(RELAY, &Offer { purpose, payload_max: 99, from: "bob" }));
        let line = [&seq[..], &ack, b"hi <b>"].concat();
        capture.tcp(way.back(), &frame(RELAY, &Data { payload: &line }));
        capture.tcp(way, &frame(RELAY, &Data { payload: b"short" }));
        let packets = dissect(&capture);
        let shown = packets[6].frames.iter().find_map(|shown| shown.field("switchboard.line.text"));
        assert_eq!(shown, text);
        let notes: Vec<&String> = packets[7].frames.iter().flat_map(|shown| &shown.notes).collect();
        assert_eq!(notes.contains(&&"bad_line".to_owned()), purpose == 0);
    }
}

#[test]
fn text_on_the_same_port_goes_to_wiresharks_own_dissectors() {
    let mut capture = Capture::new();
    let (irc, http, refused) = (Way::to_server(40_004), Way::to_server(40_005), Way::to_server(40_006));
    capture.connect(irc); // 3
    capture.tcp(irc, b"NICK carol\r\nUSER ca"); // 4
    capture.tcp(irc, b"rol 0 * :Carol\r\n"); // 5
    capture.tcp(irc.back(), b":server 001 carol :Welcome\r\n"); // 6
    capture.tcp(irc.back(), ":a PRIVMSG #tea :é日\r\n".as_bytes()); // 7
    capture.connect(http); // 10
    capture.tcp(http, b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n"); // 11
    capture.tcp(http.back(), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"); // 12
    capture.connect(refused); // 15
    capture.tcp(refused, &hello(1)); // 16
    capture.tcp(refused.back(), b"ERROR :the server is full; try again later\r\n"); // 17
    let packets = dissect(&capture);
    let last = |packet: usize| packets[packet - 1].protocols.last().map_or("", String::as_str);
    assert_eq!([last(4), last(5), last(6), last(7)], ["irc"; 4], "{packets:?}");
    assert_eq!([last(11), last(12)], ["http"; 2]);
    assert_eq!((last(16), last(17)), ("switchboard", "irc"));
    // A command that was cut is one command.
    let commands =
        tshark::tshark(&capture, &["-Y", "irc.request", "-T", "fields", "-e", "irc.request.command"]);
    assert_eq!(commands.split_whitespace().collect::<Vec<_>>(), ["NICK", "USER"]);
}

#[test]
fn other_ports_are_recognised_by_how_a_conversation_begins() {
    let mut capture = Capture::new();
    let native = Way::to_server_at(40_007, OTHER_PORT);
    capture.connect(native);
    let hello = hello(1);
    capture.tcp(native, &hello); // 4
    let welcome = welcome(1, 8_192);
    capture.tcp(native.back(), &welcome[..10]); // 5: from here on it is known whose this is
    capture.tcp(native.back(), &welcome[10..]); // 6
    let key = Seal::derive(&[1; 32], Sender::Caller);
    let mut probe = Vec::new();
    key.seal(&mut probe, RELAY, 0, &frame(0, &Ping { token: 7 }));
    capture.udp(Way::to_server_at(50_007, OTHER_PORT), &probe); // 7
    let direct = Way::to_server_at(40_008, OTHER_PORT);
    capture.connect(direct); // 10
    capture.tcp(direct, &probe); // 11
    // And what is not: TLS's bytes have another shape, and so has noise.
    let other = Way::to_server_at(40_009, OTHER_PORT);
    capture.connect(other); // 14
    capture.tcp(other, &[0x90, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 9, 9]); // 15: a header, and no join
    capture.udp(other, &[0xcb, 0, 0, 40, 0, 0, 0, 0].repeat(6)); // 16
    let packets = dissect(&capture);
    let kinds = |packet: usize| packets[packet - 1].frames.iter().map(|f| f.kind()).collect::<Vec<_>>();
    assert_eq!((kinds(4), kinds(6)), (vec!["hello"], vec!["welcome"]));
    assert_eq!((kinds(7), kinds(11)), (vec!["sealed"], vec!["sealed"]));
    assert_eq!((kinds(15).len(), kinds(16).len()), (0, 0));
    // And where the port is set, it is known from the first byte.
    let port = format!("switchboard.port:{PORT},{OTHER_PORT}");
    let shown = tshark::tshark(
        &capture,
        &["-o", &port, "-Y", "frame.number == 15", "-T", "fields", "-e", "switchboard.kind"],
    );
    assert_eq!(shown.trim(), "join");
}

#[test]
fn a_capture_that_begins_in_the_middle_finds_into_step() {
    let way = Way::to_server(40_010);
    let mut capture = Capture::new();
    let long = frame(ROOM, &Said { by: "bob", text: &"tea ".repeat(300) });
    let said = frame(ROOM, &Said { by: "bob", text: "next" });
    capture.lose(way.back(), 5_000);
    capture.tcp(way.back(), &long[700..]); // 1: the rest of a frame
    capture.tcp(way.back(), &[&said[..], &long[..500]].concat()); // 2
    capture.tcp(way.back(), &[&long[500..], &said[..]].concat()); // 3
    let packets = dissect(&capture);
    let kinds = |packet: usize| packets[packet - 1].frames.iter().map(|f| f.kind()).collect::<Vec<_>>();
    assert_eq!((kinds(2), kinds(3)), (vec!["said"], vec!["said", "said"]));
}

#[test]
fn what_is_wrong_is_noted() {
    let way = Way::to_server(40_011);
    let bad = |bytes: &[u8]| {
        let mut capture = Capture::new();
        capture.connect(way);
        capture.tcp(way, &hello(1));
        capture.tcp(way.back(), &welcome(1, 8_192));
        capture.tcp(way, bytes);
        let packets = dissect(&capture);
        packets[5].frames.iter().flat_map(|shown| shown.notes.clone()).collect::<Vec<_>>()
    };
    let mut long = vec![0xb7, 0, 0x20, 1, 0xff, 0xe0, 0, 1];
    long.resize(8 + 0x2001, 0);
    let other_hello = frame(0, &Hello { request: 1, version: 9, body_max: 9_000, name: "x" });
    let cases: [(&[u8], &[&str]); 11] = [
        (&[0x93, 0, 0, 2, 0, 0, 0, 0, 1, 2], &["short"]),
        (&[0x92, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 9], &["trailing"]),
        (&[0x93, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0xff], &["not_utf8"]),
        (&[0x8a, 0, 0, 1, 0, 0, 0, 0, 9], &["unknown_kind"]),
        (&[0xb7, 4, 0, 0, 0, 0, 0, 0], &["bad_flags"]),
        (&[0x80, 0, 0, 12, 0, 0, 0, 0, b'S', b'W', b'B', b'X', 0, 0, 0, 1, 1, 9, 9, 0], &["bad_magic"]),
        (&[0x92, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0], &["no_done"]),
        (b"not a frame", &["no_frame"]),
        (&[0xb0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 1, 99, 0], &["unknown_code"]),
        (&[0xcb, 0, 0, 24, 0, 0, 0, 0], &[]), // waits for the rest
        (&other_hello, &["other_version"]),
    ];
    for (bytes, notes) in cases {
        assert_eq!(bad(bytes), notes, "{bytes:02x?}");
    }
    // 8,192 was agreed on.
    let mut capture = Capture::new();
    capture.connect(way);
    capture.tcp(way, &hello(1));
    capture.tcp(way.back(), &welcome(1, 8_192));
    capture.tcp(way, &long);
    assert_eq!(dissect(&capture)[5].frames[0].notes, ["too_long"]);
}

#[test]
fn a_kind_can_be_filtered_by_its_name_and_kinds_are_counted() {
    let way = Way::to_server(40_012);
    let mut capture = logged_in(way);
    for request in 2..5 {
        capture.tcp(way, &frame(ROOM, &Say { request, text: "tea" }));
        capture.tcp(way.back(), &frame(ROOM, &Done { request }));
    }
    let said = tshark::tshark(
        &capture,
        &["-Y", r#"switchboard.kind == "say" && switchboard.say.text contains "te""#],
    );
    assert_eq!(said.lines().count(), 3, "{said}");
    assert!(said.contains(r#"Switchboard 55 say #2 "tea""#), "{said}");
    let counted = tshark::tshark(&capture, &["-q", "-z", "switchboard,kinds"]);
    let row = |name: &str| {
        let line = counted.lines().find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name} in {counted}"))
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(row("say"), ["say", "3", "37.50", "45", "15.0", "15"]);
    assert_eq!(row("all")[..2], ["all", "8"]);
    assert!(counted.contains("milliseconds from request to answer"), "{counted}");
}
