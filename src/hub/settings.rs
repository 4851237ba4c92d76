//! What a room is set to, and how that changes.

use super::mask::Mask;
use super::record::Note;
use super::role::{Affiliation, Role, Standing};

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
    /// Stays when nobody is in it, and when the server ends.
    Persistent,
    /// Who an occupant is, only admins can find out; others know a name that holds in this room alone (XEP-0045 §4.2).
    /// People who set rooms read "anonymous".
    SemiAnonymous,
    /// What is said is not kept.
    NoHistory,
    /// Visitors do not change their name or their status, invite nobody, and say nothing to single occupants.
    VisitorsPassive,
    /// Only moderators invite.
    ModeratorsInvite,
    /// Visitors may set the subject, too.
    SubjectOpen,
}

impl Flag {
    pub const ALL: [Flag; 12] = [
        Flag::Hidden,
        Flag::MembersOnly,
        Flag::Moderated,
        Flag::ClosedToOutsiders,
        Flag::SubjectLocked,
        Flag::NoControlMessages,
        Flag::Persistent,
        Flag::SemiAnonymous,
        Flag::NoHistory,
        Flag::VisitorsPassive,
        Flag::ModeratorsInvite,
        Flag::SubjectOpen,
    ];
}

/// A set of flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Flags(u16);

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

    /// As a number, for whoever writes it down: what a bit means never changes.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// `None` where a bit means nothing.
    pub fn from_bits(bits: u16) -> Option<Flags> {
        let known = Flag::ALL.into_iter().fold(Flags::NONE, Flags::with);
        (bits & !known.0 == 0).then_some(Flags(bits))
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MaskList {
    /// Whom they match, does not enter, and does not speak without a voice.
    Bans,
    /// Whom they match, no ban is for.
    BanExceptions,
    /// Whom they match, enters a room that is for members only.
    InviteExceptions,
    /// Whom they match, does not speak without a voice.
    Mutes,
}

impl MaskList {
    pub const ALL: [MaskList; 4] =
        [MaskList::Bans, MaskList::BanExceptions, MaskList::InviteExceptions, MaskList::Mutes];
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
    /// Often empty.
    pub reason: Box<str>,
    /// Until when it holds, in milliseconds since 1970; `None`: until it is undone.
    pub until_millis: Option<u64>,
    compiled: Mask,
}

impl MaskEntry {
    pub(super) fn new(mask: &str, compiled: Mask, note: Note) -> MaskEntry {
        let Note { by, reason, at_millis, until_millis } = note;
        MaskEntry { mask: mask.into(), by, at_millis, reason, until_millis, compiled }
    }

    /// Who set it, why, and for how long.
    pub(super) fn note(&self) -> Note {
        let MaskEntry { by, reason, at_millis, until_millis, .. } = self;
        Note { by: by.clone(), reason: reason.clone(), at_millis: *at_millis, until_millis: *until_millis }
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<MaskEntry>() + self.mask.len() + self.compiled.bytes() + self.by.len() + self.reason.len()
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
        terms: Terms<'a>,
    },
    RemoveMask {
        list: MaskList,
        mask: &'a str,
    },
    /// What an account is to the room from now on. `whom`: the name of an occupant, or of an account; told, it is as
    /// those who are told may know it.
    Affiliate {
        affiliation: Affiliation,
        whom: &'a str,
        terms: Terms<'a>,
    },
    /// Whoever is this to the room is nothing to it any more; who is something else, stays that.
    Unaffiliate {
        affiliation: Affiliation,
        whom: &'a str,
    },
    /// Never asked for; told after what it follows from, of each occupant who stands otherwise now.
    Stands {
        /// As they are known there.
        whom: &'a str,
        before: Standing,
        after: Standing,
    },
    /// All flags at once; told, these are the single changes that it came to.
    Preset(Preset),
}

/// Why something is done to somebody, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Terms<'a> {
    /// Often empty.
    pub reason: &'a str,
    /// `None`: until it is undone.
    pub seconds: Option<u64>,
}

impl Terms<'_> {
    pub const NONE: Terms<'static> = Terms { reason: "", seconds: None };

    /// Longer than anybody waits, and short enough to be counted in milliseconds everywhere: about a hundred years.
    const SECONDS_MAX: u64 = 100 * 366 * 86_400;

    /// Until when something holds that begins now, both in milliseconds since 1970.
    pub(super) fn until_millis(self, now_millis: u64) -> Option<u64> {
        let seconds = self.seconds?.min(Self::SECONDS_MAX);
        Some(now_millis.saturating_add(seconds * 1_000))
    }
}

/// Settings that go together, by one word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Preset {
    /// Everybody finds it, enters and speaks.
    Public,
    /// Nobody finds it; members and those who were invited enter.
    Private,
    /// Moderators speak, the others hear.
    Announce,
    /// Everybody enters and speaks, and nobody knows who they are.
    Anonymous,
    /// Everybody finds it, members enter.
    Club,
}

impl Preset {
    pub const ALL: [Preset; 5] =
        [Preset::Public, Preset::Private, Preset::Announce, Preset::Anonymous, Preset::Club];

    /// The flags that it decides on, and those of them that it sets.
    pub fn flags(self) -> (Flags, Flags) {
        let decided = [
            Flag::Hidden,
            Flag::MembersOnly,
            Flag::Moderated,
            Flag::SubjectLocked,
            Flag::SemiAnonymous,
            Flag::ModeratorsInvite,
        ];
        let set: &[Flag] = match self {
            Preset::Public => &[],
            Preset::Private => &[Flag::Hidden, Flag::MembersOnly],
            Preset::Announce => &[Flag::Moderated, Flag::SubjectLocked],
            Preset::Anonymous => &[Flag::SemiAnonymous, Flag::SubjectLocked],
            Preset::Club => &[Flag::MembersOnly],
        };
        let all = |flags: &[Flag]| flags.iter().copied().fold(Flags::NONE, Flags::with);
        (all(&decided), all(set))
    }

    /// As people write it.
    pub fn word(self) -> &'static str {
        match self {
            Preset::Public => "public",
            Preset::Private => "private",
            Preset::Announce => "announce",
            Preset::Anonymous => "anonymous",
            Preset::Club => "club",
        }
    }
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
