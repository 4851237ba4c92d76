//! A client's datagrams over a real socket.
#![allow(dead_code)] // each test file uses its part

use super::common::{Client, PATIENCE, Received};
use super::sealing::{Opened, Sealing};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Body, Frame};
use switchboard::wire::{BODY_MAX, Kind, Split, split};

/// Everything that a client can want in datagrams.
pub const ALL: u8 = frame::Wants::ROOMS | frame::Wants::RELAYS;

/// A socket beside a [`Client`], and the keys of its ticket.
pub struct Datagrams {
    pub socket: UdpSocket,
    pub sealing: Sealing,
}

/// Asks for a ticket.
pub fn ticket(client: &mut Client, wants: u8) -> Sealing {
    let request = client.next_request();
    client.send(0, &frame::GetTicket { request, wants });
    let received = client.receive_kind(Kind::Ticket);
    let Frame::Ticket(ticket) = received.frame() else { panic!("{received:?}") };
    assert_eq!(ticket.request, request);
    Sealing::new(received.channel(), &ticket.key)
}

/// A socket that only hears the server, and waits for it no longer than a test does.
pub fn socket(server: SocketAddr) -> UdpSocket {
    let own = if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
    let socket = UdpSocket::bind(own).expect("a socket");
    socket.connect(server).expect("connect");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    socket
}

/// Whether something lies in the socket. Says nothing about what is under way: have a round trip first.
pub fn is_empty(socket: &UdpSocket) -> bool {
    socket.set_nonblocking(true).expect("nonblocking");
    let peeked = socket.peek(&mut [0; 1]);
    socket.set_nonblocking(false).expect("blocking");
    matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

impl Datagrams {
    /// Gets a ticket and proves an address.
    pub fn bind(client: &mut Client, server: SocketAddr, wants: u8) -> Datagrams {
        let mut datagrams = Datagrams { sealing: ticket(client, wants), socket: socket(server) };
        datagrams.send_bytes(&datagrams.sealing.bind());
        datagrams.answer_challenge(client);
        datagrams
    }

    /// Answers the challenge that is under way, and waits until the address counts.
    pub fn answer_challenge(&mut self, client: &mut Client) {
        let datagram = self.receive_bytes();
        let cookie = self.sealing.open_challenge(&datagram);
        self.send_bytes(&self.sealing.prove(cookie));
        let received = client.receive_kind(Kind::Bound);
        let Frame::Bound(bound) = received.frame() else { panic!("{received:?}") };
        assert_eq!((bound.address, received.channel()), (self.address(), self.sealing.number));
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("an address")
    }

    /// From here on another socket, and so another address, is used; returns the one before.
    pub fn move_to(&mut self, socket: UdpSocket) -> UdpSocket {
        std::mem::replace(&mut self.socket, socket)
    }

    pub fn send_bytes(&self, bytes: &[u8]) {
        assert_eq!(self.socket.send(bytes).expect("the datagram goes"), bytes.len());
    }

    /// Sends a frame in a datagram.
    pub fn send<'a>(&mut self, channel: u32, body: &impl Body<'a>) {
        let datagram = self.sealing.seal(channel, body);
        self.send_bytes(&datagram);
    }

    pub fn receive_bytes(&self) -> Vec<u8> {
        let mut buffer = [0; 2_000];
        let n = self.socket.recv(&mut buffer).expect("a datagram comes");
        buffer[..n].to_vec()
    }

    /// The next frame that comes in a datagram.
    pub fn receive(&mut self) -> Received {
        let datagram = self.receive_bytes();
        self.open(&datagram)
    }

    pub fn open(&mut self, datagram: &[u8]) -> Received {
        match self.sealing.open(datagram) {
            Opened::Frame(frame) => {
                let Ok(Split::Frame(raw)) = split(&frame, BODY_MAX) else { panic!("{frame:02x?}") };
                Received { header: raw.header, body: raw.body.to_vec() }
            }
            Opened::Challenge { .. } => panic!("a challenge, not a frame"),
        }
    }

    /// A round trip: every datagram that was sent before from here is done with when it returns, and what the server
    /// sent here meanwhile is returned. The kernel may drop a datagram where many are under way: then it is tried again.
    pub fn round_trip(&mut self) -> Vec<Received> {
        let mut before = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let token = self.sealing.counter;
            self.send(0, &frame::Ping { token });
            while let Some(received) = self.receive_within(Duration::from_secs(1)) {
                match received.frame() {
                    Frame::Pong(pong) if pong.token == token => return before,
                    Frame::Pong(_) => {} // of an earlier try
                    _ => before.push(received),
                }
            }
        }
        panic!("no ping is answered");
    }

    /// The next frame, if one comes in this time.
    pub fn receive_within(&mut self, time: Duration) -> Option<Received> {
        self.socket.set_read_timeout(Some(time)).expect("a time-out");
        let mut buffer = [0; 2_000];
        let received = self.socket.recv(&mut buffer);
        self.socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        match received {
            Ok(n) => Some(self.open(&buffer[..n])),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => None,
            Err(error) => panic!("receiving a datagram: {error}"),
        }
    }
}
