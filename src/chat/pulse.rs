//! Signs of life: when to ask for one, and when to believe that there is none.

use std::time::{Duration, Instant};

/// After this long without a sign of life one is asked for.
pub const SILENCE: Duration = Duration::from_secs(60);

/// How long the answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// While this side does not read, or the server does not read from it, the other one hears of us this often.
const STALLED_PING: Duration = Duration::from_secs(5);

/// Signs of life.
#[derive(Debug)]
pub struct Pulse {
    heard: Instant,
    pinged: Option<Instant>,
    expects_answers: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Check {
    Wait,
    /// Send a ping.
    Ask,
    Dead,
}

impl Pulse {
    pub fn new(now: Instant) -> Self {
        Pulse { heard: now, pinged: None, expects_answers: true }
    }

    /// Bytes came.
    pub fn heard(&mut self, now: Instant) {
        (self.heard, self.pinged) = (now, None);
    }

    /// Whether an answer to ping can be expected. It cannot while this side does not read, nor while the server does
    /// not read from us because the peer of a relay is slow; then only TCP can tell that the connection is dead.
    pub fn expect_answers(&mut self, expected: bool, now: Instant) {
        if expected && !self.expects_answers {
            self.heard(now);
        }
        self.expects_answers = expected;
    }

    /// When the clock next has something to say.
    pub fn due(&self) -> Instant {
        match (self.expects_answers, self.pinged) {
            (true, None) => self.heard + SILENCE,
            (true, Some(pinged)) => pinged + ANSWER_TIME,
            (false, pinged) => pinged.unwrap_or(self.heard) + STALLED_PING,
        }
    }

    pub fn check(&mut self, now: Instant) -> Check {
        if now < self.due() {
            return Check::Wait;
        }
        if self.expects_answers && self.pinged.is_some() {
            return Check::Dead;
        }
        self.pinged = Some(now);
        Check::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_asked_about_and_then_believed() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        assert_eq!((pulse.check(start), pulse.due()), (Check::Wait, start + SILENCE));
        let asked = start + SILENCE;
        assert_eq!((pulse.check(asked), pulse.due()), (Check::Ask, asked + ANSWER_TIME));
        assert_eq!(pulse.check(asked), Check::Wait);
        assert_eq!(pulse.check(asked + ANSWER_TIME), Check::Dead);
    }

    #[test]
    fn who_does_not_read_is_heard_of_and_gives_nobody_up() {
        let mut now = Instant::now();
        let mut pulse = Pulse { heard: now, pinged: None, expects_answers: false };
        for _ in 0..100 {
            assert_eq!((pulse.check(now), pulse.due()), (Check::Wait, now + STALLED_PING));
            now += STALLED_PING;
            assert_eq!(pulse.check(now), Check::Ask);
        }
    }
}
