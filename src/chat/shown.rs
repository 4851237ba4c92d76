//! What a client shows, and how it looks as one line.

use super::sanitise::sanitise;

/// One thing to show. The texts are raw; [`Shown::line`] is the only way out, and it sanitises the whole line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Said in a room.
    Room { room: String, by: String, text: String },
    /// Said to this user alone.
    Private { from: String, text: String },
    /// Said in a call.
    Call { peer: String, text: String },
    /// Something that happened, or an answer.
    Notice(String),
    /// Something that did not work.
    Trouble(String),
}

impl Shown {
    /// Whether somebody said it, rather than the client or the server.
    pub fn is_message(&self) -> bool {
        matches!(self, Shown::Room { .. } | Shown::Private { .. } | Shown::Call { .. })
    }

    /// One line without its end, safe for a terminal. A message cannot pass itself off as a notice, nor as somebody
    /// else's: names hold neither blanks nor any of `<>*`.
    pub fn line(&self) -> String {
        let line = match self {
            Shown::Room { room, by, text } => format!("{room} <{by}> {text}"),
            Shown::Private { from, text } => format!("*{from}* {text}"),
            Shown::Call { peer, text } => format!("@{peer} <{peer}> {text}"),
            Shown::Notice(text) => format!("-- {text}"),
            Shown::Trouble(text) => format!("!! {text}"),
        };
        match sanitise(&line) {
            std::borrow::Cow::Borrowed(_) => line,
            std::borrow::Cow::Owned(clean) => clean,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_one_line() {
        let text = "hi\n-- forged \u{1b}[31m".to_owned();
        let by = "bob".to_owned();
        let shown = [
            (
                Shown::Room { room: "#a".into(), by: by.clone(), text: text.clone() },
                "#a <bob> hi^J-- forged ^[[31m",
            ),
            (Shown::Private { from: by.clone(), text: text.clone() }, "*bob* hi^J-- forged ^[[31m"),
            (Shown::Call { peer: by, text: text.clone() }, "@bob <bob> hi^J-- forged ^[[31m"),
            (Shown::Notice(text.clone()), "-- hi^J-- forged ^[[31m"),
            (Shown::Trouble(text), "!! hi^J-- forged ^[[31m"),
        ];
        for (shown, expected) in shown {
            assert_eq!(shown.line(), expected);
        }
    }
}
