//! The thread that writes: a disk may take its time, and the one who serves may not.
//!
//! It looks for something to write some fifty times a second, and is not woken for each turn; an idle one sleeps. What
//! waits for it is bounded: what is more is not taken, and whoever has it counts what is missing. An error is the end of
//! the capture, and of nothing else.

use super::files::Files;
use super::sheet::Taken;
use log::{error, info};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

/// Bytes that wait to be written.
const WAITING_BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// With so many of them, the thread does not wait for more.
const WAITING_BYTES_MANY: usize = 1_024 * 1_024;

/// How long it waits after it has written.
const PAUSE: Duration = Duration::from_millis(20);

/// How long the end of the process waits for the disk.
const FINISHED_WITHIN: Duration = Duration::from_secs(5);

/// What one turn has to write.
#[derive(Default)]
pub struct Batch {
    pub bytes: Vec<u8>,
    pub packets: u64,
    /// It is the beginning of another file.
    pub begins_file: bool,
}

/// The end of the one who has something to write.
pub struct Writer {
    desk: Arc<Desk>,
    path: PathBuf,
}

#[derive(Default)]
struct Desk {
    pile: Mutex<Pile>,
    changed: Condvar,
}

#[derive(Default)]
struct Pile {
    waiting: Vec<Batch>,
    /// Bytes in it, and in what is being written.
    bytes: usize,
    /// The thread sleeps until it is called.
    is_idle: bool,
    /// Nothing more comes.
    is_ending: bool,
    /// The thread has ended.
    is_over: bool,
}

impl Desk {
    /// A thread that has panicked has left the pile as it should be: nothing in between can fail.
    fn pile(&self) -> MutexGuard<'_, Pile> {
        self.pile.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to write, at first a little, so that it is worth it. `None` at the end.
    fn next(&self) -> Option<Vec<Batch>> {
        let soon = |pile: &mut Pile| !pile.is_ending && pile.bytes < WAITING_BYTES_MANY;
        let waited = self.changed.wait_timeout_while(self.pile(), PAUSE, soon);
        let mut pile = waited.unwrap_or_else(PoisonError::into_inner).0;
        while pile.waiting.is_empty() && !pile.is_ending {
            pile.is_idle = true;
            pile = self.changed.wait(pile).unwrap_or_else(PoisonError::into_inner);
            pile.is_idle = false;
        }
        let batches = std::mem::take(&mut pile.waiting);
        (!batches.is_empty()).then_some(batches)
    }
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn start(files: Files) -> io::Result<Writer> {
        let (desk, path) = (Arc::new(Desk::default()), files.path().to_owned());
        let its = Arc::clone(&desk);
        thread::Builder::new().name("capture".to_owned()).spawn(move || work(files, &its))?;
        Ok(Writer { desk, path })
    }

    /// The first file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a batch, and leaves an empty one, if there is room for it.
    pub fn take(&self, batch: &mut Batch) -> Taken {
        let mut pile = self.desk.pile();
        if pile.is_over || pile.is_ending {
            return Taken::Over;
        }
        if pile.bytes + batch.bytes.len() > WAITING_BYTES_MAX {
            return Taken::No;
        }
        pile.bytes += batch.bytes.len();
        pile.waiting.push(std::mem::take(batch));
        if pile.is_idle || pile.bytes >= WAITING_BYTES_MANY {
            self.desk.changed.notify_all();
        }
        Taken::Yes
    }

    /// Nothing more comes.
    pub fn end(&self) {
        self.desk.pile().is_ending = true;
        self.desk.changed.notify_all();
    }

    /// The same, and waits until all of it is written; but not for ever.
    pub fn finish(&self) {
        self.end();
        let waited =
            self.desk.changed.wait_timeout_while(self.desk.pile(), FINISHED_WITHIN, |pile| !pile.is_over);
        if waited.unwrap_or_else(PoisonError::into_inner).1.timed_out() {
            error!("capture: {} could not be finished, the disk takes too long", self.path.display());
        }
    }
}

fn work(mut files: Files, desk: &Desk) {
    let mut packets = 0;
    let outcome = write_all(&mut files, desk, &mut packets);
    let path = files.path().display();
    match outcome {
        Ok(()) => info!("capture: {packets} packets were written, the last to {path}"),
        Err(error) => error!("capture to {path} has ended, chat goes on: {error}"),
    }
    let mut pile = desk.pile();
    (pile.is_over, pile.waiting) = (true, Vec::new());
    desk.changed.notify_all();
}

fn write_all(files: &mut Files, desk: &Desk, packets: &mut u64) -> io::Result<()> {
    while let Some(batches) = desk.next() {
        for batch in batches {
            if batch.begins_file {
                files.begin_next()?;
            }
            files.write(&batch.bytes)?;
            *packets += batch.packets;
            desk.pile().bytes -= batch.bytes.len();
        }
    }
    Ok(())
}
