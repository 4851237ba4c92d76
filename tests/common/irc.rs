//! A client that speaks lines, and what a server with passwords needs.
#![allow(dead_code)] // each test file uses its part

use super::common::{PATIENCE, SWITCHBOARD};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

/// One connection.
pub struct Link(pub BufReader<TcpStream>);

impl Link {
    /// Connects, and says everything that a log-in takes; the answers are still to be read.
    pub fn log_in(address: SocketAddr, name: &str, password: &str) -> Link {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_nodelay(true).expect("no delay");
        let mut link = Link(BufReader::new(stream));
        if !password.is_empty() {
            link.send(&format!("PASS {password}\r\n"));
        }
        link.send(&format!("NICK {name}\r\nUSER {name} 0 * :{name}\r\n"));
        link
    }

    pub fn send(&mut self, lines: &str) {
        self.0.get_mut().write_all(lines.as_bytes()).expect("the server reads");
    }

    /// Everything that is told up to now.
    pub fn told(&mut self) -> Vec<String> {
        self.send("PING told-everything\r\n");
        let mut told = Vec::new();
        loop {
            let line = self.wait_for(&[""]);
            if line.contains("told-everything") {
                return told;
            }
            told.push(line);
        }
    }

    /// Says something, and what is told by that.
    pub fn ask(&mut self, line: &str) -> Vec<String> {
        self.send(&format!("{line}\r\n"));
        self.told()
    }

    /// The next line with one of these in it.
    #[track_caller]
    pub fn wait_for(&mut self, parts: &[&str]) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).expect("a line") > 0, "the end came before {parts:?}");
            if parts.iter().any(|part| line.contains(part)) {
                return line;
            }
        }
    }
}

/// What the config keeps of a password.
pub fn hash_of(password: &str) -> String {
    let mut child = Command::new(SWITCHBOARD)
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("piped").write_all(password.as_bytes()).expect("a write");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
}
