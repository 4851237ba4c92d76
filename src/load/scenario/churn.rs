//! Members of rooms talk, while visitors leave and come back: on the same connection, and on a new one, in turn.

use crate::load::cast::{Cast, Part};
use crate::load::error::Error;
use crate::load::outcome::Outcome;
use crate::load::plan::Churn;
use crate::load::run::{Run, Stage};
use crate::load::watch::Watch;

pub fn run(stage: &Stage<'_>, churn: &Churn, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    super::needs_sessions(stage)?;
    let mut cast = Cast::rooms(stage.plan, &churn.rooms, stage.speech, &stage.tag)?;
    add_visitors(&mut cast, stage, churn.visitors);
    let mut run = Run::begin(stage, cast, watch)?;
    run.appear(true)?;
    run.settle()?;
    run.talk(churn.rooms.pace, churn.per_second)
}

/// Adds clients who come and go, spread over the rooms.
pub fn add_visitors(cast: &mut Cast, stage: &Stage<'_>, visitors: usize) {
    for visitor in 0..visitors {
        let room = (visitor % cast.rooms.len().max(1)) as u32;
        let number = cast.add(&stage.tag, visitor % stage.plan.threads, Some(room), 0..0);
        cast.roles.get_mut(number as usize).into_iter().for_each(|role| role.part = Part::Visitor);
    }
}
