//! What lasts, from the hub's side: whether it can be written down, and how it comes back after a restart.

use super::record::Record;
use super::{Effects, Hub, MessageId, Outcome, Refusal};

/// Each change that has to last begins with this: it is refused while nothing can be written down, rather than lost
/// later.
///
/// # Errors
/// [`Refusal::NotSaved`].
pub(super) fn check_durable(fx: &impl Effects) -> Outcome {
    if fx.can_store() { Ok(()) } else { Err(Refusal::NotSaved) }
}

impl Hub {
    /// Takes a fact that was written down before the server started. What it refers to has come before it.
    ///
    /// # Errors
    /// What is wrong with it, where it can hold no more. The hub is as it was, and goes on without it.
    pub fn restore(&mut self, record: Record) -> Outcome {
        match record {
            Record::Account(record) => self.restore_account(record),
            Record::LatestSaid { room, id } => {
                self.pasts.latest.insert(room, id);
                Ok(())
            }
            Record::Ban(record) => self.restore_ban(record),
            // What is over was not written down, and what happened is asked for when somebody wants to see it.
            _ => Ok(()),
        }
    }

    /// Everything is back. `last`: the highest number of anything that happened, and none is given a second time.
    pub fn restored(&mut self, last: Option<MessageId>) {
        self.pasts.last = self.pasts.last.max(last.unwrap_or_default());
    }
}
