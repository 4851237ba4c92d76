//! What a client does with the key of a ticket: datagrams as bytes, without a socket.
#![allow(dead_code)] // each test file uses its part

use switchboard::wire::datagram::{Content, ReplayWindow, Seal, Sender, parse};
use switchboard::wire::frame::{self, Body};
use switchboard::wire::{Flags, header};

/// A client's side of a binding.
#[derive(Clone)]
pub struct Sealing {
    /// The binding's number.
    pub number: u32,
    to_server: Seal,
    from_server: Seal,
    /// Of the next datagram.
    pub counter: u64,
    window: ReplayWindow,
}

/// What came from the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Opened {
    Challenge {
        cookie: [u8; 24],
    },
    /// The whole frame, header first.
    Frame(Vec<u8>),
}

impl Sealing {
    pub fn new(number: u32, key: &[u8; 32]) -> Sealing {
        Sealing {
            number,
            to_server: Seal::derive(key, Sender::Client),
            from_server: Seal::derive(key, Sender::Server),
            counter: 0,
            window: ReplayWindow::default(),
        }
    }

    pub fn bind(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.to_server.sign(&mut out, self.number, &frame::Bind { padding: [0; 24], tag: [0; 16] });
        out
    }

    pub fn prove(&self, cookie: [u8; 24]) -> Vec<u8> {
        let mut out = Vec::new();
        self.to_server.sign(&mut out, self.number, &frame::Prove { cookie, tag: [0; 16] });
        out
    }

    /// A datagram that holds a frame.
    pub fn seal<'a>(&mut self, channel: u32, body: &impl Body<'a>) -> Vec<u8> {
        let mut frame = Vec::new();
        header::put(&mut frame, Flags::NONE, channel, body);
        self.seal_bytes(&frame)
    }

    /// A datagram that holds these bytes; none of them is a sign of life.
    pub fn seal_bytes(&mut self, frame: &[u8]) -> Vec<u8> {
        self.counter += 1;
        self.seal_at(self.counter - 1, frame)
    }

    pub fn seal_at(&self, counter: u64, frame: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.to_server.seal(&mut out, self.number, counter, frame);
        out
    }

    /// Whether the server made it for this ticket.
    pub fn is_mine(&self, datagram: &[u8]) -> bool {
        parse(datagram).is_some_and(|unverified| unverified.verify(&self.from_server).is_some())
    }

    /// Opens a datagram of the server's, which has to be a good one, and new.
    pub fn open(&mut self, datagram: &[u8]) -> Opened {
        let unverified = parse(datagram).unwrap_or_else(|| panic!("no datagram: {datagram:02x?}"));
        assert_eq!(unverified.channel, self.number);
        match unverified.verify(&self.from_server).expect("the server's tag") {
            Content::Challenge { cookie } => Opened::Challenge { cookie },
            Content::Sealed { counter, frame } => {
                assert!(self.window.accept(counter), "{counter} twice");
                Opened::Frame(frame.to_vec())
            }
            other => panic!("the server sent {other:?}"),
        }
    }

    pub fn open_challenge(&mut self, datagram: &[u8]) -> [u8; 24] {
        match self.open(datagram) {
            Opened::Challenge { cookie } => cookie,
            Opened::Frame(frame) => panic!("no challenge, but {frame:02x?}"),
        }
    }
}
