//! What is to be relayed: pairs of peers, each peer with a socket of its own. The load is one thread.

use crate::common::{Client, open_relay};
use crate::peer::{Peer, Session, Socket, Trains, Way};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;
use switchboard::wire::frame::{self, Frame, Wants};
use switchboard::wire::{Flags, Kind, header};

pub const PAYLOAD_BYTES: usize = 100;

const PAIRS: usize = 64;

/// Datagrams of one pair in flight, where there are many pairs.
const EACH_IN_FLIGHT: usize = 2;

/// Datagrams handed to the kernel at once in a burst, and such trains in flight.
const TRAIN: usize = 64;
const TRAINS_IN_FLIGHT: usize = 4;

/// How long the load waits for a datagram before it counts as lost.
pub const LOST_AFTER: Duration = Duration::from_millis(200);

pub struct Load {
    pairs: Vec<[Peer<UdpSocket>; 2]>,
    bursting: [Peer<Trains>; 2],
    /// One datagram, or one train.
    out: Vec<u8>,
}

impl Load {
    /// For a loop that is told which port sends to which.
    pub fn bare(relay: SocketAddr, pair_up: impl Fn(u16, u16)) -> Load {
        fn pair<S: Socket>(relay: SocketAddr, pair_up: &impl Fn(u16, u16)) -> [Peer<S>; 2] {
            let pair = [(); 2].map(|()| Peer { socket: S::bind(), way: Way { relay, session: None } });
            let [one, other] = pair.each_ref().map(|peer| peer.socket.port());
            pair_up(one, other);
            pair_up(other, one);
            pair
        }
        let pairs = (0..PAIRS).map(|_| pair(relay, &pair_up)).collect();
        Load { pairs, bursting: pair(relay, &pair_up), out: Vec::new() }
    }

    /// For the server, where everybody logs in and binds.
    pub fn server(relay: SocketAddr) -> Load {
        let pairs = (0..PAIRS).map(|n| log_in(relay, &format!("pair{n}"))).collect();
        Load { pairs, bursting: log_in(relay, "bursting"), out: Vec::new() }
    }

    /// Everybody shows a sign of life, and the caches are what they are in use.
    pub fn warm_up(&mut self) {
        for [one, other] in &mut self.pairs {
            one.keep_alive(&mut self.out);
            other.keep_alive(&mut self.out);
        }
        for peer in &mut self.bursting {
            peer.keep_alive(&mut self.out);
        }
        self.singly(500);
        self.bursts(8 * TRAIN);
    }

    /// To and fro, one at a time. Returns how many arrived.
    pub fn singly(&mut self, datagrams: usize) -> usize {
        let Load { pairs, out, .. } = self;
        let [one, other] = &mut pairs[0];
        let mut arrived = 0;
        for n in 0..datagrams {
            let (from, to) = if n % 2 == 0 { (&mut *one, &mut *other) } else { (&mut *other, &mut *one) };
            from.send(out);
            arrived += to.receive();
        }
        arrived
    }

    /// One of each pair in turn.
    pub fn many_pairs(&mut self, datagrams: usize) -> usize {
        let (mut arrived, mut waiting) = (0, VecDeque::new());
        for n in 0..datagrams {
            let index = n % PAIRS;
            self.pairs[index][0].send(&mut self.out);
            waiting.push_back(index);
            if waiting.len() >= PAIRS * EACH_IN_FLIGHT {
                arrived += self.take_half(&mut waiting);
            }
        }
        while !waiting.is_empty() {
            arrived += self.take_half(&mut waiting);
        }
        arrived
    }

    /// Receives the older half of what is in flight, so that the relay has the other half to do.
    fn take_half(&mut self, waiting: &mut VecDeque<usize>) -> usize {
        let half = waiting.len().div_ceil(2);
        waiting.drain(..half).map(|index| self.pairs[index][1].receive()).sum()
    }

    /// Train after train, a few of them in flight.
    pub fn bursts(&mut self, datagrams: usize) -> usize {
        let [from, to] = &mut self.bursting;
        let (mut sent, mut arrived, mut lost) = (0, 0, 0);
        while arrived + lost < datagrams {
            while sent < datagrams && sent - arrived - lost < TRAIN * TRAINS_IN_FLIGHT {
                let train = TRAIN.min(datagrams - sent);
                from.send_train(train, &mut self.out);
                sent += train;
            }
            match to.receive() {
                0 => lost = sent - arrived,
                n => arrived += n,
            }
        }
        arrived
    }
}

/// A pair whose peers have logged in, opened a relay, and proven their addresses.
fn log_in<S: Socket>(server: SocketAddr, name: &str) -> [Peer<S>; 2] {
    let names = ["caller", "callee"].map(|end| format!("{name}-{end}"));
    let [mut caller, mut callee] = names.each_ref().map(|name| Client::login(server, name));
    let relay = open_relay(&mut caller, &mut callee, &names[1]);
    let mut frame = Vec::new();
    header::put(&mut frame, Flags::NONE, relay, &frame::Data { payload: &[7; PAYLOAD_BYTES] });
    [caller, callee].map(|mut connection| {
        let request = connection.next_request();
        connection.send(0, &frame::GetTicket { request, wants: Wants::RELAYS });
        let ticket = connection.receive_kind(Kind::Ticket);
        let Frame::Ticket(frame::Ticket { key, .. }) = ticket.frame() else {
            panic!("no ticket: {ticket:?}")
        };
        let mut socket = S::bind();
        Session::prove(&mut socket, server, ticket.channel(), &key);
        connection.receive_kind(Kind::Bound);
        let session = Some(Session::new(ticket.channel(), &key, frame.clone(), connection));
        Peer { socket, way: Way { relay: server, session } }
    })
}

/// Where a peer's socket is bound: any port of this host.
pub const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
