//! One run, from the first connection to the outcome: the coordinator.

use super::cast::{self, Cast};
use super::clock::{SECOND, Timeline};
use super::crew::{Crew, News};
use super::error::Error;
use super::limits;
use super::measure::{Measure, used_between};
use super::outcome::{Outcome, Sample, ServerUse};
use super::plan::{Pace, Plan, Target};
use super::probe::{self, Probe, Reading};
use super::scenario;
use super::setup::Order;
use super::speech::Speech;
use super::verdict::{merge, was_limit};
use super::watch::{Phase, Watch};
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

/// Carries out a plan once.
///
/// # Errors
/// [`Error`], when it came to no outcome. Losses, disconnections and refusals within the load are part of the outcome.
pub fn run(plan: &Plan, target: &Target, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    scenario::run(Stage { plan, target, speech: Speech::of(plan.protocol), tag: tag() }, watch)
}

/// Where a run takes place.
pub struct Stage<'a> {
    pub plan: &'a Plan,
    pub target: &'a Target,
    pub speech: Speech,
    /// In all names of this run.
    pub tag: String,
}

/// A run under way.
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub crew: Crew,
    watch: &'a mut dyn Watch,
    pid: Option<u32>,
    before: Option<Reading>,
    settled: u64,
    /// Connections, if all goes well.
    connections: u64,
}

impl<'a> Run<'a> {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`Error::Descriptors`] and [`Error::Machine`].
    pub fn begin(stage: &Stage<'a>, mut cast: Cast, watch: &'a mut dyn Watch) -> Result<Run<'a>, Error> {
        let Stage { plan, target, speech, .. } = *stage;
        cast.count_receivers(plan.threads, speech.has_echo());
        let connections = cast.roles.len() as u64;
        let needed = limits::descriptors(cast.roles.len(), cast.sockets_each(), plan.threads);
        if let Some(limit) = descriptors::raise_limit().filter(|limit| *limit < needed) {
            return Err(Error::Descriptors { needed, limit });
        }
        let before = target.pid.and_then(|pid| probe::of(pid).read());
        let crew = Crew::start(plan, target, speech, cast)?;
        Ok(Run { plan, crew, watch, pid: target.pid, before, settled: 0, connections })
    }

    /// Everybody connects and logs in, and enters their room.
    pub fn appear(&mut self, enter: bool) -> Result<(), Error> {
        self.log_in(LOG_INS_AT_ONCE, enter, false)
    }

    /// Everybody connects and logs in, so many at one time; and that is what is measured.
    pub fn storm(&mut self, at_once: usize) -> Result<(), Error> {
        self.log_in(at_once, false, true)
    }

    fn log_in(&mut self, at_once: usize, enter: bool, measured: bool) -> Result<(), Error> {
        let at_once = at_once.div_ceil(self.plan.threads);
        self.crew.order(&Order::Appear { at_once, enter, measured });
        self.await_all(STANDSTILL, "connecting and logging in", |done, of| Phase::Connecting { done, of })
    }

    /// Everybody enters their room at one time.
    pub fn enter(&mut self) -> Result<(), Error> {
        self.crew.order(&Order::Enter);
        self.await_all(STANDSTILL, "entering the room", |done, of| Phase::Connecting { done, of })
    }

    /// Everybody gets a binding for datagrams.
    pub fn bind(&mut self) -> Result<(), Error> {
        self.crew.order(&Order::Bind);
        self.await_all(STANDSTILL, "binding a datagram address", |done, of| Phase::Connecting { done, of })
    }

    /// Everybody who has a relay to send to opens it.
    pub fn call(&mut self) -> Result<(), Error> {
        self.crew.order(&Order::Call);
        self.await_all(STANDSTILL, "opening relays", |_, _| Phase::Settling)
    }

    /// Everybody has an answer to a question, and so all that was under way before it.
    pub fn settle(&mut self) -> Result<(), Error> {
        self.settle_within(STANDSTILL)
    }

    fn settle_within(&mut self, patience: Duration) -> Result<(), Error> {
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
                News::Second(_) | News::Nothing => {}
            }
            self.check_cancelled()?;
            let done = self.crew.ready();
            self.watch.phase(phase(done, of));
            let now = (done, self.crew.sum(|meter| &meter.arrived));
            if seen != now {
                (seen, since) = (now, Instant::now());
            }
            if since.elapsed() > patience {
                return Err(Error::NoAnswer { missing: of.saturating_sub(done), doing });
            }
        }
        Ok(())
    }

    fn check_cancelled(&self) -> Result<(), Error> {
        if self.watch.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// What the server's process has used so far.
    pub fn read_server(&self) -> Option<Reading> {
        self.pid.and_then(|pid| probe::of(pid).read())
    }

    /// What it used between two readings.
    pub fn used(&self, from: Option<Reading>, to: Option<Reading>) -> Option<ServerUse> {
        let memory_before = self.before.map_or(0, |reading| reading.memory);
        Some(used_between(from?, to?, memory_before, self.connections))
    }

    /// Lets the load be, for the warm-up and the measured time, and looks at the server meanwhile.
    pub fn be_idle(&mut self) -> Result<(Option<ServerUse>, Vec<Sample>), Error> {
        let clock = self.crew.setup.clock;
        let timeline = Timeline::new(clock.now(), self.plan.warmup, self.plan.duration);
        let mut measure = Measure::new(self.pid.map(probe::of), self.before, timeline.clone());
        while measure.next_look().is_some() {
            self.crew.wait(measure.patience(clock.now(), TICK))?;
            self.check_cancelled()?;
            let now = clock.now();
            measure.look(now);
            self.watch.phase(phase_at(now, &timeline, || 0));
        }
        let samples = measure.quiet_samples();
        samples.iter().for_each(|sample| self.watch.sample(sample));
        Ok((measure.server_use(self.connections), samples))
    }

    /// Messages, and everything that is counted of them.
    pub fn talk(mut self, pace: Pace, churn_per_second: f64) -> Result<Outcome, Error> {
        let clock = self.crew.setup.clock;
        let timeline = Timeline::new(clock.now() + RUN_UP, self.plan.warmup, self.plan.duration);
        let mut measure = Measure::new(self.pid.map(probe::of), self.before, timeline.clone());
        self.crew.order(&Order::Talk { pace, timeline: timeline.clone(), churn_per_second });
        self.measure(&mut measure, &timeline)?;
        self.drain()?;
        let gone = self.crew.sum(|meter| &meter.gone);
        let server = measure.server_use(self.connections.saturating_sub(gone));
        let mut outcome = self.finish()?;
        outcome.measured = Duration::from_nanos(timeline.measured.end - timeline.measured.start);
        outcome.server = server;
        outcome.samples = measure.samples;
        outcome.generator.was_limit = was_limit(&outcome, matches!(pace, Pace::Rate(_)));
        Ok(outcome)
    }

    /// Hangs up. The outcome has what the threads know.
    pub fn finish(self) -> Result<Outcome, Error> {
        Ok(merge(self.crew.finish()?))
    }

    /// Looks on until everything has arrived, or nothing more does.
    fn measure<P: Probe>(&mut self, measure: &mut Measure<P>, timeline: &Timeline) -> Result<(), Error> {
        let clock = self.crew.setup.clock;
        let (mut threads, mut arrived, mut since) = (0, 0, clock.now());
        while threads < self.plan.threads {
            match self.crew.wait(measure.patience(clock.now(), TICK))? {
                News::Done => threads += 1,
                News::Second(second) => measure.second(second, &self.crew, self.watch),
                News::Nothing => {}
            }
            self.check_cancelled()?;
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
        match self.settle_within(self.plan.patience) {
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

/// Different for each run of each process.
fn tag() -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    cast::tag(u64::from(std::process::id()) * 16 + RUNS.fetch_add(1, Ordering::Relaxed))
}
