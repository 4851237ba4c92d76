//! One end of a relay: a socket, and what a datagram has to look like.

use crate::common::Client;
use crate::load::{ANY, LOST_AFTER, PAYLOAD_BYTES};
use mio::{Events, Interest, Poll, Token};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use switchboard::net::datagram::{DatagramSocket, Ends, ReceiveBuffers};
use switchboard::wire::datagram::{Content, Seal, Sender, parse};
use switchboard::wire::frame;

pub struct Peer<S> {
    pub socket: S,
    pub way: Way,
}

/// The way through a relay, and how a datagram has to look there.
pub struct Way {
    pub relay: SocketAddr,
    /// `None` where the relay is a bare loop, which takes anything.
    pub session: Option<Session>,
}

/// What the server knows a peer by.
pub struct Session {
    binding: u32,
    counter: u64,
    to_server: Seal,
    from_server: Seal,
    /// What is relayed: header and payload.
    frame: Vec<u8>,
    _connection: Client,
}

/// A socket of either kind.
pub trait Socket {
    fn bind() -> Self;
    fn port(&self) -> u16;
    /// Sends datagrams of this length. One that the kernel does not take is lost.
    fn send(&mut self, to: SocketAddr, train: &[u8], length: usize);
    /// Waits for datagrams, one at least unless it takes too long.
    fn receive(&mut self, take: impl FnMut(&[u8]));
}

impl<S: Socket> Peer<S> {
    pub fn send(&mut self, out: &mut Vec<u8>) {
        self.send_train(1, out);
    }

    pub fn send_train(&mut self, datagrams: usize, out: &mut Vec<u8>) {
        out.clear();
        for _ in 0..datagrams {
            self.way.write(out);
        }
        self.socket.send(self.way.relay, out, out.len() / datagrams);
    }

    /// Waits for datagrams, and returns how many of them were what they should be.
    pub fn receive(&mut self) -> usize {
        let Peer { socket, way } = self;
        let mut right = 0;
        socket.receive(|datagram| right += usize::from(way.is_right(datagram)));
        right
    }

    pub fn keep_alive(&mut self, out: &mut Vec<u8>) {
        if let Some(session) = &mut self.way.session {
            out.clear();
            session.seal(out, &[]);
            self.socket.send(self.way.relay, out, out.len());
        }
    }
}

impl Way {
    fn write(&mut self, out: &mut Vec<u8>) {
        match &mut self.session {
            None => out.extend_from_slice(&[7; PAYLOAD_BYTES]),
            Some(session) => {
                let frame = std::mem::take(&mut session.frame);
                session.seal(out, &frame);
                session.frame = frame;
            }
        }
    }

    fn is_right(&self, datagram: &[u8]) -> bool {
        let Some(session) = &self.session else { return datagram == [7; PAYLOAD_BYTES] };
        let content = parse(datagram).and_then(|datagram| datagram.verify(&session.from_server));
        matches!(content, Some(Content::Sealed { frame, .. }) if frame == session.frame)
    }
}

impl Session {
    pub fn new(binding: u32, key: &[u8; 32], frame: Vec<u8>, connection: Client) -> Session {
        let (to_server, from_server) = (Seal::derive(key, Sender::Client), Seal::derive(key, Sender::Server));
        Session { binding, counter: 0, to_server, from_server, frame, _connection: connection }
    }

    fn seal(&mut self, out: &mut Vec<u8>, frame: &[u8]) {
        self.to_server.seal(out, self.binding, self.counter, frame);
        self.counter += 1;
    }

    /// Answers the server's challenge.
    pub fn prove(socket: &mut impl Socket, server: SocketAddr, binding: u32, key: &[u8; 32]) {
        let (to_server, from_server) = (Seal::derive(key, Sender::Client), Seal::derive(key, Sender::Server));
        let mut out = Vec::new();
        to_server.sign(&mut out, binding, &frame::Bind { padding: [0; 24], tag: [0; 16] });
        socket.send(server, &out, out.len());
        let mut challenge = Vec::new();
        socket.receive(|datagram| challenge = datagram.to_vec());
        let content = parse(&challenge).and_then(|challenge| challenge.verify(&from_server));
        let Some(Content::Challenge { cookie }) = content else { panic!("no challenge: {content:?}") };
        out.clear();
        to_server.sign(&mut out, binding, &frame::Prove { cookie, tag: [0; 16] });
        socket.send(server, &out, out.len());
    }
}

impl Socket for UdpSocket {
    fn bind() -> UdpSocket {
        let socket = UdpSocket::bind(ANY).expect("a port");
        socket.set_read_timeout(Some(LOST_AFTER)).expect("a time-out");
        socket
    }

    fn port(&self) -> u16 {
        self.local_addr().expect("it is bound").port()
    }

    fn send(&mut self, to: SocketAddr, train: &[u8], length: usize) {
        for datagram in train.chunks(length) {
            let _ = self.send_to(datagram, to);
        }
    }

    fn receive(&mut self, mut take: impl FnMut(&[u8])) {
        let mut buffer = [0; 2_048];
        match self.recv_from(&mut buffer) {
            Ok((n, _)) => take(&buffer[..n]),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
            Err(error) => panic!("a peer cannot receive: {error}"),
        }
    }
}

/// A socket that moves trains.
pub struct Trains {
    socket: DatagramSocket,
    port: u16,
    buffers: ReceiveBuffers,
    poll: Poll,
    events: Events,
}

impl Socket for Trains {
    fn bind() -> Trains {
        let mut socket = DatagramSocket::bind(ANY).expect("a port");
        let port = socket.source().local_addr().expect("it is bound").port();
        let (poll, events) = (Poll::new().expect("a poll"), Events::with_capacity(1));
        poll.registry().register(socket.source(), Token(0), Interest::READABLE).expect("it is watched");
        Trains { socket, port, buffers: ReceiveBuffers::default(), poll, events }
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn send(&mut self, to: SocketAddr, train: &[u8], length: usize) {
        self.socket.send(Ends { theirs: to, ours: None }, train, length);
    }

    fn receive(&mut self, mut take: impl FnMut(&[u8])) {
        loop {
            if self.socket.ready && self.socket.receive(&mut self.buffers, 1_024, |_, d| take(d)) > 0 {
                return;
            }
            self.poll.poll(&mut self.events, Some(LOST_AFTER)).expect("it waits");
            if self.events.is_empty() {
                return;
            }
            self.socket.ready = true;
        }
    }
}
