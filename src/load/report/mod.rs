//! What the runs came to: as a table, as JSON, as a page.
//!
//! Each figure is defined once, in [`figures`], with its unit and its meaning; a report shows the figures that its
//! outcomes have.

pub mod figures;
pub mod html;
pub mod json;
mod machine;
pub mod numbers;
pub mod table;
#[cfg(test)]
pub(crate) mod tests;

pub use machine::Machine;

use super::contender::Contender;
use super::find_max::Search;
use super::plan::{Pace, Protocol};
use super::{Outcome, Plan};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everything that there is to show.
#[derive(Clone, Debug)]
pub struct Report {
    pub plan: Plan,
    /// What made it; empty if it was no command.
    pub command: String,
    /// Seconds since 1970.
    pub taken_at: u64,
    pub machine: Machine,
    /// One, or two that were compared in alternating runs.
    pub measured: Vec<Measured>,
    pub searched: Option<Searched>,
    notes: Vec<String>,
}

/// A server, and its runs.
#[derive(Clone, Debug)]
pub struct Measured {
    pub label: String,
    /// Where it ran, or what started it.
    pub place: String,
    pub protocol: Protocol,
    pub outcomes: Vec<Outcome>,
}

/// How the highest rate was found.
#[derive(Clone, Debug)]
pub struct Searched {
    pub slo: String,
    pub search: Search,
}

impl Measured {
    pub fn of(contender: &Contender) -> Self {
        let Contender { label, place, protocol } = contender;
        Self { label: label.clone(), place: place.to_string(), protocol: *protocol, outcomes: Vec::new() }
    }
}

impl Report {
    pub fn of(plan: Plan, machine: Machine) -> Self {
        let taken_at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let command = String::new();
        Self { plan, command, taken_at, machine, measured: Vec::new(), searched: None, notes: Vec::new() }
    }

    /// What the ratios are, where two servers are compared.
    pub fn ratio_of(&self) -> String {
        let labels: Vec<&str> = self.measured.iter().map(|measured| measured.label.as_str()).collect();
        labels.join(" ÷ ")
    }

    /// What readers have to know, once.
    pub fn note(&mut self, note: Option<String>) {
        self.notes.extend(note.filter(|note| !self.notes.contains(note)));
    }

    /// Everything that is to be known before the figures are believed.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.machine.is_debug_build {
            notes.push(
                "THIS IS A DEBUG BUILD, of the generator and of a server of its own: its figures say nothing; build \
                 with --release"
                    .to_owned(),
            );
        }
        notes.extend_from_slice(&self.notes);
        for measured in &self.measured {
            measured.warn(&mut notes);
        }
        if matches!(self.plan.scenario.pace(), Some(Pace::Window(_))) {
            notes.extend(self.measured.iter().flat_map(Measured::stood_still));
            notes.push(
                "closed loop: latencies are those of a server that always has its window full, not those that users \
                 would see; --rate measures these"
                    .into(),
            );
        }
        if let Some(sentence) =
            self.searched.as_ref().and_then(|searched| searched.search.stopped_by_generator())
        {
            notes.push(format!("the search ended because the generator was the limit: {sentence}"));
        }
        notes
    }
}

/// So many deliveries take milliseconds, which show, and nobody makes one in less than this. In nanoseconds.
const DELIVERIES_MIN: u64 = 100_000;
const CPU_PER_DELIVERY_MIN: f64 = 5.0;

/// Whether a process was read that cannot have done the work.
fn is_somebody_else(outcome: &Outcome) -> bool {
    outcome.deliveries() >= DELIVERIES_MIN
        && outcome.cpu_per_delivery().is_some_and(|cpu| cpu < CPU_PER_DELIVERY_MIN)
}

impl Measured {
    /// A window in which everything is lost is not filled again before that is given up.
    fn stood_still(&self) -> Option<String> {
        let samples = || self.outcomes.iter().flat_map(|outcome| &outcome.samples);
        let quiet = samples().filter(|sample| sample.delivered == 0).count();
        let lost: u64 = self.outcomes.iter().map(|outcome| outcome.counts.lost).sum();
        (quiet > 0 && lost > 0).then(|| {
            format!(
                "{}: the closed loop stood still in {quiet} of {} seconds: a message that is lost keeps its place in the \
                 window, until it is given up after some seconds; rates are those of the losses, not of the server",
                self.label,
                samples().count()
            )
        })
    }

    fn warn(&self, notes: &mut Vec<String>) {
        let runs = self.outcomes.len();
        let mut warn = |what: String| notes.push(format!("{}: {what}", self.label));
        let limits: Vec<&str> =
            self.outcomes.iter().filter_map(|outcome| outcome.generator.was_limit.as_deref()).collect();
        if let Some(first) = limits.first() {
            warn(format!("the generator was the limit in {} of {runs} runs: {first}", limits.len()));
        }
        let sum = |of: fn(&Outcome) -> u64| self.outcomes.iter().map(of).sum::<u64>();
        for (n, what) in [
            (sum(|outcome| outcome.counts.lost), "deliveries lost"),
            (sum(|outcome| outcome.counts.duplicated), "deliveries made twice"),
            (sum(|outcome| outcome.counts.out_of_order), "deliveries out of order"),
            (sum(|outcome| outcome.counts.refused), "requests refused"),
            (sum(|outcome| outcome.counts.disconnected), "clients disconnected by the server"),
        ] {
            if n > 0 {
                warn(format!("{} {what}", numbers::count(n as f64)));
            }
        }
        if let Some(words) = self.outcomes.iter().find_map(|outcome| outcome.refusal.as_deref()) {
            warn(format!("the first refusal: {words}"));
        }
        if self.outcomes.iter().any(is_somebody_else) {
            warn(
                "hardly any CPU for so many deliveries: what was read is probably not the server's process, which may be a \
                 child of it; use `exec` in the command that starts it, or --pid for one that runs"
                    .into(),
            );
        }
        let unknown = self.outcomes.iter().filter(|outcome| outcome.server.is_none()).count();
        if unknown > 0 {
            warn(format!("CPU and memory of the server could not be read in {unknown} of {runs} runs"));
        }
    }
}
