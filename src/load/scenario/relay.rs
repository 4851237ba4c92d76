//! Pairs exchange payload over a relay, one way: from the caller to who took the call.

use crate::load::cast::{Audience, Cast, check_payload};
use crate::load::datagrams;
use crate::load::error::Error;
use crate::load::marker;
use crate::load::outcome::{Figure, Outcome};
use crate::load::plan::{Relay, Transport};
use crate::load::run::{Run, Stage};
use crate::load::watch::Watch;

pub fn run(stage: &Stage<'_>, relay: &Relay, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    let Some(payload_max) = stage.speech.relay_max() else {
        return Err(Error::Plan("this protocol has no relays".into()));
    };
    let has_sessions = stage.speech.has_sessions();
    if !has_sessions && (stage.plan.threads > 1 || relay.transport == Transport::Udp) {
        let sentence = "a pump pairs connections as they come: one thread makes them, and over TCP alone";
        return Err(Error::Plan(sentence.into()));
    }
    if relay.pairs == 0 || relay.pairs > marker::STREAMS_MAX {
        return Err(Error::Plan(format!("{} pairs; there can be 1 to {}", relay.pairs, marker::STREAMS_MAX)));
    }
    let has_datagrams = relay.transport == Transport::Udp;
    check_payload(relay.payload, if has_datagrams { datagrams::PAYLOAD_MAX } else { payload_max })?;
    let mut cast = Cast { payload: relay.payload, has_datagrams, ..Cast::default() };
    for pair in 0..relay.pairs {
        let thread = pair % stage.plan.threads;
        let caller = cast.add(&stage.tag, thread, None, 0..0);
        let callee = cast.add(&stage.tag, thread, None, 0..0);
        let stream = cast.add_stream(caller, Audience::Relay(callee), callee);
        cast.rotation.push(stream);
    }
    let mut run = Run::begin(stage, cast, watch)?;
    run.appear(false)?;
    if has_sessions {
        run.call()?;
    }
    if has_datagrams {
        run.bind()?;
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
