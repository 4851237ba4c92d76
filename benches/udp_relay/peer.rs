//! One end of a relay: a socket, and what a datagram has to look like.

use crate::common::Client;
use crate::load::{ANY, LOST_AFTER, PAYLOAD_BYTES};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;
use switchboard::net::datagram::{DatagramSocket, Ends, ReceiveBuffers, Train};
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
        socket.set_nonblocking(true).expect("it can");
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
        look_until(|| match self.recv_from(&mut buffer) {
            Ok((n, _)) => {
                take(&buffer[..n]);
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("a peer cannot receive: {error}"),
        });
    }
}

/// Looks again and again, and does not sleep: to wake the load would be work of the relay's thread, and it is work that
/// a relay does not have whose peers are on other machines. Gives up when it takes so long that something was lost.
fn look_until(mut found: impl FnMut() -> bool) {
    let started = Instant::now();
    while !found() && started.elapsed() < LOST_AFTER {
        std::thread::yield_now(); // there may be one core only
    }
}

/// A socket that moves trains.
pub struct Trains {
    socket: DatagramSocket,
    port: u16,
    buffers: ReceiveBuffers,
}

impl Socket for Trains {
    fn bind() -> Trains {
        let mut socket = DatagramSocket::bind(ANY).expect("a port");
        let port = socket.source().local_addr().expect("it is bound").port();
        Trains { socket, port, buffers: ReceiveBuffers::default() }
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn send(&mut self, to: SocketAddr, train: &[u8], length: usize) {
        let ends = Ends { theirs: to, ours: None };
        self.socket.send(Train { ends, datagrams: train, length });
    }

    fn receive(&mut self, mut take: impl FnMut(&[u8])) {
        look_until(|| {
            self.socket.ready = true; // it may be
            self.socket.receive(&mut self.buffers, 1_024, |_, datagram| take(datagram)) > 0
        });
    }
}
