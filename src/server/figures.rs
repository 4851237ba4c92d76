//! Every figure that the server has of itself, under one name for operators' `status` and, spelt as Prometheus has it, for
//! those who collect figures (`GET /metrics`). `docs/OBSERVE.md` explains each; a test holds the two together.
//!
//! | | in `status` | in `/metrics` |
//! |---|---|---|
//! | a gauge | `queued-bytes` | `switchboard_queued_bytes` |
//! | a counter | `pauses{reason="disk"}` | `switchboard_pauses_total{reason="disk"}` |
//! | a histogram | `turn-seconds{le="0.001"}`, `turn-seconds-sum`, `turn-seconds-count` | `switchboard_turn_seconds_bucket{le="0.001"}`, `…_sum`, `…_count` |
//!
//! Format: Prometheus' text exposition format 0.0.4.

use super::binding::Dropped;
use super::counters::{Counters, Pause, Refused};
use super::engine::Engine;
use super::exchange::Exchange;
use super::stages::{Histogram, Stage};
use crate::hub::{self, Census};
use crate::net::blocks::Expect;
use crate::net::{Key, Socket, process};
use crate::session::{CloseReason, encode_metrics};
use std::fmt::{self, Display, Write};
use std::time::Duration;

/// What is counted, and how its value moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// How much there is now.
    Gauge,
    /// How much there was since the server started.
    Counter,
    /// How often values of each size came.
    Histogram,
}

/// One figure, with the label that its values differ by, if it has several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figure {
    pub name: &'static str,
    pub kind: Kind,
    /// Such as `reason`; empty where there is one value.
    pub label: &'static str,
    /// In a sentence, with the unit where the name has none.
    pub help: &'static str,
}

macro_rules! figures {
    ($($constant:ident $kind:ident $name:literal $([$label:literal])? $help:literal;)*) => {
        $(const $constant: Figure =
            Figure { name: $name, kind: Kind::$kind, label: concat!($($label)?), help: $help };)*

        /// All of them, in the order in which they are shown.
        pub const ALL: &[Figure] = &[$($constant,)*];
    };
}

figures! {
    UPTIME Gauge "uptime-seconds" "For how long the server has been up.";
    CONNECTIONS Gauge "connections" "Connections that there are, whether or not they have logged in.";
    STRANGERS Gauge "connections-before-login" "Connections that have not logged in.";
    USERS Gauge "users" "Users who are here.";
    USERS_MOST Gauge "users-most" "The most users who were here at once.";
    USERS_INVISIBLE Gauge "users-invisible" "Users whom others do not find.";
    OPERATORS Gauge "operators" "Operators who are here.";
    ROOMS Gauge "rooms" "Rooms that there are.";
    RELAYS Gauge "relays" "Relays between two users, with calls that ring.";
    ACCOUNTS Gauge "accounts" "Accounts that there are.";
    BANS Gauge "bans" "Addresses and networks that are kept out.";
    QUEUED Gauge "queued-bytes" "Bytes that wait for connections to take them.";
    QUEUED_MOST Gauge "queued-bytes-most" "The most bytes that waited for one connection.";
    BLOCKS Gauge "blocks" "Blocks of memory that hold what is queued.";
    RESIDENT Gauge "resident-bytes" "Memory of the process; 0 where the system does not tell.";
    RECORDS_WAITING Gauge "records-waiting" "Records that are not on the disk yet.";
    ACCEPTED Counter "connections-accepted" "Connections that were taken.";
    REFUSED Counter "connections-refused" ["reason"] "Connections that were turned away.";
    CLOSED Counter "connections-closed" ["reason"] "Connections that came to their end.";
    PAUSES Counter "pauses" ["reason"] "How often a connection was not read for a while.";
    FRAMES_READ Counter "frames-read" "Frames of native clients; relay payload that came at once counts once.";
    LINES_READ Counter "lines-read" "Lines of clients of IRC.";
    BYTES_READ Counter "bytes-read" "Bytes that were read from connections.";
    BYTES_WRITTEN Counter "bytes-written" "Bytes that connections took.";
    DELIVERIES Counter "deliveries" "What rooms were told, once for each connection that hears it.";
    ANSWERS Counter "answers" "Answers, and what else was for one connection alone.";
    RANGES_QUEUED Counter "ranges-queued" "Parts of queues: one for each connection, room and turn, whatever was said.";
    DATAGRAMS_RECEIVED Counter "datagrams-received" "Datagrams that came, good or bad.";
    DATAGRAMS_SENT Counter "datagrams-sent" "Datagrams that a socket took.";
    DATAGRAMS_DROPPED Counter "datagrams-dropped" ["reason"] "Datagrams that were dropped, on their way in or out.";
    PASSWORDS_CHECKED Counter "passwords-checked" "Passwords that were held against a hash.";
    RECORDED Counter "records" "Records that storage took.";
    NOT_RECORDED Counter "not-recorded" "Records that storage did not take, because too many waited.";
    COMMITS Counter "commits" "Transactions that are on the disk.";
    STORAGE_FAILURES Counter "storage-failures" "Transactions that failed, and were tried again.";
    SCRAPES Counter "scrapes" "How often these figures were given over HTTP.";
    TURNS Counter "turns" "Turns of the loop.";
    POLLS_EMPTY Counter "polls-empty" "Polls that brought no event: a timer, or work that was left over.";
    STAGE_SECONDS Counter "stage-seconds" ["stage"] "Time that each stage of the turn took; poll is the time asleep.";
    TURN_SECONDS Histogram "turn-seconds" "How long turns took, without the poll that they begin with.";
    POLL_EVENTS Histogram "poll-events" "Events that polls brought.";
}

/// Which of a figure's values one is.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Whole,
    Labelled(&'static str),
    /// Values up to this one; `+Inf` for all.
    UpTo(String),
    Sum,
    Count,
}

/// One value of a figure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    figure: &'static Figure,
    part: Part,
    value: String,
}

/// The values, as they are put together.
#[derive(Default)]
struct Sheet(Vec<Sample>);

impl Sheet {
    fn put(&mut self, figure: &'static Figure, value: impl Display) {
        self.0.push(Sample { figure, part: Part::Whole, value: value.to_string() });
    }

    fn put_each(&mut self, figure: &'static Figure, values: impl Iterator<Item = (&'static str, u64)>) {
        for (label, value) in values {
            self.0.push(Sample { figure, part: Part::Labelled(label), value: value.to_string() });
        }
    }

    /// `bound` and `sum` say what values are shown as.
    fn put_histogram<const BUCKETS: usize>(
        &mut self,
        figure: &'static Figure,
        histogram: &Histogram<BUCKETS>,
        bound: impl Fn(u64) -> String,
        sum: impl Display,
    ) {
        let mut put = |part, value| self.0.push(Sample { figure, part, value });
        for (below, count) in histogram.buckets() {
            put(Part::UpTo(bound(below)), count.to_string());
        }
        let count = histogram.count().to_string();
        put(Part::UpTo("+Inf".to_owned()), count.clone());
        put(Part::Sum, sum.to_string());
        put(Part::Count, count);
    }
}

/// Seconds, to the microsecond.
struct Seconds(Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0.as_secs(), self.0.subsec_micros())
    }
}

impl<S: Socket> Engine<S> {
    /// Answers a client that asks for figures over HTTP, and closes it. Whoever may not have them is told what everybody is
    /// who asks for anything else.
    pub(super) fn give_metrics(&mut self, key: Key) {
        let Exchange { connections, credentials, counters, .. } = &mut self.exchange;
        let Some(address) = connections.get(key).map(|connection| connection.address.ip()) else { return };
        if !credentials.metrics.iter().any(|network| network.contains(address)) {
            return self.exchange.close(key, CloseReason::NotSpoken);
        }
        counters.scrapes += 1;
        let text = metrics(&self.exchange.samples(&self.hub.census()));
        let Exchange { connections, blocks, .. } = &mut self.exchange;
        if let Some(connection) = connections.get_mut(key) {
            // More than others may have queued who have not logged in; but there is one answer, and little time for it.
            connection.outbox.push_own(blocks, Expect::Much, |out| encode_metrics(&text, out));
        }
        self.exchange.close(key, CloseReason::Scraped);
    }
}

impl<S: Socket> Exchange<S> {
    /// All figures as they are now. It takes a look at every connection.
    pub fn samples(&self, census: &Census) -> Vec<Sample> {
        let mut sheet = Sheet::default();
        self.put_what_there_is(census, &mut sheet);
        self.put_what_was(&mut sheet);
        put_turns(&self.counters, &mut sheet);
        sheet.0
    }

    fn put_what_there_is(&self, census: &Census, sheet: &mut Sheet) {
        let Census { counts, relays, accounts, bans } = *census;
        let (counters, surroundings) = (&self.counters, &self.surroundings);
        let up_millis = surroundings.unix_millis.saturating_sub(surroundings.started_unix_millis);
        let queued: usize =
            self.connections.iter().map(|(_, connection)| connection.outbox.queued_bytes()).sum();
        sheet.put(&UPTIME, up_millis / 1_000);
        sheet.put(&CONNECTIONS, self.connections.len());
        sheet.put(&STRANGERS, surroundings.strangers);
        sheet.put(&USERS, counts.users);
        sheet.put(&USERS_MOST, counts.users_most);
        sheet.put(&USERS_INVISIBLE, counts.invisible);
        sheet.put(&OPERATORS, counts.operators);
        sheet.put(&ROOMS, counts.rooms);
        sheet.put(&RELAYS, relays);
        sheet.put(&ACCOUNTS, accounts);
        sheet.put(&BANS, bans);
        sheet.put(&QUEUED, queued);
        sheet.put(&QUEUED_MOST, counters.queued_bytes_most.max(queued_most(self)));
        sheet.put(&BLOCKS, self.blocks.len());
        sheet.put(&RESIDENT, process::resident_bytes().unwrap_or(0));
        sheet.put(&RECORDS_WAITING, self.keeping.unsaved().0);
    }

    fn put_what_was(&self, sheet: &mut Sheet) {
        let counters = &self.counters;
        let closed = CloseReason::LABELS.iter().map(|&label| (label, counters.closed_as(label)));
        sheet.put(&ACCEPTED, counters.accepted);
        sheet.put_each(&REFUSED, Refused::ALL.iter().map(|&why| (why.label(), counters.refused(why))));
        sheet.put_each(&CLOSED, closed);
        sheet.put_each(&PAUSES, Pause::ALL.iter().map(|&why| (why.label(), counters.paused(why))));
        sheet.put(&FRAMES_READ, counters.frames - counters.lines);
        sheet.put(&LINES_READ, counters.lines);
        sheet.put(&BYTES_READ, counters.bytes_read);
        sheet.put(&BYTES_WRITTEN, counters.bytes_written);
        sheet.put(&DELIVERIES, self.fanout.deliveries());
        sheet.put(&ANSWERS, counters.answers);
        sheet.put(&RANGES_QUEUED, counters.ranges_queued);
        sheet.put(&DATAGRAMS_RECEIVED, counters.datagrams);
        sheet.put(&DATAGRAMS_SENT, counters.datagrams_sent);
        sheet.put_each(
            &DATAGRAMS_DROPPED,
            Dropped::ALL.iter().map(|&why| (why.label(), counters.dropped(why))),
        );
        sheet.put(&PASSWORDS_CHECKED, counters.passwords_checked);
        sheet.put(&RECORDED, counters.records);
        sheet.put(&NOT_RECORDED, counters.not_recorded);
        sheet.put(&COMMITS, counters.commits);
        sheet.put(&STORAGE_FAILURES, counters.storage_failures);
        sheet.put(&SCRAPES, counters.scrapes);
    }
}

/// The longest queue that there is now, which may not have been offered to its socket yet.
fn queued_most<S: Socket>(exchange: &Exchange<S>) -> usize {
    exchange.connections.iter().map(|(_, connection)| connection.outbox.queued_bytes()).max().unwrap_or(0)
}

fn put_turns(counters: &Counters, sheet: &mut Sheet) {
    let turns = &counters.turns;
    let micros = |micros| Seconds(Duration::from_micros(micros));
    sheet.put(&TURNS, turns.count());
    sheet.put(&POLLS_EMPTY, turns.events.buckets().next().map_or(0, |(_, empty)| empty));
    for stage in Stage::ALL {
        let value = Seconds(turns.spent(stage)).to_string();
        sheet.0.push(Sample { figure: &STAGE_SECONDS, part: Part::Labelled(stage.name()), value });
    }
    // Whole microseconds are below a bound exactly where the time is.
    let bound = |below| micros(below).to_string();
    sheet.put_histogram(&TURN_SECONDS, &turns.busy, bound, micros(turns.busy.sum()));
    let up_to = |below: u64| (below - 1).to_string();
    sheet.put_histogram(&POLL_EVENTS, &turns.events, up_to, turns.events.sum());
}

/// As operators are told.
pub fn status(samples: &[Sample]) -> Vec<hub::Figure> {
    let figure = |sample: &Sample| {
        let Sample { figure: Figure { name, label, .. }, part, value } = sample;
        let name = match part {
            Part::Whole => (*name).to_owned(),
            Part::Labelled(which) => format!("{name}{{{label}=\"{which}\"}}"),
            Part::UpTo(bound) => format!("{name}{{le=\"{bound}\"}}"),
            Part::Sum => format!("{name}-sum"),
            Part::Count => format!("{name}-count"),
        };
        hub::Figure { name, value: value.clone() }
    };
    samples.iter().map(figure).collect()
}

/// As Prometheus reads them: the body of an answer to `GET /metrics`.
pub fn metrics(samples: &[Sample]) -> String {
    let mut text = String::new();
    let mut before = None;
    for Sample { figure, part, value } in samples {
        let Figure { kind, label, help, .. } = figure;
        let total = if *kind == Kind::Counter { "_total" } else { "" };
        let name = format!("switchboard_{}{total}", figure.name.replace('-', "_"));
        // Writing to a String cannot fail.
        if before.replace(figure.name) != Some(figure.name) {
            let kind = match kind {
                Kind::Gauge => "gauge",
                Kind::Counter => "counter",
                Kind::Histogram => "histogram",
            };
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        }
        let _ = match part {
            Part::Whole => writeln!(text, "{name} {value}"),
            Part::Labelled(which) => writeln!(text, "{name}{{{label}=\"{which}\"}} {value}"),
            Part::UpTo(bound) => writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {value}"),
            Part::Sum => writeln!(text, "{name}_sum {value}"),
            Part::Count => writeln!(text, "{name}_count {value}"),
        };
    }
    text
}
