//! What `switchboard bench` does: runs that repeat, alternate between two servers, or search for the highest rate.

use super::child::Launcher;
use super::contender::{self, Contender, Place};
use super::find_max::{Search, Verdict};
use super::probe::system_calls::SystemCalls;
use super::progress::Progress;
use super::report::{Machine, Measured, Report, Searched};
use super::slo::Slo;
use super::words::number;
use super::{Error, Outcome, Plan, Target, Watch};
use std::fmt;
use std::net::SocketAddr;

/// One run; [`super::run()`], or what a test puts in its place.
pub type Run = fn(&Plan, &Target, &mut dyn Watch) -> Result<Outcome, Error>;

pub struct Bench<'a> {
    pub plan: Plan,
    /// One, or two that are compared.
    pub contenders: Vec<Contender>,
    /// Runs of each.
    pub repeat: usize,
    pub find_max: Option<FindMax>,
    pub count_system_calls: bool,
    /// As it is before anything is held to a part of its cores.
    pub machine: Machine,
    pub launcher: Launcher<'a>,
    pub run: Run,
}

/// The highest rate that holds.
#[derive(Clone, PartialEq, Debug)]
pub struct FindMax {
    pub slo: Slo,
    /// Where to begin, in messages a second.
    pub start: f64,
}

/// Why there is no report.
#[derive(Debug)]
pub enum Failure {
    Contender(contender::Error),
    /// With which of two servers it was, and how that ended, if it did.
    Run {
        label: Option<String>,
        error: Error,
        obituary: Option<String>,
    },
    /// Not even at the lowest rate that was tried.
    NothingHeld {
        slo: String,
        lowest: f64,
        why: String,
    },
    Cancelled,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Contender(error) => error.fmt(f),
            Failure::Run { label, error, obituary } => {
                if let Some(label) = label {
                    write!(f, "{label}: ")?;
                }
                write!(f, "{error}")?;
                if let Some(how) = obituary { write!(f, "; {how}") } else { Ok(()) }
            }
            Failure::NothingHeld { slo, lowest, why } => {
                let lowest = number(*lowest);
                write!(f, "{slo} held at none of the rates that were tried, down to {lowest} a second: {why}")
            }
            Failure::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<contender::Error> for Failure {
    fn from(error: contender::Error) -> Self {
        match error {
            contender::Error::Child(super::child::Error::Cancelled) => Failure::Cancelled,
            error => Failure::Contender(error),
        }
    }
}

impl Bench<'_> {
    /// All of the runs, and what they add up to.
    ///
    /// # Errors
    /// [`Failure`], when a run did not come to its end.
    pub fn measure(&self, progress: &mut Progress) -> Result<Report, Failure> {
        let mut report = Report::of(self.plan.clone(), self.machine.clone());
        for contender in &self.contenders {
            report.measured.push(Measured::of(contender));
        }
        match &self.find_max {
            Some(find_max) => self.search(find_max, &mut report, progress)?,
            None => self.alternate(&mut report, progress)?,
        }
        progress.done();
        Ok(report)
    }

    /// A B A B …, so that what changes on the machine in the meantime changes for both.
    fn alternate(&self, report: &mut Report, progress: &mut Progress) -> Result<(), Failure> {
        let runs = self.repeat * self.contenders.len();
        for round in 0..self.repeat {
            for (i, contender) in self.contenders.iter().enumerate() {
                let n = round * self.contenders.len() + i + 1;
                progress.begin(match runs {
                    1 => contender.label.clone(),
                    _ => format!("{} ({n} of {runs})", contender.label),
                });
                let outcome = self.once(&self.plan, contender, report, progress)?;
                if let Some(measured) = report.measured.get_mut(i) {
                    measured.outcomes.push(outcome);
                }
            }
        }
        Ok(())
    }

    /// Runs on a server that nobody has used before, if it is ours to start.
    fn once(
        &self,
        plan: &Plan,
        contender: &Contender,
        report: &mut Report,
        progress: &mut Progress,
    ) -> Result<Outcome, Failure> {
        let plan = Plan { protocol: contender.protocol, ..plan.clone() };
        let mut running = contender.start(&plan, &self.launcher)?;
        if let Place::Command { .. } = contender.place {
            report.note(turn_to_listener(&mut running.target));
        }
        report.note(note_on(&running.target));
        if let Place::Running { address, pid: Some(told) } = contender.place {
            report.note(wrong_process(&contender.label, told, address));
        }
        if self.count_system_calls {
            match running.target.pid.map(SystemCalls::of) {
                Some(Ok(calls)) => progress.count(calls),
                Some(Err(why)) => report.note(Some(why.to_string())),
                None => {}
            }
        }
        match (self.run)(&plan, &running.target, progress) {
            Ok(mut outcome) => {
                if let (Some(server), Some(calls)) = (&mut outcome.server, progress.counted()) {
                    server.system_calls = Some(calls);
                }
                contender.stop(running)?;
                Ok(outcome)
            }
            Err(Error::Cancelled) => Err(Failure::Cancelled),
            Err(error) => {
                let obituary = running.obituary();
                let label = (self.contenders.len() > 1).then(|| contender.label.clone());
                Err(Failure::Run { label, error, obituary })
            }
        }
    }

    fn search(
        &self,
        find_max: &FindMax,
        report: &mut Report,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let Some(contender) = self.contenders.first() else { return Ok(()) };
        let mut search = Search::from(find_max.start);
        let mut best = None;
        while let Some(rate) = search.next() {
            let Some(plan) = self.plan.at_rate(rate) else { break };
            let shown = number(rate);
            let again = if search.is_confirming() { ", once more" } else { "" };
            progress.begin(format!("{} at {shown} messages a second{again}", contender.label));
            let verdict = match self.once(&plan, contender, report, progress) {
                Ok(outcome) => {
                    let verdict = judge(&find_max.slo, &outcome);
                    if verdict == Verdict::Held {
                        best = Some((plan, outcome));
                    }
                    verdict
                }
                // Or the server could be talked to before.
                Err(Failure::Run { error, .. }) if is_of_the_rate(&error) || best.is_some() => {
                    Verdict::Broke(error.to_string())
                }
                Err(failure) => return Err(failure),
            };
            progress.say(&match &verdict {
                Verdict::Held => format!("{shown} messages a second: held"),
                Verdict::Broke(why) => format!("{shown} messages a second: did not hold: {why}"),
                Verdict::GeneratorWasLimit(sentence) => {
                    format!("{shown} messages a second: cannot be told: {sentence}")
                }
            });
            search.tell(verdict);
        }
        // Of what held and then did not hold again nothing is to be shown.
        let best = best.filter(|_| search.held().is_some());
        let Some((plan, outcome)) = best else {
            let why = match search.lowest().map(|step| &step.verdict) {
                Some(Verdict::Broke(why)) => why.clone(),
                Some(Verdict::GeneratorWasLimit(why)) => format!("it cannot be told, as {why}"),
                Some(Verdict::Held) | None => "it held by luck, and did not do so again".into(),
            };
            let lowest = search.lowest().map_or(find_max.start, |step| step.rate);
            return Err(Failure::NothingHeld { slo: find_max.slo.to_string(), lowest, why });
        };
        report.plan = plan;
        if let Some(measured) = report.measured.first_mut() {
            measured.outcomes.push(outcome);
        }
        report.searched = Some(Searched { slo: find_max.slo.to_string(), search });
        Ok(())
    }
}

/// A generator that was behind adds to latencies and takes nothing away: what held all the same has held. What did not is
/// not the server's fault, unless it lost something.
fn judge(slo: &Slo, outcome: &Outcome) -> Verdict {
    match (slo.broken_by(outcome), &outcome.generator.was_limit) {
        (None, _) => Verdict::Held,
        (Some(breach), Some(sentence)) if breach.may_be_lateness => {
            Verdict::GeneratorWasLimit(sentence.clone())
        }
        (Some(breach), _) => Verdict::Broke(breach.why),
    }
}

/// Whether a run that came to no outcome would have come to one at a lower rate.
fn is_of_the_rate(error: &Error) -> bool {
    matches!(error, Error::Backlog { .. } | Error::NumbersUsedUp)
}

/// A process that was named and does not listen there, though one does that can be seen.
fn wrong_process(label: &str, told: u32, address: SocketAddr) -> Option<String> {
    let listeners = super::probe::listeners_of(address);
    let listener = listeners.first().filter(|_| !listeners.contains(&told))?;
    Some(format!(
        "{label}: --pid {told} is not the process that listens on {address}, which is {listener}: CPU and memory may be \
         somebody else's"
    ))
}

/// A command may become a process that only waits for the server, as `sh -c 'server | log'` does: then it is who listens
/// that is read.
fn turn_to_listener(target: &mut Target) -> Option<String> {
    let started = target.pid?;
    let listeners = super::probe::listeners_of(target.address);
    let listener = *listeners.first().filter(|_| !listeners.contains(&started))?;
    target.pid = Some(listener);
    Some(format!(
        "{}: process {started}, which its command became, does not listen on {}, but {listener}, probably a child of it: \
         CPU and memory are those of {listener} alone; `exec` in front of the server makes the two one",
        target.label, target.address
    ))
}

/// What cannot be known of it.
fn note_on(target: &Target) -> Option<String> {
    match target.pid {
        None => Some(format!(
            "{}: its process was not found on this machine, so nothing is known of its CPU and memory; --pid names it",
            target.label
        )),
        Some(pid) => super::probe::why_blind(pid).map(|why| format!("{}: {why}", target.label)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Pace, Protocol};
    use super::super::report::tests as example;
    use super::*;
    use std::net::TcpListener;
    use std::path::Path;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    #[test]
    fn a_late_generator_excuses_latencies_and_no_losses() {
        let slo: Slo = "p50<1us,lost<=1".parse().expect("conditions");
        let mut outcome = example::outcome(1.0);
        outcome.generator.was_limit = Some("it was behind".into());
        assert_eq!(judge(&slo, &outcome), Verdict::GeneratorWasLimit("it was behind".into()));
        outcome.counts.lost = 2;
        assert_eq!(judge(&slo, &outcome), Verdict::Broke("2 lost".into()));
    }

    /// A server that does not read as fast as this.
    fn up_to_fifty(plan: &Plan, _: &Target, _: &mut dyn Watch) -> Result<Outcome, Error> {
        match plan.scenario.pace() {
            Some(Pace::Rate(rate)) if rate <= 50.0 => Ok(example::outcome(1.0)),
            _ => Err(Error::Backlog { who: "b".into(), bytes: 1 }),
        }
    }

    fn search(start: f64, run: Run) -> Result<Report, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let bench = Bench {
            plan: example::plan(),
            contenders: vec![Contender::new(Place::Running { address, pid: None }, Protocol::Native)],
            repeat: 1,
            find_max: Some(FindMax { slo: "max<1s".parse().expect("a condition"), start }),
            count_system_calls: false,
            machine: Machine::this(),
            launcher: Launcher { switchboard: Path::new(""), core: None, cancelled: &AtomicBool::new(false) },
            run,
        };
        bench.measure(&mut Progress::new(Duration::ZERO, Default::default()))
    }

    #[test]
    fn a_search_that_begins_too_high_goes_down_until_a_rate_holds() {
        let report = search(1_000.0, up_to_fifty).expect("a rate that holds");
        let held = report.searched.and_then(|searched| searched.search.held());
        assert!(held.is_some_and(|held| (45.0..=50.0).contains(&held)), "{held:?}");
    }

    #[test]
    fn a_search_that_finds_nothing_says_down_to_where_it_looked() {
        let never: Run = |_, _, _| Err(Error::Backlog { who: "b".into(), bytes: 1 });
        let failure = search(64.0, never).map(|_| ()).expect_err("nothing holds").to_string();
        assert!(
            failure.contains("max<1s held at none of the rates that were tried, down to 1 a second: "),
            "{failure}"
        );
    }
}
