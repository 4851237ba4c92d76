//! Frames that no honest client sends, and two people who must not notice when somebody else does.
#![allow(dead_code)] // each test file uses its part

use super::common::{Client, Received, Server};
use switchboard::wire::frame::{self, Body, Frame};
use switchboard::wire::{ByeCode, Flags, Kind, header};

/// A frame of any kind, with any body.
pub fn raw(kind: u8, channel: u32, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).expect("a length that can be written down");
    let mut bytes = claimed(kind, channel, length);
    bytes.extend_from_slice(body);
    bytes
}

/// A header that claims a body of this length.
pub fn claimed(kind: u8, channel: u32, length: u16) -> Vec<u8> {
    let mut bytes = vec![kind, 0];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&channel.to_be_bytes());
    bytes
}

/// A name field.
pub fn name(name: impl AsRef<[u8]>) -> Vec<u8> {
    let name = name.as_ref();
    [&[u8::try_from(name.len()).expect("a short name")], name].concat()
}

pub fn whole<'a>(channel: u32, body: &impl Body<'a>) -> Vec<u8> {
    let mut bytes = Vec::new();
    header::put(&mut bytes, Flags::NONE, channel, body);
    bytes
}

/// Two in a room, to whom nothing may happen.
pub struct Bystanders {
    pub alice: Client,
    pub bob: Client,
    pub room: u32,
    said: u32,
}

impl Bystanders {
    pub fn start(server: &Server) -> Bystanders {
        let mut alice = Client::login(server.address, "alice");
        let mut bob = Client::login(server.address, "bob");
        let room = alice.join("#lobby");
        bob.join("#lobby");
        assert_eq!(alice.receive().kind(), Kind::Entered);
        Bystanders { alice, bob, room, said: 0 }
    }

    /// The next thing that bob hears is what alice says now, and the next that she hears is that it is done.
    pub fn notice_nothing(&mut self, after: &dyn std::fmt::Debug) {
        self.said += 1;
        let text = &self.said.to_string();
        self.alice.send(self.room, &frame::Say { request: self.said, text });
        let done = self.alice.receive();
        assert_eq!(done.frame(), Frame::Done(frame::Done { request: self.said }), "after {after:?}");
        let said = self.bob.receive();
        assert_eq!(said.frame(), Frame::Said(frame::Said { by: "alice", text }), "after {after:?}");
    }
}

pub fn bye_code(received: &Received) -> Option<ByeCode> {
    match received.frame() {
        Frame::Bye(bye) => ByeCode::from_number(bye.code),
        _ => None,
    }
}

/// How much more memory than at the start the server may have, in bytes.
pub const GROWTH_MAX: usize = 8 * 1_024 * 1_024;

pub fn assert_small(server: &Server, before: usize, after: &str) {
    let grown = server.memory().saturating_sub(before);
    assert!(grown < GROWTH_MAX, "the server grew by {grown} bytes after {after}");
}
