//! Who may make an account, in words.

use super::values::Value;
use crate::hub::Registration;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Registering(Registration);

const WORDS: [(&str, Registration); 3] = [
    ("closed", Registration::Closed),
    ("open", Registration::Open),
    ("before-login", Registration::BeforeLogin),
];

impl Value for Registering {
    const IS: &str = "\"closed\", \"open\" or \"before-login\"";
    const NAME: &str = "WHO";
}

impl FromStr for Registering {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = WORDS.iter().find(|(known, _)| *known == word);
        found.map(|&(_, who)| Registering(who)).ok_or_else(|| format!("it must be {}", Registering::IS))
    }
}

impl TryFrom<String> for Registering {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

impl From<Registering> for Registration {
    fn from(Registering(who): Registering) -> Registration {
        who
    }
}

impl From<Registration> for Registering {
    fn from(who: Registration) -> Registering {
        Registering(who)
    }
}

impl fmt::Display for Registering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS.iter().find(|(_, who)| *who == self.0);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}
