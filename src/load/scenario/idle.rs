//! Logged in, and silent. The warm-up is the time in which the server may tidy up; then its memory and its CPU are those of
//! clients who do nothing.

use crate::load::cast::Cast;
use crate::load::error::Error;
use crate::load::outcome::{Figure, Outcome};
use crate::load::plan::Idle;
use crate::load::run::{Run, Stage};
use crate::load::watch::Watch;

pub fn run(stage: &Stage<'_>, idle: &Idle, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    super::needs_sessions(stage)?;
    let mut run = Run::begin(stage, silent_cast(stage, idle.clients)?, watch)?;
    run.appear(false)?;
    run.settle()?;
    let (server, samples) = run.be_idle()?;
    let mut outcome = run.finish()?;
    (outcome.server, outcome.samples, outcome.measured) = (server, samples, stage.plan.duration);
    if let Some(server) = &outcome.server {
        outcome.figures.push(Figure {
            name: "cpu_percent",
            value: 100.0 * server.cpu.as_secs_f64() / outcome.measured.as_secs_f64(),
            unit: "%",
            meaning: "of a core, while nobody said anything",
        });
    }
    if let Some(bytes) = outcome.memory_per_connection() {
        outcome.figures.push(Figure {
            name: "memory_per_connection",
            value: bytes,
            unit: "B",
            meaning: "anonymous memory that came with the connections; the kernel's is not in it",
        });
    }
    Ok(outcome)
}

/// Clients who send no messages.
pub fn silent_cast(stage: &Stage<'_>, clients: usize) -> Result<Cast, Error> {
    if clients == 0 {
        return Err(Error::Plan("there must be at least one client".into()));
    }
    let mut cast = Cast::default();
    for client in 0..clients {
        cast.add(&stage.tag, client % stage.plan.threads, None, 0..0);
    }
    Ok(cast)
}
