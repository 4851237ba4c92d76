//! The client's side of a binding: how datagrams to and from the server come about.
//!
//! ```text
//!   ticket (TCP) ──▶ asking ──bound (TCP)──▶ bound ── a ping every 20 s; several without an answer: asking, once more
//!                     │  bind, again and again;
//!                     │  a challenge is answered with prove, here and whenever one comes
//!                     └──no answer──▶ given up
//! ```
//!
//! Everything goes to the address that the connection to the server has, whatever a datagram says of where it comes
//! from: only the tag says who sent it.

use super::Tally;
use super::tally::Received as Counted;
use crate::wire::Flags;
use crate::wire::datagram::{Content, FRAME_MAX, Seal, Sender, Unverified};
use crate::wire::frame;
use crate::wire::header::put;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long each attempt waits for the server's word before the next one.
const PATIENCE: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(2),
];

/// Every so often a ping is sent, whatever else is: who only sends does not notice that nothing arrives. It is long enough
/// to be answered with a challenge, should our address have changed. The server forgets an address after 60 s, and
/// a NAT after 30 or more (RFC 4787 §4.3 asks for two minutes).
pub const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// How long the answer to it may take before it is sent again, and after how many the address counts as lost.
const ANSWER_TIME: Duration = Duration::from_secs(2);
const UNANSWERED_MAX: u8 = 4;

pub struct Binding {
    number: u32,
    server: SocketAddr,
    to_server: Seal,
    from_server: Seal,
    stage: Stage,
    counter: u64,
    received: Counted,
    forged: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Asking {
        tried: usize,
        next: Instant,
        /// Whether the server was heard, over UDP.
        challenged: bool,
    },
    Bound {
        pinged: Instant,
        /// Pings since the server was last heard.
        unanswered: u8,
    },
    GivenUp,
}

/// What a datagram of the server's leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// This goes to the server.
    Answer(Vec<u8>),
    Frame(&'a [u8]),
    Nothing,
}

/// What the clock leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    /// This goes to the server.
    Send(Vec<u8>),
    /// There will be no binding, for this reason.
    GiveUp(String),
    Nothing,
}

impl Binding {
    /// `number` and `key` are the ticket's; `server` is where datagrams go.
    pub fn new(number: u32, key: &[u8; 32], server: SocketAddr, now: Instant) -> Self {
        Binding {
            number,
            server,
            to_server: Seal::derive(key, Sender::Client),
            from_server: Seal::derive(key, Sender::Server),
            stage: Stage::Asking { tried: 0, next: now, challenged: false },
            counter: 0,
            received: Counted::from_first(),
            forged: 0,
        }
    }

    pub fn number(&self) -> u32 {
        self.number
    }

    pub fn server(&self) -> SocketAddr {
        self.server
    }

    pub fn is_bound(&self) -> bool {
        matches!(self.stage, Stage::Bound { .. })
    }

    /// The server says, over TCP, that the address is proven. Returns whether that is news: it says so after each
    /// change of address.
    pub fn bound(&mut self, now: Instant) -> bool {
        let news = !self.is_bound();
        self.stage = Stage::Bound { pinged: now, unanswered: 0 };
        news
    }

    /// Takes a datagram that names this binding; `None` when it is not the server's.
    pub fn receive<'a>(&mut self, datagram: &Unverified<'a>) -> Option<Received<'a>> {
        let Some(content) = datagram.verify(&self.from_server) else {
            self.forged += 1;
            return None;
        };
        if let Stage::Bound { unanswered, .. } = &mut self.stage {
            *unanswered = 0;
        }
        Some(match content {
            Content::Challenge { cookie } => {
                if let Stage::Asking { challenged, .. } = &mut self.stage {
                    *challenged = true;
                }
                let mut prove = Vec::new();
                let body = frame::Prove { cookie, tag: [0; 16] };
                self.to_server.sign(&mut prove, self.number, &body);
                Received::Answer(prove)
            }
            Content::Sealed { counter, frame } if self.received.accept(counter) && !frame.is_empty() => {
                Received::Frame(frame)
            }
            _ => Received::Nothing,
        })
    }

    /// Appends a datagram for the server that holds `frame`. `false`, and nothing appended, when the frame has to go
    /// by TCP.
    pub fn seal(&mut self, out: &mut Vec<u8>, frame: &[u8]) -> bool {
        if !self.is_bound() || frame.len() > FRAME_MAX {
            return false;
        }
        self.to_server.seal(out, self.number, self.counter, frame);
        self.counter += 1;
        true
    }

    pub fn next_look(&self) -> Option<Instant> {
        match self.stage {
            Stage::Asking { next, .. } => Some(next),
            Stage::Bound { pinged, unanswered: 0 } => Some(pinged + KEEP_ALIVE),
            Stage::Bound { pinged, .. } => Some(pinged + ANSWER_TIME),
            Stage::GivenUp => None,
        }
    }

    pub fn tick(&mut self, now: Instant) -> Due {
        if self.next_look().is_none_or(|due| now < due) {
            return Due::Nothing;
        }
        let mut out = Vec::new();
        match &mut self.stage {
            Stage::Asking { tried, next, challenged } => {
                let Some(patience) = PATIENCE.get(*tried) else {
                    let reason = reason(self.server, *challenged);
                    self.stage = Stage::GivenUp;
                    return Due::GiveUp(reason);
                };
                (*tried, *next) = (*tried + 1, now + *patience);
                let body = frame::Bind { padding: [0; 24], tag: [0; 16] };
                self.to_server.sign(&mut out, self.number, &body);
            }
            Stage::Bound { unanswered: UNANSWERED_MAX.., .. } => {
                self.stage = Stage::Asking { tried: 0, next: now, challenged: false };
                return self.tick(now);
            }
            Stage::Bound { pinged, unanswered } => {
                (*pinged, *unanswered) = (now, *unanswered + 1);
                let mut ping = Vec::new();
                put(&mut ping, Flags::NONE, 0, &frame::Ping { token: 0 });
                self.seal(&mut out, &ping);
            }
            Stage::GivenUp => return Due::Nothing,
        }
        Due::Send(out)
    }

    pub fn tally(&self) -> Tally {
        self.received.tally(self.counter, self.forged)
    }
}

fn reason(server: SocketAddr, challenged: bool) -> String {
    if challenged {
        format!("{server} answers over UDP, but does not confirm our address")
    } else {
        format!("no answer from {server} over UDP in {} attempts; a firewall may block it", PATIENCE.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Kind;
    use crate::wire::datagram::{ReplayWindow, parse};

    const KEY: [u8; 32] = [4; 32];
    const NUMBER: u32 = 11;

    struct World {
        binding: Binding,
        now: Instant,
    }

    impl World {
        fn new() -> Self {
            let now = Instant::now();
            let server = SocketAddr::from(([192, 0, 2, 1], 7667));
            World { binding: Binding::new(NUMBER, &KEY, server, now), now }
        }

        fn due(&mut self) -> Due {
            self.now = self.binding.next_look().expect("something is due");
            assert_eq!(self.binding.tick(self.now - Duration::from_millis(1)), Due::Nothing, "too early");
            self.binding.tick(self.now)
        }

        fn content(datagram: &[u8]) -> (&'static str, Option<u64>) {
            let seal = Seal::derive(&KEY, Sender::Client);
            match parse(datagram).and_then(|datagram| datagram.verify(&seal)) {
                Some(Content::Bind) => ("bind", None),
                Some(Content::Prove { cookie }) => ("prove", Some(u64::from(cookie[0]))),
                Some(Content::Sealed { counter, frame }) if frame[0] == Kind::Ping as u8 => {
                    ("ping", Some(counter))
                }
                other => panic!("{other:?}"),
            }
        }

        fn bind(&mut self) {
            assert!(matches!(self.due(), Due::Send(datagram) if World::content(&datagram).0 == "bind"));
            assert!(self.binding.bound(self.now));
        }
    }

    fn challenge(byte: u8) -> Vec<u8> {
        let mut out = Vec::new();
        let body = frame::Challenge { cookie: [byte; 24], tag: [0; 16] };
        Seal::derive(&KEY, Sender::Server).sign(&mut out, NUMBER, &body);
        out
    }

    fn from_server(counter: u64, frame: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Seal::derive(&KEY, Sender::Server).seal(&mut out, NUMBER, counter, frame);
        out
    }

    #[test]
    fn it_asks_until_it_is_told_that_it_is_bound() {
        let mut world = World::new();
        assert!(matches!(world.due(), Due::Send(datagram) if World::content(&datagram).0 == "bind"));
        let challenge = challenge(5);
        let answer = world.binding.receive(&parse(&challenge).expect("a datagram"));
        let Some(Received::Answer(prove)) = answer else { panic!("{answer:?}") };
        assert_eq!(World::content(&prove), ("prove", Some(5)));
        assert!(!world.binding.is_bound() && !world.binding.seal(&mut Vec::new(), b"frame"));
        assert!(world.binding.bound(world.now), "only the server's word over TCP counts");
        assert!(!world.binding.bound(world.now), "the second time it is no news");
    }

    #[test]
    fn silence_is_given_up_with_a_reason() {
        let (mut world, mut binds) = (World::new(), 0);
        let started = world.now;
        loop {
            match world.due() {
                Due::Send(datagram) => binds += usize::from(World::content(&datagram).0 == "bind"),
                Due::GiveUp(reason) => break assert!(reason.contains("no answer"), "{reason}"),
                Due::Nothing => panic!("it was due"),
            }
        }
        assert_eq!((binds, world.binding.next_look()), (PATIENCE.len(), None));
        assert!(world.now - started < Duration::from_secs(10));
    }

    #[test]
    fn a_challenge_is_answered_at_any_time() {
        let mut world = World::new();
        world.bind();
        let challenge = challenge(9);
        let answer = world.binding.receive(&parse(&challenge).expect("a datagram"));
        assert!(matches!(answer, Some(Received::Answer(prove)) if World::content(&prove).1 == Some(9)));
        assert!(world.binding.is_bound());
    }

    #[test]
    fn an_idle_binding_is_kept_alive_with_pings() {
        let mut world = World::new();
        world.bind();
        let bound = world.now;
        for n in 0..3_u64 {
            let Due::Send(ping) = world.due() else { panic!("a ping is due") };
            assert_eq!(World::content(&ping), ("ping", Some(n)));
            assert_eq!(ping.len(), challenge(0).len(), "long enough to be answered with a challenge");
            assert!(world.binding.receive(&parse(&from_server(n, b"pong")).expect("a datagram")).is_some());
        }
        assert_eq!(world.now, bound + 3 * KEEP_ALIVE);
        assert!(world.binding.seal(&mut Vec::new(), b"frame"));
        assert_eq!(
            world.binding.next_look(),
            Some(world.now + KEEP_ALIVE),
            "talking is no sign of being heard"
        );
    }

    #[test]
    fn a_binding_whose_pings_are_not_answered_is_made_again() {
        let mut world = World::new();
        world.bind();
        for _ in 0..UNANSWERED_MAX {
            assert!(matches!(world.due(), Due::Send(d) if World::content(&d).0 == "ping"));
        }
        assert!(matches!(world.due(), Due::Send(d) if World::content(&d).0 == "bind"));
        assert!(!world.binding.is_bound(), "until then everything goes by TCP");
        assert!(world.binding.bound(world.now));
    }

    #[test]
    fn what_comes_is_counted_by_what_became_of_it() {
        let mut world = World::new();
        world.bind();
        let mut receive = |datagram: &[u8]| {
            world.binding.receive(&parse(datagram).expect("a datagram")).map(|received| match received {
                Received::Frame(frame) => frame.to_vec(),
                _ => Vec::new(),
            })
        };
        assert_eq!(receive(&from_server(0, b"one")), Some(b"one".to_vec()));
        assert_eq!(receive(&from_server(3, b"four")), Some(b"four".to_vec()));
        assert_eq!(receive(&from_server(3, b"four")), Some(Vec::new()), "replayed");
        assert_eq!(receive(&from_server(2, b"three")), Some(b"three".to_vec()), "late, not lost");
        let mut forged = from_server(4, b"five");
        forged[20] ^= 1;
        assert_eq!(receive(&forged), None);
        let expected = Tally { sent: 0, received: 3, lost: 1, forged: 1, replayed: 1 };
        assert_eq!(world.binding.tally(), expected);
    }

    #[test]
    fn a_frame_too_long_for_a_datagram_goes_by_tcp() {
        let mut world = World::new();
        world.bind();
        let mut out = Vec::new();
        assert!(!world.binding.seal(&mut out, &[0; FRAME_MAX + 1]) && out.is_empty());
        assert!(world.binding.seal(&mut out, &[0; FRAME_MAX]));
        assert!(ReplayWindow::LEN > 1 && parse(&out).is_some());
    }
}
