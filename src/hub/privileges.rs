//! Who may do what in a room: the tables of XEP-0045 §5.1.1, for roles, and §5.2.1, for affiliations.
//!
//! A room that was founded without an account has no owner, and nobody to say who is what in it for longer than a visit:
//! there, whoever moderates it does the most of what admins and owners do elsewhere, as operators of IRC channels do.

use super::Refusal;
use super::role::{Affiliation, Role, Standing};
use super::settings::{Flag, Flags};

/// Something that somebody may or may not do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Be told what happens.
    Hear,
    /// Say something to one occupant, as one who is known in this room alone.
    Whisper,
    Rename,
    /// Have the others told that one is away, or back.
    ShowStatus,
    Invite,
    /// Say something to all.
    Speak,
    SetSubject,
    /// Make somebody leave.
    Kick,
    /// Give somebody a voice, or take it.
    Grant,
    /// Change the lists of masks, and see those that are not for everybody.
    Ban,
    /// Make somebody a moderator for the visit, or undo it.
    MakeModerators,
    /// See which accounts are something to the room.
    ReadMembers,
    /// Have a name that is nobody else's in the room.
    ReserveName,
    /// Say who is a member, and which accounts are banned.
    EditMembers,
    /// Say who is an admin or an owner.
    EditOwners,
    /// Change what the room is set to.
    Configure,
    /// Give the room another name.
    RenameRoom,
    /// End the room.
    Destroy,
}

/// The least role for each act that a role decides on; and others instead, where the room is set so: the last of them
/// that applies.
type ByRole = (Act, Role, &'static [(Flag, Role)]);

const ROLES: &[ByRole] = &[
    (Act::Hear, Role::Visitor, &[]),
    (Act::Whisper, Role::Visitor, &[(Flag::VisitorsPassive, Role::Participant)]),
    (Act::Rename, Role::Visitor, &[(Flag::VisitorsPassive, Role::Participant)]),
    (Act::ShowStatus, Role::Visitor, &[(Flag::VisitorsPassive, Role::Participant)]),
    (
        Act::Invite,
        Role::Visitor,
        &[
            (Flag::VisitorsPassive, Role::Participant),
            (Flag::ModeratorsInvite, Role::Moderator),
            (Flag::MembersOnly, Role::Moderator),
        ],
    ),
    (Act::Speak, Role::Participant, &[]),
    (
        Act::SetSubject,
        Role::Participant,
        &[(Flag::SubjectOpen, Role::Visitor), (Flag::SubjectLocked, Role::Moderator)],
    ),
    (Act::Kick, Role::Moderator, &[]),
    (Act::Grant, Role::Moderator, &[]),
    (Act::Ban, Role::Moderator, &[]),
];

/// The least affiliation for each act that an affiliation decides on, another one where the room is set so, and the role
/// that is enough in a room without an owner; but in one where people are not known, never to find out who they are.
type ByAffiliation = (Act, Affiliation, Option<(Flag, Affiliation)>, Option<Role>);

const AFFILIATIONS: &[ByAffiliation] = &[
    (Act::MakeModerators, Affiliation::Admin, None, Some(Role::Moderator)),
    (
        Act::ReadMembers,
        Affiliation::Member,
        Some((Flag::SemiAnonymous, Affiliation::Admin)),
        Some(Role::Moderator),
    ),
    (Act::ReserveName, Affiliation::Member, None, None),
    (Act::EditMembers, Affiliation::Admin, None, Some(Role::Moderator)),
    (Act::EditOwners, Affiliation::Owner, None, Some(Role::Moderator)),
    (Act::Configure, Affiliation::Owner, None, Some(Role::Moderator)),
    (Act::RenameRoom, Affiliation::Owner, None, None),
    (Act::Destroy, Affiliation::Owner, None, None),
];

/// Whether a role is enough for an act that roles decide on, in a room that is set so.
pub fn may(role: Role, act: Act, flags: Flags) -> bool {
    ROLES.iter().find(|(of, ..)| *of == act).is_some_and(|&(_, least, instead)| {
        let instead = instead.iter().rfind(|(flag, _)| flags.has(*flag));
        role >= instead.map_or(least, |&(_, least)| least)
    })
}

/// What somebody is in a room, as far as it decides what they may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rank {
    pub standing: Standing,
    pub flags: Flags,
    /// Whether the room has an owner.
    pub is_owned: bool,
}

impl Rank {
    pub fn role(self) -> Role {
        self.standing.role(self.flags.has(Flag::Moderated))
    }

    /// Whether it is enough for something.
    ///
    /// # Errors
    /// For whom that is.
    pub fn check(self, act: Act) -> Result<(), Refusal> {
        let Some(&(_, least, instead, unowned)) = AFFILIATIONS.iter().find(|(of, ..)| *of == act) else {
            return if may(self.role(), act, self.flags) { Ok(()) } else { Err(Refusal::NotModerator) };
        };
        let least = instead.filter(|(flag, _)| self.flags.has(*flag)).map_or(least, |(_, least)| least);
        let unmasks =
            matches!(act, Act::ReadMembers | Act::EditMembers | Act::EditOwners)
            && self.flags.has(Flag::SemiAnonymous);
        let as_moderator = unowned.filter(|_| !self.is_owned && !unmasks);
        match as_moderator {
            _ if self.standing.affiliation >= least => Ok(()),
            Some(role) if self.role() >= role => Ok(()),
            Some(_) => Err(Refusal::NotModerator),
            None if least == Affiliation::Owner => Err(Refusal::NotOwner),
            None if least == Affiliation::Member => Err(Refusal::NotMember),
            None => Err(Refusal::NotAdmin),
        }
    }
}

/// Whether somebody may be kicked, or lose a role, at the hands of another: never who ranks higher (XEP-0045 §8.2, §8.4).
pub fn may_touch(by: Affiliation, whom: Affiliation) -> bool {
    by >= whom
}

/// What it takes to make an account that is `before` to a room into `after`: whoever makes admins and owners also
/// unmakes them (XEP-0045 §10.3 to §10.8), the rest is for admins (§9).
pub fn act_of(before: Affiliation, after: Affiliation) -> Act {
    if before.max(after) >= Affiliation::Admin { Act::EditOwners } else { Act::EditMembers }
}

/// Whether an affiliation opens the door of a room that is for members only, or is no hindrance in another.
pub fn may_enter(affiliation: Affiliation, flags: Flags) -> bool {
    let least = if flags.has(Flag::MembersOnly) { Affiliation::Member } else { Affiliation::None };
    affiliation >= least
}

/// Whether a room that is full is full for them too (XEP-0045 §7.2.9).
pub fn enters_full_rooms(affiliation: Affiliation) -> bool {
    affiliation >= Affiliation::Admin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_act_is_decided_on_in_one_table() {
        let acts = ROLES.iter().map(|row| row.0).chain(AFFILIATIONS.iter().map(|row| row.0));
        let acts: Vec<Act> = acts.collect();
        for act in &acts {
            assert_eq!(acts.iter().filter(|other| *other == act).count(), 1, "{act:?}");
        }
    }

    /// XEP-0045 §5.2.1: outcast, none, member, admin, owner.
    #[test]
    fn affiliations_open_doors() {
        use Affiliation::{Admin, Member, None, Outcast, Owner};
        let all = [Outcast, None, Member, Admin, Owner];
        let members_only = Flags::NONE.with(Flag::MembersOnly);
        assert_eq!(all.map(|a| may_enter(a, Flags::NONE)), [false, true, true, true, true]);
        assert_eq!(all.map(|a| may_enter(a, members_only)), [false, false, true, true, true]);
        assert_eq!(all.map(enters_full_rooms), [false, false, false, true, true]);
        assert!(may_touch(None, None) && may_touch(Owner, Admin) && !may_touch(None, Member));
    }
}
