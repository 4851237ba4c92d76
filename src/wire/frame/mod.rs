//! Every kind of frame: the table of kinds below, and one struct per kind in the files beside it.
//!
//! A struct holds the fields of a *body*; kind, flags and channel are the header's. A request's body starts with a
//! request id that its answer repeats; id 0 means that `done` is not wanted, every other answer comes all the same.

/// Declares a body as the list of its fields in wire order; the types are the methods of [`Fields`] that read them. What
/// a number stands for may follow behind `as`: a set of codes or bits, or a word of the rules `@meaning`.
macro_rules! body {
    ($($(#[$meta:meta])* $kind:ident $(<$life:lifetime>)? {
        $($(#[$fmeta:meta])* $field:ident: $type:ident $(as $meaning:ident)?,)*
    })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $kind $(<$life>)? { $($(#[$fmeta])* pub $field: body!(@type $type),)* }

        impl<'a> Body<'a> for $kind $(<$life>)? {
            const FIELDS: &'static [Field] = &[$(body!(@field $field $type $($meaning)?),)*];

            fn kind(&self) -> Kind {
                Kind::$kind
            }

            fn decode(fields: &mut Fields<'a>) -> Result<Self, BodyError> {
                Ok($kind { $($field: body!(@decode fields $type),)* })
            }

            fn encode(&self, out: &mut Vec<u8>) {
                $(body!(@encode out (self.$field) $type);)*
            }
        }
    )*};
    (@type name) => { &'a str };
    (@type text) => { &'a str };
    (@type long) => { &'a str };
    (@type bytes) => { &'a [u8] };
    (@type rooms) => { ListEntries<'a, RoomEntry<'a>> };
    (@type names) => { ListEntries<'a, &'a str> };
    (@type occupants) => { ListEntries<'a, OccupantEntry<'a>> };
    (@type members) => { ListEntries<'a, MemberEntry<'a>> };
    (@type masks) => { ListEntries<'a, MaskEntry<'a>> };
    (@type pasts) => { ListEntries<'a, PastEntry<'a>> };
    (@type wishes) => { ListEntries<'a, WishEntry<'a>> };
    (@type rows) => { ListEntries<'a, RowEntry<'a>> };
    (@type addresses) => { ListEntries<'a, AddressEntry> };
    (@type address) => { SocketAddr };
    (@type bytes16) => { [u8; 16] };
    (@type bytes24) => { [u8; 24] };
    (@type bytes32) => { [u8; 32] };
    (@type $number:ident) => { $number };
    (@decode $fields:ident bytes) => { $fields.bytes() };
    (@decode $fields:ident rooms) => { ListEntries::decode($fields)? };
    (@decode $fields:ident names) => { ListEntries::decode($fields)? };
    (@decode $fields:ident occupants) => { ListEntries::decode($fields)? };
    (@decode $fields:ident members) => { ListEntries::decode($fields)? };
    (@decode $fields:ident masks) => { ListEntries::decode($fields)? };
    (@decode $fields:ident pasts) => { ListEntries::decode($fields)? };
    (@decode $fields:ident wishes) => { ListEntries::decode($fields)? };
    (@decode $fields:ident rows) => { ListEntries::decode($fields)? };
    (@decode $fields:ident addresses) => { ListEntries::decode($fields)? };
    (@decode $fields:ident bytes16) => { $fields.array()? };
    (@decode $fields:ident bytes24) => { $fields.array()? };
    (@decode $fields:ident bytes32) => { $fields.array()? };
    (@decode $fields:ident $type:ident) => { $fields.$type()? };
    (@encode $out:ident ($value:expr) name) => { put_name($out, $value) };
    (@encode $out:ident ($value:expr) long) => { put_long($out, $value) };
    (@encode $out:ident ($value:expr) text) => { $out.extend_from_slice($value.as_bytes()) };
    (@encode $out:ident ($value:expr) bytes) => { $out.extend_from_slice($value) };
    (@encode $out:ident ($value:expr) rooms) => { $out.extend_from_slice($value.as_bytes()) };
    (@encode $out:ident ($value:expr) names) => { $out.extend_from_slice($value.as_bytes()) };
    (@encode $out:ident ($value:expr) occupants) => { $out.extend_from_slice($value.as_bytes()) };
    (@encode $out:ident ($value:expr) members) => { $out.extend_from_slice($value.as_bytes()) };
    (@encode $out:ident ($value:expr) masks) => { $out.extend_from_slice($value.as_bytes()) };
    (@encode $out:ident ($value:expr) pasts) => { $out.extend_from_slice($value.as_bytes()) };
    (@encode $out:ident ($value:expr) wishes) => { $out.extend_from_slice($value.as_bytes()) };
    (@encode $out:ident ($value:expr) rows) => { $out.extend_from_slice($value.as_bytes()) };
    (@encode $out:ident ($value:expr) addresses) => { $out.extend_from_slice($value.as_bytes()) };
    (@encode $out:ident ($value:expr) address) => { put_address($out, $value) };
    (@encode $out:ident ($value:expr) bytes16) => { $out.extend_from_slice(&$value) };
    (@encode $out:ident ($value:expr) bytes24) => { $out.extend_from_slice(&$value) };
    (@encode $out:ident ($value:expr) bytes32) => { $out.extend_from_slice(&$value) };
    (@encode $out:ident ($value:expr) $number:ident) => { $out.extend_from_slice(&$value.to_be_bytes()) };
    (@field $field:ident $type:ident $($meaning:ident)?) => {
        Field { name: stringify!($field), form: body!(@form $type), meaning: body!(@meaning $($meaning)?) }
    };
    (@form u8) => { Form::U8 };
    (@form u16) => { Form::U16 };
    (@form u32) => { Form::U32 };
    (@form u64) => { Form::U64 };
    (@form name) => { Form::Name };
    (@form long) => { Form::Long };
    (@form text) => { Form::Text };
    (@form bytes) => { Form::Bytes };
    (@form bytes16) => { Form::Bytes16 };
    (@form bytes24) => { Form::Bytes24 };
    (@form bytes32) => { Form::Bytes32 };
    (@form address) => { Form::Address };
    (@form rows) => { Form::Rows };
    (@form names) => { Form::List(<&str as Entry<'_>>::FIELDS) };
    (@form rooms) => { Form::List(RoomEntry::FIELDS) };
    (@form occupants) => { Form::List(OccupantEntry::FIELDS) };
    (@form members) => { Form::List(MemberEntry::FIELDS) };
    (@form masks) => { Form::List(MaskEntry::FIELDS) };
    (@form pasts) => { Form::List(PastEntry::FIELDS) };
    (@form wishes) => { Form::List(WishEntry::FIELDS) };
    (@form addresses) => { Form::List(AddressEntry::FIELDS) };
    (@meaning) => { Meaning::Plain };
    (@meaning YesNo) => { Meaning::YesNo };
    (@meaning Millis) => { Meaning::Millis };
    (@meaning Happening) => { Meaning::Happening };
    (@meaning Seconds) => { Meaning::Seconds };
    (@meaning Length) => { Meaning::Length };
    (@meaning Secret) => { Meaning::Secret };
    (@meaning RoomFlags) => { Meaning::BitPerCode(ChangeCode::WORDS) };
    (@meaning $words:ident) => { $words::MEANING };
}

/// Declares bits of a field of one byte.
macro_rules! bits {
    ($(#[$meta:meta])* $name:ident { $($(#[$bmeta:meta])* $bit:ident = $number:literal,)* }) => {
        $(#[$meta])*
        pub struct $name;

        impl $name {
            $($(#[$bmeta])* pub const $bit: u8 = $number;)*

            pub const MEANING: Meaning =
                Meaning::Bits(&[$(Word { number: $number, word: stringify!($bit) },)*]);
        }
    };
}

mod datagrams;
mod history;
mod lists;
mod manage;
mod operators;
mod paths;
mod peers;
mod relays;
mod rooms;
mod session;

pub use datagrams::*;
pub use history::*;
pub use lists::{
    AddressEntry, Entry, ListEntries, MaskEntry, MemberEntry, OccupantEntry, PastEntry, RoomEntry, RowEntry,
    WishEntry, put_list, put_row,
};
pub use manage::*;
pub use operators::*;
pub use paths::*;
pub use peers::*;
pub use relays::*;
pub use rooms::*;
pub use session::*;

use super::fields::Fields;
use super::schema::Field;
use std::fmt;

/// Why a body is not what its kind promises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyError {
    /// No frame of this version has that kind.
    UnknownKind(u8),
    /// The body ends inside a field.
    Short,
    /// The body goes on after its last field.
    Trailing,
    /// A field that must be UTF-8 is not. The frame is whole all the same, and can be refused.
    NotUtf8,
    /// Hello without the magic.
    BadMagic,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::UnknownKind(kind) => write!(f, "frames of kind 0x{kind:02x} are not known here"),
            BodyError::Short => f.write_str("the body ends inside a field"),
            BodyError::Trailing => f.write_str("the body goes on after its last field"),
            BodyError::NotUtf8 => f.write_str("text that is not UTF-8"),
            BodyError::BadMagic => f.write_str("hello does not start with the magic"),
        }
    }
}

impl std::error::Error for BodyError {}

/// The body of one kind of frame.
pub trait Body<'a>: Sized {
    /// What it is made of, in wire order.
    const FIELDS: &'static [Field];

    fn kind(&self) -> Kind;
    fn decode(fields: &mut Fields<'a>) -> Result<Self, BodyError>;
    fn encode(&self, out: &mut Vec<u8>);
}

/// The table of kinds: number, name, and, of a request, which a client sends and which begins with a request id, the
/// kinds that answer it beside `refused`.
macro_rules! kinds {
    ($($number:literal $kind:ident $(<$life:lifetime>)? $(=> $($answer:ident)|+)?;)*) => {
        /// What a frame is: the first byte of its header.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Kind { $($kind = $number,)* }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)*];

            pub fn from_u8(number: u8) -> Option<Kind> {
                match number { $($number => Some(Kind::$kind),)* _ => None }
            }

            /// A request of a client, whose body starts with a request id (hello's after the magic).
            pub fn is_request(self) -> bool {
                match self { $(Kind::$kind => const { !Kind::$kind.answers().is_empty() },)* }
            }

            /// What answers a request, unless it is refused; nothing for all other kinds.
            pub const fn answers(self) -> &'static [Kind] {
                match self { $(Kind::$kind => &[$($(Kind::$answer),+)?],)* }
            }

            /// What its body is made of, in wire order.
            pub const fn fields(self) -> &'static [Field] {
                match self { $(Kind::$kind => kinds!(@fields $kind $($life)?),)* }
            }
        }

        /// One decoded frame; what its header said beyond the kind is not in here.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Frame<'a> { $($kind($kind $(<$life>)?),)* }

        impl<'a> Frame<'a> {
            /// # Errors
            /// [`BodyError`] when the kind is unknown or the body is not what the kind promises.
            pub fn decode(kind: u8, body: &'a [u8]) -> Result<Frame<'a>, BodyError> {
                let mut fields = Fields::new(body);
                let frame = match Kind::from_u8(kind) {
                    $(Some(Kind::$kind) => Frame::$kind(Body::decode(&mut fields)?),)*
                    None => return Err(BodyError::UnknownKind(kind)),
                };
                fields.end()?;
                Ok(frame)
            }

            pub fn kind(&self) -> Kind {
                match self { $(Frame::$kind(_) => Kind::$kind,)* }
            }

            /// Appends the body alone.
            pub fn encode_body(&self, out: &mut Vec<u8>) {
                match self { $(Frame::$kind(body) => body.encode(out),)* }
            }
        }
    };
    (@fields $kind:ident) => { <$kind as Body<'static>>::FIELDS };
    (@fields $kind:ident $life:lifetime) => { <$kind<'static> as Body<'static>>::FIELDS };
}

kinds! {
    // The session itself.
    0x80 Hello<'a>      => Welcome;
    0x81 Welcome<'a>;
    0x82 Done;
    0x83 Refused<'a>;
    0x84 Ping;
    0x85 Pong;
    0x86 Bye<'a>;
    0x87 Credentials<'a> => Account | Done;
    0x88 Account<'a>;
    // Rooms.
    0x90 Join<'a>       => Joined;
    0x91 Joined<'a>;
    0x92 Leave          => Done;
    0x93 Say<'a>        => Done;
    0x94 Said<'a>;
    0x95 Entered<'a>;
    0x96 Left<'a>;
    0x97 SetSubject<'a> => Done;
    0x98 Subject<'a>;
    0x99 ListRooms<'a>  => RoomList;
    0x9a RoomList<'a>;
    0x9b Who<'a>        => Occupants;
    0x9c Occupants<'a>;
    0x9d Notice<'a>;
    0x9e Kicked<'a>;
    0x9f Changed<'a>;
    // Peers.
    0xa0 Tell<'a>       => Done;
    0xa1 Told<'a>;
    0xa2 Lookup<'a>     => Peer;
    0xa3 Peer<'a>;
    0xa4 ListPeers<'a>  => PeerList;
    0xa5 PeerList<'a>;
    0xa6 Declare<'a>    => Done;
    0xa7 Renamed<'a>;
    0xa8 Invited<'a>;
    0xa9 ToldElsewhere<'a>;
    // Relays.
    0xb0 Open<'a>       => Opened;
    0xb1 Offer<'a>;
    0xb2 Accept         => Done;
    0xb3 Decline<'a>    => Done;
    0xb4 Opened<'a>;
    0xb5 Close          => Done;
    0xb6 Closed<'a>;
    0xb7 Data<'a>;
    0xb8 Ringing;
    0xb9 OfferPaths<'a> => Done;
    0xba Paths<'a>;
    // Datagram sessions: the first three over TCP, the others are datagrams.
    0xc0 GetTicket      => Ticket;
    0xc1 Ticket;
    0xc2 Bound;
    0xc8 Bind;
    0xc9 Challenge;
    0xca Prove;
    0xcb Sealed<'a>;
    // Those who run a room.
    0xcc Decide<'a>     => Done;
    0xcd Decided<'a>;
    0xce ListWishes     => Wishes;
    0xcf Wishes<'a>;
    0xd0 Change<'a>     => Done;
    0xd1 ShowSettings   => Settings;
    0xd2 Settings<'a>;
    0xd3 ReserveName<'a> => Done;
    0xd4 ListMembers<'a> => Members;
    0xd5 Members<'a>;
    0xd6 ListMasks      => Masks;
    0xd7 Masks<'a>;
    0xd8 Kick<'a>       => Done;
    0xd9 Invite<'a>     => Done;
    0xda Destroy<'a>    => Done;
    0xdb Destroyed<'a>;
    0xdc RenameRoom<'a> => Done;
    0xdd RoomRenamed<'a>;
    0xde Wish<'a>       => Done;
    0xdf Wished<'a>;
    // What happened before.
    0xe0 ShowPast       => Past;
    0xe1 Past<'a>;
    0xe2 Search<'a>     => Past;
    0xe3 Retract<'a>    => Done;
    0xe4 Retracted<'a>;
    0xe5 MarkRead<'a>   => ReadMark;
    0xe6 ReadMark<'a>;
    // Operators of the server.
    0xe8 Administer<'a> => Done;
    0xe9 ListServer<'a> => ServerList;
    0xea ServerList<'a>;
    0xeb Announced<'a>;
}

impl Kind {
    /// No frame starts with a byte below this one, and no line of text with one from here on.
    pub const FIRST: u8 = 0x80;
}
