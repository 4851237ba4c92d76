//! The tables, and how one version of them becomes the next.

use rusqlite::{Connection, Result, TransactionBehavior};

/// What the file says that it is (`PRAGMA application_id`): "SwBd".
pub const APPLICATION_ID: i32 = 0x5377_4264;

/// One step for each version, from an empty file on. What was released is never changed; what is to be different is
/// another step.
const STEPS: &[&str] = &[V1];

/// The version that this program writes (`PRAGMA user_version`).
pub const VERSION: i32 = STEPS.len() as i32;

const V1: &str = "
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    scram_salt BLOB,
    scram_iterations INTEGER,
    scram_stored_key BLOB,
    scram_server_key BLOB,
    made_millis INTEGER NOT NULL
) STRICT;
CREATE TABLE rooms (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    flags INTEGER NOT NULL,
    password TEXT,
    occupants_max INTEGER,
    subject TEXT,
    subject_by TEXT,
    subject_author TEXT,
    subject_millis INTEGER,
    made_millis INTEGER NOT NULL
) STRICT;
CREATE TABLE members (
    room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    affiliation INTEGER NOT NULL,
    has_voice INTEGER NOT NULL,
    reserved TEXT,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_millis INTEGER NOT NULL,
    until_millis INTEGER,
    muted_by TEXT,
    muted_reason TEXT,
    muted_at_millis INTEGER,
    muted_until_millis INTEGER,
    PRIMARY KEY (room, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_account ON members (account);
CREATE TABLE masks (
    room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    list INTEGER NOT NULL,
    mask TEXT NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_millis INTEGER NOT NULL,
    until_millis INTEGER,
    PRIMARY KEY (room, list, mask)
) STRICT, WITHOUT ROWID;
CREATE TABLE past (
    last INTEGER PRIMARY KEY,
    room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    is_said INTEGER NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE INDEX past_of_room ON past (room, is_said, last);
CREATE VIRTUAL TABLE words USING fts5 (room, text, content='', tokenize='unicode61 remove_diacritics 0');
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
CREATE TABLE found (
    room INTEGER PRIMARY KEY REFERENCES rooms ON DELETE CASCADE,
    upto INTEGER NOT NULL
) STRICT;
CREATE TABLE read_up_to (
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    conversation TEXT NOT NULL,
    at_millis INTEGER NOT NULL,
    PRIMARY KEY (account, conversation)
) STRICT, WITHOUT ROWID;
CREATE TABLE bans (
    pattern TEXT PRIMARY KEY,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_millis INTEGER NOT NULL,
    until_millis INTEGER
) STRICT, WITHOUT ROWID;
";

/// Brings the tables from the version that they have to [`VERSION`], all of it or nothing.
///
/// # Errors
/// Those of SQLite; the file is as it was then.
pub fn migrate(connection: &mut Connection, from: i32) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(usize::try_from(from).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
