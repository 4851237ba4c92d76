//! Fan-out to people who are written to in different ways, and who change theirs: everybody gets everything in the
//! dialect that was theirs when it was published, in order, and each dialect is encoded once.

#[path = "common/flaky.rs"]
mod flaky;
#[path = "common/random.rs"]
mod random;

use flaky::{Faults, FlakySocket, Line};
use proptest::prelude::*;
use random::Random;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;
use switchboard::hub::{ChannelId, Host};
use switchboard::net::{Blocks, Key, Slots};
use switchboard::server::fanout::Fanout;
use switchboard::server::{address::ClientAddress, connection::Connection};
use switchboard::session::{Dialect, Variant};

const PEOPLE: usize = 5;
const ROOM: ChannelId = ChannelId(1 << 20 | 3);

/// Of IRC there are as many as there are variants.
const DIALECTS: [Dialect; 4] = [
    Dialect::Native,
    Dialect::Irc(Variant::from_bits(0)),
    Dialect::Irc(Variant::from_bits(1)),
    Dialect::Irc(Variant::from_bits(1 << 15)),
];

#[derive(Clone, Debug)]
enum Step {
    Enter { who: usize, dialect: usize },
    Leave { who: usize },
    Change { who: usize, dialect: usize },
    Say { who: usize },
    Distribute,
    EndOfTurn,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, dialect) = (0..PEOPLE, 0..DIALECTS.len());
    let step = prop_oneof![
        3 => (who.clone(), dialect.clone()).prop_map(|(who, dialect)| Step::Enter { who, dialect }),
        1 => who.clone().prop_map(|who| Step::Leave { who }),
        2 => (who.clone(), dialect).prop_map(|(who, dialect)| Step::Change { who, dialect }),
        8 => who.prop_map(|who| Step::Say { who }),
        1 => Just(Step::Distribute),
        1 => Just(Step::EndOfTurn),
    ];
    prop::collection::vec(step, 0..200)
}

struct Bench {
    connections: Slots<Connection<FlakySocket>>,
    blocks: Blocks,
    fanout: Fanout,
    people: Vec<Person>,
    number: u32,
}

struct Person {
    key: Key,
    line: Rc<RefCell<Line>>,
    /// While in the room.
    dialect: Option<usize>,
    expected: String,
}

/// An event as a dialect has it.
fn written(dialect: Dialect, number: u32) -> String {
    match dialect {
        Dialect::Native => format!("native {number}\n"),
        Dialect::Irc(variant) => format!("irc-{} {number}\n", variant.bits()),
    }
}

impl Bench {
    fn new() -> Bench {
        let (mut connections, now) = (Slots::default(), Instant::now());
        let person = |n| {
            let line = Rc::new(RefCell::new(Line::new(Random::new(n as u64), Faults::default(), 1 << 30)));
            let address = ClientAddress::from(SocketAddr::from(([127, 0, 0, 1], 1)));
            let socket = FlakySocket(Rc::clone(&line));
            let key = connections.insert(Connection::new(socket, address, Host::default(), now));
            Person { key, line, dialect: None, expected: String::new() }
        };
        let people = (0..PEOPLE).map(person).collect();
        Bench { connections, blocks: Blocks::default(), fanout: Fanout::default(), people, number: 0 }
    }

    fn step(&mut self, step: &Step) {
        let Bench { connections, blocks, fanout, people, .. } = self;
        match *step {
            Step::Enter { who, dialect } if people[who].dialect.is_none() => {
                people[who].dialect = Some(dialect);
                fanout.subscribe(connections, blocks, ROOM, people[who].key, DIALECTS[dialect]);
            }
            Step::Leave { who } if people[who].dialect.take().is_some() => {
                fanout.unsubscribe(connections, blocks, ROOM, people[who].key);
            }
            Step::Change { who, dialect } if people[who].dialect.is_some() => {
                people[who].dialect = Some(dialect);
                fanout.change_dialect(connections, blocks, people[who].key, DIALECTS[dialect]);
            }
            Step::Say { who } if people[who].dialect.is_some() => self.say(who),
            Step::Distribute => self.distribute(),
            Step::EndOfTurn => self.end_turn(),
            _ => {}
        }
    }

    fn say(&mut self, who: usize) {
        self.number += 1;
        let Bench { connections, blocks, fanout, people, number } = self;
        let mut encoded = Vec::new();
        fanout.publish(connections, blocks, ROOM, people[who].key, |dialect, cause, out| {
            assert!(cause.is_some());
            encoded.push(dialect);
            out.extend_from_slice(written(dialect, *number).as_bytes());
        });
        let mut spoken: Vec<usize> = people.iter().filter_map(|person| person.dialect).collect();
        spoken.sort_unstable();
        spoken.dedup();
        assert_eq!(encoded.len(), spoken.len(), "each once: {encoded:?}");
        assert!(spoken.iter().all(|&dialect| encoded.contains(&DIALECTS[dialect])), "{encoded:?}");
        for (at, person) in people.iter_mut().enumerate() {
            if let Some(dialect) = person.dialect
                && at != who
            {
                person.expected.push_str(&written(DIALECTS[dialect], *number));
            }
        }
    }

    fn distribute(&mut self) {
        let Bench { connections, blocks, fanout, .. } = self;
        fanout.distribute(connections, blocks, ROOM, |_, connection, blocks, block, range| {
            connection.outbox.push_range(blocks, block, range.start, range.end);
        });
    }

    fn end_turn(&mut self) {
        self.distribute();
        let Bench { connections, blocks, fanout, people, .. } = self;
        for person in people {
            let Some(connection) = connections.get_mut(person.key) else { continue };
            let Connection { outbox, socket, .. } = connection;
            outbox.flush(blocks, socket, usize::MAX).expect("a flush");
        }
        fanout.trim_spent(blocks);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everybody_gets_everything_in_the_dialect_of_that_moment(steps in steps()) {
        let mut bench = Bench::new();
        for step in &steps {
            bench.step(step);
        }
        bench.end_turn();
        bench.end_turn(); // blocks of those who left are held to the end of the turn
        prop_assert!(bench.blocks.is_empty(), "blocks are held for nobody");
        for person in &bench.people {
            let heard = person.line.borrow_mut().client_read(usize::MAX);
            prop_assert_eq!(String::from_utf8_lossy(&heard), &*person.expected);
        }
    }
}
