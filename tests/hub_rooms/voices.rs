//! Who has a voice: given, taken, and asked for (XEP-0045 §7.10, §7.13, §8.3).

use super::{DAN, TEA, affiliate, members, said, set, with_room};
use crate::desk::{ANN, BOB, CY, Desk};
use crate::recorder::{Answered, Happened, Recorded};
use switchboard::hub::record::Wish;
use switchboard::hub::{
    Affiliation, Command, Departure, Flag, Limits, MaskList, Refusal, Role, RoomChange, SessionId, Terms,
};

#[test]
fn a_voice_in_a_moderated_room_is_kept_for_the_account() {
    let mut desk = with_room();
    let voice = RoomChange::Grant { role: Role::Participant, to: "bob" };
    let again = |desk: &mut Desk| {
        desk.ask(BOB, Command::Leave { room: TEA, text: "" });
        desk.join(BOB, "#tea");
        desk.change(ANN, "#tea", set(Flag::Moderated));
        said(desk, BOB)
    };
    desk.join(BOB, "#tea");
    desk.change(ANN, "#tea", voice);
    assert_eq!(again(&mut desk), Err(Refusal::NoVoice), "the room was not moderated");
    desk.change(ANN, "#tea", voice);
    assert_eq!(again(&mut desk), Ok(()));
    desk.change(ANN, "#tea", RoomChange::Revoke { role: Role::Participant, from: "bob" });
    assert_eq!(again(&mut desk), Err(Refusal::NoVoice));
}

#[test]
fn an_account_that_is_muted_does_not_speak_whatever_it_is_called() {
    let mut desk = with_room();
    desk.join(BOB, "#tea");
    desk.change(ANN, "#tea", affiliate(Affiliation::Member, "bob"));
    let mute = RoomChange::AddMask { list: MaskList::Mutes, mask: "~a:bob", terms: Terms::NONE };
    assert_eq!(desk.unchanged(ANN, "#tea", mute), None);
    assert_eq!(said(&mut desk, BOB), Err(Refusal::Silenced), "though the room is not moderated");
    desk.change(ANN, "#tea", set(Flag::Moderated));
    assert_eq!(said(&mut desk, BOB), Err(Refusal::Silenced), "which a voice would not help");
    desk.change(ANN, "#tea", RoomChange::Flag { flag: Flag::Moderated, on: false });
    desk.ask(BOB, Command::Leave { room: TEA, text: "" });
    desk.ask(BOB, Command::Rename { name: "rob" });
    desk.join(BOB, "#tea");
    assert_eq!(said(&mut desk, BOB), Err(Refusal::Silenced));
    let masks = desk.answer(ANN, Command::ListMasks { room: TEA, list: MaskList::Mutes, from: 0 });
    assert_eq!(masks, Answered::Masks(vec!["~a:bob by ann".into()], false));
    let unmute = RoomChange::RemoveMask { list: MaskList::Mutes, mask: "~a:rob" };
    assert_eq!(desk.unchanged(ANN, "#tea", unmute), None, "by what they are called there");
    assert_eq!(said(&mut desk, BOB), Ok(()));
    let mask = RoomChange::AddMask { list: MaskList::Mutes, mask: "dan!*@*", terms: Terms::NONE };
    desk.change(ANN, "#tea", mask);
    desk.join(DAN, "#tea");
    assert_eq!(said(&mut desk, DAN), Err(Refusal::Silenced), "a mask mutes as well, and keeps nobody out");
}

/// XEP-0045 §7.13.
#[test]
fn visitors_ask_for_a_voice_and_moderators_decide() {
    let mut desk = with_room();
    let wish = Command::Wish { room: TEA, wish: Wish::Voice, text: "please" };
    desk.join(BOB, "#tea");
    assert_eq!(desk.refusal(BOB, wish.clone()), Refusal::AlreadyWished, "everybody has one");
    desk.change(ANN, "#tea", set(Flag::Moderated));
    desk.join(CY, "#tea");
    let effects = desk.ask(BOB, wish.clone());
    let told = |effect: &Recorded| match effect {
        Recorded::Send { to, event: Happened::Other(event), .. } if event.contains("Wished") => Some(*to),
        _ => None,
    };
    assert_eq!(effects.iter().filter_map(told).collect::<Vec<_>>(), [ANN]);
    assert_eq!(desk.refusal(BOB, wish.clone()), Refusal::AlreadyWished);
    let decide = |who, grant| Command::Decide { room: TEA, who, wish: Wish::Voice, grant };
    assert_eq!(desk.refusal(CY, decide("bob", true)), Refusal::NotModerator);
    assert_eq!(desk.refusal(ANN, decide("cy", true)), Refusal::NothingWished);
    let effects = desk.ask(ANN, decide("bob", true));
    let event = Happened::Changed {
        by: "ann".into(),
        changes: vec!["+Participant bob".into(), "bob is None+".into()],
    };
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Recorded::Publish { event: told, .. } if *told == event))
    );
    assert!(effects.iter().any(|effect| matches!(effect, Recorded::Send { to: BOB, event: Happened::Other(event), .. } if event.contains("Decided"))));
    assert_eq!(said(&mut desk, BOB), Ok(()));
    assert_eq!(desk.refusal(ANN, decide("bob", true)), Refusal::NothingWished, "decided already");
    let wish_of_cy = desk.answer(CY, wish);
    assert!(matches!(wish_of_cy, Answered::Other(_)));
    desk.ask(CY, Command::Leave { room: TEA, text: "" });
    assert_eq!(wishes(&mut desk), "", "gone with whoever left");
}

/// XEP-0045 §7.10.
#[test]
fn who_is_not_a_member_asks_from_outside_and_admins_decide() {
    let mut desk = with_room();
    desk.hub.set_limits(Limits { wishes_per_room_max: 1, ..Limits::default() });
    desk.change(ANN, "#tea", set(Flag::MembersOnly));
    let wish = Command::Wish { room: TEA, wish: Wish::Membership, text: "let me in" };
    desk.login(SessionId(9), "guest");
    assert_eq!(desk.refusal(SessionId(9), wish.clone()), Refusal::NotIdentified);
    desk.ask(BOB, wish.clone());
    assert_eq!(desk.refusal(CY, wish.clone()), Refusal::TooManyWishes);
    desk.disconnect(BOB, Departure::Lost);
    assert_eq!(wishes(&mut desk), "bob Membership: let me in", "it is the account's");
    let decide = |grant| Command::Decide { room: TEA, who: "bob", wish: Wish::Membership, grant };
    assert!(matches!(desk.answer(ANN, decide(false)), Answered::Other(_)));
    assert_eq!(members(&mut desk, ANN), "ann:Owner");
    desk.ask(CY, wish.clone());
    desk.change(ANN, "#tea", set(Flag::Hidden));
    assert_eq!(desk.refusal(DAN, wish), Refusal::NoSuchRoom, "who does not find the room");
    let decide = Command::Decide { room: TEA, who: "cy", wish: Wish::Membership, grant: true };
    assert!(matches!(desk.answer(ANN, decide), Answered::Other(_)));
    assert_eq!(members(&mut desk, ANN), "ann:Owner cy:Member");
    desk.join(CY, "#tea");
}

fn wishes(desk: &mut Desk) -> String {
    match desk.answer(ANN, Command::ListWishes { room: TEA }) {
        Answered::Wishes(wishes) => wishes.join(" "),
        other => panic!("{other:?}"),
    }
}
