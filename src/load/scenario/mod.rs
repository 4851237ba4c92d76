//! The scenarios: for each, who takes part and what happens in which order. Each is one page; what they have in common is
//! [`Run`](super::run::Run).

mod churn;
mod connect;
mod idle;
mod join;
mod mixed;
mod relay;
mod rooms;
mod slow;

use super::error::Error;
use super::outcome::Outcome;
use super::plan::Scenario;
use super::run::Stage;
use super::watch::Watch;

pub fn run(stage: Stage<'_>, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    if stage.plan.threads == 0 {
        return Err(Error::Plan("there must be at least one thread".into()));
    }
    match &stage.plan.scenario {
        Scenario::Rooms(rooms) => rooms::run(&stage, rooms, watch),
        Scenario::Relay(relay) => relay::run(&stage, relay, watch),
        Scenario::Connect(connect) => connect::run(&stage, connect, watch),
        Scenario::Join(join) => join::run(&stage, join, watch),
        Scenario::Idle(idle) => idle::run(&stage, idle, watch),
        Scenario::Slow(slow) => slow::run(&stage, slow, watch),
        Scenario::Churn(churn) => churn::run(&stage, churn, watch),
        Scenario::Mixed(mixed) => mixed::run(&stage, mixed, watch),
    }
}

/// For scenarios that a floor cannot take part in.
fn needs_sessions(stage: &Stage<'_>) -> Result<(), Error> {
    if stage.speech.has_sessions() {
        return Ok(());
    }
    Err(Error::Plan("a floor has no log-ins and no rooms: it takes part in `rooms` and `slow` alone".into()))
}
