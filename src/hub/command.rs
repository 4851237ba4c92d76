//! What a session can ask of the hub, in whatever dialect it was said.

use super::{Address, ChannelId, Offers};

/// A connection as the hub knows it: a number that is never used for another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// The client's own number for a request, handed back with the reply. 0 when it wants to hear of refusals only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RequestId(pub u32);

impl RequestId {
    pub const NONE: RequestId = RequestId(0);
}

/// What a relay is for. The hub only passes it on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Conversation,
    Pipe,
}

/// What a session asks of the hub.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command<'a> {
    /// `payload_max`: the longest relay payload the session takes, in bytes; 0 for a dialect without relays.
    Login {
        name: &'a str,
        payload_max: u16,
    },
    Join {
        room: &'a str,
    },
    Leave {
        channel: ChannelId,
    },
    Say {
        channel: ChannelId,
        text: &'a str,
    },
    SetSubject {
        channel: ChannelId,
        text: &'a str,
    },
    ListRooms {
        after: &'a str,
    },
    Who {
        channel: ChannelId,
        after: &'a str,
    },
    Tell {
        to: &'a str,
        text: &'a str,
    },
    Lookup {
        name: &'a str,
    },
    ListPeers {
        after: &'a str,
    },
    /// What the directory should say of the user. `shown`: whether others may see the addresses.
    Declare {
        offers: Offers,
        shown: bool,
        addresses: Box<[Address]>,
    },
    Open {
        to: &'a str,
        purpose: Purpose,
    },
    Accept {
        channel: ChannelId,
    },
    Decline {
        channel: ChannelId,
        text: &'a str,
    },
    Close {
        channel: ChannelId,
    },
    /// The other end of the relay may try these; none: no direct path is wanted.
    OfferPaths {
        channel: ChannelId,
        addresses: Box<[Address]>,
    },
}

impl Command<'_> {
    /// The channel a command is about, or [`ChannelId::NONE`].
    pub fn channel(&self) -> ChannelId {
        match *self {
            Command::Leave { channel }
            | Command::Say { channel, .. }
            | Command::SetSubject { channel, .. }
            | Command::Who { channel, .. }
            | Command::Accept { channel }
            | Command::Decline { channel, .. }
            | Command::Close { channel }
            | Command::OfferPaths { channel, .. } => channel,
            Command::Login { .. }
            | Command::Join { .. }
            | Command::ListRooms { .. }
            | Command::Tell { .. }
            | Command::Lookup { .. }
            | Command::ListPeers { .. }
            | Command::Declare { .. }
            | Command::Open { .. } => ChannelId::NONE,
        }
    }
}
