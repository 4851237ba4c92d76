//! Outcomes that nobody measured, for tests of what is made of them.

use super::super::Plan;
use super::super::contender::{Contender, Place};
use super::super::outcome::{Counts, GeneratorUse, Outcome, Sample, ServerUse};
use super::super::plan::{Pace, Protocol, Rooms, Scenario};
use super::{Machine, Measured, Report};
use hdrhistogram::Histogram;
use std::time::Duration;

/// One room of 100, window 128.
pub fn plan() -> Plan {
    Plan {
        scenario: Scenario::Rooms(Rooms {
            rooms: 1,
            members: 100,
            senders: 10,
            payload: 64,
            pace: Pace::Window(128),
            named: None,
        }),
        protocol: Protocol::Native,
        threads: 1,
        spread_sources: false,
        warmup: Duration::from_secs(2),
        duration: Duration::from_secs(10),
        patience: Duration::from_secs(5),
    }
}

/// Ten seconds in which a million deliveries a second took `slow` × 134 ns of CPU each.
pub fn outcome(slow: f64) -> Outcome {
    let delivered = 10_000_000;
    let histogram = |scale: f64| {
        let mut histogram = Histogram::new(3).expect("three digits");
        for n in 1..=2_000_u32 {
            let x = f64::from(n) / 2_000.0;
            histogram.record((scale * (4e5 + 2e5 * x + 1.9e7 * x.powi(60))) as u64).expect("in range");
        }
        histogram
    };
    let samples = (1..=10).map(|at| Sample {
        at: f64::from(at),
        sent: 10_101,
        delivered: 1_000_000 + 20_000 * u64::from(at % 3 == 0),
        p50: (5e5 * slow) as u64,
        p99: (2e6 * slow) as u64 + 100_000 * u64::from(at % 4 == 0),
        server_cpu: Some((134e6 * slow) as u64),
    });
    Outcome {
        measured: Duration::from_secs(10),
        counts: Counts {
            offered: 101_010,
            sent: 101_010,
            delivered,
            expected: delivered + 99,
            arrived: delivered + 99,
            ..Counts::default()
        },
        uncounted: 0,
        latency: histogram(slow),
        last_receiver: histogram(slow * 1.2),
        refusal: None,
        server: Some(ServerUse {
            user: Duration::from_millis(400),
            system: Duration::from_millis(940),
            cpu: Duration::from_nanos((134.0 * slow * delivered as f64) as u64),
            memory_before: 2 << 20,
            memory: (2 << 20) + 100 * 1_024,
            connections: 100,
            reads_and_writes: Some(200_000),
            system_calls: None,
            sleeps: 1_000,
            waited: Some(Duration::from_millis(20)),
        }),
        generator: GeneratorUse {
            behind: Histogram::new(3).expect("three digits"),
            busy: 0.6,
            busy_cores: 0.6,
            waited: Some(0.01),
            was_limit: None,
        },
        samples: samples.collect(),
        figures: Vec::new(),
    }
}

/// So many servers, of which the second takes twice as long, so many runs of each.
pub fn report(servers: usize, runs: usize) -> Report {
    let mut report = Report::of(plan(), Machine::this());
    report.command = "switchboard bench rooms --window 128".into();
    for n in 0..servers {
        let mut contender = Contender::new(Place::Own, Protocol::Native);
        if n > 0 {
            contender.label = "other".into();
        }
        let mut measured = Measured::of(&contender);
        for run in 0..runs {
            measured.outcomes.push(outcome((1.0 + n as f64) * (1.0 + 0.1 * run as f64)));
        }
        report.measured.push(measured);
    }
    report
}
