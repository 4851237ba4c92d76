//! Channels: the numbers under which rooms and relays are known on the wire. They are server-wide, so that a room's
//! frame is the same bytes for every member and a relay's frame the same for both ends.
//!
//! A slot and a generation, like the keys of connections (`net/slots.rs`), and yet not the same slab: the hub does not
//! import net, and a channel's number has 32 bits on the wire, so that its generation comes round after 4,095
//! channels.

use super::relays::Relay;
use super::rooms::Room;
use slab::Slab;

/// A room or a relay. The low 20 bits find it, the high 12 tell it from others that lived in the same slot: whoever
/// still sends to a channel that has ended does not reach the next one by accident. 0 is never one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChannelId(pub u32);

impl ChannelId {
    /// Where a number is required and no channel is meant.
    pub const NONE: ChannelId = ChannelId(0);

    const SLOT_BITS: u32 = 20;
    const SLOT_MASK: u32 = (1 << Self::SLOT_BITS) - 1;
    const GENERATION_MAX: u32 = u32::MAX >> Self::SLOT_BITS;

    /// A small integer, unique among the channels that exist at one time.
    pub fn slot(self) -> usize {
        (self.0 & Self::SLOT_MASK) as usize
    }
}

pub(super) enum Channel {
    Room(Room),
    Relay(Relay),
}

/// All channels, found by their number in one step.
#[derive(Default)]
pub(super) struct Channels {
    slots: Slab<(ChannelId, Channel)>,
    generation: u32,
    relays: usize,
}

impl Channels {
    pub const MAX: usize = 1 << ChannelId::SLOT_BITS;

    /// Of this generation is the next channel.
    pub fn begin_at(&mut self, generation: u32) {
        self.generation = generation % ChannelId::GENERATION_MAX;
    }

    /// `None` when there are [`Channels::MAX`].
    pub fn insert(&mut self, channel: Channel) -> Option<ChannelId> {
        let slot = self.slots.vacant_entry();
        if slot.key() >= Self::MAX {
            return None;
        }
        self.generation = self.generation % ChannelId::GENERATION_MAX + 1;
        let id = ChannelId(self.generation << ChannelId::SLOT_BITS | slot.key() as u32);
        self.relays += usize::from(matches!(channel, Channel::Relay(_)));
        slot.insert((id, channel));
        Some(id)
    }

    pub fn remove(&mut self, id: ChannelId) -> Option<Channel> {
        self.get(id)?;
        let (_, channel) = self.slots.try_remove(id.slot())?;
        self.relays -= usize::from(matches!(channel, Channel::Relay(_)));
        Some(channel)
    }

    pub fn relays_len(&self) -> usize {
        self.relays
    }

    pub fn room(&self, id: ChannelId) -> Option<&Room> {
        match self.get(id)? {
            Channel::Room(room) => Some(room),
            Channel::Relay(_) => None,
        }
    }

    pub fn room_mut(&mut self, id: ChannelId) -> Option<&mut Room> {
        match self.slots.get_mut(id.slot()) {
            Some((found, Channel::Room(room))) if *found == id => Some(room),
            _ => None,
        }
    }

    pub fn relay(&self, id: ChannelId) -> Option<&Relay> {
        match self.get(id)? {
            Channel::Relay(relay) => Some(relay),
            Channel::Room(_) => None,
        }
    }

    pub fn relay_mut(&mut self, id: ChannelId) -> Option<&mut Relay> {
        match self.slots.get_mut(id.slot()) {
            Some((found, Channel::Relay(relay))) if *found == id => Some(relay),
            _ => None,
        }
    }

    pub fn rooms(&self) -> impl Iterator<Item = (ChannelId, &Room)> {
        self.slots.iter().filter_map(|(_, (id, channel))| match channel {
            Channel::Room(room) => Some((*id, room)),
            Channel::Relay(_) => None,
        })
    }

    pub fn relays(&self) -> impl Iterator<Item = (ChannelId, &Relay)> {
        self.slots.iter().filter_map(|(_, (id, channel))| match channel {
            Channel::Relay(relay) => Some((*id, relay)),
            Channel::Room(_) => None,
        })
    }

    fn get(&self, id: ChannelId) -> Option<&Channel> {
        match self.slots.get(id.slot()) {
            Some((found, channel)) if *found == id => Some(channel),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::record::RoomId;
    use crate::hub::{Flags, RoomName};

    fn room() -> Channel {
        Channel::Room(Room::new(RoomId(1), RoomName::new("#r", 9).expect("a room name"), Flags::NONE, 0))
    }

    #[test]
    fn a_slot_used_again_has_another_number() {
        let mut channels = Channels::default();
        let first = channels.insert(room()).expect("room for one");
        assert!(channels.remove(first).is_some());
        let second = channels.insert(room()).expect("room for one");
        assert_eq!(first.slot(), second.slot());
        assert_ne!(first, second);
        assert!(channels.room(first).is_none() && channels.remove(first).is_none());
        assert!(channels.room(second).is_some());
    }

    #[test]
    fn no_channel_is_ever_zero() {
        let mut channels = Channels::default();
        for _ in 0..10_000 {
            let id = channels.insert(room()).expect("room for one");
            assert_ne!(id, ChannelId::NONE);
            channels.remove(id);
        }
    }
}
