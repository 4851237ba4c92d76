//! What lists and look-ups show: entries that borrow from the hub.

use super::{Host, Person, RoomName, Standing, UserName};
use std::net::IpAddr;

/// A user in a list.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Entry<'a> {
    pub person: Person<'a>,
    /// Zeros where a list without details was asked for.
    pub host: Host,
    /// Whole seconds since they last said something; 0 where a list without details was asked for.
    pub idle_seconds: u64,
    /// A room in which the asker may see them, if there is one.
    pub place: Option<Place<'a>>,
}

/// A room that somebody is in, and as what.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Place<'a> {
    pub room: &'a RoomName,
    pub standing: Standing,
}

/// Everything that one user may know of another.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Look<'a> {
    pub person: Person<'a>,
    pub host: Host,
    /// The rooms that the asker may know of.
    pub places: &'a [Place<'a>],
    pub idle_seconds: u64,
    /// When they logged in, in milliseconds since 1970.
    pub since_millis: u64,
    /// Where they connect from; only for themselves, and for operators.
    pub address: Option<IpAddr>,
}

/// Somebody who had a name before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Formerly {
    pub name: UserName,
    pub username: Box<str>,
    pub realname: Box<str>,
    pub host: Host,
    /// Whether they were found only by those who shared a room with them.
    pub is_invisible: bool,
    /// When they gave it up, in milliseconds since 1970.
    pub until_millis: u64,
}

/// An entry in the list of rooms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoomSummary<'a> {
    pub name: &'a str,
    pub occupants: usize,
    /// Empty when there is none.
    pub subject: &'a str,
}

/// A room's subject.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubjectView<'a> {
    pub text: &'a str,
    /// The name of who set it.
    pub by: &'a str,
    /// The same as it was then, in full: `name!username@host`.
    pub author: &'a str,
    /// When, in milliseconds since 1970.
    pub at_millis: u64,
}

/// How much there is on the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counts {
    pub users: usize,
    /// Of the users, those who are not found by others.
    pub invisible: usize,
    /// Of the users.
    pub operators: usize,
    /// Those that everybody can find, and the others.
    pub rooms: usize,
    /// The most users that were here at once.
    pub users_most: usize,
}
