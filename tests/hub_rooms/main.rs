//! What an account is to a room, and what follows from it: the rules of XEP-0045, one by one.
//!
//! - `ranks` who is what; `doors` who comes in; `voices` who speaks; `terms` for how long;
//! - `owners` what they do with it; `lasting` rooms that stay when nobody is in them.

#[path = "../common/desk.rs"]
mod desk;
mod doors;
mod lasting;
mod owners;
mod ranks;
#[path = "../common/recorder.rs"]
mod recorder;
mod terms;
mod voices;

use desk::{ANN, BOB, CY, Desk};
use recorder::{Answered, Happened, Recorded};
use switchboard::hub::record::Record;
use switchboard::hub::{
    Affiliation, Command, Flag, Limits, Refusal, RoomChange, RoomRef, SessionId, Terms, Words,
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
