//! The chat client on a terminal: a line editor in a thread of its own, and what arrives printed above its prompt.
//!
//! The editor gets a prompt, gives a line, and waits for the next prompt. So a prompt can wait for the answer to the
//! line before it, and a line always belongs to the prompt it was typed at.

use super::client::{Face, Typing};
use super::error::Error;
use super::partner::Partner;
use super::printer::Printer;
use super::shown::Shown;
use crate::tty::Hidden;
use mio::Waker;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

pub struct Terminal {
    printer: Printer,
    /// Prompts, each behind so many bytes of what is printed.
    prompts: Sender<(u64, String, Typing)>,
    lines: Receiver<String>,
    wants_prompt: bool,
    gone: bool,
    _mode: ModeGuard,
}

/// What makes the editor's Ctrl-C and Ctrl-D leave.
const QUIT: &str = "/quit";

impl Terminal {
    /// # Errors
    /// Those of the terminal, and of starting a thread.
    pub fn new(waker: Arc<Waker>) -> io::Result<Self> {
        let mode = ModeGuard::new();
        // Without bracketed paste, pasted lines are lines as if typed, and the terminal has no mode left to undo.
        let config = Config::builder().auto_add_history(true).bracketed_paste(false).build();
        let mut editor =
            Editor::<(), _>::with_history(config, MemHistory::new()).map_err(io::Error::other)?;
        let printer = Printer::start(editor.create_external_printer().ok(), Arc::clone(&waker))?;
        let printed = printer.printed();
        let (prompts, to_show) = channel::<(u64, String, Typing)>();
        let (to_loop, lines) = channel();
        thread::Builder::new().name("editor".to_owned()).spawn(move || {
            for (behind, prompt, typing) in to_show {
                printed.wait_for(behind);
                let typed = match typing {
                    Typing::Shown => editor.readline(&prompt),
                    Typing::Hidden => hidden_line(&prompt),
                };
                let line = match typed {
                    Ok(line) => line,
                    Err(ReadlineError::Eof | ReadlineError::Interrupted) => QUIT.to_owned(),
                    Err(error) => {
                        log::error!("the line editor failed: {error}");
                        QUIT.to_owned()
                    }
                };
                if to_loop.send(line).is_err() || waker.wake().is_err() {
                    return;
                }
            }
        })?;
        Ok(Terminal { printer, prompts, lines, wants_prompt: true, gone: false, _mode: mode })
    }
}

impl Face for Terminal {
    fn show(&mut self, shown: &Shown) {
        self.printer.push(&shown.line());
    }

    fn pump(&mut self) -> Result<(), Error> {
        self.gone |= self.printer.pump().is_err();
        Ok(())
    }

    fn is_stalled(&self) -> bool {
        self.printer.is_stalled() && !self.gone
    }

    fn is_gone(&self) -> bool {
        self.gone
    }

    fn take_input(&mut self, partner: &mut dyn Partner) -> Result<(), Error> {
        while let Ok(line) = self.lines.try_recv() {
            partner.take_typed(&line);
            self.wants_prompt = true;
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        false
    }

    fn wants_prompt(&self) -> bool {
        self.wants_prompt
    }

    fn prompt(&mut self, text: String, typing: Typing) {
        self.wants_prompt = false;
        self.gone |= self.printer.pump().is_err();
        self.gone |= self.prompts.send((self.printer.pushed(), text, typing)).is_err();
    }

    fn verdict(&self, _: &dyn Partner) -> Result<(), Error> {
        Ok(())
    }
}

/// A line that the editor does not show, nor remember.
fn hidden_line(prompt: &str) -> Result<String, ReadlineError> {
    Ok(Hidden::new()?.ask(prompt)?)
}

/// Puts the terminal back as it was: the editor may still be at its prompt when the client ends.
struct ModeGuard(Option<Termios>);

impl ModeGuard {
    fn new() -> Self {
        ModeGuard(tcgetattr(io::stdin()).ok())
    }
}

impl Drop for ModeGuard {
    fn drop(&mut self) {
        let Some(before) = &self.0 else { return };
        let raw = tcgetattr(io::stdin()).is_ok_and(|now| now.local_modes != before.local_modes);
        // At once: output that a stopped terminal does not take would else be waited for.
        if raw && tcsetattr(io::stdin(), OptionalActions::Now, before).is_ok() {
            // Off the line with the prompt. Nothing can be done about a terminal that is gone.
            let _ = io::stdout().lock().write_all(b"\r\n");
        }
    }
}
