//! Everything of a client that goes past its connection to the server: datagrams to and from the server, and direct
//! paths to peers, over a TCP and a UDP port of its own.
//!
//! - `binding` the datagram session with the server, pure; `tally` what is counted of its datagrams;
//! - `rounds` which rounds of a search are wanted at all;
//! - `finder` one call's search for a direct path, and the life of the path, pure;
//! - `ends` the sockets, `connection` one TCP connection to somebody, who may be a stranger;
//! - `addresses` where this host can be reached;
//! - `drive` what moves all of them, once a turn.
//!
//! In a poll loop: [`Paths::note`] each event whose token is [`owned`](Paths::owns), [`Paths::drive`], then whatever is
//! to be sent, and [`Paths::flush`] at the end of the turn.
//!
//! Absent on purpose: congestion control. Over UDP go lines of text, and what demands an answer is repeated at a pace
//! that no network minds; a pipe's bytes go over TCP alone.

mod addresses;
mod binding;
mod connection;
mod drive;
mod ends;
mod finder;
mod rounds;
mod tally;
#[cfg(test)]
mod tests;

pub use ends::Dialler;

use super::capture::Capture;
use crate::net::Key;
use crate::net::blocks::Expect;
use crate::wire::datagram::SEAL_LEN;
use crate::wire::frame::{self, AddressEntry};
use crate::wire::{BODY_MAX, Flags, Frame, PathRole, Transport};
use binding::Binding;
use connection::{READ_BYTES, Stage};
use ends::Ends;
use finder::{Finder, Round, Tokens, Way};
use mio::event::Event;
use mio::{Registry, Token};
use rounds::Rounds;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The longest payload, in bytes, of a data frame on a direct path over TCP: with its header and the seal's counter and
/// tag it fills a body.
pub const DIRECT_PAYLOAD_MAX: usize = BODY_MAX as usize - SEAL_LEN;

/// The longest payload, in bytes, of a data frame that goes in a datagram, to a peer or the server.
pub const DATAGRAM_PAYLOAD_MAX: usize = crate::wire::datagram::FRAME_MAX - crate::wire::HEADER_LEN;

/// With so many bytes queued for a peer over TCP no more are taken.
const HIGH_WATER_BYTES: usize = 256 * 1_024;

/// Tokens from here on are those of [`Paths`].
pub const TOKENS_FROM: Token = Token(1 << 16);

/// Rounds after which a search is over.
pub const ROUNDS_MAX: u8 = 3;

/// Relays for which a path is looked for at the same time: each sends to as many addresses as its peer likes to name.
const SEARCHES_MAX: usize = 8;

/// Which way a call may go: `--path`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Mode {
    /// Directly where that works, else by the relay.
    #[default]
    Auto,
    /// Directly, or not at all.
    Direct,
    Relay,
}

/// What [`Paths::drive`] found out, in the order in which it happened.
#[derive(Debug)]
pub enum Happened<'a> {
    /// The server sent this in a datagram.
    ServerFrame { channel: u32, flags: Flags, frame: Frame<'a> },
    /// The peer sent data on the direct path of this relay. May come before `Opened`.
    PeerData { channel: u32, flags: Flags, payload: &'a [u8] },
    /// There is a direct path from now on.
    Opened { channel: u32, transport: Transport, peer: SocketAddr },
    /// This round found nothing. `again`: `offer_paths` is due once more; else it is over.
    RoundFailed { channel: u32, again: bool, reason: String },
    /// The direct path is gone.
    Lost { channel: u32, reason: String },
    /// Datagrams to and from the server flow.
    Bound,
    /// They do not; nothing more is tried until the next ticket.
    NotBound { reason: String },
}

/// What became of a frame for a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// It is on its way. Over UDP it may get lost.
    Taken,
    /// It does not fit into a datagram.
    TooLong,
    /// So much is queued that this one was not taken; try again when there is less.
    Full,
    /// There is no direct path.
    NoPath,
}

/// A direct path, as the user sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    pub transport: Transport,
    pub peer: SocketAddr,
    /// Of the latest ping that was answered.
    pub round_trip: Option<Duration>,
    /// Sealed frames, pings among them, since the path was chosen.
    pub tally: Tally,
}

/// Sealed frames that were counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    pub sent: u64,
    pub received: u64,
    /// By gaps between the other side's counters; one that comes late after all is taken off again.
    pub lost: u64,
    /// Without the right tag.
    pub forged: u64,
    /// A second time, or too late to tell.
    pub replayed: u64,
}

pub struct Paths {
    ends: Ends,
    binding: Option<Binding>,
    /// The search or the path of each relay.
    finders: BTreeMap<u32, Finder>,
    tokens: Tokens,
    rounds: Rounds,
    /// Relays whose round did not begin because of [`SEARCHES_MAX`]; that has yet to be told.
    crowded_out: Vec<u32>,
    /// Whether a peer's loopback address can be ours: the server is on this host.
    near: bool,
    /// Whether the binding's news has yet to be told.
    newly_bound: bool,
    /// Whether strangers who were not known before may be so now.
    strangers_again: bool,
    scratch: Vec<u8>,
    sealed: Vec<u8>,
}

impl Paths {
    /// Opens the ports: one number for TCP and (`with_udp`) UDP, of all addresses.
    ///
    /// # Errors
    /// When no port can be had, nothing be registered, or no number be had at random.
    pub fn open(registry: &Registry, with_udp: bool) -> io::Result<Paths> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|e| io::Error::other(format!("no random numbers: {e}")))?;
        Ok(Paths {
            ends: Ends::open(registry, with_udp)?,
            binding: None,
            finders: BTreeMap::new(),
            tokens: Tokens::new(secret),
            rounds: Rounds::default(),
            crowded_out: Vec::new(),
            near: false,
            newly_bound: false,
            strangers_again: false,
            scratch: vec![0; READ_BYTES],
            sealed: Vec::new(),
        })
    }

    /// What goes through the sockets from now on is captured.
    pub fn capture(&mut self, capture: &Capture) {
        self.ends.capture = capture.clone();
    }

    /// How to connect to the server so that peers can use what it observes.
    pub fn dialler(&self) -> Dialler {
        self.ends.dialler()
    }

    /// Where this client may be reached, for `declare` and `offer_paths`: a few, the likeliest first. `local` is this
    /// end of the connection to the server.
    pub fn addresses(
        &mut self,
        local: SocketAddr,
        declared: &[SocketAddr],
        tcp_only: bool,
    ) -> Vec<AddressEntry> {
        self.near = local.ip().to_canonical().is_loopback();
        let bound = self.ends.local();
        let both = [Transport::Tcp, Transport::Udp];
        let transports = if tcp_only || self.ends.udp.is_none() { &both[..1] } else { &both[..] };
        addresses::addresses(local, declared, bound.port(), bound.is_ipv6(), transports)
    }

    /// The server gave a ticket: datagrams with it begin. `server` is the other end of the connection to it.
    pub fn ticket(&mut self, binding: u32, key: &[u8; 32], server: SocketAddr, now: Instant) {
        self.binding = Some(Binding::new(binding, key, server, now));
        self.newly_bound = false;
    }

    /// The server says, over TCP, that our address is proven. [`Happened::Bound`] follows when that is news.
    pub fn bound(&mut self, now: Instant) {
        if let Some(binding) = &mut self.binding {
            self.newly_bound |= binding.bound(now);
        }
    }

    /// The connection to the server is gone, and with it the binding. Direct paths stay.
    pub fn unbind(&mut self) {
        (self.binding, self.newly_bound) = (None, false);
        self.rounds.clear();
    }

    /// Addresses were offered to the other end of this relay: the server may begin a round there. Without that
    /// [`Paths::begin`] does nothing.
    pub fn expect_round(&mut self, channel: u32) {
        self.rounds.await_next(channel);
    }

    /// The server says: now. That is passed over unless such a round is [expected](Paths::expect_round), and while there
    /// is a search for this relay already, or a path.
    pub fn begin(&mut self, channel: u32, paths: &frame::Paths<'_>, tcp_only: bool, now: Instant) {
        let Some(role) = PathRole::from_number(paths.role) else {
            log::debug!("role {} of a path is not known here", paths.role);
            return;
        };
        if self.finders.contains_key(&channel) || !self.rounds.begin(channel, paths.round) {
            log::debug!("round {} for relay {channel} is not wanted", paths.round);
            return;
        }
        if self.finders.values().filter(|finder| finder.way().is_none()).count() >= SEARCHES_MAX {
            self.crowded_out.push(channel);
            return;
        }
        let is_near = |entry: &AddressEntry| self.near || !entry.address.ip().is_loopback();
        let round = Round {
            channel,
            round: paths.round,
            role,
            key: &paths.key,
            addresses: paths.addresses.iter().filter(is_near).collect(),
            udp: !tcp_only && self.ends.udp.is_some(),
        };
        self.finders.insert(channel, Finder::new(round, self.tokens.fork(), now));
        self.strangers_again = true;
    }

    /// Whether an event's token is for [`Paths::note`].
    pub fn owns(&self, token: Token) -> bool {
        token >= TOKENS_FROM
    }

    /// Notes readiness.
    pub fn note(&mut self, event: &Event) {
        self.ends.note(event);
    }

    /// Sends a data frame, header and body, on the direct path of a relay. Over TCP it is queued until
    /// [`Paths::flush`]. One that has neither payload nor the END flag does not arrive.
    pub fn send_to_peer(&mut self, channel: u32, frame: &[u8], now: Instant) -> Sent {
        let Some(finder) = self.finders.get_mut(&channel) else { return Sent::NoPath };
        let (Some(way), Some(frame_max)) = (finder.way(), finder.frame_max()) else { return Sent::NoPath };
        if frame.len() > frame_max {
            return Sent::TooLong;
        }
        match way {
            Way::Udp(peer) => {
                self.sealed.clear();
                finder.seal(&mut self.sealed, frame, now);
                self.ends.send_datagram(peer, &self.sealed);
            }
            Way::Tcp(key) => {
                let Ends { connections, blocks, .. } = &mut self.ends;
                let Some(connection) = connections.get_mut(key) else { return Sent::NoPath };
                if connection.outbox.queued_bytes() >= HIGH_WATER_BYTES {
                    return Sent::Full;
                }
                connection.outbox.push_own(blocks, Expect::Much, |out| finder.seal(out, frame, now));
            }
        }
        Sent::Taken
    }

    /// Bytes that wait to be written to a peer, over TCP; also after [`Paths::close`].
    pub fn queued_bytes(&self, channel: u32) -> usize {
        let connections = self.ends.connections.iter().map(|(_, connection)| connection);
        connections.filter(|c| c.channel() == Some(channel)).map(|c| c.outbox.queued_bytes()).sum()
    }

    /// Whether to read from a peer, over TCP; while that is so, it is not expected to answer.
    pub fn stop_reading(&mut self, channel: u32, stalled: bool, now: Instant) {
        let Some(finder) = self.finders.get_mut(&channel) else { return };
        finder.stall(stalled, now);
        if let Some(connection) =
            connection_of(finder.way()).and_then(|key| self.ends.connections.get_mut(key))
        {
            connection.stalled = stalled;
        }
    }

    /// Sends a frame to the server in a datagram. `false` when it has to go by TCP: there is no binding, or it does not
    /// fit.
    pub fn send_to_server(&mut self, frame: &[u8]) -> bool {
        let Some(binding) = &mut self.binding else { return false };
        self.sealed.clear();
        let fits = binding.seal(&mut self.sealed, frame);
        if fits {
            self.ends.send_datagram(binding.server(), &self.sealed);
        }
        fits
    }

    /// Datagrams exchanged with the server, while there is a binding.
    pub fn server_tally(&self) -> Option<Tally> {
        self.binding.as_ref().filter(|binding| binding.is_bound()).map(Binding::tally)
    }

    /// Ends the search for a direct path, or the path, once everything queued is written. Nothing more happens on this
    /// channel.
    pub fn close(&mut self, channel: u32) {
        self.rounds.forget(channel);
        self.crowded_out.retain(|&crowded_out| crowded_out != channel);
        let Some(finder) = self.finders.remove(&channel) else { return };
        self.ends.remove_all(channel, finder.way());
        if let Some(connection) =
            connection_of(finder.way()).and_then(|key| self.ends.connections.get_mut(key))
        {
            connection.stage = Stage::Closing { channel, until: None };
            connection.stalled = false;
        }
    }

    /// Whether connections of calls that were closed have yet to be written to the end.
    pub fn is_closing(&self) -> bool {
        let mut connections = self.ends.connections.iter();
        connections.any(|(_, connection)| matches!(connection.stage, Stage::Closing { .. }))
    }

    pub fn report(&self, channel: u32) -> Option<Report> {
        let finder = self.finders.get(&channel)?;
        let way = finder.way()?;
        let (transport, peer) = (way.transport(), self.ends.peer(way)?);
        Some(Report { transport, peer, round_trip: finder.round_trip(), tally: finder.tally() })
    }
}

/// The connection that a way is, if it is one.
fn connection_of(way: Option<Way>) -> Option<Key> {
    match way {
        Some(Way::Tcp(key)) => Some(key),
        Some(Way::Udp(_)) | None => None,
    }
}
