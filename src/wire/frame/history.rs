//! What happened in rooms before. Numbers of messages grow with time: their upper 44 bits are milliseconds since 1970.

use super::{Body, BodyError, Entry, Kind, ListEntries, PastEntry};
use crate::wire::PartCode;
use crate::wire::fields::{Fields, put_name};
use crate::wire::schema::{Field, Form, Meaning};

body! {
    /// Client: what happened in the channel's room?
    ShowPast {
        request: u32,
        /// A [`PartCode`].
        part: u8 as PartCode,
        /// Whether comings and goings are wanted as well: 1, or 0.
        events: u8 as YesNo,
        limit: u16,
        id: u64 as Happening,
        /// The other end of what is between two messages.
        to: u64 as Happening,
    }

    /// Server: this; the MORE flag says that another frame of the same answer follows.
    Past<'a> {
        request: u32,
        /// Whether there is more of what was asked for than one answer has: 1, or 0.
        more: u8 as YesNo,
        entries: pasts,
    }

    /// Client: what was said in a room with all of these words in it? The latest first.
    Search<'a> {
        request: u32,
        /// Only what was said before this message; 0: up to now.
        before: u64 as Happening,
        limit: u16,
        /// The room, where one is not in it; else empty, and the header's channel is the room.
        room: name,
        words: text,
    }

    /// Client: take back what was said in the channel's room, and why.
    Retract<'a> {
        request: u32,
        id: u64 as Happening,
        text: text,
    }

    /// Server: that was taken back.
    Retracted<'a> {
        id: u64 as Happening,
        by: name,
        text: text,
    }

    /// Client: I have read a conversation up to this moment; 0: up to when have I?
    MarkRead<'a> {
        request: u32,
        at_millis: u64 as Millis,
        conversation: name,
    }

    /// Server: you have read a conversation up to this moment; 0: not known.
    ReadMark<'a> {
        request: u32,
        at_millis: u64 as Millis,
        conversation: name,
    }
}
