//! One TCP connection to a peer, or to somebody who has yet to show that it is one.
//!
//! ```text
//!   dialled ──▶ Dialling ──writable──▶ Attached ──▶ Closing ──all written, and read to the end──▶ gone
//!   accepted ──▶ Stranger ──a sealed ping of a call's peer──┘
//!                   └── three seconds, or too many bytes ──▶ gone, without a word
//! ```

use super::HIGH_WATER_BYTES;
use crate::chat::capture::Wire;
use crate::net::inbox::Filled;
use crate::net::{Blocks, Flushed, Inbox, Outbox};
use crate::wire::datagram::{Unverified, parse_frame};
use crate::wire::{BODY_MAX, HEADER_LEN, Split, split};
use mio::event::Event;
use mio::net::TcpStream;
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

/// Bytes of one read, and of the buffer for it.
pub const READ_BYTES: usize = 256 * 1_024;

/// How long a stranger may take to show that it is a peer: as long as it may be ahead of us with its round.
pub const STRANGER_TIME: Duration = Duration::from_secs(3);

/// The longest frame, header and body, in bytes, of somebody who has not shown to be the peer.
const STRANGER_FRAME_MAX: usize = 64;

/// Bytes that a stranger may send until it is known: a few pings.
const STRANGER_BYTES_MAX: usize = 256;

/// With so many bytes queued for a peer nothing more is read from it: what it sends may want an answer. Payload stops
/// well below that, so that two ends that only say much to each other never wait for each other.
pub const UNREAD_BYTES: usize = HIGH_WATER_BYTES + 2 * (BODY_MAX as usize + HEADER_LEN);

/// After this long without anything from the peer TCP itself asks whether it is there.
const TCP_SILENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Dialling { channel: u32 },
    Stranger { until: Instant },
    Attached { channel: u32 },
    Closing { channel: u32, until: Option<Instant> },
}

pub struct Connection {
    pub socket: TcpStream,
    pub remote: SocketAddr,
    pub stage: Stage,
    pub inbox: Inbox,
    pub outbox: Outbox,
    /// Whether what comes is to wait in the socket.
    pub stalled: bool,
    readable: bool,
    writable: bool,
    /// Whether a frame of the peer's has come; until then frames are short.
    verified: bool,
    shut: bool,
    pub wire: Wire,
}

/// What has become of a connection that was dialled.
#[derive(Debug)]
pub enum Dialled {
    NotYet,
    There,
    Failed(io::Error),
}

/// Who a stranger turns out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recognised {
    NotYet,
    Peer { channel: u32 },
    Nobody,
}

impl Connection {
    pub fn new(socket: TcpStream, remote: SocketAddr, stage: Stage) -> Self {
        Connection {
            socket,
            remote,
            stage,
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            stalled: false,
            readable: false,
            writable: false,
            verified: false,
            shut: false,
            wire: Wire::default(),
        }
    }

    /// The call that it belongs to.
    pub fn channel(&self) -> Option<u32> {
        match self.stage {
            Stage::Dialling { channel } | Stage::Attached { channel } | Stage::Closing { channel, .. } => {
                Some(channel)
            }
            Stage::Stranger { .. } => None,
        }
    }

    /// A stranger has turned out to be the peer of a call; what it has sent is worth a look.
    pub fn attach(&mut self, channel: u32) {
        set_options(&self.socket);
        (self.stage, self.verified) = (Stage::Attached { channel }, true);
        let held = self.inbox.take_held();
        self.inbox.put_back(held, 0, 0);
    }

    /// Notes readiness; only `WouldBlock` takes it back.
    pub fn note(&mut self, event: &Event) {
        self.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.writable |= event.is_writable() || event.is_write_closed() || event.is_error();
    }

    /// Whether there is something to do that no event will announce.
    pub fn is_busy(&self) -> bool {
        let newly_closed = matches!(self.stage, Stage::Closing { until: None, .. }); // its time has yet to be set
        self.is_readable() || self.is_flushable() || newly_closed
    }

    pub fn is_readable(&self) -> bool {
        let takes = !self.stalled && self.outbox.queued_bytes() < UNREAD_BYTES;
        self.readable && takes && !matches!(self.stage, Stage::Dialling { .. })
    }

    fn is_flushable(&self) -> bool {
        let ended = matches!(self.stage, Stage::Closing { .. }) && !self.shut;
        self.writable && (!self.outbox.is_empty() || ended) && !matches!(self.stage, Stage::Dialling { .. })
    }

    /// Looks whether the connection is there.
    pub fn dialled(&self) -> Dialled {
        match self.socket.take_error() {
            Ok(None) if self.writable => match self.socket.peer_addr() {
                Ok(_) => {
                    set_options(&self.socket);
                    Dialled::There
                }
                Err(error) if error.kind() == ErrorKind::NotConnected => Dialled::NotYet,
                Err(error) => Dialled::Failed(error),
            },
            Ok(None) => Dialled::NotYet,
            Ok(Some(error)) | Err(error) => Dialled::Failed(error),
        }
    }

    /// Reads once and hands every whole frame to `take`, which says whether it is the peer's.
    ///
    /// # Errors
    /// Why there is nothing more to be read, as a sentence.
    pub fn read(
        &mut self,
        scratch: &mut [u8],
        mut take: impl FnMut(&Unverified<'_>) -> bool,
    ) -> Result<(), String> {
        match self.fill(scratch)? {
            None => Ok(()),
            Some(Filled::Scratch(n)) => {
                let bytes = scratch.get(..n).unwrap_or_default();
                let (used, needed) = self.use_frames(bytes, &mut take)?;
                self.inbox.keep(bytes.get(used..).unwrap_or_default(), needed);
                Ok(())
            }
            Some(_) => self.use_held(take),
        }
    }

    /// The same with what a stranger had sent before it was known.
    ///
    /// # Errors
    /// Those of [`Connection::read`].
    pub fn use_held(&mut self, mut take: impl FnMut(&Unverified<'_>) -> bool) -> Result<(), String> {
        let held = self.inbox.take_held();
        let (used, needed) = self.use_frames(&held, &mut take)?;
        self.inbox.put_back(held, used, needed);
        Ok(())
    }

    /// Reads once what somebody sent who has to be recognised by it.
    ///
    /// # Errors
    /// Those of [`Connection::read`].
    pub fn read_stranger(&mut self, scratch: &mut [u8]) -> Result<(), String> {
        if let Some(Filled::Scratch(n)) = self.fill(scratch)? {
            if n > STRANGER_BYTES_MAX {
                return Err(NOT_THE_PEER.to_owned());
            }
            self.inbox.keep(scratch.get(..n).unwrap_or_default(), n + 1);
        }
        Ok(())
    }

    /// Looks at a stranger's first frame. `knows` says whether it is a frame of a call's peer.
    pub fn recognise(&mut self, knows: impl FnOnce(&Unverified<'_>) -> bool) -> Recognised {
        let held = self.inbox.take_held();
        let recognised = match split(&held, (STRANGER_FRAME_MAX - HEADER_LEN) as u16) {
            Ok(Split::Incomplete { .. }) => Recognised::NotYet,
            Ok(Split::Frame(raw)) => match held.get(..raw.len()).and_then(parse_frame) {
                Some(sealed) if knows(&sealed) => Recognised::Peer { channel: sealed.channel },
                Some(_) => Recognised::NotYet, // it may be ahead of us
                None => Recognised::Nobody,
            },
            Err(_) => Recognised::Nobody,
        };
        let needed = held.len() + 1;
        self.inbox.put_back(held, 0, needed);
        recognised
    }

    /// Writes what the socket takes, at most so much that reading gets its turn.
    ///
    /// # Errors
    /// Why nothing more can be written, as a sentence.
    pub fn flush(&mut self, blocks: &mut Blocks) -> Result<(), String> {
        if !self.is_flushable() {
            return Ok(());
        }
        match self.outbox.flush(blocks, &mut self.wire.on(&mut self.socket), 4 * READ_BYTES) {
            Ok(Flushed::WouldBlock) => self.writable = false,
            Ok(Flushed::All | Flushed::Budget | Flushed::Held) => {}
            Err(error) => return Err(broken(&error)),
        }
        if matches!(self.stage, Stage::Closing { .. }) && self.outbox.is_empty() && !self.shut {
            self.shut = true;
            let _ = self.wire.on(&mut self.socket).shut(Shutdown::Write); // an error shows in the next read
        }
        Ok(())
    }

    fn fill(&mut self, scratch: &mut [u8]) -> Result<Option<Filled>, String> {
        match self.inbox.fill(&mut self.wire.on(&mut self.socket), scratch) {
            Ok(Filled::End) => Err("the peer closed the connection".to_owned()),
            Ok(filled) => Ok(Some(filled)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(None)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(broken(&error)),
        }
    }

    /// Returns how many bytes were used, and how many it takes until another look makes sense.
    fn use_frames(
        &mut self,
        bytes: &[u8],
        take: &mut impl FnMut(&Unverified<'_>) -> bool,
    ) -> Result<(usize, usize), String> {
        if matches!(self.stage, Stage::Closing { .. }) {
            return Ok((bytes.len(), HEADER_LEN)); // read, so that what we wrote is not taken back
        }
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let body_max = if self.verified { BODY_MAX } else { (STRANGER_FRAME_MAX - HEADER_LEN) as u16 };
            let raw = match split(rest, body_max) {
                Ok(Split::Frame(raw)) => raw,
                Ok(Split::Incomplete { needed }) => return Ok((used, needed)),
                Err(_) => return Err(NOT_THE_PEER.to_owned()),
            };
            let sealed = rest.get(..raw.len()).and_then(parse_frame);
            if !sealed.is_some_and(|sealed| take(&sealed)) {
                return Err(NOT_THE_PEER.to_owned());
            }
            self.verified = true;
            used += raw.len();
        }
    }
}

const NOT_THE_PEER: &str = "what came is not the peer's";

fn broken(error: &io::Error) -> String {
    format!("the connection broke: {error}")
}

/// What a connection is better off with, and works without.
fn set_options(socket: &TcpStream) {
    let keepalive =
        TcpKeepalive::new().with_time(TCP_SILENCE).with_interval(Duration::from_secs(10)).with_retries(3);
    if let Err(error) = socket.set_nodelay(true) {
        log::debug!("TCP_NODELAY: {error}");
    }
    if let Err(error) = SockRef::from(socket).set_tcp_keepalive(&keepalive) {
        log::debug!("SO_KEEPALIVE: {error}");
    }
}
