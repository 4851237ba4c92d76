//! What the effects say, kept as books of its own, and held against what the hub says when it is asked.

use super::recorder::{Answered, Happened, Recorded, Recorder};
use super::{Call, World, limits, name_of};
use std::collections::{BTreeMap, BTreeSet};
use switchboard::hub::{ChannelId, Command, Refusal, RequestId, RoomRef, SessionId};

impl World {
    /// Keeps the books from what an effect says, and checks what every effect has to obey.
    pub fn learn(&mut self, effect: &Recorded, asker: SessionId) {
        match effect {
            Recorded::Reply { to, request, channel, answer } => {
                self.learn_answer(*to, *request, *channel, answer)
            }
            Recorded::Send { to, channel, event, .. } => {
                let user = self.sessions.get(to).expect("nothing is sent to those who are gone");
                assert!(user.is_some(), "nothing is sent to who never logged in");
                match event {
                    Happened::Offered { from, payload_max } => {
                        assert_eq!(self.sessions[&asker].as_ref(), Some(from));
                        self.channels.push(*channel);
                        let call = Call {
                            caller: asker,
                            callee: *to,
                            request: self.requests_made,
                            payload_max: *payload_max,
                            is_open: false,
                            deadline: self.now + limits().relay_answer_time,
                        };
                        assert!(self.calls.insert(*channel, call).is_none(), "a channel is one relay");
                    }
                    Happened::Paths { addresses, round, .. } => {
                        let call = &self.calls[channel];
                        assert!(call.is_open && (*to == call.caller || *to == call.callee));
                        assert!((1..=limits().path_rounds_max).contains(round));
                        assert!(addresses.len() <= limits().addresses_per_user_max);
                    }
                    Happened::RelayClosed(_) => {
                        self.calls.remove(channel);
                    }
                    Happened::Ringing { request } => {
                        assert_eq!((*to, *request), (asker, self.requests_made));
                        assert!(self.calls.contains_key(channel), "it rings at the other end first");
                    }
                    _ => {}
                }
            }
            Recorded::Publish { channel, .. } => {
                for member in self.subscribers.get(channel).into_iter().flatten() {
                    assert!(self.sessions.contains_key(member), "a subscriber is gone");
                }
            }
            Recorded::Neighbours { cause, channels, .. } => {
                assert!(
                    !channels.is_empty()
                        && channels.iter().all(|channel| self.subscribers.contains_key(channel))
                );
                assert!(self.sessions.contains_key(cause));
            }
            Recorded::Except(others) => {
                assert!(others.iter().all(|other| self.sessions[other] == self.sessions[&asker]));
            }
            Recorded::Store(record) => self.kept.keep(record),
            Recorded::Prove { .. } | Recorded::Guess { .. } => panic!("nobody registers here"),
            Recorded::ShutOut { .. } => panic!("nobody is banned here"),
            Recorded::HangUp { session } => {
                assert!(self.sessions.remove(session).is_some());
                assert!(!self.subscribers.values().any(|members| members.contains(session)));
            }
            Recorded::Subscribe { channel, session } => {
                self.channels.push(*channel);
                assert!(self.subscribers.entry(*channel).or_default().insert(*session), "subscribed twice");
            }
            Recorded::Unsubscribe { channel, session } => {
                let members = self.subscribers.get_mut(channel).expect("nobody is subscribed there");
                assert!(members.remove(session), "unsubscribed twice");
                if members.is_empty() {
                    self.subscribers.remove(channel);
                    self.names.remove(channel);
                }
            }
        }
    }

    fn learn_answer(&mut self, to: SessionId, request: u32, channel: ChannelId, answer: &Answered) {
        assert!(self.sessions.contains_key(&to), "an answer to who is gone");
        let was_open = self.open_requests.remove(&(to, request));
        let call = self.calls.get_mut(&channel).filter(|call| (call.caller, call.request) == (to, request));
        match answer {
            Answered::Refused(refusal) => {
                self.refusals.insert(name_of(refusal));
                let ends_call = matches!(refusal, Refusal::NoAnswer | Refusal::PeerLeft | Refusal::Cancelled);
                assert_eq!(ends_call, call.is_some());
                if *refusal == Refusal::PeerLeft {
                    self.calls.remove(&channel);
                }
            }
            Answered::Opened { payload_max, .. } => {
                assert!(was_open);
                let call = call.expect("only what rings can be opened");
                assert_eq!(call.payload_max, *payload_max);
                call.is_open = true;
            }
            Answered::Declined(_) => {
                assert!(was_open && call.is_some());
                self.calls.remove(&channel);
            }
            Answered::LoggedIn { name } => {
                self.sessions.insert(to, Some(name.clone()));
            }
            Answered::Joined { room, .. } => {
                assert!(!was_open);
                self.names.insert(channel, room.clone());
            }
            Answered::Changed { refused, .. } => {
                self.refusals.extend(refused.iter().map(|(_, refusal)| name_of(refusal)));
            }
            Answered::Renamed { to: name, .. } => {
                self.sessions.insert(to, Some(name.clone()));
            }
            _ => assert!(!was_open),
        }
    }

    pub fn check(&mut self) {
        if let Err(error) = self.hub.audit() {
            panic!("{error}");
        }
        let mut users: BTreeMap<String, Vec<SessionId>> = BTreeMap::new();
        for (session, name) in &self.sessions {
            if let Some(name) = name {
                users.entry(name.to_lowercase()).or_default().push(*session);
            }
        }
        assert_eq!(self.hub.users_len(), users.len());
        let limits = limits();
        assert!(self.hub.rooms_len() <= limits.rooms_max && self.hub.relays_len() <= limits.relays_max);
        // Whether those in which nobody is have a reason to be there, the audit says.
        assert!(self.hub.rooms_len() >= self.subscribers.len());
        assert_eq!(self.hub.relays_len(), self.calls.len());
        for seats in users.values() {
            assert!(seats.len() <= limits.seats_per_user_max);
            let is_in = |members: &&BTreeSet<SessionId>| members.contains(&seats[0]);
            assert!(self.subscribers.values().filter(is_in).count() <= limits.rooms_per_user_max);
            for members in self.subscribers.values() {
                let inside = seats.iter().filter(|seat| members.contains(seat)).count();
                assert!(inside == 0 || inside == seats.len(), "one seat is in a room and another is not");
            }
            let is_theirs = |call: &&Call| seats.contains(&call.caller) || seats.contains(&call.callee);
            assert!(self.calls.values().filter(is_theirs).count() <= limits.relays_per_user_max);
        }
        self.check_rooms(limits.occupants_per_room_max);
        self.check_routes();
        let ringing = self.calls.values().filter(|call| !call.is_open).map(|call| call.deadline).min();
        let next = self.hub.next_deadline();
        let is_term =
            next.is_some_and(|at| self.terms.contains(&at) && ringing.is_none_or(|ringing| at <= ringing));
        assert!(next == ringing || is_term, "{next:?} is no time at which anything ends");
        let waiting: BTreeSet<(SessionId, u32)> = self
            .calls
            .values()
            .filter(|call| !call.is_open)
            .map(|call| (call.caller, call.request))
            .collect();
        assert_eq!(self.open_requests, waiting, "exactly the calls that ring wait for an answer");
    }

    /// Who the hub says is in a room is who is subscribed to it.
    fn check_rooms(&mut self, occupants_max: usize) {
        for (channel, members) in &self.subscribers {
            let asker = *members.first().expect("empty rooms are gone");
            let names: BTreeSet<String> = members
                .iter()
                .map(|session| self.sessions[session].clone().expect("only users are in rooms"))
                .collect();
            let (mut listed, mut after) = (BTreeSet::new(), String::new());
            loop {
                let mut recorder = Recorder::default();
                // It answers to its name and to its number.
                let is_first = after.is_empty();
                let room =
                    if is_first { RoomRef::Named(&self.names[channel]) } else { RoomRef::Channel(*channel) };
                let command = Command::Who { room, after: &after, in_full: false };
                let now = self.moment();
                self.hub.handle(now, asker, RequestId(0), command, &mut recorder);
                let Some(Recorded::Reply { answer: Answered::Occupants(mut page, next), .. }) =
                    recorder.0.pop()
                else {
                    panic!("{asker:?} is subscribed to a room that it is not in");
                };
                page.iter_mut().for_each(|name| *name = name.trim_start_matches(['@', '+']).to_owned());
                assert!(page.len() <= 2 && (next.is_none() || page.len() == 2));
                // A client of the native dialect knows only what is on the page.
                after = page.last().cloned().unwrap_or_default();
                // Where people are not known, they themselves are listed as who they are.
                assert!(next.as_ref().is_none_or(|next| *next == after || next.starts_with("anon-")));
                listed.extend(page);
                if next.is_none() {
                    break;
                }
            }
            match listed.iter().any(|name| name.starts_with("anon-")) {
                true => assert_eq!(listed.len(), names.len()),
                false => assert_eq!(listed, names),
            }
            assert!(names.len() <= occupants_max);
        }
    }

    /// Payload has a way exactly between accept and close, and only for the two.
    fn check_routes(&self) {
        for &channel in self.channels.iter().rev().take(30) {
            for &session in self.sessions.keys() {
                let expected =
                    self.calls.get(&channel).filter(|call| call.is_open).and_then(|call| match session {
                        s if s == call.caller => Some((call.callee, call.payload_max)),
                        s if s == call.callee => Some((call.caller, call.payload_max)),
                        _ => None,
                    });
                let route = self.hub.route(session, channel).ok().map(|route| (route.to, route.payload_max));
                assert_eq!(route, expected);
                if let Some((to, payload_max)) = route {
                    assert_eq!(payload_max, self.payload_max[&session].min(self.payload_max[&to]));
                }
            }
        }
    }
}
