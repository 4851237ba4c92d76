//! Listening sockets, and what to do when accept fails.

use super::Socket;
use mio::net::TcpStream;
use socket2::{Domain, Protocol, SockAddr, Socket as RawSocket, Type};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr};

/// Connections that the kernel completes before we accept them. mio's own bind asks for 128, of which a burst of
/// a thousand clients loses most to retransmission time-outs.
const BACKLOG: i32 = 4_096;

/// Something that connections can be accepted from; a test can be one.
pub trait Accept {
    type Socket: Socket;

    /// # Errors
    /// `WouldBlock` when nobody waits; anything that accept(2) lists.
    fn accept(&self) -> io::Result<(Self::Socket, SocketAddr)>;
}

impl Accept for mio::net::TcpListener {
    type Socket = TcpStream;

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        mio::net::TcpListener::accept(self)
    }
}

/// Binds and listens. An IPv6 wildcard takes IPv4 too; who comes that way is told apart by
/// [`std::net::IpAddr::to_canonical`].
///
/// # Errors
/// Those of socket(2), bind(2) and listen(2).
pub fn listen(address: SocketAddr) -> io::Result<mio::net::TcpListener> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?; // a restart must not wait for connections in TIME_WAIT
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(mio::net::TcpListener::from_std(socket.into()))
}

/// What became of one attempt to accept.
#[derive(Debug)]
pub enum Accepted<S> {
    Connection(S, SocketAddr),
    /// Nobody waits any more: the next edge will tell.
    Drained,
    /// This one is gone (it was aborted, or we were interrupted), but others may wait behind it.
    Skipped(io::Error),
    /// No descriptor is free. Those who wait stay in the backlog and cause no edge: try again on every close and on a
    /// timer.
    OutOfDescriptors(io::Error),
}

/// Accepts one connection, and says what an error means for those behind it. Only `WouldBlock` means that nobody
/// is there: a loop that ends at ECONNABORTED or EINTR leaves the rest waiting for an edge that does not come.
pub fn accept<A: Accept>(listener: &A) -> Accepted<A::Socket> {
    match listener.accept() {
        Ok((socket, address)) => Accepted::Connection(socket, canonical(address)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Accepted::Drained,
        Err(error) if is_out_of_descriptors(&error) => Accepted::OutOfDescriptors(error),
        Err(error) => Accepted::Skipped(error),
    }
}

/// Last words to a connection that there is no room for; then it is closed. One attempt: nothing waits for it.
pub fn turn_away(mut socket: impl Socket, words: &[u8]) {
    let _ = socket.write(words);
    let _ = socket.shutdown(Shutdown::Write);
    let _ = socket.read(&mut [0; 1_024]); // unread input would reset the connection before it is told
}

/// ::ffff:127.0.0.1 is 127.0.0.1: no limit, ban or log line must tell them apart.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM]
        .iter()
        .any(|e| error.raw_os_error() == Some(e.raw_os_error()))
}

/// A descriptor kept for the moment when there is none: given up, it lets one connection be accepted, told, and
/// closed, which a client understands better than silence.
pub struct Reserve(Option<File>);

impl Reserve {
    pub fn new() -> Self {
        let mut reserve = Reserve(None);
        reserve.refill();
        reserve
    }

    /// Gives the descriptor up. `false` when there was none.
    pub fn spend(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// Takes one again. `false` when none is free.
    pub fn refill(&mut self) -> bool {
        if self.0.is_none() {
            self.0 = File::open("/dev/null").ok();
        }
        self.0.is_some()
    }
}

impl Default for Reserve {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::VecDeque;

    struct Script(RefCell<VecDeque<io::Result<()>>>);

    impl Accept for Script {
        type Socket = TcpStream;

        fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
            match self.0.borrow_mut().pop_front() {
                Some(Err(error)) => Err(error),
                Some(Ok(())) | None => Err(ErrorKind::WouldBlock.into()),
            }
        }
    }

    #[test]
    fn only_would_block_says_that_nobody_waits() {
        use rustix::io::Errno;
        let errors = [Errno::CONNABORTED, Errno::INTR, Errno::PROTO, Errno::MFILE, Errno::AGAIN];
        let script = errors.map(|e| Err(io::Error::from_raw_os_error(e.raw_os_error())));
        let listener = Script(RefCell::new(VecDeque::from(script)));
        assert!(matches!(accept(&listener), Accepted::Skipped(_)));
        assert!(matches!(accept(&listener), Accepted::Skipped(_)));
        assert!(matches!(accept(&listener), Accepted::Skipped(_)));
        assert!(matches!(accept(&listener), Accepted::OutOfDescriptors(_)));
        assert!(matches!(accept(&listener), Accepted::Drained));
    }

    #[test]
    fn mapped_addresses_are_what_they_are() {
        let mapped: SocketAddr = "[::ffff:127.0.0.1]:80".parse().expect("an address");
        assert_eq!(canonical(mapped), "127.0.0.1:80".parse().expect("an address"));
    }

    #[test]
    fn the_reserve_is_spent_once() {
        let mut reserve = Reserve::new();
        assert!(reserve.spend() && !reserve.spend());
        assert!(reserve.refill());
    }
}
