//! Pairs exchange payload over a relay, one way: from the caller to who took the call. Without sessions there are no
//! calls: connections are pairs in the order in which they were made, as a bare pump takes them.

use crate::load::cast::{Audience, Cast, check_payload};
use crate::load::error::Error;
use crate::load::marker;
use crate::load::outcome::{Figure, Outcome};
use crate::load::plan::{Relay, Transport};
use crate::load::run::{Run, Stage};
use crate::load::speech::Speech;
use crate::load::watch::Watch;

pub fn run(stage: &Stage<'_>, relay: &Relay, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    if stage.speech == Speech::Irc {
        return Err(Error::Plan("only the native protocol has relays".into()));
    }
    if relay.pairs == 0 || relay.pairs > marker::STREAMS_MAX {
        return Err(Error::Plan(format!("{} pairs; there can be 1 to {}", relay.pairs, marker::STREAMS_MAX)));
    }
    check_payload(relay.payload, stage.speech)?;
    if relay.transport == Transport::Udp {
        return Err(Error::Plan("relays over UDP are not there yet".into()));
    }
    let mut cast = Cast { payload: relay.payload, ..Cast::default() };
    for pair in 0..relay.pairs {
        let thread = pair % stage.plan.threads;
        let caller = cast.add(&stage.tag, thread, None, 0..0);
        let callee = cast.add(&stage.tag, thread, None, 0..0);
        let stream = cast.add_stream(caller, Audience::Relay(callee), callee);
        cast.rotation.push(stream);
    }
    let mut run = Run::begin(stage, cast, watch)?;
    run.appear(false)?;
    if stage.speech.has_sessions() {
        run.call()?;
    }
    run.settle()?;
    let mut outcome = run.talk(relay.pace, 0.0)?;
    let bytes = outcome.counts.delivered as f64 * relay.payload as f64;
    outcome.figures.push(Figure {
        name: "payload_bytes_per_second",
        value: bytes / outcome.measured.as_secs_f64(),
        unit: "B/s",
        meaning: "payload that came out of all relays together",
    });
    Ok(outcome)
}
