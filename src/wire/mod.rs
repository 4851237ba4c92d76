//! Bytes ⇄ frames, and bytes ⇄ IRC lines. Pure: no socket, no clock, no state beyond the bytes given, and where in
//! them a line was last looked for.
//!
//! `docs/PROTOCOL.md` describes every byte of a frame; this module follows it, not the other way round. Lines follow
//! RFC 1459 and 2812 as Modern IRC reads them, and IRCv3.
//!
//! - [`header`] the eight bytes in front of every frame, and where one frame ends;
//! - [`frame`] one struct per kind of frame, and the table of kinds;
//! - [`fields`] the few primitives that bodies are made of;
//! - [`code`] the numbers of refusals, farewells, departures;
//! - [`schema`] what bodies are made of, as data, for whoever shows frames;
//! - [`datagram`] frames in datagrams: sealed, counted, and never twice;
//! - [`irc`] lines instead of frames: where they end, what they say, and how they are written;
//! - [`sniff`] which protocol a connection's first bytes belong to;
//! - [`time_span`] spans of time as people write them.

pub mod code;
pub mod datagram;
pub mod fields;
pub mod frame;
pub mod header;
pub mod irc;
pub mod schema;
pub mod sniff;
pub mod time_span;

pub use code::{
    AccountCode, AdministerCode, AffiliationCode, ByeCode, ChangeCode, ClosedCode, CredentialsCode, LeftCode,
    ListServerCode, Origin, PartCode, PastCode, PathRole, Purpose, RefusalCode, Transport, WishCode,
};
pub use fields::cut;
pub use frame::{Frame, Kind};
pub use header::{BODY_MAX, BODY_MAX_FLOOR, Flags, FrameError, HEADER_LEN, Header, RawFrame, Split, split};
pub use time_span::seconds_of;
