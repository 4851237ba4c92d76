//! The capture of a client, if there is one: everything that has a socket tells it what goes through.

use super::error::Error;
use crate::capture::{Ends, Options, Recorder, Side};
use crate::net::listener::canonical;
use crate::net::{Tapped, tap};
use mio::net::TcpStream;
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

/// One for all of a client; without one, nothing is told to nobody.
#[derive(Clone, Default)]
pub struct Capture(Option<Rc<RefCell<Shared>>>);

struct Shared {
    recorder: Recorder,
    /// Connections so far.
    connections: u64,
    /// From where the server is reached: what a datagram comes from that leaves it to the kernel.
    local: Option<IpAddr>,
}

/// One connection in it. Where it ends, the connection does.
#[derive(Default)]
pub struct Wire {
    capture: Capture,
    number: u64,
}

impl Capture {
    /// Makes the file, if there is to be one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(options: &Options) -> Result<Capture, Error> {
        let recorder = Recorder::create(options).map_err(Error::Capture)?;
        Ok(Capture(
            recorder.map(|recorder| Rc::new(RefCell::new(Shared { recorder, connections: 0, local: None }))),
        ))
    }

    /// A connection has come about, made by `initiator`.
    pub fn connected(&self, name: &str, socket: &TcpStream, initiator: Side) -> Wire {
        let ends = || Some((canonical(socket.local_addr().ok()?), canonical(socket.peer_addr().ok()?)));
        let (Some(shared), Some((ours, theirs))) = (&self.0, ends()) else { return Wire::default() };
        let shared = &mut *shared.borrow_mut();
        shared.connections += 1;
        shared.local.get_or_insert(ours.ip());
        shared.recorder.opened(shared.connections, name, Ends { ours, theirs }, initiator);
        Wire { capture: self.clone(), number: shared.connections }
    }

    /// A datagram came or went; `ours` may be any address of this host.
    pub fn datagram(&self, ours: SocketAddr, theirs: SocketAddr, from: Side, bytes: &[u8]) {
        let Some(shared) = &self.0 else { return };
        let (ours, theirs) = (canonical(ours), canonical(theirs));
        let shared = &mut *shared.borrow_mut();
        let here = shared.local.filter(|ip| ours.ip().is_unspecified() && ip.is_ipv4() == theirs.is_ipv4());
        let any: IpAddr = match theirs {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let ip = here.unwrap_or(if ours.is_ipv4() == theirs.is_ipv4() { ours.ip() } else { any });
        let ends = Ends { ours: SocketAddr::new(ip, ours.port()), theirs };
        shared.recorder.datagram(ends, from, bytes);
    }

    /// The turn is over.
    pub fn hand_over(&self) {
        self.tell(Recorder::hand_over);
    }

    fn tell(&self, what: impl FnOnce(&mut Recorder)) {
        if let Some(shared) = &self.0 {
            what(&mut shared.borrow_mut().recorder);
        }
    }
}

impl Wire {
    /// Puts the tap on the connection's socket, for one call.
    pub fn on<'a>(&'a self, socket: &'a mut TcpStream) -> Tapped<'a, TcpStream, &'a Wire> {
        Tapped { socket, tap: self.capture.0.is_some().then_some(self) }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.capture.tell(|recorder| recorder.closed(self.number, false));
    }
}

impl tap::Tap for &Wire {
    fn read(&mut self, bytes: &[u8]) {
        self.capture.tell(|recorder| recorder.read(self.number, bytes));
    }

    fn wrote(&mut self, slices: &[IoSlice<'_>], taken: usize) {
        self.capture.tell(|recorder| recorder.wrote(self.number, slices, taken));
    }

    fn shut(&mut self) {
        self.capture.tell(|recorder| recorder.shut(self.number));
    }

    fn failed(&mut self, error: &io::Error, is_write: bool) {
        self.capture.tell(|recorder| recorder.failed(self.number, error.kind(), is_write));
    }
}
