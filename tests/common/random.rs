//! Randomness that a seed repeats, and the seeds that a simulation runs with.
#![allow(dead_code)] // each test file uses its part

use std::hash::{BuildHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// splitmix64 (Steele, Lea, Flood 2014): one word of state, and every seed is a good one.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A number from `start` to `end`, both included.
    pub fn between(&mut self, start: usize, end: usize) -> usize {
        start + self.below(end - start + 1)
    }

    /// True `percent` times out of a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Another source, so that what one part of a test draws does not shift what another one gets.
    pub fn fork(&mut self) -> Random {
        Random(self.next())
    }
}

/// Runs a simulation with `fixed` seeds and one that nobody has tried before, or, when SWITCHBOARD_SEED is set, with
/// that one alone. The seed of a run that fails is printed.
pub fn with_seeds(fixed: std::ops::Range<u64>, mut simulate: impl FnMut(u64)) {
    let seeds: Vec<u64> = match std::env::var("SWITCHBOARD_SEED") {
        Ok(seed) => vec![seed.parse().expect("SWITCHBOARD_SEED is a number")],
        Err(_) => fixed.chain([fresh_seed()]).collect(),
    };
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| simulate(seed))) {
            eprintln!("the simulation failed; run it again with SWITCHBOARD_SEED={seed}");
            resume_unwind(panic);
        }
    }
}

/// The standard library seeds its hash maps from the system.
pub fn fresh_seed() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
