//! What a connection is to send, frame by frame.

use crate::net::blocks::Expect;
use crate::net::{Blocks, Outbox};
use crate::wire::Flags;
use crate::wire::frame::Body;
use crate::wire::header::put;

/// A connection's frames on their way.
#[derive(Default)]
pub struct Outgoing {
    pub(super) outbox: Outbox,
    pub(super) blocks: Blocks,
    /// The longest body, in bytes, that a guest was just welcomed with.
    pub(super) welcomed: Option<u16>,
}

impl Outgoing {
    pub fn send<'a>(&mut self, flags: Flags, channel: u32, body: &impl Body<'a>) {
        self.outbox.push_own(&mut self.blocks, Expect::Little, |out| put(out, flags, channel, body));
    }

    /// Notes that the frames so far welcome the guest: from here on bodies have at most so many bytes.
    pub fn note_welcome(&mut self, body_max: u16) {
        self.welcomed = Some(body_max);
    }

    /// Whole frames that are encoded already.
    pub fn send_encoded(&mut self, frames: &[u8]) {
        self.outbox.push_own(&mut self.blocks, Expect::Little, |out| out.extend_from_slice(frames));
    }

    /// Whole frames that are encoded already, many of them; the buffer itself is queued.
    pub fn send_buffer(&mut self, frames: Vec<u8>) {
        let end = frames.len();
        let block = self.blocks.adopt(frames);
        self.outbox.push_range(&mut self.blocks, block, 0, end);
        self.blocks.release(block);
    }

    /// A buffer that was sent, empty, to be filled again; or a new one.
    pub fn spare_buffer(&mut self) -> Vec<u8> {
        let block = self.blocks.open(Expect::Much);
        let buffer = std::mem::take(self.blocks.append_to(block));
        self.blocks.release(block);
        buffer
    }

    /// Takes a buffer back that was sent another way, for [`Outgoing::spare_buffer`].
    pub fn keep_buffer(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        let block = self.blocks.adopt(buffer);
        self.blocks.release(block);
    }

    pub fn queued_bytes(&self) -> usize {
        self.outbox.queued_bytes()
    }
}
