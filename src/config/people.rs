//! What of the config is about people: who runs the server, what it tells newcomers, and who knows which password.

use super::Options;
use super::values::Value;
use crate::hub::Network;
use crate::server::{Settings, credentials, passwords};
use serde::Deserialize;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

/// An operator as the file has it.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Operator {
    #[serde(default)]
    name: String,
    /// A hash; empty where there is none, which is refused later, by name.
    #[serde(default)]
    password: String,
    #[serde(default = "anywhere")]
    host: String,
}

/// The keys of an operator, each of which is a text.
pub const OPERATOR_KEYS: [&str; 3] = ["name", "password", "host"];

pub const OPERATORS_ARE: &str = "tables [[operators]], each with a name, a password (from `switchboard hash-password`), and a host if it is not \"*\"";

/// Bytes of the file with the message of the day. Everybody who comes gets all of it.
const MOTD_BYTES_MAX: usize = 8 * 1_024;

/// Bytes of one of its lines, and of a line about who runs the server: what a line of IRC has room for.
const LINE_BYTES_MAX: usize = 400;

/// Bytes of the key of cloaks. Whoever finds it out finds out addresses, by trying all of them.
const CLOAK_KEY_BYTES_MIN: usize = 16;

/// Lines about who runs the server: IRC has replies for so many (RFC 2812 §5.1, RPL_ADMINLOC1 and what follows it).
const ADMIN_LINES_MAX: usize = 3;

fn anywhere() -> String {
    "*".to_owned()
}

/// Where somebody may come from, as the file has it.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Place(Network);

pub const PLACES_ARE: &str = "a list of addresses and networks, such as [\"127.0.0.1\", \"10.0.0.0/8\"]";

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Network::parse(text).map(Place).map_err(|_| format!("it must be {}", Place::IS))
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Value for Place {
    const IS: &str = "an address or a network, such as 127.0.0.1, 10.0.0.0/8 or 2001:db8::/32";
}

impl Options {
    pub(super) fn apply_people(&self, settings: &mut Settings) {
        if let Some(admin) = &self.admin {
            settings.server.admin.clone_from(admin);
        }
        if let Some(password) = &self.password {
            settings.credentials.password = Some(password.clone()).filter(|password| !password.is_empty());
        }
        if let Some(places) = &self.metrics_allow {
            settings.credentials.metrics = places.iter().map(|Place(network)| *network).collect();
        }
        if let Some(operators) = &self.operators {
            let known =
                |Operator { name, password, host }: Operator| credentials::Operator { name, password, host };
            settings.credentials.operators = operators.iter().cloned().map(known).collect();
        }
    }
}

/// The message of the day; none where the path is empty.
///
/// # Errors
/// A sentence with the file, and what is wrong with it.
pub fn read_motd(path: &Path) -> Result<Vec<String>, String> {
    if path.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let cannot =
        |what: &dyn std::fmt::Display| format!("cannot read the motd-file {}: {what}", path.display());
    let file = std::fs::File::open(path).map_err(|error| cannot(&error))?;
    let mut text = String::new();
    file.take(MOTD_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(|error| cannot(&error))?;
    if text.len() > MOTD_BYTES_MAX {
        return Err(cannot(&format_args!("it is longer than {MOTD_BYTES_MAX} bytes")));
    }
    let lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
    match lines.iter().position(|line| !is_line(line)) {
        Some(at) => Err(cannot(&format_args!("line {}: {NO_LINE}", at + 1))),
        None => Ok(lines),
    }
}

/// Whether what is said of the server can be said, and passwords can be checked.
///
/// # Errors
/// A sentence that names the setting and says what would be right.
pub fn check(settings: &Settings) -> Result<(), String> {
    let server = &settings.server;
    if server.admin.len() > ADMIN_LINES_MAX {
        return Err(format!("admin has {} lines; it can have {ADMIN_LINES_MAX}", server.admin.len()));
    }
    if server.admin.iter().chain([&server.about]).any(|line| !is_line(line)) {
        return Err(format!("admin and server-description: {NO_LINE}"));
    }
    let key = &settings.cloak_key;
    if !key.is_empty() && key.len() < CLOAK_KEY_BYTES_MIN {
        return Err(format!(
            "cloak-key has {} bytes; it must have at least {CLOAK_KEY_BYTES_MIN}, and nobody may guess it: take what \
             `openssl rand -hex 32` prints",
            key.len()
        ));
    }
    if settings.credentials.password.as_deref().is_some_and(|password| !passwords::is_hash(password)) {
        return Err(format!("password {NO_HASH}"));
    }
    for credentials::Operator { name, password, host } in &settings.credentials.operators {
        if name.is_empty() {
            return Err("there is an operator without a name".to_owned());
        }
        if password.is_empty() {
            return Err(format!("operator {name} has no password; `switchboard hash-password` makes one"));
        }
        if !is_word(name) || !is_word(host) {
            return Err(format!("operator {name:?}: name and host are one word each, and not empty"));
        }
        if !passwords::is_hash(password) {
            return Err(format!("operator {name}: the password {NO_HASH}"));
        }
    }
    Ok(())
}

const NO_HASH: &str = "is no hash of one; `switchboard hash-password` makes it";
const NO_LINE: &str = "a line has at most 400 bytes, and no control characters";

fn is_line(text: &str) -> bool {
    text.len() <= LINE_BYTES_MAX && !text.chars().any(|c| c.is_control() && c != '\t')
}

/// Whether a client of IRC could send it.
fn is_word(text: &str) -> bool {
    !text.is_empty() && is_line(text) && !text.contains(char::is_whitespace) && !text.starts_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ$AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

    fn settings(file: &str) -> Result<Settings, String> {
        let options: Options = toml::from_str(file).map_err(|error| error.to_string())?;
        let mut settings = Settings::default();
        options.apply(&mut settings);
        check(&settings).map(|()| settings)
    }

    #[test]
    fn operators_and_a_password() {
        let file = format!("password = \"{HASH}\"\n[[operators]]\nname = \"ann\"\npassword = \"{HASH}\"");
        let credentials = settings(&file).expect("a good file").credentials;
        assert_eq!(credentials.password.as_deref(), Some(HASH));
        assert_eq!(credentials.operators[0].host, "*");
        assert_eq!(settings("password = \"\"").map(|settings| settings.credentials.password), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_told_by_name() {
        for (file, part) in [
            ("password = \"secret\"".to_owned(), "password is no hash of one; `switchboard hash-password`"),
            ("admin = [\"1\", \"2\", \"3\", \"4\"]".to_owned(), "admin has 4 lines"),
            ("admin = [\"a\\r\\nb\"]".to_owned(), "no control characters"),
            ("cloak-key = \"a\"".to_owned(), "cloak-key has 1 bytes; it must have at least 16"),
            (format!("[[operators]]\nname = \"ann b\"\npassword = \"{HASH}\""), "one word each"),
            (
                "[[operators]]\nname = \"ann\"\npassword = \"x\"".to_owned(),
                "operator ann: the password is no hash",
            ),
            (
                "[[operators]]\nname = \"ann\"".to_owned(),
                "operator ann has no password; `switchboard hash-password` makes one",
            ),
            (format!("[[operators]]\npassword = \"{HASH}\""), "there is an operator without a name"),
        ] {
            let error = settings(&file).expect_err(&file);
            assert!(error.contains(part), "{file}: {error}");
        }
    }
}
