//! HELP and HELPOP (Modern IRC, "HELP message"): a topic for each command.

use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::wire::irc::Numeric;

/// Length of a line with names of topics, in bytes.
const LINE_OF_NAMES_BYTES: usize = 72;

/// What there is to say about one command.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    pub name: &'static str,
    /// As people write syntax: `<must be there>`, `[may be there]`, `{as often as one likes}`.
    pub params: &'static str,
    pub text: &'static [&'static str],
}

const fn topic(name: &'static str, params: &'static str, text: &'static [&'static str]) -> Topic {
    Topic { name, params, text }
}

/// 704, 705 and 706; 524 for what is no topic.
pub fn help<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let nick = dialogue.nick.as_str();
    let subject = call.message.params.get(0).unwrap_or_default();
    if subject.is_empty() {
        put_names(nick, &mut call);
        return Do::Done;
    }
    let Some(topic) = TOPICS.iter().find(|topic| topic.name.eq_ignore_ascii_case(subject)) else {
        let body = call.numeric(Numeric::ERR_HELPNOTFOUND, nick).echo(subject);
        body.trailing("There is no help on that; HELP alone names what there is");
        return Do::Done;
    };
    let Topic { name, params, text } = topic;
    let space = if params.is_empty() { "" } else { " " };
    call.numeric(Numeric::RPL_HELPSTART, nick).param(name).trailing(format_args!("{name}{space}{params}"));
    for line in *text {
        call.numeric(Numeric::RPL_HELPTXT, nick).param(name).trailing(line);
    }
    call.numeric(Numeric::RPL_ENDOFHELP, nick).param(name).trailing("End of /HELP");
    Do::Done
}

/// All there is help on.
fn put_names(nick: &str, call: &mut Call<'_, '_>) {
    const SUBJECT: &str = "*";
    call.numeric(Numeric::RPL_HELPSTART, nick).param(SUBJECT).trailing("HELP <command> tells more of one");
    let mut line = String::new();
    for topic in TOPICS {
        if line.len() + 1 + topic.name.len() > LINE_OF_NAMES_BYTES {
            call.numeric(Numeric::RPL_HELPTXT, nick).param(SUBJECT).trailing(&line);
            line.clear();
        }
        line.push_str(if line.is_empty() { "" } else { " " });
        line.push_str(topic.name);
    }
    call.numeric(Numeric::RPL_HELPTXT, nick).param(SUBJECT).trailing(&line);
    call.numeric(Numeric::RPL_ENDOFHELP, nick).param(SUBJECT).trailing("End of /HELP");
}

/// One for each command, in the order of the alphabet.
pub const TOPICS: &[Topic] = &[
    topic("ADMIN", "[<server>]", &["Who runs this server, and how to reach them."]),
    topic("AWAY", "[:<text>]", &["Says that you are away, and why; without a text, that you are back."]),
    topic(
        "CAP",
        "LS [302] | LIST | REQ :<capabilities> | END",
        &["Finds out and agrees on what goes beyond RFC 1459."],
    ),
    topic("HELP", "[<command>]", &["This. HELPOP is the same."]),
    topic("HELPOP", "[<command>]", &["The same as HELP."]),
    topic("INFO", "[<server>]", &["About this server."]),
    topic(
        "INVITE",
        "[<nickname> <channel>]",
        &["Invites somebody to a channel. Alone: the channels that you are invited to."],
    ),
    topic("ISON", "<nickname>{ <nickname>}", &["Which of these are here."]),
    topic(
        "JOIN",
        "<channel>{,<channel>} [<key>{,<key>}] | 0",
        &["Enters channels, and makes those that are not there. 0 leaves all of them."],
    ),
    topic(
        "KICK",
        "<channel> <nickname>{,<nickname>} [:<text>]",
        &["Makes others leave a channel. For its operators."],
    ),
    topic("KILL", "<nickname> [:<text>]", &["Ends somebody's session. For operators of the server."]),
    topic("LINKS", "[[<server>] <mask>]", &["The servers of the network; this one is alone."]),
    topic(
        "LIST",
        "[<condition or channel>{,<condition or channel>}]",
        &[
            "The channels. A condition is a mask, or !mask for names that it does not match;",
            ">n or <n: how many are in it; C>n or C<n: made more or less than n minutes ago;",
            "T>n or T<n: the topic was set more or less than n minutes ago.",
        ],
    ),
    topic("LUSERS", "[<mask> [<server>]]", &["How many users and channels there are."]),
    topic(
        "MODE",
        "<channel or your nickname> [<modes> [<parameters>]]",
        &[
            "What a channel or you yourself are set to, and changes of it, as in +ov-m ann bob.",
            "Channels: b, e, I masks (banned, not banned after all, invited); k key; l limit; i invited only;",
            "m moderated; n nothing from outside; s hidden; t topic by operators; C no control messages;",
            "o operator; v voice. Yourself: i found by masks by nobody; w hears WALLOPS; B a bot.",
        ],
    ),
    topic(
        "MONITOR",
        "+ <nicknames> | - <nicknames> | C | L | S",
        &["Watches who comes and goes: add, take off, clear; the list, and who of it is here."],
    ),
    topic("MOTD", "[<server>]", &["The message of the day."]),
    topic("NAMES", "<channel>", &["Who is in a channel."]),
    topic("NICK", "<nickname>", &["Gives you another nickname."]),
    topic(
        "NOTICE",
        "<target>{,<target>} :<text>",
        &["As PRIVMSG, for what no program may answer; it is never refused aloud."],
    ),
    topic("OPER", "<name> <password>", &["Makes you an operator of the server."]),
    topic("PART", "<channel>{,<channel>} [:<text>]", &["Leaves channels."]),
    topic("PASS", "<password>", &["Before NICK and USER: the password of the server, if it has one."]),
    topic("PING", "<token>", &["Answered by PONG with the same token."]),
    topic("PONG", "<token>", &["Answers a PING of the server."]),
    topic(
        "PRIVMSG",
        "<target>{,<target>} :<text>",
        &[
            "Says something to channels and nicknames. @#channel is for its operators,",
            "+#channel for those who have a voice there, too.",
        ],
    ),
    topic("QUIT", "[:<text>]", &["Ends your session."]),
    topic("REHASH", "", &["The server reads its settings again. For operators of the server."]),
    topic("SETNAME", ":<real name>", &["Gives you another real name."]),
    topic("STATS", "<query> [<server>]", &["u: for how long the server has been up."]),
    topic("SUMMON", "<user>", &["Is not done here."]),
    topic("TAGMSG", "<target>{,<target>}", &["As PRIVMSG, with tags alone."]),
    topic("TIME", "[<server>]", &["What time it is at the server."]),
    topic(
        "TOPIC",
        "<channel> [:<text>]",
        &["The topic of a channel, or sets it. An empty text takes it away."],
    ),
    topic("USER", "<user> 0 * :<real name>", &["With NICK, logs you in."]),
    topic(
        "USERHOST",
        "<nickname>{ <nickname>}",
        &["Of up to 5, where they are from, and whether they are away."],
    ),
    topic("USERS", "[<server>]", &["Is not told here."]),
    topic("VERSION", "[<server>]", &["Which program this is, and what it supports."]),
    topic("WALLOPS", ":<text>", &["To all who want to hear it (mode w). For operators of the server."]),
    topic(
        "WHO",
        "<channel, nickname or mask> [o][%<fields>[,<token>]]",
        &[
            "Who is in a channel, or fits. o: operators of the server only.",
            "Fields: t token, c channel, u user, i address, h host, s server, n nickname, f flags, d hops,",
            "l idle seconds, a account, o rank, r real name.",
        ],
    ),
    topic("WHOIS", "[<server>] <nickname>{,<nickname>}", &["Who somebody is."]),
    topic("WHOWAS", "<nickname> [<count> [<server>]]", &["Who had a nickname before."]),
];

#[cfg(test)]
mod tests {
    use super::super::COMMANDS;
    use super::*;
    use crate::wire::irc::line::LINE_BYTES_MAX;

    #[test]
    fn there_is_a_topic_for_every_command_and_for_nothing_else() {
        let topics: Vec<&str> = TOPICS.iter().map(|topic| topic.name).collect();
        let commands: Vec<&str> = COMMANDS.iter().map(|row| row.name).collect();
        assert!(topics.is_sorted() && commands.is_sorted());
        let without: Vec<_> = commands.iter().filter(|name| !topics.contains(name)).collect();
        assert!(without.is_empty(), "commands without a topic: {without:?}");
        let idle: Vec<_> = topics.iter().filter(|name| !commands.contains(name)).collect();
        assert!(idle.is_empty(), "topics without a command: {idle:?}");
    }

    #[test]
    fn every_line_has_room_in_a_line() {
        // The server's name, a nickname and the subject stand in front.
        let room = LINE_BYTES_MAX - 200;
        for topic in TOPICS {
            assert!(topic.name.len() + topic.params.len() < room, "{}", topic.name);
            assert!(topic.text.iter().all(|line| line.len() < room && !line.is_empty()), "{}", topic.name);
        }
    }
}
