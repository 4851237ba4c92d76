//! Names of users and rooms: what may be one, and when two are the same.
//!
//! Two names are the same when their lowercase forms are (Unicode's lowercase, as std has it), so nobody is
//! impersonated by a capital letter. Beyond ASCII only letters and digits are allowed, which leaves out combining
//! marks, invisible characters and everything that changes the direction of writing. What ASCII leaves out is what
//! has a meaning on an IRC line (Modern IRC, "Clients" and "Channels"), so that every name can be said there too.
//!
//! Absent on purpose: telling look-alikes of different scripts apart (UTS #39). Who needs that needs accounts.

use super::refusal::{BadName, Refusal};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A name as its owner writes it, and the form in which it is looked up. Cheap to clone; counted atomically, so that a
/// server with threads can have the hub behind a lock. Names are cloned on entering, not per message.
#[derive(Clone)]
struct Name {
    shown: Arc<str>,
    key: Arc<str>,
}

impl Name {
    fn new(shown: &str) -> Self {
        let key = fold(shown);
        let shown: Arc<str> = Arc::from(shown);
        let key = if *key == *shown { Arc::clone(&shown) } else { Arc::from(&*key) };
        Name { shown, key }
    }
}

/// The form in which names are compared. Each character for itself, so that a part of a name is folded as it is within
/// the name: what Greek writes at the ends of words only is the same as elsewhere.
pub fn fold(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(name);
    }
    if name.is_ascii() {
        return Cow::Owned(name.to_ascii_lowercase());
    }
    let lowercase = name.chars().flat_map(char::to_lowercase);
    Cow::Owned(lowercase.map(|c| if c == '\u{3c2}' { '\u{3c3}' } else { c }).collect())
}

macro_rules! name_type {
    ($(#[$meta:meta])* $type:ident, $check:ident, $refusal:ident) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $type(Name);

        impl $type {
            /// # Errors
            /// The refusal to answer with when `name` cannot be one.
            pub fn new(name: &str, bytes_max: u8) -> Result<Self, Refusal> {
                $check(name, bytes_max).map_err(Refusal::$refusal)?;
                Ok($type(Name::new(name)))
            }

            /// As its owner writes it.
            pub fn shown(&self) -> &str {
                &self.0.shown
            }

            /// The form in which it is looked up and sorted.
            pub(super) fn key(&self) -> &Arc<str> {
                &self.0.key
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.0.key == other.0.key
            }
        }

        impl Eq for $type {}

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.shown())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.shown(), f)
            }
        }
    };
}

name_type!(
    /// The name of a user.
    UserName, check_user, BadName
);
name_type!(
    /// The name of a room, `#` included.
    RoomName, check_room, BadRoomName
);

fn check_user(name: &str, bytes_max: u8) -> Result<(), BadName> {
    check_length(name, bytes_max)?;
    let allowed = |c: char| allowed_beyond_ascii(c) || c.is_ascii_alphanumeric() || "_-[]{}\\|^`".contains(c);
    if name.starts_with(|c: char| c == '-' || (c.is_ascii() && !allowed(c) && c.is_ascii_punctuation())) {
        return Err(BadName::FirstCharacter);
    }
    check_characters(name, allowed)
}

fn check_room(name: &str, bytes_max: u8) -> Result<(), BadName> {
    check_length(name, bytes_max)?;
    let Some(rest) = name.strip_prefix('#') else { return Err(BadName::FirstCharacter) };
    if rest.is_empty() {
        return Err(BadName::Empty);
    }
    check_characters(rest, |c| allowed_beyond_ascii(c) || (c.is_ascii_graphic() && !",:*?".contains(c)))
}

fn allowed_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && c.is_alphanumeric() && !INVISIBLE_LETTERS.contains(&c)
}

/// Letters to Unicode (the fillers of Hangul), nothing to the eye.
const INVISIBLE_LETTERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

fn check_length(name: &str, bytes_max: u8) -> Result<(), BadName> {
    if name.is_empty() {
        return Err(BadName::Empty);
    }
    if name.len() > usize::from(bytes_max) {
        return Err(BadName::TooLong { bytes_max });
    }
    Ok(())
}

fn check_characters(name: &str, allowed: impl Fn(char) -> bool) -> Result<(), BadName> {
    match name.chars().find(|&c| !allowed(c)) {
        Some(c) => Err(BadName::Character(c)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_do_not_make_another_name() {
        let name = |s| UserName::new(s, 32).expect("a name");
        assert_eq!(name("Alice"), name("aLICE"));
        assert_eq!(name("Élodie"), name("élodie"));
        assert_eq!(name("\u{3b1}\u{3a3}"), name("\u{391}\u{3c2}"), "a sigma at the end");
        assert_ne!(name("alice"), name("alice_"));
        assert_eq!(name("Alice").shown(), "Alice");
    }

    #[test]
    fn what_may_be_a_user() {
        for good in ["a", "Bob", "x-1", "_", "[it]", "日本", "жук", "1st"] {
            assert!(UserName::new(good, 32).is_ok(), "{good}");
        }
        let cases = [
            ("", BadName::Empty),
            ("abcdef", BadName::TooLong { bytes_max: 5 }),
            ("#room", BadName::FirstCharacter),
            ("@op", BadName::FirstCharacter),
            ("-x", BadName::FirstCharacter),
            ("a b", BadName::Character(' ')),
            ("a\n", BadName::Character('\n')),
            ("a\u{202e}", BadName::Character('\u{202e}')),
            ("a\u{3164}", BadName::Character('\u{3164}')),
            ("e\u{301}", BadName::Character('\u{301}')),
            ("a!b", BadName::Character('!')),
        ];
        for (bad, why) in cases {
            assert_eq!(UserName::new(bad, 5).err(), Some(Refusal::BadName(why)), "{bad:?}");
        }
    }

    #[test]
    fn what_may_be_a_room() {
        for good in ["#a", "#rust-lang", "##", "#日本", "#a.b/c"] {
            assert!(RoomName::new(good, 64).is_ok(), "{good}");
        }
        for bad in ["", "#", "lobby", "#a b", "#a,b", "#\u{7}", "#a:b", "#\u{200b}"] {
            assert!(RoomName::new(bad, 64).is_err(), "{bad:?}");
        }
    }
}
