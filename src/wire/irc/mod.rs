//! IRC lines, as pure code: no command is known here, and nothing is remembered but how far a line was looked through.
//!
//! *bytes → [`LineDecoder`] → line → [`Message`]*, and back *[`LineHead`] → [`LineBody`] → bytes*.
//!
//! - [`mod@line`] where a line ends, and when it is too long;
//! - [`message`] what a line says;
//! - [`tags`] and what it says about itself;
//! - [`mod@write`] how a line is written, so that no field can become another;
//! - [`list`] lists that go on in the next line;
//! - [`modes`] changes of modes, read and written;
//! - [`mask`] masks of users in full;
//! - [`ctcp`] messages for programs among those for people;
//! - [`numeric`] the numbers of replies and refusals;
//! - [`capability`] the names of what goes beyond RFC 1459.
//!
//! Sources: RFC 1459 and 2812 as Modern IRC has them today, and the specifications of IRCv3. Absent on purpose: bytes that
//! are not UTF-8 (UTF8ONLY), and lines longer than the RFCs have them.

pub mod capability;
pub mod ctcp;
pub mod line;
pub mod list;
pub mod mask;
pub mod message;
pub mod modes;
pub mod numeric;
pub mod tags;
#[cfg(test)]
mod tests;
pub mod write;

pub use capability::{Capabilities, Capability};
pub use line::{LineDecoder, LineStep, TooLong};
pub use list::{ListLines, put_tokens};
pub use message::{BadLine, Message, Params};
pub use modes::{ModeChange, ModeChanges, ModeError, ModeKind, ModeTable, put_modes};
pub use numeric::Numeric;
pub use tags::{Tag, Tags};
pub use write::{LineBody, LineHead, Source};
