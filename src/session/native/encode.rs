//! The hub's effects as frames.

use super::codes::{account_code, affiliation_code, bits, flag_bits, grant_bits, refusal_code, wish_code};
use super::history;
use super::manage::{put_change, put_masks, put_members, put_settings, put_wishes};
use super::{Native, operators};
use crate::hub::{
    Address, ChannelId, Departure, Event, Form, Offers, Origin, PathKey, PathRole, Person, Purpose, Refusal,
    RelayEnd, Reply, RequestId, RoomName, Standing, Transport, UserName, Words,
};
use crate::session::{About, CloseReason};
use crate::wire::frame::{self, AddressEntry, Body, ListEntries, OccupantEntry, RoomEntry, put_list};
use crate::wire::{self, ClosedCode, Flags, Kind, LeftCode, RefusalCode, header};
use std::fmt::Display;

impl Native {
    pub fn encode_reply(&self, request: RequestId, channel: ChannelId, reply: &Reply<'_>, out: &mut Vec<u8>) {
        let RequestId(request) = request;
        match *reply {
            // Told without having been asked for: another client of the same user did that.
            Reply::Renamed { from, to } if request == RequestId::NONE.0 => {
                put(out, ChannelId::NONE, &frame::Renamed { who: from.shown(), to: to.shown() });
            }
            Reply::Marks { .. } if request == RequestId::NONE.0 => {}
            // What these say more is of no use to whoever said what they wanted in a frame of its own.
            Reply::Done
            | Reply::Left { .. }
            | Reply::Sent { .. }
            | Reply::SubjectSet { .. }
            | Reply::Renamed { .. }
            | Reply::Marks { .. }
            | Reply::Announced { .. }
            | Reply::Kicked { .. }
            | Reply::Retracted { .. }
            | Reply::Invited { .. }
            | Reply::Destroyed { .. }
            | Reply::RoomRenamed { .. }
            | Reply::NameReserved { .. }
            | Reply::Wished { .. }
            | Reply::Decided { .. }
            | Reply::Banned { .. }
            | Reply::Unbanned { .. }
            | Reply::AccountDropped { .. } => put_done(request, channel, out),
            Reply::Refused(refusal) => put_refusal(request, channel, refusal, out),
            // A frame asks for one change, which was refused or was made.
            Reply::Changed { refused: &[(_, refusal), ..], .. } => {
                put_refusal(request, channel, refusal, out)
            }
            Reply::Changed { .. } => put_done(request, channel, out),
            Reply::LoggedIn { name, text_bytes_max } => {
                let (version, body_max, text_max) = (frame::VERSION, self.body_max, text_bytes_max);
                put(out, channel, &frame::Welcome { request, version, body_max, text_max, name });
            }
            Reply::Account { name, change } => {
                put(out, channel, &frame::Account { request, code: account_code(change).number(), name });
            }
            Reply::Joined { who, known_as, room, occupants, subject, standing, flags, .. } => {
                let subject_millis = subject.map_or(0, |subject| subject.at_millis);
                let (subject_by, subject) = subject.map_or(("", ""), |subject| (subject.by, subject.text));
                let joined = frame::Joined {
                    request,
                    room: room.shown(),
                    occupants: saturated(occupants),
                    flags: flag_bits(flags),
                    affiliation: affiliation_code(standing.affiliation).number(),
                    grants: grant_bits(standing),
                    you: known_as.unwrap_or(who.name).shown(),
                    subject_millis,
                    subject_by,
                    subject,
                };
                put(out, channel, &joined);
            }
            Reply::Rooms { rooms, next } => {
                let more = next.is_some();
                let entries =
                    rooms.iter().map(|r| RoomEntry { name: r.name, occupants: saturated(r.occupants) });
                put_list(out, Kind::RoomList, channel.0, request, self.body_max, entries, more);
            }
            Reply::Occupants { entries, next, .. } => {
                let more = next.is_some();
                let occupants = entries.iter().map(|entry| {
                    let standing = entry.place.map_or(Standing::default(), |place| place.standing);
                    OccupantEntry {
                        name: entry.person.name.shown(),
                        affiliation: affiliation_code(standing.affiliation).number(),
                        grants: grant_bits(standing),
                        real: entry.real.map_or("", UserName::shown),
                    }
                });
                put_list(out, Kind::Occupants, channel.0, request, self.body_max, occupants, more);
            }
            Reply::Settings { flags, occupants_max, password, made_millis, .. } => {
                put_settings(request, channel, (flags, occupants_max, password, made_millis), out);
            }
            Reply::Masks { entries, more, .. } => {
                put_masks(request, channel, self.body_max, (entries, more), out);
            }
            Reply::Members { entries, next, .. } => {
                put_members(request, channel, self.body_max, (entries, next.is_some()), out);
            }
            Reply::Past { entries, more, .. } => {
                history::put_past(request, channel, self.body_max, (entries, more), out);
            }
            Reply::ReadMark { conversation, at_millis } => {
                let at_millis = at_millis.unwrap_or(0);
                put(out, ChannelId::NONE, &frame::ReadMark { request, at_millis, conversation });
            }
            Reply::Wishes { entries, .. } => put_wishes(request, channel, self.body_max, entries, out),
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
            // Answers to what no frame asks.
            Reply::Subject { .. }
            | Reply::Invitations { .. }
            | Reply::Users { .. }
            | Reply::Look(_)
            | Reply::Was { .. }
            | Reply::Here { .. }
            | Reply::Counts(_)
            | Reply::Watched { .. }
            | Reply::Spoken { .. }
            | Reply::KnownAccount { .. }
            | Reply::ScramKeys { .. } => {}
            Reply::Bans { entries, next } => {
                operators::put_bans(request, self.body_max, (entries, next.is_some()), out);
            }
            Reply::Sessions { entries, next } => {
                operators::put_sessions(request, self.body_max, (entries, next.is_some()), out);
            }
            Reply::Accounts { entries, next } => {
                operators::put_accounts(request, self.body_max, (entries, next.is_some()), out);
            }
            Reply::Status { figures } => operators::put_status(request, self.body_max, figures, out),
            Reply::Declined { text } => {
                let text = if text.is_empty() { "the peer declined" } else { text };
                put(out, channel, &frame::Refused { request, code: RefusalCode::Declined.number(), text });
            }
        }
    }
}

pub fn encode_event(about: About<'_>, event: &Event<'_>, out: &mut Vec<u8>) {
    let channel = about.channel;
    match *event {
        Event::Said { by, words, .. } | Event::Told { from: by, words, .. } => {
            let is_private = matches!(event, Event::Told { .. });
            put_words(channel, is_private, by, words, out);
        }
        Event::ToldElsewhere { words: Words { form: Form::Tags, .. }, .. } => {}
        Event::ToldElsewhere { to, words, .. } => {
            put(out, ChannelId::NONE, &frame::ToldElsewhere { to: to.shown(), text: words.text });
        }
        Event::Entered { who } => put(out, channel, &frame::Entered { who: who.name.shown() }),
        Event::Left { who, text } => {
            let (who, code) = (who.name.shown(), LeftCode::Left.number());
            put(out, channel, &frame::Left { who, code, text });
        }
        Event::Quit { who, why } => {
            let killed;
            let (code, text) = match why {
                Departure::Quit(text) => (LeftCode::Quit, text),
                Departure::Lost => (LeftCode::Lost, ""),
                Departure::Dropped(text) => (LeftCode::Dropped, text),
                Departure::Killed(why) => {
                    killed = why.to_string();
                    (LeftCode::Dropped, &*killed)
                }
            };
            put(out, channel, &frame::Left { who: who.name.shown(), code: code.number(), text });
        }
        Event::Kicked { by, who, text } => {
            put(
                out,
                channel,
                &frame::Kicked { who: who.shown(), by: by.map_or("", |by| by.name.shown()), text },
            );
        }
        Event::SubjectSet { by, text, id } => {
            put(out, channel, &frame::Subject { at_millis: id.millis(), by: by.name.shown(), text })
        }
        Event::Changed { by, changes } => {
            let by = by.map_or("", |by| by.name.shown());
            changes.iter().for_each(|&change| put_change(channel, by, change, out));
        }
        Event::Invited { by, room } => {
            put(out, ChannelId::NONE, &frame::Invited { by: by.name.shown(), room: room.shown() });
        }
        Event::Renamed { who, to } => {
            put(out, ChannelId::NONE, &frame::Renamed { who: who.name.shown(), to: to.shown() });
        }
        Event::Destroyed { by, text, instead } => {
            put(out, channel, &frame::Destroyed { by: by.name.shown(), instead, text });
        }
        Event::RoomRenamed { by, to, text, .. } => {
            put(out, channel, &frame::RoomRenamed { by: by.name.shown(), to: to.shown(), text });
        }
        Event::Wished { who, wish, text } => {
            put(out, channel, &frame::Wished { who: who.name.shown(), wish: wish_code(wish).number(), text });
        }
        Event::Decided { wish, is_granted } => {
            // Who asked for membership need not be in the room, and knows it by its name.
            let room = about.room.map_or("", RoomName::shown);
            let (wish, is_granted) = (wish_code(wish).number(), is_granted.into());
            put(out, channel, &frame::Decided { wish, is_granted, room });
        }
        Event::Retracted { by, id, text } => {
            history::put_retracted(channel, (id, by.name.shown()), text, out);
        }
        Event::Announced { by, text, to_all: true } => {
            put(out, ChannelId::NONE, &frame::Announced { by: by.name.shown(), text });
        }
        // Of these, frames know nothing; who is killed is told so by bye.
        Event::GuestInvited { .. }
        | Event::AccountChanged { .. }
        | Event::AwayChanged { .. }
        | Event::RealNameChanged { .. }
        | Event::WatchedChanged { .. }
        | Event::Appeared { .. }
        | Event::Vanished { .. }
        | Event::Announced { to_all: false, .. }
        | Event::Killed { .. } => {}
        Event::Offered { from, purpose, payload_max } => {
            let purpose = match purpose {
                Purpose::Conversation => wire::Purpose::Conversation,
                Purpose::Pipe => wire::Purpose::Pipe,
            };
            let from = from.name.shown();
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

/// Tags alone say nothing to those who know none.
fn put_words(channel: ChannelId, is_private: bool, by: Person<'_>, words: Words<'_>, out: &mut Vec<u8>) {
    let (by, text) = (by.name.shown(), words.text);
    match words.form {
        Form::Message if is_private => put(out, channel, &frame::Told { from: by, text }),
        Form::Message => put(out, channel, &frame::Said { by, text }),
        Form::Notice => put(out, channel, &frame::Notice { by, text }),
        Form::Tags => {}
    }
}

/// To those who want to know; some of it is answered always, so that it is in the log.
fn put_done(request: u32, channel: ChannelId, out: &mut Vec<u8>) {
    if request != RequestId::NONE.0 {
        put(out, channel, &frame::Done { request });
    }
}

fn put_refusal(request: u32, channel: ChannelId, refusal: Refusal, out: &mut Vec<u8>) {
    let (code, text) = (refusal_code(refusal), refusal.to_string());
    encode_refusal(RequestId(request), channel, (code, &text), out);
}

pub fn encode_refusal(
    RequestId(request): RequestId,
    channel: ChannelId,
    (code, text): (RefusalCode, &str),
    out: &mut Vec<u8>,
) {
    put(out, channel, &frame::Refused { request, code: code.number(), text });
}

/// What is the server's to say.
pub fn encode_notice(server: &str, text: &str, out: &mut Vec<u8>) {
    put(out, ChannelId::NONE, &frame::Notice { by: server, text });
}

pub fn encode_pong(token: u64, out: &mut Vec<u8>) {
    put(out, ChannelId::NONE, &frame::Pong { token });
}

/// The token means nothing: one question is as good as another, and any sign of life answers it.
pub fn encode_ping(out: &mut Vec<u8>) {
    put(out, ChannelId::NONE, &frame::Ping { token: 0 });
}

pub fn encode_farewell(reason: CloseReason, words: &dyn Display, out: &mut Vec<u8>) {
    let text = words.to_string();
    put(out, ChannelId::NONE, &frame::Bye { code: reason.bye_code().number(), text: &text });
}

pub(super) fn put<'a>(out: &mut Vec<u8>, channel: ChannelId, body: &impl Body<'a>) {
    header::put(out, Flags::NONE, channel.0, body);
}

pub(super) fn saturated(count: impl TryInto<u32>) -> u32 {
    count.try_into().unwrap_or(u32::MAX)
}

fn offer_bits(relays: bool, Offers { conversations, pipes }: Offers) -> u8 {
    bits(relays, frame::Offers::RELAYS)
        | bits(conversations, frame::Offers::CONVERSATIONS)
        | bits(pipes, frame::Offers::PIPES)
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
