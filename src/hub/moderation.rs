//! What moderators do: kicks, roles, lists of masks; and an operator's last resort.

use super::changes::Applied;
use super::mask::{Mask, in_full};
use super::name::fold;
use super::past::Happened;
use super::person::Marks;
use super::privileges::{Act, may, may_touch};
use super::record::Past;
use super::rooms::{Room, room_mut};
use super::settings::{Flag, MaskEntry, MaskList};
use super::{
    Asker, ChannelId, Departure, Effect, Effects, Ending, Event, Hub, Killing, Outcome, Refusal, Reply, Role,
    RoomRef, Standing, User, send,
};
use smallvec::SmallVec;
use std::sync::Arc;

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
        let by_affiliation = room.standing(room.key_of(user)).affiliation;
        if !may_touch(by_affiliation, room.standing(name.key()).affiliation) {
            return Err(Refusal::OutOfReach);
        }
        let (name, room_name) = (name.clone(), room.name.clone());
        let asker = Asker { channel, ..asker };
        let kicked = [name.shown(), text].join(" ");
        let kicked = Happened { text: &kicked, ..Happened::bare(Past::Kicked, asker.user) };
        if room.knows_people() {
            let event = Event::Kicked { by: room.person(asker.user, user), who: &name, text };
            asker.publish(fx, room, event);
            self.keep_now(asker.now, channel, kicked, fx);
            self.walk_out(user_key, channel, fx);
        } else {
            self.keep_now(asker.now, channel, kicked, fx);
            self.kick_unknown(asker, (user_key, &name), text, fx)?;
        }
        let who = if user_key == asker.user { &self.user(user_key)?.name } else { &name };
        asker.tell(fx, Reply::Kicked { room: &room_name, who, text });
        Ok(())
    }

    pub(super) fn grant(
        &mut self,
        asker: Asker,
        channel: ChannelId,
        role: Role,
        whom: &str,
        on: bool,
    ) -> Result<Applied, Refusal> {
        let (_, name) = self.occupant_of(asker, channel, whom)?;
        let by = Arc::clone(self.room(channel)?.key_of(self.user(asker.user)?));
        let name = name.clone();
        let room = room_mut(&mut self.channels, channel)?;
        let before = room.standing(name.key());
        if !on && !may_touch(room.standing(&by).affiliation, before.affiliation) {
            return Err(Refusal::OutOfReach);
        }
        let after = match role {
            Role::Moderator => Standing { is_moderator: on, ..before },
            Role::Participant => Standing { is_voiced: on, ..before },
            Role::Visitor => return Err(Refusal::BadRole),
        };
        if before == after {
            return Ok(Applied::NoChange);
        }
        room.set_standing(name.key(), after);
        Ok(Applied::To(name))
    }

    pub(super) fn add_mask(
        &mut self,
        asker: Asker,
        channel: ChannelId,
        (list, mask): (MaskList, &str),
        fx: &impl Effects,
    ) -> Result<Applied, Refusal> {
        let is_bad = |c: char| c.is_whitespace() || c.is_control();
        if mask.is_empty() || mask.len() > self.limits.mask_bytes_max.into() || mask.contains(is_bad) {
            return Err(Refusal::BadMask);
        }
        let compiled = Mask::new(mask);
        let masks_max = self.limits.masks_per_list_max;
        let bytes_max = self.mask_bytes_max();
        let by = in_full(self.room(channel)?.person(asker.user, self.user(asker.user)?), fx);
        let guests = room_mut(&mut self.channels, channel)?.guests.get_or_insert_default();
        if guests.position(list, &compiled).is_some() {
            return Ok(Applied::NoChange);
        }
        if guests.list(list).len() >= masks_max {
            return Err(Refusal::TooManyMasks { masks_max });
        }
        let entry = MaskEntry::new(mask, compiled, &by, asker.now.unix_millis);
        let bytes = entry.bytes();
        if guests.mask_bytes() + bytes > bytes_max {
            return Err(Refusal::NoSpaceForMask);
        }
        guests.list_mut(list).push(entry);
        self.mask_bytes += bytes;
        Ok(Applied::Yes)
    }

    pub(super) fn remove_mask(
        &mut self,
        channel: ChannelId,
        list: MaskList,
        mask: &str,
    ) -> Result<Applied, Refusal> {
        let Some(guests) = &mut room_mut(&mut self.channels, channel)?.guests else {
            return Ok(Applied::NoChange);
        };
        let Some(at) = guests.position(list, &Mask::new(mask)) else { return Ok(Applied::NoChange) };
        let entry = guests.list_mut(list).remove(at);
        self.mask_bytes -= entry.bytes();
        Ok(Applied::Yes)
    }

    /// Bans are no secret; who is excepted from them, moderators alone may know.
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
        let rest = room.list(list).get(from..).unwrap_or_default();
        let page = self.limits.page_entries_max;
        let entries = rest.get(..page).unwrap_or(rest);
        let more = entries.len() < rest.len();
        asker.reply(fx, Reply::Masks { room: &room.name, list, entries, more });
        Ok(())
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

/// Whether an occupant's role is enough for something.
pub(super) fn check_act(user: &User, room: &Room, act: Act) -> Outcome {
    let flags = room.settings.flags;
    let role = room.standing(room.key_of(user)).role(flags.has(Flag::Moderated));
    if may(role, act, flags) { Ok(()) } else { Err(Refusal::NotModerator) }
}
