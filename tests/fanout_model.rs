//! Fan-out against the simplest thing that could work: a queue per member, to which everything is appended at once.
//! Blocks, ranges and cursors must not be seen from outside: every member gets the same, in each author's order;
//! only what different authors said may come in another order.

#[path = "common/flaky.rs"]
mod flaky;
#[path = "common/random.rs"]
mod random;

use flaky::{Faults, FlakySocket, Line};
use proptest::prelude::*;
use random::Random;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;
use switchboard::hub::{
    ChannelId, Effect, Effects, Event, Host, MessageId, Person as Author, Reply, RequestId, RoomName,
    SessionId, UserKey, UserName, Words,
};
use switchboard::net::Key;
use switchboard::server::Limits;
use switchboard::server::exchange::{Exchange, session_id};
use switchboard::server::{address::ClientAddress, connection::Connection};
use switchboard::session::CloseReason;
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{BODY_MAX, Flags, Split, header, split};

const PEOPLE: usize = 6;
const ROOMS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Enter {
        who: usize,
        room: usize,
    },
    Leave {
        who: usize,
        room: usize,
    },
    Say {
        who: usize,
        room: usize,
        length: usize,
    },
    Tell {
        who: usize,
        to: usize,
    },
    /// The socket takes so many bytes from now on.
    Read {
        who: usize,
        bytes: usize,
    },
    Hangup {
        who: usize,
    },
    EndOfTurn,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, room) = (0..PEOPLE, 0..ROOMS);
    let length = prop_oneof![4 => 0..50_usize, 1 => 15_000..30_000_usize];
    let step = prop_oneof![
        4 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Enter { who, room }),
        1 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Leave { who, room }),
        12 => (who.clone(), room, length).prop_map(|(who, room, length)| Step::Say { who, room, length }),
        3 => (who.clone(), who.clone()).prop_map(|(who, to)| Step::Tell { who, to }),
        2 => (who.clone(), 0..5_000_usize).prop_map(|(who, bytes)| Step::Read { who, bytes }),
        1 => who.prop_map(|who| Step::Hangup { who }),
        1 => Just(Step::EndOfTurn),
    ];
    prop::collection::vec(step, 0..300)
}

/// What a member got, by author, in the order of each.
type Heard = BTreeMap<String, Vec<u64>>;

struct Bench {
    exchange: Exchange<FlakySocket>,
    people: Vec<Person>,
    number: u64,
}

struct Person {
    name: UserName,
    key: Key,
    line: Rc<RefCell<Line>>,
    rooms: BTreeSet<usize>,
    is_open: bool,
    /// The model: the queue to which everything is appended at once.
    expected: Vec<(String, u64)>,
}

/// The channels that a hub would give out.
fn channel(room: usize) -> ChannelId {
    ChannelId(1 << 20 | room as u32)
}

fn author(session: SessionId, name: &UserName) -> Author<'_> {
    Author { user: UserKey(session), session, name, profile: None, account: None, hidden_host: None }
}

impl Bench {
    fn new() -> Bench {
        let now = Instant::now();
        let mut exchange = Exchange::new(Limits::default(), &[7; 32], now);
        let people = (0..PEOPLE).map(|n| Person::new(n, &mut exchange, now)).collect();
        Bench { exchange, people, number: 0 }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Enter { who, room } => {
                if self.people[who].is_open && self.people[who].rooms.insert(room) {
                    let session = session_id(self.people[who].key);
                    self.exchange.emit(Effect::Subscribe { channel: channel(room), session });
                }
            }
            Step::Leave { who, room } => {
                if self.people[who].rooms.remove(&room) {
                    let session = session_id(self.people[who].key);
                    self.exchange.emit(Effect::Unsubscribe { channel: channel(room), session });
                }
            }
            Step::Say { who, room, length } if self.people[who].rooms.contains(&room) => {
                self.say(who, room, length);
            }
            Step::Tell { who, to } if who != to && self.people[who].is_open => self.tell(who, to),
            Step::Read { who, bytes } => {
                let person = &self.people[who];
                person.line.borrow_mut().window += bytes;
                if person.line.borrow_mut().take_edge().is_some()
                    && let Some(connection) = self.exchange.connections.get_mut(person.key)
                {
                    connection.writable = true;
                    self.exchange.list_to_flush(person.key);
                }
            }
            Step::Hangup { who } => self.hang_up(who),
            Step::EndOfTurn => self.end_turn(),
            Step::Say { .. } | Step::Tell { .. } => {}
        }
    }

    fn say(&mut self, who: usize, room: usize, length: usize) {
        self.number += 1;
        let text = format!("{}:{}", self.number, "x".repeat(length));
        let Person { name, key, .. } = &self.people[who];
        let (name, cause) = (name.clone(), session_id(*key));
        let (by, words) = (author(cause, &name), Words::message(&text));
        let event = Event::Said { by, words, id: MessageId(self.number), least: None };
        let room_name = RoomName::new("#room", 9).expect("a name");
        self.exchange.emit(Effect::Publish { channel: channel(room), room: &room_name, cause, event });
        for (at, person) in self.people.iter_mut().enumerate() {
            if at != who && person.is_open && person.rooms.contains(&room) {
                person.expected.push((name.shown().into(), self.number));
            }
        }
    }

    fn tell(&mut self, who: usize, to: usize) {
        self.number += 1;
        let text = format!("{}:", self.number);
        let Person { name, key, .. } = &self.people[who];
        let (name, cause) = (name.clone(), session_id(*key));
        let (from, words) = (author(cause, &name), Words::message(&text));
        let event = Event::Told { from, words, id: MessageId(self.number) };
        let (to_session, channel) = (session_id(self.people[to].key), ChannelId::NONE);
        self.exchange.emit(Effect::Send { to: to_session, cause, channel, room: None, event });
        if self.people[to].is_open {
            self.people[to].expected.push((name.shown().into(), self.number));
        }
    }

    /// As the engine does it for a client that says goodbye: out of its rooms, then closed.
    fn hang_up(&mut self, who: usize) {
        let person = &mut self.people[who];
        let (key, rooms) = (person.key, std::mem::take(&mut person.rooms));
        person.is_open = false;
        for room in rooms {
            self.exchange.emit(Effect::Unsubscribe { channel: channel(room), session: session_id(key) });
        }
        self.exchange.close(key, CloseReason::Goodbye);
    }

    fn end_turn(&mut self) {
        self.exchange.distribute_all();
        for key in std::mem::take(&mut self.exchange.to_flush) {
            let Exchange { connections, blocks, .. } = &mut self.exchange;
            let Some(connection) = connections.get_mut(key) else { continue };
            connection.listed.to_flush = false;
            if !connection.writable {
                continue;
            }
            let Connection { outbox, socket, .. } = connection;
            if outbox.flush(blocks, socket, usize::MAX).expect("a flush")
                == switchboard::net::Flushed::WouldBlock
            {
                connection.writable = false;
                connection.outbox.settle(blocks);
            }
        }
        let Exchange { fanout, blocks, .. } = &mut self.exchange;
        fanout.trim_spent(blocks);
    }

    /// Everybody reads everything; then nothing is held any more.
    fn finish(&mut self) {
        self.end_turn();
        for who in 0..PEOPLE {
            self.step(&Step::Read { who, bytes: 1 << 30 });
        }
        self.end_turn();
        assert!(self.exchange.blocks.is_empty(), "blocks are held for nobody");
    }
}

impl Person {
    fn new(n: usize, exchange: &mut Exchange<FlakySocket>, now: Instant) -> Person {
        let name = UserName::new(&format!("u{n}"), 32).expect("a name");
        let faults = Faults { partial: 50, ..Faults::default() };
        let line = Rc::new(RefCell::new(Line::new(Random::new(n as u64), faults, 0)));
        let address = ClientAddress::from(SocketAddr::from(([127, 0, 0, 1], 1)));
        let mut connection = Connection::new(FlakySocket(Rc::clone(&line)), address, Host::default(), now);
        let mut hello = Vec::new();
        let body =
            frame::Hello { request: 1, version: frame::VERSION, body_max: BODY_MAX, name: name.shown() };
        header::put(&mut hello, Flags::NONE, 0, &body);
        let surroundings = &exchange.surroundings;
        connection.session.next(&hello, surroundings, &mut String::new(), &mut Vec::new());
        let welcome = Reply::LoggedIn { name: name.shown(), text_bytes_max: 4_096 };
        connection.session.encode_reply(
            RequestId(1),
            ChannelId::NONE,
            &welcome,
            surroundings,
            &mut Vec::new(),
        );
        connection.session.open();
        let key = exchange.connections.insert(connection);
        Person { name, key, line, rooms: BTreeSet::new(), is_open: true, expected: Vec::new() }
    }

    fn heard(&self) -> Heard {
        let bytes = self.line.borrow_mut().client_read(usize::MAX);
        let (mut heard, mut rest) = (Heard::new(), &bytes[..]);
        while let Split::Frame(raw) = split(rest, BODY_MAX).expect("frames") {
            let (by, text) = match raw.decode().expect("frames that decode") {
                Frame::Said(said) => (said.by, said.text),
                Frame::Told(told) => (told.from, told.text),
                Frame::Bye(_) => ("", "0:"),
                other => panic!("nobody caused {other:?}"),
            };
            let number = text.split_once(':').and_then(|(number, _)| number.parse().ok()).expect("a number");
            heard.entry(by.into()).or_default().push(number);
            rest = &rest[raw.len()..];
        }
        assert!(rest.is_empty());
        heard.remove("");
        heard
    }

    fn expected(&self) -> Heard {
        let mut expected = Heard::new();
        for (by, number) in &self.expected {
            expected.entry(by.clone()).or_default().push(*number);
        }
        expected
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_member_gets_what_the_model_says(steps in steps()) {
        let mut bench = Bench::new();
        for step in &steps {
            bench.step(step);
        }
        bench.finish();
        for person in &bench.people {
            prop_assert_eq!(person.heard(), person.expected(), "{}", &person.name);
        }
    }
}
