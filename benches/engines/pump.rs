//! The pump: what a relay costs when it does nothing but read from one socket and write to another. Connections are
//! paired as they come, the first with the second, the third with the fourth. Memory is bounded as it has to be: who
//! writes faster than the other reads is not read meanwhile.

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{self, ErrorKind, Read, Write};

const LISTENER: Token = Token(usize::MAX);

/// Bytes that one read asks for, as the server does by default.
const READ_BYTES: usize = 112 * 1_024;

struct End {
    socket: TcpStream,
    /// What its partner wrote and its socket did not take; its partner is not read before this is gone.
    unsent: Vec<u8>,
    readable: bool,
}

/// Serves on a listening socket until the process ends.
pub fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1_024));
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut ends: Vec<End> = Vec::new();
    let mut scratch = vec![0; READ_BYTES];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            let at = event.token();
            if at == LISTENER {
                while let Ok((mut socket, _)) = listener.accept() {
                    socket.set_nodelay(true)?;
                    let both = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut socket, Token(ends.len()), both)?;
                    ends.push(End { socket, unsent: Vec::new(), readable: false });
                }
                continue;
            }
            ends[at.0].readable |= event.is_readable();
            if event.is_writable() {
                ends[at.0].catch_up();
                pump(&mut ends, at.0 ^ 1, &mut scratch);
            }
            pump(&mut ends, at.0, &mut scratch);
        }
    }
}

/// Reads from one end while the other takes it.
fn pump(ends: &mut [End], from: usize, scratch: &mut [u8]) {
    let to = from ^ 1;
    while to < ends.len() && from < ends.len() && ends[from].readable && ends[to].unsent.is_empty() {
        match ends[from].socket.read(scratch) {
            Ok(0) => {
                ends[from].readable = false;
                let _ = ends[to].socket.shutdown(std::net::Shutdown::Write); // it may be gone as well
            }
            Ok(n) => {
                // Less than was asked for: that was all, and asking once more would be a system call.
                ends[from].readable = n == scratch.len();
                ends[to].write(&scratch[..n]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => ends[from].readable = false,
        }
    }
}

impl End {
    fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.socket.write(bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return, // gone: what it does not get is lost, as it should be
            }
        }
        self.unsent.extend_from_slice(bytes);
    }

    fn catch_up(&mut self) {
        let unsent = std::mem::take(&mut self.unsent);
        self.write(&unsent);
    }
}
