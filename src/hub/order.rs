//! Keeping order in a room: kicks, invitations, and an operator's last resort.

use super::name::fold;
use super::privileges::{Act, may, may_touch};
use super::rooms::{Room, room_mut};
use super::settings::Flag;
use super::{
    Asker, ChannelId, Departure, Effect, Effects, Event, Hub, Killing, Outcome, Refusal, Reply, Role,
    RoomName, RoomRef, SessionId, User,
};

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
        let (session, name) = self.occupant_of(channel, who)?;
        let by_affiliation = room.standing(user.name.key()).affiliation;
        if !may_touch(by_affiliation, room.standing(name.key()).affiliation) {
            return Err(Refusal::OutOfReach);
        }
        let (who, room_name) = (name.clone(), room.name.clone());
        let asker = Asker { channel, ..asker };
        let event = Event::Kicked { by: user.person(asker.session), who: &who, text };
        asker.publish(fx, room, event);
        self.walk_out(session, channel, fx);
        asker.tell(fx, Reply::Kicked { room: &room_name, who: &who, text });
        Ok(())
    }

    /// An invitation by a moderator opens the door, whatever else holds; one by somebody else only tells of the room.
    pub(super) fn invite(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        who: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, user, room) = self.occupied(asker, room)?;
        check_act(user, room, Act::Invite)?;
        let guest = *self.names.get(&*fold(who)).ok_or(Refusal::NoSuchPeer)?;
        if self.user(guest)?.rooms.contains(&channel) {
            return Err(Refusal::PeerAlreadyInRoom);
        }
        if check_act(user, room, Act::Ban).is_ok() {
            self.keep_invitation(guest, channel)?;
        }
        let (room, user, peer) = (self.room(channel)?, self.user(asker.session)?, self.user(guest)?);
        let event = Event::Invited { by: user.person(asker.session), room: &room.name };
        let (to, cause, channel, name) = (guest, asker.session, ChannelId::NONE, Some(&room.name));
        fx.emit(Effect::Send { to, cause, channel, room: name, event });
        let (by, who, least) = (user.person(asker.session), &peer.name, Role::Moderator);
        self.tell_some(Asker { channel, ..asker }, room, least, Event::GuestInvited { by, who }, fx);
        let away = peer.person(guest).away();
        asker.tell(fx, Reply::Invited { room: &room.name, who: &peer.name, away });
        Ok(())
    }

    fn keep_invitation(&mut self, guest: SessionId, channel: ChannelId) -> Outcome {
        let invitations_max = self.limits.invitations_max;
        let too_many = Refusal::TooManyInvitations { invitations_max };
        let user = self.users.get_mut(&guest).ok_or(Refusal::NoSuchPeer)?;
        let guests = room_mut(&mut self.channels, channel)?.guests.get_or_insert_default();
        let held = user.profile().map_or(0, |profile| profile.invited.len());
        if guests.invited.contains(&guest) {
            return Ok(());
        }
        if guests.invited.len() >= invitations_max || held >= invitations_max {
            return Err(too_many);
        }
        guests.invited.insert(guest);
        user.profile_mut().invited.push(channel);
        Ok(())
    }

    /// Whoever has entered is not invited any more.
    pub(super) fn use_invitation(&mut self, session: SessionId, channel: ChannelId) {
        if let Some(guests) = self.channels.room_mut(channel).and_then(|room| room.guests.as_mut())
            && guests.invited.remove(&session)
        {
            self.forget_invitation(session, channel);
        }
    }

    /// Takes an invitation off the list of the one who has it.
    pub(super) fn forget_invitation(&mut self, guest: SessionId, channel: ChannelId) {
        if let Some(profile) = self.users.get_mut(&guest).and_then(|user| user.known_profile_mut()) {
            profile.invited.retain(|&room| room != channel);
        }
    }

    /// Whoever is gone cannot be invited any more.
    pub(super) fn decline_all_of(&mut self, session: SessionId) {
        let profile = self.users.get_mut(&session).and_then(|user| user.known_profile_mut());
        for channel in profile.map(|profile| std::mem::take(&mut profile.invited)).unwrap_or_default() {
            if let Some(guests) = self.channels.room_mut(channel).and_then(|room| room.guests.as_mut()) {
                guests.invited.remove(&session);
            }
        }
    }

    pub(super) fn list_invited(&self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        let profile = self.user(asker.session)?.profile();
        let invited = profile.map_or(&[][..], |profile| &profile.invited);
        let rooms = invited.iter().filter_map(|&channel| self.channels.room(channel));
        let rooms: Vec<&RoomName> = rooms.map(|room| &room.name).collect();
        asker.reply(fx, Reply::Invitations { rooms: &rooms });
        Ok(())
    }

    /// An operator of the server ends somebody's session.
    pub(super) fn kill(&mut self, asker: Asker, name: &str, text: &str, fx: &mut impl Effects) -> Outcome {
        let by = self.operator(asker)?.name.clone();
        self.check_text_or_empty(text, self.limits.kick_bytes_max)?;
        let to = *self.names.get(&*fold(name)).ok_or(Refusal::NoSuchPeer)?;
        let (whom, why) = (self.user(to)?.name.clone(), Killing { by: by.shown(), text });
        let event = Event::Killed { by: self.user(asker.session)?.person(asker.session), text };
        fx.emit(Effect::Send { to, cause: asker.session, channel: ChannelId::NONE, room: None, event });
        asker.done(fx);
        self.disconnect(asker.now, to, Departure::Killed(why), fx);
        fx.emit(Effect::HangUp { session: to, name: whom.shown(), why });
        Ok(())
    }

    pub(super) fn operator(&self, asker: Asker) -> Result<&User, Refusal> {
        let user = self.user(asker.session)?;
        if user.is_operator() { Ok(user) } else { Err(Refusal::NotOperator) }
    }

    /// Somebody who is in the room, by name.
    pub(super) fn occupant_of(
        &self,
        channel: ChannelId,
        name: &str,
    ) -> Result<(SessionId, &super::UserName), Refusal> {
        let session = *self.names.get(&*fold(name)).ok_or(Refusal::NoSuchPeer)?;
        let user = self.user(session)?;
        if user.rooms.contains(&channel) { Ok((session, &user.name)) } else { Err(Refusal::PeerNotInRoom) }
    }
}

/// Whether an occupant's role is enough for something.
pub(super) fn check_act(user: &User, room: &Room, act: Act) -> Outcome {
    let flags = room.settings.flags;
    let role = room.standing(user.name.key()).role(flags.has(Flag::Moderated));
    if may(role, act, flags) { Ok(()) } else { Err(Refusal::NotModerator) }
}
