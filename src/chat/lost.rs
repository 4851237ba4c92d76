//! Why there is no connection, or no more. What is said of the server here holds for a peer without a server as well.

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
    /// A peer that called said something else before hello.
    NoHello,
    /// Without a server: hello was said, and nobody called or nobody took the call.
    NoCall,
}

impl Lost {
    /// The sentence, where `who` is at the other end.
    pub fn told_of(&self, who: &str) -> String {
        match self {
            Lost::Resolve(error) => format!("that address cannot be found: {error}"),
            Lost::Connect(error) => format!("cannot connect: {error}"),
            Lost::Io(error) => format!("the connection broke: {error}"),
            Lost::Ended => format!("{who} closed the connection"),
            Lost::Silent => format!("{who} does not answer any more"),
            Lost::Refused { text, .. } => text.clone(),
            Lost::Bye { text, .. } => format!("{who} hung up: {text}"),
            Lost::Text(line) => format!("{who} answers {line:?}"),
            Lost::Broken(why) => format!("{who} does not speak this protocol: {why}"),
            Lost::NoCall => format!("no call came about with {who} within 10 seconds"),
            Lost::NoHello => format!("{who} did not begin with hello"),
        }
    }

    pub fn is_name_taken(&self) -> bool {
        matches!(self, Lost::Refused { code, .. } if *code == RefusalCode::NameTaken.number())
    }

    /// Whether the name is somebody's account, whose password was not given.
    pub fn is_name_reserved(&self) -> bool {
        matches!(self, Lost::Refused { code, .. } if *code == RefusalCode::NameReserved.number())
    }

    /// Whether the same attempt, later, may well end otherwise.
    pub fn is_worth_another_try(&self) -> bool {
        match self {
            Lost::Refused { code, .. } => {
                let later = [RefusalCode::NameTaken, RefusalCode::TryLater, RefusalCode::Unavailable];
                later.iter().any(|later| later.number() == *code)
            }
            Lost::Bye { code, .. } => !matches!(
                ByeCode::from_number(*code),
                Some(
                    ByeCode::BadMagic
                        | ByeCode::Malformed
                        | ByeCode::FrameTooLong
                        | ByeCode::HelloExpected
                        | ByeCode::Killed
                )
            ),
            Lost::Broken(_) | Lost::NoHello => false,
            _ => true,
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told_of("the server"))
    }
}
