//! One client's dialect, as a pure state machine: bytes → commands for the hub, effects of the hub → bytes. No
//! socket, no clock: whoever owns the connection calls [`Session::next`] with what arrived and does what the
//! [`Step`] says.
//!
//! Native frames (`native`) and lines of IRC ([`irc`]) are spoken. What else may arrive on the port is recognised, told in
//! its own words that nobody speaks it here, and closed (`foreign`); but that figures may be asked for over HTTP
//! (`http`).
//!
//! **A session's own words** - answers for which nobody has to be asked - are appended to `out`, and reach the client
//! before whatever the step leads to.
//!
//! **One request, several steps.** A request that asks the hub for several things is several steps, of which all but
//! the last have `used: 0`: the bytes stay where they are, and the session remembers which thing is next. Between two
//! of them other clients may have their turn, and a client that does not read what it asked for gets no more of it.

mod close;
mod dialect;
mod flags;
mod foreign;
mod http;
pub mod irc;
#[cfg(feature = "storage")]
pub use irc::scram;
mod native;
mod surroundings;

pub use close::{Banned, CloseReason};
pub use dialect::{About, Dialect, Stamp, Variant};
pub use http::encode_metrics;
pub use surroundings::{Description, NAME_BYTES_MAX, Surroundings, VERSION};

use crate::hub::{ChannelId, Command, Event, Host, Reply, RequestId};
use crate::wire::RefusalCode;
use crate::wire::sniff::{Protocol, sniff};
use std::fmt::Display;
use std::time::Duration;

/// What the bytes at hand amount to. `used` is how many of them are done with, in bytes.
#[derive(Debug, PartialEq)]
pub enum Step<'a> {
    /// No whole frame yet; worth another look with `needed` bytes in total.
    Incomplete { needed: usize },
    /// Something for the hub.
    Command { used: usize, request: RequestId, command: Command<'a> },
    /// Relay payload: whole frames, one behind the other, all for one relay, to be passed on as they are.
    Payload { used: usize, relay: ChannelId, longest: usize },
    /// The client wants to exchange datagrams; `wants` are bits of [`Wants`](crate::wire::frame::Wants).
    Ticket { used: usize, request: RequestId, wants: u8 },
    /// Nothing more to do; what there was to answer is in `out`.
    Done { used: usize },
    /// As `Done`; and from here on [`Session::dialect`] is another one. What the client's rooms said before still comes
    /// in the old one, and before `out`.
    NewDialect { used: usize },
    /// The client gives a password. Nothing is asked of the session until [`Session::verified`] has told it whether that
    /// is right; where `used` is 0, the same bytes come again then.
    Verify { used: usize, request: RequestId, credential: Credential<'a>, password: &'a str },
    /// The client wants the server's figures over HTTP, and nothing else: [`encode_metrics`], where it may have them. Then
    /// there is no going on.
    Metrics,
    /// As `Done`; and the server reads its settings again, as an operator wants it.
    Reload { used: usize },
    /// The client says goodbye.
    Quit { used: usize, text: &'a str },
    /// There is no going on.
    Close(CloseReason),
}

impl Step<'_> {
    /// How many bytes it is done with; 0 while there is more to do about them.
    pub fn used(&self) -> usize {
        match *self {
            Step::Command { used, .. }
            | Step::Payload { used, .. }
            | Step::Ticket { used, .. }
            | Step::Done { used }
            | Step::NewDialect { used }
            | Step::Reload { used }
            | Step::Verify { used, .. }
            | Step::Quit { used, .. } => used,
            Step::Incomplete { .. } | Step::Metrics | Step::Close(_) => 0,
        }
    }
}

/// What a password is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Credential<'a> {
    /// To come in at all, where [`Surroundings::wants_password`].
    Server,
    /// To be an operator. The name is as it is in the config, letter by letter.
    Operator { name: &'a str },
}

/// What was found out about a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Right,
    /// That, or nobody has such a name, or nobody from there.
    Wrong,
    /// Wrong ones came from there, and the next is taken after that time. This one was not looked at.
    NotYet {
        wait: Duration,
    },
    /// It could not be checked.
    Unknown,
}

/// One client's side of the conversation.
pub struct Session(State);

enum State {
    /// Too few bytes to tell the protocol. Some of them show a client where it comes from; boxed, as it is soon over and
    /// would make every session larger.
    Undecided(Box<Host>),
    Native(native::Native),
    /// Boxed: lines need much more to be remembered than frames.
    Irc(Box<irc::Dialogue>),
    /// A request over HTTP, where there is something to be had by one.
    Http(http::Request),
    /// A protocol that is recognised and not spoken.
    Foreign(Protocol),
}

impl Session {
    /// `host`: what others see of the client's address.
    pub fn new(host: Host) -> Self {
        Session(State::Undecided(Box::new(host)))
    }

    /// The first step that `bytes` allow. They start where the last step's `used` ended.
    ///
    /// `out` takes what the session says by itself. `notes` is empty, and for text of the step's that does not lie in
    /// `bytes`, such as where a list that is asked for page by page goes on.
    pub fn next<'a>(
        &mut self,
        bytes: &'a [u8],
        surroundings: &Surroundings,
        notes: &'a mut String,
        out: &mut Vec<u8>,
    ) -> Step<'a> {
        match &mut self.0 {
            State::Undecided(host) => match sniff(bytes) {
                None => Step::Incomplete { needed: bytes.len() + 1 },
                Some(Protocol::Native) => {
                    let mut native = native::Native::default();
                    let step = native.next(bytes, surroundings, out);
                    self.0 = State::Native(native);
                    step
                }
                Some(Protocol::Text) if surroundings.server.irc => {
                    let mut irc = Box::new(irc::Dialogue::new(**host));
                    let step = irc.next(bytes, surroundings, notes, out);
                    self.0 = State::Irc(irc);
                    step
                }
                Some(Protocol::HttpGet) if surroundings.gives_metrics => {
                    let mut request = http::Request::default();
                    let step = step_of(&mut request, bytes);
                    self.0 = State::Http(request);
                    step
                }
                Some(protocol) => {
                    self.0 = State::Foreign(protocol);
                    Step::Close(CloseReason::NotSpoken)
                }
            },
            State::Native(native) => native.next(bytes, surroundings, out),
            State::Irc(irc) => irc.next(bytes, surroundings, notes, out),
            State::Http(request) => step_of(request, bytes),
            State::Foreign(_) => Step::Close(CloseReason::NotSpoken),
        }
    }

    /// How the client is written to; `None` before it has logged in.
    pub fn dialect(&self) -> Option<Dialect> {
        match &self.0 {
            State::Native(native) if native.is_open() => Some(Dialect::Native),
            State::Irc(irc) if irc.is_open() => Some(Dialect::Irc(irc.variant())),
            _ => None,
        }
    }

    #[inline] // asked for each connection that is owed something
    pub fn is_logged_in(&self) -> bool {
        match &self.0 {
            State::Native(native) => native.is_open(),
            State::Irc(irc) => irc.is_open(),
            State::Undecided(_) | State::Http(_) | State::Foreign(_) => false,
        }
    }

    /// The hub has accepted the login.
    pub fn open(&mut self) {
        match &mut self.0 {
            State::Native(native) => native.open(),
            State::Irc(irc) => irc.open(),
            State::Undecided(_) | State::Http(_) | State::Foreign(_) => {}
        }
    }

    /// Appends what is to be said when everything that a step led to has been carried out.
    pub fn settle(&mut self, surroundings: &Surroundings, out: &mut Vec<u8>) {
        if let State::Irc(irc) = &mut self.0 {
            irc.settle(surroundings, out);
        }
    }

    /// Whether it has something to ask the hub for, whatever the client sends.
    pub fn wants_more(&self) -> bool {
        matches!(&self.0, State::Irc(irc) if irc.owes_names())
    }

    /// Appends the hub's answer to a request, or what one is told without having asked, because another session of the
    /// same user made it so.
    pub fn encode_reply(
        &mut self,
        request: RequestId,
        channel: ChannelId,
        reply: &Reply<'_>,
        surroundings: &Surroundings,
        out: &mut Vec<u8>,
    ) {
        match &mut self.0 {
            State::Native(native) => native.encode_reply(request, channel, reply, out),
            State::Irc(irc) if request == RequestId::NONE => irc.encode_unasked(reply, surroundings, out),
            State::Irc(irc) => irc.encode_reply(reply, surroundings, out),
            State::Undecided(_) | State::Http(_) | State::Foreign(_) => {}
        }
    }

    /// Appends an event that is for this client alone.
    pub fn encode_event(
        &mut self,
        about: About<'_>,
        event: &Event<'_>,
        stamp: &Stamp<'_>,
        out: &mut Vec<u8>,
    ) {
        match &mut self.0 {
            State::Native(_) => native::encode_event(about, event, out),
            State::Irc(irc) => irc.encode_event(about.room, event, stamp, out),
            State::Undecided(_) | State::Http(_) | State::Foreign(_) => {}
        }
    }

    /// What became of the password of a [`Step::Verify`].
    pub fn verified(&mut self, _: RequestId, verdict: Verdict) {
        match &mut self.0 {
            State::Irc(irc) => irc.verified(verdict),
            State::Native(native) => native.verified(verdict),
            State::Undecided(_) | State::Http(_) | State::Foreign(_) => {}
        }
    }

    /// Whether the client's requests are counted, and those of a fast one are held back.
    pub fn is_metered(&self) -> bool {
        matches!(self.0, State::Irc(_))
    }

    /// Tells the client that it was too fast, and that its next request is taken after `wait`.
    pub fn encode_throttled(&self, wait: Duration, surroundings: &Surroundings, out: &mut Vec<u8>) {
        if let State::Irc(irc) = &self.0 {
            irc.encode_throttled(wait, surroundings, out);
        }
    }

    /// Appends a refusal that is not the hub's.
    pub fn encode_refusal(
        &self,
        request: RequestId,
        channel: ChannelId,
        (code, text): (RefusalCode, &str),
        out: &mut Vec<u8>,
    ) {
        if let State::Native(_) = &self.0 {
            native::encode_refusal(request, channel, (code, text), out);
        }
    }

    /// Appends a sign of life that the client has to answer.
    pub fn encode_ping(&self, surroundings: &Surroundings, out: &mut Vec<u8>) {
        match &self.0 {
            State::Native(_) => native::encode_ping(out),
            State::Irc(irc) => irc.encode_ping(surroundings, out),
            _ => {}
        }
    }

    /// Tells the client something that it is the server's to say.
    pub fn encode_notice(&self, text: &str, surroundings: &Surroundings, out: &mut Vec<u8>) {
        match &self.0 {
            State::Irc(irc) => irc.encode_notice(text, surroundings, out),
            State::Native(_) => native::encode_notice(&surroundings.server.name, text, out),
            State::Undecided(_) | State::Http(_) | State::Foreign(_) => {}
        }
    }

    /// Tells the client that what it did holds, but is not saved.
    pub fn encode_unsaved(&self, text: &str, surroundings: &Surroundings, out: &mut Vec<u8>) {
        match &self.0 {
            State::Irc(irc) => irc.encode_unsaved(text, surroundings, out),
            _ => self.encode_notice(text, surroundings, out),
        }
    }

    /// Tells an operator of the server that it is one no more.
    pub fn encode_dismissed(&self, surroundings: &Surroundings, out: &mut Vec<u8>) {
        if let State::Irc(irc) = &self.0 {
            irc.encode_dismissed(surroundings, out);
        }
    }

    /// Appends the last words, in the client's own protocol as far as it is known: as a rule those of the reason.
    pub fn encode_farewell(&self, reason: CloseReason, words: &dyn Display, out: &mut Vec<u8>) {
        match &self.0 {
            State::Native(_) => native::encode_farewell(reason, words, out),
            State::Irc(irc) => irc.encode_farewell(words, out),
            State::Undecided(_) => foreign::encode_farewell(Protocol::Text, words, out),
            State::Http(request) => request.encode_farewell(reason, out),
            State::Foreign(Protocol::Text) => foreign::encode_farewell(Protocol::Text, &NO_IRC, out),
            State::Foreign(protocol) => foreign::encode_farewell(*protocol, words, out),
        }
    }
}

fn step_of(request: &mut http::Request, bytes: &[u8]) -> Step<'static> {
    match request.read(bytes) {
        http::Asked::Incomplete { needed } => Step::Incomplete { needed },
        http::Asked::Metrics => Step::Metrics,
        http::Asked::Nothing(_) => Step::Close(CloseReason::NotSpoken),
    }
}

/// What those are told who speak in lines, where nobody listens to them.
const NO_IRC: &str = "IRC is turned off on this server";
