//! Who may do what in a room: the tables of XEP-0045 §5.1.1 and §5.2.1, written down once more, and every cell of them
//! tried.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk};
use recorder::{Answered, Recorded};
use switchboard::hub::{
    Affiliation, Command, Flag, Limits, MaskList, Refusal, Role, RoomChange, RoomRef, SessionId, Terms, Words,
};

const DAN: SessionId = SessionId(4);

const TEA: RoomRef<'static> = RoomRef::Named("#tea");

const ROLES: [Role; 3] = [Role::Visitor, Role::Participant, Role::Moderator];

const AFFILIATIONS: [Affiliation; 4] =
    [Affiliation::None, Affiliation::Member, Affiliation::Admin, Affiliation::Owner];

#[derive(Clone, Copy, PartialEq, Debug)]
enum Deed {
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
const BY_ROLE: &[(Deed, Option<Flag>, [bool; 3])] = &[
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
const BY_AFFILIATION: &[(Deed, Option<Flag>, [bool; 4])] = &[
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

/// Ann's room; Bob is in it with this rank, and Cy, who has a voice.
fn room(role: Role, affiliation: Affiliation, flag: Option<Flag>) -> Desk {
    let mut desk = Desk::new(Limits::default());
    desk.login(DAN, "dan");
    for session in [ANN, BOB, CY, DAN] {
        desk.register(session);
    }
    desk.join(ANN, "#tea");
    let hides = flag == Some(Flag::SemiAnonymous);
    let mut changes = vec![RoomChange::Flag { flag: Flag::Moderated, on: true }];
    changes.extend(flag.filter(|_| hides).map(|flag| RoomChange::Flag { flag, on: true }));
    changes.push(RoomChange::Affiliate { affiliation, whom: "bob", terms: Terms::NONE });
    for change in changes {
        assert_eq!(desk.unchanged(ANN, "#tea", change), None);
    }
    desk.join(BOB, "#tea");
    desk.join(CY, "#tea");
    let mut grants = Vec::new();
    if !hides {
        grants.push(RoomChange::Grant { role: Role::Participant, to: "cy" });
        grants.extend((role > Role::Visitor).then_some(RoomChange::Grant { role, to: "bob" }));
    }
    grants.extend(flag.map(|flag| RoomChange::Flag { flag, on: true }));
    for change in grants {
        assert_eq!(desk.unchanged(ANN, "#tea", change), None, "{change:?}");
    }
    desk
}

/// Whether Bob may do it.
fn does(desk: &mut Desk, deed: Deed) -> bool {
    let affiliate = |affiliation| RoomChange::Affiliate { affiliation, whom: "dan", terms: Terms::NONE };
    let change = match deed {
        Deed::GiveVoice => {
            let muted = RoomChange::Revoke { role: Role::Participant, from: "cy" };
            assert_eq!(desk.unchanged(ANN, "#tea", muted), None);
            RoomChange::Grant { role: Role::Participant, to: "cy" }
        }
        Deed::TakeVoice => RoomChange::Revoke { role: Role::Participant, from: "cy" },
        Deed::BanMask => RoomChange::AddMask { list: MaskList::Bans, mask: "x!*@*", terms: Terms::NONE },
        Deed::MakeMember => affiliate(Affiliation::Member),
        Deed::BanAccount => affiliate(Affiliation::Outcast),
        Deed::MakeAdmin => affiliate(Affiliation::Admin),
        Deed::MakeOwner => affiliate(Affiliation::Owner),
        Deed::MakeModerator => RoomChange::Grant { role: Role::Moderator, to: "cy" },
        Deed::Configure => RoomChange::OccupantsMax(Some(9)),
        _ => return commands(desk, deed),
    };
    match desk.unchanged(BOB, "#tea", change) {
        None => true,
        Some(Refusal::NotModerator | Refusal::NotAdmin | Refusal::NotOwner) => false,
        other => panic!("{deed:?}: {other:?}"),
    }
}

fn commands(desk: &mut Desk, deed: Deed) -> bool {
    let words = Words::message("hello");
    let command = match deed {
        Deed::Say => Command::Say { room: TEA, words, least: None },
        Deed::SetSubject => Command::SetSubject { room: TEA, text: "at five" },
        Deed::Invite => Command::Invite { room: TEA, who: "dan" },
        Deed::Rename => Command::Rename { name: "rob" },
        Deed::Kick => Command::Kick { room: TEA, who: "cy", text: "" },
        Deed::ListMembers => Command::ListMembers { room: TEA, affiliation: None, after: "" },
        Deed::ReserveName => Command::ReserveName { room: TEA, name: "bobby" },
        Deed::RenameRoom => Command::RenameRoom { room: TEA, to: "#chai", text: "" },
        Deed::Destroy => Command::Destroy { room: TEA, text: "", instead: "" },
        Deed::ShowStatus => {
            let effects = desk.ask(BOB, Command::SetAway { text: Some("tea") });
            return effects.iter().any(|effect| matches!(effect, Recorded::Neighbours { .. }));
        }
        other => panic!("{other:?} is a change"),
    };
    match desk.answer(BOB, command) {
        Answered::Refused(
            Refusal::NoVoice
            | Refusal::NotModerator
            | Refusal::NotMember
            | Refusal::NotAdmin
            | Refusal::NotOwner,
        ) => false,
        Answered::Refused(other) => panic!("{deed:?}: {other:?}"),
        _ => true,
    }
}

/// The roles that can go with an affiliation, in a room that is moderated.
fn roles_of(affiliation: Affiliation) -> &'static [Role] {
    match affiliation {
        Affiliation::Member => &ROLES[1..],
        Affiliation::Admin | Affiliation::Owner => &ROLES[2..],
        _ => &ROLES,
    }
}

#[test]
fn each_role_has_its_privileges_whatever_the_affiliation() {
    for (deed, flag, allowed) in BY_ROLE {
        for affiliation in AFFILIATIONS {
            for &role in roles_of(affiliation) {
                let mut desk = room(role, affiliation, *flag);
                let expected = allowed[role as usize];
                assert_eq!(does(&mut desk, *deed), expected, "{deed:?} {flag:?} {role:?} {affiliation:?}");
            }
        }
    }
}

#[test]
fn each_affiliation_has_its_privileges_whatever_the_role() {
    for (deed, flag, allowed) in BY_AFFILIATION {
        for (affiliation, expected) in AFFILIATIONS.into_iter().zip(allowed) {
            for &role in roles_of(affiliation) {
                let mut desk = room(role, affiliation, *flag);
                assert_eq!(does(&mut desk, *deed), *expected, "{deed:?} {flag:?} {role:?} {affiliation:?}");
            }
        }
    }
}

/// XEP-0045 §5.2.1: outcast, none, member, admin, owner; and §7.2.9.
#[test]
fn each_affiliation_has_its_doors() {
    let all = [
        Affiliation::Outcast,
        Affiliation::None,
        Affiliation::Member,
        Affiliation::Admin,
        Affiliation::Owner,
    ];
    let rows: [(RoomChange<'_>, [bool; 5]); 3] = [
        (RoomChange::Flag { flag: Flag::Moderated, on: true }, [false, true, true, true, true]),
        (RoomChange::Flag { flag: Flag::MembersOnly, on: true }, [false, false, true, true, true]),
        (RoomChange::OccupantsMax(Some(1)), [false, false, false, true, true]),
    ];
    for (setting, allowed) in rows {
        for (affiliation, expected) in all.into_iter().zip(allowed) {
            let mut desk = Desk::new(Limits::default());
            for session in [ANN, BOB] {
                desk.register(session);
            }
            desk.join(ANN, "#tea");
            let change = RoomChange::Affiliate { affiliation, whom: "bob", terms: Terms::NONE };
            assert_eq!(desk.unchanged(ANN, "#tea", change), None);
            assert_eq!(desk.unchanged(ANN, "#tea", setting), None);
            let joined = desk.answer(BOB, Command::Join { room: "#tea", password: "", past: 0 });
            let is_in = matches!(joined, Answered::Joined { .. });
            assert_eq!(is_in, expected, "{affiliation:?} {setting:?}");
        }
    }
}

/// XEP-0045 §5.1.1: who is not in the room has no role in it.
#[test]
fn who_is_outside_does_nothing_that_takes_a_role() {
    for (deed, ..) in BY_ROLE.iter().filter(|(deed, ..)| !matches!(deed, Deed::Rename | Deed::ShowStatus)) {
        let mut desk = room(Role::Moderator, Affiliation::Owner, None);
        desk.ask(BOB, Command::Leave { room: TEA, text: "" });
        let command = match deed {
            Deed::Say => Command::Say { room: TEA, words: Words::message("hello"), least: None },
            Deed::SetSubject => Command::SetSubject { room: TEA, text: "at five" },
            Deed::Invite => Command::Invite { room: TEA, who: "dan" },
            Deed::Kick => Command::Kick { room: TEA, who: "cy", text: "" },
            _ => Command::Change {
                room: TEA,
                changes: Box::new([RoomChange::Grant { role: Role::Participant, to: "cy" }]),
            },
        };
        let refusal = desk.refusal(BOB, command);
        assert!(matches!(refusal, Refusal::NotInRoom | Refusal::ClosedToOutsiders), "{deed:?} {refusal:?}");
    }
}
