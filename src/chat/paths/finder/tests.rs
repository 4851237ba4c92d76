//! Two finders and a network between them that is as bad as it has to be.

mod forgery;

use super::*;
use crate::wire::datagram::{parse, parse_frame};
use std::collections::BTreeMap;

const CHANNEL: u32 = 77;
const KEY: [u8; 32] = [6; 32];
const STEP: Duration = Duration::from_millis(5);
const PEER: [PathRole; 2] = [PathRole::Caller, PathRole::Callee];

/// What is in front of a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Front {
    /// Nothing.
    Open,
    /// One public port for all destinations; in comes only what comes from one of them.
    Nat,
    /// A public port for each destination.
    SymmetricNat,
}

#[derive(Clone)]
struct Network {
    front: [Front; 2],
    /// Datagrams that get lost, of a hundred.
    loss: u64,
    delay: Duration,
    /// Whether datagrams of this host arrive anywhere.
    udp_from: [bool; 2],
    /// Whether a connection to the host's own address comes about, to the one observed, and how long it takes.
    host_tcp: Option<Duration>,
    punched_tcp: Option<Duration>,
    refuses: bool,
}

const CLEAR: Network = Network {
    front: [Front::Open; 2],
    loss: 0,
    delay: Duration::from_millis(20),
    udp_from: [true; 2],
    host_tcp: None,
    punched_tcp: None,
    refuses: false,
};

fn tokens(n: usize) -> Tokens {
    Tokens::new([n as u8; 32])
}

fn host(n: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, n as u8 + 1], 1_000))
}

fn observed(n: usize) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, n as u8 + 1], 2_000))
}

enum Event {
    Datagram { from: SocketAddr, bytes: Vec<u8> },
    Bytes { key: Key, bytes: Vec<u8> },
    Dialled { key: Key, to: SocketAddr },
    NotDialled { to: SocketAddr, refused: bool },
}

struct World {
    now: Instant,
    network: Network,
    finders: [Finder; 2],
    under_way: Vec<(Instant, usize, Event)>,
    /// The destinations that a host has sent to, in the order of its public ports.
    sent_to: [Vec<SocketAddr>; 2],
    heard_from: [Vec<SocketAddr>; 2],
    pinged: BTreeMap<(usize, SocketAddr), Instant>,
    /// The far end's address, and who dialled.
    connections: BTreeMap<u64, (usize, SocketAddr)>,
    dialled: u64,
    opened: [Option<(Way, Duration)>; 2],
    ended: [Option<Action>; 2],
    data: [Vec<Vec<u8>>; 2],
    started: Instant,
    random: u64,
}

impl World {
    fn new(network: Network) -> Self {
        World::with_keys(network, [KEY; 2])
    }

    fn with_keys(network: Network, keys: [[u8; 32]; 2]) -> Self {
        let now = Instant::now();
        let finders = [0, 1].map(|n| {
            let peer = 1 - n;
            let entry = |transport: Transport, origin: Origin, address| AddressEntry {
                transport: transport.number(),
                origin: origin.number(),
                address,
            };
            let addresses = vec![
                entry(Transport::Tcp, Origin::Declared, host(peer)),
                entry(Transport::Udp, Origin::Declared, host(peer)),
                entry(Transport::Udp, Origin::Observed, observed(peer)),
                entry(Transport::Tcp, Origin::Observed, observed(peer)),
            ];
            let (role, key) = (PEER[n], &keys[n]);
            Finder::new(Round { channel: CHANNEL, round: 1, role, key, addresses, udp: true }, tokens(n), now)
        });
        World {
            now,
            network,
            finders,
            under_way: Vec::new(),
            sent_to: Default::default(),
            heard_from: Default::default(),
            pinged: BTreeMap::new(),
            connections: BTreeMap::new(),
            dialled: 0,
            opened: [None; 2],
            ended: [None, None],
            data: Default::default(),
            started: now,
            random: 1,
        }
    }

    /// splitmix64.
    fn chance(&mut self, percent: u64) -> bool {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % 100 < percent
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += STEP;
            let now = self.now;
            let (due, later) =
                std::mem::take(&mut self.under_way).into_iter().partition(|e: &(Instant, _, _)| e.0 <= now);
            self.under_way = later;
            let due: Vec<(Instant, usize, Event)> = due;
            due.into_iter().for_each(|(_, to, event)| self.arrive(to, event));
            for n in 0..2 {
                // Only when it says so: what it says is a part of what is tested.
                if self.finders[n].next_look().is_some_and(|at| at <= now) {
                    self.finders[n].tick(now);
                }
                while let Some(action) = self.finders[n].take_action() {
                    self.act(n, action);
                }
            }
        }
    }

    fn arrive(&mut self, to: usize, event: Event) {
        let now = self.now;
        let received = match event {
            Event::Datagram { from, bytes } => {
                self.heard_from[to].push(from);
                let datagram = parse(&bytes).expect("a datagram");
                data_in(self.finders[to].receive(Way::Udp(from), &datagram, now))
            }
            Event::Bytes { key, bytes } => {
                let Some(&(dialler, dialled)) = self.connections.get(&key.to_u64()) else { return };
                let sealed = parse_frame(&bytes).expect("a frame");
                let known = self.finders[to].probes.iter().any(|probe| probe.way == Way::Tcp(key));
                if dialler != to && !known && self.finders[to].verifies(&sealed) {
                    let remote = if dialled == host(to) { host(dialler) } else { observed(dialler) };
                    self.finders[to].connected(key, remote, false, now);
                }
                data_in(self.finders[to].receive(Way::Tcp(key), &sealed, now))
            }
            Event::Dialled { key, to: remote } => {
                self.finders[to].connected(key, remote, true, now);
                None
            }
            Event::NotDialled { to: remote, refused } => {
                self.finders[to].not_connected(remote, refused, now);
                None
            }
        };
        self.data[to].extend(received);
    }

    fn act(&mut self, n: usize, action: Action) {
        match action {
            Action::Send { way: Way::Udp(to), sealed } => self.send_datagram(n, to, sealed),
            Action::Send { way: Way::Tcp(key), sealed } => {
                let event = Event::Bytes { key, bytes: sealed };
                self.under_way.push((self.now + self.network.delay, 1 - n, event));
            }
            Action::Dial(to) => self.dial(n, to),
            Action::Open { way } => {
                assert!(self.opened[n].replace((way, self.now - self.started)).is_none(), "opened twice");
            }
            end => assert!(self.ended[n].replace(end).is_none(), "ended twice"),
        }
    }

    fn dial(&mut self, n: usize, to: SocketAddr) {
        let takes = if to == host(1 - n) { self.network.host_tcp } else { self.network.punched_tcp };
        let event = match takes {
            Some(takes) => {
                self.dialled += 1;
                let key = Key::from_u64(self.dialled);
                self.connections.insert(key.to_u64(), (n, to));
                (self.now + takes, n, Event::Dialled { key, to })
            }
            None if self.network.refuses => {
                (self.now + self.network.delay, n, Event::NotDialled { to, refused: true })
            }
            None => return,
        };
        self.under_way.push(event);
    }

    fn send_datagram(&mut self, n: usize, to: SocketAddr, bytes: Vec<u8>) {
        self.check_manners(n, to, &bytes);
        let peer = 1 - n;
        if !self.sent_to[n].contains(&to) {
            self.sent_to[n].push(to);
        }
        let from = self.source(n, to);
        let arrives = match self.network.front[peer] {
            Front::Open => to == host(peer),
            Front::Nat => to == observed(peer) && self.sent_to[peer].contains(&from),
            Front::SymmetricNat => self.sent_to[peer].contains(&from) && self.source(peer, from) == to,
        };
        if arrives && self.network.udp_from[n] && !self.chance(self.network.loss) {
            self.under_way.push((self.now + self.network.delay, peer, Event::Datagram { from, bytes }));
        }
    }

    /// From where a datagram to `to` seems to come.
    fn source(&self, n: usize, to: SocketAddr) -> SocketAddr {
        match self.network.front[n] {
            Front::Open => host(n),
            Front::Nat => observed(n),
            Front::SymmetricNat => {
                let port = self.sent_to[n].iter().position(|&sent| sent == to).unwrap_or_default();
                SocketAddr::new(observed(n).ip(), 3_000 + port as u16)
            }
        }
    }

    /// Nothing but pings and answers to where nobody was heard, and pings at their pace.
    fn check_manners(&mut self, n: usize, to: SocketAddr, bytes: &[u8]) {
        let ours = if n == 0 { Sender::Caller } else { Sender::Callee };
        let content = parse(bytes).and_then(|datagram| datagram.verify(&Seal::derive(&KEY, ours)));
        let Some(Content::Sealed { frame, .. }) = content else { return };
        let Ok(Split::Frame(raw)) = split(frame, BODY_MAX) else { panic!("no frame") };
        match raw.decode().expect("a frame") {
            Frame::Ping(_) => {
                let before = self.pinged.insert((n, to), self.now);
                assert!(before.is_none_or(|before| self.now - before >= UDP_PACE), "{to} is flooded");
            }
            Frame::Pong(_) => {}
            other => assert!(self.heard_from[n].contains(&to), "{other:?} to {to}, which was not heard"),
        }
    }

    /// Both have opened the same sort of way.
    #[track_caller]
    fn assert_open(&self, transport: Transport) {
        let transports = self.opened.map(|opened| opened.map(|(way, _)| way.transport()));
        assert_eq!(transports, [Some(transport); 2], "{:?}", self.ended);
    }

    #[track_caller]
    fn assert_failed(&self, words: &str) {
        for end in &self.ended {
            let Some(Action::Fail { again: true, reason }) = end else { panic!("{end:?}") };
            assert!(reason.contains(words), "{reason}");
        }
        assert_eq!(self.opened, [None; 2]);
    }

    fn say(&mut self, n: usize, payload: &[u8]) {
        let (mut frame, mut sealed) = (Vec::new(), Vec::new());
        put(&mut frame, Flags::NONE, CHANNEL, &Data { payload });
        let way = self.finders[n].way().expect("a path");
        self.finders[n].seal(&mut sealed, &frame, self.now);
        self.act(n, Action::Send { way, sealed });
    }

    fn between(&self, way: Way) -> SocketAddr {
        match way {
            Way::Udp(address) => address,
            Way::Tcp(key) => self.connections[&key.to_u64()].1,
        }
    }
}

fn data_in(received: Received<'_>) -> Option<Vec<u8>> {
    match received {
        Received::Data { payload, .. } => Some(payload.to_vec()),
        Received::Nothing | Received::Forged => None,
    }
}

#[test]
fn tcp_to_the_host_itself_is_taken_at_once() {
    let network = Network { host_tcp: Some(Duration::from_millis(40)), ..CLEAR };
    let mut world = World::new(network);
    world.run(ROUND_TIME);
    world.assert_open(Transport::Tcp);
    let [Some((caller, at)), Some((callee, _))] = world.opened else { panic!("not open") };
    assert_eq!((caller, world.between(caller)), (callee, host(1)));
    assert!(at < Duration::from_millis(150), "{at:?}");
    world.say(0, b"hello");
    world.say(1, b"hi");
    world.run(Duration::from_millis(100));
    assert_eq!(world.data, [vec![b"hi".to_vec()], vec![b"hello".to_vec()]]);
}

#[test]
fn a_better_way_is_waited_for_but_not_for_long() {
    let soon = Network { host_tcp: Some(Duration::from_millis(150)), ..CLEAR };
    let mut world = World::new(soon);
    world.run(ROUND_TIME);
    world.assert_open(Transport::Tcp);
    let late = Network { host_tcp: Some(Duration::from_millis(400)), ..CLEAR };
    let mut world = World::new(late);
    world.run(ROUND_TIME);
    world.assert_open(Transport::Udp);
    let Some((_, at)) = world.opened[0] else { panic!("not open") };
    assert!((BETTER_TIME..2 * BETTER_TIME).contains(&at), "{at:?}");
}

#[test]
fn datagrams_are_better_than_tcp_through_a_nat() {
    let network = Network { front: [Front::Nat; 2], punched_tcp: Some(Duration::from_millis(60)), ..CLEAR };
    let mut world = World::new(network.clone());
    world.run(ROUND_TIME);
    world.assert_open(Transport::Udp);
    let mut world = World::new(Network { udp_from: [false; 2], ..network });
    world.run(ROUND_TIME);
    world.assert_open(Transport::Tcp);
}

#[test]
fn nats_that_let_nothing_in_unasked_are_opened_from_inside() {
    for front in [[Front::Nat; 2], [Front::Open, Front::Nat], [Front::Nat, Front::Open]] {
        let mut world = World::new(Network { front, ..CLEAR });
        world.run(ROUND_TIME);
        world.assert_open(Transport::Udp);
        world.say(1, b"through both");
        world.run(Duration::from_millis(100));
        assert_eq!(world.data[0], [b"through both"], "{front:?}");
    }
}

#[test]
fn a_symmetric_nat_is_met_where_the_other_end_can_be_reached() {
    for front in [[Front::SymmetricNat, Front::Open], [Front::Open, Front::SymmetricNat]] {
        let mut world = World::new(Network { front, ..CLEAR });
        world.run(ROUND_TIME);
        world.assert_open(Transport::Udp);
    }
    let mut world = World::new(Network { front: [Front::SymmetricNat; 2], ..CLEAR });
    world.run(ROUND_TIME + CHOICE_TIME);
    world.assert_failed("no answer from 2 addresses over UDP and TCP");
}

#[test]
fn loss_delays_but_does_not_prevent() {
    let mut opened = 0;
    for seed in 0..100 {
        let network = Network { loss: 20, front: [Front::Nat; 2], ..CLEAR };
        let mut world = World { random: seed, ..World::new(network) };
        world.run(ROUND_TIME + CHOICE_TIME);
        if world.opened[0].is_some() && world.opened[1].is_some() {
            opened += 1;
            // For a minute nothing is lost but datagrams.
            world.run(Duration::from_secs(60));
            assert_eq!(world.ended, [None, None], "seed {seed}");
        }
    }
    assert_eq!(opened, 100);
}

#[test]
fn one_way_is_no_way() {
    for from in [[true, false], [false, true]] {
        let mut world = World::new(Network { udp_from: from, ..CLEAR });
        world.run(ROUND_TIME + CHOICE_TIME);
        let reasons = world.ended.each_ref().map(|end| match end {
            Some(Action::Fail { reason, .. }) => reason.contains("does not hear us"),
            other => panic!("{other:?}"),
        });
        assert_eq!(reasons, [from[1], from[0]], "the one who hears says so");
    }
}

#[test]
fn nobody_there_and_refusals_are_told_apart() {
    let mut world = World::new(Network { udp_from: [false; 2], ..CLEAR });
    world.run(ROUND_TIME);
    world.assert_failed("no answer from 2 addresses over UDP and TCP");
    for (n, role) in PEER.into_iter().enumerate() {
        let entry = |address| AddressEntry { transport: 0, origin: 0, address };
        let addresses = vec![entry(host(1 - n)), entry(host(5))];
        let round = Round { channel: CHANNEL, round: 2, role, key: &KEY, addresses, udp: true };
        (world.finders[n], world.ended[n]) = (Finder::new(round, tokens(n), world.now), None);
    }
    world.network.refuses = true;
    world.run(ROUND_TIME + STEP);
    world.assert_failed("2 addresses refused connections over TCP in 2 rounds");
}

#[test]
fn addresses_of_many_hosts_or_none_are_not_tried() {
    let addresses = ["255.255.255.255:9", "224.0.0.1:9", "[ff02::1]:9", "0.0.0.0:9", "192.0.2.1:0"];
    let entry = |address: &str| AddressEntry {
        transport: Transport::Udp.number(),
        origin: 0,
        address: address.parse().expect("an address"),
    };
    let round = |addresses| Round { channel: 1, round: 1, role: PEER[0], key: &KEY, addresses, udp: true };
    let mut finder = Finder::new(round(addresses.map(entry).to_vec()), tokens(0), Instant::now());
    assert!(matches!(finder.take_action(), Some(Action::Fail { again: false, .. })));
    let many = (1..100).map(|port| entry(&format!("192.0.2.1:{port}"))).collect();
    assert_eq!(Finder::new(round(many), tokens(0), Instant::now()).probes.len(), ADDRESSES_MAX);
}

#[test]
fn a_path_that_dies_is_missed_by_both() {
    let mut world = World::new(CLEAR);
    world.run(ROUND_TIME);
    world.assert_open(Transport::Udp);
    world.network.udp_from = [false; 2];
    world.say(0, b"into the void");
    world.run(Duration::from_millis(3_100));
    assert!(matches!(world.ended[0], Some(Action::Die { .. })), "who said something misses the answer soon");
    assert_eq!(world.ended[1], None, "who said nothing has not asked yet");
    world.run(Duration::from_secs(6));
    assert!(matches!(world.ended[1], Some(Action::Die { .. })));
}

#[test]
fn a_connection_that_ends_ends_the_path_or_is_dialled_again() {
    let network = Network { host_tcp: Some(Duration::from_millis(40)), udp_from: [false; 2], ..CLEAR };
    let mut world = World::new(network.clone());
    world.run(Duration::from_millis(50));
    assert_eq!(world.opened, [None; 2]);
    for key in 1..=2 {
        world.connections.remove(&key);
        (0..2).for_each(|n| world.finders[n].disconnected(Key::from_u64(key), "reset", world.now));
    }
    world.run(ROUND_TIME);
    world.assert_open(Transport::Tcp);
    let Some((Way::Tcp(key), _)) = world.opened[0] else { panic!("not over TCP") };
    world.finders[0].disconnected(key, "reset", world.now);
    world.run(STEP);
    assert_eq!(world.ended[0], Some(Action::Die { reason: "reset".to_owned() }));
}

#[test]
fn losses_on_the_path_are_counted_from_the_choice_on() {
    let mut world = World::new(CLEAR);
    world.run(ROUND_TIME);
    world.assert_open(Transport::Udp);
    for n in 0..10 {
        world.network.udp_from[0] = n != 3 && n != 4;
        world.say(0, &[n]);
        world.run(STEP);
    }
    world.run(Duration::from_millis(200));
    assert_eq!((world.data[1].len(), world.finders[1].tally().lost), (8, 2));
    assert_eq!(world.finders[0].tally().lost, 0);
    assert!(world.finders[0].tally().sent >= 10);
}
