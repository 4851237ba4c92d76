//! A client of a simulation: does things at random, reads in its own manner, and remembers what it did and heard, so
//! that the memories of all can be compared in the end.
#![allow(dead_code)] // each test file uses its part

use super::flaky::Line;
use super::random::Random;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use switchboard::net::Key;
use switchboard::wire::frame::{self, Body};
use switchboard::wire::{BODY_MAX, ByeCode, ClosedCode, Flags, Frame, RefusalCode, Split, header, split};

/// How a client reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// Often, and all there is.
    Eager,
    /// Now and then, and little.
    Lazy,
    /// Never.
    Deaf,
    /// It does not speak the protocol at all.
    Stray,
}

/// How far a client has got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    Alive,
    /// It ends in order: it writes no more, and reads to the end.
    Leaving,
    /// The connection is over.
    Ended,
}

/// What a request that waits for its answer was.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Asked {
    Hello,
    Join,
    Leave(u32),
    Say {
        channel: u32,
        number: u64,
    },
    Tell {
        to: String,
        number: u64,
    },
    Open,
    /// Everything else that is answered somehow.
    Whatever,
    /// A request that has to be refused.
    Nonsense,
}

/// What a client remembers of a room: its own acts when they are answered, those of others as they arrive. The
/// server answers a request in step with what else it sends, so one list tells the order of all of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Memory {
    Joined,
    Left,
    Spoke(u64),
    SawEnter(String),
    SawLeave(String),
    Heard(String, u64),
}

/// One direction of a relay, in frames.
#[derive(Clone, Copy, Default, Debug)]
pub struct Payload {
    pub sent: u64,
    pub received: u64,
    /// The peer ended the relay while it was open.
    pub closed_by_peer: bool,
    pub closed_by_us: bool,
}

pub struct Actor {
    pub name: String,
    pub key: Key,
    pub line: Rc<RefCell<Line>>,
    pub manner: Manner,
    pub life: Life,
    pub bye: Option<u16>,
    pub memories: BTreeMap<u32, Vec<Memory>>,
    /// Private messages that were answered with done, and those that arrived: who, and its number.
    pub told: Vec<(String, u64)>,
    pub heard_privately: Vec<(String, u64)>,
    pub relays: BTreeMap<u32, Payload>,
    pub longest_payload: usize,
    /// Says much at a time: more than a block, with a few others.
    pub loud: bool,
    random: Random,
    welcome: bool,
    rooms: BTreeSet<u32>,
    leaving: BTreeSet<u32>,
    live_relays: BTreeSet<u32>,
    ringing: BTreeSet<u32>,
    asked: BTreeMap<u32, Asked>,
    requests: u32,
    /// Numbers everything that others can hear, whichever way it goes.
    number: u64,
    latest: BTreeMap<String, u64>,
    input: Vec<u8>,
    /// Not written to the connection yet.
    output: VecDeque<u8>,
}

impl Actor {
    pub fn new(name: String, key: Key, line: Rc<RefCell<Line>>, manner: Manner, random: Random) -> Actor {
        let mut actor = Actor {
            name: name.clone(),
            key,
            line,
            manner,
            life: Life::Alive,
            bye: None,
            memories: BTreeMap::new(),
            told: Vec::new(),
            heard_privately: Vec::new(),
            relays: BTreeMap::new(),
            longest_payload: 3_000,
            loud: false,
            random,
            welcome: false,
            rooms: BTreeSet::new(),
            leaving: BTreeSet::new(),
            live_relays: BTreeSet::new(),
            ringing: BTreeSet::new(),
            asked: BTreeMap::new(),
            requests: 0,
            number: 0,
            latest: BTreeMap::new(),
            input: Vec::new(),
            output: VecDeque::new(),
        };
        if manner == Manner::Stray {
            let rubbish: [&[u8]; 5] =
                [b"GET / HTTP/1.1\r\n\r\n", b"NICK x\r\n", b"\x80\0\0\x05\0\0\0\0abcde", b"\x16\x03", b"P"];
            actor.output.extend(*actor.random.pick(&rubbish));
        } else {
            let request = actor.ask(Asked::Hello);
            actor
                .send(0, &frame::Hello { request, version: frame::VERSION, body_max: BODY_MAX, name: &name });
        }
        actor
    }

    /// One step of a life: read, act, write.
    pub fn step(&mut self, names: &[String]) {
        match self.manner {
            Manner::Eager if self.random.chance(60) => self.read(usize::MAX),
            Manner::Lazy if self.random.chance(30) => {
                let most = self.random.between(1, 600);
                self.read(most);
            }
            Manner::Stray => self.read(usize::MAX),
            _ => {}
        }
        if self.life == Life::Alive && self.welcome && self.output.len() < 64 * 1_024 {
            let acts =
                if self.random.chance(if self.loud { 30 } else { 3 }) { 40 } else { self.random.below(4) };
            for _ in 0..acts {
                self.act(names);
            }
        }
        let n =
            if self.random.chance(70) { self.output.len() } else { self.random.below(self.output.len() + 1) };
        self.write(n);
    }

    /// Reads and writes all there is, and begins nothing. Returns whether anything happened.
    pub fn settle(&mut self) -> bool {
        let before = self.line.borrow().to_client.len() + self.output.len();
        if self.manner != Manner::Deaf {
            self.read(usize::MAX);
        }
        self.write(self.output.len());
        before > 0
    }

    /// Says goodbye, or just ends its side; then reads to the end.
    pub fn leave(&mut self) {
        if self.life != Life::Alive {
            return;
        }
        if self.random.chance(50) && self.welcome {
            self.send(0, &frame::Bye { code: 0, text: "so long" });
        }
        self.write(self.output.len());
        self.line.borrow_mut().client_shut = true;
        self.life = Life::Leaving;
    }

    /// Is gone without a word: the connection breaks, now or some bytes later, or it ends in mid-frame.
    pub fn die(&mut self) {
        if self.life == Life::Ended {
            return;
        }
        let mut line = self.line.borrow_mut();
        match self.random.below(3) {
            0 => line.reset(),
            1 => line.breaks_after = Some(self.random.between(1, 300)),
            _ => {
                let keep = self.random.below(line.to_server.len() + 1);
                line.to_server.truncate(keep);
                line.client_shut = true;
            }
        }
        self.life = Life::Ended;
        self.output.clear();
    }

    /// Nothing is owed in either direction any more.
    pub fn is_quiet(&self) -> bool {
        let line = self.line.borrow();
        self.input.is_empty()
            && line.to_client.is_empty()
            && line.to_server.is_empty()
            && self.output.is_empty()
    }

    /// Requests that were never answered; calls may ring.
    pub fn unanswered(&self) -> Vec<String> {
        self.asked.values().filter(|asked| **asked != Asked::Open).map(|asked| format!("{asked:?}")).collect()
    }

    fn write(&mut self, n: usize) {
        let mut line = self.line.borrow_mut();
        if line.client_shut || line.broken || line.server_closed {
            self.output.clear();
            return;
        }
        line.to_server.extend(self.output.drain(..n));
    }

    fn read(&mut self, most: usize) {
        let bytes = self.line.borrow_mut().client_read(most);
        if self.life == Life::Ended {
            return;
        }
        self.input.extend(bytes);
        if self.manner == Manner::Stray {
            self.input.clear();
        }
        let input = std::mem::take(&mut self.input);
        let mut rest = &input[..];
        while let Split::Frame(raw) = split(rest, BODY_MAX).expect("the server sends frames") {
            assert_eq!(self.bye, None, "{} hears something behind the last words", self.name);
            let frame = raw.decode().expect("the server sends frames that decode");
            self.hear(raw.header.channel, frame);
            rest = &rest[raw.len()..];
        }
        self.input = rest.to_vec();
        let is_at_end = self.line.borrow().is_at_end();
        if is_at_end {
            let mut line = self.line.borrow_mut();
            let in_order = line.server_shut && !line.broken && !line.cut_off;
            assert!(self.input.is_empty() || !in_order, "the stream ends inside a frame");
            line.client_shut = true;
            drop(line);
            self.life = Life::Ended;
        }
    }

    fn hear(&mut self, channel: u32, frame: Frame<'_>) {
        match frame {
            Frame::Ping(frame::Ping { token }) => self.send(0, &frame::Pong { token }),
            Frame::Pong(_) => {}
            Frame::Bye(bye) => self.hear_bye(bye.code),
            Frame::Welcome(f) => {
                self.take_answer(f.request);
                self.welcome = true;
            }
            Frame::Done(f) => self.hear_done(f.request),
            Frame::Refused(f) => self.hear_refused(f.request, f.code),
            Frame::Joined(f) => {
                self.take_answer(f.request);
                self.rooms.insert(channel);
                self.remember(channel, Memory::Joined);
            }
            Frame::Entered(f) => self.remember_inside(channel, Memory::SawEnter(f.who.into())),
            Frame::Left(f) => self.remember_inside(channel, Memory::SawLeave(f.who.into())),
            Frame::Said(f) => self.hear_words(channel, f.by, f.text),
            Frame::Subject(f) => self.hear_words(channel, f.by, f.text),
            Frame::Told(f) => {
                let (number, target) = read_text(f.text);
                assert_eq!(target, self.name, "somebody else's private message");
                self.keep_order(f.from, number);
                self.heard_privately.push((f.from.into(), number));
            }
            Frame::Offer(_) => self.hear_offer(channel),
            Frame::Ringing(_) => {
                self.ringing.insert(channel);
            }
            Frame::Opened(f) => {
                assert_eq!(self.take_answer(f.request), Asked::Open);
                self.ringing.remove(&channel);
                // It may cross with our taking the call back.
                if !self.relays.entry(channel).or_default().closed_by_us {
                    self.live_relays.insert(channel);
                }
            }
            Frame::Closed(f) => {
                self.ringing.remove(&channel);
                self.live_relays.remove(&channel);
                if f.code == ClosedCode::Done.number() {
                    self.relays.entry(channel).or_default().closed_by_peer = true;
                }
            }
            Frame::Data(f) => self.hear_payload(channel, f.payload),
            Frame::RoomList(f) => drop(self.take_answer(f.request)),
            Frame::Occupants(f) => drop(self.take_answer(f.request)),
            Frame::Peer(f) => drop(self.take_answer(f.request)),
            Frame::PeerList(f) => drop(self.take_answer(f.request)),
            other => panic!("a server does not say {other:?}"),
        }
    }

    fn hear_bye(&mut self, code: u16) {
        let expected = [ByeCode::SlowConsumer, ByeCode::IdleTimeout, ByeCode::LoginTimeout];
        let is_expected = expected.iter().any(|expected| expected.number() == code)
            || code == ByeCode::ServerStopping.number()
            || (code == ByeCode::Goodbye.number() && self.life == Life::Leaving);
        assert!(is_expected, "{} is told goodbye with code {code}", self.name);
        self.bye = Some(code);
    }

    fn hear_done(&mut self, request: u32) {
        match self.take_answer(request) {
            Asked::Say { channel, number } => self.remember(channel, Memory::Spoke(number)),
            Asked::Leave(channel) => {
                self.rooms.remove(&channel);
                self.leaving.remove(&channel);
                self.remember(channel, Memory::Left);
            }
            Asked::Tell { to, number } => self.told.push((to, number)),
            Asked::Whatever => {}
            other => panic!("{other:?} is not answered with done"),
        }
    }

    fn hear_refused(&mut self, request: u32, code: u16) {
        if request == 0 {
            assert_eq!(code, RefusalCode::NoSuchRelay.number(), "payload behind the end of a relay");
            return;
        }
        match self.take_answer(request) {
            asked @ (Asked::Say { .. } | Asked::Leave(_) | Asked::Hello) => {
                panic!("{}: {asked:?} refused with {code}", self.name)
            }
            Asked::Join | Asked::Tell { .. } | Asked::Open | Asked::Whatever | Asked::Nonsense => {}
        }
    }

    /// Answers a call, most of the time.
    fn hear_offer(&mut self, channel: u32) {
        let request = self.ask(Asked::Whatever);
        match self.random.below(10) {
            0..7 => {
                self.send(channel, &frame::Accept { request });
                self.live_relays.insert(channel);
                self.relays.entry(channel).or_default();
            }
            7 => self.send(channel, &frame::Decline { request, text: "not now" }),
            8 => self.send(channel, &frame::Close { request }),
            _ => {
                self.asked.remove(&request);
            }
        }
    }

    fn hear_words(&mut self, channel: u32, by: &str, text: &str) {
        let (number, target) = read_text(text);
        assert_eq!(target, channel.to_string(), "words for another room");
        assert_ne!(by, self.name, "one's own words come back");
        self.keep_order(by, number);
        self.remember_inside(channel, Memory::Heard(by.into(), number));
    }

    /// Payload is the sender's count of frames, and bytes that follow from it.
    fn hear_payload(&mut self, channel: u32, payload: &[u8]) {
        let relay = self.relays.get_mut(&channel).expect("payload comes behind opened or accept");
        assert!(!relay.closed_by_peer, "payload behind the end");
        assert_eq!(payload, payload_bytes(relay.received, payload.len()), "payload is not what was sent");
        relay.received += 1;
    }

    /// Everything that one sender says arrives in its order, whichever way it takes.
    fn keep_order(&mut self, by: &str, number: u64) {
        let before = self.latest.insert(by.into(), number);
        assert!(before < Some(number), "{}: {number} of {by} comes behind {before:?}", self.name);
    }

    fn remember_inside(&mut self, channel: u32, memory: Memory) {
        assert!(self.rooms.contains(&channel), "{} is not in the room: {memory:?}", self.name);
        self.remember(channel, memory);
    }

    fn remember(&mut self, channel: u32, memory: Memory) {
        self.memories.entry(channel).or_default().push(memory);
    }

    fn ask(&mut self, asked: Asked) -> u32 {
        self.requests += 1;
        self.asked.insert(self.requests, asked);
        self.requests
    }

    fn take_answer(&mut self, request: u32) -> Asked {
        let asked = self.asked.remove(&request);
        asked.unwrap_or_else(|| {
            panic!("{}: request {request} is answered twice, or was never made", self.name)
        })
    }

    /// One thing that a client may do.
    fn act(&mut self, names: &[String]) {
        let rooms: Vec<u32> = self.rooms.difference(&self.leaving).copied().collect();
        let relays: Vec<u32> = self.live_relays.iter().copied().collect();
        let to = self.random.pick(names).clone();
        match self.random.below(100) {
            0..8 => {
                let rooms = ["#one", "#One", "#two", "#three"];
                let room = *self.random.pick(if self.loud { &rooms[..2] } else { &rooms });
                let request = self.ask(Asked::Join);
                self.send(0, &frame::Join { request, past: 0, room, password: "" });
            }
            8..11 if !rooms.is_empty() => {
                let channel = *self.random.pick(&rooms);
                let request = self.ask(Asked::Leave(channel));
                self.leaving.insert(channel);
                self.send(channel, &frame::Leave { request });
            }
            11..55 if !rooms.is_empty() => {
                let channel = *self.random.pick(&rooms);
                self.speak(channel);
            }
            55..66 if to != self.name => {
                self.number += 1;
                let text = self.text(&to, 200);
                let request = self.ask(Asked::Tell { to: to.clone(), number: self.number });
                self.send(0, &frame::Tell { request, to: &to, text: &text });
            }
            66..70 => self.ask_something(&to, rooms.first().copied()),
            70..73 => {
                let request = self.ask(Asked::Open);
                self.send(0, &frame::Open { request, purpose: 0, to: &to });
            }
            73..98 if !relays.is_empty() => {
                let channel = *self.random.pick(&relays);
                let longest = self.longest_payload;
                let length = if self.random.chance(5) { longest } else { self.random.below(300) };
                let relay = self.relays.entry(channel).or_default();
                let payload = payload_bytes(relay.sent, length);
                relay.sent += 1;
                self.send(channel, &frame::Data { payload: &payload });
            }
            98 => {
                let ringing = self.ringing.pop_first();
                if let Some(channel) = relays.first().copied().or(ringing) {
                    let request = self.ask(Asked::Whatever);
                    self.live_relays.remove(&channel);
                    self.relays.entry(channel).or_default().closed_by_us = true;
                    self.send(channel, &frame::Close { request });
                }
            }
            _ => self.send(0, &frame::Ping { token: 5 }),
        }
    }

    fn speak(&mut self, channel: u32) {
        self.number += 1;
        let request = self.ask(Asked::Say { channel, number: self.number });
        if self.random.chance(4) {
            let text = self.text(&channel.to_string(), 900);
            self.send(channel, &frame::SetSubject { request, text: &text });
        } else {
            let longest = if self.random.chance(if self.loud { 60 } else { 5 }) { 4_000 } else { 60 };
            let text = self.text(&channel.to_string(), longest);
            self.send(channel, &frame::Say { request, text: &text });
        }
    }

    fn ask_something(&mut self, to: &str, room: Option<u32>) {
        match (self.random.below(5), room) {
            (0, Some(channel)) => {
                let request = self.ask(Asked::Whatever);
                self.send(channel, &frame::Who { request, after: "" });
            }
            (1, _) => {
                let request = self.ask(Asked::Whatever);
                self.send(0, &frame::ListRooms { request, after: "" });
            }
            (2, _) => {
                let request = self.ask(Asked::Whatever);
                self.send(0, &frame::Lookup { request, name: to });
            }
            (3, _) => {
                let request = self.ask(Asked::Whatever);
                self.send(0, &frame::ListPeers { request, after: "" });
            }
            _ => {
                let request = self.ask(Asked::Nonsense);
                self.send(77, &frame::Say { request, text: "nowhere" });
            }
        }
    }

    /// A text that says which one it is, and for whom.
    fn text(&mut self, target: &str, longest: usize) -> String {
        format!("{}@{target}:{}", self.number, "x".repeat(self.random.below(longest)))
    }

    fn send<'a>(&mut self, channel: u32, body: &impl Body<'a>) {
        let mut bytes = Vec::new();
        header::put(&mut bytes, Flags::NONE, channel, body);
        self.output.extend(bytes);
    }
}

fn read_text(text: &str) -> (u64, &str) {
    let (label, filler) = text.split_once(':').expect("a label");
    assert!(filler.bytes().all(|byte| byte == b'x'), "a garbled text");
    let (number, target) = label.split_once('@').expect("a number and a target");
    (number.parse().expect("a number"), target)
}

fn payload_bytes(number: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(number);
    let mut bytes: Vec<u8> = number.to_be_bytes().to_vec();
    bytes.resize(length.max(8), random.next() as u8);
    bytes
}
