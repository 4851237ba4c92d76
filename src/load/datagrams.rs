//! A client's datagrams: its socket, its binding, and what it has sealed and not sent yet.
//!
//! Messages of one turn go out as one train, as they would from a client that has so much to say; one that is alone goes
//! alone. What arrives twice is not sorted out here: it is for the count to tell.

use super::marker::{self, Marker};
use super::speech::Template;
use crate::net::datagram::{DatagramSocket, Ends, ReceiveBuffers, Train};
use crate::wire::Flags;
use crate::wire::datagram::{Content, FRAME_MAX, Seal, Sender, parse};
use crate::wire::frame::{Bind, Ping, Prove};
use crate::wire::header::{HEADER_LEN, put};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest payload of a relay that fits into a datagram, in bytes.
pub const PAYLOAD_MAX: usize = FRAME_MAX - HEADER_LEN;

/// Datagrams received with one look at the clock.
const BATCH: usize = 64;

pub struct Datagrams {
    socket: DatagramSocket,
    server: SocketAddr,
    number: u32,
    to_server: Seal,
    from_server: Seal,
    counter: u64,
    pub is_bound: bool,
    /// Sealed messages of one length.
    train: Vec<u8>,
    length: usize,
    /// When each of them was due.
    due: Vec<u64>,
    frame: Vec<u8>,
}

impl Datagrams {
    /// With the number and the key of a ticket.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn new(server: SocketAddr, number: u32, key: &[u8; 32]) -> io::Result<Datagrams> {
        let local: IpAddr = match server.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        Ok(Datagrams {
            socket: DatagramSocket::bind((local, 0).into())?,
            server,
            number,
            to_server: Seal::derive(key, Sender::Client),
            from_server: Seal::derive(key, Sender::Server),
            counter: 0,
            is_bound: false,
            train: Vec::new(),
            length: 0,
            due: Vec::new(),
            frame: Vec::new(),
        })
    }

    pub fn source(&mut self) -> &mut impl mio::event::Source {
        self.socket.source()
    }

    /// An event says that there is something to receive.
    pub fn is_ready(&mut self) {
        self.socket.ready = true;
    }

    /// Asks to be bound; again, if nothing came of it.
    pub fn bind(&mut self) {
        let mut bind = Vec::new();
        self.to_server.sign(&mut bind, self.number, &Bind { padding: [0; 24], tag: [0; 16] });
        self.send(&bind, bind.len());
    }

    /// A sign of life, so that the address stays known.
    pub fn ping(&mut self) {
        let (mut ping, mut sealed) = (Vec::new(), Vec::new());
        put(&mut ping, Flags::NONE, 0, &Ping { token: 0 });
        self.to_server.seal(&mut sealed, self.number, self.counter, &ping);
        self.counter += 1;
        self.send(&sealed, sealed.len());
    }

    /// Seals a message. It goes with [`Datagrams::flush`].
    pub fn message(&mut self, template: &Template, marker: Marker) {
        self.frame.clear();
        self.frame.extend_from_slice(&template.bytes);
        if let Some(place) = self.frame.get_mut(template.marker_at..template.marker_at + marker::LEN) {
            place.copy_from_slice(&marker.to_bytes());
        }
        let before = self.train.len();
        self.to_server.seal(&mut self.train, self.number, self.counter, &self.frame);
        self.counter += 1;
        self.length = self.train.len() - before;
        self.due.push(marker.due);
    }

    /// Sends what is sealed, and tells of each message when it was due. Returns how many the socket took; what it did not
    /// take is lost.
    pub fn flush(&mut self, handed: impl FnMut(u64)) -> u64 {
        if self.due.is_empty() {
            return 0;
        }
        self.due.drain(..).for_each(handed);
        let taken = self.send(&self.train, self.length);
        self.train.clear();
        taken as u64
    }

    fn send(&self, datagrams: &[u8], length: usize) -> usize {
        self.socket.send(Train { ends: Ends { theirs: self.server, ours: None }, datagrams, length })
    }

    /// Receives once. Challenges are answered; frames that the server sealed are handed on. Returns whether there may be
    /// more.
    pub fn receive(&mut self, buffers: &mut ReceiveBuffers, mut frame: impl FnMut(&[u8])) -> bool {
        let Datagrams { socket, server, number, to_server, from_server, .. } = self;
        let mut answers = Vec::new();
        socket.receive(buffers, BATCH, |_, datagram| {
            let Some(unverified) = parse(datagram).filter(|datagram| datagram.channel == *number) else {
                return;
            };
            match unverified.verify(from_server) {
                Some(Content::Sealed { frame: inside, .. }) => frame(inside),
                Some(Content::Challenge { cookie }) => {
                    to_server.sign(&mut answers, *number, &Prove { cookie, tag: [0; 16] });
                }
                _ => {}
            }
        });
        if !answers.is_empty() {
            let ends = Ends { theirs: *server, ours: None };
            // All proofs have one length; one of them is usually all there is.
            let length = answers.len().min(PROOF_LEN);
            socket.send(Train { ends, datagrams: &answers, length });
        }
        self.socket.ready
    }
}

/// Bytes of a proof of address.
const PROOF_LEN: usize = HEADER_LEN + 24 + 16;
