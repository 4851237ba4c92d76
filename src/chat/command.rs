//! What a typed line means.

/// A typed line, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command<'a> {
    /// Nothing was typed.
    Empty,
    /// Say it to the current target.
    Text(&'a str),
    Help,
    Join(&'a str),
    /// The current room, or the one named.
    Leave(Option<&'a str>),
    Switch(&'a str),
    Msg {
        to: &'a str,
        text: &'a str,
    },
    Peers,
    Rooms,
    Who,
    /// Show it, or set it; `-` clears it.
    Subject(Option<&'a str>),
    Call(&'a str),
    /// The only incoming call, or that of the peer named.
    Accept(Option<&'a str>),
    Decline(Option<&'a str>),
    /// The current call, or the one with the peer named.
    Hangup(Option<&'a str>),
    /// With these words to those who stay, often none.
    Quit(&'a str),
}

pub const HELP: &[&str] = &[
    "A line without / is said to the target that the prompt shows: a room, or a call.",
    "/join ROOM          enter a room and make it the target; in it already: make it the target",
    "/leave [ROOM]       leave the target, or the room named",
    "/switch ROOM|PEER   make a room you are in, or a call you have, the target",
    "/rooms              list the rooms",
    "/who                list who is in the target",
    "/subject [TEXT]     show the room's subject, or set it; /subject - clears it",
    "/msg PEER TEXT      say something to one peer alone",
    "/peers              list who is on the server",
    "/call PEER          call a peer; lines go to them alone while the call is the target",
    "/accept [PEER]      take a call, which becomes the target; /decline [PEER] does not",
    "/hangup [PEER]      end the call that is the target, or the one named",
    "/quit [TEXT]        leave the server, with a word to those who stay; so do Ctrl-D and Ctrl-C",
    "//TEXT              say a text that starts with /",
];

/// # Errors
/// A sentence for the one who typed it.
pub fn parse(line: &str) -> Result<Command<'_>, String> {
    let Some(rest) = line.strip_prefix('/') else {
        return Ok(if line.trim().is_empty() { Command::Empty } else { Command::Text(line) });
    };
    if rest.starts_with('/') {
        return Ok(Command::Text(rest));
    }
    let (word, args) = split_word(rest);
    let optional = (!args.is_empty()).then_some(args);
    let named = |usage: &str| {
        if args.is_empty() { Err(format!("/{word} needs more: {usage}")) } else { Ok(split_word(args).0) }
    };
    Ok(match word.to_ascii_lowercase().as_str() {
        "help" | "?" => Command::Help,
        "join" => Command::Join(named("/join ROOM")?),
        "leave" | "part" => Command::Leave(optional),
        "switch" => Command::Switch(named("/switch ROOM, or /switch PEER for a call")?),
        "msg" => match (named("/msg PEER TEXT")?, split_word(args).1) {
            (_, "") => return Err("/msg needs more: /msg PEER TEXT".to_owned()),
            (to, text) => Command::Msg { to, text },
        },
        "peers" => Command::Peers,
        "rooms" => Command::Rooms,
        "who" => Command::Who,
        "subject" => Command::Subject(optional),
        "call" => Command::Call(named("/call PEER")?),
        "accept" => Command::Accept(optional),
        "decline" => Command::Decline(optional),
        "hangup" => Command::Hangup(optional),
        "quit" | "exit" => Command::Quit(args),
        _ => {
            return Err(format!(
                "there is no command /{word}; /help lists them, and //{word} says it as text"
            ));
        }
    })
}

fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace).map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_commands() {
        for (line, expected) in [
            ("hello / there", Command::Text("hello / there")),
            ("  ", Command::Empty),
            ("//usr/bin", Command::Text("/usr/bin")),
            ("/join lobby", Command::Join("lobby")),
            ("/JOIN  #lobby now ", Command::Join("#lobby")),
            ("/leave", Command::Leave(None)),
            ("/msg bob  hi  there", Command::Msg { to: "bob", text: "hi  there" }),
            ("/subject a b", Command::Subject(Some("a b"))),
            ("/quit", Command::Quit("")),
            ("/quit see you", Command::Quit("see you")),
        ] {
            assert_eq!(parse(line), Ok(expected), "{line:?}");
        }
    }

    #[test]
    fn what_cannot_be_carried_out_is_told_with_what_to_do() {
        for (line, said) in [
            ("/frobnicate now", "there is no command /frobnicate"),
            ("/", "/help"),
            ("/msg bob", "/msg PEER TEXT"),
            ("/msg", "/msg PEER TEXT"),
            ("/join", "/join ROOM"),
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn help_names_every_command() {
        let help = HELP.join("\n");
        for word in [
            "join", "leave", "switch", "rooms", "who", "subject", "msg", "peers", "call", "accept",
            "decline", "hangup", "quit",
        ] {
            assert!(help.contains(&format!("/{word}")), "/{word}");
        }
    }
}
