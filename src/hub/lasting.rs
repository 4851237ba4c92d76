//! What lasts, from the hub's side: whether it can be written down, and how it comes back after a restart.

use super::channel::Channel;
use super::guests::Guests;
use super::mask::Mask;
use super::moderation::mask_record;
use super::record::{AccountId, Given, MaskRecord, MemberRecord, Record, RoomRecord, SubjectRecord};
use super::rooms::{Room, Subject, room_mut};
use super::settings::{Flag, MaskEntry, MaskList, Settings};
use super::times::Due;
use super::{ChannelId, Effects, Hub, Outcome, Refusal, RoomName};
use std::sync::Arc;

/// Each change that has to last begins with this: it is refused while nothing can be written down, rather than lost
/// later.
///
/// # Errors
/// [`Refusal::NotSaved`].
pub(super) fn check_durable(fx: &impl Effects) -> Outcome {
    if fx.can_store() { Ok(()) } else { Err(Refusal::NotSaved) }
}

impl Hub {
    /// Takes a fact that was written down before the server started. What it refers to has come before it.
    ///
    /// # Errors
    /// What is wrong with it, where it can hold no more. The hub is as it was, and goes on without it.
    pub fn restore(&mut self, record: Record) -> Outcome {
        match record {
            Record::Account(record) => self.restore_account(record),
            Record::Room(record) => self.restore_room(record),
            Record::Member(record) => self.restore_member(record),
            Record::Mask(record) => self.restore_mask(record),
            Record::LatestSaid { room, id } => {
                self.pasts.latest.insert(room, id);
                Ok(())
            }
            Record::Ban(record) => self.restore_ban(record),
            // What is over was not written down, and what happened is asked for when somebody wants to see it.
            _ => Ok(()),
        }
    }

    /// Everything is back. No number that was given is given a second time.
    pub fn restored(&mut self, Given { account, room, message }: Given) {
        self.accounts.note_given(account);
        self.rooms_last = self.rooms_last.max(room);
        self.pasts.last = self.pasts.last.max(message);
    }

    /// From now on a room stays, with all that it has.
    pub(super) fn begin_lasting(&mut self, channel: ChannelId, fx: &mut impl Effects) -> Outcome {
        let room = self.room(channel)?;
        if !room.is_owned() {
            return Err(Refusal::NeedsOwner);
        }
        check_durable(fx)?;
        let owners = owners_of(room);
        owners.iter().try_for_each(|&owner| self.check_lasting_rooms(owner))?;
        self.put_flag(channel, Flag::Persistent, true)?;
        for owner in owners {
            self.count_lasting(owner, true);
        }
        let room = self.room(channel)?;
        fx.store(Record::Room(room_record(room)));
        for member in room.members().into_iter().flat_map(|members| members.iter()) {
            fx.store(Record::Member(member.clone()));
        }
        keep_masks(room, fx);
        let id = room.id;
        self.lasting.insert(id, channel);
        self.history(channel, fx).map(drop) // what is in memory of it is written down as well
    }

    /// A room ends with the last who leaves it, as others do; at once where nobody is in it.
    pub(super) fn end_lasting(&mut self, channel: ChannelId, fx: &mut impl Effects) {
        let Some(room) = self.channels.room(channel).filter(|room| room.is_lasting()) else { return };
        let (id, is_empty) = (room.id, room.occupants.is_empty());
        for owner in owners_of(room) {
            self.count_lasting(owner, false);
        }
        let _ = self.put_flag(channel, Flag::Persistent, false);
        self.lasting.remove(&id);
        self.pasts.latest.remove(&id);
        fx.store(Record::RoomGone(id));
        if is_empty {
            self.end_room(channel);
        }
    }

    /// What a room is set to is written down, where it lasts.
    pub(super) fn keep_room(&self, channel: ChannelId, fx: &mut impl Effects) {
        if let Some(room) = self.channels.room(channel).filter(|room| room.is_lasting()) {
            fx.store(Record::Room(room_record(room)));
        }
    }

    fn restore_room(&mut self, record: RoomRecord) -> Outcome {
        let RoomRecord { id, name, flags, password, occupants_max, subject, made_millis } = record;
        let name = RoomName::new(&name, u8::MAX)?; // whatever the limit was, and is now
        if self.room_names.contains_key(name.key()) || self.lasting.contains_key(&id) {
            return Err(Refusal::RoomExists);
        }
        let key = Arc::clone(name.key());
        let settings = Settings { flags: flags.with(Flag::Persistent), password, occupants_max };
        let subject = subject.map(|SubjectRecord { text, by, author, at_millis }| Subject {
            text,
            by,
            author,
            at_millis,
        });
        let room = Room { settings, subject, ..Room::new(id, name, flags, made_millis) };
        let channel = self.channels.insert(Channel::Room(room)).ok_or(Refusal::TooManyRoomsOnServer)?;
        self.room_names.insert(key, channel);
        self.lasting.insert(id, channel);
        self.rooms_last = self.rooms_last.max(id);
        Ok(())
    }

    fn restore_member(&mut self, record: MemberRecord) -> Outcome {
        let &channel = self.lasting.get(&record.room).ok_or(Refusal::NoSuchRoom)?;
        self.accounts.name_of(record.account).ok_or(Refusal::NoSuchAccount)?;
        self.put_member(channel, record);
        Ok(())
    }

    fn restore_mask(&mut self, MaskRecord { room, list, mask, note }: MaskRecord) -> Outcome {
        let &channel = self.lasting.get(&room).ok_or(Refusal::NoSuchRoom)?;
        let entry = MaskEntry::new(&mask, Mask::new(&mask), note);
        let guests: &mut Guests = room_mut(&mut self.channels, channel)?.guests.get_or_insert_default();
        if guests.position(list, entry.compiled()).is_some() {
            return Ok(()); // it says the same in other words
        }
        self.mask_bytes += entry.bytes();
        let due = Due::Mask(list, entry.compiled().clone());
        self.times.replace(None, entry.until_millis, channel, &due);
        guests.list_mut(list).push(entry);
        Ok(())
    }
}

/// All its lists of masks are written down.
pub(super) fn keep_masks(room: &Room, fx: &mut impl Effects) {
    for list in MaskList::ALL {
        for entry in room.list(list) {
            fx.store(Record::Mask(mask_record(room.id, list, entry)));
        }
    }
}

pub(super) fn owners_of(room: &Room) -> Vec<AccountId> {
    room.members().map(|members| members.owners().collect()).unwrap_or_default()
}

fn room_record(room: &Room) -> RoomRecord {
    let Settings { flags, ref password, occupants_max } = room.settings;
    let subject = room.subject.as_ref().map(|subject| SubjectRecord {
        text: subject.text.clone(),
        by: subject.by.clone(),
        author: subject.author.clone(),
        at_millis: subject.at_millis,
    });
    let (name, password) = (room.name.shown().into(), password.clone());
    RoomRecord { id: room.id, name, flags, password, occupants_max, subject, made_millis: room.made_millis }
}
