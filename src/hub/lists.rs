//! Lists, page by page: rooms, occupants, users. What fits may be far away, and masks may be made to be hard to match:
//! so a page with conditions ends after some *effort*, found or not, and says where to go on.

use super::mask::Mask;
use super::name::fold;
use super::person::Marks;
use super::rooms::{Room, behind, finds};
use super::settings::Flag;
use super::{
    Asker, ChannelId, Effects, Entry, Host, Hub, Outcome, Person, Place, Reply, RoomFilter, RoomRef,
    RoomSummary, User, UserFilter, UserKey,
};
use std::ops::Bound;

impl Hub {
    pub(super) fn list_rooms(
        &self,
        asker: Asker,
        after: &str,
        filter: RoomFilter<'_>,
        fx: &mut impl Effects,
    ) -> Outcome {
        let user = self.user(asker.user)?;
        let effort = if filter == RoomFilter::default() { Effort::UNBOUNDED } else { self.effort() };
        let masks = [filter.mask, filter.not_mask].map(|mask| mask.map(Mask::new));
        // A mask that is a whole name is found in one step.
        let name = filter.mask.filter(|mask| !mask.contains(['*', '?'])).map(fold);
        let after = fold(after);
        let range = self.room_names.range::<str, _>(part(&after, name.as_deref()));
        let page = self.page(effort, range, |effort, (key, &channel)| {
            let room = self.channels.room(channel)?;
            let is_listed = finds(user, channel, room) && filter.takes(room) && effort.takes(&masks, key);
            let (name, occupants) = (room.name.shown(), room.occupants.len());
            let subject = room.subject.as_ref().map_or("", |subject| &*subject.text);
            Some((name, is_listed.then_some(RoomSummary { name, occupants, subject })))
        });
        asker.reply(fx, Reply::Rooms { rooms: &page.entries, next: page.next });
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
        let sees_all = user.is_in(channel) || user.is_operator();
        // Who sees all finds a page of them without passing anybody over.
        let effort = if sees_all { Effort::UNBOUNDED } else { self.effort() };
        let after = fold(after);
        let is_own = *after == **user.name.key() && user.is_in(channel);
        let after = if is_own { &**room.key_of(user) } else { &after };
        let sees_through = room.sees_through(user);
        let page = self.page(effort, room.occupants.range::<str, _>(behind(after)), |_, key| {
            let user = room.user_at(key, &self.names)?;
            let found = self.users.get(&user)?;
            let name = room.name_of(found).shown();
            if !sees_all && room.knows_people() && found.marks().contains(Marks::INVISIBLE) {
                return Some((name, None));
            }
            let place = Some(Place { room: &room.name, standing: room.standing(key) });
            let entry = match room.pseudonym_of(found) {
                Some(pseudonym) if user != asker.user => Entry {
                    person: found.person_as(user, Some(pseudonym)),
                    host: if in_full { pseudonym.host } else { Host::default() },
                    idle_seconds: 0,
                    place,
                    real: sees_through.then_some(&found.name),
                },
                _ => Entry { place, ..self.entry(asker, user, in_full, fx)? },
            };
            Some((name, Some(entry)))
        });
        let asker = Asker { channel, ..asker };
        let hidden = room.settings.flags.has(Flag::Hidden);
        let (entries, next) = (&page.entries[..], page.next);
        asker.reply(fx, Reply::Occupants { room: &room.name, hidden, entries, next });
        Ok(())
    }

    pub(super) fn find_users(
        &self,
        asker: Asker,
        after: &str,
        filter: UserFilter<'_>,
        fx: &mut impl Effects,
    ) -> Outcome {
        let user = self.user(asker.user)?;
        let mask = filter.mask.map(Mask::new);
        let after = fold(after);
        let range = self.names.range::<str, _>(behind(&after));
        let page = self.page(self.effort(), range, |effort, (_, &key)| {
            let found = self.users.get(&key)?;
            effort.take(user.rooms.len() + found.rooms.len());
            let is_listed = (!filter.operators_only || found.is_operator())
                && self.sees(asker.user, user, key, found)
                && mask.as_ref().is_none_or(|mask| effort.fits(mask, found.person(key), fx));
            if !is_listed {
                return Some((found.name.shown(), None));
            }
            let entry = self.entry(asker, key, true, fx)?;
            Some((found.name.shown(), Some(Entry { place: self.a_place(user, found), ..entry })))
        });
        asker.reply(fx, Reply::Users { entries: &page.entries, next: page.next });
        Ok(())
    }

    /// Goes through an index until a page is full, or the effort is spent. `look` says what somebody or something is
    /// called, and what the list has of it, if anything; nothing at all where the index names what there is not.
    fn page<'a, I, T>(
        &self,
        mut effort: Effort,
        index: impl Iterator<Item = I>,
        mut look: impl FnMut(&mut Effort, I) -> Option<(&'a str, Option<T>)>,
    ) -> Page<'a, T> {
        let mut page = Page { entries: Vec::new(), next: None };
        let mut last = None;
        for item in index {
            if !effort.take_entry() {
                page.next = last;
                break;
            }
            let Some((name, entry)) = look(&mut effort, item) else { continue };
            if entry.is_some() && page.entries.len() >= self.limits.page_entries_max {
                page.next = last;
                break;
            }
            page.entries.extend(entry);
            // Behind what was left out as well: it need not be looked at again.
            last = Some(name);
        }
        page
    }

    pub(super) fn list_peers(&self, asker: Asker, after: &str, fx: &mut impl Effects) -> Outcome {
        let user = self.user(asker.user)?;
        let page = self.limits.page_entries_max;
        let mut names: Vec<&str> = self
            .names
            .range::<str, _>(behind(&fold(after)))
            .filter_map(|(_, key)| Some((*key, self.users.get(key)?)))
            .filter(|(key, found)| {
                // Who is invisible is not listed even to those who share a room with them, whom the room's own list tells.
                !found.marks().contains(Marks::INVISIBLE) || *key == asker.user || user.is_operator()
            })
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
        key: UserKey,
        in_full: bool,
        fx: &impl Effects,
    ) -> Option<Entry<'_>> {
        let user = self.users.get(&key)?;
        let person = user.person(key);
        let host = if in_full { person.host(fx) } else { Host::default() };
        let idle_seconds = if in_full { idle_seconds(asker, user) } else { 0 };
        Some(Entry { person, host, idle_seconds, place: None, real: None })
    }

    /// Whether one user finds another in a list: whoever is invisible is found by themselves, by operators, and by those
    /// who share a room with them.
    fn sees(&self, by_key: UserKey, by: &User, key: UserKey, user: &User) -> bool {
        !user.marks().contains(Marks::INVISIBLE)
            || by_key == key
            || by.is_operator()
            || self.share_room(by, user)
    }

    /// One room of somebody's, which the asker finds.
    pub(super) fn a_place(&self, user: &User, found: &User) -> Option<Place<'_>> {
        let is_invisible = found.marks().contains(Marks::INVISIBLE) && !user.is_operator();
        found.rooms.iter().find_map(|&channel| {
            let room = self.channels.room(channel)?;
            (room.knows_people() && self.shows_place(user, channel, room, is_invisible))
                .then(|| Place { room: &room.name, standing: room.standing(room.key_of(found)) })
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
        user.is_in(channel) || (!is_invisible && finds(user, channel, room))
    }

    fn effort(&self) -> Effort {
        Effort { entries: self.limits.scanned_entries_max.max(1), steps: STEPS_MAX }
    }
}

/// One page of a list.
struct Page<'a, T> {
    entries: Vec<T>,
    /// The name behind which the next page begins; `None` behind the last one.
    next: Option<&'a str>,
}

/// Steps that one page may take, give or take those of one entry: well under a millisecond.
const STEPS_MAX: usize = 200_000;

/// What an entry takes, before it is held against anything; and what it takes to know and write somebody's host.
const STEPS_PER_ENTRY: usize = 30;
const STEPS_PER_HOST: usize = 100;

/// What the look for one page may still take. A step is about what it takes to compare two bytes.
struct Effort {
    entries: usize,
    steps: usize,
}

impl Effort {
    /// For a list that is found from its first entry to the last.
    const UNBOUNDED: Effort = Effort { entries: usize::MAX, steps: usize::MAX };

    /// Whether there is enough for one more entry; for the first one there is.
    fn take_entry(&mut self) -> bool {
        let is_enough = self.entries > 0 && self.steps > 0;
        self.entries = self.entries.saturating_sub(1);
        self.take(STEPS_PER_ENTRY);
        is_enough
    }

    fn take(&mut self, steps: usize) {
        self.steps = self.steps.saturating_sub(steps);
    }

    fn is_match(&mut self, mask: &Mask, folded: &str) -> bool {
        let mut steps = 0;
        let is_match = mask.matches_counting(folded, &mut steps);
        self.take(steps);
        is_match
    }

    /// Whether the first of two masks matches a folded name and the second does not, as far as there are any.
    fn takes(&mut self, [mask, not_mask]: &[Option<Mask>; 2], key: &str) -> bool {
        mask.as_ref().is_none_or(|mask| self.is_match(mask, key))
            && not_mask.as_ref().is_none_or(|mask| !self.is_match(mask, key))
    }

    /// Whether a mask matches what somebody is called here or elsewhere, or where they come from.
    fn fits(&mut self, mask: &Mask, person: Person<'_>, fx: &impl Effects) -> bool {
        if self.is_match(mask, person.name.key()) {
            return true;
        }
        let is_other_name = [person.username(), person.realname()].into_iter().any(|name| {
            self.take(name.len());
            self.is_match(mask, &fold(name))
        });
        is_other_name || {
            self.take(STEPS_PER_HOST);
            self.is_match(mask, &person.host(fx).to_string())
        }
    }
}

/// The part of an index of names in which a list goes on; of one that is for a single name, at most that.
fn part<'a>(after: &'a str, only: Option<&'a str>) -> (Bound<&'a str>, Bound<&'a str>) {
    match only {
        None => behind(after),
        Some(name) if name > after => (Bound::Included(name), Bound::Included(name)),
        Some(_) => (Bound::Excluded(after), Bound::Included(after)), // it has been there
    }
}

/// Since when somebody has said nothing, where they are known. No other sign of life counts: it could be one from a room
/// in which nobody is to know who it is.
pub(super) fn idle_seconds(asker: Asker, user: &User) -> u64 {
    let spoke = user.profile().and_then(|profile| profile.spoke).unwrap_or(user.since);
    asker.now.monotonic.saturating_duration_since(spoke).as_secs()
}

impl RoomFilter<'_> {
    /// Whether all holds but what is said of names.
    fn takes(&self, room: &Room) -> bool {
        let occupants = room.occupants.len() as u64;
        let subject_at = room.subject.as_ref().map(|subject| subject.at_millis);
        let is_between = |value: u64, above: Option<u64>, below: Option<u64>| {
            above.is_none_or(|above| value > above) && below.is_none_or(|below| value < below)
        };
        is_between(occupants, self.occupants_above.map(Into::into), self.occupants_below.map(Into::into))
            && is_between(room.made_millis, self.made_after, self.made_before)
            && match subject_at {
                Some(at) => is_between(at, self.subject_after, self.subject_before),
                None => self.subject_after.is_none() && self.subject_before.is_none(),
            }
    }
}
