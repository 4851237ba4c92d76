//! Records, written down.

use super::numbers::{of_affiliation, of_list};
use super::past;
use crate::hub::record::{AccountRecord, BanRecord, MaskRecord, MemberRecord, Record, RoomRecord};
use rusqlite::{Connection, Params, Result, params};

/// Writes one record, within the transaction that is open.
///
/// # Errors
/// Those of SQLite.
pub fn write(connection: &Connection, record: &Record) -> Result<()> {
    let run = |sql, values: &[&dyn rusqlite::ToSql]| run(connection, sql, values);
    match record {
        Record::Account(record) => account(connection, record),
        Record::AccountGone(id) => run("DELETE FROM accounts WHERE id = ?1", params![id.0]),
        Record::Room(record) => room(connection, record),
        Record::RoomGone(id) => past::end_all(connection, *id)
            .and_then(|()| run("DELETE FROM rooms WHERE id = ?1", params![id.0])),
        Record::Member(record) => member(connection, record),
        Record::MemberGone { room, account } => {
            run("DELETE FROM members WHERE room = ?1 AND account = ?2", params![room.0, account.0])
        }
        Record::Mask(record) => mask(connection, record),
        Record::MaskGone { room, list, mask } => run(
            "DELETE FROM masks WHERE room = ?1 AND list = ?2 AND mask = ?3",
            params![room.0, of_list(*list), mask],
        ),
        Record::Past(record) => past::write(connection, record),
        Record::Retracted { room, id, by, reason } => past::retract(connection, *room, *id, by, reason),
        Record::PastGone { room, before } => past::end(connection, *room, *before),
        Record::LatestSaid { .. } => Ok(()), // what happened is there itself
        Record::ReadUpTo { account, conversation, at_millis } => run(
            "INSERT OR REPLACE INTO read_up_to (account, conversation, at_millis) VALUES (?1, ?2, ?3)",
            params![account.0, conversation, at_millis],
        ),
        Record::ReadUpToGone { account, conversation } => run(
            "DELETE FROM read_up_to WHERE account = ?1 AND conversation = ?2",
            params![account.0, conversation],
        ),
        Record::Ban(record) => ban(connection, record),
        Record::BanGone { pattern } => run("DELETE FROM bans WHERE pattern = ?1", params![pattern]),
    }
}

fn run(connection: &Connection, sql: &str, values: impl Params) -> Result<()> {
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

// What is replaced is updated, not deleted and inserted: with the row would go all that refers to it.

fn account(connection: &Connection, record: &AccountRecord) -> Result<()> {
    let AccountRecord { id, name, secret, made_millis } = record;
    let scram = secret.scram.as_ref();
    run(
        connection,
        "INSERT INTO accounts (id, name, hash, scram_salt, scram_iterations, scram_stored_key, scram_server_key, \
         made_millis) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
         hash = excluded.hash, scram_salt = excluded.scram_salt, scram_iterations = excluded.scram_iterations, \
         scram_stored_key = excluded.scram_stored_key, scram_server_key = excluded.scram_server_key",
        params![
            id.0,
            name,
            secret.hash,
            scram.map(|keys| keys.salt),
            scram.map(|keys| keys.iterations),
            scram.map(|keys| keys.stored_key),
            scram.map(|keys| keys.server_key),
            made_millis
        ],
    )
}

fn room(connection: &Connection, record: &RoomRecord) -> Result<()> {
    let RoomRecord { id, name, flags, password, occupants_max, subject, made_millis } = record;
    let subject = subject.as_ref();
    run(
        connection,
        "INSERT INTO rooms (id, name, flags, password, occupants_max, subject, subject_by, subject_author, subject_millis, \
         made_millis) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
         flags = excluded.flags, password = excluded.password, occupants_max = excluded.occupants_max, \
         subject = excluded.subject, subject_by = excluded.subject_by, \
         subject_author = excluded.subject_author, subject_millis = excluded.subject_millis",
        params![
            id.0,
            name,
            flags.bits(),
            password,
            occupants_max,
            subject.map(|subject| &subject.text),
            subject.map(|subject| &subject.by),
            subject.map(|subject| &subject.author),
            subject.map(|subject| subject.at_millis),
            made_millis
        ],
    )
}

fn member(connection: &Connection, record: &MemberRecord) -> Result<()> {
    let MemberRecord { room, account, affiliation, has_voice, muted, reserved, note } = record;
    let muted = muted.as_deref();
    run(
        connection,
        "INSERT OR REPLACE INTO members (room, account, affiliation, has_voice, reserved, by, reason, at_millis, \
         until_millis, muted_by, muted_reason, muted_at_millis, muted_until_millis) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            room.0,
            account.0,
            of_affiliation(*affiliation),
            has_voice,
            reserved,
            note.by,
            note.reason,
            note.at_millis,
            note.until_millis,
            muted.map(|muted| &muted.by),
            muted.map(|muted| &muted.reason),
            muted.map(|muted| muted.at_millis),
            muted.and_then(|muted| muted.until_millis)
        ],
    )
}

fn mask(connection: &Connection, record: &MaskRecord) -> Result<()> {
    let MaskRecord { room, list, mask, note } = record;
    run(
        connection,
        "INSERT OR REPLACE INTO masks (room, list, mask, by, reason, at_millis, until_millis) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![room.0, of_list(*list), mask, note.by, note.reason, note.at_millis, note.until_millis],
    )
}

fn ban(connection: &Connection, BanRecord { pattern, note }: &BanRecord) -> Result<()> {
    run(
        connection,
        "INSERT OR REPLACE INTO bans (pattern, by, reason, at_millis, until_millis) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![pattern, note.by, note.reason, note.at_millis, note.until_millis],
    )
}
