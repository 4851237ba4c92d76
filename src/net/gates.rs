//! Places in a queue behind which nothing is written until something has happened, which has a number.

use std::collections::VecDeque;

/// Gates, in the order of the queue and of their numbers. Places count the ranges of the queue in front of them.
#[derive(Default)]
pub struct Gates(VecDeque<Gate>);

struct Gate {
    at: usize,
    /// Opens when this is reached.
    number: u64,
}

impl Gates {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn first(&self) -> Option<usize> {
        self.0.front().map(|gate| gate.at)
    }

    pub fn last(&self) -> Option<usize> {
        self.0.back().map(|gate| gate.at)
    }

    /// Whether there is one up to this number.
    pub fn has(&self, upto: u64) -> bool {
        self.0.front().is_some_and(|gate| gate.number <= upto)
    }

    /// Where there is one in that place already, it opens later.
    pub fn shut(&mut self, at: usize, number: u64) {
        match self.0.back_mut().filter(|gate| gate.at == at) {
            Some(gate) => gate.number = gate.number.max(number),
            None => self.0.push_back(Gate { at, number }),
        }
    }

    /// Opens those up to this number. Returns whether there was one.
    pub fn open(&mut self, upto: u64) -> bool {
        let opened = self.0.iter().take_while(|gate| gate.number <= upto).count();
        self.0.drain(..opened);
        opened > 0
    }

    /// So many ranges have left at the front of the queue.
    pub fn advance(&mut self, ranges: usize) {
        for gate in &mut self.0 {
            gate.at = gate.at.saturating_sub(ranges);
        }
    }

    /// A range has come in front of the first one.
    pub fn make_room(&mut self) {
        for gate in &mut self.0 {
            gate.at += 1;
        }
    }
}
