//! Blocks: bytes to be written, each block shared by every outbox that holds a range of it.
//!
//! Reference counts by hand instead of `Rc`, because a block grows while ranges of it are already queued, and because
//! its buffer is used again: in steady state nothing is allocated per message or per delivery.

use slab::Slab;
use std::num::NonZeroU32;
use std::ops::Range;

/// Buffers up to this capacity, in bytes, are kept apart from larger ones, so that a block for one short reply does
/// not pin a buffer that once held a whole turn of a room.
const SMALL_BYTES_MAX: usize = 1_024;

/// Free buffers above this capacity, in bytes, go back to the allocator.
const KEPT_BYTES_MAX: usize = 128 * 1_024;

/// How many free buffers of each class are kept.
const KEPT_BUFFERS_MAX: usize = 64;

/// Room for more blocks than this goes back to the allocator once nobody holds any.
const KEPT_BLOCKS_MAX: usize = 4_096;

/// Names a block while somebody holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockId(NonZeroU32);

impl BlockId {
    /// One more than the slot, so that every connection's `Option` of one takes no more than it.
    fn of(slot: usize) -> BlockId {
        BlockId(NonZeroU32::MIN.saturating_add(slot as u32))
    }

    fn slot(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// How much a block is expected to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// A reply or two.
    Little,
    /// What a room produces in a turn, or relay payload that did not fit into a socket.
    Much,
}

struct Block {
    bytes: Vec<u8>,
    holders: u32,
}

/// All blocks, and the buffers of those that are no more.
#[derive(Default)]
pub struct Blocks {
    blocks: Slab<Block>,
    free_small: Vec<Vec<u8>>,
    free_large: Vec<Vec<u8>>,
    gathered: Vec<u8>,
}

impl Blocks {
    /// A new, empty block with one holder: the caller.
    pub fn open(&mut self, expect: Expect) -> BlockId {
        let free = match expect {
            Expect::Little => &mut self.free_small,
            Expect::Much => &mut self.free_large,
        };
        let bytes = free.pop().unwrap_or_default();
        BlockId::of(self.blocks.insert(Block { bytes, holders: 1 }))
    }

    /// A new block with just these bytes and no room for others.
    pub fn adopt(&mut self, bytes: Vec<u8>) -> BlockId {
        BlockId::of(self.blocks.insert(Block { bytes, holders: 1 }))
    }

    pub fn bytes(&self, id: BlockId) -> &[u8] {
        &self.blocks[id.slot()].bytes
    }

    /// A part of a block.
    pub fn range(&self, (id, range): (BlockId, Range<usize>)) -> &[u8] {
        &self.bytes(id)[range]
    }

    /// Parts of blocks, copied together.
    pub fn gather(&mut self, parts: impl Iterator<Item = (BlockId, Range<usize>)>) -> &[u8] {
        self.gathered.clear();
        for (id, range) in parts {
            self.gathered.extend_from_slice(&self.blocks[id.slot()].bytes[range]);
        }
        &self.gathered
    }

    /// Its bytes, to append to. What is in it already may be queued and must stay as it is.
    pub fn append_to(&mut self, id: BlockId) -> &mut Vec<u8> {
        &mut self.blocks[id.slot()].bytes
    }

    pub fn hold(&mut self, id: BlockId) {
        self.blocks[id.slot()].holders += 1;
    }

    /// Gives up one hold. Returns whether it was the last, and the block is gone.
    pub fn release(&mut self, id: BlockId) -> bool {
        let block = &mut self.blocks[id.slot()];
        block.holders -= 1;
        if block.holders > 0 {
            return false;
        }
        let bytes = self.blocks.remove(id.slot()).bytes;
        self.recycle(bytes);
        if self.blocks.is_empty() && self.blocks.capacity() > KEPT_BLOCKS_MAX {
            self.blocks = Slab::new();
        }
        true
    }

    /// Prepares a block that nothing more will be appended to for a longer stay: a buffer much larger than what is in
    /// it is exchanged for one that fits.
    pub fn trim(&mut self, id: BlockId) {
        let bytes = &mut self.blocks[id.slot()].bytes;
        if bytes.capacity() > 2 * bytes.len() + SMALL_BYTES_MAX {
            let fitting = bytes.as_slice().to_vec();
            let large = std::mem::replace(bytes, fitting);
            self.recycle(large);
        }
    }

    /// How many blocks somebody holds.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Memory of all held blocks, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.blocks.iter().map(|(_, block)| block.bytes.capacity()).sum()
    }

    fn recycle(&mut self, mut bytes: Vec<u8>) {
        let free = match bytes.capacity() {
            0 => return,
            1..=SMALL_BYTES_MAX => &mut self.free_small,
            _ => &mut self.free_large,
        };
        if free.len() < KEPT_BUFFERS_MAX && bytes.capacity() <= KEPT_BYTES_MAX {
            bytes.clear();
            free.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_lives_as_long_as_its_last_holder() {
        let mut blocks = Blocks::default();
        let id = blocks.open(Expect::Much);
        blocks.append_to(id).extend_from_slice(b"hello");
        blocks.hold(id);
        assert!(!blocks.release(id));
        assert_eq!(blocks.bytes(id), b"hello");
        assert!(blocks.release(id));
        assert!(blocks.is_empty());
    }

    #[test]
    fn buffers_are_used_again_within_their_class() {
        let mut blocks = Blocks::default();
        let large = blocks.open(Expect::Much);
        blocks.append_to(large).resize(50_000, 0);
        blocks.release(large);
        let little = blocks.open(Expect::Little);
        assert_eq!(blocks.append_to(little).capacity(), 0, "not the large one");
        let much = blocks.open(Expect::Much);
        assert!(blocks.append_to(much).capacity() >= 50_000 && blocks.bytes(much).is_empty());
    }

    #[test]
    fn giant_buffers_go_back_to_the_allocator() {
        let mut blocks = Blocks::default();
        let id = blocks.open(Expect::Much);
        blocks.append_to(id).resize(KEPT_BYTES_MAX + 1, 0);
        blocks.release(id);
        assert!(blocks.free_large.is_empty());
    }
}
