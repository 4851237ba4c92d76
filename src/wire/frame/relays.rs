//! Relays: two users, and bytes between them. The header's channel is the relay from the offer on.

use super::{Body, BodyError, Kind};
use crate::wire::fields::{Fields, put_name};
use crate::wire::schema::{Field, Form, Meaning};
use crate::wire::{ClosedCode, Purpose};

body! {
    /// Client: call a user. Rings at first, and is answered by opened once they accept, or by a refusal.
    Open<'a> {
        request: u32,
        /// A [`Purpose`].
        purpose: u8 as Purpose,
        to: name,
    }

    /// Server: a user calls you; the channel is the relay's.
    Offer<'a> {
        /// A [`Purpose`].
        purpose: u8 as Purpose,
        /// The longest payload, in bytes, that a frame on this relay may have.
        payload_max: u16 as Length,
        from: name,
    }

    /// Server, to the caller: the call rings; the channel is the relay's, and closing it takes the call back.
    Ringing {
        /// The id of open, whose answer is still to come.
        request: u32,
    }

    /// Client: take the call.
    Accept {
        request: u32,
    }

    /// Client: do not take the call; the caller is told the text.
    Decline<'a> {
        request: u32,
        text: text,
    }

    /// Server, to the caller: the call was taken; the channel is the relay's.
    Opened<'a> {
        /// The id of open.
        request: u32,
        /// The longest payload, in bytes, that a frame on this relay may have.
        payload_max: u16 as Length,
        peer: name,
    }

    /// Client: end the relay; while the call still rings, the one who is called declines it so, without a word.
    Close {
        request: u32,
    }

    /// Server: the relay has ended, or the offer is void.
    Closed<'a> {
        /// A [`ClosedCode`].
        code: u8 as ClosedCode,
        text: text,
    }

    /// Both: payload. What one side sends arrives at the other bit by bit the same, header included. The END flag
    /// says that nothing more follows in this direction.
    Data<'a> {
        payload: bytes,
    }
}
