//! The reactor: one thread, one poll loop, and everything that happens in it in seven stages.
//!
//! ```text
//!   1 poll      sleep until something is ready, or not at all while work is left over
//!   2 note      readiness goes into flags; newcomers are accepted
//!   3 read      bytes → session → hub → outboxes
//!   4 timers    connections whose deadline has come, then the hub's
//!   5 replies   what other threads have sent
//!   6 flush     everybody who is owed something is written to, as a rule with one write
//!   7 reap      the closed ones: the hub is told, slots are freed
//! ```
//!
//! Two exceptions write before stage 6: relay payload goes straight to a peer for whom nothing is queued, and a queue
//! that is overfull is offered to its socket before it counts as slow.
//!
//! - [`reactor`] poll, accept, signals, and the order of the stages: the sockets of the real world; `mailbox` how other
//!   threads reach it; `ending` how it comes to its end;
//! - `listening` opens the sockets that newcomers and datagrams come to;
//! - [`engine`] read, timers, flush, reap, and the flags of note, over any [`Socket`](crate::net::Socket) and any time,
//!   so that a test can be the world;
//! - `read` stage 3 for one connection;
//! - [`exchange`] what connections are owed, and when who waits; `effects` where effects of the hub become that;
//! - [`fanout`] who is subscribed to what, and who has got how far;
//! - [`connection`] one client, [`binding`] its datagram address and keys, [`allowance`] what it may make us send;
//! - [`cloak`] what others see of an address;
//! - `tap` where what is read and written is captured;
//! - `ebb` when memory goes back to the system;
//! - [`datagrams`] what comes in datagrams, and what goes out in them;
//! - [`flood`] who sends too fast, and waits;
//! - [`credentials`] who may do more than others; [`checks`] the lines in which their [`passwords`] and those of accounts (`proofs`) wait for `worker`, a
//!   thread that checks them; `reload` settings that are read again; `operators` bans, and the log of what operators do;
//! - `keeping` what lasts, and who waits until it is saved; `fetching` what the hub asks storage for; `unkept` the same in builds without storage;
//! - [`address`] where clients come from;
//! - [`counters`] what is counted, `stages` what a turn's time goes to, [`figures`] all of it as it is shown; `trace` a line for each step of the turn, for those who want to watch it;
//! - [`limits`] every bound, with its unit and its reason.

pub mod address;
pub mod allowance;
pub mod binding;
pub mod checks;
pub mod cloak;
pub mod connection;
pub mod counters;
pub mod credentials;
pub mod datagrams;
mod ebb;
mod effects;
mod ending;
pub mod engine;
pub mod exchange;
pub mod fanout;
#[cfg(feature = "storage")]
mod fetching;
pub mod figures;
pub mod flood;
#[cfg(feature = "storage")]
mod keeping;
#[cfg(not(feature = "storage"))]
#[path = "unkept.rs"]
mod keeping;
pub mod limits;
mod listening;
mod mailbox;
mod operators;
pub mod passwords;
mod proofs;
pub mod reactor;
mod read;
mod reload;
mod stages;
mod tap;
mod trace;
mod worker;

#[cfg(test)]
mod tests;

pub use engine::Engine;
pub use limits::{Limits, Settings};
pub use mailbox::Handle;
pub use reactor::Reactor;
