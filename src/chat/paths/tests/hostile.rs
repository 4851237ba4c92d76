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
