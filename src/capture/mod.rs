//! What is seen on the wire: for Wireshark, and for those who study.
//!
//! - [`recorder`] makes a capture of what a program reads and writes, without a privilege; [`flow`] a connection in it,
//!   `sheet` its packets on their way, `writer` the thread that writes them, `files` where to, `clock` when they were;
//! - [`masks`] what does not get into it;
//! - [`pcapng`] the blocks of a capture file; [`packets`] the packets in it;
//! - `dissector` teaches Wireshark the native frames.

mod clock;
#[cfg(feature = "config")]
pub mod dissector;
mod files;
pub mod flow;
pub mod masks;
pub mod packets;
pub mod pcapng;
pub mod recorder;
mod sheet;
mod writer;

pub use flow::{Ends, Side};
pub use recorder::Recorder;

use std::path::PathBuf;

/// What is captured, and where to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// `None`: nothing is.
    pub file: Option<PathBuf>,
    /// How many files there are at one time, the oldest of which goes; 0: one, which is full one day.
    pub files: usize,
    /// Bytes of each.
    pub bytes_max: usize,
    /// Whether passwords, keys and tickets are shown.
    pub secrets: bool,
}

/// The smallest `bytes_max`: a file has to have room for its header and a long packet.
pub const BYTES_FLOOR: usize = 128 * 1_024;

impl Default for Options {
    fn default() -> Self {
        Options { file: None, files: 0, bytes_max: 100 * 1_024 * 1_024, secrets: false }
    }
}
