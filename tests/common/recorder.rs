//! Takes the effects of a hub and keeps them, owned and in order, for a test to look at.
#![allow(dead_code)] // each test file uses its part

use std::collections::HashMap;
use std::time::{Duration, Instant};
use switchboard::hub::record::{PastRecord, Record, ScramKeys};
use switchboard::hub::{
    AccountChange, Address, ChannelId, Counts, Departure, Effect, Effects, Entry, Event, Flags, Form, Host,
    KnownPassword, Marks, MemberView, Moment, Network, Observed, PastBytes, PathKey, PathRole, Person, Proof,
    Refusal, RelayEnd, Reply, Role, RoomChange, SessionId, Trait, Words,
};

#[derive(Clone, PartialEq, Debug)]
pub enum Recorded {
    Reply {
        to: SessionId,
        request: u32,
        channel: ChannelId,
        answer: Answered,
    },
    Send {
        to: SessionId,
        cause: SessionId,
        channel: ChannelId,
        event: Happened,
    },
    Publish {
        channel: ChannelId,
        cause: SessionId,
        event: Happened,
    },
    Subscribe {
        channel: ChannelId,
        session: SessionId,
    },
    Unsubscribe {
        channel: ChannelId,
        session: SessionId,
    },
    Neighbours {
        cause: SessionId,
        channels: Vec<ChannelId>,
        event: Happened,
    },
    /// Who does not hear what comes next, besides its cause.
    Except(Vec<SessionId>),
    HangUp {
        session: SessionId,
    },
    ShutOut {
        network: Network,
        text: String,
    },
    /// What is to be done with a password, and the password.
    Prove {
        session: SessionId,
        proof: String,
    },
    /// A password that the hub was told of.
    Guess {
        session: SessionId,
        account: String,
        is_right: bool,
    },
    Store(Record),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Answered {
    Done,
    Refused(Refusal),
    LoggedIn {
        name: String,
    },
    Account {
        name: String,
        change: AccountChange,
    },
    KnownAccount(String, u64),
    ScramKeys(Option<ScramKeys>),
    Joined {
        room: String,
        occupants: usize,
        subject: Option<(String, String)>,
    },
    Rooms(Vec<(String, usize)>, Option<String>),
    Occupants(Vec<String>, Option<String>),
    Peers(Vec<String>, bool),
    Peer {
        name: String,
        relays: bool,
        online_seconds: u64,
        heard_seconds: u64,
        addresses: Vec<Address>,
    },
    Opened {
        peer: String,
        payload_max: u16,
    },
    Declined(String),
    Wishes(Vec<String>),
    /// `account:affiliation`, with a name that is reserved in brackets.
    Members(Vec<String>, Option<String>),
    /// As it shows itself.
    Other(String),
    Renamed {
        from: String,
        to: String,
    },
    Marks(Marks),
    Left,
    Sent {
        to: String,
        away: Option<String>,
    },
    SubjectSet,
    Subject(Option<(String, String)>),
    /// Changes as [`change`] writes them.
    Changed {
        changes: Vec<String>,
        refused: Vec<(usize, Refusal)>,
    },
    Settings {
        flags: Flags,
        occupants_max: Option<u32>,
        password: String,
    },
    Masks(Vec<String>, bool),
    Kicked(String),
    Invited {
        who: String,
        away: Option<String>,
    },
    Invitations(Vec<String>),
    Users(Vec<String>, Option<String>),
    Look {
        name: String,
        username: String,
        realname: String,
        places: Vec<String>,
        idle_seconds: u64,
    },
    Was(Vec<String>),
    Here(Vec<String>),
    Counts(Counts),
    Watched {
        here: Vec<String>,
        gone: Vec<String>,
        full: Vec<String>,
    },
}

#[derive(Clone, PartialEq, Debug)]
pub enum Happened {
    Said {
        by: String,
        text: String,
    },
    ToldElsewhere {
        to: String,
        text: String,
    },
    Entered(String),
    Left {
        who: String,
        how: String,
    },
    SubjectSet {
        by: String,
        text: String,
    },
    Told {
        from: String,
        text: String,
    },
    /// As it shows itself.
    Other(String),
    /// In a room, or to one alone.
    Noticed {
        by: String,
        text: String,
    },
    Tagged {
        by: String,
        tags: String,
    },
    Quit {
        who: String,
        how: String,
    },
    Account {
        who: String,
        account: Option<String>,
    },
    Kicked {
        by: String,
        who: String,
        text: String,
    },
    Changed {
        by: String,
        changes: Vec<String>,
    },
    Invited {
        by: String,
        room: String,
    },
    GuestInvited {
        by: String,
        who: String,
    },
    Renamed {
        from: String,
        to: String,
    },
    Away {
        who: String,
        text: Option<String>,
    },
    RealName {
        who: String,
        realname: String,
    },
    WatchedChanged(String, Trait),
    Appeared(String),
    Vanished(String),
    Announced {
        by: String,
        text: String,
    },
    Killed {
        by: String,
        text: String,
    },
    Offered {
        from: String,
        payload_max: u16,
    },
    Ringing {
        request: u32,
    },
    RelayClosed(RelayEnd),
    Paths {
        round: u8,
        role: PathRole,
        key: PathKey,
        addresses: Vec<Address>,
    },
}

#[derive(Default)]
pub struct Recorder(pub Vec<Recorded>, pub World);

/// What the hub can ask its surroundings.
#[derive(Default)]
pub struct World {
    pub observed: HashMap<SessionId, Observed>,
    /// Nothing can be written down.
    pub cannot_store: bool,
    /// What happens in rooms that last is recorded as well.
    pub keeps_past: bool,
    keys: u8,
    /// How long whoever guesses has to wait.
    pub guess_wait: Option<Duration>,
}

impl Recorder {
    pub fn take(&mut self) -> Vec<Recorded> {
        std::mem::take(&mut self.0)
    }
}

impl Effects for Recorder {
    fn emit(&mut self, effect: Effect<'_>) {
        if let Effect::PublishToNeighbours { except: except @ [_, ..], .. } = effect {
            self.0.push(Recorded::Except(except.to_vec()));
        }
        self.0.push(match effect {
            Effect::Reply { to, request, channel, reply, .. } => {
                Recorded::Reply { to, request: request.0, channel, answer: answered(reply) }
            }
            Effect::Send { to, cause, channel, event, .. } => {
                Recorded::Send { to, cause, channel, event: happened(event) }
            }
            Effect::Publish { channel, cause, event, .. } => {
                Recorded::Publish { channel, cause, event: happened(event) }
            }
            Effect::Subscribe { channel, session } => Recorded::Subscribe { channel, session },
            Effect::Unsubscribe { channel, session } => Recorded::Unsubscribe { channel, session },
            Effect::PublishToNeighbours { cause, channels, event, .. } => {
                Recorded::Neighbours { cause, channels: channels.to_vec(), event: happened(event) }
            }
            Effect::HangUp { session, .. } => Recorded::HangUp { session },
            Effect::ShutOut { network, text } => Recorded::ShutOut { network, text: text.into() },
        });
    }

    fn observed(&self, session: SessionId) -> Option<Observed> {
        self.1.observed.get(&session).copied()
    }

    /// A host of its own for each session, all in one network.
    fn host(&self, session: SessionId) -> Host {
        let SessionId(number) = session;
        Host { address: [number as u8; 5], network: [0; 5], wider: [0; 5] }
    }

    fn prove(&mut self, session: SessionId, proof: Proof<'_>) {
        let proof = match proof {
            Proof::Check { account, hash, password } => {
                format!("check {account} {} {password}", hash.unwrap_or("-"))
            }
            Proof::Make { password } => format!("make {password}"),
            Proof::Change { account, hash, old, new } => format!("change {account} {hash} {old} {new}"),
        };
        self.0.push(Recorded::Prove { session, proof });
    }

    fn guess_wait(&self, _: SessionId, _: &str) -> Option<Duration> {
        self.1.guess_wait
    }

    fn note_guess(&mut self, session: SessionId, account: &str, is_right: bool) {
        self.0.push(Recorded::Guess { session, account: account.to_owned(), is_right });
    }

    fn can_store(&self) -> bool {
        !self.1.cannot_store
    }

    fn store(&mut self, record: Record) {
        self.0.push(Recorded::Store(record));
    }

    fn store_past(&mut self, PastBytes { room, is_said, id, bytes }: PastBytes<'_>) {
        if self.1.keeps_past {
            let bytes = bytes.to_vec();
            self.0.push(Recorded::Store(Record::Past(PastRecord {
                room,
                is_said,
                first: id,
                last: id,
                count: 1,
                bytes,
            })));
        }
    }

    /// A checksum (FNV-1a), which is as good where nobody looks for what is behind it.
    fn digest(&self, what: &[u8]) -> [u8; 5] {
        let hash = what.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        let [a, b, c, d, e, ..] = hash.to_le_bytes();
        [a, b, c, d, e]
    }

    fn fresh_key(&mut self) -> PathKey {
        self.1.keys += 1;
        PathKey([self.1.keys; 32])
    }
}

/// Both clocks, of which the one on the wall stands still.
pub fn moment(monotonic: Instant) -> Moment {
    Moment { monotonic, unix_millis: 1_700_000_000_000 }
}

fn names_of(entries: &[Entry<'_>]) -> Vec<String> {
    entries.iter().map(|entry| entry.person.name.shown().into()).collect()
}

/// A name with the sign of its standing, as IRC has it.
fn placed(entry: &Entry<'_>) -> String {
    let standing = entry.place.map(|place| place.standing).unwrap_or_default();
    let sign = match standing.granted() {
        Some(Role::Moderator) => "@",
        Some(_) => "+",
        None => "",
    };
    format!("{sign}{}", entry.person.name)
}

fn member(view: &MemberView<'_>) -> String {
    let reserved = view.member.reserved.as_ref().map_or_else(String::new, |name| format!("({name})"));
    format!("{}:{:?}{reserved}", view.account, view.member.affiliation)
}

/// A change in short.
fn change(change: &RoomChange<'_>) -> String {
    let sign = |on| if on { '+' } else { '-' };
    match *change {
        RoomChange::Flag { flag, on } => format!("{}{flag:?}", sign(on)),
        RoomChange::Password(password) => format!("{}Password {password:?}", sign(password.is_some())),
        RoomChange::OccupantsMax(max) => format!("{}OccupantsMax {max:?}", sign(max.is_some())),
        RoomChange::Grant { role, to } => format!("+{role:?} {to}"),
        RoomChange::Revoke { role, from } => format!("-{role:?} {from}"),
        RoomChange::AddMask { list, mask, .. } => format!("+{list:?} {mask}"),
        RoomChange::RemoveMask { list, mask } => format!("-{list:?} {mask}"),
        RoomChange::Affiliate { affiliation, whom, .. } => format!("{affiliation:?} {whom}"),
        RoomChange::Unaffiliate { affiliation, whom } => format!("not {affiliation:?} {whom}"),
        RoomChange::Stands { whom, after, .. } => {
            let sign = |is: bool, sign| if is { sign } else { "" };
            let (moderates, speaks) = (sign(after.is_moderator, "@"), sign(after.is_voiced, "+"));
            format!("{whom} is {:?}{moderates}{speaks}", after.affiliation)
        }
        RoomChange::Preset(preset) => format!("{preset:?}"),
    }
}

fn said(by: &str, words: Words<'_>, is_private: bool) -> Happened {
    let (by, text) = (by.to_owned(), words.text.to_owned());
    match words.form {
        Form::Message if is_private => Happened::Told { from: by, text },
        Form::Message => Happened::Said { by, text },
        Form::Notice => Happened::Noticed { by, text },
        Form::Tags => Happened::Tagged { by, tags: words.tags.to_owned() },
    }
}

fn answered(reply: Reply<'_>) -> Answered {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    match reply {
        Reply::Done | Reply::Announced { .. } => Answered::Done,
        Reply::Account { name, change } => Answered::Account { name: name.into(), change },
        Reply::KnownAccount { name, made_millis } => Answered::KnownAccount(name.to_owned(), made_millis),
        Reply::ScramKeys { keys, .. } => Answered::ScramKeys(keys.cloned()),
        Reply::Refused(refusal) => Answered::Refused(refusal),
        Reply::LoggedIn { name, .. } => Answered::LoggedIn { name: name.into() },
        Reply::Joined { room, occupants, subject, .. } => Answered::Joined {
            room: room.shown().into(),
            occupants,
            subject: subject.map(|subject| (subject.by.into(), subject.text.into())),
        },
        Reply::Rooms { rooms, next } => {
            let rooms = rooms.iter().map(|room| (room.name.to_owned(), room.occupants)).collect();
            Answered::Rooms(rooms, next.map(Into::into))
        }
        Reply::Occupants { entries, next, .. } => {
            Answered::Occupants(entries.iter().map(placed).collect(), next.map(Into::into))
        }
        Reply::Peers { names, more } => Answered::Peers(owned(names), more),
        Reply::Peer { name, relays, online_seconds, heard_seconds, addresses, .. } => {
            let (name, addresses) = (name.into(), addresses.to_vec());
            Answered::Peer { name, relays, online_seconds, heard_seconds, addresses }
        }
        Reply::Opened { peer, payload_max } => Answered::Opened { peer: peer.into(), payload_max },
        Reply::Declined { text } => Answered::Declined(text.into()),
        Reply::Renamed { from, to } => Answered::Renamed { from: from.shown().into(), to: to.shown().into() },
        Reply::Marks { now, .. } => Answered::Marks(now),
        Reply::Left { .. } => Answered::Left,
        Reply::Sent { to, away, .. } => Answered::Sent { to: to.into(), away: away.map(Into::into) },
        Reply::SubjectSet { .. } => Answered::SubjectSet,
        Reply::Destroyed { .. }
        | Reply::RoomRenamed { .. }
        | Reply::NameReserved { .. }
        | Reply::Wished { .. }
        | Reply::Decided { .. }
        | Reply::Past { .. }
        | Reply::Retracted { .. }
        | Reply::ReadMark { .. }
        | Reply::Spoken { .. }
        | Reply::Bans { .. }
        | Reply::Sessions { .. }
        | Reply::Accounts { .. }
        | Reply::Banned { .. }
        | Reply::Unbanned { .. }
        | Reply::AccountDropped { .. }
        | Reply::Status { .. } => Answered::Other(format!("{reply:?}")),
        Reply::Wishes { entries, .. } => Answered::Wishes(
            entries.iter().map(|wish| format!("{} {:?}: {}", wish.who, wish.wish, wish.text)).collect(),
        ),
        Reply::Members { entries, next, .. } => {
            Answered::Members(entries.iter().map(member).collect(), next.map(Into::into))
        }
        Reply::Subject { subject, .. } => {
            Answered::Subject(subject.map(|subject| (subject.by.into(), subject.text.into())))
        }
        Reply::Changed { changes, refused, .. } => {
            Answered::Changed { changes: changes.iter().map(change).collect(), refused: refused.to_vec() }
        }
        Reply::Settings { flags, occupants_max, password, .. } => {
            let password = match password {
                KnownPassword::None => "",
                KnownPassword::Secret => "?",
                KnownPassword::Shown(password) => password,
            };
            Answered::Settings { flags, occupants_max, password: password.into() }
        }
        Reply::Masks { entries, more, .. } => {
            let entries = entries.iter().map(|entry| format!("{} by {}", entry.mask, entry.by));
            Answered::Masks(entries.collect(), more)
        }
        Reply::Kicked { who, .. } => Answered::Kicked(who.shown().into()),
        Reply::Invited { who, away, .. } => {
            Answered::Invited { who: who.shown().into(), away: away.map(Into::into) }
        }
        Reply::Invitations { rooms } => {
            Answered::Invitations(rooms.iter().map(|room| room.shown().into()).collect())
        }
        Reply::Users { entries, next } => Answered::Users(names_of(entries), next.map(Into::into)),
        Reply::Look(look) => Answered::Look {
            name: look.person.name.shown().into(),
            username: look.person.username().into(),
            realname: look.person.realname().into(),
            places: look.places.iter().map(|place| place.room.shown().into()).collect(),
            idle_seconds: look.seen.map_or(0, |seen| seen.idle_seconds),
        },
        Reply::Was { entries } => {
            Answered::Was(entries.iter().map(|entry| entry.name.shown().into()).collect())
        }
        Reply::Here { entries } => Answered::Here(names_of(entries)),
        Reply::Counts(counts) => Answered::Counts(counts),
        Reply::Watched { here, gone, full } => {
            Answered::Watched { here: names_of(here), gone: owned(gone), full: owned(full) }
        }
    }
}

/// Who did something; empty where nobody did.
fn name_of(by: Option<Person<'_>>) -> String {
    by.map_or_else(String::new, |by| by.name.shown().into())
}

fn happened(event: Event<'_>) -> Happened {
    match event {
        Event::Said { by, words, .. } => said(by.name.shown(), words, false),
        Event::Told { from, words, .. } => said(from.name.shown(), words, true),
        Event::ToldElsewhere { to, words, .. } => {
            Happened::ToldElsewhere { to: to.shown().into(), text: words.text.into() }
        }
        Event::Entered { who } => Happened::Entered(who.name.shown().into()),
        Event::Left { who, text } => {
            let how = if text.is_empty() { "left".to_owned() } else { format!("left: {text}") };
            Happened::Left { who: who.name.shown().into(), how }
        }
        Event::Quit { who, why } => {
            let how = match why {
                Departure::Quit(text) => format!("quit: {text}"),
                Departure::Lost => "lost".to_owned(),
                Departure::Dropped(text) => format!("dropped: {text}"),
                Departure::Killed(why) => why.to_string(),
            };
            Happened::Quit { who: who.name.shown().into(), how }
        }
        Event::Kicked { by, who, text } => {
            let (by, who) = (name_of(by), who.shown().into());
            Happened::Kicked { by, who, text: text.into() }
        }
        Event::Destroyed { .. }
        | Event::RoomRenamed { .. }
        | Event::Wished { .. }
        | Event::Decided { .. }
        | Event::Retracted { .. } => Happened::Other(format!("{event:?}")),
        Event::SubjectSet { by, text, .. } => {
            Happened::SubjectSet { by: by.name.shown().into(), text: text.into() }
        }
        Event::Changed { by, changes } => {
            Happened::Changed { by: name_of(by), changes: changes.iter().map(change).collect() }
        }
        Event::Invited { by, room } => {
            Happened::Invited { by: by.name.shown().into(), room: room.shown().into() }
        }
        Event::GuestInvited { by, who } => {
            Happened::GuestInvited { by: by.name.shown().into(), who: who.shown().into() }
        }
        Event::Renamed { who, to } => {
            Happened::Renamed { from: who.name.shown().into(), to: to.shown().into() }
        }
        Event::AccountChanged { who } => {
            Happened::Account { who: who.name.shown().into(), account: who.account.map(Into::into) }
        }
        Event::AwayChanged { who } => {
            Happened::Away { who: who.name.shown().into(), text: who.away().map(Into::into) }
        }
        Event::RealNameChanged { who } => {
            Happened::RealName { who: who.name.shown().into(), realname: who.realname().into() }
        }
        Event::WatchedChanged { who, what } => Happened::WatchedChanged(who.name.shown().into(), what),
        Event::Appeared { who } => Happened::Appeared(who.name.shown().into()),
        Event::Vanished { name } => Happened::Vanished(name.shown().into()),
        Event::Announced { by, text, .. } => {
            Happened::Announced { by: by.name.shown().into(), text: text.into() }
        }
        Event::Killed { by, text } => Happened::Killed { by: by.name.shown().into(), text: text.into() },
        Event::Offered { from, payload_max, .. } => {
            Happened::Offered { from: from.name.shown().into(), payload_max }
        }
        Event::Ringing { request } => Happened::Ringing { request: request.0 },
        Event::RelayClosed { why } => Happened::RelayClosed(why),
        Event::Paths { round, role, key, addresses } => {
            Happened::Paths { round, role, key, addresses: addresses.to_vec() }
        }
    }
}
