//! Members of rooms talk.

use crate::load::cast::Cast;
use crate::load::error::Error;
use crate::load::outcome::Outcome;
use crate::load::plan::Rooms;
use crate::load::run::{Run, Stage};
use crate::load::watch::Watch;

pub fn run(stage: &Stage<'_>, rooms: &Rooms, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    let cast = Cast::rooms(stage.plan, rooms, stage.speech, &stage.tag)?;
    let mut run = Run::begin(stage, cast, watch)?;
    run.appear(true)?;
    run.settle()?;
    run.talk(rooms.pace, 0.0)
}
