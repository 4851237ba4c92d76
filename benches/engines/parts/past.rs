//! What the past of a room costs: a room that keeps nothing, one that has what was said in memory, and one that lasts, with
//! all of it on the disk. The server's CPU is that of all its threads, and storage is one.

use super::{CPU, Contest, Entry, Goal, Measure, entry};
use crate::contenders::Contender::Switchboard;
use switchboard::load::plan::{Pace, Rooms, Scenario};

pub fn contests() -> impl Iterator<Item = Contest> {
    [32, 512].into_iter().map(|window| contest(Pace::Window(window), format!("window {window}")))
}

fn contest(pace: Pace, words: String) -> Contest {
    let load = Rooms { rooms: 1, members: 100, senders: 10, payload: 64, pace, named: Some("past".into()) };
    let load = Scenario::Rooms(load);
    let lasts = Entry { note: "the room lasts", lasts: true, ..entry(Switchboard, &load) };
    let nothing =
        Entry { note: "no past", options: &["--history-messages-max=0"], ..entry(Switchboard, &load) };
    let in_memory = Entry { note: "in memory", ..entry(Switchboard, &load) };
    Contest {
        part: "past",
        work: format!("past, room of 100, {words}"),
        title: "10 of them send, 64 bytes",
        entries: vec![lasts, nothing, in_memory],
        measures: vec![Measure {
            figure: CPU,
            goals: vec![Goal::AtMostTimes { times: 1.1, of: 1 }, Goal::NothingLost],
        }],
        duration: 2.0,
        rounds: 5,
        options: &[],
    }
}
