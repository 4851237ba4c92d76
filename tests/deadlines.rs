//! What happens when nothing happens: every deadline of a connection, and a clock that jumps.

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
use switchboard::wire::{ByeCode, HEADER_LEN, Kind, LeftCode};

const WINDOW: usize = 65_536;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The code of the bye that a guest was told, behind whatever came before it.
fn bye(guest: &mut Guest) -> Option<u16> {
    match guest.receive().last()?.frame() {
        Frame::Bye(bye) => Some(bye.code),
        _ => None,
    }
}

#[test]
fn who_is_silent_is_asked_and_stays_as_long_as_it_answers() {
    let mut stage = Stage::new(Limits::default());
    let mut guest = stage.login("ann", WINDOW);
    for _ in 0..5 {
        stage.pass(seconds(89), &[&guest]);
        assert_eq!(guest.kinds(), []);
        stage.pass(seconds(1), &[&guest]);
        assert_eq!(guest.kinds(), [Kind::Ping]);
        stage.pass(seconds(59), &[&guest]);
        guest.send(0, &frame::Pong { token: 0 });
        stage.run(&[&guest]);
    }
    assert!(stage.is_open(&guest));
}

#[test]
fn who_does_not_answer_is_dropped_and_the_others_hear_of_it() {
    let mut stage = Stage::new(Limits::default());
    let (mut ann, _) = stage.enter("ann", "#r", WINDOW);
    let (mut bob, _) = stage.enter("bob", "#r", WINDOW);
    stage.pass(seconds(90), &[&ann, &bob]);
    bob.send(0, &frame::Pong { token: 0 });
    stage.pass(seconds(60), &[&ann, &bob]);
    assert_eq!(bye(&mut ann), Some(ByeCode::IdleTimeout.number()));
    let left = bob.receive().pop().expect("a word of it");
    assert_eq!(
        left.frame(),
        Frame::Left(frame::Left { who: "ann", code: LeftCode::Lost.number(), text: "" })
    );
    assert!(stage.is_open(&bob));
}

#[test]
fn ten_days_at_once_lead_to_questions_and_not_to_drops() {
    let mut stage = Stage::new(Limits::default());
    let mut guests: Vec<Guest> = (0..50).map(|n| stage.enter(&format!("u{n}"), "#r", WINDOW).0).collect();
    stage.run(&guests.iter().collect::<Vec<_>>());
    for guest in &mut guests {
        guest.receive();
    }
    stage.now += seconds(10 * 24 * 3_600);
    stage.turn(&[]);
    for guest in &mut guests {
        assert_eq!(guest.kinds(), [Kind::Ping]);
        guest.send(0, &frame::Pong { token: 0 });
    }
    stage.run(&guests.iter().collect::<Vec<_>>());
    stage.pass(seconds(80), &guests.iter().collect::<Vec<_>>());
    assert!(guests.iter().all(|guest| stage.is_open(guest)));
    assert_eq!(stage.engine.exchange().counters.closed_total(), 0);
}

#[test]
fn login_has_its_time_and_a_trickle_does_not_prolong_it() {
    let mut stage = Stage::new(Limits::default());
    let (silent, mut slow) = (stage.admit(WINDOW), stage.admit(WINDOW));
    for byte in [0x80, 0, 0, 14, 0, 0, 0, 0, b'S'] {
        slow.send_bytes(&[byte]);
        stage.pass(seconds(1), &[&silent, &slow]);
    }
    assert!(stage.is_open(&silent) && stage.is_open(&slow));
    stage.pass(seconds(1), &[&silent, &slow]);
    assert_eq!(bye(&mut slow), Some(ByeCode::LoginTimeout.number()));
    assert_eq!(silent.line.borrow_mut().client_read(100), b"ERROR :no login in time\r\n");
    assert_eq!(stage.engine.exchange().counters.closed(CloseReason::LoginTimeout), 2);
}

#[test]
fn a_deadline_that_comes_closer_is_kept() {
    let limits = Limits { ping_after: seconds(4), ping_timeout: seconds(60), ..Limits::default() };
    assert!(limits.login_time > limits.ping_after, "logging in brings the deadline closer");
    let mut stage = Stage::new(limits);
    let mut guest = stage.login("ann", WINDOW);
    stage.pass(seconds(4), &[&guest]);
    assert_eq!(guest.kinds(), [Kind::Ping]);
    guest.send(0, &frame::Pong { token: 0 }); // and so does an answer, which ends a long wait for it
    stage.run(&[&guest]);
    stage.pass(seconds(4), &[&guest]);
    assert_eq!(guest.kinds(), [Kind::Ping]);
}

/// Ann says so much that Bob, who does not read, is owed `bytes` and a little more.
fn fill(stage: &mut Stage, ann: &mut Guest, bob: &Guest, channel: u32, bytes: usize) {
    let text = "x".repeat(1_000);
    while stage.queued_bytes(bob) <= bytes && stage.is_open(bob) {
        ann.send(channel, &frame::Say { request: 0, text: &text });
        stage.run(&[ann]);
    }
}

#[test]
fn who_is_slow_for_too_long_is_dropped_and_who_recovers_is_not() {
    let limits = Limits { queued_bytes_soft: 1 << 20, ..Limits::default() };
    let mut stage = Stage::new(limits);
    let (mut ann, channel) = stage.enter("ann", "#r", WINDOW);
    let (mut bob, _) = stage.enter("bob", "#r", 1_000);
    fill(&mut stage, &mut ann, &bob, channel, 1 << 20);
    stage.pass(seconds(29), &[&ann]);
    assert!(stage.is_open(&bob));
    while stage.queued_bytes(&bob) > 1 << 19 {
        bob.receive();
        stage.run(&[&bob]);
    }
    stage.pass(seconds(29), &[&ann]);
    assert!(stage.is_open(&bob), "it has recovered");
    fill(&mut stage, &mut ann, &bob, channel, 1 << 20);
    stage.pass(seconds(30), &[&ann]);
    assert!(!stage.is_open(&bob));
    assert_eq!(stage.engine.exchange().counters.closed(CloseReason::SlowConsumer), 1);
    let mut last = None;
    while !bob.is_at_end() {
        last = bye(&mut bob).or(last);
        stage.run(&[&bob]);
    }
    assert_eq!(last, Some(ByeCode::SlowConsumer.number()), "it is told, once it reads");
}

#[test]
fn draining_ends_at_its_deadline_at_the_latest() {
    let mut stage = Stage::new(Limits::default());
    let mut full = stage.login("full", 30);
    let mut idle = stage.login("idle", WINDOW);
    full.send(0, &frame::Ping { token: 1 });
    full.send(0, &frame::Ping { token: 2 });
    for guest in [&mut full, &mut idle] {
        guest.send(0, &frame::Bye { code: 0, text: "" });
    }
    stage.run(&[&full, &idle]);
    assert!(
        idle.line.borrow().server_shut && !idle.line.borrow().server_closed,
        "it waits for the other side"
    );
    assert!(!full.line.borrow().server_shut, "there is still something to send");
    stage.pass(Duration::from_millis(4_999), &[&full, &idle]);
    assert_eq!(stage.engine.connections_len(), 2);
    stage.pass(Duration::from_millis(1), &[&full, &idle]);
    assert_eq!(stage.engine.connections_len(), 0);
    assert!(full.line.borrow().server_closed && idle.line.borrow().server_closed);
    assert!(stage.engine.exchange().blocks.is_empty());
}

#[test]
fn stopping_sends_what_is_queued_and_then_is_done() {
    let mut stage = Stage::new(Limits::default());
    let (mut ann, channel) = stage.enter("ann", "#r", WINDOW);
    let (mut bob, _) = stage.enter("bob", "#r", 500);
    ann.receive();
    for n in 0..100 {
        ann.send(channel, &frame::Say { request: 0, text: &n.to_string() });
    }
    stage.run(&[&ann]);
    stage.engine.stop();
    let newcomer = stage.admit(WINDOW);
    assert!(!stage.is_open(&newcomer) && !stage.engine.is_stopped());
    stage.run(&[&ann]);
    assert_eq!(bye(&mut ann), Some(ByeCode::ServerStopping.number()));
    ann.shut();
    let mut received = Vec::new();
    while !bob.is_at_end() {
        received.extend(bob.receive_at_most(HEADER_LEN + 3));
        stage.run(&[&ann, &bob]);
    }
    received.extend(bob.receive());
    let said = received.iter().filter(|received| received.kind() == Kind::Said).count();
    assert_eq!((said, received.last().map(|last| last.kind())), (100, Some(Kind::Bye)));
    assert!(!stage.engine.is_stopped(), "two have not closed their side");
    bob.shut();
    stage.run(&[&ann, &bob]);
    assert!(!stage.engine.is_stopped());
    stage.pass(seconds(5), &[&ann, &bob, &newcomer]);
    assert!(stage.engine.is_stopped());
}
