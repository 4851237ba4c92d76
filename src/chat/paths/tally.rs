//! Counting sealed frames: each is taken once, and a gap between two counters is a loss until what belongs there comes.

use super::Tally;
use crate::wire::datagram::ReplayWindow;

#[derive(Clone, Copy, Debug)]
pub struct Received {
    window: ReplayWindow,
    /// The counter from which on gaps count, once it is known.
    first: Option<u64>,
    highest: u64,
    received: u64,
    replayed: u64,
}

impl Received {
    /// Counts from counter 0 on.
    pub fn from_first() -> Self {
        Received { first: Some(0), ..Received::from_next() }
    }

    /// Counts from whatever comes next on.
    pub fn from_next() -> Self {
        Received { window: ReplayWindow::default(), first: None, highest: 0, received: 0, replayed: 0 }
    }

    /// Forgets the counts, but not what was seen: they start again with what comes next.
    pub fn restart(&mut self) {
        *self = Received { window: self.window, ..Received::from_next() };
    }

    /// Notes a frame; `false` when it was seen before, or may have been.
    pub fn accept(&mut self, counter: u64) -> bool {
        if !self.window.accept(counter) {
            self.replayed += 1;
            return false;
        }
        // One from before the restart that comes late is in none of the counts.
        if counter >= *self.first.get_or_insert(counter) {
            self.received += 1;
            self.highest = self.highest.max(counter);
        }
        true
    }

    pub fn tally(&self, sent: u64, forged: u64) -> Tally {
        let expected = match self.first {
            Some(first) if self.received > 0 => (self.highest - first).saturating_add(1),
            _ => 0,
        };
        let lost = expected.saturating_sub(self.received);
        Tally { sent, received: self.received, lost, forged, replayed: self.replayed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_losses_until_they_are_filled() {
        let mut counted = Received::from_first();
        [2, 5, 3].into_iter().for_each(|counter| assert!(counted.accept(counter)));
        assert_eq!((counted.tally(0, 0).received, counted.tally(0, 0).lost), (3, 3));
    }

    #[test]
    fn a_restart_forgets_the_counts_and_not_what_was_seen() {
        let mut counted = Received::from_first();
        assert!(counted.accept(10) && counted.accept(12));
        counted.restart();
        assert_eq!(counted.tally(0, 0), Tally::default());
        assert!(!counted.accept(12), "still a replay");
        assert!(counted.accept(20) && counted.accept(11) && counted.accept(22));
        let tally = counted.tally(0, 0);
        assert_eq!((tally.received, tally.lost, tally.replayed), (2, 1, 1));
    }
}
