//! What owners do with a room as a whole: end it, or give it another name. And what its members see of each other, and
//! the names that they reserve.

use super::lasting::check_durable;
use super::members::Members;
use super::name::{RoomName, UserName, fold};
use super::privileges::{Act, Rank};
use super::record::{AccountId, MemberRecord};
use super::rooms::{Room, room_mut};
use super::veil::Pseudonym;
use super::view::MemberView;
use super::{
    Affiliation, Asker, ChannelId, Effect, Effects, Event, Hub, Outcome, Person, Refusal, Reply, RoomRef,
    User, UserKey,
};
use std::sync::Arc;

impl Room {
    /// What somebody is called in a room in which people are not known, whether they are there or do something to it from
    /// outside.
    fn pseudonym_anywhere(
        &self,
        (channel, key): (ChannelId, UserKey),
        user: &User,
        fx: &impl Effects,
    ) -> Option<Pseudonym> {
        if user.is_in(channel) { self.pseudonym_of(user).cloned() } else { self.pseudonym_for(key, user, fx) }
    }

    /// Whether somebody else has reserved a name here, by which people are not known in every room.
    pub(super) fn check_reserved_name(&self, user: &User, name: &UserName) -> Outcome {
        let Some(members) = self.members().filter(|_| self.knows_people()) else { return Ok(()) };
        match members.who_reserved(name.key()) {
            Some(account) if !is_under(user, account) => Err(Refusal::NameReservedThere),
            _ => Ok(()),
        }
    }
}

fn is_under(user: &User, account: AccountId) -> bool {
    user.identity().is_some_and(|identity| identity.id == account)
}

impl Hub {
    /// Ends a room, whoever is in it (XEP-0045 §10.9). Owners need not be there; operators of the server may do it, too.
    pub(super) fn destroy(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        (text, instead): (&str, &str),
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, user, room) = self.found(asker, room)?;
        if !user.is_operator() {
            Rank::from_outside(user, room).check(Act::Destroy)?;
        }
        self.check_text_or_empty(text, self.limits.kick_bytes_max)?;
        if !instead.is_empty() {
            RoomName::new(instead, self.limits.room_name_bytes_max)?;
        }
        if room.is_lasting() {
            check_durable(fx)?;
        }
        let asker = Asker { channel, ..asker };
        let pseudonym = room.pseudonym_anywhere((channel, asker.user), user, fx);
        let by = user.person_as(asker.user, pseudonym.as_ref());
        let name = room.name.clone();
        let occupants = self.occupants_of(room);
        let event = |by, _| Event::Destroyed { by, text, instead };
        self.tell_each(asker, (channel, &name), (&occupants, by), event, fx);
        // It lasts no longer, so that it ends with the last of them.
        let is_empty = occupants.is_empty();
        self.end_lasting(channel, fx);
        for key in occupants {
            self.walk_out(key, channel, fx);
        }
        if is_empty {
            self.end_room(channel);
        }
        asker.reply(fx, Reply::Destroyed { room: &name });
        Ok(())
    }

    /// Everything of the room stays what it is.
    pub(super) fn rename_room(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        (to, text): (&str, &str),
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, user, room) = self.found(asker, room)?;
        Rank::from_outside(user, room).check(Act::RenameRoom)?;
        self.check_text_or_empty(text, self.limits.kick_bytes_max)?;
        let to = RoomName::new(to, self.limits.room_name_bytes_max)?;
        if self.room_names.get(to.key()).is_some_and(|&other| other != channel) {
            return Err(Refusal::RoomExists);
        }
        if room.is_lasting() {
            check_durable(fx)?;
        }
        let from = room.name.clone();
        let asker = Asker { channel, ..asker };
        if from.shown() != to.shown() {
            self.room_names.remove(from.key());
            self.room_names.insert(Arc::clone(to.key()), channel);
            room_mut(&mut self.channels, channel)?.name = to.clone();
            self.keep_room(channel, fx);
            let (room, user) = (self.room(channel)?, self.user(asker.user)?);
            let pseudonym = room.pseudonym_anywhere((channel, asker.user), user, fx);
            let by = user.person_as(asker.user, pseudonym.as_ref());
            let subject = room.subject_view();
            let occupants = self.occupants_of(room);
            let event = |by, who| Event::RoomRenamed { by, who, to: &to, subject, text };
            self.tell_each(asker, (channel, &from), (&occupants, by), event, fx);
        }
        let (room, user) = (self.room(channel)?, self.user(asker.user)?);
        let who = user.is_in(channel).then(|| user.person(asker.user));
        let subject = room.subject_view();
        asker.reply(fx, Reply::RoomRenamed { who, from: &from, to: &to, subject, text });
        Ok(())
    }

    fn occupants_of(&self, room: &Room) -> Vec<UserKey> {
        room.occupants.iter().filter_map(|key| room.user_at(key, &self.names)).collect()
    }

    /// To every occupant, at each of their seats but the asker's, what `event` has for them: `by` is who did it, which
    /// they themselves are told by their own name, and the other is who is told.
    fn tell_each<'e>(
        &'e self,
        asker: Asker,
        (channel, room): (ChannelId, &RoomName),
        (occupants, by): (&[UserKey], Person<'e>),
        event: impl Fn(Person<'e>, Person<'e>) -> Event<'e>,
        fx: &mut impl Effects,
    ) {
        for (&key, user) in occupants.iter().filter_map(|key| Some((key, self.users.get(key)?))) {
            let own = user.person(key);
            let event = event(if key == asker.user { own } else { by }, own);
            for to in user.seats(key).filter(|seat| *seat != asker.session) {
                fx.emit(Effect::Send { to, cause: asker.session, channel, room: Some(room), event });
            }
        }
    }

    /// A member's name in one room, which nobody else has there (XEP-0045 §7.10). Where people are not known by their own
    /// names, there is none.
    pub(super) fn reserve_name(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        name: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, user, room) = self.found(asker, room)?;
        let account = user.identity().ok_or(Refusal::NotIdentified)?.id;
        Rank::from_outside(user, room).check(Act::ReserveName)?;
        if !room.knows_people() && !name.is_empty() {
            return Err(Refusal::NoNamesThere);
        }
        let name = match name {
            "" => None,
            name => Some(UserName::new(name, self.limits.name_bytes_max)?),
        };
        if let Some(name) = &name {
            room.check_reserved_name(user, name)?;
            if self.account_named(name.shown()).is_some_and(|owner| owner != account) {
                return Err(Refusal::NameReserved);
            }
            let holder =
                room.user_at(name.key(), &self.names).filter(|_| room.occupants.contains(name.key()));
            if holder.and_then(|key| self.users.get(&key)).is_some_and(|holder| !is_under(holder, account)) {
                return Err(Refusal::NameReservedThere);
            }
        }
        if room.is_lasting() {
            check_durable(fx)?;
        }
        let reserved = name.as_ref().map(|name| name.shown().into());
        let record = room.member(account).ok_or(Refusal::NotMember)?;
        if record.reserved != reserved {
            let record = MemberRecord { reserved, ..record.clone() };
            self.set_member(channel, record, fx);
        }
        let (room, name) = (&self.room(channel)?.name, name.as_ref().map_or("", UserName::shown));
        asker.reply(fx, Reply::NameReserved { room, name });
        Ok(())
    }

    /// Who is banned or muted, and who has nothing but a voice, is for those who say who is what.
    pub(super) fn list_members(
        &self,
        asker: Asker,
        room: RoomRef<'_>,
        affiliation: Option<Affiliation>,
        after: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        let (_, user, room) = self.found(asker, room)?;
        let rank = Rank::from_outside(user, room);
        rank.check(Act::ReadMembers)?;
        let sees_all = rank.check(Act::EditMembers).is_ok();
        if !sees_all && affiliation.is_some_and(|affiliation| affiliation < Affiliation::Member) {
            return Err(Refusal::NotAdmin);
        }
        let is_listed = |record: &&MemberRecord| {
            affiliation.is_none_or(|affiliation| record.affiliation == affiliation)
                && (sees_all || record.affiliation >= Affiliation::Member)
        };
        let records = room.members().into_iter().flat_map(Members::iter).filter(is_listed);
        let after = fold(after);
        let named = records.filter_map(|member| Some((self.accounts.name_of(member.account)?, member)));
        let mut members: Vec<(&UserName, &MemberRecord)> =
            named.filter(|(name, _)| **name.key() > *after).collect();
        members.sort_unstable_by(|(one, _), (other, _)| one.key().cmp(other.key()));
        let page = self.limits.page_entries_max.max(1);
        let more = members.len() > page;
        members.truncate(page);
        let next = members.last().filter(|_| more).map(|(name, _)| name.shown());
        let entries: Vec<MemberView<'_>> =
            members.iter().map(|&(name, member)| MemberView { account: name.shown(), member }).collect();
        asker.reply(fx, Reply::Members { room: &room.name, entries: &entries, next });
        Ok(())
    }
}
