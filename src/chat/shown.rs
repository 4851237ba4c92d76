//! What a client shows, and how it looks as one line.

use super::sanitise::sanitise;
use crate::wire::irc::ctcp::Ctcp;

/// One thing to show. The texts are raw; [`Shown::line`] is the only way out, and it sanitises the whole line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Said in a room.
    Room { room: String, by: String, text: String },
    /// Said to this user alone.
    Private { from: String, text: String },
    /// Said in a call.
    Call { peer: String, text: String },
    /// Said in a room before; the whole line.
    Past(String),
    /// Something that happened, or an answer.
    Notice(String),
    /// Something that did not work.
    Trouble(String),
}

impl Shown {
    /// Whether somebody said it, rather than the client or the server.
    pub fn is_message(&self) -> bool {
        matches!(self, Shown::Room { .. } | Shown::Private { .. } | Shown::Call { .. } | Shown::Past(_))
    }

    /// What somebody says, who may be asking for something that this client does not tell: that is a notice.
    pub fn said(message: Shown) -> Shown {
        let (by, place, text) = match &message {
            Shown::Room { room, by, text } => (by, format!(" in {room}"), text),
            Shown::Private { from, text } => (from, String::new(), text),
            _ => return message,
        };
        match Ctcp::of(text) {
            Some(ctcp) if ctcp.command.is_empty() => message,
            Some(ctcp) if !ctcp.is_action() => {
                Shown::Notice(format!("{by} asks for {}{place}", ctcp.command))
            }
            _ => message,
        }
    }

    /// What somebody has said before; `head` says where, and when.
    pub fn said_before(head: &str, by: &str, text: &str) -> Shown {
        Shown::Past(match Ctcp::of(text).filter(|ctcp| !ctcp.command.is_empty()) {
            Some(ctcp) if ctcp.is_action() => format!("{head} * {by} {}", ctcp.params),
            Some(ctcp) => format!("{head} -- {by} asked for {}", ctcp.command),
            None => format!("{head} <{by}> {text}"),
        })
    }

    /// One line without its end, safe for a terminal. A message cannot pass itself off as a notice, nor as somebody
    /// else's: names hold neither blanks nor any of `<>*`.
    pub fn line(&self) -> String {
        let line = match self {
            Shown::Room { room, by, text } => match action(text) {
                Some(words) => format!("{room} * {by} {words}"),
                None => format!("{room} <{by}> {text}"),
            },
            Shown::Private { from, text } => match action(text) {
                Some(words) => format!("* {from} {words}"),
                None => format!("*{from}* {text}"),
            },
            Shown::Call { peer, text } => match action(text) {
                Some(words) => format!("@{peer} * {peer} {words}"),
                None => format!("@{peer} <{peer}> {text}"),
            },
            Shown::Past(line) => line.clone(),
            Shown::Notice(text) => format!("-- {text}"),
            Shown::Trouble(text) => format!("!! {text}"),
        };
        match sanitise(&line) {
            std::borrow::Cow::Borrowed(_) => line,
            std::borrow::Cow::Owned(clean) => clean,
        }
    }
}

/// The words of an action (CTCP), as `/me` sends them.
fn action(text: &str) -> Option<&str> {
    Ctcp::of(text).filter(Ctcp::is_action).map(|ctcp| ctcp.params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_told_as_one_and_other_control_messages_are_notices() {
        let wanda = || "wanda".to_owned();
        let shown = |text: &str| {
            let text = text.to_owned();
            [
                Shown::said(Shown::Room { room: "#tea".into(), by: wanda(), text: text.clone() }),
                Shown::said(Shown::Private { from: wanda(), text: text.clone() }),
                Shown::said(Shown::Call { peer: wanda(), text }),
            ]
            .map(|shown| (shown.line(), shown.is_message()))
        };
        let waves = ["#tea * wanda waves", "* wanda waves", "@wanda * wanda waves"];
        assert_eq!(shown("\u{1}ACTION waves\u{1}"), waves.map(|line| (line.to_owned(), true)));
        let [room, private, call] = shown("\u{1}VERSION\u{1}");
        assert_eq!(room, ("-- wanda asks for VERSION in #tea".to_owned(), false));
        assert_eq!(private, ("-- wanda asks for VERSION".to_owned(), false));
        assert_eq!(call, ("@wanda <wanda> ^AVERSION^A".to_owned(), true));
        assert_eq!(shown("\u{1}")[0].0, "#tea <wanda> ^A");
    }

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
