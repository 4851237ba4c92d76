//! Invitations: kept by the room, which lets its guests in, and by the guest, who may ask for them. Both lists are
//! bounded, and neither can be filled to keep others out of it: where one is full, an invitation gives way.

use super::moderation::check_act;
use super::name::fold;
use super::privileges::Act;
use super::rooms::room_mut;
use super::{
    Asker, ChannelId, Effects, Event, Hub, Outcome, Refusal, Reply, Role, RoomName, RoomRef, UserKey, send_in,
};
use std::collections::BTreeMap;

/// An invitation that is open: for whom, or to which room; and by whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invitation<T> {
    pub to: T,
    pub by: UserKey,
}

impl Hub {
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
        if !room.knows_people() && room.user_at(&fold(who), &self.names).is_some() {
            return Err(Refusal::PeerAlreadyInRoom);
        }
        let guest = *self.names.get(&*fold(who)).ok_or(Refusal::NoSuchPeer)?;
        // Where nobody is to know that they are in it, they are invited like anybody else.
        if room.knows_people() && self.user(guest)?.is_in(channel) {
            return Err(Refusal::PeerAlreadyInRoom);
        }
        if check_act(user, room, Act::Ban).is_ok() {
            self.keep_invitation(asker.user, guest, channel)?;
        }
        let (room, user, peer) = (self.room(channel)?, self.user(asker.user)?, self.user(guest)?);
        let event = Event::Invited { by: room.person(asker.user, user), room: &room.name };
        send_in((guest, peer), asker.session, ChannelId::NONE, Some(&room.name), event, fx);
        let (who, asker_there) = (&peer.name, Asker { channel, ..asker });
        let event = |by| Event::GuestInvited { by, who };
        self.tell_some(asker_there, (room, user), Role::Moderator, event, fx);
        let away = peer.person(guest).away();
        asker.tell(fx, Reply::Invited { room: &room.name, who: &peer.name, away });
        Ok(())
    }

    fn keep_invitation(&mut self, by: UserKey, guest: UserKey, channel: ChannelId) -> Outcome {
        let invitations_max = self.limits.invitations_max;
        if invitations_max == 0 {
            return Err(Refusal::NoInvitations);
        }
        if self.room(channel)?.is_invited(guest) {
            return Ok(());
        }
        let held = self.user(guest)?.profile().map_or(&[][..], |profile| profile.invited());
        if let Some(elsewhere) = giving_way(held, by, invitations_max) {
            self.end_invitation(guest, elsewhere);
        }
        let others = self.room(channel)?.guests.as_ref().map_or(&[][..], |guests| &guests.invited);
        if let Some(other) = giving_way(others, by, invitations_max) {
            self.end_invitation(other, channel);
        }
        let invited = &mut room_mut(&mut self.channels, channel)?.guests.get_or_insert_default().invited;
        invited.push(Invitation { to: guest, by });
        self.user_mut(guest)?.profile_mut().invited_mut().push(Invitation { to: channel, by });
        Ok(())
    }

    /// Whoever has entered is not invited any more.
    pub(super) fn end_invitation(&mut self, guest: UserKey, channel: ChannelId) {
        if self.strike_guest(guest, channel) {
            self.strike_invitation(guest, channel);
        }
    }

    /// Whoever is gone cannot be invited any more.
    pub(super) fn decline_all_of(&mut self, key: UserKey) {
        let profile = self.users.get_mut(&key).and_then(|user| user.known_profile_mut());
        let invited = profile.map(|profile| std::mem::take(profile.invited_mut())).unwrap_or_default();
        for Invitation { to: channel, .. } in invited {
            self.strike_guest(key, channel);
        }
    }

    /// Nor can anybody be invited to a room that has ended; these were.
    pub(super) fn withdraw(&mut self, invited: Vec<Invitation<UserKey>>, channel: ChannelId) {
        for Invitation { to: guest, .. } in invited {
            self.strike_invitation(guest, channel);
        }
    }

    /// On the room's side. Whether there was one.
    fn strike_guest(&mut self, guest: UserKey, channel: ChannelId) -> bool {
        let guests = self.channels.room_mut(channel).and_then(|room| room.guests.as_mut());
        guests.is_some_and(|guests| {
            let before = guests.invited.len();
            guests.invited.retain(|invitation| invitation.to != guest);
            guests.invited.len() < before
        })
    }

    /// On the guest's side.
    fn strike_invitation(&mut self, guest: UserKey, channel: ChannelId) {
        if let Some(profile) = self.users.get_mut(&guest).and_then(|user| user.known_profile_mut()) {
            profile.invited_mut().retain(|invitation| invitation.to != channel);
        }
    }

    pub(super) fn list_invited(&self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        let profile = self.user(asker.user)?.profile();
        let invited = profile.map_or(&[][..], |profile| profile.invited());
        let rooms = invited.iter().filter_map(|invitation| self.channels.room(invitation.to));
        let rooms: Vec<&RoomName> = rooms.map(|room| &room.name).collect();
        asker.reply(fx, Reply::Invitations { rooms: &rooms });
        Ok(())
    }
}

/// Which of the open ones, the oldest first, makes place for one more by `by`, if they are as many as there may be: the
/// oldest by whoever has the most.
fn giving_way<T: Copy>(open: &[Invitation<T>], by: UserKey, open_max: usize) -> Option<T> {
    if open.len() < open_max {
        return None;
    }
    let mut counts = BTreeMap::from([(by, 1_usize)]);
    for invitation in open {
        *counts.entry(invitation.by).or_default() += 1;
    }
    let most = counts.values().copied().max();
    let oldest = open.iter().find(|invitation| counts.get(&invitation.by).copied() == most);
    oldest.or(open.first()).map(|invitation| invitation.to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::SessionId;

    #[test]
    fn who_invited_most_makes_place() {
        let open = |by: &[u64]| -> Vec<Invitation<usize>> {
            by.iter().enumerate().map(|(to, &by)| Invitation { to, by: UserKey(SessionId(by)) }).collect()
        };
        let rows: [(&[u64], Option<usize>); 7] = [
            (&[], None),
            (&[1, 1], None),
            (&[1, 2, 2], Some(1)),
            (&[2, 2, 2], Some(0)),
            (&[1, 1, 1], Some(0)),
            (&[1, 2, 9], Some(2)),
            (&[1, 2, 3], Some(0)),
        ];
        for (by, place) in rows {
            assert_eq!(giving_way(&open(by), UserKey(SessionId(9)), 3), place, "{by:?}");
        }
    }
}
