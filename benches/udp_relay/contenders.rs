//! Those who relay: each a thread of its own, held to the first core.

use crate::load::{ANY, Load};
use mio::{Events, Interest, Poll, Token};
use rustix::thread::{CpuSet, gettid, sched_getaffinity, sched_setaffinity};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use switchboard::server::allowance::Rate;
use switchboard::server::{Reactor, Settings};

/// Which of [`all`] is the server on one address.
pub const SERVER: usize = 2;

pub struct Contender {
    pub name: &'static str,
    pub load: Load,
    thread: i32,
}

impl Contender {
    /// What its thread has spent. Exact once it sleeps.
    pub fn spent(&self) -> Spent {
        std::thread::sleep(Duration::from_millis(2)); // so that it does
        let path = format!("/proc/self/task/{}/schedstat", self.thread);
        let stat = std::fs::read_to_string(path).expect("a kernel that keeps schedstat");
        let fields: Vec<u64> =
            stat.split_whitespace().map(|field| field.parse().expect("a number")).collect();
        Spent { nanos: fields[0], turns: fields[2] }
    }
}

/// CPU time, and how often the thread got its core: each time it had slept, or been preempted.
pub struct Spent {
    pub nanos: u64,
    pub turns: u64,
}

/// The blocking loop, the polling loop, the server on one address, and the server on all of them, which has to look at
/// every datagram for the address that was asked.
pub fn all() -> Vec<Contender> {
    vec![
        bare("recvfrom, sendto", blocking),
        bare("poll, recvfrom, sendto", polling),
        server("switchboard", "127.0.0.1:0"),
        server("switchboard on the wildcard", "0.0.0.0:0"),
    ]
}

/// Where a bare loop sends what it received: to the port that belongs to that of the sender, on the same host.
type Peers = Arc<Vec<AtomicU16>>;

fn bare(name: &'static str, relay: fn(UdpSocket, Peers)) -> Contender {
    let peers: Peers = Arc::new((0..=u16::MAX).map(|_| AtomicU16::new(0)).collect());
    let socket = UdpSocket::bind(ANY).expect("a port");
    let address = socket.local_addr().expect("it is bound");
    let theirs = peers.clone();
    let (thread, ()) = start(name, move |started| {
        started.send((gettid().as_raw_nonzero().get(), ())).expect("somebody waits");
        relay(socket, theirs);
    });
    let load = Load::bare(address, |from, to| peers[usize::from(from)].store(to, Ordering::Relaxed));
    Contender { name, load, thread }
}

fn blocking(socket: UdpSocket, peers: Peers) {
    let mut buffer = [0; 2_048];
    loop {
        let (n, from) = socket.recv_from(&mut buffer).expect("it waits");
        let _ = socket.send_to(&buffer[..n], peer(&peers, from));
    }
}

fn polling(socket: UdpSocket, peers: Peers) {
    socket.set_nonblocking(true).expect("it can");
    let (mut poll, mut events) = (Poll::new().expect("a poll"), Events::with_capacity(8));
    let mut socket = mio::net::UdpSocket::from_std(socket);
    poll.registry().register(&mut socket, Token(0), Interest::READABLE).expect("it is watched");
    let mut buffer = [0; 2_048];
    loop {
        poll.poll(&mut events, None).expect("it waits");
        while let Ok((n, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..n], peer(&peers, from));
        }
    }
}

fn peer(peers: &Peers, from: SocketAddr) -> SocketAddr {
    SocketAddr::new(from.ip(), peers[usize::from(from.port())].load(Ordering::Relaxed))
}

fn server(name: &'static str, listen: &str) -> Contender {
    let listen = vec![listen.parse().expect("an address")];
    let (thread, port) = start(name, move |started| {
        let mut settings = Settings { listen, ..Settings::default() };
        // A few clients are all the load that there is.
        settings.limits.datagrams_caused = Rate { per_second: usize::MAX, burst: usize::MAX };
        let mut reactor = Reactor::bind(settings).expect("a free port");
        let port = reactor.addresses()[0].port();
        started.send((gettid().as_raw_nonzero().get(), port)).expect("somebody waits");
        reactor.run().expect("poll works");
    });
    Contender { name, load: Load::server(SocketAddr::from(([127, 0, 0, 1], port))), thread }
}

/// Starts a thread on the first core, and returns what it has to say.
fn start<T: Send + 'static>(name: &str, body: impl FnOnce(Sender<T>) + Send + 'static) -> T {
    let (started, has_started) = channel();
    let thread = std::thread::Builder::new().name(name.to_owned()); // which a profile shows
    let spawned = thread.spawn(move || {
        pin(0);
        body(started);
    });
    spawned.expect("another thread");
    has_started.recv().expect("it starts")
}

/// Holds the thread that makes the load to the second core.
pub fn pin_load() {
    pin(1);
}

/// The first core and the second are those of the ones that the process may use, as it was started.
fn pin(index: usize) {
    use std::sync::OnceLock;
    static ALLOWED: OnceLock<Vec<usize>> = OnceLock::new();
    let allowed = ALLOWED.get_or_init(|| {
        let set = sched_getaffinity(None).expect("an affinity");
        (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
    });
    if allowed.len() < 2 {
        return println!("there is one core only: server and load share it, and disturb each other");
    }
    let mut set = CpuSet::new();
    set.set(allowed[index]);
    sched_setaffinity(None, &set).expect("it can be held to a core");
}
