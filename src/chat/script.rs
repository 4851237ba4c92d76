//! The chat client without a terminal, for scripts and pipes.
//!
//! Every line of standard input is said in the first room, or in the call that the script is for, whatever it looks like: a script that wants a command has
//! options for it, and a text that happens to start with `/` must not turn into one. What others say is one line
//! each on standard output, and nothing else goes there.

use super::client::Face;
use super::conversation::{AtOnce, Conversation};
use super::error::Error;
use super::shown::Shown;
use super::stdio::{Input, LineReader, Writer};
use mio::Waker;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;

/// Lines on their way to the server. More would only be more to worry about when the connection breaks.
const UNANSWERED_MAX: usize = 128;

pub struct Script {
    /// A call that the lines are for, instead of a room.
    call: AtOnce,
    input: LineReader,
    /// The next of the input, which has to wait.
    ahead: Option<Input<String>>,
    output: Writer,
    done: bool,
    /// Whether the call that the script is for has nothing more to bring.
    over: bool,
    gone: bool,
}

impl Script {
    /// # Errors
    /// Those of starting the threads.
    pub fn new(waker: &Arc<Waker>, call: AtOnce) -> io::Result<Self> {
        let input = LineReader::start(Arc::clone(waker))?;
        let output = Writer::start(Arc::clone(waker))?;
        Ok(Script { call, input, ahead: None, output, done: false, over: false, gone: false })
    }

    /// Says a line in the call. Returns it where it has to wait.
    fn say_in_call(
        &self,
        conversation: &mut Conversation,
        line: String,
    ) -> Result<Option<Input<String>>, Error> {
        if conversation.can_say_in_call() {
            conversation.say_in_script_call(&line);
            return Ok(None);
        }
        match &self.call {
            AtOnce::Call(peer) if conversation.had_calls() && !conversation.has_calls() => Err(Error::Call {
                peer: peer.clone(),
                text: "the call ended before all lines were said".into(),
            }),
            _ => Ok(Some(Input::Got(line))),
        }
    }

    /// A script that calls is through when its lines are, one that is called when the caller has hung up.
    fn is_over(&self, conversation: &Conversation) -> bool {
        match self.call {
            AtOnce::Nothing => true,
            AtOnce::Call(_) => conversation.had_calls(),
            AtOnce::TakeCalls => conversation.had_calls() && !conversation.has_calls(),
        }
    }

    /// Waits until everything is written that was shown.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn finish(self) -> Result<(), Error> {
        match self.output.finish() {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Output(error)),
            _ => Ok(()),
        }
    }
}

impl Face for Script {
    fn show(&mut self, shown: &Shown) {
        if shown.is_message() {
            self.output.push(shown.line().as_bytes());
            self.output.push(b"\n");
        } else {
            // Nobody may be reading notices.
            let _ = writeln!(io::stderr(), "{}", shown.line());
        }
    }

    fn pump(&mut self) -> Result<(), Error> {
        match self.output.pump() {
            Ok(()) => Ok(()),
            // Whoever read it has seen enough, as `head` does.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            Err(error) => Err(Error::Output(io::Error::new(error.kind(), error.to_string()))),
        }
    }

    fn is_stalled(&self) -> bool {
        self.output.is_stalled() && !self.gone
    }

    fn is_gone(&self) -> bool {
        self.gone
    }

    fn take_input(&mut self, conversation: &mut Conversation) -> Result<(), Error> {
        if let Some((room, text)) = conversation.failed_room() {
            return Err(Error::Room { room, text });
        }
        if let Some((peer, text)) = conversation.failed_call() {
            return Err(Error::Call { peer, text });
        }
        self.over = self.is_over(conversation);
        while !self.done {
            let Some(input) = self.ahead.take().or_else(|| self.input.take()) else { return Ok(()) };
            match input {
                Input::Got(line) if line.trim_end_matches('\r').is_empty() => {}
                Input::Got(line) if self.call != AtOnce::Nothing => {
                    match self.say_in_call(conversation, line)? {
                        None => {}
                        waits => {
                            self.ahead = waits;
                            return Ok(());
                        }
                    }
                }
                Input::Got(_) if !conversation.has_rooms() => return Err(Error::NoRoom),
                Input::Got(line) if can_say(conversation) => conversation.say_in_first_room(&line),
                Input::Got(line) => {
                    self.ahead = Some(Input::Got(line));
                    return Ok(());
                }
                Input::End => self.done = true,
                Input::Failed(error) => return Err(Error::Input(error)),
            }
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.done && self.over
    }

    fn wants_prompt(&self) -> bool {
        false
    }

    fn prompt(&mut self, _: String) {}

    fn verdict(&self, conversation: &Conversation) -> Result<(), Error> {
        match (conversation.refused(), conversation.unconfirmed()) {
            (0, 0) => Ok(()),
            (refused, unconfirmed) => Err(Error::Unsaid { refused, unconfirmed }),
        }
    }
}

fn can_say(conversation: &Conversation) -> bool {
    conversation.is_in_first_room() && conversation.pending_len() < UNANSWERED_MAX
}
