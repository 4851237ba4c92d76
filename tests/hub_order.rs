//! Who may do what in a room, and what follows when they do.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk};
use recorder::{Answered, Happened, Recorded};
use switchboard::hub::{
    ChannelId, Command, Departure, Flag, Form, Limits, MaskList, Refusal, Role, RoomChange, RoomRef,
    SessionId, Terms, Words,
};

/// Ann has made #tea and is its moderator; Bob is in it. Cy is not.
fn tea() -> (Desk, ChannelId) {
    let mut desk = Desk::new(Limits::default());
    let channel = desk.join(ANN, "#tea");
    desk.join(BOB, "#tea");
    (desk, channel)
}

const TEA: RoomRef<'static> = RoomRef::Named("#TEA");

fn set(flag: Flag, on: bool) -> RoomChange<'static> {
    RoomChange::Flag { flag, on }
}

fn ban(mask: &str) -> RoomChange<'_> {
    RoomChange::AddMask { list: MaskList::Bans, mask, terms: Terms::NONE }
}

fn change(changes: &[RoomChange<'static>]) -> Command<'static> {
    Command::Change { room: TEA, changes: changes.into() }
}

fn say(text: &str) -> Command<'_> {
    Command::Say { room: TEA, words: Words::message(text), least: None }
}

fn join(password: &str) -> Command<'_> {
    Command::Join { room: "#tea", password, past: 0 }
}

impl Desk {
    /// Ann changes #tea, all of it to effect.
    fn set(&mut self, changes: &[RoomChange<'static>]) {
        self.set_in(ANN, TEA, changes);
    }

    fn set_in(&mut self, session: SessionId, room: RoomRef<'_>, changes: &[RoomChange<'static>]) {
        match self.answer(session, Command::Change { room, changes: changes.into() }) {
            Answered::Changed { changes: done, refused } => {
                // How somebody stands after it is told behind it.
                let done = done.iter().filter(|change| !change.contains(" is ")).count();
                assert_eq!((done, refused), (changes.len(), vec![]));
            }
            other => panic!("{other:?}"),
        }
    }

    fn says(&mut self, session: SessionId, text: &str) -> bool {
        matches!(self.answer(session, say(text)), Answered::Sent { .. })
    }
}

#[test]
fn changes_are_told_together_and_refused_one_by_one() {
    let (mut desk, channel) = tea();
    let changes = [
        set(Flag::Moderated, true),
        RoomChange::Grant { role: Role::Participant, to: "BOB" },
        RoomChange::Grant { role: Role::Participant, to: "cy" },
        set(Flag::ClosedToOutsiders, true),
        RoomChange::Grant { role: Role::Moderator, to: "nobody" },
        RoomChange::OccupantsMax(Some(0)),
        ban("b d"),
        ban("evil!*@*"),
        RoomChange::Password(Some("two words")),
    ];
    let effects = desk.ask(ANN, change(&changes));
    let done =
        ["+Moderated", "+Participant bob", "bob is None+", "+Bans evil!*@*"].map(str::to_owned).to_vec();
    let event = Happened::Changed { by: "ann".into(), changes: done.clone() };
    assert_eq!(effects[0], Recorded::Publish { channel, cause: ANN, event });
    let refused = vec![
        (2, Refusal::PeerNotInRoom),
        (4, Refusal::NoSuchPeer),
        (5, Refusal::BadOccupantsMax),
        (6, Refusal::BadMask),
        (8, Refusal::BadRoomPassword),
    ];
    let expected = Answered::Changed { changes: done, refused };
    assert!(matches!(&effects[1], Recorded::Reply { answer, .. } if *answer == expected), "{effects:?}");
    assert_eq!(effects.len(), 2);
    let nothing = desk.ask(ANN, change(&[set(Flag::Moderated, true)]));
    assert_eq!(nothing.len(), 1, "what is so already is not told: {nothing:?}");
}

#[test]
fn only_moderators_change_a_room() {
    let (mut desk, _) = tea();
    let Answered::Changed { changes, refused } = desk.answer(BOB, change(&[set(Flag::Hidden, true)])) else {
        panic!("no answer")
    };
    assert_eq!((changes, refused), (vec![], vec![(0, Refusal::NotModerator)]));
    assert_eq!(desk.refusal(CY, change(&[set(Flag::Hidden, true)])), Refusal::NotInRoom);
    let kick = Command::Kick { room: TEA, who: "ann", text: "" };
    assert_eq!(desk.refusal(BOB, kick), Refusal::NotModerator);
    desk.set(&[RoomChange::Grant { role: Role::Moderator, to: "bob" }]);
    desk.set(&[RoomChange::Revoke { role: Role::Moderator, from: "ann" }]);
    let kick = Command::Kick { room: TEA, who: "bob", text: "" };
    assert_eq!(desk.refusal(ANN, kick), Refusal::NotModerator, "the role is gone");
    let who = desk.answer(ANN, Command::Who { room: TEA, after: "", in_full: true });
    assert_eq!(who, Answered::Occupants(vec!["ann".into(), "@bob".into()], None));
}

#[test]
fn in_a_moderated_room_those_speak_who_have_a_voice() {
    let (mut desk, _) = tea();
    desk.set(&[set(Flag::Moderated, true)]);
    assert!(desk.says(ANN, "hello"));
    assert_eq!(desk.refusal(BOB, say("hello")), Refusal::NoVoice);
    desk.set(&[RoomChange::Grant { role: Role::Participant, to: "bob" }]);
    assert!(desk.says(BOB, "hello"));
    desk.set(&[RoomChange::Revoke { role: Role::Participant, from: "bob" }]);
    assert_eq!(desk.refusal(BOB, say("hello")), Refusal::NoVoice);
}

#[test]
fn who_has_no_voice_has_no_last_words() {
    let left = |effects: &[Recorded]| {
        let how = effects.iter().find_map(|effect| match effect {
            Recorded::Publish { event: Happened::Left { how, .. }, .. }
            | Recorded::Neighbours { event: Happened::Quit { how, .. }, .. } => Some(how.clone()),
            _ => None,
        });
        how.expect("somebody is told")
    };
    for change in [ban("bob!*@*"), set(Flag::Moderated, true)] {
        let (mut desk, _) = tea();
        desk.join(CY, "#tea");
        desk.set(&[change]);
        assert_eq!(left(&desk.ask(BOB, Command::Leave { room: TEA, text: "spam" })), "left");
        desk.set(&[RoomChange::Grant { role: Role::Participant, to: "cy" }]);
        assert_eq!(left(&desk.ask(CY, Command::Leave { room: TEA, text: "bye" })), "left: bye");
    }
    let (mut desk, _) = tea();
    desk.set(&[ban("bob!*@*")]);
    let effects = desk.disconnect(BOB, Departure::Quit("spam"));
    assert_eq!(left(&effects), "quit: ");
}

#[test]
fn who_is_not_in_a_room_speaks_to_it_only_if_it_is_open() {
    let (mut desk, channel) = tea();
    assert_eq!(desk.refusal(CY, say("hello")), Refusal::ClosedToOutsiders);
    desk.set(&[set(Flag::ClosedToOutsiders, false)]);
    assert!(desk.says(CY, "hello"));
    let by_number = RoomRef::Channel(channel);
    let words = Words::message("hello");
    let outside = Command::Say { room: by_number, words, least: None };
    assert_eq!(desk.refusal(CY, outside), Refusal::NotInRoom, "a number is for occupants");
    let nowhere = Command::Say { room: RoomRef::Named("#none"), words, least: None };
    assert_eq!(desk.refusal(CY, nowhere), Refusal::NoSuchRoom);
}

#[test]
fn a_ban_keeps_out_and_silences_until_an_exception_or_a_voice() {
    let (mut desk, _) = tea();
    desk.set(&[ban("*!*@*")]);
    assert_eq!(desk.refusal(CY, join("")), Refusal::Banned);
    assert_eq!(desk.refusal(BOB, say("hello")), Refusal::Silenced);
    assert_eq!(desk.refusal(BOB, Command::Rename { name: "rob" }), Refusal::BannedFromRenaming);
    assert_eq!(desk.refusal(BOB, Command::SetSubject { room: TEA, text: "spam" }), Refusal::Silenced);
    desk.set(&[RoomChange::Grant { role: Role::Participant, to: "bob" }]);
    assert!(desk.says(BOB, "hello"));
    desk.set(&[RoomChange::AddMask { list: MaskList::BanExceptions, mask: "CY!*@*", terms: Terms::NONE }]);
    assert!(matches!(desk.answer(CY, join("")), Answered::Joined { .. }));
    let masks = |list| Command::ListMasks { room: TEA, list, from: 0 };
    let bans = Answered::Masks(vec!["*!*@* by ann!native@aeaqcaib.aaaaaaaa.aaaaaaaa.ip".into()], false);
    assert_eq!(desk.answer(CY, masks(MaskList::Bans)), bans, "no secret");
    assert_eq!(desk.refusal(CY, masks(MaskList::BanExceptions)), Refusal::NotModerator);
    desk.set(&[RoomChange::RemoveMask { list: MaskList::Bans, mask: "*!*@*" }]);
    assert!(desk.says(CY, "hello"));
}

/// XEP-0045 §7.2.5 to §7.2.9.
#[test]
fn doors_are_closed_for_a_reason_and_an_invitation_opens_them() {
    let (mut desk, _) = tea();
    desk.set(&[RoomChange::OccupantsMax(Some(2))]);
    assert_eq!(desk.refusal(CY, join("")), Refusal::RoomFull { occupants_max: 2 });
    desk.set(&[RoomChange::Password(Some("earl"))]);
    assert_eq!(desk.refusal(CY, join("grey")), Refusal::BadPassword);
    desk.set(&[set(Flag::MembersOnly, true)]);
    assert_eq!(desk.refusal(CY, join("earl")), Refusal::MembersOnly);
    desk.set(&[ban("cy")]);
    assert_eq!(desk.refusal(CY, join("earl")), Refusal::MembersOnly, "a mask is for all of name!user@host");
    desk.set(&[ban("cy!*")]);
    assert_eq!(desk.refusal(CY, join("earl")), Refusal::Banned);
    let invite = || Command::Invite { room: TEA, who: "CY" };
    assert_eq!(desk.refusal(BOB, invite()), Refusal::NotModerator);
    let effects = desk.ask(ANN, invite());
    let event = Happened::Invited { by: "ann".into(), room: "#tea".into() };
    assert_eq!(effects[0], Recorded::Send { to: CY, cause: ANN, channel: ChannelId::NONE, event });
    assert_eq!(desk.answer(CY, Command::ListInvited), Answered::Invitations(vec!["#tea".into()]));
    assert!(matches!(desk.answer(CY, join("")), Answered::Joined { .. }));
    assert_eq!(desk.answer(CY, Command::ListInvited), Answered::Invitations(vec![]), "it is used up");
    assert_eq!(desk.refusal(ANN, invite()), Refusal::PeerAlreadyInRoom);
    desk.ask(CY, Command::Leave { room: TEA, text: "" });
    assert_eq!(desk.refusal(CY, join("earl")), Refusal::Banned);
}

#[test]
fn an_invitation_by_a_participant_opens_nothing_and_ends_with_its_room() {
    let (mut desk, _) = tea();
    desk.set(&[ban("cy!*@*")]);
    assert!(matches!(desk.answer(BOB, Command::Invite { room: TEA, who: "cy" }), Answered::Invited { .. }));
    assert_eq!(desk.refusal(CY, join("")), Refusal::Banned);
    desk.ask(ANN, Command::Invite { room: TEA, who: "cy" });
    for session in [ANN, BOB] {
        desk.ask(session, Command::Leave { room: TEA, text: "" });
    }
    assert_eq!(desk.answer(CY, Command::ListInvited), Answered::Invitations(vec![]));
}

/// Adds masks to the list of bans of each room, until that is refused; returns how many there are in each.
fn fill_lists(desk: &mut Desk, session: SessionId, rooms: &[String]) -> Vec<usize> {
    let fill = |room: &String| {
        desk.join(session, room);
        let lists = MaskList::ALL.into_iter().flat_map(|list| (0..99).map(move |n| (list, n)));
        let taken = lists.take_while(|&(list, n)| {
            let mask = format!("{n}{}!*@*", "x".repeat(180));
            let changes = [RoomChange::AddMask { list, mask: &mask, terms: Terms::NONE }].into();
            match desk.answer(session, Command::Change { room: RoomRef::Named(room), changes }) {
                Answered::Changed { refused, .. } if refused.is_empty() => true,
                Answered::Changed { refused, .. } => {
                    assert_eq!(refused, [(0, Refusal::NoSpaceForMask)]);
                    false
                }
                other => panic!("{other:?}"),
            }
        });
        taken.count()
    };
    rooms.iter().map(fill).collect()
}

#[test]
fn the_lists_of_all_rooms_have_a_limit_in_bytes_that_leaves_something_to_each() {
    let limits = Limits { mask_bytes_on_server_max: 4 << 20, ..Limits::default() };
    let mut desk = Desk::new(limits.clone());
    let rooms = |by: &str, count| (0..count).map(|n| format!("#{by}{n}")).collect::<Vec<_>>();
    let before = fill_lists(&mut desk, BOB, &rooms("b", 1))[0];
    assert!((15..20).contains(&before), "of lists with 4 MiB for all, one room has 8 KiB: {before} masks");
    let anns = fill_lists(&mut desk, ANN, &rooms("a", 100));
    assert!(anns.is_sorted_by(|one, next| one >= next), "the more there is, the less one gets: {anns:?}");
    let after = fill_lists(&mut desk, CY, &rooms("c", 1))[0];
    assert!(after >= before / 2, "who makes a hundred rooms leaves enough for others: {after} masks");
    let limits = Limits { mask_bytes_on_server_max: 0, ..limits };
    let mut desk = Desk::new(limits);
    let assured = fill_lists(&mut desk, BOB, &rooms("b", 2));
    assert_eq!(assured, [2, 2], "of the longest masks; most are much shorter");
    desk.ask(BOB, Command::LeaveAll { text: "" });
    assert_eq!(fill_lists(&mut desk, CY, &rooms("b", 1)), [2]);
}

#[test]
fn nobody_keeps_others_from_inviting_by_inviting_much() {
    let mut desk = Desk::new(Limits { invitations_max: 2, ..Limits::default() });
    let dora = SessionId(4);
    desk.login(dora, "dora");
    for (session, room) in [(ANN, "#a1"), (ANN, "#a2"), (ANN, "#a3"), (BOB, "#b")] {
        desk.join(session, room);
        let room = RoomRef::Named(room);
        desk.set_in(session, room, &[set(Flag::MembersOnly, true)]);
        assert!(matches!(
            desk.answer(session, Command::Invite { room, who: "cy" }),
            Answered::Invited { .. }
        ));
    }
    let invitations = Answered::Invitations(vec!["#a3".into(), "#b".into()]);
    assert_eq!(
        desk.answer(CY, Command::ListInvited),
        invitations,
        "the oldest by who made the most are gone"
    );
    let join = |room| Command::Join { room, password: "", past: 0 };
    assert_eq!(desk.refusal(CY, join("#a1")), Refusal::MembersOnly);
    assert!(matches!(desk.answer(CY, join("#b")), Answered::Joined { .. }));
    // The same for the list of a room: Ann's first guest makes place for Bob's.
    let room = RoomRef::Named("#b");
    desk.set_in(BOB, room, &[set(Flag::MembersOnly, false)]);
    desk.join(ANN, "#b");
    let changes = [set(Flag::MembersOnly, true), RoomChange::Grant { role: Role::Moderator, to: "ann" }];
    desk.set_in(BOB, room, &changes);
    let guests = [5, 6].map(SessionId);
    for (guest, name) in guests.into_iter().zip(["eve", "fay"]) {
        desk.login(guest, name);
        desk.ask(ANN, Command::Invite { room, who: name });
    }
    desk.ask(BOB, Command::Invite { room, who: "dora" });
    assert_eq!(desk.refusal(guests[0], join("#b")), Refusal::MembersOnly);
    for guest in [guests[1], dora] {
        assert!(matches!(desk.answer(guest, join("#b")), Answered::Joined { .. }));
    }
}

#[test]
fn who_is_kicked_hears_of_it_in_the_room_and_is_out() {
    let (mut desk, channel) = tea();
    let effects = desk.ask(ANN, Command::Kick { room: TEA, who: "Bob", text: "out" });
    let event = Happened::Kicked { by: "ann".into(), who: "bob".into(), text: "out".into() };
    assert_eq!(
        effects[..2],
        [Recorded::Publish { channel, cause: ANN, event }, Recorded::Unsubscribe { channel, session: BOB }]
    );
    assert_eq!(desk.refusal(BOB, say("hello?")), Refusal::ClosedToOutsiders);
    let again = Command::Kick { room: TEA, who: "bob", text: "" };
    assert_eq!(desk.refusal(ANN, again), Refusal::PeerNotInRoom);
    let oneself = Command::Kick { room: TEA, who: "ann", text: "and me" };
    assert_eq!(desk.refusal(ANN, oneself), Refusal::NotToYourself, "leaving is for that");
}

#[test]
fn some_words_are_for_those_of_a_rank() {
    let (mut desk, channel) = tea();
    desk.join(CY, "#tea");
    desk.set(&[RoomChange::Grant { role: Role::Participant, to: "cy" }]);
    let to = |role| Command::Say { room: TEA, words: Words::message("psst"), least: Some(role) };
    let event = Happened::Said { by: "bob".into(), text: "psst".into() };
    let heard = |effects: Vec<Recorded>| {
        effects.into_iter().filter_map(|effect| match effect {
            Recorded::Send { to, channel: at, event: e, .. } if (at, &e) == (channel, &event) => Some(to),
            Recorded::Publish { .. } => panic!("not for all"),
            _ => None,
        })
    };
    assert_eq!(heard(desk.ask(BOB, to(Role::Moderator))).collect::<Vec<_>>(), [ANN]);
    assert_eq!(heard(desk.ask(BOB, to(Role::Participant))).collect::<Vec<_>>(), [ANN, CY]);
}

#[test]
fn a_room_can_do_without_control_messages_and_with_subjects_of_moderators() {
    let (mut desk, _) = tea();
    desk.set(&[set(Flag::NoControlMessages, true), set(Flag::SubjectLocked, true)]);
    assert_eq!(desk.refusal(BOB, say("\u{1}VERSION\u{1}")), Refusal::NoControlMessages);
    assert!(desk.says(BOB, "\u{1}ACTION waves\u{1}"));
    let subject = Command::SetSubject { room: TEA, text: "cake" };
    assert_eq!(desk.refusal(BOB, subject.clone()), Refusal::NotModerator);
    assert_eq!(desk.answer(ANN, subject), Answered::SubjectSet);
    let shown = Answered::Subject(Some(("ann".into(), "cake".into())));
    assert_eq!(desk.answer(CY, Command::ShowSubject { room: TEA }), shown);
}

#[test]
fn hidden_rooms_and_passwords_are_for_those_inside() {
    let (mut desk, _) = tea();
    desk.set(&[set(Flag::Hidden, true), RoomChange::Password(Some("earl"))]);
    let rooms = |desk: &mut Desk, session| {
        desk.answer(session, Command::ListRooms { after: "", filter: Default::default() })
    };
    assert_eq!(rooms(&mut desk, CY), Answered::Rooms(vec![], None));
    assert_eq!(rooms(&mut desk, BOB), Answered::Rooms(vec![("#tea".into(), 2)], None));
    assert_eq!(desk.refusal(CY, Command::ShowSubject { room: TEA }), Refusal::NoSuchRoom);
    let who = Command::Who { room: TEA, after: "", in_full: false };
    assert_eq!(desk.refusal(CY, who), Refusal::NoSuchRoom);
    for (session, shown) in [(ANN, "earl"), (BOB, "?")] {
        let Answered::Settings { password, flags, .. } =
            desk.answer(session, Command::ShowSettings { room: TEA })
        else {
            panic!("no settings")
        };
        assert_eq!((&*password, flags.has(Flag::Hidden)), (shown, true));
    }
    desk.ask(CY, Command::BecomeOperator);
    assert_eq!(rooms(&mut desk, CY), Answered::Rooms(vec![("#tea".into(), 2)], None));
}

#[test]
fn a_hidden_room_sounds_like_none_to_those_outside() {
    let (mut desk, _) = tea();
    desk.set(&[set(Flag::Hidden, true), ban("cy!*@*")]);
    let all = [Form::Message, Form::Notice, Form::Tags].map(|form| Words { form, text: "hello", tags: "" });
    for room in [TEA, RoomRef::Named("#none")] {
        for (words, least) in all.into_iter().zip([None, None, Some(Role::Moderator)]) {
            let say = Command::Say { room, words, least };
            assert_eq!(desk.refusal(CY, say), Refusal::NoSuchRoom, "{room:?}");
        }
        let invite = Command::Invite { room, who: "ann" };
        assert_eq!(desk.refusal(CY, invite), Refusal::NoSuchRoom);
        let kick = Command::Kick { room, who: "ann", text: "" };
        assert_eq!(desk.refusal(CY, kick), Refusal::NoSuchRoom);
        let list = Command::ListMasks { room, list: MaskList::Bans, from: 0 };
        assert_eq!(desk.refusal(CY, list), Refusal::NoSuchRoom);
    }
    desk.set(&[set(Flag::ClosedToOutsiders, false)]);
    assert_eq!(desk.refusal(CY, say("hello")), Refusal::NoSuchRoom, "banned, which is not said");
    desk.set(&[RoomChange::RemoveMask { list: MaskList::Bans, mask: "cy!*@*" }]);
    assert!(desk.says(CY, "hello"), "who knows the name is heard, if the room wants to hear them");
}

#[test]
fn notices_and_tags_are_said_as_what_they_are() {
    let (mut desk, channel) = tea();
    let words = Words { form: Form::Notice, text: "beep", tags: "" };
    let notice = desk.ask(BOB, Command::Say { room: TEA, words, least: None });
    let event = Happened::Noticed { by: "bob".into(), text: "beep".into() };
    assert_eq!(notice[0], Recorded::Publish { channel, cause: BOB, event });
    let words = Words { form: Form::Tags, text: "", tags: "+typing=active" };
    let tags = desk.ask(BOB, Command::Tell { to: "ann", words, even_oneself: false });
    let event = Happened::Tagged { by: "bob".into(), tags: "+typing=active".into() };
    assert_eq!(tags[0], Recorded::Send { to: ANN, cause: BOB, channel: ChannelId::NONE, event });
}
