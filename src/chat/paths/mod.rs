//! Everything of a client that goes past its connection to the server: datagrams to and from the server, and direct
//! paths to peers, over a TCP and a UDP port of its own.
//!
//! - `binding` the datagram session with the server, pure;
//! - `finder` one call's search for a direct path, and the life of the path, pure; `probes` what it knows of each way;
//! - `ends` the sockets, `connection` one TCP connection to somebody, who may be a stranger.
//!
//! In a poll loop: [`Paths::note`] each event whose token is [`owned`](Paths::owns), [`Paths::drive`], then whatever is
//! to be sent, and [`Paths::flush`] at the end of the turn.
//!
//! Absent on purpose: congestion control. Over UDP go lines of text, and what demands an answer is repeated at a pace
//! that no network minds; a pipe's bytes go over TCP alone.

mod binding;
mod finder;
mod tally;

use crate::wire::datagram::SEAL_LEN;
use crate::wire::frame::{self, AddressEntry};
use crate::wire::{BODY_MAX, Flags, Frame, Transport};
use mio::event::Event;
use mio::{Registry, Token};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The longest payload, in bytes, of a data frame on a direct path over TCP.
pub const DIRECT_PAYLOAD_MAX: usize = BODY_MAX as usize - SEAL_LEN;

/// Tokens from here on are those of [`Paths`].
pub const TOKENS_FROM: Token = Token(1 << 16);

/// Rounds after which a search is over.
pub const ROUNDS_MAX: u8 = 3;

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
    Sent,
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

/// Makes nonblocking connections that come from the port on which this client listens, so that the server sees, and
/// tells peers, an address at which the client can be reached. One that does not do so is better than none.
#[derive(Clone, Copy, Default, Debug)]
pub struct Dialler {
    port: Option<u16>,
}

impl Dialler {
    /// # Errors
    /// Those of socket(2) and connect(2), apart from "in progress".
    pub fn connect(self, to: SocketAddr) -> io::Result<mio::net::TcpStream> {
        let _ = self.port;
        mio::net::TcpStream::connect(to)
    }
}

pub struct Paths {}

impl Paths {
    /// Opens the ports: one number for TCP and (`with_udp`) UDP, of all addresses.
    ///
    /// # Errors
    /// When no port can be had, or nothing be registered.
    pub fn open(_registry: &Registry, _with_udp: bool) -> io::Result<Paths> {
        Ok(Paths {})
    }

    /// How to connect to the server so that peers can use what it observes.
    pub fn dialler(&self) -> Dialler {
        Dialler::default()
    }

    /// Where this client may be reached, for `declare` and `offer_paths`: at most 16, the likeliest first. `local` is this
    /// end of the connection to the server.
    pub fn addresses(
        &self,
        _local: SocketAddr,
        _declared: &[SocketAddr],
        _tcp_only: bool,
    ) -> Vec<AddressEntry> {
        Vec::new()
    }

    /// The server gave a ticket: datagrams with it begin. `server` is the other end of the connection to it.
    pub fn ticket(&mut self, _binding: u32, _key: &[u8; 32], _server: SocketAddr, _now: Instant) {}

    /// The server says, over TCP, that our address is proven. [`Happened::Bound`] follows when that is news.
    pub fn bound(&mut self, _now: Instant) {}

    /// The connection to the server is gone, and with it the binding. Direct paths stay.
    pub fn unbind(&mut self) {}

    /// The server says: now. A search that was under way for this relay, or a path that it has, is dropped.
    pub fn begin(&mut self, _channel: u32, _paths: &frame::Paths<'_>, _tcp_only: bool, _now: Instant) {}

    /// Whether an event's token is for [`Paths::note`].
    pub fn owns(&self, token: Token) -> bool {
        token >= TOKENS_FROM
    }

    /// Notes readiness.
    pub fn note(&mut self, _event: &Event) {}

    /// Reads (once from every connection, and so many datagrams), accepts, dials, looks at the clock.
    pub fn drive(&mut self, _now: Instant, _happened: impl FnMut(Happened<'_>)) {}

    /// Sends a data frame, header and body, on the direct path of a relay.
    pub fn send_to_peer(&mut self, _channel: u32, _frame: &[u8], _now: Instant) -> Sent {
        Sent::NoPath
    }

    /// Bytes that wait to be written to a peer, over TCP.
    pub fn queued_bytes(&self, _channel: u32) -> usize {
        0
    }

    /// Whether to read from a peer, over TCP; while that is so, it is not expected to answer.
    pub fn stop_reading(&mut self, _channel: u32, _stalled: bool, _now: Instant) {}

    /// Sends a frame to the server in a datagram. `false` when it has to go by TCP: there is no binding, or it does not
    /// fit.
    pub fn send_to_server(&mut self, _frame: &[u8], _now: Instant) -> bool {
        false
    }

    /// Datagrams exchanged with the server, while there is a binding.
    pub fn server_tally(&self) -> Option<Tally> {
        None
    }

    /// Ends the search for a direct path, or the path, once everything queued is written. Nothing more happens on this
    /// channel.
    pub fn close(&mut self, _channel: u32) {}

    pub fn report(&self, _channel: u32) -> Option<Report> {
        None
    }

    /// Writes what the sockets take.
    pub fn flush(&mut self) {}

    /// Whether there is something to do already.
    pub fn is_busy(&self) -> bool {
        false
    }

    /// When the clock next has something to say.
    pub fn next_look(&self) -> Option<Instant> {
        None
    }
}
