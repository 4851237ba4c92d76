//! Members of rooms talk, and part of those who do not send stop reading when the measured time begins. What the others
//! get is counted; what they cost the server is in its memory.

use crate::load::cast::{Cast, Part};
use crate::load::error::Error;
use crate::load::outcome::Outcome;
use crate::load::plan::Slow;
use crate::load::run::{Run, Stage};
use crate::load::watch::Watch;

pub fn run(stage: &Stage<'_>, slow: &Slow, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    let mut cast = Cast::rooms(stage.plan, &slow.rooms, stage.speech, &stage.tag)?;
    let listeners = slow.rooms.members - slow.rooms.senders;
    let stalled = listeners * usize::from(slow.stalled_percent.min(100)) / 100;
    if slow.rooms.members - stalled < 2 {
        return Err(Error::Plan("nobody would be left to hear anything".into()));
    }
    for room in cast.roles.chunks_mut(slow.rooms.members) {
        room.iter_mut().rev().take(stalled).for_each(|role| role.part = Part::Staller);
    }
    let mut run = Run::begin(stage, cast, watch)?;
    run.appear(true)?;
    run.settle()?;
    run.talk(slow.rooms.pace, 0.0)
}
