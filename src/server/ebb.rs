//! When much has been freed, and it is worth the time to give it back to the system.
//!
//! The allocator cannot know that a flood is over. Whoever has to share a machine would see for days what one bad
//! minute took.

use std::time::{Duration, Instant};

/// Fewer than that never made much of a flood.
const FLOOD_MIN: usize = 256;

/// What is left of a flood when it is over: one of so many.
const LEFT: usize = 8;

/// How long it has to be over. Turns of a busy server come and go.
const CALM: Duration = Duration::from_secs(1);

/// How long until the next time. It takes some milliseconds where much is held.
const PAUSE: Duration = Duration::from_secs(10);

/// Watches how many things are held: blocks, connections, and rooms, which have a past.
#[derive(Default)]
pub struct Ebb {
    peaks: [usize; 3],
    due: Option<Instant>,
    last: Option<Instant>,
}

impl Ebb {
    /// Takes note of how many are held at the end of a turn. Returns whether it is time to give back.
    pub fn note(&mut self, held: [usize; 3], now: Instant) -> bool {
        let mut is_low = false;
        for (peak, held) in self.peaks.iter_mut().zip(held) {
            *peak = held.max(*peak);
            is_low |= *peak >= FLOOD_MIN && held <= *peak / LEFT;
        }
        if !is_low {
            self.due = None;
            return false;
        }
        let calm = || self.last.map_or(now + CALM, |last| (last + PAUSE).max(now + CALM));
        if *self.due.get_or_insert_with(calm) > now {
            return false;
        }
        *self = Ebb { peaks: held, due: None, last: Some(now) };
        true
    }

    /// When it wants to know again.
    pub fn deadline(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_once_a_flood_has_been_over_for_a_while() {
        let (start, mut ebb) = (Instant::now(), Ebb::default());
        let at = |millis| start + Duration::from_millis(millis);
        assert!(!ebb.note([300_000, 300, 1], at(0)));
        assert_eq!(ebb.deadline(), None);
        assert!(!ebb.note([0, 300, 1], at(10)));
        assert_eq!(ebb.deadline(), Some(at(1_010)));
        assert!(!ebb.note([0, 300, 1], at(1_009)));
        assert!(ebb.note([0, 300, 1], at(1_010)));
        assert_eq!(ebb.deadline(), None);
        assert!(!ebb.note([0, 300, 1], at(5_000)), "nothing has come since");

        assert!(!ebb.note([0, 0, 1], at(6_000)), "the connections, too");
        assert_eq!(ebb.deadline(), Some(at(11_010)), "but not at once");
        assert!(ebb.note([0, 0, 1], at(11_010)));
    }

    #[test]
    fn what_comes_and_goes_with_every_turn_is_no_flood() {
        let (start, mut ebb) = (Instant::now(), Ebb::default());
        for turn in 0..10_000 {
            let held = if turn % 2 == 0 { 10_000 } else { 0 };
            assert!(!ebb.note([held, 1_000, 1], start + Duration::from_millis(turn)));
        }
        let mut ebb = Ebb::default();
        for turn in 0..100 {
            assert!(!ebb.note([0, 100 - turn, 1], start + Duration::from_secs(turn as u64)), "they were few");
        }
    }
}
