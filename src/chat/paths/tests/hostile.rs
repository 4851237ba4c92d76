//! Peers and servers that mean harm.

use super::*;
use crate::chat::paths::connection::UNREAD_BYTES;
use socket2::SockRef;

#[test]
fn a_peer_that_asks_and_does_not_read_is_not_answered_without_end() {
    let mut peers = [Peer::new(PathRole::Caller, false)];
    let us = (Ipv4Addr::LOCALHOST, peers[0].port());
    let address = SocketAddr::from(([127, 0, 0, 1], 9)); // nobody needs to be there: the peer comes to us
    let entry =
        AddressEntry { transport: Transport::Tcp.number(), origin: Origin::Declared.number(), address };
    peers[0].begin(1, KEY, &[entry], true);
    let mut peer = TcpStream::connect(us).expect("the listener");
    peer.set_nonblocking(true).expect("nonblocking");
    let (seal, mut counter) = (Seal::derive(&KEY, Sender::Callee), 0);
    let mut pings = |n: usize| {
        let mut out = Vec::new();
        for _ in 0..n {
            let mut ping = Vec::new();
            put(&mut ping, Flags::NONE, CHANNEL, &Ping { token: counter });
            seal.seal(&mut out, CHANNEL, counter, &ping);
            counter += 1;
        }
        out
    };
    peer.write_all(&pings(1)).expect("written");
    let attached = |peer: &Peer| {
        peer.paths.ends.connections.iter().any(|(_, c)| c.channel().is_some() && c.remote.port() != 9)
    };
    until(&mut peers, "it is known", |peers| attached(&peers[0]));
    for (_, connection) in peers[0].paths.ends.connections.iter() {
        let _ = SockRef::from(&connection.socket).set_send_buffer_size(4_096);
    }
    let (mut unsent, mut refused, mut most) = (Vec::new(), 0, 0);
    // Until the peer cannot write any more either, or the round is over and with it the connection.
    while refused < 50 && attached(&peers[0]) {
        if unsent.is_empty() {
            unsent = pings(1_000);
        }
        match peer.write(&unsent) {
            Ok(n) => drop(unsent.drain(..n)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => refused += 1,
            Err(_) => break,
        }
        peers[0].turn();
        most = most.max(peers[0].paths.queued_bytes(CHANNEL));
    }
    // One read may still have been under way.
    assert!(most > 0 && most <= UNREAD_BYTES + READ_BYTES, "{most} bytes are queued");
}

#[test]
fn a_server_that_says_now_without_end_aims_nothing_at_anybody() {
    let mut peers = [Peer::new(PathRole::Caller, true)];
    peers[0].paths.near = true;
    let victim = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    victim.set_nonblocking(true).expect("nonblocking");
    let entry = AddressEntry {
        transport: Transport::Udp.number(),
        origin: Origin::Declared.number(),
        address: victim.local_addr().expect("its address"),
    };
    let mut scratch = Vec::new();
    let addresses = ListEntries::encode(&mut scratch, [entry]);
    let paths = |round| frame::Paths { round, role: 0, key: KEY, addresses };
    let heard = || std::iter::from_fn(|| victim.recv_from(&mut [0; 100]).ok()).count();
    for n in 0..20_000 {
        let now = Instant::now();
        peers[0].paths.begin(n, &paths(n as u8), false, now);
        peers[0].paths.begin(CHANNEL, &paths(1), false, now);
    }
    (0..10).for_each(|_| peers[0].turn());
    assert_eq!((heard(), peers[0].paths.finders.len()), (0, 0));

    // Where it is expected, it begins once.
    peers[0].paths.expect_round(CHANNEL);
    let began = Instant::now();
    for n in 0..20_000 {
        peers[0].paths.begin(CHANNEL, &paths(n as u8), false, began);
    }
    let mut pings = 0;
    until(&mut peers, "the round is over", |peers| {
        pings += heard();
        peers[0].told.iter().any(|told| matches!(told, Told::RoundFailed { again: true, .. }))
    });
    assert!((1..=16).contains(&pings), "{pings} pings");
    for n in 0..20_000 {
        peers[0].paths.begin(CHANNEL, &paths(n as u8), false, Instant::now());
    }
    assert!(peers[0].paths.finders.is_empty(), "nothing was offered again");
}

#[test]
fn a_round_more_changes_nothing_about_a_path_that_is_open() {
    let mut peers = pair(true);
    begin(&mut peers, false, |_| true);
    open(&mut peers, Transport::Tcp);
    let addresses = peers[1].offer(false);
    peers[0].begin(2, [1; 32], &addresses, false);
    exchange(&mut peers);
    assert_eq!(peers[0].transport(), Some(Transport::Tcp));
}

#[test]
fn so_many_searches_go_on_at_a_time_and_the_next_one_is_told() {
    let mut peer = Peer::new(PathRole::Caller, true);
    peer.paths.near = true;
    let nobody = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let address = nobody.local_addr().expect("its address");
    let entry = AddressEntry { transport: Transport::Udp.number(), origin: 0, address };
    let mut scratch = Vec::new();
    let addresses = ListEntries::encode(&mut scratch, [entry]);
    for channel in 0..=SEARCHES_MAX as u32 {
        peer.paths.expect_round(channel);
        let paths = frame::Paths { round: 1, role: 0, key: KEY, addresses };
        peer.paths.begin(channel, &paths, false, Instant::now());
    }
    assert_eq!(peer.paths.finders.len(), SEARCHES_MAX);
    assert!(peer.paths.is_busy());
    peer.turn();
    let told = &peer.told[0];
    assert!(
        matches!(told, Told::RoundFailed { again: false, reason } if reason.contains("under way")),
        "{told:?}"
    );
}
