//! What lasts: accounts, rooms and their past, in an SQLite database that one thread of its own reads and writes. Knows
//! the hub's records and nothing else of the server; its answers go to whoever gave it a place for them.
//!
//! - [`Database`] opens the file, or says why not: a second server, a foreign, damaged or newer file;
//! - `near` is [`Storage`], which takes records and questions, and never waits;
//! - `worker` the thread: what comes within a moment is one transaction;
//! - `schema` the tables and their versions; `write` and `read` records and rows; `past` what happened in rooms, and
//!   `words` how it is found; `numbers` what has no number of its own.

mod near;
mod numbers;
mod open;
mod past;
mod read;
mod schema;
mod words;
mod worker;
mod write;

#[cfg(test)]
mod tests;

pub use near::{Refused, Storage};
pub use open::{Database, FILE, OpenError};
pub use worker::{Answer, Sequence};
