//! Begins connections, and sets what every one of them is better off with.

use super::lost::Lost;
use super::paths::Dialler;
use super::pulse::SILENCE;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

/// Begins to connect to the next address, the last one first.
///
/// # Errors
/// Why the last of them cannot even be tried.
pub fn connect_next(
    registry: &Registry,
    token: Token,
    dialler: Dialler,
    addresses: &mut Vec<SocketAddr>,
    mut error: Option<io::Error>,
) -> Result<TcpStream, Lost> {
    while let Some(address) = addresses.pop() {
        let socket = dialler.connect(address).and_then(|mut socket| {
            registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(socket)
        });
        match socket {
            Ok(socket) => return Ok(socket),
            Err(failed) => error = Some(failed),
        }
    }
    Err(Lost::Connect(error.unwrap_or_else(|| ErrorKind::AddrNotAvailable.into())))
}

/// What a connection is better off with, and works without.
pub fn set_options(socket: &TcpStream) {
    let keepalive =
        TcpKeepalive::new().with_time(SILENCE).with_interval(Duration::from_secs(10)).with_retries(3);
    if let Err(error) = socket.set_nodelay(true) {
        log::debug!("TCP_NODELAY: {error}");
    }
    if let Err(error) = SockRef::from(socket).set_tcp_keepalive(&keepalive) {
        log::debug!("SO_KEEPALIVE: {error}");
    }
}
