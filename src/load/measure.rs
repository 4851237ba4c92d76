//! The measured time as the coordinator sees it: the server's use at its beginning, at its end and each second between,
//! and the seconds that the threads report.

use super::clock::{SECOND, Timeline};
use super::crew::Crew;
use super::latencies::{Second, histogram};
use super::outcome::{Sample, ServerUse};
use super::probe::{Probe, Reading};
use super::watch::Watch;
use std::collections::BTreeMap;
use std::time::Duration;

pub struct Measure<P> {
    probe: Option<P>,
    timeline: Timeline,
    memory_before: u64,
    /// At the beginning, after each second, and at the end.
    readings: Vec<Option<Reading>>,
    seconds: BTreeMap<u64, (usize, Second)>,
    pub samples: Vec<Sample>,
}

impl<P: Probe> Measure<P> {
    /// `before` is what was read before the first client connected.
    pub fn new(probe: Option<P>, before: Option<Reading>, timeline: Timeline) -> Measure<P> {
        let memory_before = before.map_or(0, |reading| reading.memory);
        Measure {
            probe,
            timeline,
            memory_before,
            readings: Vec::new(),
            seconds: BTreeMap::new(),
            samples: Vec::new(),
        }
    }

    /// When the server is to be looked at next; `None` after the end.
    pub fn next_look(&self) -> Option<u64> {
        let measured = &self.timeline.measured;
        let at = measured.start + self.readings.len() as u64 * SECOND;
        if at < measured.end {
            return Some(at);
        }
        (self.readings.len() as u64 <= (measured.end - measured.start).div_ceil(SECOND))
            .then_some(measured.end)
    }

    /// Looks at the server, if it is time to.
    pub fn look(&mut self, now: u64) {
        while self.next_look().is_some_and(|at| at <= now) {
            let reading = self.probe.as_mut().and_then(Probe::read);
            self.readings.push(reading);
        }
    }

    /// How long to wait at most until then.
    pub fn patience(&self, now: u64, most: Duration) -> Duration {
        self.next_look().map_or(most, |at| most.min(Duration::from_nanos(at.saturating_sub(now))))
    }

    /// A thread's second is over; when all have said so, it is a sample.
    pub fn second(&mut self, second: Second, crew: &Crew, watch: &mut dyn Watch) {
        let index = second.index;
        match self.seconds.get_mut(&index) {
            None => drop(self.seconds.insert(index, (1, second))),
            Some((threads, all)) => {
                *threads += 1;
                all.sent += second.sent;
                all.delivered += second.delivered;
                let _ = all.latency.add(&second.latency); // of the same bounds
            }
        }
        self.look(crew.setup.clock.now());
        let is_whole = |(threads, _): &(usize, Second)| *threads == crew.setup.threads;
        if self.seconds.get(&index).is_some_and(is_whole)
            && let Some((_, second)) = self.seconds.remove(&index)
        {
            let sample = self.sample(&second);
            watch.sample(&sample);
            self.samples.push(sample);
        }
    }

    fn sample(&self, second: &Second) -> Sample {
        let reading = |n: u64| self.readings.get(n as usize).copied().flatten();
        let cpu = reading(second.index).zip(reading(second.index + 1));
        Sample {
            at: (second.index + 1) as f64,
            sent: second.sent,
            delivered: second.delivered,
            p50: second.latency.value_at_quantile(0.5),
            p99: second.latency.value_at_quantile(0.99),
            server_cpu: cpu.map(|(from, to)| to.cpu.saturating_sub(from.cpu).as_nanos() as u64),
        }
    }

    /// The seconds of a time in which nothing was sent.
    pub fn quiet_samples(&self) -> Vec<Sample> {
        let quiet = |index| Second { index, sent: 0, delivered: 0, latency: histogram() };
        (1..self.readings.len() as u64).map(|n| self.sample(&quiet(n - 1))).collect()
    }

    /// What the server used in the measured time.
    pub fn server_use(&self, connections: u64) -> Option<ServerUse> {
        let from = self.readings.first().copied().flatten()?;
        let to = self.readings.last().copied().flatten()?;
        Some(used_between(from, to, self.memory_before, connections))
    }
}

/// What the server used between two readings.
pub fn used_between(from: Reading, to: Reading, memory_before: u64, connections: u64) -> ServerUse {
    let less = |to: Option<u64>, from: Option<u64>| Some(to?.saturating_sub(from?));
    ServerUse {
        user: to.user.saturating_sub(from.user),
        system: to.system.saturating_sub(from.system),
        cpu: to.cpu.saturating_sub(from.cpu),
        memory_before,
        memory: to.memory,
        connections,
        reads_and_writes: less(to.reads_and_writes, from.reads_and_writes),
        system_calls: less(to.system_calls, from.system_calls),
        sleeps: to.sleeps.saturating_sub(from.sleeps),
        // Less where a thread has ended, and taken with it what it had waited.
        waited: to.waited.zip(from.waited).map(|(to, from)| to.saturating_sub(from)),
    }
}
