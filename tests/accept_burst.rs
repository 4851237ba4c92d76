//! A thousand clients at once: nobody is left to the retransmission of a lost SYN, and everybody is logged in.

mod common;

use common::Server;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use switchboard::wire::frame;
use switchboard::wire::{BODY_MAX, Flags, HEADER_LEN, Header, Kind, header};

const CLIENTS: usize = 1_000;

/// A SYN that finds the backlog full is sent again after one second; a connect that took less never was.
const RETRANSMISSION: Duration = Duration::from_secs(1);

fn assert_backlog_possible() {
    let path = "/proc/sys/net/core/somaxconn";
    let somaxconn: usize =
        std::fs::read_to_string(path).expect("Linux").trim().parse().expect("a number of connections");
    assert!(
        somaxconn >= CLIENTS,
        "this machine cuts every backlog to {somaxconn} connections, and the test needs {CLIENTS}: \
         run `sysctl -w net.core.somaxconn=4096`"
    );
}

#[test]
fn a_thousand_at_once_connect_without_a_retransmission_and_log_in() {
    assert_backlog_possible();
    let server = Server::start(&[]);
    let mut slowest = Duration::ZERO;
    let began = Instant::now();
    let mut streams: Vec<TcpStream> = (0..CLIENTS)
        .map(|_| {
            let clock = Instant::now();
            let stream = TcpStream::connect(server.address).expect("a place in the backlog");
            slowest = slowest.max(clock.elapsed());
            stream
        })
        .collect();
    let connected = began.elapsed();
    for (n, stream) in streams.iter_mut().enumerate() {
        let mut hello = Vec::new();
        let name = &format!("client{n}");
        let body = frame::Hello { request: 1, version: frame::VERSION, body_max: BODY_MAX, name };
        header::put(&mut hello, Flags::NONE, 0, &body);
        stream.set_read_timeout(Some(common::PATIENCE)).expect("a time-out");
        stream.write_all(&hello).expect("the server reads");
    }
    for stream in &mut streams {
        let mut bytes = [0; HEADER_LEN];
        stream.read_exact(&mut bytes).expect("an answer");
        assert_eq!(Header::read(&bytes).map(|header| header.kind), Some(Kind::Welcome as u8));
    }
    println!("connected in {connected:?}, the slowest in {slowest:?}; logged in after {:?}", began.elapsed());
    assert!(slowest < RETRANSMISSION * 8 / 10, "a connect took {slowest:?}");
}

#[test]
fn a_thousand_connects_that_nobody_accepts_yet_fit_into_the_backlog() {
    assert_backlog_possible();
    let server = Server::start(&[]);
    server.signal("STOP");
    let mut slowest = Duration::ZERO;
    let streams: Vec<TcpStream> = (0..CLIENTS)
        .map(|_| {
            let clock = Instant::now();
            let stream = TcpStream::connect_timeout(&server.address, common::PATIENCE).expect("a place");
            slowest = slowest.max(clock.elapsed());
            stream
        })
        .collect();
    server.signal("CONT");
    assert!(slowest < RETRANSMISSION * 8 / 10, "a connect took {slowest:?}");
    drop(streams);
    common::Client::login(server.address, "after-the-storm");
}
