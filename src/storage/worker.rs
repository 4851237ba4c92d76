//! The thread that reads and writes the database.
//!
//! Records that come within a moment are one transaction, so that a thousand of them cost one wait for the disk; and
//! what happens in a room within it is one row. The thread sleeps between two transactions, and is not woken for each
//! message. What came of one turn is never divided: a room that becomes one that lasts is there with its owners, or not
//! at all. What cannot be committed, because the disk is full or failing, is kept in order and tried again: memory and
//! disk come together once that is over.

use super::open::{Database, set_up};
use super::past::{self, Bounds};
use super::read::fetch;
use super::write::write;
use crate::hub::HistoryLimits;
use crate::hub::record::{Fetch, Fetched, PastRecord, Record};
use log::{error, warn};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Transactions begin at most so often, unless there are many rows.
const COMMIT_EVERY: Duration = Duration::from_millis(5);

/// So many rows are not kept waiting.
const ROWS_MAX: usize = 256;

/// How often what is too old is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

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
    /// The database is closed, after [`Storage::end`](super::Storage::end).
    Ended,
}

pub(super) enum Job {
    Write(Vec<(Record, usize)>),
    Fetch { number: u64, what: Fetch },
    KeepWithin(HistoryLimits),
}

/// Starts the thread, which ends with the jobs.
///
/// # Errors
/// Those of starting a thread.
pub(super) fn spawn(
    database: Database,
    answer: impl Fn(Answer) -> bool + Send + 'static,
    jobs: Receiver<Job>,
) -> io::Result<()> {
    let work = move || {
        let answer = Worker::new(database, answer).run(&jobs);
        answer(Answer::Ended)
    };
    thread::Builder::new().name("storage".to_owned()).spawn(work).map(drop)
}

struct Worker<A> {
    database: Database,
    answer: A,
    /// Not committed, in order, with their sizes; and how many of them came together.
    waiting: VecDeque<(Record, usize)>,
    together: VecDeque<usize>,
    committed: Sequence,
    /// When the next transaction may begin.
    next: Instant,
    /// How long to wait after the next failure.
    retry: Duration,
    is_failing: bool,
    /// How much rooms keep, once that was said.
    bounds: Option<Bounds>,
    /// When what is too old is looked for.
    sweep: Instant,
}

impl<A: Fn(Answer) -> bool> Worker<A> {
    fn new(database: Database, answer: A) -> Self {
        Worker {
            database,
            answer,
            waiting: VecDeque::new(),
            together: VecDeque::new(),
            committed: Sequence::default(),
            next: Instant::now(),
            retry: RETRY_FIRST,
            is_failing: false,
            bounds: None,
            sweep: Instant::now(),
        }
    }

    /// Until nobody puts anything or listens any more; what was put by then is written, and the database closed. Gives
    /// back whom to tell.
    fn run(mut self, jobs: &Receiver<Job>) -> A {
        loop {
            let job = self.next_job(jobs);
            let goes_on = match job {
                Ok(Job::Write(batch)) => {
                    self.together.push_back(batch.len());
                    self.waiting.extend(batch);
                    true
                }
                Ok(Job::Fetch { number, what }) => {
                    // What was put before it belongs to it.
                    let goes_on = self.waiting.is_empty() || self.is_failing || self.commit_all();
                    let fetched = fetch(&self.database.connection, &what);
                    goes_on && (self.answer)(Answer::Fetched { number, fetched })
                }
                Ok(Job::KeepWithin(limits)) => {
                    self.bounds = Some(Bounds::new(limits));
                    self.sweep = Instant::now();
                    true
                }
                Err(RecvTimeoutError::Timeout) if self.waiting.is_empty() => true,
                Err(RecvTimeoutError::Timeout) => self.commit(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.commit_rest();
                    false
                }
            };
            if !goes_on {
                return self.answer;
            }
            if self.sweep <= Instant::now() {
                self.sweep();
            }
        }
    }

    /// Waits for something to do: a timeout is to write what waits. Between two transactions the thread sleeps rather
    /// than be woken for each record, unless the next one is far off.
    fn next_job(&self, jobs: &Receiver<Job>) -> Result<Job, RecvTimeoutError> {
        if self.waiting.is_empty() {
            return jobs.recv_timeout(SWEEP_EVERY);
        }
        let rest = self.next.saturating_duration_since(Instant::now());
        if self.is_failing {
            return jobs.recv_timeout(rest);
        }
        if self.waiting.len() >= ROWS_MAX {
            return Err(RecvTimeoutError::Timeout);
        }
        if !rest.is_zero() {
            thread::sleep(rest);
        }
        match jobs.try_recv() {
            Ok(job) => Ok(job),
            Err(TryRecvError::Empty) => Err(RecvTimeoutError::Timeout),
            Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
        }
    }

    fn sweep(&mut self) {
        self.sweep = Instant::now() + SWEEP_EVERY;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let Some(bounds) = &mut self.bounds else { return };
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        if let Err(error) = bounds.sweep(&self.database.connection, now) {
            warn!("what is too old could not be removed, and is tried again in an hour: {error}");
        }
    }

    /// One transaction. `false` when nobody listens any more.
    fn commit(&mut self) -> bool {
        let (batches, count) = self.next_batches();
        let written = write_all(
            &mut self.database.connection,
            &mut self.bounds,
            self.waiting.iter().take(count).map(|(record, _)| record),
        );
        match written {
            Ok(()) => {
                self.together.drain(..batches);
                let bytes = self.waiting.drain(..count).map(|(_, bytes)| bytes).sum();
                self.committed.0 += count as u64;
                self.next = Instant::now() + COMMIT_EVERY;
                (self.retry, self.is_failing) = (RETRY_FIRST, false);
                (self.answer)(Answer::Committed { upto: self.committed, bytes })
            }
            Err(error) => {
                self.bounds.iter_mut().for_each(Bounds::forget); // what was counted is not there
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

    /// How many batches are for one transaction, and how many records these are.
    fn next_batches(&self) -> (usize, usize) {
        let mut count = 0;
        let is_for_now = |length: &&usize| {
            let has_room = count == 0 || count + **length <= ROWS_MAX;
            count += if has_room { **length } else { 0 };
            has_room
        };
        let batches = self.together.iter().take_while(is_for_now).count();
        (batches, count)
    }

    /// Everything that waits, unless it fails. `false` when nobody listens any more.
    fn commit_all(&mut self) -> bool {
        let mut goes_on = true;
        while goes_on && !self.waiting.is_empty() && !self.is_failing {
            goes_on = self.commit();
        }
        goes_on
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
        // Not made anew where somebody has taken it away.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&self.database.path, flags);
        if let Ok(connection) = opened
            && set_up(&connection).is_ok()
        {
            self.database.connection = connection;
        }
    }
}

/// Writes records as one transaction, or none of them. One that contradicts the others can never be written: it is left
/// out, and logged. What happened in one room is one row, as long as nothing else comes in between.
fn write_all<'a>(
    connection: &mut Connection,
    bounds: &mut Option<Bounds>,
    records: impl Iterator<Item = &'a Record>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut past: Vec<PastRecord> = Vec::new();
    for record in records {
        let Record::Past(next) = record else {
            write_past(&transaction, bounds, &mut past)?;
            if matches!(record, Record::Retracted { .. } | Record::PastGone { .. } | Record::RoomGone(_)) {
                bounds.iter_mut().for_each(Bounds::forget);
            }
            unless_it_contradicts(write(&transaction, record))?;
            continue;
        };
        match past.iter_mut().find(|one| one.room == next.room && one.is_said == next.is_said) {
            Some(one) => {
                one.last = next.last;
                one.count += next.count;
                one.bytes.extend_from_slice(&next.bytes);
            }
            None => past.push(next.clone()),
        }
    }
    write_past(&transaction, bounds, &mut past)?;
    transaction.commit()
}

fn write_past(
    connection: &Connection,
    bounds: &mut Option<Bounds>,
    past: &mut Vec<PastRecord>,
) -> rusqlite::Result<()> {
    for record in past.drain(..) {
        if let Some(bounds) = bounds {
            bounds.make_room(connection, &record)?;
        }
        unless_it_contradicts(past::write(connection, &record))?;
    }
    Ok(())
}

fn unless_it_contradicts(outcome: rusqlite::Result<()>) -> rusqlite::Result<()> {
    match outcome {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            error!("a change contradicts what is saved already, and is left out: {error}");
            Ok(())
        }
        outcome => outcome,
    }
}
