//! A binding: the datagram side of one connection.
//!
//! ```text
//!   ticket (TCP) ──▶ Unproven ──bind, challenge, prove──▶ Proven ──silence──▶ Unproven
//!                        └── nothing is ever sent but a challenge,     └── another address: it has to be proven
//!                            no longer than what it answers                first; until then the old one holds
//! ```
//!
//! Its number on the wire is the connection's slot. That is guessable, and does not matter: a datagram without the
//! right tag is nobody's, and gets no answer. A slot that is used again has another ticket.
//!
//! A challenge is stateless: its cookie is a MAC over the address, the binding and the time, so that a flood of `bind`
//! costs nothing to remember. Pure: time and keys are arguments, and what is to be sent is returned.

use crate::wire::datagram::{Content, ReplayWindow, Seal, Sender, Unverified};
use crate::wire::frame;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How long a challenge can be answered.
const COOKIE_TIME: Duration = Duration::from_secs(10);

/// Silence after which an address counts as gone; a client sends something every 20 seconds.
pub const EXPIRY: Duration = Duration::from_secs(60);

/// Where datagrams come from and go to: the index of the server's socket, and the client's address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Path {
    pub socket: usize,
    pub client: SocketAddr,
}

/// Why a datagram was dropped. Whoever sent it is not told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dropped {
    /// Not one whole frame of a kind that datagrams have.
    Shape,
    /// No binding of that number.
    Unknown,
    /// The tag is not the client's.
    Forged,
    /// A counter that was seen before, or is too old to tell.
    Replayed,
    /// A cookie that is expired, or was made for another address or binding.
    Cookie,
    /// A frame that has to go by TCP.
    Frame,
    /// The one it is for does not take it as fast as it comes.
    Congested,
}

/// What a datagram with a right tag leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// This goes back to where it came from.
    Challenge(Vec<u8>),
    /// The address is proven, which it was not before; the client is told over TCP.
    Bound,
    /// A frame of the client's. From an address that is not proven a challenge goes back as well.
    Frame { frame: &'a [u8], challenge: Option<Vec<u8>> },
}

pub struct Binding {
    number: u32,
    from_client: Seal,
    to_client: Seal,
    wants: u8,
    window: ReplayWindow,
    counter: u64,
    proven: Option<Proven>,
}

#[derive(Clone, Copy)]
struct Proven {
    path: Path,
    heard: Instant,
}

impl Binding {
    /// `key` is the ticket's; `wants` are bits of [`frame::Wants`].
    pub fn new(number: u32, key: &[u8; 32], wants: u8) -> Self {
        Binding {
            number,
            from_client: Seal::derive(key, Sender::Client),
            to_client: Seal::derive(key, Sender::Server),
            wants,
            window: ReplayWindow::default(),
            counter: 0,
            proven: None,
        }
    }

    /// Where the client has answered, and was heard of since.
    pub fn proven_address(&self, now: Instant) -> Option<SocketAddr> {
        self.live(now).map(|proven| proven.path.client)
    }

    /// Whether the client wants this sort of thing in datagrams, and where they go.
    pub fn path_for(&self, wanted: u8, now: Instant) -> Option<Path> {
        self.live(now).filter(|_| self.wants & wanted != 0).map(|proven| proven.path)
    }

    fn live(&self, now: Instant) -> Option<Proven> {
        self.proven.filter(|proven| now.saturating_duration_since(proven.heard) < EXPIRY)
    }

    /// Appends a datagram for the client that holds `frame`.
    pub fn seal(&mut self, out: &mut Vec<u8>, frame: &[u8]) {
        self.to_client.seal(out, self.number, self.counter, frame);
        self.counter += 1;
    }

    /// Takes a datagram that names this binding.
    ///
    /// # Errors
    /// Why it is dropped.
    pub fn receive<'a>(
        &mut self,
        datagram: &Unverified<'a>,
        path: Path,
        cookies: &Cookies,
        now: Instant,
    ) -> Result<Received<'a>, Dropped> {
        match datagram.verify(&self.from_client).ok_or(Dropped::Forged)? {
            Content::Bind => Ok(Received::Challenge(self.challenge(path, cookies, now))),
            Content::Challenge { .. } => Err(Dropped::Shape),
            Content::Prove { cookie } => {
                if !cookies.check(&cookie, self.number, path, now) {
                    return Err(Dropped::Cookie);
                }
                let before = self.proven.replace(Proven { path, heard: now });
                Ok(match before {
                    Some(before) if before.path == path => Received::Frame { frame: &[], challenge: None },
                    _ => Received::Bound,
                })
            }
            Content::Sealed { counter, frame } => {
                if !self.window.accept(counter) {
                    return Err(Dropped::Replayed);
                }
                let challenge = match &mut self.proven {
                    Some(proven) if proven.path == path => {
                        proven.heard = now;
                        None
                    }
                    _ => Some(self.challenge(path, cookies, now)),
                };
                // Never more bytes to an address that is not proven than came from it.
                let challenge = challenge.filter(|challenge| challenge.len() <= datagram.len());
                Ok(Received::Frame { frame, challenge })
            }
        }
    }

    fn challenge(&self, path: Path, cookies: &Cookies, now: Instant) -> Vec<u8> {
        let cookie = cookies.make(self.number, path, now);
        let mut out = Vec::new();
        self.to_client.sign(&mut out, self.number, &frame::Challenge { cookie, tag: [0; 16] });
        out
    }
}

/// Makes the keys of tickets: one secret, and a count.
pub struct Tickets {
    secret: [u8; 32],
    made: u64,
}

impl Tickets {
    /// `secret` is the server's.
    pub fn new(secret: &[u8; 32]) -> Self {
        Tickets { secret: blake3::derive_key("switchboard tickets v1", secret), made: 0 }
    }

    /// A key that was not made before.
    pub fn make(&mut self) -> [u8; 32] {
        self.made += 1;
        *blake3::keyed_hash(&self.secret, &self.made.to_be_bytes()).as_bytes()
    }
}

/// Makes and checks the cookies of challenges.
pub struct Cookies {
    secret: [u8; 32],
    /// Cookies count their time from here.
    started: Instant,
}

impl Cookies {
    /// `secret` is the server's.
    pub fn new(secret: &[u8; 32], started: Instant) -> Self {
        Cookies { secret: blake3::derive_key("switchboard cookies v1", secret), started }
    }

    /// Eight bytes of time, in milliseconds, and sixteen of MAC.
    fn make(&self, number: u32, path: Path, now: Instant) -> [u8; 24] {
        let millis = now.saturating_duration_since(self.started).as_millis() as u64;
        self.at(millis, number, path)
    }

    fn check(&self, cookie: &[u8; 24], number: u32, path: Path, now: Instant) -> bool {
        let Some((millis, _)) = cookie.split_first_chunk::<8>() else { return false };
        let made = Duration::from_millis(u64::from_be_bytes(*millis));
        let age = now.saturating_duration_since(self.started).checked_sub(made);
        // A guess at a cookie is a guess at sixteen bytes within ten seconds; who could time the comparison has to
        // have a right tag first.
        age.is_some_and(|age| age <= COOKIE_TIME)
            && self.at(u64::from_be_bytes(*millis), number, path) == *cookie
    }

    fn at(&self, millis: u64, number: u32, path: Path) -> [u8; 24] {
        let ip = match path.client.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let mut mac = blake3::Hasher::new_keyed(&self.secret);
        mac.update(&millis.to_be_bytes());
        mac.update(&number.to_be_bytes());
        mac.update(&path.socket.to_be_bytes());
        mac.update(&ip.octets());
        mac.update(&path.client.port().to_be_bytes());
        let mut cookie = [0; 24];
        let (time, tag) = cookie.split_at_mut(8);
        time.copy_from_slice(&millis.to_be_bytes());
        tag.copy_from_slice(&mac.finalize().as_bytes()[..16]);
        cookie
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::datagram::parse;
    use crate::wire::frame::Wants;

    const KEY: [u8; 32] = [3; 32];
    const FRAME: &[u8] = &[0x84, 0, 0, 8, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    fn path(port: u16) -> Path {
        Path { socket: 0, client: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    struct Client(Seal, Seal);

    impl Client {
        fn new() -> Self {
            Client(Seal::derive(&KEY, Sender::Client), Seal::derive(&KEY, Sender::Server))
        }

        fn bind(&self) -> Vec<u8> {
            let mut out = Vec::new();
            self.0.sign(&mut out, 5, &frame::Bind { padding: [0; 24], tag: [0; 16] });
            out
        }

        fn prove(&self, challenge: &[u8]) -> Vec<u8> {
            let content = parse(challenge).and_then(|challenge| challenge.verify(&self.1));
            let Some(Content::Challenge { cookie }) = content else { panic!("no challenge: {content:?}") };
            let mut out = Vec::new();
            self.0.sign(&mut out, 5, &frame::Prove { cookie, tag: [0; 16] });
            out
        }

        fn sealed(&self, counter: u64) -> Vec<u8> {
            let mut out = Vec::new();
            self.0.seal(&mut out, 5, counter, FRAME);
            out
        }
    }

    struct World {
        binding: Binding,
        cookies: Cookies,
        now: Instant,
    }

    impl World {
        fn new() -> Self {
            let now = Instant::now();
            World { binding: Binding::new(5, &KEY, Wants::ROOMS), cookies: Cookies::new(&[9; 32], now), now }
        }

        fn receive(&mut self, datagram: &[u8], path: Path) -> Result<Option<Vec<u8>>, Dropped> {
            let unverified = parse(datagram).ok_or(Dropped::Shape)?;
            let received = self.binding.receive(&unverified, path, &self.cookies, self.now)?;
            let answer = match received {
                Received::Challenge(challenge) => Some(challenge),
                Received::Frame { challenge, .. } => challenge,
                Received::Bound => None,
            };
            assert!(answer.as_ref().is_none_or(|answer| answer.len() <= datagram.len()), "amplified");
            Ok(answer)
        }

        fn bound(&self) -> Option<Path> {
            self.binding.path_for(Wants::ROOMS, self.now)
        }

        fn bind(&mut self, client: &Client, path: Path) {
            let challenge = self.receive(&client.bind(), path).expect("a challenge").expect("a challenge");
            assert_eq!(self.receive(&client.prove(&challenge), path), Ok(None));
            assert_eq!(self.bound(), Some(path));
        }
    }

    #[test]
    fn an_address_is_used_once_it_has_answered() {
        let (mut world, client) = (World::new(), Client::new());
        assert_eq!(world.bound(), None);
        world.bind(&client, path(1));
        assert_eq!(world.binding.path_for(Wants::RELAYS, world.now), None, "only what was asked for");
    }

    #[test]
    fn a_cookie_is_good_for_its_address_and_ten_seconds() {
        let (mut world, client) = (World::new(), Client::new());
        let challenge = world.receive(&client.bind(), path(1)).expect("a challenge").expect("a challenge");
        let prove = client.prove(&challenge);
        assert_eq!(world.receive(&prove, path(2)), Err(Dropped::Cookie));
        world.now += COOKIE_TIME + Duration::from_millis(1);
        assert_eq!(world.receive(&prove, path(1)), Err(Dropped::Cookie));
        assert_eq!(world.bound(), None);
    }

    #[test]
    fn another_address_has_to_prove_itself_while_the_old_one_holds() {
        let (mut world, client) = (World::new(), Client::new());
        world.bind(&client, path(1));
        let challenge = world.receive(&client.sealed(0), path(2)).expect("taken").expect("a challenge");
        assert_eq!(world.bound(), Some(path(1)));
        assert_eq!(world.receive(&client.prove(&challenge), path(2)), Ok(None));
        assert_eq!(world.bound(), Some(path(2)));
    }

    #[test]
    fn nothing_is_taken_twice_and_nothing_forged() {
        let (mut world, client) = (World::new(), Client::new());
        world.bind(&client, path(1));
        assert_eq!(world.receive(&client.sealed(7), path(1)), Ok(None));
        assert_eq!(world.receive(&client.sealed(7), path(1)), Err(Dropped::Replayed));
        assert_eq!(world.receive(&client.sealed(6), path(1)), Ok(None), "late is not twice");
        let mut forged = client.sealed(8);
        forged[20] ^= 1;
        assert_eq!(world.receive(&forged, path(1)), Err(Dropped::Forged));
        let mut back = Vec::new();
        world.binding.seal(&mut back, FRAME);
        assert_eq!(world.receive(&back, path(1)), Err(Dropped::Forged), "our own, sent back");
    }

    #[test]
    fn silence_ends_it() {
        let (mut world, client) = (World::new(), Client::new());
        world.bind(&client, path(1));
        world.now += EXPIRY;
        assert_eq!(world.bound(), None);
        assert_eq!(world.receive(&client.sealed(1), path(1)), Ok(None), "heard again");
        assert_eq!(world.bound(), Some(path(1)));
    }
}
