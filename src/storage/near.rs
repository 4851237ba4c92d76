//! The near side of storage: takes records and questions, and never waits. What is put in one turn of the server goes to
//! the thread together. Beyond the bounds nothing is taken, so that a disk that fails does not fill the memory.

use super::open::Database;
use super::read::{given, load};
use super::worker::{Answer, Job, Sequence, spawn};
use crate::hub::record::{Fetch, Given, PastRecord, Record};
use crate::hub::{HistoryLimits, PastBytes};
use std::sync::mpsc::{Sender, channel};

/// Records that may wait for the disk, and what they may hold, in bytes. They fill up when the disk fails or cannot keep
/// up; then the server refuses what has to last.
const WAITING_MAX: u64 = 16_384;
const WAITING_BYTES_MAX: usize = 16 << 20;

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
        spawn(database, answer, to_do).map_err(|error| format!("there is no thread for storage: {error}"))?;
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
