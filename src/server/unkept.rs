//! `keeping` in a build without storage: nothing lasts, and nobody waits for it.

use super::exchange::Exchange;
use crate::hub::record::{Fetch, Record};
use crate::hub::{HistoryLimits, PastBytes, RequestId, SessionId};
use crate::net::{Key, Socket};
use std::time::Instant;

#[derive(Default)]
pub struct Keeping {
    /// For whom the hub is at work, and on what.
    pub asking: Option<(Key, RequestId)>,
}

impl Keeping {
    pub fn can_store(&self) -> bool {
        true
    }

    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    pub fn end(&mut self) -> bool {
        true
    }

    pub fn unsaved(&self) -> (u64, Option<&str>) {
        (0, None)
    }
}

impl<S: Socket> Exchange<S> {
    pub(super) fn keep(&mut self, _: Record) {}

    pub fn give_up_holding(&mut self) {}

    pub(super) fn hold_no_more(&mut self, _: Key) {}

    pub(super) fn keep_past(&mut self, _: PastBytes<'_>) {}

    pub(super) fn ask_storage(&mut self, _: SessionId, _: Fetch) -> bool {
        false
    }

    pub fn hand_on(&mut self) {}

    pub fn keep_within(&mut self, _: HistoryLimits) {}
}
