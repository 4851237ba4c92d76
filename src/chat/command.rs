//! What a typed line means.

use super::past_command::{self, Meant, PartWanted};
use super::room_command::{self, RoomCommand};

/// A typed line, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command<'a> {
    /// Nothing was typed.
    Empty,
    /// Say it to the current target.
    Text(&'a str),
    /// Say there what one does, in words behind one's name.
    Me(&'a str),
    Help,
    Join {
        room: &'a str,
        /// Often empty.
        password: &'a str,
    },
    /// The target, or the room named, and what is to become of it.
    Room(Option<&'a str>, RoomCommand<'a>),
    /// The current room, or the one named.
    Leave(Option<&'a str>),
    Switch(&'a str),
    Msg {
        to: &'a str,
        text: &'a str,
    },
    Peers,
    /// What the directory says of a peer.
    Peer(&'a str),
    Rooms,
    /// The target, or the room named.
    Who(Option<&'a str>),
    /// Show it, or set it; `-` clears it.
    Subject(Option<&'a str>),
    /// What was said in the target.
    History(PartWanted),
    /// What was said with all of these words in it, in the target or the room named.
    Search {
        room: Option<&'a str>,
        words: &'a str,
    },
    /// What comes behind that.
    More,
    Retract {
        meant: Meant,
        reason: &'a str,
    },
    /// Which account one is logged in to.
    Account,
    /// Make an account of one's name.
    Register,
    /// To the account named, or that of one's name.
    Login(Option<&'a str>),
    Password,
    Logout,
    Unregister,
    Call(&'a str),
    /// The only incoming call, or that of the peer named.
    Accept(Option<&'a str>),
    /// A caller's name and words for them; without the name, for the only one who is calling.
    Decline(&'a str),
    /// The current call, or the one with the peer named.
    Hangup(Option<&'a str>),
    /// How the current call goes.
    Path,
    /// With these words to those who stay, often none.
    Quit(&'a str),
}

pub const HELP: &[&str] = &[
    "A line without / is said to the target that the prompt shows: a room, or a call.",
    "/join ROOM [PASSWORD]   enter a room and make it the target; in it already: make it the target",
    "/leave [ROOM]           leave the target, or the room named",
    "/switch ROOM|PEER       make a room you are in, or a call you have, the target",
    "/rooms                  list the rooms",
    "/who [ROOM]             list who is in the target, or in a room you are in: ~ owner, & admin, @ moderator, + member, or has a voice",
    "/room [WHAT]            show what the room is set to, or run it; /room help lists how",
    "/subject [TEXT]         show the room's subject, or set it; /subject - clears it",
    "/history [NUMBER]       show what was said last in the room that is the target, with numbers; times are in UTC",
    "/history before|after|around NUMBER|TIME [NUMBER]   show what was said then, as in /history after 2026-01-31",
    "/search [#ROOM] WORDS   show what was said with all of these words in it; also in a room you are a member of",
    "/more                   show more of either",
    "/retract NUMBER|last [WORDS]   take back what you said there, and say why; so may moderators",
    "/me TEXT                say what you do, behind your name",
    "/msg PEER TEXT          say something to one peer alone",
    "/peers                  list who is on the server",
    "/peer PEER              show what a peer is there for, and where it can be reached",
    "/call PEER              call a peer; lines go to them alone while the call is the target",
    "/accept [PEER]          take a call, which becomes the target",
    "/decline [PEER] [TEXT]  do not take it, and say why",
    "/hangup [PEER]          end the call that is the target, or the one named",
    "/path                   show how lines of the call take their way: directly or by the relay",
    "/account                show which account you are logged in to",
    "/register               make an account of your name, which is then yours alone; asks for a password",
    "/login [ACCOUNT]        log in to an account, or to that of your name; asks for its password",
    "/password               give your account another password",
    "/logout                 log out of your account",
    "/unregister             give up your account, with everything that is kept for it",
    "/quit [TEXT]            leave the server, with a word to those who stay; so do Ctrl-D and Ctrl-C",
    "//TEXT                  say a text that starts with /",
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
    let (first, behind) = split_word(args);
    let missing = |usage: &str| format!("/{word} needs more: {usage}");
    let nothing = || match args {
        "" => Ok(()),
        _ => Err(format!("/{word} takes nothing behind it, so {args:?} was not understood")),
    };
    let perhaps = |what: &str, usage: &str| match (first, behind) {
        ("", _) => Ok(None),
        (name, "") => Ok(Some(name)),
        _ => Err(format!("/{word} takes one {what}, not {args:?}: {usage}")),
    };
    let one = |what: &str, usage: &str| perhaps(what, usage)?.ok_or_else(|| missing(usage));
    Ok(match word.to_ascii_lowercase().as_str() {
        "help" | "?" => Command::Help,
        "join" => {
            let (password, more) = split_word(behind);
            match (first, more) {
                ("", _) => return Err(missing("/join ROOM, or /join ROOM PASSWORD")),
                (room, "") => Command::Join { room, password },
                _ => {
                    return Err(format!(
                        "/join takes a room and its password, not {args:?}: /join ROOM PASSWORD"
                    ));
                }
            }
        }
        "room" => {
            let (room, command) = room_command::parse(args)?;
            Command::Room(room, command)
        }
        "leave" | "part" => Command::Leave(perhaps("room", "/leave ROOM")?),
        "switch" => Command::Switch(one("name", "/switch ROOM, or /switch PEER for a call")?),
        "me" if args.is_empty() => return Err(missing("/me TEXT")),
        "me" => Command::Me(args),
        "msg" if behind.is_empty() => return Err(missing("/msg PEER TEXT")),
        "msg" => Command::Msg { to: first, text: behind },
        "peers" => nothing().map(|()| Command::Peers)?,
        "peer" | "whois" => Command::Peer(one("name", "/peer PEER")?),
        "rooms" => nothing().map(|()| Command::Rooms)?,
        "who" => Command::Who(perhaps("room", "/who ROOM")?),
        "subject" => Command::Subject((!args.is_empty()).then_some(args)),
        "history" => Command::History(past_command::history(args)?),
        "search" if first.starts_with('#') && !behind.is_empty() => {
            Command::Search { room: Some(first), words: behind }
        }
        "search" if args.is_empty() => return Err(missing("/search WORDS")),
        "search" => Command::Search { room: None, words: args },
        "more" => nothing().map(|()| Command::More)?,
        "retract" => {
            let (meant, reason) = past_command::retract(args)?;
            Command::Retract { meant, reason }
        }
        "account" => nothing().map(|()| Command::Account)?,
        "register" => nothing().map(|()| Command::Register)?,
        "login" => Command::Login(perhaps("account", "/login ACCOUNT")?),
        "password" => nothing().map(|()| Command::Password)?,
        "logout" => nothing().map(|()| Command::Logout)?,
        "unregister" => nothing().map(|()| Command::Unregister)?,
        "call" => Command::Call(one("name", "/call PEER")?),
        "accept" => Command::Accept(perhaps("name", "/accept PEER")?),
        "decline" => Command::Decline(args),
        "hangup" => Command::Hangup(perhaps("name", "/hangup PEER")?),
        "path" => nothing().map(|()| Command::Path)?,
        "quit" | "exit" => Command::Quit(args),
        _ => {
            return Err(format!(
                "there is no command /{word}; /help lists them, and //{word} says it as text"
            ));
        }
    })
}

/// The first word, and what is behind it.
pub fn split_word(text: &str) -> (&str, &str) {
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
            ("/join lobby", Command::Join { room: "lobby", password: "" }),
            ("/JOIN  #lobby ", Command::Join { room: "#lobby", password: "" }),
            ("/join #lobby sesame", Command::Join { room: "#lobby", password: "sesame" }),
            ("/room", Command::Room(None, RoomCommand::Show)),
            ("/room #lobby help", Command::Room(Some("#lobby"), RoomCommand::Help)),
            ("/leave", Command::Leave(None)),
            ("/msg bob  hi  there", Command::Msg { to: "bob", text: "hi  there" }),
            ("/me  waves  twice", Command::Me("waves  twice")),
            ("/subject a b", Command::Subject(Some("a b"))),
            ("/who", Command::Who(None)),
            ("/who lobby", Command::Who(Some("lobby"))),
            ("/decline not now", Command::Decline("not now")),
            ("/search earl grey", Command::Search { room: None, words: "earl grey" }),
            ("/search #tea earl grey", Command::Search { room: Some("#tea"), words: "earl grey" }),
            ("/search #tea", Command::Search { room: None, words: "#tea" }),
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
            ("/me", "/me TEXT"),
            ("/join", "/join ROOM"),
            ("/join tea x y", "/join takes a room and its password, not \"tea x y\""),
            ("/room dance", "there is no /room dance; /room help"),
            ("/call zed please", "/call takes one name, not \"zed please\": /call PEER"),
            ("/peers all", "/peers takes nothing behind it"),
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn help_names_every_command() {
        let help = HELP.join("\n");
        for word in [
            "join",
            "leave",
            "switch",
            "rooms",
            "who",
            "room",
            "subject",
            "me",
            "msg",
            "peers",
            "peer",
            "history",
            "search",
            "more",
            "retract",
            "call",
            "accept",
            "decline",
            "hangup",
            "path",
            "account",
            "register",
            "login",
            "password",
            "logout",
            "unregister",
            "quit",
        ] {
            assert!(help.contains(&format!("/{word}")), "/{word}");
        }
    }
}
