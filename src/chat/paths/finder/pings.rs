//! Pings, and the tokens that tell their answers from those that somebody made up.
//!
//! A peer has the key, and can give a datagram any source address. What it cannot do is read what went elsewhere: so a
//! token that it could not guess, and that comes back, was read where it was sent.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Pings on one way whose answers may still come: more than there are in a round, or in an open path's patience.
const UNANSWERED_MAX: usize = 16;

/// Tokens that nobody else can guess.
#[derive(Clone)]
pub struct Tokens {
    secret: [u8; 32],
    given: u64,
}

impl Tokens {
    /// `secret`: bytes at random that this end alone has.
    pub fn new(secret: [u8; 32]) -> Self {
        Tokens { secret, given: 0 }
    }

    /// Others, which have nothing to do with these.
    pub fn fork(&mut self) -> Tokens {
        Tokens::new(self.next_block())
    }

    pub fn next_token(&mut self) -> u64 {
        let block = self.next_block();
        block.iter().take(8).fold(0, |token, &byte| token << 8 | u64::from(byte))
    }

    fn next_block(&mut self) -> [u8; 32] {
        self.given += 1;
        *blake3::keyed_hash(&self.secret, &self.given.to_be_bytes()).as_bytes()
    }
}

/// The pings that went one way and have no answer yet.
#[derive(Clone, Default, Debug)]
pub struct Pings(VecDeque<(u64, Instant)>);

impl Pings {
    pub fn sent(&mut self, token: u64, now: Instant) {
        if self.0.len() == UNANSWERED_MAX {
            self.0.pop_front();
        }
        self.0.push_back((token, now));
    }

    /// Takes an answer. Returns the round-trip time if it is one to a ping sent this way within so much time. It counts
    /// once, and no ping from before counts after it: tokens cannot be saved up to be told later from elsewhere.
    pub fn answered(&mut self, token: u64, within: Duration, now: Instant) -> Option<Duration> {
        let at = self.0.iter().position(|&(sent, _)| sent == token)?;
        let (_, sent) = self.0.drain(..=at).next_back()?;
        Some(now.saturating_duration_since(sent)).filter(|&round_trip| round_trip <= within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const LONG: Duration = Duration::from_secs(3);

    #[test]
    fn no_token_comes_twice_and_no_secret_gives_those_of_another() {
        let mut tokens = Tokens::new([1; 32]);
        let mut all = [tokens.fork(), tokens.fork(), tokens, Tokens::new([2; 32])];
        let seen: BTreeSet<u64> = all
            .iter_mut()
            .flat_map(|tokens| (0..1_000).map(|_| tokens.next_token()).collect::<Vec<_>>())
            .collect();
        assert_eq!(seen.len(), 4_000);
        assert!(seen.iter().any(|token| token >> 60 == 0xf) && seen.iter().any(|token| token >> 60 == 0));
    }

    #[test]
    fn an_answer_counts_once_and_in_time_and_ends_those_before() {
        let now = Instant::now();
        let mut pings = Pings::default();
        (1..=4).for_each(|token| pings.sent(token, now));
        assert_eq!(pings.answered(9, LONG, now), None, "never sent");
        assert_eq!(pings.answered(2, LONG, now + LONG), Some(LONG));
        assert_eq!(pings.answered(2, LONG, now), None, "a second time");
        assert_eq!(pings.answered(1, LONG, now), None, "older than one that was answered");
        assert_eq!(pings.answered(3, LONG, now + LONG * 2), None, "too late");
        assert_eq!(pings.answered(4, LONG, now), Some(Duration::ZERO));
        (0..100).for_each(|token| pings.sent(token, now));
        assert_eq!(pings.0.len(), UNANSWERED_MAX);
    }
}
