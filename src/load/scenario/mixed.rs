//! A bit of everything: rooms of ten with one sender each, private messages, relays, and people who come and go. Of ten
//! messages eight go to rooms, one to somebody alone, and one through a relay; in IRC, which has no relays, nine and one.

use super::churn::add_visitors;
use crate::load::cast::{Audience, Cast, Stream};
use crate::load::error::Error;
use crate::load::outcome::Outcome;
use crate::load::plan::{Mixed, Pace, Rooms};
use crate::load::run::{Run, Stage};
use crate::load::speech::Speech;
use crate::load::watch::Watch;

/// Members of a room, and what they do: the first talks to the room, the second to the third alone, the fourth to the fifth
/// through a relay.
const MEMBERS: usize = Mixed::ROOM;
const PRIVATE: (u32, u32) = (1, 2);
const RELAY: (u32, u32) = (3, 4);

pub fn run(stage: &Stage<'_>, mixed: &Mixed, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    super::needs_sessions(stage)?;
    let count = mixed.rooms();
    let has_relays = stage.speech == Speech::Native;
    let pace = Pace::Rate(mixed.rate);
    let rooms =
        Rooms { rooms: count, members: MEMBERS, senders: 1, payload: mixed.payload, pace, named: None };
    let mut cast = Cast::rooms(stage.plan, &rooms, stage.speech, &stage.tag)?;
    let count = count as u32;
    for room in 0..count {
        let member = |(from, to): (u32, u32)| (room * MEMBERS as u32 + from, room * MEMBERS as u32 + to);
        let (by, to) = member(PRIVATE);
        cast.add_stream(by, Audience::Client(to), to);
        if has_relays {
            let (by, to) = member(RELAY);
            cast.add_stream(by, Audience::Relay(to), to);
        }
    }
    // In turn: what each kind has is gone through before it begins again.
    let streams = |of: fn(&Stream) -> bool| -> Vec<u32> {
        (0..).zip(&cast.streams).filter(|(_, stream)| of(stream)).map(|(id, _)| id).collect()
    };
    let to_rooms = streams(|stream| matches!(stream.to, Audience::Room(_)));
    let private = streams(|stream| matches!(stream.to, Audience::Client(_)));
    let relays = streams(|stream| matches!(stream.to, Audience::Relay(_)));
    let kinds = if has_relays { [&to_rooms, &relays, &private] } else { [&to_rooms, &to_rooms, &private] };
    let (mut turns, mut rotation) = ([0; 3], Vec::new());
    for n in 0..count as usize * 10 {
        let kind = (n % 10).saturating_sub(7); // eight of the first, then one of each other
        let (Some(of_kind), Some(turn)) = (kinds.get(kind), turns.get_mut(kind)) else { continue };
        rotation.extend(of_kind.get(*turn % of_kind.len().max(1)));
        *turn += 1;
    }
    cast.rotation = rotation;
    add_visitors(&mut cast, stage, mixed.visitors());
    let mut run = Run::begin(stage, cast, watch)?;
    run.appear(true)?;
    run.call()?;
    run.settle()?;
    run.talk(pace, mixed.churn_per_second)
}
