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
    #[inline]
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let Some(tap) = &mut self.tap else { return self.socket.read(into) };
        let outcome = self.socket.read(into);
        match &outcome {
            Ok(n) => tap.read(into.get(..*n).unwrap_or_default()),
            Err(error) => tap.failed(error, false),
        }
        outcome
    }
}

fn note_written(tap: &mut impl Tap, slices: &[IoSlice<'_>], outcome: &Result<usize>) {
    match outcome {
        Ok(n) => tap.wrote(slices, *n),
        Err(error) => tap.failed(error, true),
    }
}

impl<S: Socket, T: Tap> Write for Tapped<'_, S, T> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let Some(tap) = &mut self.tap else { return self.socket.write(bytes) };
        let outcome = self.socket.write(bytes);
        note_written(tap, &[IoSlice::new(bytes)], &outcome);
        outcome
    }

    #[inline]
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> Result<usize> {
        let Some(tap) = &mut self.tap else { return self.socket.write_vectored(slices) };
        let outcome = self.socket.write_vectored(slices);
        note_written(tap, slices, &outcome);
        outcome
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
