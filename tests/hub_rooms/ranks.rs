//! What an account is to a room, and who says so (XEP-0045 §5, §10).

use super::{DAN, TEA, affiliate, clear, is_kicked, members, said, set, with_room};
use crate::desk::{ANN, BOB, CY};
use crate::recorder::{Answered, Happened, Recorded};
use switchboard::hub::{
    Affiliation, Command, Flag, Limits, MaskList, Refusal, Role, RoomChange, RoomRef, SessionId, Terms,
};

/// XEP-0045 §10.1.
#[test]
fn who_founds_a_room_owns_it_if_they_have_an_account() {
    let mut desk = with_room();
    assert_eq!(members(&mut desk, ANN), "ann:Owner");
    desk.login(SessionId(9), "guest");
    desk.join(SessionId(9), "#free");
    let admin = affiliate(Affiliation::Admin, "bob");
    assert_eq!(desk.unchanged(SessionId(9), "#free", set(Flag::Moderated)), None, "moderates the room");
    let lasting = desk.unchanged(SessionId(9), "#free", set(Flag::Persistent));
    assert_eq!(lasting, Some(Refusal::NeedsOwner));
    assert_eq!(desk.unchanged(SessionId(9), "#free", admin), None, "and says who is what in it");
    desk.join(BOB, "#free");
    assert_eq!(desk.unchanged(BOB, "#free", affiliate(Affiliation::Owner, "bob")), None, "until it is owned");
    let open = desk.unchanged(SessionId(9), "#free", clear(Flag::Moderated));
    assert_eq!(open, Some(Refusal::NotOwner));
}

/// XEP-0045 §5.1.2: who is something to the room has a role when they enter, whatever it is set to.
#[test]
fn roles_follow_from_affiliations_on_entering() {
    let mut desk = with_room();
    desk.change(ANN, "#tea", set(Flag::Moderated));
    desk.change(ANN, "#tea", affiliate(Affiliation::Admin, "bob"));
    desk.change(ANN, "#tea", affiliate(Affiliation::Member, "cy"));
    for session in [BOB, CY, DAN] {
        desk.join(session, "#tea");
    }
    assert_eq!(said(&mut desk, BOB), Ok(()));
    assert_eq!(said(&mut desk, CY), Ok(()));
    assert_eq!(said(&mut desk, DAN), Err(Refusal::NoVoice));
    let kick = Command::Kick { room: TEA, who: "dan", text: "" };
    assert_eq!(desk.refusal(CY, kick.clone()), Refusal::NotModerator);
    assert_eq!(desk.answer(BOB, kick), Answered::Kicked("dan".into()));
}

/// The same when it changes while they are there, which everybody is told.
#[test]
fn who_is_there_stands_otherwise_at_once() {
    let mut desk = with_room();
    desk.change(ANN, "#tea", set(Flag::Moderated));
    let channel = desk.join(BOB, "#tea");
    assert_eq!(said(&mut desk, BOB), Err(Refusal::NoVoice));
    let effects = desk.change(ANN, "#tea", affiliate(Affiliation::Member, "bob"));
    let Recorded::Publish { channel: told, event: Happened::Changed { by, changes }, .. } = &effects[0]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((*told, &**by, &*changes[0]), (channel, "ann", "Member bob"));
    assert_eq!(changes[1..], ["bob is Member"]);
    assert_eq!(said(&mut desk, BOB), Ok(()));
    assert_eq!(desk.change(ANN, "#tea", affiliate(Affiliation::Member, "bob")).len(), 1, "it was so before");
}

#[test]
fn an_account_that_is_not_there_is_named_to_those_who_say_who_is_what() {
    let mut desk = with_room();
    desk.change(ANN, "#tea", affiliate(Affiliation::Admin, "bob"));
    for session in [BOB, CY] {
        desk.join(session, "#tea");
    }
    let effects = desk.change(ANN, "#tea", affiliate(Affiliation::Member, "dan"));
    let told = |effect: &Recorded| match effect {
        Recorded::Send { to, event: Happened::Changed { changes, .. }, .. } => Some((*to, changes.join(","))),
        Recorded::Publish { .. } => panic!("everybody is told"),
        _ => None,
    };
    assert_eq!(effects.iter().filter_map(told).collect::<Vec<_>>(), [(BOB, "Member dan".to_owned())]);
    let nobody = desk.unchanged(ANN, "#tea", affiliate(Affiliation::Member, "nobody"));
    assert_eq!(nobody, Some(Refusal::NoSuchAccount));
    desk.login(SessionId(9), "guest");
    desk.join(SessionId(9), "#tea");
    let guest = desk.unchanged(ANN, "#tea", affiliate(Affiliation::Member, "guest"));
    assert_eq!(guest, Some(Refusal::NoSuchAccount), "what one is belongs to an account");
}

/// XEP-0045 §10.4, §10.6.
#[test]
fn the_last_owner_cannot_resign() {
    let mut desk = with_room();
    for affiliation in [Affiliation::None, Affiliation::Member, Affiliation::Admin] {
        let refusal = desk.unchanged(ANN, "#tea", affiliate(affiliation, "ann"));
        assert_eq!(refusal, Some(Refusal::LastOwner), "{affiliation:?}");
    }
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::Owner, "bob")), None);
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::Admin, "ann")), None);
    assert_eq!(members(&mut desk, ANN), "ann:Admin bob:Owner");
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::Owner, "ann")), Some(Refusal::NotOwner));
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::None, "ann")), None, "admins can resign");
}

/// XEP-0045 §8.2, §8.4, §9.1: never against a higher rank.
#[test]
fn nobody_touches_who_ranks_higher() {
    let mut desk = with_room();
    for (whom, affiliation) in [("bob", Affiliation::Admin), ("cy", Affiliation::Admin)] {
        desk.change(ANN, "#tea", affiliate(affiliation, whom));
    }
    for session in [BOB, CY, DAN] {
        desk.join(session, "#tea");
    }
    desk.change(BOB, "#tea", RoomChange::Grant { role: Role::Moderator, to: "dan" });
    let kick = |who| Command::Kick { room: TEA, who, text: "" };
    assert_eq!(desk.refusal(DAN, kick("bob")), Refusal::OutOfReach);
    assert_eq!(desk.refusal(BOB, kick("ann")), Refusal::OutOfReach);
    assert_eq!(desk.refusal(BOB, kick("bob")), Refusal::NotToYourself);
    let ban = |whom| affiliate(Affiliation::Outcast, whom);
    assert_eq!(desk.unchanged(BOB, "#tea", ban("cy")), Some(Refusal::OutOfReach), "an admin");
    assert_eq!(desk.unchanged(BOB, "#tea", ban("ann")), Some(Refusal::OutOfReach), "an owner");
    assert_eq!(desk.unchanged(ANN, "#tea", ban("ann")), Some(Refusal::NotToYourself));
    for role in [Role::Moderator, Role::Participant] {
        let revoke = RoomChange::Revoke { role, from: "bob" };
        assert_eq!(desk.unchanged(ANN, "#tea", revoke), Some(Refusal::OutOfReach), "it comes with the rank");
    }
    let mute = |mask| RoomChange::AddMask { list: MaskList::Mutes, mask, terms: Terms::NONE };
    assert_eq!(desk.unchanged(DAN, "#tea", mute("~a:bob")), Some(Refusal::OutOfReach));
    assert_eq!(desk.unchanged(ANN, "#tea", ban("cy")), None, "an owner bans an admin");
}

#[test]
fn who_gives_a_password_while_inside_is_what_the_account_is() {
    let mut desk = with_room();
    desk.change(ANN, "#tea", affiliate(Affiliation::Admin, "bob"));
    desk.change(ANN, "#tea", affiliate(Affiliation::Outcast, "cy"));
    for (session, name) in [(SessionId(8), "mob"), (SessionId(9), "guest")] {
        desk.login(session, name);
        desk.join(session, "#tea");
    }
    let effects = desk.identify(SessionId(8), "bob");
    let stands = |effect: &Recorded| matches!(effect, Recorded::Publish { event: Happened::Changed { by, changes }, .. } if by.is_empty() && changes[0].contains("Admin"));
    assert!(effects.iter().any(stands), "{effects:?}");
    let kick = Command::Kick { room: TEA, who: "guest", text: "" };
    assert_eq!(desk.answer(SessionId(8), kick), Answered::Kicked("guest".into()));
    desk.join(SessionId(9), "#tea");
    assert!(is_kicked(&desk.identify(SessionId(9), "cy"), "guest"), "the account is banned there");
    desk.ask(SessionId(8), Command::LogOut);
    assert_eq!(desk.unchanged(SessionId(8), "#tea", set(Flag::Moderated)), Some(Refusal::NotOwner));
    let kick = Command::Kick { room: TEA, who: "ann", text: "" };
    assert_eq!(desk.refusal(SessionId(8), kick), Refusal::NotModerator, "it was the account's");
}

#[test]
fn members_are_counted_against_their_limit() {
    let limits = Limits { members_per_room_max: 2, ..Limits::default() };
    let mut desk = with_room();
    desk.hub.set_limits(limits);
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::Member, "bob")), None);
    let full = Some(Refusal::TooManyMembers { members_max: 2 });
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::Outcast, "cy")), full);
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::Admin, "bob")), None);
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::None, "bob")), None);
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::Outcast, "cy")), None);
}

/// The answer must not tell whose account is what there, or who has one.
#[test]
fn who_may_not_ban_accounts_in_an_anonymous_room_learns_nothing_of_them() {
    let mut desk = with_room();
    desk.change(ANN, "#tea", set(Flag::SemiAnonymous));
    desk.change(ANN, "#tea", affiliate(Affiliation::Admin, "bob"));
    desk.change(ANN, "#tea", affiliate(Affiliation::Outcast, "cy"));
    let guest = SessionId(8);
    desk.login(guest, "guest");
    for session in [BOB, guest] {
        desk.join(session, "#tea");
    }
    let pseudonyms: Vec<String> =
        match desk.answer(ANN, Command::Who { room: TEA, after: "", in_full: false }) {
            Answered::Occupants(names, _) => names,
            other => panic!("{other:?}"),
        };
    assert_eq!(pseudonyms.len(), 3, "{pseudonyms:?}");
    let others = pseudonyms.iter().filter(|name| name.starts_with("anon-")).map(String::as_str);
    for whom in ["ann", "bob", "cy", "dan", "guest", "nobody"].into_iter().chain(others) {
        for affiliation in [Affiliation::Outcast, Affiliation::None, Affiliation::Member, Affiliation::Owner]
        {
            let refused = desk.unchanged(guest, "#tea", affiliate(affiliation, whom));
            assert_eq!(refused, Some(Refusal::NotAdmin), "{whom} {affiliation:?}");
        }
    }
}

/// Who makes a room without an account moderates it, and sets it as they like; but nobody trusts them with who is who.
#[test]
fn in_an_anonymous_room_without_an_owner_nobody_says_whose_account_is_what() {
    let mut desk = with_room();
    let guest = SessionId(8);
    desk.login(guest, "guest");
    desk.join(guest, "#den");
    let den = RoomRef::Named("#den");
    desk.change(guest, "#den", set(Flag::SemiAnonymous));
    desk.change(guest, "#den", set(Flag::Moderated));
    desk.join(BOB, "#den");
    let name = match desk.answer(guest, Command::Who { room: den, after: "", in_full: false }) {
        Answered::Occupants(names, _) => names.into_iter().find(|name| name.starts_with("anon-")),
        other => panic!("{other:?}"),
    };
    let name = name.expect("a pseudonym");
    let ban = affiliate(Affiliation::Outcast, &name);
    assert_eq!(desk.unchanged(guest, "#den", ban), Some(Refusal::NotAdmin));
    desk.change(guest, "#den", RoomChange::Grant { role: Role::Participant, to: &name });
    let list = Command::ListMembers { room: den, affiliation: None, after: "" };
    assert_eq!(desk.refusal(guest, list), Refusal::NotAdmin);
    let mask = format!("{name}!*@*");
    let ban = RoomChange::AddMask { list: MaskList::Bans, mask: &mask, terms: Terms::NONE };
    assert_eq!(desk.unchanged(guest, "#den", ban), None, "the name can be kept out all the same");
}
