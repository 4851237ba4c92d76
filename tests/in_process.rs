//! A program that has the server inside it can stop it from another thread, as a signal would.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::time::Duration;
use switchboard::server::reactor::Exit;
use switchboard::server::{Reactor, Settings};

#[test]
fn another_thread_stops_it_and_everybody_is_told() {
    let (started, has_started) = channel();
    let server = std::thread::spawn(move || {
        let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        let mut reactor = Reactor::bind(Settings { listen, ..Settings::default() }).expect("a free port");
        started.send((reactor.addresses()[0], reactor.handle())).expect("the test waits");
        reactor.run().expect("poll works")
    });
    let (address, handle) = has_started.recv().expect("it starts");
    let mut client = TcpStream::connect(address).expect("it accepts");
    client.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    client.set_write_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    client.write_all(b"PING token\r\n").expect("it reads");
    let mut line = [0; 7];
    client.read_exact(&mut line).expect("an answer");
    assert_eq!(&line, b":switch", "the server's name");
    let mut waiting = TcpStream::connect(address).expect("it accepts");
    waiting.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    handle.stop().expect("it is awake");
    let mut words = Vec::new();
    waiting
        .read_to_end(&mut words)
        .or_else(|error| match error.kind() {
            ErrorKind::ConnectionReset => Ok(0), // it was still in the backlog
            _ => Err(error),
        })
        .expect("an end");
    assert!(words.is_empty() || words.starts_with(b"ERROR :the server is stopping"), "{words:?}");
    drop((client, waiting));
    assert_eq!(server.join().expect("no panic"), Exit::Drained);
    handle.stop().expect("a server that is gone is stopped already");
}
