//! An engine whose sockets are buffers, and whose time the test sets; with guests who speak lines of IRC.

use crate::hub;
use crate::net::{Key, Socket};
use crate::server::allowance::Rate;
use crate::server::credentials::Operator;
use crate::server::{Engine, Limits};
use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

#[derive(Clone, Default)]
pub struct Wire(Rc<RefCell<Ends>>);

#[derive(Default)]
struct Ends {
    input: Vec<u8>,
    output: Vec<u8>,
    reads: usize,
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let ends = &mut *self.0.borrow_mut();
        ends.reads += 1;
        let n = ends.input.len().min(into.len());
        into[..n].copy_from_slice(&ends.input[..n]);
        ends.input.drain(..n);
        if n == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(n) }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Wire {
    fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        Ok(())
    }
}

pub struct Scene {
    pub engine: Engine<Wire>,
    pub now: Instant,
}

pub struct Guest {
    pub key: Key,
    wire: Wire,
}

impl Scene {
    /// The operator is Ann, from the machine itself; her hash is `ann's`.
    pub fn new(limits: Limits) -> Scene {
        Self::with(limits, hub::Limits::default())
    }

    pub fn with(limits: Limits, hub_limits: hub::Limits) -> Scene {
        let now = Instant::now();
        let mut engine = Engine::new(limits, hub_limits, [0; 32], now);
        engine.exchange.credentials.operators = vec![operator("ann")];
        Scene { engine, now }
    }

    /// Somebody connects from this address, without a word. `None`: they are turned away.
    pub fn connect_from(&mut self, ip: &str) -> (Wire, Option<Guest>) {
        let wire = Wire::default();
        let address = SocketAddr::new(ip.parse().expect("an address"), 1);
        let key = self.engine.admit(wire.clone(), address);
        (wire.clone(), key.map(|key| Guest { key, wire }))
    }

    pub fn connect(&mut self) -> Guest {
        self.connect_from("127.0.0.1").1.expect("there is room")
    }

    /// Somebody connects and logs in, and has read what there is to the welcome.
    pub fn login(&mut self, name: &str) -> Guest {
        let guest = self.connect();
        self.send(&guest, &format!("NICK {name}\r\nUSER {name} 0 * :{name}\r\n"));
        self.settle();
        assert!(guest.heard().contains(":Welcome to "));
        guest
    }

    pub fn send(&mut self, guest: &Guest, text: &str) {
        guest.wire.0.borrow_mut().input.extend_from_slice(text.as_bytes());
        self.engine.note(guest.key, true, true);
    }

    pub fn turn(&mut self) {
        self.engine.set_now(self.now);
        self.engine.read();
        self.engine.timers();
        self.engine.flush();
        self.engine.reap(drop);
    }

    /// Turns until nothing is left to do at this moment.
    pub fn settle(&mut self) {
        self.turn();
        for turns in 0.. {
            assert!(turns < 1_000, "a busy loop");
            if !self.engine.has_work() {
                return;
            }
            self.turn();
        }
    }

    /// Lets time pass, from deadline to deadline. Returns how often the engine wanted to be woken up.
    pub fn pass(&mut self, time: Duration) -> usize {
        let end = self.now + time;
        let mut woken = 0;
        while let Some(next) = self.engine.next_deadline().filter(|&next| next <= end) {
            woken += 1;
            self.now = self.now.max(next);
            self.settle();
        }
        self.now = end;
        self.settle();
        woken
    }
}

impl Wire {
    /// What has come since the last call, without the name of the server in front.
    pub fn heard(&self) -> String {
        let heard = String::from_utf8(std::mem::take(&mut self.0.borrow_mut().output)).expect("text");
        heard.replace(":switchboard.local ", "")
    }
}

impl Guest {
    pub fn heard(&self) -> String {
        self.wire.heard()
    }

    /// How often it was read from.
    pub fn reads(&self) -> usize {
        self.wire.0.borrow().reads
    }
}

/// From the machine itself, with a hash that is none.
pub fn operator(name: &str) -> Operator {
    Operator { name: name.to_owned(), password: format!("{name}'s"), host: "127.*".to_owned() }
}

pub fn unmetered() -> Limits {
    Limits { irc_lines: Rate { per_second: 0, burst: 0 }, ..Limits::default() }
}

/// What the server answers to a PING with this token.
pub fn pong(token: impl std::fmt::Display) -> String {
    format!("PONG switchboard.local :{token}\r\n")
}
