//! What an account is to a room, and what follows from it: the rules of XEP-0045, one by one.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk};
use recorder::{Answered, Happened, Recorded, moment};
use switchboard::hub::record::{Given, MemberRecord, Record, Wish};
use switchboard::hub::{
    Affiliation, ChannelId, Command, Departure, Flag, Hub, Limits, MaskList, Preset, Proved, Refusal, Role,
    RoomChange, RoomRef, SessionId, Terms, Words,
};

const DAN: SessionId = SessionId(4);

const TEA: RoomRef<'static> = RoomRef::Named("#tea");

fn affiliate(affiliation: Affiliation, whom: &str) -> RoomChange<'_> {
    RoomChange::Affiliate { affiliation, whom, terms: Terms::NONE }
}

fn set(flag: Flag) -> RoomChange<'static> {
    RoomChange::Flag { flag, on: true }
}

fn clear(flag: Flag) -> RoomChange<'static> {
    RoomChange::Flag { flag, on: false }
}

fn join<'a>(room: &'a str, password: &'a str) -> Command<'a> {
    Command::Join { room, password, past: 0 }
}

fn say(text: &str) -> Command<'_> {
    Command::Say { room: TEA, words: Words::message(text), least: None }
}

/// Ann, Bob, Cy and Dan have accounts; Ann has made the room, which is hers.
fn with_room() -> Desk {
    let mut desk = Desk::new(Limits::default());
    desk.login(DAN, "dan");
    for session in [ANN, BOB, CY, DAN] {
        desk.register(session);
    }
    desk.join(ANN, "#tea");
    desk
}

/// The same with a room that lasts, in which Bob is an admin.
fn with_lasting_room() -> Desk {
    let mut desk = with_room();
    assert_eq!(desk.unchanged(ANN, "#tea", set(Flag::Persistent)), None);
    assert_eq!(desk.unchanged(ANN, "#tea", affiliate(Affiliation::Admin, "bob")), None);
    desk
}

fn said(desk: &mut Desk, session: SessionId) -> Result<(), Refusal> {
    match desk.answer(session, say("hello")) {
        Answered::Sent { .. } => Ok(()),
        Answered::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

fn members(desk: &mut Desk, session: SessionId) -> String {
    let command = Command::ListMembers { room: TEA, affiliation: None, after: "" };
    match desk.answer(session, command) {
        Answered::Members(members, None) => members.join(" "),
        other => panic!("{other:?}"),
    }
}

fn is_kicked(effects: &[Recorded], whom: &str) -> bool {
    let is = |event: &Happened| matches!(event, Happened::Kicked { who, .. } if who == whom);
    let publishes = effects.iter().any(|e| matches!(e, Recorded::Publish { event, .. } if is(event)));
    let unsubscribes = effects.iter().any(|effect| matches!(effect, Recorded::Unsubscribe { .. }));
    assert_eq!(publishes, unsubscribes, "who leaves is told, and hears no more: {effects:?}");
    publishes
}

fn records(effects: &[Recorded]) -> Vec<Record> {
    let record = |effect: &Recorded| match effect {
        Recorded::Store(record) => Some(record.clone()),
        _ => None,
    };
    effects.iter().filter_map(record).collect()
}

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

fn after(desk: &Desk, seconds: u64) -> switchboard::hub::Moment {
    let mut now = moment(desk.now + std::time::Duration::from_secs(seconds));
    now.unix_millis += seconds * 1_000;
    now
}

#[test]
fn bans_and_mutes_for_a_time_end_by_themselves() {
    let mut desk = with_room();
    let terms = Terms { reason: "", seconds: Some(60) };
    let ban = RoomChange::Affiliate { affiliation: Affiliation::Outcast, whom: "bob", terms };
    desk.change(ANN, "#tea", ban);
    desk.change(ANN, "#tea", RoomChange::AddMask { list: MaskList::Bans, mask: "cy!*@*", terms });
    desk.change(ANN, "#tea", RoomChange::AddMask { list: MaskList::Mutes, mask: "~a:dan", terms });
    desk.join(DAN, "#tea");
    assert_eq!(desk.hub.next_deadline(), Some(desk.now + std::time::Duration::from_secs(60)));
    let early = after(&desk, 59);
    desk.hub.expire(early, &mut desk.recorder);
    assert_eq!(desk.recorder.take(), []);
    assert_eq!(desk.refusal(BOB, join("#tea", "")), Refusal::Banned);
    let due = after(&desk, 60);
    desk.hub.expire(due, &mut desk.recorder);
    desk.hub.audit().expect("the books agree");
    let changes: Vec<String> = desk
        .recorder
        .take()
        .into_iter()
        .filter_map(|effect| match effect {
            Recorded::Publish { event: Happened::Changed { by, changes }, .. }
            | Recorded::Send { to: ANN, event: Happened::Changed { by, changes }, .. } => {
                assert_eq!(by, "", "nobody did it");
                Some(changes.join(","))
            }
            _ => None,
        })
        .collect();
    assert!(changes.iter().any(|change| change == "None bob"), "{changes:?}");
    assert!(changes.iter().any(|change| change == "-Bans cy!*@*"), "{changes:?}");
    assert!(changes.iter().any(|change| change == "-Mutes ~a:dan"), "{changes:?}");
    assert_eq!(desk.hub.next_deadline(), None);
    desk.join(BOB, "#tea");
    desk.join(CY, "#tea");
    assert_eq!(said(&mut desk, DAN), Ok(()));
}

#[test]
fn what_was_undone_does_not_end_later() {
    let mut desk = with_room();
    let terms = Terms { reason: "", seconds: Some(60) };
    let mask = |terms| RoomChange::AddMask { list: MaskList::Bans, mask: "cy!*@*", terms };
    desk.change(ANN, "#tea", mask(terms));
    desk.change(ANN, "#tea", mask(Terms::NONE));
    assert_eq!(desk.hub.next_deadline(), None, "now it is until it is undone");
    desk.change(ANN, "#tea", mask(terms));
    desk.change(ANN, "#tea", RoomChange::RemoveMask { list: MaskList::Bans, mask: "cy!*@*" });
    assert_eq!(desk.hub.next_deadline(), None);
    desk.change(ANN, "#tea", mask(terms));
    desk.ask(ANN, Command::Leave { room: TEA, text: "" });
    assert_eq!(desk.hub.next_deadline(), None, "the room is gone");
    let forever = Terms { reason: "", seconds: Some(u64::MAX) };
    desk.join(ANN, "#tea");
    assert_eq!(desk.unchanged(ANN, "#tea", mask(forever)), None);
}

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

/// Another hub, with all that the first one had written down.
fn restarted(kept: &[Record]) -> Desk {
    let mut hub = Hub::new(Limits::default());
    for record in kept {
        hub.restore(record.clone()).expect("what was written down is right");
    }
    hub.restored(Given::default());
    hub.audit().expect("the books agree");
    Desk { hub, now: std::time::Instant::now(), requests: 0, recorder: recorder::Recorder::default() }
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

/// XEP-0045 §10.9.
#[test]
fn an_owner_ends_a_room_and_says_where_to_go() {
    let mut desk = with_lasting_room();
    for session in [BOB, CY] {
        desk.join(session, "#tea");
    }
    let destroy = |instead| Command::Destroy { room: TEA, text: "closed", instead };
    assert_eq!(desk.refusal(BOB, destroy("")), Refusal::NotOwner, "an admin");
    assert!(matches!(desk.refusal(ANN, destroy("coffee")), Refusal::BadRoomName(_)));
    let effects = desk.ask(ANN, destroy("#coffee"));
    for (effect, told) in effects.iter().zip([BOB, CY]) {
        let Recorded::Send { to, event: Happened::Other(event), .. } = effect else { panic!("{effects:?}") };
        assert_eq!(*to, told, "each occupant, before they are out");
        assert!(event.contains("Destroyed") && event.contains("#coffee") && event.contains("closed"));
    }
    assert!(matches!(records(&effects)[..], [Record::RoomGone(_)]));
    let gone = effects.iter().filter(|effect| matches!(effect, Recorded::Unsubscribe { .. })).count();
    assert_eq!((gone, desk.hub.rooms_len()), (3, 0), "in mid-conversation");
    assert_eq!(said(&mut desk, CY), Err(Refusal::NoSuchRoom));
    desk.join(CY, "#tea");
    assert_eq!(desk.unchanged(CY, "#tea", affiliate(Affiliation::Owner, "bob")), None, "a new room, Cy's");
}

#[test]
fn operators_of_the_server_end_rooms_too_and_owners_need_not_be_there() {
    let mut desk = with_lasting_room();
    desk.ask(ANN, Command::Leave { room: TEA, text: "" });
    let destroy = Command::Destroy { room: TEA, text: "", instead: "" };
    assert_eq!(desk.refusal(DAN, destroy.clone()), Refusal::NotOwner);
    assert!(matches!(desk.answer(ANN, destroy.clone()), Answered::Other(_)));
    assert_eq!(desk.hub.rooms_len(), 0);
    desk.join(BOB, "#tea");
    desk.ask(DAN, Command::BecomeOperator);
    assert!(matches!(desk.answer(DAN, destroy), Answered::Other(_)));
    assert_eq!(desk.hub.rooms_len(), 0);
}

#[test]
fn a_room_gets_another_name_in_mid_conversation() {
    let mut desk = with_lasting_room();
    let channel = desk.join(BOB, "#tea");
    desk.join(CY, "#coffee");
    desk.ask(ANN, Command::Invite { room: TEA, who: "dan" });
    let rename = |to| Command::RenameRoom { room: TEA, to, text: "" };
    assert_eq!(desk.refusal(BOB, rename("#chai")), Refusal::NotOwner);
    assert_eq!(desk.refusal(ANN, rename("#COFFEE")), Refusal::RoomExists);
    let effects = desk.ask(ANN, rename("#chai"));
    assert!(effects.iter().any(|effect| matches!(effect, Recorded::Send { to: BOB, channel: of, event: Happened::Other(event), .. } if *of == channel && event.contains("RoomRenamed"))));
    assert!(matches!(&records(&effects)[..], [Record::Room(room)] if &*room.name == "#chai"));
    let say =
        Command::Say { room: RoomRef::Channel(channel), words: Words::message("still here"), least: None };
    assert!(matches!(desk.answer(BOB, say), Answered::Sent { to, .. } if to == "#chai"));
    assert_eq!(desk.answer(DAN, Command::ListInvited), Answered::Invitations(vec!["#chai".into()]));
    assert_eq!(desk.refusal(BOB, Command::ShowSubject { room: TEA }), Refusal::NoSuchRoom);
    let room = RoomRef::Named("#chai");
    desk.ask(ANN, Command::RenameRoom { room, to: "#Chai", text: "" });
    assert_eq!(desk.join(DAN, "#chai"), channel, "only its case has changed");
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

fn wishes(desk: &mut Desk) -> String {
    match desk.answer(ANN, Command::ListWishes { room: TEA }) {
        Answered::Wishes(wishes) => wishes.join(" "),
        other => panic!("{other:?}"),
    }
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

#[test]
fn one_word_sets_all_that_goes_together() {
    let mut desk = with_room();
    let effects = desk.change(ANN, "#tea", RoomChange::Preset(Preset::Private));
    let Recorded::Publish { event: Happened::Changed { changes, .. }, .. } = &effects[0] else {
        panic!("{effects:?}")
    };
    assert_eq!(changes[..], ["+Hidden", "+MembersOnly"], "the single changes that it came to");
    desk.change(ANN, "#tea", RoomChange::Preset(Preset::Announce));
    let Answered::Settings { flags, .. } = desk.answer(ANN, Command::ShowSettings { room: TEA }) else {
        panic!("no settings")
    };
    let expected = [Flag::Moderated, Flag::ClosedToOutsiders, Flag::SubjectLocked];
    assert_eq!(flags.iter().collect::<Vec<_>>(), expected);
    desk.join(BOB, "#tea");
    let hidden = desk.unchanged(ANN, "#tea", RoomChange::Preset(Preset::Anonymous));
    assert_eq!(hidden, Some(Refusal::OthersAreThere));
    let flag = desk.unchanged(ANN, "#tea", set(Flag::SemiAnonymous));
    assert_eq!(flag, Some(Refusal::OthersAreThere));
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
