//! What the server counts. Plain numbers of one thread.

use super::binding::Dropped;
use super::stages::Turns;
use crate::session::CloseReason;
use std::fmt;

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

    pub fn label(self) -> &'static str {
        match self {
            Pause::PeersQueue => "peers-queue",
            Pause::OwnQueue => "own-queue",
            Pause::TooFast => "too-fast",
            Pause::Password => "password",
            Pause::Disk => "disk",
            Pause::Storage => "storage",
        }
    }

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

/// Why a newcomer is turned away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The server, or the process, has no room.
    Full,
    /// Its address has as many connections as it may.
    PerAddress,
    Banned,
}

impl Refused {
    pub const ALL: [Refused; 3] = [Refused::Full, Refused::PerAddress, Refused::Banned];

    pub fn label(self) -> &'static str {
        match self {
            Refused::Full => "full",
            Refused::PerAddress => "per-address",
            Refused::Banned => "banned",
        }
    }
}

/// Since the server started.
#[derive(Default, Debug)]
pub struct Counters {
    pub accepted: u64,
    /// Frames and lines.
    pub frames: u64,
    /// Of these, lines.
    pub lines: u64,
    /// Datagrams that came in, good or bad.
    pub datagrams: u64,
    /// Datagrams that a socket took.
    pub datagrams_sent: u64,
    pub bytes_read: u64,
    pub bytes_written: u64,
    /// Ranges queued for members of a room: one per member, room and turn, however many messages it holds.
    pub ranges_queued: u64,
    /// What was queued for one connection alone.
    pub answers: u64,
    /// The longest queue of a connection that was offered to its socket, in bytes.
    pub queued_bytes_most: usize,
    pub passwords_checked: u64,
    pub scrapes: u64,
    /// Records that storage took, transactions that it has written, and those that failed.
    pub records: u64,
    pub commits: u64,
    pub storage_failures: u64,
    /// Records that storage did not take, because too many waited.
    pub not_recorded: u64,
    pub turns: Turns,
    dropped: [u64; Dropped::ALL.len()],
    paused: [u64; Pause::ALL.len()],
    refused: [u64; Refused::ALL.len()],
    /// As [`CloseReason::LABELS`] has them.
    closed: [u64; CloseReason::LABELS.len()],
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
        let at = CloseReason::LABELS.iter().position(|label| *label == reason.label());
        if let Some(count) = at.and_then(|at| self.closed.get_mut(at)) {
            *count += 1;
        }
    }

    /// How many connections ended for a reason of this kind.
    pub fn closed(&self, reason: CloseReason) -> u64 {
        self.closed_as(reason.label())
    }

    /// The same, by the label of the reason.
    pub fn closed_as(&self, label: &str) -> u64 {
        let at = CloseReason::LABELS.iter().position(|other| *other == label);
        at.and_then(|at| self.closed.get(at)).copied().unwrap_or(0)
    }

    pub fn closed_total(&self) -> u64 {
        self.closed.iter().sum()
    }

    pub fn count_refused(&mut self, why: Refused) {
        self.refused[why as usize] += 1;
    }

    /// How many newcomers were turned away for this reason.
    pub fn refused(&self, why: Refused) -> u64 {
        self.refused[why as usize]
    }

    pub fn refused_total(&self) -> u64 {
        self.refused.iter().sum()
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
    use std::io::ErrorKind;

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
        for why in Pause::ALL {
            counters.count_paused(why);
            assert_eq!(counters.paused(why), 1);
        }
        for why in Refused::ALL {
            counters.count_refused(why);
            assert_eq!(counters.refused(why), 1);
        }
        assert_eq!(counters.refused_total(), 3);
    }

    #[test]
    fn ends_are_counted_by_their_kind() {
        let mut counters = Counters::default();
        for kind in [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset] {
            counters.count_closed(CloseReason::Io(kind));
        }
        counters.count_closed(CloseReason::FrameTooLong { length: 9, max: 8 });
        assert_eq!((counters.closed_as("broken"), counters.closed_as("frame-too-long")), (2, 1));
        assert_eq!((counters.closed_total(), counters.closed(CloseReason::Io(ErrorKind::Other))), (3, 2));
    }
}
