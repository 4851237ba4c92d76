//! Messages for programs among those for people (CTCP): `\x01VERSION\x01`, and ACTION, which is one for people after all.
//!
//! Source: Modern IRC, "Client-to-Client Protocol". A message is one of these if it begins with the byte 1; the byte at
//! its end may be missing. Which messages are for people, the hub's rule for rooms without the others says as well.

use crate::wire::cut;
use std::fmt;

/// What such a message begins and ends with.
pub const DELIMITER: char = '\u{1}';

const ACTION: &str = "ACTION";

/// A message between two bytes 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ctcp<'a> {
    /// As it was written.
    pub command: &'a str,
    /// What is behind the command and its space.
    pub params: &'a str,
}

impl<'a> Ctcp<'a> {
    /// What somebody does, in words behind their name.
    pub fn action(words: &'a str) -> Self {
        Ctcp { command: ACTION, params: words }
    }

    /// Takes a text apart, if it is one.
    pub fn of(text: &'a str) -> Option<Self> {
        let inside = text.strip_prefix(DELIMITER)?;
        let inside = inside.strip_suffix(DELIMITER).unwrap_or(inside);
        let (command, params) = inside.split_once(' ').unwrap_or((inside, ""));
        Some(Ctcp { command, params })
    }

    pub fn is_action(&self) -> bool {
        self.command == ACTION
    }

    /// As much of it as has room, in bytes, with its end.
    #[must_use]
    pub fn shortened(self, bytes_max: usize) -> Self {
        let command = cut(self.command, bytes_max.saturating_sub(2 * DELIMITER.len_utf8() + " ".len()));
        let frame = Ctcp { command, params: "" }.frame_bytes();
        Ctcp { command, params: cut(self.params, bytes_max.saturating_sub(frame)) }
    }

    /// How many bytes it has beside its parameters.
    pub fn frame_bytes(&self) -> usize {
        2 * DELIMITER.len_utf8() + self.command.len() + " ".len()
    }
}

impl fmt::Display for Ctcp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.params.is_empty() { "" } else { " " };
        write!(f, "{DELIMITER}{}{space}{}{DELIMITER}", self.command, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_for_programs_begins_with_a_byte_1() {
        let of = |text| Ctcp::of(text).map(|ctcp| (ctcp.command, ctcp.params, ctcp.is_action()));
        assert_eq!(of("\u{1}ACTION waves to you\u{1}"), Some(("ACTION", "waves to you", true)));
        assert_eq!(of("\u{1}ACTION waves"), Some(("ACTION", "waves", true)));
        assert_eq!(of("\u{1}PING 1\u{1}"), Some(("PING", "1", false)));
        assert_eq!(of("\u{1}"), Some(("", "", false)));
        assert_eq!(of("hello \u{1}VERSION\u{1}"), None);
        assert_eq!(Ctcp::action("waves").to_string(), "\u{1}ACTION waves\u{1}");
        assert_eq!(Ctcp { command: "VERSION", params: "" }.to_string(), "\u{1}VERSION\u{1}");
        assert_eq!(Ctcp::action("wäves").shortened(12).to_string(), "\u{1}ACTION wä\u{1}");
        assert_eq!(Ctcp::action("wäves").shortened(11).to_string(), "\u{1}ACTION w\u{1}");
        assert_eq!(Ctcp { command: "LONG", params: "x" }.shortened(5).to_string(), "\u{1}LO\u{1}");
        let action = Ctcp::action("waves");
        assert_eq!(action.to_string().len(), action.frame_bytes() + "waves".len());
    }
}
