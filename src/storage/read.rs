//! Records, read back: all that the hub keeps in memory when the server starts, and what it asks for later.

use super::numbers::{affiliation, list};
use super::{past, words};
use crate::hub::record::{
    AccountId, AccountRecord, BanRecord, Fetch, Fetched, Given, MaskRecord, MemberRecord, Note, Record,
    RoomId, RoomRecord, ScramKeys, Secret, SubjectRecord,
};
use crate::hub::{Flags, MessageId};
use rusqlite::types::{FromSql, FromSqlError, Type};
use rusqlite::{Connection, Error, Result, Row};

/// Reads accounts, rooms, and what they are to each other: everything but what happened in rooms. What refers to
/// something comes after it.
///
/// # Errors
/// Those of SQLite, or a row that this version cannot understand.
pub fn load(connection: &Connection, mut each: impl FnMut(Record)) -> Result<()> {
    type Reader = fn(&Row<'_>) -> Result<Record>;
    let tables: [(&str, Reader); 6] = [
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
            "SELECT room, account, affiliation, has_voice, reserved, by, reason, at_millis, until_millis, muted_by, muted_reason, \
             muted_at_millis, muted_until_millis \
             FROM members",
            |row| member(row).map(Record::Member),
        ),
        ("SELECT room, list, mask, by, reason, at_millis, until_millis FROM masks", |row| {
            mask(row).map(Record::Mask)
        }),
        ("SELECT pattern, by, reason, at_millis, until_millis FROM bans", |row| ban(row).map(Record::Ban)),
        ("SELECT room, max(last) FROM past WHERE is_said GROUP BY room", |row| {
            Ok(Record::LatestSaid { room: RoomId(row.get(0)?), id: MessageId(row.get(1)?) })
        }),
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

/// The highest numbers that were given. Those of accounts and rooms are remembered by SQLite (`AUTOINCREMENT`).
///
/// # Errors
/// Those of SQLite.
pub fn given(connection: &Connection) -> Result<Given> {
    let highest = |sql| connection.query_row(sql, [], |row| row.get::<_, Option<u64>>(0));
    let account = highest("SELECT max(seq) FROM sqlite_sequence WHERE name = 'accounts'")?;
    let room = highest("SELECT max(seq) FROM sqlite_sequence WHERE name = 'rooms'")?;
    let message = highest("SELECT max(last) FROM past")?;
    Ok(Given {
        account: AccountId(account.unwrap_or_default()),
        room: RoomId(room.unwrap_or_default()),
        message: MessageId(message.unwrap_or_default()),
    })
}

/// What the hub asks for later.
pub fn fetch(connection: &Connection, wanted: &Fetch) -> Fetched {
    let found = match wanted {
        Fetch::Past { room, spans } => past::read(connection, *room, spans).map(Fetched::Past),
        Fetch::Search { room, words, from, before, limit } => {
            words::search(connection, *room, words, (*from, *before), *limit).map(Fetched::Past)
        }
        Fetch::ReadUpTo { account } => read_up_to(connection, *account).map(Fetched::ReadUpTo),
    };
    found.unwrap_or_else(|error| Fetched::Failed(error.to_string().into()))
}

fn read_up_to(connection: &Connection, account: AccountId) -> Result<Vec<(Box<str>, u64)>> {
    let sql = "SELECT conversation, at_millis FROM read_up_to WHERE account = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map([account.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
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
        reserved: row.get(4)?,
        note: note(row, 5)?,
        muted: row.get::<_, Option<Box<str>>>(9)?.map(|_| note(row, 9).map(Box::new)).transpose()?,
    })
}

fn mask(row: &Row<'_>) -> Result<MaskRecord> {
    let (room, list) = (RoomId(row.get(0)?), known(row, 1, list)?);
    Ok(MaskRecord { room, list, mask: row.get(2)?, note: note(row, 3)? })
}

fn ban(row: &Row<'_>) -> Result<BanRecord> {
    Ok(BanRecord { pattern: row.get(0)?, note: note(row, 1)? })
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
