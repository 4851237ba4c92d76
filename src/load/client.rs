//! One synthetic client: its connection, how far it has come, and what it has to send.
//!
//! ```text
//!   Away ──▶ Connecting ──▶ LoggingIn ──▶ LoggedIn ──▶ Entering ──▶ Inside
//!                                                                      └──▶ Gone, when the connection ends
//! ```

use super::cast::Part;
use super::datagrams::Datagrams;
use super::outgoing::Outgoing;
use super::tally::Seats;
use crate::net::Inbox;
use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub struct Client {
    /// Among all clients of the run.
    pub number: u32,
    pub socket: Option<TcpStream>,
    pub inbox: Inbox,
    pub out: Outgoing,
    /// Its datagrams, if it has any.
    pub datagrams: Option<Box<Datagrams>>,
    /// Whether it is in the list of those that have something new to send.
    pub is_dirty: bool,
    /// Bytes that its socket had not taken when it was last written to.
    pub backlog: usize,
    pub state: State,
    /// When it began to connect.
    pub began: u64,
    /// Its room's channel.
    pub channel: u32,
    /// Its relay's.
    pub relay: u32,
    /// How often it has moved, if it is a visitor.
    pub moves: u32,
    /// Occupants of its room that it knows of.
    pub occupants: u32,
    /// The last question it had an answer to.
    pub answered: u64,
    pub part: Part,
    /// Whether it reads.
    pub is_reading: bool,
    pub seats: Seats,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    Away,
    Connecting,
    LoggingIn,
    LoggedIn,
    Entering,
    Inside,
    Gone,
}

impl State {
    /// What it is doing, for a sentence about what went wrong.
    pub fn doing(self) -> &'static str {
        match self {
            State::Away | State::Connecting => "connecting",
            State::LoggingIn => "logging in",
            State::Entering => "entering its room",
            State::LoggedIn | State::Inside | State::Gone => "waiting for the load to begin",
        }
    }
}

impl Client {
    pub fn new(number: u32, part: Part, seats: Seats) -> Client {
        Client {
            number,
            socket: None,
            inbox: Inbox::default(),
            out: Outgoing::default(),
            datagrams: None,
            is_dirty: false,
            backlog: 0,
            state: State::Away,
            began: 0,
            channel: 0,
            relay: 0,
            moves: 0,
            occupants: 0,
            answered: 0,
            part,
            is_reading: true,
            seats,
        }
    }

    /// Whether it has nothing to wait for but others.
    pub fn is_settled(&self) -> bool {
        matches!(self.state, State::LoggedIn | State::Inside)
    }

    /// Whether its connection has come about, and has not ended.
    pub fn is_connected(&self) -> bool {
        self.state > State::Connecting && self.state < State::Gone
    }
}

/// Begins to connect, from a source of the client's own if `spread`.
///
/// # Errors
/// Those of socket(2), bind(2) and connect(2).
pub fn dial(to: SocketAddr, number: u32, spread: bool) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if spread && matches!(to.ip(), IpAddr::V4(ip) if ip.is_loopback()) {
        socket.bind(&SocketAddr::from((source(number), 0)).into())?;
    }
    match socket.connect(&to.into()) {
        Err(error) if !is_under_way(&error) => Err(error),
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

fn is_under_way(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
        || error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

/// An address of 127.0.0.0/8 for each client, beginning at 127.1.0.1.
fn source(number: u32) -> Ipv4Addr {
    let base = u32::from(Ipv4Addr::new(127, 1, 0, 1));
    Ipv4Addr::from(base + number % (1 << 23))
}
