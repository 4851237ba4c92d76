//! What is seen on the wire.
//!
//! - [`pcapng`] the blocks of a capture file; [`packets`] the packets in it.

pub mod packets;
pub mod pcapng;
