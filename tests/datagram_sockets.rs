//! The server's UDP socket over the real network stack: whatever the kernel gathers and takes apart on the way, every
//! datagram arrives as it was sent, and nothing that goes wrong with one ends the socket.

use mio::{Events, Interest, Poll, Token};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use switchboard::net::datagram::{DatagramSocket, Ends, ReceiveBuffers, Train};
use switchboard::wire::datagram::{DATAGRAM_MAX, parse};

const PATIENCE: Duration = Duration::from_secs(30);
const BUDGET: usize = 1_024;

/// A socket with a poll of its own.
struct Watched {
    socket: DatagramSocket,
    address: SocketAddr,
    buffers: ReceiveBuffers,
    poll: Poll,
}

impl Watched {
    fn bind(address: &str) -> Watched {
        let mut socket = DatagramSocket::bind(address.parse().expect("an address")).expect("a port");
        let address = socket.source().local_addr().expect("it is bound");
        let poll = Poll::new().expect("a poll");
        poll.registry().register(socket.source(), Token(0), Interest::READABLE).expect("it is watched");
        Watched { socket, address, buffers: ReceiveBuffers::default(), poll }
    }

    /// Waits for the next edge.
    fn wait(&mut self) {
        let (mut events, deadline) = (Events::with_capacity(4), Instant::now() + PATIENCE);
        while events.is_empty() {
            assert!(Instant::now() < deadline, "no datagram comes");
            self.poll.poll(&mut events, Some(PATIENCE)).expect("it waits");
        }
        self.socket.ready = true;
    }

    /// One system call's worth; waits where there is nothing.
    fn receive(&mut self, budget: usize) -> Vec<(Ends, Vec<u8>)> {
        let mut received = Vec::new();
        while received.is_empty() {
            if !self.socket.ready {
                self.wait();
            }
            let Watched { socket, buffers, .. } = self;
            let count = socket.receive(buffers, budget, |ends, d| received.push((ends, d.to_vec())));
            assert_eq!(count, received.len());
        }
        received
    }

    fn receive_all(&mut self, count: usize) -> Vec<Vec<u8>> {
        let mut received = Vec::new();
        while received.len() < count {
            received.extend(self.receive(BUDGET).into_iter().map(|(_, datagram)| datagram));
        }
        assert_eq!(received.len(), count);
        received
    }

    fn send_to(&self, to: SocketAddr, datagrams: &[u8], length: usize) -> usize {
        let ends = Ends { theirs: to, ours: None };
        self.socket.send(Train { ends, datagrams, length })
    }
}

fn plain(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("a port");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    socket
}

/// `count` datagrams of this length, the last of `last` bytes, no two alike.
fn train(count: usize, length: usize, last: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|n| {
            let length = if n + 1 == count { last } else { length };
            (0..length).map(|at| (n * 31 + at) as u8).collect()
        })
        .collect()
}

#[test]
fn trains_arrive_as_they_were_sent_whoever_takes_them_apart() {
    let (from, mut gathers, takes_one) =
        (Watched::bind("127.0.0.1:0"), Watched::bind("127.0.0.1:0"), plain("127.0.0.1:0"));
    let mut buffer = [0; 2_048];
    for count in [1, 2, 63, 64, 65, 150] {
        for (length, last) in [(1, 1), (40, 7), (140, 140), (DATAGRAM_MAX, 3), (DATAGRAM_MAX, DATAGRAM_MAX)] {
            let sent = train(count, length, last);
            assert_eq!(from.send_to(gathers.address, &sent.concat(), length), count);
            assert_eq!(gathers.receive_all(count), sent, "{count} of {length}, the last of {last}");
            if count > 65 {
                continue; // more than fits into the buffer that a plain socket has
            }
            let to = takes_one.local_addr().expect("it is bound");
            assert_eq!(from.send_to(to, &sent.concat(), length), count);
            for datagram in &sent {
                let n = takes_one.recv(&mut buffer).expect("a datagram");
                assert_eq!(buffer[..n], datagram[..]);
            }
        }
    }
}

#[test]
fn each_goes_where_it_should_and_in_order_with_trains_in_between() {
    let from = Watched::bind("127.0.0.1:0");
    let mut peers: Vec<Watched> = (0..20).map(|_| Watched::bind("127.0.0.1:0")).collect();
    let single = |n: usize| train(1, 30 + n, 30 + n).concat();
    let singles: Vec<Vec<u8>> = (0..20).map(single).collect();
    let many = train(10, 200, 90);
    let all = many.concat();
    let to = |n: usize, datagrams, length| Train {
        ends: Ends { theirs: peers[n].address, ours: None },
        datagrams,
        length,
    };
    let mut trains: Vec<Train<'_>> = (0..20).map(|n| to(n, &singles[n][..], singles[n].len())).collect();
    trains.insert(11, to(3, &all, 200));
    trains.push(to(0, &singles[7], singles[7].len()));
    assert_eq!(trains.into_iter().map(|train| from.socket.send(train)).sum::<usize>(), 31);
    for (n, peer) in peers.iter_mut().enumerate() {
        let mut expected = vec![singles[n].clone()];
        match n {
            0 => expected.push(singles[7].clone()),
            3 => expected.extend(many.iter().cloned()),
            _ => {}
        }
        assert_eq!(peer.receive_all(expected.len()), expected, "peer {n}");
    }
}

#[test]
fn what_is_too_long_is_seen_to_be_and_what_is_empty_is_empty() {
    let (from, mut to) = (plain("127.0.0.1:0"), Watched::bind("127.0.0.1:0"));
    for length in [0, 1, DATAGRAM_MAX, DATAGRAM_MAX + 1, 9_000, 65_507, 5] {
        let datagram = vec![0x90; length];
        from.send_to(&datagram, to.address).expect("it goes");
        let received = to.receive_all(1).concat();
        assert_eq!(received, datagram);
        assert!(parse(&received).is_none());
    }
}

#[test]
fn the_budget_bounds_a_call_to_within_a_train() {
    let (from, mut to) = (Watched::bind("127.0.0.1:0"), Watched::bind("127.0.0.1:0"));
    let other = plain("127.0.0.1:0");
    for budget in [1, 10, 64, 200] {
        let mut sent = train(64, 100, 100);
        assert_eq!(from.send_to(to.address, &sent.concat(), 100), 64);
        for n in 0..100_u8 {
            other.send_to(&[n], to.address).expect("it goes");
            sent.push(vec![n]);
        }
        let mut received = Vec::new();
        while received.len() < sent.len() {
            let some = to.receive(budget);
            assert!(some.len() <= budget.max(64), "{} with a budget of {budget}", some.len());
            received.extend(some.into_iter().map(|(_, datagram)| datagram));
        }
        assert_eq!(received, sent);
    }
}

#[test]
fn a_socket_that_seemed_empty_is_named_again_when_something_comes() {
    let (from, mut to) = (plain("127.0.0.1:0"), Watched::bind("127.0.0.1:0"));
    for n in 0..2_000_u16 {
        let count = usize::from(n % 20 + 1); // some fill a batch, some do not
        for _ in 0..count {
            from.send_to(&n.to_be_bytes(), to.address).expect("it goes");
        }
        let received = to.receive_all(count);
        assert!(received.iter().all(|datagram| datagram[..] == n.to_be_bytes()));
    }
}

#[test]
fn an_answer_comes_from_the_address_that_was_asked() {
    for (listen, asked, client) in [
        ("0.0.0.0:0", "127.0.0.1", "127.0.0.1:0"),
        ("0.0.0.0:0", "127.0.0.9", "127.0.0.1:0"),
        ("[::]:0", "127.0.0.9", "127.0.0.1:0"),
        ("[::]:0", "::1", "[::1]:0"),
    ] {
        let mut server = Watched::bind(listen);
        let Ok(client) = UdpSocket::bind(client) else {
            eprintln!("left out: this machine has no {client}");
            continue;
        };
        client.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        // A connected socket hears that one address alone.
        let asked = SocketAddr::new(asked.parse().expect("an address"), server.address.port());
        client.connect(asked).expect("a route");
        client.send(b"who is there?").expect("it goes");
        let (ends, datagram) = server.receive(BUDGET).remove(0);
        assert_eq!(datagram, b"who is there?");
        assert_eq!(ends, Ends { theirs: client.local_addr().expect("it is bound"), ours: Some(asked.ip()) });
        let mut buffer = [0; 64];
        for (datagrams, length) in [(&b"I am"[..], 4), (b"I am I ", 3)] {
            let count = datagrams.len().div_ceil(length);
            assert_eq!(server.socket.send(Train { ends, datagrams, length }), count);
            for expected in datagrams.chunks(length) {
                let n = client.recv(&mut buffer).expect("an answer from there");
                assert_eq!(&buffer[..n], expected);
            }
        }
    }
}

#[test]
fn on_one_address_there_is_nothing_to_choose() {
    let (from, mut to) = (plain("127.0.0.1:0"), Watched::bind("127.0.0.1:0"));
    from.send_to(b"hello", to.address).expect("it goes");
    let (ends, _) = to.receive(BUDGET).remove(0);
    assert_eq!(ends, Ends { theirs: from.local_addr().expect("it is bound"), ours: None });
}

#[test]
fn what_cannot_go_is_counted_and_what_stands_behind_it_goes() {
    let (from, mut to) = (Watched::bind("127.0.0.1:0"), Watched::bind("127.0.0.1:0"));
    let many = train(5, 100, 100).concat();
    let at = |address: &str| address.parse::<SocketAddr>().expect("an address");
    let train = |theirs, datagrams, length| Train { ends: Ends { theirs, ours: None }, datagrams, length };
    let trains = [
        train(at("127.0.0.1:0"), &many[..10], 10),       // port 0 is nobody's
        train(at("255.255.255.255:9"), &many[..20], 20), // which takes a permission
        train(to.address, b"first", 5),
        train(at("[::1]:9"), &many, 100), // not from an IPv4 socket
        train(at("255.255.255.255:9"), &many, 100),
        train(to.address, b"second", 6),
        train(to.address, b"", 0),
        train(to.address, b"third", 5),
    ];
    assert_eq!(trains.into_iter().map(|train| from.socket.send(train)).sum::<usize>(), 3);
    assert_eq!(to.receive_all(3), [&b"first"[..], b"second", b"third"]);
}

#[test]
fn a_peer_that_is_gone_is_not_the_sockets_end() {
    let (mut socket, peer) = (Watched::bind("127.0.0.1:0"), plain("127.0.0.1:0"));
    let gone = plain("127.0.0.1:0").local_addr().expect("it was bound");
    for _ in 0..10 {
        socket.send_to(gone, b"anybody?", 8); // ICMP says no
    }
    peer.send_to(b"I am", socket.address).expect("it goes");
    assert_eq!(socket.receive_all(1), [b"I am"]);
}
