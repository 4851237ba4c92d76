//! A client is at the mercy of its server in what it hears, not in how much memory it takes.

mod common;
#[path = "common/running.rs"]
mod running;

use common::{SWITCHBOARD, memory_of};
use running::Running;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;
use switchboard::wire::frame::{Body, Opened, Ping, VERSION, Welcome};
use switchboard::wire::header::put;
use switchboard::wire::{BODY_MAX, Flags, Kind, Split, split};

/// A client may need so many bytes: a bounded queue, the buffers of its sockets' reads, and itself.
const MEMORY_MAX: usize = 64 * 1_024 * 1_024;

/// Pings without an answer, in bytes; far more than sockets and a bounded queue take.
const PINGS_BYTES: usize = 256 * 1_024 * 1_024;

/// How long the client has to take nothing more until it counts as not reading.
const PAUSE: Duration = Duration::from_secs(2);

fn frame<'a>(body: &impl Body<'a>) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, Flags::NONE, 0, body);
    bytes
}

/// The server's end of a connection, by hand.
struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    /// Takes a client's connection and welcomes it.
    fn accept(listener: &TcpListener) -> Connection {
        let (stream, _) = listener.accept().expect("the client connects");
        let mut connection = Connection { stream, unread: Vec::new() };
        connection.read_until("hello", |kind, _| kind == Some(Kind::Hello));
        let welcome =
            Welcome { request: 0, version: VERSION, body_max: BODY_MAX, text_max: 4_096, name: "alice" };
        connection.stream.write_all(&frame(&welcome)).expect("the client reads");
        connection
    }

    /// Reads frames up to the one that is looked for.
    fn read_until(&mut self, what: &str, found: impl Fn(Option<Kind>, &[u8]) -> bool) {
        self.stream.set_read_timeout(Some(common::PATIENCE)).expect("a time-out");
        let mut buffer = vec![0; 64 * 1_024];
        loop {
            let mut used = 0;
            while let Ok(Split::Frame(raw)) = split(&self.unread[used..], u16::MAX) {
                used += raw.len();
                if found(raw.kind(), raw.body) {
                    self.unread.drain(..used);
                    return;
                }
            }
            self.unread.drain(..used);
            let read = self.stream.read(&mut buffer).unwrap_or_else(|error| panic!("no {what}: {error}"));
            assert!(read > 0, "the client hung up before {what}");
            self.unread.extend_from_slice(&buffer[..read]);
        }
    }

    /// Sends pings and reads nothing, until the client takes no more. Returns what is left of the ping begun last.
    fn ping_without_end(&mut self) -> Vec<u8> {
        let ping = frame(&Ping { token: 1 });
        let pings = ping.repeat(8 * 1_024);
        self.stream.set_write_timeout(Some(PAUSE)).expect("a time-out");
        let mut sent = 0;
        while sent < PINGS_BYTES {
            match self.stream.write(&pings[sent % pings.len()..]) {
                Ok(n) => sent += n,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(error) => panic!("the client hung up: {error}"),
            }
        }
        assert!(sent < PINGS_BYTES, "the client went on reading");
        self.stream.set_write_timeout(None).expect("no time-out");
        ping[sent % ping.len()..].to_vec()
    }

    /// Reads again: every ping is answered, and so is one that comes behind.
    fn expect_all_goes_on(&mut self, mut rest: Vec<u8>) {
        rest.extend(frame(&Ping { token: 2 }));
        let mut writer = self.stream.try_clone().expect("a second handle");
        let writing = std::thread::spawn(move || writer.write_all(&rest));
        let last = 2_u32.to_be_bytes();
        self.read_until("the last pong", |kind, body| kind == Some(Kind::Pong) && body.ends_with(&last));
        writing.join().expect("a thread").expect("the client reads again");
    }
}

/// A client of a server that says this after its welcome, and then nothing but pings.
fn flood(name: &str, args: &[&str], said: &[u8]) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let mut command = Command::new(SWITCHBOARD);
    let args = args.iter().map(|arg| if *arg == "ADDR" { address.as_str() } else { arg });
    command.args(args);
    let client = Running::start(name, command);
    let mut connection = Connection::accept(&listener);
    connection.stream.write_all(said).expect("the client reads");
    let rest = connection.ping_without_end();
    let memory = memory_of(client.pid());
    assert!(memory < MEMORY_MAX, "{name} takes {memory} bytes");
    connection.expect_all_goes_on(rest);
}

#[test]
fn a_server_that_pings_and_never_reads_does_not_fill_a_chat() {
    flood("chat", &["chat", "ADDR", "--nick", "alice"], &[]);
}

#[test]
fn nor_a_pipe() {
    flood("pipe", &["pipe", "ADDR", "--nick", "alice", "--from", "bob"], &[]);
}

#[test]
fn nor_a_chat_without_a_server() {
    let mut opened = Vec::new();
    put(&mut opened, Flags::NONE, 1, &Opened { request: 1, payload_max: BODY_MAX, peer: "bob" });
    flood("peer", &["chat", "--peer", "ADDR", "--nick", "alice"], &opened);
}
