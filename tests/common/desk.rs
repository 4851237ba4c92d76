//! A hub with three people, to be asked things one by one.
#![allow(dead_code)] // each test file uses its part

use crate::recorder::{Answered, Recorded, Recorder, moment};
use std::time::Instant;
use switchboard::hub::record::{AccountId, Record, ScramKeys, Secret};
use switchboard::hub::{
    ChannelId, Command, Departure, Hub, Limits, Proved, Refusal, RequestId, RoomChange, RoomRef, SessionId,
};

pub const ANN: SessionId = SessionId(1);
pub const BOB: SessionId = SessionId(2);
pub const CY: SessionId = SessionId(3);

pub const PAYLOAD_MAX: u16 = 32_768;

/// A hub, and who asks it what.
pub struct Desk {
    pub hub: Hub,
    pub now: Instant,
    pub requests: u32,
    pub recorder: Recorder,
}

impl Desk {
    /// Ann, Bob and Cy are logged in.
    pub fn new(limits: Limits) -> Desk {
        let (hub, now) = (Hub::new(limits), Instant::now());
        let mut desk = Desk { hub, now, requests: 0, recorder: Recorder::default() };
        for (session, name) in [(ANN, "ann"), (BOB, "bob"), (CY, "cy")] {
            desk.login(session, name);
        }
        desk
    }

    pub fn login(&mut self, session: SessionId, name: &str) {
        let answer = self
            .answer(session, Command::Login { name, payload_max: PAYLOAD_MAX, username: "", realname: "" });
        assert_eq!(answer, Answered::LoggedIn { name: name.into() });
    }

    /// Makes an account of the name that somebody has.
    pub fn register(&mut self, session: SessionId) -> AccountId {
        self.ask(session, Command::Register { name: "", password: "sesame" });
        let scram = ScramKeys { salt: [1; 16], iterations: 4_096, stored_key: [2; 32], server_key: [3; 32] };
        let secret = Secret { hash: "hash".into(), scram: Some(scram) };
        let effects = self.proved(session, Proved::Made(secret));
        let id = effects.iter().find_map(|effect| match effect {
            Recorded::Store(Record::Account(record)) => Some(record.id),
            _ => None,
        });
        id.expect("an account")
    }

    /// Somebody gives the password of an account.
    pub fn identify(&mut self, session: SessionId, name: &str) -> Vec<Recorded> {
        self.ask(session, Command::Identify { name, password: "sesame" });
        self.proved(session, Proved::Right)
    }

    /// What follows when a password was looked at.
    pub fn proved(&mut self, session: SessionId, proved: Proved) -> Vec<Recorded> {
        self.hub.proved(moment(self.now), session, proved, &mut self.recorder);
        self.hub.audit().expect("the books agree");
        self.recorder.take()
    }

    /// One change of a room, and what follows from it.
    pub fn change(&mut self, session: SessionId, room: &str, change: RoomChange<'_>) -> Vec<Recorded> {
        let changes = Box::new([change]);
        self.ask(session, Command::Change { room: RoomRef::Named(room), changes })
    }

    /// Why one change is not made; `None`: it is.
    pub fn unchanged(&mut self, session: SessionId, room: &str, change: RoomChange<'_>) -> Option<Refusal> {
        let changes = Box::new([change]);
        match self.answer(session, Command::Change { room: RoomRef::Named(room), changes }) {
            Answered::Changed { refused, .. } => refused.first().map(|(_, refusal)| *refusal),
            Answered::Refused(refusal) => Some(refusal),
            other => panic!("{change:?} is answered with {other:?}"),
        }
    }

    /// Everything that follows from a command.
    pub fn ask(&mut self, session: SessionId, command: Command<'_>) -> Vec<Recorded> {
        let effects = self.ask_unaudited(session, command);
        self.hub.audit().expect("the books agree");
        effects
    }

    /// The answer to the command alone.
    pub fn answer(&mut self, session: SessionId, command: Command<'_>) -> Answered {
        let effects = self.ask(session, command);
        self.answer_among(session, effects)
    }

    /// The same where there is too much in the books to look at all of it each time.
    pub fn answer_unaudited(&mut self, session: SessionId, command: Command<'_>) -> Answered {
        let effects = self.ask_unaudited(session, command);
        self.answer_among(session, effects)
    }

    fn ask_unaudited(&mut self, session: SessionId, command: Command<'_>) -> Vec<Recorded> {
        self.requests += 1;
        self.hub.handle(moment(self.now), session, RequestId(self.requests), command, &mut self.recorder);
        self.recorder.take()
    }

    fn answer_among(&self, session: SessionId, effects: Vec<Recorded>) -> Answered {
        let answer = effects.into_iter().find_map(|effect| match effect {
            Recorded::Reply { to, request, answer, .. } if (to, request) == (session, self.requests) => {
                Some(answer)
            }
            _ => None,
        });
        answer.expect("an answer")
    }

    pub fn refusal(&mut self, session: SessionId, command: Command<'_>) -> Refusal {
        match self.answer(session, command.clone()) {
            Answered::Refused(refusal) => refusal,
            other => panic!("{command:?} is answered with {other:?}"),
        }
    }

    pub fn join(&mut self, session: SessionId, room: &str) -> ChannelId {
        let effects = self.ask(session, Command::Join { room, password: "", past: 0 });
        match effects.first() {
            Some(Recorded::Reply { channel, answer: Answered::Joined { .. }, .. }) => *channel,
            other => panic!("joining {room} leads to {other:?}"),
        }
    }

    pub fn disconnect(&mut self, session: SessionId, why: Departure<'_>) -> Vec<Recorded> {
        self.hub.disconnect(moment(self.now), session, why, &mut self.recorder);
        self.hub.audit().expect("the books agree");
        self.recorder.take()
    }
}
