//! Who did something, as others are told of it.

use super::invitations::Invitation;
use super::name::UserName;
use super::{ChannelId, Effects, Host, SessionId, UserKey};
use std::time::Instant;

/// Somebody who is here, as an event or a list has them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Person<'a> {
    pub user: UserKey,
    /// The one of their sessions that says where they come from.
    pub session: SessionId,
    pub name: &'a UserName,
    pub profile: Option<&'a Profile>,
    /// The account that they have identified themselves for.
    pub account: Option<&'a str>,
    /// Where they come from, as far as those may know who are told; `None`: as the server sees their session.
    pub hidden_host: Option<Host>,
}

/// What stands in the place of a user's name on their machine, for those whose client has not said it.
pub const USERNAME: &str = "native";

/// The same of those whom a room hides.
pub const HIDDEN_USERNAME: &str = "anon";

impl<'a> Person<'a> {
    /// The name of the user on their own machine, or so they say.
    pub fn username(self) -> &'a str {
        match self.profile {
            _ if self.hidden_host.is_some() => HIDDEN_USERNAME,
            Some(profile) if !profile.username().is_empty() => profile.username(),
            _ => USERNAME,
        }
    }

    /// What they say they are called; else their name here.
    pub fn realname(self) -> &'a str {
        match self.profile {
            Some(profile) if !profile.realname().is_empty() => profile.realname(),
            _ => self.name.shown(),
        }
    }

    /// Where they come from.
    pub(super) fn host(self, fx: &impl Effects) -> Host {
        self.hidden_host.unwrap_or_else(|| fx.host(self.session))
    }

    /// What those are told who write to them, while they are away.
    pub fn away(self) -> Option<&'a str> {
        self.profile?.away.as_deref()
    }

    pub fn marks(self) -> Marks {
        self.profile.map_or(Marks::NONE, |profile| profile.marks)
    }
}

/// What only some users have, above all those whose dialect asks for it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Profile {
    /// The name of the user on their own machine, and what they say they are called; one behind the other, because many
    /// have them and each allocation counts.
    names: Box<str>,
    username_bytes: u8,
    pub away: Option<Box<str>>,
    pub marks: Marks,
    /// When they last said something.
    pub(super) spoke: Option<Instant>,
    /// Boxed, because most have none of it.
    lists: Option<Box<Lists>>,
}

#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Lists {
    /// Whose coming and going they want to hear of, in the order in which they asked.
    watched: Vec<UserName>,
    /// The rooms that they were invited to and have not entered, the longest ago first.
    invited: Vec<Invitation<ChannelId>>,
}

impl Profile {
    /// Empty for those who did not say.
    fn username(&self) -> &str {
        self.names.get(..self.username_bytes.into()).unwrap_or_default()
    }

    /// Empty for those who did not say.
    fn realname(&self) -> &str {
        self.names.get(self.username_bytes.into()..).unwrap_or_default()
    }

    /// Names that the hub has found short enough.
    pub(super) fn set_names(&mut self, username: &str, realname: &str) {
        self.names = [username, realname].concat().into();
        self.username_bytes = username.len().try_into().unwrap_or(u8::MAX);
    }

    pub(super) fn set_realname(&mut self, realname: &str) {
        let username = self.username().to_owned();
        self.set_names(&username, realname);
    }

    pub(super) fn watched(&self) -> &[UserName] {
        self.lists.as_ref().map_or(&[], |lists| &lists.watched)
    }

    pub(super) fn watched_mut(&mut self) -> &mut Vec<UserName> {
        &mut self.lists.get_or_insert_default().watched
    }

    pub(super) fn invited(&self) -> &[Invitation<ChannelId>] {
        self.lists.as_ref().map_or(&[], |lists| &lists.invited)
    }

    pub(super) fn invited_mut(&mut self) -> &mut Vec<Invitation<ChannelId>> {
        &mut self.lists.get_or_insert_default().invited
    }
}

/// What marks a user, as bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Marks(u8);

impl Marks {
    pub const NONE: Marks = Marks(0);
    /// May do what operators of the server may.
    pub const OPERATOR: Marks = Marks(1);
    /// Found only by those who share a room with them.
    pub const INVISIBLE: Marks = Marks(2);
    /// Hears what operators announce.
    pub const WALLOPS: Marks = Marks(4);
    /// Is a program, and says so.
    pub const BOT: Marks = Marks(8);

    pub fn contains(self, marks: Marks) -> bool {
        self.0 & marks.0 == marks.0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub fn with(self, marks: Marks) -> Marks {
        Marks(self.0 | marks.0)
    }

    #[must_use]
    pub fn without(self, marks: Marks) -> Marks {
        Marks(self.0 & !marks.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_nothing_of_themselves_has_something_in_its_place() {
        let name = UserName::new("ann", 9).expect("a name");
        let person = Person {
            user: UserKey(SessionId(1)),
            session: SessionId(1),
            name: &name,
            profile: None,
            account: None,
            hidden_host: None,
        };
        assert_eq!((person.username(), person.realname(), person.away()), ("native", "ann", None));
        let mut profile = Profile { away: Some("tea".into()), ..Profile::default() };
        profile.set_realname("Ann");
        let person = Person { profile: Some(&profile), ..person };
        assert_eq!((person.username(), person.realname(), person.away()), ("native", "Ann", Some("tea")));
        let hidden = Person { profile: None, hidden_host: Some(Host::default()), ..person };
        assert_eq!((hidden.username(), hidden.realname(), hidden.away()), ("anon", "ann", None));
    }

    #[test]
    fn marks_are_a_set() {
        let marks = Marks::BOT.with(Marks::INVISIBLE);
        assert!(marks.contains(Marks::BOT) && !marks.contains(Marks::OPERATOR));
        assert!(!marks.contains(Marks::BOT.with(Marks::WALLOPS)));
        assert_eq!(marks.without(Marks::INVISIBLE.with(Marks::WALLOPS)), Marks::BOT);
    }
}
