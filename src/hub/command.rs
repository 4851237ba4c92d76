//! What a session can ask of the hub, in whatever dialect it was said.

use super::record::{Span, Wish};
use super::{Address, Affiliation, ChannelId, Marks, MaskList, Offers, Role, RoomChange};
use std::time::Instant;

/// A connection as the hub knows it: a number that is never used for another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// A user as the hub knows them: by the session that they came with, for as long as they are here, even where that
/// session is gone and another one of theirs has stayed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UserKey(pub SessionId);

impl SessionId {
    /// Nobody's: of what happens because its time has come, or because somebody else is known now.
    pub const NONE: SessionId = SessionId(u64::MAX);
}

/// The client's own number for a request, handed back with the reply. 0 when it wants to hear of refusals only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RequestId(pub u32);

impl RequestId {
    pub const NONE: RequestId = RequestId(0);
}

/// When something happens: for what takes its time, and for what people are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    pub monotonic: Instant,
    /// Milliseconds since 1970; may jump either way.
    pub unix_millis: u64,
}

/// What a relay is for. The hub only passes it on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Conversation,
    Pipe,
}

/// A room, as a dialect knows it: by its number, which only occupants have, or by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoomRef<'a> {
    Channel(ChannelId),
    Named(&'a str),
}

/// What kind of thing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Message,
    /// Something that no program may answer.
    Notice,
    /// Tags alone, without a text.
    Tags,
}

/// Something to be said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words<'a> {
    pub form: Form,
    pub text: &'a str,
    /// What clients tell each other beside the text, as the dialect writes it; the hub only passes it on.
    pub tags: &'a str,
}

impl<'a> Words<'a> {
    /// A message without tags.
    pub fn message(text: &'a str) -> Words<'a> {
        Words { form: Form::Message, text, tags: "" }
    }
}

/// A number for each thing that was said or happened: grows with time, over restarts as well. The upper bits are when
/// that was, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct MessageId(pub u64);

impl MessageId {
    /// Things that can happen in one millisecond.
    const COUNTER_BITS: u32 = 20;

    /// The first of a moment, in milliseconds since 1970.
    pub fn at(millis: u64) -> MessageId {
        MessageId(millis << Self::COUNTER_BITS)
    }

    /// The next one, now.
    #[must_use]
    pub fn next(self, now_millis: u64) -> MessageId {
        MessageId((self.0 + 1).max(MessageId::at(now_millis).0))
    }

    /// When that was, in milliseconds since 1970.
    pub fn millis(self) -> u64 {
        self.0 >> Self::COUNTER_BITS
    }
}

/// A part of what happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    Span(Span),
    /// This one, if it is there, and about as many before it as after it.
    Around {
        id: MessageId,
        limit: usize,
        said_only: bool,
    },
}

/// Which rooms a list is to have. All conditions have to hold; by default there are none.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RoomFilter<'a> {
    /// Names that this mask matches.
    pub mask: Option<&'a str>,
    /// Names that it does not match.
    pub not_mask: Option<&'a str>,
    pub occupants_above: Option<u32>,
    pub occupants_below: Option<u32>,
    /// Made later than this, in milliseconds since 1970; likewise the others.
    pub made_after: Option<u64>,
    pub made_before: Option<u64>,
    pub subject_after: Option<u64>,
    pub subject_before: Option<u64>,
}

/// Which users a list is to have.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct UserFilter<'a> {
    /// Matches the name, what the user is called elsewhere, or the host.
    pub mask: Option<&'a str>,
    pub operators_only: bool,
}

/// What a session asks of the hub. Lists go on behind `after`, which need not be on them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command<'a> {
    /// `payload_max`: the longest relay payload the session takes, in bytes; 0 for a dialect without relays.
    /// `username` and `realname` are empty where the dialect does not have them.
    Login {
        name: &'a str,
        payload_max: u16,
        username: &'a str,
        realname: &'a str,
    },
    /// Makes an account of one's name, or of this one, and identifies oneself for it.
    Register {
        name: &'a str,
        password: &'a str,
    },
    /// Says which account one's own is; an empty name is the one that one has.
    Identify {
        name: &'a str,
        password: &'a str,
    },
    /// What the dialect needs to find out by itself whether somebody knows a password.
    ShowScramKeys {
        name: &'a str,
    },
    /// It has found out. Whoever guessed too often is refused all the same.
    TakeProof {
        name: &'a str,
        is_right: bool,
    },
    /// As `Identify`, behind a proof that was taken. `salt`: of the keys that it was held against, which may be others by
    /// now.
    IdentifyProven {
        name: &'a str,
        salt: [u8; 16],
    },
    /// Since when there is an account; an empty name: the asker's.
    ShowAccount {
        name: &'a str,
    },
    /// The session is nobody's any more.
    LogOut,
    ChangePassword {
        old: &'a str,
        new: &'a str,
    },
    DeleteAccount {
        password: &'a str,
    },
    /// Another name for oneself. Only the case of the present one may change, too.
    Rename {
        name: &'a str,
    },
    SetRealName {
        text: &'a str,
    },
    /// `None`: back again.
    SetAway {
        text: Option<&'a str>,
    },
    /// [`Marks::OPERATOR`] can be cleared so, not set. Nothing to set and nothing to clear: which ones are there?
    SetMarks {
        set: Marks,
        clear: Marks,
    },
    /// Whether one may be an operator, the dialect has found out.
    BecomeOperator,
    /// An empty password is none. So many of the latest messages as `past` says are shown before anything else.
    Join {
        room: &'a str,
        password: &'a str,
        past: usize,
    },
    /// `text`: for those who stay; often empty.
    Leave {
        room: RoomRef<'a>,
        text: &'a str,
    },
    /// Every room that one is in.
    LeaveAll {
        text: &'a str,
    },
    /// `least`: only to those who have at least this role by a grant or an affiliation.
    Say {
        room: RoomRef<'a>,
        words: Words<'a>,
        least: Option<Role>,
    },
    /// `even_oneself`: whether the dialect lets one talk to oneself.
    Tell {
        to: &'a str,
        words: Words<'a>,
        even_oneself: bool,
    },
    /// An empty text clears it.
    SetSubject {
        room: RoomRef<'a>,
        text: &'a str,
    },
    ShowSubject {
        room: RoomRef<'a>,
    },
    /// Each one for itself: what cannot be done is refused by its index, the others take effect together.
    Change {
        room: RoomRef<'a>,
        changes: Box<[RoomChange<'a>]>,
    },
    ShowSettings {
        room: RoomRef<'a>,
    },
    /// The entries of a list from this index on.
    ListMasks {
        room: RoomRef<'a>,
        list: MaskList,
        from: usize,
    },
    Kick {
        room: RoomRef<'a>,
        who: &'a str,
        text: &'a str,
    },
    Invite {
        room: RoomRef<'a>,
        who: &'a str,
    },
    /// The rooms that one is invited to.
    ListInvited,
    /// Ends a room. `instead`: the name of a room to go to; often empty.
    Destroy {
        room: RoomRef<'a>,
        text: &'a str,
        instead: &'a str,
    },
    /// Another name for a room.
    RenameRoom {
        room: RoomRef<'a>,
        to: &'a str,
        text: &'a str,
    },
    /// A name that nobody else may have in that room; an empty one is none.
    ReserveName {
        room: RoomRef<'a>,
        name: &'a str,
    },
    /// Asks those for something who can grant it; `text` is for them, and often empty.
    Wish {
        room: RoomRef<'a>,
        wish: Wish,
        text: &'a str,
    },
    /// What becomes of somebody's wish.
    Decide {
        room: RoomRef<'a>,
        who: &'a str,
        wish: Wish,
        grant: bool,
    },
    ListWishes {
        room: RoomRef<'a>,
    },
    /// The accounts that are something to a room, or are this to it, by their names.
    ListMembers {
        room: RoomRef<'a>,
        affiliation: Option<Affiliation>,
        after: &'a str,
    },
    /// What happened in a room.
    ShowPast {
        room: RoomRef<'a>,
        part: Part,
    },
    /// What was said in a room with all of these words in it, the latest first, before this one.
    Search {
        room: RoomRef<'a>,
        words: &'a str,
        before: Option<MessageId>,
        limit: usize,
    },
    /// What was said is no longer to be read.
    Retract {
        room: RoomRef<'a>,
        id: MessageId,
        text: &'a str,
    },
    /// Up to when one has read a conversation with a room or a user.
    ShowReadMark {
        conversation: &'a str,
    },
    /// In milliseconds since 1970; never goes back.
    MarkRead {
        conversation: &'a str,
        at_millis: u64,
    },
    /// In which of one's rooms something was said in that time, in milliseconds since 1970.
    ListSpoken {
        after_millis: u64,
        before_millis: u64,
        limit: usize,
    },
    ListRooms {
        after: &'a str,
        filter: RoomFilter<'a>,
    },
    /// Who is in a room. `in_full`: with hosts and idle times.
    Who {
        room: RoomRef<'a>,
        after: &'a str,
        in_full: bool,
    },
    /// Who is on the server, as far as one may know.
    FindUsers {
        after: &'a str,
        filter: UserFilter<'a>,
    },
    /// Everything about one user.
    Look {
        name: &'a str,
    },
    /// Who had this name, or one that this mask matches, the latest first; at most so many.
    Was {
        name: &'a str,
        entries_max: usize,
    },
    /// Could I have that name? Asked before the login.
    CheckName {
        name: &'a str,
    },
    /// Which of these are here?
    IsHere {
        names: Box<[&'a str]>,
    },
    Count,
    /// From now on tell me when one of these comes or goes.
    Watch {
        names: Box<[&'a str]>,
    },
    Unwatch {
        names: Box<[&'a str]>,
    },
    UnwatchAll,
    /// Which ones do I watch, and which of them are here?
    ListWatched,
    /// An operator, to everybody who wants to hear it, or to all.
    Announce {
        text: &'a str,
        to_all: bool,
    },
    /// An operator ends somebody's session.
    Kill {
        name: &'a str,
        text: &'a str,
    },
    /// An operator keeps an address (`192.0.2.1`) or a network (`192.0.2.0/24`) out. `None`: until it is undone.
    Ban {
        pattern: &'a str,
        text: &'a str,
        seconds: Option<u64>,
    },
    Unban {
        pattern: &'a str,
    },
    /// For operators, in the order of addresses; likewise the next ones.
    ListBans {
        after: &'a str,
    },
    /// Goes on behind this session of somebody's; without one, behind all of theirs.
    ListSessions {
        after: &'a str,
        session: Option<SessionId>,
    },
    ListAccounts {
        after: &'a str,
    },
    /// An operator deletes somebody's account.
    DropAccount {
        name: &'a str,
    },
    /// How much there is of everything, and what the server has done: the figures behind this one.
    ShowStatus {
        after: &'a str,
    },
    /// What the directory says of somebody.
    Lookup {
        name: &'a str,
    },
    ListPeers {
        after: &'a str,
    },
    /// What the directory should say of the user. `shown`: whether others may see the addresses.
    Declare {
        offers: Offers,
        shown: bool,
        addresses: Box<[Address]>,
    },
    Open {
        to: &'a str,
        purpose: Purpose,
    },
    Accept {
        channel: ChannelId,
    },
    Decline {
        channel: ChannelId,
        text: &'a str,
    },
    Close {
        channel: ChannelId,
    },
    /// The other end of the relay may try these; none: no direct path is wanted.
    OfferPaths {
        channel: ChannelId,
        addresses: Box<[Address]>,
    },
}

impl Command<'_> {
    /// The channel a command names by its number, or [`ChannelId::NONE`].
    pub fn channel(&self) -> ChannelId {
        match *self {
            Command::Leave { room: RoomRef::Channel(channel), .. }
            | Command::Say { room: RoomRef::Channel(channel), .. }
            | Command::SetSubject { room: RoomRef::Channel(channel), .. }
            | Command::ShowSubject { room: RoomRef::Channel(channel) }
            | Command::Change { room: RoomRef::Channel(channel), .. }
            | Command::ShowSettings { room: RoomRef::Channel(channel) }
            | Command::ListMasks { room: RoomRef::Channel(channel), .. }
            | Command::Kick { room: RoomRef::Channel(channel), .. }
            | Command::Invite { room: RoomRef::Channel(channel), .. }
            | Command::Who { room: RoomRef::Channel(channel), .. }
            | Command::Destroy { room: RoomRef::Channel(channel), .. }
            | Command::RenameRoom { room: RoomRef::Channel(channel), .. }
            | Command::ReserveName { room: RoomRef::Channel(channel), .. }
            | Command::Wish { room: RoomRef::Channel(channel), .. }
            | Command::Decide { room: RoomRef::Channel(channel), .. }
            | Command::ListWishes { room: RoomRef::Channel(channel) }
            | Command::ListMembers { room: RoomRef::Channel(channel), .. }
            | Command::ShowPast { room: RoomRef::Channel(channel), .. }
            | Command::Search { room: RoomRef::Channel(channel), .. }
            | Command::Retract { room: RoomRef::Channel(channel), .. }
            | Command::Accept { channel }
            | Command::Decline { channel, .. }
            | Command::Close { channel }
            | Command::OfferPaths { channel, .. } => channel,
            _ => ChannelId::NONE,
        }
    }
}
