//! What arrives, printed above the line editor's prompt by a thread of its own.
//!
//! The editor's own printer waits while the editor is between two prompts, and for ever once the terminal is gone. So
//! it must not be the poll loop that waits: from there the next prompt comes, and the end.

use super::stdio::Writer;
use mio::Waker;
use rustyline::ExternalPrinter;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a prompt waits for what was to be printed before it. A printer that waits for a prompt is given one.
const BEFORE_PROMPT: Duration = Duration::from_millis(50);

/// How long the last words may take.
const LAST_WORDS: Duration = Duration::from_millis(250);

pub struct Printer {
    writer: Writer,
    pushed: u64,
    printed: Arc<Printed>,
}

/// How many bytes have been printed.
#[derive(Default)]
pub struct Printed {
    bytes: Mutex<u64>,
    changed: Condvar,
}

impl Printer {
    /// # Errors
    /// Those of starting a thread.
    pub fn start(
        editor: Option<impl ExternalPrinter + Send + 'static>,
        waker: Arc<Waker>,
    ) -> io::Result<Self> {
        let printed = Arc::default();
        let output = Output { editor, printed: Arc::clone(&printed) };
        Ok(Printer { writer: Writer::start_on(output, waker)?, pushed: 0, printed })
    }

    pub fn push(&mut self, line: &str) {
        self.writer.push(line.as_bytes());
        self.writer.push(b"\n");
        self.pushed += line.len() as u64 + 1;
    }

    /// Moves on what was pushed.
    ///
    /// # Errors
    /// Those of the terminal.
    pub fn pump(&mut self) -> Result<(), &io::Error> {
        self.writer.pump()
    }

    pub fn is_stalled(&self) -> bool {
        self.writer.is_stalled()
    }

    /// How many bytes were to be printed so far.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    pub fn printed(&self) -> Arc<Printed> {
        Arc::clone(&self.printed)
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.writer.finish_within(LAST_WORDS);
    }
}

impl Printed {
    /// Waits until so many bytes are printed, but not for long: else a prompt could be drawn into the middle of them.
    pub fn wait_for(&self, bytes: u64) {
        let printed = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |printed: &mut u64| *printed < bytes;
        // Whatever comes of it, the prompt is next.
        drop(self.changed.wait_timeout_while(printed, BEFORE_PROMPT, missing));
    }

    fn add(&self, bytes: usize) {
        *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) += bytes as u64;
        self.changed.notify_all();
    }
}

/// The terminal: above the prompt, or (where it cannot do that, TERM=dumb) wherever the cursor is.
struct Output<P> {
    editor: Option<P>,
    printed: Arc<Printed>,
}

impl<P: ExternalPrinter> Write for Output<P> {
    /// Takes all of it: what is written is whole lines.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        match &mut self.editor {
            Some(editor) => {
                editor.print(String::from_utf8_lossy(lines).into_owned()).map_err(io::Error::other)?;
            }
            None => io::stdout().lock().write_all(lines)?,
        }
        self.printed.add(lines.len());
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
