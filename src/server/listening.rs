//! Opening the sockets that a server listens with, and the words for it when that fails.

use crate::net::datagram::DatagramSocket;
use crate::net::listener;
use mio::net::TcpListener;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// How many ports are tried where any will do.
const ANY_PORT_TRIES: u32 = 16;

/// Listens for connections, and, where datagrams are exchanged, for these on the same port. Where any port will do, one
/// is looked for that is free for both.
///
/// # Errors
/// A sentence with the address and the transport that cannot be listened on, and why.
pub fn listen(address: SocketAddr, datagrams: bool) -> io::Result<(TcpListener, Option<DatagramSocket>)> {
    let mut tries = if address.port() == 0 { ANY_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let socket = listener::listen(address).map_err(|error| cannot_listen(address, "TCP", &error))?;
        if !datagrams {
            return Ok((socket, None));
        }
        let address = socket.local_addr()?;
        match DatagramSocket::bind(address) {
            Ok(beside) => return Ok((socket, Some(beside))),
            Err(error) if tries == 0 => return Err(cannot_listen(address, "UDP", &error)),
            Err(_) => {}
        }
    }
}

fn cannot_listen(address: SocketAddr, transport: &str, error: &io::Error) -> io::Error {
    let hint = match error.kind() {
        ErrorKind::AddrInUse if transport == "UDP" => {
            ": another program receives datagrams there; stop it, choose another port with --listen, or do without \
             datagrams (datagrams = false)"
        }
        ErrorKind::AddrInUse => {
            ": another program, perhaps another Switchboard, listens there; stop it or choose another port with --listen"
        }
        ErrorKind::PermissionDenied => {
            ": ports below 1024 need a privilege; choose a higher one with --listen"
        }
        ErrorKind::AddrNotAvailable => ": this machine has no such address",
        _ => "",
    };
    io::Error::new(error.kind(), format!("cannot listen on {address} for {transport}{hint} ({error})"))
}
