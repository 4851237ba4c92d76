//! The loads, and what is expected under each: the goals of `docs/PERFORMANCE.md`.

mod irc;
mod past;

use crate::contenders::Contender::{self, *};
use switchboard::load::outcome::Outcome;
use switchboard::load::plan::{Connect, Idle, Join, Pace, Protocol, Relay, Rooms, Scenario, Transport};

/// What people ask for on the command line, in the order in which it is run.
pub const PARTS: &[&str] =
    &["fan-out", "rate", "rooms", "many", "join", "idle", "connect", "relay", "irc", "irc-idle", "past"];

/// One load, those who carry it in turns, and what is expected of the first of them, which is Switchboard.
pub struct Contest {
    pub part: &'static str,
    /// In a word or two, and in full.
    pub work: String,
    pub title: &'static str,
    pub entries: Vec<Entry>,
    pub measures: Vec<Measure>,
    /// Seconds.
    pub duration: f64,
    /// Unless the command line says how many.
    pub rounds: usize,
    /// Of `switchboard serve`, for everybody who knows it.
    pub options: &'static [&'static str],
}

/// One figure of the runs, and what is expected of it.
pub struct Measure {
    pub figure: Figure,
    pub goals: Vec<Goal>,
}

pub struct Entry {
    pub contender: Contender,
    pub scenario: Scenario,
    pub protocol: Protocol,
    /// Set where the contender's name does not tell all.
    pub note: &'static str,
    /// Beside those of the contest.
    pub options: &'static [&'static str],
    /// Whether the rooms last.
    pub lasts: bool,
}

/// What is compared.
#[derive(Clone, Copy)]
pub struct Figure {
    pub name: &'static str,
    pub unit: &'static str,
    pub of: fn(&Outcome) -> Option<f64>,
    pub decimals: usize,
}

/// What is expected of the first entry. `of` is the place of another one.
pub enum Goal {
    AtMostTimes { times: f64, of: usize },
    AtLeastTimes { times: f64, of: usize },
    AtMost(f64),
    AtLeast(f64),
    NothingLost,
}

const CPU: Figure =
    Figure { name: "server CPU per delivery", unit: "ns", of: Outcome::cpu_per_delivery, decimals: 0 };

const P99: Figure = Figure {
    name: "p99 from the intended time",
    unit: "µs",
    of: |outcome| (!outcome.latency.is_empty()).then(|| outcome.latency.value_at_quantile(0.99) as f64 / 1e3),
    decimals: 0,
};

const MEMORY: Figure = Figure {
    name: "user memory per connection",
    unit: "bytes",
    of: Outcome::memory_per_connection,
    decimals: 0,
};

const PING_CPU: Figure =
    Figure { name: "server CPU for a ping and its answer", unit: "ns", of: cpu_per_ping, decimals: 0 };

const IDLE_CPU: Figure = Figure {
    name: "server CPU, with a ping every 90 s",
    unit: "% of a core",
    of: |outcome| {
        let connections = outcome.server.as_ref()?.connections as f64;
        Some(100.0 * cpu_per_ping(outcome)? / 1e9 * connections / 90.0)
    },
    decimals: 2,
};

/// Everything that an idle server does, charged to the pings: nanoseconds.
fn cpu_per_ping(outcome: &Outcome) -> Option<f64> {
    let server = outcome.server.as_ref().filter(|server| server.connections > 0)?;
    Some(server.cpu.as_nanos() as f64 / (server.connections as f64 * PINGS_EACH))
}

/// Clients that are idle are pinged after 3 s of silence, thirty times as often as by default, so that a run of a few
/// seconds has pings of everybody in it. A connection is looked at when the first of its deadlines has come, so the
/// other two are as near.
const PINGED_SOON: &[&str] = &["--login-seconds=3", "--ping-after-seconds=3", "--ping-timeout-seconds=3"];

/// Everybody has answered just before the warm-up of half a second: there are pings 3 s and 6 s after that.
const PINGED_SECONDS: f64 = 7.5;
const PINGS_EACH: f64 = 2.0;

const ALL_KNOW_ALL: Figure = Figure {
    name: "until everyone has seen everyone enter",
    unit: "s",
    of: |outcome| special(outcome, "joined_seconds"),
    decimals: 2,
};

const LOG_INS: Figure = Figure {
    name: "logged in",
    unit: "per second",
    of: |outcome| special(outcome, "logged_in_per_second"),
    decimals: 0,
};

/// Throughput, as far as it is the server's: the load is on the other core, and as a rule the slower one.
const RELAYED: Figure = Figure {
    name: "relayed per second of server CPU",
    unit: "GB",
    of: |outcome| Some(RELAY_PAYLOAD as f64 / outcome.cpu_per_delivery()?),
    decimals: 2,
};

const RELAY_PAYLOAD: usize = 16 * 1_024;

const MEMORY_AT_END: Figure = Figure {
    name: "user memory at the end",
    unit: "MB",
    of: |outcome| Some(outcome.server.as_ref()?.memory as f64 / 1e6),
    decimals: 1,
};

/// A process may have 20,000 descriptors where nobody has changed that, and some are no connections.
const IDLE_CLIENTS: usize = 19_000;

/// All contests of these parts. `share` is 1 for figures, and more where it is to be seen only that everything works:
/// there are so many times fewer clients then.
pub fn contests(wanted: &[String], share: usize) -> Vec<Contest> {
    let fan_out = [8, 32, 128, 512].map(fan_out);
    let others = [rate(), rooms(share), many(share), join(share), idle(share), connect(share), relay()];
    let all = fan_out.into_iter().chain(others).chain(irc::contests(share)).chain(past::contests());
    all.filter(|contest| wanted.is_empty() || wanted.iter().any(|part| part == contest.part)).collect()
}

fn fan_out(window: usize) -> Contest {
    let below_tokio = [2, 3].map(|of| Goal::AtMostTimes { times: 1.0, of });
    let goals = [Goal::AtMostTimes { times: 1.5, of: 1 }, Goal::NothingLost].into_iter().chain(below_tokio);
    Contest {
        part: "fan-out",
        work: format!("room of 100, window {window}"),
        title: "10 of them send, 64 bytes",
        entries: entries(
            &[Switchboard, BatchFloor, TokioSingle, TokioMulti, TokioUnpinned, WriteFloor],
            &room(100, Pace::Window(window)),
        ),
        measures: vec![Measure { figure: CPU, goals: goals.collect() }],
        duration: 1.0,
        // With few messages in flight, rounds differ most.
        rounds: if window < 100 { 5 } else { 3 },
        options: &[],
    }
}

fn rate() -> Contest {
    let goals = vec![Goal::AtMostTimes { times: 1.1, of: 1 }, Goal::NothingLost];
    Contest {
        part: "rate",
        work: "room of 100, 1,000 messages/s".into(),
        title: "by schedule, 10 of them send, 64 bytes",
        entries: entries(
            &[Switchboard, BatchFloor, TokioSingle, TokioMulti],
            &room(100, Pace::Rate(1_000.0)),
        ),
        measures: vec![Measure { figure: P99, goals }, Measure { figure: CPU, goals: vec![] }],
        duration: 3.0,
        rounds: 3,
        options: &[],
    }
}

fn rooms(share: usize) -> Contest {
    let pace = Pace::Window(2_000 / share);
    let load = Rooms { rooms: 200 / share, members: 10, senders: 10, payload: 64, pace, named: None };
    let goals = [1, 2].map(|of| Goal::AtMostTimes { times: 0.7, of }).into_iter().chain([Goal::NothingLost]);
    Contest {
        part: "rooms",
        work: "200 rooms of 10, window 2,000".into(),
        title: "all of them send, 64 bytes",
        entries: entries(&[Switchboard, TokioSingle, TokioMulti], &Scenario::Rooms(load)),
        measures: vec![Measure { figure: CPU, goals: goals.collect() }],
        duration: 2.0,
        rounds: 3,
        options: &[],
    }
}

fn many(share: usize) -> Contest {
    let pace = Pace::Window(32);
    let (large, small) = (room(10_000 / share, pace), room(100, pace));
    let mut entries = entries(&[Switchboard, BatchFloor, TokioSingle], &large);
    entries.insert(1, Entry { note: "100 members", ..entry(Switchboard, &small) });
    let goals = vec![Goal::AtMostTimes { times: 1.0, of: 1 }, Goal::NothingLost];
    Contest {
        part: "many",
        work: "room of 10,000, window 32".into(),
        title: "10 of them send, 64 bytes",
        entries,
        measures: vec![Measure { figure: CPU, goals }],
        duration: 2.0,
        rounds: 3,
        options: &[],
    }
}

fn join(share: usize) -> Contest {
    let load = Scenario::Join(Join { members: 10_000 / share });
    let cpu = Figure { name: "server CPU for each who is told of one", ..CPU };
    Contest {
        part: "join",
        work: "10,000 enter a room".into(),
        title: "all at once",
        entries: entries(&[Switchboard, TokioSingle], &load),
        measures: vec![
            Measure { figure: ALL_KNOW_ALL, goals: vec![Goal::AtMost(5.0)] },
            Measure { figure: cpu, goals: vec![] },
        ],
        duration: 0.0,
        rounds: 3,
        options: &[],
    }
}

fn idle(share: usize) -> Contest {
    Contest {
        part: "idle",
        work: "19,000 idle".into(),
        title: "logged in, and silent",
        entries: entries(
            &[Switchboard, TokioSingle],
            // Of fewer there is no figure for memory.
            &Scenario::Idle(Idle { clients: (IDLE_CLIENTS / share).max(1_000) }),
        ),
        measures: vec![
            Measure { figure: MEMORY, goals: vec![Goal::AtMost(512.0)] },
            Measure { figure: IDLE_CPU, goals: vec![Goal::AtMost(1.0)] },
            Measure { figure: PING_CPU, goals: vec![] },
        ],
        duration: PINGED_SECONDS,
        rounds: 3,
        options: PINGED_SOON,
    }
}

fn connect(share: usize) -> Contest {
    let load = Scenario::Connect(Connect { clients: 10_000 / share, at_once: 100 });
    let cpu = Figure { name: "server CPU per log-in", ..CPU };
    Contest {
        part: "connect",
        work: "10,000 log in".into(),
        title: "100 on their way at a time",
        entries: entries(&[Switchboard, TokioSingle, TokioMulti], &load),
        measures: vec![
            Measure { figure: LOG_INS, goals: vec![Goal::AtLeast(25_000.0)] },
            Measure { figure: cpu, goals: vec![] },
        ],
        duration: 0.0,
        rounds: 3,
        options: &[],
    }
}

fn relay() -> Contest {
    let load = Relay { pairs: 4, transport: Transport::Tcp, payload: RELAY_PAYLOAD, pace: Pace::Window(64) };
    let goals = vec![Goal::AtLeastTimes { times: 0.9, of: 1 }, Goal::NothingLost];
    Contest {
        part: "relay",
        work: "relay over TCP".into(),
        title: "4 pairs, 16 KiB a frame, 64 frames in flight",
        entries: entries(&[Switchboard, Pump, TokioSingle, TokioMulti], &Scenario::Relay(load)),
        measures: vec![Measure { figure: RELAYED, goals }, Measure { figure: MEMORY_AT_END, goals: vec![] }],
        duration: 1.5,
        rounds: 3,
        options: &[],
    }
}

fn room(members: usize, pace: Pace) -> Scenario {
    Scenario::Rooms(Rooms { rooms: 1, members, senders: 10, payload: 64, pace, named: None })
}

fn entries(contenders: &[Contender], scenario: &Scenario) -> Vec<Entry> {
    contenders.iter().map(|&contender| entry(contender, scenario)).collect()
}

fn entry(contender: Contender, scenario: &Scenario) -> Entry {
    Entry {
        contender,
        scenario: scenario.clone(),
        protocol: contender.protocol(),
        note: "",
        options: &[],
        lasts: false,
    }
}

impl Contest {
    /// Whether messages are sent at their time and not when others have arrived.
    pub fn is_by_schedule(&self) -> bool {
        let scenario = self.entries.first().map(|entry| &entry.scenario);
        matches!(scenario, Some(Scenario::Rooms(Rooms { pace: Pace::Rate(_), .. })))
    }
}

impl Entry {
    /// What tables call it.
    pub fn name(&self) -> String {
        let Entry { contender, note, .. } = self;
        if note.is_empty() { contender.name().into() } else { format!("{}, {note}", contender.name()) }
    }
}

/// One that only this scenario has.
fn special(outcome: &Outcome, name: &str) -> Option<f64> {
    outcome.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
}
