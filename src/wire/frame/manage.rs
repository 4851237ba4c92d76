//! Rooms, for those who run them. The header's channel is the room, also of [`Wish`] where one is in it.

use super::{Body, BodyError, Entry, Kind, ListEntries, MaskEntry, MemberEntry, WishEntry};
use crate::wire::fields::{Fields, put_name};
use crate::wire::schema::{Field, Form, Meaning};
use crate::wire::{AffiliationCode, ChangeCode, WishCode};

body! {
    /// Client: what becomes of somebody's wish?
    Decide<'a> {
        request: u32,
        /// A [`WishCode`].
        wish: u8 as WishCode,
        /// Whether it is granted: 1, or 0.
        grant: u8 as YesNo,
        who: name,
    }

    /// Server: somebody has decided on what you wished for.
    Decided<'a> {
        /// A [`WishCode`].
        wish: u8 as WishCode,
        /// Whether it is granted: 1, or 0.
        is_granted: u8 as YesNo,
        /// One need not be in it.
        room: name,
    }

    /// Client: who waits for what?
    ListWishes {
        request: u32,
    }

    /// Server: those who do, as many as fit.
    Wishes<'a> {
        request: u32,
        wishes: wishes,
    }

    /// Client: something about the room is to be so, or not any more.
    Change<'a> {
        request: u32,
        /// A [`ChangeCode`].
        change: u8 as ChangeCode,
        /// Whether it is to be so: 1, or 0.
        on: u8 as YesNo,
        /// For how long, in seconds; 0: until it is undone. Only bans and mutes have an end.
        seconds: u32 as Seconds,
        /// What goes with the change; often empty.
        value: name,
        /// Why; often empty.
        reason: text,
    }

    /// Client: what is the room set to?
    ShowSettings {
        request: u32,
    }

    /// Server: to this.
    Settings<'a> {
        request: u32,
        /// Bit n is change code n.
        flags: u16 as RoomFlags,
        /// How many it takes; 0: as many as the server allows.
        occupants_max: u32,
        /// When it was made, in milliseconds since 1970.
        made_millis: u64 as Millis,
        /// Whether there is a password: 1, or 0.
        has_password: u8 as YesNo,
        /// Empty for those who may not know it.
        password: name as Secret,
    }

    /// Client: a name that nobody else may have in the room; an empty one: none any more.
    ReserveName<'a> {
        request: u32,
        name: name,
    }

    /// Client: which accounts are something to the room? In the order of their names, those behind `after`.
    ListMembers<'a> {
        request: u32,
        /// An [`AffiliationCode`]; that of no affiliation: all.
        affiliation: u8 as AffiliationCode,
        after: name,
    }

    /// Server: these; MORE as in a list of rooms.
    Members<'a> {
        request: u32,
        members: members,
    }

    /// Client: the entries of a list of the room, from this index on.
    ListMasks {
        request: u32,
        /// The [`ChangeCode`] of its entries.
        list: u8 as ChangeCode,
        from: u16,
    }

    /// Server: these; the MORE flag says that there are others behind the last.
    Masks<'a> {
        request: u32,
        masks: masks,
    }

    /// Client: somebody is to leave the room.
    Kick<'a> {
        request: u32,
        who: name,
        text: text,
    }

    /// Client: somebody may enter the room, and is told so.
    Invite<'a> {
        request: u32,
        who: name,
    }

    /// Client: the room is to be no more.
    Destroy<'a> {
        request: u32,
        /// A room to go to; often empty.
        instead: name,
        text: text,
    }

    /// Server: the room is no more.
    Destroyed<'a> {
        by: name,
        /// A room to go to; often empty.
        instead: name,
        text: text,
    }

    /// Client: the room is to have another name.
    RenameRoom<'a> {
        request: u32,
        to: name,
        text: text,
    }

    /// Server: the room has another name; its channel is the same.
    RoomRenamed<'a> {
        by: name,
        to: name,
        text: text,
    }

    /// Client: asks those for something who can grant it.
    Wish<'a> {
        request: u32,
        /// A [`WishCode`].
        wish: u8 as WishCode,
        /// The room, where one is not in it; else empty.
        room: name,
        text: text,
    }

    /// Server: somebody wishes for something that you can grant.
    Wished<'a> {
        who: name,
        /// A [`WishCode`].
        wish: u8 as WishCode,
        text: text,
    }
}
