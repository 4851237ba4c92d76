//! When descriptors run out, nobody hangs for ever and the server does not spin: newcomers are told that it is full, or
//! wait, and are served as soon as there is room.

mod common;

use common::{Client, SWITCHBOARD, Server, eventually};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{BODY_MAX, ByeCode, Flags, HEADER_LEN, Header, header};

const CLIENTS: usize = 200;

/// What a newcomer learns about its chances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// Nothing yet: it waits.
    Waiting,
    Welcome,
    /// Told in a frame or in a line that the server is full.
    ToldFull,
    /// The connection ended without a word.
    Dropped,
}

/// A client that says hello and finds out, without ever blocking, what became of it.
struct Newcomer {
    stream: TcpStream,
    got: Vec<u8>,
    ended: bool,
}

impl Newcomer {
    fn connect(address: SocketAddr, name: &str) -> Newcomer {
        let mut stream = TcpStream::connect(address).expect("the backlog has room");
        let mut hello = Vec::new();
        let body = frame::Hello { request: 1, version: frame::VERSION, body_max: BODY_MAX, name };
        header::put(&mut hello, Flags::NONE, 0, &body);
        let _ = stream.write_all(&hello); // it may have been turned away already
        stream.set_nonblocking(true).expect("nonblocking");
        Newcomer { stream, got: Vec::new(), ended: false }
    }

    fn fate(&mut self) -> Fate {
        let mut chunk = [0; 1_024];
        while !self.ended {
            match self.stream.read(&mut chunk) {
                Ok(0) => self.ended = true,
                Ok(n) => self.got.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => self.ended = true, // a reset; what came before it counts
            }
        }
        if self.got.starts_with(b"ERROR :the server is full") {
            return Fate::ToldFull;
        }
        let body = self.got.get(HEADER_LEN..).unwrap_or_default();
        match Header::read(&self.got).map(|header| Frame::decode(header.kind, body)) {
            Some(Ok(Frame::Welcome(_))) => Fate::Welcome,
            Some(Ok(Frame::Bye(bye))) if bye.code == ByeCode::ServerFull.number() => Fate::ToldFull,
            _ if self.ended => Fate::Dropped,
            _ => Fate::Waiting,
        }
    }
}

fn connect_all(address: SocketAddr, prefix: &str, count: usize) -> Vec<Newcomer> {
    (0..count).map(|n| Newcomer::connect(address, &format!("{prefix}{n}"))).collect()
}

fn count(newcomers: &mut [Newcomer], fate: Fate) -> usize {
    newcomers.iter_mut().filter_map(|newcomer| (newcomer.fate() == fate).then_some(())).count()
}

/// Measures over some time that is long enough for a server that spins to show it.
fn assert_idle(server: &Server) {
    let (cpu, clock) = (server.cpu(), Instant::now());
    std::thread::sleep(Duration::from_millis(1_500)); // the interval that is measured
    let (cpu, clock) = (server.cpu() - cpu, clock.elapsed());
    assert!(cpu < clock / 20, "{cpu:?} of {clock:?}, while there was nothing to do");
}

/// Lowers (or raises) how many files a running process may have open.
fn set_descriptor_limit(server: &Server, limit: usize) {
    let status = Command::new("prlimit")
        .args(["--pid", &server.pid().to_string(), &format!("--nofile={limit}:")])
        .status()
        .expect("prlimit, of util-linux, has to be installed for this test");
    assert!(status.success(), "prlimit sets the limit");
}

fn descriptors_of(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("its descriptors").count()
}

#[test]
fn under_a_low_ulimit_those_beyond_it_are_told_and_those_who_come_later_are_served() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", SWITCHBOARD]);
    command.args(["serve", "--ephemeral", "--listen", "127.0.0.1:0"]);
    let server = Server::spawn(command);
    server.wait_for_log("instead of 20000: the process may open 64 files (ulimit -n)");

    let mut all = connect_all(server.address, "first", CLIENTS);
    eventually("everybody knows", || count(&mut all, Fate::Waiting) == 0);
    let served = count(&mut all, Fate::Welcome);
    assert!((40..64).contains(&served), "{served} are served");
    assert_eq!(count(&mut all, Fate::Dropped), 0, "nobody is dropped without a word");
    assert_eq!(count(&mut all, Fate::ToldFull), CLIENTS - served);
    assert_idle(&server);

    let before = descriptors_of(&server);
    let mut freed = 0;
    all.retain_mut(|newcomer| {
        let stays = newcomer.fate() == Fate::Welcome && freed == 20;
        freed += usize::from(newcomer.fate() == Fate::Welcome && freed < 20);
        stays
    });
    assert_eq!((freed, all.len()), (20, served - 20));
    eventually("the server has seen them go", || descriptors_of(&server) <= before - 20);
    let clock = Instant::now();
    let mut later = connect_all(server.address, "later", 20);
    eventually("all who came later are served", || count(&mut later, Fate::Welcome) == 20);
    assert!(clock.elapsed() < Duration::from_secs(5), "{:?}", clock.elapsed());
    assert_eq!(count(&mut all, Fate::Welcome), served - 20, "and nobody who was there has noticed");
    assert_idle(&server);
}

#[test]
fn when_accept_fails_newcomers_are_told_by_means_of_the_reserve() {
    let server = Server::start(&[]);
    let mut all = connect_all(server.address, "first", 50);
    eventually("all are served", || count(&mut all, Fate::Welcome) == 50);
    let limit = descriptors_of(&server);
    set_descriptor_limit(&server, limit);

    let mut beyond = connect_all(server.address, "beyond", CLIENTS);
    eventually("all know", || count(&mut beyond, Fate::Waiting) == 0);
    assert_eq!(count(&mut beyond, Fate::Dropped), 0);
    let served = count(&mut beyond, Fate::Welcome);
    assert!(served <= 2, "{served} are served where descriptors were free among the lower ones");
    assert_eq!(count(&mut beyond, Fate::ToldFull), CLIENTS - served);
    assert_idle(&server);

    all.drain(..20);
    eventually("the server has seen them go", || descriptors_of(&server) <= limit + served - 20);
    let mut later = connect_all(server.address, "later", 20);
    eventually("all who came later are served", || count(&mut later, Fate::Welcome) == 20);
    assert_eq!(count(&mut all, Fate::Welcome), 30, "and nobody who was there has noticed");
}

#[test]
fn when_not_even_the_reserve_helps_newcomers_wait_and_are_served_once_there_is_room() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let before = descriptors_of(&server);
    set_descriptor_limit(&server, 4); // far below what is open: nothing new can be opened at all

    let mut waiting = connect_all(server.address, "waiting", CLIENTS);
    alice.round_trip();
    assert_eq!(count(&mut waiting, Fate::Waiting), CLIENTS);
    assert_idle(&server);
    alice.round_trip();
    assert!(descriptors_of(&server) <= before);

    let clock = Instant::now();
    set_descriptor_limit(&server, before + CLIENTS + 20);
    eventually("all who waited are served", || count(&mut waiting, Fate::Welcome) == CLIENTS);
    assert!(clock.elapsed() < Duration::from_secs(5), "{:?}", clock.elapsed());
}

#[test]
fn a_close_frees_a_place_for_one_who_waits() {
    let server = Server::start(&[]);
    let mut all = connect_all(server.address, "first", 40);
    eventually("all are served", || count(&mut all, Fate::Welcome) == 40);
    let limit = descriptors_of(&server);
    set_descriptor_limit(&server, 4);
    let mut waiting = connect_all(server.address, "waiting", 30);
    let mut probe = Client::over(all.pop().expect("one of them").stream);
    probe.stream.set_nonblocking(false).expect("blocking");
    probe.round_trip();
    assert_eq!(count(&mut waiting, Fate::Waiting), 30);
    // Room for a few: as many as go.
    set_descriptor_limit(&server, limit);
    all.drain(..20);
    eventually("nobody waits any more", || count(&mut waiting, Fate::Waiting) == 0);
    assert!(count(&mut waiting, Fate::Welcome) >= 1);
    assert_eq!(count(&mut waiting, Fate::Dropped), 0);
    assert_eq!(count(&mut all, Fate::Welcome), 19);
}

#[test]
fn connections_max_is_told_in_words_too() {
    let server = Server::start(&["--connections-max", "10"]);
    let mut all = connect_all(server.address, "x", CLIENTS);
    eventually("everybody knows", || count(&mut all, Fate::Waiting) == 0);
    assert_eq!(count(&mut all, Fate::Welcome), 10);
    assert_eq!(count(&mut all, Fate::ToldFull), CLIENTS - 10, "nobody is dropped without a word");
    assert_idle(&server);
}
