//! What one line says.
//!
//! ```text
//!   @label=4;+typing :dan!d@host PRIVMSG #tea :hello you
//!   └───── tags ───┘ └─ source ┘ command └─ params ────┘
//! ```
//!
//! Modern IRC, "Message Format". Several spaces are one separator. Beyond the grammar, spaces in front of the line and
//! behind its last parameter mean nothing, except within one that begins with a colon; tags begin with the first byte
//! or are none.

use super::tags::Tags;
use memchr::{memchr, memchr3};
use std::fmt;
use std::slice;
use std::str;

/// As many parameters as a line has at most (RFC 2812 §2.3): the last one takes the rest.
pub const PARAMS_MAX: usize = 15;

/// One line, of which nothing is copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    pub tags: Tags<'a>,
    /// Who sent it. A server need not believe a client (Modern IRC: clients do not send one).
    pub source: Option<&'a str>,
    /// As it was written, and never empty. It has no space in it; whether there is such a command is not looked at.
    pub command: &'a str,
    pub params: Params<'a>,
}

/// Why a line is no message. The connection goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadLine<'a> {
    /// There is nothing but spaces, tags or a source.
    NoCommand,
    /// NUL, CR or LF within the line (RFC 2812 §2.3.1 has them nowhere).
    Forbidden(u8),
    /// Some of it is not UTF-8. The tags and the command are what can be read of them, so that
    /// `FAIL PRIVMSG INVALID_UTF8` (IRCv3 utf8-only) can name the command and bear the label; else they are empty.
    NotUtf8 { tags: Tags<'a>, command: &'a str },
    /// More than [`TAGS_MAX`](super::tags::TAGS_MAX).
    TooManyTags,
}

impl fmt::Display for BadLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadLine::NoCommand => f.write_str("A line without a command"),
            BadLine::Forbidden(byte) => write!(f, "The byte 0x{byte:02x} cannot be within a line"),
            BadLine::NotUtf8 { .. } => f.write_str("A line that is not UTF-8"),
            BadLine::TooManyTags => f.write_str("A line with too many tags"),
        }
    }
}

impl std::error::Error for BadLine<'_> {}

impl<'a> Message<'a> {
    /// Takes a line, without its end, apart.
    ///
    /// # Errors
    /// [`BadLine`] when it is no message.
    pub fn parse(line: &'a [u8]) -> Result<Self, BadLine<'a>> {
        if let Some(&byte) = memchr3(0, b'\r', b'\n', line).and_then(|at| line.get(at)) {
            return Err(BadLine::Forbidden(byte));
        }
        let (tags, rest) = marked_word(b'@', line).unwrap_or((b"", line));
        let rest = without_spaces(rest);
        let (source, rest) =
            marked_word(b':', rest).map_or((None, rest), |(source, rest)| (Some(source), rest));
        let (command, params) = word(without_spaces(rest));
        if command.is_empty() {
            return Err(BadLine::NoCommand);
        }
        let (tags, command) = (str::from_utf8(tags), str::from_utf8(command));
        let (Ok(known_tags), Ok(known_command), Ok(source), Ok(params)) =
            (tags, command, source.map(str::from_utf8).transpose(), str::from_utf8(params))
        else {
            let (tags, command) = (Tags::new(tags.unwrap_or_default()), command.unwrap_or_default());
            return Err(BadLine::NotUtf8 { tags, command });
        };
        let tags = Tags::new(known_tags);
        if tags.are_too_many() {
            return Err(BadLine::TooManyTags);
        }
        Ok(Message { tags, source, command: known_command, params: Params::parse(params) })
    }
}

/// What is behind the mark up to a space, and the rest; nothing, if the mark is not the first byte.
fn marked_word(mark: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    (first == mark).then(|| word(rest))
}

fn word(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at_checked(memchr(b' ', bytes).unwrap_or(bytes.len())).unwrap_or_default()
}

fn without_spaces(bytes: &[u8]) -> &[u8] {
    let spaces = bytes.iter().take_while(|byte| **byte == b' ').count();
    bytes.get(spaces..).unwrap_or_default()
}

/// The parameters of a line. One that began with a colon is a parameter like the others.
#[derive(Clone, Copy, Default)]
pub struct Params<'a> {
    list: [&'a str; PARAMS_MAX],
    len: usize,
}

impl<'a> Params<'a> {
    fn parse(text: &'a str) -> Self {
        let mut params = Params::default();
        let mut rest = text;
        while let text = rest.trim_start_matches(' ')
            && !text.is_empty()
        {
            let takes_all = params.len == PARAMS_MAX - 1;
            let (param, behind) = match (text.strip_prefix(':'), text.split_once(' ')) {
                (Some(trailing), _) => (trailing, ""),
                (None, Some(split)) if !takes_all => split,
                (None, _) => (text, ""),
            };
            if let Some(place) = params.list.get_mut(params.len) {
                *place = param;
                params.len += 1;
            }
            rest = behind;
        }
        params
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn as_slice(&self) -> &[&'a str] {
        self.list.get(..self.len).unwrap_or_default()
    }

    /// The one at `index`, from 0.
    pub fn get(&self, index: usize) -> Option<&'a str> {
        self.as_slice().get(index).copied()
    }

    pub fn last(&self) -> Option<&'a str> {
        self.as_slice().last().copied()
    }

    /// Those from `index` on; none, if there are fewer.
    pub fn rest_from(&self, index: usize) -> &[&'a str] {
        self.as_slice().get(index..).unwrap_or_default()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &'a str> + ExactSizeIterator {
        self.as_slice().iter().copied()
    }
}

impl<'p, 'a> IntoIterator for &'p Params<'a> {
    type Item = &'a str;
    type IntoIter = std::iter::Copied<slice::Iter<'p, &'a str>>;

    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter().copied()
    }
}

impl PartialEq for Params<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Params<'_> {}

impl fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn parsed(line: &str) -> Message<'_> {
        Message::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[track_caller]
    fn assert_parses(line: &str, tags: &str, source: Option<&str>, command: &str, params: &[&str]) {
        let message = parsed(line);
        let parts = (message.tags.as_str(), message.source, message.command, message.params.as_slice());
        assert_eq!(parts, (tags, source, command, params), "{line:?}");
    }

    #[test]
    fn lines_come_apart_as_modern_irc_says() {
        let host = Some("irc.example.com");
        assert_parses(":irc.example.com CAP * LIST :", "", host, "CAP", &["*", "LIST", ""]);
        assert_parses("CAP * LS :multi-prefix sasl", "", None, "CAP", &["*", "LS", "multi-prefix sasl"]);
        assert_parses("CAP REQ :sasl message-tags foo", "", None, "CAP", &["REQ", "sasl message-tags foo"]);
        for hey in ["Hey!", ":Hey!"] {
            let line = format!(":dan!d@localhost PRIVMSG #chan {hey}");
            assert_parses(&line, "", Some("dan!d@localhost"), "PRIVMSG", &["#chan", "Hey!"]);
        }
        assert_parses("PRIVMSG #chan ::-)", "", None, "PRIVMSG", &["#chan", ":-)"]);
        assert_parses("@id=234AB :dan!d@h AWAY", "id=234AB", Some("dan!d@h"), "AWAY", &[]);
    }

    #[test]
    fn spaces_separate_however_many_there_are() {
        assert_parses("@a=b   :c    d  e   :f  g ", "a=b", Some("c"), "d", &["e", "f  g "]);
        assert_parses("  NICK  a  ", "", None, "NICK", &["a"]);
        assert_parses("PING : ", "", None, "PING", &[" "]);
        assert_parses("PING a:b :", "", None, "PING", &["a:b", ""]);
        assert_parses(" @a=b NICK c", "", None, "@a=b", &["NICK", "c"]); // tags come first, or are none
    }

    #[test]
    fn the_fifteenth_parameter_takes_the_rest() {
        let first = "1 2 3 4 5 6 7 8 9 10 11 12 13 14";
        for colon in ["", ":"] {
            let line = format!("X {first} {colon}15 16  17 :18 ");
            let message = parsed(&line);
            assert_eq!(message.params.len(), PARAMS_MAX);
            assert_eq!((message.params.get(13), message.params.last()), (Some("14"), Some("15 16  17 :18 ")));
        }
    }

    #[test]
    fn parameters_that_are_not_there_are_none() {
        let message = parsed("MODE #tea +o dan");
        assert_eq!((message.params.get(2), message.params.get(3)), (Some("dan"), None));
        assert_eq!((message.params.get(usize::MAX), message.params.rest_from(99)), (None, &[][..]));
        assert_eq!(message.params.rest_from(1), ["+o", "dan"]);
        assert!(message.params.iter().eq(["#tea", "+o", "dan"]));
        assert!(message.params.into_iter().eq(message.params.iter()));
        assert!(parsed("NAMES").params.is_empty());
    }

    #[test]
    fn what_is_no_message_says_why() {
        for line in ["", "  ", "@a=b", "@a=b  ", ":dan", "@a :dan  ", "@", ":"] {
            assert_eq!(Message::parse(line.as_bytes()), Err(BadLine::NoCommand), "{line:?}");
        }
        assert_eq!(Message::parse(b"NICK a\rQUIT"), Err(BadLine::Forbidden(b'\r')));
        assert_eq!(Message::parse(b"NICK \0"), Err(BadLine::Forbidden(0)));
        let tags = format!("@{}x NICK a", "x;".repeat(super::super::tags::TAGS_MAX));
        assert_eq!(Message::parse(tags.as_bytes()), Err(BadLine::TooManyTags));
    }

    #[test]
    fn a_line_that_is_not_utf8_keeps_what_can_be_read() {
        let bad = |tags, command| Err(BadLine::NotUtf8 { tags: Tags::new(tags), command });
        assert_eq!(Message::parse(b"@label=xyz PRIVMSG #qux hi\xaa"), bad("label=xyz", "PRIVMSG"));
        assert_eq!(Message::parse(b"@label=x\xaa PRIVMSG #qux hi"), bad("", "PRIVMSG"));
        assert_eq!(Message::parse(b"@a N\xaaICK :b"), bad("a", ""));
        assert_eq!(Message::parse(b":\xaa NICK b"), bad("", "NICK"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_are_not(line in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(message) = Message::parse(&line) {
                prop_assert!(!message.command.is_empty() && !message.command.contains(' '));
                prop_assert!(message.params.len() <= PARAMS_MAX);
            }
        }

        #[test]
        fn text_of_marks_and_spaces_never_loses_a_parameter(line in "[@: a]{0,40}") {
            if let Ok(message) = Message::parse(line.as_bytes()) {
                let middles = message.params.iter().rev().skip(1);
                prop_assert!(middles.into_iter().all(|p| !p.is_empty() && !p.starts_with(':') && !p.contains(' ')));
            }
        }
    }
}
