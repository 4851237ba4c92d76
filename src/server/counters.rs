//! What the server counts. Plain numbers of one thread.

use super::binding::Dropped;
use crate::session::CloseReason;
use std::collections::HashMap;
use std::mem::Discriminant;

/// Since the server started.
#[derive(Default, Debug)]
pub struct Counters {
    pub accepted: u64,
    /// Connections refused because the server, or the process, had no room for them.
    pub refused_full: u64,
    pub frames: u64,
    pub datagrams: u64,
    pub bytes_read: u64,
    /// Ranges queued for members of a room: one per member, room and turn, however many messages it holds.
    pub ranges_queued: u64,
    dropped: HashMap<Dropped, u64>,
    closed: HashMap<Discriminant<CloseReason>, (CloseReason, u64)>,
}

impl Counters {
    pub fn count_dropped(&mut self, why: Dropped) {
        *self.dropped.entry(why).or_insert(0) += 1;
    }

    /// How many datagrams were dropped for this reason.
    pub fn dropped(&self, why: Dropped) -> u64 {
        self.dropped.get(&why).copied().unwrap_or(0)
    }

    pub fn count_closed(&mut self, reason: CloseReason) {
        self.closed.entry(std::mem::discriminant(&reason)).or_insert((reason, 0)).1 += 1;
    }

    /// How many connections ended for a reason of this kind.
    pub fn closed(&self, reason: CloseReason) -> u64 {
        self.closed.get(&std::mem::discriminant(&reason)).map_or(0, |&(_, count)| count)
    }

    pub fn closed_total(&self) -> u64 {
        self.closed.values().map(|&(_, count)| count).sum()
    }
}
