//! The same loads over IRC, where today's servers can carry them as well. What is expected of frames is expected of lines,
//! although these are longer: the floor moves the shorter frames, and the twin speaks nothing else.

use super::{CPU, Contest, Entry, Goal, MEMORY, Measure, P99, entries, entry, room};
use crate::contenders::Contender::*;
use switchboard::load::plan::{Idle, Pace, Protocol, Rooms, Scenario};

/// Flood control would be measured instead. The others have theirs off as well.
const UNHINDERED: &[&str] = &["--irc-lines-per-second=0"];

pub fn contests(share: usize) -> impl Iterator<Item = Contest> {
    let fan_out = [8, 32, 128, 512].map(fan_out);
    fan_out.into_iter().chain([rate(), rooms(share), many(share), idle(share)])
}

fn own(scenario: &Scenario) -> Entry {
    Entry { protocol: Protocol::Irc, note: "IRC", ..entry(Switchboard, scenario) }
}

fn native(scenario: &Scenario) -> Entry {
    Entry { note: "native", ..entry(Switchboard, scenario) }
}

/// The floor that moves as many bytes: a line has who says it, from where and in which room in it.
fn long_frames(window: usize) -> Entry {
    let load =
        Rooms { rooms: 1, members: 100, senders: 10, payload: 128, pace: Pace::Window(window), named: None };
    Entry { note: "as many bytes", ..entry(BatchFloor, &Scenario::Rooms(load)) }
}

fn contest(work: impl Into<String>, title: &'static str, entries: Vec<Entry>, goals: Vec<Goal>) -> Contest {
    Contest {
        part: "irc",
        work: format!("IRC, {}", work.into()),
        title,
        entries,
        measures: vec![Measure { figure: CPU, goals }],
        duration: 1.0,
        rounds: 3,
        options: UNHINDERED,
    }
}

fn fan_out(window: usize) -> Contest {
    let load = room(100, Pace::Window(window));
    let mut all = vec![own(&load)];
    all.extend(entries(&[BatchFloor, TokioSingle, Ngircd, Inspircd], &load));
    all.extend([long_frames(window), native(&load)]);
    let goals = vec![
        Goal::AtMostTimes { times: 1.5, of: 1 },
        Goal::AtMostTimes { times: 1.5, of: 5 },
        Goal::AtMostTimes { times: 1.0, of: 2 },
        Goal::AtMostTimes { times: 1.0, of: 3 },
        Goal::AtMostTimes { times: 1.0, of: 4 },
        Goal::NothingLost,
    ];
    Contest {
        // With few messages in flight, rounds differ most.
        rounds: if window < 100 { 5 } else { 3 },
        ..contest(format!("room of 100, window {window}"), "10 of them send, 64 bytes", all, goals)
    }
}

fn rate() -> Contest {
    let load = room(100, Pace::Rate(1_000.0));
    let mut all = vec![own(&load)];
    all.extend(entries(&[BatchFloor, TokioSingle, Ngircd, Inspircd], &load));
    let goals = vec![Goal::AtMostTimes { times: 1.1, of: 1 }, Goal::NothingLost];
    let title = "by schedule, 10 of them send, 64 bytes";
    Contest {
        measures: vec![Measure { figure: P99, goals }, Measure { figure: CPU, goals: vec![] }],
        duration: 3.0,
        ..contest("room of 100, 1,000 messages/s", title, all, vec![])
    }
}

fn rooms(share: usize) -> Contest {
    let pace = Pace::Window(2_000 / share);
    let load = Scenario::Rooms(Rooms {
        rooms: 200 / share,
        members: 10,
        senders: 10,
        payload: 64,
        pace,
        named: None,
    });
    let mut all = vec![own(&load)];
    all.extend(entries(&[TokioSingle, Ngircd, Inspircd], &load));
    let goals = vec![
        Goal::AtMostTimes { times: 0.7, of: 1 },
        Goal::AtMostTimes { times: 1.0, of: 2 },
        Goal::AtMostTimes { times: 1.0, of: 3 },
        Goal::NothingLost,
    ];
    let title = "all of them send, 64 bytes";
    Contest { duration: 2.0, ..contest("200 rooms of 10, window 2,000", title, all, goals) }
}

fn many(share: usize) -> Contest {
    let pace = Pace::Window(32);
    let (large, small) = (room(10_000 / share, pace), room(100, pace));
    let mut all = vec![own(&large), Entry { note: "IRC, 100 members", ..own(&small) }];
    all.extend(entries(&[BatchFloor], &large));
    let goals = vec![Goal::AtMostTimes { times: 1.0, of: 1 }, Goal::NothingLost];
    let title = "10 of them send, 64 bytes";
    Contest { duration: 2.0, ..contest("room of 10,000, window 32", title, all, goals) }
}

fn idle(share: usize) -> Contest {
    // Of fewer than a thousand there is no figure for memory.
    let load = Scenario::Idle(Idle { clients: (super::IDLE_CLIENTS / share).max(1_000) });
    // Nobody else: what others take is known (3 to 4 kB), and to log in so many takes them minutes.
    let all = vec![own(&load)];
    let goals = vec![Goal::AtMost(1_024.0)];
    Contest {
        part: "irc-idle",
        measures: vec![Measure { figure: MEMORY, goals }],
        duration: 1.0,
        ..contest("19,000 idle", "logged in, and silent", all, vec![])
    }
}
