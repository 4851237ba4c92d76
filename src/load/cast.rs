//! Who plays which part in a run: every client, every stream of messages and its audience, and which thread drives whom.
//! Made once, before anybody connects, and the same for all threads.

use super::error::Error;
use super::marker;
use super::plan::{Plan, Rooms};
use super::speech::Speech;
use std::ops::Range;

/// Everybody and everything, by number.
#[derive(Clone, Default, Debug)]
pub struct Cast {
    pub roles: Vec<Role>,
    pub streams: Vec<Stream>,
    /// The order in which streams take turns; one may be in it more often than others.
    pub rotation: Vec<u32>,
    /// Names of rooms.
    pub rooms: Vec<String>,
    /// Bytes of each message's text.
    pub payload: usize,
    /// Whether messages go in datagrams.
    pub has_datagrams: bool,
}

/// One client.
#[derive(Clone, Debug)]
pub struct Role {
    pub name: String,
    pub thread: usize,
    /// The room it is in.
    pub room: Option<u32>,
    /// The streams of its room.
    pub hears: Range<u32>,
    /// Streams that have it alone as their audience.
    pub hears_alone: Vec<u32>,
    pub part: Part,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Every delivery to it is expected, and counted.
    Member,
    /// Stops reading when the measured time begins. What it is sent is not counted.
    Staller,
    /// Comes and goes. What it is sent is not counted.
    Visitor,
}

/// The messages of one client to one audience, which are numbered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream {
    /// The client that sends it.
    pub by: u32,
    pub to: Audience,
    /// How many deliveries of each message are expected, in all threads.
    pub receivers: u32,
    /// How many threads have receivers.
    pub threads: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    Room(u32),
    Client(u32),
    /// The other end of the sender's relay.
    Relay(u32),
}

impl Cast {
    /// Rooms of the same size, whose first members send.
    ///
    /// # Errors
    /// [`Error::Plan`].
    pub fn rooms(plan: &Plan, rooms: &Rooms, speech: Speech, tag: &str) -> Result<Cast, Error> {
        check(plan, rooms, speech)?;
        let mut cast = Cast { payload: rooms.payload, ..Cast::default() };
        let named = rooms.named.clone().unwrap_or_else(|| format!("b{tag}"));
        for room in 0..rooms.rooms {
            let first = (room * rooms.senders) as u32;
            let hears = first..first + rooms.senders as u32;
            cast.rooms.push(format!("#{named}{room:04}"));
            for member in 0..rooms.members {
                // A room stays in one thread where there are rooms enough; otherwise every room is in all of them.
                let thread = if rooms.rooms >= plan.threads { room } else { member } % plan.threads;
                cast.add(tag, thread, Some(room as u32), hears.clone());
                if member < rooms.senders {
                    let by = cast.roles.len() as u32 - 1;
                    let to = Audience::Room(room as u32);
                    cast.streams.push(Stream { by, to, receivers: 0, threads: 0 });
                }
            }
        }
        // The first sender of each room, then the second of each.
        let (rooms, senders) = (rooms.rooms as u32, rooms.senders as u32);
        cast.rotation = (0..senders).flat_map(|s| (0..rooms).map(move |room| room * senders + s)).collect();
        Ok(cast)
    }

    /// Adds a member and returns its number.
    pub fn add(&mut self, tag: &str, thread: usize, room: Option<u32>, hears: Range<u32>) -> u32 {
        let number = self.roles.len();
        let name = format!("b{tag}{}", base36(number));
        let hears_alone = Vec::new();
        self.roles.push(Role { name, thread, room, hears, hears_alone, part: Part::Member });
        number as u32
    }

    /// Adds a stream to one client alone, and returns its number.
    pub fn add_stream(&mut self, by: u32, to: Audience, receiver: u32) -> u32 {
        let id = self.streams.len() as u32;
        self.streams.push(Stream { by, to, receivers: 0, threads: 0 });
        self.roles.get_mut(receiver as usize).into_iter().for_each(|role| role.hears_alone.push(id));
        id
    }

    /// How many files a client has open.
    pub fn sockets_each(&self) -> u64 {
        if self.has_datagrams { 2 } else { 1 }
    }

    /// Whether a client is one of a stream's counted receivers.
    pub fn receives(&self, number: u32, stream: u32, echo: bool) -> bool {
        let (Some(role), Some(stream)) = (self.roles.get(number as usize), self.streams.get(stream as usize))
        else {
            return false;
        };
        role.part == Part::Member && (echo || stream.by != number)
    }

    /// Counts every stream's receivers, once all parts are given out.
    pub fn count_receivers(&mut self, threads: usize, echo: bool) {
        // By stream and thread.
        let mut counts = vec![0_u32; self.streams.len() * threads];
        for (number, role) in self.roles.iter().enumerate() {
            for stream in role.hears.clone().chain(role.hears_alone.iter().copied()) {
                counts[stream as usize * threads + role.thread] +=
                    u32::from(self.receives(number as u32, stream, echo));
            }
        }
        for (stream, counts) in self.streams.iter_mut().zip(counts.chunks_exact(threads)) {
            stream.receivers = counts.iter().sum();
            stream.threads = counts.iter().filter(|count| **count > 0).count() as u32;
        }
    }
}

fn check(plan: &Plan, rooms: &Rooms, speech: Speech) -> Result<(), Error> {
    let wrong = |sentence: String| Err(Error::Plan(sentence));
    if plan.threads == 0 || rooms.rooms == 0 || rooms.senders == 0 {
        return wrong("there must be at least one thread, one room and one sender".into());
    }
    if rooms.senders > rooms.members {
        return wrong(format!("{} senders in a room of {} members", rooms.senders, rooms.members));
    }
    if rooms.members < 2 {
        return wrong("a room needs two members: nobody hears their own words".into());
    }
    if speech.has_echo() && rooms.rooms != 1 {
        return wrong("a floor knows no rooms; everybody is in one".into());
    }
    if rooms.rooms.saturating_mul(rooms.senders) > marker::STREAMS_MAX {
        return wrong(format!("more than {} senders", marker::STREAMS_MAX));
    }
    check_payload(rooms.payload, speech.text_max())
}

/// Whether messages can be as long as they are to be.
///
/// # Errors
/// [`Error::Plan`].
pub fn check_payload(payload: usize, max: usize) -> Result<(), Error> {
    let min = marker::LEN;
    if (min..=max).contains(&payload) {
        return Ok(());
    }
    Err(Error::Plan(format!("a payload of {payload} bytes; it can be from {min} (the marker) to {max}")))
}

/// Four digits, so that names of clients have one length.
fn base36(number: usize) -> String {
    (0..4).rev().map(|digit| base36_digit(number / 36_usize.pow(digit))).collect()
}

/// Tells the clients and rooms of one run from those of another, which may not be gone yet: four characters.
pub fn tag(seed: u64) -> String {
    (0..4).map(|digit| base36_digit((seed / 36_u64.pow(digit)) as usize)).collect()
}

fn base36_digit(number: usize) -> char {
    char::from_digit((number % 36) as u32, 36).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::plan::{Pace, Protocol, Scenario};
    use std::collections::BTreeSet;
    use std::time::Duration;

    fn plan(threads: usize, rooms: Rooms) -> Plan {
        Plan {
            scenario: Scenario::Rooms(rooms),
            protocol: Protocol::Native,
            threads,
            spread_sources: false,
            warmup: Duration::ZERO,
            duration: Duration::ZERO,
            patience: Duration::ZERO,
        }
    }

    fn rooms(rooms: usize, members: usize, senders: usize) -> Rooms {
        Rooms { rooms, members, senders, payload: 64, pace: Pace::Window(1), named: None }
    }

    fn cast(threads: usize, rooms: Rooms) -> Cast {
        let plan = plan(threads, rooms.clone());
        let mut cast = Cast::rooms(&plan, &rooms, Speech::Native, "abcd").expect("a good plan");
        cast.count_receivers(threads, false);
        cast
    }

    #[test]
    fn everybody_but_the_sender_is_a_receiver() {
        let cast = cast(1, rooms(3, 10, 4));
        assert_eq!((cast.roles.len(), cast.streams.len()), (30, 12));
        assert!(cast.streams.iter().all(|stream| (stream.receivers, stream.threads) == (9, 1)));
        assert_eq!(cast.rotation, [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
        let names: BTreeSet<_> = cast.roles.iter().map(|role| &role.name).collect();
        assert_eq!(names.len(), 30);
        assert!(names.iter().all(|name| name.len() == 9), "as long as IRC allows everywhere");
    }

    #[test]
    fn a_room_is_spread_over_threads_only_where_there_are_fewer_rooms() {
        let one = cast(3, rooms(1, 10, 1));
        assert_eq!((one.streams[0].receivers, one.streams[0].threads), (9, 3));
        let pair = cast(2, rooms(1, 2, 1));
        assert_eq!(
            (pair.streams[0].receivers, pair.streams[0].threads),
            (1, 1),
            "the sender's own hears nothing"
        );
        let many = cast(3, rooms(3, 10, 1));
        assert!(many.streams.iter().all(|stream| stream.threads == 1));
    }

    #[test]
    fn plans_that_cannot_be_carried_out_are_refused_with_a_sentence() {
        let refused = |rooms: Rooms, speech| {
            let error = Cast::rooms(&plan(1, rooms.clone()), &rooms, speech, "abcd").expect_err("refused");
            error.to_string()
        };
        assert!(refused(rooms(1, 10, 11), Speech::Native).contains("11 senders"));
        assert!(refused(rooms(1, 1, 1), Speech::Native).contains("two members"));
        assert!(refused(rooms(2, 9, 1), Speech::Raw).contains("no rooms"));
        assert!(refused(Rooms { payload: 16, ..rooms(1, 2, 1) }, Speech::Native).contains("from 17"));
        assert!(refused(Rooms { payload: 400, ..rooms(1, 2, 1) }, Speech::Irc).contains("to 350"));
    }
}
