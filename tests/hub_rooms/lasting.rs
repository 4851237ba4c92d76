//! Rooms that last: what is written down of them, and comes back.

use super::{DAN, TEA, affiliate, clear, join, members, records, said, set, with_lasting_room, with_room};
use crate::desk::{ANN, BOB, CY, Desk};
use crate::recorder::{Answered, Recorded, Recorder};
use std::time::Instant;
use switchboard::hub::record::{Given, MemberRecord, Record};
use switchboard::hub::{
    Affiliation, ChannelId, Command, Flag, Hub, Limits, MaskList, Proved, Refusal, Role, RoomChange,
    SessionId, Terms,
};

#[test]
fn a_room_that_lasts_stays_when_nobody_is_in_it() {
    let mut desk = with_room();
    let effects = desk.change(ANN, "#tea", set(Flag::Persistent));
    let kept = records(&effects);
    assert!(matches!(&kept[0], Record::Room(room) if &*room.name == "#tea"), "{kept:?}");
    assert!(kept.iter().any(|record| matches!(record, Record::Member(MemberRecord { affiliation, .. }) if *affiliation == Affiliation::Owner)));
    desk.ask(ANN, Command::Leave { room: TEA, text: "" });
    assert_eq!(desk.hub.rooms_len(), 1);
    desk.join(BOB, "#tea");
    let kick = Command::Kick { room: TEA, who: "bob", text: "" };
    assert_eq!(desk.refusal(BOB, kick), Refusal::NotModerator, "whose room it is does not change");
    desk.join(ANN, "#tea");
    let effects = desk.change(ANN, "#tea", clear(Flag::Persistent));
    assert!(matches!(records(&effects)[..], [Record::RoomGone(_)]), "{effects:?}");
    desk.ask(ANN, Command::Leave { room: TEA, text: "" });
    desk.ask(BOB, Command::Leave { room: TEA, text: "" });
    assert_eq!(desk.hub.rooms_len(), 0);
}

#[test]
fn all_of_a_room_that_lasts_comes_back() {
    let mut desk = Desk::new(Limits::default());
    desk.login(DAN, "dan");
    let mut all = Vec::new();
    for session in [ANN, BOB, CY, DAN] {
        desk.ask(session, Command::Register { name: "", password: "sesame" });
        let secret = switchboard::hub::record::Secret { hash: "hash".into(), scram: None };
        all.extend(desk.proved(session, Proved::Made(secret)));
    }
    desk.join(ANN, "#tea");
    let terms = Terms { reason: "rude", seconds: Some(60) };
    let ban = RoomChange::Affiliate { affiliation: Affiliation::Outcast, whom: "bob", terms };
    for change in [
        affiliate(Affiliation::Admin, "dan"),
        set(Flag::Persistent),
        set(Flag::Moderated),
        RoomChange::Password(Some("key")),
        RoomChange::OccupantsMax(Some(7)),
        affiliate(Affiliation::Member, "cy"),
        affiliate(Affiliation::Admin, "cy"),
        ban,
        RoomChange::AddMask { list: MaskList::Bans, mask: "x!*@*", terms },
        RoomChange::AddMask { list: MaskList::Mutes, mask: "y!*@*", terms: Terms::NONE },
        RoomChange::RemoveMask { list: MaskList::Mutes, mask: "Y!*@*" },
    ] {
        all.extend(desk.change(ANN, "#tea", change));
    }
    all.extend(desk.ask(CY, Command::ReserveName { room: TEA, name: "cyril" }));
    all.extend(desk.ask(ANN, Command::SetSubject { room: TEA, text: "at five" }));
    let view = |desk: &mut Desk, session| {
        let list = |list| Command::ListMasks { room: TEA, list, from: 0 };
        let lists = MaskList::ALL.map(|one| desk.answer(session, list(one)));
        let subject = desk.answer(session, Command::ShowSubject { room: TEA });
        (members(desk, session), desk.answer(session, Command::ShowSettings { room: TEA }), subject, lists)
    };
    let before = view(&mut desk, ANN);
    let mut again = restarted(&latest(&all));
    again.login(SessionId(9), "guest");
    assert_eq!(again.refusal(SessionId(9), join("#tea", "")), Refusal::BadPassword);
    again.ask(ANN, Command::Identify { name: "ann", password: "sesame" });
    again.proved(ANN, Proved::Right);
    again.login(ANN, "ann");
    assert!(matches!(again.answer(ANN, join("#tea", "key")), Answered::Joined { .. }));
    assert_eq!(view(&mut again, ANN), before);
    assert!(again.hub.next_deadline().is_some(), "the rest of the time goes on");
    let second = again.join(SessionId(9), "#other");
    assert_ne!(second, ChannelId::NONE);
}

/// Who made it what it is would be known, and the others are not.
#[test]
fn a_room_that_hides_people_from_now_on_forgets_who_set_its_masks() {
    let mut desk = with_lasting_room();
    let ban = RoomChange::AddMask { list: MaskList::Bans, mask: "x!*@*", terms: Terms::NONE };
    let mut all = records(&desk.change(ANN, "#tea", ban));
    all.extend(records(&desk.change(ANN, "#tea", set(Flag::SemiAnonymous))));
    let masks = desk.answer(ANN, Command::ListMasks { room: TEA, list: MaskList::Bans, from: 0 });
    assert_eq!(masks, Answered::Masks(vec!["x!*@* by #tea".into()], false));
    let kept = all.iter().rev().find_map(|record| match record {
        Record::Mask(mask) => Some(&*mask.note.by),
        _ => None,
    });
    assert_eq!(kept, Some("#tea"), "nor does a restart bring it back");
    desk.change(ANN, "#tea", RoomChange::RemoveMask { list: MaskList::Bans, mask: "x!*@*" });
    desk.ask(ANN, Command::Destroy { room: TEA, text: "", instead: "" });
    assert_eq!(desk.hub.rooms_len(), 0);
}

#[test]
fn what_does_not_fit_is_left_out_and_the_rest_comes_back() {
    let mut desk = with_room();
    let kept = records(&desk.change(ANN, "#tea", set(Flag::Persistent)));
    let mut hub = Hub::new(Limits::default());
    for record in kept {
        let is_member = matches!(record, Record::Member(_));
        assert_eq!(hub.restore(record.clone()).is_err(), is_member, "there is no such account");
        if let Record::Room(room) = record {
            assert_eq!(hub.restore(Record::Room(room)), Err(Refusal::RoomExists));
        }
    }
}

#[test]
fn an_owner_has_so_many_rooms_that_last() {
    let mut desk = with_room();
    desk.hub.set_limits(Limits { rooms_per_account_max: 1, ..Limits::default() });
    assert_eq!(desk.unchanged(ANN, "#tea", set(Flag::Persistent)), None);
    desk.join(ANN, "#other");
    let full = Some(Refusal::TooManyLastingRooms { rooms_max: 1 });
    assert_eq!(desk.unchanged(ANN, "#other", set(Flag::Persistent)), full);
    desk.join(BOB, "#third");
    desk.change(BOB, "#third", set(Flag::Persistent));
    let gift = desk.unchanged(BOB, "#third", affiliate(Affiliation::Owner, "ann"));
    assert_eq!(gift, full, "nor is one given to them");
    desk.ask(ANN, Command::Destroy { room: TEA, text: "", instead: "" });
    assert_eq!(desk.unchanged(ANN, "#other", set(Flag::Persistent)), None);
}

#[test]
fn a_room_whose_owner_is_no_more_goes_to_its_admin_or_ends() {
    let mut desk = with_lasting_room();
    desk.change(ANN, "#tea", affiliate(Affiliation::Member, "cy"));
    desk.join(BOB, "#tea");
    desk.ask(ANN, Command::DeleteAccount { password: "sesame" });
    let effects = desk.proved(ANN, Proved::Right);
    assert!(matches!(records(&effects)[..], [Record::AccountGone(_), Record::Member(_)]), "{effects:?}");
    assert_eq!(members(&mut desk, BOB), "bob:Owner cy:Member");
    desk.ask(BOB, Command::DeleteAccount { password: "sesame" });
    let effects = desk.proved(BOB, Proved::Right);
    assert!(matches!(records(&effects)[..], [Record::AccountGone(_), Record::RoomGone(_)]), "{effects:?}");
    desk.ask(ANN, Command::Leave { room: TEA, text: "" });
    desk.ask(BOB, Command::Leave { room: TEA, text: "" });
    assert_eq!(desk.hub.rooms_len(), 0, "it lasts no longer");
}

#[test]
fn what_cannot_be_written_down_is_refused_and_the_talk_goes_on() {
    let mut desk = with_lasting_room();
    desk.join(BOB, "#tea");
    desk.join(CY, "#tea");
    desk.recorder.1.cannot_store = true;
    let saved = Some(Refusal::NotSaved);
    assert_eq!(desk.unchanged(ANN, "#tea", set(Flag::Hidden)), saved);
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::Member, "cy")), saved);
    assert_eq!(desk.refusal(ANN, Command::SetSubject { room: TEA, text: "five" }), Refusal::NotSaved);
    assert_eq!(desk.refusal(ANN, Command::Destroy { room: TEA, text: "", instead: "" }), Refusal::NotSaved);
    assert_eq!(said(&mut desk, BOB), Ok(()));
    let moderator = RoomChange::Grant { role: Role::Moderator, to: "cy" };
    assert_eq!(desk.unchanged(ANN, "#tea", moderator), None, "that is for the visit");
    desk.join(ANN, "#other");
    assert_eq!(desk.unchanged(ANN, "#other", set(Flag::Hidden)), None, "a room that does not last");
    assert_eq!(desk.unchanged(ANN, "#other", set(Flag::Persistent)), saved);
}

/// Another hub, with all that the first one had written down.
fn restarted(kept: &[Record]) -> Desk {
    let mut hub = Hub::new(Limits::default());
    for record in kept {
        hub.restore(record.clone()).expect("what was written down is right");
    }
    hub.restored(Given::default());
    hub.audit().expect("the books agree");
    Desk { hub, now: Instant::now(), requests: 0, recorder: Recorder::default() }
}

/// What is known after all these records.
fn latest(effects: &[Recorded]) -> Vec<Record> {
    let mut kept: Vec<Record> = Vec::new();
    for record in records(effects) {
        kept.retain(|old| match (old, &record) {
            (Record::Account(old), Record::Account(new)) => old.id != new.id,
            (Record::Room(old), Record::Room(new)) => old.id != new.id,
            (Record::Member(old), Record::Member(new)) => (old.room, old.account) != (new.room, new.account),
            (Record::Member(old), Record::MemberGone { room, account }) => {
                (old.room, old.account) != (*room, *account)
            }
            (Record::Mask(old), Record::Mask(new)) => (old.list, &old.mask) != (new.list, &new.mask),
            (Record::Mask(old), Record::MaskGone { list, mask, .. }) => {
                (old.list, &old.mask) != (*list, mask)
            }
            _ => true,
        });
        let is_end = matches!(record, Record::MemberGone { .. } | Record::MaskGone { .. });
        if !is_end {
            kept.push(record);
        }
    }
    kept.sort_by_key(|record| match record {
        Record::Account(_) => 0,
        Record::Room(_) => 1,
        _ => 2,
    });
    kept
}
