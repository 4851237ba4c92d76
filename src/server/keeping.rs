//! What lasts: facts of the hub on their way to storage, and the answers that wait until they are there.
//!
//! ```text
//!   ann ──register──▶ hub ──record──▶ storage ──────────commit──▶ disk
//!    ▲                 │ registered                        │
//!    └──── gate ◀──────┴───────────────────── committed ◀──┘
//! ```
//!
//! Whoever asked for something that lasts is told nothing more until it is on the disk: a *gate* in their queue holds
//! back what comes from then on, and they are not read meanwhile. Everybody else hears of it at once. A message that a
//! room keeps holds back its answer alone, and only where its author asked for one.
//!
//! Where the disk fails, nobody waits for longer than [`HELD_MAX`]: the answers go out behind a word that they are not
//! saved yet. What has to last is refused from then on ([`Exchange::can_store`](crate::hub::Effects::can_store)), until
//! something could be written again; what people say goes on.

use super::cloak::Cloaks;
use super::connection::Connection;
use super::counters::Pause;
use super::engine::Engine;
use super::exchange::Exchange;
use super::fetching::Questions;
use super::mailbox::Handle;
use super::trace::trace;
use crate::hub::record::Record;
use crate::hub::{PastBytes, RequestId};
use crate::net::blocks::Expect;
use crate::net::{Key, Socket};
use crate::session::Dialect;
use crate::storage::{Answer, Database, Refused, Sequence, Storage};
use log::{error, info, warn};
use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long an answer waits for the disk.
pub const HELD_MAX: Duration = Duration::from_secs(5);

/// The name under which storage has what cloaks are made with.
const CLOAKS: &str = "cloaks";

/// The near end of storage, where there is one, and those who wait for it.
#[derive(Default)]
pub struct Keeping {
    pub(super) storage: Option<Storage>,
    /// For whom the hub is at work, and on what.
    pub asking: Option<(Key, RequestId)>,
    /// Those whose answers are held back, by what they wait for; which is also the order of their deadlines.
    held: VecDeque<Held>,
    /// Who was told since storage began to fail that what they say is not saved.
    told: HashSet<Key>,
    /// Records that were not taken since storage began to fail.
    lost: u64,
    has_ended: bool,
    pub(super) questions: Questions,
}

struct Held {
    key: Key,
    sequence: Sequence,
    until: Instant,
}

impl Keeping {
    /// Whether what has to last can be written.
    pub fn can_store(&self) -> bool {
        self.storage.as_ref().is_none_or(Storage::takes)
    }

    /// When somebody has waited for long enough.
    pub fn deadline(&self) -> Option<Instant> {
        self.held.front().map(|held| held.until)
    }

    /// The first of those who wait, if it need not any more.
    fn pop_held(&mut self, need_not: impl FnOnce(&Held) -> bool) -> Option<Held> {
        self.held.front().is_some_and(need_not).then(|| self.held.pop_front())?
    }

    /// Nothing more comes: storage writes what it has, and ends. `true` once it has.
    pub fn end(&mut self) -> bool {
        if let Some(storage) = self.storage.as_mut().filter(|storage| storage.is_done()) {
            storage.end();
        }
        self.has_ended || self.storage.is_none()
    }

    /// How many records are not on the disk, and why, if that is known.
    pub fn unsaved(&self) -> (u64, Option<&str>) {
        self.storage.as_ref().map_or((0, None), |storage| (storage.waiting(), storage.failing()))
    }
}

impl<S: Socket> Exchange<S> {
    /// From here on, what lasts goes there.
    pub fn keep_in(&mut self, storage: Storage) {
        self.keeping.storage = Some(storage);
    }

    /// Hands a record on. Whoever asked for it has to wait for it, as far as it concerns them.
    pub(super) fn keep(&mut self, record: Record) {
        let Some(storage) = &mut self.keeping.storage else { return };
        let awaited = is_awaited(&record);
        let taken = storage.put(record);
        self.note_taken(taken, (awaited, false));
    }

    /// The same for something that happened in a room.
    pub(super) fn keep_past(&mut self, past: PastBytes<'_>) {
        let Some(storage) = &mut self.keeping.storage else { return };
        let taken = storage.put_past(past);
        self.note_taken(taken, (false, past.is_said));
    }

    /// `awaited`: whoever asked for it waits until it is there. `is_said`: as far as they want to know.
    fn note_taken(&mut self, taken: Result<Sequence, Refused>, (awaited, is_said): (bool, bool)) {
        let is_failing = self.keeping.storage.as_ref().is_some_and(|storage| storage.failing().is_some());
        match taken {
            Ok(_) => self.counters.records += 1,
            Err(Refused) => self.count_lost(),
        }
        let Some((key, request)) = self.keeping.asking else { return };
        let waits_for_said =
            is_said && request != RequestId::NONE && self.dialect_of(key) == Some(Dialect::Native);
        match taken {
            Ok(sequence) if !is_failing => {
                if awaited || waits_for_said {
                    self.hold_answers(key, sequence, awaited);
                }
            }
            _ if !awaited && !self.keeping.told.insert(key) => {} // and knows
            Ok(_) => self.tell_unsaved(key, NOT_SAVED),
            Err(Refused) => self.tell_unsaved(key, NOT_KEPT),
        }
    }

    fn tell_unsaved(&mut self, key: Key, words: &str) {
        self.push(key, |connection, blocks, surroundings| {
            let Connection { session, outbox, .. } = connection;
            outbox.push_own(blocks, Expect::Little, |out| session.encode_unsaved(words, surroundings, out));
        });
    }

    fn count_lost(&mut self) {
        self.counters.not_recorded += 1;
        self.keeping.lost += 1;
        if self.keeping.lost == 1 {
            error!("storage is behind by as much as it may be: what happens now is not recorded");
        }
    }

    /// From here on the connection is told nothing until that is on the disk; `pauses`: nor read.
    fn hold_answers(&mut self, key: Key, sequence: Sequence, pauses: bool) {
        let Some(connection) = self.connections.get_mut(key).filter(|connection| connection.is_open()) else {
            return;
        };
        connection.outbox.hold(sequence.0);
        if pauses {
            connection.await_commit(sequence.0);
            self.note_paused(key, Pause::Disk);
        }
        // What is said in one turn waits for one thing.
        if self.keeping.held.back().is_some_and(|held| (held.key, held.sequence) == (key, sequence)) {
            return;
        }
        self.keeping.held.push_back(Held { key, sequence, until: self.now + HELD_MAX });
    }

    /// Stage 5: what storage says.
    pub fn stored(&mut self, answer: &Answer) {
        let Some(storage) = &mut self.keeping.storage else { return };
        let has_turned = storage.note(answer);
        self.counters.storage_failures += u64::from(matches!(answer, Answer::Failing { .. }));
        match answer {
            Answer::Committed { upto, .. } => {
                self.counters.commits += 1;
                while let Some(held) = self.keeping.pop_held(|held| held.sequence <= *upto) {
                    self.let_go(held.key, held.sequence);
                }
                if has_turned {
                    self.note_recovered();
                }
            }
            Answer::Failing { error } if has_turned => {
                warn!("storage fails, and is tried again: {error}");
                self.tell_operators(&format!(
                    "Storage fails, and what has to last is refused until it works again: {error}"
                ));
            }
            Answer::Failing { .. } | Answer::Fetched { .. } => {} // who asked goes on, in `fetching`
            Answer::Ended => self.keeping.has_ended = true,
        }
    }

    fn note_recovered(&mut self) {
        let lost = std::mem::take(&mut self.keeping.lost);
        self.keeping.told.clear();
        let words = match lost {
            0 => "Storage works again, and everything is saved".to_owned(),
            lost => format!("Storage works again; {lost} messages and changes are not recorded"),
        };
        info!("{words}");
        self.tell_operators(&words);
    }

    fn tell_operators(&mut self, words: &str) {
        let is_operator = |key: &Key| self.connections.get(*key).is_some_and(|c| c.operator().is_some());
        for key in self.connections.keys().filter(is_operator).collect::<Vec<_>>() {
            self.tell(key, words);
        }
    }

    fn let_go(&mut self, key: Key, Sequence(upto): Sequence) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.outbox.let_go(upto);
        if connection.await_commit_no_more(upto) {
            trace!("{key} is read again: it waits for the disk no more");
            self.list_to_read(key);
        }
        self.list_to_flush(key);
    }

    /// Stage 4: those who have waited for long enough get their answers, and are told what they are worth.
    pub fn give_up_holding(&mut self) {
        let now = self.now;
        while let Some(held) = self.keeping.pop_held(|held| held.until <= now) {
            self.let_go_unsaved(held.key, held.sequence);
        }
    }

    /// Its queue is too long for what it has to wait for.
    pub(super) fn hold_no_more(&mut self, key: Key) {
        self.let_go_unsaved(key, Sequence(u64::MAX));
    }

    fn let_go_unsaved(&mut self, key: Key, upto: Sequence) {
        let Exchange { connections, blocks, surroundings, .. } = self;
        let Some(Connection { session, outbox, .. }) = connections.get_mut(key) else { return };
        if !outbox.is_held(upto.0) {
            return;
        }
        let mut words = Vec::new();
        session.encode_unsaved(NOT_SAVED, surroundings, &mut words);
        outbox.push_before_gate(blocks, words);
        self.let_go(key, upto);
    }
}

const NOT_SAVED: &str =
    "What you just did holds, but could not be saved yet, and is saved when storage works again";
const NOT_KEPT: &str = "What you just did holds, but could not be saved, and is lost when the server ends";

impl<S: Socket> Engine<S> {
    /// Takes back what was kept in a directory, and keeps what lasts there from now on. Before the first client comes.
    ///
    /// # Errors
    /// A sentence: why what is there cannot be used. It is left as it was.
    pub(super) fn load(&mut self, directory: &Path, handle: &Handle) -> Result<(), String> {
        let database = Database::open(directory).map_err(|error| error.to_string())?;
        let mut left_out = 0_u64;
        let take = |record| {
            if let Err(refusal) = self.hub.restore(record) {
                left_out += 1;
                warn!("a record cannot hold any more, and is left out: {refusal}");
            }
        };
        let handle = handle.clone();
        // Or all that hangs on cloaks would be others' after a restart: bans of hosts, and who is who in rooms where
        // people are not known.
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).map_err(|error| format!("no random numbers: {error}"))?;
        let secret = database.secret(CLOAKS, &fresh)?;
        let (storage, given) = Storage::start(database, take, move |answer| handle.stored(answer).is_ok())?;
        self.exchange.cloaks = Cloaks::new(&secret);
        if left_out > 0 {
            warn!("{left_out} records are left out; they stay in the database");
        }
        self.hub.restored(given);
        self.exchange.keep_in(storage);
        self.exchange.keep_within(self.hub.limits().history);
        Ok(())
    }

    /// Stage 5: what storage says.
    pub fn stored(&mut self, answer: &Answer) {
        self.exchange.stored(answer);
        if let Answer::Fetched { number, fetched } = answer {
            self.hand_on_fetched(*number, fetched);
        }
    }
}

/// Whether somebody who asked for that has to wait until it is on the disk.
fn is_awaited(record: &Record) -> bool {
    !matches!(
        record,
        Record::Past(_) | Record::PastGone { .. } | Record::ReadUpTo { .. } | Record::ReadUpToGone { .. }
    )
}
