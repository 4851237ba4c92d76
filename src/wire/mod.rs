//! Bytes ⇄ frames. Pure: no socket, no clock, no state beyond the bytes given.
//!
//! `docs/PROTOCOL.md` describes every byte; this module follows it, not the other way round.
//!
//! - [`header`] the eight bytes in front of every frame, and where one frame ends;
//! - [`frame`] one struct per kind of frame, and the table of kinds;
//! - [`fields`] the few primitives that bodies are made of;
//! - [`code`] the numbers of refusals, farewells, departures;
//! - [`datagram`] frames in datagrams: sealed, counted, and never twice;
//! - [`sniff`] which protocol a connection's first bytes belong to.

pub mod code;
pub mod datagram;
pub mod fields;
pub mod frame;
pub mod header;
pub mod sniff;

pub use code::{
    ByeCode, ChangeCode, ClosedCode, LeftCode, Origin, PathRole, Purpose, RefusalCode, Transport,
};
pub use frame::{Frame, Kind};
pub use header::{BODY_MAX, BODY_MAX_FLOOR, Flags, FrameError, HEADER_LEN, Header, RawFrame, Split, split};
