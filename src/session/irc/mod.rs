//! The IRC dialect: lines, as Modern IRC describes them today, with the extensions of IRCv3.
//!
//! ```text
//!   Registering ──NICK and USER, and no CAP that is open; the hub accepts the login──▶ Open
//! ```
//!
//! One line may ask the hub for several things, one after the other (`JOIN #a,#b`), or for a list that comes page by
//! page. Then it stays in front of the input, and `Task` remembers how far it got; see
//! [`Step`](super::Step).
//!
//! In the order in which it is worth reading:
//! - `dialogue` what is known of one client, and what becomes of a line;
//! - `registration` from the first line to the welcome, `capabilities` what is agreed beyond RFC 1459;
//! - `commands` what each command asks of the hub, and how the hub's answer is written: a file per family;
//! - `services` the names that some expect to do what commands do;
//! - `sasl` and `scram` how a client says that it knows a password;
//! - `refusals` which numeric the hub's refusals are;
//! - `events` what others did, written once for all who share a [`Variant`](super::Variant);
//! - `elsewhere` what other sessions of the same user did;
//! - `words` what is said, in as many lines as it takes;
//! - `labels` answers that bear the label of the question;
//! - `letters` what the letters of modes stand for, and `features` what ISUPPORT says;
//! - [`offered`] all of that as tables. `docs/IRC.md` tells people about it, and a test holds the two together.

mod capabilities;
mod commands;
mod dialogue;
mod elsewhere;
mod events;
mod features;
mod labels;
mod letters;
mod refusals;
mod registration;
#[cfg(feature = "storage")]
mod sasl;
#[cfg(feature = "storage")]
pub mod scram;
mod services;
mod words;
mod write;

/// What a client may meet, as tables.
pub mod offered {
    pub use super::capabilities::OFFERED as CAPABILITIES;
    pub use super::commands::table::{COMMANDS, Row};
    pub use super::features::isupport;
    pub use super::letters::{CHANNEL_MODES, USER_MODES, flags as room_flags};
    pub use super::services::SERVICES;
}

pub(super) use dialogue::Dialogue;
pub(super) use events::encode_event;
