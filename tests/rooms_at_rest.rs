//! Rooms that last and in which nobody is: each takes little memory, all of them come back fast, and none of them ever
//! asks for the time.

#[path = "common/recorder.rs"]
mod recorder;

use recorder::{Recorder, moment};
use std::time::{Duration, Instant};
use switchboard::hub::record::{
    AccountId, AccountRecord, MemberRecord, Note, Record, RoomId, RoomRecord, Secret, SubjectRecord,
};
use switchboard::hub::{Affiliation, Flag, Flags, Hub, Limits};

const ROOMS: u64 = 25_000;

const ROOMS_PER_OWNER: u64 = 50;

/// At rest, in bytes; accounts are not counted.
const ROOM_BYTES_MAX: u64 = 1_024;

/// In kibibytes, of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim_end_matches("kB").trim().parse().expect("a number")
}

fn account(id: u64) -> Record {
    let secret = Secret { hash: "$argon2id$".into(), scram: None };
    let (id, name) = (AccountId(id), format!("owner{id}").into());
    Record::Account(AccountRecord { id, name, secret, made_millis: 1_700_000_000_000 })
}

/// A room as people make them: with a subject, and an owner.
fn room(number: u64) -> [Record; 2] {
    let (id, owner) = (RoomId(number), number / ROOMS_PER_OWNER + 1);
    let by: Box<str> = format!("owner{owner}").into();
    let at_millis = 1_700_000_000_000;
    let subject = SubjectRecord {
        text: "what people of this room talk about, in a sentence or two".into(),
        by: by.clone(),
        author: format!("{by}!native@aaaaaaaa.bbbbbbbb.cccccccc.ip").into(),
        at_millis,
    };
    let room = RoomRecord {
        id,
        name: format!("#room-number-{number}").into(),
        flags: Flags::NONE.with(Flag::Persistent).with(Flag::ClosedToOutsiders),
        password: None,
        occupants_max: None,
        subject: Some(subject),
        made_millis: at_millis,
    };
    let note = Note { by, at_millis, ..Note::default() };
    let owner = MemberRecord {
        room: id,
        account: AccountId(owner),
        affiliation: Affiliation::Owner,
        has_voice: false,
        is_muted: false,
        reserved: None,
        note,
    };
    [Record::Room(room), Record::Member(owner)]
}

#[test]
fn a_room_at_rest_takes_little_memory_and_no_time() {
    let mut hub = Hub::new(Limits::default());
    for id in 1..=ROOMS / ROOMS_PER_OWNER {
        hub.restore(account(id)).expect("an account");
    }
    let before = resident();
    let began = Instant::now();
    for record in (0..ROOMS).flat_map(room) {
        hub.restore(record).expect("a room, or its owner");
    }
    hub.restored(None);
    let took = began.elapsed();
    let bytes = (resident() - before) * 1_024 / ROOMS;
    println!("{bytes} bytes for each of {ROOMS} rooms, which took {took:?} to come back");
    assert_eq!(hub.rooms_len() as u64, ROOMS);
    assert!(bytes <= ROOM_BYTES_MAX, "{bytes} bytes for each of {ROOMS} rooms");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let mut recorder = Recorder::default();
    hub.expire(moment(Instant::now()), &mut recorder);
    assert_eq!((hub.next_deadline(), recorder.take()), (None, vec![]), "there is nothing to wait for");
}
