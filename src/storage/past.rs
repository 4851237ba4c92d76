//! What happened in rooms. Not a row for each thing, which would cost more than everything else that is done about a
//! message, but one for all that came in one transaction, as the bytes that the hub made of it: it is read by the page
//! anyway, and found by its words through an index of their own (`words`).

use super::words;
use crate::hub::happening::{Happening, happenings};
use crate::hub::record::{PastRecord, RoomId, Span};
use crate::hub::{HistoryLimits, MessageId};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use std::collections::HashMap;

/// Above every number that a column holds.
const LAST: i64 = i64::MAX;

/// How much there is of a room, so that what is too much is found without counting.
#[derive(Clone, Copy, Default)]
struct Amount {
    entries: usize,
    bytes: usize,
}

/// What rooms may keep, and what those have that were written to.
pub struct Bounds {
    limits: HistoryLimits,
    amounts: HashMap<(RoomId, bool), Amount>,
}

/// Rooms whose amounts are remembered; of more, all are counted anew.
const ROOMS_REMEMBERED_MAX: usize = 10_000;

impl Bounds {
    pub fn new(limits: HistoryLimits) -> Bounds {
        Bounds { limits, amounts: HashMap::new() }
    }

    /// How much rooms have is not known any more, and is counted anew.
    pub fn forget(&mut self) {
        self.amounts.clear();
    }

    /// Counts what is about to be written, and removes what a room then has too much. The oldest goes, by the row, and
    /// first: what is written next takes its pages. These are not erased before that, as those of what is retracted or
    /// too old are: to write each page once more for nothing else was half of what a busy room cost.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn make_room(&mut self, connection: &Connection, record: &PastRecord) -> Result<()> {
        let PastRecord { room, is_said, .. } = *record;
        if self.amounts.len() >= ROOMS_REMEMBERED_MAX {
            self.amounts.clear();
        }
        let before = match self.amounts.get(&(room, is_said)) {
            Some(&amount) => amount,
            None => amount_beside(connection, record)?,
        };
        let mut amount = plus(before, record.count, record.bytes.len());
        let mut rows = Vec::new();
        while let Some((row, entries, bytes)) = self.too_much(
            connection,
            (room, is_said),
            amount,
            rows.last().copied().unwrap_or(-1),
            record.last,
        )? {
            rows.push(row);
            amount.entries -= entries.min(amount.entries);
            amount.bytes -= bytes.min(amount.bytes);
        }
        if !rows.is_empty() {
            let is_erased = |how: &str| connection.pragma_update(None, "secure_delete", how);
            is_erased("FAST")?;
            let removed = remove(connection, room, &rows);
            is_erased("ON")?;
            removed?;
        }
        self.amounts.insert((room, is_said), amount);
        Ok(())
    }

    /// The oldest row behind that one, with how much it has, if the others are enough, or it is too old, or they are too
    /// big.
    fn too_much(
        &self,
        connection: &Connection,
        (room, is_said): (RoomId, bool),
        amount: Amount,
        behind: i64,
        newest: MessageId,
    ) -> Result<Option<(i64, usize, usize)>> {
        let HistoryLimits { messages_max, bytes_max, .. } = self.limits;
        let not_before = self.limits.not_before(newest.millis());
        // Most of the time nothing is, and so nothing is looked up. What is too old, the sweep finds as well.
        if amount.entries <= messages_max && amount.bytes <= bytes_max {
            return Ok(None);
        }
        let sql = "SELECT last, count, length(bytes) FROM past WHERE room = ?1 AND is_said = ?2 AND last > ?3 \
                   ORDER BY last LIMIT 1";
        let mut statement = connection.prepare_cached(sql)?;
        let read =
            |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, usize>(1)?, row.get::<_, usize>(2)?));
        let oldest = statement.query_row(params![room.0, is_said, behind], read).optional()?;
        Ok(oldest.filter(|&(last, entries, _)| {
            last < newest.0 as i64
                && (amount.entries - entries.min(amount.entries) >= messages_max
                    || amount.bytes > bytes_max
                    || (last as u64) < not_before.0)
        }))
    }

    /// Removes what is too old, of all rooms.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn sweep(&mut self, connection: &Connection, now_millis: u64) -> Result<()> {
        let not_before = self.limits.not_before(now_millis);
        let mut statement = connection.prepare("SELECT room, last FROM past WHERE last < ?1")?;
        let read = |row: &Row<'_>| Ok((RoomId(row.get(0)?), row.get::<_, i64>(1)?));
        let old: Vec<(RoomId, i64)> =
            statement.query_map(params![not_before.0], read)?.collect::<Result<_>>()?;
        for (room, last) in old {
            remove(connection, room, &[last])?;
        }
        self.forget();
        Ok(())
    }
}

fn plus(amount: Amount, entries: usize, bytes: usize) -> Amount {
    Amount { entries: amount.entries + entries, bytes: amount.bytes + bytes }
}

/// How much there is beside this one, which may be there already if the disk said that it is not.
fn amount_beside(connection: &Connection, record: &PastRecord) -> Result<Amount> {
    let sql = "SELECT coalesce(sum(count), 0), coalesce(sum(length(bytes)), 0) FROM past \
               WHERE room = ?1 AND is_said = ?2 AND last <> ?3";
    let read = |row: &Row<'_>| Ok(Amount { entries: row.get(0)?, bytes: row.get(1)? });
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![record.room.0, record.is_said, record.last.0], read)
}

/// Writes what happened.
///
/// # Errors
/// Those of SQLite.
pub fn write(connection: &Connection, record: &PastRecord) -> Result<()> {
    let PastRecord { room, is_said, first, last, count, bytes } = record;
    let sql = "INSERT INTO past (last, room, is_said, first, count, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT (last) DO NOTHING";
    // What was saved although the disk said it was not, is there when it is tried again.
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![last.0, room.0, is_said, first.0, count, bytes]).map(drop)
}

/// Removes everything of a room that happened before this one.
///
/// # Errors
/// Those of SQLite.
pub fn end(connection: &Connection, room: RoomId, before: MessageId) -> Result<()> {
    let sql = "SELECT last FROM past WHERE room = ?1 AND last < ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![room.0, before.0], |row| row.get::<_, i64>(0))?;
    let rows: Vec<i64> = rows.collect::<Result<_>>()?;
    remove(connection, room, &rows)
}

/// Removes everything of a room.
///
/// # Errors
/// Those of SQLite.
pub fn end_all(connection: &Connection, room: RoomId) -> Result<()> {
    end(connection, room, MessageId(LAST as u64))?;
    connection.prepare_cached("DELETE FROM found WHERE room = ?1")?.execute([room.0]).map(drop)
}

/// Removes rows, and their words from the index.
fn remove(connection: &Connection, room: RoomId, rows: &[i64]) -> Result<()> {
    let upto = words::found_upto(connection, room)?;
    for &row in rows {
        // Nothing of what most rooms have is in the index, and need not be read for that.
        let indexed: Option<Vec<u8>> = connection
            .prepare_cached("SELECT bytes FROM past WHERE last = ?1 AND first <= ?2")?
            .query_row([row, upto], |row| row.get(0))
            .optional()?;
        if let Some(bytes) = indexed {
            words::remove(connection, room, &bytes)?;
        }
        connection.prepare_cached("DELETE FROM past WHERE last = ?1")?.execute([row])?;
    }
    Ok(())
}

/// What was said is not there any more; that it was stays.
///
/// # Errors
/// Those of SQLite.
pub fn retract(connection: &Connection, room: RoomId, id: MessageId, by: &str, reason: &str) -> Result<()> {
    let Some((row, bytes)) = row_of(connection, room, id)? else { return Ok(()) };
    let mut changed = Vec::with_capacity(bytes.len());
    for happening in happenings(&bytes) {
        if happening.view.id == id && happening.view.retracted.is_none() {
            let mut one = Vec::new();
            happening.encode(&mut one);
            words::remove(connection, room, &one)?;
            happening.retracted(by, reason).encode(&mut changed);
        } else {
            happening.encode(&mut changed);
        }
    }
    let mut statement = connection.prepare_cached("UPDATE past SET bytes = ?2 WHERE last = ?1")?;
    statement.execute(params![row, changed]).map(drop)
}

/// The row of messages in which this one is, if it is there.
fn row_of(connection: &Connection, room: RoomId, id: MessageId) -> Result<Option<(i64, Vec<u8>)>> {
    let sql = "SELECT last, bytes, first FROM past WHERE room = ?1 AND is_said AND last >= ?2 ORDER BY last LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, u64>(2)?));
    let found: Option<(i64, Vec<u8>, u64)> = statement.query_row(params![room.0, id.0], read).optional()?;
    Ok(found.filter(|(.., first)| *first <= id.0).map(|(row, bytes, _)| (row, bytes)))
}

/// A part of what happened, in its order.
///
/// # Errors
/// Those of SQLite.
pub fn read(connection: &Connection, room: RoomId, spans: &[Span]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for span in spans {
        let mut found = read_log(connection, room, span, true)?;
        if !span.said_only {
            found.extend(read_log(connection, room, span, false)?);
            found.sort_unstable_by_key(|&(id, _)| id);
        }
        let over = found.len().saturating_sub(span.limit);
        let wanted = if span.newest { found.get(over..) } else { found.get(..found.len() - over) };
        wanted.into_iter().flatten().for_each(|(_, one)| bytes.extend_from_slice(one));
    }
    Ok(bytes)
}

/// At least as much of one log as the span has of it; more where a row has more.
fn read_log(
    connection: &Connection,
    room: RoomId,
    span: &Span,
    is_said: bool,
) -> Result<Vec<(MessageId, Vec<u8>)>> {
    let Span { after, before, newest, limit, .. } = *span;
    let (after, before) = (after.map_or(-1, number), before.map_or(LAST, number));
    let order = if newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT bytes FROM past WHERE room = ?1 AND is_said = ?2 AND last > ?3 AND first < ?4 ORDER BY last {order}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![room.0, is_said, after, before])?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let bytes: Vec<u8> = row.get(0)?;
        let is_within = |happening: &Happening<'_>| (after + 1..before).contains(&number(happening.view.id));
        for happening in happenings(&bytes).filter(is_within) {
            let mut one = Vec::new();
            happening.encode(&mut one);
            found.push((happening.view.id, one));
        }
    }
    found.sort_unstable_by_key(|&(id, _)| id);
    Ok(found)
}

/// As a column has it.
fn number(id: MessageId) -> i64 {
    i64::try_from(id.0).unwrap_or(LAST)
}

/// These messages, in this order, as far as they are there.
///
/// # Errors
/// Those of SQLite.
pub fn read_each(connection: &Connection, room: RoomId, ids: &[MessageId]) -> Result<Vec<u8>> {
    let mut found = Vec::new();
    for &id in ids {
        let Some((_, bytes)) = row_of(connection, room, id)? else { continue };
        if let Some(happening) = happenings(&bytes).find(|happening| happening.view.id == id) {
            happening.encode(&mut found);
        }
    }
    Ok(found)
}

/// Messages of a room from this one on, by the row, for whoever makes an index of them.
///
/// # Errors
/// Those of SQLite.
pub fn rows_behind(
    connection: &Connection,
    room: RoomId,
    last: i64,
    limit: usize,
) -> Result<Vec<(i64, Vec<u8>)>> {
    let sql = "SELECT last, bytes FROM past WHERE room = ?1 AND is_said AND last > ?2 ORDER BY last LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![room.0, last, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
