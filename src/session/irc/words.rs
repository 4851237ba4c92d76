//! Messages, as lines: other dialects have longer texts, and what was accepted is not cut but divided.

use super::capabilities::MESSAGE_TAGS;
use super::letters::Rank;
use crate::hub::{Form, Role, Words};
use crate::session::Variant;
use crate::wire::irc::LineBody;
use crate::wire::irc::ctcp::{Ctcp, DELIMITER};
use std::fmt;

/// Whom a message is for: all of a room, those of them with a rank (STATUSMSG), or somebody alone.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub least: Option<Role>,
    pub name: &'a str,
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.least.map_or("", |role| Rank::Role(role).sign()), self.name)
    }
}

/// Writes a message, in as many lines as it takes. The first line alone is the message by its number.
pub fn put_words(
    words: Words<'_>,
    variant: Variant,
    out: &mut Vec<u8>,
    begin: impl for<'l> Fn(&'l mut Vec<u8>, bool, &str) -> LineBody<'l>,
) {
    let command = match words.form {
        Form::Message => "PRIVMSG",
        Form::Notice => "NOTICE",
        Form::Tags if variant.has(MESSAGE_TAGS) => return begin(out, true, "TAGMSG").end(),
        Form::Tags => return,
    };
    let body = begin(out, true, command);
    if words.text.len() <= body.remaining() {
        return body.trailing(words.text); // nearly always
    }
    let (mut rest, mut body) = (Rest::of(words.text), body);
    loop {
        let piece = rest.piece(body.remaining());
        body.trailing(piece);
        if rest.is_empty() {
            return;
        }
        body = begin(out, false, command);
    }
}

/// What is still to be written of a text that does not fit in a line.
enum Rest<'a> {
    Text(&'a str),
    /// The words of an ACTION: each piece of it is one.
    Action(&'a str),
    /// A message for a program, which could not put it together again: what a line does not hold is lost.
    Control(Ctcp<'a>),
}

/// What one line has of it.
enum Piece<'a> {
    Text(&'a str),
    Control(Ctcp<'a>),
}

impl<'a> Rest<'a> {
    fn of(text: &'a str) -> Self {
        match Ctcp::of(text) {
            Some(ctcp) if ctcp.is_action() => Rest::Action(ctcp.params),
            Some(ctcp) => Rest::Control(ctcp),
            None => Rest::Text(text),
        }
    }

    /// As much as has room, in bytes. A piece of what people say is never taken for a message to a program.
    fn piece(&mut self, room: usize) -> Piece<'a> {
        match self {
            Rest::Text(rest) => {
                let (now, later) = split_for(rest, room);
                *rest = later.trim_start_matches(DELIMITER);
                Piece::Text(now)
            }
            Rest::Action(rest) => {
                let (now, later) = split_for(rest, room.saturating_sub(Ctcp::action("").frame_bytes()));
                *rest = later;
                Piece::Control(Ctcp::action(now))
            }
            Rest::Control(ctcp) => {
                let piece = ctcp.shortened(room);
                *self = Rest::Text("");
                Piece::Control(piece)
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Rest::Text(rest) | Rest::Action(rest) => rest.is_empty(),
            Rest::Control(_) => false,
        }
    }
}

impl fmt::Display for Piece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Piece::Text(text) => f.write_str(text),
            Piece::Control(ctcp) => ctcp.fmt(f),
        }
    }
}

/// The beginning of a text that has room in a line, and the rest: apart at a space in the second half, if there is one.
fn split_for(text: &str, room: usize) -> (&str, &str) {
    if text.len() <= room {
        return (text, "");
    }
    let fits = text.floor_char_boundary(room.max(4));
    let space = text.get(fits / 2..fits).and_then(|half| half.rfind(' ')).map(|at| fits / 2 + at + 1);
    text.split_at_checked(space.unwrap_or(fits)).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::irc::line::LINE_BYTES_MAX;
    use crate::wire::irc::{LineHead, Source};
    use proptest::prelude::*;

    /// The trailings of the lines that a text becomes.
    fn lines(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        put_words(
            Words { form: Form::Message, text, tags: "" },
            Variant::default(),
            &mut out,
            |out, _, command| {
                let dan = Source::User { nick: "dan", user: "d", host: &"h" };
                LineHead::begin(out).command(dan, command).param("#tea")
            },
        );
        let out = String::from_utf8(out).expect("text");
        let line = |line: &str| {
            assert!(line.len() + 2 <= LINE_BYTES_MAX, "{line:?}");
            line.strip_prefix(":dan!d@h PRIVMSG #tea :").expect(line).to_owned()
        };
        out.split_terminator("\r\n").map(line).collect()
    }

    #[test]
    fn a_text_that_fits_is_as_it_was() {
        for text in ["hello", "\u{1}ACTION waves", "\u{1}VERSION\u{1}", "a\u{1}b"] {
            assert_eq!(lines(text), [text]);
        }
    }

    #[test]
    fn each_piece_of_an_action_is_an_action() {
        let words = "waves and ".repeat(200);
        for end in ["\u{1}", ""] {
            let lines = lines(&format!("\u{1}ACTION {words}{end}"));
            assert!(lines.len() > 3);
            let inside = |line: &String| {
                let inside = line.strip_prefix("\u{1}ACTION ").and_then(|line| line.strip_suffix('\u{1}'));
                inside.expect(line).to_owned()
            };
            assert_eq!(lines.iter().map(inside).collect::<String>(), words);
        }
    }

    #[test]
    fn a_message_for_a_program_is_one_line_that_ends() {
        let lines = lines(&format!("\u{1}PING {}\u{1}", "é".repeat(600)));
        assert!(lines.len() == 1 && lines[0].starts_with("\u{1}PING éé") && lines[0].ends_with("é\u{1}"));
    }

    proptest! {
        #[test]
        fn no_piece_of_a_text_is_for_a_program(text in "[ab é\u{1}]{0,1500}") {
            let lines = lines(&text);
            prop_assert!(!lines.is_empty());
            if !text.starts_with('\u{1}') {
                prop_assert!(lines.iter().all(|line| !line.starts_with(DELIMITER)));
                let without = |text: &str| text.replace('\u{1}', "");
                prop_assert_eq!(without(&lines.concat()), without(&text), "nothing else is lost");
            }
        }
    }
}
