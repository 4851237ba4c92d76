//! What follows from a command: meaning and audience, never bytes. Effects borrow from the hub and from the command;
//! whoever takes them turns them into frames on the spot, so that none is ever allocated.

use super::record::{BanRecord, Fetch, Record, ScramKeys, Wish};
use super::view::{AccountView, Census, Figure, MemberView, PastView, SessionView, WishView};
use super::{
    AccountChange, Address, ChannelId, Counts, Ending, Entry, Event, Flags, Formerly, Host, KnownPassword,
    Look, Marks, MaskEntry, MaskList, MessageId, Network, Observed, Offers, PastBytes, PathKey, Person,
    Proof, Refusal, RequestId, Role, RoomChange, RoomName, RoomSummary, SessionId, Standing, SubjectView,
    UserName, Words,
};
use std::time::Duration;

/// The world as the hub sees it: takes effects, in the order in which they happen, and knows what the hub cannot.
pub trait Effects {
    fn emit(&mut self, effect: Effect<'_>);

    /// What the server sees of a session; `None` when it sees nothing any more.
    fn observed(&self, session: SessionId) -> Option<Observed>;

    /// The cloak of where a session comes from.
    fn host(&self, session: SessionId) -> Host;

    /// Has a password looked at, which takes longer than a turn may: [`Hub::proved`](super::Hub::proved) is told what
    /// came of it.
    fn prove(&mut self, session: SessionId, proof: Proof<'_>);

    /// How long a session has to wait until it may give another password for this account, as it is looked up; `None`:
    /// it need not. For passwords that are looked at without [`Effects::prove`].
    fn guess_wait(&self, _session: SessionId, _account: &str) -> Option<Duration> {
        None
    }

    /// A session gave such a password, and this is what it was: the next one waits after a wrong one, where there is
    /// anything to guess.
    fn note_guess(&mut self, _session: SessionId, _account: &str, _is_right: bool) {}

    /// Whether a fact that lasts can be written down now. Where that has no prospect of success, nothing that has to last
    /// should happen. A world without storage promises nothing that it could not keep.
    fn can_store(&self) -> bool {
        true
    }

    /// Has a fact written down that lasts. What the present command is answered with is held back until it is safe. A
    /// world without storage drops it.
    fn store(&mut self, _record: Record) {}

    /// The same for something that happened in a room: it is safe a moment later.
    fn store_past(&mut self, _past: PastBytes<'_>) {}

    /// Has something read that is not in memory: [`Hub::fetched`](super::Hub::fetched) is told what it is, and whoever
    /// wants it waits until then. `false` where nothing can be asked.
    fn fetch(&mut self, _session: SessionId, _what: Fetch) -> bool {
        false
    }

    /// What the server calls an operator whose session this is: the name under which they are in its config.
    fn operator_name(&self, _session: SessionId) -> Option<&str> {
        None
    }

    /// A keyed digest: nothing leads from it to what it is of, and of the same it is the same.
    fn digest(&self, what: &[u8]) -> [u8; 5];

    /// A key that nobody can guess, and that was not given before.
    fn fresh_key(&mut self) -> PathKey;

    /// Everything that the server counts, beside how much the hub has; in an order that stays the same.
    fn figures(&self, _census: &Census) -> Vec<Figure> {
        Vec::new()
    }
}

/// What follows from a command, for the server to carry out.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Effect<'a> {
    /// The answer to a request; or what one of a user's sessions is told of what has become of the user by the doing of
    /// another, which answers [`RequestId::NONE`]. `channel` is the request's, or the one that the reply makes known. `cause` is who
    /// made it happen, which for a call is the one who was called.
    Reply { to: SessionId, cause: SessionId, request: RequestId, channel: ChannelId, reply: Reply<'a> },
    /// For one session; it must not overtake what `cause` did before. `room` where the event is about one.
    Send { to: SessionId, cause: SessionId, channel: ChannelId, room: Option<&'a RoomName>, event: Event<'a> },
    /// For every subscriber of the channel but `cause`, who knows already.
    Publish { channel: ChannelId, room: &'a RoomName, cause: SessionId, event: Event<'a> },
    /// For everybody who is subscribed to one of these channels, each once, and not for `cause` and `except`, who know
    /// already or are gone. A departure from the server is told so; where a dialect has one event per room instead, it goes to
    /// every room.
    PublishToNeighbours {
        cause: SessionId,
        except: &'a [SessionId],
        channels: &'a [ChannelId],
        event: Event<'a>,
    },
    /// From here on the session gets what is published on the channel.
    Subscribe { channel: ChannelId, session: SessionId },
    /// From here on it does not.
    Unsubscribe { channel: ChannelId, session: SessionId },
    /// The hub knows the session no more, whose user has or had this name; its connection is to be closed. `by` is the
    /// session of whoever made it so.
    HangUp { session: SessionId, name: &'a str, by: SessionId, why: Ending<'a> },
    /// Nobody from there is taken any more; connections that are nobody's yet are to be closed. `text` is why, and often
    /// empty.
    ShutOut { network: Network, text: &'a str },
}

/// An answer to the one who asked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Reply<'a> {
    Done,
    Refused(Refusal),
    LoggedIn {
        name: &'a str,
        text_bytes_max: u16,
    },
    /// What has become of an account of this name.
    Account {
        name: &'a str,
        change: AccountChange,
    },
    /// `made_millis`: in milliseconds since 1970.
    KnownAccount {
        name: &'a str,
        made_millis: u64,
    },
    /// `None`: there is no such account, or it has none. `nonce` was not given before.
    ScramKeys {
        keys: Option<&'a ScramKeys>,
        nonce: PathKey,
    },
    Renamed {
        from: &'a UserName,
        to: &'a UserName,
    },
    /// The marks as they are now, and those of before.
    Marks {
        now: Marks,
        before: Marks,
    },
    /// `made`: there was no such room before.
    Joined {
        who: Person<'a>,
        /// What the others there call them, where it is not their name.
        known_as: Option<&'a UserName>,
        room: &'a RoomName,
        occupants: usize,
        subject: Option<SubjectView<'a>>,
        made: bool,
        standing: Standing,
        /// So that the newcomer can be told that others learn who they are, or that what is said is kept (XEP-0045
        /// §7.2.3, §7.2.12).
        flags: Flags,
    },
    Left {
        room: &'a RoomName,
        text: &'a str,
    },
    /// What was said is on its way to `to`, the name of a room or of a user, who may be away.
    Sent {
        id: MessageId,
        to: &'a str,
        words: Words<'a>,
        least: Option<Role>,
        away: Option<&'a str>,
    },
    SubjectSet {
        room: &'a RoomName,
        text: &'a str,
        id: MessageId,
    },
    Subject {
        room: &'a RoomName,
        subject: Option<SubjectView<'a>>,
    },
    /// What took effect, and why the others did not, by their index among those asked for.
    Changed {
        room: &'a RoomName,
        asked: &'a [RoomChange<'a>],
        changes: &'a [RoomChange<'a>],
        refused: &'a [(usize, Refusal)],
    },
    Settings {
        room: &'a RoomName,
        flags: Flags,
        occupants_max: Option<u32>,
        password: KnownPassword<'a>,
        /// When the room was made, in milliseconds since 1970.
        made_millis: u64,
    },
    /// `more`: the list goes on behind the last entry.
    Masks {
        room: &'a RoomName,
        list: MaskList,
        entries: &'a [MaskEntry],
        more: bool,
    },
    /// An operator's words are on their way.
    Announced {
        text: &'a str,
    },
    Kicked {
        room: &'a RoomName,
        who: &'a UserName,
        text: &'a str,
    },
    Invited {
        room: &'a RoomName,
        who: &'a UserName,
        away: Option<&'a str>,
    },
    Invitations {
        rooms: &'a [&'a RoomName],
    },
    Destroyed {
        room: &'a RoomName,
    },
    RoomRenamed {
        /// Whoever asked, where they are in it.
        who: Option<Person<'a>>,
        from: &'a RoomName,
        to: &'a RoomName,
        subject: Option<SubjectView<'a>>,
        text: &'a str,
    },
    /// Empty: none any more.
    NameReserved {
        room: &'a RoomName,
        name: &'a str,
    },
    /// Those will hear of it who can grant it.
    Wished {
        room: &'a RoomName,
        wish: Wish,
    },
    /// Somebody's wish is granted, or is not.
    Decided {
        room: &'a RoomName,
        who: &'a str,
        wish: Wish,
        is_granted: bool,
    },
    Wishes {
        room: &'a RoomName,
        entries: &'a [WishView<'a>],
    },
    /// `next`: the list goes on behind this account.
    Members {
        room: &'a RoomName,
        entries: &'a [MemberView<'a>],
        next: Option<&'a str>,
    },
    /// In the order in which it happened; of a search, the latest first. `more`: there is more of what was asked for,
    /// beyond what one reply has.
    Past {
        room: &'a RoomName,
        entries: &'a [PastView<'a>],
        more: bool,
    },
    Retracted {
        room: &'a RoomName,
        id: MessageId,
        text: &'a str,
    },
    ReadMark {
        conversation: &'a str,
        at_millis: Option<u64>,
    },
    /// Rooms, and when something was said there last.
    Spoken {
        rooms: &'a [(&'a RoomName, u64)],
    },
    /// Nobody from there is taken any more.
    Banned {
        ban: &'a BanRecord,
    },
    /// They are taken again.
    Unbanned {
        pattern: &'a str,
    },
    /// `next`: the list goes on behind this pattern.
    Bans {
        entries: &'a [&'a BanRecord],
        next: Option<&'a str>,
    },
    /// `next`: the list goes on behind this session of whoever has that name.
    Sessions {
        entries: &'a [SessionView<'a>],
        next: Option<(&'a str, SessionId)>,
    },
    Accounts {
        entries: &'a [AccountView<'a>],
        next: Option<&'a str>,
    },
    /// Somebody's account is no more.
    AccountDropped {
        name: &'a str,
    },
    /// What the server counts.
    Status {
        figures: &'a [Figure],
    },
    /// `next`: the list goes on behind this name, which need not be on this page.
    Rooms {
        rooms: &'a [RoomSummary<'a>],
        next: Option<&'a str>,
    },
    /// `next`: the list goes on behind this name, which for those who are in the room is the last on this page.
    Occupants {
        room: &'a RoomName,
        /// Whether the room is found only by those who are in it.
        hidden: bool,
        entries: &'a [Entry<'a>],
        next: Option<&'a str>,
    },
    /// `next`: the list goes on behind this name, which need not be on this page.
    Users {
        entries: &'a [Entry<'a>],
        next: Option<&'a str>,
    },
    Look(Look<'a>),
    Was {
        entries: &'a [&'a Formerly],
    },
    /// Those who are here, in the order in which they were asked for.
    Here {
        entries: &'a [Entry<'a>],
    },
    Counts(Counts),
    /// Of those whom the request was about. `full`: these are more than one may watch.
    Watched {
        here: &'a [Entry<'a>],
        gone: &'a [&'a str],
        full: &'a [&'a str],
    },
    Peers {
        names: &'a [&'a str],
        more: bool,
    },
    Peer {
        name: &'a str,
        /// Whether it takes relays at all.
        relays: bool,
        offers: Offers,
        online_seconds: u64,
        heard_seconds: u64,
        addresses: &'a [Address],
    },
    /// The call was taken. `payload_max` in bytes.
    Opened {
        peer: &'a str,
        payload_max: u16,
    },
    /// The call was not taken; `text` is what the peer said to that, often nothing.
    Declined {
        text: &'a str,
    },
}
