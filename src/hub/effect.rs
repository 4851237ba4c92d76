//! What follows from a command: meaning and audience, never bytes. Effects borrow from the hub and from the command;
//! whoever takes them turns them into frames on the spot, so that none is ever allocated.

use super::{
    Address, ChannelId, Observed, Offers, PathKey, PathRole, Purpose, Refusal, RequestId, RoomName,
    SessionId, UserName,
};

/// The world as the hub sees it: takes effects, in the order in which they happen, and knows what the hub cannot.
pub trait Effects {
    fn emit(&mut self, effect: Effect<'_>);

    /// What the server sees of a session; `None` when it sees nothing any more.
    fn observed(&self, session: SessionId) -> Option<Observed>;

    /// A key that nobody can guess, and that was not given before.
    fn fresh_key(&mut self) -> PathKey;
}

/// What follows from a command, for the server to carry out.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Effect<'a> {
    /// The answer to a request. `channel` is the request's, or the one that the reply makes known. `cause` is who
    /// made it happen, which for a call is the one who was called.
    Reply { to: SessionId, cause: SessionId, request: RequestId, channel: ChannelId, reply: Reply<'a> },
    /// For one session; it must not overtake what `cause` did before.
    Send { to: SessionId, cause: SessionId, channel: ChannelId, event: Event<'a> },
    /// For every subscriber of the channel but `cause`, who knows already.
    Publish { channel: ChannelId, cause: SessionId, event: Event<'a> },
    /// From here on the session gets what is published on the channel.
    Subscribe { channel: ChannelId, session: SessionId },
    /// From here on it does not.
    Unsubscribe { channel: ChannelId, session: SessionId },
}

/// An answer to the one who asked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Reply<'a> {
    Done,
    Refused(Refusal),
    LoggedIn {
        name: &'a str,
        text_bytes_max: u16,
    },
    Joined {
        room: &'a RoomName,
        occupants: usize,
        subject: Option<(&'a str, &'a str)>,
    },
    /// `more`: the list goes on behind its last entry.
    Rooms {
        rooms: &'a [RoomSummary<'a>],
        more: bool,
    },
    Occupants {
        names: &'a [&'a str],
        more: bool,
    },
    Peers {
        names: &'a [&'a str],
        more: bool,
    },
    Peer {
        name: &'a str,
        /// Whether it takes relays at all.
        relays: bool,
        offers: Offers,
        online_seconds: u64,
        heard_seconds: u64,
        addresses: &'a [Address],
    },
    /// The call was taken. `payload_max` in bytes.
    Opened {
        peer: &'a str,
        payload_max: u16,
    },
    /// The call was not taken; `text` is what the peer said to that, often nothing.
    Declined {
        text: &'a str,
    },
}

/// An entry in the list of rooms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoomSummary<'a> {
    pub name: &'a str,
    pub occupants: usize,
}

/// Something that others did.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Event<'a> {
    Said {
        by: &'a UserName,
        text: &'a str,
    },
    Entered {
        who: &'a UserName,
    },
    Left {
        who: &'a UserName,
        why: Departure<'a>,
    },
    SubjectSet {
        by: &'a UserName,
        text: &'a str,
    },
    Told {
        from: &'a UserName,
        text: &'a str,
    },
    /// A call; the effect's channel is the relay. `payload_max` in bytes.
    Offered {
        from: &'a UserName,
        purpose: Purpose,
        payload_max: u16,
    },
    /// The call of this request rings; the effect's channel is the relay.
    Ringing {
        request: RequestId,
    },
    RelayClosed {
        why: RelayEnd,
    },
    /// Both ends of a relay try each other's addresses now; none: one of them wants no direct path.
    Paths {
        round: u8,
        role: PathRole,
        key: PathKey,
        addresses: &'a [Address],
    },
}

/// How an occupant left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Departure<'a> {
    /// Left this room only.
    Left,
    /// Said goodbye, with these words.
    Quit(&'a str),
    /// The connection broke or fell silent.
    Lost,
    /// The server hung up.
    Dropped(&'a str),
}

/// How a relay ended, as seen from the side that did not end it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RelayEnd {
    Done,
    PeerLeft,
    NoAnswer,
    Cancelled,
}
