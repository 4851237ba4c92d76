//! An engine on a stage: sockets without a kernel, a time that the test sets, and guests who do as they are told.
#![allow(dead_code)] // each test file uses its part

use super::flaky::{Faults, FlakySocket, Line};
use super::random::Random;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use switchboard::net::Key;
use switchboard::server::binding::Path;
use switchboard::server::{Engine, Limits, Settings};
use switchboard::wire::frame::{self, Body};
use switchboard::wire::{BODY_MAX, Flags, Frame, Header, Kind, Split, header, split};

pub struct Stage {
    pub engine: Engine<FlakySocket>,
    pub now: Instant,
    /// Every datagram that the engine has sent, and where to.
    pub sent: Vec<(Path, Vec<u8>)>,
}

/// A client whose every act the test decides.
pub struct Guest {
    pub key: Key,
    pub line: Rc<RefCell<Line>>,
    input: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Received {
    pub header: Header,
    body: Vec<u8>,
}

impl Received {
    pub fn frame(&self) -> Frame<'_> {
        Frame::decode(self.header.kind, &self.body).expect("the server sends frames that decode")
    }

    pub fn kind(&self) -> Kind {
        Kind::from_u8(self.header.kind).expect("a known kind")
    }
}

impl Stage {
    pub fn new(limits: Limits) -> Stage {
        let now = Instant::now();
        Stage { engine: Engine::new(limits, Settings::default().hub, [0; 32], now), now, sent: Vec::new() }
    }

    /// Somebody connects; the window is what the kernel's buffers would take of what the guest does not read.
    pub fn admit(&mut self, window: usize) -> Guest {
        let line = Rc::new(RefCell::new(Line::new(Random::new(1), Faults::default(), window)));
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let key = self.engine.admit(FlakySocket(Rc::clone(&line)), address).expect("there is room");
        Guest { key, line, input: Vec::new() }
    }

    /// Somebody connects and logs in.
    pub fn login(&mut self, name: &str, window: usize) -> Guest {
        let mut guest = self.admit(window);
        guest.send(0, &frame::Hello { request: 1, version: frame::VERSION, body_max: BODY_MAX, name });
        self.run(&[&guest]);
        assert_eq!(guest.kinds(), [Kind::Welcome]);
        guest
    }

    /// Somebody connects, logs in and joins a room.
    pub fn enter(&mut self, name: &str, room: &str, window: usize) -> (Guest, u32) {
        let mut guest = self.login(name, window);
        guest.send(0, &frame::Join { request: 2, past: 0, room, password: "" });
        self.run(&[&guest]);
        let joined = guest.receive();
        assert_eq!(joined[0].kind(), Kind::Joined);
        let channel = joined[0].header.channel;
        (guest, channel)
    }

    /// Opens a relay and returns its channel.
    pub fn relay(&mut self, caller: &mut Guest, callee: &mut Guest, callee_name: &str) -> u32 {
        caller.send(0, &frame::Open { request: 3, purpose: 0, to: callee_name });
        self.run(&[caller, callee]);
        let offer = callee.receive().into_iter().find(|f| f.kind() == Kind::Offer).expect("a call");
        let channel = offer.header.channel;
        callee.send(channel, &frame::Accept { request: 4 });
        self.run(&[caller, callee]);
        assert_eq!(caller.kinds(), [Kind::Ringing, Kind::Opened]);
        assert_eq!(callee.kinds(), [Kind::Done]);
        channel
    }

    /// One turn in which poll tells what is due at these connections, in this order.
    pub fn turn(&mut self, ready: &[&Guest]) {
        self.engine.set_now(self.now);
        for guest in ready {
            let edge = guest.line.borrow_mut().take_edge();
            if let Some((readable, writable)) = edge {
                self.engine.note(guest.key, readable, writable);
            }
        }
        self.engine.read();
        self.engine.timers();
        self.engine.flush();
        let sent = &mut self.sent;
        self.engine.send_datagrams(|socket, train| {
            let before = sent.len();
            let path = Path { socket, server: train.ends.ours, client: train.ends.theirs };
            sent.extend(train.datagrams.chunks(train.length).map(|datagram| (path, datagram.to_vec())));
            sent.len() - before
        });
        self.engine.reap(drop);
    }

    /// A datagram comes, and is dealt with in a turn of its own. Returns what was sent meanwhile.
    pub fn datagram(&mut self, from: Path, datagram: &[u8], ready: &[&Guest]) -> Vec<(Path, Vec<u8>)> {
        self.now += Duration::from_micros(1);
        self.engine.set_now(self.now);
        self.engine.receive_datagram(from, datagram);
        self.turn(ready);
        self.run(ready);
        std::mem::take(&mut self.sent)
    }

    /// Turns until there is nothing left to do. Nobody reads meanwhile. Returns how many turns that took.
    pub fn run(&mut self, ready: &[&Guest]) -> usize {
        for turns in 0..1_000_000 {
            if !self.engine.has_work() && ready.iter().all(|guest| guest.line.borrow().edge().is_none()) {
                return turns;
            }
            self.turn(ready);
        }
        panic!("it never comes to rest");
    }

    /// Time passes, step by step as the engine asks to be woken.
    pub fn pass(&mut self, time: Duration, ready: &[&Guest]) {
        let end = self.now + time;
        while let Some(at) = self.engine.next_deadline().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.turn(ready);
            self.run(ready);
        }
        self.now = end;
        self.turn(ready);
        self.run(ready);
    }

    pub fn is_open(&self, guest: &Guest) -> bool {
        self.engine.exchange().connections.get(guest.key).is_some_and(|connection| connection.is_open())
    }

    pub fn queued_bytes(&self, guest: &Guest) -> usize {
        let connection = self.engine.exchange().connections.get(guest.key);
        connection.map_or(0, |connection| connection.outbox.queued_bytes())
    }
}

impl Guest {
    pub fn send<'a>(&mut self, channel: u32, body: &impl Body<'a>) {
        let mut bytes = Vec::new();
        header::put(&mut bytes, Flags::NONE, channel, body);
        self.send_bytes(&bytes);
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.line.borrow_mut().to_server.extend(bytes);
    }

    /// Bytes that the server has not read.
    pub fn unread(&self) -> usize {
        self.line.borrow().to_server.len()
    }

    /// Writes no more.
    pub fn shut(&mut self) {
        self.line.borrow_mut().client_shut = true;
    }

    /// Reads what is there, and returns the whole frames of it.
    pub fn receive(&mut self) -> Vec<Received> {
        self.receive_at_most(usize::MAX)
    }

    pub fn receive_at_most(&mut self, bytes: usize) -> Vec<Received> {
        let read = self.line.borrow_mut().client_read(bytes);
        self.input.extend(read);
        let (mut received, mut used) = (Vec::new(), 0);
        while let Split::Frame(raw) = split(&self.input[used..], BODY_MAX).expect("the server sends frames") {
            received.push(Received { header: raw.header, body: raw.body.to_vec() });
            used += raw.len();
        }
        self.input.drain(..used);
        received
    }

    pub fn kinds(&mut self) -> Vec<Kind> {
        self.receive().iter().map(Received::kind).collect()
    }

    /// Whether the server will send nothing more.
    pub fn is_at_end(&self) -> bool {
        self.line.borrow().is_at_end()
    }
}
