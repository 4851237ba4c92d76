//! Two clients in one thread, over loopback.

mod hostile;

use super::finder::ROUND_TIME;
use super::*;
use crate::wire::datagram::{Seal, Sender, parse};
use crate::wire::frame::{Data, ListEntries, Ping};
use crate::wire::header::put;
use crate::wire::{Origin, Split, split};
use mio::{Events, Poll};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};

const CHANNEL: u32 = 0x0102_0304;
const KEY: [u8; 32] = [7; 32];

/// Long enough for a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was told to the one who drives.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Told {
    Server(Vec<u8>),
    Data(Vec<u8>, bool),
    Opened(Transport),
    RoundFailed { again: bool, reason: String },
    Lost(String),
    Bound,
    NotBound(String),
}

struct Peer {
    poll: Poll,
    events: Events,
    paths: Paths,
    role: PathRole,
    told: Vec<Told>,
    bytes: usize,
}

impl Peer {
    fn new(role: PathRole, with_udp: bool) -> Self {
        let poll = Poll::new().expect("a poll");
        let paths = Paths::open(poll.registry(), with_udp).expect("ports");
        Peer { poll, events: Events::with_capacity(64), paths, role, told: Vec::new(), bytes: 0 }
    }

    fn port(&self) -> u16 {
        self.paths.ends.local().port()
    }

    fn offer(&mut self, tcp_only: bool) -> Vec<AddressEntry> {
        let local = SocketAddr::from(([127, 0, 0, 1], 1));
        let near = |entry: &AddressEntry| entry.address.ip() == local.ip();
        self.paths.addresses(local, &[], tcp_only).into_iter().filter(near).collect()
    }

    fn begin(&mut self, round: u8, key: [u8; 32], addresses: &[AddressEntry], tcp_only: bool) {
        self.paths.near = true;
        let mut scratch = Vec::new();
        let addresses = ListEntries::encode(&mut scratch, addresses.iter().copied());
        let paths = frame::Paths { round, role: self.role.number(), key, addresses };
        self.paths.expect_round(CHANNEL);
        self.paths.begin(CHANNEL, &paths, tcp_only, Instant::now());
    }

    fn turn(&mut self) {
        let step = if self.paths.is_busy() { Duration::ZERO } else { Duration::from_millis(2) };
        match self.poll.poll(&mut self.events, Some(step)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => panic!("{error}"),
            _ => {}
        }
        self.events.iter().for_each(|event| self.paths.note(event));
        let (told, bytes) = (&mut self.told, &mut self.bytes);
        self.paths.drive(Instant::now(), |happened| {
            told.push(match happened {
                Happened::ServerFrame { frame, .. } => Told::Server(format!("{frame:?}").into_bytes()),
                Happened::PeerData { channel, flags, payload } => {
                    assert_eq!(channel, CHANNEL);
                    *bytes += payload.len();
                    Told::Data(payload.to_vec(), flags.contains(Flags::END))
                }
                Happened::Opened { transport, .. } => Told::Opened(transport),
                Happened::RoundFailed { again, reason, .. } => Told::RoundFailed { again, reason },
                Happened::Lost { reason, .. } => Told::Lost(reason),
                Happened::Bound => Told::Bound,
                Happened::NotBound { reason } => Told::NotBound(reason),
            });
        });
        self.paths.flush();
    }

    fn send(&mut self, payload: &[u8]) -> Sent {
        self.paths.send_to_peer(CHANNEL, &data(payload, Flags::NONE), Instant::now())
    }

    fn transport(&self) -> Option<Transport> {
        self.paths.report(CHANNEL).map(|report| report.transport)
    }
}

fn data(payload: &[u8], flags: Flags) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, flags, CHANNEL, &Data { payload });
    out
}

fn pair(udp: bool) -> [Peer; 2] {
    [Peer::new(PathRole::Caller, udp), Peer::new(PathRole::Callee, udp)]
}

/// Begins a round in which each learns the addresses of the other one that `choose` lets through.
fn begin(peers: &mut [Peer; 2], tcp_only: bool, choose: impl Fn(&AddressEntry) -> bool) {
    let [a, b] = peers;
    let (of_a, of_b) = (a.offer(tcp_only), b.offer(tcp_only));
    let chosen = |addresses: Vec<AddressEntry>| addresses.into_iter().filter(&choose).collect::<Vec<_>>();
    a.begin(1, KEY, &chosen(of_b), tcp_only);
    b.begin(1, KEY, &chosen(of_a), tcp_only);
}

fn is_over(transport: Transport) -> impl Fn(&AddressEntry) -> bool {
    move |entry| entry.transport == transport.number()
}

#[track_caller]
fn until<const N: usize>(peers: &mut [Peer; N], what: &str, mut holds: impl FnMut(&mut [Peer; N]) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds(peers) {
        assert!(Instant::now() < deadline, "never: {what}; {:?}", peers.each_ref().map(|peer| &peer.told));
        peers.iter_mut().for_each(Peer::turn);
    }
}

#[track_caller]
fn open(peers: &mut [Peer; 2], transport: Transport) {
    until(peers, "a path", |peers| peers.iter().all(|peer| peer.transport().is_some()));
    for peer in peers {
        assert_eq!(
            (peer.transport(), peer.told.as_slice()),
            (Some(transport), &[Told::Opened(transport)][..])
        );
        peer.told.clear();
    }
}

#[track_caller]
fn exchange(peers: &mut [Peer; 2]) {
    for (from, to) in [(0, 1), (1, 0)] {
        let words = format!("from {from}").into_bytes();
        assert_eq!(peers[from].send(&words), Sent::Taken);
        until(peers, "words", |peers| peers[to].told == [Told::Data(words.clone(), false)]);
        peers[to].told.clear();
    }
}

#[test]
fn two_peers_find_each_other_over_tcp() {
    let mut peers = pair(true);
    begin(&mut peers, false, |_| true);
    open(&mut peers, Transport::Tcp);
    exchange(&mut peers);
    let connections = peers.each_ref().map(|peer| peer.paths.ends.connections.len());
    assert_eq!(connections, [1, 1], "all but the one that was chosen are closed");
    until(&mut peers, "a round-trip time", |peers| {
        peers[0].paths.report(CHANNEL).is_some_and(|report| report.round_trip.is_some())
    });
}

#[test]
fn without_tcp_they_find_each_other_over_udp() {
    let mut peers = pair(true);
    begin(&mut peers, false, is_over(Transport::Udp));
    open(&mut peers, Transport::Udp);
    exchange(&mut peers);
    assert_eq!(peers[0].send(&[0; DATAGRAM_PAYLOAD_MAX + 1]), Sent::TooLong);
    assert_eq!(peers[0].send(&[1; DATAGRAM_PAYLOAD_MAX]), Sent::Taken);
    until(&mut peers, "the longest datagram", |peers| !peers[1].told.is_empty());
    let report = peers[1].paths.report(CHANNEL).expect("a report");
    assert_eq!((report.tally.lost, report.tally.forged, report.tally.replayed), (0, 0, 0));
    assert!(report.tally.received >= 2);
}

#[test]
fn a_pipe_does_not_use_udp() {
    let mut peers = pair(true);
    assert!(peers[0].offer(true).iter().all(|entry| entry.transport == Transport::Tcp.number()));
    begin(&mut peers, true, |_| true);
    open(&mut peers, Transport::Tcp);
    let udp = peers[1].offer(false).into_iter().filter(is_over(Transport::Udp)).collect::<Vec<_>>();
    peers[0].paths.close(CHANNEL);
    peers[0].begin(1, KEY, &udp, true);
    until(&mut peers, "a reason", |peers| {
        matches!(peers[0].told.last(), Some(Told::RoundFailed { again: false, .. }))
    });
}

#[test]
fn over_tcp_much_arrives_in_order_and_a_slow_reader_slows_the_sender() {
    let mut peers = pair(false);
    begin(&mut peers, true, |_| true);
    open(&mut peers, Transport::Tcp);
    peers[1].paths.stop_reading(CHANNEL, true, Instant::now());
    let mut sent = 0_u32;
    let full = |peer: &mut Peer, sent: &mut u32| {
        let mut payload = vec![0; DIRECT_PAYLOAD_MAX];
        loop {
            payload[..4].copy_from_slice(&sent.to_be_bytes());
            match peer.send(&payload) {
                Sent::Taken => *sent += 1,
                other => break assert_eq!(other, Sent::Full),
            }
        }
    };
    // Until the sockets are full, too: nothing moves for a while.
    let mut unmoved = 0;
    while unmoved < 50 {
        let before = sent;
        full(&mut peers[0], &mut sent);
        peers.iter_mut().for_each(Peer::turn);
        unmoved = if sent == before { unmoved + 1 } else { 0 };
        assert!(sent < 10_000, "nothing holds the sender up");
    }
    assert!(peers[1].told.is_empty() && peers[0].paths.queued_bytes(CHANNEL) > 0);
    peers[1].paths.stop_reading(CHANNEL, false, Instant::now());
    until(&mut peers, "everything", |peers| peers[1].bytes == sent as usize * DIRECT_PAYLOAD_MAX);
    for (n, told) in peers[1].told.iter().enumerate() {
        assert!(matches!(told, Told::Data(payload, false) if payload[..4] == (n as u32).to_be_bytes()));
    }
}

#[test]
fn what_was_queued_before_a_close_arrives() {
    let mut peers = pair(false);
    begin(&mut peers, true, |_| true);
    open(&mut peers, Transport::Tcp);
    let mut sent = 0;
    while peers[0].send(&[3; DIRECT_PAYLOAD_MAX]) == Sent::Taken {
        sent += DIRECT_PAYLOAD_MAX;
    }
    peers[0].paths.close(CHANNEL);
    assert!(peers[0].paths.is_closing() && peers[0].paths.queued_bytes(CHANNEL) >= sent);
    until(&mut peers, "everything", |peers| peers[1].bytes == sent);
    until(&mut peers, "the end", |peers| matches!(peers[1].told.last(), Some(Told::Lost(_))));
    until(&mut peers, "both are rid of it", |peers| {
        peers.iter().all(|peer| peer.paths.ends.connections.is_empty() && !peer.paths.is_closing())
    });
    assert!(peers[0].told.is_empty(), "who closes is told nothing more");
}

#[test]
fn a_peer_that_vanishes_is_missed() {
    for (transport, tcp_only) in [(Transport::Tcp, true), (Transport::Udp, false)] {
        let mut peers = pair(true);
        begin(&mut peers, tcp_only, is_over(transport));
        open(&mut peers, transport);
        let [mut left, gone] = peers;
        drop(gone);
        left.send(b"are you there?");
        let mut left = [left];
        until(&mut left, "it is noticed", |peers| matches!(peers[0].told.as_slice(), [Told::Lost(_)]));
        assert_eq!(left[0].send(b"hello?"), Sent::NoPath);
    }
}

#[test]
fn a_round_that_finds_nobody_says_so() {
    let mut peers = [Peer::new(PathRole::Caller, true)];
    let nobody =
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("its address");
    let entry = |transport: Transport| AddressEntry {
        transport: transport.number(),
        origin: Origin::Declared.number(),
        address: nobody,
    };
    for (round, again) in [(1, true), (2, true), (3, false)] {
        let started = Instant::now();
        peers[0].begin(round, [round; 32], &[entry(Transport::Tcp), entry(Transport::Udp)], false);
        until(&mut peers, "a reason", |peers| !peers[0].told.is_empty());
        assert!(started.elapsed() >= ROUND_TIME);
        let told = peers[0].told.pop();
        let Some(Told::RoundFailed { again: said, reason }) = told else { panic!("{told:?}") };
        assert_eq!(said, again);
        assert!(reason.starts_with("no answer from 1 address over UDP and TCP"), "{reason}");
    }
    peers[0].paths.close(CHANNEL);
    peers[0].begin(1, KEY, &[], false);
    until(&mut peers, "a reason", |peers| !peers[0].told.is_empty());
    let reason = "the peer shares no addresses".to_owned();
    assert_eq!(peers[0].told, [Told::RoundFailed { again: false, reason }]);
}

#[test]
fn strangers_get_not_one_byte() {
    let mut peers = pair(true);
    let port = peers[0].port();
    let connect = || {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the listener");
        stream.set_nonblocking(true).expect("nonblocking");
        stream
    };
    let mut too_long = connect();
    let mut wrong_key = connect();
    let mut no_frame = connect();
    let mut silent = connect();
    let mut ping = Vec::new();
    put(&mut ping, Flags::NONE, CHANNEL, &Ping { token: 1 });
    let mut sealed = Vec::new();
    Seal::derive(&[8; 32], Sender::Callee).seal(&mut sealed, CHANNEL, 0, &ping);
    wrong_key.write_all(&sealed).expect("written");
    no_frame.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("written");
    let mut long = Vec::new();
    Seal::derive(&KEY, Sender::Callee).seal(&mut long, CHANNEL, 0, &data(&[0; 100], Flags::NONE));
    too_long.write_all(&long).expect("written");
    begin(&mut peers, false, |_| true);
    open(&mut peers, Transport::Tcp);
    let ended = |stream: &mut TcpStream| match stream.read(&mut [0; 100]) {
        Ok(n) => {
            assert_eq!(n, 0, "a stranger was told something");
            true
        }
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    };
    let mut strangers = [&mut too_long, &mut wrong_key, &mut no_frame, &mut silent];
    until(&mut peers, "all are sent away", |_| strangers.iter_mut().all(|stream| ended(stream)));
    exchange(&mut peers);
}

#[test]
fn a_crowd_of_strangers_does_not_keep_a_peer_out() {
    let mut peers = pair(false);
    let port = peers[1].port();
    let _crowd: Vec<_> = (0..40).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port))).collect();
    peers.iter_mut().for_each(Peer::turn);
    begin(&mut peers, true, |_| true);
    open(&mut peers, Transport::Tcp);
    assert!(peers[1].paths.ends.connections.len() <= 17);
}

#[test]
fn the_server_sees_the_port_on_which_we_listen() {
    let peer = Peer::new(PathRole::Caller, true);
    let server = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let to = server.local_addr().expect("its address");
    let _first = peer.paths.dialler().connect(to).expect("a connection");
    let (_accepted, from) = server.accept().expect("it arrives");
    assert_eq!(from.port(), peer.port());
    let _second = peer.paths.dialler().connect(to).expect("a second one, which cannot come from there");
    let (_accepted, from) = server.accept().expect("it arrives");
    assert_ne!(from.port(), peer.port());
}

/// A server's side of a binding, which answers as told.
fn answer_as_server(server: &UdpSocket, key: &[u8; 32]) -> Option<(&'static str, SocketAddr)> {
    let mut bytes = [0; 2_000];
    let (n, from) = server.recv_from(&mut bytes).ok()?;
    let content = parse(&bytes[..n]).and_then(|datagram| datagram.verify(&Seal::derive(key, Sender::Client)));
    let mut answer = Vec::new();
    let seal = Seal::derive(key, Sender::Server);
    let seen = match content.expect("it is the client's") {
        crate::wire::datagram::Content::Bind => {
            seal.sign(&mut answer, 9, &frame::Challenge { cookie: [1; 24], tag: [0; 16] });
            "bind"
        }
        crate::wire::datagram::Content::Prove { .. } => "prove",
        crate::wire::datagram::Content::Sealed { frame, .. } => {
            let Ok(Split::Frame(_)) = split(frame, BODY_MAX) else { return Some(("empty", from)) };
            seal.seal(&mut answer, 9, 0, frame);
            "frame"
        }
        other => panic!("{other:?}"),
    };
    if !answer.is_empty() {
        server.send_to(&answer, from).expect("sent");
    }
    Some((seen, from))
}

#[test]
fn frames_go_to_the_server_and_come_back_in_datagrams() {
    let mut peers = [Peer::new(PathRole::Caller, true)];
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    server.set_nonblocking(true).expect("nonblocking");
    let key = [5; 32];
    let now = Instant::now();
    peers[0].paths.ticket(9, &key, server.local_addr().expect("its address"), now);
    assert!(!peers[0].paths.send_to_server(&data(b"too early", Flags::NONE)));
    until(&mut peers, "a proof", |_| {
        answer_as_server(&server, &key).is_some_and(|(seen, _)| seen == "prove")
    });
    peers[0].paths.bound(now);
    until(&mut peers, "bound", |peers| peers[0].told == [Told::Bound]);
    assert!(!peers[0].paths.send_to_server(&data(&[0; DATAGRAM_PAYLOAD_MAX + 1], Flags::NONE)));
    assert!(peers[0].paths.send_to_server(&data(b"hello", Flags::NONE)));
    let port = peers[0].port();
    until(&mut peers, "a frame there", |_| {
        answer_as_server(&server, &key).is_some_and(|seen| {
            assert_eq!((seen.0, seen.1.port()), ("frame", port));
            true
        })
    });
    until(&mut peers, "and back", |peers| matches!(peers[0].told.last(), Some(Told::Server(_))));
    let tally = peers[0].paths.server_tally().expect("a tally");
    assert_eq!((tally.sent, tally.received, tally.lost), (1, 1, 0));
    peers[0].paths.unbind();
    assert!(!peers[0].paths.send_to_server(&data(b"too late", Flags::NONE)));
}
