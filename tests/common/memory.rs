//! A room whose members' sockets are buffers: what the engine does can be counted and timed without a kernel.
#![allow(dead_code)] // a test and a bench each use their part

use std::cell::Cell;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Instant;
use switchboard::capture::{self, Recorder};
use switchboard::hub;
use switchboard::net::{Key, Socket};
use switchboard::server::{Engine, Limits};
use switchboard::wire::frame::{self, Body};
use switchboard::wire::{BODY_MAX, Flags, header};

/// What everybody says.
pub const TEXT: &str = "sixty-four bytes of text, or so, as people in a chat room write.";

/// A socket that reads from a buffer which the test fills, and counts what is written.
#[derive(Clone, Default)]
pub struct Wire(Rc<Shared>);

#[derive(Default)]
struct Shared {
    input: Cell<Vec<u8>>,
    reads: Cell<u64>,
    writes: Cell<u64>,
    written: Cell<u64>,
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.reads.set(self.0.reads.get() + 1);
        let mut input = self.0.input.take();
        let n = input.len().min(into.len());
        into[..n].copy_from_slice(&input[..n]);
        input.drain(..n);
        self.0.input.set(input);
        if n == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(n) }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.writes.set(self.0.writes.get() + 1);
        self.0.written.set(self.0.written.get() + bytes.len() as u64);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let n = slices.iter().map(|slice| slice.len()).sum::<usize>();
        self.0.writes.set(self.0.writes.get() + 1);
        self.0.written.set(self.0.written.get() + n as u64);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Wire {
    fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        Ok(())
    }

    fn is_emptied_by_short_reads(&self) -> bool {
        true
    }
}

/// An engine, and everybody in one room.
pub struct Room {
    pub engine: Engine<Wire>,
    members: Vec<Member>,
    channel: u32,
}

/// Somebody with a name and a wish to join the room.
pub struct Member {
    key: Key,
    wire: Wire,
}

impl Member {
    pub fn named(name: &str) -> Member {
        let member = Member { key: Key::from_u64(0), wire: Wire::default() };
        let (version, body_max) = (frame::VERSION, BODY_MAX);
        member.send(0, &frame::Hello { request: 1, version, body_max, name });
        member.send(0, &frame::Join { request: 2, past: 0, room: "#room", password: "" });
        member
    }

    fn send<'a>(&self, channel: u32, body: &impl Body<'a>) {
        let mut input = self.wire.0.input.take();
        header::put(&mut input, Flags::NONE, channel, body);
        self.wire.0.input.set(input);
    }
}

impl Room {
    pub fn with_members(count: usize) -> Room {
        Self::of(Self::members(count), hub::Limits::default())
    }

    /// The same, and what is said is not kept.
    pub fn without_history(count: usize) -> Room {
        Self::of(Self::members(count), Self::no_history())
    }

    fn members(count: usize) -> Vec<Member> {
        (0..count).map(|n| Member::named(&format!("m{n}"))).collect()
    }

    pub fn no_history() -> hub::Limits {
        let history = hub::HistoryLimits { messages_max: 0, ..hub::HistoryLimits::default() };
        hub::Limits { history, ..hub::Limits::default() }
    }

    /// Everybody joins in the same turn.
    pub fn of(members: Vec<Member>, limits: hub::Limits) -> Room {
        Self::served_by(Engine::new(Limits::default(), limits, [0; 32], Instant::now()), members)
    }

    /// What is said is not kept, but all that is read and written is captured, to a file that takes it at once.
    pub fn captured(count: usize) -> Room {
        let mut engine = Engine::new(Limits::default(), Self::no_history(), [0; 32], Instant::now());
        let file = Some("/dev/null".into());
        let options = capture::Options { file, bytes_max: usize::MAX / 2, ..capture::Options::default() };
        let recorder = Recorder::create(&options).expect("it can be written to").expect("there is a file");
        engine.set_recorder(recorder, Vec::new());
        Self::served_by(engine, Self::members(count))
    }

    fn served_by(engine: Engine<Wire>, members: Vec<Member>) -> Room {
        let mut room = Room { engine, members, channel: 0 };
        for member in &mut room.members {
            let address = SocketAddr::from(([127, 0, 0, 1], 1));
            member.key = room.engine.admit(member.wire.clone(), address).expect("room for all");
            room.engine.note(member.key, true, true);
        }
        while room.engine.has_work() {
            room.turn();
        }
        let names: Vec<u32> = (0..=u32::from(u16::MAX)).map(|g| g << 20).collect();
        room.channel =
            *names.iter().find(|&&c| room.is_channel(c)).expect("the room has a channel in slot 0");
        room
    }

    fn is_channel(&self, channel: u32) -> bool {
        self.engine.exchange().fanout.members(hub::ChannelId(channel)).next().is_some()
    }

    fn send<'a>(&mut self, member: usize, channel: u32, body: &impl Body<'a>) {
        self.members[member].send(channel, body);
        self.engine.note(self.members[member].key, true, false);
    }

    pub fn turn(&mut self) {
        self.engine.read();
        self.engine.timers();
        self.engine.flush();
        self.engine.reap(drop);
        self.engine.end_turn();
    }

    /// Ten members say so many messages together, and everybody gets them in one turn.
    pub fn busy_turn(&mut self, messages: usize) {
        for n in 0..messages {
            self.send(n % 10, self.channel, &frame::Say { request: 0, text: TEXT });
        }
        self.turn();
        assert!(!self.engine.has_work());
    }

    /// Everybody says goodbye in the same turn.
    pub fn leave_at_once(&mut self) {
        for n in 0..self.members.len() {
            self.send(n, 0, &frame::Bye { code: 0, text: "" });
        }
        while self.engine.has_work() {
            self.turn();
        }
    }

    /// System calls, were the sockets real.
    pub fn reads(&self) -> u64 {
        self.members.iter().map(|member| member.wire.0.reads.get()).sum()
    }

    pub fn writes(&self) -> u64 {
        self.members.iter().map(|member| member.wire.0.writes.get()).sum()
    }

    pub fn written(&self) -> u64 {
        self.members.iter().map(|member| member.wire.0.written.get()).sum()
    }
}
