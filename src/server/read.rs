//! Stage 3 of the turn, for one connection: bytes → session → hub → outboxes, within a budget.

use super::engine::Engine;
use super::exchange::{Exchange, key_of, session_id};
use super::trace::{self, trace};
use crate::hub::{self, Command, Departure, RequestId};
use crate::net::inbox::Filled;
use crate::net::{Key, Socket};
use crate::session::{CloseReason, Step};
use crate::wire::RefusalCode;
use std::io::{ErrorKind, Read};

/// Why a pass over a connection's bytes ended.
enum Stop {
    /// The rest is no whole frame yet.
    NeedMore { needed: usize },
    /// The budget of frames is spent.
    Budget,
    /// Somebody's queue is too long to go on.
    Paused,
    /// The connection is not open any more.
    Closed,
}

/// What one connection may still do in this turn.
struct Budget {
    bytes: usize,
    frames: usize,
    /// It was spent on a page of a list.
    is_for_lists: bool,
}

impl<S: Socket> Engine<S> {
    /// Reads and carries out what the client sends, until there is nothing more, the budget is spent, or somebody's
    /// queue is too long.
    pub(super) fn read_connection(&mut self, key: Key, scratch: &mut [u8]) {
        let limits = &self.exchange.limits;
        let mut budget = Budget {
            bytes: limits.read_bytes_per_turn_max,
            frames: limits.frames_per_turn_max,
            is_for_lists: false,
        };
        while let Some(filled) = self.next_bytes(key, scratch, &mut budget) {
            let stop = match filled {
                Filled::End => return self.exchange.close(key, CloseReason::PeerClosed),
                Filled::Scratch(n) => {
                    let (used, stop) = self.consume(key, &scratch[..n], &mut budget);
                    if let Some(connection) = self.exchange.connections.get_mut(key) {
                        connection.inbox.keep(&scratch[used..n], stop.needed());
                    }
                    stop
                }
                Filled::Held => {
                    let Some(connection) = self.exchange.connections.get_mut(key) else { return };
                    let held = connection.inbox.take_held();
                    let (used, stop) = self.consume(key, &held, &mut budget);
                    if let Some(connection) = self.exchange.connections.get_mut(key) {
                        connection.inbox.put_back(held, used, stop.needed());
                    }
                    stop
                }
            };
            match stop {
                Stop::NeedMore { .. } => {}
                Stop::Budget if budget.is_for_lists => return self.exchange.list_to_read_later(key),
                Stop::Budget => return self.exchange.list_to_read(key),
                Stop::Paused => return self.exchange.note_left_unread(key),
                Stop::Closed => return,
            }
        }
    }

    /// Where the next bytes are: those held back before, or what one read gives. `None` when there are none now, or
    /// none should be taken.
    fn next_bytes(&mut self, key: Key, scratch: &mut [u8], budget: &mut Budget) -> Option<Filled> {
        loop {
            let connection = self.exchange.connections.get_mut(key)?;
            if !connection.is_open() || connection.is_paused() {
                self.exchange.note_left_unread(key);
                return None;
            }
            if connection.inbox.is_worth_a_look() || connection.session.wants_more() {
                return Some(Filled::Held);
            }
            if !connection.readable {
                return None;
            }
            if budget.bytes == 0 {
                trace!("{key} has read its budget of bytes, and goes on in the next turn");
                self.exchange.list_to_read(key);
                return None;
            }
            let held = connection.inbox.len();
            match connection.inbox.fill(&mut self.exchange.tap.on(key, &mut connection.socket), scratch) {
                Ok(filled) => {
                    connection.note_heard(self.exchange.now);
                    let (read, is_short) = match filled {
                        Filled::Scratch(n) => (n - held, n < scratch.len()),
                        Filled::Held => (connection.inbox.len() - held, false),
                        Filled::End => (0, false),
                    };
                    if is_short {
                        connection.note_short_read();
                    }
                    match (&filled, is_short, connection.readable) {
                        (Filled::End, ..) => trace!("{key} read the end of the stream"),
                        (_, false, _) => trace!("{key} read {read} bytes"),
                        (_, true, false) => trace!("{key} read {read} bytes: short, so there are no more"),
                        (_, true, true) => {
                            trace!("{key} read {read} bytes: short, but it may be gone, so it looks again")
                        }
                    }
                    budget.bytes = budget.bytes.saturating_sub(read);
                    self.exchange.counters.bytes_read += read as u64;
                    return Some(filled);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    connection.readable = false;
                    trace!("{key} read nothing: WouldBlock");
                    return None;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.exchange.close(key, CloseReason::Io(error.kind()));
                    return None;
                }
            }
        }
    }

    /// Does what the bytes say, frame by frame. Returns how many of them are done with, and why it went no further.
    fn consume(&mut self, key: Key, bytes: &[u8], budget: &mut Budget) -> (usize, Stop) {
        let mut notes = std::mem::take(&mut self.notes);
        let consumed = self.take_steps(key, bytes, budget, &mut notes);
        self.notes = notes;
        consumed
    }

    fn take_steps(
        &mut self,
        key: Key,
        bytes: &[u8],
        budget: &mut Budget,
        notes: &mut String,
    ) -> (usize, Stop) {
        let session = session_id(key);
        let mut done = 0;
        loop {
            let open = self.exchange.connections.get(key).filter(|connection| connection.is_open());
            let Some(connection) = open else { return (done, Stop::Closed) };
            let is_metered = connection.session.is_metered();
            if connection.is_over_high_water(&self.exchange.limits) && self.exchange.pause(key, key) {
                return (done, Stop::Paused);
            }
            if is_metered && self.exchange.hold_back(key, bytes.len() - done) {
                return (done, Stop::Paused);
            }
            if budget.frames == 0 {
                trace!("{key} has spent its budget of frames, and goes on in the next turn");
                return (done, Stop::Budget);
            }
            budget.frames -= 1;
            let rest = &bytes[done..];
            let Some(connection) = self.exchange.connections.get_mut(key) else {
                return (done, Stop::Closed);
            };
            notes.clear();
            let step = connection.session.next(rest, &self.exchange.surroundings, notes, &mut self.words);
            if trace::is_on() {
                trace::step(key, rest, &step);
            }
            let is_line = step.used() > 0 && connection.session.is_metered();
            self.exchange.counters.frames += u64::from(step.used() > 0);
            self.exchange.counters.lines += u64::from(is_line);
            if let Step::NewDialect { .. } = step {
                self.exchange.change_dialect(key);
            }
            if !self.words.is_empty() {
                self.exchange.say(key, &self.words);
                self.words.clear();
            }
            if is_metered && step.used() > 0 {
                self.exchange.note_line(key);
            }
            // Not in a function of its own: a step is large, and to hand it over is felt in what a delivery costs.
            match step {
                Step::Incomplete { needed } => return (done, Stop::NeedMore { needed }),
                Step::Command { used, request, command } => {
                    done += used;
                    // A page of a list may have taken a look at thousands of entries: others have their turn before
                    // the next.
                    if is_page(&command) {
                        (budget.frames, budget.is_for_lists) = (0, true);
                    }
                    let rises = matches!(command, Command::BecomeOperator);
                    self.exchange.keeping.asking = Some((key, request));
                    self.hub.handle(self.exchange.moment(), session, request, command, &mut self.exchange);
                    self.exchange.keeping.asking = None;
                    let is_paused = self.exchange.is_paused(key);
                    if is_paused && self.exchange.awaits_the_hub(key) {
                        return (done, Stop::Paused); // and is settled when the hub goes on
                    }
                    self.settle(key);
                    if rises {
                        self.dismiss_if_forgotten(key); // the settings may have been read again since its password was right
                    }
                    if is_paused {
                        return (done, Stop::Paused); // until what it led to is saved
                    }
                }
                Step::Payload { used, relay, longest } => {
                    done += used;
                    if let Some(target) = self.pass_on(key, relay, longest, &rest[..used])
                        && self.exchange.pause(key, target)
                    {
                        return (done, Stop::Paused);
                    }
                }
                Step::Ticket { used, request, wants } => {
                    done += used;
                    self.give_ticket(key, request, wants);
                }
                Step::Reload { used } => {
                    self.wants_reload.push(key);
                    return (done + used, Stop::Budget); // the next line is taken when that is done
                }
                Step::Done { used } | Step::NewDialect { used } => done += used,
                Step::Verify { used, request, credential, password } => {
                    self.exchange.verify(key, request, credential, password);
                    return (done + used, Stop::Paused);
                }
                Step::Quit { used, text } => {
                    done += used;
                    let now = self.exchange.moment();
                    self.hub.disconnect(now, session, Departure::Quit(text), &mut self.exchange);
                    self.exchange.close(key, CloseReason::Goodbye);
                }
                Step::Metrics => {
                    self.give_metrics(key);
                    return (done, Stop::Closed);
                }
                Step::Close(reason) => {
                    self.exchange.close(key, reason);
                    return (done, Stop::Closed);
                }
            }
        }
    }

    /// What the session has to say when a step has been carried out.
    pub(super) fn settle(&mut self, key: Key) {
        let Some(connection) = self.exchange.connections.get_mut(key) else { return };
        connection.session.settle(&self.exchange.surroundings, &mut self.words);
        if !self.words.is_empty() {
            self.exchange.say(key, &self.words);
            self.words.clear();
        }
    }

    /// Passes payload to the other end of its relay. Returns whom to wait for when that one's queue is too long.
    fn pass_on(&mut self, from: Key, relay: hub::ChannelId, longest: usize, payload: &[u8]) -> Option<Key> {
        let route = match self.hub.route(session_id(from), relay) {
            Ok(route) => route,
            Err(_) => {
                let why = (RefusalCode::NoSuchRelay, "there is no such relay; it may have ended");
                self.exchange.refuse(from, RequestId::NONE, relay, why);
                return None;
            }
        };
        if longest > usize::from(route.payload_max) {
            let (length, max) = (u16::try_from(longest).unwrap_or(u16::MAX), route.payload_max);
            self.exchange.close(from, CloseReason::FrameTooLong { length, max });
            return None;
        }
        let to = key_of(route.to);
        (!self.exchange.relay(from, to, payload)).then_some(to)
    }

    /// Reads what a draining connection still sends and throws it away: closing with unread input would reset the
    /// connection, and the client would lose what was sent to it last.
    pub(super) fn discard_input(&mut self, key: Key, scratch: &mut [u8]) {
        let Exchange { connections, limits, tap, .. } = &mut self.exchange;
        let Some(connection) = connections.get_mut(key) else { return };
        connection.inbox.clear();
        if !connection.readable {
            return;
        }
        let read = tap.on(key, &mut connection.socket).read(scratch);
        match &read {
            Ok(0) => trace!("{key} drains: the end of the stream"),
            Ok(n) => trace!("{key} drains: {n} bytes are thrown away"),
            Err(error) => trace!("{key} drains: {error}"),
        }
        match read {
            Ok(0) => {
                connection.note_input_ended();
                connection.readable = false; // there is nothing behind the end
                if connection.is_drained() {
                    self.exchange.finish(key);
                }
            }
            Ok(n) if connection.note_discarded(n, limits) => self.exchange.finish(key),
            Ok(_) => self.exchange.list_to_read(key),
            Err(error) if error.kind() == ErrorKind::WouldBlock => connection.readable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => self.exchange.list_to_read(key),
            Err(_) => self.exchange.finish(key),
        }
    }
}

/// Whether a command asks for a page of a list.
fn is_page(command: &Command<'_>) -> bool {
    matches!(
        command,
        Command::ListRooms { .. }
            | Command::FindUsers { .. }
            | Command::Who { .. }
            | Command::ListPeers { .. }
            | Command::ListSessions { .. }
            | Command::ListAccounts { .. }
    )
}

impl Stop {
    /// With how many bytes it is worth looking at the rest again; 0 where it is worth it as it is.
    fn needed(&self) -> usize {
        match self {
            Stop::NeedMore { needed } => *needed,
            Stop::Budget | Stop::Paused | Stop::Closed => 0,
        }
    }
}
