//! Peers: one to one, by name.

use super::{AddressEntry, Body, BodyError, Entry, Kind, ListEntries};
use crate::wire::fields::{Fields, put_name};
use crate::wire::schema::{Field, Form, Meaning, Word};

body! {
    /// Client: say something to one user, wherever they are.
    Tell<'a> {
        request: u32,
        to: name,
        text: text,
    }

    /// Server: a user says something to you alone.
    Told<'a> {
        from: name,
        text: text,
    }

    /// Server: you have said something to one user, with another client of yours.
    ToldElsewhere<'a> {
        to: name,
        text: text,
    }

    /// Server: somebody who shares a room with you has another name from here on.
    Renamed<'a> {
        who: name,
        to: name,
    }

    /// Server: somebody invites you to a room.
    Invited<'a> {
        by: name,
        room: name,
    }

    /// Client: is there a user of that name?
    Lookup<'a> {
        request: u32,
        name: name,
    }

    /// Server: there is.
    Peer<'a> {
        request: u32,
        /// Bits of [`Offers`].
        offers: u8 as Offers,
        /// Whole seconds since the peer logged in.
        online_seconds: u32 as Seconds,
        /// Whole seconds since the server last heard of it, over TCP or UDP.
        heard_seconds: u32 as Seconds,
        /// The name as its owner writes it.
        name: name,
        /// Those that the peer declared and those that the server observed; none unless the peer shows them.
        addresses: addresses,
    }

    /// Client: who is here? In the order of the names, those behind `after`; empty for the first.
    ListPeers<'a> {
        request: u32,
        after: name,
    }

    /// Server: some users; the MORE flag says that there are others behind the last of these.
    PeerList<'a> {
        request: u32,
        names: names,
    }

    /// Client: what the directory should say of me, in place of what it said before.
    Declare<'a> {
        request: u32,
        /// Bits of [`Offers`]; that of relays is the server's to know.
        offers: u8 as Offers,
        /// Whether others may see the addresses: 1, or 0.
        shown: u8 as YesNo,
        /// Where the client listens.
        addresses: addresses,
    }
}

bits! {
    /// What a peer is there for: bits of [`Peer::offers`] and [`Declare::offers`].
    Offers {
        /// A relay to this peer can be opened.
        RELAYS = 0x01,
        /// It talks.
        CONVERSATIONS = 0x02,
        /// It takes what a pipe sends.
        PIPES = 0x04,
    }
}
