//! Switchboard: a chat and relay server on a plain nonblocking reactor, and its clients.
//!
//! *bytes → frame or line → command → hub → effects → frames and lines → bytes.* Only [`net`], [`server`] and the clients
//! touch sockets, only [`storage`] the disk, and only these read the clock. Everything else is a pure state machine that a
//! test can drive without any.
//!
//! | module | what it is | may import |
//! |---|---|---|
//! | [`wire`] | bytes ⇄ frames and lines | std, blake3, jiff, memchr, siphasher |
//! | [`hub`] | the domain: users, rooms, relays | std, foldhash, memchr, slab, smallvec |
//! | [`net`] | the nonblocking toolkit; knows no chat | std, mio, socket2, quinn_udp, nix, rustix, libc, slab, smallvec, log |
//! | [`session`] | one client's dialect | wire, hub, base64ct, hmac, jiff, sha2 |
//! | [`storage`] | what lasts, in a database | hub, rusqlite, log |
//! | [`capture`] | what is seen on the wire: captures, and the dissector for Wireshark | wire, jiff, log |
//! | [`server`] | the reactor | everything but the command line and the clients |
//! | `tty` | what is typed and not shown | rustix |
//! | `admin` | an operator's requests, one by one | net, wire, and chat's rule on what a terminal may show |
//! | `chat` | the terminal clients | net, wire, tty, capture, and the hub's rules on names |
//! | `load` | synthetic clients, and what they measured | net, wire |
//! | `config`, `cli` | the command line | everything |
//!
//! `tests/tidy.rs` holds this table.
//!
//! **To read it as a newcomer**, begin with [`server::reactor`], which is the turn, and go on in the order that
//! `README.md` gives under *For those who study*: it follows one message from the socket to everybody's queue.

#![deny(unsafe_code)]

#[cfg(feature = "client")]
pub mod admin;
#[cfg(not(feature = "config"))]
mod bare;
pub mod capture;
#[cfg(feature = "client")]
pub mod chat;
#[cfg(feature = "config")]
pub mod cli;
#[cfg(feature = "config")]
pub mod config;
pub mod hub;
#[cfg(feature = "load")]
pub mod load;
pub mod net;
pub mod server;
pub mod session;
#[cfg(feature = "storage")]
pub mod storage;
#[cfg(feature = "config")]
mod tty;
pub mod wire;

#[cfg(not(feature = "config"))]
pub use bare::main;
#[cfg(feature = "config")]
pub use cli::main;
