//! The chat client without a terminal, for scripts and pipes.
//!
//! Every line of standard input is said in the first room, or in the call that the script is for, or to the peer where
//! there is no server, whatever it looks like: a script that wants a command has options for it, and a text that happens
//! to start with `/` must not turn into one. What others say is one line each on standard output, and nothing else goes
//! there.

use super::client::{Face, Typing};
use super::error::Error;
use super::partner::Partner;
use super::shown::Shown;
use super::stdio::{Input, LineReader, Writer};
use mio::Waker;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;

pub struct Script {
    input: LineReader,
    /// The next of the input, which has to wait.
    ahead: Option<Input<String>>,
    output: Writer,
    done: bool,
    /// Whether the partner has nothing more to bring.
    over: bool,
    gone: bool,
}

impl Script {
    /// # Errors
    /// Those of starting the threads.
    pub fn new(waker: &Arc<Waker>) -> io::Result<Self> {
        let input = LineReader::start(Arc::clone(waker))?;
        let output = Writer::start(Arc::clone(waker))?;
        Ok(Script { input, ahead: None, output, done: false, over: false, gone: false })
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

    fn take_input(&mut self, partner: &mut dyn Partner) -> Result<(), Error> {
        partner.check()?;
        self.over = partner.is_over();
        while !self.done {
            let Some(input) = self.ahead.take().or_else(|| self.input.take()) else { return Ok(()) };
            match input {
                Input::Got(line) if line.trim_end_matches('\r').is_empty() => {}
                Input::Got(line) if partner.can_take()? => partner.take_text(&line),
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

    fn prompt(&mut self, _: String, _: Typing) {}

    fn verdict(&self, partner: &dyn Partner) -> Result<(), Error> {
        partner.verdict()
    }
}
