//! What a turn's time goes to: how long each stage took, how long whole turns were, and how much each poll brought.
//!
//! The clock is read once between two stages, which is [`Laps`]; the rest is numbers.

use std::time::{Duration, Instant};

/// A clock between the stages.
pub struct Laps {
    last: Instant,
}

impl Laps {
    pub fn new() -> Laps {
        Laps { last: Instant::now() }
    }

    /// A stage has come to its end, and the next begins. Returns when that was.
    pub fn end(&mut self, stage: Stage, turns: &mut Turns) -> Instant {
        let now = Instant::now();
        turns.note_stage(stage, now - self.last);
        self.last = now;
        now
    }
}

/// The stages of the turn, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// With the time that it slept.
    Poll,
    Note,
    Read,
    Timers,
    Replies,
    Flush,
    Reap,
}

impl Stage {
    pub const ALL: [Stage; 7] =
        [Stage::Poll, Stage::Note, Stage::Read, Stage::Timers, Stage::Replies, Stage::Flush, Stage::Reap];

    pub fn name(self) -> &'static str {
        match self {
            Stage::Poll => "poll",
            Stage::Note => "note",
            Stage::Read => "read",
            Stage::Timers => "timers",
            Stage::Replies => "replies",
            Stage::Flush => "flush",
            Stage::Reap => "reap",
        }
    }
}

/// How often values of each size came, by powers of two: bucket `n` has those below 2ⁿ that no bucket before it has, and
/// the last one all the others.
#[derive(Clone, Debug)]
pub struct Histogram<const BUCKETS: usize> {
    counts: [u64; BUCKETS],
    /// Of all values.
    sum: u64,
}

impl<const BUCKETS: usize> Default for Histogram<BUCKETS> {
    fn default() -> Self {
        Histogram { counts: [0; BUCKETS], sum: 0 }
    }
}

impl<const BUCKETS: usize> Histogram<BUCKETS> {
    pub fn note(&mut self, value: u64) {
        let bucket = (u64::BITS - value.leading_zeros()) as usize;
        self.counts[bucket.min(BUCKETS - 1)] += 1;
        self.sum = self.sum.saturating_add(value);
    }

    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Every bucket but the last: the bound that its values are below, and how many values were below it.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.counts.iter().take(BUCKETS - 1);
        counts.enumerate().scan(0, |below, (n, count)| {
            *below += count;
            Some((1 << n, *below))
        })
    }
}

/// Of all turns since the server started.
#[derive(Clone, Default, Debug)]
pub struct Turns {
    /// Nanoseconds, by stage.
    nanos: [u64; Stage::ALL.len()],
    /// How long turns were without their poll, in microseconds: up to half a second, and longer.
    pub busy: Histogram<21>,
    /// Events that a poll brought: up to 4,096, which is all that one can bring.
    pub events: Histogram<14>,
}

impl Turns {
    pub fn note_stage(&mut self, stage: Stage, took: Duration) {
        self.nanos[stage as usize] += took.as_nanos() as u64; // 584 years fit
    }

    /// A poll brought so many events.
    pub fn note_events(&mut self, events: usize) {
        self.events.note(events as u64);
    }

    /// A turn took so long after its poll.
    pub fn note_turn(&mut self, took: Duration) {
        self.busy.note(took.as_micros() as u64);
    }

    /// How long a stage took in all.
    pub fn spent(&self, stage: Stage) -> Duration {
        Duration::from_nanos(self.nanos[stage as usize])
    }

    pub fn count(&self) -> u64 {
        self.busy.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_counted_below_every_bound_that_is_above_it() {
        let mut histogram = Histogram::<5>::default();
        for value in [0, 1, 2, 3, 4, 7, 8, 1_000] {
            histogram.note(value);
        }
        assert_eq!(histogram.buckets().collect::<Vec<_>>(), [(1, 1), (2, 2), (4, 4), (8, 6)]);
        assert_eq!((histogram.count(), histogram.sum()), (8, 1_025));
        histogram.note(u64::MAX);
        assert_eq!((histogram.count(), histogram.sum()), (9, u64::MAX), "and nothing overflows");
    }

    #[test]
    fn stages_are_told_apart() {
        let mut turns = Turns::default();
        for (n, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, n, "in their order");
            turns.note_stage(stage, Duration::from_nanos(n as u64));
            turns.note_stage(stage, Duration::from_nanos(100));
        }
        for (n, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(turns.spent(stage), Duration::from_nanos(n as u64 + 100));
        }
    }
}
