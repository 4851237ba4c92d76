//! When messages of an open loop are due: by a fixed rate, whatever the server does.
//!
//! Streams take turns, so that each sends at a fixed interval and all of them together do. Every thread computes its own
//! messages' times from the message's number alone; nothing adds up, so nothing drifts, and a message that is late does
//! not make the next one late.

/// What one thread has to send, in the order in which it is due.
#[derive(Clone, Debug)]
pub struct Schedule {
    start: u64,
    /// Nanoseconds between two messages, of all threads together.
    interval: f64,
    /// Messages in a round, of all threads together.
    round_len: u64,
    /// Places of this thread's streams in a round, in order.
    places: Vec<u64>,
    round: u64,
    next: usize,
}

impl Schedule {
    /// `rate` messages a second from `start` on; of each `round_len` in a row, those in `places` are this thread's.
    pub fn new(start: u64, rate: f64, round_len: usize, places: Vec<u64>) -> Schedule {
        // Of a rate that is none, the first message is due and no other.
        let interval = (1e9 / rate).min(u64::MAX as f64);
        Schedule { start, interval, round_len: round_len as u64, places, round: 0, next: 0 }
    }

    /// When the next one is due; `None` when this thread sends nothing.
    pub fn next_due(&self) -> Option<u64> {
        let place = self.places.get(self.next)?;
        let number = self.round.saturating_mul(self.round_len).saturating_add(*place);
        Some(self.start.saturating_add((number as f64 * self.interval) as u64))
    }

    /// How many there are from the next one on that are due before `end`.
    pub fn due_before(&self, end: u64) -> u64 {
        // Messages of all threads, from the first one on.
        let all = (end.saturating_sub(self.start) as f64 / self.interval).ceil() as u64;
        let (rounds, rest) = (all / self.round_len.max(1), all % self.round_len.max(1));
        let of_last = self.places.iter().filter(|place| **place < rest).count() as u64;
        let places = self.places.len() as u64;
        let taken = self.round.saturating_mul(places).saturating_add(self.next as u64);
        rounds.saturating_mul(places).saturating_add(of_last).saturating_sub(taken)
    }

    /// Nothing is due any more.
    pub fn end(&mut self) {
        self.places.clear();
    }

    /// Takes the next one: an index into `places`, and its time.
    pub fn take(&mut self) -> Option<(usize, u64)> {
        let due = self.next_due()?;
        let taken = self.next;
        self.next += 1;
        if self.next == self.places.len() {
            (self.next, self.round) = (0, self.round + 1);
        }
        Some((taken, due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_until(schedule: &mut Schedule, end: u64) -> Vec<(usize, u64)> {
        std::iter::from_fn(|| schedule.take_before(end)).collect()
    }

    impl Schedule {
        fn take_before(&mut self, end: u64) -> Option<(usize, u64)> {
            self.next_due().filter(|due| *due < end)?;
            self.take()
        }
    }

    #[test]
    fn messages_are_due_exactly_when_the_rate_says_and_never_drift() {
        let mut schedule = Schedule::new(500, 1_000.0, 3, vec![0, 1, 2]);
        let all = all_until(&mut schedule, 500 + 3_600_000_000_000);
        assert_eq!(all.len(), 3_600_000, "an hour of 1,000 a second");
        for (number, (place, due)) in all.into_iter().enumerate() {
            assert_eq!((place, due), (number % 3, 500 + number as u64 * 1_000_000));
        }
    }

    #[test]
    fn a_rate_that_does_not_divide_a_second_is_kept_all_the_same() {
        let mut schedule = Schedule::new(0, 7_001.0, 1, vec![0]);
        assert_eq!(all_until(&mut schedule, 1_000 * 1_000_000_000).len(), 7_001_000);
    }

    #[test]
    fn threads_share_one_schedule_without_a_word() {
        let whole = all_until(&mut Schedule::new(9, 12_345.0, 5, (0..5).collect()), 1_000_000_000);
        let mut merged = Vec::new();
        for places in [vec![0, 3], vec![1, 4], vec![2]] {
            let mut part = Schedule::new(9, 12_345.0, 5, places.clone());
            let part = all_until(&mut part, 1_000_000_000);
            merged.extend(part.into_iter().map(|(index, due)| (places[index] as usize, due)));
        }
        merged.sort_by_key(|(_, due)| *due);
        assert_eq!(merged, whole);
    }

    #[test]
    fn what_is_left_is_counted_without_going_through_it() {
        let mut schedule = Schedule::new(500, 7_001.0, 5, vec![1, 4]);
        for end in [0, 500, 501, 1_000_000, 999_999_999, 5_000_000_000] {
            let left = schedule.due_before(end);
            assert_eq!(left, all_until(&mut schedule.clone(), end).len() as u64, "{end}");
        }
        all_until(&mut schedule, 2_000_000_000);
        assert_eq!(schedule.due_before(2_000_000_000), 0);
        assert_eq!(schedule.due_before(1_000_000), 0, "that is over");
        schedule.end();
        assert_eq!((schedule.next_due(), schedule.due_before(u64::MAX)), (None, 0));
    }

    #[test]
    fn a_rate_that_is_none_makes_no_time_that_is_none() {
        for rate in [1e-300, 1e300, f64::INFINITY, f64::NAN, 0.0] {
            let mut schedule = Schedule::new(500, rate, 3, vec![0, 2]);
            assert_eq!(schedule.take(), Some((0, 500)), "{rate}");
            for _ in 0..10 {
                let (_, due) = schedule.take().expect("there is always a next one");
                assert!(due >= 500, "{rate}");
            }
        }
    }

    #[test]
    fn a_thread_without_streams_has_nothing_to_send() {
        assert_eq!(Schedule::new(0, 1.0, 4, Vec::new()).take(), None);
    }
}
