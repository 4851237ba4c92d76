//! Rooms: made by the first who joins, gone with the last who leaves.

use super::channel::{Channel, ChannelId, Channels};
use super::name::{RoomName, UserName, fold};
use super::{Asker, Departure, Effect, Effects, Event, Hub, Outcome, Refusal, Reply, RoomSummary, SessionId};
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

pub(super) struct Room {
    pub name: RoomName,
    /// Their folded names, in the order in which lists show them. Whose they are, the index of all names says: in large
    /// rooms it counts how much there is per occupant.
    pub occupants: BTreeSet<Arc<str>>,
    subject: Option<Subject>,
}

struct Subject {
    text: Box<str>,
    by: UserName,
}

impl Room {
    pub fn new(name: RoomName) -> Self {
        Room { name, occupants: BTreeSet::new(), subject: None }
    }
}

impl Hub {
    pub(super) fn join(&mut self, asker: Asker, room: &str, fx: &mut impl Effects) -> Outcome {
        let name = RoomName::new(room, self.limits.room_name_bytes_max)?;
        let channel = self.room_names.get(name.key()).copied();
        let user = self.user(asker.session)?;
        if channel.is_some_and(|channel| user.rooms.contains(&channel)) {
            return Err(Refusal::AlreadyInRoom);
        }
        if user.rooms.len() >= self.limits.rooms_per_user_max {
            return Err(Refusal::TooManyRooms { rooms_max: self.limits.rooms_per_user_max });
        }
        let who = user.name.clone();
        let channel = match channel {
            Some(channel) => channel,
            None => self.make_room(name)?,
        };
        let occupants_max = self.limits.occupants_per_room_max;
        let room = room_mut(&mut self.channels, channel)?;
        if room.occupants.len() >= occupants_max {
            return Err(Refusal::RoomFull { occupants_max });
        }
        room.occupants.insert(Arc::clone(who.key()));
        let subject = room.subject.as_ref().map(|subject| (subject.by.shown(), &*subject.text));
        // The reply first: from the frame after it on, the newcomer sees the room live.
        let asker = Asker { channel, ..asker };
        asker.reply(fx, Reply::Joined { room: &room.name, occupants: room.occupants.len(), subject });
        fx.emit(Effect::Publish { channel, cause: asker.session, event: Event::Entered { who: &who } });
        fx.emit(Effect::Subscribe { channel, session: asker.session });
        self.user_mut(asker.session)?.rooms.push(channel);
        Ok(())
    }

    pub(super) fn leave(&mut self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        let user = self.user_mut(asker.session)?;
        let at = user.rooms.iter().position(|&room| room == asker.channel).ok_or(Refusal::NotInRoom)?;
        user.rooms.swap_remove(at);
        self.vacate(asker.session, asker.channel, Departure::Left, fx);
        asker.done(fx);
        Ok(())
    }

    pub(super) fn say(&mut self, asker: Asker, text: &str, fx: &mut impl Effects) -> Outcome {
        self.check_text(text, self.limits.text_bytes_max)?;
        let by = &self.occupant(asker)?.name;
        let event = Event::Said { by, text };
        fx.emit(Effect::Publish { channel: asker.channel, cause: asker.session, event });
        asker.done(fx);
        Ok(())
    }

    pub(super) fn set_subject(&mut self, asker: Asker, text: &str, fx: &mut impl Effects) -> Outcome {
        self.check_text_or_empty(text, self.limits.subject_bytes_max)?;
        let by = self.occupant(asker)?.name.clone();
        let room = room_mut(&mut self.channels, asker.channel)?;
        room.subject = (!text.is_empty()).then(|| Subject { text: text.into(), by: by.clone() });
        let event = Event::SubjectSet { by: &by, text };
        fx.emit(Effect::Publish { channel: asker.channel, cause: asker.session, event });
        asker.done(fx);
        Ok(())
    }

    pub(super) fn list_rooms(&mut self, asker: Asker, after: &str, fx: &mut impl Effects) -> Outcome {
        self.user(asker.session)?;
        let page = self.limits.page_entries_max;
        let behind = self.room_names.range::<str, _>(behind(&fold(after)));
        let mut rooms: Vec<RoomSummary<'_>> = behind
            .filter_map(|(_, &channel)| self.channels.room(channel))
            .map(|room| RoomSummary { name: room.name.shown(), occupants: room.occupants.len() })
            .take(page.saturating_add(1))
            .collect();
        let more = rooms.len() > page;
        rooms.truncate(page);
        asker.reply(fx, Reply::Rooms { rooms: &rooms, more });
        Ok(())
    }

    pub(super) fn who(&mut self, asker: Asker, after: &str, fx: &mut impl Effects) -> Outcome {
        self.occupant(asker)?;
        let room = self.channels.room(asker.channel).ok_or(Refusal::NotInRoom)?;
        let (names, more) = self.page_of_names(room.occupants.range::<str, _>(behind(&fold(after))));
        asker.reply(fx, Reply::Occupants { names: &names, more });
        Ok(())
    }

    /// One page of folded names, as the users write them, and whether there are more behind it.
    pub(super) fn page_of_names<'a>(
        &'a self,
        folded: impl Iterator<Item = &'a Arc<str>>,
    ) -> (Vec<&'a str>, bool) {
        let page = self.limits.page_entries_max;
        let mut names: Vec<&str> = folded
            .filter_map(|name| self.users.get(self.names.get(name)?))
            .map(|user| user.name.shown())
            .take(page.saturating_add(1))
            .collect();
        let more = names.len() > page;
        names.truncate(page);
        (names, more)
    }

    /// Takes an occupant out of a room and tells the others; ends the room when nobody is left. The user's own list
    /// of rooms is the caller's to mend.
    pub(super) fn vacate(
        &mut self,
        session: SessionId,
        channel: ChannelId,
        why: Departure<'_>,
        fx: &mut impl Effects,
    ) {
        let Some(user) = self.users.get(&session) else { return };
        let Some(room) = self.channels.room_mut(channel) else { return };
        room.occupants.remove(user.name.key());
        fx.emit(Effect::Unsubscribe { channel, session });
        if room.occupants.is_empty() {
            self.room_names.remove(room.name.key());
            self.channels.remove(channel);
        } else {
            fx.emit(Effect::Publish { channel, cause: session, event: Event::Left { who: &user.name, why } });
        }
    }

    fn make_room(&mut self, name: RoomName) -> Result<ChannelId, Refusal> {
        if self.room_names.len() >= self.limits.rooms_max {
            return Err(Refusal::TooManyRoomsOnServer);
        }
        let key = Arc::clone(name.key());
        let channel =
            self.channels.insert(Channel::Room(Room::new(name))).ok_or(Refusal::TooManyRoomsOnServer)?;
        self.room_names.insert(key, channel);
        Ok(channel)
    }

    /// The asker, who must be in the room that the request is about.
    fn occupant(&self, asker: Asker) -> Result<&super::User, Refusal> {
        let user = self.user(asker.session)?;
        if user.rooms.contains(&asker.channel) { Ok(user) } else { Err(Refusal::NotInRoom) }
    }

    pub(super) fn audit_rooms(&self) -> Result<(), String> {
        let mut rooms = 0;
        for (channel, room) in self.channels.rooms() {
            rooms += 1;
            if self.room_names.get(room.name.key()) != Some(&channel) {
                return Err(format!("{} is not in the index of rooms", room.name));
            }
            if room.occupants.is_empty() {
                return Err(format!("{} is empty and still there", room.name));
            }
            for key in &room.occupants {
                let user = self.names.get(key).and_then(|session| self.users.get(session));
                let user = user.ok_or(format!("{key} in {} is gone", room.name))?;
                if user.name.key() != key || user.rooms.iter().filter(|&&r| r == channel).count() != 1 {
                    return Err(format!("{key} in {} does not know of it exactly once", room.name));
                }
            }
        }
        if rooms != self.room_names.len() {
            return Err(format!("{rooms} rooms, {} names of rooms", self.room_names.len()));
        }
        Ok(())
    }
}

fn room_mut(channels: &mut Channels, channel: ChannelId) -> Result<&mut Room, Refusal> {
    channels.room_mut(channel).ok_or(Refusal::NotInRoom)
}

/// The part of an index behind a folded name, which need not be in it.
pub(super) fn behind(folded: &str) -> (Bound<&str>, Bound<&str>) {
    (Bound::Excluded(folded), Bound::Unbounded)
}
