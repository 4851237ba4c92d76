//! Where one line ends and the next begins.
//!
//! A line ends with LF, and a CR before it belongs to the end (Modern IRC, "Message Format" and "Compatibility with
//! incorrect software"). A CR anywhere else is no end: that servers *may* take it for one, and differ, is what lets a
//! line mean two things on its way; it makes the line one that does not parse
//! ([`BadLine::Forbidden`](super::BadLine::Forbidden)). Empty lines do not exist: CR and LF in front of a line are used
//! up, whichever there are.
//!
//! ```text
//!   @+typing=done :dan PRIVMSG #tea :hello CR LF
//!   └─ at most 4,096 ─┘└──── at most 512 ────┘
//! ```

use memchr::{memchr, memchr2};

/// The longest line, in bytes, its end counted and its tags not (RFC 1459 §2.3).
pub const LINE_BYTES_MAX: usize = 512;

/// The longest section of tags that a client may send, in bytes, from the `@` to the space behind them (IRCv3
/// message-tags, "Size limit": 4,094 bytes of data).
pub const CLIENT_TAGS_BYTES_MAX: usize = 4096;

/// The longest section of tags that a server may send, in bytes, from the `@` to the space behind them: what the
/// client sent, and as much again of its own (IRCv3 message-tags, "Size limit").
pub const TAGS_BYTES_MAX: usize = 8191;

const LF: u8 = b'\n';
const CR: u8 = b'\r';

/// Finds lines in bytes that somebody else keeps.
///
/// ```text
///            ┌────────────── LF ──────────────┐
///            ▼                                │
///   ───▶ in a line ──over its limit──▶ discarding ⟲ Skipped
/// ```
///
/// It remembers how far it looked, so that a line that comes byte by byte is read once.
#[derive(Clone, Copy, Default, Debug)]
pub struct LineDecoder {
    /// So many bytes of the line hold no end of it.
    looked: u16,
    /// Where the tags of the line end, once that is known: behind the space, and at 0 where there are none.
    body_at: Option<u16>,
    /// The line was too long and has been told so; its end is still to come.
    discarding: bool,
}

/// What the front of a byte stream holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineStep<'a> {
    /// Not a whole line yet; it pays to look again when there are `needed` bytes in total. Fewer than
    /// [`CLIENT_TAGS_BYTES_MAX`] + [`LINE_BYTES_MAX`] ever wait.
    Incomplete { needed: usize },
    /// A line, without its end and never empty. It may be asked for again for as long as it is not used up.
    Line { used: usize, line: &'a [u8] },
    /// The line is over a limit, which is told once, be its end there or not.
    TooLong { used: usize, part: TooLong },
    /// Nothing to act upon: ends of empty lines, or more of a line that was too long.
    Skipped { used: usize },
}

/// The part of a line that is over its limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooLong {
    /// Over [`CLIENT_TAGS_BYTES_MAX`].
    Tags,
    /// Over [`LINE_BYTES_MAX`].
    Body,
}

impl LineDecoder {
    pub fn new() -> Self {
        LineDecoder::default()
    }

    /// The next step over `bytes`: everything that is not used up, from the front. What a step has `used` is used up
    /// before the next call, except for a line.
    pub fn next<'a>(&mut self, bytes: &'a [u8]) -> LineStep<'a> {
        if self.discarding {
            return self.discard(bytes);
        }
        if self.looked == 0 {
            let used = bytes.iter().take_while(|&&byte| byte == CR || byte == LF).count();
            if used > 0 {
                return LineStep::Skipped { used };
            }
        }
        let Some(body_at) = self.body_at.map(usize::from).or_else(|| self.skip_tags(bytes)) else {
            return self.without_body(bytes);
        };
        self.body_at = Some(short(body_at));
        let end_max = body_at + LINE_BYTES_MAX;
        match self.find(bytes, end_max, |bytes| memchr(LF, bytes)) {
            Some(end) => self.line(bytes, end),
            None if bytes.len() >= end_max => self.too_long(bytes, TooLong::Body),
            None => self.incomplete(bytes),
        }
    }

    /// Where the tags end, if they do.
    fn skip_tags(&mut self, bytes: &[u8]) -> Option<usize> {
        if bytes.first() != Some(&b'@') {
            return bytes.first().map(|_| 0);
        }
        let at = self.find(bytes, CLIENT_TAGS_BYTES_MAX, |bytes| memchr2(b' ', LF, bytes))?;
        self.looked = short(at);
        (bytes.get(at) == Some(&b' ')).then_some(at + 1)
    }

    /// The tags do not end, or the line ends with them.
    fn without_body<'a>(&mut self, bytes: &'a [u8]) -> LineStep<'a> {
        let looked = usize::from(self.looked);
        match bytes.get(looked) {
            Some(&LF) => self.line(bytes, looked),
            _ if bytes.len() >= CLIENT_TAGS_BYTES_MAX => self.too_long(bytes, TooLong::Tags),
            _ => self.incomplete(bytes),
        }
    }

    /// Where something is in the bytes that were not looked at yet, up to `end_max`.
    fn find(&self, bytes: &[u8], end_max: usize, what: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
        let bytes = bytes.get(..end_max).unwrap_or(bytes);
        let looked = usize::from(self.looked);
        Some(looked + what(bytes.get(looked..)?)?)
    }

    fn line<'a>(&mut self, bytes: &'a [u8], end: usize) -> LineStep<'a> {
        *self = LineDecoder::new();
        let mut line = bytes.get(..end).unwrap_or_default();
        while let Some(shorter) = line.strip_suffix(&[CR]) {
            line = shorter;
        }
        LineStep::Line { used: end + 1, line }
    }

    fn incomplete(&mut self, bytes: &[u8]) -> LineStep<'static> {
        self.looked = short(bytes.len());
        LineStep::Incomplete { needed: bytes.len() + 1 }
    }

    fn too_long(&mut self, bytes: &[u8], part: TooLong) -> LineStep<'static> {
        let (used, ends) = up_to_end(bytes);
        *self = LineDecoder { discarding: !ends, ..LineDecoder::new() };
        LineStep::TooLong { used, part }
    }

    fn discard(&mut self, bytes: &[u8]) -> LineStep<'static> {
        if bytes.is_empty() {
            return LineStep::Incomplete { needed: 1 };
        }
        let (used, ends) = up_to_end(bytes);
        self.discarding = !ends;
        LineStep::Skipped { used }
    }
}

/// A place in a line: fewer bytes than a line with its tags has are ever looked at.
fn short(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// How many bytes there are up to the end of the line, and whether it is among them.
fn up_to_end(bytes: &[u8]) -> (usize, bool) {
    match memchr(LF, bytes) {
        Some(at) => (at + 1, true),
        None => (bytes.len(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What matters of a step.
    #[derive(Clone, PartialEq, Eq, Debug)]
    enum Told {
        Line(Vec<u8>),
        TooLong(TooLong),
    }

    /// Everything that is told of `bytes` when they come in these pieces.
    fn told<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Told> {
        let (mut decoder, mut held, mut told) = (LineDecoder::new(), Vec::new(), Vec::new());
        for piece in pieces {
            held.extend_from_slice(piece);
            loop {
                let before = decoder;
                let used = match decoder.next(&held) {
                    LineStep::Incomplete { needed } => {
                        assert!(needed > held.len(), "would look again at nothing new");
                        break;
                    }
                    LineStep::Line { used, line } => {
                        assert!(!line.is_empty() && used <= held.len());
                        told.push(Told::Line(line.to_vec()));
                        let again = decoder.next(&held);
                        assert_eq!(again, LineStep::Line { used, line }, "asked again, after {before:?}");
                        used
                    }
                    LineStep::TooLong { used, part } => {
                        told.push(Told::TooLong(part));
                        used
                    }
                    LineStep::Skipped { used } => used,
                };
                assert!(used > 0, "nothing was used up");
                held.drain(..used);
            }
            assert!(held.len() < CLIENT_TAGS_BYTES_MAX + LINE_BYTES_MAX, "{} bytes wait", held.len());
        }
        told
    }

    fn whole(bytes: &[u8]) -> Vec<Told> {
        told([bytes])
    }

    fn lines(lines: &[&str]) -> Vec<Told> {
        lines.iter().map(|line| Told::Line(line.as_bytes().to_vec())).collect()
    }

    #[test]
    fn lines_end_with_cr_lf_or_lf_and_empty_ones_do_not_exist() {
        assert_eq!(whole(b"NICK a\r\nUSER b\nPING c\r\r\nX"), lines(&["NICK a", "USER b", "PING c"]));
        assert_eq!(whole(b"\r\n\n\r\nNICK a\n\n\r\n\r\r\n"), lines(&["NICK a"]));
        assert_eq!(whole(b"NICK a\rNICK b\r\n"), lines(&["NICK a\rNICK b"]), "a CR alone is no end");
        assert_eq!(whole(b"@a=b\n @c d\n"), lines(&["@a=b", " @c d"]));
    }

    #[test]
    fn a_line_has_512_bytes_with_its_end() {
        for end in ["\n", "\r\n"] {
            let fits = format!("{}{end}", "x".repeat(LINE_BYTES_MAX - end.len()));
            assert_eq!(whole(fits.as_bytes()), lines(&[fits.trim_end()]));
            let over = format!("x{fits}NICK a\r\n");
            assert_eq!(
                whole(over.as_bytes())[..],
                [vec![Told::TooLong(TooLong::Body)], lines(&["NICK a"])].concat()
            );
        }
    }

    #[test]
    fn tags_have_4096_bytes_beside_the_512_of_the_line() {
        let tags = |data| format!("@{} ", "t".repeat(data));
        let body = "x".repeat(LINE_BYTES_MAX - 2);
        let fits = format!("{}{body}\r\n", tags(4094));
        assert_eq!(whole(fits.as_bytes()), lines(&[fits.trim_end()]));
        for (line, part) in [
            (format!("{}x\r\n", tags(4095)), TooLong::Tags),
            (format!("{}x{body}\r\n", tags(4094)), TooLong::Body),
            (format!("{} {body}\r\n", tags(1)), TooLong::Body), // one space is the tags', more are the line's
            (format!("@{}\r\n", "t".repeat(4095)), TooLong::Tags),
        ] {
            assert_eq!(whole(line.as_bytes()), [Told::TooLong(part)]);
        }
    }

    #[test]
    fn a_line_without_end_is_told_once_and_not_kept() {
        let mut decoder = LineDecoder::new();
        assert_eq!(decoder.next(&[b'x'; 511]), LineStep::Incomplete { needed: 512 });
        assert_eq!(decoder.next(&[b'x'; 512]), LineStep::TooLong { used: 512, part: TooLong::Body });
        assert_eq!(decoder.next(b""), LineStep::Incomplete { needed: 1 });
        assert_eq!(decoder.next(&[b'x'; 9_000]), LineStep::Skipped { used: 9_000 });
        assert_eq!(decoder.next(b"\r"), LineStep::Skipped { used: 1 });
        assert_eq!(decoder.next(b"\nNICK a\n"), LineStep::Skipped { used: 1 });
        assert_eq!(decoder.next(b"NICK a\n"), LineStep::Line { used: 7, line: b"NICK a" });
    }

    #[test]
    fn what_was_looked_at_is_not_looked_at_again() {
        let mut decoder = LineDecoder::new();
        assert_eq!(decoder.next(b"@a b"), LineStep::Incomplete { needed: 5 });
        // The end that appears where no end was is a proof that it did not look there.
        assert_eq!(decoder.next(b"\n\n\n\nc"), LineStep::Incomplete { needed: 6 });
        assert_eq!(decoder.next(b"@a bc\n"), LineStep::Line { used: 6, line: b"@a bc" });
    }

    fn cut(bytes: &[u8], cuts: Vec<prop::sample::Index>) -> Vec<&[u8]> {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|two| &bytes[two[0]..two[1]]).collect()
    }

    /// The rules said again, over all the bytes at once.
    fn by_the_rules(bytes: &[u8]) -> Vec<Told> {
        let mut told = Vec::new();
        let mut rest = bytes;
        loop {
            while let [CR | LF, behind @ ..] = rest {
                rest = behind;
            }
            let tags_end = match rest.first() {
                Some(b'@') => rest.iter().position(|byte| b" \n".contains(byte)),
                _ => Some(0),
            };
            let body_at = match tags_end {
                Some(at) if rest.first() == Some(&b'@') && rest[at] == b' ' => at + 1,
                at => at.unwrap_or(rest.len()),
            };
            let end = rest.iter().position(|byte| *byte == LF);
            let line_len = end.map_or(rest.len(), |end| end + 1);
            let too_long = if body_at.max(tags_end.map_or(0, |at| at + 1)) > CLIENT_TAGS_BYTES_MAX
                || (tags_end.is_none() && rest.len() >= CLIENT_TAGS_BYTES_MAX)
            {
                Some(TooLong::Tags)
            } else if line_len - body_at > LINE_BYTES_MAX
                || (end.is_none() && line_len - body_at == LINE_BYTES_MAX && tags_end.is_some())
            {
                Some(TooLong::Body)
            } else {
                None
            };
            told.extend(too_long.map(Told::TooLong));
            let Some(end) = end else { return told };
            if too_long.is_none() {
                let text = rest[..end].to_vec();
                let kept = text.iter().rposition(|byte| *byte != CR).map_or(0, |at| at + 1);
                told.push(Told::Line(text[..kept].to_vec()));
            }
            rest = &rest[end + 1..];
        }
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => prop::collection::vec(any::<u8>(), 0..20),
            4 => prop::sample::select(vec!["\r\n", "\n", "\r", "@", " ", ";", "NICK a\r\n", "@a "])
                .prop_map(|text| text.as_bytes().to_vec()),
            1 => (505usize..520).prop_map(|n| vec![b'x'; n]),
            1 => (4085usize..4100).prop_map(|n| [b"\n@".to_vec(), vec![b't'; n]].concat()),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn random_bytes_cut_anywhere_tell_the_same(
            bytes in stream(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let expected = by_the_rules(&bytes);
            prop_assert_eq!(&whole(&bytes), &expected);
            prop_assert_eq!(&told(cut(&bytes, cuts)), &expected);
            prop_assert_eq!(&told(bytes.chunks(1)), &expected);
        }
    }
}
