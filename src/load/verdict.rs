//! What the threads have found out, put together, and whether it says anything about the server.

use super::latencies::histogram;
use super::outcome::{Counts, Figure, GeneratorUse, Outcome};
use super::worker::Share;
use std::time::Duration;

/// Puts the threads' shares together. What is not known to them is left to be filled in.
pub fn merge(shares: Vec<Share>) -> Outcome {
    let mut counts = Counts::default();
    let (mut strange, mut uncounted, mut visits, mut dropped) = (0, 0, 0, 0);
    let (mut latency, mut last_receiver, mut behind) = (histogram(), histogram(), histogram());
    let mut busy = 0_f64;
    for share in &shares {
        counts.offered += share.counts.offered;
        counts.sent += share.counts.sent;
        counts.delivered += share.counts.delivered;
        counts.expected += share.counts.expected;
        counts.arrived += share.counts.arrived;
        counts.duplicated += share.counts.duplicated;
        counts.out_of_order += share.counts.out_of_order;
        counts.refused += share.counts.refused;
        counts.disconnected += share.counts.disconnected;
        strange += share.strange;
        uncounted += share.uncounted;
        visits += share.visits;
        dropped += share.dropped;
        busy = busy.max(share.busy);
        // All histograms have the same bounds, so that they can be added.
        let _ = latency.add(&share.latency);
        share.last_receiver.iter().for_each(|of_thread| last_receiver.add(of_thread).unwrap_or_default());
        share.behind.iter().for_each(|of_thread| behind.add(of_thread).unwrap_or_default());
    }
    counts.lost = counts.expected.saturating_sub(counts.arrived);
    let mut figures = Vec::new();
    let mut figure = |name, value: u64, unit, meaning| {
        if value > 0 {
            figures.push(Figure { name, value: value as f64, unit, meaning });
        }
    };
    figure("strange", strange, "messages", "messages that no client of this run sent");
    figure(
        "uncounted",
        uncounted,
        "deliveries",
        "deliveries to clients that are not counted, in the whole run",
    );
    figure("visits", visits, "visits", "times that a visitor entered a room");
    figure(
        "stalled_dropped",
        dropped,
        "connections",
        "clients that did not read, and were disconnected for it",
    );
    Outcome {
        measured: Duration::ZERO,
        counts,
        latency,
        last_receiver,
        server: None,
        generator: GeneratorUse { behind, busy, was_limit: None },
        samples: Vec::new(),
        figures,
    }
}

/// Above this share of a core a thread has no time left.
const BUSY: f64 = 0.95;

/// Below this share of a core a server has.
const SERVER_HAS_TIME: f64 = 0.9;

/// How late the generator may be, in nanoseconds, and as a part of what it measures.
const BEHIND: u64 = 1_000_000;
const BEHIND_PART: f64 = 0.1;

/// Whether a run says more about the generator than about the server.
pub fn was_limit(outcome: &Outcome, is_open_loop: bool) -> Option<String> {
    let GeneratorUse { behind, busy, .. } = &outcome.generator;
    let (late, latency) = (behind.value_at_quantile(0.99), outcome.latency.value_at_quantile(0.99));
    // Where nothing arrived there are no latencies that it could be part of.
    let has_latency = !outcome.latency.is_empty();
    if is_open_loop && has_latency && late > BEHIND && late as f64 > BEHIND_PART * latency as f64 {
        return Some(format!(
            "the generator was {:.1} ms behind its schedule (p99), which is part of the latencies",
            late as f64 / 1e6
        ));
    }
    let server = outcome.server.as_ref()?;
    let server_busy = server.cpu.as_secs_f64() / outcome.measured.as_secs_f64();
    (*busy >= BUSY && server_busy < SERVER_HAS_TIME).then(|| {
        format!(
            "a thread of the generator was busy for {:.0} % of the time, the server for {:.0} % of a core: the server \
             can do more than this",
            busy * 100.0,
            server_busy * 100.0
        )
    })
}
