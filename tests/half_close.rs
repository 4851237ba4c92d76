//! A client that has said its last word and closed its side of the connection still gets every answer.

mod common;

use common::{Client, Server};
use std::net::Shutdown;
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{BODY_MAX, Flags, Kind, LeftCode, header};

/// Hello and what follows it, in one write.
fn burst(name: &str, add: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let hello = frame::Hello { request: 1, version: frame::VERSION, body_max: BODY_MAX, name };
    header::put(&mut bytes, Flags::NONE, 0, &hello);
    add(&mut bytes);
    bytes
}

#[test]
fn requests_before_the_half_close_are_answered_and_then_the_stream_ends() {
    let server = Server::start(&[]);
    let mut bob = Client::login(server.address, "bob");
    let room = bob.join("#lobby");
    let mut alice = Client::connect(server.address);
    let bytes = burst("alice", |bytes| {
        header::put(
            bytes,
            Flags::NONE,
            0,
            &frame::Join { request: 2, past: 0, room: "#lobby", password: "" },
        );
        header::put(bytes, Flags::NONE, room, &frame::Say { request: 3, text: "last words" });
        header::put(bytes, Flags::NONE, room, &frame::Who { request: 4, after: "" });
        header::put(bytes, Flags::NONE, room, &frame::Say { request: 5, text: "" });
        header::put(bytes, Flags::NONE, 0, &frame::Ping { token: 6 });
    });
    alice.send_bytes(&bytes);
    alice.stream.shutdown(Shutdown::Write).expect("half-close");
    let kinds: Vec<Kind> = alice.receive_all().iter().map(|f| f.kind()).collect();
    assert_eq!(
        kinds,
        [Kind::Welcome, Kind::Joined, Kind::Done, Kind::Occupants, Kind::Refused, Kind::Pong],
        "and no goodbye: nobody asked for one"
    );
    let said = bob.receive_kind(Kind::Said);
    assert_eq!(said.frame(), Frame::Said(frame::Said { by: "alice", text: "last words" }));
    let left = frame::Left { who: "alice", code: LeftCode::Lost.number(), text: "" };
    assert_eq!(bob.receive().frame(), Frame::Left(left));
}

/// More requests than one turn takes, and more answers than the high-water mark lets wait: reading stops for a while
/// with the end of the stream already there.
#[test]
fn a_long_burst_before_the_half_close_is_answered_to_the_end() {
    let server = Server::start(&["--send-buffer-bytes", "8192"]);
    let mut alice = Client::connect(server.address);
    let pings = 20_000;
    let bytes = burst("alice", |bytes| {
        for token in 0..pings {
            header::put(bytes, Flags::NONE, 0, &frame::Ping { token });
        }
    });
    let mut writer = alice.stream.try_clone().expect("a clone");
    let writing = std::thread::spawn(move || {
        std::io::Write::write_all(&mut writer, &bytes).expect("the server reads");
        writer.shutdown(Shutdown::Write).expect("half-close");
    });
    assert_eq!(alice.receive().kind(), Kind::Welcome);
    for token in 0..pings {
        assert_eq!(alice.receive().frame(), Frame::Pong(frame::Pong { token }));
    }
    assert!(alice.receive_or_end().is_none());
    writing.join().expect("everything was written");
}

#[test]
fn a_half_close_inside_a_frame_or_before_hello_ends_the_stream_without_a_word() {
    let server = Server::start(&[]);
    let whole = burst("alice", |_| {});
    for length in [0, 1, 7, 8, whole.len() - 1] {
        let mut client = Client::connect(server.address);
        client.send_bytes(&whole[..length]);
        client.stream.shutdown(Shutdown::Write).expect("half-close");
        assert_eq!(client.receive_all(), [], "after {length} bytes");
    }
}
