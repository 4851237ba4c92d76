//! What is typed at a terminal and not shown there: passwords.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, BufRead, Write};

/// A terminal that does not show what is typed; it does again when this is dropped.
pub struct Hidden(Termios);

impl Hidden {
    /// # Errors
    /// When standard input is no terminal.
    pub fn new() -> io::Result<Hidden> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Hidden(before))
    }

    /// # Errors
    /// Those of the terminal.
    pub fn ask(&self, prompt: &str) -> io::Result<String> {
        let mut stderr = io::stderr();
        write!(stderr, "{prompt}")?;
        stderr.flush()?;
        read_line()
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

/// The first line of standard input, without its end.
///
/// # Errors
/// Those of standard input.
pub fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
