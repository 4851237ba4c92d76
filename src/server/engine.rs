//! Read, timers, flush and reap (stages 3, 4, 6 and 7 of the turn), and the flags of note, over any [`Socket`] and any
//! time.
//!
//! The engine never looks at a clock and never waits: the reactor gives it the time, the newcomers and the readiness,
//! and asks it when it wants to be called again.

use super::address::ClientAddress;
use super::binding::Cookies;
use super::cloak::Cloaks;
use super::connection::{Connection, Due, HangUp, Phase};
use super::counters::{Counters, Refused};
use super::credentials::{Check, Outcome};
use super::datagrams::DropReport;
use super::ebb::Ebb;
use super::exchange::{Exchange, session_id};
use super::limits::Limits;
use super::stages::Turns;
use super::trace::{self, trace};
use crate::hub::{self, Hub};
use crate::net::{Flushed, Key, Socket, allocator};
use crate::session::CloseReason;
use log::debug;
use std::io::ErrorKind;
use std::net::{Shutdown, SocketAddr};
use std::time::Instant;

pub struct Engine<S> {
    pub(super) hub: Hub,
    pub(super) exchange: Exchange<S>,
    /// All connections read into this one buffer; see [`crate::net::inbox`].
    pub(super) scratch: Vec<u8>,
    /// What a session says by itself and what it notes, step by step; kept for their memory.
    pub(super) words: Vec<u8>,
    pub(super) notes: String,
    /// The list that a stage works off while the next one fills; kept for its memory.
    working: Vec<Key>,
    stopping: bool,
    /// Operators who want the settings to be read again.
    pub(super) wants_reload: Vec<Key>,
    ebb: Ebb,
    pub(super) cookies: Cookies,
    pub(super) drop_report: DropReport,
}

/// How many connections, beyond `connections_max`, may at one time be told that the server is full in their own
/// protocol, and drain. The others are told in one write and closed.
const TOLD_FULL_MAX: usize = 4;

/// A work list with room for more than that goes back to the allocator: a storm of connections is soon over.
const KEPT_LISTED_MAX: usize = 4_096;

/// What they are told; every client can show a line of text.
pub const FULL: &[u8] = b"ERROR :the server is full; try again later\r\n";
const TOO_MANY: &[u8] = b"ERROR :too many connections from your address\r\n";

impl<S: Socket> Engine<S> {
    /// `secret` is random and known to nobody else: the engine has no randomness of its own.
    pub fn new(limits: Limits, hub_limits: hub::Limits, secret: [u8; 32], now: Instant) -> Self {
        let scratch = vec![0; limits.read_bytes_per_turn_max];
        let (mut hub, mut exchange) = (Hub::new(hub_limits.clone()), Exchange::new(limits, &secret, now));
        exchange.surroundings.limits = hub_limits;
        exchange.surroundings.secret = blake3::derive_key("switchboard secret of sessions v1", &secret);
        hub.number_channels_from(u16::from_be_bytes([secret[0], secret[1]]).into());
        Engine {
            hub,
            exchange,
            scratch,
            words: Vec::new(),
            notes: String::new(),
            working: Vec::new(),
            stopping: false,
            wants_reload: Vec::new(),
            ebb: Ebb::default(),
            cookies: Cookies::new(&secret, now),
            drop_report: DropReport::default(),
        }
    }

    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    pub fn exchange(&self) -> &Exchange<S> {
        &self.exchange
    }

    pub fn limits(&self) -> &Limits {
        &self.exchange.limits
    }

    /// Cloaks are made with this key instead of one that is kept or random. Before the first client comes, or it would have two.
    pub fn set_cloak_key(&mut self, key: &str) {
        self.exchange.cloaks = Cloaks::new(key.as_bytes());
    }

    /// The time that holds until the next call.
    pub fn set_now(&mut self, now: Instant) {
        self.exchange.now = now;
    }

    /// The wall time that holds until the next call, in milliseconds since 1970; for showing only, because it may jump.
    /// The first call says when the server started.
    pub fn set_wall_time(&mut self, unix_millis: u64) {
        let surroundings = &mut self.exchange.surroundings;
        surroundings.unix_millis = unix_millis;
        if surroundings.started_unix_millis == 0 {
            surroundings.started_unix_millis = unix_millis;
        }
    }

    pub fn now(&self) -> Instant {
        self.exchange.now
    }

    pub fn counters(&self) -> &Counters {
        &self.exchange.counters
    }

    /// For whoever has a clock.
    pub(super) fn turns_mut(&mut self) -> &mut Turns {
        &mut self.exchange.counters.turns
    }

    pub fn connections_len(&self) -> usize {
        self.exchange.connections.len()
    }

    /// Takes a newcomer. Above the limit it is told that the server is full; where many are being told, its address has too
    /// many connections, or a ban is for it, at once (`None`).
    pub fn admit(&mut self, socket: S, address: SocketAddr) -> Option<Key> {
        let address = ClientAddress::from(address);
        if let Some(words) = self.banned_words(address) {
            self.exchange.tap.turn_away(socket, address.into(), &words);
            return None;
        }
        let exchange = &mut self.exchange;
        let per_address_max = exchange.limits.connections_per_address_max;
        if per_address_max > 0 && exchange.origins.connections(address) >= per_address_max {
            debug!("{address} turned away: its address has {per_address_max} connections");
            exchange.counters.count_refused(Refused::PerAddress);
            exchange.tap.turn_away(socket, address.into(), TOO_MANY);
            return None;
        }
        let over = (exchange.connections.len() + 1).saturating_sub(exchange.limits.connections_max);
        if over > TOLD_FULL_MAX {
            exchange.counters.count_refused(Refused::Full);
            exchange.tap.turn_away(socket, address.into(), FULL);
            return None;
        }
        let host = exchange.cloaks.host(address.ip());
        let mut connection = Connection::new(socket, address, host, exchange.now);
        if let Some(spent) = exchange.origins.spent(address, exchange.now) {
            connection.note_spent(spent);
        }
        let key = exchange.connections.insert(connection);
        exchange.surroundings.strangers += 1;
        exchange.origins.note_opened(address);
        exchange.note_opened(key);
        if over > 0 || self.stopping {
            exchange.counters.count_refused(Refused::Full);
            exchange.close(
                key,
                if self.stopping { CloseReason::ServerStopping } else { CloseReason::ServerFull },
            );
        } else {
            exchange.counters.accepted += 1;
            debug!("{key} {address} connected");
            exchange.arm(key);
        }
        Some(key)
    }

    /// Gives a connection's socket to whoever has to register it.
    pub fn socket_mut(&mut self, key: Key) -> Option<&mut S> {
        self.exchange.connections.get_mut(key).map(|connection| &mut connection.socket)
    }

    /// Stage 2, note: readiness is remembered until a read or a write denies it. A key that no longer exists is an event
    /// that came late, and nobody's business.
    pub fn note(&mut self, key: Key, readable: bool, writable: bool) {
        let Some(connection) = self.exchange.connections.get_mut(key) else { return };
        connection.readable |= readable;
        connection.writable |= writable;
        trace!(
            "{key} is ready:{}{}",
            if readable { " readable" } else { "" },
            if writable { " writable" } else { "" }
        );
        if readable && connection.is_silenced() {
            connection.note_heard(self.exchange.now); // we do not read it now, but there is somebody who writes
        }
        if readable {
            self.exchange.list_to_read(key);
        }
        if writable {
            self.exchange.list_to_flush(key);
        }
    }

    /// Stage 2, for a connection that seems to have ended. A hint like any other, and of use only where we do not read
    /// and so cannot find out: from now on the connection's silence counts, and a broken one is not paused any more, so
    /// that a read will show it.
    pub fn note_hang_up(&mut self, key: Key, hint: HangUp) {
        let Some(connection) = self.exchange.connections.get_mut(key) else { return };
        trace!("{key} may be gone: {}", trace::Variant(&hint));
        connection.hang_up = connection.hang_up.max(hint);
        if hint == HangUp::Broken {
            connection.wait_no_more();
            if connection.throttle_no_more() {
                connection.inbox.clear(); // it is not to be faster for having gone
            }
            self.exchange.list_to_read(key);
        }
    }

    /// Stage 3, read: every connection on the list, within its budget. Who has more stays on the list.
    pub fn read(&mut self) {
        self.exchange.list_next_pages();
        let mut scratch = std::mem::take(&mut self.scratch);
        self.work_off(
            |exchange| &mut exchange.to_read,
            |engine, key| {
                let Some(connection) = engine.exchange.connections.get_mut(key) else { return };
                connection.listed.to_read = false;
                match connection.phase() {
                    Phase::Open if connection.listed.to_read_later => {}
                    Phase::Open => {
                        engine.read_connection(key, &mut scratch);
                        engine.exchange.arm(key); // a login, or a sign of life, may have brought the deadline closer
                    }
                    Phase::Draining => engine.discard_input(key, &mut scratch),
                    Phase::Dead => {}
                }
            },
        );
        self.scratch = scratch;
    }

    /// The next password to be checked; none before [`Engine::checked`] has told of the one before.
    pub fn next_check(&mut self) -> Option<Check> {
        let check = self.exchange.next_check();
        self.hand_on_proved();
        check
    }

    /// Operators who have asked since the last call that the settings are read again. Each of them is to be told what
    /// came of it.
    pub fn take_wishes_to_reload(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.wants_reload)
    }

    /// Tells a client something that it is the server's to say.
    pub fn tell(&mut self, key: Key, text: &str) {
        self.exchange.tell(key, text);
    }

    /// Stage 5: the password was looked at.
    pub fn checked(&mut self, outcome: Outcome) {
        self.exchange.checked(outcome);
        self.hand_on_proved();
    }

    /// Stage 4, timers: connections whose deadline has come, then the hub's own.
    pub fn timers(&mut self) {
        let now = self.exchange.now;
        while let Some((set_for, key)) = self.exchange.timers.pop_due(now) {
            let Some(connection) = self.exchange.connections.get_mut(key) else { continue };
            if !connection.alarm.ring(set_for) {
                continue;
            }
            if connection.is_silenced() && connection.outbox.is_empty() {
                connection.note_heard(now);
            }
            match connection.deadline(&self.exchange.limits) {
                Some((deadline, due)) if deadline <= now => {
                    trace!("{key} is due: {}", trace::Variant(&due));
                    self.expire(key, due);
                }
                _ => {}
            }
            self.exchange.arm(key);
        }
        self.hub.expire(self.exchange.moment(), &mut self.exchange);
        self.exchange.give_up_holding();
    }

    /// Stage 6, flush: what rooms said in this turn is distributed, then everybody who is owed something is written
    /// to, within the budget of a turn.
    pub fn flush(&mut self) {
        self.exchange.distribute_all();
        self.exchange.hand_on();
        self.work_off(|exchange| &mut exchange.to_flush, Engine::flush_connection);
        let Exchange { fanout, blocks, .. } = &mut self.exchange;
        fanout.trim_spent(blocks);
    }

    /// Stage 7, reap: the hub hears of those who are closing, and those who are through with it give up their slot.
    /// `dispose` gets the sockets. Of all that was freed in a flood, the system gets back what it can.
    pub fn reap(&mut self, mut dispose: impl FnMut(S)) {
        self.work_off(
            |exchange| &mut exchange.to_reap,
            |engine, key| {
                if let Some(socket) = engine.reap_connection(key) {
                    dispose(socket);
                }
            },
        );
        self.exchange.hand_on(); // those who left
        let Exchange { blocks, connections, now, .. } = &self.exchange;
        if self.ebb.note([blocks.len(), connections.len(), self.hub.rooms_len()], *now) {
            allocator::give_back();
        }
    }

    /// Whether there is something to do at once, without any event.
    pub fn has_work(&self) -> bool {
        let Exchange { to_read, to_read_later, to_flush, to_reap, fanout, outgoing, .. } = &self.exchange;
        let is_reading = !(to_read.is_empty() && to_read_later.is_empty());
        let listed = is_reading || !(to_flush.is_empty() && to_reap.is_empty());
        listed || !fanout.dirty.is_empty() || !outgoing.is_empty()
    }

    /// When there is something to do without any event. May be early, is never late.
    pub fn next_deadline(&self) -> Option<Instant> {
        let Exchange { timers, keeping, .. } = &self.exchange;
        let deadlines = [timers.next(), self.hub.next_deadline(), keeping.deadline(), self.ebb.deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// Hangs up on everybody, politely: what is queued still goes out, within the drain time.
    pub fn stop(&mut self) {
        self.stopping = true;
        for key in self.exchange.connections.keys().collect::<Vec<_>>() {
            self.exchange.close(key, CloseReason::ServerStopping);
        }
    }

    pub fn is_stopped(&self) -> bool {
        self.stopping && self.exchange.connections.is_empty()
    }

    /// Nothing more comes that lasts. `true` once all of it is saved.
    pub fn end_storage(&mut self) -> bool {
        self.exchange.keeping.end()
    }

    /// How many changes are not saved, and why, if that is known.
    pub fn unsaved(&self) -> (u64, Option<&str>) {
        self.exchange.keeping.unsaved()
    }

    /// Does `work` for every connection on a list. What is listed meanwhile is for the next turn.
    fn work_off(
        &mut self,
        list: impl Fn(&mut Exchange<S>) -> &mut Vec<Key>,
        mut work: impl FnMut(&mut Self, Key),
    ) {
        let mut working = std::mem::take(&mut self.working);
        std::mem::swap(&mut working, list(&mut self.exchange));
        for key in working.drain(..) {
            work(self, key);
        }
        if working.capacity() <= KEPT_LISTED_MAX {
            self.working = working;
        }
    }

    fn flush_connection(&mut self, key: Key) {
        let Exchange { connections, blocks, limits, now, counters, tap, .. } = &mut self.exchange;
        let Some(connection) = connections.get_mut(key) else { return };
        connection.listed.to_flush = false;
        if connection.is_dead() {
            return;
        }
        let Connection { outbox, socket, .. } = connection;
        let queued = outbox.queued_bytes();
        let flushed = if connection.writable {
            tap.flush(key, outbox, blocks, socket, limits.flush_bytes_per_turn_max)
        } else {
            Ok(Flushed::WouldBlock)
        };
        if trace::is_on() {
            trace::flushed(key, queued, connection.outbox.queued_bytes(), flushed.as_ref().ok().copied());
        }
        let left = connection.outbox.queued_bytes();
        counters.bytes_written += (queued - left) as u64;
        let shows_life = connection.is_silenced() && left < queued;
        if shows_life {
            connection.note_heard(*now); // we do not read it; that it reads us has to do as a sign of life
        }
        connection.note_queued(*now, limits);
        let is_owed = !connection.outbox.is_empty();
        let woken = !connection.waiters().is_empty() && connection.is_under_low_water(limits);
        match flushed {
            Ok(Flushed::All) => self.flushed_all(key),
            Ok(Flushed::Budget) => self.exchange.list_to_flush(key),
            Ok(Flushed::WouldBlock) => {
                counters.queued_bytes_most = counters.queued_bytes_most.max(left);
                connection.writable = false;
                connection.outbox.settle(blocks);
            }
            Ok(Flushed::Held) => connection.outbox.settle(blocks),
            Err(error) => self.lose(key, error.kind()),
        }
        if woken {
            self.exchange.wake_waiters(key);
        }
        if is_owed || shows_life {
            self.exchange.arm(key);
        }
    }

    /// A draining connection that has been sent everything is told that nothing more comes.
    fn flushed_all(&mut self, key: Key) {
        let Some(connection) = self.exchange.connections.get_mut(key) else { return };
        if connection.note_output_ended() {
            return;
        }
        let shut = self.exchange.tap.on(key, &mut connection.socket).shut(Shutdown::Write);
        trace!("{key} is told that nothing more comes (FIN)");
        if connection.is_drained() || shut.is_err() {
            self.exchange.finish(key);
        } else {
            self.exchange.list_to_read(key);
        }
    }

    /// Tells the hub of a connection that has closed, which it takes note of once; a dead one gives up its slot and its
    /// socket.
    fn reap_connection(&mut self, key: Key) -> Option<S> {
        let connection = self.exchange.connections.get_mut(key)?;
        connection.listed.to_reap = false;
        let (reason, is_dead) = (connection.reason()?, connection.is_dead());
        if let Some(place) = connection.take_verdict(self.exchange.now) {
            self.exchange.checks.leave(place);
        }
        let now = self.exchange.moment();
        if let Some(why) = reason.departure() {
            self.hub.disconnect(now, session_id(key), why, &mut self.exchange);
        }
        self.exchange.wake_waiters(key);
        if !is_dead {
            return None;
        }
        let mut connection = self.exchange.connections.remove(key)?;
        let (address, now) = (connection.address, self.exchange.now);
        self.exchange.tap.closed(key, connection.readable);
        self.exchange.origins.note_closed(address);
        if let Some(spent) = connection.spent() {
            self.exchange.origins.note_spent(address, spent, now);
        }
        connection.outbox.clear(&mut self.exchange.blocks);
        self.exchange.bindings -= usize::from(connection.binding().is_some());
        debug!("{key} {} closed: {reason}", connection.address);
        trace!("{key} is reaped");
        Some(connection.socket)
    }

    /// The connection broke.
    pub fn lose(&mut self, key: Key, kind: ErrorKind) {
        let reason = CloseReason::Io(kind);
        match self.exchange.connections.get(key).map(|connection| connection.is_open()) {
            Some(true) => self.exchange.close(key, reason),
            Some(false) => self.exchange.finish(key),
            None => {}
        }
    }

    fn expire(&mut self, key: Key, due: Due) {
        match due {
            Due::Login => self.exchange.close(key, CloseReason::LoginTimeout),
            Due::Ping => self.exchange.ping(key),
            Due::PingAnswer => self.exchange.close(key, CloseReason::IdleTimeout),
            Due::Throttled => {
                if self
                    .exchange
                    .connections
                    .get_mut(key)
                    .is_some_and(|connection| connection.throttle_no_more())
                {
                    trace!("{key} is read again: it has waited for long enough");
                    self.exchange.list_to_read(key);
                }
            }
            Due::SlowConsumer => self.exchange.close(key, CloseReason::SlowConsumer),
            Due::DrainTimeout => self.exchange.finish(key),
        }
    }
}
