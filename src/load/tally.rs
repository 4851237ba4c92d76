//! The count of every delivery: which receiver has had which message of which stream.
//!
//! For each receiver and stream there is one number, the sequence number that comes next. A delivery that has it (all of
//! them, if the server is good) costs a comparison. One that is ahead leaves a gap behind; what later fills it was
//! overtaken, what never does is lost, and what had been there before is a duplicate.

use super::flights::{Flights, Landing};
use super::latencies::Latencies;
use super::marker::Marker;

/// Gaps that are remembered at one time. When there are more, the oldest is forgotten, and what is in it and comes all
/// the same counts as a duplicate.
const GAPS_MAX: usize = 65_536;

/// One thread's receivers.
pub struct Tally {
    /// The sequence number that comes next, by seat.
    next: Vec<u32>,
    gaps: Vec<Gap>,
    pub seen: Seen,
}

/// What was seen so far.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Deliveries, each once.
    pub arrived: u64,
    pub duplicated: u64,
    pub out_of_order: u64,
    /// Messages that nobody of this run sent, or not to whom they came.
    pub strange: u64,
}

/// Messages of one stream that one receiver has not had, although it had later ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Gap {
    seat: usize,
    from: u32,
    /// Not in it any more.
    to: u32,
}

/// Where a receiver's numbers are: a seat for each stream that it hears.
#[derive(Clone, Default, Debug)]
pub struct Seats {
    /// The streams of its room, whose seats are side by side.
    first_stream: u32,
    streams: u32,
    first_seat: usize,
    /// Streams to it alone: each with its seat.
    alone: Vec<(u32, usize)>,
}

impl Seats {
    #[inline]
    fn of(&self, stream: u32) -> Option<usize> {
        let offset = stream.wrapping_sub(self.first_stream);
        if offset < self.streams {
            return Some(self.first_seat + offset as usize);
        }
        self.alone.iter().find(|(alone, _)| *alone == stream).map(|(_, seat)| *seat)
    }

    /// The streams, each with its seat.
    pub fn all(&self) -> impl Iterator<Item = (u32, usize)> {
        let room = (0..self.streams).map(|n| (self.first_stream + n, self.first_seat + n as usize));
        room.chain(self.alone.iter().copied())
    }
}

impl Tally {
    pub fn new() -> Tally {
        Tally { next: Vec::new(), gaps: Vec::new(), seen: Seen::default() }
    }

    /// Takes a receiver in, who hears the streams of a room and some to itself alone.
    pub fn seat(&mut self, room: std::ops::Range<u32>, alone: &[u32]) -> Seats {
        let first_seat = self.next.len();
        let first_alone = first_seat + room.len();
        self.next.resize(first_alone + alone.len(), 0);
        Seats {
            first_stream: room.start,
            streams: room.len() as u32,
            first_seat,
            alone: alone.iter().copied().zip(first_alone..).collect(),
        }
    }

    /// The sequence number that comes next at a seat.
    pub fn next_at(&self, seat: usize) -> u32 {
        self.next.get(seat).copied().unwrap_or_default()
    }

    /// Counts one delivery: the hot path of the whole generator.
    #[inline]
    pub fn deliver(
        &mut self,
        seats: &Seats,
        text: &[u8],
        latencies: &mut Latencies,
        flights: &mut Flights,
    ) -> Option<Landing> {
        let Some((marker, seat)) = Marker::read(text).and_then(|m| seats.of(m.stream).map(|seat| (m, seat)))
        else {
            self.seen.strange += 1;
            return None;
        };
        if marker.sequence == self.next[seat] {
            self.next[seat] += 1;
        } else if !self.deliver_out_of_turn(seat, marker, flights) {
            return None;
        }
        self.seen.arrived += 1;
        latencies.note(marker.due);
        flights.land(marker.stream, marker.sequence)
    }

    /// Returns whether it is a delivery that had not been made.
    #[cold]
    fn deliver_out_of_turn(&mut self, seat: usize, marker: Marker, flights: &Flights) -> bool {
        let (next, sequence) = (self.next[seat], marker.sequence);
        if sequence > next {
            if !flights.may_be(marker.stream, sequence) {
                self.seen.strange += 1;
                return false;
            }
            if self.gaps.len() == GAPS_MAX {
                self.gaps.remove(0);
            }
            self.gaps.push(Gap { seat, from: next, to: sequence });
            self.next[seat] = sequence + 1;
            return true;
        }
        let holds = |gap: &Gap| gap.seat == seat && (gap.from..gap.to).contains(&sequence);
        let Some(at) = self.gaps.iter().rposition(holds) else {
            self.seen.duplicated += 1;
            return false;
        };
        let gap = self.gaps.remove(at);
        let halves = [Gap { to: sequence, ..gap }, Gap { from: sequence + 1, ..gap }];
        self.gaps.splice(at..at, halves.into_iter().filter(|half| half.from < half.to));
        self.seen.out_of_order += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    struct World {
        tally: Tally,
        seats: Vec<Seats>,
        latencies: Latencies,
        flights: Flights,
    }

    impl World {
        /// Some receivers who all hear three streams.
        fn new(receivers: usize) -> World {
            let mut tally = Tally::new();
            let seats = (0..receivers).map(|_| tally.seat(0..3, &[])).collect();
            let mut flights = Flights::new(3);
            (0..3).for_each(|stream| flights.add_receivers(stream, receivers as u32));
            World { tally, seats, latencies: Latencies::new(0..u64::MAX), flights }
        }

        fn deliver(&mut self, receiver: usize, stream: u32, sequence: u32) -> Option<Landing> {
            let text = Marker { stream, sequence, due: 0 }.to_bytes();
            self.tally.deliver(&self.seats[receiver], &text, &mut self.latencies, &mut self.flights)
        }

        fn seen(&self) -> Seen {
            self.tally.seen
        }
    }

    #[test]
    fn what_comes_in_turn_is_counted_once() {
        let mut world = World::new(2);
        for sequence in 0..100 {
            assert_eq!(world.deliver(0, 1, sequence), None);
            assert_eq!(world.deliver(1, 1, sequence), Some(Landing { stream: 1, sequence }));
        }
        assert_eq!(world.seen(), Seen { arrived: 200, ..Seen::default() });
    }

    #[test]
    fn what_comes_twice_is_a_duplicate_and_arrived_once() {
        let mut world = World::new(1);
        for sequence in [0, 1, 1, 0, 2, 2] {
            world.deliver(0, 0, sequence);
        }
        assert_eq!(world.seen(), Seen { arrived: 3, duplicated: 3, ..Seen::default() });
    }

    #[test]
    fn what_was_overtaken_is_out_of_order_and_not_lost() {
        let mut world = World::new(1);
        for sequence in [3, 1, 0, 2, 2, 4] {
            world.deliver(0, 0, sequence);
        }
        assert_eq!(world.seen(), Seen { arrived: 5, duplicated: 1, out_of_order: 3, strange: 0 });
        assert_eq!(world.tally.gaps, []);
    }

    #[test]
    fn one_receivers_gap_is_not_anothers() {
        let mut world = World::new(2);
        world.deliver(0, 0, 1);
        world.deliver(1, 0, 0);
        world.deliver(1, 0, 0);
        world.deliver(0, 1, 0);
        assert_eq!(world.seen(), Seen { arrived: 3, duplicated: 1, ..Seen::default() });
        world.deliver(0, 0, 0);
        assert_eq!(world.seen(), Seen { arrived: 4, duplicated: 1, out_of_order: 1, strange: 0 });
    }

    #[test]
    fn what_is_nobodys_is_strange() {
        let mut world = World::new(1);
        world.deliver(0, 3, 0);
        world.deliver(0, 0, 1 << 29);
        let World { tally, seats, latencies, flights } = &mut world;
        tally.deliver(&seats[0], b"hello", latencies, flights);
        assert_eq!(world.seen(), Seen { strange: 3, ..Seen::default() });
    }

    proptest! {
        /// Against a set that remembers everything, for deliveries in any order, some of them twice and some never.
        #[test]
        fn it_agrees_with_a_set(
            deliveries in prop::collection::vec((0..3_usize, 0..3_u32, 0..40_u32), 0..600)
        ) {
            let (mut world, mut had, mut highest) = (World::new(3), HashSet::new(), [[None; 3]; 3]);
            let mut expected = Seen::default();
            for (receiver, stream, sequence) in deliveries {
                world.deliver(receiver, stream, sequence);
                let highest = &mut highest[receiver][stream as usize];
                if !had.insert((receiver, stream, sequence)) {
                    expected.duplicated += 1;
                    continue;
                }
                expected.arrived += 1;
                expected.out_of_order += u64::from(highest.is_some_and(|highest| highest > sequence));
                *highest = (*highest).max(Some(sequence));
            }
            prop_assert_eq!(world.seen(), expected);
        }
    }
}
