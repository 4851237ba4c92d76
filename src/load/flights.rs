//! Messages under way: how many receivers of this thread have not had each of them yet.
//!
//! A message has landed in a thread with its last receiver there, and altogether with the last thread. That is what a
//! closed loop waits for before it sends the next, and what the time to the last receiver is.

use std::collections::VecDeque;

/// How far a message of a stream can be ahead of all that have arrived in this thread. Nothing that is further ahead was
/// ever sent.
const AHEAD_MAX: u32 = 1 << 24;

/// The last receiver of this thread has had this message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Landing {
    pub stream: u32,
    pub sequence: u32,
}

/// All streams that this thread has receivers of.
pub struct Flights(Vec<Flight>);

#[derive(Clone, Default)]
struct Flight {
    /// Receivers in this thread of a message that is sent now.
    receivers: u32,
    /// The sequence number of the first of `left`.
    first: u32,
    /// For each message, those who have not had it. Grows as messages arrive, and shrinks from the front.
    left: VecDeque<u32>,
}

impl Flights {
    pub fn new(streams: usize) -> Flights {
        Flights(vec![Flight::default(); streams])
    }

    pub fn add_receivers(&mut self, stream: u32, receivers: u32) {
        if let Some(flight) = self.0.get_mut(stream as usize) {
            flight.receivers += receivers;
        }
    }

    /// Whether a message could have been sent.
    pub fn may_be(&self, stream: u32, sequence: u32) -> bool {
        let flight = self.0.get(stream as usize);
        // Not of the first that has not landed: that one may be lost, and nobody waits for it to come.
        let arrived = |flight: &Flight| flight.first.saturating_add(flight.left.len() as u32);
        flight.is_some_and(|flight| sequence.saturating_sub(arrived(flight)) < AHEAD_MAX)
    }

    /// A receiver has had a message for the first time.
    #[inline]
    pub fn land(&mut self, stream: u32, sequence: u32) -> Option<Landing> {
        let flight = self.0.get_mut(stream as usize)?;
        let at = sequence.checked_sub(flight.first)? as usize;
        if at >= flight.left.len() {
            flight.left.resize(at + 1, flight.receivers);
        }
        let left = flight.left.get_mut(at)?;
        *left = left.saturating_sub(1);
        if *left > 0 {
            return None;
        }
        flight.forget_landed();
        Some(Landing { stream, sequence })
    }

    /// A receiver is gone that would have had `next` next: nobody waits for it any more. Tells what has landed thereby.
    pub fn leave(&mut self, stream: u32, next: u32, mut landed: impl FnMut(Landing)) {
        let Some(flight) = self.0.get_mut(stream as usize) else { return };
        let receivers = flight.receivers;
        flight.receivers = receivers.saturating_sub(1);
        let skipped = next.saturating_sub(flight.first) as usize;
        for (sequence, left) in (flight.first..).zip(&mut flight.left).skip(skipped) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                landed(Landing { stream, sequence });
            }
        }
        flight.forget_landed();
    }

    /// Nobody waits any more for messages up to this one.
    pub fn give_up(&mut self, stream: u32, sequence: u32) {
        let Some(flight) = self.0.get_mut(stream as usize) else { return };
        let count = (sequence + 1).saturating_sub(flight.first) as usize;
        flight.left.drain(..count.min(flight.left.len()));
        flight.first = flight.first.max(sequence + 1);
    }
}

impl Flight {
    fn forget_landed(&mut self) {
        while self.left.front() == Some(&0) {
            self.left.pop_front();
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_lands_with_its_last_receiver_whatever_the_order() {
        let mut flights = Flights::new(1);
        flights.add_receivers(0, 2);
        assert_eq!(flights.land(0, 1), None);
        assert_eq!(flights.land(0, 1), Some(Landing { stream: 0, sequence: 1 }), "before the one before it");
        assert_eq!(flights.land(0, 0), None);
        assert_eq!(flights.land(0, 0), Some(Landing { stream: 0, sequence: 0 }));
        assert_eq!((flights.0[0].first, flights.0[0].left.len()), (2, 0), "nothing is kept");
    }

    #[test]
    fn who_leaves_is_not_waited_for() {
        let mut flights = Flights::new(1);
        flights.add_receivers(0, 2);
        flights.land(0, 0);
        flights.land(0, 1);
        let mut landed = Vec::new();
        flights.leave(0, 1, |landing| landed.push(landing.sequence));
        assert_eq!(landed, [1], "it had the first one, which the other has not had");
        assert_eq!(flights.land(0, 0), Some(Landing { stream: 0, sequence: 0 }));
        assert_eq!(
            flights.land(0, 2),
            Some(Landing { stream: 0, sequence: 2 }),
            "and of the next there is one receiver"
        );
    }

    #[test]
    fn what_is_given_up_and_comes_all_the_same_changes_nothing() {
        let mut flights = Flights::new(1);
        flights.add_receivers(0, 2);
        flights.land(0, 2);
        flights.give_up(0, 1);
        assert_eq!(flights.land(0, 0), None);
        assert_eq!(flights.land(0, 2), Some(Landing { stream: 0, sequence: 2 }));
    }

    #[test]
    fn a_message_that_never_lands_makes_no_later_one_impossible() {
        let mut flights = Flights::new(1);
        flights.add_receivers(0, 1);
        for sequence in [AHEAD_MAX - 1, AHEAD_MAX + 5] {
            assert!(flights.may_be(0, sequence), "0 has not landed");
            flights.land(0, sequence);
        }
        assert!(!flights.may_be(0, 3 * AHEAD_MAX), "nobody can have sent that");
    }
}
