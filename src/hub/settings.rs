//! What a room is set to, and how that changes.

use super::mask::Mask;
use super::role::Role;

/// Something that a room is or is not (XEP-0045 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Flag {
    /// Found only by those who are in it.
    Hidden,
    /// Entered only by members, those who were invited, and those whom an exception is for.
    MembersOnly,
    /// Whoever was not granted a voice hears and does not speak.
    Moderated,
    /// Nobody speaks here from outside.
    ClosedToOutsiders,
    /// Only moderators set the subject.
    SubjectLocked,
    /// No messages to programs (the control messages of IRC clients, CTCP); an action is none.
    NoControlMessages,
}

impl Flag {
    pub const ALL: [Flag; 6] = [
        Flag::Hidden,
        Flag::MembersOnly,
        Flag::Moderated,
        Flag::ClosedToOutsiders,
        Flag::SubjectLocked,
        Flag::NoControlMessages,
    ];
}

/// A set of flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Flags(u8);

impl Flags {
    pub const NONE: Flags = Flags(0);

    pub fn has(self, flag: Flag) -> bool {
        self.0 & 1 << flag as u8 != 0
    }

    #[must_use]
    pub fn with(self, flag: Flag) -> Flags {
        Flags(self.0 | 1 << flag as u8)
    }

    #[must_use]
    pub fn without(self, flag: Flag) -> Flags {
        Flags(self.0 & !(1 << flag as u8))
    }

    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |&flag| self.has(flag))
    }
}

/// What a room is set to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Settings {
    pub flags: Flags,
    /// What one has to say to enter.
    pub password: Option<Box<str>>,
    /// How many may be in; what the server allows, where the room says nothing.
    pub occupants_max: Option<u32>,
}

/// The lists of masks that a room has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MaskList {
    /// Whom they match, does not enter, and does not speak without a voice.
    Bans,
    /// Whom they match, no ban is for.
    BanExceptions,
    /// Whom they match, enters a room that is for members only.
    InviteExceptions,
}

impl MaskList {
    pub const ALL: [MaskList; 3] = [MaskList::Bans, MaskList::BanExceptions, MaskList::InviteExceptions];
}

/// An entry in a list of masks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MaskEntry {
    /// As it was set.
    pub mask: Box<str>,
    /// Who set it: `name!username@host`.
    pub by: Box<str>,
    /// When, in milliseconds since 1970.
    pub at_millis: u64,
    compiled: Mask,
}

impl MaskEntry {
    pub(super) fn new(mask: &str, compiled: Mask, by: &str, at_millis: u64) -> MaskEntry {
        MaskEntry { mask: mask.into(), by: by.into(), at_millis, compiled }
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<MaskEntry>() + self.mask.len() + self.compiled.bytes() + self.by.len()
    }

    pub(super) fn compiled(&self) -> &Mask {
        &self.compiled
    }
}

/// Something about a room that can change: asked for, and told to everybody once it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoomChange<'a> {
    Flag {
        flag: Flag,
        on: bool,
    },
    /// `None`: no password any more.
    Password(Option<&'a str>),
    /// `None`: no limit any more but the server's.
    OccupantsMax(Option<u32>),
    /// Somebody gets a role, [`Role::Participant`] or [`Role::Moderator`].
    Grant {
        role: Role,
        to: &'a str,
    },
    /// What [`RoomChange::Grant`] gave is taken.
    Revoke {
        role: Role,
        from: &'a str,
    },
    AddMask {
        list: MaskList,
        mask: &'a str,
    },
    RemoveMask {
        list: MaskList,
        mask: &'a str,
    },
}

/// What one who asks may know of a room's password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KnownPassword<'a> {
    None,
    /// There is one.
    Secret,
    Shown(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_a_set() {
        let flags = Flags::NONE.with(Flag::Hidden).with(Flag::SubjectLocked);
        assert_eq!(flags.iter().collect::<Vec<_>>(), [Flag::Hidden, Flag::SubjectLocked]);
        assert_eq!(flags.without(Flag::Hidden).iter().collect::<Vec<_>>(), [Flag::SubjectLocked]);
        for flag in Flag::ALL {
            assert!(Flags::NONE.with(flag).has(flag) && !Flags::NONE.has(flag));
        }
    }
}
