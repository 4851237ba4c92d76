//! What somebody costs who is logged in, is in a room, and says nothing: most of the people in a chat, most of the time.
//!
//! They hold the goal of half a KiB, and of one for a client of IRC. When one fails, something has grown that every
//! connection has: look at the sizes that the first one prints, and whether what is new could lie in a box that few
//! connections need. What a room keeps of the past is the room's, and has a bound of its own.

mod common;
#[path = "common/memory.rs"]
mod memory;

use common::{Client, Server};
use memory::{Member, Room, Wire};
use mio::net::TcpStream;
use std::io::{BufRead, BufReader, Write};
use std::time::Instant;
use switchboard::net::Outbox;
use switchboard::server::connection::Connection;
use switchboard::server::{Engine, Limits};

const BYTES_MAX: usize = 512;
const IRC_BYTES_MAX: usize = 1_024;

const NO_HISTORY: [&str; 2] = ["--history-messages-max", "0"];

/// Tables that double are full then, and what they have to spare does not blur the figure. In between it is up to 200
/// bytes more; but those are pages that nobody has touched, and the kernel has not given.
const CONNECTIONS: usize = 8_192;

#[test]
fn an_idle_connection_holds_half_a_kilobyte_in_few_pieces() {
    println!("{} bytes of a connection", size_of::<Connection<Wire>>());
    println!("{} bytes of its outbox", size_of::<Outbox>());
    let newcomers: Vec<Member> = (0..CONNECTIONS).map(|n| Member::named(&format!("user{n:05}"))).collect();
    let limits = (Limits::default(), Room::no_history());
    let empty = allocation_counter::measure(|| {
        drop(Engine::<Wire>::new(limits.0, limits.1.clone(), [0; 32], Instant::now()))
    });
    let mut room = None;
    let held = allocation_counter::measure(|| room = Some(Room::of(newcomers, limits.1.clone())));
    let bytes = (held.bytes_current as usize - empty.bytes_max as usize) / CONNECTIONS;
    println!("{bytes} bytes, {:.2} allocations", held.count_current as f64 / CONNECTIONS as f64);
    assert!(bytes <= BYTES_MAX, "an idle connection holds {bytes} bytes");
    // A name, a user, and a share in the nodes of two indexes.
    assert!(held.count_current <= CONNECTIONS as i64 * 5 / 2, "{} allocations", held.count_current);
}

#[test]
fn a_server_process_grows_by_half_a_kilobyte_per_connection() {
    let server = Server::start(&NO_HISTORY);
    let enter = |n: usize| {
        let mut client = Client::login(server.address, &format!("user{n:05}"));
        client.join(&format!("#room{}", n / 100));
        client
    };
    assert_grows_by(BYTES_MAX, &server, enter);
}

/// Asserts that the process grows by no more than so many bytes for each client that enters.
fn assert_grows_by<C>(bytes_max: usize, server: &Server, enter: impl Fn(usize) -> C) {
    const EARLIER: usize = 500; // they find out how large the buffers of all have to be
    const CONNECTIONS: usize = 4_000;
    let mut clients: Vec<C> = (0..EARLIER).map(&enter).collect();
    let before = anonymous_memory(server.pid());
    clients.extend((EARLIER..EARLIER + CONNECTIONS).map(&enter));
    let bytes = (anonymous_memory(server.pid()) - before) / CONNECTIONS;
    println!("{bytes} bytes");
    // Where debug assertions are on, mio's sockets know which poll they are registered with.
    let in_debug_builds = size_of::<TcpStream>() - size_of::<std::net::TcpStream>();
    assert!(bytes <= bytes_max + in_debug_builds, "the process grew by {bytes} bytes per connection");
}

/// With its nickname, user name and real name, and what it was last told about.
#[test]
fn a_server_process_grows_by_a_kilobyte_per_client_of_irc() {
    // Who has just sent something also has a bucket of lines, until it was silent for a while.
    let [no, history] = NO_HISTORY;
    let server = Server::start(&["--irc-lines-per-second", "0", no, history]);
    let enter = |n: usize| {
        let mut stream = std::net::TcpStream::connect(server.address).expect("a server");
        let room = format!("#room{}", n / 100);
        write!(stream, "NICK user{n:05}\r\nUSER user{n:05} 0 * :user{n:05}\r\nJOIN {room}\r\n")
            .expect("it is taken");
        let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
        assert!(lines.any(|line| line.expect("a line").contains(" 366 ")), "it comes in");
        stream
    };
    assert_grows_by(IRC_BYTES_MAX, &server, enter);
}

/// Memory of a process that is no file's, in bytes.
fn anonymous_memory(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("status");
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).expect("RssAnon");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok()).expect("a number") * 1_024
}
