//! Lists that go on in the next line.

use super::message::PARAMS_MAX;
use super::write::{END, Field, LineBody, LineHead};
use std::fmt::{self, Display, Write};

/// A list that goes on in the next line when one is full: NAMES, ISON, MONITOR, the channels of WHOIS.
///
/// Nothing is written before the first item. An item never stands in two lines; one that does not fit in a line of its
/// own is cut.
#[must_use = "its last line is written up to its end"]
pub struct ListLines<'o, B> {
    out: &'o mut Vec<u8>,
    begin: B,
    separator: char,
    open: Option<OpenLine>,
}

#[derive(Clone, Copy)]
struct OpenLine {
    start: usize,
    items_at: usize,
    end: usize,
}

impl<'o, B> ListLines<'o, B>
where
    B: for<'l> FnMut(LineHead<'l>) -> LineBody<'l>,
{
    /// `begin` writes what is in front of the trailing, once for every line.
    pub fn new(out: &'o mut Vec<u8>, separator: char, begin: B) -> Self {
        ListLines { out, begin, separator, open: None }
    }

    /// The next item; it is without spaces, as parameters are.
    pub fn item(&mut self, item: impl Display) {
        if let Some(line) = self.open {
            let before = self.out.len();
            if before > line.items_at {
                self.out.extend_from_slice(self.separator.encode_utf8(&mut [0; 4]).as_bytes());
            }
            if self.put(line.end, &item) {
                return;
            }
            self.out.truncate(before);
            self.out.extend_from_slice(END);
        }
        let line = begin_list(self.out, &mut self.begin);
        self.open = Some(line);
        self.put(line.end, item);
    }

    /// Ends the last line, if there is one.
    pub fn end(self) {
        if self.open.is_some() {
            self.out.extend_from_slice(END);
        }
    }

    /// Ends the last line; there is one, even without an item.
    pub fn end_even_empty(mut self) {
        if self.open.is_none() {
            self.open = Some(begin_list(self.out, &mut self.begin));
        }
        self.end();
    }

    /// Ends the last line, which begins otherwise than those before it (`CAP * LS` and `CAP * LS *`): with no more bytes
    /// than they do, or it stays as it is. There is one, even without an item.
    pub fn end_with(self, begin: impl for<'l> FnOnce(LineHead<'l>) -> LineBody<'l>) {
        let before = self.out.len();
        let last = begin_list(self.out, begin);
        if let Some(line) = self.open {
            if last.items_at + (before - line.items_at) <= last.end {
                self.out.extend_from_within(line.items_at..before);
                self.out.drain(line.start..before);
            } else {
                self.out.truncate(before);
            }
        }
        self.out.extend_from_slice(END);
    }

    /// Whether it is on the line, all of it.
    fn put(&mut self, end: usize, value: impl Display) -> bool {
        let mut field = Field { out: &mut *self.out, end, is_word: true, cut: false };
        let _ = write!(field, "{value}"); // into a Vec, which takes all
        !field.cut
    }
}

fn begin_list(out: &mut Vec<u8>, begin: impl for<'l> FnOnce(LineHead<'l>) -> LineBody<'l>) -> OpenLine {
    let start = out.len();
    let mut body = begin(LineHead::begin(&mut *out));
    let (has_list, end) = (body.begin_trailing(), body.end);
    let items_at = out.len();
    OpenLine { start, items_at, end: if has_list { end } else { items_at } }
}

/// Writes tokens as parameters of their own, in as few lines as hold them with the same `trailing` each: ISUPPORT, of
/// which a line has at most 13, so that with the client's name and the trailing there are [`PARAMS_MAX`].
pub fn put_tokens<T: Display>(
    out: &mut Vec<u8>,
    tokens: impl IntoIterator<Item = T>,
    trailing: &str,
    mut begin: impl for<'l> FnMut(LineHead<'l>) -> LineBody<'l>,
) {
    let mut tokens = tokens.into_iter().peekable();
    while tokens.peek().is_some() {
        let mut body = begin(LineHead::begin(&mut *out));
        for n in 0..PARAMS_MAX - 2 {
            let fits = |token: &T| n == 0 || 1 + length(token) + trailing.len() <= body.remaining();
            let Some(token) = tokens.next_if(fits) else { break };
            body = body.param(token);
        }
        body.trailing(trailing);
    }
}

/// In bytes.
fn length(value: &impl Display) -> usize {
    struct Count(usize);
    impl Write for Count {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut count = Count(0);
    let _ = write!(count, "{value}"); // counting cannot fail
    count.0
}

#[cfg(test)]
mod tests {
    use super::super::line::LINE_BYTES_MAX;
    use super::super::numeric::Numeric;
    use super::super::write::Source;
    use super::*;

    fn names(head: LineHead<'_>) -> LineBody<'_> {
        head.numeric("irc.test", Numeric::RPL_NAMREPLY, "dan").param("=").param("#tea")
    }

    fn text(out: Vec<u8>) -> String {
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_list_fills_lines_to_their_end_and_loses_nothing() {
        let items: Vec<String> = (0..400).map(|n| "é".repeat(n % 30 + 1)).collect();
        let mut out = Vec::new();
        let mut list = ListLines::new(&mut out, ' ', names);
        items.iter().for_each(|item| list.item(item));
        list.end();
        let out = text(out);
        let lists: Vec<&str> = out
            .split_terminator("\r\n")
            .map(|line| line.strip_prefix(":irc.test 353 dan = #tea :").unwrap())
            .collect();
        assert_eq!(lists.join(" "), items.join(" "));
        let room = LINE_BYTES_MAX - 2 - ":irc.test 353 dan = #tea :".len();
        for two in lists.windows(2) {
            let next = two[1].split(' ').next().unwrap();
            assert!(two[0].len() <= room && two[0].len() + 1 + next.len() > room, "{two:?}");
        }
    }

    #[test]
    fn an_item_is_made_of_parts_and_the_separator_is_the_callers() {
        let mut out = Vec::new();
        let mut list = ListLines::new(&mut out, ',', |head| head.command(Source::Nobody, "730"));
        list.item(format_args!("{}!{}@{}", "a", "b c", "d"));
        list.item("");
        list.item("e");
        list.end();
        assert_eq!(text(out), "730 :a!b_c@d,,e\r\n");
    }

    #[test]
    fn an_empty_list_is_a_line_where_it_has_to_be_one() {
        let mut out = Vec::new();
        ListLines::new(&mut out, ' ', names).end();
        assert!(out.is_empty());
        ListLines::new(&mut out, ' ', names).end_even_empty();
        assert_eq!(text(out), ":irc.test 353 dan = #tea :\r\n");
    }

    #[test]
    fn an_item_longer_than_a_line_is_cut_and_the_next_stands_in_its_own() {
        let mut out = Vec::new();
        let mut list = ListLines::new(&mut out, ' ', |head| head.command(Source::Nobody, "X"));
        list.item("x".repeat(600));
        list.item("y");
        list.end_even_empty();
        assert_eq!(text(out), format!("X :{}\r\nX :y\r\n", "x".repeat(507)));
        let mut out = Vec::new();
        let mut list = ListLines::new(&mut out, ' ', |head| head.command(Source::Nobody, "x".repeat(600)));
        list.item("nowhere to stand");
        list.end();
        assert_eq!(text(out), format!("{}\r\n", "x".repeat(510)));
    }

    #[test]
    fn the_last_line_may_begin_otherwise() {
        let capabilities = |count| {
            let mut out = Vec::new();
            let mut list = ListLines::new(&mut out, ' ', |head| {
                head.command(Source::Nobody, "CAP").param("*").param("LS").param("*")
            });
            (0..count).for_each(|_| list.item("x".repeat(200)));
            list.end_with(|head| head.command(Source::Nobody, "CAP").param("*").param("LS"));
            text(out)
        };
        let x = "x".repeat(200);
        assert_eq!(capabilities(0), "CAP * LS :\r\n");
        assert_eq!(capabilities(1), format!("CAP * LS :{x}\r\n"));
        assert_eq!(capabilities(3), format!("CAP * LS * :{x} {x}\r\nCAP * LS :{x}\r\n"));
    }

    #[test]
    fn tokens_are_at_most_13_to_a_line_and_whole() {
        let lines = |tokens: &[String]| {
            let mut out = Vec::new();
            put_tokens(&mut out, tokens, "are supported", |head| {
                head.command(Source::Nobody, "005").param("dan")
            });
            text(out)
        };
        let short: Vec<String> = (0..30).map(|n| format!("T={n}")).collect();
        let out = lines(&short);
        let counts: Vec<usize> = out.lines().map(|line| line.matches("T=").count()).collect();
        assert_eq!(counts, [13, 13, 4]);
        assert!(out.lines().all(|line| line.starts_with("005 dan T=") && line.ends_with(" :are supported")));
        let room = LINE_BYTES_MAX - 2 - "005 dan  :are supported".len();
        let full = ["x".repeat(room - 2), "y".to_owned()];
        assert_eq!(lines(&full), format!("005 dan {} y :are supported\r\n", full[0]));
        let over = ["x".repeat(room - 1), "y".to_owned()];
        assert_eq!(
            lines(&over),
            format!("005 dan {} :are supported\r\n005 dan y :are supported\r\n", over[0])
        );
        assert_eq!(lines(&[]), "");
    }
}
