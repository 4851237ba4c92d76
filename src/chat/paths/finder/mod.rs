//! One call's search for a direct path, and the life of the path that was found.
//!
//! ```text
//!             addresses              a ping is answered              the caller has chosen
//!   Searching ─────────▶ probes ───────────────────────▶ validated ───────────────────────▶ Open ──▶ dead
//!       └── nothing within the round ──▶ failed
//! ```
//!
//! Both ends ping every address of the other one, over UDP and over every TCP connection that comes about. Who gets the
//! answer to a ping of its own knows that the peer, and nobody else, is there: everything is sealed with the round's
//! key, and the token in the ping is one that could only be read there. The caller then chooses, and says so with an empty data frame; over UDP again and again, until data comes back.
//!
//! An address that has not answered gets pings, and answers to pings, and nothing else. Once a path is chosen, nothing
//! is sent on any other: so the counters of a connection have no gaps, and those of datagrams show what is lost.
//!
//! Pure: time and what tokens are made from are arguments, and what is to be done is returned by [`Finder::take_action`].

mod life;
mod pings;
mod search;
mod terms;
#[cfg(test)]
mod tests;

use super::Tally;
use super::tally::Received as Counted;
use crate::net::Key;
use crate::wire::datagram::{Content, FRAME_MAX, Seal, Sender, Unverified};
use crate::wire::frame::{AddressEntry, Body, Data, Ping, Pong};
use crate::wire::header::put;
use crate::wire::{BODY_MAX, Flags, Frame, Kind, Origin, PathRole, Split, Transport, split};
use life::Life;
use pings::Pings;
pub use pings::Tokens;
use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use terms::Rank;
pub use terms::{Action, Received, Round, Way};

/// How long a round may take.
pub const ROUND_TIME: Duration = Duration::from_millis(1_500);

/// How much longer the callee waits when it knows that there is a way: the caller has to choose it.
const CHOICE_TIME: Duration = Duration::from_millis(500);

/// An address is pinged at most this often.
const UDP_PACE: Duration = Duration::from_millis(100);

/// A connection is pinged again after this time: what overtook the first ping may have made it too old.
const TCP_PACE: Duration = Duration::from_millis(500);

/// A connection that did not come about is tried again after this time.
const DIAL_PACE: Duration = Duration::from_millis(200);

/// For so long after the first way a better one may still come.
const BETTER_TIME: Duration = Duration::from_millis(200);

/// Addresses of the peer that are tried.
const ADDRESSES_MAX: usize = 16;

/// Addresses that nobody told us, and from which the peer was heard all the same.
const LEARNED_MAX: usize = 4;

/// The caller says with it that this is the path, and the callee that it has heard so.
const CHOICE: Data<'static> = Data { payload: &[] };

pub struct Finder {
    channel: u32,
    round: u8,
    role: PathRole,
    udp: bool,
    to_peer: Seal,
    from_peer: Seal,
    counter: u64,
    /// The counter at which the path was chosen.
    counter_before: u64,
    received: Counted,
    forged: u64,
    started: Instant,
    stage: Stage,
    probes: Vec<Probe>,
    dials: Vec<Dial>,
    tokens: Tokens,
    learned: usize,
    heard: bool,
    actions: VecDeque<Action>,
}

enum Stage {
    Searching {
        /// When the caller makes do with what it has.
        choose_at: Option<Instant>,
        /// What the caller has chosen, which the callee still has to validate.
        nominated: Option<Way>,
    },
    Open(Life),
    Over,
}

/// A way that is tried.
struct Probe {
    way: Way,
    rank: Rank,
    next: Instant,
    pings: Pings,
    /// Set once a ping was answered.
    round_trip: Option<Duration>,
}

/// An address that connections are made to.
struct Dial {
    address: SocketAddr,
    /// Whether the peer says that its host has it.
    of_host: bool,
    state: DialState,
    refused: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DialState {
    Due(Instant),
    UnderWay,
    There(Key),
}

impl Finder {
    /// `tokens` are for this finder alone.
    pub fn new(round: Round<'_>, tokens: Tokens, now: Instant) -> Self {
        let (ours, theirs) = match round.role {
            PathRole::Caller => (Sender::Caller, Sender::Callee),
            PathRole::Callee => (Sender::Callee, Sender::Caller),
        };
        let mut finder = Finder {
            channel: round.channel,
            round: round.round,
            role: round.role,
            udp: round.udp,
            to_peer: Seal::derive(round.key, ours),
            from_peer: Seal::derive(round.key, theirs),
            counter: 0,
            counter_before: 0,
            received: Counted::from_first(),
            forged: 0,
            started: now,
            stage: Stage::Searching { choose_at: None, nominated: None },
            probes: Vec::new(),
            dials: Vec::new(),
            tokens,
            learned: 0,
            heard: false,
            actions: VecDeque::new(),
        };
        let offered = !round.addresses.is_empty();
        finder.take_addresses(round.addresses, now);
        if finder.probes.is_empty() && finder.dials.is_empty() {
            let reason = if offered {
                "the peer has no address that can be tried"
            } else {
                "the peer shares no addresses"
            };
            finder.end(Action::Fail { again: false, reason: reason.to_owned() });
        }
        finder
    }

    fn take_addresses(&mut self, addresses: Vec<AddressEntry>, now: Instant) {
        let mut seen = BTreeSet::new();
        let usable = addresses.into_iter().filter(|entry| is_a_host(entry.address));
        for AddressEntry { transport, origin, address } in usable.take(ADDRESSES_MAX) {
            match Transport::from_number(transport) {
                Some(Transport::Udp) if self.udp && seen.insert((transport, address)) => {
                    self.probe(Way::Udp(address), Rank::Udp, now);
                }
                Some(Transport::Tcp) if seen.insert((transport, address)) => {
                    let of_host = Origin::from_number(origin) == Some(Origin::Declared);
                    self.dials.push(Dial { address, of_host, state: DialState::Due(now), refused: false });
                }
                _ => {}
            }
        }
    }

    /// What is to be done, one after the other.
    pub fn take_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The path, if there is one.
    pub fn way(&self) -> Option<Way> {
        if let Stage::Open(life) = &self.stage { Some(life.way) } else { None }
    }

    pub fn round_trip(&self) -> Option<Duration> {
        if let Stage::Open(life) = &self.stage { life.round_trip } else { None }
    }

    pub fn tally(&self) -> Tally {
        self.received.tally(self.counter - self.counter_before, self.forged)
    }

    /// Whether this is a frame of the peer's in this round.
    pub fn verifies(&self, sealed: &Unverified<'_>) -> bool {
        sealed.verify(&self.from_peer).is_some()
    }

    /// A connection has come about, dialled by us or by somebody who sent a frame that is the peer's.
    pub fn connected(&mut self, key: Key, remote: SocketAddr, dialled: bool, now: Instant) {
        if dialled && let Some(dial) = self.dials.iter_mut().find(|dial| dial.address == remote) {
            dial.state = DialState::There(key);
        }
        // Who dials us comes from an address of its host's own when nothing in between has rewritten it.
        let direct = self.dials.iter().any(|dial| dial.of_host && dial.address.ip() == remote.ip());
        let rank = if direct { Rank::HostTcp } else { Rank::PunchedTcp };
        self.probe(Way::Tcp(key), rank, now);
    }

    /// A connection to this address did not come about.
    pub fn not_connected(&mut self, address: SocketAddr, refused: bool, now: Instant) {
        if let Some(dial) = self.dials.iter_mut().find(|dial| dial.address == address) {
            (dial.state, dial.refused) = (DialState::Due(now + DIAL_PACE), refused);
        }
    }

    /// A connection is gone.
    pub fn disconnected(&mut self, key: Key, why: &str, now: Instant) {
        if self.way() == Some(Way::Tcp(key)) {
            return self.end(Action::Die { reason: why.to_owned() });
        }
        self.probes.retain(|probe| probe.way != Way::Tcp(key));
        for dial in self.dials.iter_mut().filter(|dial| dial.state == DialState::There(key)) {
            dial.state = DialState::Due(now + DIAL_PACE);
        }
    }
}

impl Finder {
    /// Takes a frame that came this way.
    pub fn receive<'a>(&mut self, way: Way, sealed: &Unverified<'a>, now: Instant) -> Received<'a> {
        let Some(content) = sealed.verify(&self.from_peer) else {
            self.forged += 1;
            return Received::Forged;
        };
        let Content::Sealed { counter, frame } = content else { return Received::Nothing };
        if !self.received.accept(counter) || (way.transport() == Transport::Udp && !self.udp) {
            return Received::Nothing;
        }
        self.heard = true;
        if let Stage::Open(life) = &mut self.stage
            && life.way == way
        {
            life.hear(now);
        }
        let Ok(Split::Frame(raw)) = split(frame, BODY_MAX) else { return Received::Nothing };
        match raw.decode() {
            Ok(Frame::Ping(Ping { token })) => self.answer(way, token, now),
            Ok(Frame::Pong(Pong { token })) => self.answered(way, token, now),
            Ok(Frame::Data(Data { payload })) if raw.len() == frame.len() => {
                return self.take_data(way, raw.flags(), payload, now);
            }
            _ => {}
        }
        Received::Nothing
    }

    fn answer(&mut self, way: Way, token: u64, now: Instant) {
        if !matches!(&self.stage, Stage::Searching { .. }) && self.way() != Some(way) {
            return;
        }
        self.learn(way, now);
        self.send(way, &Pong { token });
    }

    /// The peer is heard from where nobody said it would be: behind a NAT that gives every destination another port,
    /// for one.
    fn learn(&mut self, way: Way, now: Instant) {
        let may_learn = matches!((&self.stage, way), (Stage::Searching { .. }, Way::Udp(_)));
        if may_learn && self.learned < LEARNED_MAX && self.probes.iter().all(|probe| probe.way != way) {
            self.learned += 1;
            self.probe(way, Rank::Udp, now);
        }
    }

    fn answered(&mut self, way: Way, token: u64, now: Instant) {
        match &mut self.stage {
            Stage::Open(life) if life.way == way => life.answered(token, now),
            Stage::Searching { .. } => {
                // The answer counts for the way that the ping went.
                let Some(probe) = self.probes.iter_mut().find(|probe| probe.way == way) else { return };
                let round_trip = probe.pings.answered(token, ROUND_TIME + CHOICE_TIME, now);
                probe.round_trip = round_trip.or(probe.round_trip);
                self.consider(now);
            }
            Stage::Open(_) | Stage::Over => {}
        }
    }

    fn take_data<'a>(&mut self, way: Way, flags: Flags, payload: &'a [u8], now: Instant) -> Received<'a> {
        let says_nothing = payload.is_empty() && flags == Flags::NONE;
        let knew = self.way() == Some(way);
        match (&mut self.stage, self.role) {
            (Stage::Searching { nominated, .. }, PathRole::Callee) => {
                *nominated = Some(way);
                self.learn(way, now);
                self.consider(now);
            }
            (Stage::Open(life), _) if life.way == way => life.confirm(now),
            (Stage::Searching { .. }, PathRole::Caller) | (Stage::Over, _) => return Received::Nothing,
            _ => {}
        }
        if !says_nothing {
            return Received::Data { flags, payload };
        }
        if self.role == PathRole::Callee && knew {
            self.send(way, &CHOICE); // our first word has got lost
        }
        Received::Nothing
    }

    /// The caller chooses, once there is nothing to wait for; the callee does as it was told.
    fn consider(&mut self, now: Instant) {
        let validated =
            self.probes.iter().filter_map(|probe| Some((probe.rank, probe.round_trip?, probe.way)));
        let (host_tcp, udp) =
            (self.dials.iter().any(|dial| dial.of_host), self.probes.iter().any(|p| p.rank == Rank::Udp));
        let may_improve = |rank| rank > Rank::HostTcp && host_tcp || rank > Rank::Udp && udp;
        let best = validated.clone().min_by_key(|&(rank, round_trip, _)| (rank, round_trip));
        let chosen = match (&mut self.stage, best) {
            (Stage::Searching { nominated, .. }, _) if self.role == PathRole::Callee => {
                validated.map(|(.., way)| way).find(|&way| Some(way) == *nominated)
            }
            (Stage::Searching { choose_at, .. }, Some((rank, _, way))) => {
                let due = *choose_at.get_or_insert((now + BETTER_TIME).min(self.started + ROUND_TIME));
                (now >= due || !may_improve(rank)).then_some(way)
            }
            _ => None,
        };
        if let Some(way) = chosen {
            self.open(way, now);
        }
    }

    fn open(&mut self, way: Way, now: Instant) {
        let probe = self.probes.iter().find(|probe| probe.way == way);
        let mut life = Life::new(way, probe.and_then(|probe| probe.round_trip), now);
        self.received.restart();
        (self.counter_before, self.forged) = (self.counter, 0);
        if self.role == PathRole::Caller {
            life.demand(now);
        } else {
            life.confirm(now);
        }
        self.stage = Stage::Open(life);
        self.actions.push_back(Action::Open { way });
        // The caller's choice, or the callee's word that it has heard it.
        self.send(way, &CHOICE);
    }

    /// Appends a frame for the peer, sealed. Over UDP something has to come back for it.
    pub fn seal(&mut self, out: &mut Vec<u8>, frame: &[u8], now: Instant) {
        if let Stage::Open(life) = &mut self.stage
            && life.way.transport() == Transport::Udp
        {
            life.demand(now);
        }
        self.to_peer.seal(out, self.channel, self.counter, frame);
        self.counter += 1;
    }

    /// The longest frame, header and body, in bytes, that the path takes; `None` while there is none.
    pub fn frame_max(&self) -> Option<usize> {
        Some(match self.way()? {
            Way::Udp(_) => FRAME_MAX,
            Way::Tcp(_) => super::DIRECT_PAYLOAD_MAX + crate::wire::HEADER_LEN,
        })
    }

    /// While we do not read, the peer cannot be heard.
    pub fn stall(&mut self, stalled: bool, now: Instant) {
        if let Stage::Open(life) = &mut self.stage {
            life.stall(stalled, now);
        }
    }

    fn probe(&mut self, way: Way, rank: Rank, now: Instant) {
        self.probes.push(Probe { way, rank, next: now, pings: Pings::default(), round_trip: None });
    }

    fn ping(&mut self, way: Way, now: Instant) {
        let token = self.tokens.next_token();
        let probe = self.probes.iter_mut().find(|probe| probe.way == way);
        match (&mut self.stage, probe) {
            (Stage::Open(life), _) => life.pings.sent(token, now),
            (Stage::Searching { .. }, Some(probe)) => probe.pings.sent(token, now),
            (Stage::Searching { .. }, None) | (Stage::Over, _) => return,
        }
        self.send(way, &Ping { token });
    }

    fn send<'a>(&mut self, way: Way, body: &impl Body<'a>) {
        let (mut frame, mut sealed) = (Vec::new(), Vec::new());
        let channel = if body.kind() == Kind::Data { self.channel } else { 0 };
        put(&mut frame, Flags::NONE, channel, body);
        self.to_peer.seal(&mut sealed, self.channel, self.counter, &frame);
        self.counter += 1;
        self.actions.push_back(Action::Send { way, sealed });
    }

    fn end(&mut self, action: Action) {
        self.stage = Stage::Over;
        self.actions.clear();
        self.actions.push_back(action);
    }
}

/// A peer may say what it likes of where it is; what can only be many hosts, or none, is not tried.
fn is_a_host(address: SocketAddr) -> bool {
    let broadcast = matches!(address.ip(), IpAddr::V4(ip) if ip.is_broadcast());
    let many_or_none = broadcast || address.ip().is_multicast() || address.ip().is_unspecified();
    !many_or_none && address.port() != 0
}
