//! Secrets do not get into a capture: each byte of a password, a key or a ticket becomes a `*`, so that lengths are as
//! they were and every frame or line is still one.
//!
//! A mask sees the bytes of one direction of one connection, from the first one on, cut anywhere. It cannot take back
//! what it let pass; so whether a byte is secret follows from the bytes in front of it alone, and where that says too
//! little, too much is masked rather than too little. Bytes that are neither frames nor lines are masked, all of them,
//! to the end of the connection: nothing is guessed.
//!
//! - `native` frames; `lines` IRC, and the few headers of HTTP that bear secrets.
//!
//! Datagrams are left as they are: nothing in them is of use to anybody who does not have the ticket, which comes over
//! TCP.

mod lines;
mod native;

use super::flow::Role;
use crate::wire::Kind;

/// What is put in the place of a secret byte.
const MASK: u8 = b'*';

/// The mask of one direction.
pub struct Mask {
    sender: Role,
    speaks: Speaks,
}

enum Speaks {
    /// No byte has come.
    Unknown,
    Native(native::Mask),
    Lines(lines::Mask),
    /// Everything is shown.
    Anything,
}

impl Mask {
    /// For what the client of the conversation sends, or its server.
    pub fn new(sender: Role) -> Self {
        Mask { sender, speaks: Speaks::Unknown }
    }

    /// Lets everything pass.
    pub fn none(sender: Role) -> Self {
        Mask { sender, speaks: Speaks::Anything }
    }

    /// Masks the next bytes.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        if let (Speaks::Unknown, Some(&first)) = (&self.speaks, bytes.first()) {
            self.speaks = if first >= Kind::FIRST {
                Speaks::Native(native::Mask::default())
            } else {
                Speaks::Lines(lines::Mask::new(self.sender))
            };
        }
        match &mut self.speaks {
            Speaks::Unknown | Speaks::Anything => {}
            Speaks::Native(mask) => mask.apply(bytes),
            Speaks::Lines(mask) => mask.apply(bytes),
        }
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// What is left of these bytes, which is the same however they are cut in two, and byte by byte.
    pub fn masked(sender: Role, bytes: &[u8]) -> Vec<u8> {
        let apply = |pieces: &[&[u8]]| {
            let mut mask = Mask::new(sender);
            let mut out = Vec::new();
            for piece in pieces {
                let start = out.len();
                out.extend_from_slice(piece);
                mask.apply(&mut out[start..]);
            }
            out
        };
        let whole = apply(&[bytes]);
        assert_eq!(whole.len(), bytes.len());
        for cut in 0..bytes.len() {
            assert_eq!(apply(&[&bytes[..cut], &bytes[cut..]]), whole, "cut at {cut}");
        }
        assert_eq!(apply(&bytes.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
        whole
    }
}
