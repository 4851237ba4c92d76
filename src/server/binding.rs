//! A binding: the datagram side of one connection.
//!
//! ```text
//!   ticket (TCP) ──▶ Unproven ──bind, challenge, prove──▶ Proven ──silence, or a proof too old──▶ Unproven
//!                        └── nothing is ever sent but a challenge,     └── another address: it has to be proven
//!                            no longer than what it answers                first; until then the old one holds
//! ```
//!
//! Its number on the wire is the connection's slot. That is guessable, and does not matter: a datagram without the
//! right tag is nobody's, and gets no answer. A slot that is used again has another ticket.
//!
//! A challenge is stateless: its cookie is a MAC over the address, the binding and the time, so that a flood of `bind`
//! costs nothing to remember. Pure: time and keys are arguments, and what is to be sent is returned.

use super::allowance::{Allowance, Rate};
use crate::wire::datagram::{Content, ReplayWindow, Seal, Sender, Unverified};
use crate::wire::frame;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How long a challenge can be answered.
pub const COOKIE_TIME: Duration = Duration::from_secs(10);

/// How old a proof may get before the client is challenged again. A source address can be forged; so whoever once had
/// an address, and has it no more, must not be able to keep datagrams flowing there for ever.
pub const PROOF_TIME: Duration = Duration::from_secs(300);

/// How many challenges one binding causes: somebody who has seen a `bind` can repeat it from any address.
const CHALLENGES: Rate = Rate { per_second: 5, burst: 10 };

/// Where datagrams come from and go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Path {
    /// The index of the server's socket.
    pub socket: usize,
    /// The address of the server that the client knows, where the socket has more than one.
    pub server: Option<IpAddr>,
    pub client: SocketAddr,
}

/// Declares the reasons to drop a datagram, with their words for the log and for counters.
macro_rules! dropped {
    ($($(#[$meta:meta])* $reason:ident = $words:literal / $label:literal,)*) => {
        /// Why a datagram was dropped. Whoever sent it is not told.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Dropped { $($(#[$meta])* $reason,)* }

        impl Dropped {
            pub const ALL: &'static [Dropped] = &[$(Dropped::$reason,)*];

            /// The reason in a word or two, for counters.
            pub fn label(self) -> &'static str {
                match self { $(Dropped::$reason => $label,)* }
            }
        }

        impl fmt::Display for Dropped {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Dropped::$reason => $words,)* })
            }
        }
    };
}

dropped! {
    /// More bytes than any datagram has.
    TooLong = "too long" / "too-long",
    /// Not one whole frame of a kind that a client sends in datagrams.
    Shape = "misshapen" / "misshapen",
    /// No binding of that number.
    Unknown = "for no binding" / "no-binding",
    /// The tag is not the client's.
    Forged = "forged" / "forged",
    /// A counter that was seen before, or is too old to tell.
    Replayed = "seen before" / "replayed",
    /// A cookie that is expired, used, or was made for another address or binding.
    Cookie = "with a wrong cookie" / "wrong-cookie",
    /// A frame that has to go by TCP, or payload for no relay of the client's.
    Frame = "with a frame that is not for datagrams" / "wrong-frame",
    /// The client has made the server send as many as it may.
    Limited = "over the sender's limit" / "over-limit",
    /// The one it is for, the socket, or the turn does not take it as fast as it comes.
    Congested = "not taken in time" / "congested",
}

/// What a datagram with a right tag leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// This goes back to where it came from.
    Challenge(Vec<u8>),
    /// The address is proven; the client is told over TCP.
    Bound,
    /// A frame of the client's. From an address that is not proven, or was so long ago, a challenge goes back as well.
    Frame { frame: &'a [u8], challenge: Option<Vec<u8>> },
}

pub struct Binding {
    number: u32,
    from_client: Seal,
    to_client: Seal,
    wants: u8,
    window: ReplayWindow,
    counter: u64,
    challenges: Allowance,
    proven: Option<Proven>,
    /// When the latest cookie that was accepted was made. Older ones, and itself, prove nothing more: an answer to a
    /// challenge cannot be repeated to move the binding back.
    latest_cookie: Option<CookieTime>,
}

#[derive(Clone, Copy)]
struct Proven {
    path: Path,
    at: Instant,
    heard: Instant,
}

impl Binding {
    /// `key` is the ticket's; `wants` are bits of [`frame::Wants`].
    pub fn new(number: u32, key: &[u8; 32], wants: u8, now: Instant) -> Self {
        Binding {
            number,
            from_client: Seal::derive(key, Sender::Client),
            to_client: Seal::derive(key, Sender::Server),
            wants,
            window: ReplayWindow::default(),
            counter: 0,
            challenges: Allowance::new(now),
            proven: None,
            latest_cookie: None,
        }
    }

    /// Where the client is, if that is proven and it was heard of within `expiry`.
    pub fn path(&self, expiry: Duration, now: Instant) -> Option<Path> {
        let Proven { path, at, heard } = self.proven?;
        let since = |then| now.saturating_duration_since(then);
        (since(heard) < expiry && since(at) < PROOF_TIME + expiry).then_some(path)
    }

    /// The same for what the client wants in datagrams: a bit of [`frame::Wants`].
    pub fn path_for(&self, wanted: u8, expiry: Duration, now: Instant) -> Option<Path> {
        self.path(expiry, now).filter(|_| self.wants & wanted != 0)
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
        expiry: Duration,
        now: Instant,
    ) -> Result<Received<'a>, Dropped> {
        match datagram.verify(&self.from_client).ok_or(Dropped::Forged)? {
            Content::Bind => {
                self.challenge(path, cookies, now).map(Received::Challenge).ok_or(Dropped::Limited)
            }
            Content::Challenge { .. } => Err(Dropped::Shape),
            Content::Prove { cookie } => {
                let made = cookies.check(&cookie, self.number, path, now).ok_or(Dropped::Cookie)?;
                if self.latest_cookie.is_some_and(|latest| made <= latest) {
                    return Err(Dropped::Cookie);
                }
                self.latest_cookie = Some(made);
                self.proven = Some(Proven { path, at: now, heard: now });
                Ok(Received::Bound)
            }
            Content::Sealed { counter, frame } => {
                if !self.window.accept(counter) {
                    return Err(Dropped::Replayed);
                }
                let challenge = self.note_heard(path, datagram.len(), cookies, expiry, now);
                Ok(Received::Frame { frame, challenge })
            }
        }
    }

    /// A datagram of the client's, `received` bytes long, came from there. Returns a challenge where one is due.
    fn note_heard(
        &mut self,
        path: Path,
        received: usize,
        cookies: &Cookies,
        expiry: Duration,
        now: Instant,
    ) -> Option<Vec<u8>> {
        let is_proven = self.path(expiry, now) == Some(path);
        match &mut self.proven {
            Some(proven) if is_proven => {
                proven.heard = now;
                let is_old = now.saturating_duration_since(proven.at) >= PROOF_TIME;
                if is_old { self.challenge(path, cookies, now) } else { None }
            }
            // Never more bytes to an address that is not proven than came from it.
            _ if received >= CHALLENGE_LEN => self.challenge(path, cookies, now),
            _ => None,
        }
    }

    fn challenge(&mut self, path: Path, cookies: &Cookies, now: Instant) -> Option<Vec<u8>> {
        if !self.challenges.take(CHALLENGES, now) {
            return None;
        }
        let cookie = cookies.make(self.number, path, now);
        let mut out = Vec::with_capacity(CHALLENGE_LEN);
        self.to_client.sign(&mut out, self.number, &frame::Challenge { cookie, tag: [0; 16] });
        Some(out)
    }
}

/// A challenge, in bytes; and what it answers is never shorter.
const CHALLENGE_LEN: usize = 48;

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

/// When a cookie was made: nanoseconds since the server started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CookieTime(u64);

impl Cookies {
    /// `secret` is the server's.
    pub fn new(secret: &[u8; 32], started: Instant) -> Self {
        Cookies { secret: blake3::derive_key("switchboard cookies v1", secret), started }
    }

    /// Eight bytes of time and sixteen of MAC.
    fn make(&self, number: u32, path: Path, now: Instant) -> [u8; 24] {
        let nanos = now.saturating_duration_since(self.started).as_nanos();
        self.at(CookieTime(u64::try_from(nanos).unwrap_or(u64::MAX)), number, path)
    }

    /// When the cookie was made, if it was made here, for this path, and not too long ago.
    fn check(&self, cookie: &[u8; 24], number: u32, path: Path, now: Instant) -> Option<CookieTime> {
        let made = CookieTime(u64::from_be_bytes(*cookie.first_chunk::<8>()?));
        let age = now.saturating_duration_since(self.started).checked_sub(Duration::from_nanos(made.0))?;
        // A guess at a cookie is a guess at sixteen bytes within ten seconds; who could time the comparison has to
        // have a right tag first.
        (age <= COOKIE_TIME && self.at(made, number, path) == *cookie).then_some(made)
    }

    fn at(&self, made: CookieTime, number: u32, path: Path) -> [u8; 24] {
        let ip = match path.client.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let mut mac = blake3::Hasher::new_keyed(&self.secret);
        mac.update(&made.0.to_be_bytes());
        mac.update(&number.to_be_bytes());
        mac.update(&path.socket.to_be_bytes());
        mac.update(&ip.octets());
        mac.update(&path.client.port().to_be_bytes());
        let mut cookie = [0; 24];
        let (time, tag) = cookie.split_at_mut(8);
        time.copy_from_slice(&made.0.to_be_bytes());
        tag.copy_from_slice(&mac.finalize().as_bytes()[..16]);
        cookie
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::datagram::parse;
    use crate::wire::frame::Wants;

    const EXPIRY: Duration = Duration::from_secs(60);
    const KEY: [u8; 32] = [3; 32];
    const FRAME: &[u8] = &[0x84, 0, 0, 8, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    fn path(port: u16) -> Path {
        Path { socket: 0, server: None, client: SocketAddr::from(([127, 0, 0, 1], port)) }
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
            let binding = Binding::new(5, &KEY, Wants::ROOMS, now);
            World { binding, cookies: Cookies::new(&[9; 32], now), now }
        }

        fn receive(&mut self, datagram: &[u8], path: Path) -> Result<Option<Vec<u8>>, Dropped> {
            let unverified = parse(datagram).ok_or(Dropped::Shape)?;
            let received = self.binding.receive(&unverified, path, &self.cookies, EXPIRY, self.now)?;
            let answer = match received {
                Received::Challenge(challenge) => Some(challenge),
                Received::Frame { challenge, .. } => challenge,
                Received::Bound => None,
            };
            assert!(answer.as_ref().is_none_or(|answer| answer.len() <= datagram.len()), "amplified");
            Ok(answer)
        }

        fn bound(&self) -> Option<Path> {
            self.binding.path_for(Wants::ROOMS, EXPIRY, self.now)
        }

        fn bind(&mut self, client: &Client, path: Path) {
            self.now += Duration::from_millis(1);
            let challenge = self.receive(&client.bind(), path).expect("a challenge").expect("a challenge");
            assert_eq!(self.receive(&client.prove(&challenge), path), Ok(None));
            assert_eq!(self.bound(), Some(path));
            self.now += Duration::from_millis(1);
        }
    }

    #[test]
    fn an_address_is_used_once_it_has_answered() {
        let (mut world, client) = (World::new(), Client::new());
        assert_eq!(world.bound(), None);
        world.bind(&client, path(1));
        assert_eq!(world.binding.path_for(Wants::RELAYS, EXPIRY, world.now), None, "only what was asked for");
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
        let challenge = world.receive(&client.sealed(1), path(1)).expect("taken").expect("a challenge");
        assert_eq!(world.bound(), None, "somebody else may have the address by now");
        assert_eq!(world.receive(&client.prove(&challenge), path(1)), Ok(None));
        assert_eq!(world.bound(), Some(path(1)));
    }

    #[test]
    fn a_proof_wears_off_however_much_is_heard() {
        let (mut world, client) = (World::new(), Client::new());
        world.bind(&client, path(1));
        let (proven, mut challenges) = (world.now, 0);
        for counter in 0..100 {
            world.now += EXPIRY / 10;
            challenges += usize::from(world.receive(&client.sealed(counter), path(1)) != Ok(None));
            assert_eq!(world.bound().is_some(), world.now < proven + PROOF_TIME + EXPIRY);
        }
        assert_eq!(challenges, 51, "one for each datagram since the proof is too old");
    }

    #[test]
    fn an_answer_to_a_challenge_is_good_once_and_never_after_a_later_one() {
        let (mut world, client) = (World::new(), Client::new());
        let first = world.receive(&client.bind(), path(1)).expect("a challenge").expect("a challenge");
        world.bind(&client, path(2));
        assert_eq!(world.receive(&client.prove(&first), path(1)), Err(Dropped::Cookie));
        world.now += Duration::from_millis(1);
        let third = world.receive(&client.bind(), path(1)).expect("a challenge").expect("a challenge");
        assert_eq!(world.receive(&client.prove(&third), path(1)), Ok(None));
        assert_eq!(world.receive(&client.prove(&third), path(1)), Err(Dropped::Cookie));
    }

    #[test]
    fn a_flood_of_binds_is_answered_a_few_times_a_second() {
        let (mut world, client) = (World::new(), Client::new());
        let mut challenges = 0;
        for n in 0..10_000_u16 {
            world.now += Duration::from_millis(1);
            challenges += usize::from(world.receive(&client.bind(), path(n)).is_ok());
        }
        assert!((50..=61).contains(&challenges), "{challenges} in ten seconds");
    }

    #[test]
    fn what_is_shorter_than_a_challenge_is_not_answered_with_one() {
        let (mut world, client) = (World::new(), Client::new());
        let mut empty = Vec::new();
        client.0.seal(&mut empty, 5, 0, &[]);
        assert_eq!(world.receive(&empty, path(1)), Ok(None));
        let challenge = world.receive(&client.sealed(1), path(1)).expect("taken");
        assert_eq!(challenge.map(|challenge| challenge.len()), Some(CHALLENGE_LEN));
        assert_eq!(client.sealed(1).len(), CHALLENGE_LEN, "a ping is long enough");
    }
}
