//! A UDP socket of the server. Nothing waits in it: what is not there is not read, what cannot go is dropped.

use super::listener::canonical;
use mio::net::UdpSocket;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};

/// What the kernel may hold for us while we do something else, in bytes, in either direction.
const BUFFER_BYTES: usize = 4 * 1_024 * 1_024;

/// One byte more than the longest datagram that is ever accepted: what fills it was longer.
const RECEIVE_BYTES: usize = 1_201;

pub struct DatagramSocket {
    socket: UdpSocket,
    /// Whether the socket takes IPv4 as mapped addresses, and wants them so.
    is_v6: bool,
    /// Sticky: set by an event, cleared by `WouldBlock` alone.
    pub ready: bool,
}

impl DatagramSocket {
    /// # Errors
    /// Those of socket(2) and bind(2).
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.set_nonblocking(true)?;
        // The kernel gives what its limits allow; less only means more drops under a burst.
        let _ = socket.set_recv_buffer_size(BUFFER_BYTES);
        let _ = socket.set_send_buffer_size(BUFFER_BYTES);
        socket.bind(&SockAddr::from(address))?;
        let socket = UdpSocket::from_std(socket.into());
        Ok(DatagramSocket { socket, is_v6: address.is_ipv6(), ready: false })
    }

    pub fn source(&mut self) -> &mut UdpSocket {
        &mut self.socket
    }

    /// Receives one datagram, `None` when there is none. An error of an earlier send (ICMP, say) comes out here; it is
    /// somebody else's trouble, and never the socket's end.
    pub fn receive(&mut self, take: impl FnOnce(SocketAddr, &[u8])) -> Option<()> {
        let mut buffer = [0; RECEIVE_BYTES];
        match self.socket.recv_from(&mut buffer) {
            Ok((n, from)) => take(canonical(from), &buffer[..n]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.ready = false;
                return None;
            }
            Err(_) => {}
        }
        Some(())
    }

    /// Sends one datagram. `false` when the socket did not take it, for whatever reason.
    pub fn send(&self, to: SocketAddr, datagram: &[u8]) -> bool {
        let to = match to.ip() {
            IpAddr::V4(ip) if self.is_v6 => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            _ => to,
        };
        self.socket.send_to(datagram, to).is_ok()
    }
}
