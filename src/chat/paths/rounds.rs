//! Which rounds of a search are wanted. A server can say "now" as often as it likes, for any relay and with any
//! addresses, and each time it would mean datagrams and connections to them: so it is heard only where this end has
//! offered addresses of its own and waits for it, and as often as a search may take.

use super::ROUNDS_MAX;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Rounds {
    relays: BTreeMap<u32, Expected>,
}

#[derive(Default)]
struct Expected {
    /// The latest round that was begun; 0 before the first.
    latest: u8,
    waiting: bool,
}

impl Rounds {
    /// This end has offered addresses on a relay: one more round may begin there.
    pub fn await_next(&mut self, channel: u32) {
        self.relays.entry(channel).or_default().waiting = true;
    }

    /// Whether this round is one to begin, which it then has. One may be missing before it: one for which the other end
    /// offered nothing.
    pub fn begin(&mut self, channel: u32, round: u8) -> bool {
        let Some(expected) = self.relays.get_mut(&channel) else { return false };
        let begins = expected.waiting && (1..=ROUNDS_MAX).contains(&round) && round > expected.latest;
        if begins {
            *expected = Expected { latest: round, waiting: false };
        }
        begins
    }

    /// The relay is closed.
    pub fn forget(&mut self, channel: u32) {
        self.relays.remove(&channel);
    }

    /// All relays are gone.
    pub fn clear(&mut self) {
        self.relays.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_begins_once_for_each_offer_and_later_than_the_one_before() {
        let mut rounds = Rounds::default();
        assert!(!rounds.begin(1, 1), "nothing was offered");
        rounds.await_next(1);
        assert!(!rounds.begin(2, 1) && !rounds.begin(1, 0) && !rounds.begin(1, ROUNDS_MAX + 1));
        assert!(rounds.begin(1, 1) && !rounds.begin(1, 2), "one offer, one round");
        rounds.await_next(1);
        assert!(!rounds.begin(1, 1) && rounds.begin(1, ROUNDS_MAX));
        rounds.await_next(1);
        assert!((0..=u8::MAX).all(|round| !rounds.begin(1, round)), "that was the last");
        rounds.forget(1);
        assert!(!rounds.begin(1, 1));
        rounds.await_next(1);
        assert!(rounds.begin(1, 1), "another relay with the same number");
    }
}
