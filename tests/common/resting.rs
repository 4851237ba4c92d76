//! Rooms that last and in which nobody is, as records: each with a subject and an owner.

use switchboard::hub::record::{
    AccountId, AccountRecord, MemberRecord, Note, Record, RoomId, RoomRecord, Secret, SubjectRecord,
};
use switchboard::hub::{Affiliation, Flag, Flags};

pub const ROOMS: u64 = 25_000;

const ROOMS_PER_OWNER: u64 = 50;

/// What each may take, in bytes; accounts are not counted.
pub const ROOM_BYTES_MAX: u64 = 1_024;

/// The accounts of all owners.
pub fn accounts() -> impl Iterator<Item = Record> {
    (1..=ROOMS / ROOMS_PER_OWNER).map(account)
}

/// All rooms, with what their owners are in them.
pub fn rooms() -> impl Iterator<Item = Record> {
    (0..ROOMS).flat_map(room)
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
        muted: None,
        reserved: None,
        note,
    };
    [Record::Room(room), Record::Member(owner)]
}
