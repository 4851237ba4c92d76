//! A UDP socket of the server. Nothing waits in it: what is not there is not read, what cannot go is dropped.
//!
//! Datagrams move in *trains* where the kernel has them: several of one length (the last may be shorter) between the
//! same two addresses, which cost little more than one. It gathers those that come (GRO) and takes apart those that go
//! (GSO).

use mio::net::UdpSocket;
#[cfg(target_os = "linux")]
use nix::sys::socket::{setsockopt, sockopt::ReceiveTimestampns};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use rustix::io::Errno;
use rustix::net::{SendFlags, sendto, sockopt};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// What the kernel may hold for us while we do something else, in bytes, in either direction.
const BUFFER_BYTES: usize = 4 * 1_024 * 1_024;

/// Bytes of the longest train, which is that of the longest datagram: 16 bits, less the headers of UDP and IPv4.
const TRAIN_BYTES: usize = 65_507;

/// Trains, or datagrams that come alone, received with one system call.
const TRAINS_PER_CALL: usize = 16;

/// The two ends of a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ends {
    /// The other side, in canonical form: an IPv4 address never looks like an IPv6 one.
    pub theirs: SocketAddr,
    /// The address on our side, where the socket has all that the host has: an answer must come from the one that was
    /// asked. `None` where there is no choice.
    pub ours: Option<IpAddr>,
}

/// Datagrams of one length between the same two ends, one behind the other; the last may be shorter.
#[derive(Clone, Copy, Debug)]
pub struct Train<'a> {
    pub ends: Ends,
    pub datagrams: &'a [u8],
    /// Bytes of each but the last.
    pub length: usize,
}

pub struct DatagramSocket {
    socket: UdpSocket,
    state: UdpSocketState,
    /// Whether the socket takes IPv4 as mapped addresses, and wants them so.
    is_v6: bool,
    is_wildcard: bool,
    /// Sticky: set by an event, cleared by an empty socket alone.
    pub ready: bool,
}

impl DatagramSocket {
    /// # Errors
    /// Those of socket(2), bind(2) and setsockopt(2).
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        // The kernel gives what its limits allow; less only means more drops under a burst.
        let _ = socket.set_recv_buffer_size(BUFFER_BYTES);
        let _ = socket.set_send_buffer_size(BUFFER_BYTES);
        socket.bind(&SockAddr::from(address))?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?; // nonblocking, too
        unset_quic_options(&socket, address);
        let socket = UdpSocket::from_std(socket.into());
        let (is_v6, is_wildcard) = (address.is_ipv6(), address.ip().is_unspecified());
        Ok(DatagramSocket { socket, state, is_v6, is_wildcard, ready: false })
    }

    pub fn source(&mut self) -> &mut UdpSocket {
        &mut self.socket
    }

    /// Receives what is there, with one system call, and returns how many datagrams that were; `budget` bounds them,
    /// but one train is taken whole. An error of an earlier send (ICMP, say) comes out here and counts as one; it is
    /// somebody else's trouble, and never the socket's end.
    ///
    /// A batch that is shorter than what was asked for says that the socket is empty: recvmmsg(2) ends early only when
    /// a receive inside it has failed, with EAGAIN unless something is very wrong. What comes after that is a new edge,
    /// exactly as after a `WouldBlock` of our own, which is spared thus: it would be a system call for every datagram
    /// that comes alone. An error that ends a batch is put off to the next call; should datagrams wait behind it, they
    /// come with the edge of the next one. Where there is no recvmmsg(2) we ask for one train, and only `WouldBlock`
    /// tells.
    pub fn receive(
        &mut self,
        buffers: &mut ReceiveBuffers,
        budget: usize,
        mut take: impl FnMut(Ends, &[u8]),
    ) -> usize {
        let asked = (budget / self.state.gro_segments()).clamp(1, TRAINS_PER_CALL.min(quinn_udp::BATCH_SIZE));
        let ReceiveBuffers { bytes, trains } = buffers;
        let mut chunks = bytes.chunks_exact_mut(TRAIN_BYTES);
        let mut slices: [IoSliceMut<'_>; TRAINS_PER_CALL] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let received = match self.state.recv((&self.socket).into(), &mut slices[..asked], trains) {
            Ok(received) => received,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.ready = false;
                return 0;
            }
            Err(_) => return 1,
        };
        self.ready = received == asked;
        let mut datagrams = 0;
        for (train, bytes) in trains.iter().zip(bytes.chunks_exact(TRAIN_BYTES)).take(received) {
            let ends = self.ends(train);
            let bytes = bytes.get(..train.len).unwrap_or_default();
            if bytes.is_empty() {
                take(ends, bytes);
                datagrams += 1;
            }
            for datagram in bytes.chunks(train.stride.max(1)) {
                take(ends, datagram);
                datagrams += 1;
            }
        }
        datagrams
    }

    /// Sends a train, and returns how many of its datagrams the socket took; what it did not take, for whatever reason,
    /// is gone.
    ///
    /// There is no sendmmsg(2) for datagrams to different addresses: what it saves at the system call's door it spends
    /// on headers to copy, and comes out even (measured on loopback).
    pub fn send(&self, train: Train<'_>) -> usize {
        let Train { ends: Ends { theirs, ours }, datagrams, length } = train;
        if theirs.port() == 0 || length == 0 {
            return 0; // nobody's
        }
        let to = self.as_taken(theirs);
        if ours.is_none() && datagrams.len() <= length {
            // The plain call, which the kernel has less to look at in; and not std's, which can be cancelled, and takes
            // longer for it.
            return usize::from(sendto(&self.socket, datagrams, SendFlags::empty(), &to).is_ok());
        }
        let per_call = self.state.max_gso_segments().min(TRAIN_BYTES / length).max(1);
        let parts = datagrams.chunks(length * per_call);
        parts.map(|part| self.send_at_once(ours, to, part, length)).sum()
    }

    fn send_at_once(&self, ours: Option<IpAddr>, to: SocketAddr, datagrams: &[u8], length: usize) -> usize {
        let count = datagrams.len().div_ceil(length);
        match self.transmit(ours, to, datagrams, length) {
            Ok(()) => count,
            // Not every route takes trains: it may be the device, or an MTU that asks for fragments. That says nothing
            // of the next train's route, so we do not remember it; the price is one call more per train. (Where the
            // error is of the kind that only a device without them gives, quinn-udp remembers it for the socket.)
            Err(error) if count > 1 && is_about_trains(&error) => {
                let singles = datagrams.chunks(length);
                singles.filter(|single| self.transmit(ours, to, single, length).is_ok()).count()
            }
            Err(_) => 0,
        }
    }

    fn transmit(
        &self,
        src_ip: Option<IpAddr>,
        to: SocketAddr,
        contents: &[u8],
        length: usize,
    ) -> io::Result<()> {
        let segment_size = Some(length);
        let transmit = Transmit { destination: to, ecn: None, contents, segment_size, src_ip };
        self.state.try_send((&self.socket).into(), &transmit)
    }

    /// An address as the socket takes it.
    fn as_taken(&self, theirs: SocketAddr) -> SocketAddr {
        match theirs {
            SocketAddr::V4(v4) if self.is_v6 => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
            _ => theirs,
        }
    }

    fn ends(&self, train: &RecvMeta) -> Ends {
        let theirs = match train.addr {
            // With its scope, which a link-local address is nothing without.
            SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
                Some(ip) => SocketAddr::V4(SocketAddrV4::new(ip, v6.port())),
                None => SocketAddr::V6(SocketAddrV6::new(*v6.ip(), v6.port(), 0, v6.scope_id())),
            },
            v4 => v4,
        };
        let ours = train.dst_ip.filter(|_| self.is_wildcard).map(|ip| ip.to_canonical());
        Ends { theirs, ours: ours.filter(is_a_hosts) }
    }
}

/// What datagrams are received into; one for all sockets. Its memory is used as far as there ever was something to put
/// into it.
pub struct ReceiveBuffers {
    bytes: Vec<u8>,
    trains: [RecvMeta; TRAINS_PER_CALL],
}

impl Default for ReceiveBuffers {
    fn default() -> Self {
        ReceiveBuffers {
            bytes: vec![0; TRAINS_PER_CALL * TRAIN_BYTES],
            trains: [RecvMeta::default(); TRAINS_PER_CALL],
        }
    }
}

/// Takes back what QUIC wants of a socket, and we do not. Where that fails, datagrams only cost a little more.
fn unset_quic_options(socket: &Socket, address: SocketAddr) {
    // QUIC looks for the path's MTU. Our datagrams fit nearly every path, and on the others a datagram in fragments is
    // better than none.
    #[cfg(target_os = "linux")]
    let _ = sockopt::set_ip_mtu_discover(socket, sockopt::Ipv4PathMtuDiscovery::WANT);
    // Nor when a datagram came, for which the kernel would look at the clock for each one that any process gets.
    #[cfg(target_os = "linux")]
    let _ = setsockopt(socket, ReceiveTimestampns, &false);
    // Nor do we act on congestion marks, which would be told with every datagram.
    let _ = sockopt::set_ip_recvtos(socket, false);
    if address.is_ipv6() {
        let _ = sockopt::set_ipv6_recvtclass(socket, false);
    }
}

fn is_about_trains(error: &io::Error) -> bool {
    [Errno::IO, Errno::INVAL, Errno::MSGSIZE].iter().any(|e| error.raw_os_error() == Some(e.raw_os_error()))
}

/// Whether an address can be one of ours to send from; what was sent to many has another one.
fn is_a_hosts(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !v4.is_multicast() && !v4.is_broadcast(),
        IpAddr::V6(v6) => !v6.is_multicast(),
    }
}
