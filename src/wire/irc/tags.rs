//! Tags: what a message says about itself (IRCv3 message-tags).

use memchr::memchr_iter;
use std::borrow::Cow;

/// More tags than a line that parses may have. Which of two with the same key counts is found by comparing all, so
/// their number is bounded; clients send a handful.
pub const TAGS_MAX: usize = 64;

/// The tags of a line as they were sent: `+typing=active;label=4`, without the `@`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tags<'a>(&'a str);

/// One tag as it was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag<'a> {
    /// With its `+` and its vendor; opaque, as the specification has it. Never empty.
    pub key: &'a str,
    /// What is behind the `=`, escaped. A tag without a value and one with an empty value mean the same.
    pub escaped: Option<&'a str>,
}

impl<'a> Tags<'a> {
    /// Tags as they are on the wire, without the `@` and the space.
    pub fn new(raw: &'a str) -> Self {
        Tags(raw)
    }

    pub fn as_str(self) -> &'a str {
        self.0
    }

    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }

    /// Whether there are more than [`TAGS_MAX`].
    pub(super) fn are_too_many(self) -> bool {
        memchr_iter(b';', self.0.as_bytes()).nth(TAGS_MAX - 1).is_some()
    }

    /// Every tag in its place, and every occurrence of those that are there twice.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Tag<'a>> {
        self.0.split(';').filter_map(|tag| {
            let (key, escaped) = match tag.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (tag, None),
            };
            (!key.is_empty()).then_some(Tag { key, escaped })
        })
    }

    /// The tag with that key; the last one, if there are several.
    pub fn find(self, key: &str) -> Option<Tag<'a>> {
        self.iter().rfind(|tag| tag.key == key)
    }

    /// The tags that a server passes on unread, each key once: its last occurrence.
    pub fn client_only(self) -> impl Iterator<Item = Tag<'a>> {
        self.iter().enumerate().filter_map(move |(n, tag)| {
            let counts = tag.is_client_only() && self.iter().skip(n + 1).all(|later| later.key != tag.key);
            counts.then_some(tag)
        })
    }

    /// Appends [`Tags::client_only`] as they were sent, `;` between them: what
    /// [`LineHead::relayed`](super::LineHead::relayed) takes. At most as long as the tags are.
    pub fn put_client_only(self, out: &mut String) {
        let start = out.len();
        for tag in self.client_only() {
            if out.len() > start {
                out.push(';');
            }
            out.push_str(tag.key);
            if let Some(escaped) = tag.escaped {
                out.push('=');
                out.push_str(escaped);
            }
        }
    }
}

impl<'a> Tag<'a> {
    /// Whether it is one of the client's own (`+`), which a server passes on and does not read.
    pub fn is_client_only(&self) -> bool {
        self.key.len() > 1 && self.key.starts_with('+')
    }

    /// The value, no longer escaped; empty where there is none.
    pub fn value(&self) -> Cow<'a, str> {
        unescape(self.escaped.unwrap_or_default())
    }
}

/// A value as it is meant (message-tags, "Escaping values"). A backslash in front of any other character means nothing,
/// and neither does one at the end.
pub fn unescape(escaped: &str) -> Cow<'_, str> {
    let Some((clean, rest)) = escaped.split_once('\\') else { return Cow::Borrowed(escaped) };
    let mut value = String::with_capacity(escaped.len());
    value.push_str(clean);
    let mut is_escape = true;
    for c in rest.chars() {
        match c {
            '\\' if !is_escape => {
                is_escape = true;
                continue;
            }
            ':' if is_escape => value.push(';'),
            's' if is_escape => value.push(' '),
            'r' if is_escape => value.push('\r'),
            'n' if is_escape => value.push('\n'),
            c => value.push(c),
        }
        is_escape = false;
    }
    Cow::Owned(value)
}

/// The sequence for a byte that must not stand in a value itself. NUL has none, and is left out.
pub(super) fn escape(byte: u8) -> Option<&'static [u8]> {
    Some(match byte {
        b';' => b"\\:",
        b' ' => b"\\s",
        b'\\' => b"\\\\",
        b'\r' => b"\\r",
        b'\n' => b"\\n",
        0 => b"",
        _ => return None,
    })
}

/// Appends a value as it goes on the wire.
pub fn put_escaped(out: &mut Vec<u8>, value: &str) {
    for byte in value.bytes() {
        match escape(byte) {
            Some(sequence) => out.extend_from_slice(sequence),
            None => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tag<'a>(key: &'a str, escaped: Option<&'a str>) -> Tag<'a> {
        Tag { key, escaped }
    }

    #[test]
    fn tags_have_a_key_and_maybe_a_value() {
        let tags = Tags::new("aaa=bbb;ccc;example.com/ddd=eee;;=f;e=;g=h=i");
        let expected = [
            tag("aaa", Some("bbb")),
            tag("ccc", None),
            tag("example.com/ddd", Some("eee")),
            tag("e", Some("")),
            tag("g", Some("h=i")),
        ];
        assert!(tags.iter().eq(expected));
        assert!(Tags::new("").is_empty() && Tags::new(";;").is_empty());
        assert_eq!(tags.find("ccc").map(|tag| tag.value()), Some("".into()));
        assert_eq!(tags.find("ddd"), None);
    }

    #[test]
    fn values_are_unescaped_and_a_backslash_that_escapes_nothing_is_dropped() {
        let cases = [
            ("plain+:=,", "plain+:=,"),
            (r"raw+:=,escaped\:\s\\", r"raw+:=,escaped; \"),
            (r"\r\n", "\r\n"),
            (r"a\bc\é", "abcé"),
            (r"\\\\s\\:", r"\\s\:"),
            (r"test\", "test"),
            (r"\", ""),
        ];
        for (escaped, value) in cases {
            assert_eq!(unescape(escaped), value, "{escaped}");
        }
    }

    #[test]
    fn of_the_same_key_the_last_counts() {
        let tags = Tags::new("a=1;+b=1;a=2;+b;+c=x");
        assert_eq!(tags.find("a"), Some(tag("a", Some("2"))));
        assert!(tags.client_only().eq([tag("+b", None), tag("+c", Some("x"))]));
    }

    #[test]
    fn only_what_is_the_clients_own_is_passed_on_and_it_is_not_touched() {
        let mut out = String::from("before ");
        Tags::new(r"+baz=b\:t\q;fizz=buzz;+;+e=;label=1;+d").put_client_only(&mut out);
        assert_eq!(out, r"before +baz=b\:t\q;+e=;+d");
    }

    #[test]
    fn more_than_64_are_too_many() {
        assert!(!Tags::new(&vec!["a"; TAGS_MAX].join(";")).are_too_many());
        assert!(Tags::new(&vec!["a"; TAGS_MAX + 1].join(";")).are_too_many());
    }

    proptest! {
        #[test]
        fn what_is_escaped_can_stand_in_a_line_and_comes_back(value in r"[;\\ \r\na:snr日é]{0,20}|[^\x00]*") {
            let mut out = Vec::new();
            put_escaped(&mut out, &value);
            prop_assert!(!out.iter().any(|byte| b"\0\r\n; ".contains(byte)));
            prop_assert_eq!(unescape(std::str::from_utf8(&out).unwrap()), value);
        }
    }
}
