//! One client: its socket, its session, what was read from it and what it is owed.
//!
//! ```text
//!   Open ──close(reason)──▶ Draining ──all is flushed, our side shut, and the client's closed────▶ Dead
//!     │                        ├───────the drain deadline has passed──────────────────────────────▶ Dead
//!     │                        ├───────more than discarded_bytes_max had to be thrown away────────▶ Dead
//!     │                        └───────the connection broke───────────────────────────────────────▶ Dead
//!     └─────────────the connection is dead already────────────────────────────────────────────────▶ Dead
//! ```
//!
//! Why not close at once: close(2) with unread input sends RST, and the peer loses our last bytes. So what the client
//! still sends is read and thrown away until it closes its side, within those bounds.
//!
//! This file owns all transitions. A slot is freed in the reap stage only, whatever happens before.

use super::allowance::Allowance;
use super::binding::Binding;
use super::fanout::Membership;
use super::limits::Limits;
use crate::hub::ChannelId;
use crate::net::blocks::Expect;
use crate::net::{Alarm, Blocks, Inbox, Key, Outbox};
use crate::session::{CloseReason, Session};
use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

/// Where a client connects from, in canonical form: an IPv4 address never looks like an IPv6 one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClientAddress(pub SocketAddr);

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where a connection is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Open,
    /// Closed for everybody but the socket: what is queued still goes out, what comes in is thrown away.
    Draining {
        reason: CloseReason,
        until: Instant,
        discarded_bytes: usize,
        /// The client has closed its side: nothing is left to throw away.
        input_ended: bool,
        /// The server has: everything queued is out.
        output_ended: bool,
    },
    /// The socket is of no use any more, or has served its purpose; what is left is to be reaped.
    Dead {
        reason: CloseReason,
    },
}

/// What an event has hinted about the client's end of the connection. Reads and writes decide; but a connection that is
/// paused is not read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HangUp {
    No,
    /// The client sends no more.
    SendsNoMore,
    /// The connection is broken.
    Broken,
}

/// Which lists of the coming stages a connection is on; each list has it once.
#[derive(Clone, Copy, Default)]
pub struct Listed {
    pub to_read: bool,
    pub to_flush: bool,
    pub to_reap: bool,
}

/// One client, as the exchange and the engine see it.
pub struct Connection<S> {
    pub socket: S,
    pub address: ClientAddress,
    pub session: Session,
    pub inbox: Inbox,
    pub outbox: Outbox,
    phase: Phase,
    /// Sticky: set by an event, cleared by `WouldBlock` alone.
    pub readable: bool,
    /// Sticky, like `readable`. A new socket counts as writable until it says otherwise.
    pub writable: bool,
    pub listed: Listed,
    /// Whose queue has to fall before this connection is read again: a relay's other end, or its own.
    pub waits_for: Option<Key>,
    pub hang_up: HangUp,
    /// Who waits for this one's queue.
    pub waiters: Vec<Key>,
    /// The client's datagrams, if it has asked for them.
    pub binding: Option<Box<Binding>>,
    /// What it has made the server send in datagrams, whoever they went to.
    pub caused: Allowance,
    /// Kept by the fan-out.
    pub memberships: Vec<Membership>,
    /// The room that this connection's latest event went to, and in which turn; at the end of a turn everything is
    /// distributed.
    pub undistributed: Option<(u64, ChannelId)>,
    pub alarm: Alarm,
    opened: Instant,
    heard: Instant,
    pinged: Option<Instant>,
    over_soft_since: Option<Instant>,
}

/// What a connection's deadline is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    Login,
    Ping,
    PingAnswer,
    SlowConsumer,
    DrainTimeout,
}

impl<S> Connection<S> {
    pub fn new(socket: S, address: ClientAddress, now: Instant) -> Self {
        Connection {
            socket,
            address,
            session: Session::new(),
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            phase: Phase::Open,
            readable: false,
            writable: true,
            listed: Listed::default(),
            waits_for: None,
            hang_up: HangUp::No,
            waiters: Vec::new(),
            binding: None,
            caused: Allowance::new(now),
            memberships: Vec::new(),
            undistributed: None,
            alarm: Alarm::default(),
            opened: now,
            heard: now,
            pinged: None,
            over_soft_since: None,
        }
    }

    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    pub fn is_dead(&self) -> bool {
        matches!(self.phase, Phase::Dead { .. })
    }

    /// Why it closes, if it does.
    pub fn reason(&self) -> Option<CloseReason> {
        match self.phase {
            Phase::Open => None,
            Phase::Draining { reason, .. } | Phase::Dead { reason } => Some(reason),
        }
    }

    /// Ends an open connection: last words where there is somebody to hear them, then draining. Only the first
    /// reason counts.
    pub fn close(&mut self, reason: CloseReason, blocks: &mut Blocks, now: Instant, limits: &Limits) {
        if !self.is_open() {
            return;
        }
        if let CloseReason::Io(_) = reason {
            self.phase = Phase::Dead { reason };
            return;
        }
        if reason.has_farewell() {
            let Connection { session, outbox, .. } = self;
            outbox.push_own(blocks, Expect::Little, |out| session.encode_farewell(reason, out));
        }
        self.phase = Phase::Draining {
            reason,
            until: now + limits.drain_time,
            discarded_bytes: 0,
            input_ended: reason == CloseReason::PeerClosed,
            output_ended: false,
        };
    }

    /// Ends draining, whether or not it has come to its end.
    pub fn finish(&mut self) {
        if let Phase::Draining { reason, .. } = self.phase {
            self.phase = Phase::Dead { reason };
        }
    }

    /// Everything queued is sent. `true` when that was so before.
    pub fn note_output_ended(&mut self) -> bool {
        match &mut self.phase {
            Phase::Draining { output_ended, .. } => std::mem::replace(output_ended, true),
            Phase::Open | Phase::Dead { .. } => true,
        }
    }

    /// The client sends no more.
    pub fn note_input_ended(&mut self) {
        if let Phase::Draining { input_ended, .. } = &mut self.phase {
            *input_ended = true;
        }
    }

    /// So many bytes were thrown away. `true` when these are too many.
    pub fn note_discarded(&mut self, bytes: usize, limits: &Limits) -> bool {
        let Phase::Draining { discarded_bytes, .. } = &mut self.phase else { return false };
        *discarded_bytes += bytes;
        *discarded_bytes > limits.discarded_bytes_max
    }

    /// Whether draining has come to its end: nothing more to send, nothing more to expect.
    pub fn is_drained(&self) -> bool {
        matches!(self.phase, Phase::Draining { input_ended: true, output_ended: true, .. })
    }

    /// Something came from the client.
    pub fn note_heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    /// When the client was last heard of.
    pub fn heard(&self) -> Instant {
        self.heard
    }

    /// Whether its silence is our doing: we do not read it for now, and nothing has hinted that it is gone.
    pub fn is_silenced(&self) -> bool {
        self.waits_for.is_some() && self.hang_up == HangUp::No
    }

    pub fn note_pinged(&mut self, now: Instant) {
        self.pinged = Some(now);
    }

    /// Looks at the length of the queue. `true` when it is over the hard limit.
    pub fn note_queued(&mut self, now: Instant, limits: &Limits) -> bool {
        let queued = self.outbox.queued_bytes();
        if queued <= limits.queued_bytes_soft {
            self.over_soft_since = None;
        } else if self.over_soft_since.is_none() {
            self.over_soft_since = Some(now);
        }
        queued
            > if self.session.is_logged_in() {
                limits.queued_bytes_max
            } else {
                limits.queued_bytes_before_login_max
            }
    }

    /// Whether those who fill the queue should stop for a while.
    pub fn is_over_high_water(&self, limits: &Limits) -> bool {
        self.outbox.queued_bytes() > limits.high_water_bytes
    }

    pub fn is_under_low_water(&self, limits: &Limits) -> bool {
        self.outbox.queued_bytes() <= limits.high_water_bytes / 2
    }

    /// The next moment at which something has to happen, and what.
    pub fn deadline(&self, limits: &Limits) -> Option<(Instant, Due)> {
        match self.phase {
            Phase::Dead { .. } => None,
            Phase::Draining { until, .. } => Some((until, Due::DrainTimeout)),
            Phase::Open if !self.session.is_logged_in() => {
                Some((self.opened + limits.login_time, Due::Login))
            }
            Phase::Open => {
                let silence = match self.pinged {
                    None => (self.heard + limits.ping_after, Due::Ping),
                    Some(at) => (at + limits.ping_timeout, Due::PingAnswer),
                };
                let slow =
                    self.over_soft_since.map(|at| (at + limits.slow_consumer_grace, Due::SlowConsumer));
                Some(slow.map_or(silence, |slow| if slow.0 < silence.0 { slow } else { silence }))
            }
        }
    }
}
