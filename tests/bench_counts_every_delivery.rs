//! The load generator's counts against a real server: what is delivered is exactly what is expected, whatever the rooms,
//! the pace and the number of threads; and what is missing is told.

mod common;

use common::Server;
use std::time::Duration;
use switchboard::load::plan::{Pace, Protocol, Rooms, Scenario};
use switchboard::load::{Outcome, Plan, Target, Unwatched, run};

fn plan(threads: usize, rooms: Rooms) -> Plan {
    Plan {
        scenario: Scenario::Rooms(rooms),
        protocol: Protocol::Native,
        threads,
        spread_sources: false,
        warmup: Duration::from_millis(200),
        duration: Duration::from_millis(1_200),
        patience: Duration::from_secs(20),
    }
}

fn rooms(rooms: usize, members: usize, senders: usize, pace: Pace) -> Rooms {
    Rooms { rooms, members, senders, payload: 64, pace, named: None }
}

fn target(server: &Server) -> Target {
    Target { address: server.address, pid: Some(server.pid()), label: "switchboard".into() }
}

#[track_caller]
fn bench(threads: usize, rooms: Rooms) -> Outcome {
    let server = Server::start(&[]);
    let outcome = run(&plan(threads, rooms), &target(&server), &mut Unwatched).expect("an outcome");
    let counts = outcome.counts;
    assert!(counts.delivered > 0 && counts.sent > 0, "{counts:?}");
    assert_eq!(counts.arrived, counts.expected, "{counts:?}");
    let faults = [counts.lost, counts.duplicated, counts.out_of_order, counts.refused, counts.disconnected];
    assert_eq!((faults, outcome.figures.len()), ([0; 5], 0), "{counts:?} {:?}", outcome.figures);
    let use_of_server = outcome.server.as_ref().expect("the process is known");
    assert!(use_of_server.cpu > Duration::ZERO && use_of_server.memory > 0);
    outcome
}

#[test]
fn every_delivery_of_a_closed_loop_is_counted_once() {
    for window in [1, 8, 512] {
        let outcome = bench(1, rooms(1, 20, 10, Pace::Window(window)));
        assert_eq!(outcome.counts.expected % 19, 0, "each message has 19 receivers");
        assert_eq!(outcome.samples.len(), 1, "one whole second");
    }
}

#[test]
fn an_open_loop_sends_what_the_schedule_says() {
    let outcome = bench(1, rooms(1, 20, 3, Pace::Rate(1_000.0)));
    let counts = outcome.counts;
    assert_eq!((counts.offered, counts.expected), (1_200, 1_400 * 19));
    assert_eq!(outcome.latency.len(), 1_200 * 19, "one latency for each delivery that was due");
    assert_eq!(outcome.last_receiver.len(), 1_200);
    assert_eq!(outcome.generator.behind.len(), 1_200);
}

#[test]
fn many_rooms_are_as_many_audiences() {
    let outcome = bench(1, rooms(20, 5, 5, Pace::Window(100)));
    assert_eq!(outcome.counts.expected % 4, 0);
}

#[test]
fn threads_count_together() {
    for threads in [2, 3] {
        bench(threads, rooms(1, 20, 10, Pace::Window(32)));
        bench(threads, rooms(7, 5, 2, Pace::Window(32)));
        let open = bench(threads, rooms(1, 20, 4, Pace::Rate(1_000.0)));
        assert_eq!((open.counts.offered, open.counts.expected), (1_200, 1_400 * 19));
    }
}

#[test]
fn a_server_that_is_not_there_is_an_error_with_a_sentence() {
    let target = Target { address: ([127, 0, 0, 1], 1).into(), pid: None, label: "nobody".into() };
    let error = run(&plan(1, rooms(1, 2, 1, Pace::Window(1))), &target, &mut Unwatched).expect_err("nobody");
    assert!(error.to_string().starts_with("cannot connect to 127.0.0.1:1: "), "{error}");
}

#[test]
fn a_server_that_refuses_is_quoted() {
    let server = Server::start(&["--occupants-per-room-max", "3"]);
    let plan = plan(1, rooms(1, 5, 1, Pace::Window(1)));
    let error = run(&plan, &target(&server), &mut Unwatched).expect_err("the fourth is refused");
    let words = error.to_string();
    assert!(words.contains("refused b") && words.contains("entering its room"), "{words}");
}

#[test]
fn a_server_of_another_protocol_is_an_error_with_its_words() {
    let server = Server::start(&["--irc", "false"]);
    let plan = Plan { protocol: Protocol::Irc, ..plan(1, rooms(1, 5, 1, Pace::Window(1))) };
    let error = run(&plan, &target(&server), &mut Unwatched).expect_err("it speaks no IRC");
    assert!(error.to_string().contains("IRC is turned off"), "{error}");
}
