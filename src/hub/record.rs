//! What lasts: facts of the domain, as they are written down when they change and read back when the server starts. The
//! hub says what is to be kept; where and how is the business of whoever keeps it.

use super::{Affiliation, Flags, Form, MaskList, MessageId};

/// An account. Never another's, even when it is gone: as with [`MessageId`], its upper bits are when it was made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct AccountId(pub u64);

/// A room; unlike its channel's, the number of one that lasts stays the same over restarts. Never another's: as with
/// [`MessageId`], its upper bits are when the room was made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct RoomId(pub u64);

impl AccountId {
    /// The next one, for an account that is made now.
    #[must_use]
    pub fn next(self, now_millis: u64) -> AccountId {
        AccountId(MessageId(self.0).next(now_millis).0)
    }
}

impl RoomId {
    /// The next one, for a room that is made now.
    #[must_use]
    pub fn next(self, now_millis: u64) -> RoomId {
        RoomId(MessageId(self.0).next(now_millis).0)
    }
}

/// The highest numbers that were ever given, of what is gone as well: the next ones are higher, even where the clock has
/// been set back.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Given {
    pub account: AccountId,
    pub room: RoomId,
    pub message: MessageId,
}

/// One fact. A later record about the same thing replaces the earlier one.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    Account(AccountRecord),
    /// With everything that was the account's.
    AccountGone(AccountId),
    Room(RoomRecord),
    /// With everything that was in it.
    RoomGone(RoomId),
    Member(MemberRecord),
    /// The account is nothing to the room any more.
    MemberGone {
        room: RoomId,
        account: AccountId,
    },
    Mask(MaskRecord),
    MaskGone {
        room: RoomId,
        list: MaskList,
        mask: Box<str>,
    },
    /// What happened in a room since the last of these.
    Past(PastRecord),
    /// What happened before this one is nobody's business any more.
    PastGone {
        room: RoomId,
        before: MessageId,
    },
    /// The latest message of a room: found when everything is read back, and never written.
    LatestSaid {
        room: RoomId,
        id: MessageId,
    },
    /// What was said is no longer to be read; that it was said stays.
    Retracted {
        room: RoomId,
        id: MessageId,
        by: Box<str>,
        reason: Box<str>,
    },
    /// The account has read a conversation up to this moment, in milliseconds since 1970.
    ReadUpTo {
        account: AccountId,
        conversation: Box<str>,
        at_millis: u64,
    },
    /// Of that conversation, nothing is known any more.
    ReadUpToGone {
        account: AccountId,
        conversation: Box<str>,
    },
    Ban(BanRecord),
    BanGone {
        pattern: Box<str>,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRecord {
    pub id: AccountId,
    /// As its owner writes it.
    pub name: Box<str>,
    pub secret: Secret,
    /// In milliseconds since 1970; likewise everywhere here.
    pub made_millis: u64,
}

/// What is kept of an account's password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Secret {
    /// Argon2id (RFC 9106), in the PHC string format.
    pub hash: Box<str>,
    /// What SCRAM-SHA-256 needs, which no other hash can give it.
    pub scram: Option<ScramKeys>,
}

/// RFC 5802 §3, with SHA-256 (RFC 7677).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScramKeys {
    pub salt: [u8; 16],
    pub iterations: u32,
    pub stored_key: [u8; 32],
    pub server_key: [u8; 32],
}

/// A room, without who and what is in it.
#[derive(Clone, PartialEq, Debug)]
pub struct RoomRecord {
    pub id: RoomId,
    /// As it was first written.
    pub name: Box<str>,
    pub flags: Flags,
    pub password: Option<Box<str>>,
    pub occupants_max: Option<u32>,
    pub subject: Option<SubjectRecord>,
    pub made_millis: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubjectRecord {
    pub text: Box<str>,
    pub by: Box<str>,
    /// `name!username@host`, as others may know it.
    pub author: Box<str>,
    pub at_millis: u64,
}

/// What an account is to a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberRecord {
    pub room: RoomId,
    pub account: AccountId,
    pub affiliation: Affiliation,
    /// Whether they keep a voice in it when it is moderated.
    pub has_voice: bool,
    /// Who keeps them from speaking there, if somebody does. By itself: it neither ends with a ban nor ends one.
    pub muted: Option<Box<Note>>,
    /// A name that nobody else may have there.
    pub reserved: Option<Box<str>>,
    /// Of the affiliation. Only a ban ends at a time.
    pub note: Note,
}

impl MemberRecord {
    /// What is said of it in a list: of those who are nothing but muted, who did that.
    pub fn note_shown(&self) -> &Note {
        match &self.muted {
            Some(muted) if self.affiliation == Affiliation::None => muted,
            _ => &self.note,
        }
    }

    /// When the mute ends, if that is at a time.
    pub fn muted_until_millis(&self) -> Option<u64> {
        self.muted.as_ref()?.until_millis
    }
}

/// Who did it, why, and for how long.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Note {
    pub by: Box<str>,
    pub reason: Box<str>,
    pub at_millis: u64,
    /// `None`: until it is undone.
    pub until_millis: Option<u64>,
}

/// An entry of a room's list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MaskRecord {
    pub room: RoomId,
    pub list: MaskList,
    pub mask: Box<str>,
    pub note: Note,
}

/// Things that happened in a room one after the other: messages, or everything else.
#[derive(Clone, PartialEq, Debug)]
pub struct PastRecord {
    pub room: RoomId,
    pub is_said: bool,
    /// The numbers of the first and of the last, and how many they are.
    pub first: MessageId,
    pub last: MessageId,
    pub count: usize,
    /// [`Happening`](super::happening::Happening)s.
    pub bytes: Vec<u8>,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Past {
    Said(Form),
    Entered,
    Left,
    /// Left the server.
    Quit,
    /// The text is who, a space, and why.
    Kicked,
    SubjectSet,
    /// The text is the new name.
    Renamed,
}

/// What one can ask for in a room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Wish {
    /// To speak, where the room is moderated (XEP-0045 §7.13); those grant it who moderate the room.
    Voice,
    /// To become a member (XEP-0045 §7.10); admins grant it.
    Membership,
}

/// Whom the server does not take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BanRecord {
    /// An address, or a network as `address/bits`.
    pub pattern: Box<str>,
    pub note: Note,
}

impl Past {
    /// Whether it is something that people read: that counts against what a room keeps. Comings and goings do not, nor
    /// do tags without a text.
    pub fn is_said(self) -> bool {
        matches!(self, Past::Said(Form::Message | Form::Notice))
    }
}

/// A part of what happened in a room, by number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// Later than this one; `None`: from the beginning.
    pub after: Option<MessageId>,
    /// Earlier than this one; `None`: up to now.
    pub before: Option<MessageId>,
    /// Where there are more than `limit`: those at the end rather than those at the beginning. Either way they come in
    /// the order in which they happened.
    pub newest: bool,
    pub limit: usize,
    /// Messages alone, or comings and goings as well.
    pub said_only: bool,
}

/// What the hub has to ask for, because it does not keep it in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fetch {
    /// One span behind the other.
    Past { room: RoomId, spans: Vec<Span> },
    /// Messages with all of these words in them, the latest first, between these.
    Search { room: RoomId, words: Box<str>, from: MessageId, before: Option<MessageId>, limit: usize },
    /// Up to when an account has read its conversations.
    ReadUpTo { account: AccountId },
}

/// The answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Fetched {
    /// [`Happening`](super::happening::Happening)s.
    Past(Vec<u8>),
    /// Conversations, and moments in milliseconds since 1970.
    ReadUpTo(Vec<(Box<str>, u64)>),
    /// It cannot be read, for this reason.
    Failed(Box<str>),
}
