//! Datagrams of the turn: what comes in finds its binding and becomes a command or payload, what goes out is gathered
//! and sent in the flush stage. Nothing waits here longer than a turn: what a socket does not take is dropped, and
//! counted.

use super::binding::{Binding, Dropped, Path, Received};
use super::connection::Connection;
use super::engine::Engine;
use super::exchange::{Exchange, key_of, session_id};
use super::fanout::Said;
use super::limits::Limits;
use super::trace::{self, trace};
use crate::hub::{ChannelId, Command, RequestId};
use crate::net::blocks::Expect;
use crate::net::datagram::{self as net, Ends};
use crate::net::{BlockId, Blocks, Key, Outbox, Socket};
use crate::session::Step;
use crate::wire::datagram::{DATAGRAM_MAX, FRAME_MAX, parse};
use crate::wire::frame::{self, Wants};
use crate::wire::{BODY_MAX, Flags, Kind, RawFrame, RefusalCode, Split, header, split};
use log::debug;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Datagrams that are to be sent in this turn, in trains: those that follow one another on the same path, are of one
/// length, and so can go together. The last of a train may be shorter.
#[derive(Default)]
pub struct Outgoing {
    bytes: Vec<u8>,
    trains: Vec<Train>,
    datagrams: usize,
}

/// What a member has not got yet of a room's block, and which messages of the block may go in datagrams.
pub struct Part<'a> {
    pub block: BlockId,
    pub range: Range<usize>,
    pub said: &'a mut [Said],
}

struct Train {
    path: Path,
    /// Bytes of each datagram but the last.
    length: usize,
    /// Where it lies.
    start: usize,
    end: usize,
}

impl Train {
    /// Whether another datagram can go behind the last.
    fn takes(&self, path: Path, length: usize) -> bool {
        let is_whole = self.length > 0 && (self.end - self.start).is_multiple_of(self.length);
        is_whole && length <= self.length && path == self.path
    }

    fn over<'a>(&self, bytes: &'a [u8]) -> net::Train<'a> {
        let Path { server, client, .. } = self.path;
        let datagrams = bytes.get(self.start..self.end).unwrap_or_default();
        net::Train { ends: Ends { theirs: client, ours: server }, datagrams, length: self.length }
    }
}

impl Outgoing {
    /// Gathers one datagram, which `write` appends. `false` when the turn has as many as it may have.
    pub fn push(&mut self, max: usize, path: Path, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        if self.datagrams >= max {
            return false;
        }
        self.datagrams += 1;
        let start = self.bytes.len();
        write(&mut self.bytes);
        let end = self.bytes.len();
        match self.trains.last_mut().filter(|train| train.takes(path, end - start)) {
            Some(train) => train.end = end,
            None => self.trains.push(Train { path, length: end - start, start, end }),
        }
        true
    }

    /// Hands every train to `send`, in order, with the index of the socket that it is for, and forgets it. `send`
    /// returns how many of its datagrams it sent. Returns how many were not sent.
    pub fn drain(&mut self, mut send: impl FnMut(usize, net::Train<'_>) -> usize) -> usize {
        let mut left = std::mem::take(&mut self.datagrams);
        for train in self.trains.drain(..) {
            left = left.saturating_sub(send(train.path.socket, train.over(&self.bytes)));
        }
        self.bytes.clear();
        left
    }

    /// Delivers what a room said to a member who wants it in datagrams: every message that fits, and that its author may
    /// still make us send so, becomes one; everything else goes by TCP. The two may overtake each other.
    pub fn deliver(
        &mut self,
        limits: &Limits,
        path: Path,
        binding: &mut Binding,
        outbox: &mut Outbox,
        blocks: &mut Blocks,
        part: Part<'_>,
    ) {
        let Part { block, range, said } = part;
        let mut start = range.start;
        while start < range.end {
            let rest = blocks.bytes(block).get(start..range.end).unwrap_or_default();
            let length = split(rest, BODY_MAX).map_or(rest.len(), |split| match split {
                Split::Frame(raw) => raw.len(),
                Split::Incomplete { .. } => rest.len(),
            });
            let end = start + length;
            let frame = rest.get(..length).filter(|frame| frame.len() <= FRAME_MAX);
            let at = said.binary_search_by_key(&(end as u32), |message| message.end);
            let message = at.ok().and_then(|at| said.get_mut(at)).filter(|message| message.granted > 0);
            if let (Some(frame), Some(message)) = (frame, message)
                && self.push(limits.datagrams_per_turn_max, path, |out| binding.seal(out, frame))
            {
                message.granted -= 1;
            } else {
                outbox.push_range(blocks, block, start, end);
            }
            start = end;
        }
    }

    /// How many datagrams wait to be sent.
    pub fn len(&self) -> usize {
        self.datagrams
    }

    pub fn is_empty(&self) -> bool {
        self.datagrams == 0
    }
}

/// Drops that the log has been told of.
#[derive(Default)]
pub struct DropReport {
    dropped: u64,
    next: Option<Instant>,
}

/// How often the log is told of drops, however many there are.
const DROP_REPORTS_EVERY: Duration = Duration::from_secs(10);

impl<S: Socket> Engine<S> {
    /// Takes one datagram. Whatever is wrong with it is nobody's business but the counters'.
    pub fn receive_datagram(&mut self, path: Path, datagram: &[u8]) {
        self.exchange.counters.datagrams += 1;
        trace!("a datagram of {} bytes came to socket {}", datagram.len(), path.socket);
        self.exchange.tap.received(path, datagram);
        if let Err(dropped) = self.try_datagram(path, datagram) {
            trace!("the datagram is dropped: {dropped}");
            self.exchange.counters.count_dropped(dropped);
        }
    }

    /// Sends what was gathered. `send` gets a socket's index and what is for it, and says how many datagrams that took.
    pub fn send_datagrams(&mut self, mut send: impl FnMut(usize, net::Train<'_>) -> usize) {
        let Exchange { outgoing, counters, tap, .. } = &mut self.exchange;
        let before = outgoing.len() as u64;
        let send = |socket: usize, train: net::Train<'_>| {
            let sent = send(socket, train);
            tap.sent(socket, train, sent);
            sent
        };
        let left = outgoing.drain(send) as u64;
        counters.datagrams_sent += before - left;
        if before > 0 {
            trace!("{} datagrams are sent, {left} were not taken and are dropped", before - left);
        }
        counters.count_dropped_by(Dropped::Congested, left);
        self.report_drops();
    }

    /// A ticket for datagrams; the one before is void.
    pub(super) fn give_ticket(&mut self, key: Key, request: RequestId, wants: u8) {
        let Exchange { connections, bindings, tickets, limits, now, .. } = &mut self.exchange;
        if !limits.datagrams {
            let text = "this server exchanges no datagrams; everything goes by TCP";
            return self.exchange.refuse(key, request, ChannelId::NONE, (RefusalCode::NoDatagrams, text));
        }
        let Some(connection) = connections.get_mut(key) else { return };
        let (ticket_key, number) = (tickets.make(), key.slot());
        let binding = Binding::new(number, &ticket_key, wants, *now);
        *bindings += usize::from(connection.replace_binding(binding).is_none());
        let ticket = frame::Ticket { request: request.0, key: ticket_key };
        self.exchange.push_frame(key, number, &ticket);
    }

    fn try_datagram(&mut self, path: Path, datagram: &[u8]) -> Result<(), Dropped> {
        if datagram.len() > DATAGRAM_MAX {
            return Err(Dropped::TooLong);
        }
        let Engine { exchange, cookies, .. } = self;
        let (now, expiry) = (exchange.now, exchange.limits.datagram_expiry);
        let unverified = parse(datagram).ok_or(Dropped::Shape)?;
        let key = exchange.connections.key_at(unverified.channel).ok_or(Dropped::Unknown)?;
        let connection = exchange.connections.get_mut(key).filter(|connection| connection.is_open());
        let connection = connection.ok_or(Dropped::Unknown)?;
        let binding = connection.binding_mut().ok_or(Dropped::Unknown)?;
        let received = binding.receive(&unverified, path, cookies, expiry, now)?;
        trace!("{key} it is from: {}", trace::Variant(&received));
        match received {
            Received::Challenge(challenge) => exchange.send_challenge(path, &challenge),
            Received::Bound => {
                let bound = frame::Bound { address: path.client };
                exchange.push_frame(key, unverified.channel, &bound);
                Ok(())
            }
            Received::Frame { frame, challenge } => {
                let challenged =
                    challenge.map_or(Ok(()), |challenge| exchange.send_challenge(path, &challenge));
                // An empty one is a sign of life. It says nothing about the connection, whose silence is its own.
                if frame.is_empty() { Ok(()) } else { self.use_frame(key, path, frame) }.and(challenged)
            }
        }
    }

    /// Does what a sealed frame says, if it is one of the few that may come in a datagram.
    fn use_frame(&mut self, key: Key, path: Path, frame: &[u8]) -> Result<(), Dropped> {
        let Ok(Split::Frame(raw)) = split(frame, BODY_MAX) else { return Err(Dropped::Shape) };
        if raw.len() != frame.len() {
            return Err(Dropped::Shape);
        }
        let is_taken = matches!(raw.kind(), Some(Kind::Data | Kind::Say | Kind::Ping));
        if !is_taken || raw.flags() != Flags::NONE {
            return Err(Dropped::Frame);
        }
        let Exchange { connections, limits, surroundings, now, .. } = &mut self.exchange;
        let connection = connections.get_mut(key).ok_or(Dropped::Unknown)?;
        if !connection.caused(*now).take(limits.datagrams_caused, *now) {
            return Err(Dropped::Limited);
        }
        if raw.kind() == Some(Kind::Data) {
            return self.pass_datagram_on(key, &raw, frame);
        }
        if connection.is_over_high_water(limits) {
            return Err(Dropped::Congested); // as over TCP, only that nobody waits
        }
        let mut notes = String::new(); // which native frames have no use for
        match connection.session.next(frame, surroundings, &mut notes, &mut self.words) {
            Step::Command { request, command: command @ Command::Say { .. }, .. } => {
                self.exchange.keeping.asking = Some((key, request));
                let now = self.exchange.moment();
                self.hub.handle(now, session_id(key), request, command, &mut self.exchange);
                self.exchange.keeping.asking = None;
                Ok(())
            }
            Step::Done { .. } => {
                let said = self.exchange.answer_datagram(key, path, raw.kind(), &self.words);
                self.words.clear();
                said
            }
            _ => Err(Dropped::Frame),
        }
    }

    /// Passes payload that came in a datagram to the other end of its relay: as a datagram where that end wants them,
    /// else over TCP, as far as its queue has room.
    fn pass_datagram_on(&mut self, from: Key, raw: &RawFrame<'_>, frame: &[u8]) -> Result<(), Dropped> {
        let channel = ChannelId(raw.header.channel);
        let route = self.hub.route(session_id(from), channel).map_err(|_| Dropped::Frame)?;
        if raw.body.len() > usize::from(route.payload_max) {
            return Err(Dropped::Frame);
        }
        let to = key_of(route.to);
        let Exchange { connections, limits, outgoing, now, .. } = &mut self.exchange;
        let peer = connections.get_mut(to).filter(|peer| peer.is_open()).ok_or(Dropped::Unknown)?;
        if let Some(binding) = peer.binding_mut()
            && let Some(path) = binding.path_for(Wants::RELAYS, limits.datagram_expiry, *now)
            && frame.len() <= FRAME_MAX
        {
            let sent = outgoing.push(limits.datagrams_per_turn_max, path, |out| binding.seal(out, frame));
            return if sent { Ok(()) } else { Err(Dropped::Congested) };
        }
        if peer.is_over_high_water(limits) {
            return Err(Dropped::Congested);
        }
        self.exchange.relay(from, to, frame);
        Ok(())
    }

    fn report_drops(&mut self) {
        let Engine { exchange, drop_report, .. } = self;
        let (counters, now) = (&exchange.counters, exchange.now);
        let dropped = counters.dropped_total();
        if dropped > drop_report.dropped && drop_report.next.is_none_or(|next| next <= now) {
            debug!("{dropped} datagrams dropped so far: {}", counters.dropped_by_reason());
            *drop_report = DropReport { dropped, next: Some(now + DROP_REPORTS_EVERY) };
        }
    }
}

impl<S: Socket> Exchange<S> {
    /// Sends what a session says to a datagram. A ping is answered where it came from, if that address is proven; one
    /// that is not has been challenged. Everything else is answered over TCP.
    fn answer_datagram(
        &mut self,
        key: Key,
        path: Path,
        to: Option<Kind>,
        words: &[u8],
    ) -> Result<(), Dropped> {
        if to != Some(Kind::Ping) {
            self.say(key, words);
            return Ok(());
        }
        let Exchange { connections, limits, outgoing, now, .. } = self;
        let connection = connections.get_mut(key).ok_or(Dropped::Unknown)?;
        let binding = connection.binding_mut().ok_or(Dropped::Unknown)?;
        if binding.path(limits.datagram_expiry, *now) != Some(path) {
            return Ok(());
        }
        let sent = outgoing.push(limits.datagrams_per_turn_max, path, |out| binding.seal(out, words));
        if sent { Ok(()) } else { Err(Dropped::Congested) }
    }

    /// Makes the authors of what was said pay for the datagrams that it will take, as far as they can.
    pub(super) fn grant_datagrams(&mut self, channel: ChannelId) -> Vec<Said> {
        let Exchange { connections, fanout, limits, now, .. } = self;
        let mut said = fanout.take_said(channel);
        if said.is_empty() {
            return said;
        }
        let takes = |connection: &Connection<S>| {
            let path = connection.binding().map(|b| b.path_for(Wants::ROOMS, limits.datagram_expiry, *now));
            path.flatten().is_some()
        };
        let members = fanout.members(channel).filter_map(|key| connections.get(key));
        let takers = members.filter(|member| takes(member)).count();
        for message in &mut said {
            if let Some(author) = connections.get_mut(message.author) {
                let others = takers.saturating_sub(usize::from(takes(author)));
                message.granted = author.caused(*now).take_up_to(others, limits.datagrams_caused, *now);
            }
        }
        said
    }

    /// Gives them back what was not spent: for themselves, and where a member went without.
    pub(super) fn take_back_datagrams(&mut self, channel: ChannelId, said: Vec<Said>) {
        for message in &said {
            if let Some(author) = self.connections.get_mut(message.author) {
                author.caused(self.now).give_back(message.granted, self.limits.datagrams_caused);
            }
        }
        self.fanout.forget_said(channel, said);
    }

    fn send_challenge(&mut self, path: Path, challenge: &[u8]) -> Result<(), Dropped> {
        let max = self.limits.datagrams_per_turn_max;
        let sent = self.outgoing.push(max, path, |out| out.extend_from_slice(challenge));
        if sent { Ok(()) } else { Err(Dropped::Congested) }
    }

    /// Queues a frame of the connection's own over TCP.
    fn push_frame<'a>(&mut self, to: Key, channel: u32, body: &impl frame::Body<'a>) {
        self.push(to, |connection, blocks, _| {
            let Connection { outbox, .. } = connection;
            outbox.push_own(blocks, Expect::Little, |out| header::put(out, Flags::NONE, channel, body));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn path(socket: usize, port: u16) -> Path {
        Path { socket, server: None, client: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// Sockets, ports, and the lengths of what goes there in one train.
    fn drained(outgoing: &mut Outgoing) -> Vec<(usize, u16, Vec<usize>)> {
        let mut trains = Vec::new();
        let left = outgoing.drain(|socket, train| {
            let lengths: Vec<usize> = train.datagrams.chunks(train.length).map(<[u8]>::len).collect();
            let count = lengths.len();
            trains.push((socket, train.ends.theirs.port(), lengths));
            count
        });
        assert_eq!(left, 0);
        trains
    }

    #[test]
    fn what_follows_on_one_path_goes_together_up_to_a_shorter_one() {
        let mut outgoing = Outgoing::default();
        let sent =
            [(0, 1, 50), (0, 1, 50), (0, 1, 20), (0, 1, 20), (0, 1, 30), (0, 2, 30), (1, 2, 30), (0, 1, 30)];
        for (socket, port, length) in sent {
            assert!(outgoing.push(100, path(socket, port), |out| out.resize(out.len() + length, 0)));
        }
        let expected = [
            (0, 1, vec![50, 50, 20]),
            (0, 1, vec![20]),
            (0, 1, vec![30]),
            (0, 2, vec![30]),
            (1, 2, vec![30]),
            (0, 1, vec![30]),
        ];
        assert_eq!(drained(&mut outgoing), expected);
        assert!(outgoing.is_empty() && drained(&mut outgoing).is_empty());
    }

    #[test]
    fn a_turn_has_a_bound_in_datagrams_and_what_no_socket_takes_is_counted() {
        let mut outgoing = Outgoing::default();
        let pushed = (0..10).filter(|_| outgoing.push(7, path(0, 1), |out| out.push(0))).count();
        assert_eq!(pushed, 7);
        assert_eq!(outgoing.drain(|_, _| 1), 6, "one of seven was taken");
        assert!(outgoing.push(7, path(0, 1), |out| out.push(0)), "the next turn has its own");
    }
}
