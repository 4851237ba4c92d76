//! Why a run did not come to an outcome. A server that is slow or loses messages is no error; it is the outcome.

use std::fmt;
use std::io;
use std::net::SocketAddr;

#[derive(Debug)]
pub enum Error {
    /// The plan cannot be carried out; a sentence says why.
    Plan(String),
    /// The process may not open as many files as the plan has connections.
    Descriptors { needed: u64, limit: u64 },
    /// No connection came about.
    Connect { to: SocketAddr, error: io::Error },
    /// The server did not let a client do what it has to do before the load can begin.
    Refused { who: String, doing: &'static str, words: String },
    /// The server ended a connection, or it broke, before the load began.
    Disconnected { who: String, doing: &'static str, words: String },
    /// Somebody was not answered in time.
    NoAnswer { missing: usize, doing: &'static str },
    /// What the server sends is not the protocol that was asked for.
    NotTheProtocol { who: String, what: String },
    /// The server does not read, and an open loop does not wait for it.
    Backlog { who: String, bytes: usize },
    /// One client has sent as many messages as can be told apart.
    NumbersUsedUp,
    /// [`Watch::is_cancelled`](super::Watch::is_cancelled).
    Cancelled,
    /// The machine would not do something that no plan can do without.
    Machine { what: &'static str, error: io::Error },
}

impl Error {
    /// For `map_err`.
    pub(super) fn machine(what: &'static str) -> impl Fn(io::Error) -> Error {
        move |error| Error::Machine { what, error }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Plan(sentence) => f.write_str(sentence),
            Error::Descriptors { needed, limit } => write!(
                f,
                "this needs {needed} open files, and the process may have {limit} (ulimit -n, or LimitNOFILE)"
            ),
            Error::Connect { to, error } => write!(f, "cannot connect to {to}: {error}"),
            Error::Refused { who, doing, words } => {
                write!(f, "the server refused {who}, which was {doing}: {words}")
            }
            Error::Disconnected { who, doing, words } if words.is_empty() => {
                write!(f, "the server closed the connection of {who}, which was {doing}, without a word")
            }
            Error::Disconnected { who, doing, words } => {
                write!(f, "the server closed the connection of {who}, which was {doing}: {words}")
            }
            Error::NoAnswer { missing, doing } => {
                write!(f, "{missing} clients were {doing}, and nothing came of it any more")
            }
            Error::NotTheProtocol { who, what } => {
                write!(f, "what the server sent {who} is not the protocol that was asked for: {what}")
            }
            Error::Backlog { who, bytes } => write!(
                f,
                "the server does not read as fast as {who} is to send: {bytes} bytes are waiting; a lower rate or a smaller window would tell more"
            ),
            Error::NumbersUsedUp => write!(
                f,
                "a client has sent {} messages, and more cannot be told apart: a shorter run, a lower rate or more senders",
                super::marker::SEQUENCES_MAX
            ),
            Error::Cancelled => f.write_str("cancelled"),
            Error::Machine { what, error } => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Connect { error, .. } | Error::Machine { error, .. } => Some(error),
            _ => None,
        }
    }
}
