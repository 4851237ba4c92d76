//! One user, by name: what the directory says, what others may know, who had the name before.

use super::lists::idle_seconds;
use super::mask::Mask;
use super::name::fold;
use super::person::Marks;
use super::{
    Asker, ChannelId, Counts, Effects, Entry, Formerly, Hub, Look, Outcome, Place, Refusal, Reply, Seen,
    UserKey,
};

/// Signs of life are shown in so large steps. They tell whether somebody is still there; a finer measure would tell at
/// which moment they do something, in rooms too in which nobody is to know who does it.
const HEARD_STEP_SECONDS: u64 = 300;

impl Hub {
    pub(super) fn lookup(&self, asker: Asker, name: &str, fx: &mut impl Effects) -> Outcome {
        self.user(asker.user)?;
        let now = asker.now.monotonic;
        let key = *self.names.get(&*fold(name)).ok_or(Refusal::NoSuchPeer)?;
        let peer = self.users.get(&key).ok_or(Refusal::NoSuchPeer)?;
        let reached = peer.reached(key);
        let observed = fx.observed(reached.session);
        let heard = observed.map_or(peer.since, |observed| observed.heard);
        let heard = now.saturating_duration_since(heard).as_secs() / HEARD_STEP_SECONDS * HEARD_STEP_SECONDS;
        let listing = reached.listing;
        let addresses = listing.map(|listing| Hub::shown_addresses(listing, observed)).unwrap_or_default();
        let reply = Reply::Peer {
            name: peer.name.shown(),
            relays: reached.payload_max > 0,
            offers: listing.map(|listing| listing.offers).unwrap_or_default(),
            online_seconds: now.saturating_duration_since(peer.since).as_secs(),
            heard_seconds: heard,
            addresses: &addresses,
        };
        asker.reply(fx, reply);
        Ok(())
    }

    pub(super) fn count(&self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        self.user(asker.user)?;
        asker.reply(fx, Reply::Counts(self.counts()));
        Ok(())
    }

    /// How much there is on the server.
    pub fn counts(&self) -> Counts {
        Counts {
            users: self.users.len(),
            invisible: self.invisible,
            operators: self.operators,
            rooms: self.room_names.len(),
            users_most: self.users_most,
        }
    }

    /// Everything about one user that the asker may know.
    pub(super) fn look(&self, asker: Asker, name: &str, fx: &mut impl Effects) -> Outcome {
        let user = self.user(asker.user)?;
        if let Some((key, channel)) = self.hidden_peer(asker, name) {
            return self.look_through(asker, key, channel, fx);
        }
        let &key = self.names.get(&*fold(name)).ok_or(Refusal::NoSuchPeer)?;
        let found = self.user(key)?;
        let is_hidden = found.marks().contains(Marks::INVISIBLE) && key != asker.user && !user.is_operator();
        let mut places = Vec::new();
        for &channel in &found.rooms {
            let Some(room) = self.channels.room(channel) else { continue };
            let may_know = room.knows_people() || key == asker.user || room.sees_through(user);
            if may_know && self.shows_place(user, channel, room, is_hidden) {
                places.push(Place { room: &room.name, standing: room.standing(room.key_of(found)) });
            }
        }
        let person = found.person(key);
        let may_know = key == asker.user || user.is_operator();
        let address =
            may_know.then(|| fx.observed(person.session).map(|observed| observed.tcp.ip())).flatten();
        let online = asker.now.monotonic.saturating_duration_since(found.since);
        let look = Look {
            person,
            host: person.host(fx),
            places: &places,
            seen: Some(Seen {
                idle_seconds: idle_seconds(asker, found),
                since_millis: asker.now.unix_millis.saturating_sub(online.as_millis() as u64),
            }),
            address,
            real: None,
        };
        asker.reply(fx, Reply::Look(look));
        Ok(())
    }

    /// The same of somebody by what a room calls them, and as far as the room knows them.
    fn look_through(&self, asker: Asker, key: UserKey, channel: ChannelId, fx: &mut impl Effects) -> Outcome {
        let (user, found, room) = (self.user(asker.user)?, self.user(key)?, self.room(channel)?);
        let person = room.person(key, found);
        let place = Place { room: &room.name, standing: room.standing(room.key_of(found)) };
        let may_know = key == asker.user || room.sees_through(user);
        let look = Look {
            person,
            host: person.host(fx),
            places: &[place],
            seen: None,
            address: None,
            real: may_know.then(|| found.person(key)),
        };
        asker.reply(fx, Reply::Look(look));
        Ok(())
    }

    /// Who had a name, or one that this mask matches, the latest first. Masks find whom they would find if they were
    /// here: not the invisible.
    pub(super) fn was(&self, asker: Asker, name: &str, entries_max: usize, fx: &mut impl Effects) -> Outcome {
        let finds_all = self.user(asker.user)?.is_operator() || !name.contains(['*', '?']);
        let mask = Mask::new(name);
        let is_wanted =
            |formerly: &&Formerly| (finds_all || !formerly.is_invisible) && mask.matches(formerly.name.key());
        let entries = self.former.iter().filter(is_wanted);
        let entries: Vec<_> = entries.take(entries_max.min(self.limits.page_entries_max)).collect();
        if entries.is_empty() {
            return Err(Refusal::NoSuchPeer);
        }
        asker.reply(fx, Reply::Was { entries: &entries });
        Ok(())
    }

    /// Whether a name could be had, for whoever is about to log in.
    pub(super) fn check_name(&self, asker: Asker, name: &str, fx: &mut impl Effects) -> Outcome {
        match self.same_person(asker.session, name) {
            Some(key) => self.check_seats(key)?,
            None => drop(self.free_name(asker.session, name)?),
        }
        asker.done(fx);
        Ok(())
    }

    /// Which of these are here.
    pub(super) fn is_here(&self, asker: Asker, names: &[&str], fx: &mut impl Effects) -> Outcome {
        let user = self.user(asker.user)?;
        let here = names.iter().filter_map(|name| self.names.get(&*fold(name)));
        let entry = |&key: &UserKey| {
            let place = self.users.get(&key).and_then(|found| self.a_place(user, found));
            Some(Entry { place, ..self.entry(asker, key, true, fx)? })
        };
        let here: Vec<Entry<'_>> = here.filter_map(entry).collect();
        asker.reply(fx, Reply::Here { entries: &here });
        Ok(())
    }
}
