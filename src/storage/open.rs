//! Opening the database: whose file it is, whether it is whole, and whether somebody else has it.

use super::schema::{APPLICATION_ID, VERSION, migrate};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The database in its directory. SQLite has two more files beside it while it is open.
pub const FILE: &str = "switchboard.db";

/// Held while a server runs, so that a second one does not write the same database. It is empty, and stays.
const LOCK: &str = "switchboard.lock";

/// Statements that are kept prepared: as many as there are kinds of them.
const STATEMENTS_KEPT: usize = 48;

/// What a file of SQLite begins with (its file format, §1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const USER_VERSION_AT: usize = 60;
const APPLICATION_ID_AT: usize = 68;

/// An open database that is whole and of this version.
pub struct Database {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// Released when the process ends, however it does.
    _lock: File,
}

/// Why a server does not start. Nothing was changed.
#[derive(Debug)]
pub enum OpenError {
    /// The directory cannot be made, or the files in it not be opened.
    Io {
        path: PathBuf,
        error: io::Error,
    },
    /// Another server has it.
    Locked {
        directory: PathBuf,
    },
    /// It is no database, or none of ours.
    Foreign {
        path: PathBuf,
    },
    /// A later version of this program wrote it.
    Newer {
        path: PathBuf,
        version: i32,
    },
    /// It is damaged; `what` is what SQLite finds.
    Damaged {
        path: PathBuf,
        what: String,
    },
    Sqlite {
        path: PathBuf,
        error: rusqlite::Error,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Io { path, error } => write!(
                f,
                "{} cannot be used: {error}; name another directory with --data-dir, or keep nothing with --ephemeral",
                path.display()
            ),
            OpenError::Locked { directory } => write!(
                f,
                "another server uses {} already; end it, or name another directory with --data-dir",
                directory.display()
            ),
            OpenError::Foreign { path } => write!(
                f,
                "{} is no database of this program, and is left as it is; move it away, or name another directory with \
                 --data-dir",
                path.display()
            ),
            OpenError::Newer { path, version } => write!(
                f,
                "{} was written by a later version of this program (it has version {version}, and this one knows \
                 {VERSION}), and is left as it is; run that version",
                path.display()
            ),
            OpenError::Damaged { path, what } => write!(
                f,
                "{} is damaged ({what}), and is left as it is; put a backup in its place, or save what `sqlite3 FILE \
                 .recover` finds",
                path.display()
            ),
            OpenError::Sqlite { path, error } => write!(f, "{} cannot be opened: {error}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}

impl Database {
    /// Opens the database of a directory, and makes both where there are none.
    ///
    /// # Errors
    /// [`OpenError`], a sentence for whoever started the server. A file that is not ours, not whole, or too new is left
    /// as it was.
    pub fn open(directory: &Path) -> Result<Database, OpenError> {
        let of_directory = |error| OpenError::Io { path: directory.to_owned(), error };
        make_directory(directory).map_err(of_directory)?;
        let lock = lock(directory)?;
        let path = directory.join(FILE);
        let is_new = !look_at(&path)?;
        let beside = [beside(&path, "-wal"), beside(&path, "-shm")];
        let was_there = beside.each_ref().map(|path| path.exists());
        let opened = Self::open_file(path, is_new, lock);
        if opened.is_err() {
            // What SQLite has laid beside it, in order to look at it, holds nothing.
            for (path, _) in beside.iter().zip(was_there).filter(|(_, was_there)| !was_there) {
                let _ = fs::remove_file(path);
            }
        }
        opened
    }

    fn open_file(path: PathBuf, is_new: bool, lock: File) -> Result<Database, OpenError> {
        let failed = |error| refused(&path, error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | if is_new { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
        if is_new {
            make_private(&path).map_err(|error| OpenError::Io { path: path.clone(), error })?;
        }
        let mut connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
        // Until it is known to be whole, closing it must not write what is beside it into it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
        let version: i32 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
        if version > VERSION {
            return Err(OpenError::Newer { path, version });
        }
        if !is_new {
            check(&connection, &path)?;
        }
        set_up(&connection).map_err(failed)?;
        if version < VERSION {
            migrate(&mut connection, version).map_err(failed)?;
        }
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(failed)?;
        Ok(Database { connection, path, _lock: lock })
    }

    /// The secret of this name. It is `fresh` where there is none yet, and the same from then on.
    ///
    /// # Errors
    /// A sentence: it cannot be written, or not be read.
    pub fn secret(&self, name: &str, fresh: &[u8; 32]) -> Result<[u8; 32], String> {
        let put = "INSERT OR IGNORE INTO secrets (name, value) VALUES (?1, ?2)";
        let put = self.connection.execute(put, params![name, fresh]);
        let take = |_| {
            let take = "SELECT value FROM secrets WHERE name = ?1";
            self.connection.query_row(take, [name], |row| row.get(0))
        };
        put.and_then(take).map_err(|error| format!("{}: no secret can be kept: {error}", self.path.display()))
    }

    /// One of no file, which is gone with the process.
    ///
    /// # Errors
    /// Those of SQLite.
    #[cfg(test)]
    pub fn in_memory() -> rusqlite::Result<Connection> {
        let mut connection = Connection::open_in_memory()?;
        set_up(&connection)?;
        migrate(&mut connection, 0)?;
        Ok(connection)
    }
}

/// Settings of a connection.
pub(super) fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Plans are made once, not anew for the values of each transaction.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit returns when it is on the disk: what was confirmed survives a loss of power as well.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What was retracted is not left in free pages.
    connection.pragma_update(None, "secure_delete", true)
}

fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// A file of SQLite's own.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Passwords are in it, if only as hashes: nobody else is to read it. SQLite gives the files beside it the same rights.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()), // it is there, and empty
        result => result.map(drop),
    }
}

fn lock(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join(LOCK);
    let failed = |error| OpenError::Io { path: path.clone(), error };
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { directory: directory.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Looks at the file without SQLite, which would write beside it. Whether there is something in it.
fn look_at(path: &Path) -> Result<bool, OpenError> {
    let failed = |error| OpenError::Io { path: path.to_owned(), error };
    let mut head = Vec::new();
    match File::open(path) {
        Ok(file) => _ = file.take(100).read_to_end(&mut head).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(error)),
    }
    if head.is_empty() {
        return Ok(false); // it was made, and the process ended
    }
    let number =
        |at: usize| head.get(at..at + 4).and_then(|bytes| Some(i32::from_be_bytes(bytes.try_into().ok()?)));
    let (Some(application), Some(version)) = (number(APPLICATION_ID_AT), number(USER_VERSION_AT)) else {
        return Err(OpenError::Foreign { path: path.to_owned() });
    };
    // An empty database has neither yet: the process ended before the tables were in the file itself.
    let is_ours = application == APPLICATION_ID || (application, version) == (0, 0);
    if !head.starts_with(MAGIC) || !is_ours {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    if version > VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), version });
    }
    Ok(true)
}

/// Reads all of it (`PRAGMA quick_check`: everything but whether indexes agree with their tables).
fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let damaged = |what: String| OpenError::Damaged { path: path.to_owned(), what };
    let found: String = connection
        .pragma_query_value(None, "quick_check", |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if found == "ok" {
        return Ok(());
    }
    // Before what is wrong stands where, of which there is but one.
    let what = found.lines().find(|line| !line.starts_with("***")).unwrap_or("unknown");
    Err(damaged(what.to_owned()))
}

fn refused(path: &Path, error: rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => {
            OpenError::Damaged { path: path.to_owned(), what: error.to_string() }
        }
        _ => OpenError::Sqlite { path: path.to_owned(), error },
    }
}
