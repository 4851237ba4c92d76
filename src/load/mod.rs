//! Load: many synthetic clients against a server, and what came of it.
//!
//! A [`Plan`] says what is to happen, a run is that happening once, an [`Outcome`] says what happened.
//! Everything that repeats, compares or searches (`--repeat`, `--versus`, `--find-max`) is a loop around that, and
//! every report (a table, JSON, a page) is made from outcomes alone.
//!
//! A run, in the order in which it is worth reading:
//! - `run` the coordinator: orders to the threads, a look at the server every second, the outcome;
//! - `cast` who plays which part, and `setup` what all threads know;
//! - `scenario` what is done in which order;
//! - `worker` a thread: its poll, its clients, what it does with what is readable;
//! - `talk` whose turn it is to send, by a window or by a `schedule`;
//! - `speech` the protocols; nothing else knows one;
//! - `marker`, `tally`, `flights`, `latencies` what becomes of a message that arrives: the counting that the
//!   reports are believed for.
//!
//! Around runs:
//! - [`bench`](mod@bench) repeats them, alternates between two servers, or searches with [`find_max`];
//! - [`contender`] and [`child`] bring up who is measured, [`cores`] keeps it apart from the load;
//! - [`probe`] reads what the server uses; [`report`] shows everything.

pub mod bench;
pub mod child;
pub mod contender;
pub mod cores;
pub mod find_max;
pub mod limits;
pub mod outcome;
pub mod plan;
pub mod probe;
pub mod progress;
pub mod report;
pub mod slo;

mod cast;
mod client;
mod clock;
mod crew;
mod datagrams;
mod error;
mod flights;
mod latencies;
mod marker;
mod measure;
mod outgoing;
mod run;
mod scenario;
mod schedule;
mod setup;
mod speech;
mod talk;
mod tally;
mod timer;
mod verdict;
mod watch;
mod words;
mod worker;

pub use error::Error;
pub use marker::LEN as PAYLOAD_MIN;
pub use outcome::Outcome;
pub use plan::{Plan, Target};
pub use run::run;
pub use watch::{Phase, Unwatched, Watch};
