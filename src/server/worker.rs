//! A thread for what takes longer than a turn may: to look at a password. It is started when the first one is given.
//!
//! It has one password at a time and knows nothing of whose it is; its verdict comes through the mailbox. When the server
//! ends, nobody waits for it.

use super::credentials::{Check, Outcome};
use super::mailbox::Handle;
use super::passwords;
use crate::net::allocator;
use log::error;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

pub struct Worker {
    checks: SyncSender<Check>,
}

impl Worker {
    /// `None` when there can be no thread, which is logged.
    pub fn start(handle: Handle) -> Option<Worker> {
        let (checks, to_check) = sync_channel::<Check>(1);
        let work = move || {
            for check in to_check {
                if handle.checked(look_at(check)).is_err() {
                    return; // the server has ended
                }
                // A check takes 19 MiB, which stay with the process otherwise.
                allocator::give_back();
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

fn look_at(Check { hash, password, new }: Check) -> Outcome {
    let is_right = hash.as_ref().is_none_or(|hash| passwords::is_right(&password, hash));
    let to_keep = match (&hash, new) {
        _ if !is_right => return Outcome::Wrong,
        (_, Some(new)) => new,
        (None, None) => password,
        (Some(_), None) => return Outcome::Right,
    };
    passwords::secret(&to_keep).map_or_else(
        |error| {
            error!("{error}");
            Outcome::Unknown
        },
        Outcome::Made,
    )
}
