//! Whether a path that was chosen is still there.
//!
//! Over TCP whatever the peer sends shows that. Over UDP nothing does but the answer to a ping of ours: the peer can put
//! an address that is not its own into what it sends, and would keep us sending there.

use super::Way;
use super::pings::Pings;
use std::time::{Duration, Instant};

/// After this long without a sign of life the peer is asked for one. The shortest time-out of NATs that is
/// met in practice is 15 s.
const IDLE: Duration = Duration::from_secs(5);

/// While an answer is due over UDP, it is asked for this often: the question may have got lost.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// The caller's choice is repeated this often over UDP: the callee waits for it only for a while.
const CHOOSE_AGAIN: Duration = Duration::from_millis(200);

/// For so long an answer may be due over UDP: twelve questions in a row do not get lost by
/// chance, even where a fifth of all datagrams does.
const UDP_PATIENCE: Duration = Duration::from_secs(3);

/// The same over TCP, where an answer may wait behind much else.
const TCP_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub struct Life {
    pub way: Way,
    pub round_trip: Option<Duration>,
    pub pings: Pings,
    /// Whether the other end has shown that it uses this path too.
    confirmed: bool,
    /// The latest sign of life.
    alive: Instant,
    /// Since when an answer is due.
    demand: Option<Instant>,
    asked: Instant,
    /// Whether we do not read, so that no answer can be expected.
    stalled: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Check {
    Wait,
    Ask,
    Dead,
}

impl Life {
    pub fn new(way: Way, round_trip: Option<Duration>, now: Instant) -> Self {
        Life {
            way,
            round_trip,
            pings: Pings::default(),
            confirmed: false,
            alive: now,
            demand: None,
            asked: now,
            stalled: false,
        }
    }

    /// Something came from the peer, or so it says.
    pub fn hear(&mut self, now: Instant) {
        if let Way::Tcp(_) = self.way {
            self.live(now);
        }
    }

    /// A ping was answered, if it is one of ours.
    pub fn answered(&mut self, token: u64, now: Instant) {
        if let Some(round_trip) = self.pings.answered(token, self.patience(), now) {
            self.round_trip = Some(round_trip);
            self.live(now);
        }
    }

    /// It is no answer to a choice that the peer may not have heard of.
    fn live(&mut self, now: Instant) {
        self.alive = now;
        if self.confirmed {
            self.demand = None;
        }
    }

    /// The peer uses this path too, which is the answer to a choice, and to nothing else.
    pub fn confirm(&mut self, now: Instant) {
        if !self.confirmed {
            (self.confirmed, self.demand) = (true, None);
        }
        self.hear(now);
    }

    pub fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// Something that wants an answer was sent.
    pub fn demand(&mut self, now: Instant) {
        if self.demand.is_none() {
            (self.demand, self.asked) = (Some(now), now);
        }
    }

    /// While we do not read, the peer hears of us all the same, and is not given up.
    pub fn stall(&mut self, stalled: bool, now: Instant) {
        if self.stalled != stalled {
            self.stalled = stalled;
            (self.alive, self.demand) = (now, None);
        }
    }

    pub fn due(&self) -> Instant {
        match self.demand {
            _ if self.stalled => self.asked.max(self.alive) + IDLE,
            None => self.alive + IDLE,
            Some(since) => (since + self.patience()).min(self.asked + self.again()),
        }
    }

    pub fn check(&mut self, now: Instant) -> Check {
        if now < self.due() {
            return Check::Wait;
        }
        if !self.stalled && self.demand.is_some_and(|since| now >= since + self.patience()) {
            return Check::Dead;
        }
        self.demand.get_or_insert(now);
        self.asked = now;
        Check::Ask
    }

    pub fn patience(&self) -> Duration {
        match self.way {
            Way::Udp(_) => UDP_PATIENCE,
            Way::Tcp(_) => TCP_PATIENCE,
        }
    }

    fn again(&self) -> Duration {
        match self.way {
            Way::Udp(_) if !self.confirmed => CHOOSE_AGAIN,
            Way::Udp(_) => ASK_AGAIN,
            Way::Tcp(_) => IDLE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Key;

    fn life(way: Way, now: Instant) -> Life {
        let mut life = Life::new(way, None, now);
        life.confirm(now);
        life
    }

    fn udp(now: Instant) -> Life {
        life(Way::Udp(([127, 0, 0, 1], 1).into()), now)
    }

    fn tcp(now: Instant) -> Life {
        life(Way::Tcp(Key::from_u64(1)), now)
    }

    /// Lets time pass until it is dead, and counts how often it asked.
    fn run(mut life: Life, start: Instant) -> (usize, Duration) {
        let mut asked = 0;
        loop {
            let now = life.due();
            match life.check(now) {
                Check::Wait => panic!("it was due"),
                Check::Ask => asked += 1,
                Check::Dead => return (asked, now - start),
            }
        }
    }

    #[test]
    fn silence_is_asked_about_and_then_believed() {
        let now = Instant::now();
        assert_eq!(run(udp(now), now), (12, IDLE + UDP_PATIENCE));
        assert_eq!(run(tcp(now), now), (2, IDLE + TCP_PATIENCE));
    }

    #[test]
    fn what_was_sent_over_udp_wants_an_answer() {
        let now = Instant::now();
        let mut life = udp(now);
        life.demand(now);
        life.pings.sent(5, now);
        assert_eq!(run(life.clone(), now), (11, UDP_PATIENCE));
        let later = now + Duration::from_secs(2);
        life.hear(later);
        life.confirm(later);
        life.answered(6, later);
        assert_eq!(run(life.clone(), now), (11, UDP_PATIENCE), "anybody can say that it is the peer");
        life.answered(5, later);
        assert_eq!((life.due(), life.round_trip), (later + IDLE, Some(later - now)));
    }

    #[test]
    fn over_tcp_whatever_is_heard_is_a_sign_of_life() {
        let now = Instant::now();
        let mut life = tcp(now);
        life.hear(now + IDLE);
        assert_eq!(life.due(), now + 2 * IDLE);
    }

    #[test]
    fn a_choice_that_is_not_confirmed_is_no_path_whatever_else_is_heard() {
        let now = Instant::now();
        let mut life = Life::new(Way::Udp(([127, 0, 0, 1], 1).into()), None, now);
        life.demand(now);
        life.hear(now + Duration::from_millis(100));
        let (asked, dead_after) = run(life, now);
        assert_eq!((asked, dead_after), (14, UDP_PATIENCE));
    }

    #[test]
    fn who_does_not_read_is_heard_of_and_gives_nobody_up() {
        let mut now = Instant::now();
        let mut life = tcp(now);
        life.stall(true, now);
        for _ in 0..100 {
            now += IDLE;
            assert_eq!(life.check(now), Check::Ask);
        }
        life.stall(false, now);
        assert_eq!(life.check(now), Check::Wait);
    }
}
