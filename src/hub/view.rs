//! What lists and look-ups show: entries that borrow from the hub.

use super::record::{MemberRecord, Past, Wish};
use super::{Host, MessageId, Person, RoomName, SessionId, Standing, UserName};
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
    /// Who is behind a name that a room gave them; only for those who answer for the room.
    pub real: Option<&'a UserName>,
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
    /// Of somebody as a room knows them who hides them: nothing, as it would tell them from others.
    pub seen: Option<Seen>,
    /// Where they connect from; only for themselves, and for operators.
    pub address: Option<IpAddr>,
    /// Who is behind a name that a room gave them; only for themselves, and for those who answer for the room.
    pub real: Option<Person<'a>>,
}

/// When somebody came, and last said something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Whole seconds since they last said something.
    pub idle_seconds: u64,
    /// When they logged in, in milliseconds since 1970.
    pub since_millis: u64,
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
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
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

/// What an account is to a room.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MemberView<'a> {
    pub account: &'a str,
    pub member: &'a MemberRecord,
}

/// What somebody asks for in a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WishView<'a> {
    /// As they are known there.
    pub who: &'a str,
    pub wish: Wish,
    pub text: &'a str,
}

/// Something that happened in a room, as those may know it who ask.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PastView<'a> {
    /// With when it was.
    pub id: MessageId,
    pub what: Past,
    /// As they were called there.
    pub by: &'a str,
    pub username: &'a str,
    pub host: Host,
    pub account: Option<&'a str>,
    /// Empty where it was retracted.
    pub text: &'a str,
    pub tags: &'a str,
    /// Who retracted it, and why.
    pub retracted: Option<(&'a str, &'a str)>,
}

/// A session, as operators see it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SessionView<'a> {
    pub session: SessionId,
    pub name: &'a str,
    pub account: Option<&'a str>,
    pub address: Option<IpAddr>,
    pub rooms: usize,
    pub online_seconds: u64,
    pub heard_seconds: u64,
}

/// An account, as operators see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountView<'a> {
    pub name: &'a str,
    /// In milliseconds since 1970.
    pub made_millis: u64,
    /// Sessions that are identified for it.
    pub sessions: usize,
}

/// How much the hub has of everything.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Census {
    pub counts: Counts,
    /// With calls that ring.
    pub relays: usize,
    pub accounts: usize,
    /// With those whose time is over and that nobody has looked at since.
    pub bans: usize,
}

/// Something that is counted, as operators of the server see it: its name, which no other has, and a decimal number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figure {
    pub name: String,
    pub value: String,
}
