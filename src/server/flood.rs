//! Flood control: so many lines a second, and so many at once, for those dialects whose clients expect it. Whoever sends
//! more is read no further until there is a line left to spend (*fake lag*): the rest waits in the inbox, and behind it
//! in the kernel, whose window then stops the sender.

use super::allowance::{Allowance, Rate};
use super::connection::Connection;
use super::counters::Pause;
use super::exchange::Exchange;
use crate::net::blocks::Expect;
use crate::net::{Key, Socket};
use crate::session::CloseReason;
use log::info;
use std::time::Instant;

/// What one client has left to send. Pure: time is an argument.
pub struct Bucket {
    lines: Allowance,
    /// The client was told, and has not been quiet since.
    is_told: bool,
}

impl Bucket {
    pub fn new(now: Instant) -> Self {
        Bucket { lines: Allowance::new(now), is_told: false }
    }

    /// That of a client that comes back, and has spent what it had spent before.
    pub fn of(lines: Allowance) -> Self {
        Bucket { lines, is_told: false }
    }

    /// What is spent.
    pub fn spent(&self) -> Allowance {
        self.lines
    }

    /// When the next line may be taken; `None`: at once.
    pub fn next_at(&self, rate: Rate, now: Instant) -> Option<Instant> {
        self.lines.next(rate, now)
    }

    /// A line was taken.
    pub fn take(&mut self, rate: Rate, now: Instant) {
        self.is_told &= !self.lines.is_whole(now);
        self.lines.take(rate, now);
    }

    /// The client is to be told that it is too fast. Returns whether that is news: once, until it was quiet for as long as
    /// it takes to save up all that can be saved.
    pub fn note_told(&mut self) -> bool {
        !std::mem::replace(&mut self.is_told, true)
    }
}

impl<S: Socket> Exchange<S> {
    /// Whether a client with `held` bytes to be taken has to wait; if so, it does, or has held back too much and is
    /// closed.
    pub(super) fn hold_back(&mut self, key: Key, held: usize) -> bool {
        let Exchange { connections, limits, now, .. } = self;
        let Some(connection) = connections.get_mut(key).filter(|_| limits.irc_lines.per_second > 0) else {
            return false;
        };
        let (now, bucket) = (*now, connection.bucket(*now));
        let Some(until) = bucket.next_at(limits.irc_lines, now).filter(|_| held > 0) else { return false };
        if held > limits.irc_held_bytes_max {
            info!("{key} {} floods and is dropped: {held} bytes were waiting", connection.address.ip());
            self.close(key, CloseReason::Flood);
            return true;
        }
        let is_news = bucket.note_told();
        connection.throttle(until);
        self.note_paused(key, Pause::TooFast);
        if is_news {
            self.push(key, |connection, blocks, surroundings| {
                let Connection { session, outbox, .. } = connection;
                outbox.push_own(blocks, Expect::Little, |out| {
                    session.encode_throttled(until.saturating_duration_since(now), surroundings, out);
                });
            });
        }
        true
    }

    /// A line of the client's was taken.
    pub(super) fn note_line(&mut self, key: Key) {
        let Exchange { connections, limits, now, .. } = self;
        if limits.irc_lines.per_second > 0
            && let Some(connection) = connections.get_mut(key)
        {
            connection.bucket(*now).take(limits.irc_lines, *now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const RATE: Rate = Rate { per_second: 2, burst: 3 };

    #[test]
    fn after_a_burst_there_is_a_line_at_a_time() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut bucket = Bucket::new(start);
        for _ in 0..3 {
            assert_eq!(bucket.next_at(RATE, start), None);
            bucket.take(RATE, start);
        }
        assert_eq!(bucket.next_at(RATE, start), Some(at(500)));
        assert_eq!(bucket.next_at(RATE, at(499)), Some(at(500)));
        assert_eq!(bucket.next_at(RATE, at(500)), None, "to the nanosecond: nobody is woken up in vain");
        bucket.take(RATE, at(500));
        assert_eq!(bucket.next_at(RATE, at(500)), Some(at(1_000)));
    }

    #[test]
    fn it_is_told_once_until_all_is_saved_up_again() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut bucket = Bucket::new(start);
        for _ in 0..3 {
            bucket.take(RATE, start);
        }
        assert!(bucket.note_told() && !bucket.note_told());
        bucket.take(RATE, at(500));
        bucket.take(RATE, at(1_900));
        assert!(!bucket.note_told(), "it was not quiet for long enough");
        bucket.take(RATE, at(9_000));
        assert!(bucket.note_told());
    }
}
