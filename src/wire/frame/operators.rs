//! What operators of the server ask for: to do something about the whole of it, and to see what there is.

use super::lists::RowEntry;
use super::{Body, BodyError, Kind, ListEntries};
use crate::wire::fields::{Fields, put_name};
use crate::wire::schema::{Field, Form, Meaning};
use crate::wire::{AdministerCode, ListServerCode};

body! {
    /// Client: an operator does something.
    Administer<'a> {
        request: u32,
        /// An [`AdministerCode`].
        what: u8 as AdministerCode,
        /// For how long; 0: until it is undone. Of a ban alone.
        seconds: u32 as Seconds,
        /// Whom or what it is done to.
        value: name,
        /// A room to go to instead, where a room is ended; often empty.
        instead: name,
        /// The operator's words; often empty.
        text: text,
    }

    /// Client: an operator wants to see something. Lists go on behind `after`.
    ListServer<'a> {
        request: u32,
        /// A [`ListServerCode`].
        what: u8 as ListServerCode,
        after: name,
    }

    /// Server: one page of it. What the columns are, the request has said.
    ServerList<'a> {
        request: u32,
        rows: rows,
    }

    /// Server: an operator has something to say to everybody.
    Announced<'a> {
        by: name,
        text: text,
    }
}
