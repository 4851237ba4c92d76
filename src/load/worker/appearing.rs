//! Before the load: connecting, logging in, entering rooms, and the round of questions after which nothing of all that is
//! under way any more.

use super::{Task, Worker, visiting};
use crate::load::cast::{Audience, Part};
use crate::load::client::{self, Client, State};
use crate::load::clock::SECOND;
use crate::load::error::Error;
use crate::load::speech::Heard;
use crate::load::words::{WORDS_MAX, excerpt};
use mio::{Interest, Token};
use std::io::ErrorKind;

/// Nanoseconds between two questions to a floor.
const ASK_AGAIN: u64 = SECOND / 50;

/// Connections that are begun between two looks at the others.
const DIALS_PER_TURN: usize = 64;

impl Worker {
    /// Begins more log-ins, if there may be more under way. Returns how many are through, and whether all are.
    pub(super) fn go_on_appearing(&mut self) -> Result<(usize, bool), Error> {
        for _ in 0..DIALS_PER_TURN {
            let Task::Appear { at_once, next, under_way, .. } = &mut self.task else { break };
            if under_way >= at_once || *next == self.clients.len() {
                break;
            }
            let at = *next;
            (*next, *under_way) = (*next + 1, *under_way + 1);
            self.dial(at)?;
        }
        let Task::Appear { done, next, under_way, at_once, .. } = self.task else { return Ok((0, false)) };
        if under_way < at_once && next < self.clients.len() {
            self.setup.mailboxes.get(self.index).into_iter().for_each(|own| own.wake());
        }
        Ok((done, done == self.clients.len()))
    }

    pub(super) fn dial(&mut self, at: usize) -> Result<(), Error> {
        let (now, to) = (self.now(), self.setup.server);
        let Some(client) = self.clients.get_mut(at) else { return Ok(()) };
        let connected = client::dial(to, client.number, self.setup.spread_sources).and_then(|mut socket| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut socket, Token(at), interest)?;
            Ok(socket)
        });
        client.socket = Some(connected.map_err(|error| Error::Connect { to, error })?);
        (client.state, client.began) = (State::Connecting, now);
        Ok(())
    }

    /// Looks whether a connection has come about, and logs in if so.
    pub(super) fn has_connected(&mut self, at: usize) -> Result<bool, Error> {
        let setup = self.setup.clone();
        let Some(client) = self.clients.get_mut(at) else { return Ok(false) };
        let Some(socket) = &client.socket else { return Ok(false) };
        let failed = |error| Error::Connect { to: setup.server, error };
        if let Some(error) = socket.take_error().map_err(failed)? {
            return Err(failed(error));
        }
        match socket.peer_addr() {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(false),
            Err(error) => return Err(failed(error)),
        }
        client.state = State::LoggingIn;
        let name = self.name(at);
        let Some(client) = self.clients.get_mut(at) else { return Ok(false) };
        setup.speech.log_in(client.out.bytes(), &name);
        if !setup.speech.has_sessions() {
            self.has_logged_in(at);
        }
        self.mark(at);
        Ok(true)
    }

    pub(super) fn has_logged_in(&mut self, at: usize) {
        let (now, has_sessions) = (self.now(), self.setup.speech.has_sessions());
        let Some(client) = self.clients.get_mut(at) else { return };
        client.state = State::LoggedIn;
        if !has_sessions {
            client.state = State::Inside;
        }
        if let Task::Appear { measured: true, .. } = self.task {
            self.latencies.record(client.began, now);
        }
        let is_back = client.part == Part::Visitor && self.talk.is_some();
        let Task::Appear { enter, under_way, done, .. } = &mut self.task else {
            if is_back {
                self.enter(at);
            }
            return;
        };
        if *enter && has_sessions {
            self.enter(at);
        } else {
            (*under_way, *done) = (under_way.saturating_sub(1), *done + 1);
        }
    }

    pub(super) fn enter(&mut self, at: usize) {
        let setup = self.setup.clone();
        let Some(client) = self.clients.get_mut(at) else { return };
        let role = setup.cast.roles.get(client.number as usize);
        let Some(room) = role.and_then(|role| setup.cast.rooms.get(role.room? as usize)) else {
            self.has_joined(at, 0, 0);
            return;
        };
        (client.state, client.occupants) = (State::Entering, 0);
        setup.speech.enter(client.out.bytes(), room);
        self.mark(at);
    }

    pub(super) fn enter_all(&mut self) {
        self.measure_until_done(true);
        self.task = Task::Enter { done: 0 };
        let now = self.now();
        self.clients.iter_mut().for_each(|client| client.began = now);
        (0..self.clients.len()).for_each(|at| self.enter(at));
    }

    pub(super) fn has_joined(&mut self, at: usize, channel: u32, occupants: u32) {
        let (now, members) = (self.now(), self.setup.cast.roles.len() as u32);
        let Some(client) = self.clients.get_mut(at) else { return };
        if client.state == State::Inside {
            return;
        }
        (client.state, client.channel) = (State::Inside, channel);
        client.occupants += occupants;
        match &mut self.task {
            Task::Appear { under_way, done, .. } => {
                (*under_way, *done) = (under_way.saturating_sub(1), *done + 1);
            }
            Task::Enter { done } => {
                self.latencies.record(client.began, now);
                self.to_be_told += u64::from(members.saturating_sub(client.occupants));
                *done += usize::from(client.occupants == members);
            }
            _ => self.visits.done += 1,
        }
    }

    /// Somebody else has entered.
    fn has_entered(&mut self, at: usize) {
        let members = self.setup.cast.roles.len() as u32;
        let Some(client) = self.clients.get_mut(at).filter(|client| client.state == State::Inside) else {
            return;
        };
        client.occupants += 1;
        if let Task::Enter { done } = &mut self.task {
            self.told += 1;
            *done += usize::from(client.occupants == members);
        }
    }

    /// Everybody of this thread who has a relay to send to calls the other end.
    pub(super) fn call_all(&mut self) {
        let setup = self.setup.clone();
        let mut missing = 0;
        for stream in &setup.cast.streams {
            let Audience::Relay(callee) = stream.to else { continue };
            let Ok(at) = self.clients.binary_search_by_key(&stream.by, |client| client.number) else {
                continue;
            };
            let (Some(client), Some(callee)) =
                (self.clients.get_mut(at), setup.cast.roles.get(callee as usize))
            else {
                continue;
            };
            setup.speech.call(client.out.bytes(), &callee.name);
            missing += 1;
            self.mark(at);
        }
        self.task = Task::Call { missing };
    }

    fn has_opened(&mut self, at: usize, channel: u32) {
        self.clients.get_mut(at).into_iter().for_each(|client| client.relay = channel);
        if let Task::Call { missing } = &mut self.task {
            *missing = missing.saturating_sub(1);
        }
    }

    /// Asks everybody. Of a floor everybody hears what one asks; but where it relays, the other end alone.
    pub(super) fn settle(&mut self, token: u64) {
        self.task = Task::Settle { token, again: self.now() + ASK_AGAIN };
        let heard_by_one = self.setup.speech.has_sessions() || self.setup.cast.rooms.is_empty();
        let askers = if heard_by_one { self.clients.len() } else { 1 };
        (0..askers).for_each(|at| self.ask(at, token));
    }

    fn ask(&mut self, at: usize, token: u64) {
        let speech = self.setup.speech;
        if let Some(client) = self.clients.get_mut(at).filter(|client| client.is_settled()) {
            speech.ask(client.out.bytes(), token);
            self.mark(at);
        }
    }

    pub(super) fn go_on_settling(&mut self, token: u64, again: u64) -> (usize, bool) {
        let waits = |client: &&Client| client.is_settled() && client.is_reading && client.answered != token;
        let waiting = self.clients.iter().filter(waits).count();
        let now = self.now();
        if now > again && !self.setup.speech.has_sessions() {
            self.task = Task::Settle { token, again: now + ASK_AGAIN };
            self.ask(0, token);
        }
        (self.clients.len() - waiting, waiting == 0)
    }

    /// Takes everything but messages.
    pub(super) fn answered(&mut self, at: usize, heard: Heard<'_>) -> Result<(), Error> {
        let Some(client) = self.clients.get_mut(at) else { return Ok(()) };
        match heard {
            Heard::LoggedIn => self.has_logged_in(at),
            Heard::Names(names) => client.occupants += names,
            Heard::Joined { channel, occupants } => self.has_joined(at, channel, occupants),
            Heard::Entered => self.has_entered(at),
            Heard::Offered { channel } => {
                client.relay = channel;
                self.setup.speech.accept(client.out.bytes(), channel);
                self.mark(at);
            }
            Heard::Opened { channel } => self.has_opened(at, channel),
            Heard::Ticket { number, key } => return self.has_ticket(at, number, &key),
            Heard::Bound => self.is_bound(at),
            Heard::Ping(ping) => {
                self.setup.speech.answer(client.out.bytes(), ping);
                self.mark(at);
            }
            Heard::Pong(token) => client.answered = token,
            Heard::Refused(words) => return self.refused(at, words),
            Heard::Ended(words) => return self.lose(at, words),
            _ => {}
        }
        Ok(())
    }

    /// In the load a refusal is counted; before it nothing works without what was refused.
    fn refused(&mut self, at: usize, words: &[u8]) -> Result<(), Error> {
        if self.talk.is_some() {
            self.refused += 1;
            self.refusal.get_or_insert_with(|| excerpt(words, WORDS_MAX));
            return Ok(());
        }
        let doing = self.clients.get(at).map_or("", |client| client.state.doing());
        Err(Error::Refused { who: self.name(at), doing, words: excerpt(words, WORDS_MAX) })
    }

    pub(super) fn name(&self, at: usize) -> String {
        let Some(client) = self.clients.get(at) else { return String::new() };
        let Some(role) = self.setup.cast.roles.get(client.number as usize) else { return String::new() };
        match client.moves {
            0 => role.name.clone(),
            // Another name for each time, as the server may not have noticed yet that the one before is gone.
            moves => role.name.replacen('b', visiting::initial(moves), 1),
        }
    }
}
