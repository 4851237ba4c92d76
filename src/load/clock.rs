//! Time as everything here counts it: nanoseconds since the run's epoch, which all threads share.

use std::ops::Range;
use std::time::{Duration, Instant};

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;

/// The run's epoch.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Clock {
        Clock(Instant::now())
    }

    /// Nanoseconds since the epoch. The clock is monotonic, and the same for all threads.
    pub fn now(&self) -> u64 {
        nanoseconds(self.0.elapsed())
    }
}

/// When the load of a run begins, and which part of it is measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeline {
    /// The first message is due.
    pub start: u64,
    /// From the end of the warm-up to the end of the sending.
    pub measured: Range<u64>,
}

impl Timeline {
    pub fn new(start: u64, warmup: Duration, duration: Duration) -> Timeline {
        let begin = start + nanoseconds(warmup);
        Timeline { start, measured: begin..begin + nanoseconds(duration) }
    }
}

pub fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
