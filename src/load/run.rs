//! One run, from the first connection to the outcome: the coordinator.

use super::cast::{self, Cast};
use super::clock::{SECOND, Timeline};
use super::crew::{Crew, News};
use super::error::Error;
use super::latencies::histogram;
use super::measure::Measure;
use super::outcome::{Counts, Figure, GeneratorUse, Outcome};
use super::plan::{Pace, Plan, Rooms, Scenario, Target};
use super::probe::{self, Probe, Reading};
use super::setup::Order;
use super::speech::Speech;
use super::watch::{Phase, Watch};
use super::worker::Share;
use crate::net::descriptors;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Log-ins under way at one time, where the plan does not say. Few enough for every server's backlog.
const LOG_INS_AT_ONCE: usize = 64;

/// How long nothing may happen while clients connect, log in and enter.
const STANDSTILL: Duration = Duration::from_secs(30);

/// Between two looks at how far it is.
const TICK: Duration = Duration::from_millis(100);

/// Between the order to send and the first message, so that all threads are ready: nanoseconds.
const RUN_UP: u64 = SECOND / 50;

/// Descriptors of the process that are no clients' connections.
const DESCRIPTORS_SPARE: u64 = 64;

/// Carries out a plan once.
///
/// # Errors
/// [`Error`], when it came to no outcome. Losses, disconnections and refusals within the load are part of the outcome.
pub fn run(plan: &Plan, target: &Target, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    let speech = Speech::of(plan.protocol);
    match &plan.scenario {
        Scenario::Rooms(rooms) => rooms_run(plan, rooms, target, speech, watch),
        _ => Err(Error::Plan("this scenario is not there yet".into())),
    }
}

fn rooms_run(
    plan: &Plan,
    rooms: &Rooms,
    target: &Target,
    speech: Speech,
    watch: &mut dyn Watch,
) -> Result<Outcome, Error> {
    let mut cast = Cast::rooms(plan, rooms, speech, &tag())?;
    cast.count_receivers(plan.threads, speech.has_echo());
    let mut run = Run::begin(plan, target, speech, cast, watch)?;
    run.appear(true)?;
    run.settle(STANDSTILL)?;
    run.talk(rooms.pace)
}

/// A run under way.
struct Run<'a> {
    plan: &'a Plan,
    crew: Crew,
    watch: &'a mut dyn Watch,
    pid: Option<u32>,
    before: Option<Reading>,
    settled: u64,
}

impl<'a> Run<'a> {
    fn begin(
        plan: &'a Plan,
        target: &Target,
        speech: Speech,
        cast: Cast,
        watch: &'a mut dyn Watch,
    ) -> Result<Run<'a>, Error> {
        let needed = cast.roles.len() as u64 + DESCRIPTORS_SPARE;
        if let Some(limit) = descriptors::raise_limit().filter(|limit| *limit < needed) {
            return Err(Error::Descriptors { needed, limit });
        }
        let before = target.pid.and_then(|pid| probe::of(pid).read());
        let crew = Crew::start(plan, target, speech, cast)?;
        Ok(Run { plan, crew, watch, pid: target.pid, before, settled: 0 })
    }

    /// Everybody connects and logs in.
    fn appear(&mut self, enter: bool) -> Result<(), Error> {
        let at_once = LOG_INS_AT_ONCE.div_ceil(self.plan.threads);
        self.crew.order(&Order::Appear { at_once, enter });
        self.await_all(STANDSTILL, "connecting and logging in", |done, of| Phase::Connecting { done, of })
    }

    /// Everybody has an answer to a question, and so all that was under way before it.
    fn settle(&mut self, patience: Duration) -> Result<(), Error> {
        self.settled += 1;
        self.crew.order(&Order::Settle { token: self.settled });
        self.await_all(patience, "waiting for an answer", |_, _| Phase::Settling)
    }

    /// Waits until all threads have carried out an order.
    fn await_all(
        &mut self,
        patience: Duration,
        doing: &'static str,
        phase: fn(usize, usize) -> Phase,
    ) -> Result<(), Error> {
        let of = self.crew.setup.cast.roles.len();
        let (mut threads, mut seen, mut since) = (0, (0, 0), Instant::now());
        while threads < self.plan.threads {
            match self.crew.wait(TICK)? {
                News::Done => threads += 1,
                News::Second(_) => {}
                News::Nothing => self.check_cancelled()?,
            }
            let done = self.crew.ready();
            self.watch.phase(phase(done, of));
            let now = (done, self.crew.sum(|meter| &meter.arrived));
            if seen != now {
                (seen, since) = (now, Instant::now());
            }
            if since.elapsed() > patience {
                return Err(Error::NoAnswer { missing: of - done, doing });
            }
        }
        Ok(())
    }

    fn check_cancelled(&self) -> Result<(), Error> {
        if self.watch.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Messages, and everything that is counted of them.
    fn talk(mut self, pace: Pace) -> Result<Outcome, Error> {
        let clock = self.crew.setup.clock;
        let timeline = Timeline::new(clock.now() + RUN_UP, self.plan.warmup, self.plan.duration);
        let mut measure = Measure::new(self.pid.map(probe::of), self.before, timeline.clone());
        self.crew.order(&Order::Talk { pace, timeline: timeline.clone() });
        self.measure(&mut measure, &timeline)?;
        self.drain()?;
        let connections = self.crew.setup.cast.roles.len() as u64;
        let disconnected = self.crew.sum(|meter| &meter.disconnected);
        let server = measure.server_use(connections.saturating_sub(disconnected));
        let shares = self.crew.finish()?;
        let mut outcome = merge(shares);
        outcome.measured = Duration::from_nanos(timeline.measured.end - timeline.measured.start);
        outcome.server = server;
        outcome.samples = measure.samples;
        outcome.generator.was_limit = was_limit(&outcome, pace);
        Ok(outcome)
    }

    /// Looks on until everything has arrived, or nothing more does.
    fn measure<P: Probe>(&mut self, measure: &mut Measure<P>, timeline: &Timeline) -> Result<(), Error> {
        let clock = self.crew.setup.clock;
        let (mut threads, mut arrived, mut since) = (0, 0, clock.now());
        while threads < self.plan.threads {
            match self.crew.wait(measure.patience(clock.now(), TICK))? {
                News::Done => threads += 1,
                News::Second(second) => measure.second(second, &self.crew, self.watch),
                News::Nothing => self.check_cancelled()?,
            }
            let now = clock.now();
            measure.look(now);
            self.watch.phase(phase_at(now, timeline, || self.missing()));
            let so_far = self.crew.sum(|meter| &meter.arrived);
            if so_far != arrived || now < timeline.measured.end {
                (arrived, since) = (so_far, now);
            }
            if now.saturating_sub(since) > super::clock::nanoseconds(self.plan.patience) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A last answer for everybody, so that what comes twice is there, too. Who cannot answer is not waited for long.
    fn drain(&mut self) -> Result<(), Error> {
        match self.settle(self.plan.patience) {
            Err(Error::NoAnswer { .. }) => Ok(()),
            result => result,
        }
    }

    fn missing(&self) -> u64 {
        let expected = self.crew.sum(|meter| &meter.expected);
        expected.saturating_sub(self.crew.sum(|meter| &meter.arrived))
    }
}

fn phase_at(now: u64, timeline: &Timeline, missing: impl Fn() -> u64) -> Phase {
    if now < timeline.measured.start {
        Phase::WarmingUp
    } else if now < timeline.measured.end {
        Phase::Measuring
    } else {
        Phase::Draining { missing: missing() }
    }
}

/// Puts the threads' shares together. What is not known to them is left to be filled in.
fn merge(shares: Vec<Share>) -> Outcome {
    let (mut counts, mut strange) = (Counts::default(), 0);
    let (mut latency, mut last_receiver, mut behind) = (histogram(), histogram(), histogram());
    let mut busy = 0_f64;
    for share in &shares {
        counts.offered += share.counts.offered;
        counts.sent += share.counts.sent;
        counts.delivered += share.counts.delivered;
        counts.expected += share.counts.expected;
        counts.arrived += share.counts.arrived;
        counts.duplicated += share.counts.duplicated;
        counts.out_of_order += share.counts.out_of_order;
        counts.refused += share.counts.refused;
        counts.disconnected += share.counts.disconnected;
        strange += share.strange;
        busy = busy.max(share.busy);
        // All histograms have the same bounds, so that they can be added.
        let _ = latency.add(&share.latency);
        share.last_receiver.iter().for_each(|of_thread| last_receiver.add(of_thread).unwrap_or_default());
        share.behind.iter().for_each(|of_thread| behind.add(of_thread).unwrap_or_default());
    }
    counts.lost = counts.expected.saturating_sub(counts.arrived);
    let mut figures = Vec::new();
    if strange > 0 {
        let meaning = "messages that no client of this run sent";
        figures.push(Figure { name: "strange", value: strange as f64, unit: "messages", meaning });
    }
    Outcome {
        measured: Duration::ZERO,
        counts,
        latency,
        last_receiver,
        server: None,
        generator: GeneratorUse { behind, busy, was_limit: None },
        samples: Vec::new(),
        figures,
    }
}

/// Above this share of a core a thread has no time left.
const BUSY: f64 = 0.95;

/// Below this share of a core a server has.
const SERVER_HAS_TIME: f64 = 0.9;

/// How late the generator may be, in nanoseconds, and as a part of what it measures.
const BEHIND: u64 = 1_000_000;
const BEHIND_PART: f64 = 0.1;

/// Whether a run says more about the generator than about the server.
fn was_limit(outcome: &Outcome, pace: Pace) -> Option<String> {
    let GeneratorUse { behind, busy, .. } = &outcome.generator;
    let (late, latency) = (behind.value_at_quantile(0.99), outcome.latency.value_at_quantile(0.99));
    if matches!(pace, Pace::Rate(_)) && late > BEHIND && late as f64 > BEHIND_PART * latency as f64 {
        return Some(format!(
            "the generator was {:.1} ms behind its schedule (p99), which is part of the latencies",
            late as f64 / 1e6
        ));
    }
    let server = outcome.server.as_ref()?;
    let server_busy = server.cpu.as_secs_f64() / outcome.measured.as_secs_f64();
    (*busy >= BUSY && server_busy < SERVER_HAS_TIME).then(|| {
        format!(
            "a thread of the generator was busy for {:.0} % of the time, the server for {:.0} % of a core: the server \
             can do more than this",
            busy * 100.0,
            server_busy * 100.0
        )
    })
}

/// Different for each run of each process.
fn tag() -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    cast::tag(u64::from(std::process::id()) * 16 + RUNS.fetch_add(1, Ordering::Relaxed))
}
