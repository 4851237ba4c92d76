//! Relays: a call, its answer, and from then on a route for payload that the hub never sees.
//!
//! ```text
//!   open ──▶ Ringing ──accept──▶ Open ──close, or one side leaves──▶ gone
//!               └──decline, close, time-out, or one side leaves────▶ gone
//! ```

use super::channel::{Channel, ChannelId};
use super::paths::{PathRole, Search};
use super::{
    Asker, Effect, Effects, Event, Hub, Outcome, Purpose, Refusal, RelayEnd, Reply, RequestId, SessionId,
};
use std::time::Instant;

pub(super) struct Relay {
    pub caller: SessionId,
    pub callee: SessionId,
    payload_max: u16,
    pub state: State,
}

pub(super) enum State {
    /// The caller's request waits for its answer until the deadline.
    Ringing {
        request: RequestId,
        deadline: Instant,
    },
    Open {
        search: Search,
    },
}

/// Where payload goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    pub to: SessionId,
    /// The longest payload of one frame, in bytes.
    pub payload_max: u16,
}

impl Relay {
    pub fn is_of(&self, session: SessionId) -> bool {
        self.other(session).is_some()
    }

    pub fn role(&self, session: SessionId) -> Option<PathRole> {
        match session {
            s if s == self.caller => Some(PathRole::Caller),
            s if s == self.callee => Some(PathRole::Callee),
            _ => None,
        }
    }

    fn other(&self, session: SessionId) -> Option<SessionId> {
        match session {
            s if s == self.caller => Some(self.callee),
            s if s == self.callee => Some(self.caller),
            _ => None,
        }
    }
}

impl Hub {
    /// Where payload from `from` on `relay` goes. The payload itself takes its own path: it is borrowed from the
    /// sender's read buffer and written to the peer's socket.
    ///
    /// # Errors
    /// [`Refusal::NoSuchRelay`] unless both have agreed to it and neither has closed it.
    pub fn route(&self, from: SessionId, relay: ChannelId) -> Result<Route, Refusal> {
        let relay = self.channels.relay(relay).ok_or(Refusal::NoSuchRelay)?;
        match (&relay.state, relay.other(from)) {
            (State::Open { .. }, Some(to)) => Ok(Route { to, payload_max: relay.payload_max }),
            _ => Err(Refusal::NoSuchRelay),
        }
    }

    pub(super) fn open_relay(
        &mut self,
        asker: Asker,
        to: &str,
        purpose: Purpose,
        fx: &mut impl Effects,
    ) -> Outcome {
        let per_user = self.limits.relays_per_user_max;
        let caller = self.user(asker.user)?;
        if self.hidden_peer(asker, to).is_some() {
            return Err(Refusal::TakesNoRelays); // its ends would learn of each other
        }
        let callee_key = self.peer(asker, to)?;
        let callee = self.user(callee_key)?;
        let reached = callee.reached(callee_key);
        let callee_session = reached.session;
        let payload_max = caller.payload_max_at(asker.session).min(reached.payload_max);
        if payload_max == 0 {
            return Err(Refusal::TakesNoRelays);
        }
        if caller.relays().len() >= per_user {
            return Err(Refusal::TooManyRelays { relays_max: per_user });
        }
        if callee.relays().len() >= per_user {
            return Err(Refusal::PeerHasTooManyRelays);
        }
        if self.channels.relays_len() >= self.limits.relays_max {
            return Err(Refusal::TooManyRelaysOnServer);
        }
        let deadline = asker.now.monotonic + self.limits.relay_answer_time;
        let state = State::Ringing { request: asker.request, deadline };
        let relay = Relay { caller: asker.session, callee: callee_session, payload_max, state };
        let channel = self.channels.insert(Channel::Relay(relay)).ok_or(Refusal::TooManyRelaysOnServer)?;
        self.ringing.insert((deadline, channel));
        self.user_mut(asker.user)?.rare_mut().relays.push(channel);
        self.user_mut(callee_key)?.rare_mut().relays.push(channel);
        let from = self.user(asker.user)?.person(asker.user);
        send(callee_session, asker.session, channel, Event::Offered { from, purpose, payload_max }, fx);
        send(asker.session, asker.session, channel, Event::Ringing { request: asker.request }, fx);
        Ok(())
    }

    pub(super) fn accept(&mut self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        let relay = self.ringing_for(asker)?;
        let (caller, payload_max) = (relay.caller, relay.payload_max);
        let open = State::Open { search: Search::default() };
        let State::Ringing { request, deadline } = std::mem::replace(&mut relay.state, open) else {
            return Err(Refusal::NoSuchRelay);
        };
        self.ringing.remove(&(deadline, asker.channel));
        let peer = self.user(asker.user)?.name.shown();
        // The callee first: it may send as soon as it knows, and the caller hears of the relay before any payload.
        asker.done(fx);
        let reply = Reply::Opened { peer, payload_max };
        let (cause, channel) = (asker.session, asker.channel);
        fx.emit(Effect::Reply { to: caller, cause, request, channel, reply });
        Ok(())
    }

    pub(super) fn decline(&mut self, asker: Asker, text: &str, fx: &mut impl Effects) -> Outcome {
        self.check_text_or_empty(text, self.limits.text_bytes_max)?;
        self.ringing_for(asker)?;
        let relay = self.remove_relay(asker.channel).ok_or(Refusal::NoSuchRelay)?;
        relay.answer_caller(asker.channel, Reply::Declined { text }, fx);
        asker.done(fx);
        Ok(())
    }

    pub(super) fn close_relay(&mut self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        let relay = self.channels.relay(asker.channel).ok_or(Refusal::NoSuchRelay)?;
        if !relay.is_of(asker.session) {
            return Err(Refusal::NoSuchRelay);
        }
        if matches!(relay.state, State::Ringing { .. }) && asker.session == relay.callee {
            return self.decline(asker, "", fx);
        }
        self.end_relay(asker.session, asker.channel, RelayEnd::Done, fx);
        asker.done(fx);
        Ok(())
    }

    pub(super) fn give_up_ringing(&mut self, channel: ChannelId, fx: &mut impl Effects) {
        let Some(relay) = self.remove_relay(channel) else { return };
        relay.answer_caller(channel, Reply::Refused(Refusal::NoAnswer), fx);
        let event = Event::RelayClosed { why: RelayEnd::NoAnswer };
        send(relay.callee, relay.caller, channel, event, fx);
    }

    /// One side ends a relay in whatever state it is; the other side, and a request that waits, are told.
    pub(super) fn end_relay(
        &mut self,
        by: SessionId,
        channel: ChannelId,
        why: RelayEnd,
        fx: &mut impl Effects,
    ) {
        let Some(relay) = self.remove_relay(channel) else { return };
        let Some(to) = relay.other(by) else { return };
        let why = match relay.state {
            State::Ringing { .. } if by == relay.callee => {
                return relay.answer_caller(channel, Reply::Refused(Refusal::PeerLeft), fx);
            }
            State::Ringing { .. } => {
                relay.answer_caller(channel, Reply::Refused(Refusal::Cancelled), fx);
                RelayEnd::Cancelled
            }
            State::Open { .. } => why,
        };
        send(to, by, channel, Event::RelayClosed { why }, fx);
    }

    fn remove_relay(&mut self, channel: ChannelId) -> Option<Relay> {
        self.channels.relay(channel)?;
        let Some(Channel::Relay(relay)) = self.channels.remove(channel) else { return None };
        if let State::Ringing { deadline, .. } = relay.state {
            self.ringing.remove(&(deadline, channel));
        }
        for session in [relay.caller, relay.callee] {
            let user = self.user_of(session);
            if let Some(rare) = self.users.get_mut(&user).and_then(|user| user.rare.as_mut()) {
                rare.relays.retain(|&held| held != channel);
            }
        }
        Some(relay)
    }

    /// A call to the asker that has not been answered yet.
    fn ringing_for(&mut self, asker: Asker) -> Result<&mut Relay, Refusal> {
        let relay = self.channels.relay_mut(asker.channel).ok_or(Refusal::NoSuchRelay)?;
        if relay.callee == asker.session && matches!(relay.state, State::Ringing { .. }) {
            Ok(relay)
        } else {
            Err(Refusal::NoSuchRelay)
        }
    }

    pub(super) fn audit_relays(&self) -> Result<(), String> {
        let mut ringing = 0;
        for (channel, relay) in self.channels.relays() {
            for session in [relay.caller, relay.callee] {
                let held = self
                    .users
                    .get(&self.user_of(session))
                    .map_or(0, |user| user.relays().iter().filter(|&&held| held == channel).count());
                if held != 1 {
                    return Err(format!("relay {channel:?} is held {held} times by one of its ends"));
                }
            }
            if let State::Ringing { deadline, .. } = relay.state {
                ringing += 1;
                if !self.ringing.contains(&(deadline, channel)) {
                    return Err(format!("call {channel:?} rings without a deadline"));
                }
            }
        }
        if ringing != self.ringing.len() {
            return Err(format!("{ringing} calls ring, {} have deadlines", self.ringing.len()));
        }
        Ok(())
    }
}

fn send(to: SessionId, cause: SessionId, channel: ChannelId, event: Event<'_>, fx: &mut impl Effects) {
    fx.emit(Effect::Send { to, cause, channel, room: None, event });
}

impl Relay {
    /// The answer to a call that was not taken.
    fn answer_caller(&self, channel: ChannelId, reply: Reply<'_>, fx: &mut impl Effects) {
        let State::Ringing { request, .. } = self.state else { return };
        fx.emit(Effect::Reply { to: self.caller, cause: self.callee, request, channel, reply });
    }
}
