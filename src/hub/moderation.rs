//! What moderators do: kicks, roles, lists of masks; and an operator's last resort.

use super::affiliations::{ACCOUNT_SIGN, is_by_affiliation};
use super::changes::Applied;
use super::mask::{Mask, in_full};
use super::members::{Members, Stood};
use super::name::fold;
use super::past::Happened;
use super::person::Marks;
use super::privileges::{Act, Rank, may_touch};
use super::record::{MaskRecord, MemberRecord, Note, Past, Record, RoomId};
use super::rooms::{Room, room_mut};
use super::settings::{Flag, MaskEntry, MaskList, Terms};
use super::times::Due;
use super::{
    Affiliation, Asker, ChannelId, Departure, Effect, Effects, Ending, Event, Hub, Killing, Moment, Outcome,
    Refusal, Reply, Role, RoomRef, Standing, User, UserKey, UserName, send,
};
use smallvec::SmallVec;

impl Hub {
    /// Whoever is kicked hears of it as an occupant, and then no more.
    pub(super) fn kick(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        who: &str,
        text: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, user, room) = self.occupied(asker, room)?;
        check_act(user, room, Act::Kick)?;
        self.check_text_or_empty(text, self.limits.kick_bytes_max)?;
        let (user_key, name) = self.occupant_of(asker, channel, who)?;
        if user_key == asker.user {
            return Err(Refusal::NotToYourself); // leaving is for that
        }
        let by_affiliation = room.standing(room.key_of(user)).affiliation;
        if !may_touch(by_affiliation, room.standing(name.key()).affiliation) {
            return Err(Refusal::OutOfReach);
        }
        let (name, room_name) = (name.clone(), room.name.clone());
        let asker = Asker { channel, ..asker };
        self.note_kick(asker.now, channel, (asker.user, &name), text, fx);
        let room = self.room(channel)?;
        if room.knows_people() {
            let by = Some(room.person(asker.user, self.user(asker.user)?));
            asker.publish(fx, room, Event::Kicked { by, who: &name, text });
            self.walk_out(user_key, channel, fx);
        } else {
            self.kick_unknown(Some(asker), channel, (user_key, &name), text, fx);
        }
        asker.tell(fx, Reply::Kicked { room: &room_name, who: &name, text });
        Ok(())
    }

    /// For those who ask later what happened.
    pub(super) fn note_kick(
        &mut self,
        now: Moment,
        channel: ChannelId,
        (by, who): (UserKey, &UserName),
        text: &str,
        fx: &mut impl Effects,
    ) {
        let kicked = [who.shown(), text].join(" ");
        let kicked = Happened { text: &kicked, ..Happened::bare(Past::Kicked, by) };
        self.keep_now(now, channel, kicked, fx);
    }

    pub(super) fn grant(
        &mut self,
        asker: Asker,
        rank: Rank,
        channel: ChannelId,
        (role, whom, on): (Role, &str, bool),
        fx: &mut impl Effects,
    ) -> Result<Applied, Refusal> {
        let (_, name) = self.occupant_of(asker, channel, whom)?;
        let name = name.clone();
        let room = room_mut(&mut self.channels, channel)?;
        let before = room.standing(name.key());
        let is_by_rank = !on && is_by_affiliation(before.affiliation, role);
        if is_by_rank || (!on && !may_touch(rank.standing.affiliation, before.affiliation)) {
            return Err(Refusal::OutOfReach);
        }
        let after = match role {
            Role::Moderator => Standing { is_moderator: on, ..before },
            Role::Participant => Standing { is_voiced: on, ..before },
            Role::Visitor => return Err(Refusal::BadRole),
        };
        if before == after {
            return Ok(Applied::default());
        }
        room.set_standing(name.key(), after);
        if role == Role::Participant {
            self.keep_voice(channel, name.clone(), on, fx);
            self.drop_wish_for_voice(channel, name.key());
        }
        let stood = vec![Stood { name: name.clone(), before, after }];
        Ok(Applied { stood, ..Applied::to(name) })
    }

    /// A mask that is there already gets other terms.
    pub(super) fn add_mask(
        &mut self,
        asker: Asker,
        channel: ChannelId,
        (list, mask, terms): (MaskList, &str, Terms<'_>),
        fx: &mut impl Effects,
    ) -> Result<Applied, Refusal> {
        let is_bad = |c: char| c.is_whitespace() || c.is_control();
        if mask.is_empty() || mask.len() > self.limits.mask_bytes_max.into() || mask.contains(is_bad) {
            return Err(Refusal::BadMask);
        }
        self.check_text_or_empty(terms.reason, self.limits.kick_bytes_max)?;
        let compiled = Mask::new(mask);
        let masks_max = self.limits.masks_per_list_max;
        let bytes_max = self.mask_bytes_max();
        let by = in_full(self.room(channel)?.person(asker.user, self.user(asker.user)?), fx).into();
        let at_millis = asker.now.unix_millis;
        let note =
            Note { by, reason: terms.reason.into(), at_millis, until_millis: terms.until_millis(at_millis) };
        let room = room_mut(&mut self.channels, channel)?;
        let guests = room.guests.get_or_insert_default();
        let at = guests.position(list, &compiled);
        let old = at.and_then(|at| guests.list(list).get(at));
        let is_same = |old: &MaskEntry| old.until_millis == note.until_millis && *old.reason == *note.reason;
        if old.is_some_and(is_same) {
            return Ok(Applied::default());
        }
        if at.is_none() && guests.list(list).len() >= masks_max {
            return Err(Refusal::TooManyMasks { masks_max });
        }
        let until_before = old.and_then(|old| old.until_millis);
        let bytes_before = old.map_or(0, MaskEntry::bytes);
        let entry = MaskEntry::new(mask, compiled, note);
        if guests.mask_bytes() + entry.bytes() - bytes_before > bytes_max {
            return Err(Refusal::NoSpaceForMask);
        }
        self.mask_bytes = self.mask_bytes + entry.bytes() - bytes_before;
        let due = Due::Mask(list, entry.compiled().clone());
        self.times.replace(until_before, entry.until_millis, channel, &due);
        if room.settings.flags.has(Flag::Persistent) {
            if let Some(old) = old {
                fx.store(Record::MaskGone { room: room.id, list, mask: old.mask.clone() });
            }
            fx.store(Record::Mask(mask_record(room.id, list, &entry)));
        }
        if let Some(place) = at.and_then(|at| guests.list_mut(list).get_mut(at)) {
            *place = entry;
        } else {
            guests.list_mut(list).push(entry);
        }
        Ok(Applied::yes())
    }

    pub(super) fn remove_mask(
        &mut self,
        channel: ChannelId,
        list: MaskList,
        mask: &str,
        fx: &mut impl Effects,
    ) -> Result<Applied, Refusal> {
        let room = room_mut(&mut self.channels, channel)?;
        let is_lasting = room.is_lasting();
        let Some(guests) = &mut room.guests else { return Ok(Applied::default()) };
        let Some(at) = guests.position(list, &Mask::new(mask)) else { return Ok(Applied::default()) };
        let entry = guests.list_mut(list).remove(at);
        self.mask_bytes -= entry.bytes();
        self.times.replace(entry.until_millis, None, channel, &Due::Mask(list, entry.compiled().clone()));
        if is_lasting {
            fx.store(Record::MaskGone { room: room.id, list, mask: entry.mask });
        }
        Ok(Applied::yes())
    }

    /// Bans are no secret; who is excepted from them, moderators alone may know. Accounts that are banned or muted stand
    /// behind the masks; where people are not known, for those alone who say who is what in the room.
    pub(super) fn list_masks(
        &self,
        asker: Asker,
        room: RoomRef<'_>,
        list: MaskList,
        from: usize,
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, user, room) = self.found(asker, room)?;
        if list != MaskList::Bans {
            if !user.is_in(channel) {
                return Err(Refusal::NotInRoom);
            }
            check_act(user, room, Act::Ban)?;
        }
        let masks = room.list(list);
        let accounts = match room.knows_people() || check_act(user, room, Act::EditMembers).is_ok() {
            true => self.account_masks(room, list),
            false => Vec::new(),
        };
        let page = self.limits.page_entries_max;
        let (entries, rest);
        let all: &[MaskEntry] = if accounts.is_empty() {
            masks
        } else {
            entries = [masks, &accounts].concat();
            &entries
        };
        rest = all.get(from..).unwrap_or_default();
        let entries = rest.get(..page).unwrap_or(rest);
        let more = entries.len() < rest.len();
        asker.reply(fx, Reply::Masks { room: &room.name, list, entries, more });
        Ok(())
    }

    /// Accounts that are banned or muted, as entries of a list of masks.
    fn account_masks(&self, room: &Room, list: MaskList) -> Vec<MaskEntry> {
        let is_listed = |member: &&MemberRecord| match list {
            MaskList::Bans => member.affiliation == Affiliation::Outcast,
            MaskList::Mutes => member.muted.is_some(),
            MaskList::BanExceptions | MaskList::InviteExceptions => false,
        };
        let has_any = |members: &&Members| match list {
            MaskList::Bans => members.has_outcasts(),
            _ => members.has_muted(),
        };
        let members = room.members().filter(has_any).into_iter().flat_map(Members::iter);
        let entry = |member: &MemberRecord| {
            let mask = format!("{ACCOUNT_SIGN}{}", self.accounts.name_of(member.account)?);
            let note = match &member.muted {
                Some(muted) if list == MaskList::Mutes => muted,
                _ => &member.note,
            };
            Some(MaskEntry::new(&mask, Mask::new(&mask), note.clone()))
        };
        members.filter(is_listed).filter_map(entry).collect()
    }

    /// An operator of the server ends somebody's session.
    pub(super) fn kill(&mut self, asker: Asker, name: &str, text: &str, fx: &mut impl Effects) -> Outcome {
        let by = self.operator(asker)?.name.clone();
        self.check_text_or_empty(text, self.limits.kick_bytes_max)?;
        let found = self.names.get(&*fold(name)).copied();
        let found = found.or_else(|| self.hidden_peer(asker, name).map(|(key, _)| key));
        let to = found.ok_or(Refusal::NoSuchPeer)?;
        let (user, why) = (self.user(to)?, Killing { by: by.shown(), text });
        let (whom, seats): (_, SmallVec<[_; 1]>) = (user.name.clone(), user.seats(to).collect());
        let event = Event::Killed { by: self.user(asker.user)?.person(asker.user), text };
        send((to, user), asker.session, ChannelId::NONE, event, fx);
        asker.done(fx);
        for session in seats {
            self.disconnect(asker.now, session, Departure::Killed(why), fx);
            let why = Ending::Killed(why);
            fx.emit(Effect::HangUp { session, name: whom.shown(), by: asker.session, why });
        }
        Ok(())
    }

    pub(super) fn operator(&self, asker: Asker) -> Result<&User, Refusal> {
        let user = self.user(asker.user)?;
        if user.marks_at(asker.session).contains(Marks::OPERATOR) {
            Ok(user)
        } else {
            Err(Refusal::NotOperator)
        }
    }
}

/// An entry of a list, as it is written down.
pub(super) fn mask_record(room: RoomId, list: MaskList, entry: &MaskEntry) -> MaskRecord {
    MaskRecord { room, list, mask: entry.mask.clone(), note: entry.note() }
}

/// Whether what somebody is in a room is enough for something.
pub(super) fn check_act(user: &User, room: &Room, act: Act) -> Outcome {
    Rank::of(user, room).check(act)
}
