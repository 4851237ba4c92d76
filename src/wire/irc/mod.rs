//! IRC lines.
//!
//! - [`line`] where a line ends, and when it is too long;
//! - [`message`] what a line says;
//! - [`tags`] and what it says about itself;
//! - [`numeric`] the numbers of replies and refusals;
//! - [`write`] how a line is written, so that no field can become another;
//! - [`list`] lists that go on in the next line;
//! - [`modes`] changes of modes, read and written;

pub mod line;
pub mod list;
pub mod message;
pub mod modes;
pub mod numeric;
pub mod tags;
pub mod write;

pub use line::{LineDecoder, LineStep, TooLong};
pub use list::ListLines;
pub use message::{BadLine, Message, Params};
pub use modes::{ModeChange, ModeChanges, ModeError, ModeKind, ModeTable, put_modes};
pub use numeric::Numeric;
pub use tags::{Tag, Tags};
pub use write::{LineBody, LineHead, Source};
