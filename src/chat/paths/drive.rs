//! What moves everything, once a turn: read, timers, and what the finders want done.

use super::binding::{Due, Received as FromServer};
use super::connection::{Dialled, Recognised, STRANGER_TIME, Stage};
use super::finder::{Action, Received as FromPeer, Way};
use super::{Happened, Paths, SEARCHES_MAX};
use crate::capture::Side;
use crate::net::Key;
use crate::net::blocks::Expect;
use crate::wire::datagram::{Unverified, parse};
use crate::wire::{BODY_MAX, Split, split};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Datagrams that are received in one turn.
const DATAGRAMS_MAX: usize = 64;

/// How long the last bytes of a call that was closed may take to be written, and the peer to close its side.
const CLOSING_TIME: Duration = Duration::from_secs(5);

impl Paths {
    /// Accepts, reads (once from every connection, and so many datagrams), dials, looks at the clock. What it leads to
    /// goes out with [`Paths::flush`].
    pub fn drive(&mut self, now: Instant, mut happened: impl FnMut(Happened<'_>)) {
        if std::mem::take(&mut self.newly_bound) {
            happened(Happened::Bound);
        }
        for channel in std::mem::take(&mut self.crowded_out) {
            let reason = format!("{SEARCHES_MAX} searches for direct paths are under way already");
            happened(Happened::RoundFailed { channel, again: false, reason });
        }
        self.receive_datagrams(now, &mut happened);
        self.ends.accept(now);
        let keys: Vec<Key> = self.ends.connections.keys().collect();
        let strangers_again = std::mem::take(&mut self.strangers_again);
        for key in keys {
            let outcome = match self.ends.connections.get(key).map(|connection| connection.stage) {
                Some(Stage::Dialling { channel }) => self.await_dialled(key, channel, now),
                Some(Stage::Stranger { until }) => {
                    self.meet_stranger(key, until, strangers_again, now, &mut happened)
                }
                Some(Stage::Attached { channel }) => self.read(key, channel, now, &mut happened),
                Some(Stage::Closing { channel, until }) => self.linger(key, channel, until, now),
                None => Ok(()),
            };
            if let Err(why) = outcome {
                self.disconnect(key, &why, now);
            }
        }
        self.look_at_the_clock(now, &mut happened);
    }

    /// Writes what the sockets take.
    pub fn flush(&mut self) {
        let keys: Vec<Key> = self.ends.connections.keys().collect();
        for key in keys {
            let super::Ends { connections, blocks, .. } = &mut self.ends;
            // A connection that broke says so when it is read, too, and by then what came before has been read.
            if let Some(connection) = connections.get_mut(key)
                && let Err(why) = connection.flush(blocks)
            {
                log::debug!("{}: {why}", connection.remote);
                connection.outbox.clear(blocks);
            }
        }
    }

    /// Whether there is something to do already.
    pub fn is_busy(&self) -> bool {
        self.newly_bound || self.strangers_again || !self.crowded_out.is_empty() || self.ends.is_busy()
    }

    /// When the clock next has something to say.
    pub fn next_look(&self) -> Option<Instant> {
        let connections = self.ends.connections.iter().filter_map(|(_, connection)| match connection.stage {
            Stage::Stranger { until } => Some(until),
            Stage::Closing { until, .. } => until,
            Stage::Dialling { .. } | Stage::Attached { .. } => None,
        });
        let finders = self.finders.values().filter_map(super::Finder::next_look);
        let binding = self.binding.as_ref().and_then(super::Binding::next_look);
        connections.chain(finders).chain(binding).min()
    }

    fn receive_datagrams(&mut self, now: Instant, happened: &mut impl FnMut(Happened<'_>)) {
        let Some(mut udp) = self.ends.udp.take() else { return };
        let (mut answers, local) = (Vec::new(), self.ends.local());
        let mut buffers = self.ends.received.take().unwrap_or_default();
        let mut budget = DATAGRAMS_MAX;
        while udp.ready && budget > 0 {
            let received = udp.receive(&mut buffers, budget, |ends, bytes| {
                let ours = SocketAddr::new(ends.ours.unwrap_or(local.ip()), local.port());
                self.ends.capture.datagram(ours, ends.theirs, Side::Theirs, bytes);
                if let Some(datagram) = parse(bytes) {
                    self.take_datagram(ends.theirs, &datagram, now, &mut answers, happened);
                }
            });
            budget = budget.saturating_sub(received);
        }
        self.ends.received = Some(buffers);
        self.ends.udp = Some(udp);
        let server = self.binding.as_ref().map(super::Binding::server);
        for answer in answers {
            server.into_iter().for_each(|server| self.ends.send_datagram(server, &answer));
        }
    }

    fn take_datagram(
        &mut self,
        from: SocketAddr,
        datagram: &Unverified<'_>,
        now: Instant,
        answers: &mut Vec<Vec<u8>>,
        happened: &mut impl FnMut(Happened<'_>),
    ) {
        let channel = datagram.channel;
        // A binding and a relay may have the same number.
        let finder = self.finders.get_mut(&channel);
        let binding = self.binding.as_mut().filter(|binding| binding.number() == channel);
        if let Some(binding) = binding
            && (from == binding.server() || finder.is_none())
        {
            match binding.receive(datagram) {
                Some(FromServer::Answer(answer)) => answers.push(answer),
                Some(FromServer::Frame(frame)) => tell_of_server_frame(frame, happened),
                Some(FromServer::Nothing) | None => {}
            }
        } else if let Some(finder) = finder
            && let FromPeer::Data { flags, payload } = finder.receive(Way::Udp(from), datagram, now)
        {
            happened(Happened::PeerData { channel, flags, payload });
        }
    }

    fn await_dialled(&mut self, key: Key, channel: u32, now: Instant) -> Result<(), String> {
        let Some(connection) = self.ends.connections.get_mut(key) else { return Ok(()) };
        match connection.dialled() {
            Dialled::NotYet => {}
            Dialled::There => {
                connection.wire = self.ends.capture.connected("peer", &connection.socket, Side::Ours);
                connection.stage = Stage::Attached { channel };
                if let Some(finder) = self.finders.get_mut(&channel) {
                    finder.connected(key, connection.remote, true, now);
                }
            }
            Dialled::Failed(error) => {
                let remote = connection.remote;
                self.ends.remove(key);
                if let Some(finder) = self.finders.get_mut(&channel) {
                    finder.not_connected(remote, error.kind() == ErrorKind::ConnectionRefused, now);
                }
            }
        }
        Ok(())
    }

    /// Nothing is said to a stranger before it has shown to be the peer of a call.
    fn meet_stranger(
        &mut self,
        key: Key,
        until: Instant,
        again: bool,
        now: Instant,
        happened: &mut impl FnMut(Happened<'_>),
    ) -> Result<(), String> {
        let Some(connection) = self.ends.connections.get_mut(key) else { return Ok(()) };
        if !connection.is_readable() && !again && now < until {
            return Ok(());
        }
        if connection.is_readable() {
            connection.read_stranger(&mut self.scratch)?;
        }
        let finders = &self.finders;
        let knows = |sealed: &Unverified<'_>| {
            finders.get(&sealed.channel).is_some_and(|finder| finder.verifies(sealed))
        };
        match connection.recognise(knows) {
            Recognised::Peer { channel } => {
                connection.attach(channel);
                let remote = connection.remote;
                if let Some(finder) = self.finders.get_mut(&channel) {
                    finder.connected(key, remote, false, now);
                }
                self.read(key, channel, now, happened)
            }
            Recognised::NotYet if now < until => Ok(()),
            Recognised::NotYet => Err(format!("nothing of a peer's within {} s", STRANGER_TIME.as_secs())),
            Recognised::Nobody => Err("not a peer".to_owned()),
        }
    }

    fn read(
        &mut self,
        key: Key,
        channel: u32,
        now: Instant,
        happened: &mut impl FnMut(Happened<'_>),
    ) -> Result<(), String> {
        let Some(connection) = self.ends.connections.get_mut(key) else { return Ok(()) };
        let Some(finder) = self.finders.get_mut(&channel) else { return Err("the call is over".to_owned()) };
        let take = |sealed: &Unverified<'_>| {
            if sealed.channel != channel {
                return false;
            }
            match finder.receive(Way::Tcp(key), sealed, now) {
                FromPeer::Data { flags, payload } => happened(Happened::PeerData { channel, flags, payload }),
                FromPeer::Nothing => {}
                FromPeer::Forged => return false,
            }
            true
        };
        if connection.inbox.is_worth_a_look() {
            connection.use_held(take)
        } else if connection.is_readable() {
            connection.read(&mut self.scratch, take)
        } else {
            Ok(())
        }
    }

    /// Reads what comes from the peer of a call that was closed, so that what it was sent is not taken back.
    fn linger(&mut self, key: Key, channel: u32, until: Option<Instant>, now: Instant) -> Result<(), String> {
        let Some(connection) = self.ends.connections.get_mut(key) else { return Ok(()) };
        let until = until.unwrap_or(now + CLOSING_TIME);
        connection.stage = Stage::Closing { channel, until: Some(until) };
        if now >= until {
            return Err("the peer does not close its side".to_owned());
        }
        if connection.is_readable() { connection.read(&mut self.scratch, |_| true) } else { Ok(()) }
    }

    fn disconnect(&mut self, key: Key, why: &str, now: Instant) {
        let Some(connection) = self.ends.remove(key) else { return };
        log::debug!("{}: {why}", connection.remote);
        if let Stage::Attached { channel } = connection.stage
            && let Some(finder) = self.finders.get_mut(&channel)
        {
            finder.disconnected(key, why, now);
        }
    }

    fn look_at_the_clock(&mut self, now: Instant, happened: &mut impl FnMut(Happened<'_>)) {
        if let Some(binding) = &mut self.binding {
            match binding.tick(now) {
                Due::Send(datagram) => self.ends.send_datagram(binding.server(), &datagram),
                Due::GiveUp(reason) => happened(Happened::NotBound { reason }),
                Due::Nothing => {}
            }
        }
        let channels: Vec<u32> = self.finders.keys().copied().collect();
        for channel in channels {
            // What it wants done may lead to more that it wants done, such as a connection that fails at once.
            while let Some(finder) = self.finders.get_mut(&channel) {
                finder.tick(now);
                let Some(action) = finder.take_action() else { break };
                self.act(channel, action, now, happened);
            }
        }
    }

    fn act(&mut self, channel: u32, action: Action, now: Instant, happened: &mut impl FnMut(Happened<'_>)) {
        match action {
            Action::Send { way: Way::Udp(to), sealed } => self.ends.send_datagram(to, &sealed),
            Action::Send { way: Way::Tcp(key), sealed } => {
                let super::Ends { connections, blocks, .. } = &mut self.ends;
                if let Some(connection) = connections.get_mut(key) {
                    connection.outbox.push_own(blocks, Expect::Little, |out| out.extend_from_slice(&sealed));
                }
            }
            Action::Dial(address) => {
                if let Err(error) = self.ends.dial(channel, address)
                    && let Some(finder) = self.finders.get_mut(&channel)
                {
                    log::debug!("{address}: {error}");
                    finder.not_connected(address, false, now);
                }
            }
            Action::Open { way } => {
                self.ends.remove_all(channel, Some(way));
                if let Some(peer) = self.ends.peer(way) {
                    happened(Happened::Opened { channel, transport: way.transport(), peer });
                }
            }
            Action::Fail { again, reason } => {
                self.give_up(channel);
                happened(Happened::RoundFailed { channel, again, reason });
            }
            Action::Die { reason } => {
                self.give_up(channel);
                happened(Happened::Lost { channel, reason });
            }
        }
    }

    fn give_up(&mut self, channel: u32) {
        self.finders.remove(&channel);
        self.ends.remove_all(channel, None);
    }
}

fn tell_of_server_frame(frame: &[u8], happened: &mut impl FnMut(Happened<'_>)) {
    let Ok(Split::Frame(raw)) = split(frame, BODY_MAX) else { return };
    if raw.len() == frame.len()
        && let Ok(frame) = raw.decode()
    {
        happened(Happened::ServerFrame { channel: raw.header.channel, flags: raw.flags(), frame });
    }
}
