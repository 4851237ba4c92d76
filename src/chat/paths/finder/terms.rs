//! What goes into a finder, and what comes out.

use crate::net::Key;
use crate::wire::frame::AddressEntry;
use crate::wire::{Flags, PathRole, Transport};
use std::net::SocketAddr;

/// A way to the peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Datagrams to and from this address.
    Udp(SocketAddr),
    /// This connection.
    Tcp(Key),
}

impl Way {
    pub fn transport(self) -> Transport {
        match self {
            Way::Udp(_) => Transport::Udp,
            Way::Tcp(_) => Transport::Tcp,
        }
    }
}

/// The better way comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rank {
    /// TCP to an address that the host itself has.
    HostTcp,
    Udp,
    /// TCP through somebody who rewrites addresses.
    PunchedTcp,
}

/// What has to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    Send {
        way: Way,
        sealed: Vec<u8>,
    },
    Dial(SocketAddr),
    /// This is the path: every other connection of the call can go.
    Open {
        way: Way,
    },
    /// There is none; `again` when another round may follow. The finder is done.
    Fail {
        again: bool,
        reason: String,
    },
    /// The path is gone. The finder is done.
    Die {
        reason: String,
    },
}

/// What a sealed frame leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    Data {
        flags: Flags,
        payload: &'a [u8],
    },
    /// It is the peer's, and was dealt with.
    Nothing,
    /// It is not the peer's.
    Forged,
}

/// A round of a search.
#[derive(Clone, Debug)]
pub struct Round<'a> {
    pub channel: u32,
    /// From 1 on.
    pub round: u8,
    pub role: PathRole,
    pub key: &'a [u8; 32],
    pub addresses: Vec<AddressEntry>,
    /// Whether datagrams may be used.
    pub udp: bool,
}
