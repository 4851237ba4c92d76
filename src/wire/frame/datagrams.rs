//! Datagram sessions: a ticket over TCP, then a proof of address over UDP, then sealed frames. The header's channel is
//! the binding in every frame below but get_ticket.

use super::{Body, BodyError, Kind};
use crate::wire::fields::{Fields, put_address};
use crate::wire::schema::{Field, Form, Meaning, Word};
use std::net::SocketAddr;

body! {
    /// Client, over TCP: wants to exchange datagrams. A new ticket ends the binding of the one before.
    GetTicket {
        request: u32,
        /// What the server should send in datagrams: bits of [`Wants`].
        wants: u8 as Wants,
    }

    /// Server, over TCP: the binding's number and its key.
    Ticket {
        request: u32,
        /// Both directions' keys are derived from it.
        key: bytes32 as Secret,
    }

    /// Server, over TCP: an address is proven, and datagrams flow.
    Bound {
        /// The client's address as the server sees it.
        address: address,
    }

    /// Client, as a datagram: I am here. As long as the challenge, so that its answer is no longer than it.
    Bind {
        /// Zeros.
        padding: bytes24,
        tag: bytes16,
    }

    /// Server, as a datagram: say this again, if that is your address.
    Challenge {
        cookie: bytes24,
        tag: bytes16,
    }

    /// Client, as a datagram: the challenge's cookie.
    Prove {
        cookie: bytes24,
        tag: bytes16,
    }

    /// Both, as a datagram: a whole frame behind a counter, and a tag behind both.
    Sealed<'a> {
        counter: u64,
        /// The frame, then 16 bytes of tag.
        frame_and_tag: bytes,
    }
}

bits! {
    /// Bits of [`GetTicket::wants`].
    Wants {
        /// What is said in rooms.
        ROOMS = 0x01,
        /// Relay payload that the peer sent in datagrams.
        RELAYS = 0x02,
    }
}
