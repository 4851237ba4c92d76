//! Who comes in, who does not, and who has to leave (XEP-0045 §7.2, §9).

use super::{DAN, TEA, affiliate, is_kicked, join, members, set, with_room};
use crate::desk::{ANN, BOB, CY};
use crate::recorder::{Answered, Happened, Recorded};
use switchboard::hub::{Affiliation, Command, Flag, MaskList, Refusal, RoomChange, SessionId, Terms};

/// XEP-0045 §7.2.5 to §7.2.9, in this order.
#[test]
fn the_door_is_kept_in_order() {
    let mut desk = with_room();
    let ban = RoomChange::AddMask { list: MaskList::Bans, mask: "dan!*@*", terms: Terms::NONE };
    desk.change(ANN, "#tea", RoomChange::OccupantsMax(Some(1)));
    assert_eq!(desk.refusal(DAN, join("#tea", "")), Refusal::RoomFull { occupants_max: 1 });
    desk.change(ANN, "#tea", RoomChange::Password(Some("key")));
    assert_eq!(desk.refusal(DAN, join("#tea", "")), Refusal::BadPassword);
    desk.change(ANN, "#tea", set(Flag::MembersOnly));
    assert_eq!(desk.refusal(DAN, join("#tea", "key")), Refusal::MembersOnly);
    desk.change(ANN, "#tea", ban);
    assert_eq!(desk.refusal(DAN, join("#tea", "key")), Refusal::Banned);
    desk.change(ANN, "#tea", affiliate(Affiliation::Member, "dan"));
    assert_eq!(desk.refusal(DAN, join("#tea", "key")), Refusal::RoomFull { occupants_max: 1 }, "a member");
    desk.change(ANN, "#tea", affiliate(Affiliation::Admin, "dan"));
    assert_eq!(desk.refusal(DAN, join("#tea", "")), Refusal::BadPassword);
    assert!(matches!(desk.answer(DAN, join("#tea", "key")), Answered::Joined { .. }), "full, for others");
}

/// XEP-0045 §9.1: a ban is of the account, whatever it is called.
#[test]
fn who_is_banned_leaves_and_does_not_come_back_under_another_name() {
    let mut desk = with_room();
    desk.change(ANN, "#tea", affiliate(Affiliation::Member, "bob"));
    desk.join(BOB, "#tea");
    desk.ask(BOB, Command::ReserveName { room: TEA, name: "bobby" });
    desk.ask(BOB, Command::Rename { name: "bobby" });
    let terms = Terms { reason: "rude", seconds: None };
    let ban = RoomChange::Affiliate { affiliation: Affiliation::Outcast, whom: "bobby", terms };
    let effects = desk.change(ANN, "#tea", ban);
    assert!(is_kicked(&effects, "bobby"));
    let heard = |effect: &Recorded| matches!(effect, Recorded::Send { to: ANN, event: Happened::Kicked { text, .. }, .. } if text == "rude");
    assert!(effects.iter().any(heard), "whose doing it is hears of it too: {effects:?}");
    assert_eq!(members(&mut desk, ANN), "ann:Owner bob:Outcast", "and the reserved name is gone");
    assert_eq!(desk.refusal(BOB, join("#tea", "")), Refusal::Banned);
    desk.ask(ANN, Command::Invite { room: TEA, who: "bobby" });
    assert_eq!(desk.refusal(BOB, join("#tea", "")), Refusal::Banned, "nor by an invitation");
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::None, "bob")), None);
    desk.join(BOB, "#tea");
}

/// The same in the words of lists of masks.
#[test]
fn the_mask_of_an_account_is_the_account() {
    let mut desk = with_room();
    desk.join(BOB, "#tea");
    let mask = |list, mask| RoomChange::AddMask { list, mask, terms: Terms::NONE };
    assert!(is_kicked(&desk.change(ANN, "#tea", mask(MaskList::Bans, "~a:bob")), "bob"));
    let masks = desk.answer(CY, Command::ListMasks { room: TEA, list: MaskList::Bans, from: 0 });
    assert_eq!(masks, Answered::Masks(vec!["~a:bob by ann".into()], false));
    let removed = RoomChange::RemoveMask { list: MaskList::Bans, mask: "~a:BOB" };
    assert_eq!(desk.unchanged(ANN, "#tea", removed), None);
    desk.join(BOB, "#tea");
    desk.change(ANN, "#tea", affiliate(Affiliation::Member, "bob"));
    desk.change(ANN, "#tea", removed);
    assert_eq!(members(&mut desk, ANN), "ann:Owner bob:Member", "who is something else stays that");
    let exception = desk.unchanged(ANN, "#tea", mask(MaskList::BanExceptions, "~a:bob"));
    assert_eq!(exception, Some(Refusal::BadMask));
}

/// XEP-0045 §9.4.
#[test]
fn a_member_who_is_none_any_more_leaves_a_room_for_members() {
    let mut desk = with_room();
    desk.change(ANN, "#tea", affiliate(Affiliation::Member, "bob"));
    desk.join(BOB, "#tea");
    assert!(!is_kicked(&desk.change(ANN, "#tea", affiliate(Affiliation::None, "bob")), "bob"), "it is open");
    desk.change(ANN, "#tea", affiliate(Affiliation::Member, "bob"));
    desk.change(ANN, "#tea", set(Flag::MembersOnly));
    assert!(is_kicked(&desk.change(ANN, "#tea", affiliate(Affiliation::None, "bob")), "bob"));
    assert_eq!(desk.refusal(BOB, join("#tea", "")), Refusal::MembersOnly);
}

#[test]
fn a_hidden_room_is_found_by_its_members() {
    let mut desk = with_room();
    desk.change(ANN, "#tea", set(Flag::Hidden));
    desk.change(ANN, "#tea", affiliate(Affiliation::Member, "bob"));
    assert!(matches!(desk.answer(BOB, Command::ShowSettings { room: TEA }), Answered::Settings { .. }));
    assert_eq!(desk.refusal(CY, Command::ShowSettings { room: TEA }), Refusal::NoSuchRoom);
}

#[test]
fn where_nobody_goes_by_a_name_of_their_own_none_is_reserved() {
    let mut desk = with_room();
    desk.change(ANN, "#tea", set(Flag::SemiAnonymous));
    assert_eq!(desk.refusal(ANN, Command::ReserveName { room: TEA, name: "annie" }), Refusal::NoNamesThere);
}

/// XEP-0045 §7.10.
#[test]
fn a_reserved_name_is_nobody_elses_in_that_room() {
    let mut desk = with_room();
    let reserve = |name| Command::ReserveName { room: TEA, name };
    assert_eq!(desk.refusal(BOB, reserve("bobby")), Refusal::NotMember);
    desk.change(ANN, "#tea", affiliate(Affiliation::Member, "bob"));
    assert_eq!(desk.refusal(BOB, reserve("cy")), Refusal::NameReserved, "somebody's account");
    desk.login(SessionId(9), "guest");
    desk.join(SessionId(9), "#tea");
    assert_eq!(desk.refusal(BOB, reserve("guest")), Refusal::NameReservedThere, "who is there");
    assert!(matches!(desk.answer(BOB, reserve("Bobby")), Answered::Other(_)));
    assert_eq!(members(&mut desk, ANN), "ann:Owner bob:Member(Bobby)");
    assert_eq!(desk.refusal(SessionId(9), Command::Rename { name: "BOBBY" }), Refusal::NameReservedThere);
    desk.ask(CY, Command::Rename { name: "bobby" });
    assert_eq!(desk.refusal(CY, join("#tea", "")), Refusal::NameReservedThere);
    desk.join(CY, "#other");
    desk.ask(CY, Command::Rename { name: "cy" });
    desk.join(BOB, "#tea");
    desk.ask(BOB, Command::Rename { name: "bobby" });
    desk.change(ANN, "#tea", affiliate(Affiliation::None, "bobby"));
    assert_eq!(members(&mut desk, ANN), "ann:Owner", "none any more, and the name is free");
}
