//! `switchboard hash-password`: what the config keeps of a password.

use crate::server::passwords;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

// A paragraph is one line: clap wraps it to the terminal.
pub const HELP: &str = "\
Asks for the password twice on a terminal, without showing it; otherwise the first line of standard input is the \
password. Prints its hash, for `password` in the config file, and for the password of an operator there:

    [[operators]]
    name = \"ann\"
    password = \"$argon2id$v=19$…\"";

/// Reads a password and prints its hash.
///
/// # Errors
/// A sentence about what went wrong.
pub fn hash() -> Result<ExitCode, String> {
    let password = read().map_err(|error| format!("cannot read the password: {error}"))?;
    if password.is_empty() {
        return Err("there is no password in that".to_owned());
    }
    if password.contains(|c: char| c.is_control()) {
        return Err("no client could give that password: there is a control character in it".to_owned());
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| format!("no random numbers: {error}"))?;
    let hash = passwords::hash(&password, salt, passwords::Cost::default())?;
    writeln!(io::stdout(), "{hash}").map_err(|error| format!("cannot print the hash: {error}"))?;
    Ok(ExitCode::SUCCESS)
}

fn read() -> io::Result<String> {
    if !io::stdin().is_terminal() {
        return read_line();
    }
    let hidden = Hidden::new()?;
    let password = hidden.ask("Password: ")?;
    if hidden.ask("Again: ")? != password {
        return Err(io::Error::other("the two passwords differ; nothing was made"));
    }
    Ok(password)
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that does not show what is typed; it does again when this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn new() -> io::Result<Hidden> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Hidden(before))
    }

    fn ask(&self, prompt: &str) -> io::Result<String> {
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
