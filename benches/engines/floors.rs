//! The floors: not servers but yardsticks, for what the kernel alone costs when bytes go from one socket to many. No
//! parsing, no log-in, no rooms: whatever anybody sends goes to everybody, its sender included.
//!
//! - the *batch floor* reads all that is readable, puts it in one buffer and writes that buffer once to every socket;
//! - the *write floor* does one write per message and socket.
//!
//! One concession: bytes of two senders must not be interleaved inside a frame, so the beginning of a frame whose end
//! has not arrived is kept, which takes a look at the header of each frame (of each message, not of each delivery).

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{self, ErrorKind, Read, Write};
use switchboard::wire::{BODY_MAX, Split, split};

/// How a floor writes what it has read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writes {
    /// Everything that was read in this turn at once.
    PerTurn,
    PerMessage,
}

const LISTENER: Token = Token(usize::MAX);

/// Bytes that one read asks for.
const READ_BYTES: usize = 256 * 1_024;

struct Client {
    socket: TcpStream,
    /// The beginning of a frame.
    held: Vec<u8>,
    /// What the socket did not take.
    unsent: Vec<u8>,
}

/// Serves on a listening socket until the process ends.
pub fn serve(listener: std::net::TcpListener, writes: Writes) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1_024));
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    // A client's token is its place here. Who leaves is never replaced: a run has its clients and ends.
    let mut clients: Vec<Option<Client>> = Vec::new();
    let (mut scratch, mut turn, mut ends) = (vec![0; READ_BYTES], Vec::new(), Vec::new());
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        turn.clear();
        ends.clear();
        for event in &events {
            let at = event.token();
            if at == LISTENER {
                while let Ok((socket, _)) = listener.accept() {
                    clients.push(register(&poll, socket, Token(clients.len())));
                }
            } else if let Some(client) = clients[at.0].as_mut() {
                let alive = !event.is_writable() || client.catch_up();
                if !(alive && (!event.is_readable() || client.read(&mut scratch, &mut turn, &mut ends))) {
                    clients[at.0] = None;
                }
            }
        }
        for place in clients.iter_mut().filter(|_| !turn.is_empty()) {
            let Some(client) = place else { continue };
            let alive = match writes {
                Writes::PerTurn => client.write(&turn),
                Writes::PerMessage => {
                    let mut start = 0;
                    ends.iter().all(|&end| client.write(&turn[std::mem::replace(&mut start, end)..end]))
                }
            };
            if !alive {
                *place = None;
            }
        }
    }
}

fn register(poll: &Poll, socket: TcpStream, token: Token) -> Option<Client> {
    let mut client = Client { socket, held: Vec::new(), unsent: Vec::new() };
    client.socket.set_nodelay(true).ok()?;
    poll.registry().register(&mut client.socket, token, Interest::READABLE | Interest::WRITABLE).ok()?;
    Some(client)
}

impl Client {
    /// Appends all that is readable to `turn`, in whole frames, and where each of them ends to `ends`. `false` when the
    /// client is gone.
    fn read(&mut self, scratch: &mut [u8], turn: &mut Vec<u8>, ends: &mut Vec<usize>) -> bool {
        let start = turn.len();
        turn.append(&mut self.held);
        loop {
            match self.socket.read(scratch) {
                Ok(0) => return false,
                Ok(n) => {
                    turn.extend_from_slice(&scratch[..n]);
                    if n < scratch.len() {
                        break; // that was all; asking once more would be a system call per message
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        let mut end = start;
        while let Ok(Split::Frame(frame)) = split(&turn[end..], BODY_MAX) {
            end += frame.len();
            ends.push(end);
        }
        self.held.extend_from_slice(&turn[end..]);
        turn.truncate(end);
        true
    }

    fn write(&mut self, mut bytes: &[u8]) -> bool {
        while self.unsent.is_empty() && !bytes.is_empty() {
            match self.socket.write(bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        self.unsent.extend_from_slice(bytes);
        true
    }

    /// Writes what the socket did not take before.
    fn catch_up(&mut self) -> bool {
        let unsent = std::mem::take(&mut self.unsent);
        self.write(&unsent)
    }
}
