//! What people say of themselves, who hears of it, and who finds whom.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk};
use recorder::{Answered, Happened, Recorded};
use std::time::Duration;
use switchboard::hub::{
    ChannelId, Command, Departure, Limits, Marks, Refusal, RoomFilter, RoomRef, SessionId, Trait, UserFilter,
    Words,
};

fn watch<'a>(names: &[&'a str]) -> Command<'a> {
    Command::Watch { names: names.into() }
}

fn hears(to: SessionId, cause: SessionId, event: Happened) -> Recorded {
    Recorded::Send { to, cause, channel: ChannelId::NONE, event }
}

#[test]
fn who_shares_a_room_hears_of_another_name_once() {
    let mut desk = Desk::new(Limits::default());
    let channels = vec![desk.join(ANN, "#a"), desk.join(ANN, "#b")];
    desk.join(BOB, "#a");
    assert_eq!(desk.refusal(ANN, Command::Rename { name: "BOB" }), Refusal::NameTaken);
    let effects = desk.ask(ANN, Command::Rename { name: "Anna" });
    let renamed = Answered::Renamed { from: "ann".into(), to: "Anna".into() };
    assert!(matches!(&effects[0], Recorded::Reply { answer, .. } if *answer == renamed));
    let event = Happened::Renamed { from: "ann".into(), to: "Anna".into() };
    assert_eq!(effects[1..], [Recorded::Neighbours { cause: ANN, channels, event }]);
    let who = desk.answer(BOB, Command::Who { room: RoomRef::Named("#a"), after: "", in_full: false });
    assert_eq!(who, Answered::Occupants(vec!["@Anna".into(), "bob".into()], None), "and keeps the role");
    assert_eq!(desk.refusal(BOB, Command::Lookup { name: "ann" }), Refusal::NoSuchPeer);
    let case = desk.answer(ANN, Command::Rename { name: "ANNA" });
    assert_eq!(case, Answered::Renamed { from: "Anna".into(), to: "ANNA".into() }, "one's own name");
    assert_eq!(desk.ask(ANN, Command::Rename { name: "ANNA" }).len(), 1, "nothing new, nothing told");
    desk.login(SessionId(9), "ann");
}

#[test]
fn names_that_were_given_up_are_remembered_for_a_while() {
    let mut desk = Desk::new(Limits { former_names_max: 2, ..Limits::default() });
    let was = |name| Command::Was { name, entries_max: 9 };
    assert_eq!(desk.refusal(BOB, was("ann")), Refusal::NoSuchPeer);
    desk.ask(ANN, Command::Rename { name: "anna" });
    desk.ask(CY, Command::Rename { name: "ann" });
    desk.disconnect(CY, Departure::Lost);
    assert_eq!(desk.answer(BOB, was("ANN")), Answered::Was(vec!["ann".into()]), "the first is forgotten");
}

#[test]
fn who_was_invisible_is_found_again_by_their_whole_name_or_by_operators() {
    let mut desk = Desk::new(Limits::default());
    desk.ask(BOB, Command::SetMarks { set: Marks::INVISIBLE, clear: Marks::NONE });
    desk.disconnect(BOB, Departure::Lost);
    desk.disconnect(CY, Departure::Lost);
    let was = |name| Command::Was { name, entries_max: 9 };
    let found = |names: &[&str]| Answered::Was(names.iter().map(|&name| name.into()).collect());
    assert_eq!(desk.answer(ANN, was("*")), found(&["cy"]));
    assert_eq!(desk.refusal(ANN, was("b?b")), Refusal::NoSuchPeer);
    assert_eq!(desk.answer(ANN, was("Bob")), found(&["bob"]));
    desk.ask(ANN, Command::BecomeOperator);
    assert_eq!(desk.answer(ANN, was("*")), found(&["cy", "bob"]));
}

#[test]
fn nobody_makes_the_names_of_others_forgotten() {
    let limits = Limits { former_names_max: 4, former_names_per_host_max: 2, ..Limits::default() };
    let mut desk = Desk::new(limits);
    desk.disconnect(CY, Departure::Lost);
    for name in ["b1", "b2", "b3", "b4", "b5"] {
        desk.ask(BOB, Command::Rename { name });
    }
    let was = |name| Command::Was { name, entries_max: 9 };
    assert_eq!(desk.answer(ANN, was("*")), Answered::Was(vec!["b4".into(), "b3".into(), "cy".into()]));
}

#[test]
fn being_away_is_told_to_neighbours_and_to_those_who_write() {
    let mut desk = Desk::new(Limits::default());
    let channel = desk.join(ANN, "#a");
    let away = |text| Command::SetAway { text };
    let effects = desk.ask(ANN, away(Some("tea")));
    let event = Happened::Away { who: "ann".into(), text: Some("tea".into()) };
    assert_eq!(effects[0], Recorded::Neighbours { cause: ANN, channels: vec![channel], event });
    assert_eq!(desk.ask(ANN, away(Some("tea"))).len(), 1, "it was so before");
    let tell = Command::Tell { to: "ann", words: Words::message("hi"), even_oneself: false };
    assert_eq!(desk.answer(BOB, tell), Answered::Sent { to: "ann".into(), away: Some("tea".into()) });
    assert_eq!(desk.ask(ANN, away(None)).len(), 2);
    let realname = desk.ask(ANN, Command::SetRealName { text: "Ann Example" });
    let event = Happened::RealName { who: "ann".into(), realname: "Ann Example".into() };
    assert_eq!(realname[0], Recorded::Neighbours { cause: ANN, channels: vec![channel], event });
}

#[test]
fn one_talks_to_oneself_only_in_a_dialect_that_lets_one() {
    let mut desk = Desk::new(Limits::default());
    let tell = |even_oneself| Command::Tell { to: "ann", words: Words::message("note"), even_oneself };
    assert_eq!(desk.refusal(ANN, tell(false)), Refusal::Yourself);
    let event = Happened::Told { from: "ann".into(), text: "note".into() };
    assert_eq!(desk.ask(ANN, tell(true))[0], hears(ANN, ANN, event));
}

#[test]
fn who_watches_hears_of_coming_and_going_and_of_other_names() {
    let mut desk = Desk::new(Limits { watches_per_user_max: 2, ..Limits::default() });
    let answer = desk.answer(ANN, watch(&["BOB", "dora", "eve", "not a name"]));
    let strings = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let (here, gone, full) = (strings(&["bob"]), strings(&["dora"]), strings(&["eve"]));
    assert_eq!(answer, Answered::Watched { here, gone, full });
    assert_eq!(desk.disconnect(BOB, Departure::Lost), [hears(ANN, BOB, Happened::Vanished("bob".into()))]);
    let effects = desk.ask(CY, Command::Rename { name: "Dora" });
    assert_eq!(effects[1..], [hears(ANN, CY, Happened::Appeared("Dora".into()))]);
    desk.ask(ANN, Command::Unwatch { names: ["DORA"].into() });
    assert_eq!(desk.disconnect(CY, Departure::Lost), []);
    let login = Command::Login { name: "Bob", payload_max: 0, username: "b", realname: "B" };
    let effects = desk.ask(SessionId(7), login);
    assert_eq!(effects[1..], [hears(ANN, SessionId(7), Happened::Appeared("Bob".into()))]);
    desk.ask(ANN, Command::UnwatchAll);
    let nothing = Answered::Watched { here: vec![], gone: vec![], full: vec![] };
    assert_eq!(desk.answer(ANN, Command::ListWatched), nothing);
}

#[test]
fn who_watches_from_elsewhere_hears_what_neighbours_hear() {
    let mut desk = Desk::new(Limits::default());
    desk.answer(ANN, watch(&["bob", "ann"]));
    let change = |what| [hears(ANN, BOB, Happened::WatchedChanged("bob".into(), what))];
    let away = |text| Command::SetAway { text };
    assert_eq!(desk.ask(BOB, away(Some("tea")))[..1], change(Trait::Away));
    assert_eq!(desk.ask(BOB, away(Some("tea"))).len(), 1, "it was so before");
    assert_eq!(desk.ask(BOB, Command::SetRealName { text: "Bob" })[..1], change(Trait::RealName));
    assert_eq!(desk.ask(ANN, away(Some("tea"))).len(), 1, "nobody hears of themselves");
    desk.join(ANN, "#a");
    let channel = desk.join(BOB, "#a");
    let event = Happened::Away { who: "bob".into(), text: None };
    let effects = desk.ask(BOB, away(None));
    assert_eq!(effects[0], Recorded::Neighbours { cause: BOB, channels: vec![channel], event });
    assert_eq!(effects.len(), 2, "neighbours hear it once: {effects:?}");
}

#[test]
fn whom_the_dialect_has_found_to_be_an_operator_is_one() {
    let mut desk = Desk::new(Limits::default());
    let announce = Command::Announce { text: "hear", to_all: false };
    assert_eq!(desk.refusal(ANN, announce.clone()), Refusal::NotOperator);
    assert_eq!(desk.answer(ANN, Command::BecomeOperator), Answered::Marks(Marks::OPERATOR));
    assert_eq!(desk.answer(ANN, announce), Answered::Done);
}

#[test]
fn the_invisible_are_found_by_those_who_share_a_room() {
    let mut desk = Desk::new(Limits::default());
    let marks = |set, clear| Command::SetMarks { set, clear };
    assert_eq!(desk.answer(BOB, marks(Marks::INVISIBLE, Marks::NONE)), Answered::Marks(Marks::INVISIBLE));
    let find = |mask| Command::FindUsers { after: "", filter: UserFilter { mask, operators_only: false } };
    let users = |names: &[&str]| Answered::Users(names.iter().map(|&name| name.into()).collect(), None);
    assert_eq!(desk.answer(ANN, find(Some("*"))), users(&["ann", "cy"]));
    assert_eq!(
        desk.answer(ANN, Command::ListPeers { after: "" }),
        Answered::Peers(vec!["ann".into(), "cy".into()], false)
    );
    assert_eq!(desk.answer(BOB, find(None)), users(&["ann", "bob", "cy"]), "oneself one finds");
    desk.join(ANN, "#a");
    desk.join(BOB, "#a");
    assert_eq!(desk.answer(ANN, find(Some("B?b"))), users(&["bob"]));
    assert_eq!(desk.answer(CY, find(Some("b*"))), users(&[]));
    let who = Command::Who { room: RoomRef::Named("#a"), after: "", in_full: false };
    assert_eq!(desk.answer(CY, who), Answered::Occupants(vec!["@ann".into()], None));
    let Answered::Look { places, .. } = desk.answer(CY, Command::Look { name: "bob" }) else {
        panic!("no look")
    };
    assert_eq!(places, Vec::<String>::new());
    let Answered::Counts(counts) = desk.answer(CY, Command::Count) else { panic!("no counts") };
    assert_eq!((counts.users, counts.invisible, counts.users_most, counts.rooms), (3, 1, 3, 1));
}

#[test]
fn lists_with_conditions_take_a_bounded_look_and_say_where_to_go_on() {
    let mut desk = Desk::new(Limits { scanned_entries_max: 2, ..Limits::default() });
    for room in ["#a", "#b", "#c", "#d"] {
        desk.join(ANN, room);
    }
    desk.join(BOB, "#d");
    let filter = RoomFilter { occupants_above: Some(1), ..RoomFilter::default() };
    let list = |after| Command::ListRooms { after, filter };
    assert_eq!(desk.answer(CY, list("")), Answered::Rooms(vec![], Some("#b".into())));
    assert_eq!(desk.answer(CY, list("#b")), Answered::Rooms(vec![("#d".into(), 2)], None));
    // A whole name is found wherever it is, and once.
    let filter = RoomFilter { mask: Some("#D"), ..RoomFilter::default() };
    let list = |after| Command::ListRooms { after, filter };
    assert_eq!(desk.answer(CY, list("")), Answered::Rooms(vec![("#d".into(), 2)], None));
    assert_eq!(desk.answer(CY, list("#d")), Answered::Rooms(vec![], None));
    let find =
        |after| Command::FindUsers { after, filter: UserFilter { mask: Some("cy"), operators_only: false } };
    assert_eq!(desk.answer(ANN, find("")), Answered::Users(vec![], Some("bob".into())));
    assert_eq!(desk.answer(ANN, find("bob")), Answered::Users(vec!["cy".into()], None));
}

#[test]
fn who_looks_for_people_in_a_room_from_outside_looks_at_so_many_at_once() {
    let mut desk = Desk::new(Limits { scanned_entries_max: 2, ..Limits::default() });
    for (session, name) in (4..8).map(SessionId).zip(["u1", "u2", "u3", "u4"]) {
        desk.login(session, name);
        desk.join(session, "#a");
        let set = if name == "u4" { Marks::NONE } else { Marks::INVISIBLE };
        desk.ask(session, Command::SetMarks { set, clear: Marks::NONE });
    }
    let who = |after| Command::Who { room: RoomRef::Named("#a"), after, in_full: false };
    assert_eq!(desk.answer(ANN, who("")), Answered::Occupants(vec![], Some("u2".into())));
    assert_eq!(desk.answer(ANN, who("u2")), Answered::Occupants(vec!["u4".into()], None));
    let inside = ["@u1", "u2", "u3", "u4"].map(Into::into).to_vec();
    assert_eq!(desk.answer(SessionId(4), who("")), Answered::Occupants(inside, None), "with nobody left out");
}

#[test]
fn a_look_shows_who_somebody_says_they_are_and_how_long_they_said_nothing() {
    let mut desk = Desk::new(Limits::default());
    let (name, username, realname) = ("dora", "d", "Dora D.");
    desk.ask(SessionId(4), Command::Login { name, payload_max: 0, username, realname });
    desk.now += Duration::from_secs(30);
    let look = desk.answer(ANN, Command::Look { name: "DORA" });
    let expected = Answered::Look {
        name: "dora".into(),
        username: "d".into(),
        realname: "Dora D.".into(),
        places: vec![],
        idle_seconds: 30,
    };
    assert_eq!(look, expected);
    let tell = Command::Tell { to: "ann", words: Words::message("hi"), even_oneself: false };
    desk.ask(SessionId(4), tell);
    let Answered::Look { idle_seconds, .. } = desk.answer(ANN, Command::Look { name: "dora" }) else {
        panic!("no look")
    };
    assert_eq!(idle_seconds, 0);
    let names = ["nobody", "dora", "ANN"].into();
    assert_eq!(
        desk.answer(BOB, Command::IsHere { names }),
        Answered::Here(vec!["dora".into(), "ann".into()])
    );
}

#[test]
fn operators_announce_and_end_sessions_and_nobody_makes_themselves_one() {
    let mut desk = Desk::new(Limits::default());
    let channel = desk.join(BOB, "#a");
    desk.join(CY, "#a");
    let become_one = Command::SetMarks { set: Marks::OPERATOR.with(Marks::BOT), clear: Marks::NONE };
    assert_eq!(desk.answer(ANN, become_one), Answered::Marks(Marks::BOT));
    let kill = || Command::Kill { name: "bob", text: "spam" };
    assert_eq!(desk.refusal(ANN, kill()), Refusal::NotOperator);
    desk.ask(ANN, Command::BecomeOperator);
    desk.ask(CY, Command::SetMarks { set: Marks::WALLOPS, clear: Marks::NONE });
    let announced = Happened::Announced { by: "ann".into(), text: "soon".into() };
    assert_eq!(
        desk.ask(ANN, Command::Announce { text: "soon", to_all: false })[0],
        hears(CY, ANN, announced)
    );
    let effects = desk.ask(ANN, kill());
    let killed = Happened::Killed { by: "ann".into(), text: "spam".into() };
    let quit = Happened::Quit { who: "bob".into(), how: "Killed by ann: spam".into() };
    assert_eq!(effects[0], hears(BOB, ANN, killed));
    assert_eq!(
        effects[2..],
        [
            Recorded::Unsubscribe { channel, session: BOB },
            Recorded::Neighbours { cause: BOB, channels: vec![channel], event: quit },
            Recorded::HangUp { session: BOB },
        ]
    );
    assert_eq!(desk.disconnect(BOB, Departure::Lost), [], "gone is gone");
    assert!(desk.hub.revoke_operator(ANN) && !desk.hub.revoke_operator(ANN));
    assert_eq!(desk.refusal(ANN, Command::Announce { text: "soon", to_all: false }), Refusal::NotOperator);
    desk.ask(ANN, Command::BecomeOperator);
    let step_down = Command::SetMarks { set: Marks::NONE, clear: Marks::OPERATOR };
    assert_eq!(desk.answer(ANN, step_down), Answered::Marks(Marks::BOT));
    assert_eq!(desk.refusal(ANN, Command::Announce { text: "soon", to_all: false }), Refusal::NotOperator);
}
