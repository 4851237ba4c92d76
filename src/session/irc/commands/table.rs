//! The commands that there are: what carries each out, how many parameters it takes at least, and what HELP says of it.

#[cfg(feature = "storage")]
use super::{account, authenticate, nickserv};
use super::{already_registered, cap, chanserv};
use super::{
    bans, chathistory, help, knock, link, list, markread, moderate, modes, monitor, oneself, operators,
    redact, rename, rooms, server, talk, topic, who, whois,
};
use crate::session::irc::dialogue::{Call, Dialogue, Do};

/// A command that a client may send after the welcome.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    /// With fewer, the refusal is 461.
    pub params_min: usize,
    pub(in crate::session::irc) carry_out: Handler,
    /// As people write syntax: `<must be there>`, `[may be there]`, `{as often as one likes}`.
    pub params: &'static str,
    pub text: &'static [&'static str],
}

type Handler = for<'a> fn(&mut Dialogue, Call<'a, '_>) -> Do<'a>;

const fn row(
    name: &'static str,
    params_min: usize,
    carry_out: Handler,
    params: &'static str,
    text: &'static [&'static str],
) -> Row {
    Row { name, params_min, carry_out, params, text }
}

/// The row of a command, which is written in either case.
pub fn named(command: &str) -> Option<&'static Row> {
    COMMANDS.iter().find(|row| row.name.eq_ignore_ascii_case(command))
}

/// In the order of the alphabet.
pub const COMMANDS: &[Row] = &[
    row("ADMIN", 0, server::admin, "[<server>]", &["Who runs this server, and how to reach them."]),
    #[cfg(feature = "storage")]
    row(
        "AUTHENTICATE",
        1,
        authenticate::authenticate,
        "<mechanism> | <data> | *",
        &[
            "Logs in to an account (SASL): what goes to and fro is in base64, in pieces of 400 bytes. * breaks off.",
        ],
    ),
    row(
        "AWAY",
        0,
        oneself::away,
        "[:<text>]",
        &["Says that you are away, and why; without a text, that you are back."],
    ),
    row(
        "CAP",
        0,
        cap,
        "LS [302] | LIST | REQ :<capabilities> | END",
        &["Finds out and agrees on what goes beyond RFC 1459."],
    ),
    row(
        "CHANSERV",
        0,
        chanserv,
        "[<subcommand> [<parameters>]]",
        &["Tells ChanServ; /msg ChanServ HELP says what."],
    ),
    row(
        "CHATHISTORY",
        1,
        chathistory::chathistory,
        "LATEST | BEFORE | AFTER | AROUND | BETWEEN <channel> <mark> [<mark>] <limit> | TARGETS <mark> <mark> <limit>",
        &["What was said in a channel before. A mark is msgid=ID or timestamp=TIME, or * for the latest."],
    ),
    row("CS", 0, chanserv, "[<subcommand> [<parameters>]]", &["The same as CHANSERV."]),
    row(
        "DLINE",
        1,
        bans::dline,
        "[<time>] <address or network> [:<text>]",
        &[
            "Keeps an address (192.0.2.1) or a network (192.0.2.0/24) out, and ends what comes from there.",
            "A time is minutes, or as in 90s, 2h, 7d, 1d12h. For operators of the server; STATS d lists them.",
        ],
    ),
    row("HELP", 0, help::help, "[<command>]", &["This. HELPOP is the same."]),
    row("HELPOP", 0, help::help, "[<command>]", &["The same as HELP."]),
    row("INFO", 0, server::info, "[<server>]", &["About this server."]),
    row(
        "INVITE",
        0,
        moderate::invite,
        "[<nickname> <channel>]",
        &["Invites somebody to a channel. Alone: the channels that you are invited to."],
    ),
    row("ISON", 1, whois::ison, "<nickname>{ <nickname>}", &["Which of these are here."]),
    row(
        "JOIN",
        1,
        rooms::join,
        "<channel>{,<channel>} [<key>{,<key>}] | 0",
        &["Enters channels, and makes those that are not there. 0 leaves all of them."],
    ),
    row(
        "KICK",
        2,
        moderate::kick,
        "<channel> <nickname>{,<nickname>} [:<text>]",
        &["Makes others leave a channel. For its operators."],
    ),
    row(
        "KILL",
        1,
        operators::kill,
        "<nickname> [:<text>]",
        &["Ends somebody's session. For operators of the server."],
    ),
    row(
        "KNOCK",
        1,
        knock::knock,
        "<channel> [:<text>]",
        &["Asks those who run a channel to become a member, who enters it whenever they like."],
    ),
    row(
        "LINKS",
        0,
        server::links,
        "[[<server>] <mask>]",
        &["The servers of the network; this one is alone."],
    ),
    row(
        "LIST",
        0,
        list::list,
        "[<condition or channel>{,<condition or channel>}]",
        &[
            "The channels. A condition is a mask, or !mask for names that it does not match;",
            ">n or <n: how many are in it; C>n or C<n: made more or less than n minutes ago;",
            "T>n or T<n: the topic was set more or less than n minutes ago.",
        ],
    ),
    row("LUSERS", 0, server::lusers, "[<mask> [<server>]]", &["How many users and channels there are."]),
    row(
        "MARKREAD",
        0,
        markread::markread,
        "<channel or nickname> [timestamp=<time>]",
        &["Up to when you have read a conversation, for your other clients to go on there."],
    ),
    row(
        "MODE",
        1,
        modes::mode,
        "<channel or your nickname> [<modes> [<parameters>]]",
        &[
            "What a channel or you yourself are set to, and changes of it, as in +ov-m ann bob.",
            "Channels: b, e, I, Q masks (banned, not banned after all, invited, muted); k key; l limit; i members only;",
            "m moderated; n nothing from outside; s hidden; t topic by operators; C no control messages; P lasts;",
            "A nobody knows who is who; E nothing is kept; T topic by all; V operators invite; u +m is for listening;",
            "q owner; a admin; o operator; v voice. Yourself: i found by masks only by those who share a channel;",
            "w hears WALLOPS; B a bot.",
        ],
    ),
    row(
        "MONITOR",
        1,
        monitor::monitor,
        "+ <nicknames> | - <nicknames> | C | L | S",
        &["Watches who comes and goes: add, take off, clear; the list, and who of it is here."],
    ),
    row("MOTD", 0, server::motd, "[<server>]", &["The message of the day."]),
    row("NAMES", 0, rooms::names, "<channel>", &["Who is in a channel."]),
    row("NICK", 0, oneself::nick, "<nickname>", &["Gives you another nickname."]),
    #[cfg(feature = "storage")]
    row(
        "NICKSERV",
        0,
        nickserv,
        "[<subcommand> [<parameters>]]",
        &["Tells NickServ; /msg NickServ HELP says what."],
    ),
    row(
        "NOTICE",
        0,
        talk::notice,
        "<target>{,<target>} :<text>",
        &["As PRIVMSG, for what no program may answer; it is never refused aloud."],
    ),
    #[cfg(feature = "storage")]
    row("NS", 0, nickserv, "[<subcommand> [<parameters>]]", &["The same as NICKSERV."]),
    row("OPER", 2, operators::oper, "<name> <password>", &["Makes you an operator of the server."]),
    row("PART", 1, rooms::part, "<channel>{,<channel>} [:<text>]", &["Leaves channels."]),
    row(
        "PASS",
        0,
        already_registered,
        "<password>",
        &["Before NICK and USER: the password of the server, if it has one."],
    ),
    row("PING", 1, link::ping, "<token>", &["Answered by PONG with the same token."]),
    row("PONG", 0, link::pong, "<token>", &["Answers a PING of the server."]),
    row(
        "PRIVMSG",
        0,
        talk::privmsg,
        "<target>{,<target>} :<text>",
        &[
            "Says something to channels and nicknames. @#channel is for its operators,",
            "+#channel for those who have a voice there, too.",
        ],
    ),
    row("QUIT", 0, link::quit, "[:<text>]", &["Ends your session."]),
    row(
        "REDACT",
        2,
        redact::redact,
        "<channel> <msgid> [:<text>]",
        &["Takes back what you said in a channel; its operators take back what others said."],
    ),
    #[cfg(feature = "storage")]
    row(
        "REGISTER",
        3,
        account::register,
        "<account or *> <email or *> <password>",
        &["Makes an account of that name, or of your nickname, and logs you in to it. No address is kept."],
    ),
    row(
        "REHASH",
        0,
        operators::rehash,
        "",
        &["The server reads its settings again. For operators of the server."],
    ),
    row(
        "RENAME",
        2,
        rename::rename,
        "<channel> <channel> [:<text>]",
        &["Gives a channel another name. For its owners."],
    ),
    row("SETNAME", 1, oneself::setname, ":<real name>", &["Gives you another real name."]),
    row(
        "STATS",
        1,
        server::stats,
        "<query> [<server>]",
        &["u: for how long the server has been up; for operators of the server d: its bans, t: its figures."],
    ),
    row("SUMMON", 0, server::summon, "<user>", &["Is not done here."]),
    row("TAGMSG", 0, talk::tagmsg, "<target>{,<target>}", &["As PRIVMSG, with tags alone."]),
    row("TIME", 0, server::time, "[<server>]", &["What time it is at the server."]),
    row(
        "TOPIC",
        1,
        topic::topic,
        "<channel> [:<text>]",
        &["The topic of a channel, or sets it. An empty text takes it away."],
    ),
    row(
        "UNDLINE",
        1,
        bans::undline,
        "<address or network>",
        &["Lets an address or a network in again. For operators of the server."],
    ),
    row("USER", 0, already_registered, "<user> 0 * :<real name>", &["With NICK, logs you in."]),
    row(
        "USERHOST",
        1,
        whois::userhost,
        "<nickname>{ <nickname>}",
        &["Of up to 5, where they are from, and whether they are away."],
    ),
    row("USERS", 0, server::users, "[<server>]", &["Is not told here."]),
    #[cfg(feature = "storage")]
    row(
        "VERIFY",
        2,
        account::verify,
        "<account> <code>",
        &["Is not needed: accounts are made without a code."],
    ),
    row("VERSION", 0, server::version, "[<server>]", &["Which program this is, and what it supports."]),
    row(
        "WALLOPS",
        1,
        operators::wallops,
        ":<text>",
        &["To all who want to hear it (mode w). For operators of the server."],
    ),
    row(
        "WHO",
        0,
        who::who,
        "<channel, nickname or mask> [o][%<fields>[,<token>]]",
        &[
            "Who is in a channel, or fits. o: operators of the server only.",
            "Fields: t token, c channel, u user, i address, h host, s server, n nickname, f flags, d hops,",
            "l idle seconds, a account, o rank, r real name.",
        ],
    ),
    row("WHOIS", 0, whois::whois, "[<server>] <nickname>{,<nickname>}", &["Who somebody is."]),
    row("WHOWAS", 0, whois::whowas, "<nickname> [<count> [<server>]]", &["Who had a nickname before."]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::irc::line::LINE_BYTES_MAX;

    #[test]
    fn each_command_is_there_once_and_in_order() {
        assert!(COMMANDS.is_sorted_by(|one, next| one.name < next.name));
    }

    #[test]
    fn every_line_of_help_has_room_in_a_line() {
        // The server's name, a nickname and the subject stand in front.
        let room = LINE_BYTES_MAX - 200;
        for row in COMMANDS {
            assert!(row.name.len() + row.params.len() < room && !row.text.is_empty(), "{}", row.name);
            assert!(row.text.iter().all(|line| line.len() < room && !line.is_empty()), "{}", row.name);
        }
    }
}
