//! Why something was not done: one sentence each.

use crate::chat::sanitise;
use std::fmt;
use std::io;

#[derive(Debug)]
pub enum Error {
    /// No address is known for the server.
    Resolve {
        server: String,
        error: io::Error,
    },
    Connect {
        server: String,
        error: io::Error,
    },
    /// The connection was lost, or the server did not answer in time.
    Lost {
        server: String,
        error: io::Error,
        /// Before anything was asked for.
        is_early: bool,
    },
    /// The server ended the connection, with these words.
    Ended {
        server: String,
        text: String,
    },
    /// What the server says is not its protocol.
    Strange {
        server: String,
    },
    /// The server's password is another one, or was not given; or no name is to be had.
    NotLetIn {
        text: String,
    },
    /// The operator's is.
    NotOperator {
        operator: String,
        text: String,
    },
    /// It was not done: the server's sentence.
    Refused {
        text: String,
    },
    /// The server was there, and is not any more.
    Gone {
        server: String,
        error: io::Error,
    },
    /// It has figures for others.
    NoMetrics {
        server: String,
    },
    NoRandomNumbers(String),
    Output(io::Error),
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Servers' words are in some of them.
        f.write_str(&sanitise(&self.sentence()))
    }
}

impl Error {
    fn sentence(&self) -> String {
        match self {
            Error::Resolve { server, error } => {
                format!("no address is known for {server}: {error}; is the name right?")
            }
            Error::Connect { server, error } => {
                format!("cannot connect to {server}: {error}; is a server running there?")
            }
            Error::Lost { server, error, is_early: true } if is_time_out(error) => {
                format!("{server} does not answer; is a switchboard running there?")
            }
            Error::Lost { server, error, is_early: true } => {
                format!("the connection to {server} was lost: {error}; nothing was done")
            }
            Error::Lost { server, error, .. } if is_time_out(error) => {
                format!("{server} does not answer; whether it was done is not known")
            }
            Error::Lost { server, error, .. } => {
                format!("the connection to {server} was lost: {error}; whether it was done is not known")
            }
            Error::Ended { server, text } => format!("{server} hangs up: {text}"),
            Error::Strange { server } => {
                format!(
                    "what {server} says is not the protocol of this program; is a switchboard running there?"
                )
            }
            Error::NotLetIn { text } => {
                format!("the server does not let us in: {text}")
            }
            Error::NotOperator { operator, text } => format!("not taken for operator {operator}: {text}"),
            Error::Refused { text } => text.clone(),
            Error::Gone { server, error } if is_time_out(error) => format!("{server} does not answer"),
            Error::Gone { server, error } => format!("{server} is gone: {error}"),
            Error::NoMetrics { server } => format!(
                "{server} does not give its figures to this address: set metrics-allow there, or use --operator NAME"
            ),
            Error::NoRandomNumbers(error) => format!("no random numbers: {error}"),
            Error::Output(error) => format!("cannot write to standard output: {error}"),
        }
    }
}

/// Which of the two it is depends on the system.
fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
