//! Whether the books agree with each other.

use super::invitations::Invitation;
use super::person::Marks;
use super::rooms::Room;
use super::times::Due;
use super::wishes::Wisher;
use super::{Affiliation, Hub, MaskList, User, UserKey};
use std::collections::HashMap;

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
        self.audit_books()?;
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
            if room.occupants.is_empty() && !room.is_lasting() {
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
            self.audit_standings(room)?;
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

    /// Whether everybody in a room stands as their account does there, and nobody is there who is banned.
    fn audit_standings(&self, room: &Room) -> Result<(), String> {
        for key in &room.occupants {
            let user = room.user_at(key, &self.names).and_then(|key| self.users.get(&key));
            let Some(user) = user else { continue };
            let standing = room.standing(key);
            // Where people are not known, who has lost an account or inherited a room is told at the next visit.
            let is_gone = |account| self.accounts.name_of(account).is_none();
            let has_inherited = room.affiliation(user) == Affiliation::Owner;
            let is_late =
                !room.knows_people() && (has_inherited || room.account_here(user).is_some_and(is_gone));
            if room.standing_of(user, standing) != standing && !is_late {
                return Err(format!("{key} stands as {standing:?} in {}, whatever the books say", room.name));
            }
            if standing.affiliation == Affiliation::Outcast {
                return Err(format!("{key} is banned from {} and in it", room.name));
            }
        }
        Ok(())
    }

    /// What accounts are to rooms, which rooms last, what ends by itself, and what people ask for.
    fn audit_books(&self) -> Result<(), String> {
        let (mut members, mut lasting, mut times) = (0, 0, 0);
        let mut lasting_of = HashMap::new();
        for (channel, room) in self.channels.rooms() {
            let id = room.id;
            if (self.lasting.get(&id) == Some(&channel)) != room.is_lasting() {
                return Err(format!("{} is not in the index of rooms that last as it should be", room.name));
            }
            lasting += usize::from(room.is_lasting());
            if room.is_lasting() && !room.is_owned() {
                return Err(format!("{} lasts without an owner", room.name));
            }
            let Some(of_room) = room.members() else { continue };
            members += of_room.len();
            if !of_room.agree() {
                return Err(format!("{} counts its members wrongly", room.name));
            }
            for owner in of_room.owners().filter(|_| room.is_lasting()) {
                *lasting_of.entry(owner).or_default() += 1;
            }
            for member in of_room.iter() {
                if member.room != id || self.accounts.name_of(member.account).is_none() {
                    return Err(format!("{} knows an account that is not there", room.name));
                }
                let ban = (member.note.until_millis, Due::AccountBan(member.account));
                let mute = (member.muted_until_millis(), Due::AccountMute(member.account));
                for (until, due) in [ban, mute] {
                    times += usize::from(until.is_some());
                    if until.is_some_and(|until| !self.times.has(until, channel, due)) {
                        return Err(format!("what {} is to end of an account does not", room.name));
                    }
                }
            }
        }
        let masks = self.channels.rooms().flat_map(|(_, room)| MaskList::ALL.map(|list| room.list(list)));
        times += masks.flatten().filter(|entry| entry.until_millis.is_some()).count();
        if (members, lasting, times) != (self.members, self.lasting.len(), self.times.len()) {
            return Err(format!("{members} members, {lasting} rooms that last, {times} times to wait for"));
        }
        if lasting_of != self.lasting_of {
            return Err("the rooms of an owner are counted wrongly".to_owned());
        }
        let here = self.users.values().filter(|user| user.identity().is_some()).count();
        if here != self.accounts.here_len() {
            return Err(format!("{here} are here under an account"));
        }
        if !self.wishes.agree() {
            return Err("the two indexes of wishes differ".to_owned());
        }
        for (channel, wisher) in self.wishes.iter() {
            let is_there = self.channels.room(channel).is_some()
                && match wisher {
                    Wisher::Occupant(key) => self.users.get(&key).is_some_and(|user| user.is_in(channel)),
                    Wisher::Account(account) => self.accounts.name_of(account).is_some(),
                };
            if !is_there {
                return Err(format!("{wisher:?} wishes for something where they are not"));
            }
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
