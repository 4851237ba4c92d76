//! What the user of a face talks to: rooms and peers through a server, or one peer without a server.

use super::conversation::{AtOnce, Conversation};
use super::error::Error;

/// Takes what a user types, or what a script has to say.
pub trait Partner {
    /// A line from the prompt, commands included.
    fn take_typed(&mut self, line: &str);

    /// # Errors
    /// When a script need not begin, or go on.
    fn check(&mut self) -> Result<(), Error>;

    /// Whether a script's line can be said now.
    ///
    /// # Errors
    /// When it never can.
    fn can_take(&self) -> Result<bool, Error>;

    /// A script's line, whatever it looks like; what is left of a line end from another system is taken out.
    fn take_text(&mut self, line: &str);

    /// Whether a script that has been through its input has nothing else to wait for but its lines.
    fn is_over(&self) -> bool;

    /// How it all went for a script.
    ///
    /// # Errors
    /// When not everything was said that should have been.
    fn verdict(&self) -> Result<(), Error>;
}

/// Lines on their way to the server. More would only be more to worry about when the connection breaks.
pub const UNANSWERED_MAX: usize = 128;

impl Partner for Conversation {
    fn take_typed(&mut self, line: &str) {
        self.typed(line);
    }

    fn check(&mut self) -> Result<(), Error> {
        if let Some(text) = self.failed_account() {
            return Err(Error::Account(text));
        }
        if let Some((room, text)) = self.failed_room() {
            return Err(Error::Room { room, text });
        }
        self.failed_call().map_or(Ok(()), |(peer, text)| Err(Error::Call { peer, text }))
    }

    fn can_take(&self) -> Result<bool, Error> {
        match self.script_call() {
            AtOnce::Nothing if !self.has_rooms() => Err(Error::NoRoom),
            AtOnce::Nothing => Ok(self.is_in_first_room() && self.pending_len() < UNANSWERED_MAX),
            _ if self.can_say_in_call() => Ok(true),
            AtOnce::Call(peer) if self.had_calls() && !self.has_calls() => Err(Error::Call {
                peer: peer.clone(),
                text: "the call ended before all lines were said".into(),
            }),
            AtOnce::Call(_) | AtOnce::TakeCalls => Ok(false),
        }
    }

    fn take_text(&mut self, line: &str) {
        match self.script_call() {
            AtOnce::Nothing => self.say_in_first_room(line),
            AtOnce::Call(_) | AtOnce::TakeCalls => self.say_in_script_call(line),
        }
    }

    /// A script that calls is through when its lines are, one that is called when the caller has hung up.
    fn is_over(&self) -> bool {
        match self.script_call() {
            AtOnce::Nothing => true,
            AtOnce::Call(_) => self.had_calls(),
            AtOnce::TakeCalls => self.had_calls() && !self.has_calls(),
        }
    }

    fn verdict(&self) -> Result<(), Error> {
        match (self.refused(), self.unconfirmed()) {
            (0, 0) => Ok(()),
            (refused, unconfirmed) => Err(Error::Unsaid { refused, unconfirmed }),
        }
    }
}
