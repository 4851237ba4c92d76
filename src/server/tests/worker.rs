//! Passwords over real sockets, with real hashes: who gives one waits, and nobody else does.

use crate::server::credentials::{Credentials, Operator};
use crate::server::limits::{Limits, Settings};
use crate::server::reactor::{Exit, Reactor};
use crate::server::{allowance::Rate, passwords};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How many give a password at once.
const AT_ONCE: usize = 20;

fn connect(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("an option");
    stream.write_all(b"LINES\n").expect("a write");
    stream
}

fn line(stream: &mut TcpStream) -> String {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while byte != *b"\n" {
        stream.read_exact(&mut byte).expect("a line");
        line.extend_from_slice(&byte);
    }
    String::from_utf8(line).expect("text").trim_end().to_owned()
}

/// A server whose operator is Ann; `client` gets its address. Its end is waited for.
fn serve(client: impl FnOnce(SocketAddr) + Send + 'static) {
    let hash = passwords::hash("secret", [1; 16]).expect("memory");
    let operator = Operator { name: "ann".to_owned(), password: hash, host: "*".to_owned() };
    let limits = Limits {
        irc_lines: Rate { per_second: 0, burst: 0 },
        datagrams: false,
        drain_time: Duration::from_millis(100),
        ..Limits::default()
    };
    let settings = Settings {
        listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
        limits,
        credentials: Credentials { password: None, operators: vec![operator] },
        ..Settings::default()
    };
    let mut reactor = Reactor::bind(settings).expect("a port");
    let (address, handle) = (reactor.addresses()[0], reactor.handle());
    let client = std::thread::spawn(move || {
        client(address);
        handle.stop().expect("a wake-up");
    });
    assert_eq!(reactor.run().expect("a run"), Exit::Drained);
    client.join().expect("the client is content");
}

#[test]
fn who_gives_a_password_waits_and_nobody_else_does() {
    serve(|address| {
        let mut waiting: Vec<TcpStream> = (0..AT_ONCE).map(|_| connect(address)).collect();
        let mut bystander = connect(address);
        bystander.write_all(b"echo here\n").expect("a write");
        assert_eq!(line(&mut bystander), "here");
        let start = Instant::now();
        for (n, stream) in waiting.iter_mut().enumerate() {
            let password = if n % 2 == 0 { "secret" } else { "guess" };
            stream.write_all(format!("oper ann {password}\necho after\n").as_bytes()).expect("a write");
        }
        let mut round_trips = Vec::new();
        for _ in 0..20 {
            let asked = Instant::now();
            bystander.write_all(b"echo now\n").expect("a write");
            assert_eq!(line(&mut bystander), "now");
            round_trips.push(asked.elapsed());
        }
        round_trips.sort();
        for (n, stream) in waiting.iter_mut().enumerate() {
            assert_eq!(line(stream), if n % 2 == 0 { "Right" } else { "Wrong" });
            assert_eq!(line(stream), "after");
        }
        let (all, usual) = (start.elapsed(), round_trips[round_trips.len() / 2]);
        assert!(usual < all / 10, "a bystander waits {usual:?}, and {AT_ONCE} passwords took {all:?}");
    });
}

#[test]
fn the_end_of_the_server_waits_for_no_password() {
    serve(|address| {
        let mut waiting: Vec<TcpStream> = (0..AT_ONCE).map(|_| connect(address)).collect();
        for stream in &mut waiting {
            stream.write_all(b"oper ann guess\n").expect("a write");
        }
        assert_eq!(line(&mut waiting[0]), "Wrong", "the thread is at work");
        // The server is stopped now, and `serve` waits until it has ended.
    });
}
