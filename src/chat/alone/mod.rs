//! A chat of two without a server: one waits for a call, the other calls. The frames are those of a chat through a
//! server, and the one that waits plays the server's part.
//!
//! - [`dialogue`] what both do: lines to the peer and from it;
//! - [`host`] what the guest of the one that waits asks for, [`caller`] what the one that calls does;
//! - here, the sockets.
//!
//! The turn: poll, note, read, timers, accept, input, show, flush.
//!
//! Absent on purpose: UDP, because two that reach each other over TCP gain nothing by it; and authentication and
//! encryption, because there is nobody here whom both would trust.

mod caller;
mod dialogue;
mod host;
#[cfg(test)]
mod tests;

use super::capture::Capture;
use super::client::{End, FAREWELL_TIME, Face, Typing, go_on_if_interrupted};
use super::error::Error;
use super::link::{Incoming, Link};
use super::lost::Lost;
use super::paths::Dialler;
use super::{LINK, LISTENER, SIGNALS};
use crate::hub::name::UserName;
use crate::net::listener::{Accepted, accept, listen, turn_away};
use crate::wire::frame::Bye;
use crate::wire::header::put;
use crate::wire::{ByeCode, Flags};
use dialogue::Dialogue;
use host::{Host, NAME_BYTES_MAX, Served};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;
use std::io;
use std::net::ToSocketAddrs;
use std::time::{Duration, Instant};

/// Reads from the peer in one turn, and connections accepted, so that the user gets theirs.
const READS_MAX: usize = 8;
const ACCEPTS_MAX: usize = 16;

/// How long after hello a call may take to come about: somebody else may want to call, and a script to end.
const CALL_TIME: Duration = Duration::from_secs(10);

/// How long a connection waits that cannot be accepted for want of a descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What somebody is told who calls while another one is here.
const BUSY: &[u8] = b"ERROR :busy: this is a chat of two, and somebody else is here; try again later\r\n";

/// What somebody is told who does not speak the protocol.
const NOT_SPOKEN: &[u8] = b"ERROR :a Switchboard chat waits here for its peer, and speaks nothing else\r\n";

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AloneOptions {
    pub nick: String,
    pub role: AloneRole,
    /// What goes through the sockets, for whoever wants to look at it.
    pub capture: crate::capture::Options,
}

/// Which of the two this is. Addresses are `host:port`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AloneRole {
    /// Waits for one peer after the other.
    Listen(String),
    /// Calls the one that waits there.
    Call(String),
}

pub struct Alone<'a, F> {
    options: &'a AloneOptions,
    poll: Poll,
    signals: Signals,
    face: F,
    interactive: bool,
    dialogue: Dialogue,
    waiting: Option<Waiting>,
    link: Option<Box<Link>>,
    /// Until when the other end, which is there, may leave us without a call.
    call_due: Option<Instant>,
    farewell: Option<Farewell>,
    capture: Capture,
}

/// Where peers call.
struct Waiting {
    listener: TcpListener,
    host: Host,
    /// When accepting is worth a try.
    accept_at: Option<Instant>,
}

struct Farewell {
    deadline: Instant,
    end: End,
}

impl<'a, F: Face> Alone<'a, F> {
    /// Listens, or begins to connect.
    ///
    /// # Errors
    /// [`Error`], when not even the beginning works.
    pub fn new(options: &'a AloneOptions, poll: Poll, face: F, interactive: bool) -> Result<Self, Error> {
        UserName::new(&options.nick, NAME_BYTES_MAX).map_err(|refusal| Error::Nick(refusal.to_string()))?;
        let system = |error| Error::System { what: "watch for signals", error };
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(system)?;
        poll.registry().register(&mut signals, SIGNALS, Interest::READABLE).map_err(system)?;
        let mut alone = Alone {
            options,
            poll,
            signals,
            face,
            interactive,
            dialogue: Dialogue::default(),
            waiting: None,
            link: None,
            call_due: None,
            farewell: None,
            capture: Capture::open(&options.capture)?,
        };
        match &options.role {
            AloneRole::Listen(address) => alone.listen(address)?,
            AloneRole::Call(address) => {
                let link = Link::dial(
                    alone.poll.registry(),
                    LINK,
                    address,
                    &options.nick,
                    Dialler::default(),
                    Instant::now(),
                );
                let failed = |lost| Error::Peer { address: address.clone(), lost };
                let mut link = link.map_err(failed)?;
                link.capture(&alone.capture);
                alone.link = Some(Box::new(link));
            }
        }
        Ok(alone)
    }

    fn listen(&mut self, address: &str) -> Result<(), Error> {
        let failed = |error| Error::Listen { address: address.to_owned(), error };
        let mut last = io::ErrorKind::AddrNotAvailable.into();
        let candidates = address.to_socket_addrs().map_err(failed)?;
        let listener = candidates.map(listen).find_map(|result| result.map_err(|error| last = error).ok());
        let mut listener = listener.ok_or_else(|| failed(last))?;
        let local = listener.local_addr().map_err(failed)?;
        self.poll.registry().register(&mut listener, LISTENER, Interest::READABLE).map_err(failed)?;
        self.dialogue.notice(format!("waiting for a call at {local}"));
        let host = Host::new(&self.options.nick);
        self.waiting = Some(Waiting { listener, host, accept_at: None });
        Ok(())
    }

    /// Until the user leaves, a signal comes, or there is nothing left to do. The face is given back in any case, with
    /// what it may still have to write.
    pub fn run(mut self) -> (Result<End, Error>, F) {
        let mut events = Events::with_capacity(64);
        self.show();
        self.offer_prompt();
        let result = loop {
            match self.turn(&mut events) {
                Ok(None) => {}
                Ok(Some(End::Quit)) => break self.face.verdict(&self.dialogue).map(|()| End::Quit),
                Ok(Some(end)) => break Ok(end),
                Err(error) => break Err(error),
            }
        };
        self.show();
        (result, self.face)
    }

    fn turn(&mut self, events: &mut Events) -> Result<Option<End>, Error> {
        let timeout = self.timeout(Instant::now());
        self.poll.poll(events, timeout).or_else(go_on_if_interrupted)?;
        let now = Instant::now();
        for event in events.iter() {
            match (event.token(), &mut self.link, &mut self.waiting) {
                (LINK, Some(link), _) => link.note(event),
                (LISTENER, _, Some(waiting)) => waiting.accept_at = Some(now),
                _ => {}
            }
        }
        let driven = self.drive(now);
        self.heed(driven, now)?;
        // After reading: who has just gone is not in the way of the next.
        self.accept(now);
        self.heed_signals(now);
        if self.farewell.is_none() {
            self.face.take_input(&mut self.dialogue)?;
            if self.face.is_done() {
                self.dialogue.end_input();
            }
            self.dialogue.pump(now);
            self.consider_leaving(now);
        }
        self.show();
        self.offer_prompt();
        self.face.pump()?;
        let flushed = self.flush();
        self.capture.hand_over();
        self.heed(flushed, now)?;
        Ok(self.end(now))
    }

    /// How long there is nothing to do unless something happens.
    fn timeout(&self, now: Instant) -> Option<Duration> {
        let link_at = self.link.as_ref().map(|link| {
            let busy = link.is_flushable() || (link.is_readable() && !self.face.is_stalled());
            if busy { now } else { link.next_look() }
        });
        let accept_at = self.waiting.as_ref().and_then(|waiting| waiting.accept_at);
        let farewell = self.farewell.as_ref().map(|farewell| farewell.deadline);
        // Only the one that called ever leaves because the peer is silent.
        let silent_at = if self.waiting.is_none() { self.dialogue.next_look() } else { None };
        let at = [link_at, self.call_due, accept_at, farewell, silent_at].into_iter().flatten().min();
        at.map(|at| at.saturating_duration_since(now))
    }

    /// Takes the first who calls, and turns all others away: those that come while it is here, and, so that a caller
    /// never waits for nothing, those that come before it has said hello.
    fn accept(&mut self, now: Instant) {
        let Some(waiting) = &mut self.waiting else { return };
        for _ in 0..ACCEPTS_MAX {
            if waiting.accept_at.is_none_or(|at| at > now) {
                return;
            }
            match accept(&waiting.listener) {
                Accepted::Connection(socket, address) if self.link.is_none() && self.farewell.is_none() => {
                    log::debug!("{address} calls");
                    match Link::accept(self.poll.registry(), LINK, socket, now) {
                        Ok(mut link) => {
                            link.capture(&self.capture);
                            self.link = Some(Box::new(link));
                        }
                        Err(error) => log::warn!("{address}: {error}"),
                    }
                }
                Accepted::Connection(socket, address) => {
                    log::debug!("{address} called and was turned away, because somebody else is here");
                    turn_away(socket, BUSY);
                }
                Accepted::Drained => waiting.accept_at = None,
                Accepted::Skipped(error) => log::debug!("a caller was gone at once: {error}"),
                Accepted::OutOfDescriptors(error) => {
                    log::warn!("cannot accept: {error}");
                    waiting.accept_at = Some(now + ACCEPT_PAUSE);
                }
            }
        }
    }

    /// Connects, reads, looks at the clock.
    fn drive(&mut self, now: Instant) -> Result<(), Lost> {
        let Some(link) = &mut self.link else { return Ok(()) };
        link.advance(self.poll.registry(), now)?;
        for _ in 0..READS_MAX {
            if !link.is_readable() || self.face.is_stalled() {
                break;
            }
            let (dialogue, waiting) = (&mut self.dialogue, &mut self.waiting);
            let mut outcome = Ok(());
            link.read(now, |out, incoming| {
                if outcome.is_err() {
                    return; // what comes behind is not looked at
                }
                let served = match (incoming, &mut *waiting) {
                    (Incoming::Welcome { .. }, _) => {
                        caller::call(dialogue);
                        Ok(Served::Answered)
                    }
                    (Incoming::Frame { channel, flags, frame }, _) => {
                        caller::hear(now, channel, flags, frame, dialogue).map(|()| Served::Answered)
                    }
                    (Incoming::Request(raw), Some(waiting)) => waiting.host.serve(now, &raw, dialogue),
                    (Incoming::Request(_), None) => Ok(Served::Answered),
                };
                out.send_encoded(&dialogue.take_frames());
                match served {
                    Ok(Served::Welcomed { body_max }) => out.note_welcome(body_max),
                    Ok(Served::Answered) => {}
                    Err(lost) => outcome = Err(lost),
                }
            })?;
            outcome?;
            // What was read is on its way before more is: a stalled face is noticed in between.
            self.dialogue.take_shown().iter().for_each(|shown| self.face.show(shown));
        }
        if self.face.is_stalled() {
            self.dialogue.keep_waiting(now);
        }
        link.expect_answers(!self.face.is_stalled(), now);
        link.tick(now)?;
        self.expect_call(now)
    }

    /// Gives up on who has said hello and is then in the way without a call.
    fn expect_call(&mut self, now: Instant) -> Result<(), Lost> {
        let is_met = self.link.as_ref().is_some_and(|link| link.is_open());
        // While nothing can be shown nothing is read either, and the call may have come.
        if !is_met || self.dialogue.has_peer() || self.face.is_stalled() || self.farewell.is_some() {
            self.call_due = None;
            return Ok(());
        }
        let due = *self.call_due.get_or_insert(now + CALL_TIME);
        if now < due { Ok(()) } else { Err(Lost::NoCall) }
    }

    fn flush(&mut self) -> Result<(), Lost> {
        let frames = self.dialogue.take_frames();
        let Some(link) = &mut self.link else { return Ok(()) };
        if !frames.is_empty() {
            link.out().send_encoded(&frames);
        }
        link.flush()
    }

    /// Takes a lost connection for what it is: for the one that waits, a reason to wait for the next; for the one that
    /// called, the end.
    fn heed(&mut self, outcome: Result<(), Lost>, now: Instant) -> Result<(), Error> {
        let Err(lost) = outcome else { return Ok(()) };
        let Some(link) = self.link.take() else { return Ok(()) };
        self.call_due = None;
        link.part(self.poll.registry(), &last_words(&lost, self.waiting.is_some()));
        self.dialogue.take_frames();
        if self.farewell.is_some() {
            return Ok(());
        }
        let was_here = self.dialogue.has_peer();
        match &lost {
            Lost::Bye { code, text } if *code == ByeCode::Goodbye.number() => self.dialogue.peer_left(text),
            lost => self.dialogue.peer_lost(&lost.told_of("the peer")),
        }
        match (&mut self.waiting, &self.options.role) {
            (Some(waiting), _) => {
                waiting.host.forget();
                match was_here {
                    true if self.dialogue.is_finished() => {}
                    true => self.dialogue.notice("waiting for the next call"),
                    false => log::debug!("somebody called in vain: {}", lost.told_of("the peer")),
                }
                Ok(())
            }
            (None, _) if self.dialogue.has_been_left() => {
                self.farewell = Some(Farewell { deadline: now, end: End::Quit });
                Ok(())
            }
            (None, AloneRole::Call(address) | AloneRole::Listen(address)) => {
                Err(Error::Peer { address: address.clone(), lost })
            }
        }
    }

    fn heed_signals(&mut self, now: Instant) {
        let signals: Vec<i32> = self.signals.pending().collect();
        for signal in signals {
            if self.farewell.is_some() {
                // The second one does not wait for anybody.
                self.farewell = Some(Farewell { deadline: now, end: End::Signal(signal) });
            } else {
                self.say_farewell(End::Signal(signal), "", now);
            }
        }
    }

    fn consider_leaving(&mut self, now: Instant) {
        let is_over = match self.waiting {
            Some(_) => self.dialogue.is_finished(),
            None => self.dialogue.is_through(now) || self.dialogue.has_been_left(),
        };
        if let Some(words) = self.dialogue.leaving().map(str::to_owned) {
            self.say_farewell(End::Quit, &words, now);
        } else if is_over || self.face.is_gone() {
            self.say_farewell(End::Quit, "", now);
        }
    }

    fn say_farewell(&mut self, end: End, words: &str, now: Instant) {
        let frames = self.dialogue.take_frames();
        let mut deadline = now;
        if let Some(link) = self.link.as_mut().filter(|link| link.is_open()) {
            link.out().send_encoded(&frames);
            link.say_bye(words);
            deadline += FAREWELL_TIME;
        }
        self.farewell = Some(Farewell { deadline, end });
    }

    fn end(&self, now: Instant) -> Option<End> {
        let farewell = self.farewell.as_ref()?;
        (self.link.is_none() || now >= farewell.deadline).then_some(farewell.end)
    }

    fn show(&mut self) {
        self.dialogue.take_shown().iter().for_each(|shown| self.face.show(shown));
    }

    /// Shows the next prompt; the one that calls gets its first when somebody has answered.
    fn offer_prompt(&mut self) {
        let is_due = self.waiting.is_some() || self.dialogue.has_peer();
        if is_due && self.interactive && self.face.wants_prompt() && self.farewell.is_none() {
            let prompt = self.dialogue.prompt();
            self.face.prompt(prompt, Typing::Shown);
        }
    }
}

/// What the other end is told before the connection is closed, if it can be told anything.
fn last_words(lost: &Lost, is_host: bool) -> Vec<u8> {
    let (code, text) = match lost {
        Lost::Text(_) if is_host => return NOT_SPOKEN.to_vec(),
        Lost::Bye { .. } if is_host => (ByeCode::Goodbye, "goodbye".to_owned()),
        Lost::NoHello => (ByeCode::HelloExpected, "the first frame must be hello".to_owned()),
        Lost::NoCall if is_host => (ByeCode::IdleTimeout, "you said hello and opened no call".to_owned()),
        Lost::Silent if is_host => (ByeCode::IdleTimeout, "nothing was heard from you".to_owned()),
        Lost::Broken(why) => (ByeCode::Malformed, format!("malformed: {why}")),
        _ => return Vec::new(),
    };
    let mut words = Vec::new();
    put(&mut words, Flags::NONE, 0, &Bye { code: code.number(), text: &text });
    words
}
