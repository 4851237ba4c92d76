//! The engine in a world that is made up: sockets that block, break and do things by halves, a time that jumps, and
//! clients who do anything at any moment. The order of the stages is the reactor's; what is ready when, is chance.

#[path = "common/actor.rs"]
mod actor;
#[path = "common/agreement.rs"]
mod agreement;
#[path = "common/flaky.rs"]
mod flaky;
#[path = "common/random.rs"]
mod random;

use actor::{Actor, Life, Manner};
use flaky::{Faults, FlakySocket, Line};
use random::{Random, with_seeds};
use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use switchboard::hub;
use switchboard::net::Key;
use switchboard::server::connection::Phase;
use switchboard::server::fanout::BLOCK_BYTES_MAX;
use switchboard::server::{Engine, Limits, Settings};
use switchboard::session::CloseReason;
use switchboard::wire::BODY_MAX;

const ROUNDS: usize = 600;

#[test]
fn clients_agree_on_what_happened_whatever_the_sockets_do() {
    with_seeds(0..50, |seed| World::new(seed).run());
}

struct World {
    random: Random,
    engine: Engine<FlakySocket>,
    now: Instant,
    actors: Vec<Actor>,
    crowd: usize,
    loud: bool,
    named: usize,
    faults: Faults,
    /// Every key there ever was: events may come late.
    keys: Vec<Key>,
    told_full: u64,
    trace: bool,
}

/// Settings that fit together, and are as tight as chance makes them.
fn settings(random: &mut Random, loud: bool) -> Settings {
    let mut settings = Settings::default();
    let read_bytes = *random.pick(&[4_096, 4_096, 16_384, 65_536]);
    let high_water = *random.pick(&[2_048, 8_192, 65_536]);
    let roomy = loud && random.chance(50);
    let (read_bytes, high_water) = if roomy { (65_536, 1 << 20) } else { (read_bytes, high_water) };
    let soft = high_water + 3 * read_bytes + random.pick(&[0, 8_192, 1 << 20]);
    settings.limits = Limits {
        connections_max: 20,
        read_bytes_per_turn_max: read_bytes,
        frames_per_turn_max: if roomy { 512 } else { *random.pick(&[1, 2, 3, 512]) },
        flush_bytes_per_turn_max: *random.pick(&[1, 100, 4_096, 1 << 18]),
        high_water_bytes: high_water,
        queued_bytes_soft: soft,
        queued_bytes_max: soft + random.pick(&[0, 32_768, 4 << 20]),
        slow_consumer_grace: Duration::from_secs(5),
        ping_after: Duration::from_secs(*random.pick(&[4, 20])),
        ping_timeout: Duration::from_secs(*random.pick(&[10, 40])),
        discarded_bytes_max: *random.pick(&[1_000, 1 << 20]),
        ..Limits::default()
    };
    settings.hub = hub::Limits {
        relays_per_user_max: 3,
        relay_answer_time: Duration::from_secs(15),
        occupants_per_room_max: 9,
        ..hub::Limits::default()
    };
    assert_eq!(settings.check(), Ok(()));
    settings
}

impl World {
    fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let loud = random.chance(20);
        let (settings, now) = (settings(&mut random, loud), Instant::now());
        let faults = match random.below(3) {
            0 => Faults::default(),
            1 => Faults { partial: 50, would_block: 20, interrupted: 10 },
            _ => Faults { partial: 95, would_block: 60, interrupted: 30 },
        };
        World {
            engine: Engine::new(settings.limits, settings.hub, [0; 32], now),
            now,
            actors: Vec::new(),
            crowd: random.between(2, 12),
            loud,
            named: 0,
            faults,
            keys: Vec::new(),
            told_full: 0,
            trace: std::env::var("SWITCHBOARD_SEED").is_ok(),
            random,
        }
    }

    fn run(mut self) {
        for round in 0..ROUNDS {
            self.live();
            self.turn();
            if round % 200 == 199 {
                self.reckon();
            }
        }
        self.part();
    }

    /// Clients come, act and go; time passes.
    fn live(&mut self) {
        let alive = self.actors.iter().filter(|actor| actor.life == Life::Alive).count();
        let open = self.engine.connections_len();
        if (alive < self.crowd && self.random.chance(20)) || self.random.chance(1) && open < 30 {
            self.admit();
        }
        let names: Vec<String> = self
            .actors
            .iter()
            .filter(|actor| actor.life == Life::Alive && actor.manner != Manner::Stray)
            .map(|actor| actor.name.clone())
            .collect();
        for at in 0..self.actors.len() {
            if self.actors[at].life == Life::Ended {
                continue;
            }
            if self.random.chance(50) && !names.is_empty() {
                self.actors[at].step(&names);
            }
            if self.random.below(1_000) < 3 {
                if self.random.chance(50) { self.actors[at].die() } else { self.actors[at].leave() }
            }
        }
        let passes = if self.random.chance(1) { self.random.below(5_000) } else { self.random.below(20) };
        self.now += Duration::from_millis(passes as u64);
    }

    fn admit(&mut self) {
        let window = *self.random.pick(&[64, 1_000, 5_000, 65_536, 1 << 20]);
        let line = Rc::new(RefCell::new(Line::new(self.random.fork(), self.faults, window)));
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let Some(key) = self.engine.admit(FlakySocket(Rc::clone(&line)), address) else {
            assert!(line.borrow().server_closed, "who is not admitted is closed");
            return;
        };
        self.keys.push(key);
        let is_full = self.engine.exchange().connections.get(key).is_some_and(|c| !c.is_open());
        self.told_full += u64::from(is_full);
        let manner = match self.random.below(20) {
            _ if is_full => Manner::Stray,
            0 => Manner::Stray,
            1 | 2 => Manner::Deaf,
            3..8 => Manner::Lazy,
            _ => Manner::Eager,
        };
        self.named += 1;
        let mut actor = Actor::new(format!("u{}", self.named), key, line, manner, self.random.fork());
        actor.longest_payload = *self.random.pick(&[300, 3_000, 30_000]);
        actor.loud = self.loud;
        self.actors.push(actor);
    }

    /// One turn, as the reactor has it. What is ready, and how much of it poll tells, is chance.
    fn turn(&mut self) {
        self.engine.set_now(self.now);
        let told = self.random.between(30, 100);
        for at in 0..self.actors.len() {
            if self.random.chance(told) {
                self.note(at);
            }
        }
        if self.random.chance(20) && !self.keys.is_empty() {
            // Spurious, or for a connection that is gone, whose slot somebody else may have.
            let key = *self.random.pick(&self.keys);
            let (readable, writable) = (self.random.chance(70), self.random.chance(70));
            self.engine.note(key, readable, writable);
        }
        self.finish_turn();
    }

    fn note(&mut self, at: usize) -> bool {
        let actor = &self.actors[at];
        let edge = actor.line.borrow_mut().take_edge();
        if let Some((readable, writable)) = edge {
            self.engine.note(actor.key, readable, writable);
        }
        edge.is_some()
    }

    fn finish_turn(&mut self) {
        self.engine.read();
        self.engine.timers();
        self.engine.flush();
        self.engine.reap(drop);
        self.check();
    }

    /// What holds after every turn.
    fn check(&self) {
        if let Err(error) = self.engine.hub().audit() {
            panic!("{error}");
        }
        let exchange = self.engine.exchange();
        let limits = self.engine.limits();
        let wakes = self.engine.next_deadline();
        let one_pass = 3 * (limits.read_bytes_per_turn_max + usize::from(BODY_MAX)) + 4 * BLOCK_BYTES_MAX;
        let longest = limits.queued_bytes_max + one_pass;
        for (key, connection) in exchange.connections.iter() {
            let queued = connection.outbox.queued_bytes();
            assert!(queued <= longest, "{key} is owed {queued} bytes, the limit is {longest}");
            if let Some((deadline, due)) = connection.deadline(limits) {
                assert!(wakes.is_some_and(|at| at <= deadline), "{key}: nobody wakes up for {due:?}");
            }
            let reads = match connection.phase() {
                Phase::Open => connection.waits_for().is_none(),
                Phase::Draining => !connection.is_input_ended(),
                Phase::Dead => false,
            };
            let waits_for_a_page = connection.phase() == Phase::Open && connection.listed.to_read_later;
            let will_read = connection.listed.to_read || waits_for_a_page;
            assert!(!(connection.readable && reads) || will_read, "{key} is not read again");
            let writes = queued > 0 && connection.writable && !connection.is_dead();
            assert!(!writes || connection.listed.to_flush, "{key} is not written to again");
            if let Some(target) = connection.waits_for()
                && connection.is_open()
            {
                let target_of = exchange.connections.get(target);
                let target = target_of.unwrap_or_else(|| panic!("{key} waits for {target}, which is gone"));
                assert!(target.waiters().contains(&key), "{key} will not be woken");
                let will_look = target.listed.to_flush || target.listed.to_reap;
                let is_low = target.is_under_low_water(limits);
                assert!(will_look || (!is_low && target.is_open()), "{key} waits for nothing");
            }
        }
        assert!(exchange.fanout.dirty.is_empty() || self.engine.has_work());
        let listed = exchange.to_read.len() + exchange.to_flush.len() + exchange.to_reap.len();
        assert!(listed <= 3 * exchange.connections.len() + 64, "the lists grow");
    }

    /// Turns until nothing is left to do, for the server and for those who still read.
    fn settle(&mut self) {
        let mut quiet_turns = 0;
        for _ in 0..2_000_000 {
            let mut busy = false;
            self.engine.set_now(self.now);
            for at in 0..self.actors.len() {
                busy |= self.note(at);
                busy |= self.actors[at].life != Life::Ended && self.actors[at].settle();
            }
            busy |= self.engine.has_work();
            self.finish_turn();
            quiet_turns = if busy || self.engine.has_work() { 0 } else { quiet_turns + 1 };
            if quiet_turns > 2 {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Lets those who still listen hear everything, and compares what all remember.
    fn reckon(&mut self) {
        for actor in &mut self.actors {
            // Who never reads holds up the sources of its relays, as it should.
            if actor.manner == Manner::Deaf {
                actor.life = Life::Ended;
            }
            let is_broken = actor.line.borrow().broken;
            if actor.life == Life::Ended && !is_broken {
                actor.line.borrow_mut().reset();
            }
        }
        self.settle();
        for actor in self.actors.iter().filter(|actor| actor.life == Life::Alive) {
            assert!(actor.is_quiet(), "{}: something was not delivered", actor.name);
            assert!(actor.unanswered().is_empty(), "{}: {:?} unanswered", actor.name, actor.unanswered());
        }
        let exchange = self.engine.exchange();
        assert!(exchange.blocks.is_empty(), "{} blocks are held for nobody", exchange.blocks.len());
        for (key, connection) in exchange.connections.iter() {
            assert!(connection.waits_for().is_none(), "{key} still waits");
            let has_input = !connection.inbox.is_empty() && connection.session.is_logged_in();
            assert!(connection.outbox.is_empty() && !has_input, "{key} is not done");
        }
        agreement::check(&self.actors);
    }

    /// Everybody goes, or the server stops, and nothing is left.
    fn part(mut self) {
        let stops = self.random.chance(30);
        for at in 0..self.actors.len() {
            match self.random.below(3) {
                0 => self.actors[at].die(),
                _ if stops => {}
                _ => self.actors[at].leave(),
            }
            if self.random.chance(30) {
                self.turn();
            }
        }
        if stops {
            self.engine.stop();
        }
        self.settle();
        let limits = self.engine.limits().clone();
        for _ in 0..4 {
            // What nobody ends by itself, time ends.
            self.now += limits.ping_after + limits.ping_timeout + limits.drain_time;
            self.settle();
        }
        assert_eq!(self.engine.connections_len(), 0);
        assert_eq!(self.engine.is_stopped(), stops);
        assert!(self.engine.exchange().blocks.is_empty(), "a block is held for nobody");
        assert!(!self.engine.has_work());
        assert_eq!(self.engine.next_deadline(), None);
        let hub = self.engine.hub();
        assert_eq!((hub.users_len(), hub.rooms_len(), hub.relays_len()), (0, 0, 0));
        let counters = &self.engine.exchange().counters;
        assert_eq!(counters.closed_total(), counters.accepted + self.told_full, "accounting does not add up");
        let broken = self.actors.iter().filter(|actor| actor.line.borrow().broken).count();
        let lost = counters.closed(CloseReason::Io(ErrorKind::Other));
        assert!(lost <= broken as u64, "{lost} connections were given up, {broken} broke");
        agreement::check(&self.actors);
        if self.trace {
            eprintln!("{counters:?}");
        }
    }
}
