//! The nonblocking toolkit: what every server on a reactor needs, whatever it serves. Knows no chat.
//!
//! - [`slots`] connections in a slab, under keys that are never mistaken for another connection's;
//! - [`socket`] the little that is asked of a stream, so that a test can be one;
//! - [`tap`] a look at what goes through one;
//! - [`inbox`] bytes that were read and not yet used;
//! - [`blocks`] and [`outbox`] bytes to be written, shared by all who are to get them, with `gates` that hold some of them back;
//! - [`timers`] deadlines, one lazy entry per connection;
//! - [`listener`] listening sockets, and what to do when accept fails;
//! - [`datagram`] a UDP socket that never waits and never fails for good;
//! - [`descriptors`] how many files the process may have open; [`process`] what it takes;
//! - [`allocator`] how free memory goes back to the system.

pub mod allocator;
pub mod blocks;
pub mod datagram;
pub mod descriptors;
mod gates;
pub mod inbox;
pub mod listener;
pub mod outbox;
pub mod process;
pub mod slots;
pub mod socket;
pub mod tap;
pub mod timers;

pub use blocks::{BlockId, Blocks};
pub use inbox::Inbox;
pub use outbox::{Flushed, Outbox};
pub use slots::{Key, Slots};
pub use socket::Socket;
pub use tap::Tapped;
pub use timers::{Alarm, Timers};
