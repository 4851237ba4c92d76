//! Who may do what in a room: every cell of the tables of XEP-0045 §5.1.1, §5.1.2 and §5.2.1 is tried.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/privileges.rs"]
mod privileges;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk};
use privileges::{ALL_AFFILIATIONS, BY_ROLE, Cell, DEFAULT_ROLES, DOORS, Deed, Door, cells};
use recorder::{Answered, Recorded};
use switchboard::hub::{
    Affiliation, Command, Flag, Limits, MaskList, Refusal, Role, RoomChange, RoomRef, SessionId, Terms, Words,
};

const DAN: SessionId = SessionId(4);

const TEA: RoomRef<'static> = RoomRef::Named("#tea");

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

#[test]
fn each_role_and_each_affiliation_has_its_privileges() {
    for cell @ Cell { deed, flag, role, affiliation, is_allowed } in cells() {
        let mut desk = room(role, affiliation, flag);
        assert_eq!(does(&mut desk, deed), is_allowed, "{cell:?}");
    }
}

/// XEP-0045 §5.2.1: outcast, none, member, admin, owner; and §7.2.9.
#[test]
fn each_affiliation_has_its_doors() {
    for &(setting, doors) in DOORS {
        for (affiliation, door) in ALL_AFFILIATIONS.into_iter().zip(doors) {
            let mut desk = Desk::new(Limits::default());
            for session in [ANN, BOB] {
                desk.register(session);
            }
            desk.join(ANN, "#tea");
            let change = RoomChange::Affiliate { affiliation, whom: "bob", terms: Terms::NONE };
            assert_eq!(desk.unchanged(ANN, "#tea", change), None);
            assert_eq!(desk.unchanged(ANN, "#tea", setting), None);
            let found = match desk.answer(BOB, Command::Join { room: "#tea", password: "", past: 0 }) {
                Answered::Joined { .. } => Door::Opens,
                Answered::Refused(Refusal::Banned) => Door::IsForNoOutcasts,
                Answered::Refused(Refusal::MembersOnly) => Door::IsForMembers,
                Answered::Refused(Refusal::RoomFull { .. }) => Door::IsFull,
                Answered::Refused(Refusal::BadPassword) => Door::AsksForPassword,
                other => panic!("{other:?}"),
            };
            assert_eq!(found, door, "{affiliation:?} {setting:?}");
        }
    }
}

/// XEP-0045 §5.1.2: what a role allows that nobody has granted.
#[test]
fn each_affiliation_has_its_role() {
    for (affiliation, roles) in DEFAULT_ROLES {
        for (is_moderated, role) in [true, false].into_iter().zip(roles) {
            let mut desk = Desk::new(Limits::default());
            for session in [ANN, BOB] {
                desk.register(session);
            }
            desk.join(ANN, "#tea");
            let flag = RoomChange::Flag { flag: Flag::Moderated, on: is_moderated };
            let change = RoomChange::Affiliate { affiliation, whom: "bob", terms: Terms::NONE };
            for change in [flag, change] {
                assert_eq!(desk.unchanged(ANN, "#tea", change), None);
            }
            for session in [BOB, CY] {
                desk.join(session, "#tea");
            }
            let says = does(&mut desk, Deed::Say);
            let kicks = does(&mut desk, Deed::Kick);
            assert_eq!(
                (says, kicks),
                (role >= Role::Participant, role >= Role::Moderator),
                "{affiliation:?}"
            );
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
