//! What a plan may ask for. Held before a server is started for it, so that a number with a digit too many costs a
//! sentence, and neither all memory nor a run without an end.

use super::Plan;
use super::error::Error;
use super::marker::STREAMS_MAX;
use super::plan::{Protocol, Rooms, Scenario, Transport};
use super::words::count;
use std::ops::RangeInclusive;

/// Clients of a run. Their names have four digits of base 36, which would do for some more.
pub const CLIENTS_MAX: usize = 1_000_000;

/// Messages under way in a closed loop. What is under way in vain is kept.
pub const WINDOW_MAX: usize = 1_000_000;

/// Messages a second: one in a quarter of an hour, and more than a machine sends.
pub const RATES: RangeInclusive<f64> = 0.001..=10_000_000.0;

/// Visitors that move in a second. Every second move is a new connection.
pub const VISITS: RangeInclusive<f64> = 0.001..=100_000.0;

/// Each takes a megabyte for its buffer and its histograms.
pub const THREADS_MAX: usize = 256;

/// Runs of each server. A megabyte of histograms is kept of each.
pub const RUNS_MAX: usize = 100;

/// Seconds that are measured. A day is more than anybody waits for; a thousandth less than anything can be told of.
pub const SECONDS: RangeInclusive<f64> = 0.001..=86_400.0;

/// A receiver has a place, of four bytes, for each sender whom it hears: a gigabyte.
const SEATS_MAX: usize = 1 << 28;

/// Descriptors of the process that are no clients' connections: its own, and those of each thread.
const DESCRIPTORS_SPARE: u64 = 64;
const DESCRIPTORS_PER_THREAD: u64 = 3;

/// How many files the process has open in a run.
pub fn descriptors(clients: usize, sockets_each: u64, threads: usize) -> u64 {
    clients as u64 * sockets_each + threads as u64 * DESCRIPTORS_PER_THREAD + DESCRIPTORS_SPARE
}

impl Plan {
    /// Whether it can be carried out by a process that may open so many files, if there is a limit.
    ///
    /// # Errors
    /// A sentence that says what is possible.
    pub fn check(&self, protocol: Protocol, files: Option<u64>) -> Result<(), String> {
        self.check_payload(protocol)?;
        let Plan { scenario, threads, .. } = self;
        let (clients, streams) = (scenario.clients(), scenario.streams(protocol));
        let at_most = |what: &str, n: usize, max: usize| match n > max {
            true => Err(format!("these are {} {what}; there can be {}", count(n), count(max))),
            false => Ok(()),
        };
        at_most("clients", clients, CLIENTS_MAX)?;
        at_most("streams of messages, one for each sender and audience", streams, STREAMS_MAX)?;
        at_most("pairs of a member and a sender whom it hears", scenario.seats(), SEATS_MAX)?;
        let needed = descriptors(clients, scenario.sockets_each(), *threads);
        match files.filter(|limit| *limit < needed) {
            Some(limit) => Err(Error::Descriptors { needed, limit }.to_string()),
            None => Ok(()),
        }
    }

    /// Whether messages can be as long as they are to be.
    fn check_payload(&self, protocol: Protocol) -> Result<(), String> {
        let (payload, Some(range)) = (self.scenario.payload(), self.scenario.payload_range(protocol)) else {
            return Ok(());
        };
        if range.contains(&payload) {
            return Ok(());
        }
        let (min, max) = (range.start(), count(*range.end()));
        let over = protocol.name();
        Err(format!(
            "--payload {payload}: with {} over {over} it is from {min} to {max} bytes",
            self.scenario.name()
        ))
    }
}

impl Scenario {
    /// Senders, each as often as it has audiences.
    fn streams(&self, protocol: Protocol) -> usize {
        let senders = |rooms: &Rooms| rooms.rooms.saturating_mul(rooms.senders);
        match self {
            Scenario::Rooms(rooms) => senders(rooms),
            Scenario::Slow(slow) => senders(&slow.rooms),
            Scenario::Churn(churn) => senders(&churn.rooms),
            Scenario::Relay(relay) => relay.pairs,
            // A room's, a private one, and over our own protocol a relay's.
            Scenario::Mixed(mixed) => mixed.rooms() * if protocol == Protocol::Native { 3 } else { 2 },
            Scenario::Connect(_) | Scenario::Join(_) | Scenario::Idle(_) => 0,
        }
    }

    fn seats(&self) -> usize {
        let heard = match self {
            Scenario::Rooms(rooms) => rooms.senders,
            Scenario::Slow(slow) => slow.rooms.senders,
            Scenario::Churn(churn) => churn.rooms.senders,
            _ => 1,
        };
        self.clients().saturating_mul(heard)
    }

    fn sockets_each(&self) -> u64 {
        match self {
            Scenario::Relay(relay) if relay.transport == Transport::Udp => 2,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Connect, Mixed, Pace, Relay};
    use super::super::report::tests::plan;
    use super::*;

    fn check(scenario: Scenario, files: Option<u64>) -> Result<(), String> {
        Plan { scenario, ..plan() }.check(Protocol::Native, files)
    }

    fn rooms(rooms: usize, members: usize, senders: usize) -> Scenario {
        Scenario::Rooms(Rooms { rooms, members, senders, payload: 64, pace: Pace::Window(1), named: None })
    }

    #[test]
    fn what_is_too_much_is_refused_with_what_is_possible() {
        for (scenario, says) in [
            (rooms(1_000_000, 1_000_000, 1), "1,000,000,000,000 clients; there can be 1,000,000"),
            (rooms(usize::MAX, usize::MAX, usize::MAX), "clients; there can be"),
            (rooms(1, 500_000, 300_000), "300,000 streams of messages"),
            (rooms(1, 100_000, 100_000), "10,000,000,000 pairs of a member and a sender"),
            (Scenario::Connect(Connect { clients: 2_000_000, at_once: 1 }), "2,000,000 clients"),
        ] {
            let error = check(scenario, None).expect_err(says);
            assert!(error.contains(says), "{error}");
        }
        let mixed = Mixed { clients: 900_000, payload: 64, rate: 1.0, churn_per_second: 1.0 };
        let error = check(Scenario::Mixed(mixed), None).expect_err("90,000 rooms with three streams each");
        assert!(error.contains("270,000 streams of messages"), "{error}");
        assert_eq!(check(rooms(1, 10_000, 10_000), None), Ok(()));
    }

    #[test]
    fn files_are_counted_before_anything_is_opened() {
        let pairs = |transport| {
            let pace = Pace::Window(1);
            check(Scenario::Relay(Relay { pairs: 100, transport, payload: 64, pace }), Some(300))
        };
        assert_eq!(pairs(Transport::Tcp), Ok(()));
        let error = pairs(Transport::Udp).expect_err("two sockets for each client");
        assert!(error.contains("this needs 467 open files, and the process may have 300"), "{error}");
    }
}
