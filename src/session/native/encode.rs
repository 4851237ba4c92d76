//! The hub's effects as frames.

use super::Native;
use crate::hub::{
    AccountChange, Address, Affiliation, ChannelId, Departure, Event, Flag, Form, MaskList, Offers, Origin,
    PathKey, PathRole, Person, Purpose, Refusal, RelayEnd, Reply, RequestId, Role, RoomChange, Transport,
    Words,
};
use crate::session::CloseReason;
use crate::wire::frame::{self, AddressEntry, Body, ListEntries, RoomEntry, put_list};
use crate::wire::{self, AccountCode, ChangeCode, ClosedCode, Flags, Kind, LeftCode, RefusalCode, header};
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
            | Reply::Invited { .. }
            | Reply::Changed { .. } => put(out, channel, &frame::Done { request }),
            Reply::Refused(refusal) => {
                let text = refusal.to_string();
                put(out, channel, &frame::Refused { request, code: code(refusal).number(), text: &text });
            }
            Reply::LoggedIn { name, text_bytes_max } => {
                let (version, body_max, text_max) = (frame::VERSION, self.body_max, text_bytes_max);
                put(out, channel, &frame::Welcome { request, version, body_max, text_max, name });
            }
            Reply::Account { name, change } => {
                put(out, channel, &frame::Account { request, code: account_code(change).number(), name });
            }
            Reply::Joined { room, occupants, subject, .. } => {
                let (subject_by, subject) = subject.map_or(("", ""), |subject| (subject.by, subject.text));
                let (room, occupants) = (room.shown(), saturated(occupants));
                put(out, channel, &frame::Joined { request, room, occupants, subject_by, subject });
            }
            Reply::Rooms { rooms, next } => {
                let more = next.is_some();
                let entries =
                    rooms.iter().map(|r| RoomEntry { name: r.name, occupants: saturated(r.occupants) });
                put_list(out, Kind::RoomList, channel.0, request, self.body_max, entries, more);
            }
            Reply::Occupants { entries, next, .. } => {
                let more = next.is_some();
                let names = entries.iter().map(|entry| entry.person.name.shown());
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
            // Answers to what no frame asks.
            Reply::Subject { .. }
            | Reply::Settings { .. }
            | Reply::Masks { .. }
            | Reply::Invitations { .. }
            | Reply::Users { .. }
            | Reply::Look(_)
            | Reply::Was { .. }
            | Reply::Here { .. }
            | Reply::Counts(_)
            | Reply::Watched { .. }
            | Reply::Destroyed { .. }
            | Reply::RoomRenamed { .. }
            | Reply::NameReserved { .. }
            | Reply::Wished { .. }
            | Reply::Decided { .. }
            | Reply::Wishes { .. }
            | Reply::Members { .. }
            | Reply::Past { .. }
            | Reply::Retracted { .. }
            | Reply::ReadMark { .. }
            | Reply::Spoken { .. }
            | Reply::Bans { .. }
            | Reply::Sessions { .. }
            | Reply::Accounts { .. }
            | Reply::KnownAccount { .. }
            | Reply::ScramKeys { .. } => {}
            Reply::Declined { text } => {
                let text = if text.is_empty() { "the peer declined" } else { text };
                put(out, channel, &frame::Refused { request, code: RefusalCode::Declined.number(), text });
            }
        }
    }
}

pub fn encode_event(channel: ChannelId, event: &Event<'_>, out: &mut Vec<u8>) {
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
            put(out, channel, &frame::Kicked { who: who.shown(), by: by.name.shown(), text });
        }
        Event::SubjectSet { by, text } => put(out, channel, &frame::Subject { by: by.name.shown(), text }),
        Event::Changed { by, changes } => {
            changes.iter().for_each(|change| put_change(channel, by.name.shown(), *change, out));
        }
        Event::Invited { by, room } => {
            put(out, ChannelId::NONE, &frame::Invited { by: by.name.shown(), room: room.shown() });
        }
        Event::Renamed { who, to } => {
            put(out, ChannelId::NONE, &frame::Renamed { who: who.name.shown(), to: to.shown() });
        }
        Event::Destroyed { .. }
        | Event::RoomRenamed { .. }
        | Event::Wished { .. }
        | Event::Decided { .. }
        | Event::Retracted { .. } => {}
        // Of these, frames know nothing; who is killed is told so by bye.
        Event::GuestInvited { .. }
        | Event::AccountChanged { .. }
        | Event::AwayChanged { .. }
        | Event::RealNameChanged { .. }
        | Event::WatchedChanged { .. }
        | Event::Appeared { .. }
        | Event::Vanished { .. }
        | Event::Announced { .. }
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

fn put_change(channel: ChannelId, by: &str, change: RoomChange<'_>, out: &mut Vec<u8>) {
    let digits;
    let (change, on, value) = match change {
        RoomChange::Flag { flag, on } => (flag_code(flag), on, ""),
        RoomChange::Password(password) => {
            (ChangeCode::Password, password.is_some(), password.unwrap_or_default())
        }
        RoomChange::OccupantsMax(None) => (ChangeCode::OccupantsMax, false, ""),
        RoomChange::OccupantsMax(Some(occupants_max)) => {
            digits = occupants_max.to_string();
            (ChangeCode::OccupantsMax, true, &*digits)
        }
        RoomChange::Grant { role, to } => (role_code(role), true, to),
        RoomChange::Revoke { role, from } => (role_code(role), false, from),
        RoomChange::AddMask { list, mask, .. } => (list_code(list), true, mask),
        RoomChange::RemoveMask { list, mask } => (list_code(list), false, mask),
        RoomChange::Affiliate { affiliation, whom, .. } => (affiliation_code(affiliation), true, whom),
        // Told as that somebody is nothing to the room; and what follows from a change, its frame says.
        RoomChange::Unaffiliate { whom, .. } => (ChangeCode::Unaffiliated, true, whom),
        RoomChange::Stands { .. } | RoomChange::Preset(_) => return,
    };
    put(out, channel, &frame::Changed { by, change: change.number(), on: on.into(), value });
}

fn flag_code(flag: Flag) -> ChangeCode {
    match flag {
        Flag::Hidden => ChangeCode::Hidden,
        Flag::MembersOnly => ChangeCode::MembersOnly,
        Flag::Moderated => ChangeCode::Moderated,
        Flag::ClosedToOutsiders => ChangeCode::ClosedToOutsiders,
        Flag::SubjectLocked => ChangeCode::SubjectLocked,
        Flag::NoControlMessages => ChangeCode::NoControlMessages,
        Flag::Persistent => ChangeCode::Persistent,
        Flag::SemiAnonymous => ChangeCode::SemiAnonymous,
        Flag::NoHistory => ChangeCode::NoHistory,
        Flag::VisitorsPassive => ChangeCode::VisitorsPassive,
        Flag::ModeratorsInvite => ChangeCode::ModeratorsInvite,
        Flag::SubjectOpen => ChangeCode::SubjectOpen,
    }
}

fn role_code(role: Role) -> ChangeCode {
    match role {
        Role::Moderator => ChangeCode::Moderator,
        Role::Participant | Role::Visitor => ChangeCode::Voice,
    }
}

fn affiliation_code(affiliation: Affiliation) -> ChangeCode {
    match affiliation {
        Affiliation::Outcast => ChangeCode::Outcast,
        Affiliation::None => ChangeCode::Unaffiliated,
        Affiliation::Member => ChangeCode::Member,
        Affiliation::Admin => ChangeCode::Admin,
        Affiliation::Owner => ChangeCode::Owner,
    }
}

fn list_code(list: MaskList) -> ChangeCode {
    match list {
        MaskList::Bans => ChangeCode::Ban,
        MaskList::BanExceptions => ChangeCode::BanException,
        MaskList::InviteExceptions => ChangeCode::InviteException,
        MaskList::Mutes => ChangeCode::Mute,
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

fn account_code(change: AccountChange) -> AccountCode {
    match change {
        AccountChange::Registered => AccountCode::Registered,
        AccountChange::Identified => AccountCode::Identified,
        AccountChange::LoggedOut => AccountCode::LoggedOut,
        AccountChange::PasswordChanged => AccountCode::PasswordChanged,
        AccountChange::Deleted => AccountCode::Deleted,
    }
}

fn code(refusal: Refusal) -> RefusalCode {
    match refusal {
        Refusal::NotLoggedIn => RefusalCode::UnknownRequest,
        Refusal::AlreadyLoggedIn => RefusalCode::AlreadyLoggedIn,
        Refusal::BadName(_) => RefusalCode::BadName,
        Refusal::NameTaken | Refusal::NameIsYours => RefusalCode::NameTaken,
        Refusal::TooManySeats { .. } => RefusalCode::LimitReached,
        Refusal::NameReserved => RefusalCode::NameReserved,
        Refusal::RegistrationClosed => RefusalCode::RegistrationClosed,
        Refusal::AccountExists => RefusalCode::AccountExists,
        Refusal::TooManyAccounts { .. } => RefusalCode::LimitReached,
        Refusal::BadAccountPassword { .. } => RefusalCode::BadPassword,
        Refusal::AlreadyIdentified => RefusalCode::AlreadyIdentified,
        Refusal::NotIdentified => RefusalCode::NotIdentified,
        Refusal::WrongPassword => RefusalCode::WrongPassword,
        Refusal::TryLater { .. } | Refusal::TooManyRegistrations { .. } => RefusalCode::TryLater,
        Refusal::StillProving | Refusal::CannotProve => RefusalCode::Unavailable,
        Refusal::BadRoomName(_) => RefusalCode::BadRoomName,
        Refusal::BadText(_) => RefusalCode::BadText,
        Refusal::TextTooLong { .. } => RefusalCode::TextTooLong,
        Refusal::NotInRoom | Refusal::NoSuchRoom => RefusalCode::NotInRoom,
        Refusal::AlreadyInRoom | Refusal::PeerAlreadyInRoom => RefusalCode::AlreadyInRoom,
        Refusal::Banned => RefusalCode::Banned,
        Refusal::MembersOnly => RefusalCode::MembersOnly,
        Refusal::BadPassword => RefusalCode::BadPassword,
        Refusal::NoVoice | Refusal::Silenced | Refusal::ClosedToOutsiders | Refusal::NoControlMessages => {
            RefusalCode::NoVoice
        }
        Refusal::NotModerator
        | Refusal::OutOfReach
        | Refusal::BadRole
        | Refusal::BannedFromRenaming
        | Refusal::NotOperator => RefusalCode::NotAllowed,
        Refusal::BadMask | Refusal::BadRoomPassword | Refusal::BadOccupantsMax => RefusalCode::BadText,
        Refusal::NotAdmin
        | Refusal::NotOwner
        | Refusal::LastOwner
        | Refusal::NeedsOwner
        | Refusal::OthersAreThere
        | Refusal::NotYours => RefusalCode::NotAllowed,
        Refusal::NoSuchAccount => RefusalCode::NoSuchPeer,
        Refusal::NameReservedThere => RefusalCode::NameReserved,
        Refusal::RoomExists => RefusalCode::NameTaken,
        Refusal::NotToYourself => RefusalCode::Yourself,
        Refusal::NothingWished
        | Refusal::AlreadyWished
        | Refusal::NoHistory
        | Refusal::NoSuchMessage
        | Refusal::NoSuchBan => RefusalCode::NotThere,
        Refusal::BadSearch | Refusal::BadBan => RefusalCode::BadText,
        Refusal::NotSaved => RefusalCode::Unavailable,
        Refusal::TooManyMembers { .. }
        | Refusal::TooManyWishes
        | Refusal::TooManyBans { .. }
        | Refusal::TooManyMasks { .. }
        | Refusal::NoSpaceForMask
        | Refusal::TooManyChanges { .. }
        | Refusal::NoInvitations => RefusalCode::LimitReached,
        Refusal::TooManyRooms { .. } => RefusalCode::TooManyRooms,
        Refusal::RoomFull { .. } | Refusal::TooManyRoomsOnServer => RefusalCode::RoomFull,
        Refusal::NoSuchPeer | Refusal::PeerNotInRoom => RefusalCode::NoSuchPeer,
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
