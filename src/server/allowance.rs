//! What one client may make the server send in datagrams: so many a second, and so many at once.
//!
//! A room multiplies: one message becomes a datagram for each member who wants them, and nothing slows a sender of
//! datagrams down, as TCP slows down a sender of bytes. So whoever causes datagrams pays for each of them.
//!
//! Kept as one moment, that at which the account will be level again (the *theoretical arrival time* of GCRA, ITU-T
//! I.371 annex A): each datagram moves it on by what it costs, and it may lie so far ahead as the burst costs. Pure:
//! time is an argument.

use std::time::{Duration, Instant};

/// How much may be spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    pub per_second: usize,
    /// At once, after a silence.
    pub burst: usize,
}

/// What has been spent. Starts with the whole burst to spend.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    level_at: Instant,
}

impl Allowance {
    pub fn new(now: Instant) -> Self {
        Allowance { level_at: now }
    }

    /// Takes one; `false` when none is left.
    pub fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.take_up_to(1, rate, now) == 1
    }

    /// Takes as many as are left, at most `wanted`, and says how many.
    pub fn take_up_to(&mut self, wanted: usize, rate: Rate, now: Instant) -> usize {
        let each = rate.each();
        let owed = self.level_at.saturating_duration_since(now);
        let left = (each * units(rate.burst)).saturating_sub(owed);
        let taken = wanted.min(usize::try_from(left.as_nanos() / each.as_nanos()).unwrap_or(usize::MAX));
        self.level_at = self.level_at.max(now) + each * units(taken);
        taken
    }

    /// Gives back what was taken and not spent.
    pub fn give_back(&mut self, unspent: usize, rate: Rate) {
        self.level_at = self.level_at.checked_sub(rate.each() * units(unspent)).unwrap_or(self.level_at);
    }
}

impl Rate {
    /// What one costs, in time: never nothing.
    fn each(self) -> Duration {
        (Duration::from_secs(1) / units(self.per_second).max(1)).max(Duration::from_nanos(1))
    }
}

fn units(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10, burst: 5 };

    #[test]
    fn a_burst_is_there_at_once_and_the_rest_comes_with_time() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        assert_eq!(allowance.take_up_to(7, RATE, start), 5);
        assert!(!allowance.take(RATE, start));
        assert!(!allowance.take(RATE, start + Duration::from_millis(99)));
        assert!(allowance.take(RATE, start + Duration::from_millis(100)));
        let later = start + Duration::from_secs(100);
        assert_eq!(allowance.take_up_to(100, RATE, later), 5, "silence saves up no more than the burst");
    }

    #[test]
    fn over_a_long_time_it_is_the_rate() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let taken: usize =
            (0..10_000).map(|ms| allowance.take_up_to(3, RATE, start + Duration::from_millis(ms))).sum();
        assert!((100..=105).contains(&taken), "{taken} in ten seconds");
    }

    #[test]
    fn what_was_not_spent_can_be_spent_later() {
        let now = Instant::now();
        let mut allowance = Allowance::new(now);
        assert_eq!(allowance.take_up_to(5, RATE, now), 5);
        allowance.give_back(3, RATE);
        assert_eq!(allowance.take_up_to(5, RATE, now), 3);
    }

    #[test]
    fn extremes_do_no_harm() {
        let now = Instant::now();
        for rate in [Rate { per_second: 0, burst: 0 }, Rate { per_second: usize::MAX, burst: usize::MAX }] {
            let mut allowance = Allowance::new(now);
            let taken = allowance.take_up_to(usize::MAX, rate, now);
            assert!(taken <= rate.burst);
            allowance.give_back(taken, rate);
            allowance.take(rate, now);
        }
    }
}
