//! What happened in a run.

use hdrhistogram::Histogram;
use std::time::Duration;

/// One run. Counts and CPU are those of the measured time unless it says otherwise; latencies are those of messages
/// that were due in it, whenever they arrived.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How long the measured time really was.
    pub measured: Duration,
    pub counts: Counts,
    /// Deliveries within the measured time to clients that are not counted otherwise, as they come and go or do not read.
    pub uncounted: u64,
    /// From the *intended* time of sending to the arrival, per delivery. Nanoseconds.
    pub latency: Histogram<u64>,
    /// From the intended time of sending to the arrival at the last receiver, per message. Nanoseconds.
    pub last_receiver: Histogram<u64>,
    /// What the server said to the first request that it refused in the load.
    pub refusal: Option<String>,
    /// `None` where the server's process is not known.
    pub server: Option<ServerUse>,
    pub generator: GeneratorUse,
    /// Once a second of the measured time.
    pub samples: Vec<Sample>,
    /// What is special to the scenario, in the order in which it is to be shown.
    pub figures: Vec<Figure>,
}

/// Messages and deliveries. A message to a room of 100 is one message and 99 deliveries.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Messages that were due.
    pub offered: u64,
    /// Messages that the sender's socket took.
    pub sent: u64,
    /// Deliveries within the measured time.
    pub delivered: u64,
    /// Deliveries that should have come of all messages since the first of the warm-up, and
    pub expected: u64,
    /// those of them that came, in the end.
    pub arrived: u64,
    /// `expected` less `arrived`.
    pub lost: u64,
    /// Deliveries that had been made before, to the same receiver.
    pub duplicated: u64,
    /// Deliveries that a later message of the same sender had overtaken.
    pub out_of_order: u64,
    /// Requests that the server refused.
    pub refused: u64,
    /// Connections that the server ended, or that broke, and should not have.
    pub disconnected: u64,
}

/// What the server's process used.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct ServerUse {
    /// In user mode, in the measured time.
    pub user: Duration,
    /// In the kernel.
    pub system: Duration,
    /// CPU of all its threads as the scheduler counts it: finer than the sum of the two above, which are clock ticks.
    pub cpu: Duration,
    /// Anonymous memory in bytes: before the first client connected, and at the end of the measured time.
    pub memory_before: u64,
    pub memory: u64,
    /// Clients that were connected at that time.
    pub connections: u64,
    /// `read`, `write` and their like as /proc/PID/io counts them, which does not know of `recv` and `send`.
    pub reads_and_writes: Option<u64>,
    /// All system calls, where the machine lets us count them.
    pub system_calls: Option<u64>,
    /// Times that it went to sleep.
    pub sleeps: u64,
    /// How long its threads were ready to run and had to wait for a core, added up; `None` if the machine does not tell.
    pub waited: Option<Duration>,
}

/// What the generator thinks of itself.
#[derive(Clone, Debug)]
pub struct GeneratorUse {
    /// How long after its intended time a message was handed to the socket, which may take it later still, when the
    /// server reads. Nanoseconds; open loop only.
    pub behind: Histogram<u64>,
    /// The busiest thread's share of a core, 0 to 1.
    pub busy: f64,
    /// CPU of all its threads, as a share of the cores that they may run on, 0 to 1.
    pub busy_cores: f64,
    /// For which share of the time the thread that had to wait most was ready to run, and had no core; `None` if the
    /// machine does not tell.
    pub waited: Option<f64>,
    /// Why this run says more about the generator than about the server, if it does; a sentence.
    pub was_limit: Option<String>,
}

/// A second of the measured time.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Sample {
    /// Seconds since the measured time began.
    pub at: f64,
    pub sent: u64,
    pub delivered: u64,
    /// Of the deliveries in this second. Nanoseconds.
    pub p50: u64,
    pub p99: u64,
    /// Nanoseconds of the server's CPU in this second.
    pub server_cpu: Option<u64>,
}

/// A figure that only one scenario has.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    /// For people and for JSON: `logged_in_per_second`.
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

/// Of fewer connections, memory for each is mostly what the process would have taken anyway.
const CONNECTIONS_MIN: u64 = 1_000;

impl Outcome {
    /// All deliveries within the measured time, to whomever: what the server's work is divided by.
    pub fn deliveries(&self) -> u64 {
        self.counts.delivered + self.uncounted
    }

    /// Nanoseconds of the server's CPU for each delivery.
    pub fn cpu_per_delivery(&self) -> Option<f64> {
        let server = self.server.as_ref()?;
        let deliveries = self.deliveries();
        (deliveries > 0).then(|| server.cpu.as_nanos() as f64 / deliveries as f64)
    }

    /// Bytes of the server's memory for each connection; `None` where they are too few to tell, or it did not grow.
    pub fn memory_per_connection(&self) -> Option<f64> {
        let server = self.server.as_ref()?;
        let grown = server.memory.saturating_sub(server.memory_before);
        (server.connections >= CONNECTIONS_MIN && grown > 0).then(|| grown as f64 / server.connections as f64)
    }
}

#[cfg(test)]
mod tests {
    use crate::load::report::tests::outcome;

    #[test]
    fn cpu_is_divided_by_all_deliveries() {
        let mut outcome = outcome(1.0);
        let before = outcome.cpu_per_delivery().expect("deliveries");
        outcome.uncounted = outcome.counts.delivered;
        assert!((outcome.cpu_per_delivery().expect("deliveries") - before / 2.0).abs() < 1.0);
    }

    #[test]
    fn memory_is_told_of_many_connections_and_when_it_grew() {
        let with = |connections, memory| {
            let mut outcome = outcome(1.0);
            let server = outcome.server.as_mut().expect("a server");
            (server.connections, server.memory_before, server.memory) = (connections, 1_000_000, memory);
            outcome.memory_per_connection()
        };
        assert_eq!(with(1_000, 3_000_000), Some(2_000.0));
        assert_eq!(with(999, 3_000_000), None, "too few");
        assert_eq!(with(1_000, 1_000_000), None, "it did not grow");
        assert_eq!(with(1_000, 500_000), None, "it shrank");
    }
}
