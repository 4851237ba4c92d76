//! Who fills a queue waits for it, where one consumer is responsible; a room waits for nobody.

#[path = "common/flaky.rs"]
mod flaky;
#[path = "common/random.rs"]
mod random;
#[path = "common/stage.rs"]
mod stage;

use stage::{Guest, Stage};
use std::time::Duration;
use switchboard::server::Limits;
use switchboard::session::CloseReason;
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{ByeCode, ClosedCode, Kind, LeftCode};

const WINDOW: usize = 4_096;

fn limits() -> Limits {
    Limits { high_water_bytes: 32_768, read_bytes_per_turn_max: 16_384, ..Limits::default() }
}

/// Sends `frames` frames of relay payload, 1,000 bytes each, numbered in their first byte.
fn send_payload(guest: &mut Guest, channel: u32, frames: usize) {
    for n in 0..frames {
        guest.send(channel, &frame::Data { payload: &[n as u8; 1_000] });
    }
}

/// Reads until nothing comes any more, and counts the payload, which has to go on in order behind the first `count`.
fn receive_payload(stage: &mut Stage, reader: &mut Guest, others: &[&Guest], mut count: usize) -> usize {
    loop {
        let received = reader.receive();
        if received.is_empty() {
            return count;
        }
        for received in received {
            if let Frame::Data(data) = received.frame() {
                assert_eq!(data.payload, [count as u8; 1_000]);
                count += 1;
            }
        }
        let ready: Vec<&Guest> = others.iter().copied().chain([&*reader]).collect();
        stage.run(&ready);
    }
}

#[test]
fn the_source_of_a_relay_waits_and_every_byte_arrives() {
    let mut stage = Stage::new(limits());
    let (mut ann, mut bob) = (stage.login("ann", WINDOW), stage.login("bob", WINDOW));
    let channel = stage.relay(&mut ann, &mut bob, "bob");
    send_payload(&mut ann, channel, 500);
    stage.run(&[&ann, &bob]);
    let queued = stage.queued_bytes(&bob);
    assert!((32_768..=32_768 + 16_384 + 1_008).contains(&queued), "{queued} bytes are queued");
    assert!(ann.unread() > 400_000, "the rest stays with its source");
    assert_eq!(receive_payload(&mut stage, &mut bob, &[&ann], 0), 500);
    assert_eq!(ann.unread(), 0);
}

#[test]
fn a_source_is_woken_when_its_target_dies() {
    let mut stage = Stage::new(limits());
    let (mut ann, mut bob) = (stage.login("ann", WINDOW), stage.login("bob", WINDOW));
    let channel = stage.relay(&mut ann, &mut bob, "bob");
    send_payload(&mut ann, channel, 500);
    stage.run(&[&ann, &bob]);
    ann.send(0, &frame::Ping { token: 9 });
    bob.line.borrow_mut().reset();
    stage.run(&[&ann, &bob]);
    let received = ann.receive();
    let closed = received.iter().find(|received| received.kind() == Kind::Closed).expect("word of it");
    assert!(matches!(closed.frame(), Frame::Closed(f) if f.code == ClosedCode::PeerLeft.number()));
    while !ann.line.borrow().to_client.is_empty() || ann.unread() > 0 {
        stage.run(&[&ann]);
        ann.receive();
    }
    assert!(stage.is_open(&ann), "payload behind the end is refused, no more");
}

#[test]
fn two_who_only_send_wait_for_each_other_and_go_on_when_they_read() {
    let mut stage = Stage::new(limits());
    let (mut ann, mut bob) = (stage.login("ann", WINDOW), stage.login("bob", WINDOW));
    let channel = stage.relay(&mut ann, &mut bob, "bob");
    send_payload(&mut ann, channel, 250);
    send_payload(&mut bob, channel, 250);
    stage.run(&[&ann, &bob]);
    assert!(ann.unread() > 0 && bob.unread() > 0);
    let to_ann = receive_payload(&mut stage, &mut ann, &[&bob], 0);
    assert!(to_ann < 250, "Bob is not read before he reads");
    assert_eq!(receive_payload(&mut stage, &mut bob, &[&ann], 0), 250);
    assert_eq!(receive_payload(&mut stage, &mut ann, &[&bob], to_ann), 250);
}

#[test]
fn waiting_for_each_other_without_reading_does_not_last_for_ever() {
    let mut stage = Stage::new(limits());
    let (mut ann, mut bob) = (stage.login("ann", WINDOW), stage.login("bob", WINDOW));
    let channel = stage.relay(&mut ann, &mut bob, "bob");
    send_payload(&mut ann, channel, 250);
    send_payload(&mut bob, channel, 250);
    stage.run(&[&ann, &bob]);
    stage.pass(Duration::from_secs(90 + 60), &[&ann, &bob]);
    assert_eq!(stage.engine.exchange().counters.closed(CloseReason::IdleTimeout), 2);
}

#[test]
fn a_source_that_is_made_to_wait_is_not_taken_for_dead() {
    let mut stage = Stage::new(limits());
    let (mut ann, mut bob) = (stage.login("ann", WINDOW), stage.login("bob", WINDOW));
    let channel = stage.relay(&mut ann, &mut bob, "bob");
    send_payload(&mut ann, channel, 500);
    stage.run(&[&ann, &bob]);
    let mut received = Vec::new();
    for _ in 0..30 {
        received.extend(bob.receive_at_most(100)); // Bob is there, he just is slow
        bob.send(0, &frame::Pong { token: 0 });
        stage.pass(Duration::from_secs(60), &[&ann, &bob]);
    }
    assert!(stage.is_open(&ann) && ann.unread() > 400_000);
    assert!(received.iter().all(|received| received.kind() == Kind::Data));
    assert_eq!(receive_payload(&mut stage, &mut bob, &[&ann], received.len()), 500);
}

#[test]
fn who_asks_without_reading_is_not_read_either() {
    let mut stage = Stage::new(limits());
    let mut ann = stage.login("ann", WINDOW);
    for token in 0..20_000 {
        ann.send(0, &frame::Ping { token });
    }
    stage.run(&[&ann]);
    let queued = stage.queued_bytes(&ann);
    assert!((32_768..32_768 + 100).contains(&queued), "{queued} bytes are queued");
    assert!(ann.unread() > 200_000);
    // As long as it takes what it is owed, be it slowly, it may.
    for _ in 0..3 {
        stage.pass(Duration::from_secs(100), &[&ann]);
        assert!(!ann.receive_at_most(1_000).is_empty());
        stage.run(&[&ann]);
    }
    assert!(stage.is_open(&ann));
    stage.pass(Duration::from_secs(90 + 60), &[&ann]);
    assert!(!stage.is_open(&ann), "who takes nothing any more is gone");
}

#[test]
fn a_sign_of_life_by_reading_brings_the_next_question_closer() {
    let limits = Limits { ping_after: Duration::from_secs(10), ..limits() };
    let mut stage = Stage::new(limits);
    let (mut ann, mut bob) = (stage.login("ann", WINDOW), stage.login("bob", WINDOW));
    let mut cy = stage.login("cy", WINDOW);
    let channel = stage.relay(&mut ann, &mut bob, "bob");
    send_payload(&mut ann, channel, 500);
    for _ in 0..10 {
        cy.send(0, &frame::Tell { request: 0, to: "ann", text: &"x".repeat(1_000) });
    }
    cy.send(0, &frame::Bye { code: 0, text: "" });
    cy.shut();
    stage.run(&[&ann, &bob, &cy]);
    stage.pass(Duration::from_secs(11), &[&ann, &bob]);
    ann.line.borrow_mut().window = 1 << 20; // she reads all of it at once
    stage.run(&[&ann, &bob]);
    assert!(stage.queued_bytes(&ann) == 0 && ann.unread() > 0, "she still waits for Bob");
    assert_eq!(stage.engine.next_deadline(), Some(stage.now + Duration::from_secs(10)));
}

#[test]
fn every_answer_arrives_once_its_reader_reads() {
    let mut stage = Stage::new(limits());
    let mut ann = stage.login("ann", WINDOW);
    for token in 0..20_000 {
        ann.send(0, &frame::Ping { token });
    }
    stage.run(&[&ann]);
    let mut tokens = 0..20_000;
    loop {
        let received = ann.receive();
        if received.is_empty() {
            break;
        }
        for received in received {
            assert_eq!(received.frame(), Frame::Pong(frame::Pong { token: tokens.next().expect("no more") }));
        }
        stage.run(&[&ann]);
    }
    assert_eq!(tokens.next(), None);
}

#[test]
fn a_storm_of_slow_consumers_is_dropped_while_the_room_goes_on() {
    let limits = Limits { queued_bytes_soft: 65_536, queued_bytes_max: 65_536, ..limits() };
    let mut stage = Stage::new(limits);
    let (mut ann, channel) = stage.enter("ann", "#r", 1 << 20);
    let (mut bob, _) = stage.enter("bob", "#r", 1 << 20);
    let mut slow: Vec<Guest> = (0..40).map(|n| stage.enter(&format!("slow{n}"), "#r", 100).0).collect();
    stage.run(&[&ann, &bob]);
    bob.receive();
    let text = "x".repeat(4_000);
    for _ in 0..50 {
        ann.send(channel, &frame::Say { request: 0, text: &text });
    }
    stage.run(&[&ann, &bob]);
    assert_eq!(stage.engine.exchange().counters.closed(CloseReason::SlowConsumer), 40);
    let received = bob.receive();
    let count = |kind| received.iter().filter(|received| received.kind() == kind).count();
    assert_eq!((count(Kind::Said), count(Kind::Left)), (50, 40), "who reads gets everything, at once");
    for received in &received {
        if let Frame::Left(left) = received.frame() {
            assert_eq!(left.code, LeftCode::Dropped.number());
        }
    }
    // And those who are dropped can still read that they are.
    for guest in &mut slow {
        let mut last = None;
        while !guest.is_at_end() {
            last = guest.receive().pop().or(last);
            stage.run(&[&*guest]);
        }
        let last = guest.receive().pop().or(last).expect("last words");
        assert!(matches!(last.frame(), Frame::Bye(f) if f.code == ByeCode::SlowConsumer.number()));
        guest.shut();
        stage.run(&[&*guest]);
    }
    assert_eq!(stage.engine.connections_len(), 2);
    ann.receive();
    stage.run(&[&ann]);
    assert!(stage.engine.exchange().blocks.is_empty());
}
