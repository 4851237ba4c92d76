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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Allowance {
    level_at: Instant,
}

impl Allowance {
    pub fn new(now: Instant) -> Self {
        Allowance { level_at: now }
    }

    /// Takes one; `false` when none is left.
    pub fn take(&mut self, rate: Rate, now: Instant) -> bool {
        let (each, owed) = (rate.each(), self.owed(now));
        let is_left = owed + each <= each.saturating_mul(units(rate.burst));
        if is_left {
            self.level_at = now + Duration::from_nanos(owed + each);
        }
        is_left
    }

    /// When one is left; `None` if one is now.
    pub fn next(&self, rate: Rate, now: Instant) -> Option<Instant> {
        let (each, owed) = (rate.each(), self.owed(now));
        let lacking = (owed + each).saturating_sub(each.saturating_mul(units(rate.burst)));
        (lacking > 0).then(|| now + Duration::from_nanos(lacking))
    }

    /// Whether nothing is spent of the burst.
    pub fn is_whole(&self, now: Instant) -> bool {
        self.level_at <= now
    }

    /// Takes as many as are left, at most `wanted`, and says how many.
    pub fn take_up_to(&mut self, wanted: usize, rate: Rate, now: Instant) -> usize {
        let (each, owed) = (rate.each(), self.owed(now));
        let left = each.saturating_mul(units(rate.burst)).saturating_sub(owed) / each;
        let taken = units(wanted).min(left);
        self.level_at = now + Duration::from_nanos(owed + each * taken);
        taken as usize
    }

    /// Gives back what was taken and not spent.
    pub fn give_back(&mut self, unspent: usize, rate: Rate) {
        let nanos = rate.each().saturating_mul(units(unspent));
        self.level_at = self.level_at.checked_sub(Duration::from_nanos(nanos)).unwrap_or(self.level_at);
    }

    /// In nanoseconds.
    fn owed(&self, now: Instant) -> u64 {
        u64::try_from(self.level_at.saturating_duration_since(now).as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Rate {
    /// What one costs, in nanoseconds: from one to a second.
    fn each(self) -> u64 {
        (1_000_000_000 / units(self.per_second).max(1)).max(1)
    }
}

/// A count that, times the nanoseconds of a second, fits into 64 bits.
fn units(count: usize) -> u64 {
    count.min(u32::MAX as usize) as u64
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
