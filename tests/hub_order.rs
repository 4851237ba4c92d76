//! Who may do what in a room, and what follows when they do.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk};
use recorder::{Answered, Happened, Recorded};
use switchboard::hub::{
    ChannelId, Command, Flag, Form, Limits, MaskList, Refusal, Role, RoomChange, RoomRef, SessionId, Words,
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
    RoomChange::AddMask { list: MaskList::Bans, mask }
}

fn change(changes: &[RoomChange<'static>]) -> Command<'static> {
    Command::Change { room: TEA, changes: changes.into() }
}

fn say(text: &str) -> Command<'_> {
    Command::Say { room: TEA, words: Words::message(text), least: None }
}

fn join(password: &str) -> Command<'_> {
    Command::Join { room: "#tea", password }
}

impl Desk {
    /// Ann changes #tea, all of it to effect.
    fn set(&mut self, changes: &[RoomChange<'static>]) {
        match self.answer(ANN, change(changes)) {
            Answered::Changed { changes: done, refused } => {
                assert_eq!((done.len(), refused), (changes.len(), vec![]));
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
    let done = ["+Moderated", "+Participant bob", "+Bans evil!*@*"].map(str::to_owned).to_vec();
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
    assert_eq!(who, Answered::Occupants(vec!["ann".into(), "@bob".into()], false));
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
    desk.set(&[RoomChange::Grant { role: Role::Participant, to: "bob" }]);
    assert!(desk.says(BOB, "hello"));
    desk.set(&[RoomChange::AddMask { list: MaskList::BanExceptions, mask: "CY!*@*" }]);
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
    desk.ask(ANN, Command::Kick { room: TEA, who: "ann", text: "and me" });
    assert_eq!(desk.hub.rooms_len(), 0, "the last one kicked ends the room");
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
    assert_eq!(rooms(&mut desk, CY), Answered::Rooms(vec![], false));
    assert_eq!(rooms(&mut desk, BOB), Answered::Rooms(vec![("#tea".into(), 2)], false));
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
    assert!(desk.hub.grant_operator(CY));
    assert_eq!(rooms(&mut desk, CY), Answered::Rooms(vec![("#tea".into(), 2)], false));
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
