//! `switchboard admin`, as the operator of the conformance tables: root, whose password is correct-horse.
#![allow(dead_code)] // each test file uses its part

use super::common::{Client, PATIENCE, SWITCHBOARD, Server};
use socket2::{Domain, Socket, Type};
use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};

pub const CONFIG: [&str; 2] = ["--config", "tests/irc_conformance/operators.toml"];

/// What became of a command.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The lines of output, as it was done.
    #[track_caller]
    pub fn lines(&self) -> Vec<&str> {
        assert_eq!((self.status, &*self.stderr), (0, ""), "{self:?}");
        self.stdout.lines().collect()
    }

    /// The sentence, as it was not done.
    #[track_caller]
    pub fn sentence(&self, status: i32) -> &str {
        assert_eq!((self.status, &*self.stdout), (status, ""), "{self:?}");
        self.stderr.trim_end().strip_prefix("switchboard: ").expect("a sentence")
    }
}

pub fn admin_of(server: &Server, args: &[&str]) -> Ran {
    admin_with(&["--connect", &server.address.to_string(), "--operator", "root"], "correct-horse", args)
}

pub fn admin_with(how: &[&str], password: &str, args: &[&str]) -> Ran {
    let mut command = Command::new(SWITCHBOARD);
    command.arg("admin").args(how).args(args).env("SWITCHBOARD_PASSWORD", password).stdin(Stdio::null());
    let output = command.output().expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran {
        status: output.status.code().expect("it ends"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Connects from an address of this machine.
pub fn connect_from(from: &str, to: SocketAddr) -> TcpStream {
    let from: IpAddr = from.parse().expect("an address");
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::new(from, 0).into()).expect("an address of this machine");
    socket.connect(&to.into()).expect("the server accepts");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    stream
}

/// Connects from there and logs in.
pub fn log_in_from(from: &str, to: SocketAddr, name: &str) -> Client {
    let mut client = Client::over(connect_from(from, to));
    client.hello(name);
    client.receive_kind(switchboard::wire::Kind::Welcome);
    client
}

/// What somebody from there is told who says nothing, up to the end.
pub fn told_at_once(from: &str, to: SocketAddr) -> String {
    read_to_end(connect_from(from, to))
}

pub fn read_to_end(mut stream: TcpStream) -> String {
    let mut told = Vec::new();
    stream.read_to_end(&mut told).expect("the end of the stream");
    String::from_utf8(told).expect("text")
}
