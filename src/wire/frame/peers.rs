//! Peers: one to one, by name.

use super::{Body, BodyError, Kind, ListEntries};
use crate::wire::fields::{Fields, put_name};

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

    /// Client: is there a user of that name?
    Lookup<'a> {
        request: u32,
        name: name,
    }

    /// Server: there is.
    Peer<'a> {
        request: u32,
        /// Whether a relay to this peer can be opened: 1, or 0 where its client takes none.
        relays: u8,
        /// Whole seconds since the peer logged in.
        online_seconds: u32,
        /// The name as its owner writes it.
        name: name,
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
}
