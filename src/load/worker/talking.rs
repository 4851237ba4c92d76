//! The sending half of a thread.

use super::{Task, Worker};
use crate::load::cast::{Audience, Part};
use crate::load::clock::{SECOND, Timeline};
use crate::load::error::Error;
use crate::load::flights::Landing;
use crate::load::marker::Marker;
use crate::load::outgoing::{BACKLOG_MAX, BACKLOGS_MAX};
use crate::load::plan::Pace;
use crate::load::speech::{Template, Whither};
use crate::load::talk::Talk;

/// Messages that are sent between two looks at who is readable, and at orders: however many are due, memory and the time
/// until a thread listens again have a bound.
const MESSAGES_PER_PASS: usize = 1_024;

impl Worker {
    pub(super) fn begin_to_talk(&mut self, pace: Pace, timeline: Timeline, churn_per_second: f64) {
        self.latencies.measure(timeline.measured.clone());
        self.used = [None; 2];
        self.plan_visits(churn_per_second, timeline.start);
        let setup = self.setup.clone();
        let talk = Talk::new(&setup, pace, self.index, timeline, |stream| self.template(stream));
        self.talk = Some(talk);
        self.task = Task::Talk;
    }

    /// A stream's sender, if it is this thread's, and what its messages look like.
    fn template(&self, stream: u32) -> Option<(usize, Template)> {
        let cast = &self.setup.cast;
        let stream = cast.streams.get(stream as usize)?;
        let at = self.clients.binary_search_by_key(&stream.by, |client| client.number).ok()?;
        let client = self.clients.get(at)?;
        let to = match stream.to {
            Audience::Room(room) => {
                Whither::Room { name: cast.rooms.get(room as usize)?, channel: client.channel }
            }
            Audience::Client(other) => Whither::Client { name: &cast.roles.get(other as usize)?.name },
            Audience::Relay(_) => Whither::Relay { channel: client.relay },
        };
        Some((at, self.setup.speech.template(to, cast.payload)))
    }

    /// Sends, and returns whether everything is sent and has landed.
    pub(super) fn go_on_talking(&mut self) -> Result<bool, Error> {
        let now = self.now();
        self.send_due(now)?;
        self.visit(now)?;
        self.stall(now);
        self.keep_alive(now);
        if now.saturating_sub(self.swept) > SECOND {
            self.swept = now;
            let Self { talk, flights, .. } = self;
            talk.iter_mut().for_each(|talk| talk.give_up(now, |stream, last| flights.give_up(stream, last)));
        }
        let is_over = self.talk.as_ref().is_none_or(|talk| talk.is_over(now) && talk.under_way == 0);
        Ok(is_over && self.clients.iter().all(|client| client.out.is_empty() || !client.is_connected()))
    }

    /// From the beginning of the measured time on, some do not read.
    fn stall(&mut self, now: u64) {
        if self.latencies.is_measured(now) && !std::mem::replace(&mut self.is_stalled, true) {
            let stallers = self.clients.iter_mut().filter(|client| client.part == Part::Staller);
            stallers.for_each(|client| client.is_reading = false);
        }
    }

    /// Sends what is due; of much, a part.
    pub(super) fn send_due(&mut self, now: u64) -> Result<(), Error> {
        let Some(talk) = &mut self.talk else { return Ok(()) };
        let mut skipped = 0;
        for _ in 0..MESSAGES_PER_PASS {
            let Some(turn) = talk.take_turn(now) else { break };
            let Some(client) = self.clients.get_mut(turn.client) else { break };
            if !client.is_settled() {
                talk.give_back(turn);
                skipped += 1;
                if skipped > self.clients.len() {
                    break; // everybody is gone
                }
                continue;
            }
            let Some((stream, sequence, template)) = talk.begin(turn) else {
                return Err(Error::NumbersUsedUp);
            };
            let marker = Marker { stream, sequence, due: turn.due };
            match &mut client.datagrams {
                Some(datagrams) => datagrams.message(template, marker),
                None => client.out.message(template, marker),
            }
            if !std::mem::replace(&mut client.is_dirty, true) {
                self.dirty.push(turn.client);
            }
        }
        self.flush()
    }

    /// Something is to be sent by this client.
    pub(super) fn mark(&mut self, at: usize) {
        let Some(client) = self.clients.get_mut(at) else { return };
        if !std::mem::replace(&mut client.is_dirty, true) {
            self.dirty.push(at);
        }
    }

    /// Writes for everybody who has something new, once.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        while let Some(at) = self.dirty.pop() {
            self.clients.get_mut(at).into_iter().for_each(|client| client.is_dirty = false);
            self.flush_one(at)?;
        }
        Ok(())
    }

    pub(super) fn flush_one(&mut self, at: usize) -> Result<(), Error> {
        let now = self.now();
        let Self { clients, talk, latencies, .. } = self;
        let Some(client) = clients.get_mut(at).filter(|client| client.is_connected()) else { return Ok(()) };
        let Some(socket) = &mut client.socket else { return Ok(()) };
        let mut handed = |due| talk.iter_mut().for_each(|talk| talk.handed(due, now));
        let in_datagrams = client.datagrams.as_mut().map_or(0, |datagrams| datagrams.flush(&mut handed));
        latencies.sent(now, in_datagrams);
        let flushed = client.out.flush(socket, handed);
        let bytes = client.out.len();
        let before = std::mem::replace(&mut client.backlog, bytes);
        self.backlog = self.backlog + bytes - before;
        match flushed {
            Ok(messages) => latencies.sent(now, messages),
            Err(error) => return self.lose(at, error.to_string().as_bytes()),
        }
        if bytes > BACKLOG_MAX {
            return Err(Error::Backlog { who: self.name(at), bytes });
        }
        if self.backlog > BACKLOGS_MAX / self.setup.threads.max(1) {
            return Err(Error::Backlog { who: "everybody".into(), bytes: self.backlog });
        }
        Ok(())
    }

    /// What landed in the present read.
    pub(super) fn land_all(&mut self, now: u64) {
        while let Some(landing) = self.landed.pop() {
            self.land_anywhere(landing, now);
        }
    }

    /// A message has landed in this thread; whoever sent it waits for that.
    pub(super) fn land_anywhere(&mut self, landing: Landing, now: u64) {
        let thread = self.setup.thread_of(landing.stream);
        if thread == self.index {
            self.land(landing, now);
        } else if let Some(letters) = self.letters.get_mut(thread) {
            letters.push((landing, now));
        }
    }

    pub(super) fn land(&mut self, landing: Landing, now: u64) {
        self.talk.iter_mut().for_each(|talk| talk.land(landing, now));
    }
}
