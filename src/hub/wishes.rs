//! What people ask for in a room: a voice, where it is moderated (XEP-0045 §7.13), or to be a member (§7.10). It is kept
//! until somebody decides who may, or until whoever asked has no use for it any more.

use super::name::UserName;
use super::privileges::{Act, Rank};
use super::record::{AccountId, Wish};
use super::role::{Affiliation, Role};
use super::rooms::Room;
use super::settings::{RoomChange, Terms};
use super::view::WishView;
use super::{Asker, ChannelId, Effects, Event, Hub, Outcome, Refusal, Reply, RoomRef, UserKey, send_in};
use std::collections::{BTreeMap, BTreeSet};

/// Whose a wish is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Wisher {
    /// An occupant's, for a voice: gone when they leave.
    Occupant(UserKey),
    /// An account's, for membership: stays when its owner is not here.
    Account(AccountId),
}

/// All open wishes. Two indexes, by room and by who wishes.
#[derive(Default)]
pub(super) struct Wishes {
    /// With the words for those who decide.
    by_room: BTreeMap<(ChannelId, Wisher), Box<str>>,
    by_wisher: BTreeSet<(Wisher, ChannelId)>,
}

impl Wisher {
    fn wish(self) -> Wish {
        match self {
            Wisher::Occupant(_) => Wish::Voice,
            Wisher::Account(_) => Wish::Membership,
        }
    }
}

impl Wishes {
    fn in_room(&self, channel: ChannelId) -> impl Iterator<Item = (Wisher, &str)> {
        let first = (channel, Wisher::Occupant(UserKey(super::SessionId(0))));
        let behind = self.by_room.range(first..).take_while(move |((of, _), _)| *of == channel);
        behind.map(|((_, wisher), text)| (*wisher, &**text))
    }

    fn of(&self, wisher: Wisher) -> impl Iterator<Item = ChannelId> {
        let behind = self.by_wisher.range((wisher, ChannelId(0))..);
        behind.take_while(move |(of, _)| *of == wisher).map(|&(_, channel)| channel)
    }

    fn insert(&mut self, channel: ChannelId, wisher: Wisher, text: &str) {
        self.by_room.insert((channel, wisher), text.into());
        self.by_wisher.insert((wisher, channel));
    }

    /// Whether there was one.
    fn remove(&mut self, channel: ChannelId, wisher: Wisher) -> bool {
        self.by_wisher.remove(&(wisher, channel)) && self.by_room.remove(&(channel, wisher)).is_some()
    }

    /// Whether the indexes agree with each other.
    pub fn agree(&self) -> bool {
        self.by_room.len() == self.by_wisher.len()
            && self.by_room.keys().all(|&(channel, wisher)| self.by_wisher.contains(&(wisher, channel)))
    }

    pub fn iter(&self) -> impl Iterator<Item = (ChannelId, Wisher)> {
        self.by_room.keys().copied()
    }
}

impl Hub {
    pub(super) fn wish(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        wish: Wish,
        text: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, wisher) = match wish {
            Wish::Voice => self.who_wants_voice(asker, room)?,
            Wish::Membership => self.who_wants_in(asker, room)?,
        };
        self.check_text_or_empty(text, self.limits.kick_bytes_max)?;
        if self.wishes.by_room.contains_key(&(channel, wisher)) {
            return Err(Refusal::AlreadyWished);
        }
        let is_full = self.wishes.in_room(channel).count() >= self.limits.wishes_per_room_max
            || self.wishes.of(wisher).count() >= self.limits.wishes_per_user_max;
        if is_full {
            return Err(Refusal::TooManyWishes);
        }
        self.wishes.insert(channel, wisher, text);
        let (room, user) = (self.room(channel)?, self.user(asker.user)?);
        let event = Event::Wished { who: room.person(asker.user, user), wish, text };
        let deciders = room.ranked.keys().filter_map(|name| room.user_at(name, &self.names));
        for (key, decider) in deciders.filter_map(|key| Some((key, self.users.get(&key)?))) {
            if key != asker.user && Rank::of(decider, room).check(act_for(wish)).is_ok() {
                send_in((key, decider), asker.session, channel, Some(&room.name), event, fx);
            }
        }
        asker.reply(fx, Reply::Wished { room: &room.name, wish });
        Ok(())
    }

    /// Who is in the room and has no voice.
    fn who_wants_voice(&self, asker: Asker, room: RoomRef<'_>) -> Result<(ChannelId, Wisher), Refusal> {
        let (channel, user, room) = self.occupied(asker, room)?;
        if Rank::of(user, room).role() > Role::Visitor {
            return Err(Refusal::AlreadyWished);
        }
        Ok((channel, Wisher::Occupant(asker.user)))
    }

    /// Who finds the room and is nothing to it.
    fn who_wants_in(&self, asker: Asker, room: RoomRef<'_>) -> Result<(ChannelId, Wisher), Refusal> {
        let (channel, user, room) = self.found(asker, room)?;
        let account = user.identity().ok_or(Refusal::NotIdentified)?.id;
        match room.affiliation(user) {
            Affiliation::Outcast => Err(Refusal::Banned),
            Affiliation::None => Ok((channel, Wisher::Account(account))),
            Affiliation::Member | Affiliation::Admin | Affiliation::Owner => Err(Refusal::AlreadyWished),
        }
    }

    /// What is granted is done as if it had been without a wish.
    pub(super) fn decide(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        (who, wish, grant): (&str, Wish, bool),
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, user, room) = self.occupied(asker, room)?;
        Rank::of(user, room).check(act_for(wish))?;
        let (wisher, name) = self.wisher_named(asker, channel, who, wish)?;
        if !self.wishes.by_room.contains_key(&(channel, wisher)) {
            return Err(Refusal::NothingWished);
        }
        if grant {
            let change = match wish {
                Wish::Voice => RoomChange::Grant { role: Role::Participant, to: who },
                Wish::Membership => {
                    RoomChange::Affiliate { affiliation: Affiliation::Member, whom: who, terms: Terms::NONE }
                }
            };
            self.change_one(asker, channel, change, fx)?;
        }
        self.wishes.remove(channel, wisher);
        let room = self.room(channel)?;
        let event = Event::Decided { wish, is_granted: grant };
        for key in self.users_behind(wisher) {
            if let Some(user) = self.users.get(&key) {
                send_in((key, user), asker.session, channel, Some(&room.name), event, fx);
            }
        }
        let asker = Asker { channel, ..asker };
        asker.reply(fx, Reply::Decided { room: &room.name, who: name.shown(), wish, is_granted: grant });
        Ok(())
    }

    fn wisher_named(
        &self,
        asker: Asker,
        channel: ChannelId,
        who: &str,
        wish: Wish,
    ) -> Result<(Wisher, UserName), Refusal> {
        match wish {
            Wish::Voice => {
                let (key, name) = self.occupant_of(asker, channel, who)?;
                Ok((Wisher::Occupant(key), name.clone()))
            }
            Wish::Membership => {
                let (account, name) = self.account_in(asker, channel, who)?;
                Ok((Wisher::Account(account), name))
            }
        }
    }

    fn users_behind(&self, wisher: Wisher) -> Vec<UserKey> {
        match wisher {
            Wisher::Occupant(key) => vec![key],
            Wisher::Account(account) => self.accounts.users_of(account).to_vec(),
        }
    }

    /// Those that the asker can decide on.
    pub(super) fn list_wishes(&self, asker: Asker, room: RoomRef<'_>, fx: &mut impl Effects) -> Outcome {
        let (channel, user, room) = self.occupied(asker, room)?;
        let rank = Rank::of(user, room);
        rank.check(act_for(Wish::Voice))?;
        let decides = |wish| rank.check(act_for(wish)).is_ok();
        let wishes = self.wishes.in_room(channel).filter(|(wisher, _)| decides(wisher.wish()));
        let entries: Vec<WishView<'_>> = wishes
            .filter_map(|(wisher, text)| {
                let who = self.name_of_wisher(room, wisher)?.shown();
                Some(WishView { who, wish: wisher.wish(), text })
            })
            .collect();
        asker.reply(fx, Reply::Wishes { room: &room.name, entries: &entries });
        Ok(())
    }

    fn name_of_wisher<'a>(&'a self, room: &'a Room, wisher: Wisher) -> Option<&'a UserName> {
        match wisher {
            Wisher::Occupant(key) => Some(room.name_of(self.users.get(&key)?)),
            Wisher::Account(account) => self.accounts.name_of(account),
        }
    }

    /// Whoever leaves a room needs no voice there.
    pub(super) fn drop_wishes_for_voice_of(&mut self, key: UserKey, channel: ChannelId) {
        self.wishes.remove(channel, Wisher::Occupant(key));
    }

    /// Nor does whoever has one.
    pub(super) fn drop_wish_for_voice(&mut self, channel: ChannelId, name: &str) {
        let Some(room) = self.channels.room(channel) else { return };
        if let Some(key) = room.user_at(name, &self.names) {
            self.wishes.remove(channel, Wisher::Occupant(key));
        }
    }

    /// Somebody has said what an account is to the room.
    pub(super) fn drop_wishes_of(&mut self, channel: ChannelId, account: AccountId) {
        self.wishes.remove(channel, Wisher::Account(account));
    }

    /// The room is no more.
    pub(super) fn drop_wishes_in(&mut self, channel: ChannelId) {
        let wishers: Vec<Wisher> = self.wishes.in_room(channel).map(|(wisher, _)| wisher).collect();
        for wisher in wishers {
            self.wishes.remove(channel, wisher);
        }
    }

    /// The account is no more.
    pub(super) fn drop_all_wishes_of(&mut self, account: AccountId) {
        let rooms: Vec<ChannelId> = self.wishes.of(Wisher::Account(account)).collect();
        for channel in rooms {
            self.wishes.remove(channel, Wisher::Account(account));
        }
    }
}

/// What one has to be allowed to decide on a wish.
fn act_for(wish: Wish) -> Act {
    match wish {
        Wish::Voice => Act::Grant,
        Wish::Membership => Act::EditMembers,
    }
}
