//! A connection without a kernel: a socket for the server that blocks, breaks and does things by halves, and the
//! other end of it for the test.
//!
//! Readiness is edge-triggered, as epoll(7) has it: once a read or a write has returned `WouldBlock`, there is one
//! edge when it would succeed again, and none before.
#![allow(dead_code)] // each test file uses its part

use super::random::Random;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use switchboard::net::Socket;

/// What the socket does besides what it should, in percent of the calls.
#[derive(Clone, Copy, Default, Debug)]
pub struct Faults {
    /// Less than there is, or than there is room for.
    pub partial: usize,
    pub would_block: usize,
    pub interrupted: usize,
}

/// Both ends of a connection, and the bytes between them.
pub struct Line {
    random: Random,
    faults: Faults,
    /// Written by the client, not yet read by the server.
    pub to_server: VecDeque<u8>,
    /// Written by the server, not yet read by the client.
    pub to_client: VecDeque<u8>,
    /// Bytes that fit into `to_client`: the kernel's buffers.
    pub window: usize,
    /// The client writes no more.
    pub client_shut: bool,
    /// The server writes no more.
    pub server_shut: bool,
    /// The server has closed its socket.
    pub server_closed: bool,
    /// It did so with unread input, and what was under way to the client is lost.
    pub cut_off: bool,
    /// The connection is broken; set by [`Line::reset`], or after so many more bytes in either direction.
    pub broken: bool,
    pub breaks_after: Option<usize>,
    pub read_calls: usize,
    pub write_calls: usize,
    /// As on Linux: a read of less than there was room for has emptied it, and what comes next is an edge.
    pub is_emptied_by_short_reads: bool,
    /// The last read (write) returned `WouldBlock`, and the edge that ends that is still to come.
    read_blocked: bool,
    write_blocked: bool,
    /// Something happened that causes an edge whatever was asked before.
    alarm: bool,
}

impl Line {
    pub fn new(random: Random, faults: Faults, window: usize) -> Line {
        Line {
            random,
            faults,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            window,
            client_shut: false,
            server_shut: false,
            server_closed: false,
            cut_off: false,
            broken: false,
            breaks_after: None,
            read_calls: 0,
            write_calls: 0,
            is_emptied_by_short_reads: faults.partial == 0,
            read_blocked: true,
            write_blocked: true,
            alarm: false,
        }
    }

    /// The edges that are due: readable, writable. `None` when there is none.
    pub fn edge(&self) -> Option<(bool, bool)> {
        if self.server_closed {
            return None;
        }
        let readable = self.read_blocked && (self.client_shut || self.broken || !self.to_server.is_empty());
        let writable = self.write_blocked && (self.broken || self.to_client.len() < self.window);
        let edge = (readable || self.alarm, writable || self.alarm);
        (edge.0 || edge.1).then_some(edge)
    }

    /// Takes the edges that are due.
    pub fn take_edge(&mut self) -> Option<(bool, bool)> {
        let edge = self.edge()?;
        self.read_blocked &= !edge.0;
        self.write_blocked &= !edge.1;
        self.alarm = false;
        Some(edge)
    }

    /// The connection breaks: the client is gone without a word.
    pub fn reset(&mut self) {
        self.broken = true;
        self.alarm = true;
        self.to_server.clear();
        self.to_client.clear();
    }

    /// What the client reads, at most `most` bytes.
    pub fn client_read(&mut self, most: usize) -> Vec<u8> {
        let n = most.min(self.to_client.len());
        self.to_client.drain(..n).collect()
    }

    /// Whether the client has read everything that it will ever get.
    pub fn is_at_end(&self) -> bool {
        self.to_client.is_empty() && (self.server_shut || self.server_closed || self.broken)
    }

    fn count(&mut self, n: usize) -> usize {
        let Some(left) = &mut self.breaks_after else { return n };
        let n = n.min(*left);
        *left -= n;
        if *left == 0 {
            self.broken = true;
            self.alarm = true;
        }
        n
    }

    fn strike(&mut self) -> io::Result<()> {
        if self.broken {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if self.random.chance(self.faults.interrupted) {
            return Err(ErrorKind::Interrupted.into());
        }
        Ok(())
    }

    fn part_of(&mut self, n: usize) -> usize {
        if !self.random.chance(self.faults.partial) {
            return n;
        }
        let most = if self.random.chance(50) { n.min(8) } else { n };
        self.random.between(1, most)
    }

    fn server_read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        assert!(!into.is_empty(), "a read of nothing looks like the end");
        self.read_calls += 1;
        self.strike()?;
        let spurious = self.random.chance(self.faults.would_block);
        if spurious || (self.to_server.is_empty() && !self.client_shut) {
            self.read_blocked = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        if self.to_server.is_empty() {
            return Ok(0);
        }
        let n = self.part_of(into.len().min(self.to_server.len()));
        let n = self.count(n).max(1);
        for (to, from) in into.iter_mut().zip(self.to_server.drain(..n)) {
            *to = from;
        }
        self.read_blocked |= n < into.len() && self.is_emptied_by_short_reads;
        Ok(n)
    }

    fn server_write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        assert!(length > 0, "a write of nothing");
        self.write_calls += 1;
        self.strike()?;
        assert!(!self.server_shut, "a write behind the end");
        let space = self.window.saturating_sub(self.to_client.len());
        if space == 0 || self.random.chance(self.faults.would_block) {
            self.write_blocked = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = self.part_of(length.min(space));
        let n = self.count(n).max(1);
        self.to_client.extend(slices.iter().flat_map(|slice| slice.iter()).take(n));
        Ok(n)
    }
}

/// The server's end.
pub struct FlakySocket(pub Rc<RefCell<Line>>);

impl Read for FlakySocket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().server_read(into)
    }
}

impl Write for FlakySocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().server_write(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.borrow_mut().server_write(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for FlakySocket {
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let mut line = self.0.borrow_mut();
        if line.broken {
            return Err(ErrorKind::NotConnected.into());
        }
        assert_eq!(how, Shutdown::Write, "the server never stops reading this way");
        line.server_shut = true;
        Ok(())
    }

    fn is_emptied_by_short_reads(&self) -> bool {
        self.0.borrow().is_emptied_by_short_reads
    }
}

/// Closing with unread input resets the connection, and what the client has not read yet is lost (RFC 1122 §4.2.2.13).
impl Drop for FlakySocket {
    fn drop(&mut self) {
        let mut line = self.0.borrow_mut();
        line.server_closed = true;
        if !line.to_server.is_empty() {
            line.cut_off = true;
            line.to_client.clear();
        }
    }
}
