//! Rooms whose occupants hear and speak over TCP and in datagrams as it comes, while addresses change, proofs wear off,
//! the network repeats, reorders and loses, allowances run out, and turns are short. Whatever happens, nobody hears
//! anything twice, what was said over TCP reaches everybody, and what was said in a datagram reaches everybody or nobody.

#[path = "common/flaky.rs"]
mod flaky;
#[path = "common/random.rs"]
mod random;
#[path = "common/sealing.rs"]
mod sealing;
#[path = "common/stage.rs"]
mod stage;

use random::{Random, with_seeds};
use sealing::{Opened, Sealing};
use stage::{Guest, Stage};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::Duration;
use switchboard::server::Limits;
use switchboard::server::allowance::Rate;
use switchboard::server::binding::Path;
use switchboard::wire::frame::{self, Frame, Wants};
use switchboard::wire::{BODY_MAX, Split, split};

const ROUNDS: usize = 400;

#[test]
fn everybody_hears_everything_once_whichever_way_it_goes() {
    let mut heard = Heard::default();
    with_seeds(0..100, |seed| World::new(seed).run(&mut heard));
    assert!(heard.over_tcp > 0 && heard.in_datagrams > 0, "one of the ways was never taken");
}

/// How many words came which way, in all simulations.
#[derive(Default)]
struct Heard {
    over_tcp: usize,
    in_datagrams: usize,
}

struct Person {
    guest: Guest,
    /// From the latest ticket on.
    sealing: Option<Sealing>,
    /// Of the ticket before.
    former: Option<Sealing>,
    port: u16,
    /// What this one has heard.
    heard: HashSet<String>,
    said: usize,
}

struct World {
    random: Random,
    stage: Stage,
    people: Vec<Person>,
    channel: u32,
    /// Datagrams on their way to the server.
    under_way: Vec<(Path, Vec<u8>)>,
    /// What has been said, by whom, and whether it must be heard.
    said: Vec<(usize, String, bool)>,
    /// Addresses that have been proven at some time.
    proven: HashSet<SocketAddr>,
    /// Bytes that came from an address, less those that went there.
    balance: HashMap<SocketAddr, i64>,
    ports: u16,
    in_datagrams: usize,
}

fn path(port: u16) -> Path {
    Path { socket: 0, server: None, client: SocketAddr::from(([192, 0, 2, 1], port)) }
}

impl World {
    fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let limits = Limits {
            datagrams_per_turn_max: *random.pick(&[1, 3, 20, 1_024]),
            datagrams_caused: Rate {
                per_second: *random.pick(&[1, 20, 10_000]),
                burst: *random.pick(&[1, 5, 50, 10_000]),
            },
            datagram_expiry: Duration::from_secs(*random.pick(&[5, 60])),
            ping_after: Duration::from_secs(1_000_000),
            ..Limits::default()
        };
        let mut stage = Stage::new(limits);
        let (mut people, mut channel) = (Vec::new(), 0);
        for n in 0..random.between(2, 8) {
            let (guest, room) = stage.enter(&format!("p{n}"), "#room", 1 << 20);
            channel = room;
            let (sealing, former, heard) = (None, None, HashSet::new());
            people.push(Person { guest, sealing, former, port: n as u16, heard, said: 0 });
        }
        let (under_way, said) = (Vec::new(), Vec::new());
        let (proven, balance) = (HashSet::new(), HashMap::new());
        World {
            random,
            stage,
            people,
            channel,
            under_way,
            said,
            proven,
            balance,
            ports: 1_000,
            in_datagrams: 0,
        }
    }

    fn run(mut self, heard: &mut Heard) {
        for _ in 0..ROUNDS {
            for who in 0..self.people.len() {
                self.act(who);
            }
            self.stage.now += Duration::from_millis(self.random.below(200) as u64);
            if self.random.chance(1) {
                self.stage.now += Duration::from_secs(self.random.below(400) as u64);
            }
            self.turn();
        }
        while !self.under_way.is_empty() {
            self.turn();
        }
        self.rest();
        self.reckon();
        heard.in_datagrams += self.in_datagrams;
        heard.over_tcp +=
            self.people.iter().map(|person| person.heard.len()).sum::<usize>() - self.in_datagrams;
    }

    fn act(&mut self, who: usize) {
        let (random, person) = (&mut self.random, &mut self.people[who]);
        match random.below(100) {
            0..3 => {
                let wants = *random.pick(&[0, Wants::ROOMS, Wants::ROOMS | Wants::RELAYS]);
                person.guest.send(0, &frame::GetTicket { request: 0, wants });
            }
            3..5 => {
                self.ports += 1;
                person.port = self.ports;
            }
            5..15 => {
                let text = person.next_text(who);
                person.guest.send(self.channel, &frame::Say { request: 0, text: &text });
                self.said.push((who, text, true));
            }
            kind @ 15..40 => {
                let text = if kind < 30 { person.next_text(who) } else { String::new() };
                let Some(sealing) = &mut person.sealing else { return };
                let datagram = match kind {
                    15..30 => {
                        self.said.push((who, text.clone(), false));
                        sealing.seal(self.channel, &frame::Say { request: 0, text: &text })
                    }
                    30..36 => sealing.bind(),
                    36 => sealing.seal_bytes(&[]),
                    _ => sealing.seal(0, &frame::Ping { token: 1 }),
                };
                self.under_way.push((path(person.port), datagram));
            }
            _ => {}
        }
    }

    /// Some datagrams arrive, in any order, once, twice or never; then there is a turn.
    fn turn(&mut self) {
        self.stage.now += Duration::from_micros(10);
        self.stage.engine.set_now(self.stage.now);
        for _ in 0..self.random.below(self.under_way.len() + 2).min(self.under_way.len()) {
            let at = self.random.below(self.under_way.len());
            let (from, datagram) = match self.random.below(10) {
                0 => self.under_way[at].clone(),
                _ => self.under_way.swap_remove(at),
            };
            if self.random.chance(95) {
                *self.balance.entry(from.client).or_default() += datagram.len() as i64;
                self.stage.engine.receive_datagram(from, &datagram);
            }
        }
        let ready: Vec<&Guest> = self.people.iter().map(|person| &person.guest).collect();
        self.stage.turn(&ready);
        if let Err(error) = self.stage.engine.hub().audit() {
            panic!("{error}");
        }
        let sent = std::mem::take(&mut self.stage.sent);
        assert!(
            sent.len() <= self.stage.engine.limits().datagrams_per_turn_max,
            "{} in one turn",
            sent.len()
        );
        self.read();
        for (to, datagram) in sent {
            self.take(to, &datagram);
        }
    }

    /// Everybody reads what came over TCP.
    fn read(&mut self) {
        for person in &mut self.people {
            for received in person.guest.receive() {
                match received.frame() {
                    Frame::Ticket(ticket) => {
                        let sealing = Sealing::new(received.header.channel, &ticket.key);
                        person.former = person.sealing.replace(sealing);
                    }
                    Frame::Bound(bound) => drop(self.proven.insert(bound.address)),
                    Frame::Said(said) => person.hear(said.text),
                    Frame::Entered(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    /// A datagram of the server's: for whoever has that binding now, wherever it was sent.
    fn take(&mut self, to: Path, datagram: &[u8]) {
        let owner = self.people.iter_mut().find(|person| {
            let number = u32::from_be_bytes(datagram[4..8].try_into().expect("a header"));
            person.guest.key.slot() == number
        });
        let (person, balance) = (owner.expect("its owner"), self.balance.entry(to.client).or_default());
        *balance -= datagram.len() as i64;
        // An answer that was made just before the next ticket is nobody's any more.
        let Some(sealing) = person.sealing.as_mut().filter(|sealing| sealing.is_mine(datagram)) else {
            assert!(person.former.as_ref().is_some_and(|former| former.is_mine(datagram)), "nobody's key");
            return;
        };
        match sealing.open(datagram) {
            Opened::Challenge { cookie } => {
                assert!(self.proven.contains(&to.client) || *balance >= 0, "amplified");
                let prove = sealing.prove(cookie);
                if self.random.chance(80) {
                    self.under_way.push((to, prove));
                }
            }
            Opened::Frame(frame) => {
                assert!(self.proven.contains(&to.client), "{} has proven nothing", to.client);
                let Ok(Split::Frame(raw)) = split(&frame, BODY_MAX) else { panic!("{frame:02x?}") };
                match raw.decode().expect("a frame") {
                    Frame::Said(said) => {
                        person.hear(said.text);
                        self.in_datagrams += 1;
                    }
                    Frame::Pong(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn rest(&mut self) {
        for _ in 0..10 {
            self.turn();
        }
        assert!(!self.stage.engine.has_work() && self.stage.engine.exchange().blocks.is_empty());
    }

    fn reckon(&self) {
        for (by, text, must_be_heard) in &self.said {
            let others = self.people.iter().enumerate().filter(|(who, _)| who != by);
            let heard = others.clone().filter(|(_, person)| person.heard.contains(text)).count();
            let all = others.count();
            assert!(heard == all || (heard == 0 && !must_be_heard), "{text}: {heard} of {all} have heard it");
            assert!(!self.people[*by].heard.contains(text), "one's own words come back");
        }
        let heard: usize = self.people.iter().map(|person| person.heard.len()).sum();
        assert!(heard > 0, "nothing happened");
    }
}

impl Person {
    fn next_text(&mut self, who: usize) -> String {
        self.said += 1;
        format!("{who}.{}", self.said)
    }

    fn hear(&mut self, text: &str) {
        assert!(self.heard.insert(text.to_owned()), "{text} twice");
    }
}
