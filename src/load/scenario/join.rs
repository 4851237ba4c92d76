//! Everybody logs in first, and then enters one room at one time. It ends when everybody is in and knows of everybody else.
//! There are no messages: a delivery is one occupant being told that another has entered, and a latency the time from the
//! request to the answer that one is in.

use super::idle::silent_cast;
use crate::load::error::Error;
use crate::load::outcome::{Figure, Outcome};
use crate::load::plan::Join;
use crate::load::run::{Run, Stage};
use crate::load::verdict::was_limit;
use crate::load::watch::Watch;
use std::time::Duration;

pub fn run(stage: &Stage<'_>, join: &Join, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    super::needs_sessions(stage)?;
    let mut cast = silent_cast(stage, join.members)?;
    cast.rooms.push(format!("#b{}", stage.tag));
    cast.roles.iter_mut().for_each(|role| role.room = Some(0));
    let mut run = Run::begin(stage, cast, watch)?;
    run.appear(false)?;
    run.settle()?;
    let clock = run.crew.setup.clock;
    let (from, began) = (run.read_server(), clock.now());
    run.enter()?;
    let (ended, to) = (clock.now(), run.read_server());
    let server = run.used(from, to);
    let mut outcome = run.finish()?;
    outcome.measured = Duration::from_nanos(ended - began);
    outcome.server = server;
    outcome.figures.push(Figure {
        name: "joined_seconds",
        value: outcome.measured.as_secs_f64(),
        unit: "s",
        meaning: "from the first request until everybody is in and knows of everybody else",
    });
    outcome.generator.was_limit = was_limit(&outcome, false);
    Ok(outcome)
}
