//! A relay carries bytes as they are, and no faster than the one who reads them: the source waits, not the server.

mod common;

use common::{Client, Server, open_relay};
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{BODY_MAX, ByeCode, ClosedCode, Flags, Kind, RefusalCode, header};

const MIB: usize = 1_024 * 1_024;

/// Two people and the relay between them.
fn alice_and_bob(server: &Server) -> (Client, Client, u32) {
    let mut alice = Client::login(server.address, "alice");
    let mut bob = Client::login(server.address, "bob");
    let relay = open_relay(&mut alice, &mut bob, "bob");
    (alice, bob, relay)
}

fn refusal(client: &mut Client) -> (RefusalCode, u32) {
    let received = client.receive();
    let Frame::Refused(refused) = received.frame() else { panic!("{:?}", received.frame()) };
    (RefusalCode::from_number(refused.code).expect("a known code"), received.channel())
}

/// Bytes that say where they are, so that one lost, doubled or moved shows.
fn pattern(from: usize, length: usize) -> Vec<u8> {
    (from..from + length).map(|at| (at * 7 + at / 251 + at / 65_521) as u8).collect()
}

#[test]
fn payload_arrives_as_it_was_sent_in_both_directions() {
    let server = Server::start(&[]);
    let (alice, bob, relay) = alice_and_bob(&server);
    let max = usize::from(BODY_MAX);
    let sizes = [0, 1, 7, 1_000, 1_023, 1_024, 1_025, 4_096, 30_000, max - 1, max];
    let talk = move |mut client: Client, seed: usize, other: usize| {
        let mut writer = client.stream.try_clone().expect("a clone");
        let writing = std::thread::spawn(move || {
            for round in 0..20 {
                let mut bytes = Vec::new();
                for size in sizes {
                    let payload = &pattern(seed + round + size, size);
                    header::put(&mut bytes, Flags::NONE, relay, &frame::Data { payload });
                }
                writer.write_all(&bytes).expect("the server reads");
            }
            let mut bytes = Vec::new();
            header::put(&mut bytes, Flags::END, relay, &frame::Data { payload: b"the end" });
            writer.write_all(&bytes).expect("the server reads");
        });
        for round in 0..20 {
            for size in sizes {
                let received = client.receive();
                let payload = &pattern(other + round + size, size);
                assert!(received.frame() == Frame::Data(frame::Data { payload }), "{size} bytes differ");
                assert_eq!((received.channel(), received.has(Flags::END)), (relay, false));
            }
        }
        let last = client.receive();
        assert_eq!(last.frame(), Frame::Data(frame::Data { payload: b"the end" }));
        assert!(last.has(Flags::END));
        writing.join().expect("everything was sent");
        client
    };
    let alice = std::thread::spawn(move || talk(alice, 1_000, 5_000));
    let bob = std::thread::spawn(move || talk(bob, 5_000, 1_000));
    let (mut alice, mut bob) = (alice.join().expect("alice"), bob.join().expect("bob"));
    // The end of payload is not the end of the relay.
    alice.send(relay, &frame::Data { payload: b"one more" });
    assert_eq!(bob.receive().frame(), Frame::Data(frame::Data { payload: b"one more" }));
}

/// Payload of `frames` frames of 16 KiB, written as fast as the server takes it.
struct Bulk {
    frames: usize,
    written: Arc<AtomicUsize>,
    thread: JoinHandle<std::io::Result<()>>,
}

const PIECE: usize = 16 * 1_024;

/// Of the ping that a bulk ends with.
const BEHIND_BULK: u64 = 99;

impl Bulk {
    fn start(mut stream: TcpStream, relay: u32, frames: usize) -> Bulk {
        let written = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&written);
        let thread = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            for n in 0..frames {
                bytes.clear();
                let payload = &pattern(n * PIECE, PIECE);
                header::put(&mut bytes, Flags::NONE, relay, &frame::Data { payload });
                stream.write_all(&bytes)?;
                count.fetch_add(PIECE, Ordering::Relaxed);
            }
            bytes.clear();
            header::put(&mut bytes, Flags::NONE, 0, &frame::Ping { token: BEHIND_BULK });
            stream.write_all(&bytes)
        });
        Bulk { frames, written, thread }
    }

    /// Waits until the writer makes no progress for a while. A machine that is merely slow makes this return early, and
    /// what is then claimed is weaker, never wrong.
    fn wait_until_it_stalls(&self) -> usize {
        let mut last = (0, Instant::now());
        common::eventually("the source is paused", || {
            let written = self.written.load(Ordering::Relaxed);
            if written != last.0 {
                last = (written, Instant::now());
            }
            written > 0 && last.1.elapsed() > Duration::from_millis(300)
        });
        last.0
    }

    fn read_all(self, from: &mut Client, relay: u32, mut each: impl FnMut()) {
        let mut expected = 0;
        while expected < self.frames * PIECE {
            let received = from.receive();
            if matches!(received.kind(), Kind::Ping | Kind::Pong) {
                continue; // of the server, or the answer to the end of this one's own bulk
            }
            assert_eq!((received.kind(), received.channel()), (Kind::Data, relay));
            assert!(received.body == pattern(expected, PIECE), "payload differs at {expected}");
            expected += PIECE;
            each();
        }
        self.thread.join().expect("the writer").expect("everything was written");
    }
}

#[test]
fn a_peer_that_stops_reading_stops_the_source_and_not_the_server() {
    let server = Server::start(&[]);
    let (alice, mut bob, relay) = alice_and_bob(&server);
    let before = server.memory();
    let total = 96 * MIB;
    let bulk = Bulk::start(alice.stream.try_clone().expect("a clone"), relay, total / PIECE);
    let accepted = bulk.wait_until_it_stalls();
    assert!(accepted < total, "the source wrote all {total} bytes though nobody reads them");
    let bound = 4 * MIB;
    let grown = server.memory().saturating_sub(before);
    assert!(grown < bound, "the server keeps {grown} bytes of {accepted}");
    // Everybody else is served meanwhile.
    let mut carol = Client::login(server.address, "carol");
    carol.round_trip();
    let mut peak = 0;
    bulk.read_all(&mut bob, relay, || peak = peak.max(server.memory()));
    let grown = peak.saturating_sub(before);
    assert!(grown < bound, "the server grew by {grown} bytes while {total} went through");
    drop(alice);
}

#[test]
fn both_directions_wait_independently() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, relay) = alice_and_bob(&server);
    let total = 16 * MIB;
    let to_bob = Bulk::start(alice.stream.try_clone().expect("a clone"), relay, total / PIECE);
    let to_alice = Bulk::start(bob.stream.try_clone().expect("a clone"), relay, total / PIECE);
    to_bob.wait_until_it_stalls();
    to_alice.wait_until_it_stalls();
    let alice = std::thread::spawn(move || {
        to_alice.read_all(&mut alice, relay, || {});
        alice
    });
    to_bob.read_all(&mut bob, relay, || {});
    alice.join().expect("alice has everything");
}

/// Its silence is the server's doing. The clock here is a third client that really is silent, and is dropped for it.
#[test]
fn a_paused_source_does_not_count_as_idle() {
    let server = Server::start(&["--ping-after-seconds", "1", "--ping-timeout-seconds", "1"]);
    let (alice, mut bob, relay) = alice_and_bob(&server);
    // Bob does not read, but is alive and says so.
    let (mut alive, over) = (bob.stream.try_clone().expect("a clone"), Arc::new(AtomicBool::new(false)));
    let until = Arc::clone(&over);
    let signs_of_life = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        header::put(&mut bytes, Flags::NONE, 0, &frame::Pong { token: 0 });
        while !until.load(Ordering::Relaxed) {
            alive.write_all(&bytes).expect("bob is connected");
            std::thread::sleep(Duration::from_millis(50)); // a pace
        }
    });
    let bulk = Bulk::start(alice.stream.try_clone().expect("a clone"), relay, 96 * MIB / PIECE);
    bulk.wait_until_it_stalls();
    for n in 0..2 {
        let mut silent = Client::login(server.address, &format!("silent{n}"));
        assert_eq!(silent.receive().kind(), Kind::Ping);
        let last = silent.receive();
        let Frame::Bye(bye) = last.frame() else { panic!("{:?}", last.frame()) };
        assert_eq!(bye.code, ByeCode::IdleTimeout.number());
    }
    bulk.read_all(&mut bob, relay, || {});
    over.store(true, Ordering::Relaxed);
    signs_of_life.join().expect("signs of life");
    drop(alice);
}

#[test]
fn nobody_else_can_send_into_a_relay() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, relay) = alice_and_bob(&server);
    let mut carol = Client::login(server.address, "carol");
    carol.send(relay, &frame::Data { payload: b"from carol" });
    assert_eq!(refusal(&mut carol), (RefusalCode::NoSuchRelay, relay));
    carol.send(relay, &frame::Close { request: 1 });
    assert_eq!(refusal(&mut carol), (RefusalCode::NoSuchRelay, relay));
    alice.send(relay, &frame::Data { payload: b"from alice" });
    assert_eq!(bob.receive().frame(), Frame::Data(frame::Data { payload: b"from alice" }));
}

#[test]
fn payload_before_the_answer_and_after_the_end_is_refused() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let mut bob = Client::login(server.address, "bob");
    alice.call("bob");
    let relay = bob.receive_kind(Kind::Offer).channel();
    assert_eq!(alice.receive().kind(), Kind::Ringing);
    for client in [&mut alice, &mut bob] {
        client.send(relay, &frame::Data { payload: b"too early" });
        assert_eq!(refusal(client), (RefusalCode::NoSuchRelay, relay));
    }
    bob.send(relay, &frame::Accept { request: 7 });
    assert_eq!(bob.receive().frame(), Frame::Done(frame::Done { request: 7 }));
    assert_eq!(alice.receive().kind(), Kind::Opened);
    alice.send(relay, &frame::Data { payload: b"in time" });
    alice.send(relay, &frame::Close { request: 8 });
    alice.send(relay, &frame::Data { payload: b"too late" });
    assert_eq!(alice.receive().frame(), Frame::Done(frame::Done { request: 8 }));
    assert_eq!(refusal(&mut alice), (RefusalCode::NoSuchRelay, relay));
    assert_eq!(bob.receive().frame(), Frame::Data(frame::Data { payload: b"in time" }));
    let closed = bob.receive();
    let Frame::Closed(why) = closed.frame() else { panic!("{:?}", closed.frame()) };
    assert_eq!((why.code, closed.channel()), (ClosedCode::Done.number(), relay));
    bob.send(relay, &frame::Data { payload: b"too late" });
    assert_eq!(refusal(&mut bob), (RefusalCode::NoSuchRelay, relay));
}

#[test]
fn what_was_said_in_a_room_is_not_overtaken_by_payload() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, relay) = alice_and_bob(&server);
    let room = alice.join("#lobby");
    bob.join("#lobby");
    let mut bytes = Vec::new();
    for n in 0..50 {
        let text = &n.to_string();
        header::put(&mut bytes, Flags::NONE, room, &frame::Say { request: 0, text });
        header::put(&mut bytes, Flags::NONE, relay, &frame::Data { payload: text.as_bytes() });
    }
    alice.send_bytes(&bytes);
    for n in 0..50 {
        let text = &n.to_string();
        assert_eq!(bob.receive().frame(), Frame::Said(frame::Said { by: "alice", text }));
        assert_eq!(bob.receive().frame(), Frame::Data(frame::Data { payload: text.as_bytes() }));
    }
}

#[test]
fn a_user_has_so_many_relays_and_no_more() {
    let server = Server::start(&["--relays-per-user-max", "2"]);
    let mut alice = Client::login(server.address, "alice");
    let mut others = ["bob", "carol", "dave"].map(|name| Client::login(server.address, name));
    let first = open_relay(&mut alice, &mut others[0], "bob");
    alice.call("carol"); // one that only rings counts too
    others[1].receive_kind(Kind::Offer);
    assert_eq!(alice.receive().kind(), Kind::Ringing);
    alice.call("dave");
    assert_eq!(refusal(&mut alice).0, RefusalCode::TooManyRelays, "as the caller");
    others[2].call("alice");
    assert_eq!(refusal(&mut others[2]).0, RefusalCode::TooManyRelays, "as the one who is called");
    alice.send(first, &frame::Close { request: 50 });
    assert_eq!(alice.receive().kind(), Kind::Done);
    open_relay(&mut alice, &mut others[2], "dave");
}

#[test]
fn a_peer_that_dies_in_the_middle_ends_the_relay_and_frees_the_source() {
    let server = Server::start(&[]);
    let (mut alice, bob, relay) = alice_and_bob(&server);
    let frames = 32 * MIB / PIECE;
    let bulk = Bulk::start(alice.stream.try_clone().expect("a clone"), relay, frames);
    bulk.wait_until_it_stalls();
    drop(bob); // with unread input: its kernel resets the connection
    let closed = alice.receive();
    let Frame::Closed(why) = closed.frame() else { panic!("{:?}", closed.frame()) };
    assert_eq!((why.code, closed.channel()), (ClosedCode::PeerLeft.number(), relay));
    // The rest of the bulk is read, and refused, up to the ping behind it.
    loop {
        let received = alice.receive();
        match received.frame() {
            Frame::Refused(refused) => {
                let expected = (RefusalCode::NoSuchRelay.number(), relay);
                assert_eq!((refused.code, received.channel()), expected);
            }
            other => break assert_eq!(other, Frame::Pong(frame::Pong { token: BEHIND_BULK })),
        }
    }
    bulk.thread.join().expect("the writer").expect("everything was written");
}
