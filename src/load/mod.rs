//! Load: many synthetic clients against a server, and what came of it.
//!
//! A [`Plan`] says what is to happen, a run is that happening once, an [`Outcome`] says what happened.
//! Everything that repeats, compares or searches (`--repeat`, `--versus`, `--find-max`) is a loop around that, and
//! every report (a table, JSON, a page) is made from outcomes alone.

pub mod outcome;
pub mod plan;

pub use outcome::Outcome;
pub use plan::Plan;
