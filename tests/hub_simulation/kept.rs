//! What a hub has had written down, as a disk would have it in the end: another hub that reads it back has the same rooms.

use super::recorder::{Answered, Recorded, Recorder};
use super::{ACCOUNTS, SALT, World, limits};
use std::collections::BTreeMap;
use switchboard::hub::record::{
    AccountId, AccountRecord, Given, MaskRecord, MemberRecord, Record, RoomId, RoomRecord,
};
use switchboard::hub::{Command, Departure, Hub, MaskList, Moment, RequestId, RoomRef, SessionId};

/// The latest record of each fact.
#[derive(Default)]
pub struct Kept {
    accounts: BTreeMap<AccountId, AccountRecord>,
    rooms: BTreeMap<RoomId, RoomRecord>,
    members: BTreeMap<(RoomId, AccountId), MemberRecord>,
    masks: BTreeMap<(RoomId, MaskList, Box<str>), MaskRecord>,
}

impl Kept {
    pub fn keep(&mut self, record: &Record) {
        match record.clone() {
            Record::Account(record) => drop(self.accounts.insert(record.id, record)),
            Record::Room(record) => drop(self.rooms.insert(record.id, record)),
            Record::RoomGone(room) => {
                assert!(self.rooms.remove(&room).is_some(), "nothing was known of {room:?}");
                self.members.retain(|(of, _), _| *of != room);
                self.masks.retain(|(of, ..), _| *of != room);
            }
            Record::Member(record) => {
                assert!(self.rooms.contains_key(&record.room), "a member of no room: {record:?}");
                self.members.insert((record.room, record.account), record);
            }
            Record::MemberGone { room, account } => drop(self.members.remove(&(room, account))),
            Record::Mask(record) => {
                assert!(self.rooms.contains_key(&record.room), "a mask of no room: {record:?}");
                self.masks.insert((record.room, record.list, record.mask.clone()), record);
            }
            Record::MaskGone { room, list, mask } => {
                let known = self.masks.remove(&(room, list, mask));
                assert!(known.is_some(), "nothing was known of {record:?}");
            }
            Record::Past(_) | Record::PastGone { .. } => {} // what was said is for the tests of history
            other => panic!("nobody here leads to {other:?}"),
        }
    }

    pub fn has_account(&self, name: &str) -> bool {
        self.accounts.values().any(|record| &*record.name == name)
    }

    pub fn rooms_len(&self) -> usize {
        self.rooms.len()
    }

    /// A hub that begins with it.
    fn read_back(&self) -> Hub {
        let mut hub = Hub::new(limits());
        let accounts = self.accounts.values().cloned().map(Record::Account);
        let rooms = self.rooms.values().cloned().map(Record::Room);
        let members = self.members.values().cloned().map(Record::Member);
        let masks = self.masks.values().cloned().map(Record::Mask);
        for record in accounts.chain(rooms).chain(members).chain(masks) {
            hub.restore(record.clone()).unwrap_or_else(|refusal| panic!("{record:?}: {refusal}"));
        }
        hub.restored(Given::default());
        hub
    }
}

impl World {
    /// A hub that begins with what was written down, in which the same is found as in this one. For when nobody is there.
    pub fn read_back_and_compare(&mut self) -> Hub {
        let now = self.moment();
        let mut other = self.kept.read_back();
        other.expire(now, &mut Recorder::default());
        other.audit().expect("the books of a hub that begins agree");
        let rooms: Vec<Box<str>> = self.kept.rooms.values().map(|room| room.name.clone()).collect();
        let session = SessionId(self.sessions_made + 1);
        self.sessions_made += ACCOUNTS.len() as u64;
        let here = everything(&mut self.hub, now, session, &rooms);
        assert_eq!(here, everything(&mut other, now, session, &rooms), "what a restart finds");
        other
    }
}

/// All that those with accounts find in these rooms.
fn everything(hub: &mut Hub, now: Moment, first: SessionId, rooms: &[Box<str>]) -> Vec<Answered> {
    let mut answers = Vec::new();
    for (at, name) in ACCOUNTS.into_iter().enumerate() {
        let session = SessionId(first.0 + at as u64);
        let login = Command::Login { name, payload_max: 0, username: "", realname: "" };
        let mut commands = vec![Command::IdentifyProven { name, salt: SALT }, login];
        for room in rooms {
            let named = RoomRef::Named(room);
            commands.push(Command::Join { room, password: "key", past: 0 });
            commands.push(Command::ShowSettings { room: named });
            commands.push(Command::ListMembers { room: named, affiliation: None, after: "" });
            commands.extend(MaskList::ALL.map(|list| Command::ListMasks { room: named, list, from: 0 }));
            commands.push(Command::Leave { room: named, text: "" });
        }
        let mut recorder = Recorder::default();
        for command in commands {
            hub.handle(now, session, RequestId(1), command, &mut recorder);
        }
        hub.disconnect(now, session, Departure::Lost, &mut recorder);
        answers.extend(recorder.take().into_iter().filter_map(|effect| match effect {
            Recorded::Reply { answer, .. } => Some(answer),
            _ => None,
        }));
    }
    answers
}
