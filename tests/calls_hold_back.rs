//! In a call, whoever cannot pass on what it hears holds the other end back, whichever way the lines take; and loses
//! none of them.

mod common;
#[path = "common/running.rs"]
mod running;

use common::{SWITCHBOARD, Server, eventually, memory_of, wait_for};
use running::{Lines, numbered};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LINES: usize = 200_000;
const MIB: usize = 1_024 * 1_024;

fn chat(server: &Server, nick: &str, args: &[&[&str]]) -> (Child, Lines) {
    let mut command = Command::new(SWITCHBOARD);
    command.arg("chat").arg(server.address.to_string()).args(["--nick", nick]).args(args.concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("chat starts");
    let notices = Lines::read(nick.to_owned(), child.stderr.take().expect("stderr is piped"));
    (child, notices)
}

/// Alice says more than fits anywhere, and Bob's output is not read for a while.
fn holds_back(ways: &[&str], path: &str) {
    let server = Server::start(&[]);
    let (mut bob, mut noted) = chat(&server, "bob", &[&["--take-calls"], ways]);
    noted.wait_for("connected as bob");
    let (mut alice, mut told) = chat(&server, "alice", &[&["--call", "bob"], ways]);
    told.wait_for(path);
    let mut stdin = alice.stdin.take().expect("stdin is piped");
    let said = Arc::new(AtomicUsize::new(0));
    let progress = Arc::clone(&said);
    let feeder = std::thread::spawn(move || {
        for n in 0..LINES {
            stdin.write_all(format!("{}\n", numbered(n)).as_bytes()).expect("alice reads");
            progress.store(n + 1, Ordering::Relaxed);
        }
    });
    let mut before = usize::MAX;
    eventually("alice takes no more", || {
        std::thread::sleep(Duration::from_millis(700)); // in which a client that takes more would have
        let now = said.load(Ordering::Relaxed);
        std::mem::replace(&mut before, now) == now
    });
    assert!(said.load(Ordering::Relaxed) < LINES, "nothing holds her back");
    let held = [server.pid(), alice.id(), bob.id()].map(memory_of);
    assert!(held.iter().all(|&bytes| bytes < 24 * MIB), "resident bytes of server and clients: {held:?}");
    let output = BufReader::new(bob.stdout.take().expect("stdout is piped"));
    for (n, line) in output.lines().enumerate() {
        assert_eq!(line.expect("text"), format!("@alice <alice> {}", numbered(n)));
        if n + 1 == LINES {
            break;
        }
    }
    feeder.join().expect("all is said");
    drop(bob.stdin.take());
    assert!(wait_for(&mut alice).success());
    bob.kill().expect("it may have ended");
    bob.wait().expect("it is gone");
}

#[test]
fn on_a_direct_path() {
    holds_back(&["--share-addresses", "always"], "direct tcp");
}

#[test]
fn through_the_relay() {
    holds_back(&["--path", "relay"], "relay: ");
}

#[test]
fn through_the_relay_in_datagrams() {
    holds_back(&["--path", "relay", "--udp"], "rooms and relays go in datagrams");
}
