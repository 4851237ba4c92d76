//! The sockets: a TCP listener and a UDP socket on one port of this client's own, and the connections.
//!
//! Connections are dialled from the port on which the listener is, so that a NAT in front of us maps both to the same
//! address, and two ends that dial each other at the same time meet in one connection (RFC 9293 §3.5, simultaneous
//! open).

use super::connection::{Connection, STRANGER_TIME, Stage};
use super::{TOKENS_FROM, finder::Way};
use crate::capture::Side;
use crate::chat::capture::Capture;
use crate::net::datagram::{self, DatagramSocket, ReceiveBuffers, Train};
use crate::net::listener::{Accepted, accept};
use crate::net::{Blocks, Key, Slots};
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

const LISTENER: Token = TOKENS_FROM;
const UDP: Token = Token(TOKENS_FROM.0 + 1);

/// Port numbers that are tried until one is free for TCP and UDP.
const PORTS_MAX: usize = 16;

/// Somebody who has the time to be accepted: a peer has little to wait for.
const BACKLOG: i32 = 64;

/// Strangers who are listened to at a time. The one who has been there longest makes room for the next: a peer says
/// who it is at once.
const STRANGERS_MAX: usize = 16;

/// Connections that are accepted in one turn.
const ACCEPTS_MAX: usize = 16;

/// Makes nonblocking connections that come from the port on which this client listens, so that the server sees, and
/// tells peers, an address at which the client can be reached. One that does not do so is better than none.
#[derive(Clone, Copy, Default, Debug)]
pub struct Dialler {
    port: Option<u16>,
}

impl Dialler {
    /// # Errors
    /// Those of socket(2) and connect(2), apart from "in progress".
    pub fn connect(self, to: SocketAddr) -> io::Result<TcpStream> {
        self.connect_from_port(to).or_else(|error| {
            log::debug!("to {to} from an ordinary port: {error}");
            TcpStream::connect(to)
        })
    }

    /// # Errors
    /// The same, and those of bind(2); `AddrInUse` and `AddrNotAvailable` when there is such a connection already.
    fn connect_from_port(self, to: SocketAddr) -> io::Result<TcpStream> {
        let Some(port) = self.port else { return TcpStream::connect(to) };
        let socket = shareable(to)?;
        let from: IpAddr =
            if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        socket.bind(&SockAddr::from(SocketAddr::new(from, port)))?;
        match socket.connect(&SockAddr::from(to)) {
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
            _ => Ok(TcpStream::from_std(socket.into())),
        }
    }
}

/// A socket for TCP that does not mind others of ours on its port.
fn shareable(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

pub struct Ends {
    registry: Registry,
    listener: TcpListener,
    /// Whether somebody may wait to be accepted; sticky, as everywhere.
    accepting: bool,
    pub udp: Option<DatagramSocket>,
    /// Kept for its memory.
    pub received: Option<ReceiveBuffers>,
    pub connections: Slots<Connection>,
    pub blocks: Blocks,
    pub capture: Capture,
    local: SocketAddr,
}

impl Ends {
    /// # Errors
    /// When no port can be had, or nothing be registered.
    pub fn open(registry: &Registry, with_udp: bool) -> io::Result<Ends> {
        let (mut listener, mut udp) = bind_both(Ipv6Addr::UNSPECIFIED.into(), with_udp)
            .or_else(|_| bind_both(Ipv4Addr::UNSPECIFIED.into(), with_udp))?;
        let registry = registry.try_clone()?;
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        if let Some(udp) = &mut udp {
            registry.register(udp.source(), UDP, Interest::READABLE)?;
        }
        let local = listener.local_addr()?;
        Ok(Ends {
            registry,
            listener,
            accepting: true,
            udp,
            received: None,
            connections: Slots::default(),
            blocks: Blocks::default(),
            capture: Capture::default(),
            local,
        })
    }

    /// Where the sockets are bound: a wildcard, and the port.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    pub fn dialler(&self) -> Dialler {
        Dialler { port: Some(self.local.port()) }
    }

    pub fn note(&mut self, event: &Event) {
        match event.token() {
            LISTENER => self.accepting = true,
            UDP => {
                if let Some(udp) = &mut self.udp {
                    udp.ready = true;
                }
            }
            token => {
                if let Some(connection) = self.connections.get_mut(Key::from(token)) {
                    connection.note(event);
                }
            }
        }
    }

    pub fn is_busy(&self) -> bool {
        let udp = self.udp.as_ref().is_some_and(|udp| udp.ready);
        udp || self.accepting || self.connections.iter().any(|(_, connection)| connection.is_busy())
    }

    /// Takes in strangers.
    pub fn accept(&mut self, now: Instant) {
        for _ in 0..ACCEPTS_MAX {
            if !self.accepting {
                break;
            }
            match accept(&self.listener) {
                Accepted::Connection(socket, remote) => {
                    self.make_room_for_a_stranger();
                    let stage = Stage::Stranger { until: now + STRANGER_TIME };
                    if let Err(error) = self.add(socket, remote, stage) {
                        log::debug!("{remote}: {error}");
                    }
                }
                Accepted::Skipped(_) => {}
                Accepted::Drained => self.accepting = false,
                // They can wait for the next one who comes; the call goes on by other ways.
                Accepted::OutOfDescriptors(error) => {
                    log::debug!("accept: {error}");
                    self.accepting = false;
                }
            }
        }
    }

    fn make_room_for_a_stranger(&mut self) {
        let strangers = || {
            self.connections.iter().filter_map(|(key, connection)| match connection.stage {
                Stage::Stranger { until } => Some((until, key)),
                _ => None,
            })
        };
        if strangers().count() >= STRANGERS_MAX
            && let Some((_, oldest)) = strangers().min()
        {
            self.remove(oldest);
        }
    }

    /// Begins to connect to an address of a peer's, from our port and no other.
    ///
    /// # Errors
    /// Those of socket(2), bind(2) and connect(2).
    pub fn dial(&mut self, channel: u32, to: SocketAddr) -> io::Result<()> {
        let socket = self.dialler().connect_from_port(to)?;
        self.add(socket, to, Stage::Dialling { channel }).map(|_| ())
    }

    fn add(&mut self, socket: TcpStream, remote: SocketAddr, stage: Stage) -> io::Result<Key> {
        let mut connection = Connection::new(socket, remote, stage);
        if matches!(stage, Stage::Stranger { .. }) {
            connection.wire = self.capture.connected("peer", &connection.socket, Side::Theirs);
        }
        let key = self.connections.insert(connection);
        if let Some(connection) = self.connections.get_mut(key) {
            let interest = Interest::READABLE | Interest::WRITABLE;
            if let Err(error) = self.registry.register(&mut connection.socket, key.into(), interest) {
                self.connections.remove(key);
                return Err(error);
            }
        }
        Ok(key)
    }

    /// Closes a connection at once.
    pub fn remove(&mut self, key: Key) -> Option<Connection> {
        let mut connection = self.connections.remove(key)?;
        connection.outbox.clear(&mut self.blocks);
        // The poll forgets a socket that is closed; this is for the systems where it does not.
        let _ = self.registry.deregister(&mut connection.socket);
        Some(connection)
    }

    /// Closes every connection of a call, except one.
    pub fn remove_all(&mut self, channel: u32, except: Option<Way>) {
        let closing = |connection: &Connection| matches!(connection.stage, Stage::Closing { .. });
        let keys: Vec<Key> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.channel() == Some(channel) && !closing(connection))
            .map(|(key, _)| key)
            .filter(|&key| except != Some(Way::Tcp(key)))
            .collect();
        keys.into_iter().for_each(|key| drop(self.remove(key)));
    }

    /// Who is at the other end of a way.
    pub fn peer(&self, way: Way) -> Option<SocketAddr> {
        match way {
            Way::Udp(address) => Some(address),
            Way::Tcp(key) => self.connections.get(key).map(|connection| connection.remote),
        }
    }

    /// Sends a datagram; what the socket does not take is lost, as any datagram may be.
    pub fn send_datagram(&self, to: SocketAddr, bytes: &[u8]) {
        match &self.udp {
            Some(udp) if udp.send(alone(to, bytes)) == 0 => log::trace!("a datagram to {to} was not taken"),
            Some(_) => self.capture.datagram(self.local, to, Side::Ours, bytes),
            None => {}
        }
    }
}

fn alone(to: SocketAddr, datagram: &[u8]) -> Train<'_> {
    let ends = datagram::Ends { theirs: to, ours: None };
    Train { ends, datagrams: datagram, length: datagram.len() }
}

/// A listener and a UDP socket with the same number.
fn bind_both(ip: IpAddr, with_udp: bool) -> io::Result<(TcpListener, Option<DatagramSocket>)> {
    let attempt = || {
        let any = SocketAddr::new(ip, 0);
        let socket = shareable(any)?;
        socket.bind(&SockAddr::from(any))?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from_std(socket.into());
        let udp = with_udp.then(|| DatagramSocket::bind(listener.local_addr()?)).transpose()?;
        Ok((listener, udp))
    };
    // The number that TCP was given may be taken over UDP.
    (1..PORTS_MAX).find_map(|_| attempt().ok()).map_or_else(attempt, Ok)
}
