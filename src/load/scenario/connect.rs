//! A storm of log-ins: everybody connects and logs in, so many at one time, and stays. There are no messages: a delivery is
//! a log-in, its latency the time from connect(2) to the server's welcome, and the measured time ends with the last one.

use super::idle::silent_cast;
use crate::load::error::Error;
use crate::load::outcome::{Counts, Figure, Outcome};
use crate::load::plan::Connect;
use crate::load::run::{Run, Stage};
use crate::load::verdict::was_limit;
use crate::load::watch::Watch;
use std::time::Duration;

pub fn run(stage: &Stage<'_>, connect: &Connect, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    super::needs_sessions(stage)?;
    let mut run = Run::begin(stage, silent_cast(stage, connect.clients)?, watch)?;
    let clock = run.crew.setup.clock;
    let (from, began) = (run.read_server(), clock.now());
    run.storm(connect.at_once.max(1))?;
    let (ended, to) = (clock.now(), run.read_server());
    let server = run.used(from, to);
    let mut outcome = run.finish()?;
    let clients = connect.clients as u64;
    outcome.counts = Counts {
        offered: clients,
        sent: clients,
        delivered: clients,
        expected: clients,
        arrived: clients,
        ..outcome.counts
    };
    outcome.measured = Duration::from_nanos(ended - began);
    outcome.server = server;
    outcome.figures.push(Figure {
        name: "logged_in_per_second",
        value: clients as f64 / outcome.measured.as_secs_f64(),
        unit: "1/s",
        meaning: "log-ins, from the first connect to the last welcome",
    });
    outcome.generator.was_limit = was_limit(&outcome, false);
    Ok(outcome)
}
