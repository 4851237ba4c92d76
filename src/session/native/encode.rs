//! The hub's effects as frames.

use super::Native;
use crate::hub::{
    Address, ChannelId, Departure, Event, Offers, Origin, PathKey, PathRole, Purpose, Refusal, RelayEnd,
    Reply, RequestId, Transport,
};
use crate::session::CloseReason;
use crate::wire::frame::{self, AddressEntry, Body, ListEntries, RoomEntry, put_list};
use crate::wire::{self, ClosedCode, Flags, Kind, LeftCode, RefusalCode, header};

impl Native {
    pub fn encode_reply(&self, request: RequestId, channel: ChannelId, reply: &Reply<'_>, out: &mut Vec<u8>) {
        let RequestId(request) = request;
        match *reply {
            Reply::Done => put(out, channel, &frame::Done { request }),
            Reply::Refused(refusal) => {
                let text = refusal.to_string();
                put(out, channel, &frame::Refused { request, code: code(refusal).number(), text: &text });
            }
            Reply::LoggedIn { name, text_bytes_max } => {
                let (version, body_max, text_max) = (frame::VERSION, self.body_max, text_bytes_max);
                put(out, channel, &frame::Welcome { request, version, body_max, text_max, name });
            }
            Reply::Joined { room, occupants, subject } => {
                let (subject_by, subject) = subject.unwrap_or_default();
                let (room, occupants) = (room.shown(), saturated(occupants));
                put(out, channel, &frame::Joined { request, room, occupants, subject_by, subject });
            }
            Reply::Rooms { rooms, more } => {
                let entries =
                    rooms.iter().map(|r| RoomEntry { name: r.name, occupants: saturated(r.occupants) });
                put_list(out, Kind::RoomList, channel.0, request, self.body_max, entries, more);
            }
            Reply::Occupants { names, more } => {
                let names = names.iter().copied();
                put_list(out, Kind::Occupants, channel.0, request, self.body_max, names, more);
            }
            Reply::Peers { names, more } => {
                let names = names.iter().copied();
                put_list(out, Kind::PeerList, channel.0, request, self.body_max, names, more);
            }
            Reply::Peer { name, relays, offers, online_seconds, heard_seconds, addresses } => {
                let mut scratch = Vec::new();
                let peer = frame::Peer {
                    request,
                    offers: offer_bits(relays, offers),
                    online_seconds: saturated(online_seconds),
                    heard_seconds: saturated(heard_seconds),
                    name,
                    addresses: address_list(&mut scratch, addresses),
                };
                put(out, channel, &peer);
            }
            Reply::Opened { peer, payload_max } => {
                put(out, channel, &frame::Opened { request, payload_max, peer });
            }
            Reply::Declined { text } => {
                let text = if text.is_empty() { "the peer declined" } else { text };
                put(out, channel, &frame::Refused { request, code: RefusalCode::Declined.number(), text });
            }
        }
    }
}

pub fn encode_event(channel: ChannelId, event: &Event<'_>, out: &mut Vec<u8>) {
    match *event {
        Event::Said { by, text } => put(out, channel, &frame::Said { by: by.shown(), text }),
        Event::Entered { who } => put(out, channel, &frame::Entered { who: who.shown() }),
        Event::Left { who, why } => {
            let (code, text) = match why {
                Departure::Left => (LeftCode::Left, ""),
                Departure::Quit(text) => (LeftCode::Quit, text),
                Departure::Lost => (LeftCode::Lost, ""),
                Departure::Dropped(text) => (LeftCode::Dropped, text),
            };
            put(out, channel, &frame::Left { who: who.shown(), code: code.number(), text });
        }
        Event::SubjectSet { by, text } => put(out, channel, &frame::Subject { by: by.shown(), text }),
        Event::Told { from, text } => put(out, channel, &frame::Told { from: from.shown(), text }),
        Event::Offered { from, purpose, payload_max } => {
            let purpose = match purpose {
                Purpose::Conversation => wire::Purpose::Conversation,
                Purpose::Pipe => wire::Purpose::Pipe,
            };
            let from = from.shown();
            put(out, channel, &frame::Offer { purpose: purpose.number(), payload_max, from });
        }
        Event::Ringing { request } => put(out, channel, &frame::Ringing { request: request.0 }),
        Event::Paths { round, role, key: PathKey(key), addresses } => {
            let role = match role {
                PathRole::Caller => wire::PathRole::Caller,
                PathRole::Callee => wire::PathRole::Callee,
            };
            let mut scratch = Vec::new();
            let addresses = address_list(&mut scratch, addresses);
            put(out, channel, &frame::Paths { round, role: role.number(), key, addresses });
        }
        Event::RelayClosed { why } => {
            let (code, text) = match why {
                RelayEnd::Done => (ClosedCode::Done, "the peer closed the relay"),
                RelayEnd::PeerLeft => (ClosedCode::PeerLeft, "the peer is gone"),
                RelayEnd::NoAnswer => (ClosedCode::NoAnswer, "the call was not answered in time"),
                RelayEnd::Cancelled => (ClosedCode::Cancelled, "the caller gave up"),
            };
            put(out, channel, &frame::Closed { code: code.number(), text });
        }
    }
}

pub fn encode_refusal(
    RequestId(request): RequestId,
    channel: ChannelId,
    (code, text): (RefusalCode, &str),
    out: &mut Vec<u8>,
) {
    put(out, channel, &frame::Refused { request, code: code.number(), text });
}

pub fn encode_pong(token: u64, out: &mut Vec<u8>) {
    put(out, ChannelId::NONE, &frame::Pong { token });
}

/// The token means nothing: one question is as good as another, and any sign of life answers it.
pub fn encode_ping(out: &mut Vec<u8>) {
    put(out, ChannelId::NONE, &frame::Ping { token: 0 });
}

pub fn encode_farewell(reason: CloseReason, out: &mut Vec<u8>) {
    let text = reason.to_string();
    put(out, ChannelId::NONE, &frame::Bye { code: reason.bye_code().number(), text: &text });
}

fn put<'a>(out: &mut Vec<u8>, channel: ChannelId, body: &impl Body<'a>) {
    header::put(out, Flags::NONE, channel.0, body);
}

fn saturated(count: impl TryInto<u32>) -> u32 {
    count.try_into().unwrap_or(u32::MAX)
}

fn offer_bits(relays: bool, Offers { conversations, pipes }: Offers) -> u8 {
    let bits = [
        (relays, frame::Offers::RELAYS),
        (conversations, frame::Offers::CONVERSATIONS),
        (pipes, frame::Offers::PIPES),
    ];
    bits.into_iter().filter(|&(offered, _)| offered).fold(0, |bits, (_, bit)| bits | bit)
}

fn address_list<'a>(scratch: &'a mut Vec<u8>, addresses: &[Address]) -> ListEntries<'a, AddressEntry> {
    let entry = |address: &Address| AddressEntry {
        transport: match address.transport {
            Transport::Tcp => wire::Transport::Tcp.number(),
            Transport::Udp => wire::Transport::Udp.number(),
        },
        origin: match address.origin {
            Origin::Declared => wire::Origin::Declared.number(),
            Origin::Observed => wire::Origin::Observed.number(),
        },
        address: address.at,
    };
    ListEntries::encode(scratch, addresses.iter().map(entry))
}

fn code(refusal: Refusal) -> RefusalCode {
    match refusal {
        Refusal::NotLoggedIn => RefusalCode::UnknownRequest,
        Refusal::AlreadyLoggedIn => RefusalCode::AlreadyLoggedIn,
        Refusal::BadName(_) => RefusalCode::BadName,
        Refusal::NameTaken => RefusalCode::NameTaken,
        Refusal::BadRoomName(_) => RefusalCode::BadRoomName,
        Refusal::BadText(_) => RefusalCode::BadText,
        Refusal::TextTooLong { .. } => RefusalCode::TextTooLong,
        Refusal::NotInRoom => RefusalCode::NotInRoom,
        Refusal::AlreadyInRoom => RefusalCode::AlreadyInRoom,
        Refusal::TooManyRooms { .. } => RefusalCode::TooManyRooms,
        Refusal::RoomFull { .. } | Refusal::TooManyRoomsOnServer => RefusalCode::RoomFull,
        Refusal::NoSuchPeer => RefusalCode::NoSuchPeer,
        Refusal::Yourself => RefusalCode::Yourself,
        Refusal::NoSuchRelay => RefusalCode::NoSuchRelay,
        Refusal::TakesNoRelays => RefusalCode::TakesNoRelays,
        Refusal::TooManyRelays { .. } | Refusal::PeerHasTooManyRelays | Refusal::TooManyRelaysOnServer => {
            RefusalCode::TooManyRelays
        }
        Refusal::NoAnswer => RefusalCode::NoAnswer,
        Refusal::Cancelled => RefusalCode::Cancelled,
        Refusal::PeerLeft => RefusalCode::PeerLeft,
        Refusal::TooManyAddresses { .. } => RefusalCode::TooManyAddresses,
        Refusal::BadAddress { .. } => RefusalCode::BadAddress,
        Refusal::TooManyRounds { .. } => RefusalCode::TooManyRounds,
    }
}
