//! Lists, page by page: rooms, occupants, users. A list without conditions is one walk to the end of the page; one with
//! conditions looks at so many entries and says where to go on, because what fits may be far away.

use super::name::fold;
use super::person::Marks;
use super::rooms::{Room, behind, finds};
use super::settings::Flag;
use super::{
    Asker, ChannelId, Effects, Entry, Host, Hub, Outcome, Place, Reply, RoomFilter, RoomRef, RoomSummary,
    SessionId, User, UserFilter, mask,
};
use std::ops::Bound;
use std::sync::Arc;

impl Hub {
    pub(super) fn list_rooms(
        &self,
        asker: Asker,
        after: &str,
        filter: RoomFilter<'_>,
        fx: &mut impl Effects,
    ) -> Outcome {
        let user = self.user(asker.session)?;
        let page = self.limits.page_entries_max;
        let mut to_scan = self.to_scan(filter == RoomFilter::default());
        // A mask that is a whole name is found in one step.
        let name = filter.mask.filter(|mask| !mask.contains(['*', '?'])).map(fold);
        let after = fold(after);
        let bounds = match name.as_deref() {
            None => behind(&after),
            Some(name) if *name > *after => (Bound::Included(name), Bound::Included(name)),
            Some(_) => (Bound::Excluded(&*after), Bound::Included(&*after)), // it has been there
        };
        let (mut rooms, mut last, mut next) = (Vec::new(), None, None);
        for (_, &channel) in self.room_names.range::<str, _>(bounds) {
            if to_scan == 0 {
                next = last;
                break;
            }
            to_scan -= 1;
            let Some(room) = self.channels.room(channel) else { continue };
            if finds(user, channel, room) && filter.takes(room) {
                if rooms.len() >= page {
                    next = last;
                    break;
                }
                let subject = room.subject.as_ref().map_or("", |subject| &*subject.text);
                let (name, occupants) = (room.name.shown(), room.occupants.len());
                rooms.push(RoomSummary { name, occupants, subject });
            }
            // Behind what was left out as well: it need not be looked at again.
            last = Some(room.name.shown());
        }
        asker.reply(fx, Reply::Rooms { rooms: &rooms, next });
        Ok(())
    }

    /// Who is in a room is told to its occupants; and to others, if they find the room, as far as they find the people.
    pub(super) fn who(
        &self,
        asker: Asker,
        room: RoomRef<'_>,
        after: &str,
        in_full: bool,
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, user, room) = self.found(asker, room)?;
        let sees_all = user.rooms.contains(&channel) || user.is_operator();
        let page = self.limits.page_entries_max;
        let (mut entries, mut more) = (Vec::new(), false);
        for key in room.occupants.range::<str, _>(behind(&fold(after))) {
            let Some(&session) = self.names.get(key) else { continue };
            let Some(entry) = self.entry(asker, session, in_full, fx) else { continue };
            if !sees_all && entry.person.marks().contains(Marks::INVISIBLE) {
                continue;
            }
            more = entries.len() >= page;
            if more {
                break;
            }
            let place = Some(Place { room: &room.name, standing: room.standing(key) });
            entries.push(Entry { place, ..entry });
        }
        let asker = Asker { channel, ..asker };
        let hidden = room.settings.flags.has(Flag::Hidden);
        asker.reply(fx, Reply::Occupants { room: &room.name, hidden, entries: &entries, more });
        Ok(())
    }

    pub(super) fn find_users(
        &self,
        asker: Asker,
        after: &str,
        filter: UserFilter<'_>,
        fx: &mut impl Effects,
    ) -> Outcome {
        let user = self.user(asker.session)?;
        let page = self.limits.page_entries_max;
        let mut to_scan = self.to_scan(filter == UserFilter::default());
        let (mut entries, mut last, mut next): (Vec<Entry<'_>>, _, _) = (Vec::new(), None, None);
        for (key, &session) in self.names.range::<str, _>(behind(&fold(after))) {
            if to_scan == 0 {
                next = last;
                break;
            }
            to_scan -= 1;
            let Some(found) = self.users.get(&session) else { continue };
            if self.sees(asker.session, user, session, found)
                && (!filter.operators_only || found.is_operator())
                && let Some(entry) = self.entry(asker, session, true, fx)
                && filter.mask.is_none_or(|mask| fits(mask, &entry))
            {
                if entries.len() >= page {
                    next = last;
                    break;
                }
                entries.push(Entry { place: self.a_place(user, key, found), ..entry });
            }
            last = Some(found.name.shown());
        }
        asker.reply(fx, Reply::Users { entries: &entries, next });
        Ok(())
    }

    pub(super) fn list_peers(&self, asker: Asker, after: &str, fx: &mut impl Effects) -> Outcome {
        let user = self.user(asker.session)?;
        let page = self.limits.page_entries_max;
        let mut names: Vec<&str> = self
            .names
            .range::<str, _>(behind(&fold(after)))
            .filter_map(|(_, session)| Some((*session, self.users.get(session)?)))
            .filter(|(session, found)| self.sees(asker.session, user, *session, found))
            .map(|(_, found)| found.name.shown())
            .take(page.saturating_add(1))
            .collect();
        let more = names.len() > page;
        names.truncate(page);
        asker.reply(fx, Reply::Peers { names: &names, more });
        Ok(())
    }

    /// A user as an entry of a list, not in any room.
    pub(super) fn entry(
        &self,
        asker: Asker,
        session: SessionId,
        in_full: bool,
        fx: &impl Effects,
    ) -> Option<Entry<'_>> {
        let user = self.users.get(&session)?;
        let host = if in_full { fx.host(session) } else { Host::default() };
        let idle_seconds = if in_full { idle_seconds(asker, session, user, fx) } else { 0 };
        Some(Entry { person: user.person(session), host, idle_seconds, place: None })
    }

    /// Whether one user finds another in a list: whoever is invisible is found by themselves, by operators, and by those
    /// who share a room with them.
    fn sees(&self, by_session: SessionId, by: &User, session: SessionId, user: &User) -> bool {
        !user.marks().contains(Marks::INVISIBLE)
            || by_session == session
            || by.is_operator()
            || user.rooms.iter().any(|room| by.rooms.contains(room))
    }

    /// One room of somebody's, which the asker finds.
    pub(super) fn a_place(&self, user: &User, key: &Arc<str>, found: &User) -> Option<Place<'_>> {
        let is_invisible = found.marks().contains(Marks::INVISIBLE) && !user.is_operator();
        found.rooms.iter().find_map(|&channel| {
            let room = self.channels.room(channel)?;
            self.shows_place(user, channel, room, is_invisible)
                .then(|| Place { room: &room.name, standing: room.standing(key) })
        })
    }

    /// Whether one may know that somebody is in a room.
    pub(super) fn shows_place(
        &self,
        user: &User,
        channel: ChannelId,
        room: &Room,
        is_invisible: bool,
    ) -> bool {
        user.rooms.contains(&channel) || (!is_invisible && finds(user, channel, room))
    }

    fn to_scan(&self, is_without_conditions: bool) -> usize {
        if is_without_conditions { usize::MAX } else { self.limits.scanned_entries_max.max(1) }
    }
}

/// Since when somebody has said nothing. Of whose words nothing is known, the last sign of life counts.
pub(super) fn idle_seconds(asker: Asker, session: SessionId, user: &User, fx: &impl Effects) -> u64 {
    let spoke = match user.profile() {
        Some(profile) => profile.spoke.unwrap_or(user.since),
        None => fx.observed(session).map_or(user.since, |observed| observed.heard),
    };
    asker.now.monotonic.saturating_duration_since(spoke).as_secs()
}

fn fits(mask: &str, entry: &Entry<'_>) -> bool {
    let person = entry.person;
    [person.name.shown(), person.username(), person.realname()].iter().any(|text| mask::matches(mask, text))
        || mask::matches(mask, &entry.host.to_string())
}

impl RoomFilter<'_> {
    fn takes(&self, room: &Room) -> bool {
        let (name, occupants) = (room.name.shown(), room.occupants.len() as u64);
        let subject_at = room.subject.as_ref().map(|subject| subject.at_millis);
        let is_between = |value: u64, above: Option<u64>, below: Option<u64>| {
            above.is_none_or(|above| value > above) && below.is_none_or(|below| value < below)
        };
        self.mask.is_none_or(|mask| mask::matches(mask, name))
            && self.not_mask.is_none_or(|mask| !mask::matches(mask, name))
            && is_between(
                occupants,
                self.occupants_above.map(Into::into),
                self.occupants_below.map(Into::into),
            )
            && is_between(room.made_millis, self.made_after, self.made_before)
            && match subject_at {
                Some(at) => is_between(at, self.subject_after, self.subject_before),
                None => self.subject_after.is_none() && self.subject_before.is_none(),
            }
    }
}
