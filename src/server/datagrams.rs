//! Datagrams of the turn: what comes in finds its binding and becomes a command or payload, what goes out is gathered
//! and sent in the flush stage. Nothing waits here longer than a turn: what a socket does not take is dropped, and
//! counted.

use super::binding::{Binding, Dropped, Path, Received};
use super::connection::Connection;
use super::engine::Engine;
use super::exchange::{Exchange, key_of, session_id};
use super::limits::Limits;
use crate::hub::{ChannelId, Command, RequestId};
use crate::net::blocks::Expect;
use crate::net::{BlockId, Blocks, Key, Outbox, Socket};
use crate::session::Step;
use crate::wire::datagram::{FRAME_MAX, parse};
use crate::wire::frame::{self, Wants};
use crate::wire::{BODY_MAX, Flags, Kind, RawFrame, Split, header, split};
use std::ops::Range;

/// Datagrams that are to be sent in this turn.
#[derive(Default)]
pub struct Outgoing {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

struct Entry {
    path: Path,
    end: usize,
}

impl Outgoing {
    /// Gathers one datagram, which `write` appends. `false` when the turn has as many as it may have.
    pub fn push(&mut self, max: usize, path: Path, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        if self.entries.len() >= max {
            return false;
        }
        write(&mut self.bytes);
        self.entries.push(Entry { path, end: self.bytes.len() });
        true
    }

    /// Hands every datagram to `send`, in order, and forgets it.
    pub fn drain(&mut self, mut send: impl FnMut(Path, &[u8])) {
        let mut start = 0;
        for Entry { path, end } in self.entries.drain(..) {
            send(path, &self.bytes[start..end]);
            start = end;
        }
        self.bytes.clear();
    }

    /// Delivers what a room said to a member who wants it in datagrams: every message that fits becomes one, what does
    /// not fit, or is no message, goes by TCP. The two may overtake each other.
    #[expect(clippy::too_many_arguments)]
    pub fn deliver(
        &mut self,
        limits: &Limits,
        path: Path,
        binding: &mut Binding,
        outbox: &mut Outbox,
        blocks: &mut Blocks,
        block: BlockId,
        range: Range<usize>,
    ) {
        let mut start = range.start;
        while start < range.end {
            let rest = blocks.bytes(block).get(start..range.end).unwrap_or_default();
            let Ok(Split::Frame(raw)) = split(rest, BODY_MAX) else { return };
            let frame = &rest[..raw.len()];
            let end = start + frame.len();
            let sent = raw.kind() == Some(Kind::Said)
                && frame.len() <= FRAME_MAX
                && self.push(limits.datagrams_per_turn_max, path, |out| binding.seal(out, frame));
            if !sent {
                outbox.push_range(blocks, block, start, end);
            }
            start = end;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<S: Socket> Engine<S> {
    /// Takes one datagram. Whatever is wrong with it is nobody's business but the counters'.
    pub fn receive_datagram(&mut self, path: Path, datagram: &[u8]) {
        self.exchange.counters.datagrams += 1;
        if let Err(dropped) = self.try_datagram(path, datagram) {
            self.exchange.counters.count_dropped(dropped);
        }
    }

    /// Sends what was gathered. `send` says whether the socket took it.
    pub fn send_datagrams(&mut self, mut send: impl FnMut(Path, &[u8]) -> bool) {
        let Exchange { outgoing, counters, .. } = &mut self.exchange;
        outgoing.drain(|path, datagram| {
            if !send(path, datagram) {
                counters.count_dropped(Dropped::Congested);
            }
        });
    }

    /// A ticket for datagrams; the one before is void.
    pub(super) fn give_ticket(&mut self, key: Key, request: RequestId, wants: u8) {
        let (ticket_key, number) = (self.exchange.tickets.make(), key.slot());
        let Some(connection) = self.exchange.connections.get_mut(key) else { return };
        connection.binding = Some(Box::new(Binding::new(number, &ticket_key, wants)));
        let ticket = frame::Ticket { request: request.0, key: ticket_key };
        self.exchange.push_frame(key, number, &ticket);
    }

    fn try_datagram(&mut self, path: Path, datagram: &[u8]) -> Result<(), Dropped> {
        let Engine { exchange, cookies, .. } = self;
        let (now, max) = (exchange.now, exchange.limits.datagrams_per_turn_max);
        let unverified = parse(datagram).ok_or(Dropped::Shape)?;
        let key = exchange.connections.key_at(unverified.channel).ok_or(Dropped::Unknown)?;
        let connection = exchange.connections.get_mut(key).filter(|connection| connection.is_open());
        let connection = connection.ok_or(Dropped::Unknown)?;
        let binding = connection.binding.as_mut().ok_or(Dropped::Unknown)?;
        match binding.receive(&unverified, path, cookies, now)? {
            Received::Challenge(challenge) => {
                exchange.outgoing.push(max, path, |out| out.extend_from_slice(&challenge));
            }
            Received::Bound => {
                let bound = frame::Bound { address: path.client };
                exchange.push_frame(key, unverified.channel, &bound);
            }
            Received::Frame { frame, challenge } => {
                connection.note_heard(now);
                if let Some(challenge) = challenge {
                    exchange.outgoing.push(max, path, |out| out.extend_from_slice(&challenge));
                }
                self.use_frame(key, frame)?;
            }
        }
        Ok(())
    }

    /// Does what a sealed frame says, if it is one of the few that may come in a datagram.
    fn use_frame(&mut self, key: Key, frame: &[u8]) -> Result<(), Dropped> {
        if frame.is_empty() {
            return Ok(()); // a sign of life
        }
        let Ok(Split::Frame(raw)) = split(frame, BODY_MAX) else { return Err(Dropped::Shape) };
        if raw.len() != frame.len() {
            return Err(Dropped::Shape);
        }
        let Exchange { connections, limits, .. } = &mut self.exchange;
        let connection = connections.get_mut(key).ok_or(Dropped::Unknown)?;
        if connection.waits_for.is_some() || connection.is_over_high_water(limits) {
            return Err(Dropped::Congested); // as over TCP, only that nobody waits
        }
        match raw.kind() {
            Some(Kind::Data) => self.pass_datagram_on(key, &raw, frame),
            Some(Kind::Say) => match connection.session.next(frame) {
                Step::Command { request, command: command @ Command::Say { .. }, .. } => {
                    self.hub.handle(self.exchange.now, session_id(key), request, command, &mut self.exchange);
                    Ok(())
                }
                _ => Err(Dropped::Frame),
            },
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
        if let Some(binding) = &mut peer.binding
            && let Some(path) = binding.path_for(Wants::RELAYS, *now)
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
}

impl<S: Socket> Exchange<S> {
    /// Queues a frame of the connection's own over TCP.
    fn push_frame<'a>(&mut self, to: Key, channel: u32, body: &impl frame::Body<'a>) {
        self.push(to, |connection, blocks| {
            let Connection { outbox, .. } = connection;
            outbox.push_own(blocks, Expect::Little, |out| header::put(out, Flags::NONE, channel, body));
        });
    }
}
