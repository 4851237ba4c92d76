//! What the server counts. Plain numbers of one thread.

use super::binding::Dropped;
use super::stages::Turns;
use crate::session::CloseReason;
use std::collections::HashMap;
use std::fmt;
use std::mem::Discriminant;

/// Why a connection is not read for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pause {
    /// The other end of its relay does not read as fast as it sends.
    PeersQueue,
    /// It does not read its own answers.
    OwnQueue,
    /// It sends more than it may.
    TooFast,
    /// Its password is looked at.
    Password,
    /// What it did is written to the disk.
    Disk,
    /// What it asked for is read from the disk.
    Storage,
}

impl Pause {
    pub const ALL: [Pause; 6] =
        [Pause::PeersQueue, Pause::OwnQueue, Pause::TooFast, Pause::Password, Pause::Disk, Pause::Storage];

    pub fn words(self) -> &'static str {
        match self {
            Pause::PeersQueue => "the queue of its relay's other end is long",
            Pause::OwnQueue => "it has not read what it is owed",
            Pause::TooFast => "it sends faster than it may",
            Pause::Password => "its password is looked at",
            Pause::Disk => "what it did is not on the disk yet",
            Pause::Storage => "what it asked for is on the disk",
        }
    }
}

/// Since the server started.
#[derive(Default, Debug)]
pub struct Counters {
    pub accepted: u64,
    /// Connections refused because the server, or the process, had no room for them.
    pub refused_full: u64,
    /// Connections refused because their address had as many as it may.
    pub refused_per_address: u64,
    /// Connections refused because of a ban.
    pub refused_banned: u64,
    pub frames: u64,
    /// Datagrams that came in, good or bad.
    pub datagrams: u64,
    /// Datagrams that a socket took.
    pub datagrams_sent: u64,
    pub bytes_read: u64,
    pub bytes_written: u64,
    /// Ranges queued for members of a room: one per member, room and turn, however many messages it holds.
    pub ranges_queued: u64,
    /// Records that storage did not take, because too many waited.
    pub not_recorded: u64,
    pub turns: Turns,
    dropped: [u64; Dropped::ALL.len()],
    paused: [u64; Pause::ALL.len()],
    closed: HashMap<Discriminant<CloseReason>, (CloseReason, u64)>,
}

impl Counters {
    pub fn count_dropped(&mut self, why: Dropped) {
        self.count_dropped_by(why, 1);
    }

    pub fn count_dropped_by(&mut self, why: Dropped, datagrams: u64) {
        if let Some(count) = self.dropped.get_mut(why as usize) {
            *count += datagrams;
        }
    }

    /// How many datagrams were dropped for this reason.
    pub fn dropped(&self, why: Dropped) -> u64 {
        self.dropped.get(why as usize).copied().unwrap_or(0)
    }

    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// The dropped datagrams, reason by reason, for the log.
    pub fn dropped_by_reason(&self) -> impl fmt::Display + '_ {
        ByReason(self)
    }

    pub fn count_paused(&mut self, why: Pause) {
        self.paused[why as usize] += 1;
    }

    /// How often a connection was not read for this reason.
    pub fn paused(&self, why: Pause) -> u64 {
        self.paused[why as usize]
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

struct ByReason<'a>(&'a Counters);

impl fmt::Display for ByReason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = Dropped::ALL.iter().filter(|&&why| self.0.dropped(why) > 0);
        for (at, &why) in reasons.enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{} {why}", self.0.dropped(why))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_place_of_its_own() {
        let mut counters = Counters::default();
        for &why in Dropped::ALL {
            assert_eq!(counters.dropped(why), 0);
            counters.count_dropped(why);
            assert_eq!(counters.dropped(why), 1);
        }
        assert_eq!(counters.dropped_total(), Dropped::ALL.len() as u64);
        assert!(counters.dropped_by_reason().to_string().starts_with("1 too long, "));
    }
}
