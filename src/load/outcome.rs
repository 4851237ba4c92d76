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
    /// From the *intended* time of sending to the arrival, per delivery. Nanoseconds.
    pub latency: Histogram<u64>,
    /// From the intended time of sending to the arrival at the last receiver, per message. Nanoseconds.
    pub last_receiver: Histogram<u64>,
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
    /// Deliveries within the measured time: what CPU is divided by.
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

impl Outcome {
    /// Nanoseconds of the server's CPU for each delivery.
    pub fn cpu_per_delivery(&self) -> Option<f64> {
        let server = self.server.as_ref()?;
        (self.counts.delivered > 0).then(|| server.cpu.as_nanos() as f64 / self.counts.delivered as f64)
    }

    /// Bytes of the server's memory for each connection.
    pub fn memory_per_connection(&self) -> Option<f64> {
        let server = self.server.as_ref()?;
        let grown = server.memory.saturating_sub(server.memory_before);
        (server.connections > 0).then(|| grown as f64 / server.connections as f64)
    }
}
