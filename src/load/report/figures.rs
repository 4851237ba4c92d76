//! Every figure: its name, its unit, which way is better, and how it follows from an outcome.

use super::super::plan::{Pace, Scenario};
use super::super::{Outcome, Plan};
use super::{Report, numbers};
use hdrhistogram::Histogram;
use std::fmt;

/// Under which heading a figure is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Section {
    Scenario,
    Traffic,
    Latency,
    LastReceiver,
    Server,
    Generator,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Nanoseconds,
    Count,
    PerSecond,
    Bytes,
    Percent,
    /// As the scenario calls it.
    Other(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Better {
    Lower,
    Higher,
    /// Nobody's merit: ratios of it are not shown.
    Neither,
}

/// A figure that many scenarios have.
pub struct Definition {
    pub section: Section,
    /// In JSON, and in `docs/BENCH.md`.
    pub name: &'static str,
    /// In the table.
    pub label: &'static str,
    pub unit: Unit,
    pub better: Better,
    of: fn(&Plan, &Outcome) -> Option<f64>,
}

macro_rules! figures {
    ($($section:ident { $($name:ident $label:literal $unit:ident $better:ident = $of:expr;)* })*) => {
        /// In the order in which they are shown.
        pub const FIGURES: &[Definition] = &[$($(Definition {
            section: Section::$section,
            name: stringify!($name),
            label: $label,
            unit: Unit::$unit,
            better: Better::$better,
            of: $of,
        },)*)*];
    };
}

figures! {
    Traffic {
        offered "offered" PerSecond Neither = |plan, outcome| is_open(plan).then(|| a_second(outcome, outcome.counts.offered))?;
        sent "sent" PerSecond Higher = |plan, outcome| talks(plan).then(|| a_second(outcome, outcome.counts.sent))?;
        delivered "delivered" PerSecond Higher = |plan, outcome| talks(plan).then(|| a_second(outcome, outcome.counts.delivered))?;
        lost "lost" Count Lower = |plan, outcome| talks(plan).then_some(outcome.counts.lost as f64);
        duplicated "duplicated" Count Lower = |plan, outcome| talks(plan).then_some(outcome.counts.duplicated as f64);
        out_of_order "out of order" Count Lower = |plan, outcome| talks(plan).then_some(outcome.counts.out_of_order as f64);
        refused "refused" Count Lower = |_, outcome| Some(outcome.counts.refused as f64);
        disconnected "disconnected" Count Lower = |_, outcome| Some(outcome.counts.disconnected as f64);
    }
    Latency {
        latency_p50 "p50" Nanoseconds Lower = |_, outcome| at(&outcome.latency, 0.5);
        latency_p90 "p90" Nanoseconds Lower = |_, outcome| at(&outcome.latency, 0.9);
        latency_p99 "p99" Nanoseconds Lower = |_, outcome| at(&outcome.latency, 0.99);
        latency_p99_9 "p99.9" Nanoseconds Lower = |_, outcome| at(&outcome.latency, 0.999);
        latency_p99_99 "p99.99" Nanoseconds Lower = |_, outcome| at(&outcome.latency, 0.9999);
        latency_max "max" Nanoseconds Lower = |_, outcome| at(&outcome.latency, 1.0);
    }
    LastReceiver {
        last_receiver_p50 "p50" Nanoseconds Lower = |_, outcome| at(&outcome.last_receiver, 0.5);
        last_receiver_p99 "p99" Nanoseconds Lower = |_, outcome| at(&outcome.last_receiver, 0.99);
        last_receiver_max "max" Nanoseconds Lower = |_, outcome| at(&outcome.last_receiver, 1.0);
    }
    Server {
        cpu_per_delivery "CPU per delivery" Nanoseconds Lower = |_, outcome| outcome.cpu_per_delivery();
        cpu "CPU, of a core" Percent Neither = |_, outcome| {
            share(outcome.server.as_ref()?.cpu.as_secs_f64(), outcome.measured.as_secs_f64())
        };
        cpu_in_kernel "of that in the kernel" Percent Neither = |_, outcome| {
            let server = outcome.server.as_ref()?;
            share(server.system.as_secs_f64(), (server.user + server.system).as_secs_f64())
        };
        memory_per_connection "memory per connection" Bytes Lower = |_, outcome| outcome.memory_per_connection();
        memory "memory in all" Bytes Lower = |_, outcome| Some(outcome.server.as_ref()?.memory as f64);
        system_calls_per_delivery "system calls per delivery" Count Lower = |_, outcome| {
            let calls = outcome.server.as_ref()?.system_calls?;
            (outcome.deliveries() > 0).then(|| calls as f64 / outcome.deliveries() as f64)
        };
        sleeps "times asleep" PerSecond Neither = |_, outcome| a_second(outcome, outcome.server.as_ref()?.sleeps);
    }
    Generator {
        behind_p99 "behind schedule, p99" Nanoseconds Neither = |_, outcome| at(&outcome.generator.behind, 0.99);
        behind_max "behind schedule, max" Nanoseconds Neither = |_, outcome| at(&outcome.generator.behind, 1.0);
        generator_busy "busiest thread" Percent Neither = |_, outcome| Some(100.0 * outcome.generator.busy);
    }
}

/// What CPU is divided by: where there are no messages, it is what the scenario is about.
pub fn delivery(plan: &Plan) -> &'static str {
    match plan.scenario {
        Scenario::Connect(_) => "log-in",
        Scenario::Join(_) => "entering told to one member",
        _ => "delivery",
    }
}

fn is_open(plan: &Plan) -> bool {
    matches!(plan.scenario.pace(), Some(Pace::Rate(_)))
}

fn talks(plan: &Plan) -> bool {
    plan.scenario.pace().is_some()
}

fn a_second(outcome: &Outcome, n: u64) -> Option<f64> {
    let seconds = outcome.measured.as_secs_f64();
    (seconds > 0.0).then(|| n as f64 / seconds)
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| 100.0 * part / whole)
}

fn at(histogram: &Histogram<u64>, quantile: f64) -> Option<f64> {
    (!histogram.is_empty()).then(|| histogram.value_at_quantile(quantile) as f64)
}

/// A figure of all servers in a report.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    pub section: Section,
    pub name: &'static str,
    pub label: String,
    pub unit: Unit,
    pub better: Better,
    /// In some words more, where the label needs them.
    pub meaning: &'static str,
    /// Of each server, of each of its runs; no runs where the figure is not known.
    pub values: Vec<Vec<f64>>,
}

/// Of several runs.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// `None` of nothing.
    pub fn of(values: &[f64]) -> Option<Spread> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let (low, high) = (sorted.get((sorted.len() - 1) / 2)?, sorted.get(sorted.len() / 2)?);
        Some(Spread { median: (low + high) / 2.0, min, max })
    }
}

/// A ratio, for people.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, min, max] = [self.median, self.min, self.max].map(numbers::ratio);
        if min == max { f.write_str(&median) } else { write!(f, "{median} ({min} to {max})") }
    }
}

impl Row {
    /// The first server's figure, divided by the second's of the same round.
    pub fn ratio(&self) -> Option<Spread> {
        let [first, second] = self.values.as_slice() else { return None };
        if self.better == Better::Neither {
            return None;
        }
        let ratios = first.iter().zip(second).map(|(first, second)| first / second);
        Spread::of(&ratios.filter(|ratio| ratio.is_finite()).collect::<Vec<_>>())
    }

    pub fn show(&self, value: f64) -> String {
        match self.unit {
            Unit::Nanoseconds => numbers::nanoseconds(value),
            Unit::Count => numbers::count(value),
            Unit::PerSecond => format!("{} /s", numbers::count(value)),
            Unit::Bytes | Unit::Other("B") => numbers::bytes(value),
            Unit::Percent => format!("{} %", numbers::count(value)),
            Unit::Other("1/s") => format!("{} /s", numbers::count(value)),
            Unit::Other("B/s") => format!("{}/s", numbers::bytes(value)),
            Unit::Other(unit) => format!("{} {unit}", numbers::count(value)).trim_end().to_owned(),
        }
    }

    /// In how many of the servers' runs it is known.
    fn is_known(&self) -> bool {
        self.values.iter().any(|values| !values.is_empty())
    }
}

impl Unit {
    /// In JSON.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns",
            Unit::Count => "",
            Unit::PerSecond => "1/s",
            Unit::Bytes => "bytes",
            Unit::Percent => "%",
            Unit::Other(unit) => unit,
        }
    }
}

impl Section {
    /// The heading, for this plan.
    pub fn title(self, plan: &Plan) -> &'static str {
        match (self, &plan.scenario) {
            (Section::Scenario, scenario) => scenario.name(),
            (Section::Traffic, _) => "messages and deliveries",
            (Section::Latency, Scenario::Connect(_)) => "from connect to logged in",
            (Section::Latency, Scenario::Join(_)) => "from the request to enter to the answer",
            (Section::Latency, _) if is_open(plan) => "latency, from the time that a message was due",
            (Section::Latency, _) => "latency",
            (Section::LastReceiver, _) => "latency of the last receiver",
            (Section::Server, _) => "server",
            (Section::Generator, _) => "generator",
        }
    }
}

/// The figures that a report has, what is special to the scenario first.
pub fn rows(report: &Report) -> Vec<Row> {
    let mut rows = special(report);
    for figure in FIGURES {
        // A scenario that is about a figure has it itself.
        if rows.iter().any(|row| row.name == figure.name) {
            continue;
        }
        let of = |outcome: &Outcome| (figure.of)(&report.plan, outcome);
        let values = report
            .measured
            .iter()
            .map(|measured| measured.outcomes.iter().filter_map(of).collect())
            .collect();
        let Definition { section, name, label, unit, better, .. } = *figure;
        let label = label.replace("delivery", delivery(&report.plan));
        rows.push(Row { section, name, label, unit, better, meaning: "", values });
    }
    rows.retain(Row::is_known);
    rows
}

fn special(report: &Report) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let servers = report.measured.len();
    for (i, measured) in report.measured.iter().enumerate() {
        for figure in measured.outcomes.iter().flat_map(|outcome| &outcome.figures) {
            let known = rows.iter().position(|row| row.name == figure.name);
            let n = known.unwrap_or_else(|| {
                rows.push(Row {
                    section: Section::Scenario,
                    name: figure.name,
                    label: figure.name.replace('_', " "),
                    meaning: figure.meaning,
                    unit: Unit::Other(figure.unit),
                    better: better(figure.unit),
                    values: vec![Vec::new(); servers],
                });
                rows.len() - 1
            });
            if let Some(values) = rows.get_mut(n).and_then(|row| row.values.get_mut(i)) {
                values.push(figure.value);
            }
        }
    }
    rows
}

/// Of a scenario's own figures rates are better high, and times, bytes and shares low.
fn better(unit: &str) -> Better {
    match unit {
        "1/s" | "B/s" => Better::Higher,
        "s" | "B" | "%" => Better::Lower,
        _ => Better::Neither,
    }
}
