//! The letters of modes, and what they stand for: a table for channels and one for users, from which everything that is
//! said of modes comes.

use crate::hub::{Affiliation, Flag, Marks, MaskList, Role, Standing};
use crate::wire::irc::{ModeKind, ModeTable};

/// What a mode of a channel is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelMode {
    List(MaskList),
    Key,
    Limit,
    Flag(Flag),
    Rank(Rank),
}

/// What somebody in a channel stands out by: what their account is to it, or what they were given for this visit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rank {
    Affiliation(Affiliation),
    Role(Role),
}

/// The modes of channels. Those with a rank come from the highest down, as in PREFIX.
const CHANNEL: [(char, ChannelMode); 22] = [
    ('b', ChannelMode::List(MaskList::Bans)),
    ('e', ChannelMode::List(MaskList::BanExceptions)),
    ('I', ChannelMode::List(MaskList::InviteExceptions)),
    ('Q', ChannelMode::List(MaskList::Mutes)),
    ('k', ChannelMode::Key),
    ('l', ChannelMode::Limit),
    ('A', ChannelMode::Flag(Flag::SemiAnonymous)),
    ('C', ChannelMode::Flag(Flag::NoControlMessages)),
    ('E', ChannelMode::Flag(Flag::NoHistory)),
    ('P', ChannelMode::Flag(Flag::Persistent)),
    ('T', ChannelMode::Flag(Flag::SubjectOpen)),
    ('V', ChannelMode::Flag(Flag::ModeratorsInvite)),
    ('i', ChannelMode::Flag(Flag::MembersOnly)),
    ('m', ChannelMode::Flag(Flag::Moderated)),
    ('n', ChannelMode::Flag(Flag::ClosedToOutsiders)),
    ('s', ChannelMode::Flag(Flag::Hidden)),
    ('t', ChannelMode::Flag(Flag::SubjectLocked)),
    ('u', ChannelMode::Flag(Flag::VisitorsPassive)),
    ('q', ChannelMode::Rank(Rank::Affiliation(Affiliation::Owner))),
    ('a', ChannelMode::Rank(Rank::Affiliation(Affiliation::Admin))),
    ('o', ChannelMode::Rank(Rank::Role(Role::Moderator))),
    ('v', ChannelMode::Rank(Rank::Role(Role::Participant))),
];

/// The modes of users. None has a parameter.
pub const USER: [(char, Marks); 4] =
    [('B', Marks::BOT), ('i', Marks::INVISIBLE), ('o', Marks::OPERATOR), ('w', Marks::WALLOPS)];

/// Who is logged in to an account. Nobody sets it.
pub const REGISTERED: char = 'r';

/// The mode of bots (IRCv3 bot mode).
pub const BOT: char = 'B';

/// The modes of channels, and which of them have a parameter.
pub const CHANNEL_MODES: ModeTable<'static> = {
    const KINDS: [(char, ModeKind); CHANNEL.len()] = {
        let (mut kinds, mut at) = ([(' ', ModeKind::Never); CHANNEL.len()], 0);
        while at < kinds.len() {
            kinds[at] = (CHANNEL[at].0, CHANNEL[at].1.kind());
            at += 1;
        }
        kinds
    };
    ModeTable(&KINDS)
};

/// The modes of users, likewise.
pub const USER_MODES: ModeTable<'static> = {
    const KINDS: [(char, ModeKind); USER.len() + 1] = {
        let (mut kinds, mut at) = ([(REGISTERED, ModeKind::Never); USER.len() + 1], 0);
        while at < USER.len() {
            kinds[at].0 = USER[at].0;
            at += 1;
        }
        kinds
    };
    ModeTable(&KINDS)
};

impl ChannelMode {
    pub fn of(letter: char) -> Option<Self> {
        CHANNEL.iter().find(|(known, _)| *known == letter).map(|&(_, mode)| mode)
    }

    pub fn letter(self) -> char {
        CHANNEL.iter().find(|(_, known)| *known == self).map_or('?', |&(letter, _)| letter)
    }

    const fn kind(self) -> ModeKind {
        match self {
            ChannelMode::List(_) => ModeKind::List,
            ChannelMode::Key => ModeKind::Always,
            ChannelMode::Limit => ModeKind::WhenSet,
            ChannelMode::Flag(_) => ModeKind::Never,
            ChannelMode::Rank(_) => ModeKind::Rank,
        }
    }
}

/// The letter of each flag of a room.
pub fn flags() -> impl Iterator<Item = (char, Flag)> {
    CHANNEL.into_iter().filter_map(|(letter, mode)| match mode {
        ChannelMode::Flag(flag) => Some((letter, flag)),
        _ => None,
    })
}

/// The letter of each rank that can be given, from the highest down, and the sign in front of the names of those who have
/// it.
pub fn ranks() -> impl Iterator<Item = (char, Rank, &'static str)> {
    CHANNEL.into_iter().filter_map(|(letter, mode)| match mode {
        ChannelMode::Rank(rank) => Some((letter, rank, rank.sign())),
        _ => None,
    })
}

/// The roles among the ranks, with their signs, which also stand in front of a channel when only they are meant.
pub fn roles() -> impl Iterator<Item = (Role, &'static str)> {
    ranks().filter_map(|(_, rank, sign)| match rank {
        Rank::Role(role) => Some((role, sign)),
        Rank::Affiliation(_) => None,
    })
}

impl Rank {
    /// What stands in front of the names of those who have it.
    pub fn sign(self) -> &'static str {
        match self {
            Rank::Affiliation(Affiliation::Owner) => "~",
            Rank::Affiliation(Affiliation::Admin) => "&",
            Rank::Role(Role::Moderator) => "@",
            Rank::Role(Role::Participant) => "+",
            Rank::Affiliation(_) | Rank::Role(Role::Visitor) => "",
        }
    }

    /// Whether somebody who stands so has it. Owners and admins moderate, and members speak where not everybody does
    /// (XEP-0045 §5.1.2).
    pub fn is_of(self, standing: Standing) -> bool {
        match self {
            Rank::Affiliation(affiliation) => standing.affiliation == affiliation,
            Rank::Role(Role::Participant) => {
                standing.is_voiced || standing.affiliation == Affiliation::Member
            }
            Rank::Role(role) => standing.is_at_least(role),
        }
    }
}

/// What a letter of a user's modes stands for.
pub fn mark_of(letter: char) -> Option<Marks> {
    USER.iter().find(|(known, _)| *known == letter).map(|&(_, mark)| mark)
}

/// The letters of those marks of a user that are among these.
pub fn of_marks(marks: Marks) -> String {
    USER.iter().filter(|(_, mark)| marks.contains(*mark)).map(|(letter, _)| letter).collect()
}

/// The letters of a table whose kind is one of the wanted, in the order of the alphabet, as 004 has them.
pub fn sorted(table: ModeTable<'_>, is_wanted: impl Fn(ModeKind) -> bool) -> String {
    let mut letters: Vec<char> =
        table.letters().filter(|&(_, kind)| is_wanted(kind)).map(|(letter, _)| letter).collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_list_and_role_has_a_letter_of_its_own() {
        let all = Flag::ALL.map(ChannelMode::Flag).into_iter().chain(MaskList::ALL.map(ChannelMode::List));
        let roles = [Role::Moderator, Role::Participant].map(Rank::Role);
        let affiliations = [Affiliation::Owner, Affiliation::Admin].map(Rank::Affiliation);
        let roles = roles.into_iter().chain(affiliations).map(ChannelMode::Rank);
        let others = roles.chain([ChannelMode::Key, ChannelMode::Limit]);
        for mode in all.chain(others) {
            assert_eq!(ChannelMode::of(mode.letter()), Some(mode));
        }
        assert_eq!(sorted(CHANNEL_MODES, |_| true), "ACEIPQTVabeiklmnoqstuv");
        assert_eq!(sorted(CHANNEL_MODES, |kind| kind != ModeKind::Never), "IQabekloqv");
        assert_eq!((sorted(USER_MODES, |_| true).as_str(), mark_of(BOT)), ("Biorw", Some(Marks::BOT)));
        assert_eq!(of_marks(Marks::BOT.with(Marks::WALLOPS)), "Bw");
    }
}
