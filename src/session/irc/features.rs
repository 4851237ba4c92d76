//! What the server can do, in the words of ISUPPORT (005), and the modes that stand behind them. All of it is true: what
//! is not offered is not said.

use crate::hub::{Flag, Host, Limits, Marks, MaskList, Role};
use crate::session::Surroundings;
use crate::wire::irc::line::LINE_BYTES_MAX;
use crate::wire::irc::list::put_tokens;
use crate::wire::irc::modes::CHANGED_MAX;
use crate::wire::irc::{ModeKind, ModeTable, Numeric};
use std::fmt;

/// The modes of users: bot, invisible, operator, wallops.
pub const USER_MODES: &str = "Biow";

/// The mode of bots (IRCv3 bot mode).
pub const BOT_MODE: char = 'B';

pub const USER_MODE_TABLE: ModeTable<'static> = ModeTable(&[
    ('B', ModeKind::Never),
    ('i', ModeKind::Never),
    ('o', ModeKind::Never),
    ('w', ModeKind::Never),
]);

/// The letter of each mark of a user.
pub const MARKS: [(char, Marks); 4] =
    [('B', Marks::BOT), ('i', Marks::INVISIBLE), ('o', Marks::OPERATOR), ('w', Marks::WALLOPS)];

/// All modes of channels, in the order of the alphabet, and those of them that have a parameter.
pub const CHANNEL_MODES: &str = "CIbeiklmnostv";
pub const CHANNEL_MODES_WITH_PARAM: &str = "Ibeklov";

/// The modes of channels. Those with a [`ModeKind::Rank`] come from the highest down, as in PREFIX.
pub const MODES: ModeTable<'static> = ModeTable(&[
    ('b', ModeKind::List),
    ('e', ModeKind::List),
    ('I', ModeKind::List),
    ('k', ModeKind::Always),
    ('l', ModeKind::WhenSet),
    ('C', ModeKind::Never),
    ('i', ModeKind::Never),
    ('m', ModeKind::Never),
    ('n', ModeKind::Never),
    ('s', ModeKind::Never),
    ('t', ModeKind::Never),
    ('o', ModeKind::Rank),
    ('v', ModeKind::Rank),
]);

/// The letter of each flag of a room.
pub const FLAGS: [(char, Flag); 6] = [
    ('C', Flag::NoControlMessages),
    ('i', Flag::MembersOnly),
    ('m', Flag::Moderated),
    ('n', Flag::ClosedToOutsiders),
    ('s', Flag::Hidden),
    ('t', Flag::SubjectLocked),
];

/// The letter of each list of masks.
pub const LISTS: [(char, MaskList); 3] =
    [('b', MaskList::Bans), ('e', MaskList::BanExceptions), ('I', MaskList::InviteExceptions)];

/// Changes with a parameter in one MODE, and so in the lines about it.
pub const MODES_MAX: usize = if CHANGED_MAX < 12 { CHANGED_MAX } else { 12 };

/// Targets of one PRIVMSG, NOTICE or TAGMSG.
pub const TARGETS_MAX: usize = 4;

/// Nicknames in one KICK, and names or conditions in one LIST. Of rooms in a JOIN or PART there are as many as a line
/// holds: clients join all of theirs with one.
pub const LIST_MAX: usize = 10;

/// Nicknames in one WHOIS.
pub const WHOIS_MAX: usize = 4;

/// One token of ISUPPORT.
enum Token<'w> {
    Bare(&'static str),
    Text(&'static str, &'w str),
    Number(&'static str, usize),
    Chanmodes,
    Chanlimit(usize),
    Maxlist(usize),
    Targets,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Token::Bare(name) => f.write_str(name),
            Token::Text(name, value) => {
                write!(f, "{name}=")?;
                // As ISUPPORT has it: what would end the token or the line is escaped.
                value.chars().try_for_each(|c| match c {
                    ' ' | '=' | '\\' => write!(f, "\\x{:02X}", u32::from(c)),
                    c => write!(f, "{c}"),
                })
            }
            Token::Number(name, value) => write!(f, "{name}={value}"),
            Token::Chanmodes => write!(f, "CHANMODES={}", MODES.chanmodes()),
            Token::Chanlimit(rooms) => write!(f, "CHANLIMIT=#:{rooms}"),
            Token::Maxlist(masks) => write!(f, "MAXLIST=b:{masks},e:{masks},I:{masks}"),
            Token::Targets => write!(
                f,
                "TARGMAX=JOIN:,KICK:{LIST_MAX},LIST:{LIST_MAX},NAMES:1,NOTICE:{TARGETS_MAX},PART:,PRIVMSG:{TARGETS_MAX},TAGMSG:{TARGETS_MAX},WHOIS:{WHOIS_MAX},WHOWAS:1"
            ),
        }
    }
}

/// 005, in as many lines as it takes.
pub fn put(world: &Surroundings, nick: &str, out: &mut Vec<u8>) {
    put_tokens(out, tokens(world), "are supported by this server", |head| {
        head.numeric(&world.server.name, Numeric::RPL_ISUPPORT, nick)
    });
}

/// The tokens of ISUPPORT, each as it stands on the wire.
pub fn isupport(world: &Surroundings) -> Vec<String> {
    tokens(world).iter().map(Token::to_string).collect()
}

/// In the order of the alphabet.
fn tokens(world: &Surroundings) -> [Token<'_>; 27] {
    let limits = &world.limits;
    [
        Token::Number("AWAYLEN", limits.away_bytes_max.into()),
        Token::Text("BOT", "B"),
        Token::Text("CASEMAPPING", "ascii"),
        Token::Chanlimit(limits.rooms_per_user_max),
        Token::Chanmodes,
        Token::Number("CHANNELLEN", limits.room_name_bytes_max.into()),
        Token::Text("CHANTYPES", "#"),
        Token::Text("ELIST", "CMNTU"),
        Token::Text("EXCEPTS", "e"),
        Token::Number("HOSTLEN", Host::WRITTEN_BYTES),
        Token::Text("INVEX", "I"),
        Token::Number("KEYLEN", limits.password_bytes_max.into()),
        Token::Number("KICKLEN", kick_bytes_max(world)),
        Token::Maxlist(limits.masks_per_list_max),
        Token::Number("MODES", MODES_MAX),
        Token::Number("MONITOR", limits.watches_per_user_max),
        Token::Number("NAMELEN", limits.realname_bytes_max.into()),
        Token::Text("NETWORK", &world.server.network),
        Token::Number("NICKLEN", limits.name_bytes_max.into()),
        Token::Text("PREFIX", "(ov)@+"),
        Token::Bare("SAFELIST"),
        Token::Text("STATUSMSG", "@+"),
        Token::Targets,
        Token::Number("TOPICLEN", topic_bytes_max(world)),
        Token::Number("USERLEN", limits.username_bytes_max.into()),
        Token::Bare("UTF8ONLY"),
        Token::Bare("WHOX"),
    ]
}

/// The longest topic, in bytes: what is allowed, as far as a line has room for it where everything else on it has its
/// greatest length.
pub fn topic_bytes_max(world: &Surroundings) -> usize {
    let Limits { name_bytes_max: nick, room_name_bytes_max: room, subject_bytes_max: topic, .. } =
        world.limits;
    let (nick, room) = (usize::from(nick), usize::from(room));
    let told = ":".len() + user_bytes_max(world) + " TOPIC ".len() + room + " :".len();
    let shown = ":".len() + world.server.name.len() + " 332 ".len() + nick + " ".len() + room + " :".len();
    usize::from(topic).min(LINE_BYTES_MAX.saturating_sub(told.max(shown) + "\r\n".len()))
}

/// The longest words on kicking somebody, in bytes; likewise.
pub fn kick_bytes_max(world: &Surroundings) -> usize {
    let Limits { name_bytes_max: nick, room_name_bytes_max: room, kick_bytes_max: text, .. } = world.limits;
    let names = usize::from(room) + " ".len() + usize::from(nick);
    let told = ":".len() + user_bytes_max(world) + " KICK ".len() + names + " :".len();
    usize::from(text).min(LINE_BYTES_MAX.saturating_sub(told + "\r\n".len()))
}

/// `nick!user@host`
fn user_bytes_max(world: &Surroundings) -> usize {
    let Limits { name_bytes_max: nick, username_bytes_max: user, .. } = world.limits;
    usize::from(nick) + "!".len() + usize::from(user) + "@".len() + Host::WRITTEN_BYTES
}

fn of_letter<T: Copy>(table: &[(char, T)], letter: char) -> Option<T> {
    table.iter().find(|(known, _)| *known == letter).map(|&(_, thing)| thing)
}

pub fn flag_of(letter: char) -> Option<Flag> {
    of_letter(&FLAGS, letter)
}

pub fn list_of(letter: char) -> Option<MaskList> {
    of_letter(&LISTS, letter)
}

pub fn mark_of(letter: char) -> Option<Marks> {
    of_letter(&MARKS, letter)
}

pub fn role_of(letter: char) -> Option<Role> {
    of_letter(&[('o', Role::Moderator), ('v', Role::Participant)], letter)
}

fn letter_of<T: PartialEq>(table: &[(char, T)], thing: T) -> char {
    table.iter().find(|(_, known)| *known == thing).map_or('?', |(letter, _)| *letter)
}

pub fn letter_of_flag(flag: Flag) -> char {
    letter_of(&FLAGS, flag)
}

pub fn letter_of_list(list: MaskList) -> char {
    letter_of(&LISTS, list)
}

pub fn letter_of_role(role: Role) -> char {
    if role == Role::Moderator { 'o' } else { 'v' }
}
