//! The little that a reactor asks of a stream. `mio::net::TcpStream` is one; so is a test's socket that blocks,
//! breaks and writes halves at will.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, SocketAddr};

/// A nonblocking byte stream: `read` and `write` fail with `WouldBlock` instead of waiting.
pub trait Socket: Read + Write {
    /// Ends the stream in one direction, `shutdown(2)`.
    ///
    /// # Errors
    /// Those of the system call; `NotConnected` when the peer is gone already.
    fn shutdown(&self, how: Shutdown) -> Result<()>;

    /// Whether a read of less than there was room for has emptied the stream, and what comes next causes an edge. Then
    /// nobody has to ask once more, only to be told `WouldBlock`.
    fn is_emptied_by_short_reads(&self) -> bool {
        false
    }

    /// Our end of the stream, where it has an address.
    fn local_address(&self) -> Option<SocketAddr> {
        None
    }
}

impl Socket for mio::net::TcpStream {
    fn shutdown(&self, how: Shutdown) -> Result<()> {
        mio::net::TcpStream::shutdown(self, how)
    }

    /// epoll(7), question 9. The end of the stream is no exception: it either was named in the event that led to the
    /// read, or causes another.
    fn is_emptied_by_short_reads(&self) -> bool {
        cfg!(target_os = "linux")
    }

    fn local_address(&self) -> Option<SocketAddr> {
        self.local_addr().ok()
    }
}
