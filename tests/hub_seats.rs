//! Seats: what several sessions of one user share, and what each has for itself.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk, PAYLOAD_MAX};
use recorder::{Answered, Happened, Recorded, moment};
use switchboard::hub::record::{ScramKeys, Secret};
use switchboard::hub::{
    AccountChange, ChannelId, Command, Departure, Flag, Form, Limits, Marks, MessageId, Offers, Part, Proved,
    Purpose, Refusal, RelayEnd, Role, RoomChange, RoomRef, SessionId, Words,
};

/// Further sessions of ann's.
const PHONE: SessionId = SessionId(11);
const LAPTOP: SessionId = SessionId(12);

const SALT: [u8; 16] = [1; 16];

fn login(name: &str, payload_max: u16) -> Command<'_> {
    Command::Login { name, payload_max, username: "", realname: "" }
}

fn identify(desk: &mut Desk, session: SessionId) {
    let answer = desk.answer(session, Command::IdentifyProven { name: "ann", salt: SALT });
    assert!(matches!(answer, Answered::Account { .. }), "{answer:?}");
}

/// Everything that follows when ann sits down at one more session.
fn sit_down(desk: &mut Desk, session: SessionId, payload_max: u16) -> Vec<Recorded> {
    identify(desk, session);
    desk.ask(session, login("ann", payload_max))
}

/// Ann has an account, and is here by it.
fn with_account() -> Desk {
    let mut desk = Desk::new(Limits::default());
    desk.ask(ANN, Command::Register { name: "", password: "sesame" });
    let scram = ScramKeys { salt: SALT, iterations: 1, stored_key: [2; 32], server_key: [3; 32] };
    let secret = Secret { hash: "hash".into(), scram: Some(scram) };
    desk.hub.proved(moment(desk.now), ANN, Proved::Made(secret), &mut desk.recorder);
    desk.recorder.take();
    desk
}

/// Who is sent this event.
fn told(effects: &[Recorded], wanted: &Happened) -> Vec<SessionId> {
    let is_told = |effect: &Recorded| match effect {
        Recorded::Send { to, event, .. } if event == wanted => Some(*to),
        _ => None,
    };
    effects.iter().filter_map(is_told).collect()
}

/// At whom bob's call rings.
fn rings(desk: &mut Desk) -> (SessionId, ChannelId) {
    let effects = desk.ask(BOB, Command::Open { to: "ann", purpose: Purpose::Pipe });
    let rings = effects.iter().find_map(|effect| match effect {
        Recorded::Send { to, channel, event: Happened::Offered { .. }, .. } => Some((*to, *channel)),
        _ => None,
    });
    rings.unwrap_or_else(|| panic!("{effects:?}"))
}

#[test]
fn a_new_seat_is_told_what_its_user_has_and_nobody_else_is_told_of_it() {
    let mut desk = with_account();
    let tea = desk.join(ANN, "#tea");
    desk.ask(ANN, Command::SetMarks { set: Marks::BOT, clear: Marks::NONE });
    let effects = sit_down(&mut desk, PHONE, 0);
    let joined = Answered::Joined { room: "#tea".into(), occupants: 1, subject: None };
    let reply = |request, channel, answer| Recorded::Reply { to: PHONE, request, channel, answer };
    assert_eq!(
        effects,
        [
            reply(desk.requests, ChannelId::NONE, Answered::LoggedIn { name: "ann".into() }),
            reply(0, ChannelId::NONE, Answered::Marks(Marks::BOT)),
            reply(0, tea, joined),
            Recorded::Subscribe { channel: tea, session: PHONE },
        ]
    );
}

#[test]
fn private_words_are_at_all_seats_of_both() {
    let mut desk = with_account();
    sit_down(&mut desk, PHONE, 0);
    let words = Words::message("hi");
    let effects = desk.ask(PHONE, Command::Tell { to: "bob", words, even_oneself: false });
    assert_eq!(told(&effects, &Happened::Told { from: "ann".into(), text: "hi".into() }), [BOB]);
    assert_eq!(told(&effects, &Happened::ToldElsewhere { to: "bob".into(), text: "hi".into() }), [ANN]);
    let effects = desk.ask(BOB, Command::Tell { to: "ann", words, even_oneself: false });
    assert_eq!(told(&effects, &Happened::Told { from: "bob".into(), text: "hi".into() }), [ANN, PHONE]);
    let effects = desk.ask(ANN, Command::Tell { to: "ann", words, even_oneself: true });
    assert_eq!(told(&effects, &Happened::Told { from: "ann".into(), text: "hi".into() }), [ANN, PHONE]);
}

#[test]
fn a_call_rings_at_one_seat_and_ends_with_it() {
    let mut desk = with_account();
    sit_down(&mut desk, PHONE, 0);
    assert_eq!(rings(&mut desk).0, ANN, "the phone takes no relays");
    sit_down(&mut desk, LAPTOP, PAYLOAD_MAX);
    let (to, channel) = rings(&mut desk);
    assert_eq!(to, LAPTOP, "it came last");
    assert_eq!(desk.refusal(ANN, Command::Accept { channel }), Refusal::NoSuchRelay, "it rings elsewhere");
    desk.ask(LAPTOP, Command::Accept { channel });
    let offers = Offers { conversations: true, pipes: true };
    desk.ask(ANN, Command::Declare { offers, shown: false, addresses: Box::default() });
    assert_eq!(rings(&mut desk).0, ANN, "it is in the directory");
    let effects = desk.disconnect(LAPTOP, Departure::Lost);
    assert_eq!(told(&effects, &Happened::RelayClosed(RelayEnd::PeerLeft)), [BOB]);
    assert_eq!(desk.hub.relays_len(), 2, "the calls at the desk still ring");
    desk.disconnect(ANN, Departure::Lost);
    assert_eq!((desk.hub.relays_len(), desk.hub.users_len()), (0, 3), "she is here by the phone");
}

#[test]
fn an_operator_is_the_seat_that_gave_the_password() {
    let mut desk = with_account();
    sit_down(&mut desk, PHONE, 0);
    let effects = desk.ask(PHONE, Command::BecomeOperator);
    assert_eq!(effects.len(), 1, "the desk is none: {effects:?}");
    assert_eq!(desk.hub.counts().operators, 1);
    assert_eq!(desk.refusal(ANN, Command::Kill { name: "bob", text: "" }), Refusal::NotOperator);
    let no_change = Command::SetMarks { set: Marks::NONE, clear: Marks::NONE };
    assert_eq!(desk.answer(ANN, no_change.clone()), Answered::Marks(Marks::NONE));
    assert_eq!(desk.answer(PHONE, no_change), Answered::Marks(Marks::OPERATOR));
    desk.disconnect(PHONE, Departure::Lost);
    assert_eq!(desk.hub.counts().operators, 0);
    desk.ask(CY, Command::BecomeOperator);
    sit_down(&mut desk, LAPTOP, 0);
    let effects = desk.ask(CY, Command::Kill { name: "ann", text: "" });
    for session in [ANN, LAPTOP] {
        assert!(effects.contains(&Recorded::HangUp { session }), "{effects:?}");
    }
}

#[test]
fn the_key_of_a_user_outlives_the_session_that_it_was() {
    let mut desk = with_account();
    let tea = desk.join(ANN, "#tea");
    desk.ask(BOB, Command::Watch { names: ["ann"].into() });
    sit_down(&mut desk, PHONE, 0);
    let effects = desk.disconnect(ANN, Departure::Quit("bye"));
    assert_eq!(effects, [Recorded::Unsubscribe { channel: tea, session: ANN }]);
    sit_down(&mut desk, LAPTOP, 0);
    desk.disconnect(PHONE, Departure::Lost);
    let effects = desk.disconnect(LAPTOP, Departure::Lost);
    assert_eq!(told(&effects, &Happened::Vanished("ann".into())), [BOB]);
    assert_eq!((desk.hub.users_len(), desk.hub.rooms_len()), (2, 0));
}

#[test]
fn what_is_no_seat() {
    let mut desk = with_account();
    let no_login = |desk: &mut Desk, session| desk.refusal(session, login("ann", 0));
    assert_eq!(no_login(&mut desk, PHONE), Refusal::NameTaken, "without the password");
    assert_eq!(desk.answer(PHONE, login("annie", 0)), Answered::LoggedIn { name: "annie".into() });
    identify(&mut desk, PHONE);
    let refusal = desk.refusal(PHONE, Command::Rename { name: "ann" });
    assert_eq!(refusal, Refusal::NameIsYours, "who is somebody already joins nobody");
    let limits = Limits { seats_per_user_max: 1, ..Limits::default() };
    desk.hub.set_limits(limits);
    identify(&mut desk, LAPTOP);
    assert_eq!(no_login(&mut desk, LAPTOP), Refusal::TooManySeats { seats_max: 1 });
    assert_eq!(
        desk.refusal(LAPTOP, Command::CheckName { name: "ann" }),
        Refusal::TooManySeats { seats_max: 1 }
    );
}

#[test]
fn who_logs_out_stays_alone() {
    let mut desk = with_account();
    sit_down(&mut desk, PHONE, 0);
    assert_eq!(desk.refusal(ANN, Command::LogOut), Refusal::NameNeedsAccount, "it is its name");
    let effects = desk.ask(ANN, Command::Rename { name: "annie" });
    let renamed = Answered::Renamed { from: "ann".into(), to: "annie".into() };
    let (request, channel) = (0, ChannelId::NONE);
    assert!(effects.contains(&Recorded::Reply { to: PHONE, request, channel, answer: renamed }));
    let effects = desk.ask(ANN, Command::LogOut);
    assert!(effects.contains(&Recorded::HangUp { session: PHONE }), "{effects:?}");
    assert_eq!(desk.hub.users_len(), 3);
}

/// Who is told that the account is no more, and whose seat ends with it.
fn told_of_the_end(effects: &[Recorded]) -> (Vec<SessionId>, Vec<SessionId>) {
    let is_end = |answer: &Answered| matches!(answer, Answered::Account { change: AccountChange::Deleted, name } if name == "ann");
    let told = effects.iter().filter_map(|effect| match effect {
        Recorded::Reply { to, answer, .. } if is_end(answer) => Some(*to),
        _ => None,
    });
    let ended = effects.iter().filter_map(|effect| match effect {
        Recorded::HangUp { session } => Some(*session),
        _ => None,
    });
    (told.collect(), ended.collect())
}

#[test]
fn all_seats_hear_of_the_end_of_their_account() {
    // By the hand of its owner, from either seat, who stays there.
    for (asker, other) in [(ANN, PHONE), (PHONE, ANN)] {
        let mut desk = with_account();
        sit_down(&mut desk, PHONE, 0);
        desk.ask(asker, Command::DeleteAccount { password: "sesame" });
        let effects = desk.proved(asker, Proved::Right);
        assert_eq!(told_of_the_end(&effects), (vec![asker], vec![other]));
        assert_eq!(desk.hub.users_len(), 3);
    }
    // By an operator's: whoever has been here longest stays, which need not be who came first.
    let mut desk = with_account();
    sit_down(&mut desk, PHONE, 0);
    sit_down(&mut desk, LAPTOP, 0);
    desk.disconnect(ANN, Departure::Lost);
    desk.ask(CY, Command::BecomeOperator);
    let effects = desk.ask(CY, Command::DropAccount { name: "ann" });
    assert_eq!(told_of_the_end(&effects), (vec![PHONE], vec![LAPTOP]));
    assert_eq!(desk.hub.users_len(), 3);
    desk.login(LAPTOP, "annie"); // which is nobody now
}

/// With each name in quotation marks.
fn shown(event: &Happened) -> String {
    match event {
        Happened::Other(text) => text.clone(),
        event => format!("{event:?}"),
    }
}

/// What a session hears of all this that is about a room which it is in.
fn heard(effects: &[Recorded], session: SessionId) -> Vec<String> {
    let mut is_subscribed = true;
    let mut heard = Vec::new();
    for effect in effects {
        match effect {
            Recorded::Subscribe { session: of, .. } if *of == session => is_subscribed = true,
            Recorded::Unsubscribe { session: of, .. } if *of == session => is_subscribed = false,
            Recorded::Publish { cause, event, .. } if is_subscribed && *cause != session => {
                heard.push(shown(event));
            }
            Recorded::Send { to, event, .. } if *to == session => heard.push(shown(event)),
            _ => {}
        }
    }
    assert!(is_subscribed || heard.iter().any(|event| event.contains("Destroyed")), "{effects:?}");
    heard
}

/// Ann at two seats and bob in a room in which nobody knows who they are; and what the others call the two.
fn in_hiding() -> (Desk, [String; 2]) {
    let mut desk = with_account();
    desk.join(ANN, "#masks");
    sit_down(&mut desk, PHONE, 0);
    let hide = RoomChange::Flag { flag: Flag::SemiAnonymous, on: true };
    let effects = desk.change(ANN, "#masks", hide);
    let [changed] = &heard(&effects, PHONE)[..] else { panic!("{effects:?}") };
    assert!(changed.contains("\"ann\""), "{changed}");
    let effects = desk.ask(BOB, Command::Join { room: "#masks", password: "", past: 0 });
    let bob = effects.iter().find_map(|effect| match effect {
        Recorded::Publish { event: Happened::Entered(name), .. } => Some(name.clone()),
        _ => None,
    });
    let effects = desk.ask(PHONE, Command::Say { room: MASKS, words: Words::message("hi"), least: None });
    let ann = effects.iter().find_map(|effect| match effect {
        Recorded::Publish { event: Happened::Said { by, .. }, .. } => Some(by.clone()),
        _ => None,
    });
    (desk, [ann.expect("what ann is called"), bob.expect("what bob is called")])
}

const MASKS: RoomRef<'_> = RoomRef::Named("#masks");

/// What either seat does there, the other hears once and by ann's own name, and bob by the one that he knows.
#[test]
fn the_seats_of_somebody_know_each_other_where_nobody_else_does() {
    let (mut desk, [ann, bob]) = in_hiding();
    let words = Words::message("hello");
    let past =
        Command::ShowPast { room: MASKS, part: Part::Around { id: MessageId(0), limit: 1, said_only: true } };
    let Answered::Other(past) = desk.answer(PHONE, past) else { panic!("no past") };
    let id = past.split_once("MessageId(").and_then(|(_, rest)| rest.split(')').next()?.parse().ok());
    let id = MessageId(id.expect("the number of a message"));
    let change = |change| Command::Change { room: MASKS, changes: Box::new([change]) };
    let does = [
        Command::RenameRoom { room: MASKS, to: "#Masks", text: "" },
        Command::Say { room: MASKS, words, least: None },
        Command::Say {
            room: MASKS,
            words: Words { form: Form::Tags, tags: "+draft/react=x", text: "" },
            least: None,
        },
        Command::SetSubject { room: MASKS, text: "tea" },
        Command::Retract { room: MASKS, id, text: "" },
        change(RoomChange::Flag { flag: Flag::Moderated, on: true }),
        change(RoomChange::Grant { role: Role::Moderator, to: &bob }),
        Command::Say { room: MASKS, words, least: Some(Role::Moderator) },
        Command::Invite { room: MASKS, who: "cy" },
        Command::Kick { room: MASKS, who: &bob, text: "" },
    ];
    for (n, command) in does.into_iter().enumerate() {
        let [here, there] = if n % 2 == 0 { [ANN, PHONE] } else { [PHONE, ANN] };
        let effects = desk.ask(here, command.clone());
        let own = heard(&effects, there);
        assert!(own.len() == 1 && own.iter().all(|event| event.contains("\"ann\"")), "{command:?}: {own:?}");
        assert!(!own.iter().any(|event| event.contains(&ann)), "{command:?}: {own:?}");
        assert!(heard(&effects, here).is_empty(), "{command:?} is answered: {effects:?}");
        if !matches!(command, Command::Kick { .. }) {
            let others = heard(&effects, BOB);
            assert!(others.len() == 1 && others.iter().all(|event| event.contains(&ann)), "{others:?}");
            assert!(!others.iter().any(|event| event.contains("\"ann\"")), "{command:?}: {others:?}");
        }
    }
    let effects = desk.ask(PHONE, Command::Destroy { room: MASKS, text: "", instead: "" });
    let own = heard(&effects, ANN);
    assert!(own.len() == 1 && own.iter().all(|event| event.contains("\"ann\"")), "{own:?}");
}

#[test]
fn private_words_to_somebody_unknown_are_at_all_seats_of_both() {
    let (mut desk, [ann, bob]) = in_hiding();
    let words = Words::message("psst");
    let effects = desk.ask(PHONE, Command::Tell { to: &bob, words, even_oneself: false });
    assert_eq!(told(&effects, &Happened::Told { from: ann.clone(), text: "psst".into() }), [BOB]);
    assert_eq!(told(&effects, &Happened::ToldElsewhere { to: bob.clone(), text: "psst".into() }), [ANN]);
    let effects = desk.ask(BOB, Command::Tell { to: &ann, words, even_oneself: false });
    assert_eq!(told(&effects, &Happened::Told { from: bob, text: "psst".into() }), [ANN, PHONE]);
    let effects = desk.ask(ANN, Command::Tell { to: &ann, words, even_oneself: true });
    assert_eq!(told(&effects, &Happened::Told { from: "ann".into(), text: "psst".into() }), [ANN, PHONE]);
}
