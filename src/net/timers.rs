//! Deadlines: a heap with one live entry per owner.
//!
//! An owner whose deadline moves later (the usual case: something was heard from it) does nothing; its entry comes up
//! early, is looked at, and goes back. Only a deadline that moves earlier costs a second entry, and the first one is
//! then recognised as stale by the owner's [`Alarm`].
//!
//! Time is an argument. mio has no timers and its timeout rounds up to milliseconds, which is fine for deadlines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// The owner's side: when its live entry comes up.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Alarm(Option<Moment>);

/// Nanoseconds since the heap was made, and one: half as long as an [`Instant`], of which every owner would hold two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(NonZeroU64);

/// The heap.
pub struct Timers<K> {
    start: Instant,
    heap: BinaryHeap<Reverse<(Moment, K)>>,
}

impl<K: Ord + Copy> Timers<K> {
    pub fn new(now: Instant) -> Self {
        Timers { start: now, heap: BinaryHeap::new() }
    }

    /// Sees to it that `key` comes up at `deadline` or before.
    pub fn arm(&mut self, alarm: &mut Alarm, key: K, deadline: Instant) {
        let deadline = self.moment(deadline);
        if alarm.0.is_some_and(|set| set <= deadline) {
            return;
        }
        alarm.0 = Some(deadline);
        self.heap.push(Reverse((deadline, key)));
    }

    /// The next entry that is due, with the moment it was set for. Whether it still means something, [`Alarm::ring`]
    /// says.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Moment, K)> {
        match self.heap.peek() {
            Some(&Reverse((at, _))) if at <= self.moment(now) => self.heap.pop().map(|Reverse(entry)| entry),
            _ => None,
        }
    }

    /// When to wake up; early, perhaps, but never late.
    pub fn next(&self) -> Option<Instant> {
        let Reverse((at, _)) = self.heap.peek()?;
        Some(self.start + Duration::from_nanos(at.0.get() - 1))
    }

    /// Good for five centuries; what lies before the start is the start.
    fn moment(&self, at: Instant) -> Moment {
        let nanos = at.saturating_duration_since(self.start).as_nanos();
        Moment(NonZeroU64::MIN.saturating_add(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }
}

impl Alarm {
    /// Whether the entry that came up for `at` is the live one; if so, the alarm is off and the owner has to look at
    /// its deadline and arm it again.
    pub fn ring(&mut self, at: Moment) -> bool {
        if self.0 == Some(at) {
            self.0 = None;
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What somebody with a timer can do: put its deadline somewhere, or let time pass.
    #[derive(Clone, Debug)]
    enum Step {
        Move { owner: usize, to: u64 },
        Pass(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..5_usize, 0..100_u64).prop_map(|(owner, to)| Step::Move { owner, to }),
            (0..20_u64).prop_map(Step::Pass),
        ];
        prop::collection::vec(step, 0..200)
    }

    proptest! {
        /// Against a model that looks at every owner at every moment: an owner expires when its deadline has come,
        /// once, and never before.
        #[test]
        fn owners_expire_when_the_model_says(steps in steps()) {
            let start = Instant::now();
            let at = |ms| start + Duration::from_millis(ms);
            let mut now = 0;
            let mut timers = Timers::new(start);
            let mut owners: Vec<(Alarm, Option<u64>)> = vec![(Alarm::default(), None); 5];
            for step in steps {
                match step {
                    Step::Move { owner, to } => {
                        let (alarm, deadline) = &mut owners[owner];
                        *deadline = Some(now + to);
                        timers.arm(alarm, owner, at(now + to));
                    }
                    Step::Pass(ms) => now += ms,
                }
                let expected: Vec<usize> =
                    (0..5).filter(|&o| owners[o].1.is_some_and(|deadline| deadline <= now)).collect();
                let mut expired = Vec::new();
                while let Some((set_for, owner)) = timers.pop_due(at(now)) {
                    let (alarm, deadline) = &mut owners[owner];
                    if !alarm.ring(set_for) {
                        continue;
                    }
                    match *deadline {
                        Some(due) if due <= now => {
                            *deadline = None;
                            expired.push(owner);
                        }
                        Some(later) => timers.arm(alarm, owner, at(later)),
                        None => {}
                    }
                }
                expired.sort_unstable();
                prop_assert_eq!(expired, expected);
                let next = owners.iter().filter_map(|&(_, deadline)| deadline).min();
                if let Some(next) = next {
                    prop_assert!(timers.next().is_some_and(|woken| woken <= at(next)), "sleeps too long");
                }
            }
        }
    }

    #[test]
    fn a_deadline_that_only_moves_later_costs_one_entry() {
        let now = Instant::now();
        let (mut timers, mut alarm) = (Timers::new(now), Alarm::default());
        for second in 1..1_000 {
            timers.arm(&mut alarm, 1, now + Duration::from_secs(second));
        }
        assert_eq!(timers.heap.len(), 1);
    }
}
