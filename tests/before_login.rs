//! Who has not logged in gets little memory, little time, and no attention that others would miss.

mod common;
#[path = "common/crowd.rs"]
mod crowd;

use common::{Client, Server};
use crowd::{Crowd, need_descriptors, p99};
use std::cell::RefCell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{BODY_MAX, ByeCode, Flags, Kind, RefusalCode, header};

const STRANGERS: usize = 10_000;

/// Memory in the server for one of them, in bytes, all told.
const STRANGER_BYTES_MAX: usize = 4 * 1_024;

/// A round trip of the good client in the middle of it all, including its share of a machine that may have one core.
const ROUND_TRIP_MAX: Duration = Duration::from_millis(750);

#[test]
fn ten_thousand_who_trickle_are_cut_at_the_deadline_and_nobody_else_notices() {
    need_descriptors(STRANGERS as u64 + 16);
    let login_time = Duration::from_secs(3);
    let server = Server::start(&["--login-seconds", "3"]);
    let mut good = Client::login(server.address, "good");
    let room = good.join("#lobby");
    let mut friend = Client::login(server.address, "friend");
    friend.join("#lobby");
    good.receive_kind(Kind::Entered);
    let before = server.memory();
    let over = AtomicBool::new(false);

    let (memory, mut round_trips) = std::thread::scope(|scope| {
        let (over, address) = (&over, server.address);
        let good_client = scope.spawn(move || {
            let mut round_trips = Vec::new();
            while !over.load(Ordering::Relaxed) || round_trips.len() < 100 {
                let started = Instant::now();
                good.send(room, &frame::Say { request: 0, text: "tick" });
                let tick = Frame::Said(frame::Said { by: "good", text: "tick" });
                assert_eq!(friend.receive().frame(), tick);
                round_trips.push(started.elapsed());
            }
            Client::login(address, "latecomer").round_trip();
            round_trips
        });
        let memory = trickle(&server, login_time);
        over.store(true, Ordering::Relaxed);
        (memory, good_client.join().expect("the good client"))
    });

    let (grown, allowed) = (memory.saturating_sub(before), STRANGERS * STRANGER_BYTES_MAX);
    assert!(grown < allowed, "{grown} bytes for {STRANGERS} strangers");
    let p99 = p99(&mut round_trips);
    println!("{} bytes a stranger, the good client's p99 {p99:?}", grown / STRANGERS);
    assert!(p99 < ROUND_TRIP_MAX, "the good client's p99 is {p99:?}");
}

/// Strangers connect and send the first bytes of a hello, one at a time, until all are cut off. Returns the most
/// memory that the server had meanwhile.
fn trickle(server: &Server, login_time: Duration) -> usize {
    let mut hello = Vec::new();
    let body = frame::Hello { request: 1, version: frame::VERSION, body_max: BODY_MAX, name: "somebody" };
    header::put(&mut hello, Flags::NONE, 0, &body);
    let mut crowd = Crowd::new();
    let mut connected = Vec::with_capacity(STRANGERS);
    for n in 0..STRANGERS {
        crowd.connect(server.address, None);
        connected.push(Instant::now());
        crowd.send_bytes(n, &hello[..1]);
    }
    let mut memory = server.memory();
    let cut = RefCell::new(vec![None; STRANGERS]);
    let deadline = Instant::now() + common::PATIENCE;
    let (mut sent, mut next_byte) = (1, Instant::now() + login_time / 6);
    while crowd.people.iter().any(|person| !person.ended) {
        assert!(Instant::now() < deadline, "some are never cut off");
        crowd.read_for(Duration::from_millis(50), |index, _, frame| {
            let Frame::Bye(bye) = frame else { panic!("{frame:?}") };
            assert_eq!(bye.code, ByeCode::LoginTimeout.number());
            cut.borrow_mut()[index] = Some(Instant::now());
        });
        memory = memory.max(server.memory());
        if Instant::now() >= next_byte && sent < hello.len() - 1 {
            for n in 0..STRANGERS {
                if !crowd.people[n].ended {
                    crowd.send_bytes(n, &hello[sent..=sent]); // it may just have been cut off
                }
            }
            (sent, next_byte) = (sent + 1, Instant::now() + login_time / 6);
        }
    }
    for (cut, connected) in cut.into_inner().iter().zip(connected) {
        let cut = cut.expect("everybody is told why");
        assert!(cut - connected >= login_time - Duration::from_millis(100), "cut off before its time");
    }
    memory
}

#[test]
fn answers_before_login_are_bounded() {
    let server = Server::start(&["--send-buffer-bytes", "4096"]);
    let mut alice = Client::login(server.address, "alice");
    let mut flooder = Client::connect(server.address);
    // Otherwise the kernel lets the flooder's buffer grow while refusals come in, as far as it likes.
    socket2::SockRef::from(&flooder.stream).set_recv_buffer_size(32 * 1_024).expect("a smaller buffer");
    // A refusal for each: far more than the 16 KiB that may wait, and than what the kernel keeps.
    let hellos = 20_000;
    let mut bytes = Vec::new();
    for request in 1..=hellos {
        let body = frame::Hello { request, version: frame::VERSION, body_max: BODY_MAX, name: "alice" };
        header::put(&mut bytes, Flags::NONE, 0, &body);
    }
    flooder.stream.write_all(&bytes).expect("what a closing connection sends is thrown away");
    alice.round_trip();
    let received = flooder.receive_all();
    let (last, refusals) = received.split_last().expect("last words");
    let Frame::Bye(bye) = last.frame() else { panic!("{:?}", last.frame()) };
    assert_eq!(bye.code, ByeCode::SlowConsumer.number());
    let bytes: usize = received.iter().map(|f| f.header.frame_len()).sum();
    assert!(bytes < 512 * 1_024, "{bytes} bytes were kept for somebody unknown");
    for (n, f) in refusals.iter().enumerate() {
        let Frame::Refused(refused) = f.frame() else { panic!("{:?}", f.frame()) };
        assert_eq!((refused.request, refused.code), (n as u32 + 1, RefusalCode::NameTaken.number()));
    }
}

#[test]
fn who_is_refused_may_try_again_until_the_deadline_and_no_longer() {
    let server = Server::start(&["--login-seconds", "1"]);
    let _alice = Client::login(server.address, "alice");
    let mut stubborn = Client::connect(server.address);
    loop {
        stubborn.hello("alice");
        let received = stubborn.receive();
        match received.frame() {
            Frame::Refused(refused) => assert_eq!(refused.code, RefusalCode::NameTaken.number()),
            Frame::Bye(bye) => return assert_eq!(bye.code, ByeCode::LoginTimeout.number()),
            other => panic!("{other:?}"),
        }
    }
}
