//! How lines are written.
//!
//! ```text
//!   LineHead ── tag, relayed ──▶ command or numeric ──▶ LineBody ── param, echo ──▶ trailing or end
//! ```
//!
//! Total: whatever the fields hold, one line comes out, and every field stays where it belongs.
//!
//! - A byte that cannot stand in a field is replaced, one for one, so that it is seen: in a parameter (and in the
//!   command and the parts of the source) NUL, CR, LF and space become `_`, and so does a colon in front; in the
//!   trailing NUL, CR and LF become spaces. A parameter that is empty becomes `*`.
//! - What is behind the tags has [`LINE_BYTES_MAX`] bytes with its end. A field that goes beyond is cut at a character,
//!   and what would follow it is left out, rather than stand in its place.
//! - A tag that would go beyond [`TAGS_BYTES_MAX`] is left out whole.

use super::line::{LINE_BYTES_MAX, TAGS_BYTES_MAX};
use super::numeric::Numeric;
use super::tags;
use std::fmt::{self, Display, Write};

/// What [`LineBody::echo`] shows of a parameter, in bytes. It leaves room for the sentence behind it, also where names
/// are long.
pub const ECHO_BYTES_MAX: usize = 256;

pub(super) const END: &[u8] = b"\r\n";
/// What the trailing begins with.
const TRAILING: &[u8] = b" :";

/// Who a line is from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// Not said.
    Nobody,
    Server(&'a str),
    User {
        nick: &'a str,
        user: &'a str,
        host: &'a dyn Display,
    },
}

/// The beginning of a line: its tags.
#[must_use = "a line is written up to its end"]
pub struct LineHead<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
}

impl<'o> LineHead<'o> {
    /// Begins a line at the end of `out`.
    pub fn begin(out: &'o mut Vec<u8>) -> Self {
        let start = out.len();
        LineHead { out, start }
    }

    /// A tag with a value, which is escaped here. `key` is one of the server's own.
    pub fn tag(self, key: &str, value: impl Display) -> Self {
        self.put(|out| {
            out.extend_from_slice(key.as_bytes());
            out.push(b'=');
            let _ = write!(Escaped(out), "{value}"); // into a Vec, which takes all
        })
    }

    /// A tag without a value. `key` is one of the server's own.
    pub fn bare_tag(self, key: &str) -> Self {
        self.put(|out| out.extend_from_slice(key.as_bytes()))
    }

    /// Tags as they are on the wire, as [`Tags::put_client_only`](super::Tags::put_client_only) gives them; they come
    /// behind the server's own (message-tags, "Client-only tags").
    pub fn relayed(self, raw: &str) -> Self {
        if raw.is_empty() {
            return self;
        }
        let forbidden = |byte: &u8| matches!(byte, 0 | b'\r' | b'\n' | b' ');
        self.put(|out| out.extend(raw.bytes().map(|byte| if forbidden(&byte) { b'_' } else { byte })))
    }

    fn put(self, put: impl FnOnce(&mut Vec<u8>)) -> Self {
        let before = self.out.len();
        self.out.push(if before == self.start { b'@' } else { b';' });
        put(self.out);
        if self.out.len() + 1 - self.start > TAGS_BYTES_MAX {
            self.out.truncate(before);
        }
        self
    }

    pub fn command(self, source: Source<'_>, command: impl Display) -> LineBody<'o> {
        if self.out.len() > self.start {
            self.out.push(b' ');
        }
        let mut body =
            LineBody { end: self.out.len() + LINE_BYTES_MAX - END.len(), out: self.out, full: false };
        match source {
            Source::Nobody => {}
            Source::Server(name) => body.word(":", name),
            Source::User { nick, user, host } => {
                body.word(":", nick);
                body.word("!", user);
                body.word("@", host);
            }
        }
        let before = if matches!(source, Source::Nobody) { "" } else { " " };
        body.word(before, command);
        body
    }

    /// A reply or refusal to the client with that nickname; `*` stands for one that has none yet, as it does for an
    /// empty name.
    pub fn numeric(self, server: &str, numeric: Numeric, client: &str) -> LineBody<'o> {
        self.command(Source::Server(server), numeric).param(client)
    }
}

/// The rest of a line: its parameters.
#[must_use = "a line is written up to its end"]
pub struct LineBody<'o> {
    pub(super) out: &'o mut Vec<u8>,
    /// Where the line has to end at the latest, CR LF not counted.
    pub(super) end: usize,
    /// A field was cut; nothing may follow it.
    full: bool,
}

impl<'o> LineBody<'o> {
    /// One parameter.
    pub fn param(mut self, value: impl Display) -> Self {
        self.word(" ", value);
        self
    }

    /// One parameter that repeats what a client said, however long: at most [`ECHO_BYTES_MAX`] bytes of it, so that
    /// what follows has its place.
    pub fn echo(mut self, value: impl Display) -> Self {
        let (end, was_full) = (self.end, self.full);
        self.end = end.min(self.out.len() + 1 + ECHO_BYTES_MAX);
        self.word(" ", value);
        self.full = was_full || (self.full && self.end == end);
        self.end = end;
        self
    }

    /// How many bytes the trailing may have.
    pub fn remaining(&self) -> usize {
        self.room().saturating_sub(TRAILING.len())
    }

    /// How many bytes may still follow, spaces and colons included.
    pub(super) fn room(&self) -> usize {
        if self.full { 0 } else { self.end.saturating_sub(self.out.len()) }
    }

    /// The last parameter, which may be empty and have spaces, and the end.
    pub fn trailing(mut self, value: impl Display) {
        if self.begin_trailing() {
            let _ = write!(Field { out: self.out, end: self.end, is_word: false, cut: false }, "{value}");
        }
        self.end();
    }

    /// The end, without a trailing.
    pub fn end(self) {
        self.out.extend_from_slice(END);
    }

    pub(super) fn begin_trailing(&mut self) -> bool {
        let fits = !self.full && self.out.len() + TRAILING.len() <= self.end;
        if fits {
            self.out.extend_from_slice(TRAILING);
        }
        fits
    }

    /// Something without spaces, and what stands in front of it.
    fn word(&mut self, before: &str, value: impl Display) {
        let start = self.out.len();
        if self.full || start + before.len() >= self.end {
            self.full = true;
            return;
        }
        self.out.extend_from_slice(before.as_bytes());
        let word_at = self.out.len();
        let mut field = Field { out: &mut *self.out, end: self.end, is_word: true, cut: false };
        let _ = write!(field, "{value}");
        self.full = field.cut;
        match self.out.get_mut(word_at) {
            Some(first) if *first == b':' => *first = b'_',
            Some(_) => {}
            None if self.full => self.out.truncate(start),
            None => self.out.push(b'*'),
        }
    }
}

/// Writes one field, byte for byte, no further than `end`.
pub(super) struct Field<'o> {
    pub out: &'o mut Vec<u8>,
    pub end: usize,
    /// Whether it must have no space.
    pub is_word: bool,
    pub cut: bool,
}

impl Write for Field<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.cut {
            return Ok(());
        }
        let start = self.out.len();
        let fits = text.floor_char_boundary(self.end.saturating_sub(start));
        self.cut = fits < text.len();
        self.out.extend_from_slice(text.as_bytes().get(..fits).unwrap_or_default());
        for byte in self.out.get_mut(start..).unwrap_or_default() {
            match *byte {
                0 | b'\r' | b'\n' => *byte = if self.is_word { b'_' } else { b' ' },
                b' ' if self.is_word => *byte = b'_',
                _ => {}
            }
        }
        Ok(())
    }
}

struct Escaped<'o>(&'o mut Vec<u8>);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        tags::put_escaped(self.0, text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(LineHead<'_>)) -> String {
        let mut out = b"before".to_vec();
        write(LineHead::begin(&mut out));
        let text = String::from_utf8(out).unwrap();
        text.strip_prefix("before").unwrap().to_owned()
    }

    const DAN: Source<'static> = Source::User { nick: "dan", user: "d", host: &"a.b.ip" };

    #[test]
    fn lines_are_put_together_in_order() {
        let line = written(|line| {
            line.tag("time", "2026-01-01T00:00:00.000Z")
                .bare_tag("bot")
                .relayed("+a=b")
                .command(DAN, "PRIVMSG")
                .param("#tea")
                .trailing("hello you");
        });
        assert_eq!(line, "@time=2026-01-01T00:00:00.000Z;bot;+a=b :dan!d@a.b.ip PRIVMSG #tea :hello you\r\n");
        let line =
            written(|line| line.numeric("irc.test", Numeric::RPL_WELCOME, "dan").param(7).trailing("hi"));
        assert_eq!(line, ":irc.test 001 dan 7 :hi\r\n");
        assert_eq!(written(|line| line.command(Source::Nobody, "PING").param("x").end()), "PING x\r\n");
    }

    #[test]
    fn what_cannot_stand_in_a_field_is_seen_and_moves_nothing() {
        let bad = ["", ":a", "a b", "a\r\nb", "\0", "a:b"];
        let line =
            written(|line| bad.iter().fold(line.command(Source::Server(""), "X"), LineBody::param).end());
        assert_eq!(line, ":* X * _a a_b a__b _ a:b\r\n");
        let nasty = Source::User { nick: "a b", user: "", host: &"h\n" };
        assert_eq!(
            written(|line| line.command(nasty, "X").trailing(": a\r\nQUIT\0")),
            ":a_b!*@h_ X :: a  QUIT \r\n"
        );
        let tags = |line: LineHead<'_>| {
            line.tag("a", "; \\\r\n\0").relayed("+b=c d\n").command(Source::Nobody, "X").end()
        };
        assert_eq!(written(tags), "@a=\\:\\s\\\\\\r\\n;+b=c_d_ X\r\n");
    }

    #[test]
    fn a_line_is_cut_at_a_character_and_nothing_takes_the_place_of_another_field() {
        let long = "é".repeat(400);
        let line = written(|line| line.command(Source::Nobody, "X").trailing(&long));
        assert_eq!((line.len(), line.ends_with("é\r\n")), (LINE_BYTES_MAX - 1, true));
        let line =
            written(|line| line.command(Source::Nobody, "XX").param(&long).param("next").trailing("text"));
        assert!(line.starts_with("XX éé") && line.ends_with("é\r\n") && line.len() <= LINE_BYTES_MAX);
        // Three bytes are left, of which the next field must not make use.
        let odd = format!("{}\u{1f375}", "x".repeat(LINE_BYTES_MAX - 7));
        let line = written(|line| line.command(Source::Nobody, "X").param(&odd).param("y").trailing(""));
        assert_eq!(line.len(), LINE_BYTES_MAX - 3, "{line}");
        let fits = "x".repeat(LINE_BYTES_MAX - 5);
        let line = written(|line| line.command(Source::Nobody, "XX").param(&fits).param("y").trailing("z"));
        assert_eq!(line, format!("XX {fits}\r\n"));
    }

    #[test]
    fn what_remains_is_what_the_trailing_can_have() {
        for before in [0, 7, 400, 501, 502, 503, 504, 505, 506, 507, 508, 600] {
            let mut remaining = 0;
            let line = written(|line| {
                let body = line.command(Source::Nobody, "X").param("y".repeat(before));
                remaining = body.remaining();
                body.trailing("z".repeat(LINE_BYTES_MAX));
            });
            assert!(line.len() <= LINE_BYTES_MAX);
            assert_eq!(line.matches('z').count(), remaining, "behind {before}");
        }
    }

    #[test]
    fn what_is_echoed_leaves_room_for_the_sentence() {
        let long = "日".repeat(200);
        let line = written(|line| {
            line.numeric("irc.test", Numeric::ERR_NOSUCHCHANNEL, "dan")
                .echo(&long)
                .trailing("No such channel");
        });
        assert_eq!(line, format!(":irc.test 403 dan {} :No such channel\r\n", "日".repeat(85)));
        let line =
            written(|line| line.command(Source::Nobody, "X").param("y".repeat(504)).echo("éé").trailing("z"));
        assert_eq!(line, format!("X {} é\r\n", "y".repeat(504)));
    }

    #[test]
    fn a_tag_that_does_not_fit_is_left_out_whole() {
        let (own, clients) = ("x".repeat(4_092), "y".repeat(4_092));
        let all = written(|line| {
            line.tag("a", &own).relayed(&format!("b={clients}")).command(Source::Nobody, "X").end()
        });
        assert_eq!(all.len(), TAGS_BYTES_MAX + "X\r\n".len());
        let less = written(|line| {
            line.tag("a", &own)
                .relayed(&format!("bb={clients}"))
                .tag("c", "d")
                .command(Source::Nobody, "X")
                .end();
        });
        assert_eq!(less, format!("@a={own};c=d X\r\n"));
    }
}
