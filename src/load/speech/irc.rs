//! IRC as RFC 1459 and 2812 have it, without capabilities: what ngIRCd, InspIRCd, Ergo and all the others have in common.
//!
//! Names stay within nine characters (RFC 2812 §1.2.1), messages within 512 bytes with everything that servers put in
//! front (§2.3).

use super::super::words::{WORDS_MAX, excerpt};
use super::{Heard, Step, Template, Whither};
use memchr::memchr;

/// 512 bytes, less the line's end, the command, and the longest prefix and target that there usually are.
pub const TEXT_MAX: usize = 350;

/// A server whose line is longer than this is none. Twice what message tags (IRCv3) allow.
const LINE_MAX: usize = 16_384;

pub fn log_in(out: &mut Vec<u8>, name: &str) {
    line(out, &["NICK ", name]);
    line(out, &["USER ", name, " 0 * :", name]);
}

pub fn enter(out: &mut Vec<u8>, room: &str) {
    line(out, &["JOIN ", room]);
}

pub fn leave(out: &mut Vec<u8>, room: &str) {
    line(out, &["PART ", room]);
}

pub fn ask(out: &mut Vec<u8>, token: u64) {
    line(out, &["PING :", &token.to_string()]);
}

pub fn answer(out: &mut Vec<u8>, ping: &[u8]) {
    out.extend_from_slice(b"PONG :");
    out.extend_from_slice(ping);
    out.extend_from_slice(b"\r\n");
}

pub fn template(to: Whither<'_>, text: &[u8]) -> Template {
    let (Whither::Room { name, .. } | Whither::Client { name }) = to else {
        return Template { bytes: Vec::new(), marker_at: 0 }; // there are no relays
    };
    let mut bytes = Vec::new();
    for part in [b"PRIVMSG ", name.as_bytes(), b" :", text, b"\r\n"] {
        bytes.extend_from_slice(part);
    }
    let marker_at = bytes.len() - text.len() - 2;
    Template { bytes, marker_at }
}

fn line(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

#[inline]
pub fn next(bytes: &[u8]) -> Result<Step<'_>, String> {
    let Some(end) = memchr(b'\n', bytes) else {
        if bytes.len() > LINE_MAX {
            return Err(format!("a line of more than {LINE_MAX} bytes"));
        }
        return Ok(Step::Incomplete { needed: bytes.len() + 1 });
    };
    let (line, _) = bytes.split_at(end);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Ok(Step::Whole { len: end + 1, heard: heard(line)? })
}

#[inline]
fn heard(line: &[u8]) -> Result<Heard<'_>, String> {
    let (_, rest) = match line.first() {
        Some(b':') => cut(line),
        _ => (&line[..0], line),
    };
    match rest.strip_prefix(b"PRIVMSG ") {
        Some(rest) => {
            let (_, text) = cut(rest);
            Ok(Heard::Message(text.strip_prefix(b":").unwrap_or(text)))
        }
        None => answered(line, rest),
    }
}

/// What is before the first space, and what is behind it.
fn cut(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (head, rest) = bytes.split_at(memchr(b' ', bytes).unwrap_or(bytes.len()));
    (head, rest.get(1..).unwrap_or_default())
}

/// Everything but messages. `line` is all of it, `rest` what follows the prefix.
#[cold]
fn answered<'a>(line: &'a [u8], rest: &'a [u8]) -> Result<Heard<'a>, String> {
    let (command, parameters) = cut(rest);
    Ok(match command {
        b"001" => Heard::LoggedIn,
        b"353" => Heard::Names(names(trailing(parameters))),
        b"366" => Heard::Joined { channel: 0, occupants: 0 },
        b"JOIN" => Heard::Entered,
        b"PING" => Heard::Ping(trailing(parameters)),
        b"PONG" => {
            let token = std::str::from_utf8(trailing(parameters)).unwrap_or_default();
            Heard::Pong(token.parse().unwrap_or_default())
        }
        b"ERROR" => Heard::Ended(trailing(parameters)),
        // 422: there is no message of the day. NOTICE and the other numbers tell nothing that matters.
        b"422" => Heard::Other,
        [b'4' | b'5', b'0'..=b'9', b'0'..=b'9'] => Heard::Refused(rest),
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] => Heard::Other,
        _ if command.iter().all(u8::is_ascii_alphabetic) => Heard::Other,
        _ => return Err(format!("{:?}", excerpt(line, WORDS_MAX))),
    })
}

/// The last parameter.
fn trailing(parameters: &[u8]) -> &[u8] {
    if let Some(text) = parameters.strip_prefix(b":") {
        return text;
    }
    match parameters.windows(2).position(|two| two == b" :") {
        Some(at) => parameters.get(at + 2..).unwrap_or_default(),
        None => parameters.rsplit(|byte| *byte == b' ').next().unwrap_or_default(),
    }
}

fn names(list: &[u8]) -> u32 {
    list.split(|byte| *byte == b' ').filter(|name| !name.is_empty()).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(line: &str) -> Result<Heard<'_>, String> {
        match next(line.as_bytes())? {
            Step::Whole { len, heard } if len == line.len() => Ok(heard),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lines_of_all_servers_are_understood() {
        assert_eq!(hear(":b1!~b1@127.0.0.1 PRIVMSG #r :some words\r\n"), Ok(Heard::Message(b"some words")));
        assert_eq!(hear(":b1!~b1@127.0.0.1 PRIVMSG #r word\n"), Ok(Heard::Message(b"word")));
        assert_eq!(hear(":irc.test 001 b1 :Welcome\r\n"), Ok(Heard::LoggedIn));
        assert_eq!(hear(":irc.test 353 b1 = #r :@b1 b2 b3 \r\n"), Ok(Heard::Names(3)));
        assert_eq!(
            hear(":irc.test 366 b1 #r :End of /NAMES list.\r\n"),
            Ok(Heard::Joined { channel: 0, occupants: 0 })
        );
        assert_eq!(hear(":b2!b2@h JOIN :#r\r\n"), Ok(Heard::Entered));
        assert_eq!(hear("PING :irc.test\r\n"), Ok(Heard::Ping(b"irc.test")));
        assert_eq!(hear("PING 4711\r\n"), Ok(Heard::Ping(b"4711")));
        assert_eq!(hear(":irc.test PONG irc.test :12\r\n"), Ok(Heard::Pong(12)));
        assert_eq!(hear(":irc.test PONG irc.test 12\r\n"), Ok(Heard::Pong(12)));
        assert_eq!(hear("ERROR :Closing Link: full\r\n"), Ok(Heard::Ended(b"Closing Link: full")));
        assert_eq!(
            hear(":irc.test 433 * b1 :Nickname is already in use\r\n"),
            Ok(Heard::Refused(b"433 * b1 :Nickname is already in use"))
        );
        assert_eq!(hear(":irc.test 422 b1 :No MOTD\r\n"), Ok(Heard::Other));
        assert_eq!(hear(":irc.test NOTICE * :*** Looking up your hostname\r\n"), Ok(Heard::Other));
        assert!(hear("\u{81}\u{1}\u{0}\u{5}\n").is_err());
    }

    #[test]
    fn a_line_is_heard_at_its_end_and_not_before() {
        let line = b":b1!b1@h PRIVMSG #r :words\r\n";
        for cut in 0..line.len() {
            assert!(matches!(next(&line[..cut]), Ok(Step::Incomplete { .. })), "cut at {cut}");
        }
        assert!(next(&[b'x'; LINE_MAX + 1]).is_err());
    }

    #[test]
    fn a_message_carries_its_marker_where_it_says() {
        let Template { bytes, marker_at } = template(Whither::Room { name: "#r", channel: 0 }, b"xxxx");
        assert_eq!(bytes, b"PRIVMSG #r :xxxx\r\n");
        assert_eq!(&bytes[marker_at..], b"xxxx\r\n");
    }
}
