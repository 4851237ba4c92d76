//! What the user of a face talks to: rooms and peers through a server, or one peer without a server.

use super::conversation::Conversation;
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
        self.failed_room().map_or(Ok(()), |(room, text)| Err(Error::Room { room, text }))
    }

    fn can_take(&self) -> Result<bool, Error> {
        if !self.has_rooms() {
            return Err(Error::NoRoom);
        }
        Ok(self.is_in_first_room() && self.pending_len() < UNANSWERED_MAX)
    }

    fn take_text(&mut self, line: &str) {
        self.say_in_first_room(line);
    }

    fn verdict(&self) -> Result<(), Error> {
        match (self.refused(), self.unconfirmed()) {
            (0, 0) => Ok(()),
            (refused, unconfirmed) => Err(Error::Unsaid { refused, unconfirmed }),
        }
    }
}
