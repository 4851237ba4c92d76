//! What others did, as those are told who have to do with them.

use super::record::Wish;
use super::{
    Address, MessageId, PathKey, PathRole, Person, Purpose, RequestId, Role, RoomChange, RoomName, SessionId,
    SubjectView, UserName, Words,
};
use std::fmt;

/// Something that others did.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Event<'a> {
    /// In a room. `least`: only those who have at least this role were told.
    Said {
        by: Person<'a>,
        words: Words<'a>,
        id: MessageId,
        least: Option<Role>,
    },
    /// To one alone.
    Told {
        from: Person<'a>,
        words: Words<'a>,
        id: MessageId,
    },
    /// To one alone, by another session of one's own.
    ToldElsewhere {
        from: Person<'a>,
        to: &'a UserName,
        words: Words<'a>,
        id: MessageId,
    },
    Entered {
        who: Person<'a>,
    },
    /// Left this room, with these words, and is still on the server.
    Left {
        who: Person<'a>,
        text: &'a str,
    },
    /// Left the server. Goes to neighbours, once; where a dialect has it so, per room.
    Quit {
        who: Person<'a>,
        why: Departure<'a>,
    },
    /// Was made to leave the room. `by`: `None` where nobody did it but the room, because of what it knows now.
    Kicked {
        by: Option<Person<'a>>,
        who: &'a UserName,
        text: &'a str,
    },
    SubjectSet {
        by: Person<'a>,
        text: &'a str,
        id: MessageId,
    },
    /// What has changed about the room, as a whole. `by`: `None` where its time had come, or where it follows from
    /// something else.
    Changed {
        by: Option<Person<'a>>,
        changes: &'a [RoomChange<'a>],
    },
    /// One is invited to a room.
    Invited {
        by: Person<'a>,
        room: &'a RoomName,
    },
    /// Somebody else is invited to a room that one moderates.
    GuestInvited {
        by: Person<'a>,
        who: &'a UserName,
    },
    /// The room is no more. `instead`: a room to go to; often empty. Sent to each occupant, likewise.
    Destroyed {
        by: Person<'a>,
        text: &'a str,
        instead: &'a str,
    },
    /// The room has another name; the effect's room is the old one. Sent to each occupant, because there are dialects in
    /// which it is as if one left and entered.
    RoomRenamed {
        by: Person<'a>,
        /// Whoever is told, as they know themselves.
        who: Person<'a>,
        to: &'a RoomName,
        subject: Option<SubjectView<'a>>,
        text: &'a str,
    },
    /// Somebody asks for something that one can grant.
    Wished {
        who: Person<'a>,
        wish: Wish,
        text: &'a str,
    },
    /// What became of one's own wish.
    Decided {
        wish: Wish,
        is_granted: bool,
    },
    /// What was said is no longer to be read.
    Retracted {
        by: Person<'a>,
        id: MessageId,
        text: &'a str,
    },
    /// `who` still has the old name.
    Renamed {
        who: Person<'a>,
        to: &'a UserName,
    },
    /// `who` has the new one, or none any more.
    AccountChanged {
        who: Person<'a>,
    },
    /// `who` has the new words, or is back.
    AwayChanged {
        who: Person<'a>,
    },
    /// `who` has the new one.
    RealNameChanged {
        who: Person<'a>,
    },
    /// Something about somebody who is watched and shares no room with the watcher, who would have been told there.
    WatchedChanged {
        who: Person<'a>,
        what: Trait,
    },
    /// Somebody who is watched came.
    Appeared {
        who: Person<'a>,
    },
    /// Somebody who is watched is gone.
    Vanished {
        name: &'a UserName,
    },
    /// Of an operator, to those who want to hear it, or to all.
    Announced {
        by: Person<'a>,
        text: &'a str,
        to_all: bool,
    },
    /// An operator ends one's session.
    Killed {
        by: Person<'a>,
        text: &'a str,
    },
    /// A call; the effect's channel is the relay. `payload_max` in bytes.
    Offered {
        from: Person<'a>,
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

impl Event<'_> {
    /// Where somebody comes from who did or has this, as one of their sessions says; `None` where they are not shown.
    pub fn shown_session(&self) -> Option<SessionId> {
        match *self {
            Event::Said { by, .. }
            | Event::Told { from: by, .. }
            | Event::ToldElsewhere { from: by, .. }
            | Event::Entered { who: by }
            | Event::Left { who: by, .. }
            | Event::Quit { who: by, .. }
            | Event::SubjectSet { by, .. }
            | Event::Destroyed { by, .. }
            | Event::RoomRenamed { by, .. }
            | Event::Wished { who: by, .. }
            | Event::Retracted { by, .. }
            | Event::Invited { by, .. }
            | Event::GuestInvited { by, .. }
            | Event::Renamed { who: by, .. }
            | Event::AccountChanged { who: by }
            | Event::AwayChanged { who: by }
            | Event::RealNameChanged { who: by }
            | Event::WatchedChanged { who: by, .. }
            | Event::Appeared { who: by }
            | Event::Announced { by, .. }
            | Event::Killed { by, .. }
            | Event::Offered { from: by, .. } => Some(by.session),
            Event::Kicked { by, .. } | Event::Changed { by, .. } => by.map(|by| by.session),
            Event::Decided { .. }
            | Event::Vanished { .. }
            | Event::Ringing { .. }
            | Event::RelayClosed { .. }
            | Event::Paths { .. } => None,
        }
    }
}

/// What may change about somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trait {
    /// Whether they are away, and their words for it.
    Away,
    Account,
    RealName,
}

/// How somebody left the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Departure<'a> {
    /// Said goodbye, with these words.
    Quit(&'a str),
    /// The connection broke or fell silent.
    Lost,
    /// The server hung up.
    Dropped(&'a str),
    /// An operator hung up.
    Killed(Killing<'a>),
}

/// Which operator ended somebody's session, and why, which is empty where they did not say. Shown, it is a sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Killing<'a> {
    pub by: &'a str,
    pub text: &'a str,
}

impl fmt::Display for Killing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Killing { by, text } = self;
        write!(f, "Killed by {by}")?;
        if text.is_empty() { Ok(()) } else { write!(f, ": {text}") }
    }
}

/// Why the hub ends a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending<'a> {
    /// An operator does.
    Killed(Killing<'a>),
    /// It was one of several of a user, by an account which that user has no more.
    LoggedOut,
}

/// How a relay ended, as seen from the side that did not end it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RelayEnd {
    Done,
    PeerLeft,
    NoAnswer,
    Cancelled,
}
