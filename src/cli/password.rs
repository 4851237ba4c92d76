//! `switchboard hash-password`: what the config keeps of a password.

use crate::server::passwords;
use crate::tty::{Hidden, read_line};
use std::io::{self, IsTerminal, Write};
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

/// The password of an account: of a file, or of the environment, or of whoever sits at the terminal; `file` is how to
/// name one.
///
/// # Errors
/// A sentence that says how to give one.
#[cfg(feature = "client")]
pub fn of_account(path: Option<&std::path::Path>, file: &str, is_new: bool) -> Result<String, String> {
    given("account", path, file, is_new)
}

/// The password of an operator of the server, likewise.
///
/// # Errors
/// A sentence that says how to give one.
#[cfg(feature = "client")]
pub fn of_operator(path: Option<&std::path::Path>) -> Result<String, String> {
    given("operator", path, "--password-file", false)
}

#[cfg(feature = "client")]
fn given(whose: &str, path: Option<&std::path::Path>, file: &str, is_new: bool) -> Result<String, String> {
    let password = match (path, std::env::var(VARIABLE)) {
        (Some(path), _) => first_line_of(path)?,
        (None, Ok(password)) => password,
        (None, Err(_)) if io::stdin().is_terminal() => {
            ask(whose, is_new).map_err(|error| format!("cannot read the password: {error}"))?
        }
        (None, Err(_)) => {
            return Err(format!("an {whose} needs a password: give it with {file} FILE, or in {VARIABLE}"));
        }
    };
    if password.is_empty() { Err("the password is empty".to_owned()) } else { Ok(password) }
}

/// The environment's name for the password of an account, or of an operator.
#[cfg(feature = "client")]
const VARIABLE: &str = "SWITCHBOARD_PASSWORD";

/// # Errors
/// A sentence that names the file.
#[cfg(feature = "client")]
pub fn first_line_of(path: &std::path::Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the password in {}: {error}", path.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Twice, where a slip would be one for good.
#[cfg(feature = "client")]
fn ask(whose: &str, is_new: bool) -> io::Result<String> {
    let hidden = Hidden::new()?;
    let password = hidden.ask(&format!("Password of the {whose}: "))?;
    if is_new && hidden.ask("Again: ")? != password {
        return Err(io::Error::other("the two passwords differ"));
    }
    Ok(password)
}
