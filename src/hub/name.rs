//! Names of users and rooms: what may be one, and when two are the same.
//!
//! Two names are the same when their lowercase forms are (Unicode's lowercase, as std has it, character by character), so
//! nobody is impersonated by a capital letter. Beyond ASCII only letters and digits are allowed, which leaves out
//! invisible characters, everything that changes the direction of writing, and accents apart from their letters. Those
//! marks that are letters, vowels in many scripts, may not come first, where they would be drawn onto what stands before
//! the name. What ASCII leaves out is what has a meaning on an IRC line (Modern IRC, "Clients" and "Channels"), so that
//! every name can be said there too.
//!
//! Absent on purpose: telling look-alikes apart (UTS #39). Letters of different scripts look the same (a Latin `a` and a
//! Cyrillic one), as do some of one script (`l` and `I`), wide and narrow forms of a letter, and a letter that carries
//! its accent beside one that is written as two. Who must not be mistaken for another needs an account.
//!
//! Some names are nobody's: those by which the server answers itself, and those of the shape that people have in rooms
//! which hide who they are.

use super::combining::is_combining;
use super::host::base32;
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
    if name.starts_with(is_combining) {
        return Err(BadName::FirstCharacter);
    }
    check_characters(name, allowed)?;
    if is_servers_own(name) { Err(BadName::Reserved) } else { Ok(()) }
}

/// By which the server itself answers, in whatever case they are written.
pub const SERVICES: [&str; 2] = ["NickServ", "ChanServ"];

/// What the names begin with that people have in rooms which hide who they are.
pub const PSEUDONYM_PREFIX: &str = "anon-";

/// How many letters and digits of base32 (RFC 4648 §6) follow.
pub const PSEUDONYM_LETTERS: usize = 8;

fn is_servers_own(name: &str) -> bool {
    SERVICES.iter().any(|service| service.eq_ignore_ascii_case(name)) || is_pseudonym(&fold(name))
}

/// Whether a folded name is one that people have in rooms which hide who they are.
pub(super) fn is_pseudonym(folded: &str) -> bool {
    let is_base32 = |c: char| matches!(c, 'a'..='z' | '2'..='7');
    folded
        .strip_prefix(PSEUDONYM_PREFIX)
        .is_some_and(|rest| rest.len() == PSEUDONYM_LETTERS && rest.chars().all(is_base32))
}

impl UserName {
    /// A name in place of somebody's own.
    pub(super) fn pseudonym(of: [u8; 5]) -> UserName {
        let mut name = String::with_capacity(PSEUDONYM_PREFIX.len() + PSEUDONYM_LETTERS);
        name.push_str(PSEUDONYM_PREFIX);
        name.extend(base32(of));
        UserName(Name::new(&name))
    }
}

fn check_room(name: &str, bytes_max: u8) -> Result<(), BadName> {
    check_length(name, bytes_max)?;
    let Some(rest) = name.strip_prefix('#') else { return Err(BadName::FirstCharacter) };
    if rest.is_empty() {
        return Err(BadName::Empty);
    }
    if let Some(mark) = rest.chars().next().filter(|&c| is_combining(c)) {
        return Err(BadName::Character(mark));
    }
    check_characters(rest, |c| allowed_beyond_ascii(c) || (c.is_ascii_graphic() && !",:*?".contains(c)))
}

fn allowed_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && c.is_alphanumeric() && !INVISIBLE_LETTERS.contains(&c)
}

/// Letters to Unicode (the fillers of Hangul, the blanks of Egyptian), nothing to the eye.
const INVISIBLE_LETTERS: [char; 6] =
    ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}', '\u{13441}', '\u{13442}'];

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
    fn names_that_the_server_answers_by_and_those_of_pseudonyms_are_nobodys() {
        for reserved in ["NickServ", "nickserv", "CHANSERV", "anon-abcdefgh", "Anon-2Z5A7qqq"] {
            let refused = UserName::new(reserved, 32).err();
            assert_eq!(refused, Some(Refusal::BadName(BadName::Reserved)), "{reserved}");
        }
        for free in
            ["NickServ_", "anon", "anon-", "anon-abc", "anon-abcdefghi", "anon-abcdefg1", "anon-abcdefé"]
        {
            assert!(UserName::new(free, 32).is_ok(), "{free}");
        }
    }

    /// Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt), which nobody sees, and the controls of
    /// writing's direction among them (UAX #9); and what is blank all the same.
    #[test]
    fn nothing_invisible_is_in_a_name() {
        let ignorable = [
            '\u{ad}'..='\u{ad}',
            '\u{34f}'..='\u{34f}',
            '\u{61c}'..='\u{61c}',
            '\u{115f}'..='\u{1160}',
            '\u{17b4}'..='\u{17b5}',
            '\u{180b}'..='\u{180f}',
            '\u{200b}'..='\u{200f}',
            '\u{202a}'..='\u{202e}',
            '\u{2060}'..='\u{206f}',
            '\u{3164}'..='\u{3164}',
            '\u{fe00}'..='\u{fe0f}',
            '\u{feff}'..='\u{feff}',
            '\u{ffa0}'..='\u{ffa0}',
            '\u{fff0}'..='\u{fff8}',
            '\u{1bca0}'..='\u{1bca3}',
            '\u{1d173}'..='\u{1d17a}',
            '\u{e0000}'..='\u{e0fff}',
        ];
        let blank = ['\u{2800}', '\u{303f}', '\u{13441}', '\u{13442}', '\u{16fe4}', '\u{1d159}'];
        for c in ignorable.into_iter().flatten().chain(blank) {
            let why = BadName::Character(c);
            let user = UserName::new(&format!("a{c}b"), 32).err();
            assert_eq!(user, Some(Refusal::BadName(why)));
            let room = RoomName::new(&format!("#{c}"), 32).err();
            assert_eq!(room, Some(Refusal::BadRoomName(why)));
        }
    }

    #[test]
    fn no_name_begins_with_a_mark_that_is_drawn_onto_what_stands_before_it() {
        assert!(UserName::new("\u{939}\u{93f}\u{902}", 32).is_ok(), "a word of Hindi");
        for mark in ['\u{345}', '\u{93f}', '\u{e31}'] {
            let refused = UserName::new(&format!("{mark}a"), 32).err();
            assert_eq!(refused, Some(Refusal::BadName(BadName::FirstCharacter)));
            let refused = RoomName::new(&format!("#{mark}a"), 32).err();
            assert_eq!(refused, Some(Refusal::BadRoomName(BadName::Character(mark))));
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
