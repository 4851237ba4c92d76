//! The reactor: one thread, one poll loop, and everything that happens in it in seven stages.
//!
//! ```text
//!   1 poll      sleep until something is ready, or not at all while work is left over
//!   2 note      readiness goes into flags; newcomers are accepted
//!   3 read      bytes → session → hub → outboxes
//!   4 timers    connections whose deadline has come, then the hub's
//!   5 replies   what other threads have sent
//!   6 flush     one vectored write per connection that has something to say
//!   7 reap      the closed ones: the hub is told, slots are freed
//! ```
//!
//! - [`reactor`] stages 1 and 2, with the sockets of the real world: mio, listeners, signals;
//! - [`engine`] stages 3 to 7, over any [`Socket`](crate::net::Socket) and any time, so that a test can be the world;
//! - `read` stage 3 for one connection;
//! - [`exchange`] where effects of the hub become bytes in outboxes;
//! - [`fanout`] who is subscribed to what, and who has got how far;
//! - [`connection`] one client, [`binding`] its datagrams;
//! - [`limits`] every bound, with its unit and its reason.

pub mod binding;
pub mod connection;
pub mod counters;
pub mod datagrams;
pub mod engine;
pub mod exchange;
pub mod fanout;
pub mod limits;
pub mod reactor;
mod read;

pub use engine::Engine;
pub use limits::{Limits, Settings};
pub use reactor::{Handle, Reactor};
