//! Users: who comes, what they say of themselves, who goes.

use super::guests::Candidate;
use super::moderation::check_act;
use super::name::UserName;
use super::past::Happened;
use super::person::{Marks, Profile};
use super::privileges::Act;
use super::read_marks::Reader;
use super::record::Past;
use super::speech::check_voice;
use super::{
    Asker, ChannelId, Departure, Effect, Effects, Event, Formerly, Hub, Moment, Outcome, Person, Refusal,
    RelayEnd, Reply, SessionId, Trait, User, UserKey,
};
use smallvec::SmallVec;
use std::sync::Arc;

/// What a dialect says of a newcomer.
pub(super) struct Newcomer<'a> {
    pub name: &'a str,
    pub payload_max: u16,
    pub username: &'a str,
    pub realname: &'a str,
}

impl User {
    pub(super) fn person(&self, user: UserKey) -> Person<'_> {
        let account = self.identity().map(|identity| identity.name.shown());
        let session = self.first_seat(user);
        Person { user, session, name: &self.name, hidden_host: None, profile: self.profile(), account }
    }

    pub(super) fn profile(&self) -> Option<&Profile> {
        self.rare.as_ref()?.profile.as_deref()
    }

    pub(super) fn known_profile_mut(&mut self) -> Option<&mut Profile> {
        self.rare.as_mut()?.profile.as_deref_mut()
    }

    pub(super) fn profile_mut(&mut self) -> &mut Profile {
        self.rare_mut().profile.get_or_insert_default()
    }

    pub(super) fn marks(&self) -> Marks {
        self.profile().map_or(Marks::NONE, |profile| profile.marks)
    }

    pub(super) fn is_operator(&self) -> bool {
        self.marks().contains(Marks::OPERATOR)
    }

    pub(super) fn is_in(&self, channel: ChannelId) -> bool {
        self.rooms.binary_search(&channel).is_ok()
    }
}

impl Hub {
    pub(super) fn login(&mut self, asker: Asker, newcomer: Newcomer<'_>, fx: &mut impl Effects) -> Outcome {
        let Newcomer { name, payload_max, username, realname } = newcomer;
        if self.users.contains_key(&asker.user) {
            return Err(Refusal::AlreadyLoggedIn);
        }
        if let Some(key) = self.same_person(asker.session, name) {
            return self.take_seat(asker, key, payload_max, fx);
        }
        let name = self.free_name(asker.session, name)?;
        self.check_text_or_empty(username, self.limits.username_bytes_max.into())?;
        self.check_text_or_empty(realname, self.limits.realname_bytes_max)?;
        self.names.insert(Arc::clone(name.key()), asker.user);
        asker.reply(fx, Reply::LoggedIn { name: name.shown(), text_bytes_max: self.limits.text_bytes_max });
        let since = asker.now.monotonic;
        let user = User { name, rooms: SmallVec::new(), since, payload_max, rare: None };
        self.users.insert(asker.user, Box::new(user));
        if !username.is_empty() || !realname.is_empty() {
            let profile = self.user_mut(asker.user)?.profile_mut();
            profile.set_names(username, realname);
        }
        if let Some(identity) = self.take_identity(asker.session) {
            self.accounts.note_identity(asker.user, None, Some(identity.id));
            self.user_mut(asker.user)?.rare_mut().identity = Some(Box::new(identity));
        }
        self.users_most = self.users_most.max(self.users.len());
        self.tell_appeared(asker, fx);
        Ok(())
    }

    /// A name that a newcomer can have.
    pub(super) fn free_name(&self, newcomer: SessionId, name: &str) -> Result<UserName, Refusal> {
        let name = UserName::new(name, self.limits.name_bytes_max)?;
        if self.names.contains_key(name.key()) {
            return Err(Refusal::NameTaken);
        }
        self.check_reserved(newcomer, &name)?;
        Ok(name)
    }

    /// Everybody who sees them is told, once; those who watch either name, too.
    pub(super) fn rename(&mut self, asker: Asker, name: &str, fx: &mut impl Effects) -> Outcome {
        let user = self.user(asker.user)?;
        let to = UserName::new(name, self.limits.name_bytes_max)?;
        let is_same = to == user.name;
        if !is_same && self.names.contains_key(to.key()) {
            let is_own = self.same_person(asker.session, name).is_some();
            return Err(if is_own { Refusal::NameIsYours } else { Refusal::NameTaken });
        }
        self.check_reserved(asker.session, &to)?;
        if to.shown() == user.name.shown() {
            asker.reply(fx, Reply::Renamed { from: &user.name, to: &user.name });
            return Ok(());
        }
        if !is_same {
            self.check_renaming(asker.user, user, &to, fx)?;
        }
        let from = user.name.clone();
        for channel in self.known_in(user) {
            let renamed = Happened { text: to.shown(), ..Happened::bare(Past::Renamed, asker.user) };
            self.keep_now(asker.now, channel, renamed, fx);
        }
        if !is_same {
            self.forget(asker.now, asker.user, fx);
            self.move_keys(asker.user, &from, &to);
        }
        self.user_mut(asker.user)?.name = to.clone();
        let user = self.user(asker.user)?;
        let person = Person { name: &from, ..user.person(asker.user) };
        asker.reply(fx, Reply::Renamed { from: &from, to: &to });
        asker.tell_other_seats(fx, user, Reply::Renamed { from: &from, to: &to });
        let event = Event::Renamed { who: person, to: &to };
        asker.tell_neighbours(fx, user, &self.known_in(user), event);
        if !is_same {
            self.tell_vanished(asker.session, &from, fx);
            self.tell_appeared(asker, fx);
        }
        Ok(())
    }

    /// Whoever may not speak in a room because of a ban does not get around it by another name. And in each of their rooms
    /// the name has to be free for them, and they free to change it.
    fn check_renaming(&self, key: UserKey, user: &User, to: &UserName, fx: &impl Effects) -> Outcome {
        let candidate = Candidate::new(user.person(key), fx);
        for channel in self.known_in(user) {
            let Some(room) = self.channels.room(channel) else { continue };
            if room.is_silenced(&candidate) {
                return Err(Refusal::BannedFromRenaming);
            }
            if check_act(user, room, Act::Rename).is_err() {
                return Err(Refusal::NoVoice);
            }
            room.check_reserved_name(user, to)?;
        }
        Ok(())
    }

    /// The indexes of a user who gets another name.
    fn move_keys(&mut self, key: UserKey, from: &UserName, to: &UserName) {
        self.names.remove(from.key());
        self.names.insert(Arc::clone(to.key()), key);
        let rooms = self.users.get(&key).map(|user| user.rooms.clone()).unwrap_or_default();
        for channel in rooms {
            if let Some(room) = self.channels.room_mut(channel) {
                room.rename(from.key(), to.key());
            }
        }
    }

    pub(super) fn set_realname(&mut self, asker: Asker, text: &str, fx: &mut impl Effects) -> Outcome {
        self.user(asker.user)?;
        self.check_text(text, self.limits.realname_bytes_max)?;
        if self.user(asker.user)?.person(asker.user).realname() != text {
            self.user_mut(asker.user)?.profile_mut().set_realname(text);
            let user = self.user(asker.user)?;
            let event = Event::RealNameChanged { who: user.person(asker.user) };
            asker.show_other_seats(fx, user, event);
            asker.tell_neighbours(fx, user, &self.known_in(user), event);
            self.tell_watched_change(asker.user, asker.session, Trait::RealName, fx);
        }
        asker.done(fx);
        Ok(())
    }

    pub(super) fn set_away(&mut self, asker: Asker, text: Option<&str>, fx: &mut impl Effects) -> Outcome {
        let user = self.user(asker.user)?;
        self.check_text_or_empty(text.unwrap_or(""), self.limits.away_bytes_max)?;
        let text = text.filter(|text| !text.is_empty());
        if user.person(asker.user).away() != text {
            self.user_mut(asker.user)?.profile_mut().away = text.map(Into::into);
            let user = self.user(asker.user)?;
            let event = Event::AwayChanged { who: user.person(asker.user) };
            let mut rooms = self.known_in(user);
            rooms.retain(|channel| self.shows_status(user, *channel));
            asker.show_other_seats(fx, user, event);
            asker.tell_neighbours(fx, user, &rooms, event);
            self.tell_watched_change(asker.user, asker.session, Trait::Away, fx);
        }
        asker.done(fx);
        Ok(())
    }

    fn shows_status(&self, user: &User, channel: ChannelId) -> bool {
        self.channels.room(channel).is_some_and(|room| check_act(user, room, Act::ShowStatus).is_ok())
    }

    pub(super) fn set_marks(
        &mut self,
        asker: Asker,
        set: Marks,
        clear: Marks,
        fx: &mut impl Effects,
    ) -> Outcome {
        let before = self.user(asker.user)?.marks_at(asker.session);
        let now = before.with(set.without(Marks::OPERATOR)).without(clear);
        self.mark_at(asker, now, fx)
    }

    pub(super) fn become_operator(&mut self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        let now = self.user(asker.user)?.marks_at(asker.session).with(Marks::OPERATOR);
        self.mark_at(asker, now, fx)
    }

    /// Who is an operator, each seat says for itself; the other marks are those of all.
    fn mark_at(&mut self, asker: Asker, now: Marks, fx: &mut impl Effects) -> Outcome {
        let user = self.user_mut(asker.user)?;
        let (before, all_before) = (user.marks_at(asker.session), user.marks());
        let is_marked = user.set_operator_at(asker.session, now.contains(Marks::OPERATOR));
        let all = now.without(Marks::OPERATOR);
        self.mark(asker.user, if is_marked { all.with(Marks::OPERATOR) } else { all })?;
        asker.reply(fx, Reply::Marks { now, before });
        let user = self.user(asker.user)?;
        let others = all_before.without(Marks::OPERATOR);
        for seat in user.other_seats(asker.session).filter(|_| others != all) {
            let now = user.marks_at(seat);
            let own = now.without(all);
            asker.tell_seat(fx, seat, Reply::Marks { now, before: others.with(own) });
        }
        Ok(())
    }

    /// Makes a session no operator's any more. `false` when it was none.
    pub fn revoke_operator(&mut self, session: SessionId) -> bool {
        let key = self.user_of(session);
        let Ok(user) = self.user_mut(key) else { return false };
        if !user.marks_at(session).contains(Marks::OPERATOR) {
            return false;
        }
        let marks = user.marks();
        user.set_operator_at(session, false) || self.mark(key, marks.without(Marks::OPERATOR)).is_ok()
    }

    fn mark(&mut self, user: UserKey, marks: Marks) -> Outcome {
        let user = self.user_mut(user)?;
        let before = user.marks();
        if before == marks {
            return Ok(());
        }
        user.profile_mut().marks = marks;
        for (mark, count) in [(Marks::INVISIBLE, &mut self.invisible), (Marks::OPERATOR, &mut self.operators)]
        {
            *count += usize::from(marks.contains(mark));
            *count -= usize::from(before.contains(mark));
        }
        Ok(())
    }

    /// A session is gone, for whatever reason; everybody who has to do with it is told. A session that never logged in
    /// leaves no trace.
    pub fn disconnect(&mut self, now: Moment, session: SessionId, why: Departure<'_>, fx: &mut impl Effects) {
        self.pasts.waiting.remove(&session);
        if self.leave_seat(session, fx) {
            self.accounts.forget_session(session);
            return;
        }
        let key = self.user_of(session);
        // Last words are a courtesy: where they break a rule, the departure is told without them.
        let why = match why {
            Departure::Quit(text) if self.check_text_or_empty(text, self.limits.text_bytes_max).is_err() => {
                Departure::Quit("")
            }
            Departure::Quit(_) if self.is_mute_anywhere(key, fx) => Departure::Quit(""),
            why => why,
        };
        self.accounts.forget_session(session);
        let Some(user) = self.users.get_mut(&key) else { return };
        let rooms = std::mem::take(&mut user.rooms);
        let relays = user.rare.as_mut().map(|rare| std::mem::take(&mut rare.relays));
        for relay in relays.unwrap_or_default() {
            self.end_relay(session, relay, RelayEnd::PeerLeft, fx);
        }
        let mut left: SmallVec<[_; 4]> = SmallVec::new();
        for channel in rooms {
            self.keep_departure(now, (key, channel), why, fx);
            let pseudonym = self.pseudonym_in(channel, key);
            if self.vacate(key, channel, fx) {
                match pseudonym {
                    None => left.push(channel),
                    Some(pseudonym) => self.tell_left(session, (key, &pseudonym), channel, fx),
                }
            }
        }
        self.forget(now, key, fx);
        self.unwatch_all_of(key);
        self.decline_all_of(key);
        let _ = self.mark_none(key);
        let Some(user) = self.users.remove(&key) else { return };
        self.accounts.note_identity(key, user.identity().map(|identity| identity.id), None);
        self.read_marks.remove(&Reader::Visitor(key));
        self.seats.remove(&session);
        self.names.remove(user.name.key());
        if !left.is_empty() {
            let event = Event::Quit { who: user.person(key), why };
            fx.emit(Effect::PublishToNeighbours { cause: session, except: &[], channels: &left, event });
        }
        self.tell_vanished(session, &user.name, fx);
    }

    /// Whether there is a room in which they have no voice. What is told of a departure is told in all their rooms.
    fn is_mute_anywhere(&self, key: UserKey, fx: &impl Effects) -> bool {
        let Some(user) = self.users.get(&key) else { return false };
        let rooms = self.known_in(user);
        let mut rooms = rooms.iter().filter_map(|&channel| self.channels.room(channel));
        rooms.any(|room| check_voice(user.person(key), room, fx).is_err())
    }

    /// So that the counts are right without them.
    fn mark_none(&mut self, key: UserKey) -> Outcome {
        match self.user(key)?.profile() {
            Some(_) => self.mark(key, Marks::NONE),
            None => Ok(()),
        }
    }

    /// Remembers a name that is given up. Whoever gives up many of them pushes out their own, not those of others.
    fn forget(&mut self, now: Moment, key: UserKey, fx: &impl Effects) {
        let Some(user) = self.users.get(&key) else { return };
        let person = user.person(key);
        let host = fx.host(person.session);
        let formerly = Formerly {
            name: user.name.clone(),
            username: person.username().into(),
            realname: person.realname().into(),
            host,
            is_invisible: person.marks().contains(Marks::INVISIBLE),
            until_millis: now.unix_millis,
        };
        let from_there = |formerly: &Formerly| formerly.host.address == host.address;
        let former = &mut self.former;
        if former.iter().filter(|one| from_there(one)).count() >= self.limits.former_names_per_host_max
            && let Some(oldest) = former.iter().rposition(from_there)
        {
            former.remove(oldest);
        }
        former.push_front(formerly);
        former.truncate(self.limits.former_names_max);
    }
}
