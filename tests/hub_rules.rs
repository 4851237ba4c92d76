//! The rules of the hub, one by one, as commands and what follows from them.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk, PAYLOAD_MAX};
use recorder::{Answered, Happened, Recorded, moment};
use std::time::Duration;
use switchboard::hub::{
    BadName, BadText, ChannelId, Command, Departure, Limits, Purpose, Refusal, RelayEnd, RoomFilter, RoomRef,
    SessionId, Words,
};

/// Ann calls Bob.
fn call(desk: &mut Desk) -> (u32, ChannelId) {
    let effects = desk.ask(ANN, Command::Open { to: "bob", purpose: Purpose::Pipe });
    let request = desk.requests;
    let Some(Recorded::Send { to: BOB, channel, event: Happened::Offered { .. }, .. }) = effects.first()
    else {
        panic!("the call leads to {effects:?}");
    };
    let ringing = Happened::Ringing { request };
    assert_eq!(effects[1], Recorded::Send { to: ANN, cause: ANN, channel: *channel, event: ringing });
    (request, *channel)
}

fn has_route(desk: &Desk, relay: ChannelId) -> bool {
    let (there, back) = (desk.hub.route(ANN, relay), desk.hub.route(BOB, relay));
    assert_eq!(there.is_ok(), back.is_ok());
    assert_eq!(desk.hub.route(CY, relay), Err(Refusal::NoSuchRelay), "a third has no part in it");
    there.is_ok_and(|route| route.to == BOB) && back.is_ok_and(|route| route.to == ANN)
}

fn answered(to: SessionId, request: u32, channel: ChannelId, answer: Answered) -> Recorded {
    Recorded::Reply { to, request, channel, answer }
}

#[test]
fn joining_makes_a_room_and_the_last_to_leave_ends_it() {
    let mut desk = Desk::new(Limits::default());
    let effects = desk.ask(ANN, Command::Join { room: "#tea", password: "", past: 0 });
    let Recorded::Reply { channel, ref answer, .. } = effects[0] else { panic!("the answer comes first") };
    assert_eq!(*answer, Answered::Joined { room: "#tea".into(), occupants: 1, subject: None });
    let entered = Recorded::Publish { channel, cause: ANN, event: Happened::Entered("ann".into()) };
    assert_eq!(effects[1..], [entered, Recorded::Subscribe { channel, session: ANN }]);
    assert_eq!(desk.join(BOB, "#tea"), channel);

    let effects = desk.ask(ANN, Command::Leave { room: RoomRef::Channel(channel), text: "" });
    let left = Happened::Left { who: "ann".into(), how: "left".into() };
    let expected = [
        Recorded::Unsubscribe { channel, session: ANN },
        Recorded::Publish { channel, cause: ANN, event: left },
        answered(ANN, desk.requests, channel, Answered::Left),
    ];
    assert_eq!(effects, expected, "the answer comes behind the last event of the room");
    desk.ask(BOB, Command::Leave { room: RoomRef::Channel(channel), text: "" });
    assert_eq!(desk.hub.rooms_len(), 0);
    assert_ne!(desk.join(CY, "#tea"), channel, "the next room of that name is another one");
}

#[test]
fn words_and_subjects_go_to_the_room_and_the_subject_stays() {
    let mut desk = Desk::new(Limits::default());
    let channel = desk.join(ANN, "#tea");
    let event = Happened::Said { by: "ann".into(), text: "hello".into() };
    let said = desk.ask(
        ANN,
        Command::Say { room: RoomRef::Channel(channel), words: Words::message("hello"), least: None },
    );
    let sent = answered(ANN, desk.requests, channel, Answered::Sent { to: "#tea".into(), away: None });
    assert_eq!(said, [Recorded::Publish { channel, cause: ANN, event }, sent]);
    desk.ask(ANN, Command::SetSubject { room: RoomRef::Channel(channel), text: "at five" });
    let subject = Some(("ann".to_owned(), "at five".to_owned()));
    let joined = desk.answer(BOB, Command::Join { room: "#tea", password: "", past: 0 });
    assert_eq!(joined, Answered::Joined { room: "#tea".into(), occupants: 2, subject });
    desk.ask(BOB, Command::SetSubject { room: RoomRef::Channel(channel), text: "" });
    let joined = desk.answer(CY, Command::Join { room: "#tea", password: "", past: 0 });
    assert_eq!(joined, Answered::Joined { room: "#tea".into(), occupants: 3, subject: None });
}

#[test]
fn names_are_the_same_in_capitals() {
    let mut desk = Desk::new(Limits::default());
    let channel = desk.join(ANN, "#Tea");
    assert_eq!(desk.join(BOB, "#tEA"), channel);
    let login = Command::Login { name: "ANN", payload_max: 0, username: "", realname: "" };
    assert_eq!(desk.refusal(SessionId(9), login), Refusal::NameTaken);
    let Answered::Peer { name, .. } = desk.answer(BOB, Command::Lookup { name: "ANN" }) else {
        panic!("no peer")
    };
    assert_eq!(name, "ann", "shown as its owner writes it");
    let told = desk.ask(BOB, Command::Tell { to: "Ann", words: Words::message("psst"), even_oneself: false });
    let event = Happened::Told { from: "bob".into(), text: "psst".into() };
    assert_eq!(told[0], Recorded::Send { to: ANN, cause: BOB, channel: ChannelId::NONE, event });
    desk.disconnect(ANN, Departure::Lost);
    desk.login(SessionId(9), "ANN");
}

#[test]
fn lists_come_in_pages_in_the_order_of_the_names() {
    let mut desk = Desk::new(Limits { page_entries_max: 2, ..Limits::default() });
    desk.login(SessionId(4), "Dora");
    desk.login(SessionId(5), "eve");
    let names = |names: &[&str], more| {
        let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
        (names, more)
    };
    for (after, expected) in [
        ("", names(&["ann", "bob"], true)),
        ("bob", names(&["cy", "Dora"], true)),
        ("dora", names(&["eve"], false)),
        ("DORA", names(&["eve"], false)),
        ("c", names(&["cy", "Dora"], true)),
        ("eve", names(&[], false)),
        ("not a name", names(&[], false)),
    ] {
        let Answered::Peers(found, more) = desk.answer(ANN, Command::ListPeers { after }) else {
            panic!("no list")
        };
        assert_eq!((found, more), expected, "after {after:?}");
    }
    let channel = desk.join(ANN, "#a");
    for session in [BOB, CY] {
        desk.join(session, "#a");
    }
    desk.join(ANN, "#B");
    desk.join(BOB, "#c");
    let who =
        desk.answer(ANN, Command::Who { room: RoomRef::Channel(channel), after: "ANN", in_full: false });
    assert_eq!(who, Answered::Occupants(vec!["bob".into(), "cy".into()], None));
    let rooms = desk.answer(CY, Command::ListRooms { after: "", filter: RoomFilter::default() });
    assert_eq!(rooms, Answered::Rooms(vec![("#a".into(), 3), ("#B".into(), 1)], Some("#B".into())));
    let rooms = desk.answer(CY, Command::ListRooms { after: "#b", filter: RoomFilter::default() });
    assert_eq!(rooms, Answered::Rooms(vec![("#c".into(), 1)], None));
}

#[test]
fn nothing_is_for_those_who_have_not_logged_in() {
    let mut desk = Desk::new(Limits::default());
    let channel = desk.join(ANN, "#tea");
    let stranger = SessionId(9);
    for command in [
        Command::Join { room: "#tea", password: "", past: 0 },
        Command::Leave { room: RoomRef::Channel(channel), text: "" },
        Command::Say { room: RoomRef::Channel(channel), words: Words::message("hi"), least: None },
        Command::SetSubject { room: RoomRef::Channel(channel), text: "hi" },
        Command::ListRooms { after: "", filter: RoomFilter::default() },
        Command::Who { room: RoomRef::Channel(channel), after: "", in_full: false },
        Command::Tell { to: "ann", words: Words::message("hi"), even_oneself: false },
        Command::Lookup { name: "ann" },
        Command::ListPeers { after: "" },
        Command::Open { to: "ann", purpose: Purpose::Conversation },
    ] {
        assert_eq!(desk.refusal(stranger, command.clone()), Refusal::NotLoggedIn, "{command:?}");
    }
    assert_eq!(desk.disconnect(stranger, Departure::Lost), []);
}

#[test]
fn names_and_texts_have_their_rules() {
    let limits = Limits { text_bytes_max: 8, subject_bytes_max: 4, ..Limits::default() };
    let mut desk = Desk::new(limits);
    let channel = desk.join(ANN, "#tea");
    let login = |name| Command::Login { name, payload_max: 0, username: "", realname: "" };
    assert_eq!(desk.refusal(ANN, login("other")), Refusal::AlreadyLoggedIn);
    assert_eq!(desk.refusal(SessionId(9), login("")), Refusal::BadName(BadName::Empty));
    assert_eq!(desk.refusal(SessionId(9), login("a b")), Refusal::BadName(BadName::Character(' ')));
    let room = Command::Join { room: "tea", password: "", past: 0 };
    assert_eq!(desk.refusal(ANN, room), Refusal::BadRoomName(BadName::FirstCharacter));
    let too_long = Refusal::TextTooLong { bytes_max: 8 };
    let (empty, control) = (Refusal::BadText(BadText::Empty), Refusal::BadText(BadText::Control));
    for (text, refusal) in
        [("", empty), ("a\nb", control), ("a\rb", control), ("a\0b", control), ("nine byte", too_long)]
    {
        assert_eq!(
            desk.refusal(
                ANN,
                Command::Say { room: RoomRef::Channel(channel), words: Words::message(text), least: None }
            ),
            refusal,
            "{text:?}"
        );
        assert_eq!(
            desk.refusal(ANN, Command::Tell { to: "bob", words: Words::message(text), even_oneself: false }),
            refusal,
            "{text:?}"
        );
    }
    let subject = Command::SetSubject { room: RoomRef::Channel(channel), text: "tea !" };
    assert_eq!(desk.refusal(ANN, subject), Refusal::TextTooLong { bytes_max: 4 });
}

#[test]
fn rooms_have_their_limits() {
    let limits =
        Limits { rooms_per_user_max: 2, occupants_per_room_max: 2, rooms_max: 3, ..Limits::default() };
    let mut desk = Desk::new(limits);
    let channel = desk.join(ANN, "#a");
    let join = |room| Command::Join { room, password: "", past: 0 };
    assert_eq!(desk.refusal(ANN, join("#A")), Refusal::AlreadyInRoom);
    assert_eq!(
        desk.refusal(
            BOB,
            Command::Say { room: RoomRef::Channel(channel), words: Words::message("hi"), least: None }
        ),
        Refusal::NotInRoom
    );
    assert_eq!(
        desk.refusal(BOB, Command::Leave { room: RoomRef::Channel(channel), text: "" }),
        Refusal::NotInRoom
    );
    assert_eq!(
        desk.refusal(BOB, Command::Who { room: RoomRef::Channel(channel), after: "", in_full: false }),
        Refusal::NotInRoom
    );
    assert_eq!(
        desk.refusal(BOB, Command::SetSubject { room: RoomRef::Channel(channel), text: "" }),
        Refusal::NotInRoom
    );
    desk.join(ANN, "#b");
    assert_eq!(desk.refusal(ANN, join("#c")), Refusal::TooManyRooms { rooms_max: 2 });
    desk.join(BOB, "#a");
    assert_eq!(desk.refusal(CY, join("#a")), Refusal::RoomFull { occupants_max: 2 });
    desk.join(CY, "#c");
    assert_eq!(desk.refusal(BOB, join("#d")), Refusal::TooManyRoomsOnServer);
    assert_eq!(
        desk.refusal(CY, Command::Leave { room: RoomRef::Channel(ChannelId::NONE), text: "" }),
        Refusal::NotInRoom
    );
}

#[test]
fn departure_is_told_to_every_room_and_frees_the_name() {
    let mut desk = Desk::new(Limits::default());
    let (a, b) = (desk.join(ANN, "#a"), desk.join(ANN, "#b"));
    desk.join(BOB, "#a");
    for (why, how) in [
        (Departure::Quit("bye"), "quit: bye"),
        (Departure::Quit("two\nlines"), "quit: "),
        (Departure::Lost, "lost"),
        (Departure::Dropped("slow"), "dropped: slow"),
    ] {
        let effects = desk.disconnect(ANN, why);
        let event = Happened::Quit { who: "ann".into(), how: how.into() };
        let mut expected = vec![
            Recorded::Unsubscribe { channel: a, session: ANN },
            Recorded::Neighbours { cause: ANN, channels: vec![a], event },
        ];
        if how == "quit: bye" {
            expected.insert(1, Recorded::Unsubscribe { channel: b, session: ANN });
        }
        assert_eq!(effects, expected, "nobody else is in the other room");
        assert_eq!(desk.disconnect(ANN, why), [], "gone is gone");
        desk.login(ANN, "ann");
        assert_eq!(desk.join(ANN, "#a"), a);
    }
    assert_eq!(desk.refusal(BOB, Command::Leave { room: RoomRef::Channel(b), text: "" }), Refusal::NotInRoom);
}

#[test]
fn calls_are_refused_for_a_reason() {
    let limits = Limits { relays_per_user_max: 1, relays_max: 1, ..Limits::default() };
    let mut desk = Desk::new(limits.clone());
    let open = |to| Command::Open { to, purpose: Purpose::Conversation };
    let plain = SessionId(9);
    let answer =
        desk.answer(plain, Command::Login { name: "plain", payload_max: 0, username: "", realname: "" });
    assert_eq!(answer, Answered::LoggedIn { name: "plain".into() });
    assert_eq!(desk.refusal(ANN, open("ann")), Refusal::Yourself);
    assert_eq!(
        desk.refusal(ANN, Command::Tell { to: "ANN", words: Words::message("hi"), even_oneself: false }),
        Refusal::Yourself
    );
    assert_eq!(desk.refusal(ANN, open("nobody")), Refusal::NoSuchPeer);
    assert_eq!(
        desk.refusal(ANN, Command::Tell { to: "nobody", words: Words::message("hi"), even_oneself: false }),
        Refusal::NoSuchPeer
    );
    assert_eq!(desk.refusal(ANN, Command::Lookup { name: "nobody" }), Refusal::NoSuchPeer);
    assert_eq!(desk.refusal(ANN, open("plain")), Refusal::TakesNoRelays);
    assert_eq!(desk.refusal(plain, open("ann")), Refusal::TakesNoRelays);
    call(&mut desk);
    assert_eq!(desk.refusal(ANN, open("cy")), Refusal::TooManyRelays { relays_max: 1 });
    assert_eq!(desk.refusal(CY, open("bob")), Refusal::PeerHasTooManyRelays);
    desk.hub.set_limits(Limits { relays_per_user_max: 2, ..limits });
    assert_eq!(desk.refusal(CY, open("bob")), Refusal::TooManyRelaysOnServer);
}

#[test]
fn a_call_that_is_taken_is_a_route_until_one_closes_it() {
    for closer in [ANN, BOB] {
        let mut desk = Desk::new(Limits::default());
        let (request, channel) = call(&mut desk);
        assert!(!has_route(&desk, channel), "it only rings");
        assert_eq!(
            desk.refusal(ANN, Command::Accept { channel }),
            Refusal::NoSuchRelay,
            "the caller cannot take it"
        );
        assert_eq!(desk.refusal(CY, Command::Accept { channel }), Refusal::NoSuchRelay, "nor can a third");
        let effects = desk.ask(BOB, Command::Accept { channel });
        let opened = Answered::Opened { peer: "bob".into(), payload_max: PAYLOAD_MAX };
        let done = answered(BOB, desk.requests, channel, Answered::Done);
        assert_eq!(effects, [done, answered(ANN, request, channel, opened)]);
        assert!(has_route(&desk, channel));
        for command in [Command::Accept { channel }, Command::Decline { channel, text: "" }] {
            assert_eq!(desk.refusal(BOB, command), Refusal::NoSuchRelay, "it is taken already");
        }
        assert_eq!(desk.refusal(CY, Command::Close { channel }), Refusal::NoSuchRelay);
        let other = if closer == ANN { BOB } else { ANN };
        let effects = desk.ask(closer, Command::Close { channel });
        let event = Happened::RelayClosed(RelayEnd::Done);
        let done = answered(closer, desk.requests, channel, Answered::Done);
        assert_eq!(effects, [Recorded::Send { to: other, cause: closer, channel, event }, done]);
        assert!(!has_route(&desk, channel) && desk.hub.relays_len() == 0);
        assert_eq!(desk.refusal(closer, Command::Close { channel }), Refusal::NoSuchRelay);
    }
}

/// What ends a call that rings, what its caller is answered, and what the one who is called hears of it.
#[test]
fn a_call_that_is_not_taken_is_answered_all_the_same() {
    type End = fn(&mut Desk, ChannelId) -> Vec<Recorded>;
    let refused = |refusal| Some(Answered::Refused(refusal));
    let cases: [(&str, End, Option<Answered>, Option<RelayEnd>); 6] = [
        (
            "declined",
            |desk, channel| desk.ask(BOB, Command::Decline { channel, text: "busy" }),
            Some(Answered::Declined("busy".into())),
            None,
        ),
        (
            "closed by the one who is called",
            |desk, channel| desk.ask(BOB, Command::Close { channel }),
            Some(Answered::Declined(String::new())),
            None,
        ),
        (
            "taken back",
            |desk, channel| desk.ask(ANN, Command::Close { channel }),
            refused(Refusal::Cancelled),
            Some(RelayEnd::Cancelled),
        ),
        (
            "not answered in time",
            |desk, _| {
                desk.now += Duration::from_secs(59);
                desk.hub.expire(moment(desk.now), &mut desk.recorder);
                assert_eq!(desk.recorder.take(), [], "a second is left");
                assert_eq!(desk.hub.next_deadline(), Some(desk.now + Duration::from_secs(1)));
                desk.now += Duration::from_secs(1);
                desk.hub.expire(moment(desk.now), &mut desk.recorder);
                desk.recorder.take()
            },
            refused(Refusal::NoAnswer),
            Some(RelayEnd::NoAnswer),
        ),
        (
            "the one who is called is gone",
            |desk, _| desk.disconnect(BOB, Departure::Lost),
            refused(Refusal::PeerLeft),
            None,
        ),
        (
            "the caller is gone",
            |desk, _| desk.disconnect(ANN, Departure::Lost),
            refused(Refusal::Cancelled),
            Some(RelayEnd::Cancelled),
        ),
    ];
    for (what, end, caller_gets, callee_hears) in cases {
        let mut desk = Desk::new(Limits::default());
        let (request, channel) = call(&mut desk);
        let effects = end(&mut desk, channel);
        let caller = effects.iter().find_map(|effect| match effect {
            Recorded::Reply { to: ANN, request: r, answer, .. } if *r == request => Some(answer.clone()),
            _ => None,
        });
        let callee = effects.iter().find_map(|effect| match effect {
            Recorded::Send { to: BOB, event: Happened::RelayClosed(why), .. } => Some(*why),
            _ => None,
        });
        assert_eq!((caller, callee), (caller_gets, callee_hears), "{what}");
        assert_eq!((desk.hub.relays_len(), desk.hub.next_deadline()), (0, None), "{what}");
        assert!(!has_route(&desk, channel));
    }
}

#[test]
fn who_leaves_ends_their_relays() {
    let mut desk = Desk::new(Limits::default());
    let (_, channel) = call(&mut desk);
    desk.ask(BOB, Command::Accept { channel });
    let effects = desk.disconnect(ANN, Departure::Quit(""));
    let event = Happened::RelayClosed(RelayEnd::PeerLeft);
    assert_eq!(effects, [Recorded::Send { to: BOB, cause: ANN, channel, event }]);
    assert!(!has_route(&desk, channel));
}
