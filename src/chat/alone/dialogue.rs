//! What one user is in the middle of when there is no server: at most one peer, and lines to and from them. Pure:
//! typed lines and payload go in, frames and lines to show come out.
//!
//! Who has nothing more to say says so (`END`) once the peer has everything. A script that waits for its peer to be
//! through as well then knows when both are, and neither cuts off what the other still has to say.

use crate::chat::command::{Command, parse};
use crate::chat::conversation::pieces;
use crate::chat::error::Error;
use crate::chat::partner::{Partner, UNANSWERED_MAX};
use crate::chat::shown::Shown;
use crate::chat::talk::{Carrier, HEAD_BYTES, Malformed, Talk, Unsayable};
use crate::wire::Flags;
use crate::wire::frame::Data;
use crate::wire::header::put;
use crate::wire::irc::ctcp::Ctcp;
use std::time::{Duration, Instant};

/// The channel of the only relay there is.
pub const CHANNEL: u32 = 1;

/// How long a script that is through waits for the next line of a peer that is not. A peer may never be: a script may
/// be fed for ever.
const LINGER: Duration = Duration::from_secs(2);

const HELP: &[&str] = &[
    "A line without / is said to the peer that the prompt shows. There is nobody else here, and no server.",
    "/quit [TEXT]            leave, with a word to the peer; so do Ctrl-D and Ctrl-C",
    "//TEXT                  say a text that starts with /",
];

#[derive(Default)]
pub struct Dialogue {
    call: Option<Call>,
    calls: u32,
    /// The call when the prompt was last shown.
    prompted: Option<CallId>,
    frames: Vec<u8>,
    shown: Vec<Shown>,
    leaving: Option<String>,
    /// Whether the user has nothing more to say to anybody.
    input_over: bool,
    /// Texts that cannot be said, and those that a peer had not acknowledged when it was gone.
    refused: usize,
    unconfirmed: usize,
    /// The peer of the last call, if it is over and the peer had the last word.
    left: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct CallId(u32);

struct Call {
    id: CallId,
    peer: String,
    text_max: usize,
    talk: Talk,
    end_said: bool,
    end_heard: bool,
    /// When there last was a reason to wait for the peer's next line.
    lively_at: Instant,
}

impl Dialogue {
    /// A peer is there.
    pub fn begin(&mut self, peer: &str, payload_max: u16, now: Instant) {
        self.calls = self.calls.wrapping_add(1);
        self.left = None;
        self.call = Some(Call {
            id: CallId(self.calls),
            peer: peer.to_owned(),
            text_max: usize::from(payload_max).saturating_sub(HEAD_BYTES).max(1),
            talk: Talk::default(),
            end_said: false,
            end_heard: false,
            lively_at: now,
        });
    }

    /// The payload of a data frame.
    ///
    /// # Errors
    /// [`Malformed`]; there is no going on with this peer.
    pub fn receive(&mut self, now: Instant, payload: &[u8], flags: Flags) -> Result<(), Malformed> {
        let Some(call) = &mut self.call else { return Ok(()) };
        let ends = flags.contains(Flags::END);
        if !(ends && payload.is_empty()) {
            let (peer, shown, lively_at) = (&call.peer, &mut self.shown, &mut call.lively_at);
            call.talk.receive(now, payload, |text| {
                *lively_at = now;
                shown.push(Shown::Call { peer: peer.clone(), text: text.to_owned() });
            })?;
        }
        if ends && !call.end_heard {
            call.end_heard = true;
            let sentence = format!("{} has nothing more to say", call.peer);
            self.notice(sentence);
        }
        Ok(())
    }

    /// The peer said goodbye, perhaps with words.
    pub fn peer_left(&mut self, words: &str) {
        let Some(peer) = self.end_call() else { return };
        let words = if words.is_empty() { String::new() } else { format!(": {words}") };
        self.notice(format!("{peer} left{words}"));
        self.left = Some(peer);
    }

    /// The connection is gone, and nobody said goodbye.
    pub fn peer_lost(&mut self, why: &str) {
        if let Some(peer) = self.end_call() {
            self.trouble(format!("{peer} is gone: {why}"));
        }
    }

    fn end_call(&mut self) -> Option<String> {
        let call = self.call.take()?;
        self.unconfirmed += call.talk.unacked().len();
        for text in call.talk.unacked() {
            self.shown.push(Shown::Trouble(format!("not confirmed: {}: {text}", call.peer)));
        }
        Some(call.peer)
    }

    /// Puts what is due into frames.
    pub fn pump(&mut self, now: Instant) {
        let Some(call) = &mut self.call else { return };
        let frames = &mut self.frames;
        call.talk.send(now, Carrier::Reliable, |_, payload| {
            put(frames, Flags::NONE, CHANNEL, &Data { payload });
        });
        if self.input_over && call.talk.is_settled() && !call.end_said {
            call.end_said = true;
            call.lively_at = now;
            put(frames, Flags::END, CHANNEL, &Data { payload: &[] });
        }
    }

    /// The user has nothing more to say.
    pub fn end_input(&mut self) {
        self.input_over = true;
    }

    /// What the peer says cannot be shown now, so that its silence means nothing.
    pub fn keep_waiting(&mut self, now: Instant) {
        if let Some(call) = &mut self.call {
            call.lively_at = now;
        }
    }

    /// Whether both sides have said everything, or the peer has been silent for long enough after we had.
    pub fn is_through(&self, now: Instant) -> bool {
        self.call.as_ref().is_some_and(|call| {
            call.end_said && (call.end_heard || now.saturating_duration_since(call.lively_at) >= LINGER)
        })
    }

    /// When [`Dialogue::is_through`] may become true by itself.
    pub fn next_look(&self) -> Option<Instant> {
        let call = self.call.as_ref()?;
        (call.end_said && !call.end_heard).then_some(call.lively_at + LINGER)
    }

    /// Whether the last peer has said goodbye and there is nothing left to say to another one.
    pub fn is_finished(&self) -> bool {
        self.input_over && self.left.is_some()
    }

    /// Whether the last peer has said goodbye.
    pub fn has_been_left(&self) -> bool {
        self.left.is_some()
    }

    pub fn has_peer(&self) -> bool {
        self.call.is_some()
    }

    pub fn take_frames(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.frames)
    }

    pub fn take_shown(&mut self) -> Vec<Shown> {
        std::mem::take(&mut self.shown)
    }

    /// The buffer in which answers to the peer's frames go.
    pub fn frames(&mut self) -> &mut Vec<u8> {
        &mut self.frames
    }

    /// Whether the user wants to go, and with which words.
    pub fn leaving(&self) -> Option<&str> {
        self.leaving.as_deref()
    }

    pub fn prompt(&mut self) -> String {
        self.prompted = self.call.as_ref().map(|call| call.id);
        self.call.as_ref().map_or("> ".to_owned(), |call| format!("@{}> ", call.peer))
    }

    pub fn notice(&mut self, text: impl Into<String>) {
        self.shown.push(Shown::Notice(text.into()));
    }

    pub fn trouble(&mut self, text: impl Into<String>) {
        self.shown.push(Shown::Trouble(text.into()));
    }

    fn carry_out(&mut self, command: Command<'_>) {
        match command {
            Command::Empty => {}
            Command::Help => HELP.iter().for_each(|line| self.notice(*line)),
            Command::Quit(words) => self.leaving = Some(words.to_owned()),
            Command::Me(words) => self.carry_out(Command::Text(&Ctcp::action(words).to_string())),
            Command::Text(text) => match &self.call {
                None => self.trouble(format!("nobody is here; not said: {text}")),
                // Who was shown to be there is meant, and not the next one who called.
                Some(call) if self.prompted.is_some_and(|id| id != call.id) => {
                    self.trouble(format!("that peer is gone; not said: {text}"));
                }
                Some(_) => self.say(text),
            },
            _ => self.trouble("that needs a server, and this is a chat of two without one; /help"),
        }
    }

    fn say(&mut self, text: &str) {
        let Some(call) = &mut self.call else { return };
        for text in pieces(text, call.text_max) {
            let why = match call.talk.say(&text) {
                Ok(()) => continue,
                Err(Unsayable::NoRoom) => "too much is under way already",
                Err(Unsayable::NotOneLine) => "a text must be one line, without NUL, CR or LF",
            };
            self.refused += 1;
            self.shown.push(Shown::Trouble(format!("{} did not get \"{text}\": {why}", call.peer)));
        }
    }
}

impl Partner for Dialogue {
    fn take_typed(&mut self, line: &str) {
        // A line pasted with others in it is several lines.
        for line in line.split(['\r', '\n']) {
            match parse(line) {
                Ok(command) => self.carry_out(command),
                Err(sentence) => self.trouble(sentence),
            }
        }
    }

    fn check(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn can_take(&self) -> Result<bool, Error> {
        Ok(self.call.as_ref().is_some_and(|call| call.talk.unacked().len() < UNANSWERED_MAX))
    }

    fn take_text(&mut self, line: &str) {
        self.say(&line.replace('\r', ""));
    }

    /// What a script waits for here, the poll loop knows.
    fn is_over(&self) -> bool {
        true
    }

    fn verdict(&self) -> Result<(), Error> {
        match (self.refused, self.unconfirmed, &self.left) {
            (0, 0, Some(peer)) if !self.input_over => Err(Error::Left { peer: peer.clone() }),
            (0, 0, _) => Ok(()),
            (refused, unconfirmed, _) => Err(Error::Unsaid { refused, unconfirmed }),
        }
    }
}
