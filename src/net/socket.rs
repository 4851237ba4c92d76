//! The little that a reactor asks of a stream. `mio::net::TcpStream` is one; so is a test's socket that blocks,
//! breaks and writes halves at will.

use std::io::{Read, Result, Write};
use std::net::Shutdown;

/// A nonblocking byte stream: `read` and `write` fail with `WouldBlock` instead of waiting.
pub trait Socket: Read + Write {
    /// Ends the stream in one direction, `shutdown(2)`.
    ///
    /// # Errors
    /// Those of the system call; `NotConnected` when the peer is gone already.
    fn shutdown(&self, how: Shutdown) -> Result<()>;
}

impl Socket for mio::net::TcpStream {
    fn shutdown(&self, how: Shutdown) -> Result<()> {
        mio::net::TcpStream::shutdown(self, how)
    }
}
