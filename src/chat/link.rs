//! One nonblocking connection to a server: dialled, greeted, kept alive. Or, in a chat without a server, one from the
//! peer, for whom this side is the server.
//!
//! ```text
//!   dial ──▶ connecting ──writable──▶ greeting ──welcome──▶ open
//!               └─ the next address      └─ refused, or a line of text ──▶ Lost
//!   accept ─────────────────────────▶ accepted ──welcome──▶ open
//!                                        └─ something else than hello ──▶ Lost
//! ```
//!
//! Hello, ping and bye are dealt with here; every other frame goes to the caller, borrowed from the read buffer.
//! The reading budget is one read per call, so that the caller can stop between two of them.

use super::capture::{Capture, Wire};
use super::dial::{connect_next, set_options};
use super::lost::Lost;
pub use super::outgoing::Outgoing;
use super::paths::Dialler;
use super::pulse::{Check, Pulse};
use crate::capture::Side;
use crate::net::inbox::Filled;
use crate::net::{Flushed, Inbox};
use crate::wire::frame::{BodyError, Bye, Hello, Ping, Pong, VERSION, Welcome};
use crate::wire::{BODY_MAX, ByeCode, Flags, Frame, FrameError, Kind, RawFrame, Split, split};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

/// How long one address may take to answer.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long the server may take to answer hello.
const WELCOME_TIME: Duration = Duration::from_secs(15);

/// How long a peer that called may take until it is welcome, and its longest body until then, in bytes.
const HELLO_TIME: Duration = Duration::from_secs(10);
const HELLO_BODY_MAX: u16 = 512;

/// Bytes of one read.
const READ_BYTES: usize = 256 * 1_024;

/// Bytes on their way; while there are more, nothing is read, because the other side does not read the answers either.
/// More than a client ever queues of its own: two that both have much to say must not both stop reading. A script has
/// at most 128 lines of 64 KiB under way.
const QUEUED_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// The longest line of text, in bytes, that is looked at when a server answers with text.
const TEXT_BYTES_MAX: usize = 400;

pub struct Link {
    socket: TcpStream,
    phase: Phase,
    other: Other,
    /// Where to connect if the present address does not answer, the next one last.
    addresses: Vec<SocketAddr>,
    dialler: Dialler,
    token: Token,
    nick: String,
    /// What is said before hello: passwords, as frames.
    credentials: Vec<u8>,
    readable: bool,
    writable: bool,
    inbox: Inbox,
    scratch: Vec<u8>,
    out: Outgoing,
    body_max: u16,
    pulse: Pulse,
    capture: Capture,
    wire: Wire,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Connecting {
        deadline: Instant,
    },
    Greeting {
        deadline: Instant,
    },
    /// The other side has to greet.
    Accepted {
        deadline: Instant,
    },
    Open,
}

/// Who is at the other end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Other {
    Server,
    /// A peer for whom this side is the server.
    Guest,
}

/// What the caller is told.
#[derive(Clone, Copy, Debug)]
pub enum Incoming<'a> {
    Welcome {
        nick: &'a str,
        text_max: u16,
    },
    Frame {
        channel: u32,
        flags: Flags,
        frame: Frame<'a>,
    },
    /// Whatever a guest sends but signs of life and goodbyes; its body may be anything.
    Request(RawFrame<'a>),
}

impl Link {
    /// Begins to connect to the first address of `server` (host:port) that takes it.
    ///
    /// # Errors
    /// [`Lost::Resolve`] and [`Lost::Connect`], when not even the beginning works.
    pub fn dial(
        registry: &Registry,
        token: Token,
        server: &str,
        nick: &str,
        dialler: Dialler,
        now: Instant,
    ) -> Result<Link, Lost> {
        // Blocks as long as the resolver takes; while there is no connection there is nothing else to do.
        let mut addresses: Vec<_> = server.to_socket_addrs().map_err(Lost::Resolve)?.collect();
        addresses.reverse();
        let socket = connect_next(registry, token, dialler, &mut addresses, None)?;
        let nick = nick.to_owned();
        let phase = Phase::Connecting { deadline: now + CONNECT_TIME };
        Ok(Link { addresses, nick, dialler, ..Link::new(socket, token, phase, Other::Server, BODY_MAX, now) })
    }

    /// What goes through it from now on is captured.
    pub fn capture(&mut self, capture: &Capture) {
        self.capture = capture.clone();
        if self.other == Other::Guest {
            self.wire = capture.connected("guest", &self.socket, Side::Theirs);
        }
    }

    /// What is to be said before hello, whole frames.
    pub fn say_before_hello(&mut self, frames: Vec<u8>) {
        self.credentials = frames;
    }

    /// Takes the connection of somebody who called, and waits for their hello.
    ///
    /// # Errors
    /// Those of registering the socket.
    pub fn accept(
        registry: &Registry,
        token: Token,
        mut socket: TcpStream,
        now: Instant,
    ) -> io::Result<Link> {
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        set_options(&socket);
        let phase = Phase::Accepted { deadline: now + HELLO_TIME };
        Ok(Link::new(socket, token, phase, Other::Guest, HELLO_BODY_MAX, now))
    }

    fn new(socket: TcpStream, token: Token, phase: Phase, other: Other, body_max: u16, now: Instant) -> Link {
        Link {
            socket,
            phase,
            other,
            addresses: Vec::new(),
            dialler: Dialler::default(),
            token,
            nick: String::new(),
            credentials: Vec::new(),
            readable: false,
            writable: false,
            inbox: Inbox::default(),
            scratch: vec![0; READ_BYTES],
            out: Outgoing::default(),
            body_max,
            pulse: Pulse::new(now),
            capture: Capture::default(),
            wire: Wire::default(),
        }
    }

    /// This end of the connection, while there is one.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    /// The server's end.
    pub fn server_address(&self) -> Option<SocketAddr> {
        self.socket.peer_addr().ok()
    }

    /// Whether the connection has come about.
    pub fn is_connected(&self) -> bool {
        !matches!(self.phase, Phase::Connecting { .. })
    }

    /// Whether the server has welcomed us, or we the guest.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    pub fn out(&mut self) -> &mut Outgoing {
        &mut self.out
    }

    /// Bytes on their way.
    pub fn queued_bytes(&self) -> usize {
        self.out.queued_bytes()
    }

    /// Whether a read is worth it, and its answers have room.
    pub fn is_readable(&self) -> bool {
        self.readable && !self.is_clogged() && !matches!(self.phase, Phase::Connecting { .. })
    }

    fn is_clogged(&self) -> bool {
        self.queued_bytes() > QUEUED_BYTES_MAX
    }

    /// Whether an answer to ping can be expected: [`Pulse::expect_answers`].
    pub fn expect_answers(&mut self, expected: bool, now: Instant) {
        self.pulse.expect_answers(expected && !self.is_clogged(), now);
    }

    /// Notes readiness; only `WouldBlock` takes it back.
    pub fn note(&mut self, event: &Event) {
        self.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.writable |= event.is_writable() || event.is_write_closed() || event.is_error();
    }

    /// Sees whether the connection is there, and says hello once it is.
    ///
    /// # Errors
    /// [`Lost::Connect`] when no address is left to try.
    pub fn advance(&mut self, registry: &Registry, now: Instant) -> Result<(), Lost> {
        let Phase::Connecting { deadline } = self.phase else { return Ok(()) };
        let outcome = match self.socket.take_error() {
            Ok(None) if self.writable => self.socket.peer_addr().map(|_| ()),
            Ok(None) => Err(ErrorKind::NotConnected.into()),
            Ok(Some(error)) | Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => {
                set_options(&self.socket);
                self.wire = self.capture.connected("server", &self.socket, Side::Ours);
                let hello = Hello { request: 0, version: VERSION, body_max: BODY_MAX, name: &self.nick };
                self.out.send_encoded(&std::mem::take(&mut self.credentials));
                self.out.send(Flags::NONE, 0, &hello);
                self.phase = Phase::Greeting { deadline: now + WELCOME_TIME };
                self.pulse.heard(now);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::NotConnected && now < deadline => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotConnected => {
                self.try_next(registry, now, ErrorKind::TimedOut.into())
            }
            Err(error) => self.try_next(registry, now, error),
        }
    }

    fn try_next(&mut self, registry: &Registry, now: Instant, error: io::Error) -> Result<(), Lost> {
        self.hang_up(registry);
        self.socket = connect_next(registry, self.token, self.dialler, &mut self.addresses, Some(error))?;
        (self.readable, self.writable) = (false, false);
        self.phase = Phase::Connecting { deadline: now + CONNECT_TIME };
        Ok(())
    }

    /// Reads once and hands every whole frame to `take`, which can answer on the spot.
    ///
    /// # Errors
    /// [`Lost`]; the frames before it have been handed over.
    pub fn read(
        &mut self,
        now: Instant,
        mut take: impl FnMut(&mut Outgoing, Incoming<'_>),
    ) -> Result<(), Lost> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let filled = self.inbox.fill(&mut self.wire.on(&mut self.socket), &mut scratch);
        let outcome = match filled {
            Ok(Filled::End) => Err(Lost::Ended),
            Ok(Filled::Scratch(n)) => self.use_frames(&scratch[..n], now, &mut take).map(|(used, needed)| {
                self.inbox.keep(&scratch[used..n], needed);
            }),
            Ok(Filled::Held) => {
                let held = self.inbox.take_held();
                self.use_frames(&held, now, &mut take).map(|(used, needed)| {
                    self.inbox.put_back(held, used, needed);
                })
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(Lost::Io(error)),
        };
        self.scratch = scratch;
        outcome
    }

    /// Returns how many bytes were used, and how many it takes until another look makes sense.
    fn use_frames(
        &mut self,
        bytes: &[u8],
        now: Instant,
        take: &mut impl FnMut(&mut Outgoing, Incoming<'_>),
    ) -> Result<(usize, usize), Lost> {
        self.pulse.heard(now);
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            match split(rest, self.body_max) {
                Ok(Split::Frame(raw)) => {
                    used += raw.len();
                    self.use_frame(&raw, take)?;
                }
                Ok(Split::Incomplete { needed }) => return Ok((used, needed)),
                Err(FrameError::NotAFrame(_)) => return Err(Lost::Text(first_line(rest))),
                Err(error) => return Err(Lost::Broken(error.to_string())),
            }
        }
    }

    fn use_frame(
        &mut self,
        raw: &RawFrame<'_>,
        take: &mut impl FnMut(&mut Outgoing, Incoming<'_>),
    ) -> Result<(), Lost> {
        if self.is_request(raw)? {
            take(&mut self.out, Incoming::Request(*raw));
            if let Some(body_max) = self.out.welcomed.take() {
                (self.phase, self.body_max) = (Phase::Open, body_max);
            }
            return Ok(());
        }
        let frame = match raw.decode() {
            Ok(frame) => frame,
            Err(BodyError::UnknownKind(kind)) => {
                log::debug!("a frame of kind 0x{kind:02x}, which a newer server may send, is passed over");
                return Ok(());
            }
            Err(error) => return Err(Lost::Broken(error.to_string())),
        };
        match frame {
            Frame::Ping(Ping { token }) => self.out.send(Flags::NONE, 0, &Pong { token }),
            Frame::Pong(_) => {}
            Frame::Bye(Bye { code, text }) => return Err(Lost::Bye { code, text: text.to_owned() }),
            Frame::Welcome(Welcome { body_max, text_max, name, .. }) if !self.is_open() => {
                self.phase = Phase::Open;
                self.body_max = body_max;
                take(&mut self.out, Incoming::Welcome { nick: name, text_max });
            }
            Frame::Refused(refused) if !self.is_open() => {
                return Err(Lost::Refused { code: refused.code, text: refused.text.to_owned() });
            }
            frame => {
                let (channel, flags) = (raw.header.channel, raw.flags());
                take(&mut self.out, Incoming::Frame { channel, flags, frame });
            }
        }
        Ok(())
    }

    /// Whether a frame is a guest's, and not for the connection itself.
    fn is_request(&self, raw: &RawFrame<'_>) -> Result<bool, Lost> {
        match (self.other, raw.kind()) {
            (Other::Server, _) => Ok(false),
            (Other::Guest, Some(Kind::Hello)) => Ok(true),
            (Other::Guest, _) if !self.is_open() => Err(Lost::NoHello),
            (Other::Guest, kind) => Ok(!matches!(kind, Some(Kind::Ping | Kind::Pong | Kind::Bye))),
        }
    }

    /// Writes what the socket takes, at most so much that reading gets its turn.
    ///
    /// # Errors
    /// [`Lost::Io`].
    pub fn flush(&mut self) -> Result<(), Lost> {
        if !self.writable || matches!(self.phase, Phase::Connecting { .. }) {
            return Ok(());
        }
        let Outgoing { outbox, blocks, .. } = &mut self.out;
        match outbox.flush(blocks, &mut self.wire.on(&mut self.socket), 4 * READ_BYTES) {
            Ok(Flushed::WouldBlock) => self.writable = false,
            Ok(Flushed::All | Flushed::Budget | Flushed::Held) => {}
            Err(error) => return Err(Lost::Io(error)),
        }
        Ok(())
    }

    /// Whether there is more to write and the socket would take it.
    pub fn is_flushable(&self) -> bool {
        self.writable && !self.out.outbox.is_empty() && !matches!(self.phase, Phase::Connecting { .. })
    }

    /// Looks at the clock: asks for a sign of life, or finds that there is none.
    ///
    /// # Errors
    /// [`Lost::Silent`].
    pub fn tick(&mut self, now: Instant) -> Result<(), Lost> {
        match self.phase {
            Phase::Greeting { deadline } | Phase::Accepted { deadline } if now >= deadline => {
                Err(Lost::Silent)
            }
            Phase::Connecting { .. } | Phase::Greeting { .. } | Phase::Accepted { .. } => Ok(()),
            Phase::Open => match self.pulse.check(now) {
                Check::Wait => Ok(()),
                Check::Ask => {
                    self.out.send(Flags::NONE, 0, &Ping { token: 0 });
                    Ok(())
                }
                Check::Dead => Err(Lost::Silent),
            },
        }
    }

    /// When the clock next has something to say.
    pub fn next_look(&self) -> Instant {
        match self.phase {
            Phase::Connecting { deadline } | Phase::Greeting { deadline } | Phase::Accepted { deadline } => {
                deadline
            }
            Phase::Open => self.pulse.due(),
        }
    }

    /// Says why it ends as far as the socket takes it at once, and ends it. What was queued goes first.
    pub fn part(mut self, registry: &Registry, last_words: &[u8]) {
        self.out.send_encoded(last_words);
        if self.flush().is_ok() {
            let mut tapped = self.wire.on(&mut self.socket);
            let _ = tapped.shut(Shutdown::Write);
            let _ = tapped.read(&mut self.scratch); // unread input would reset it before the words are read
        }
        self.hang_up(registry);
    }

    /// Queues the last frame.
    pub fn say_bye(&mut self, text: &str) {
        self.out.send(Flags::NONE, 0, &Bye { code: ByeCode::Goodbye.number(), text });
    }

    /// Takes the socket out of the poll, before the link is dropped.
    pub fn hang_up(&mut self, registry: &Registry) {
        // It may never have been in there; then there is nothing to take out.
        let _ = registry.deregister(&mut self.socket);
    }
}

fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|&byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    String::from_utf8_lossy(&line[..line.len().min(TEXT_BYTES_MAX)]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_text_is_its_first_line() {
        assert_eq!(first_line(b"ERROR :the server is full\r\nmore"), "ERROR :the server is full");
        assert_eq!(first_line(&[b'x'; 10_000]).len(), TEXT_BYTES_MAX);
        assert_eq!(first_line(b""), "");
    }
}
