//! Passwords over real sockets, with real hashes: who gives one waits, and nobody else does.

use crate::server::credentials::Credentials;
use crate::server::limits::{Limits, Settings};
use crate::server::reactor::{Exit, Reactor};
use crate::server::{allowance::Rate, passwords};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

/// How many give a password at once.
const AT_ONCE: usize = 20;

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("an option");
    stream
}

fn log_in(mut stream: &TcpStream, name: &str, password: &str) {
    let lines = format!("PASS {password}\r\nNICK {name}\r\nUSER {name} 0 * :{name}\r\n");
    stream.write_all(lines.as_bytes()).expect("a write");
}

fn line(stream: &mut TcpStream) -> String {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while byte != *b"\n" {
        stream.read_exact(&mut byte).expect("a line");
        line.extend_from_slice(&byte);
    }
    String::from_utf8(line).expect("text").trim_end().to_owned()
}

/// A server with a password; `client` gets its address. Its end is waited for.
fn serve(client: impl FnOnce(SocketAddr) + Send + 'static) {
    let hash = passwords::hash("secret", [1; 16], passwords::Cost::default()).expect("memory");
    let limits = Limits {
        irc_lines: Rate { per_second: 0, burst: 0 },
        datagrams: false,
        drain_time: Duration::from_millis(100),
        ..Limits::default()
    };
    let settings = Settings {
        listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
        limits,
        credentials: Credentials { password: Some(hash), ..Credentials::default() },
        ..Settings::default()
    };
    let mut reactor = Reactor::bind(settings).expect("a port");
    let (address, handle) = (reactor.addresses()[0], reactor.handle());
    let client = std::thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| client(address)));
        handle.stop().expect("a wake-up");
        outcome.unwrap_or_else(|panic| resume_unwind(panic));
    });
    assert_eq!(reactor.run().expect("a run"), Exit::Drained);
    client.join().expect("the client is content");
}

#[test]
fn who_gives_a_password_waits_and_nobody_else_does() {
    serve(|address| {
        let mut bystander = connect(address);
        log_in(&bystander, "bystander", "secret");
        while !line(&mut bystander).contains(" 422 ") {}
        let mut waiting: Vec<TcpStream> = (0..AT_ONCE).map(|_| connect(address)).collect();
        let start = Instant::now();
        for (n, stream) in waiting.iter().enumerate() {
            log_in(stream, &format!("n{n}"), if n % 2 == 0 { "secret" } else { "guess" });
        }
        let mut round_trips = Vec::new();
        for _ in 0..20 {
            let asked = Instant::now();
            bystander.write_all(b"PING now\r\n").expect("a write");
            assert!(line(&mut bystander).ends_with(" :now"));
            round_trips.push(asked.elapsed());
        }
        round_trips.sort();
        for (n, stream) in waiting.iter_mut().enumerate() {
            let expected = if n % 2 == 0 { " 001 " } else { " 464 " };
            assert!(line(stream).contains(expected));
        }
        let (all, usual) = (start.elapsed(), round_trips[round_trips.len() / 2]);
        assert!(usual < all / 10, "a bystander waits {usual:?}, and {AT_ONCE} passwords took {all:?}");
    });
}

#[test]
fn the_end_of_the_server_waits_for_no_password() {
    serve(|address| {
        let mut waiting: Vec<TcpStream> = (0..AT_ONCE).map(|_| connect(address)).collect();
        for (n, stream) in waiting.iter().enumerate() {
            log_in(stream, &format!("n{n}"), "guess");
        }
        assert!(line(&mut waiting[0]).contains(" 464 "), "the thread is at work");
        // The server is stopped now, and `serve` waits until it has ended.
    });
}
