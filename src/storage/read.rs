//! Records, read back: all that the hub keeps in memory when the server starts, and what it asks for later.

use super::numbers::{SAID_MAX, affiliation, list, past};
use crate::hub::record::{
    AccountId, AccountRecord, BanRecord, Fetch, Fetched, MaskRecord, MemberRecord, Note, PastRecord, Record,
    Retraction, RoomId, RoomRecord, ScramKeys, Secret, Span, SubjectRecord,
};
use crate::hub::{Flags, Host, MessageId};
use rusqlite::types::{FromSql, FromSqlError, Type};
use rusqlite::{Connection, Error, Result, Row, params};

/// Reads accounts, rooms, and what they are to each other: everything but what happened in rooms. What refers to
/// something comes after it.
///
/// # Errors
/// Those of SQLite, or a row that this version cannot understand.
pub fn load(connection: &Connection, mut each: impl FnMut(Record)) -> Result<()> {
    type Reader = fn(&Row<'_>) -> Result<Record>;
    let tables: [(&str, Reader); 5] = [
        (
            "SELECT id, name, hash, scram_salt, scram_iterations, scram_stored_key, scram_server_key, made_millis \
             FROM accounts",
            |row| account(row).map(Record::Account),
        ),
        (
            "SELECT id, name, flags, password, occupants_max, subject, subject_by, subject_author, subject_millis, \
             made_millis FROM rooms",
            |row| room(row).map(Record::Room),
        ),
        (
            "SELECT room, account, affiliation, has_voice, is_muted, reserved, by, reason, at_millis, until_millis \
             FROM members",
            |row| member(row).map(Record::Member),
        ),
        ("SELECT room, list, mask, by, reason, at_millis, until_millis FROM masks", |row| {
            mask(row).map(Record::Mask)
        }),
        ("SELECT pattern, by, reason, at_millis, until_millis FROM bans", |row| ban(row).map(Record::Ban)),
    ];
    for (sql, read) in tables {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(read(row)?);
        }
    }
    Ok(())
}

/// The highest number of anything that happened, so that the next one is higher.
///
/// # Errors
/// Those of SQLite.
pub fn last_message(connection: &Connection) -> Result<Option<MessageId>> {
    connection
        .query_row("SELECT max(id) FROM past", [], |row| Ok(row.get::<_, Option<u64>>(0)?.map(MessageId)))
}

/// What the hub asks for later.
pub fn fetch(connection: &Connection, wanted: &Fetch) -> Fetched {
    let found = match wanted {
        Fetch::Past { room, span } => past_of(connection, *room, span).map(Fetched::Past),
        Fetch::Search { room, words, before, limit } => {
            search(connection, *room, words, *before, *limit).map(Fetched::Past)
        }
        Fetch::ReadUpTo { account, conversation } => {
            read_up_to(connection, *account, conversation).map(Fetched::ReadUpTo)
        }
    };
    found.unwrap_or_else(|error| Fetched::Failed(error.to_string().into()))
}

const PAST: &str = "past.id, room, what, account, by, username, host, shown_account, past.text, tags, retracted_by, \
                    retracted_reason";

fn past_of(connection: &Connection, room: RoomId, span: &Span) -> Result<Vec<PastRecord>> {
    let Span { after, before, newest, limit, said_only } = *span;
    let order = if newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT {PAST} FROM past WHERE room = ?1 AND id > ?2 AND id < ?3 AND what <= ?4 ORDER BY id {order} LIMIT ?5"
    );
    let values = params![
        room.0,
        after.map_or(0, |id| id.0),
        before.map_or(i64::MAX as u64, |id| id.0),
        if said_only { SAID_MAX } else { i64::MAX },
        limit
    ];
    let mut found = collect(connection, &sql, values)?;
    if newest {
        found.reverse();
    }
    Ok(found)
}

fn search(
    connection: &Connection,
    room: RoomId,
    words: &str,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Vec<PastRecord>> {
    let wanted = phrases(words);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {PAST} FROM words JOIN past ON past.id = words.rowid WHERE words MATCH ?1 AND room = ?2 \
         AND words.rowid < ?3 ORDER BY words.rowid DESC LIMIT ?4"
    );
    let values = params![wanted, room.0, before.map_or(i64::MAX as u64, |id| id.0), limit];
    collect(connection, &sql, values)
}

/// Words as FTS5 takes them: each of them as it is, all of them wanted. What would be its syntax is none.
fn phrases(words: &str) -> String {
    let quoted = words.split_whitespace().map(|word| format!("\"{}\"", word.replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(" ")
}

fn read_up_to(connection: &Connection, account: AccountId, conversation: &str) -> Result<Option<u64>> {
    let sql = "SELECT at_millis FROM read_up_to WHERE account = ?1 AND conversation = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![account.0, conversation])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

fn collect(connection: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<Vec<PastRecord>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(values, past_record)?.collect()
}

fn account(row: &Row<'_>) -> Result<AccountRecord> {
    let scram = match row.get(3)? {
        None => None,
        Some(salt) => Some(ScramKeys {
            salt,
            iterations: row.get(4)?,
            stored_key: row.get(5)?,
            server_key: row.get(6)?,
        }),
    };
    let secret = Secret { hash: row.get(2)?, scram };
    Ok(AccountRecord { id: AccountId(row.get(0)?), name: row.get(1)?, secret, made_millis: row.get(7)? })
}

fn room(row: &Row<'_>) -> Result<RoomRecord> {
    let subject = match row.get(5)? {
        None => None,
        Some(text) => {
            Some(SubjectRecord { text, by: row.get(6)?, author: row.get(7)?, at_millis: row.get(8)? })
        }
    };
    Ok(RoomRecord {
        id: RoomId(row.get(0)?),
        name: row.get(1)?,
        flags: known(row, 2, Flags::from_bits)?,
        password: row.get(3)?,
        occupants_max: row.get(4)?,
        subject,
        made_millis: row.get(9)?,
    })
}

fn member(row: &Row<'_>) -> Result<MemberRecord> {
    Ok(MemberRecord {
        room: RoomId(row.get(0)?),
        account: AccountId(row.get(1)?),
        affiliation: known(row, 2, affiliation)?,
        has_voice: row.get(3)?,
        is_muted: row.get(4)?,
        reserved: row.get(5)?,
        note: note(row, 6)?,
    })
}

fn mask(row: &Row<'_>) -> Result<MaskRecord> {
    let (room, list) = (RoomId(row.get(0)?), known(row, 1, list)?);
    Ok(MaskRecord { room, list, mask: row.get(2)?, note: note(row, 3)? })
}

fn ban(row: &Row<'_>) -> Result<BanRecord> {
    Ok(BanRecord { pattern: row.get(0)?, note: note(row, 1)? })
}

fn past_record(row: &Row<'_>) -> Result<PastRecord> {
    let host: [u8; 15] = row.get(6)?;
    let part = |at: usize| std::array::from_fn(|n| host.get(at * 5 + n).copied().unwrap_or(0));
    let retracted = match row.get(10)? {
        None => None,
        Some(by) => Some(Retraction { by, reason: row.get(11)? }),
    };
    Ok(PastRecord {
        id: MessageId(row.get(0)?),
        room: RoomId(row.get(1)?),
        what: known(row, 2, past)?,
        account: row.get::<_, Option<u64>>(3)?.map(AccountId),
        by: row.get(4)?,
        username: row.get(5)?,
        host: Host { address: part(0), network: part(1), wider: part(2) },
        shown_account: row.get(7)?,
        text: row.get(8)?,
        tags: row.get(9)?,
        retracted,
    })
}

/// Four columns from `at` on.
fn note(row: &Row<'_>, at: usize) -> Result<Note> {
    Ok(Note {
        by: row.get(at)?,
        reason: row.get(at + 1)?,
        at_millis: row.get(at + 2)?,
        until_millis: row.get(at + 3)?,
    })
}

/// A column whose numbers have meanings.
fn known<N: FromSql + Copy + Into<i64>, T>(
    row: &Row<'_>,
    at: usize,
    meaning: impl Fn(N) -> Option<T>,
) -> Result<T> {
    let number: N = row.get(at)?;
    let unknown = || {
        Error::FromSqlConversionFailure(at, Type::Integer, Box::new(FromSqlError::OutOfRange(number.into())))
    };
    meaning(number).ok_or_else(unknown)
}
