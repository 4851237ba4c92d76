//! A look at what goes through a socket, for somebody who keeps a record of it.

use super::Socket;
use std::io::{IoSlice, Read, Result, Write};
use std::net::{Shutdown, SocketAddr};

/// Is told of every call, after it.
pub trait Tap {
    /// The socket gave these bytes; none: it is at its end.
    fn read(&mut self, bytes: &[u8]);

    /// The socket took the first `taken` bytes of these.
    fn wrote(&mut self, slices: &[IoSlice<'_>], taken: usize);

    /// Our direction was shut.
    fn shut(&mut self);

    /// The socket did nothing of the kind.
    fn failed(&mut self, error: &std::io::Error, is_write: bool);
}

/// A socket with a tap on it, for the length of a call; or without one, which then costs a branch.
pub struct Tapped<'a, S, T> {
    pub socket: &'a mut S,
    pub tap: Option<T>,
}

impl<S: Socket, T: Tap> Read for Tapped<'_, S, T> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let outcome = self.socket.read(into);
        if let Some(tap) = &mut self.tap {
            match &outcome {
                Ok(n) => tap.read(into.get(..*n).unwrap_or_default()),
                Err(error) => tap.failed(error, false),
            }
        }
        outcome
    }
}

impl<S: Socket, T: Tap> Tapped<'_, S, T> {
    fn note_written(&mut self, slices: &[IoSlice<'_>], outcome: Result<usize>) -> Result<usize> {
        if let Some(tap) = &mut self.tap {
            match &outcome {
                Ok(n) => tap.wrote(slices, *n),
                Err(error) => tap.failed(error, true),
            }
        }
        outcome
    }
}

impl<S: Socket, T: Tap> Write for Tapped<'_, S, T> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let outcome = self.socket.write(bytes);
        self.note_written(&[IoSlice::new(bytes)], outcome)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> Result<usize> {
        let outcome = self.socket.write_vectored(slices);
        self.note_written(slices, outcome)
    }

    fn flush(&mut self) -> Result<()> {
        self.socket.flush()
    }
}

impl<S: Socket, T: Tap> Tapped<'_, S, T> {
    /// Shuts a direction; of ours, the tap is told.
    ///
    /// # Errors
    /// Those of [`Socket::shutdown`].
    pub fn shut(&mut self, how: Shutdown) -> Result<()> {
        let outcome = self.socket.shutdown(how);
        if let (Some(tap), Ok(()), Shutdown::Write | Shutdown::Both) = (&mut self.tap, &outcome, how) {
            tap.shut();
        }
        outcome
    }
}

impl<S: Socket, T: Tap> Socket for Tapped<'_, S, T> {
    fn shutdown(&self, how: Shutdown) -> Result<()> {
        self.socket.shutdown(how)
    }

    fn is_emptied_by_short_reads(&self) -> bool {
        self.socket.is_emptied_by_short_reads()
    }

    fn local_address(&self) -> Option<SocketAddr> {
        self.socket.local_address()
    }
}
