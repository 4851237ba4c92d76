//! The effects of the hub, carried out: what goes to one connection, to a room, or to everybody who shares one with
//! somebody.

use super::connection::Connection;
use super::exchange::{Exchange, key_of, session_id};
use super::figures;
use super::trace::{self, trace};
use crate::hub::record::{Fetch, Record};
use crate::hub::{
    Census, ChannelId, Effect, Effects, Ending, Event, Figure, Form, Host, Observed, PastBytes, PathKey,
    Proof, Reply, RequestId, SessionId,
};
use crate::net::blocks::Expect;
use crate::net::{Key, Socket};
use crate::session::{About, CloseReason, Dialect, Stamp};
use log::info;
use std::time::Duration;

impl<S: Socket> Effects for Exchange<S> {
    fn observed(&self, session: SessionId) -> Option<Observed> {
        let connection = self.connections.get(key_of(session))?;
        let udp =
            connection.binding().and_then(|binding| binding.path(self.limits.datagram_expiry, self.now));
        let udp = udp.map(|path| path.client);
        Some(Observed { tcp: connection.address.into(), udp, heard: connection.heard() })
    }

    fn host(&self, session: SessionId) -> Host {
        self.host_of(key_of(session))
    }

    fn prove(&mut self, session: SessionId, proof: Proof<'_>) {
        self.queue_proof(session, proof);
    }

    fn guess_wait(&self, session: SessionId, account: &str) -> Option<Duration> {
        let connection = self.connections.get(key_of(session))?;
        self.checks.account_wait(connection.address.origin(), account, self.now)
    }

    fn note_guess(&mut self, session: SessionId, account: &str, is_right: bool) {
        let key = key_of(session);
        let Some(address) = self.connections.get(key).map(|connection| connection.address) else { return };
        self.note_account_guess(key, address, account, is_right);
    }

    fn can_store(&self) -> bool {
        self.keeping.can_store()
    }

    fn store(&mut self, record: Record) {
        self.keep(record);
    }

    fn store_past(&mut self, past: PastBytes<'_>) {
        self.keep_past(past);
    }

    fn fetch(&mut self, session: SessionId, what: Fetch) -> bool {
        self.ask_storage(session, what)
    }

    fn operator_name(&self, session: SessionId) -> Option<&str> {
        Some(&self.connections.get(key_of(session))?.operator()?.name)
    }

    fn digest(&self, what: &[u8]) -> [u8; 5] {
        self.cloaks.digest(what)
    }

    fn fresh_key(&mut self) -> PathKey {
        PathKey(self.tickets.make())
    }

    fn figures(&self, census: &Census) -> Vec<Figure> {
        figures::status(&self.samples(census))
    }

    fn emit(&mut self, effect: Effect<'_>) {
        match effect {
            Effect::Reply { to, cause, request, channel, reply } => {
                self.keep_order(key_of(to), key_of(cause));
                self.answer(key_of(to), request, channel, &reply);
            }
            Effect::Send { to, cause, channel, room, event } => {
                let (to, cause) = (key_of(to), key_of(cause));
                if let Event::RelayClosed { .. } = event {
                    self.resume(to, cause);
                    self.resume(cause, to);
                }
                self.send(to, cause, About { channel, room }, &event);
            }
            Effect::Publish { channel, room, cause, event } => {
                self.publish(About { channel, room: Some(room) }, key_of(cause), &event, |_| true);
            }
            Effect::PublishToNeighbours { cause, except, channels, event } => {
                self.publish_to_neighbours(key_of(cause), except, channels, &event);
            }
            Effect::HangUp { session, name, by, why } => {
                let key = key_of(session);
                trace!("{key} is hung up on");
                match why {
                    Ending::Killed(why) => {
                        self.log_kill(key, name, key_of(by), why.text);
                        self.close_saying(key, CloseReason::Killed, &why);
                    }
                    Ending::LoggedOut => self.close(key, CloseReason::LoggedOut),
                }
            }
            Effect::ShutOut { network, text } => self.shut_out(network, text),
            Effect::Subscribe { channel, session } => {
                let key = key_of(session);
                let Some(dialect) = self.dialect_of(key) else { return };
                trace!("{key} hears channel {} from now on", channel.0);
                let Exchange { connections, blocks, fanout, .. } = self;
                fanout.subscribe(connections, blocks, channel, key, dialect);
            }
            Effect::Unsubscribe { channel, session } => {
                trace!("{} hears channel {} no more", key_of(session), channel.0);
                let Exchange { connections, blocks, fanout, .. } = self;
                fanout.unsubscribe(connections, blocks, channel, key_of(session));
                self.list_to_flush(key_of(session)); // it may just have caught up
            }
        }
    }
}

impl<S: Socket> Exchange<S> {
    /// Queues the answer to a request; the log has what it says of people.
    fn answer(&mut self, to: Key, request: RequestId, channel: ChannelId, reply: &Reply<'_>) {
        trace!("{to} is answered {}{}", trace::Variant(reply), trace::For(request, channel));
        let mut has_logged_in = false;
        self.push(to, |connection, blocks, surroundings| {
            let Connection { session, outbox, .. } = connection;
            outbox.push_own(blocks, Expect::Little, |out| {
                session.encode_reply(request, channel, reply, surroundings, out);
            });
            let ip = connection.address.ip();
            match *reply {
                Reply::LoggedIn { name, .. } => {
                    connection.note_logged_in();
                    has_logged_in = true;
                    info!("{to} {ip} is {name}");
                }
                Reply::Renamed { from, to: name } if from != name => {
                    info!("{to} {ip} is {name}, who was {from}")
                }
                _ => {}
            }
        });
        self.surroundings.strangers -= usize::from(has_logged_in);
        if request == RequestId::NONE && self.connections.get(to).is_some_and(|c| c.session.wants_more()) {
            self.list_to_read(to); // and asks for it when it has its turn
        }
        self.log_operator(to, reply);
    }

    /// Whose session ended, and whose doing that was: a nickname tells nothing of who that is.
    fn log_kill(&self, key: Key, name: &str, by: Key, text: &str) {
        let (Some(killed), Some(killer)) = (self.connections.get(key), self.connections.get(by)) else {
            return;
        };
        let operator = killer.operator().map_or("?", |operator| &operator.name);
        let (ip, from) = (killed.address.ip(), killer.address.ip());
        // What people wrote may act on a terminal that shows the log.
        let why = if text.is_empty() { String::new() } else { format!(": {text:?}") };
        info!("{key} {ip} was {name}, killed by {by} {from}, operator {operator}{why}");
    }

    fn publish(&mut self, about: About<'_>, cause: Key, event: &Event<'_>, is_for: impl Fn(Dialect) -> bool) {
        let channel = about.channel;
        trace!("channel {} is told {} because of {cause}", channel.0, trace::Variant(event));
        let latest = (self.turn, channel);
        let author = self.connections.get_mut(cause);
        if let Some((turn, previous)) = author.map(|c| std::mem::replace(&mut c.undistributed, latest))
            && turn == self.turn
            && previous != channel
        {
            self.distribute(previous);
        }
        let elsewhere = self.shown_elsewhere(cause, event);
        let Exchange { connections, blocks, fanout, surroundings, cloaks, .. } = self;
        let full = fanout.publish(connections, blocks, channel, cause, |dialect, cause, out| {
            if !is_for(dialect) {
                return;
            }
            let cause = cause.filter(|_| dialect.shows_hosts());
            let host = cause.map(|cause| elsewhere.unwrap_or_else(|| cloaks.host(cause.address.ip())));
            let stamp = Stamp::new(surroundings, host);
            dialect.encode_event(about, event, &stamp, out);
        });
        if self.bindings > 0 && matches!(event, Event::Said { words, .. } if words.form == Form::Message) {
            self.fanout.note_said(&self.blocks, channel, cause);
        }
        if full {
            self.distribute(channel);
        }
        if self.connections.get(cause).is_some_and(|author| !author.outbox.is_empty()) {
            self.list_to_flush(cause); // it may just have caught up
        }
    }

    /// Tells everybody in these rooms once; of a departure, those who know people only by the rooms they share are told
    /// in each. `except`: to be told nothing.
    fn publish_to_neighbours(
        &mut self,
        cause: Key,
        except: &[SessionId],
        channels: &[ChannelId],
        event: &Event<'_>,
    ) {
        if let [channel] = *channels
            && except.is_empty()
        {
            return self.publish(About::channel(channel), cause, event, |_| true);
        }
        let is_told_per_room =
            |dialect: Dialect| dialect.tells_departures_per_room() && matches!(event, Event::Quit { .. });
        if let Event::Quit { .. } = event {
            for &channel in channels {
                self.publish(About::channel(channel), cause, event, is_told_per_room);
            }
        }
        let neighbours = channels.iter().flat_map(|&channel| self.fanout.members(channel));
        let mut neighbours: Vec<Key> =
            neighbours.filter(|&key| key != cause && !except.contains(&session_id(key))).collect();
        neighbours.sort_unstable_by_key(|key| key.to_u64());
        neighbours.dedup();
        for to in neighbours {
            if !self.dialect_of(to).is_some_and(is_told_per_room) {
                self.send(to, cause, About::channel(ChannelId::NONE), event);
            }
        }
    }

    /// Where somebody comes from who did this by a connection of theirs that is not the one that says so.
    fn shown_elsewhere(&self, cause: Key, event: &Event<'_>) -> Option<Host> {
        let shown = key_of(event.shown_session()?);
        (shown != cause).then(|| self.host_of(shown))
    }

    /// Queues an event for one connection.
    fn send(&mut self, to: Key, cause: Key, about: About<'_>, event: &Event<'_>) {
        trace!(
            "{to} is sent {} because of {cause}{}",
            trace::Variant(event),
            trace::For(RequestId::NONE, about.channel)
        );
        self.keep_order(to, cause);
        let Some(dialect) = self.dialect_of(to) else { return };
        let host = || self.shown_elsewhere(cause, event).unwrap_or_else(|| self.host_of(cause));
        let host = dialect.shows_hosts().then(host);
        self.push(to, |connection, blocks, surroundings| {
            let stamp = Stamp::new(surroundings, host);
            let Connection { session, outbox, .. } = connection;
            outbox.push_own(blocks, Expect::Little, |out| session.encode_event(about, event, &stamp, out));
        });
    }
}
