//! A socket of which a test gives the input and keeps the output.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use switchboard::net::Socket;

/// Gives out its pieces one read at a time, and keeps what is written.
#[derive(Clone, Default)]
pub struct Pieces(pub Rc<RefCell<Streams>>);

#[derive(Default)]
pub struct Streams {
    pub input: VecDeque<Vec<u8>>,
    pub output: Vec<u8>,
    /// The other end says nothing more will come.
    pub is_shut: bool,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let streams = &mut *self.0.borrow_mut();
        let Some(piece) = streams.input.front_mut() else {
            // Who is told that nothing more comes goes, too.
            return if streams.is_shut { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        };
        let n = piece.len().min(into.len());
        into[..n].copy_from_slice(&piece[..n]);
        piece.drain(..n);
        if piece.is_empty() {
            streams.input.pop_front();
        }
        Ok(n)
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Pieces {
    fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        self.0.borrow_mut().is_shut = true;
        Ok(())
    }
}
