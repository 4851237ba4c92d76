//! How long to wait before connecting again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// A connection that held this long is no reason for a longer pause after it.
const HELD: Duration = LONGEST;

/// Doubles from half a second to half a minute. A quarter of it is chance, so that the clients of a server that
/// comes back do not all come back at once.
#[derive(Default, Debug)]
pub struct Pause {
    doublings: u32,
    chance: RandomState,
}

impl Pause {
    /// The pause after a connection that held for so long, or after an attempt at one.
    pub fn next(&mut self, held: Option<Duration>) -> Duration {
        if held.is_some_and(|held| held >= HELD) {
            self.doublings = 0;
        }
        let pause = SHORTEST.saturating_mul(1 << self.doublings.min(16)).min(LONGEST);
        self.doublings = self.doublings.saturating_add(1);
        let mut hasher = self.chance.build_hasher();
        hasher.write_u32(self.doublings);
        pause.mul_f64(0.75 + 0.25 * (hasher.finish() % 1_024) as f64 / 1_024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_its_limit_and_starts_anew_after_a_connection_that_held() {
        let mut pause = Pause::default();
        let mut last = Duration::ZERO;
        for doublings in 0..20 {
            let full = SHORTEST.saturating_mul(1 << doublings).min(LONGEST);
            let next = pause.next((doublings == 0).then_some(Duration::from_secs(1)));
            assert!(next <= full && next >= full.mul_f64(0.75), "{next:?} of {full:?}");
            assert!(next > last || full == LONGEST);
            last = next;
        }
        assert!(pause.next(Some(HELD)) <= SHORTEST);
    }
}
