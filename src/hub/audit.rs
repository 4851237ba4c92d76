//! Whether the books agree with each other.

use super::invitations::Invitation;
use super::person::Marks;
use super::{Hub, User, UserKey};

impl Hub {
    /// Whether the indexes agree with each other and with the limits. For tests and for anyone who doubts.
    ///
    /// # Errors
    /// One sentence about the first thing that is not as it should be.
    pub fn audit(&self) -> Result<(), String> {
        for (key, user) in &self.users {
            self.audit_user(*key, user)?;
        }
        if self.names.len() != self.users.len() {
            return Err(format!("{} names for {} users", self.names.len(), self.users.len()));
        }
        let marked = |mark| self.users.values().filter(|user| user.marks().contains(mark)).count();
        if (self.invisible, self.operators) != (marked(Marks::INVISIBLE), marked(Marks::OPERATOR)) {
            return Err(format!(
                "{} are counted as invisible, {} as operators",
                self.invisible, self.operators
            ));
        }
        if !self.accounts.agree() {
            return Err("the index of accounts and that of their names differ".to_owned());
        }
        self.audit_seats()?;
        if !self.bans.agree() {
            return Err("bans are looked for under other lengths than theirs".to_owned());
        }
        self.audit_rooms()?;
        self.audit_watchers()?;
        self.audit_relays()
    }

    fn audit_user(&self, key: UserKey, user: &User) -> Result<(), String> {
        if self.names.get(user.name.key()) != Some(&key) {
            return Err(format!("{} is not in the index of names", user.name));
        }
        if self.check_reserved(key.0, &user.name).is_err() {
            return Err(format!("{} has the name of an account that is not theirs", user.name));
        }
        if user
            .identity()
            .is_some_and(|identity| self.account_named(identity.name.shown()) != Some(identity.id))
        {
            return Err(format!("{} is identified for an account that is not there", user.name));
        }
        if !user.rooms.is_sorted() {
            return Err(format!("the rooms of {} are in no order", user.name));
        }
        for &room in &user.rooms {
            let Some(room) = self.channels.room(room) else {
                return Err(format!("{} is in a room that is not there", user.name));
            };
            if !room.occupants.contains(room.key_of(user)) {
                return Err(format!("{} is not among the occupants of {}", user.name, room.name));
            }
        }
        for &relay in user.relays() {
            if !self.channels.relay(relay).is_some_and(|relay| user.seats(key).any(|seat| relay.is_of(seat)))
            {
                return Err(format!("{} holds a relay that is not theirs", user.name));
            }
        }
        let Some(profile) = user.profile() else { return Ok(()) };
        for &Invitation { to, by } in profile.invited() {
            let guests = self.channels.room(to).and_then(|room| room.guests.as_ref());
            let invitation = Invitation { to: key, by };
            if !guests.is_some_and(|guests| guests.invited.contains(&invitation)) {
                return Err(format!("{} is invited to a room that does not know of it", user.name));
            }
        }
        for watched in profile.watched() {
            if !self.watchers.get(watched.key()).is_some_and(|watchers| watchers.contains(&key)) {
                return Err(format!("{} watches {watched} to no effect", user.name));
            }
        }
        Ok(())
    }

    fn audit_rooms(&self) -> Result<(), String> {
        let mut rooms = 0;
        for (channel, room) in self.channels.rooms() {
            rooms += 1;
            if self.room_names.get(room.name.key()) != Some(&channel) {
                return Err(format!("{} is not in the index of rooms", room.name));
            }
            if room.occupants.is_empty() {
                return Err(format!("{} is empty and still there", room.name));
            }
            for key in &room.occupants {
                let user = room.user_at(key, &self.names).and_then(|key| self.users.get(&key));
                let user = user.ok_or(format!("{key} in {} is gone", room.name))?;
                if room.key_of(user) != key || user.rooms.iter().filter(|&&r| r == channel).count() != 1 {
                    return Err(format!("{key} in {} does not know of it exactly once", room.name));
                }
            }
            let is_veiled = room
                .veil
                .as_ref()
                .map_or(room.knows_people(), |veil| !room.knows_people() && veil.is_of(&room.occupants));
            if !is_veiled && !room.occupants.is_empty() {
                return Err(format!("{} knows people it should not know, or the other way round", room.name));
            }
            for (key, standing) in &room.ranked {
                if !room.occupants.contains(key) || standing.is_default() {
                    return Err(format!("{key} has {standing:?} in {} without cause", room.name));
                }
            }
            for &Invitation { to, by } in room.guests.iter().flat_map(|guests| &guests.invited) {
                let profile = self.users.get(&to).and_then(|user| user.profile());
                if !profile.is_some_and(|profile| profile.invited().contains(&Invitation { to: channel, by }))
                {
                    return Err(format!("{} has invited somebody who does not know of it", room.name));
                }
            }
        }
        let guests = self.channels.rooms().filter_map(|(_, room)| room.guests.as_ref());
        let mask_bytes = guests.map(|guests| guests.mask_bytes()).sum::<usize>();
        if mask_bytes != self.mask_bytes {
            return Err(format!("lists of masks take {mask_bytes} bytes, not {}", self.mask_bytes));
        }
        if rooms != self.room_names.len() {
            return Err(format!("{rooms} rooms, {} names of rooms", self.room_names.len()));
        }
        Ok(())
    }

    fn audit_watchers(&self) -> Result<(), String> {
        for (name, watchers) in &self.watchers {
            if watchers.is_empty() {
                return Err(format!("{name} is watched by nobody, and still in the index"));
            }
            for watcher in watchers {
                let profile = self.users.get(watcher).and_then(|user| user.profile());
                let times = profile.map_or(0, |profile| {
                    profile.watched().iter().filter(|watched| watched.key() == name).count()
                });
                if times != 1 {
                    return Err(format!(
                        "{name} is watched by somebody who has it on their list {times} times"
                    ));
                }
            }
        }
        Ok(())
    }
}
