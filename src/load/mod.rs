//! Load: many synthetic clients against a server, and what came of it.
//!
//! A [`Plan`] says what is to happen, a run is that happening once, an [`Outcome`] says what happened.
//! Everything that repeats, compares or searches (`--repeat`, `--versus`, `--find-max`) is a loop around that, and
//! every report (a table, JSON, a page) is made from outcomes alone.

pub mod bench;
pub mod child;
pub mod contender;
pub mod cores;
pub mod error;
pub mod find_max;
pub mod outcome;
pub mod plan;
pub mod probe;
pub mod progress;
pub mod report;
pub mod slo;
pub mod watch;
mod words;

pub use error::Error;
pub use outcome::Outcome;
pub use plan::{Plan, Target};
pub use watch::{Phase, Unwatched, Watch};
