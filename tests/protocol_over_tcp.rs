//! A real server says what `docs/PROTOCOL.md` says it does: byte for byte in the document's own example, and line by
//! line in its table of errors.

mod common;

use common::{Client, PATIENCE, Server};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use switchboard::wire::frame::*;
use switchboard::wire::{ByeCode, Frame, Kind, RefusalCode};

const DOCUMENT: &str = include_str!("../docs/PROTOCOL.md");

/// The frames of the first hexdump: who says it (`>` the client, `<` the server), the name of its kind, its bytes.
fn example() -> Vec<(char, &'static str, Vec<u8>)> {
    let dump =
        DOCUMENT.split("```hexdump\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a hexdump");
    let mut frames: Vec<(char, &str, Vec<u8>)> = Vec::new();
    for line in dump.lines() {
        let (digits, words) = line.split_once(';').unwrap_or((line, ""));
        let mut words = words.split_whitespace();
        if let Some(who @ (">" | "<")) = words.next() {
            frames.push((who.chars().next().expect("one"), words.next().expect("a kind"), Vec::new()));
        }
        let bytes = digits.split_whitespace().map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal"));
        frames.last_mut().expect("the first line says who").2.extend(bytes);
    }
    frames
}

/// The channel of the example's room.
const DOCUMENTED: [u8; 4] = [0, 0x10, 0, 0];

#[test]
fn the_example_is_what_a_server_says() {
    let server = Server::start(&[]);
    let mut alice = TcpStream::connect(server.address).expect("the server accepts");
    alice.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let mut bob = Client::login(server.address, "bob");
    let mut room = 0;
    let mut channel = DOCUMENTED;
    for (who, kind, mut bytes) in example() {
        // A server begins to number its channels anywhere.
        if bytes[4..8] == DOCUMENTED {
            bytes[4..8].copy_from_slice(&channel);
        }
        match (who, kind) {
            ('>', _) => alice.write_all(&bytes).expect("the server reads"),
            ('<', "entered") => room = bob.join("#tea"),
            ('<', "said") => bob.send(room, &Say { request: 0, text: "Yes, please." }),
            _ => {}
        }
        if who == '<' {
            let mut answer = vec![0; bytes.len()];
            alice.read_exact(&mut answer).expect("an answer");
            if kind == "joined" {
                channel.copy_from_slice(&answer[4..8]);
                bytes[4..8].copy_from_slice(&channel);
            }
            assert_eq!(answer, bytes, "{kind}: server (left) and document (right)");
        }
    }
    assert_eq!(alice.read(&mut [0]).expect("the end"), 0, "the stream ends behind bye");
}

/// What the server's last frame is for, after these bytes.
fn bye_after(client: &mut Client, bytes: &[u8]) -> Option<ByeCode> {
    client.send_bytes(bytes);
    let last = client.receive_all().pop()?;
    match last.frame() {
        Frame::Bye(bye) => ByeCode::from_number(bye.code),
        _ => None,
    }
}

#[test]
fn what_breaks_framing_is_told_and_closes() {
    let server = Server::start(&[]);
    let before_welcome: [(&[u8], ByeCode); 9] = [
        (b"\x80\x04\0\0\0\0\0\0", ByeCode::Malformed),
        (b"\x80\0\x10\x01\0\0\0\0", ByeCode::FrameTooLong),
        (b"\x80\0\0\x04\0\0\0\0SWBD", ByeCode::Malformed),
        (b"\x80\0\0\x04\0\0\0\0HELO", ByeCode::BadMagic),
        (b"\x84\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0", ByeCode::HelloExpected),
        (b"\x86\0\0\x02\0\0\0\0\0\0", ByeCode::HelloExpected),
        (b"\xfe\0\0\0\0\0\0\0", ByeCode::HelloExpected),
        (b"\x93\0\0\0\0\0\0\0", ByeCode::HelloExpected),
        (b"\x93\0\0\x05\0\0\0\0\0\0\0\x01\xff", ByeCode::HelloExpected),
    ];
    for (bytes, code) in before_welcome {
        let mut client = Client::connect(server.address);
        assert_eq!(bye_after(&mut client, bytes), Some(code), "before welcome: {bytes:02x?}");
    }
    let after_welcome: [(&[u8], ByeCode); 7] = [
        (b"GET /", ByeCode::Malformed),
        (b"\x84\x80\0\0\0\0\0\0", ByeCode::Malformed),
        (b"\x84\0\x80\x01\0\0\0\0", ByeCode::FrameTooLong),
        (b"\x84\0\0\x07\0\0\0\0\0\0\0\0\0\0\0", ByeCode::Malformed),
        (b"\x84\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0\0", ByeCode::Malformed),
        (b"\x86\0\0\x02\0\0\0\0\0\0", ByeCode::Goodbye),
        (b"\x86\0\0\x03\0\0\0\0\0\0\xff", ByeCode::Goodbye),
    ];
    for (n, (bytes, code)) in after_welcome.into_iter().enumerate() {
        let mut client = Client::login(server.address, &format!("alice{n}"));
        assert_eq!(bye_after(&mut client, bytes), Some(code), "after welcome: {bytes:02x?}");
    }
}

/// Sends one frame and asserts that the answer is this refusal.
fn assert_refused(client: &mut Client, bytes: &[u8], request: u32, channel: u32, code: RefusalCode) {
    client.send_bytes(bytes);
    let received = client.receive();
    let Frame::Refused(refused) = received.frame() else { panic!("{bytes:02x?}: {:?}", received.frame()) };
    let expected = (request, channel, code.number());
    assert_eq!((refused.request, received.channel(), refused.code), expected, "{bytes:02x?}");
    assert!(!refused.text.is_empty(), "{bytes:02x?}");
}

#[test]
fn who_cannot_say_the_servers_password_does_not_come_in() {
    let server =
        Server::start(&["--password", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"]);
    let mut client = Client::connect(server.address);
    client.hello("alice");
    let reply = client.receive();
    let Frame::Refused(refused) = reply.frame() else { panic!("{reply:?}") };
    assert_eq!(refused.code, RefusalCode::BadPassword.number());
}

#[test]
fn what_is_wrong_in_a_whole_frame_is_refused_and_the_session_goes_on() {
    let server = Server::start(&[]);
    let mut client = Client::connect(server.address);
    let before_welcome: [(&[u8], u32, u32, RefusalCode); 3] = [
        (b"\x80\0\0\x0d\0\0\0\0SWBD\0\0\0\x01\x02\x80\0\xff\xff", 1, 0, RefusalCode::Version),
        (b"\x80\0\0\x0d\0\0\0\0SWBD\0\0\0\x02\x01\x80\0\x01\xff", 2, 0, RefusalCode::BadName),
        (b"\x80\0\0\x0d\0\0\0\0SWBD\0\0\0\x03\x01\x80\0\x01#", 3, 0, RefusalCode::BadName),
    ];
    for (bytes, request, channel, code) in before_welcome {
        assert_refused(&mut client, bytes, request, channel, code);
    }
    client.hello("alice");
    assert_eq!(client.receive().kind(), Kind::Welcome);
    let after_welcome: [(&[u8], u32, u32, RefusalCode); 12] = [
        (b"\xfe\0\0\x03\0\0\0\x07abc", 0, 7, RefusalCode::UnknownRequest),
        (b"\x82\0\0\x04\0\0\0\x07\0\0\0\x01", 0, 7, RefusalCode::UnknownRequest),
        (b"\x80\0\0\x0d\0\0\0\0SWBD\0\0\0\x04\x01\x80\0\x01b", 4, 0, RefusalCode::AlreadyLoggedIn),
        (b"\xb0\0\0\x07\0\0\0\0\0\0\0\x05\x02\x01b", 5, 0, RefusalCode::UnknownRequest),
        (b"\xb0\0\0\x07\0\0\0\0\0\0\0\x06\x00\x01b", 6, 0, RefusalCode::NoSuchPeer),
        (b"\xb0\0\0\x0b\0\0\0\0\0\0\0\x07\x00\x05alice", 7, 0, RefusalCode::Yourself),
        (b"\x93\0\0\x05\0\0\0\x07\0\0\0\x08\xff", 8, 7, RefusalCode::NotUtf8),
        (b"\x93\0\0\x05\0\0\0\x07\0\0\0\x09x", 9, 7, RefusalCode::NotInRoom),
        (b"\x93\0\0\x05\0\0\0\x07\0\0\0\0x", 0, 7, RefusalCode::NotInRoom),
        (b"\x93\0\0\x04\0\0\0\x07\0\0\0\x0a", 10, 7, RefusalCode::BadText),
        (b"\xb7\0\0\x01\0\0\0\x07x", 0, 7, RefusalCode::NoSuchRelay),
        (b"\xb5\0\0\x04\0\0\0\x07\0\0\0\x0b", 11, 7, RefusalCode::NoSuchRelay),
    ];
    for (bytes, request, channel, code) in after_welcome {
        assert_refused(&mut client, bytes, request, channel, code);
    }
    client.round_trip();
}

#[test]
fn a_wish_for_short_bodies_is_raised_to_what_a_room_needs() {
    let server = Server::start(&[]);
    for (name, wish, granted) in [("a", 0, 8_192), ("b", 10_000, 10_000), ("c", u16::MAX, 32_768)] {
        let mut client = Client::connect(server.address);
        client.send(0, &Hello { request: 1, version: VERSION, body_max: wish, name });
        let welcome = client.receive();
        let Frame::Welcome(welcome) = welcome.frame() else { panic!("{:?}", welcome.frame()) };
        assert_eq!(welcome.body_max, granted);
    }
}

#[test]
fn only_done_is_saved_by_request_zero() {
    let server = Server::start(&[]);
    let mut client = Client::login(server.address, "alice");
    client.send(0, &Join { request: 0, past: 0, room: "#tea", password: "" });
    let room = client.receive_kind(Kind::Joined).channel();
    client.send(room, &Say { request: 0, text: "x" });
    client.send(room, &Who { request: 0, after: "" });
    client.send(0, &Lookup { request: 0, name: "ALICE" });
    client.send(room, &Leave { request: 0 });
    client.stream.shutdown(Shutdown::Write).expect("half a close");
    let kinds: Vec<Kind> = client.receive_all().iter().map(|frame| frame.kind()).collect();
    assert_eq!(kinds, [Kind::Occupants, Kind::Peer]);
}
