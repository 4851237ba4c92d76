//! Who may do what in a room: the tables of XEP-0045 §5.1.1 and §5.2.1, as far as roles and affiliations decide it.
//!
//! Absent until accounts have affiliations: who may edit the lists of members, admins and owners. Until then whoever
//! moderates a room also configures it, as operators of IRC channels do.

use super::role::{Affiliation, Role};
use super::settings::{Flag, Flags};

/// Something that an occupant may or may not do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Be told what happens.
    Hear,
    /// Say something to one occupant.
    Whisper,
    Rename,
    Invite,
    /// Say something to all.
    Speak,
    SetSubject,
    /// Make somebody leave.
    Kick,
    /// Give somebody a role, or take one.
    Grant,
    /// Change the lists of masks, and see those that are not for everybody.
    Ban,
    /// Change what the room is set to.
    Configure,
}

/// The least role for each act, and the one that the room may demand instead, with the setting that says so.
type Row = (Act, Role, Option<(Flag, Role)>);

const ROLES: &[Row] = &[
    (Act::Hear, Role::Visitor, None),
    (Act::Whisper, Role::Visitor, None),
    (Act::Rename, Role::Visitor, None),
    (Act::Invite, Role::Visitor, Some((Flag::MembersOnly, Role::Moderator))),
    (Act::Speak, Role::Participant, None),
    (Act::SetSubject, Role::Participant, Some((Flag::SubjectLocked, Role::Moderator))),
    (Act::Kick, Role::Moderator, None),
    (Act::Grant, Role::Moderator, None),
    (Act::Ban, Role::Moderator, None),
    (Act::Configure, Role::Moderator, None),
];

/// Whether a role is enough for an act, in a room that is set so.
pub fn may(role: Role, act: Act, flags: Flags) -> bool {
    ROLES.iter().filter(|(of, ..)| *of == act).all(|&(_, least, instead)| match instead {
        Some((flag, least)) if flags.has(flag) => role >= least,
        _ => role >= least,
    })
}

/// Whether somebody may be kicked, or lose a role, at the hands of another: never who ranks higher (XEP-0045 §8.2, §8.4).
pub fn may_touch(by: Affiliation, whom: Affiliation) -> bool {
    by >= whom
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

    const ALL: [Role; 3] = [Role::Visitor, Role::Participant, Role::Moderator];

    /// XEP-0045 §5.1.1, row by row: visitor, participant, moderator.
    #[test]
    fn roles_have_their_privileges() {
        let rows = [
            (Act::Hear, [true, true, true]),
            (Act::Rename, [true, true, true]),
            (Act::Whisper, [true, true, true]),
            (Act::Invite, [true, true, true]),
            (Act::Speak, [false, true, true]),
            (Act::SetSubject, [false, true, true]),
            (Act::Kick, [false, false, true]),
            (Act::Grant, [false, false, true]),
            (Act::Ban, [false, false, true]),
            (Act::Configure, [false, false, true]),
        ];
        assert_eq!(rows.len(), ROLES.len(), "every act has its row");
        for (act, expected) in rows {
            assert_eq!(ALL.map(|role| may(role, act, Flags::NONE)), expected, "{act:?}");
        }
    }

    #[test]
    fn a_room_can_demand_more() {
        let locked = Flags::NONE.with(Flag::SubjectLocked);
        assert_eq!(ALL.map(|role| may(role, Act::SetSubject, locked)), [false, false, true]);
        assert_eq!(ALL.map(|role| may(role, Act::Speak, locked)), [false, true, true]);
        let members_only = Flags::NONE.with(Flag::MembersOnly);
        assert_eq!(ALL.map(|role| may(role, Act::Invite, members_only)), [false, false, true]);
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
