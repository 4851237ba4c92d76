//! At a low rate nothing waits for anything: no frame is held back for the acknowledgement of the one before it
//! (Nagle's algorithm against delayed acknowledgements, 40 ms each time).

mod common;

use common::{Client, Server};
use std::time::{Duration, Instant};
use switchboard::wire::Kind;
use switchboard::wire::frame::{self, Frame};

const ROUNDS: usize = 150;

/// Half of what a delayed acknowledgement costs. Nine of ten round trips have to stay well below it, the tenth may
/// meet a busy machine.
const STALL: Duration = Duration::from_millis(20);

fn assert_no_stalls(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (median, p90) = (times[times.len() / 2], times[times.len() * 9 / 10]);
    println!("{what}: median {median:?}, p90 {p90:?}, worst {:?}", times[times.len() - 1]);
    assert!(median < STALL / 2 && p90 < STALL, "{what}: median {median:?}, p90 {p90:?}");
}

fn time(mut round: impl FnMut(usize)) -> Vec<Duration> {
    (0..ROUNDS)
        .map(|n| {
            let clock = Instant::now();
            round(n);
            clock.elapsed()
        })
        .collect()
}

#[test]
fn a_request_is_answered_without_a_stall() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    assert_no_stalls("ping", time(|_| alice.round_trip()));
}

#[test]
fn what_is_said_arrives_without_a_stall_and_so_does_what_follows_it() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let mut bob = Client::login(server.address, "bob");
    let room = alice.join("#lobby");
    bob.join("#lobby");
    // Two small writes to bob, one behind the other, with nothing from him between them: the second is what Nagle's
    // algorithm would hold back. The acknowledgement to alice makes them two turns.
    let times = time(|n| {
        for half in 0..2 {
            let text = &format!("{n}.{half}");
            alice.say(room, text);
        }
        for half in 0..2 {
            let said = bob.receive_kind(Kind::Said);
            let text = &format!("{n}.{half}");
            assert_eq!(said.frame(), Frame::Said(frame::Said { by: "alice", text }));
        }
    });
    assert_no_stalls("two messages", times);
}

#[test]
fn a_frame_in_two_writes_is_answered_as_soon_as_it_is_whole() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let mut ping = Vec::new();
    let body = frame::Ping { token: 77 };
    switchboard::wire::header::put(&mut ping, switchboard::wire::Flags::NONE, 0, &body);
    let times = time(|_| {
        let (first, second) = ping.split_at(5);
        alice.send_bytes(first);
        alice.send_bytes(second);
        assert_eq!(alice.receive().frame(), Frame::Pong(frame::Pong { token: 77 }));
    });
    assert_no_stalls("a frame in halves", times);
}

#[test]
fn a_relay_passes_small_payload_on_without_a_stall() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let mut bob = Client::login(server.address, "bob");
    let relay = common::open_relay(&mut alice, &mut bob, "bob");
    let times = time(|_| {
        for payload in [&b"one"[..], b"two"] {
            alice.send(relay, &frame::Data { payload });
            alice.round_trip(); // so that the two are written on their own
        }
        for payload in [&b"one"[..], b"two"] {
            assert_eq!(bob.receive().frame(), Frame::Data(frame::Data { payload }));
        }
    });
    assert_no_stalls("relay payload", times);
}
