//! Who looks on while a run goes on: a progress bar, or nobody.

use super::outcome::Sample;

/// What a run is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Clients connect, log in, and enter their rooms.
    Connecting {
        done: usize,
        of: usize,
    },
    /// Everyone waits for one answer, so that nothing of the beginning is left under way.
    Settling,
    WarmingUp,
    Measuring,
    /// Nothing more is sent; deliveries are awaited that have not come.
    Draining {
        missing: u64,
    },
}

/// Every method has a default that does nothing.
pub trait Watch {
    /// The phase has changed, or got on.
    fn phase(&mut self, _: Phase) {}

    /// A second of the measured time is over.
    fn sample(&mut self, _: &Sample) {}

    /// Whether the run is to be given up; asked a few times a second.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Nobody looks on.
pub struct Unwatched;

impl Watch for Unwatched {}
