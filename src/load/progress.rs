//! What is going on, on standard error: a bar on a terminal, a line for each run elsewhere.

use super::outcome::Sample;
use super::probe::system_calls::SystemCalls;
use super::words::count;
use super::{Phase, Watch};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub struct Progress {
    bar: ProgressBar,
    is_terminal: bool,
    /// Seconds that will be measured.
    duration: Duration,
    phase: Option<Phase>,
    cancelled: Arc<AtomicBool>,
    /// Counts during the measured time.
    calls: Option<SystemCalls>,
    calls_before: Option<u64>,
    calls_made: Option<u64>,
}

impl Progress {
    /// `cancelled` is set from outside when the user has had enough.
    pub fn new(duration: Duration, cancelled: Arc<AtomicBool>) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(1), target);
        let style = ProgressStyle::with_template("{prefix}  {bar:20} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let (calls, calls_before, calls_made) = (None, None, None);
        Self { bar, is_terminal, duration, phase: None, cancelled, calls, calls_before, calls_made }
    }

    /// The next run begins.
    pub(super) fn begin(&mut self, what: String) {
        if !self.is_terminal {
            self.say(&what);
        }
        self.bar.set_prefix(what);
        self.show(0, 1, "");
        (self.calls, self.calls_before, self.calls_made) = (None, None, None);
    }

    /// Everything is done.
    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
    }

    /// A line that stays.
    pub(super) fn say(&self, line: &str) {
        // Nobody may be reading.
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stderr(), "{line}");
        });
    }

    /// Counts the system calls of the run that is about to begin.
    pub(super) fn count(&mut self, calls: SystemCalls) {
        self.calls = Some(calls);
    }

    /// How many there were in the measured time.
    pub(super) fn counted(&mut self) -> Option<u64> {
        self.calls = None;
        self.calls_made.take()
    }

    fn show(&self, done: u64, of: u64, what: &str) {
        self.bar.set_length(of.max(1));
        self.bar.set_position(done.min(of));
        self.bar.set_message(what.to_owned());
        self.bar.tick();
    }

    fn count_calls(&mut self, phase: Phase) {
        let Some(calls) = &mut self.calls else { return };
        match (phase, self.calls_before) {
            (Phase::Measuring, None) => self.calls_before = calls.count(),
            (Phase::Draining { .. }, Some(before)) if self.calls_made.is_none() => {
                self.calls_made = calls.count().map(|now| now.saturating_sub(before));
            }
            _ => {}
        }
    }
}

impl Watch for Progress {
    fn phase(&mut self, phase: Phase) {
        // First: it belongs to the very moment.
        self.count_calls(phase);
        match phase {
            Phase::Connecting { done, of } => self.show(done as u64, of as u64, "connecting"),
            Phase::Settling => self.show(0, 1, "settling"),
            Phase::WarmingUp => self.show(0, 1, "warming up"),
            Phase::Measuring if self.phase != Some(phase) => {
                self.show(0, self.duration.as_secs(), "measuring");
            }
            Phase::Measuring => {}
            Phase::Draining { missing } => {
                self.show(1, 1, &format!("waiting for the last {}", count(missing as usize)));
            }
        }
        self.phase = Some(phase);
    }

    fn sample(&mut self, sample: &Sample) {
        let p99 = Duration::from_nanos(sample.p99);
        let live = format!("{} deliveries/s, p99 {p99:.1?}", count(sample.delivered as usize));
        self.show(sample.at.round() as u64, self.duration.as_secs(), &live);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
