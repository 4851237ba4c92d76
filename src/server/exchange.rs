//! Where effects of the hub become bytes in outboxes. Everything that a client is sent passes here, but for the last
//! words to newcomers who are turned away ([`crate::net::listener::turn_away`]).
//!
//! **Backpressure.** Three things fill a connection's queue, and over `high_water_bytes` they differ in who waits:
//!
//! - *rooms and private messages*: not those who write, or one slow reader would hold up a room. Instead the reader is
//!   dropped: at once over `queued_bytes_max` if its socket does not take the excess, else after `slow_consumer_grace`
//!   over `queued_bytes_soft`;
//! - *a relay*: its sender, whose connection is not read until the queue has fallen;
//! - *answers*: the asker itself. Its requests are not read while its queue is long, whatever else made it so.
//!
//! Who waits has `waits_for`, and whoever is waited for has the other in `waiters`. They are woken by the flush that
//! brings the queue down to half of high water (at the mark itself, each write would wake and stop them anew), or when
//! the one waited for closes. Bytes that were read already, and not used, stay in the inbox meanwhile; bytes that were
//! not read stay in the kernel, whose window then stops the sender.

use super::address::Origins;
use super::binding::Tickets;
use super::checks::Checks;
use super::cloak::Cloaks;
use super::connection::{Connection, HangUp};
use super::counters::{Counters, Pause};
use super::credentials::{Checking, Credentials};
use super::datagrams::{Outgoing, Part};
use super::fanout::{Fanout, Turn};
use super::keeping::Keeping;
use super::limits::Limits;
use super::tap::Tap;
use super::trace::{self, trace};
use crate::hub::{self, ChannelId, Host, Moment, Proved, RequestId, SessionId};
use crate::net::blocks::Expect;
use crate::net::{Blocks, Flushed, Key, Slots, Socket, Timers};
use crate::session::{CloseReason, Description, Dialect, Surroundings};
use crate::wire::RefusalCode;
use crate::wire::frame::Wants;
use log::debug;
use std::collections::VecDeque;
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::time::Instant;

/// The connections, what they are owed, and the lists that the stages of the turn work off.
pub struct Exchange<S> {
    pub connections: Slots<Connection<S>>,
    pub blocks: Blocks,
    pub fanout: Fanout,
    pub timers: Timers<Key>,
    pub outgoing: Outgoing,
    /// How many connections have a ticket for datagrams.
    pub bindings: usize,
    pub to_read: Vec<Key>,
    /// Those who had a page of a list, in line for going on: the next pages take their turns, so many a turn, while the
    /// others are read as ever.
    pub to_read_later: VecDeque<Key>,
    pub to_flush: Vec<Key>,
    pub to_reap: Vec<Key>,
    pub limits: Limits,
    /// What sessions are told of the world.
    pub surroundings: Surroundings,
    pub cloaks: Cloaks,
    pub credentials: Credentials,
    /// Passwords that wait to be checked, and the one that is.
    pub checks: Checks,
    pub checking: Option<Checking>,
    /// What came of accounts' passwords, for the hub.
    pub proved: Vec<(Key, Proved)>,
    /// What lasts, and who waits for it.
    pub keeping: Keeping,
    pub origins: Origins,
    /// Keys for bindings and for direct paths.
    pub tickets: Tickets,
    pub now: Instant,
    /// Counts distributions of all rooms, which is once a turn, in the flush: what is published after it (by reap)
    /// belongs to the next.
    pub turn: Turn,
    pub counters: Counters,
    pub tap: Tap,
}

/// Connections that go on with their lists in one turn. A page takes a quarter of a millisecond at most.
const PAGES_PER_TURN_MAX: usize = 32;

pub fn session_id(key: Key) -> SessionId {
    SessionId(key.to_u64())
}

pub fn key_of(session: SessionId) -> Key {
    Key::from_u64(session.0)
}

impl<S: Socket> Exchange<S> {
    pub fn new(limits: Limits, secret: &[u8; 32], now: Instant) -> Self {
        Exchange {
            connections: Slots::default(),
            blocks: Blocks::default(),
            fanout: Fanout::default(),
            timers: Timers::new(now),
            outgoing: Outgoing::default(),
            bindings: 0,
            to_read: Vec::new(),
            to_read_later: VecDeque::new(),
            to_flush: Vec::new(),
            to_reap: Vec::new(),
            limits,
            surroundings: Surroundings::new(Description::default(), hub::Limits::default()),
            cloaks: Cloaks::new(secret),
            credentials: Credentials::default(),
            checks: Checks::new(secret),
            checking: None,
            proved: Vec::new(),
            keeping: Keeping::default(),
            origins: Origins::default(),
            tickets: Tickets::new(secret),
            now,
            turn: 0,
            counters: Counters::default(),
            tap: Tap::default(),
        }
    }

    /// Whether a connection is not read for now.
    pub fn is_paused(&self, key: Key) -> bool {
        self.connections.get(key).is_some_and(Connection::is_paused)
    }

    /// Whether the hub has not finished with what it asked for: a password is looked at, or storage.
    pub fn awaits_the_hub(&self, key: Key) -> bool {
        self.connections.get(key).is_some_and(Connection::awaits_the_hub)
    }

    /// The time that holds in this turn, by both clocks.
    pub fn moment(&self) -> Moment {
        Moment { monotonic: self.now, unix_millis: self.surroundings.unix_millis }
    }

    /// Passes payload on. The usual case copies nothing: the bytes lie in the reader's buffer and go from there to the
    /// peer's socket; only what the socket does not take is kept. `false` when the peer's queue is so long that its
    /// source should wait.
    pub fn relay(&mut self, from: Key, to: Key, payload: &[u8]) -> bool {
        self.keep_order(to, from);
        let Exchange { connections, blocks, limits, now, tap, .. } = self;
        let Some(peer) = connections.get_mut(to).filter(|peer| peer.is_open()) else { return true };
        let mut rest = payload;
        while peer.outbox.is_empty() && peer.writable && !rest.is_empty() {
            match tap.on(to, &mut peer.socket).write(rest) {
                Ok(0) => break,
                Ok(n) => {
                    trace!("{to} wrote {n} of {} bytes of payload, straight from {from}", rest.len());
                    self.counters.bytes_written += n as u64;
                    rest = &rest[n..];
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    trace!("{to} takes no more: WouldBlock");
                    peer.writable = false;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = error.kind();
                    self.close(to, CloseReason::Io(kind));
                    return true;
                }
            }
        }
        if rest.is_empty() {
            return true;
        }
        peer.outbox.push_own(blocks, Expect::Much, |out| out.extend_from_slice(rest));
        peer.note_queued(*now, limits);
        let has_room = !peer.is_over_high_water(limits);
        self.list_to_flush(to);
        self.arm(to);
        has_room
    }

    /// Queues what a session says by itself.
    pub fn say(&mut self, to: Key, words: &[u8]) {
        self.push(to, |connection, blocks, _| {
            connection.outbox.push_own(blocks, Expect::Little, |out| out.extend_from_slice(words));
        });
    }

    /// Refuses something that the hub is not asked for.
    pub fn refuse(&mut self, to: Key, request: RequestId, channel: ChannelId, why: (RefusalCode, &str)) {
        self.push(to, |connection, blocks, _| {
            let Connection { session, outbox, .. } = connection;
            outbox.push_own(blocks, Expect::Little, |out| session.encode_refusal(request, channel, why, out));
        });
    }

    pub fn ping(&mut self, to: Key) {
        let now = self.now;
        self.push(to, |connection, blocks, surroundings| {
            connection.note_pinged(now);
            let Connection { session, outbox, .. } = connection;
            outbox.push_own(blocks, Expect::Little, |out| session.encode_ping(surroundings, out));
        });
    }

    /// Ends a connection, as soon as that is safe. Until the reap stage its key stays valid.
    pub fn close(&mut self, key: Key, reason: CloseReason) {
        self.close_saying(key, reason, &reason);
    }

    /// The same, with last words of their own.
    pub fn close_saying(&mut self, key: Key, reason: CloseReason, words: &dyn Display) {
        let Exchange { connections, blocks, fanout, surroundings, limits, now, .. } = self;
        let Some(connection) = connections.get(key).filter(|connection| connection.is_open()) else { return };
        // What its rooms said before comes before its last words.
        for membership in connection.memberships.clone() {
            fanout.catch_up(connections, blocks, membership.channel, key);
        }
        if let Some(connection) = connections.get_mut(key) {
            debug!("{key} {} closing: {reason}", connection.address);
            surroundings.strangers -= usize::from(!connection.session.is_logged_in());
            connection.close(reason, words, blocks, *now, limits);
        }
        self.counters.count_closed(reason);
        self.list_to_flush(key);
        self.list_to_read(key); // what it still sends has to be thrown away
        self.list_to_reap(key);
        self.arm(key);
    }

    /// Makes a draining connection one to be reaped.
    pub fn finish(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.finish();
            self.list_to_reap(key);
        }
    }

    /// Distributes what every room said in this turn.
    pub fn distribute_all(&mut self) {
        while let Some(channel) = self.fanout.dirty.pop() {
            self.distribute(channel);
        }
        self.turn = self.turn.wrapping_add(1);
    }

    pub fn list_to_read(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key)
            && !std::mem::replace(&mut connection.listed.to_read, true)
        {
            self.to_read.push(key);
        }
    }

    pub fn list_to_read_later(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key)
            && !std::mem::replace(&mut connection.listed.to_read_later, true)
        {
            self.to_read_later.push_back(key);
        }
    }

    /// Lists those for this turn whose turn it is for another page.
    pub fn list_next_pages(&mut self) {
        for _ in 0..PAGES_PER_TURN_MAX {
            let Some(key) = self.to_read_later.pop_front() else { return };
            if let Some(connection) = self.connections.get_mut(key) {
                connection.listed.to_read_later = false;
                self.list_to_read(key);
            }
        }
    }

    pub fn list_to_flush(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key)
            && !std::mem::replace(&mut connection.listed.to_flush, true)
        {
            self.to_flush.push(key);
        }
    }

    pub fn list_to_reap(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key)
            && !std::mem::replace(&mut connection.listed.to_reap, true)
        {
            self.to_reap.push(key);
        }
    }

    /// Reading from `source` stops until `target`'s queue is shorter. Where both are the same, it is `source` that
    /// does not read what it is owed.
    ///
    /// Returns `false` where it does not stop: a broken connection has little more to come, and its end should be found
    /// out.
    pub fn pause(&mut self, source: Key, target: Key) -> bool {
        let Some(connection) = self.connections.get_mut(source) else { return false };
        if connection.hang_up == HangUp::Broken {
            return false;
        }
        connection.wait_for(target);
        self.note_paused(source, if source == target { Pause::OwnQueue } else { Pause::PeersQueue });
        if let Some(target) = self.connections.get_mut(target) {
            target.add_waiter(source);
        }
        true
    }

    /// A connection is not read for a while, for this reason.
    pub(super) fn note_paused(&mut self, key: Key, why: Pause) {
        self.counters.count_paused(why);
        trace!("{key} is paused: {}", why.words());
    }

    /// Those who waited for this connection's queue are read again.
    pub fn wake_waiters(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        for waiter in connection.take_waiters() {
            self.resume(waiter, key);
        }
    }

    /// If `source` waits for `target`, it does so no more.
    pub(super) fn resume(&mut self, source: Key, target: Key) {
        if let Some(connection) = self.connections.get_mut(source)
            && connection.waits_for() == Some(target)
        {
            connection.wait_no_more();
            trace!("{source} is read again: the queue of {target} has fallen, or is gone");
            self.list_to_read(source);
        }
    }

    pub(super) fn dialect_of(&self, key: Key) -> Option<Dialect> {
        self.connections.get(key)?.session.dialect()
    }

    /// What others see of where a client comes from.
    pub(super) fn host_of(&self, key: Key) -> Host {
        let connection = self.connections.get(key);
        connection.map(|connection| self.cloaks.host(connection.address.ip())).unwrap_or_default()
    }

    /// The session speaks another dialect from here on.
    pub fn change_dialect(&mut self, key: Key) {
        let Some(dialect) = self.dialect_of(key) else { return };
        let Exchange { connections, blocks, fanout, .. } = self;
        fanout.change_dialect(connections, blocks, key, dialect);
        self.list_to_flush(key); // it may just have caught up
    }

    pub(super) fn distribute(&mut self, channel: ChannelId) {
        let mut said = self.grant_datagrams(channel);
        let Exchange { connections, blocks, fanout, to_flush, limits, now, counters, outgoing, .. } = self;
        let (mut overfull, mut filling) = (Vec::new(), Vec::new());
        if trace::is_on() {
            fanout.owed(blocks, channel, |key, bytes| trace::owed(key, channel, bytes));
        }
        fanout.distribute(connections, blocks, channel, |key, connection, blocks, block, range| {
            if let Some((binding, outbox)) = connection.binding_and_outbox()
                && let Some(path) = binding.path_for(Wants::ROOMS, limits.datagram_expiry, *now)
            {
                let part = Part { block, range, said: &mut said };
                outgoing.deliver(limits, path, binding, outbox, blocks, part);
            } else {
                connection.outbox.push_range(blocks, block, range.start, range.end);
            }
            counters.ranges_queued += 1;
            // As list_to_flush has it, which would look the connection up once more per delivery.
            if !std::mem::replace(&mut connection.listed.to_flush, true) {
                to_flush.push(key);
            }
            if connection.note_queued(*now, limits) {
                overfull.push(key);
            } else if connection.outbox.queued_bytes() > limits.queued_bytes_soft {
                filling.push(key);
            }
        });
        self.take_back_datagrams(channel, said);
        for key in filling {
            self.arm(key);
        }
        for key in overfull {
            self.drop_if_slow(key);
        }
    }

    /// A queue is over its limit. That may be the work of one turn, which the socket was not even offered yet; slow is
    /// who does not take it.
    fn drop_if_slow(&mut self, key: Key) {
        self.hold_no_more(key);
        let Exchange { connections, blocks, limits, now, counters, tap, .. } = self;
        let Some(connection) = connections.get_mut(key).filter(|connection| connection.is_open()) else {
            return;
        };
        if connection.writable {
            let Connection { outbox, socket, .. } = connection;
            let queued = outbox.queued_bytes();
            match tap.flush(key, outbox, blocks, socket, queued) {
                Ok(Flushed::All | Flushed::Budget | Flushed::Held) => {}
                Ok(Flushed::WouldBlock) => connection.writable = false,
                Err(error) => return self.close(key, CloseReason::Io(error.kind())),
            }
            counters.bytes_written += (queued - connection.outbox.queued_bytes()) as u64;
        }
        if connection.note_queued(*now, limits) {
            self.close(key, CloseReason::SlowConsumer);
        } else {
            self.arm(key);
        }
    }

    /// Queues something of a connection's own, unless it is closing, and looks at what that does to its queue.
    pub(super) fn push(
        &mut self,
        to: Key,
        push: impl FnOnce(&mut Connection<S>, &mut Blocks, &Surroundings),
    ) {
        let Exchange { connections, blocks, limits, surroundings, now, counters, .. } = self;
        let Some(connection) = connections.get_mut(to).filter(|connection| connection.is_open()) else {
            return;
        };
        push(connection, blocks, surroundings);
        counters.answers += 1;
        let overfull = connection.note_queued(*now, limits);
        let over_soft = connection.outbox.queued_bytes() > limits.queued_bytes_soft;
        self.list_to_flush(to);
        if overfull {
            self.drop_if_slow(to);
        } else if over_soft {
            self.arm(to);
        }
    }

    /// Sees to it that the connection is looked at when its deadline comes.
    pub fn arm(&mut self, key: Key) {
        let Exchange { connections, timers, limits, .. } = self;
        if let Some(connection) = connections.get_mut(key)
            && let Some((deadline, _)) = connection.deadline(limits)
        {
            timers.arm(&mut connection.alarm, key, deadline);
        }
    }

    /// What `cause` published before must not be overtaken by what `to` is about to be sent on its account.
    pub(super) fn keep_order(&mut self, to: Key, cause: Key) {
        let Exchange { connections, blocks, fanout, .. } = self;
        if to != cause
            && let Some((turn, channel)) = connections.get(cause).map(|cause| cause.undistributed)
            && turn == self.turn
        {
            fanout.catch_up(connections, blocks, channel, to);
        }
    }
}
