//! What all threads of a run share: the setting, which never changes, and the little that they tell each other.

use super::cast::Cast;
use super::clock::{Clock, Timeline};
use super::error::Error;
use super::flights::Landing;
use super::latencies::Second;
use super::plan::Pace;
use super::speech::Speech;
use mio::Waker;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The setting.
pub struct Setup {
    pub clock: Clock,
    pub cast: Cast,
    pub speech: Speech,
    pub server: SocketAddr,
    pub threads: usize,
    pub spread_sources: bool,
    pub patience: Duration,
    /// One for each thread.
    pub meters: Vec<Meter>,
    pub mailboxes: Vec<Mailbox>,
    /// Whether nobody waits for the outcome any more. An order would be seen only when a thread is through with what it
    /// is at.
    pub given_up: AtomicBool,
}

impl Setup {
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// How many turns in a round are each thread's.
    pub fn turns_by_thread(&self) -> Vec<usize> {
        let mut turns = vec![0; self.threads];
        for stream in &self.cast.rotation {
            if let Some(turns) = turns.get_mut(self.thread_of(*stream)) {
                *turns += 1;
            }
        }
        turns
    }

    /// The thread of a stream's sender.
    pub fn thread_of(&self, stream: u32) -> usize {
        let by = self.cast.streams.get(stream as usize).map_or(0, |stream| stream.by as usize);
        self.cast.roles.get(by).map_or(0, |role| role.thread)
    }
}

/// What a thread shows of itself while it works.
#[derive(Default)]
pub struct Meter {
    /// Clients that have come as far as the present order wants.
    pub ready: AtomicUsize,
    /// Deliveries that came, and that should come of what was sent.
    pub arrived: AtomicU64,
    pub expected: AtomicU64,
    /// Clients whose connection the server has ended, whether it should have or not.
    pub gone: AtomicU64,
}

impl Meter {
    pub fn show(meter: &AtomicU64, value: u64) {
        meter.store(value, Ordering::Relaxed);
    }
}

/// Where other threads put down what landed with them of this thread's messages.
pub struct Mailbox {
    letters: Mutex<Vec<(Landing, u64)>>,
    waker: Waker,
}

impl Mailbox {
    pub fn new(waker: Waker) -> Mailbox {
        Mailbox { letters: Mutex::default(), waker }
    }

    /// Puts letters in, and wakes the owner for the first.
    pub fn put(&self, letters: &mut Vec<(Landing, u64)>) {
        let mut inside = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = inside.is_empty();
        inside.append(letters);
        drop(inside);
        if was_empty {
            self.wake();
        }
    }

    pub fn take(&self) -> Vec<(Landing, u64)> {
        std::mem::take(&mut *self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            log::warn!("a thread of the load cannot be woken: {error}");
        }
    }
}

/// What the coordinator tells the threads.
#[derive(Clone, Debug)]
pub enum Order {
    /// Connect and log in, so many of a thread's clients at one time; and go on into the rooms?
    Appear {
        at_once: usize,
        enter: bool,
        /// Whether it is what is measured.
        measured: bool,
    },
    /// Enter the rooms, all at one time, and wait until everybody knows of everybody.
    Enter,
    /// Get a binding for datagrams.
    Bind,
    /// Open the relays that streams go through.
    Call,
    /// Wait until everybody had an answer to this question.
    Settle { token: u64 },
    /// Send.
    Talk { pace: Pace, timeline: Timeline, churn_per_second: f64 },
    /// Hang up.
    Stop,
}

/// What they answer.
pub enum Report {
    /// The order is carried out.
    Done,
    Second(Second),
    Failed(Error),
}
