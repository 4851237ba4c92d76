//! Fan-out: who is subscribed to a channel, and how far each has got.
//!
//! What a room produces in one turn lies in one block per *edition*: per dialect, and per variant of it, that somebody
//! there reads. A member's queue gets *ranges* of its edition's block, and not per message but once, at the end of the
//! turn:
//!
//! ```text
//!   block     [ alice | bob | alice | carol ]
//!   dave      └───────────────────────────┘      one range, one write
//!   bob       └─────┘       └─────────────┘      two, around his own message
//! ```
//!
//! Each member has a cursor: what lies before it in the block is in the member's queue already, or was the member's
//! own. Whenever something else is queued for a member that must not overtake the room (a private message, the end of
//! its membership), the member first *catches up*.
//!
//! Order across rooms: a sender's events must reach everybody in the order in which the sender caused them. As long
//! as all undistributed events of a sender are in one room, that is given; so when a sender turns to another room,
//! the first room is distributed on the spot. That costs a pass over its members, as every message would without
//! blocks, and is rare within one turn.

use super::connection::Connection;
use crate::hub::ChannelId;
use crate::net::blocks::Expect;
use crate::net::{BlockId, Blocks, Key, Slots};
use crate::session::Dialect;
use smallvec::SmallVec;
use std::ops::Range;

/// Size of a block, in bytes, from which on it is distributed before the turn ends.
pub const BLOCK_BYTES_MAX: usize = 64 * 1_024;

/// Numbers the turns. It comes round; who takes an old turn for the present one distributes too early, which is no harm.
pub type Turn = u32;

/// The subscribers of all channels.
#[derive(Default)]
pub struct Fanout {
    /// By the channel's slot.
    groups: Vec<Option<Group>>,
    /// Channels with an undistributed block. One that was distributed early and spoke again is here twice, which costs a
    /// look.
    pub dirty: Vec<ChannelId>,
    /// Blocks that were distributed in this turn, held until the flush has shown who still needs them.
    spent: Vec<BlockId>,
    deliveries: u64,
}

/// A connection's side of a subscription.
#[derive(Clone, Copy, Debug)]
pub struct Membership {
    pub channel: ChannelId,
    /// Where the member is in its group.
    at: u32,
}

struct Group {
    channel: ChannelId,
    members: Vec<Member>,
    /// One, as a rule; seldom more than a few. Members know them by their place here.
    editions: SmallVec<[Edition; 1]>,
    /// The messages among it that may go in datagrams, in order.
    said: Vec<Said>,
}

/// What a channel's events are in one dialect. One without readers keeps its place, for the next dialect that is new
/// there.
struct Edition {
    dialect: Dialect,
    readers: u32,
    /// What was published and not distributed yet.
    open: Option<BlockId>,
}

/// A message in a channel's open block of native frames.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub author: Key,
    /// Where it ends in the block.
    pub end: u32,
    /// In how many datagrams it may still go.
    pub granted: usize,
}

struct Member {
    key: Key,
    /// Bytes of the open block that are done with, as far as this member goes.
    cursor: u32,
    edition: u32,
}

impl Fanout {
    /// From here on `key` gets what is published on `channel`, in this dialect.
    pub fn subscribe<S>(
        &mut self,
        connections: &mut Slots<Connection<S>>,
        blocks: &Blocks,
        channel: ChannelId,
        key: Key,
        dialect: Dialect,
    ) {
        let Some(connection) = connections.get_mut(key) else { return };
        let (group, spent) = self.group_or_new(channel);
        let (edition, cursor) = group.add_reader(dialect, blocks, spent);
        connection.memberships.push(Membership { channel, at: group.members.len() as u32 });
        group.members.push(Member { key, cursor, edition });
    }

    /// From here on `key` gets everything in this dialect; what was published before comes in the old one.
    pub fn change_dialect<S>(
        &mut self,
        connections: &mut Slots<Connection<S>>,
        blocks: &mut Blocks,
        key: Key,
        dialect: Dialect,
    ) {
        let Some(connection) = connections.get(key) else { return };
        for Membership { channel, .. } in connection.memberships.clone() {
            let Some((at, _)) = self.catch_up(connections, blocks, channel, key) else { continue };
            let (group, spent) = self.group_or_new(channel);
            let (edition, cursor) = group.add_reader(dialect, blocks, spent);
            let Some(member) = group.members.get_mut(at) else { continue };
            member.cursor = cursor;
            let old = std::mem::replace(&mut member.edition, edition);
            group.remove_reader(old);
        }
    }

    /// From here on it does not; what was published before still reaches it.
    pub fn unsubscribe<S>(
        &mut self,
        connections: &mut Slots<Connection<S>>,
        blocks: &mut Blocks,
        channel: ChannelId,
        key: Key,
    ) {
        self.catch_up(connections, blocks, channel, key);
        let Some(connection) = connections.get_mut(key) else { return };
        let Some(held) = connection.memberships.iter().position(|m| m.channel == channel) else { return };
        let at = connection.memberships.swap_remove(held).at as usize;
        let Some(group) = group_mut(&mut self.groups, channel) else { return };
        let member = group.members.swap_remove(at);
        group.remove_reader(member.edition);
        if let Some(moved) = group.members.get(at)
            && let Some(connection) = connections.get_mut(moved.key)
            && let Some(membership) = connection.memberships.iter_mut().find(|m| m.channel == channel)
        {
            membership.at = at as u32;
        }
        if group.members.is_empty() {
            self.spent.extend(group.editions.iter_mut().filter_map(|edition| edition.open.take()));
            self.groups[channel.slot()] = None;
        }
    }

    /// Appends an event to the channel's open blocks, encoded once per edition that is read there. `author` gets
    /// everything but this. Returns whether the block is full and wants to be distributed now.
    pub fn publish<S>(
        &mut self,
        connections: &mut Slots<Connection<S>>,
        blocks: &mut Blocks,
        channel: ChannelId,
        author: Key,
        mut encode: impl FnMut(Dialect, Option<&Connection<S>>, &mut Vec<u8>),
    ) -> bool {
        let own = self.catch_up(connections, blocks, channel, author);
        let Some(group) = group_mut(&mut self.groups, channel) else { return false };
        let Group { members, editions, .. } = group;
        if editions.iter().all(|edition| edition.open.is_none()) {
            self.dirty.push(channel);
        }
        self.deliveries += (members.len() - usize::from(own.is_some())) as u64;
        let cause = connections.get(author);
        let mut full = false;
        for (index, edition) in editions.iter_mut().enumerate().filter(|(_, edition)| edition.readers > 0) {
            let block = *edition.open.get_or_insert_with(|| blocks.open(Expect::Much));
            encode(edition.dialect, cause, blocks.append_to(block));
            let end = blocks.bytes(block).len();
            full |= end >= BLOCK_BYTES_MAX;
            if let Some((at, edition)) = own
                && edition as usize == index
                && let Some(author) = members.get_mut(at)
            {
                author.cursor = end as u32;
            }
        }
        full
    }

    /// Notes that the last thing published on the channel is a message of `author`'s, which may go in datagrams.
    pub fn note_said(&mut self, blocks: &Blocks, channel: ChannelId, author: Key) {
        let Some(group) = group_mut(&mut self.groups, channel) else { return };
        let native = group.editions.iter().find(|edition| edition.dialect == Dialect::Native);
        if let Some(block) = native.and_then(|edition| edition.open) {
            let end = blocks.bytes(block).len() as u32;
            group.said.push(Said { author, end, granted: 0 });
        }
    }

    /// Takes what was noted, for the distribution of the channel; the buffer comes back through [`Fanout::forget_said`].
    pub fn take_said(&mut self, channel: ChannelId) -> Vec<Said> {
        group_mut(&mut self.groups, channel).map(|group| std::mem::take(&mut group.said)).unwrap_or_default()
    }

    pub fn forget_said(&mut self, channel: ChannelId, mut said: Vec<Said>) {
        if let Some(group) = group_mut(&mut self.groups, channel) {
            said.clear();
            group.said = said;
        }
    }

    /// Queues for one member what it has not got yet of the channel's open block. Returns where it stands in the
    /// group, if it does, and which edition it reads.
    pub fn catch_up<S>(
        &mut self,
        connections: &mut Slots<Connection<S>>,
        blocks: &mut Blocks,
        channel: ChannelId,
        key: Key,
    ) -> Option<(usize, u32)> {
        let connection = connections.get_mut(key)?;
        let at = connection.memberships.iter().find(|m| m.channel == channel)?.at as usize;
        let group = group_mut(&mut self.groups, channel)?;
        let member = group.members.get_mut(at)?;
        if let Some(block) = group.editions.get(member.edition as usize)?.open
            && connection.is_open()
        {
            let end = blocks.bytes(block).len();
            connection.outbox.push_range(blocks, block, member.cursor as usize, end);
            member.cursor = end as u32;
        }
        Some((at, member.edition))
    }

    /// Closes the channel's open blocks. `deliver` is called for every member with what it has not got yet.
    pub fn distribute<S>(
        &mut self,
        connections: &mut Slots<Connection<S>>,
        blocks: &mut Blocks,
        channel: ChannelId,
        mut deliver: impl FnMut(Key, &mut Connection<S>, &mut Blocks, BlockId, Range<usize>),
    ) {
        let Some(group) = group_mut(&mut self.groups, channel) else { return };
        type Closed = SmallVec<[(Option<BlockId>, usize); 2]>;
        let close = |edition: &mut Edition| {
            let open = edition.open.take();
            (open, open.map_or(0, |block| blocks.bytes(block).len()))
        };
        let closed: Closed = group.editions.iter_mut().map(close).collect();
        if closed.iter().all(|(block, _)| block.is_none()) {
            return;
        }
        // One edition is the usual case, in which there is nothing to look up for each member.
        if let [(Some(block), end)] = closed[..] {
            hand_out(&mut group.members, connections, blocks, |_| Some((block, end)), &mut deliver);
        } else {
            let part_of = |edition: u32| {
                let (block, end) = *closed.get(edition as usize)?;
                Some((block?, end))
            };
            hand_out(&mut group.members, connections, blocks, part_of, &mut deliver);
        }
        self.spent.extend(closed.into_iter().filter_map(|(block, _)| block));
    }

    /// What [`Fanout::distribute`] would deliver, in bytes; for the trace.
    pub fn owed(&self, blocks: &Blocks, channel: ChannelId, mut tell: impl FnMut(Key, usize)) {
        let group = self.groups.get(channel.slot()).and_then(Option::as_ref);
        for member in group.into_iter().flat_map(|group| &group.members) {
            let edition = group.and_then(|group| group.editions.get(member.edition as usize));
            let end = edition.and_then(|edition| edition.open).map_or(0, |block| blocks.bytes(block).len());
            if end > member.cursor as usize {
                tell(member.key, end - member.cursor as usize);
            }
        }
    }

    /// After the flush: blocks that somebody still holds are made fit for a longer stay, the others go.
    pub fn trim_spent(&mut self, blocks: &mut Blocks) {
        for block in self.spent.drain(..) {
            if !blocks.release(block) {
                blocks.trim(block);
            }
        }
    }

    /// How often something was published, times those who heard it.
    pub fn deliveries(&self) -> u64 {
        self.deliveries
    }

    /// The subscribers of a channel.
    pub fn members(&self, channel: ChannelId) -> impl Iterator<Item = Key> {
        let group = self.groups.get(channel.slot()).and_then(Option::as_ref);
        let group = group.filter(|group| group.channel == channel);
        group.into_iter().flat_map(|group| group.members.iter().map(|member| member.key))
    }

    fn group_or_new(&mut self, channel: ChannelId) -> (&mut Group, &mut Vec<BlockId>) {
        let slot = channel.slot();
        if self.groups.len() <= slot {
            self.groups.resize_with(slot + 1, || None);
        }
        let new = || Group { channel, members: Vec::new(), editions: SmallVec::new(), said: Vec::new() };
        (self.groups[slot].get_or_insert_with(new), &mut self.spent)
    }
}

impl Group {
    /// Which edition whoever speaks this dialect reads, and how much of its open block is no concern of theirs.
    fn add_reader(&mut self, dialect: Dialect, blocks: &Blocks, spent: &mut Vec<BlockId>) -> (u32, u32) {
        let editions = &mut self.editions;
        let found = editions.iter().position(|edition| edition.dialect == dialect);
        let index = found.or_else(|| editions.iter().position(|edition| edition.readers == 0));
        let index = index.unwrap_or(editions.len());
        if index == editions.len() {
            editions.push(Edition { dialect, readers: 0, open: None });
        }
        let edition = &mut editions[index];
        if edition.dialect != dialect {
            spent.extend(edition.open.take()); // its last readers took with them what was theirs
            edition.dialect = dialect;
        }
        edition.readers += 1;
        (index as u32, edition.open.map_or(0, |block| blocks.bytes(block).len()) as u32)
    }

    fn remove_reader(&mut self, edition: u32) {
        if let Some(edition) = self.editions.get_mut(edition as usize) {
            edition.readers = edition.readers.saturating_sub(1);
        }
    }
}

/// Calls `deliver` for every member with what it has not got yet of its edition's block, which has so many bytes.
fn hand_out<S>(
    members: &mut [Member],
    connections: &mut Slots<Connection<S>>,
    blocks: &mut Blocks,
    part_of: impl Fn(u32) -> Option<(BlockId, usize)>,
    deliver: &mut impl FnMut(Key, &mut Connection<S>, &mut Blocks, BlockId, Range<usize>),
) {
    for member in members {
        let start = std::mem::take(&mut member.cursor) as usize;
        let Some((block, end)) = part_of(member.edition) else { continue };
        if start < end
            && let Some(connection) = connections.get_mut(member.key)
            && connection.is_open()
        {
            deliver(member.key, connection, blocks, block, start..end);
        }
    }
}

fn group_mut(groups: &mut [Option<Group>], channel: ChannelId) -> Option<&mut Group> {
    groups.get_mut(channel.slot())?.as_mut().filter(|group| group.channel == channel)
}
