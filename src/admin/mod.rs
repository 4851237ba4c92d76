//! `switchboard admin`: one thing that an operator does to a running server, or sees of it, for people and for scripts.
//!
//! - `link` the connection: one request at a time, and waiting for its answer is all there is to do meanwhile;
//! - [`Action`] what can be done and seen; `output` how what was seen is printed; [`Error`] why it did not work;
//! - [`top`] the same figures again and again, as long as somebody watches.
//!
//! Absent on purpose: a session of several commands. Each one is a process of its own, so that scripts know what became
//! of it by its exit status.

mod action;
mod error;
mod link;
mod output;
pub mod top;

pub use action::Action;
pub use error::Error;
pub use output::Format;

use link::Link;
use std::io::Write;

/// Which server, and as whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// `host:port`; every address that the host has is tried.
    pub server: String,
    /// As the config of the server has it, letter by letter.
    pub operator: String,
    pub password: String,
    /// Where everybody has to give one.
    pub server_password: Option<String>,
}

/// Connects, does it, prints what there is to print, and leaves.
///
/// # Errors
/// [`Error`], in one sentence for the user.
pub fn run(options: &Options, action: &Action, format: Format, out: &mut impl Write) -> Result<(), Error> {
    let mut link = Link::connect(options)?;
    let table = action.carry_out(&mut link)?;
    link.leave();
    match table {
        Some(table) => output::print(&table, format, out).map_err(Error::Output),
        None => Ok(()),
    }
}
