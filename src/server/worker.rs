//! A thread for what takes longer than a turn may: to look at a password. It is started when the first one is given.
//!
//! It has one password at a time and knows nothing of whose it is; its verdict comes through the mailbox. When the server
//! ends, nobody waits for it.

use super::credentials::{Check, Outcome};
use super::mailbox::Handle;
use super::passwords;
use crate::net::allocator;
use log::error;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// After so long without a password, no other is expected soon.
const QUIET: Duration = Duration::from_secs(1);

/// How far it stands back (`nice(2)`): a tenth of the processor for it where the others want all.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

pub struct Worker {
    checks: SyncSender<Check>,
}

impl Worker {
    /// `None` when there can be no thread, which is logged.
    pub fn start(handle: Handle) -> Option<Worker> {
        let (checks, to_check) = sync_channel::<Check>(1);
        let work = move || {
            stand_back();
            while let Some(check) = next(&to_check) {
                if handle.checked(look_at(check)).is_err() {
                    return; // the server has ended
                }
            }
        };
        match thread::Builder::new().name("passwords".to_owned()).spawn(work) {
            Ok(_) => Some(Worker { checks }),
            Err(error) => {
                error!("passwords cannot be checked, there is no thread: {error}");
                None
            }
        }
    }

    /// `false` when it does not take it: the thread has ended.
    pub fn take(&self, check: Check) -> bool {
        self.checks.try_send(check).is_ok()
    }
}

/// What this thread has to do can wait, and what people say cannot: where both want the processor, the others have it. On
/// other systems than Linux that would be so for the whole process.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        log::debug!("passwords are checked as urgently as anything else: {error}");
    }
}

fn look_at(Check { hash, password, is_accounts, new, cost }: Check) -> Outcome {
    let is_of = if is_accounts { passwords::is_accounts } else { passwords::is_right };
    let is_right = hash.as_ref().is_none_or(|hash| is_of(&password, hash));
    let to_keep = match (&hash, new) {
        _ if !is_right => return Outcome::Wrong,
        (_, Some(new)) => new,
        (None, None) => password,
        (Some(_), None) => return Outcome::Right,
    };
    passwords::secret(&to_keep, cost).map_or_else(
        |error| {
            error!("{error}");
            Outcome::Unknown
        },
        Outcome::Made,
    )
}

/// Waits for the next one; `None` when there will be none. A check takes 19 MiB, which stay with the process until they are
/// given back: not after each, because meanwhile nobody else can allocate, but when no other follows.
fn next(to_check: &Receiver<Check>) -> Option<Check> {
    match to_check.recv_timeout(QUIET) {
        Ok(check) => Some(check),
        Err(RecvTimeoutError::Timeout) => {
            allocator::give_back();
            to_check.recv().ok()
        }
        Err(RecvTimeoutError::Disconnected) => None,
    }
}
