//! Rooms in which people are not known (XEP-0045 §4.2, semi-anonymous): what the others call somebody there.
//!
//! Everybody has a *pseudonym* in such a room: a name of letters that mean nothing, and a host that is the room's own. Both
//! come out of a keyed function of the room and of whoever is behind them, so that
//! - an account has the same pseudonym in a room each time, and who has none has it as long as their name and host stay the
//!   same: a ban is for the same people tomorrow;
//! - nothing of a pseudonym leads to who is behind it, nor to what they are called in another room.
//!
//! The pseudonym stays as it was when they entered, whatever they do meanwhile. They themselves go on by their own name: so
//! they are told by it what becomes of them, and the others by the pseudonym.
//!
//! Absent on purpose: hiding *when* somebody comes and goes. Who leaves the server leaves all rooms at once, and who is
//! in two of them sees that. Nor does a host hide who comes from the same network, as everywhere on the server: it does
//! so in each room by itself.

use super::guests::Candidate;
use super::host::Host;
use super::lasting::keep_masks;
use super::members::Members;
use super::moderation::check_act;
use super::name::{UserName, fold, is_pseudonym};
use super::privileges::Act;
use super::record::{AccountId, MemberRecord, Note, RoomId};
use super::rooms::{Room, room_mut};
use super::settings::{Flag, RoomChange};
use super::{
    Affiliation, Asker, ChannelId, Effect, Effects, Event, Hub, Outcome, Person, Refusal, Reply, SessionId,
    User, UserKey, Words, send, send_in,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What somebody is called in a room in which people are not known, and the host that they have there.
#[derive(Clone)]
pub(super) struct Pseudonym {
    pub name: UserName,
    pub host: Host,
    /// The account with which they entered: as that they stand in the room until they leave it.
    pub account: Option<AccountId>,
}

/// The pseudonyms of a room, by both of an occupant's names.
#[derive(Default)]
pub(super) struct Veil {
    /// By the folded name that they have on the server.
    pseudonyms: BTreeMap<Arc<str>, Pseudonym>,
    /// By the folded pseudonym.
    behind: BTreeMap<Arc<str>, UserKey>,
}

impl Veil {
    pub fn insert(&mut self, key: UserKey, name: &UserName, pseudonym: Pseudonym) {
        self.behind.insert(Arc::clone(pseudonym.name.key()), key);
        self.pseudonyms.insert(Arc::clone(name.key()), pseudonym);
    }

    pub fn remove(&mut self, name: &UserName) {
        if let Some(pseudonym) = self.pseudonyms.remove(name.key()) {
            self.behind.remove(pseudonym.name.key());
        }
    }

    pub fn pseudonym(&self, name: &UserName) -> Option<&Pseudonym> {
        self.pseudonyms.get(name.key())
    }

    pub fn behind(&self, pseudonym: &str) -> Option<UserKey> {
        self.behind.get(pseudonym).copied()
    }

    /// Those who entered with this account.
    pub fn under(&self, account: AccountId) -> Vec<UserKey> {
        let theirs = self.pseudonyms.values().filter(|pseudonym| pseudonym.account == Some(account));
        theirs.filter_map(|pseudonym| self.behind(pseudonym.name.key())).collect()
    }

    /// Somebody has another name on the server.
    pub fn rename(&mut self, from: &Arc<str>, to: &Arc<str>) {
        if let Some(pseudonym) = self.pseudonyms.remove(from) {
            self.pseudonyms.insert(Arc::clone(to), pseudonym);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.pseudonyms.is_empty() && self.behind.is_empty()
    }

    /// Whether it has these occupants, and nobody else.
    pub fn is_of(&self, occupants: &BTreeSet<Arc<str>>) -> bool {
        self.pseudonyms.len() == occupants.len()
            && self.behind.keys().eq(occupants)
            && self.pseudonyms.values().all(|pseudonym| self.behind.contains_key(pseudonym.name.key()))
    }
}

/// Whom a pseudonym is for.
enum Behind<'a> {
    Account(AccountId),
    Guest { name: &'a str, host: Host },
}

impl Pseudonym {
    /// `another`: where somebody in the room has the first already, which is as likely as one in two million with a
    /// thousand people there; or because two users are there with one account.
    fn name(room: RoomId, whom: &Behind<'_>, another: Option<(UserKey, u64)>, fx: &impl Effects) -> UserName {
        let mut what = Vec::with_capacity(64);
        what.extend(*b"name");
        what.extend(room.0.to_be_bytes());
        if let Some((UserKey(SessionId(key)), attempt)) = another {
            what.push(b'+');
            what.extend(key.to_be_bytes());
            what.extend(attempt.to_be_bytes());
        }
        match *whom {
            Behind::Account(AccountId(account)) => {
                what.push(b'a');
                what.extend(account.to_be_bytes());
            }
            Behind::Guest { name, host: Host { address, network, wider } } => {
                what.push(b'g');
                [address, network, wider].iter().for_each(|part| what.extend(part));
                what.extend(name.as_bytes());
            }
        }
        UserName::pseudonym(fx.digest(&what))
    }
}

/// The host of somebody in a room: who shares a part of it on the server shares the part here, and nothing else shows.
fn host_in(room: RoomId, host: Host, fx: &impl Effects) -> Host {
    let part = |level: u8, part: [u8; 5]| {
        let mut what = Vec::with_capacity(32);
        what.extend(*b"host");
        what.extend(room.0.to_be_bytes());
        what.push(level);
        what.extend(part);
        fx.digest(&what)
    };
    let Host { address, network, wider } = host;
    Host { address: part(0, address), network: part(1, network), wider: part(2, wider) }
}

impl Room {
    pub fn pseudonym_of(&self, user: &User) -> Option<&Pseudonym> {
        self.veil.as_ref()?.pseudonym(&user.name)
    }

    /// The account as which somebody is here, or would be.
    pub fn account_here(&self, user: &User) -> Option<AccountId> {
        match self.pseudonym_of(user) {
            Some(pseudonym) => pseudonym.account,
            None => user.identity().map(|identity| identity.id),
        }
    }

    /// What somebody is called here who comes in now; `None` where people are known.
    pub fn pseudonym_for(&self, key: UserKey, user: &User, fx: &impl Effects) -> Option<Pseudonym> {
        if self.knows_people() {
            return None;
        }
        let host = user.person(key).host(fx);
        let whom = match user.identity() {
            Some(identity) => Behind::Account(identity.id),
            None => Behind::Guest { name: user.name.key(), host },
        };
        let veil = self.veil.as_ref();
        let is_free = |name: &UserName| veil.is_none_or(|veil| veil.behind(name.key()).is_none());
        let mut name = Pseudonym::name(self.id, &whom, None, fx);
        let mut attempt = 0;
        while !is_free(&name) {
            attempt += 1;
            name = Pseudonym::name(self.id, &whom, Some((key, attempt)), fx);
        }
        let account = user.identity().map(|identity| identity.id);
        Some(Pseudonym { name, host: host_in(self.id, host, fx), account })
    }

    /// Whether somebody may know who is behind the names here: who answers for the room (XEP-0045 §4.2).
    pub fn sees_through(&self, user: &User) -> bool {
        self.standing(self.key_of(user)).affiliation >= Affiliation::Admin
    }
}

impl User {
    /// As those may know them who know them by a pseudonym, if there is one.
    pub(super) fn person_as<'a>(&'a self, key: UserKey, pseudonym: Option<&'a Pseudonym>) -> Person<'a> {
        let person = self.person(key);
        match pseudonym {
            None => person,
            Some(Pseudonym { name, host, .. }) => {
                Person { name, profile: None, account: None, hidden_host: Some(*host), ..person }
            }
        }
    }
}

impl Hub {
    /// Makes a room one in which people are known, or are not. Whoever is in it would be told under both names: so that
    /// is for somebody who is alone there.
    pub(super) fn set_semi_anonymous(
        &mut self,
        asker: Asker,
        channel: ChannelId,
        on: bool,
        fx: &mut impl Effects,
    ) -> Outcome {
        let room = room_mut(&mut self.channels, channel)?;
        let user = self.users.get_mut(&asker.user).ok_or(Refusal::NotLoggedIn)?;
        let from = Arc::clone(room.key_of(user));
        let flags = room.settings.flags;
        room.settings.flags =
            if on { flags.with(Flag::SemiAnonymous) } else { flags.without(Flag::SemiAnonymous) };
        room.veil = None;
        let bytes_before = room.mask_bytes();
        room.forget_authors();
        self.mask_bytes = self.mask_bytes + room.mask_bytes() - bytes_before;
        if room.is_lasting() {
            keep_masks(room, fx);
        }
        if let Some(pseudonym) = room.pseudonym_for(asker.user, user, fx) {
            user.profile_mut(); // so that signs of life count no more, see `lists::idle_seconds`
            room.veil.get_or_insert_default().insert(asker.user, &user.name, pseudonym);
        }
        let to = Arc::clone(room.key_of(user));
        room.move_key(&from, &to);
        self.forget_notes(asker, channel, fx);
        self.end_past(channel, fx); // which says who said what
        Ok(())
    }

    /// What is noted of accounts in a room says no more by whom, why and when: whoever was there then has heard that, of
    /// the same people by other names.
    fn forget_notes(&mut self, asker: Asker, channel: ChannelId, fx: &mut impl Effects) {
        let Some(room) = self.channels.room(channel) else { return };
        let blank = |until_millis| Note {
            by: room.name.shown().into(),
            reason: "".into(),
            at_millis: asker.now.unix_millis,
            until_millis,
        };
        let members = room.members().into_iter().flat_map(Members::iter);
        let records: Vec<MemberRecord> = members
            .map(|record| MemberRecord {
                note: blank(record.note.until_millis),
                muted: record.muted.as_ref().map(|muted| Box::new(blank(muted.until_millis))),
                ..record.clone()
            })
            .collect();
        for record in records {
            self.set_member(channel, record, fx);
        }
    }

    pub(super) fn pseudonym_in(&self, channel: ChannelId, key: UserKey) -> Option<Pseudonym> {
        self.channels.room(channel)?.pseudonym_of(self.users.get(&key)?).cloned()
    }

    /// Somebody has left the server, of which a room in which they were not known hears that they left the room.
    pub(super) fn tell_left(
        &self,
        cause: SessionId,
        (key, pseudonym): (UserKey, &Pseudonym),
        channel: ChannelId,
        fx: &mut impl Effects,
    ) {
        let (Ok(user), Ok(room)) = (self.user(key), self.room(channel)) else { return };
        let event = Event::Left { who: user.person_as(key, Some(pseudonym)), text: "" };
        fx.emit(Effect::Publish { channel, room: &room.name, cause, event });
    }

    /// Words to somebody who is known to the asker by a room's name for them, from the one that they know the asker by.
    pub(super) fn whisper(
        &mut self,
        asker: Asker,
        (to, channel): (UserKey, ChannelId),
        words: Words<'_>,
        fx: &mut impl Effects,
    ) -> Outcome {
        let id = self.next_message(asker.now);
        let (user, peer, room) = (self.user(asker.user)?, self.user(to)?, self.room(channel)?);
        let own = user.person(asker.user);
        check_act(user, room, Act::Whisper).map_err(|_| Refusal::NoVoice)?;
        let from = room.person(asker.user, user);
        if room.is_silenced(&Candidate::new(from, fx)) {
            return Err(Refusal::Silenced);
        }
        let name = room.name_of(peer);
        if to == asker.user {
            send((to, peer), asker.session, asker.channel, Event::Told { from: own, words, id }, fx);
        } else {
            send((to, peer), asker.session, asker.channel, Event::Told { from, words, id }, fx);
            asker.show_other_seats(fx, user, Event::ToldElsewhere { from: own, to: name, words, id });
        }
        asker.tell(fx, Reply::Sent { id, to: name.shown(), words, least: None, away: None });
        Ok(())
    }

    /// Somebody by what they are called in a room that the asker is in as well, and in which people are not known.
    pub(super) fn hidden_peer(&self, asker: Asker, name: &str) -> Option<(UserKey, ChannelId)> {
        let pseudonym = fold(name);
        if !is_pseudonym(&pseudonym) {
            return None;
        }
        self.user(asker.user).ok()?.rooms.iter().find_map(|&channel| {
            let veil = self.channels.room(channel)?.veil.as_ref()?;
            Some((veil.behind(&pseudonym)?, channel))
        })
    }

    /// Somebody has to leave a room in which people are not known: they are told by their own name, the others by the one
    /// that they know. `by`: whose doing it is.
    pub(super) fn kick_unknown(
        &mut self,
        by: Option<Asker>,
        channel: ChannelId,
        (key, pseudonym): (UserKey, &UserName),
        text: &str,
        fx: &mut impl Effects,
    ) {
        let Some(room) = self.channels.room(channel) else { return };
        let room_name = room.name.clone();
        let doer = by.map(|asker| (asker, self.pseudonym_in(channel, asker.user)));
        let is_there = self.walk_out(key, channel, fx);
        let doer = doer
            .as_ref()
            .and_then(|(asker, pseudonym)| Some((*asker, self.users.get(&asker.user)?, pseudonym.as_ref())));
        let cause = doer.map_or(SessionId::NONE, |(asker, ..)| asker.session);
        let by = doer.map(|(asker, user, pseudonym)| user.person_as(asker.user, pseudonym));
        if is_there && let Some(room) = self.channels.room(channel) {
            let event = |by| Event::Kicked { by, who: pseudonym, text };
            match doer {
                // Whose doing it is to themselves is not there any more.
                Some((asker, user, _)) if asker.user != key => {
                    let own = event(Some(user.person(asker.user)));
                    Asker { channel, ..asker }.publish_both(fx, room, user, [event(by), own]);
                }
                _ => fx.emit(Effect::Publish { channel, room: &room.name, cause, event: event(by) }),
            }
        }
        if let Some(kicked) = self.users.get(&key) {
            let own = by.filter(|by| by.user == key).map(|_| kicked.person(key));
            let event = Event::Kicked { by: own.or(by), who: &kicked.name, text };
            send_in((key, kicked), cause, channel, Some(&room_name), event, fx);
        }
    }

    /// What has changed about a room, to all in it but `cause`. Whom a change is about, and at their other seats whose
    /// doing it is, are told of it by their own name, which the others may not know.
    pub(super) fn publish_changes(
        &self,
        (cause, channel): (SessionId, ChannelId),
        room: &Room,
        (by, changes): (Option<Person<'_>>, &[RoomChange<'_>]),
        fx: &mut impl Effects,
    ) {
        let mut concerned: Vec<UserKey> = match &room.veil {
            None => Vec::new(),
            Some(veil) => changes.iter().filter_map(|change| veil.behind(&fold(whom(change)?))).collect(),
        };
        let doer = self.user_of(cause);
        concerned.extend(room.veil.is_some().then_some(doer));
        concerned.sort_unstable();
        concerned.dedup();
        let concerned: Vec<(UserKey, &User)> =
            concerned.into_iter().filter_map(|key| Some((key, self.user(key).ok()?))).collect();
        // Out of the room and in again, so that what all get is not for them.
        for (key, user) in &concerned {
            for session in user.seats(*key).filter(|&seat| seat != cause) {
                fx.emit(Effect::Unsubscribe { channel, session });
            }
        }
        let event = Event::Changed { by, changes };
        fx.emit(Effect::Publish { channel, room: &room.name, cause, event });
        for &(key, user) in &concerned {
            let changes = to_oneself(room, user, changes);
            let own = by.filter(|by| by.user == key).map(|_| user.person(key));
            let event = Event::Changed { by: own.or(by), changes: &changes };
            for to in user.seats(key).filter(|&seat| seat != cause) {
                fx.emit(Effect::Send { to, cause, channel, room: Some(&room.name), event });
                fx.emit(Effect::Subscribe { channel, session: to });
            }
        }
    }
}

/// Changes of a room, as one is told of them who has a part in them.
pub(super) fn to_oneself<'a>(room: &Room, user: &'a User, changes: &[RoomChange<'a>]) -> Vec<RoomChange<'a>> {
    let Some(pseudonym) = room.pseudonym_of(user) else { return changes.to_vec() };
    let own = |name: &'a str| if fold(name) == **pseudonym.name.key() { user.name.shown() } else { name };
    let changes = changes.iter().map(|&change| match change {
        RoomChange::Grant { role, to } => RoomChange::Grant { role, to: own(to) },
        RoomChange::Revoke { role, from } => RoomChange::Revoke { role, from: own(from) },
        RoomChange::Affiliate { affiliation, whom, terms } => {
            RoomChange::Affiliate { affiliation, whom: own(whom), terms }
        }
        RoomChange::Unaffiliate { affiliation, whom } => {
            RoomChange::Unaffiliate { affiliation, whom: own(whom) }
        }
        RoomChange::Stands { whom, before, after } => RoomChange::Stands { whom: own(whom), before, after },
        change => change,
    });
    changes.collect()
}

/// Whom a change is about, if anybody.
fn whom<'a>(change: &RoomChange<'a>) -> Option<&'a str> {
    match *change {
        RoomChange::Grant { to: whom, .. }
        | RoomChange::Revoke { from: whom, .. }
        | RoomChange::Affiliate { whom, .. }
        | RoomChange::Unaffiliate { whom, .. }
        | RoomChange::Stands { whom, .. } => Some(whom),
        _ => None,
    }
}
