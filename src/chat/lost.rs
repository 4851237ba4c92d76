//! Why there is no connection, or no more.

use crate::wire::{ByeCode, RefusalCode};
use std::fmt;
use std::io;

#[derive(Debug)]
pub enum Lost {
    /// The server's name has no address.
    Resolve(io::Error),
    /// No address of the server answers.
    Connect(io::Error),
    /// The connection broke.
    Io(io::Error),
    /// The server hung up without a word.
    Ended,
    /// Nothing was heard for too long.
    Silent,
    /// Hello was refused.
    Refused { code: u16, text: String },
    /// The server said goodbye.
    Bye { code: u16, text: String },
    /// The server answered with text: it is full, or no Switchboard.
    Text(String),
    /// What the server sent is no frame.
    Broken(String),
}

impl Lost {
    pub fn is_name_taken(&self) -> bool {
        matches!(self, Lost::Refused { code, .. } if *code == RefusalCode::NameTaken.number())
    }

    /// Whether the same attempt, later, may well end otherwise.
    pub fn is_worth_another_try(&self) -> bool {
        match self {
            Lost::Refused { .. } => self.is_name_taken(),
            Lost::Bye { code, .. } => !matches!(
                ByeCode::from_number(*code),
                Some(ByeCode::BadMagic | ByeCode::Malformed | ByeCode::FrameTooLong | ByeCode::HelloExpected)
            ),
            Lost::Broken(_) => false,
            _ => true,
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Resolve(error) => write!(f, "that address cannot be found: {error}"),
            Lost::Connect(error) => write!(f, "cannot connect: {error}"),
            Lost::Io(error) => write!(f, "the connection broke: {error}"),
            Lost::Ended => f.write_str("the server closed the connection"),
            Lost::Silent => f.write_str("the server does not answer any more"),
            Lost::Refused { text, .. } => f.write_str(text),
            Lost::Bye { text, .. } => write!(f, "the server hung up: {text}"),
            Lost::Text(line) => write!(f, "the server answers {line:?}"),
            Lost::Broken(why) => write!(f, "the server does not speak this protocol: {why}"),
        }
    }
}
