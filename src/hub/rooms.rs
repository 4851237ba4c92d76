//! Rooms: made by the first who joins, gone with the last who leaves.

use super::channel::{Channel, ChannelId, Channels};
use super::guests::{Candidate, Guests};
use super::history::History;
use super::members::stranger;
use super::name::RoomName;
use super::past::Happened;
use super::privileges::{enters_full_rooms, may_enter};
use super::record::{MemberRecord, Note, Past, RoomId};
use super::settings::{Flag, Flags, MaskEntry, MaskList, Settings};
use super::speech::check_voice;
use super::times::Due;
use super::veil::Veil;
use super::{
    Affiliation, Asker, Effect, Effects, Event, Hub, Moment, Outcome, Person, Refusal, Reply, RoomRef,
    Standing, SubjectView, User, UserKey,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

pub(super) struct Room {
    /// Another one than that of its channel: it stays the same where the room lasts.
    pub id: RoomId,
    pub name: RoomName,
    /// Their folded names, in the order in which lists show them. Whose they are, the index of all names says: in large
    /// rooms it counts how much there is per occupant.
    pub occupants: BTreeSet<Arc<str>>,
    /// The standing of those occupants who differ from the others, by folded name.
    pub ranked: BTreeMap<Arc<str>, Standing>,
    pub settings: Settings,
    pub subject: Option<Subject>,
    /// When it was made, in milliseconds since 1970.
    pub made_millis: u64,
    /// Boxed, because most rooms have none of it.
    pub guests: Option<Box<Guests>>,
    /// What happened here, where that is kept.
    pub history: Option<Box<History>>,
    /// What people are called here, where they are not known. Nobody is here: nothing.
    pub veil: Option<Box<Veil>>,
}

pub(super) struct Subject {
    pub text: Box<str>,
    pub by: Box<str>,
    /// `name!username@host`
    pub author: Box<str>,
    pub at_millis: u64,
}

impl Room {
    /// `made_millis`: in milliseconds since 1970.
    pub fn new(id: RoomId, name: RoomName, flags: Flags, made_millis: u64) -> Self {
        Room {
            id,
            name,
            occupants: BTreeSet::new(),
            ranked: BTreeMap::new(),
            settings: Settings { flags, ..Settings::default() },
            subject: None,
            made_millis,
            guests: None,
            history: None,
            veil: None,
        }
    }

    pub fn list(&self, list: MaskList) -> &[MaskEntry] {
        self.guests.as_ref().map_or(&[], |guests| guests.list(list))
    }

    /// What its lists of masks take, in bytes.
    pub fn mask_bytes(&self) -> usize {
        self.guests.as_ref().map_or(0, |guests| guests.mask_bytes())
    }

    pub fn standing(&self, key: &str) -> Standing {
        self.ranked.get(key).copied().unwrap_or_default()
    }

    /// Keeps a standing, if it has to be kept.
    pub fn set_standing(&mut self, key: &Arc<str>, standing: Standing) {
        if standing.is_default() {
            self.ranked.remove(key);
        } else {
            self.ranked.insert(Arc::clone(key), standing);
        }
    }

    pub fn move_key(&mut self, from: &Arc<str>, to: &Arc<str>) {
        if self.occupants.remove(from) {
            self.occupants.insert(Arc::clone(to));
        }
        if let Some(standing) = self.ranked.remove(from) {
            self.ranked.insert(Arc::clone(to), standing);
        }
    }

    /// What somebody is told who has come in, or who sits down where they are in.
    pub fn joined<'a>(&'a self, (key, user): (UserKey, &'a User), made: bool) -> Reply<'a> {
        let (subject, occupants) = (self.subject_view(), self.occupants.len());
        let (who, room, flags) = (user.person(key), &self.name, self.settings.flags);
        let known_as = self.pseudonym_of(user).map(|pseudonym| &pseudonym.name);
        let standing = self.standing(self.key_of(user));
        Reply::Joined { who, known_as, room, occupants, subject, made, standing, flags }
    }

    /// Somebody has another name on the server.
    pub fn rename(&mut self, from: &Arc<str>, to: &Arc<str>) {
        match &mut self.veil {
            None => self.move_key(from, to),
            Some(veil) => veil.rename(from, to),
        }
    }

    /// Who set the subject and the masks is not said any more: it was the room.
    pub fn forget_authors(&mut self) {
        let room: Box<str> = self.name.shown().into();
        if let Some(subject) = &mut self.subject {
            (subject.by, subject.author) = (room.clone(), room.clone());
        }
        let Some(guests) = &mut self.guests else { return };
        for list in MaskList::ALL {
            guests.list_mut(list).iter_mut().for_each(|entry| entry.by = room.clone());
        }
    }

    pub fn subject_view(&self) -> Option<SubjectView<'_>> {
        let Subject { text, by, author, at_millis } = self.subject.as_ref()?;
        Some(SubjectView { text, by, author, at_millis: *at_millis })
    }

    pub fn is_invited(&self, user: UserKey) -> bool {
        let invited = self.guests.as_ref().map_or(&[][..], |guests| &guests.invited);
        invited.iter().any(|invitation| invitation.to == user)
    }

    /// Whether a ban is for somebody, and no exception.
    fn is_banned(&self, candidate: &Candidate<'_, impl Effects>) -> bool {
        candidate.is_on(self.list(MaskList::Bans)) && !candidate.is_on(self.list(MaskList::BanExceptions))
    }

    /// Whether somebody has no voice because of a ban or a mute, which a role that was given outweighs; where it is the
    /// account that is muted, only that of a moderator.
    pub fn is_silenced(&self, candidate: &Candidate<'_, impl Effects>) -> bool {
        // Most rooms have nothing of it, and it is asked for every message.
        let Some(guests) = &self.guests else { return false };
        let has_masks = !guests.list(MaskList::Bans).is_empty() || !guests.list(MaskList::Mutes).is_empty();
        if !has_masks && !guests.members.has_muted() {
            return false;
        }
        let standing = self.standing(candidate.person.name.key());
        !standing.is_at_least(super::Role::Participant)
            && (standing.is_muted
                || self.is_banned(candidate)
                || (candidate.is_on(self.list(MaskList::Mutes))
                    && !candidate.is_on(self.list(MaskList::BanExceptions))))
    }

    /// Whether somebody may come in, in the order of XEP-0045 §7.2.5 to §7.2.9. Whom a moderator invited, nothing keeps
    /// out but their account's ban and the server's own limit.
    fn check_entry(
        &self,
        (person, user): (Person<'_>, &User),
        password: &str,
        server_max: usize,
        fx: &impl Effects,
    ) -> Outcome {
        let candidate = Candidate::new(person, fx);
        let affiliation = self.affiliation(user);
        if affiliation == Affiliation::Outcast {
            return Err(Refusal::Banned);
        }
        self.check_reserved_name(user, person.name)?;
        if !self.is_invited(person.user) {
            // Who is something to the room, no mask keeps out.
            if affiliation < Affiliation::Member && self.is_banned(&candidate) {
                return Err(Refusal::Banned);
            }
            let is_member = may_enter(affiliation, self.settings.flags);
            if !is_member && !candidate.is_on(self.list(MaskList::InviteExceptions)) {
                return Err(Refusal::MembersOnly);
            }
            if self.settings.password.as_deref().is_some_and(|wanted| wanted != password) {
                return Err(Refusal::BadPassword);
            }
            if let Some(own_max) = self.settings.occupants_max.map(|own_max| own_max as usize)
                && !enters_full_rooms(affiliation)
                && self.occupants.len() >= own_max
            {
                return Err(Refusal::RoomFull { occupants_max: own_max });
            }
        }
        if self.occupants.len() >= server_max {
            return Err(Refusal::RoomFull { occupants_max: server_max });
        }
        Ok(())
    }
}

impl Hub {
    pub(super) fn join(
        &mut self,
        asker: Asker,
        room: &str,
        password: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, name) = self.check_joining(asker, room, password, fx)?;
        match channel {
            Some(channel) => self.admit(asker, channel, false, fx),
            None => {
                let channel = self.make_room(asker.now, name)?;
                self.admit(asker, channel, true, fx)
            }
        }
    }

    /// The room, if it is there, for somebody who may come in.
    pub(super) fn check_joining(
        &self,
        asker: Asker,
        room: &str,
        password: &str,
        fx: &impl Effects,
    ) -> Result<(Option<ChannelId>, RoomName), Refusal> {
        let user = self.user(asker.user)?;
        let name = RoomName::new(room, self.limits.room_name_bytes_max)?;
        let channel = self.room_names.get(name.key()).copied();
        if channel.is_some_and(|channel| user.is_in(channel)) {
            return Err(Refusal::AlreadyInRoom);
        }
        if user.rooms.len() >= self.limits.rooms_per_user_max {
            return Err(Refusal::TooManyRooms { rooms_max: self.limits.rooms_per_user_max });
        }
        let occupants_max = self.limits.occupants_per_room_max;
        if let Some(room) = channel.and_then(|channel| self.channels.room(channel)) {
            let pseudonym = room.pseudonym_for(asker.user, user, fx);
            let person = user.person_as(asker.user, pseudonym.as_ref());
            room.check_entry((person, user), password, occupants_max, fx)?;
        }
        Ok((channel, name))
    }

    /// Lets somebody in who may come in. `made`: they have just made the room.
    fn admit(&mut self, asker: Asker, channel: ChannelId, made: bool, fx: &mut impl Effects) -> Outcome {
        self.end_invitation(asker.user, channel);
        let (room, user) = (self.room(channel)?, self.user(asker.user)?);
        // Who makes a room is its owner, if they have an account, and moderates it for the visit if not.
        let founder = user.identity().filter(|_| made).map(|identity| identity.id);
        if let Some(account) = founder {
            let by = room.name_of(user).shown().into();
            let note = Note { by, at_millis: asker.now.unix_millis, ..Note::default() };
            let owner = MemberRecord { affiliation: Affiliation::Owner, note, ..stranger(room.id, account) };
            self.put_member(channel, owner);
        }
        let Hub { users, channels, .. } = self;
        let (room, user) = (room_mut(channels, channel)?, users.get_mut(&asker.user));
        let Some(user) = user else { return Err(Refusal::NotLoggedIn) };
        if let Some(pseudonym) = room.pseudonym_for(asker.user, user, fx) {
            room.veil.get_or_insert_default().insert(asker.user, &user.name, pseudonym);
        }
        let granted = Standing { is_moderator: made && founder.is_none(), ..Standing::default() };
        let standing = room.standing_of(user, granted);
        let key = Arc::clone(room.key_of(user));
        room.set_standing(&key, standing);
        room.occupants.insert(key);
        if let Err(at) = user.rooms.binary_search(&channel) {
            user.rooms.insert(at, channel);
        }
        // The reply first: from the frame after it on, the newcomer sees the room live.
        let asker = Asker { channel, ..asker };
        let joined = room.joined((asker.user, user), made);
        asker.reply(fx, joined);
        asker.tell_other_seats(fx, user, joined);
        asker.publish(fx, room, Event::Entered { who: room.person(asker.user, user) });
        for session in user.seats(asker.user) {
            fx.emit(Effect::Subscribe { channel, session });
        }
        self.keep_now(asker.now, channel, Happened::bare(Past::Entered, asker.user), fx);
        Ok(())
    }

    pub(super) fn leave(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        text: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, user, room) = self.occupied(asker, room)?;
        self.check_text_or_empty(text, self.limits.text_bytes_max)?;
        // Who may not speak there does not do it on leaving.
        let text = if check_voice(room.person(asker.user, user), room, fx).is_ok() { text } else { "" };
        let (name, asker) = (room.name.clone(), Asker { channel, ..asker });
        let pseudonym = room.pseudonym_of(user).cloned();
        let left = Happened { text, ..Happened::bare(Past::Left, asker.user) };
        self.keep_now(asker.now, channel, left, fx);
        let is_there = self.walk_out(asker.user, channel, fx);
        let user = self.user(asker.user)?;
        if is_there {
            let who = user.person_as(asker.user, pseudonym.as_ref());
            asker.publish(fx, self.room(channel)?, Event::Left { who, text });
        }
        let event = Event::Left { who: user.person(asker.user), text };
        for to in user.other_seats(asker.session) {
            let (cause, room) = (asker.session, Some(&name));
            fx.emit(Effect::Send { to, cause, channel, room, event });
        }
        asker.tell(fx, Reply::Left { room: &name, text });
        Ok(())
    }

    pub(super) fn leave_all(&mut self, asker: Asker, text: &str, fx: &mut impl Effects) -> Outcome {
        for channel in self.user(asker.user)?.rooms.clone() {
            self.leave(asker, RoomRef::Channel(channel), text, fx)?;
        }
        Ok(())
    }

    /// Takes an occupant out of a room and out of their own list of rooms. Whether the room is still there.
    pub(super) fn walk_out(&mut self, key: UserKey, channel: ChannelId, fx: &mut impl Effects) -> bool {
        if let Some(user) = self.users.get_mut(&key)
            && let Ok(at) = user.rooms.binary_search(&channel)
        {
            user.rooms.remove(at);
        }
        self.vacate(key, channel, fx)
    }

    /// Takes an occupant out of a room, and ends the room when nobody is left; returns whether somebody is, who has to
    /// be told. The user's own list of rooms is the caller's to mend.
    pub(super) fn vacate(&mut self, key: UserKey, channel: ChannelId, fx: &mut impl Effects) -> bool {
        let Some(user) = self.users.get(&key) else { return false };
        let Some(room) = self.channels.room_mut(channel) else { return false };
        let name = Arc::clone(room.key_of(user));
        room.occupants.remove(&name);
        room.ranked.remove(&name);
        if let Some(veil) = &mut room.veil {
            veil.remove(&user.name);
        }
        room.veil.take_if(|veil| veil.is_empty());
        for session in user.seats(key) {
            fx.emit(Effect::Unsubscribe { channel, session });
        }
        let (is_empty, is_lasting) = (room.occupants.is_empty(), room.is_lasting());
        self.drop_wishes_for_voice_of(key, channel);
        match (is_empty, is_lasting) {
            (true, true) => self.rest(channel),
            (true, false) => self.end_room(channel),
            (false, _) => {}
        }
        !is_empty
    }

    /// A room that nobody is in is no more.
    pub(super) fn end_room(&mut self, channel: ChannelId) {
        let Some(room) = self.channels.room_mut(channel) else { return };
        let guests = room.guests.take();
        self.room_names.remove(room.name.key());
        self.pasts.latest.remove(&room.id);
        if let Some(history) = room.history.take() {
            self.pasts.bytes -= history.size();
        }
        self.channels.remove(channel);
        self.drop_wishes_in(channel);
        let Some(guests) = guests else { return };
        self.mask_bytes -= guests.mask_bytes();
        self.members -= guests.members.len();
        for member in guests.members.iter() {
            let (ban, mute) = (Due::AccountBan(member.account), Due::AccountMute(member.account));
            self.times.replace(member.note.until_millis, None, channel, &ban);
            self.times.replace(member.muted_until_millis(), None, channel, &mute);
        }
        for list in MaskList::ALL {
            for entry in guests.list(list).iter().filter(|entry| entry.until_millis.is_some()) {
                let due = Due::Mask(list, entry.compiled().clone());
                self.times.replace(entry.until_millis, None, channel, &due);
            }
        }
        self.withdraw(guests.invited, channel);
    }

    fn make_room(&mut self, now: Moment, name: RoomName) -> Result<ChannelId, Refusal> {
        if self.room_names.len() >= self.limits.rooms_max {
            return Err(Refusal::TooManyRoomsOnServer);
        }
        if self.limits.occupants_per_room_max == 0 {
            return Err(Refusal::RoomFull { occupants_max: 0 });
        }
        let key = Arc::clone(name.key());
        // Nobody owns it yet, and nobody has said that they want it to last.
        let flags = self.limits.new_rooms.without(Flag::Persistent);
        self.rooms_last = self.rooms_last.next(now.unix_millis);
        let room = Room::new(self.rooms_last, name, flags, now.unix_millis);
        let channel = self.channels.insert(Channel::Room(room)).ok_or(Refusal::TooManyRoomsOnServer)?;
        self.room_names.insert(key, channel);
        Ok(channel)
    }

    pub(super) fn room(&self, channel: ChannelId) -> Result<&Room, Refusal> {
        self.channels.room(channel).ok_or(Refusal::NotInRoom)
    }

    /// The room that is meant, and the asker, who need not be in it if they know its name.
    pub(super) fn named(
        &self,
        asker: Asker,
        room: RoomRef<'_>,
    ) -> Result<(ChannelId, &User, &Room), Refusal> {
        let user = self.user(asker.user)?;
        let channel = match room {
            RoomRef::Channel(channel) if user.is_in(channel) => channel,
            RoomRef::Channel(_) => return Err(Refusal::NotInRoom),
            RoomRef::Named(name) => {
                *self.room_names.get(&*super::name::fold(name)).ok_or(Refusal::NoSuchRoom)?
            }
        };
        Ok((channel, user, self.room(channel)?))
    }

    /// The room that is meant, and the asker, who must be in it.
    pub(super) fn occupied(
        &self,
        asker: Asker,
        room: RoomRef<'_>,
    ) -> Result<(ChannelId, &User, &Room), Refusal> {
        let (channel, user, room) = self.named(asker, room)?;
        match user.is_in(channel) {
            true => Ok((channel, user, room)),
            false if finds(user, channel, room) => Err(Refusal::NotInRoom),
            false => Err(Refusal::NoSuchRoom),
        }
    }

    /// A room that the asker is in or a member of.
    pub(super) fn own(&self, asker: Asker, channel: ChannelId) -> Result<&Room, Refusal> {
        let (user, room) = (self.user(asker.user)?, self.room(channel)?);
        match user.is_in(channel) || room.affiliation(user) >= Affiliation::Member {
            true => Ok(room),
            false if finds(user, channel, room) => Err(Refusal::NotInRoom),
            false => Err(Refusal::NoSuchRoom),
        }
    }

    /// The room that is meant, if the asker may find it.
    pub(super) fn found(
        &self,
        asker: Asker,
        room: RoomRef<'_>,
    ) -> Result<(ChannelId, &User, &Room), Refusal> {
        let (channel, user, room) = self.named(asker, room)?;
        if finds(user, channel, room) { Ok((channel, user, room)) } else { Err(Refusal::NoSuchRoom) }
    }
}

/// Whether a user finds a room: hidden ones only who is in them or a member of them, or an operator of the server.
pub(super) fn finds(user: &User, channel: ChannelId, room: &Room) -> bool {
    let is_hidden = room.settings.flags.has(Flag::Hidden);
    !is_hidden || user.is_in(channel) || user.is_operator() || room.affiliation(user) >= Affiliation::Member
}

pub(super) fn room_mut(channels: &mut Channels, channel: ChannelId) -> Result<&mut Room, Refusal> {
    channels.room_mut(channel).ok_or(Refusal::NotInRoom)
}

/// The part of an index behind a folded name, which need not be in it.
pub(super) fn behind(folded: &str) -> (Bound<&str>, Bound<&str>) {
    (Bound::Excluded(folded), Bound::Unbounded)
}
