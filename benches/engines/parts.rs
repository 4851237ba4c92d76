//! The loads, and what is expected under each: the goals of `docs/PERFORMANCE.md`.

use crate::contenders::Contender::{self, *};
use switchboard::load::outcome::Outcome;
use switchboard::load::plan::{Connect, Idle, Join, Pace, Protocol, Relay, Rooms, Scenario, Transport};

/// What people ask for on the command line, in the order in which it is run.
pub const PARTS: &[&str] = &["fan-out", "rate", "rooms", "many", "join", "idle", "connect", "relay"];

/// One load, those who carry it in turns, and what is expected of the first of them, which is Switchboard.
pub struct Contest {
    pub part: &'static str,
    /// In a word or two, and in full.
    pub work: String,
    pub title: String,
    pub figure: Figure,
    pub entries: Vec<Entry>,
    pub goals: Vec<Goal>,
    /// Seconds.
    pub duration: f64,
}

pub struct Entry {
    pub contender: Contender,
    pub scenario: Scenario,
    pub protocol: Protocol,
    /// Set where the contender's name does not tell all.
    pub note: &'static str,
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
    AtMost(f64),
    AtLeast(f64),
    NothingLost,
}

const CPU_PER_DELIVERY: Figure =
    Figure { name: "server CPU per delivery", unit: "ns", of: Outcome::cpu_per_delivery, decimals: 0 };

const P99: Figure = Figure {
    name: "p99 from the intended time",
    unit: "µs",
    of: |outcome| Some(outcome.latency.value_at_quantile(0.99) as f64 / 1e3),
    decimals: 0,
};

const MEMORY: Figure = Figure {
    name: "user memory per connection",
    unit: "bytes",
    of: Outcome::memory_per_connection,
    decimals: 0,
};

/// Connections that a process may have are fewer than descriptors.
const IDLE_CLIENTS: usize = 19_000;

/// All contests of these parts. `share` is 1 for figures, and more where it is to be seen only that everything works:
/// there are so many times fewer clients then.
pub fn contests(wanted: &[String], share: usize) -> Vec<Contest> {
    let all =
        [fan_out(), rate(), rooms(share), many(share), join(share), idle(share), connect(share), relay()];
    let all = all.into_iter().flatten();
    all.filter(|contest| wanted.is_empty() || wanted.iter().any(|part| part == contest.part)).collect()
}

fn fan_out() -> Vec<Contest> {
    let windows = [8, 32, 128, 512];
    let contest = |window: usize| Contest {
        part: "fan-out",
        work: format!("room of 100, window {window}"),
        title: "10 of them send, 64 bytes".into(),
        figure: CPU_PER_DELIVERY,
        entries: entries(
            &[Switchboard, BatchFloor, TokioSingle, TokioMulti, TokioUnpinned, WriteFloor],
            &room(100, Pace::Window(window)),
        ),
        goals: vec![
            Goal::AtMostTimes { times: 1.5, of: 1 },
            BELOW_TOKIO,
            BELOW_TOKIO_MULTI,
            Goal::NothingLost,
        ],
        duration: 1.0,
    };
    windows.map(contest).into()
}

const BELOW_TOKIO: Goal = Goal::AtMostTimes { times: 1.0, of: 2 };
const BELOW_TOKIO_MULTI: Goal = Goal::AtMostTimes { times: 1.0, of: 3 };

fn rate() -> Vec<Contest> {
    let load = room(100, Pace::Rate(1_000.0));
    let contenders = [Switchboard, BatchFloor, TokioSingle, TokioMulti];
    let contest = |figure, goals| Contest {
        part: "rate",
        work: "room of 100, 1,000 messages/s".into(),
        title: "by schedule, 10 of them send, 64 bytes".into(),
        figure,
        entries: entries(&contenders, &load),
        goals,
        duration: 3.0,
    };
    vec![contest(P99, vec![Goal::AtMostTimes { times: 1.1, of: 1 }, Goal::NothingLost])]
}

fn rooms(share: usize) -> Vec<Contest> {
    let pace = Pace::Window(2_000 / share);
    let load = Rooms { rooms: 200 / share, members: 10, senders: 10, payload: 64, pace };
    vec![Contest {
        part: "rooms",
        work: "200 rooms of 10, window 2,000".into(),
        title: "all of them send, 64 bytes".into(),
        figure: CPU_PER_DELIVERY,
        entries: entries(&[Switchboard, TokioSingle, TokioMulti], &Scenario::Rooms(load)),
        goals: vec![
            Goal::AtMostTimes { times: 0.7, of: 1 },
            Goal::AtMostTimes { times: 0.7, of: 2 },
            Goal::NothingLost,
        ],
        duration: 2.0,
    }]
}

fn many(share: usize) -> Vec<Contest> {
    let pace = Pace::Window(32);
    let (large, small) = (room(10_000 / share, pace), room(100, pace));
    let mut entries = vec![
        Entry { note: "100 members", ..entry(Switchboard, &small) },
        entry(TokioSingle, &large),
        entry(BatchFloor, &large),
    ];
    entries.insert(0, entry(Switchboard, &large));
    vec![Contest {
        part: "many",
        work: "room of 10,000, window 32".into(),
        title: "10 of them send, 64 bytes".into(),
        figure: CPU_PER_DELIVERY,
        entries,
        goals: vec![Goal::AtMostTimes { times: 1.0, of: 1 }, Goal::NothingLost],
        duration: 3.0,
    }]
}

fn join(share: usize) -> Vec<Contest> {
    vec![Contest {
        part: "join",
        work: "10,000 enter a room".into(),
        title: "all at once".into(),
        figure: Figure {
            name: "until everyone has seen everyone enter",
            unit: "s",
            of: |outcome| figure(outcome, "joined_seconds"),
            decimals: 2,
        },
        entries: entries(
            &[Switchboard, TokioSingle, TokioMulti],
            &Scenario::Join(Join { members: 10_000 / share }),
        ),
        goals: vec![Goal::AtMost(5.0)],
        duration: 0.0,
    }]
}

fn idle(share: usize) -> Vec<Contest> {
    let load = Scenario::Idle(Idle { clients: IDLE_CLIENTS / share });
    let contest = |figure, goals| Contest {
        part: "idle",
        work: "19,000 idle".into(),
        title: "logged in, and silent".into(),
        figure,
        entries: entries(&[Switchboard, TokioSingle], &load),
        goals,
        duration: 2.0,
    };
    vec![contest(MEMORY, vec![Goal::AtMost(512.0)])]
}

fn connect(share: usize) -> Vec<Contest> {
    vec![Contest {
        part: "connect",
        work: "10,000 log in".into(),
        title: "100 on their way at a time".into(),
        figure: Figure {
            name: "logged in per second",
            unit: "per second",
            of: |outcome| figure(outcome, "logged_in_per_second"),
            decimals: 0,
        },
        entries: entries(
            &[Switchboard, TokioSingle, TokioMulti],
            &Scenario::Connect(Connect { clients: 10_000 / share, at_once: 100 }),
        ),
        goals: vec![Goal::AtLeast(25_000.0)],
        duration: 0.0,
    }]
}

fn relay() -> Vec<Contest> {
    let load = Relay { pairs: 4, transport: Transport::Tcp, payload: 16 * 1_024, pace: Pace::Window(64) };
    vec![Contest {
        part: "relay",
        work: "relay over TCP".into(),
        title: "4 pairs, 16 KiB a frame, 64 frames in flight".into(),
        figure: Figure { name: "server CPU per frame", ..CPU_PER_DELIVERY },
        entries: entries(&[Switchboard, Pump, TokioSingle, TokioMulti], &Scenario::Relay(load)),
        goals: vec![Goal::AtMostTimes { times: 1.0 / 0.9, of: 1 }, Goal::NothingLost],
        duration: 1.5,
    }]
}

fn room(members: usize, pace: Pace) -> Scenario {
    Scenario::Rooms(Rooms { rooms: 1, members, senders: 10, payload: 64, pace })
}

fn entries(contenders: &[Contender], scenario: &Scenario) -> Vec<Entry> {
    contenders.iter().map(|&contender| entry(contender, scenario)).collect()
}

fn entry(contender: Contender, scenario: &Scenario) -> Entry {
    Entry { contender, scenario: scenario.clone(), protocol: contender.protocol(), note: "" }
}

impl Entry {
    /// What tables call it.
    pub fn name(&self) -> String {
        let Entry { contender, note, .. } = self;
        if note.is_empty() { contender.name().into() } else { format!("{}, {note}", contender.name()) }
    }
}

/// One that only this scenario has.
fn figure(outcome: &Outcome, name: &str) -> Option<f64> {
    outcome.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
}
