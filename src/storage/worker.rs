//! The thread that reads and writes the database, and the near side of it.
//!
//! Records that come within a moment are one transaction, so that a thousand of them cost one wait for the disk. What
//! cannot be committed, because the disk is full or failing, is kept in order and tried again: memory and disk come
//! together once that is over. Until then nothing more than the bounds is taken.

use super::open::{Database, set_up};
use super::read::{fetch, last_message, load};
use super::write::write;
use crate::hub::MessageId;
use crate::hub::record::{Fetch, Fetched, Record};
use log::error;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Transactions begin at most so often, unless there are many rows.
const COMMIT_EVERY: Duration = Duration::from_millis(5);

/// So many rows are not kept waiting.
const ROWS_MAX: usize = 256;

/// Records that may wait for the disk, and what they may hold, in bytes. They fill up when the disk fails or cannot keep
/// up; then the server refuses what has to last.
const WAITING_MAX: u64 = 16_384;
const WAITING_BYTES_MAX: usize = 16 << 20;

/// How long until what failed is tried again; twice as long each time, up to the second.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LAST: Duration = Duration::from_secs(5);

/// Numbers the records, in the order in which they were put.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Sequence(pub u64);

/// What storage says.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// All records up to this one are on the disk; `bytes` of those that waited.
    Committed { upto: Sequence, bytes: usize },
    /// Nothing can be written, for this reason; what waits is tried again.
    Failing { error: String },
    /// To the question of this number.
    Fetched { number: u64, fetched: Fetched },
    /// The database is closed, after [`Storage::end`].
    Ended,
}

/// Why a record is not taken: storage fails, or too many wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused;

/// The near side. Never waits.
pub struct Storage {
    /// None after the end.
    jobs: Option<Sender<Job>>,
    put: Sequence,
    committed: Sequence,
    waiting_bytes: usize,
    failing: Option<String>,
}

enum Job {
    Write { record: Record, bytes: usize },
    Fetch { number: u64, what: Fetch },
}

impl Storage {
    /// Gives every record that the hub keeps in memory to `each`, and starts the thread. Answers go to `answer`, on that
    /// thread; when it returns `false`, nobody listens any more, and the thread ends. Also returns the number of the
    /// last message.
    ///
    /// # Errors
    /// A sentence: the database cannot be read, or there is no thread.
    pub fn start(
        database: Database,
        each: impl FnMut(Record),
        answer: impl Fn(Answer) -> bool + Send + 'static,
    ) -> Result<(Storage, Option<MessageId>), String> {
        let unreadable = |error| format!("{} cannot be read: {error}", database.path.display());
        load(&database.connection, each).map_err(unreadable)?;
        let last = last_message(&database.connection).map_err(unreadable)?;
        let (jobs, to_do) = channel();
        let work = move || {
            let answer = Worker::new(database, answer).run(&to_do);
            answer(Answer::Ended)
        };
        thread::Builder::new()
            .name("storage".to_owned())
            .spawn(work)
            .map_err(|error| format!("there is no thread for storage: {error}"))?;
        let zero = Sequence::default();
        Ok((Storage { jobs: Some(jobs), put: zero, committed: zero, waiting_bytes: 0, failing: None }, last))
    }

    /// Whether what has to last can be taken. Not when the bounds are near: what people say has the rest.
    pub fn takes(&self) -> bool {
        self.failing.is_none()
            && self.waiting() < WAITING_MAX / 2
            && self.waiting_bytes < WAITING_BYTES_MAX / 2
    }

    /// Why nothing can be written, while that is so.
    pub fn failing(&self) -> Option<&str> {
        self.failing.as_deref()
    }

    /// Has it written, and says so with [`Answer::Committed`].
    ///
    /// # Errors
    /// [`Refused`] beyond the bounds; while storage fails, it is taken as long as there is room.
    pub fn put(&mut self, record: Record) -> Result<Sequence, Refused> {
        let bytes = weight(&record);
        let is_full =
            self.waiting() >= WAITING_MAX || self.waiting_bytes.saturating_add(bytes) > WAITING_BYTES_MAX;
        if is_full || !self.hand_over(Job::Write { record, bytes }) {
            return Err(Refused);
        }
        self.put.0 += 1;
        self.waiting_bytes += bytes;
        Ok(self.put)
    }

    /// Asks; the answer has this number.
    pub fn fetch(&mut self, number: u64, what: Fetch) -> Result<(), Refused> {
        if self.hand_over(Job::Fetch { number, what }) { Ok(()) } else { Err(Refused) }
    }

    fn hand_over(&self, job: Job) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    }

    /// Takes nothing more. What was put is written, as far as that is possible at once, and the database closed.
    pub fn end(&mut self) {
        self.jobs = None;
    }

    /// Notes an answer that has arrived. `true` where storage begins or ceases to fail.
    pub fn note(&mut self, answer: &Answer) -> bool {
        match answer {
            Answer::Committed { upto, bytes } => {
                self.committed = *upto;
                self.waiting_bytes = self.waiting_bytes.saturating_sub(*bytes);
                self.failing.take().is_some()
            }
            Answer::Failing { error } => self.failing.replace(error.clone()).is_none(),
            Answer::Fetched { .. } | Answer::Ended => false,
        }
    }

    /// How many of the records that were put are not on the disk.
    pub fn waiting(&self) -> u64 {
        self.put.0 - self.committed.0
    }

    /// Whether everything that was put is on the disk.
    pub fn is_done(&self) -> bool {
        self.waiting() == 0
    }
}

struct Worker<A> {
    database: Database,
    answer: A,
    /// Not committed, in order, with their sizes.
    waiting: VecDeque<(Record, usize)>,
    committed: Sequence,
    /// When the next transaction may begin.
    next: Instant,
    /// How long to wait after the next failure.
    retry: Duration,
    is_failing: bool,
}

impl<A: Fn(Answer) -> bool> Worker<A> {
    fn new(database: Database, answer: A) -> Self {
        Worker {
            database,
            answer,
            waiting: VecDeque::new(),
            committed: Sequence::default(),
            next: Instant::now(),
            retry: RETRY_FIRST,
            is_failing: false,
        }
    }

    /// Until nobody puts anything or listens any more; what was put by then is written, and the database closed. Gives
    /// back whom to tell.
    fn run(mut self, jobs: &Receiver<Job>) -> A {
        loop {
            let is_due = self.waiting.len() >= ROWS_MAX && !self.is_failing;
            let job = if self.waiting.is_empty() {
                jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else if is_due {
                Err(RecvTimeoutError::Timeout)
            } else {
                jobs.recv_timeout(self.next.saturating_duration_since(Instant::now()))
            };
            let goes_on = match job {
                Ok(Job::Write { record, bytes }) => {
                    self.waiting.push_back((record, bytes));
                    true
                }
                Ok(Job::Fetch { number, what }) => {
                    let fetched = fetch(&self.database.connection, &what);
                    (self.answer)(Answer::Fetched { number, fetched })
                }
                Err(RecvTimeoutError::Timeout) => self.commit(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.commit_rest();
                    false
                }
            };
            if !goes_on {
                return self.answer;
            }
        }
    }

    /// One transaction. `false` when nobody listens any more.
    fn commit(&mut self) -> bool {
        let count = self.waiting.len().min(ROWS_MAX);
        let written = write_all(
            &mut self.database.connection,
            self.waiting.iter().take(count).map(|(record, _)| record),
        );
        match written {
            Ok(()) => {
                let bytes = self.waiting.drain(..count).map(|(_, bytes)| bytes).sum();
                self.committed.0 += count as u64;
                self.next = Instant::now() + COMMIT_EVERY;
                (self.retry, self.is_failing) = (RETRY_FIRST, false);
                (self.answer)(Answer::Committed { upto: self.committed, bytes })
            }
            Err(error) => {
                if self.is_failing {
                    self.reopen();
                }
                self.is_failing = true;
                self.next = Instant::now() + self.retry;
                self.retry = (self.retry * 2).min(RETRY_LAST);
                (self.answer)(Answer::Failing { error: error.to_string() })
            }
        }
    }

    /// The server ends: once more, and what cannot be written is lost.
    fn commit_rest(&mut self) {
        while !self.waiting.is_empty() {
            let before = self.waiting.len();
            self.commit();
            if self.waiting.len() == before {
                error!("{before} changes could not be saved before the end");
                return;
            }
        }
    }

    /// A connection that has seen an error of the disk may go on seeing it.
    fn reopen(&mut self) {
        let opened = Connection::open(&self.database.path);
        if let Ok(connection) = opened
            && set_up(&connection).is_ok()
        {
            self.database.connection = connection;
        }
    }
}

/// Writes records as one transaction, or none of them. One that contradicts the others can never be written: it is left
/// out, and logged.
fn write_all<'a>(
    connection: &mut Connection,
    records: impl Iterator<Item = &'a Record>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for record in records {
        match write(&transaction, record) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                error!("a change contradicts what is saved already, and is left out: {error}");
            }
            outcome => outcome?,
        }
    }
    transaction.commit()
}

/// About what a record holds, in bytes.
fn weight(record: &Record) -> usize {
    let more = match record {
        Record::Past(past) => past.text.len() + past.tags.len() + past.by.len() + past.username.len(),
        Record::Account(account) => account.name.len() + account.secret.hash.len(),
        Record::Room(room) => room.name.len() + room.subject.as_ref().map_or(0, |subject| subject.text.len()),
        Record::Member(member) => member.note.reason.len(),
        Record::Mask(mask) => mask.mask.len() + mask.note.reason.len(),
        Record::Retracted { reason, .. } => reason.len(),
        Record::Ban(ban) => ban.note.reason.len(),
        _ => 0,
    };
    size_of::<Record>() + more
}
