//! A thread for what takes longer than a turn may: to check a password. It is started when the first one is given.
//!
//! It holds nothing of the server's but its mailbox, and knows a client by its key, which is never another's: a verdict
//! that comes late reaches nobody. When the server ends, nobody waits for it.

use super::credentials::Check;
use super::mailbox::Handle;
use super::passwords;
use crate::session::Verdict;
use log::error;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// Passwords that may wait to be checked. Each takes tens of milliseconds; whoever is behind so many is told to come
/// again.
const WAITING_MAX: usize = 64;

pub struct Worker {
    checks: SyncSender<Check>,
}

impl Worker {
    /// Its verdicts come through the mailbox. `None` when there can be no thread, which is logged.
    pub fn start(handle: Handle) -> Option<Worker> {
        let (checks, to_check) = sync_channel::<Check>(WAITING_MAX);
        let work = move || {
            for Check { key, request, hash, password } in to_check {
                let is_right = passwords::is_right(&password, &hash);
                let verdict = if is_right { Verdict::Right } else { Verdict::Wrong };
                if handle.verified(key, request, verdict).is_err() {
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

    /// `false` when it does not take it: too many wait already.
    pub fn take(&self, check: Check) -> bool {
        self.checks.try_send(check).is_ok()
    }
}
