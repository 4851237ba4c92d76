//! The terminal clients: `switchboard chat`, `switchboard pipe` and `switchboard doctor`.
//!
//! - `link` one connection, `dial` how it begins, `outgoing` its frames, `pulse` whether it lives, `lost` how it ends, `pause` when it is made again;
//! - `conversation` the chat itself, pure; `command`, `room_command` and `past_command` what is typed, `shown` and `sanitise` what is shown;
//! - `client` the poll loop of a chat, with a `terminal` or a `script` for a face; `partner` whom the face talks to;
//! - `talk` the lines of a conversation of two, whatever path they take;
//! - `alone` a chat of two without a server;
//! - `pipe` both ends of a pipe;
//! - `doctor` two clients that try out a server;
//! - `paths` datagrams and direct paths to peers, `bypass` between these and the conversation;
//! - `capture` what of all this is captured;
//! - `stdio` standard input and output beside a poll loop, `printer` what is printed above a prompt.
//!
//! Absent on purpose: a history on disk (what is said in private should not end up in a file unasked), colours, and
//! anything that resends a message to a room or in private by itself: whether one that was not confirmed was delivered,
//! nobody can know. In a conversation of two the lines are numbered, and `talk` does know.

mod alone;
mod bypass;
mod capture;
mod client;
mod command;
mod conversation;
mod dial;
mod doctor;
mod error;
mod link;
mod lost;
mod outgoing;
mod partner;
mod past_command;
mod paths;
mod pause;
mod pipe;
mod printer;
mod pulse;
mod room_command;
mod sanitise;
mod script;
mod shown;
mod stdio;
mod talk;
mod terminal;

pub use alone::{AloneOptions, AloneRole};
pub use conversation::{AtOnce, Credentials, Login, Share, Ways};
pub use doctor::doctor;
pub use error::Error;
pub use lost::Lost;
pub use paths::Mode;
pub use pipe::{PipeOptions, PipeRole, pipe};
pub use sanitise::sanitise;

use alone::Alone;
use client::{Client, End, Face};
use mio::{Poll, Token, Waker};
use script::Script;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use terminal::Terminal;

const LINK: Token = Token(0);
const WAKER: Token = Token(1);
const SIGNALS: Token = Token(2);
const LISTENER: Token = Token(3);

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChatOptions {
    /// `host:port`; every address that the host has is tried.
    pub server: String,
    pub nick: String,
    pub credentials: Credentials,
    /// Rooms to enter, with or without their `#`. A script's lines are said in the first.
    pub rooms: Vec<String>,
    /// How many of the latest messages are shown of a room on entering; `None`: some on a terminal, none in a script.
    pub history: Option<u16>,
    /// What is done about calls without the user.
    pub at_once: AtOnce,
    pub ways: Ways,
    /// Addresses at which peers can reach this client, beyond those that it finds out itself.
    pub declared: Vec<SocketAddr>,
    /// What goes through the sockets, for whoever wants to look at it.
    pub capture: crate::capture::Options,
}

/// Chats until the user leaves: on a terminal if standard input and output are one, else as a script.
///
/// A signal (INT, TERM, HUP) says goodbye and then ends the process as that signal would have.
///
/// # Errors
/// [`Error`], in one sentence for the user.
pub fn run(options: ChatOptions) -> Result<(), Error> {
    run_program(options)
}

/// Chats with one peer and without a server, on a terminal or as a script.
///
/// # Errors
/// As [`run`].
pub fn run_alone(options: AloneOptions) -> Result<(), Error> {
    run_program(options)
}

/// A poll loop around a face.
trait Program {
    /// # Errors
    /// When it cannot even begin.
    fn run<F: Face>(self, poll: Poll, face: F, interactive: bool) -> Result<(Result<End, Error>, F), Error>;
}

impl Program for ChatOptions {
    fn run<F: Face>(self, poll: Poll, face: F, interactive: bool) -> Result<(Result<End, Error>, F), Error> {
        if self.ways.is_impossible(interactive) {
            return Err(Error::Unshown);
        }
        Ok(Client::new(&self, poll, face, interactive)?.run())
    }
}

impl Program for AloneOptions {
    fn run<F: Face>(self, poll: Poll, face: F, interactive: bool) -> Result<(Result<End, Error>, F), Error> {
        Ok(Alone::new(&self, poll, face, interactive)?.run())
    }
}

fn run_program(program: impl Program) -> Result<(), Error> {
    let (poll, waker) = poll_and_waker()?;
    let started = |error| Error::System { what: "start reading standard input", error };
    let interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    let end = if interactive {
        let face = Terminal::new(waker).map_err(started)?;
        // The terminal is put back as it was where the face goes, before anything else is said.
        program.run(poll, face, true)?.0?
    } else {
        let hurry = end_at_second_signal()?;
        let face = Script::new(&waker).map_err(started)?;
        let (end, face) = program.run(poll, face, false)?;
        if !matches!(end, Ok(End::Signal(_))) {
            hurry.store(true, Ordering::Relaxed); // what remains may wait for a reader who never comes
            let written = face.finish();
            end.and_then(|end| written.map(|()| end))?
        } else {
            end?
        }
    };
    match end {
        End::Quit => Ok(()),
        End::Signal(signal) => {
            emulate_default_handler(signal).map_err(|error| Error::System { what: "end by a signal", error })
        }
    }
}

/// Once what it returns is set, which the first signal does, a signal ends the process whatever it waits for: output
/// that nobody reads would else keep it from saying goodbye, and from ending. Not for a terminal, which has to be put
/// back as it was.
fn end_at_second_signal() -> Result<Arc<AtomicBool>, Error> {
    let hurry = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_default(signal, Arc::clone(&hurry))
            .and_then(|_| flag::register(signal, Arc::clone(&hurry)))
            .map_err(|error| Error::System { what: "watch for signals", error })?;
    }
    Ok(hurry)
}

fn poll_and_waker() -> Result<(Poll, Arc<Waker>), Error> {
    let system = |error| Error::System { what: "set up a poll", error };
    let poll = Poll::new().map_err(system)?;
    let waker = Waker::new(poll.registry(), WAKER).map_err(system)?;
    Ok((poll, Arc::new(waker)))
}
