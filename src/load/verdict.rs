//! What the threads have found out, put together, and whether it says anything about the server.

use super::latencies::histogram;
use super::outcome::{Counts, Figure, GeneratorUse, Outcome};
use super::worker::Share;
use std::time::Duration;

/// Puts the threads' shares together. What is not known to them is left to be filled in.
pub fn merge(shares: Vec<Share>) -> Outcome {
    let mut counts = Counts::default();
    let (mut strange, mut uncounted, mut visits, mut dropped) = (0, 0, 0, None);
    let mut refusal = None;
    let (mut latency, mut last_receiver, mut behind) = (histogram(), histogram(), histogram());
    let (mut busy, mut busy_all, mut cores, mut waited) = (0_f64, 0.0, 1, None);
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
        refusal = refusal.or_else(|| share.refusal.clone());
        visits += share.visits;
        dropped = share.dropped.into_iter().chain(dropped).reduce(u64::saturating_add);
        busy = busy.max(share.own_use.busy);
        busy_all += share.own_use.busy;
        cores = cores.max(share.cores);
        waited = share.own_use.waited.into_iter().chain(waited).reduce(f64::max);
        // All histograms have the same bounds, so that they can be added.
        let _ = latency.add(&share.latency);
        share.last_receiver.iter().for_each(|of_thread| last_receiver.add(of_thread).unwrap_or_default());
        share.behind.iter().for_each(|of_thread| behind.add(of_thread).unwrap_or_default());
    }
    counts.lost = counts.expected.saturating_sub(counts.arrived);
    let mut figures = Vec::new();
    let mut figure = |name, value: Option<u64>, unit, meaning| {
        figures.extend(value.map(|value| Figure { name, value: value as f64, unit, meaning }));
    };
    let some = |count| Some(count).filter(|count| *count > 0);
    figure("strange", some(strange), "messages", "messages that no client of this run sent");
    figure(
        "uncounted",
        some(uncounted),
        "deliveries",
        "deliveries to clients who come and go or stop reading; CPU is divided by these, too",
    );
    figure("visits", some(visits), "visits", "times that a visitor entered a room");
    figure(
        "stalled_dropped",
        dropped,
        "connections",
        "clients that did not read, and were disconnected for it",
    );
    Outcome {
        measured: Duration::ZERO,
        counts,
        uncounted,
        latency,
        last_receiver,
        refusal,
        server: None,
        generator: GeneratorUse {
            behind,
            busy,
            busy_cores: busy_all / cores as f64,
            waited,
            was_limit: None,
        },
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

/// For which share of the time the generator may wait for a core: in an open loop that is in the latencies at once.
const WAITED_OPEN: f64 = 0.05;
const WAITED_CLOSED: f64 = 0.1;

/// Whether a run says more about the generator, or about the machine, than about the server: sentences.
pub fn was_limit(outcome: &Outcome, is_open_loop: bool) -> Option<String> {
    let reasons = [
        was_behind(outcome).filter(|_| is_open_loop),
        had_no_core(outcome, if is_open_loop { WAITED_OPEN } else { WAITED_CLOSED }),
        had_no_time(outcome, is_open_loop),
    ];
    let reasons: Vec<String> = reasons.into_iter().flatten().collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

fn was_behind(outcome: &Outcome) -> Option<String> {
    let late = outcome.generator.behind.value_at_quantile(0.99);
    let latency = outcome.latency.value_at_quantile(0.99);
    // Where nothing arrived there are no latencies that it could be part of.
    let is_part = !outcome.latency.is_empty() && late as f64 > BEHIND_PART * latency as f64;
    (late > BEHIND && is_part).then(|| {
        format!(
            "the generator was {:.1} ms behind its schedule (p99), which is part of the latencies",
            late as f64 / 1e6
        )
    })
}

fn had_no_core(outcome: &Outcome, allowed: f64) -> Option<String> {
    let waited = outcome.generator.waited.filter(|waited| *waited > allowed)?;
    let percent = waited * 100.0;
    Some(format!("the machine was busy: the load waited for a core {percent:.0} % of the time"))
}

/// A closed loop goes as fast as both can; so it is the one that has no time left that decides how fast.
fn had_no_time(outcome: &Outcome, is_open_loop: bool) -> Option<String> {
    let GeneratorUse { busy, busy_cores, .. } = outcome.generator;
    let who = if busy >= BUSY {
        format!("a thread of the generator was busy for {:.0} % of the time", busy * 100.0)
    } else if busy_cores >= BUSY {
        format!("the generator's threads filled {:.0} % of the cores that they may use", busy_cores * 100.0)
    } else {
        return None;
    };
    let Some(server) = &outcome.server else {
        let sentence = format!("{who}, and may have been the limit: the server's CPU is not known");
        return (!is_open_loop).then_some(sentence);
    };
    let server_busy = server.cpu.as_secs_f64() / outcome.measured.as_secs_f64();
    (server_busy < SERVER_HAS_TIME).then(|| {
        format!(
            "{who}, the server for {:.0} % of a core: the server can do more than this",
            server_busy * 100.0
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::report::tests;

    /// Where nothing is wrong: the server has used all of its core, the generator has time.
    fn sound() -> Outcome {
        let mut outcome = tests::outcome(1.0);
        outcome.server.iter_mut().for_each(|server| server.cpu = outcome.measured);
        assert_eq!([was_limit(&outcome, true), was_limit(&outcome, false)], [None, None]);
        outcome
    }

    #[track_caller]
    fn assert_says(outcome: &Outcome, is_open_loop: bool, words: &str) {
        let verdict = was_limit(outcome, is_open_loop).expect("a verdict");
        assert!(verdict.contains(words), "{verdict}");
    }

    #[test]
    fn who_is_late_by_much_of_the_latency_is_behind_in_an_open_loop() {
        let mut outcome = sound();
        outcome.latency.reset();
        outcome.latency.record_n(50 * BEHIND, 100).expect("in range");
        outcome.generator.behind.record_n(2 * BEHIND, 100).expect("in range");
        assert_eq!(was_limit(&outcome, true), None, "of 50 ms it is little");
        outcome.generator.behind.record_n(10 * BEHIND, 100).expect("in range");
        assert_says(&outcome, true, "10.0 ms behind its schedule");
        assert_eq!(was_limit(&outcome, false), None, "a closed loop has no schedule");
        outcome.latency.reset();
        assert_eq!(was_limit(&outcome, true), None, "nothing arrived");
    }

    #[test]
    fn who_is_late_by_little_is_not_behind_however_fast_the_server_is() {
        let mut outcome = sound();
        outcome.latency.reset();
        outcome.latency.record_n(BEHIND, 100).expect("in range");
        outcome.generator.behind.record_n(BEHIND / 2, 100).expect("in range");
        assert_eq!(was_limit(&outcome, true), None);
    }

    #[test]
    fn who_waits_for_a_core_says_so_and_sooner_in_an_open_loop() {
        let mut outcome = sound();
        outcome.generator.waited = Some(0.07);
        assert_says(&outcome, true, "the machine was busy: the load waited for a core 7 % of the time");
        assert_eq!(was_limit(&outcome, false), None);
        outcome.generator.waited = Some(0.23);
        assert_says(&outcome, false, "23 %");
        outcome.generator.waited = None;
        assert_eq!(was_limit(&outcome, true), None);
    }

    #[test]
    fn a_thread_without_time_is_the_limit_of_a_server_that_has_some() {
        let mut outcome = sound();
        outcome.generator.busy = 0.99;
        assert_eq!(was_limit(&outcome, false), None, "the server has no time either");
        outcome.server.iter_mut().for_each(|server| server.cpu = outcome.measured / 2);
        assert_says(&outcome, false, "busy for 99 % of the time, the server for 50 % of a core");
        outcome.generator.busy = 0.9;
        assert_eq!(was_limit(&outcome, false), None);
    }

    #[test]
    fn threads_that_share_a_core_are_judged_together() {
        let mut outcome = sound();
        outcome.server.iter_mut().for_each(|server| server.cpu = outcome.measured / 2);
        (outcome.generator.busy, outcome.generator.busy_cores) = (0.5, 0.98);
        assert_says(&outcome, false, "filled 98 % of the cores");
    }

    #[test]
    fn where_the_servers_cpu_is_not_known_a_busy_generator_may_have_been_the_limit() {
        let mut outcome = sound();
        (outcome.server, outcome.generator.busy) = (None, 0.96);
        assert_says(&outcome, false, "may have been the limit");
        assert_eq!(was_limit(&outcome, true), None, "an open loop that keeps its schedule is none");
        outcome.generator.busy = 0.9;
        assert_eq!(was_limit(&outcome, false), None);
    }

    #[test]
    fn all_reasons_are_told() {
        let mut outcome = sound();
        outcome.generator.waited = Some(0.5);
        outcome.generator.behind.record_n(50 * BEHIND, 100).expect("in range");
        assert_says(&outcome, true, "behind its schedule");
        assert_says(&outcome, true, "waited for a core");
    }
}
