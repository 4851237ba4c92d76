//! The thread that reads and writes the database, and the near side of it.
//!
//! Records that come within a moment are one transaction, so that a thousand of them cost one wait for the disk; and
//! what happens in a room within it is one row. The near side gathers what happened in one turn of the server, and the
//! thread sleeps between two transactions: neither is woken for a message. What came of one turn is never divided: a
//! room that becomes one that lasts is there with its owners, or not at all. What
//! cannot be committed, because the disk is full or failing, is kept in order and tried again: memory and disk come
//! together once that is over. Until then nothing more than the bounds is taken.

use super::open::{Database, set_up};
use super::past::{self, Bounds};
use super::read::{fetch, given, load};
use super::write::write;
use crate::hub::record::{Fetch, Fetched, Given, PastRecord, Record};
use crate::hub::{HistoryLimits, PastBytes};
use log::{error, warn};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Transactions begin at most so often, unless there are many rows.
const COMMIT_EVERY: Duration = Duration::from_millis(5);

/// So many rows are not kept waiting.
const ROWS_MAX: usize = 256;

/// How often what is too old is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

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
    /// What was put since [`Storage::flush`], with sizes.
    batch: Vec<(Record, usize)>,
    /// What has happened in rooms behind that, in the order in which it began.
    gathered: Vec<PastRecord>,
}

/// Rooms whose doings are gathered; with more, they are handed on.
const GATHERED_MAX: usize = 32;

enum Job {
    Write(Vec<(Record, usize)>),
    Fetch { number: u64, what: Fetch },
    KeepWithin(HistoryLimits),
}

impl Storage {
    /// Gives every record that the hub keeps in memory to `each`, and starts the thread. Answers go to `answer`, on that
    /// thread; when it returns `false`, nobody listens any more, and the thread ends. Also returns the numbers that
    /// were given.
    ///
    /// # Errors
    /// A sentence: the database cannot be read, or there is no thread.
    pub fn start(
        database: Database,
        each: impl FnMut(Record),
        answer: impl Fn(Answer) -> bool + Send + 'static,
    ) -> Result<(Storage, Given), String> {
        let unreadable = |error| format!("{} cannot be read: {error}", database.path.display());
        load(&database.connection, each).map_err(unreadable)?;
        let given = given(&database.connection).map_err(unreadable)?;
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
        Ok((
            Storage {
                jobs: Some(jobs),
                put: zero,
                committed: zero,
                waiting_bytes: 0,
                failing: None,
                batch: Vec::new(),
                gathered: Vec::new(),
            },
            given,
        ))
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

    /// Has it written after [`Storage::flush`], in one transaction with everything else until then; then there is
    /// [`Answer::Committed`].
    ///
    /// # Errors
    /// [`Refused`] beyond the bounds; while storage fails, it is taken as long as there is room.
    pub fn put(&mut self, record: Record) -> Result<Sequence, Refused> {
        self.close_gathered();
        self.put_behind(record)
    }

    /// The same for something that happened in a room: written with what else happens there before [`Storage::flush`].
    ///
    /// # Errors
    /// As [`Storage::put`].
    pub fn put_past(&mut self, past: PastBytes<'_>) -> Result<Sequence, Refused> {
        let PastBytes { room, is_said, id, bytes } = past;
        if self.waiting_bytes.saturating_add(bytes.len()) > WAITING_BYTES_MAX || self.waiting() >= WAITING_MAX
        {
            return Err(Refused);
        }
        self.waiting_bytes += bytes.len();
        let is_same = |other: &PastRecord| other.room == room && other.is_said == is_said;
        let at = match self.gathered.iter().position(is_same) {
            Some(at) => at,
            None => {
                if self.gathered.len() >= GATHERED_MAX {
                    self.close_gathered();
                }
                self.gathered.push(PastRecord {
                    room,
                    is_said,
                    first: id,
                    last: id,
                    count: 0,
                    bytes: Vec::new(),
                });
                self.gathered.len() - 1
            }
        };
        if let Some(record) = self.gathered.get_mut(at) {
            record.last = id;
            record.count += 1;
            record.bytes.extend_from_slice(bytes);
        }
        Ok(Sequence(self.put.0 + at as u64 + 1))
    }

    /// Hands on what was put.
    pub fn flush(&mut self) {
        self.close_gathered();
        if !self.batch.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            self.hand_over(Job::Write(batch));
        }
    }

    /// What happens in rooms from here on comes behind other records.
    fn close_gathered(&mut self) {
        for record in std::mem::take(&mut self.gathered) {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(record.bytes.len()); // and counted again
            let _ = self.put_behind(Record::Past(record)); // room was made for it
        }
    }

    /// From now on, rooms keep so much of what happens in them.
    pub fn keep_within(&mut self, limits: HistoryLimits) {
        self.hand_over(Job::KeepWithin(limits));
    }

    fn put_behind(&mut self, record: Record) -> Result<Sequence, Refused> {
        let bytes = weight(&record);
        let is_full =
            self.waiting() >= WAITING_MAX || self.waiting_bytes.saturating_add(bytes) > WAITING_BYTES_MAX;
        if is_full || self.jobs.is_none() {
            return Err(Refused);
        }
        self.batch.push((record, bytes));
        self.put.0 += 1;
        self.waiting_bytes += bytes;
        Ok(self.put)
    }

    /// Asks; the answer has this number.
    pub fn fetch(&mut self, number: u64, what: Fetch) -> Result<(), Refused> {
        self.flush();
        if self.hand_over(Job::Fetch { number, what }) { Ok(()) } else { Err(Refused) }
    }

    fn hand_over(&self, job: Job) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    }

    /// Takes nothing more. What was put is written, as far as that is possible at once, and the database closed.
    pub fn end(&mut self) {
        self.flush();
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
        self.put.0 - self.committed.0 + self.gathered.len() as u64
    }

    /// Whether everything that was put is on the disk.
    pub fn is_done(&self) -> bool {
        self.waiting() == 0
    }
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
        unless_it_contradicts(past::write(connection, &record))?;
        if let Some(bounds) = bounds {
            bounds.note(connection, &record)?;
        }
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

/// About what a record holds, in bytes.
fn weight(record: &Record) -> usize {
    let more = match record {
        Record::Past(past) => past.bytes.len(),
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
