//! Latencies of deliveries, in histograms: one for the measured time, one for each of its seconds.
//!
//! Deliveries that arrive in one read and were due at one time, as those of a burst are, have one latency: they are
//! counted together, and looked up in the histograms once.

use super::clock::SECOND;
use hdrhistogram::Histogram;
use std::ops::Range;

/// An hour. What takes longer counts as that.
const LATENCY_MAX: u64 = 3_600 * SECOND;

/// An empty histogram: nanoseconds, to three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_MAX, 3).expect("bounds that a histogram can have")
}

/// One thread's deliveries, in time.
pub struct Latencies {
    measured: Range<u64>,
    /// When the present read returned.
    now: u64,
    /// Deliveries of the present read, one after the other, that were due at one time.
    due: u64,
    run: u64,
    /// Of messages that were due in the measured time.
    pub all: Histogram<u64>,
    /// Deliveries in the measured time.
    pub delivered: u64,
    /// Deliveries in the measured time to clients that are not counted otherwise.
    pub uncounted: u64,
    /// Messages that sockets took in the measured time.
    pub sent: u64,
    second: Second,
    /// Seconds that are over and nobody has taken yet.
    over: Vec<Second>,
}

/// A second of the measured time.
#[derive(Clone, Debug)]
pub struct Second {
    /// 0 for the first.
    pub index: u64,
    pub sent: u64,
    pub delivered: u64,
    /// Of the deliveries in this second, whenever they were due.
    pub latency: Histogram<u64>,
}

impl Second {
    fn new(index: u64) -> Second {
        Second { index, sent: 0, delivered: 0, latency: histogram() }
    }
}

impl Latencies {
    /// `measured` may be empty, while it is not known: [`Latencies::measure`].
    pub fn new(measured: Range<u64>) -> Latencies {
        Latencies {
            measured,
            now: 0,
            due: 0,
            run: 0,
            all: histogram(),
            delivered: 0,
            uncounted: 0,
            sent: 0,
            second: Second::new(0),
            over: Vec::new(),
        }
    }

    pub fn measure(&mut self, measured: Range<u64>) {
        self.measured = measured;
    }

    pub fn is_measured(&self, time: u64) -> bool {
        self.measured.contains(&time)
    }

    /// A read returned; what is noted from now on arrived with it.
    pub fn begin_read(&mut self, now: u64) {
        self.turn_to(now);
        self.now = now;
    }

    /// A delivery that was due at this time.
    #[inline]
    pub fn note(&mut self, due: u64) {
        if due != self.due {
            self.end_read();
            self.due = due;
        }
        self.run += 1;
    }

    /// A delivery to a client that is not counted: it costs the server as much as the others.
    #[inline]
    pub fn note_uncounted(&mut self) {
        self.uncounted += u64::from(self.is_measured(self.now));
    }

    /// What was noted is put into the histograms.
    pub fn end_read(&mut self) {
        let run = std::mem::take(&mut self.run);
        if run == 0 {
            return;
        }
        let latency = self.now.saturating_sub(self.due);
        if self.is_measured(self.due) {
            self.all.saturating_record_n(latency, run);
        }
        if self.is_measured(self.now) {
            self.delivered += run;
            self.second.delivered += run;
            self.second.latency.saturating_record_n(latency, run);
        }
    }

    /// Something that is no message took from `began` to `now`.
    pub fn record(&mut self, began: u64, now: u64) {
        self.all.saturating_record(now.saturating_sub(began));
    }

    /// A socket took so many messages.
    pub fn sent(&mut self, now: u64, messages: u64) {
        if self.is_measured(now) {
            self.turn_to(now);
            self.sent += messages;
            self.second.sent += messages;
        }
    }

    /// Seconds end by the clock, whether or not anything happens.
    pub fn turn_to(&mut self, now: u64) {
        loop {
            let end = self.measured.start.saturating_add((self.second.index + 1) * SECOND);
            if now < end || end > self.measured.end {
                return;
            }
            let next = Second::new(self.second.index + 1);
            self.over.push(std::mem::replace(&mut self.second, next));
        }
    }

    /// Takes the seconds that are over.
    pub fn take_seconds(&mut self) -> Vec<Second> {
        std::mem::take(&mut self.over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_delivery_counts_once_with_its_own_latency() {
        let mut latencies = Latencies::new(0..10 * SECOND);
        latencies.begin_read(1_000);
        [100, 100, 100, 400, 100].into_iter().for_each(|due| latencies.note(due));
        latencies.end_read();
        latencies.begin_read(2_000);
        latencies.note(100);
        latencies.end_read();
        assert_eq!(latencies.all.count_at(900), 4);
        assert_eq!(latencies.all.count_at(600), 1);
        assert_eq!(latencies.all.count_at(1_900), 1);
        assert_eq!((latencies.all.len(), latencies.delivered), (6, 6));
    }

    #[test]
    fn what_was_due_and_what_arrived_in_the_measured_time_are_not_the_same() {
        let mut latencies = Latencies::new(SECOND..2 * SECOND);
        for (due, now) in [(SECOND / 2, SECOND), (SECOND, SECOND + 5), (SECOND + 5, 2 * SECOND)] {
            latencies.begin_read(now);
            latencies.note(due);
            latencies.note_uncounted();
            latencies.end_read();
        }
        assert_eq!((latencies.all.len(), latencies.delivered, latencies.uncounted), (2, 2, 2));
        assert!(latencies.all.max() >= SECOND - 10_000_000, "the one that came too late has its latency");
    }

    #[test]
    fn seconds_follow_the_clock_and_a_quiet_one_is_there_too() {
        let mut latencies = Latencies::new(SECOND..4 * SECOND);
        latencies.sent(SECOND, 3);
        latencies.begin_read(3 * SECOND);
        latencies.note(0);
        latencies.end_read();
        latencies.turn_to(100 * SECOND);
        let seconds = latencies.take_seconds();
        let counts: Vec<_> = seconds.iter().map(|s| (s.index, s.sent, s.delivered)).collect();
        assert_eq!(counts, [(0, 3, 0), (1, 0, 0), (2, 0, 1)]);
        assert_eq!(latencies.take_seconds().len(), 0);
    }
}
