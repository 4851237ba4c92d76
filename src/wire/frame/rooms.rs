//! Rooms, for those who are in them. The header's channel is the room in every frame that is about a room one is in.

use super::{Body, BodyError, Entry, Kind, ListEntries, OccupantEntry, RoomEntry};
use crate::wire::fields::{Fields, put_name};
use crate::wire::schema::{Field, Form, Meaning, Word};
use crate::wire::{AffiliationCode, ChangeCode, LeftCode};

body! {
    /// Client: enter a room; the first who enters makes it.
    Join<'a> {
        request: u32,
        /// How many of the latest messages are wanted, before anything that is said from then on; often none.
        past: u16,
        room: name,
        /// What has to be said to enter; empty where there is nothing to say.
        password: name as Secret,
    }

    /// Server: you are in; the header's channel is the room from now on.
    Joined<'a> {
        request: u32,
        room: name,
        /// Occupants, the newcomer among them.
        occupants: u32,
        /// What the room is: bit n is change code n.
        flags: u16 as RoomFlags,
        /// An [`AffiliationCode`]: what one's account is to the room.
        affiliation: u8 as AffiliationCode,
        /// Bits of [`Grants`]: one's own.
        grants: u8 as Grants,
        /// One's own name as the others in the room know it.
        you: name,
        /// When the subject was set, in milliseconds since 1970; 0 when there is none.
        subject_millis: u64 as Millis,
        /// Who set it; empty when there is none.
        subject_by: name,
        subject: text,
    }

    /// Client: leave the channel's room.
    Leave {
        request: u32,
    }

    /// Client: say something to everybody in the room but oneself.
    Say<'a> {
        request: u32,
        text: text,
    }

    /// Server: an occupant said something.
    Said<'a> {
        by: name,
        text: text,
    }

    /// Server: somebody entered the room.
    Entered<'a> {
        who: name,
    }

    /// Server: somebody is no longer in the room.
    Left<'a> {
        who: name,
        /// A [`LeftCode`].
        code: u8 as LeftCode,
        /// What they said on leaving; often empty.
        text: text,
    }

    /// Client: set the room's subject; an empty text clears it.
    SetSubject<'a> {
        request: u32,
        text: text,
    }

    /// Server: the subject was set, by somebody, to this.
    Subject<'a> {
        /// When, in milliseconds since 1970.
        at_millis: u64 as Millis,
        by: name,
        text: text,
    }

    /// Client: which rooms are there? In the order of their names, those behind `after`; empty for the first.
    ListRooms<'a> {
        request: u32,
        after: name,
    }

    /// Server: some rooms; the MORE flag says that there are others behind the last of these.
    RoomList<'a> {
        request: u32,
        rooms: rooms,
    }

    /// Client: who is in the channel's room? In the order of the names, those behind `after`.
    Who<'a> {
        request: u32,
        after: name,
    }

    /// Server: a notice, something that no program may answer; in a room, or to you alone where the channel is 0.
    Notice<'a> {
        by: name,
        text: text,
    }

    /// Server: somebody was made to leave the room; it may be you.
    Kicked<'a> {
        who: name,
        by: name,
        text: text,
    }

    /// Server: something about the room has changed; one frame for each change.
    Changed<'a> {
        by: name,
        /// A [`ChangeCode`] or a newer one.
        change: u8 as ChangeCode,
        /// Whether it is so now: 1, or 0.
        on: u8 as YesNo,
        /// For how long, in seconds; 0: until it is undone.
        seconds: u32 as Seconds,
        /// What goes with the change; often empty.
        value: name,
        /// Why; often empty.
        reason: text,
    }

    /// Server: some occupants of the channel's room; MORE as in a list of rooms.
    Occupants<'a> {
        request: u32,
        occupants: occupants,
    }
}

bits! {
    /// What somebody was given in a room: bits of [`Joined::grants`], of an [`OccupantEntry`] and of a
    /// [`MemberEntry`](super::MemberEntry).
    Grants {
        /// The role of a moderator, for this visit.
        MODERATOR = 0x01,
        /// A voice.
        VOICE = 0x02,
        /// Taken, rather than given: they do not speak.
        MUTED = 0x04,
    }
}
