//! Thousands of clients in one thread: nonblocking sockets behind one poll, each read as soon as something came, unless
//! it was told to stop reading. Cheap on purpose: what is measured is the server.
#![allow(dead_code)] // each test file uses its part

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Body, Frame};
use switchboard::wire::{BODY_MAX, Flags, Header, Split, header, split};

/// A crowd of clients; each is known by its number.
pub struct Crowd {
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    pub people: Vec<Person>,
}

pub struct Person {
    stream: TcpStream,
    /// The beginning of a frame whose end has not come.
    rest: Vec<u8>,
    /// Whether it reads what it is sent.
    pub reads: bool,
    /// Whether the server has closed its side, or the connection broke.
    pub ended: bool,
}

impl Crowd {
    pub fn new() -> Crowd {
        let (poll, events) = (Poll::new().expect("a poll"), Events::with_capacity(4_096));
        Crowd { poll, events, scratch: vec![0; 256 * 1_024], people: Vec::new() }
    }

    /// One more; `receive_buffer` in bytes bounds what the kernel takes for it while it does not read.
    pub fn connect(&mut self, address: SocketAddr, receive_buffer: Option<usize>) -> usize {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a descriptor");
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).expect("SO_RCVBUF");
        }
        socket.connect(&address.into()).expect("the server accepts");
        socket.set_tcp_nodelay(true).expect("no delay");
        socket.set_nonblocking(true).expect("nonblocking");
        let mut stream = TcpStream::from_std(socket.into());
        let index = self.people.len();
        self.poll.registry().register(&mut stream, Token(index), Interest::READABLE).expect("registered");
        self.people.push(Person { stream, rest: Vec::new(), reads: true, ended: false });
        index
    }

    /// Sends something small, which the kernel takes at once. `false` when the connection is no more.
    pub fn send_bytes(&mut self, index: usize, bytes: &[u8]) -> bool {
        match self.people[index].stream.write(bytes) {
            Ok(n) => {
                assert_eq!(n, bytes.len(), "the kernel has room for a request");
                true
            }
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::WouldBlock, "the kernel has room for a request");
                false
            }
        }
    }

    pub fn send<'a>(&mut self, index: usize, channel: u32, body: &impl Body<'a>) {
        assert!(self.send_bytes(index, &bytes_of(channel, body)), "client {index} is connected");
    }

    pub fn hello(&mut self, index: usize, name: &str) {
        self.send(index, 0, &frame::Hello { request: 1, version: frame::VERSION, body_max: BODY_MAX, name });
    }

    /// Stops or resumes reading. The kernel tells again what waits when somebody resumes.
    pub fn set_reads(&mut self, index: usize, reads: bool) {
        let person = &mut self.people[index];
        person.reads = reads;
        let registry = self.poll.registry();
        registry.reregister(&mut person.stream, Token(index), Interest::READABLE).expect("registered");
    }

    /// Gives every frame that comes to `on`, until `done` says so or patience ends.
    pub fn read_until(
        &mut self,
        what: &str,
        mut done: impl FnMut() -> bool,
        mut on: impl FnMut(usize, Header, Frame<'_>),
    ) {
        let deadline = Instant::now() + super::common::PATIENCE;
        while !done() {
            assert!(Instant::now() < deadline, "never happened: {what}");
            self.read_for(Duration::from_millis(100), &mut on);
        }
    }

    /// Gives what comes to `on`, once something comes within `timeout`.
    pub fn read_for(&mut self, timeout: Duration, mut on: impl FnMut(usize, Header, Frame<'_>)) {
        let Crowd { poll, events, scratch, people } = self;
        match poll.poll(events, Some(timeout)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("poll: {error}"),
        }
        for event in events.iter() {
            let index = event.token().0;
            let person = &mut people[index];
            if person.reads && !person.ended {
                person.read(scratch, |header, frame| on(index, header, frame));
            }
        }
    }
}

impl Person {
    /// Reads until nothing is left.
    fn read(&mut self, scratch: &mut [u8], mut on: impl FnMut(Header, Frame<'_>)) {
        loop {
            let held = self.rest.len();
            scratch[..held].copy_from_slice(&self.rest);
            match self.stream.read(&mut scratch[held..]) {
                Ok(0) => return self.ended = true,
                Ok(n) => {
                    let (mut at, end) = (0, held + n);
                    while let Split::Frame(raw) =
                        split(&scratch[at..end], u16::MAX).expect("the server sends frames")
                    {
                        on(raw.header, raw.decode().expect("the server sends frames that decode"));
                        at += raw.len();
                    }
                    self.rest.clear();
                    self.rest.extend_from_slice(&scratch[at..end]);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.ended = true,
            }
        }
    }
}

pub fn bytes_of<'a>(channel: u32, body: &impl Body<'a>) -> Vec<u8> {
    let mut bytes = Vec::new();
    header::put(&mut bytes, Flags::NONE, channel, body);
    bytes
}

/// Fails in a sentence where the machine cannot hold this many connections.
pub fn need_descriptors(connections: u64) {
    let spare = 256; // of the test harness, other tests in this process, and the server's own
    if let Some(may) = switchboard::net::descriptors::raise_limit() {
        assert!(
            may >= connections + spare,
            "this test opens {connections} connections, but a process here may open only {may} files; \
             raise the hard limit (ulimit -Hn) to at least {}",
            connections + spare
        );
    }
}

/// The value that all but 1 % stay under.
pub fn p99(samples: &mut [Duration]) -> Duration {
    assert!(samples.len() >= 100, "{} samples say nothing about 1 %", samples.len());
    samples.sort_unstable();
    samples[samples.len() * 99 / 100]
}
