//! Every scenario of the load generator against a real server, each with the figures that are its own.

mod common;

use common::Server;
use std::time::Duration;
use switchboard::load::plan::{
    Churn, Connect, Idle, Join, Mixed, Pace, Protocol, Relay, Rooms, Scenario, Slow, Transport,
};
use switchboard::load::{Outcome, Plan, Target, Unwatched, run};

fn bench(server: &Server, threads: usize, scenario: Scenario) -> Outcome {
    let plan = Plan {
        scenario,
        protocol: Protocol::Native,
        threads,
        spread_sources: false,
        warmup: Duration::from_millis(200),
        duration: Duration::from_millis(1_100),
        patience: Duration::from_secs(20),
    };
    let target = Target { address: server.address, pid: Some(server.pid()), label: "switchboard".into() };
    let outcome = run(&plan, &target, &mut Unwatched).expect("an outcome");
    let docs = std::fs::read_to_string("docs/BENCH.md").expect("docs");
    for figure in &outcome.figures {
        let name = format!("`{}`", figure.name);
        assert!(docs.contains(&name), "docs/BENCH.md does not explain {name}");
    }
    outcome
}

#[track_caller]
fn assert_exact(outcome: &Outcome) {
    let counts = outcome.counts;
    assert!(counts.delivered > 0, "{counts:?}");
    assert_eq!(counts.arrived, counts.expected, "{counts:?}");
    let faults = [counts.lost, counts.duplicated, counts.out_of_order, counts.refused, counts.disconnected];
    assert_eq!(faults, [0; 5], "{counts:?} {:?}", outcome.figures);
}

fn figure(outcome: &Outcome, name: &str) -> f64 {
    let figure = outcome.figures.iter().find(|figure| figure.name == name);
    figure.unwrap_or_else(|| panic!("{name} is not in {:?}", outcome.figures)).value
}

fn rooms(rooms: usize, members: usize, senders: usize, pace: Pace) -> Rooms {
    Rooms { rooms, members, senders, payload: 64, pace, named: None }
}

#[test]
fn everybody_logs_in() {
    let server = Server::start(&[]);
    for threads in [1, 2] {
        let outcome = bench(&server, threads, Scenario::Connect(Connect { clients: 300, at_once: 50 }));
        assert_exact(&outcome);
        assert_eq!((outcome.counts.delivered, outcome.latency.len()), (300, 300));
        assert!(figure(&outcome, "logged_in_per_second") > 0.0);
        assert!(outcome.server.is_some_and(|server| server.cpu > Duration::ZERO));
    }
}

#[test]
fn everybody_is_told_of_everybody_who_enters_later() {
    let server = Server::start(&[]);
    for threads in [1, 2] {
        let outcome = bench(&server, threads, Scenario::Join(Join { members: 100 }));
        assert_exact(&outcome);
        assert_eq!((outcome.counts.expected, outcome.latency.len()), (100 * 99 / 2, 100));
        assert!(figure(&outcome, "joined_seconds") > 0.0);
    }
}

#[test]
fn idle_connections_are_weighed() {
    let server = Server::start(&[]);
    let outcome = bench(&server, 1, Scenario::Idle(Idle { clients: 200 }));
    assert_eq!((outcome.counts.delivered, outcome.counts.disconnected), (0, 0));
    assert!(figure(&outcome, "cpu_percent") < 100.0);
    assert!(outcome.server.is_some_and(|server| server.connections == 200));
}

#[test]
fn relays_deliver_payload_of_any_length() {
    let server = Server::start(&[]);
    for (payload, pace) in [(64, Pace::Window(100)), (16_000, Pace::Window(20)), (100, Pace::Rate(500.0))] {
        let transport = Transport::Tcp;
        let outcome = bench(&server, 2, Scenario::Relay(Relay { pairs: 5, transport, payload, pace }));
        assert_exact(&outcome);
        assert!(figure(&outcome, "payload_bytes_per_second") > 0.0);
    }
}

#[test]
fn relays_deliver_in_datagrams_what_loopback_does_not_lose() {
    let server = Server::start(&["--datagrams-caused-burst-max", "1000000"]);
    for (payload, pace) in [(64, Pace::Window(10)), (1_160, Pace::Window(4)), (100, Pace::Rate(500.0))] {
        let transport = Transport::Udp;
        let outcome = bench(&server, 2, Scenario::Relay(Relay { pairs: 4, transport, payload, pace }));
        assert_exact(&outcome);
        assert!(outcome.counts.sent > 0);
    }
}

#[test]
fn those_who_do_not_read_cost_the_others_nothing() {
    let server = Server::start(&[]);
    let rooms = rooms(1, 20, 5, Pace::Window(50));
    let outcome = bench(&server, 1, Scenario::Slow(Slow { rooms, stalled_percent: 20 }));
    assert_exact(&outcome);
    assert_eq!(outcome.counts.expected % 16, 0, "of 15 who do not send 3 do not read");
    assert!(figure(&outcome, "stalled_dropped") <= 3.0, "told, also when it is 0");
}

#[test]
fn members_hear_everything_while_visitors_come_and_go() {
    let server = Server::start(&[]);
    for threads in [1, 2] {
        let rooms = rooms(3, 8, 2, Pace::Rate(300.0));
        let outcome =
            bench(&server, threads, Scenario::Churn(Churn { rooms, visitors: 10, per_second: 100.0 }));
        assert_exact(&outcome);
        assert_eq!(outcome.counts.expected, 390 * 7);
        assert!(figure(&outcome, "visits") > 50.0 && figure(&outcome, "uncounted") > 0.0);
        assert_eq!(outcome.deliveries(), outcome.counts.delivered + outcome.uncounted);
        let cpu = outcome.server.as_ref().expect("the process is known").cpu.as_nanos() as f64;
        assert_eq!(outcome.cpu_per_delivery(), Some(cpu / outcome.deliveries() as f64));
    }
}

#[test]
fn a_bit_of_everything_is_counted_like_the_rest() {
    let server = Server::start(&[]);
    let mixed = Mixed { clients: 50, payload: 64, rate: 1_000.0, churn_per_second: 20.0 };
    for threads in [1, 2] {
        let outcome = bench(&server, threads, Scenario::Mixed(mixed.clone()));
        assert_exact(&outcome);
        assert_eq!(outcome.counts.expected, 1_300 * (8 * 9 + 1 + 1) / 10);
    }
}
