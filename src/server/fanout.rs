//! Fan-out: who is subscribed to a channel, and how far each has got.
//!
//! What a room produces in one turn lies in one block per dialect (there is one dialect today; the arrays are for the
//! second). A member's queue gets *ranges* of it, and not per
//! message but once, at the end of the turn:
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
    /// How many members speak each dialect.
    speakers: [u32; Dialect::COUNT],
    /// What was published and not distributed yet.
    open: [Option<BlockId>; Dialect::COUNT],
    /// The messages among it that may go in datagrams, in order.
    said: Vec<Said>,
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
    dialect: Dialect,
}

const DIALECTS: [Dialect; Dialect::COUNT] = [Dialect::Native];

impl Fanout {
    /// From here on `key` gets what is published on `channel`.
    pub fn subscribe<S>(
        &mut self,
        connections: &mut Slots<Connection<S>>,
        blocks: &Blocks,
        channel: ChannelId,
        key: Key,
    ) {
        let Some(connection) = connections.get_mut(key) else { return };
        let Some(dialect) = connection.session.dialect() else { return };
        let group = self.group_or_new(channel);
        let cursor = group.open_len(dialect, blocks) as u32;
        group.speakers[dialect.index()] += 1;
        connection.memberships.push(Membership { channel, at: group.members.len() as u32 });
        group.members.push(Member { key, cursor, dialect });
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
        group.speakers[member.dialect.index()] -= 1;
        if let Some(moved) = group.members.get(at)
            && let Some(connection) = connections.get_mut(moved.key)
            && let Some(membership) = connection.memberships.iter_mut().find(|m| m.channel == channel)
        {
            membership.at = at as u32;
        }
        if group.members.is_empty() {
            let open = group.open;
            self.spent.extend(open.into_iter().flatten());
            self.groups[channel.slot()] = None;
        }
    }

    /// Appends an event to the channel's open blocks, encoded once per dialect that is spoken there. `author` gets
    /// everything but this. Returns whether the block is full and wants to be distributed now.
    pub fn publish<S>(
        &mut self,
        connections: &mut Slots<Connection<S>>,
        blocks: &mut Blocks,
        channel: ChannelId,
        author: Key,
        encode: impl Fn(Dialect, &mut Vec<u8>),
    ) -> bool {
        let own_dialect = self.catch_up(connections, blocks, channel, author);
        let Some(group) = group_mut(&mut self.groups, channel) else { return false };
        if group.open == [None; Dialect::COUNT] {
            self.dirty.push(channel);
        }
        let mut full = false;
        for dialect in DIALECTS {
            if group.speakers[dialect.index()] == 0 {
                continue;
            }
            let block = *group.open[dialect.index()].get_or_insert_with(|| blocks.open(Expect::Much));
            encode(dialect, blocks.append_to(block));
            let end = blocks.bytes(block).len();
            full |= end >= BLOCK_BYTES_MAX;
            if let Some((at, own)) = own_dialect
                && own == dialect
            {
                group.members[at].cursor = end as u32;
            }
        }
        full
    }

    /// Notes that the last thing published on the channel is a message of `author`'s, which may go in datagrams.
    pub fn note_said(&mut self, blocks: &Blocks, channel: ChannelId, author: Key) {
        let Some(group) = group_mut(&mut self.groups, channel) else { return };
        if let Some(block) = group.open[Dialect::Native.index()] {
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
    /// group, if it does.
    pub fn catch_up<S>(
        &mut self,
        connections: &mut Slots<Connection<S>>,
        blocks: &mut Blocks,
        channel: ChannelId,
        key: Key,
    ) -> Option<(usize, Dialect)> {
        let connection = connections.get_mut(key)?;
        let at = connection.memberships.iter().find(|m| m.channel == channel)?.at as usize;
        let group = group_mut(&mut self.groups, channel)?;
        let member = group.members.get_mut(at)?;
        if let Some(block) = group.open[member.dialect.index()]
            && connection.is_open()
        {
            let end = blocks.bytes(block).len();
            connection.outbox.push_range(blocks, block, member.cursor as usize, end);
            member.cursor = end as u32;
        }
        Some((at, member.dialect))
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
        let open = std::mem::take(&mut group.open);
        if open == [None; Dialect::COUNT] {
            return;
        }
        let ends = open.map(|block| block.map_or(0, |block| blocks.bytes(block).len()));
        for member in &mut group.members {
            let start = std::mem::take(&mut member.cursor) as usize;
            let (dialect, end) = (member.dialect.index(), ends[member.dialect.index()]);
            let Some(block) = open[dialect] else { continue };
            if start < end
                && let Some(connection) = connections.get_mut(member.key)
                && connection.is_open()
            {
                deliver(member.key, connection, blocks, block, start..end);
            }
        }
        self.spent.extend(open.into_iter().flatten());
    }

    /// After the flush: blocks that somebody still holds are made fit for a longer stay, the others go.
    pub fn trim_spent(&mut self, blocks: &mut Blocks) {
        for block in self.spent.drain(..) {
            if !blocks.release(block) {
                blocks.trim(block);
            }
        }
    }

    /// The subscribers of a channel.
    pub fn members(&self, channel: ChannelId) -> impl Iterator<Item = Key> {
        let group = self.groups.get(channel.slot()).and_then(Option::as_ref);
        let group = group.filter(|group| group.channel == channel);
        group.into_iter().flat_map(|group| group.members.iter().map(|member| member.key))
    }

    fn group_or_new(&mut self, channel: ChannelId) -> &mut Group {
        let slot = channel.slot();
        if self.groups.len() <= slot {
            self.groups.resize_with(slot + 1, || None);
        }
        self.groups[slot].get_or_insert_with(|| Group {
            channel,
            members: Vec::new(),
            speakers: [0; Dialect::COUNT],
            open: [None; Dialect::COUNT],
            said: Vec::new(),
        })
    }
}

impl Group {
    fn open_len(&self, dialect: Dialect, blocks: &Blocks) -> usize {
        self.open[dialect.index()].map_or(0, |block| blocks.bytes(block).len())
    }
}

fn group_mut(groups: &mut [Option<Group>], channel: ChannelId) -> Option<&mut Group> {
    groups.get_mut(channel.slot())?.as_mut().filter(|group| group.channel == channel)
}
