//! Takes the effects of a hub and keeps them, owned and in order, for a test to look at.
#![allow(dead_code)] // each test file uses its part

use std::collections::HashMap;
use switchboard::hub::{
    Address, ChannelId, Departure, Effect, Effects, Event, Observed, PathKey, PathRole, Refusal, RelayEnd,
    Reply, SessionId,
};

#[derive(Clone, PartialEq, Debug)]
pub enum Recorded {
    Reply { to: SessionId, request: u32, channel: ChannelId, answer: Answered },
    Send { to: SessionId, cause: SessionId, channel: ChannelId, event: Happened },
    Publish { channel: ChannelId, cause: SessionId, event: Happened },
    Subscribe { channel: ChannelId, session: SessionId },
    Unsubscribe { channel: ChannelId, session: SessionId },
}

#[derive(Clone, PartialEq, Debug)]
pub enum Answered {
    Done,
    Refused(Refusal),
    LoggedIn { name: String },
    Joined { room: String, occupants: usize, subject: Option<(String, String)> },
    Rooms(Vec<(String, usize)>, bool),
    Occupants(Vec<String>, bool),
    Peers(Vec<String>, bool),
    Peer { name: String, relays: bool, online_seconds: u64, heard_seconds: u64, addresses: Vec<Address> },
    Opened { peer: String, payload_max: u16 },
    Declined(String),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Happened {
    Said { by: String, text: String },
    Entered(String),
    Left { who: String, how: String },
    SubjectSet { by: String, text: String },
    Told { from: String, text: String },
    Offered { from: String, payload_max: u16 },
    Ringing { request: u32 },
    RelayClosed(RelayEnd),
    Paths { round: u8, role: PathRole, key: PathKey, addresses: Vec<Address> },
}

#[derive(Default)]
pub struct Recorder(pub Vec<Recorded>, pub World);

/// What the hub can ask its surroundings.
#[derive(Default)]
pub struct World {
    pub observed: HashMap<SessionId, Observed>,
    keys: u8,
}

impl Recorder {
    pub fn take(&mut self) -> Vec<Recorded> {
        std::mem::take(&mut self.0)
    }
}

impl Effects for Recorder {
    fn emit(&mut self, effect: Effect<'_>) {
        self.0.push(match effect {
            Effect::Reply { to, request, channel, reply, .. } => {
                Recorded::Reply { to, request: request.0, channel, answer: answered(reply) }
            }
            Effect::Send { to, cause, channel, event } => {
                Recorded::Send { to, cause, channel, event: happened(event) }
            }
            Effect::Publish { channel, cause, event } => {
                Recorded::Publish { channel, cause, event: happened(event) }
            }
            Effect::Subscribe { channel, session } => Recorded::Subscribe { channel, session },
            Effect::Unsubscribe { channel, session } => Recorded::Unsubscribe { channel, session },
        });
    }

    fn observed(&self, session: SessionId) -> Option<Observed> {
        self.1.observed.get(&session).copied()
    }

    fn fresh_key(&mut self) -> PathKey {
        self.1.keys += 1;
        PathKey([self.1.keys; 32])
    }
}

fn answered(reply: Reply<'_>) -> Answered {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    match reply {
        Reply::Done => Answered::Done,
        Reply::Refused(refusal) => Answered::Refused(refusal),
        Reply::LoggedIn { name, .. } => Answered::LoggedIn { name: name.into() },
        Reply::Joined { room, occupants, subject } => Answered::Joined {
            room: room.shown().into(),
            occupants,
            subject: subject.map(|(by, text)| (by.into(), text.into())),
        },
        Reply::Rooms { rooms, more } => {
            Answered::Rooms(rooms.iter().map(|room| (room.name.to_owned(), room.occupants)).collect(), more)
        }
        Reply::Occupants { names, more } => Answered::Occupants(owned(names), more),
        Reply::Peers { names, more } => Answered::Peers(owned(names), more),
        Reply::Peer { name, relays, online_seconds, heard_seconds, addresses, .. } => {
            let (name, addresses) = (name.into(), addresses.to_vec());
            Answered::Peer { name, relays, online_seconds, heard_seconds, addresses }
        }
        Reply::Opened { peer, payload_max } => Answered::Opened { peer: peer.into(), payload_max },
        Reply::Declined { text } => Answered::Declined(text.into()),
    }
}

fn happened(event: Event<'_>) -> Happened {
    match event {
        Event::Said { by, text } => Happened::Said { by: by.shown().into(), text: text.into() },
        Event::Entered { who } => Happened::Entered(who.shown().into()),
        Event::Left { who, why } => {
            let how = match why {
                Departure::Left => "left".to_owned(),
                Departure::Quit(text) => format!("quit: {text}"),
                Departure::Lost => "lost".to_owned(),
                Departure::Dropped(text) => format!("dropped: {text}"),
            };
            Happened::Left { who: who.shown().into(), how }
        }
        Event::SubjectSet { by, text } => Happened::SubjectSet { by: by.shown().into(), text: text.into() },
        Event::Told { from, text } => Happened::Told { from: from.shown().into(), text: text.into() },
        Event::Offered { from, payload_max, .. } => {
            Happened::Offered { from: from.shown().into(), payload_max }
        }
        Event::Ringing { request } => Happened::Ringing { request: request.0 },
        Event::RelayClosed { why } => Happened::RelayClosed(why),
        Event::Paths { round, role, key, addresses } => {
            Happened::Paths { round, role, key, addresses: addresses.to_vec() }
        }
    }
}
