//! How events are written: once per dialect and variant that somebody in the room speaks, and the same for all of these.

use super::{Surroundings, irc, native};
use crate::hub::{ChannelId, Event, Host, Person, RoomName};

/// A way of writing events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    Native,
    /// Lines of IRC, as they are for clients with these capabilities.
    Irc(Variant),
}

/// The capabilities that make a difference to bytes which many share, as bits; what they stand for is the dialect's
/// business.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Variant(u16);

impl Variant {
    pub const fn from_bits(bits: u16) -> Self {
        Variant(bits)
    }

    pub const fn bits(self) -> u16 {
        self.0
    }

    pub const fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }
}

/// What is written of an event beside the event itself.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// With the time and the server's name.
    pub surroundings: &'a Surroundings,
    /// Where the one comes from who caused it. Only for dialects that show it.
    host: Option<Host>,
}

impl<'a> Stamp<'a> {
    pub fn new(surroundings: &'a Surroundings, host: Option<Host>) -> Self {
        Stamp { surroundings, host }
    }

    /// Where they come from whose doing the event is, as far as those may know who are told of it.
    pub fn host_of(&self, who: &Person<'_>) -> Host {
        who.hidden_host.or(self.host).unwrap_or_default()
    }
}

impl Dialect {
    /// Whether its events show where somebody comes from.
    pub fn shows_hosts(self) -> bool {
        matches!(self, Dialect::Irc(_))
    }

    /// Whether somebody who leaves the server is told of in each room, and not once.
    pub fn tells_departures_per_room(self) -> bool {
        matches!(self, Dialect::Native)
    }

    /// Appends the event as this dialect has it for all; nothing, where it does not have it.
    pub fn encode_event(self, about: About<'_>, event: &Event<'_>, stamp: &Stamp<'_>, out: &mut Vec<u8>) {
        match self {
            Dialect::Native => native::encode_event(about, event, out),
            Dialect::Irc(variant) => {
                let target = about.room.map_or("", RoomName::shown);
                irc::encode_event(variant, target, event, stamp, out);
            }
        }
    }
}

/// The conversation that an event is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    pub channel: ChannelId,
    /// Where it is a room's.
    pub room: Option<&'a RoomName>,
}

impl About<'_> {
    /// One whose name says nothing.
    pub fn channel(channel: ChannelId) -> Self {
        About { channel, room: None }
    }
}
