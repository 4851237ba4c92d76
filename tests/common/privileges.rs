//! Who may do what in a room: the tables of XEP-0045 §5.1.1, §5.1.2 and §5.2.1, written down once more for those who try
//! every cell of them.
#![allow(dead_code)] // each test file uses its part

use switchboard::hub::{Affiliation, Flag, Role, RoomChange};

pub const ROLES: [Role; 3] = [Role::Visitor, Role::Participant, Role::Moderator];

pub const AFFILIATIONS: [Affiliation; 4] =
    [Affiliation::None, Affiliation::Member, Affiliation::Admin, Affiliation::Owner];

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Deed {
    Say,
    SetSubject,
    Invite,
    Rename,
    ShowStatus,
    Kick,
    GiveVoice,
    TakeVoice,
    BanMask,
    ListMembers,
    ReserveName,
    MakeMember,
    BanAccount,
    MakeModerator,
    MakeAdmin,
    MakeOwner,
    Configure,
    RenameRoom,
    Destroy,
}

/// A deed, what the room is set to beside the usual, and whether a visitor, a participant, a moderator may do it.
pub const BY_ROLE: &[(Deed, Option<Flag>, [bool; 3])] = &[
    (Deed::Say, None, [false, true, true]),
    (Deed::SetSubject, None, [false, true, true]),
    (Deed::SetSubject, Some(Flag::SubjectOpen), [true, true, true]),
    (Deed::SetSubject, Some(Flag::SubjectLocked), [false, false, true]),
    (Deed::Invite, None, [true, true, true]),
    (Deed::Invite, Some(Flag::VisitorsPassive), [false, true, true]),
    (Deed::Invite, Some(Flag::ModeratorsInvite), [false, false, true]),
    (Deed::Invite, Some(Flag::MembersOnly), [false, false, true]),
    (Deed::Rename, None, [true, true, true]),
    (Deed::Rename, Some(Flag::VisitorsPassive), [false, true, true]),
    (Deed::ShowStatus, None, [true, true, true]),
    (Deed::ShowStatus, Some(Flag::VisitorsPassive), [false, true, true]),
    (Deed::Kick, None, [false, false, true]),
    (Deed::GiveVoice, None, [false, false, true]),
    (Deed::TakeVoice, None, [false, false, true]),
    (Deed::BanMask, None, [false, false, true]),
];

/// The same for those who are nothing to the room, members, admins, owners.
pub const BY_AFFILIATION: &[(Deed, Option<Flag>, [bool; 4])] = &[
    (Deed::ListMembers, None, [false, true, true, true]),
    (Deed::ListMembers, Some(Flag::SemiAnonymous), [false, false, true, true]),
    (Deed::ReserveName, None, [false, true, true, true]),
    (Deed::MakeMember, None, [false, false, true, true]),
    (Deed::BanAccount, None, [false, false, true, true]),
    (Deed::MakeModerator, None, [false, false, true, true]),
    (Deed::MakeAdmin, None, [false, false, false, true]),
    (Deed::MakeOwner, None, [false, false, false, true]),
    (Deed::Configure, None, [false, false, false, true]),
    (Deed::RenameRoom, None, [false, false, false, true]),
    (Deed::Destroy, None, [false, false, false, true]),
];

/// The roles that can go with an affiliation, in a room that is moderated.
pub fn roles_of(affiliation: Affiliation) -> &'static [Role] {
    match affiliation {
        Affiliation::Member => &ROLES[1..],
        Affiliation::Admin | Affiliation::Owner => &ROLES[2..],
        _ => &ROLES,
    }
}

/// What the door of a room does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Door {
    Opens,
    IsForMembers,
    IsForNoOutcasts,
    IsFull,
    AsksForPassword,
}

/// Of those whom there is no room for, the first of these is told.
pub const DOORS: &[(RoomChange<'static>, [Door; 5])] = {
    use Door::{AsksForPassword, IsForMembers, IsForNoOutcasts, IsFull, Opens};
    &[
        (RoomChange::Flag { flag: Flag::Moderated, on: true }, [IsForNoOutcasts, Opens, Opens, Opens, Opens]),
        (
            RoomChange::Flag { flag: Flag::MembersOnly, on: true },
            [IsForNoOutcasts, IsForMembers, Opens, Opens, Opens],
        ),
        (RoomChange::OccupantsMax(Some(1)), [IsForNoOutcasts, IsFull, IsFull, Opens, Opens]),
        (
            RoomChange::Password(Some("sesame")),
            [IsForNoOutcasts, AsksForPassword, AsksForPassword, AsksForPassword, AsksForPassword],
        ),
    ]
};

/// From the least to the highest, as the cells of [`DOORS`].
pub const ALL_AFFILIATIONS: [Affiliation; 5] =
    [Affiliation::Outcast, Affiliation::None, Affiliation::Member, Affiliation::Admin, Affiliation::Owner];

/// What somebody is who enters a room in which nothing was granted to them (§5.1.2), if it is moderated, and if it is not.
pub const DEFAULT_ROLES: [(Affiliation, [Role; 2]); 4] = [
    (Affiliation::None, [Role::Visitor, Role::Participant]),
    (Affiliation::Member, [Role::Participant, Role::Participant]),
    (Affiliation::Admin, [Role::Moderator, Role::Moderator]),
    (Affiliation::Owner, [Role::Moderator, Role::Moderator]),
];

/// A row of one of the tables for one rank: what may be done, in a room that is set so, and whether this rank may.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cell {
    pub deed: Deed,
    pub flag: Option<Flag>,
    pub role: Role,
    pub affiliation: Affiliation,
    pub is_allowed: bool,
}

/// Each row of both tables for each rank that there can be in a moderated room: what the one table says does not depend
/// on what the other one has.
pub fn cells() -> Vec<Cell> {
    let ranks = AFFILIATIONS.iter().enumerate();
    let ranks: Vec<(usize, Affiliation, Role)> =
        ranks.flat_map(|(at, &of)| roles_of(of).iter().map(move |&role| (at, of, role))).collect();
    let mut cells = Vec::new();
    for &(_, affiliation, role) in &ranks {
        cells.extend(BY_ROLE.iter().map(|&(deed, flag, allowed)| {
            let is_allowed = allowed[role as usize];
            Cell { deed, flag, role, affiliation, is_allowed }
        }));
    }
    for &(at, affiliation, role) in &ranks {
        cells.extend(BY_AFFILIATION.iter().map(|&(deed, flag, allowed)| {
            let is_allowed = allowed[at];
            Cell { deed, flag, role, affiliation, is_allowed }
        }));
    }
    cells
}

/// Whether visitors are passive in an anonymous room, and whether a visitor, a participant, a moderator may write to a
/// single occupant then ("Send PMs to all occupants").
pub const WHISPERS: [(bool, [bool; 3]); 2] = [(false, [true, true, true]), (true, [false, true, true])];
