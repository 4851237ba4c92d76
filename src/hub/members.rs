//! What accounts are to a room: its books, and what of them its occupants feel. An occupant's standing follows from
//! their account and from what was granted for the visit; it is kept beside the room's list of occupants, and made anew
//! whenever the account's part changes, or whose account it is.

use super::record::{AccountId, MemberRecord, Note, Record, RoomId};
use super::role::{Affiliation, Standing};
use super::rooms::{Room, room_mut};
use super::settings::{Flag, RoomChange};
use super::times::Due;
use super::{Asker, ChannelId, Effect, Effects, Event, Hub, Limits, SessionId, User, UserKey, UserName};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A room may have this part of what is left for all of them.
const PART_OF_WHAT_IS_LEFT: usize = 64;

/// As many every room may have, whatever others have.
const ASSURED: usize = 16;

/// The accounts that are something to a room.
#[derive(Default)]
pub(super) struct Members {
    /// By account. No tree, because most rooms that have any have one.
    records: Vec<MemberRecord>,
    /// The names that are reserved, folded, and for whom.
    reserved: BTreeMap<Box<str>, AccountId>,
    owners: usize,
    outcasts: usize,
    muted: usize,
}

impl Members {
    pub fn get(&self, account: AccountId) -> Option<&MemberRecord> {
        let at = self.records.binary_search_by_key(&account, |record| record.account).ok()?;
        self.records.get(at)
    }

    pub fn iter(&self) -> impl Iterator<Item = &MemberRecord> {
        self.records.iter()
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn owners(&self) -> impl Iterator<Item = AccountId> {
        let owners = self.iter().filter(|record| record.affiliation == Affiliation::Owner);
        owners.map(|record| record.account)
    }

    pub fn owners_len(&self) -> usize {
        self.owners
    }

    /// Whether there are accounts that are banned; likewise the next.
    pub fn has_outcasts(&self) -> bool {
        self.outcasts > 0
    }

    pub fn has_muted(&self) -> bool {
        self.muted > 0
    }

    /// Who has reserved a folded name.
    pub fn who_reserved(&self, key: &str) -> Option<AccountId> {
        self.reserved.get(key).copied()
    }

    /// Takes the place of what is known of the account, which it gives back.
    fn set(&mut self, record: MemberRecord) -> Option<MemberRecord> {
        let before = self.remove(record.account);
        self.count(&record, true);
        let at = self.records.binary_search_by_key(&record.account, |record| record.account);
        if self.records.is_empty() {
            self.records.reserve_exact(1); // there is one in most rooms
        }
        self.records.insert(at.unwrap_or_else(|at| at), record);
        before
    }

    fn remove(&mut self, account: AccountId) -> Option<MemberRecord> {
        let at = self.records.binary_search_by_key(&account, |record| record.account).ok()?;
        let record = self.records.remove(at);
        self.count(&record, false);
        Some(record)
    }

    fn count(&mut self, record: &MemberRecord, is_there: bool) {
        let is = |it: bool| usize::from(it);
        let counts = [
            (&mut self.owners, is(record.affiliation == Affiliation::Owner)),
            (&mut self.outcasts, is(record.affiliation == Affiliation::Outcast)),
            (&mut self.muted, is(record.muted.is_some())),
        ];
        for (count, one) in counts {
            if is_there { *count += one } else { *count -= one }
        }
        let Some(name) = &record.reserved else { return };
        let key: Box<str> = super::name::fold(name).into();
        if is_there {
            self.reserved.insert(key, record.account);
        } else {
            self.reserved.remove(&key);
        }
    }

    /// Whether the counts are right.
    pub fn agree(&self) -> bool {
        let count = |is: fn(&MemberRecord) -> bool| self.iter().filter(|record| is(record)).count();
        self.owners == count(|record| record.affiliation == Affiliation::Owner)
            && self.outcasts == count(|record| record.affiliation == Affiliation::Outcast)
            && self.muted == count(|record| record.muted.is_some())
            && self.reserved.len() == count(|record| record.reserved.is_some())
            && self.records.is_sorted_by_key(|record| record.account)
            && self.iter().all(|record| !is_nothing(record))
    }
}

/// What is known of an account of which nothing is known yet.
pub(super) fn stranger(room: RoomId, account: AccountId) -> MemberRecord {
    MemberRecord {
        room,
        account,
        affiliation: Affiliation::None,
        has_voice: false,
        muted: None,
        reserved: None,
        note: Note::default(),
    }
}

/// Whether there is nothing to remember.
fn is_nothing(record: &MemberRecord) -> bool {
    let MemberRecord { affiliation, has_voice, muted, reserved, .. } = record;
    *affiliation == Affiliation::None && !has_voice && muted.is_none() && reserved.is_none()
}

/// An occupant who stands otherwise than before.
pub(super) struct Stood {
    /// As they are called there.
    pub name: UserName,
    pub before: Standing,
    pub after: Standing,
}

impl Stood {
    pub fn change(&self) -> RoomChange<'_> {
        RoomChange::Stands { whom: self.name.shown(), before: self.before, after: self.after }
    }
}

impl Room {
    pub fn members(&self) -> Option<&Members> {
        self.guests.as_ref().map(|guests| &guests.members)
    }

    pub fn member(&self, account: AccountId) -> Option<&MemberRecord> {
        self.members()?.get(account)
    }

    /// The same, or what stands for it where there is nothing.
    pub fn member_or_stranger(&self, account: AccountId) -> MemberRecord {
        self.member(account).cloned().unwrap_or_else(|| stranger(self.id, account))
    }

    /// What somebody's account is to the room, whether they are there or not.
    pub fn affiliation(&self, user: &User) -> Affiliation {
        self.account_here(user)
            .and_then(|account| self.member(account))
            .map_or(Affiliation::None, |record| record.affiliation)
    }

    pub fn is_owned(&self) -> bool {
        self.members().is_some_and(|members| members.owners_len() > 0)
    }

    /// Whether it stays when nobody is in it.
    pub fn is_lasting(&self) -> bool {
        self.settings.flags.has(Flag::Persistent)
    }

    /// How somebody stands there, when this was granted to them for the visit.
    pub fn standing_of(&self, user: &User, granted: Standing) -> Standing {
        let account = self.account_here(user);
        let Some(record) = account.and_then(|account| self.member(account)) else {
            return Standing { affiliation: Affiliation::None, is_muted: false, ..granted };
        };
        let &MemberRecord { affiliation, ref muted, has_voice, .. } = record;
        let is_muted = muted.is_some();
        let is_voiced = !is_muted && (granted.is_voiced || has_voice);
        Standing { affiliation, is_muted, is_voiced, ..granted }
    }
}

impl Hub {
    /// How many accounts may be something to one room at present.
    pub(super) fn members_max(&self) -> usize {
        let Limits { members_per_room_max, members_on_server_max, .. } = self.limits;
        let left = members_on_server_max.saturating_sub(self.members);
        (left / PART_OF_WHAT_IS_LEFT).max(ASSURED).min(members_per_room_max)
    }

    /// What is known of an account in a room becomes this; written down, where the room lasts. Every change of it comes
    /// through here, so that all counts hold. How occupants stand is the caller's to mend.
    pub(super) fn set_member(&mut self, channel: ChannelId, record: MemberRecord, fx: &mut impl Effects) {
        let (account, is_gone) = (record.account, is_nothing(&record));
        if let Some(room) = self.channels.room(channel).filter(|room| room.is_lasting()) {
            let (room, record) = (room.id, record.clone());
            fx.store(if is_gone { Record::MemberGone { room, account } } else { Record::Member(record) });
        }
        self.put_member(channel, record);
    }

    /// The same without a word to anybody.
    pub(super) fn put_member(&mut self, channel: ChannelId, record: MemberRecord) {
        let Ok(room) = room_mut(&mut self.channels, channel) else { return };
        let is_lasting = room.is_lasting();
        let (account, is_gone) = (record.account, is_nothing(&record));
        let is_owner = !is_gone && record.affiliation == Affiliation::Owner;
        let until = (record.note.until_millis, record.muted_until_millis());
        let (ban_until, mute_until) = if is_gone { (None, None) } else { until };
        let members = &mut room.guests.get_or_insert_default().members;
        let before = if is_gone { members.remove(account) } else { members.set(record) };
        self.members += usize::from(!is_gone);
        self.members -= usize::from(before.is_some());
        let ban_before = before.as_ref().and_then(|before| before.note.until_millis);
        let mute_before = before.as_ref().and_then(MemberRecord::muted_until_millis);
        self.times.replace(ban_before, ban_until, channel, &Due::AccountBan(account));
        self.times.replace(mute_before, mute_until, channel, &Due::AccountMute(account));
        let was_owner = before.is_some_and(|before| before.affiliation == Affiliation::Owner);
        if is_lasting && was_owner != is_owner {
            self.count_lasting(account, is_owner);
        }
    }

    /// Of one owner, how many rooms last.
    pub(super) fn count_lasting(&mut self, owner: AccountId, is_more: bool) {
        let count = self.lasting_of.entry(owner).or_default();
        if is_more {
            *count += 1;
        } else {
            *count = count.saturating_sub(1);
        }
        if *count == 0 {
            self.lasting_of.remove(&owner);
        }
    }

    /// Makes the standing of an occupant follow from what is known of them now. What it was, if it is another.
    pub(super) fn refresh(&mut self, channel: ChannelId, key: UserKey) -> Option<Stood> {
        let room = self.channels.room(channel)?;
        let user = self.users.get(&key).filter(|user| user.is_in(channel))?;
        let name = room.name_of(user).clone();
        let before = room.standing(name.key());
        let after = room.standing_of(user, before);
        if before == after {
            return None;
        }
        let key = Arc::clone(name.key());
        room_mut(&mut self.channels, channel).ok()?.set_standing(&key, after);
        Some(Stood { name, before, after })
    }

    /// Those who are here under an account and in a room.
    pub(super) fn occupants_under(&self, channel: ChannelId, account: AccountId) -> Vec<UserKey> {
        if let Some(veil) = self.channels.room(channel).and_then(|room| room.veil.as_ref()) {
            return veil.under(account);
        }
        let here = self.accounts.users_of(account).iter().copied();
        here.filter(|key| self.users.get(key).is_some_and(|user| user.is_in(channel))).collect()
    }

    /// Somebody is known by another account, or by none: in each of their rooms they are what that makes them. An account
    /// that is banned there does not stay. Where people are not known, they are who they were when they entered: what they
    /// became or lost at the moment at which others elsewhere hear of the account would tell whose it is.
    pub(super) fn refresh_rooms_of(&mut self, key: UserKey, fx: &mut impl Effects) {
        let rooms = self.users.get(&key).map(|user| user.rooms.clone()).unwrap_or_default();
        for channel in rooms {
            if !self.channels.room(channel).is_some_and(Room::knows_people) {
                continue;
            }
            let Some(stood) = self.refresh(channel, key) else { continue };
            let Some(room) = self.channels.room(channel) else { continue };
            self.publish_changes((SessionId::NONE, channel), room, (None, &[stood.change()]), fx);
            if stood.after.affiliation == Affiliation::Outcast {
                self.turn_out(None, channel, key, "", fx);
            }
        }
    }

    /// Makes an occupant leave, who hears of it as an occupant, and so does `by`, whose doing it is.
    pub(super) fn turn_out(
        &mut self,
        by: Option<Asker>,
        channel: ChannelId,
        key: UserKey,
        text: &str,
        fx: &mut impl Effects,
    ) {
        let (Some(room), Some(user)) = (self.channels.room(channel), self.users.get(&key)) else { return };
        let (who, is_known) = (room.name_of(user).clone(), room.knows_people());
        if let Some(now) = self.times.now() {
            self.note_kick(now, channel, (by.map_or(key, |asker| asker.user), &who), text, fx);
        }
        let Some(room) = self.channels.room(channel) else { return };
        let doer = by.and_then(|asker| Some((asker, room.person(asker.user, self.users.get(&asker.user)?))));
        let event = Event::Kicked { by: doer.map(|(_, person)| person), who: &who, text };
        let cause = doer.map_or(SessionId::NONE, |(asker, _)| asker.session);
        if is_known {
            fx.emit(Effect::Publish { channel, room: &room.name, cause, event });
        }
        if let Some((Asker { session: to, user, .. }, _)) = doer {
            let own = self.users.get(&user).map(|doer| doer.person(user));
            let event = Event::Kicked { by: own, who: &who, text };
            fx.emit(Effect::Send { to, cause, channel, room: Some(&room.name), event });
        }
        if is_known {
            self.walk_out(key, channel, fx);
        } else {
            self.kick_unknown(by, channel, (key, &who), text, fx);
        }
    }

    /// An account is no more. A room that lasts and has lost its last owner by that goes to its oldest admin, who is its
    /// owner from the next visit on where people are not known; where there is none, it lasts no longer.
    pub(super) fn forget_member(&mut self, account: AccountId, fx: &mut impl Effects) {
        let of = |(_, room): &(ChannelId, &Room)| room.member(account).is_some();
        let rooms: Vec<ChannelId> = self.channels.rooms().filter(of).map(|(channel, _)| channel).collect();
        for channel in rooms {
            let Some(room) = self.channels.room(channel) else { continue };
            let nothing = stranger(room.id, account);
            self.put_member(channel, nothing); // what is written down goes with the account
            let Some(room) = self.channels.room(channel) else { continue };
            if !room.is_lasting() || room.is_owned() {
                continue;
            }
            let members = room.members().into_iter().flat_map(Members::iter);
            let admins = members.filter(|member| member.affiliation == Affiliation::Admin);
            match admins.min_by_key(|member| member.note.at_millis).cloned() {
                Some(heir) => {
                    let heir = MemberRecord { affiliation: Affiliation::Owner, ..heir };
                    let account = heir.account;
                    let is_told = room.knows_people();
                    self.set_member(channel, heir, fx);
                    let stood = if is_told { self.occupants_under(channel, account) } else { Vec::new() };
                    let stood: Vec<Stood> =
                        stood.into_iter().filter_map(|key| self.refresh(channel, key)).collect();
                    self.tell_standing(channel, &stood, fx);
                }
                None => self.end_lasting(channel, fx),
            }
        }
    }

    /// To everybody in the room.
    pub(super) fn tell_standing(&self, channel: ChannelId, stood: &[Stood], fx: &mut impl Effects) {
        let Some(room) = self.channels.room(channel).filter(|_| !stood.is_empty()) else { return };
        let changes: Vec<RoomChange<'_>> = stood.iter().map(Stood::change).collect();
        self.publish_changes((SessionId::NONE, channel), room, (None, &changes), fx);
    }
}
