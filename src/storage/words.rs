//! The words of messages, so that these are found by them (FTS5). The index is made when somebody searches a room, of
//! what was said there since the last time: most of what people say nobody ever searches, and to index it costs more
//! than to write it down.
//!
//! The index has no text of its own (it is *contentless*), so that what is removed has to be told with its words, and
//! exactly what was put is. `found` says up to which message of a room that has been done.

use super::past;
use crate::hub::happening::happenings;
use crate::hub::record::{Past, RoomId};
use crate::hub::{Form, MessageId};
use rusqlite::{Connection, OptionalExtension, Result, params};

/// Rows of messages that are put into the index in one transaction.
const ROWS_MAX: usize = 256;

/// Puts what was said into the index, up to now, in steps.
///
/// # Errors
/// Those of SQLite.
pub fn catch_up(connection: &Connection, room: RoomId) -> Result<()> {
    loop {
        let transaction = connection.unchecked_transaction()?;
        let upto = found_upto(connection, room)?;
        let rows = past::rows_behind(connection, room, upto, ROWS_MAX)?;
        for (_, bytes) in &rows {
            for (id, text) in texts(bytes) {
                let mut put =
                    connection.prepare_cached("INSERT INTO words (rowid, room, text) VALUES (?1, ?2, ?3)")?;
                put.execute(params![id.0, key(room), text])?;
            }
        }
        let Some((last, _)) = rows.last() else { return Ok(()) };
        connection
            .prepare_cached("INSERT OR REPLACE INTO found (room, upto) VALUES (?1, ?2)")?
            .execute(params![room.0, last])?;
        transaction.commit()?;
    }
}

/// Messages with all of these words in them, the latest first.
///
/// # Errors
/// Those of SQLite.
pub fn search(
    connection: &Connection,
    room: RoomId,
    words: &str,
    (from, before): (MessageId, Option<MessageId>),
    limit: usize,
) -> Result<Vec<u8>> {
    let wanted = phrases(words);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    catch_up(connection, room)?;
    let sql = "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid >= ?2 AND rowid < ?3 ORDER BY rowid DESC LIMIT ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let wanted = format!("room : \"{}\" AND text : ({wanted})", key(room));
    let before = before.map_or(i64::MAX, |id| i64::try_from(id.0).unwrap_or(i64::MAX));
    let rows =
        statement.query_map(params![wanted, from.0, before, limit], |row| row.get(0).map(MessageId))?;
    let ids: Vec<MessageId> = rows.collect::<Result<_>>()?;
    past::read_each(connection, room, &ids)
}

/// Removes messages from the index that are in these bytes, as far as they are in it.
///
/// # Errors
/// Those of SQLite.
pub fn remove(connection: &Connection, room: RoomId, bytes: &[u8]) -> Result<()> {
    let upto = found_upto(connection, room)?;
    for (id, text) in texts(bytes).filter(|(id, _)| i64::try_from(id.0).is_ok_and(|id| id <= upto)) {
        let sql = "INSERT INTO words (words, rowid, room, text) VALUES ('delete', ?1, ?2, ?3)";
        connection.prepare_cached(sql)?.execute(params![id.0, key(room), text])?;
    }
    Ok(())
}

/// Up to which message of a room the index is made.
///
/// # Errors
/// Those of SQLite.
pub fn found_upto(connection: &Connection, room: RoomId) -> Result<i64> {
    let mut statement = connection.prepare_cached("SELECT upto FROM found WHERE room = ?1")?;
    Ok(statement.query_row([room.0], |row| row.get(0)).optional()?.unwrap_or(-1))
}

/// The messages in these bytes that people read, and that are still to be read.
fn texts(bytes: &[u8]) -> impl Iterator<Item = (MessageId, &str)> {
    let views = happenings(bytes).map(|happening| happening.view);
    let said = views.filter(|view| matches!(view.what, Past::Said(Form::Message | Form::Notice)));
    said.filter(|view| view.retracted.is_none()).map(|view| (view.id, view.text))
}

/// A room as a word.
fn key(room: RoomId) -> String {
    format!("room{}", room.0)
}

/// Words as FTS5 takes them: each of them as it is, all of them wanted. What would be its syntax is none.
fn phrases(words: &str) -> String {
    let quoted = words.split_whitespace().map(|word| format!("\"{}\"", word.replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(" AND ")
}
