//! Why a client ends without success: one sentence each.

use super::lost::Lost;
use super::sanitise::sanitise;
use std::fmt;
use std::io;

#[derive(Debug)]
pub enum Error {
    /// No connection could be made, or (where none is made again) it was lost.
    Server {
        server: String,
        lost: Lost,
    },
    /// Without a server: the peer at that address cannot be called, or its connection was lost.
    Peer {
        address: String,
        lost: Lost,
    },
    /// Without a server: nobody can call there.
    Listen {
        address: String,
        error: io::Error,
    },
    /// Without a server: the user's own name cannot be one.
    Nick(String),
    /// The peer went before a script had said everything.
    Left {
        peer: String,
    },
    /// The operating system does not give what a client needs.
    System {
        what: &'static str,
        error: io::Error,
    },
    /// A sentence by itself.
    Capture(io::Error),
    Input(io::Error),
    Output(io::Error),
    /// A room that a script needs cannot be entered.
    Room {
        room: String,
        text: String,
    },
    /// A call that a script is for did not come about, or ended.
    Call {
        peer: String,
        text: String,
    },
    /// The account that a script wanted was not made.
    Account(String),
    /// Only a direct path will do, and no peer may see the addresses that it takes.
    Unshown,
    /// A line to say, and no room to say it in.
    NoRoom,
    /// A script's lines that were not said, or perhaps not.
    Unsaid {
        refused: usize,
        unconfirmed: usize,
    },
    /// The other end of a pipe is not there, or not yet.
    Absent {
        peer: String,
    },
    /// The relay to the peer did not come about: the server's sentence.
    Relay {
        peer: String,
        text: String,
    },
    /// The relay ended too soon; `bytes` had gone through this end.
    Cut {
        peer: String,
        why: String,
        bytes: u64,
    },
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Servers' and peers' words are in some of them.
        f.write_str(&sanitise(&self.sentence()))
    }
}

impl Error {
    fn sentence(&self) -> String {
        match self {
            Error::Server { server, lost: Lost::Resolve(error) } => {
                format!("no address is known for {server}: {error}; is the name right?")
            }
            Error::Server { server, lost: Lost::Connect(error) } => {
                format!("cannot connect to {server}: {error}; is a server running there?")
            }
            Error::Server { server, lost } if lost.is_name_reserved() => {
                format!("{server} does not let us in: {lost}; --account NAME logs in to one")
            }
            Error::Server { server, lost: lost @ Lost::Refused { .. } } => {
                format!("{server} does not let us in: {lost}")
            }
            Error::Server { server, lost } => format!("{server}: {lost}"),
            Error::Peer { address, lost: Lost::Connect(error) } => {
                format!("cannot connect to {address}: {error}; does somebody wait there with --listen?")
            }
            Error::Peer { address, lost: lost @ Lost::Refused { .. } } => {
                format!("no call with the peer at {address}: {lost}")
            }
            Error::Peer { address, lost } => format!("{address}: {}", lost.told_of("the peer")),
            Error::Listen { address, error } => format!("cannot listen on {address}: {error}"),
            Error::Nick(text) => text.clone(),
            Error::Left { peer } => format!("{peer} left before everything was said"),
            Error::Capture(error) => error.to_string(),
            Error::System { what, error } => format!("cannot {what}: {error}"),
            Error::Input(error) => format!("cannot read standard input: {error}"),
            Error::Output(error) => format!("cannot write to standard output: {error}"),
            Error::Room { room, text } => format!("cannot enter {room}: {text}"),
            Error::Call { peer, text } => format!("no call with {peer}: {text}"),
            Error::Account(text) => format!("the account was not made: {text}"),
            Error::Unshown => {
                "--path direct shows your addresses to the other end; say so with --share-addresses always"
                    .to_owned()
            }
            Error::NoRoom => "there is no room to say a line in; name one with --room".to_owned(),
            Error::Unsaid { refused, unconfirmed: 0 } => {
                format!("{} refused, told above", lines(*refused, "was", "were"))
            }
            Error::Unsaid { refused: 0, unconfirmed } => {
                format!(
                    "{} not confirmed, told above; check before sending again",
                    lines(*unconfirmed, "was", "were")
                )
            }
            Error::Unsaid { refused, unconfirmed } => format!(
                "{} refused and {unconfirmed} not confirmed, told above",
                lines(*refused, "was", "were")
            ),
            Error::Absent { peer } => {
                format!("{peer} is not connected yet; start `switchboard pipe --from` there first")
            }
            Error::Relay { peer, text } => format!("no relay with {peer}: {text}"),
            Error::Cut { peer, why, bytes } => {
                format!("the transfer with {peer} is incomplete: {why}, after {bytes} bytes")
            }
        }
    }
}

fn lines(count: usize, one: &str, more: &str) -> String {
    if count == 1 { format!("1 line {one}") } else { format!("{count} lines {more}") }
}
