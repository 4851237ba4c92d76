//! A slab whose keys carry a generation. An event, a timer or a reply that arrives late names a slot that may by
//! then belong to somebody else; the generation tells them apart. (The hub's channels have the same scheme in the 32
//! bits that they have on the wire: `hub/channel.rs`.)

use mio::Token;
use slab::Slab;
use std::fmt;

/// Names one connection for as long as the process runs (the generation comes round after 2³² connections).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    generation: u32,
    slot: u32,
}

impl Key {
    pub fn to_u64(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// A small integer, unique among the connections that exist at one time.
    pub fn slot(self) -> u32 {
        self.slot
    }

    pub fn from_u64(bits: u64) -> Key {
        Key { generation: (bits >> 32) as u32, slot: bits as u32 }
    }
}

const _: () = assert!(usize::BITS == 64, "a mio::Token has to hold slot and generation, 32 bits each");

impl From<Key> for Token {
    fn from(key: Key) -> Token {
        Token(key.to_u64() as usize)
    }
}

impl From<Token> for Key {
    fn from(token: Token) -> Key {
        Key::from_u64(token.0 as u64)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}.{}", self.slot, self.generation)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The slab.
pub struct Slots<T> {
    slab: Slab<(u32, T)>,
    generation: u32,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Slots { slab: Slab::new(), generation: 0 }
    }
}

impl<T> Slots<T> {
    /// # Panics
    /// With 2³² entries, which is more than a process can have descriptors.
    pub fn insert(&mut self, value: T) -> Key {
        self.generation = self.generation.wrapping_add(1);
        let slot = self.slab.insert((self.generation, value));
        let slot = u32::try_from(slot).expect("fewer than 2^32 connections");
        Key { generation: self.generation, slot }
    }

    pub fn get(&self, key: Key) -> Option<&T> {
        match self.slab.get(key.slot as usize) {
            Some((generation, value)) if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.slab.get_mut(key.slot as usize) {
            Some((generation, value)) if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    /// The key of whoever is in a slot now.
    pub fn key_at(&self, slot: u32) -> Option<Key> {
        self.slab.get(slot as usize).map(|&(generation, _)| Key { generation, slot })
    }

    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        self.slab.try_remove(key.slot as usize).map(|(_, value)| value)
    }

    pub fn len(&self) -> usize {
        self.slab.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slab
            .iter()
            .map(|(slot, (generation, value))| (Key { generation: *generation, slot: slot as u32 }, value))
    }

    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.iter().map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_key_does_not_reach_the_next_tenant() {
        let mut slots = Slots::default();
        let first = slots.insert("first");
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert("second");
        assert_eq!(first.slot, second.slot, "the slot is used again");
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(second), Some(&"second"));
    }

    #[test]
    fn a_key_survives_being_a_token() {
        let key = Key { generation: u32::MAX, slot: 7 };
        assert_eq!(Key::from(Token::from(key)), key);
        assert_eq!(Key::from_u64(key.to_u64()), key);
    }
}
