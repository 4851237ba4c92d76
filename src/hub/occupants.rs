//! What somebody is called in a room, and who is behind a name there. Whatever tells of an occupant, or is told to one,
//! asks here and not the user.

use super::name::{UserName, fold};
use super::rooms::Room;
use super::settings::Flag;
use super::{Asker, ChannelId, Hub, Person, Refusal, User, UserKey};
use smallvec::SmallVec;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Room {
    /// What an occupant is called here.
    pub fn name_of<'a>(&'a self, user: &'a User) -> &'a UserName {
        self.pseudonym_of(user).map_or(&user.name, |pseudonym| &pseudonym.name)
    }

    /// The same, folded: by this they are found among the occupants.
    pub fn key_of<'a>(&'a self, user: &'a User) -> &'a Arc<str> {
        self.name_of(user).key()
    }

    /// An occupant, as the others here may know them.
    pub fn person<'a>(&'a self, key: UserKey, user: &'a User) -> Person<'a> {
        user.person_as(key, self.pseudonym_of(user))
    }

    /// Who has this folded name here; somebody who is not in the room, where nobody in it has it.
    pub fn user_at(&self, key: &str, names: &BTreeMap<Arc<str>, UserKey>) -> Option<UserKey> {
        match &self.veil {
            None => names.get(key).copied(),
            Some(veil) => veil.behind(key),
        }
    }

    /// Whether everybody here is known by the name that they have on the server.
    pub fn knows_people(&self) -> bool {
        !self.settings.flags.has(Flag::SemiAnonymous)
    }
}

impl Hub {
    /// Somebody who is in the room, by what they are called there. To themselves, everybody is also who they are.
    pub(super) fn occupant_of(
        &self,
        asker: Asker,
        channel: ChannelId,
        name: &str,
    ) -> Result<(UserKey, &UserName), Refusal> {
        let key = fold(name);
        let room = self.room(channel)?;
        let own = self.user(asker.user)?;
        let found = match room.user_at(&key, &self.names) {
            None if **own.name.key() == *key => Some(asker.user),
            found => found,
        };
        let found = match found {
            Some(found) => found,
            None if self.names.contains_key(&*key) => return Err(Refusal::PeerNotInRoom),
            None => return Err(Refusal::NoSuchPeer),
        };
        let user = self.user(found)?;
        if user.is_in(channel) { Ok((found, room.name_of(user))) } else { Err(Refusal::PeerNotInRoom) }
    }

    /// Those rooms of a user in which they are known: what happens to them is told there.
    pub(super) fn known_in(&self, user: &User) -> SmallVec<[ChannelId; 4]> {
        let is_known = |channel: &ChannelId| self.channels.room(*channel).is_some_and(Room::knows_people);
        user.rooms.iter().copied().filter(is_known).collect()
    }

    /// Whether two users meet in a room in which they are known. In time proportional to how many rooms they are in.
    pub(super) fn share_room(&self, one: &User, other: &User) -> bool {
        let (mut own, mut theirs) = (one.rooms.iter().peekable(), other.rooms.iter().peekable());
        while let (Some(one), Some(another)) = (own.peek(), theirs.peek()) {
            match one.cmp(another) {
                Ordering::Less => drop(own.next()),
                Ordering::Greater => drop(theirs.next()),
                Ordering::Equal if self.channels.room(**one).is_some_and(Room::knows_people) => return true,
                Ordering::Equal => drop(own.next()),
            }
        }
        false
    }
}
