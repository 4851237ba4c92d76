//! What the server can do, in the words of ISUPPORT (005). All of it is true: what is not offered is not
//! said.

use super::letters::{self, CHANNEL_MODES, ChannelMode};
use crate::hub::{Host, Limits, MaskList};
use crate::session::Surroundings;
use crate::wire::irc::Numeric;
use crate::wire::irc::line::LINE_BYTES_MAX;
use crate::wire::irc::list::put_tokens;
use crate::wire::irc::mask::{ACCOUNT_BAN, EXTBAN_PREFIX};
use crate::wire::irc::modes::CHANGED_MAX;
use std::fmt::{self, Write as _};

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
    /// The letter of a mode.
    Letter(&'static str, char),
    Chanmodes,
    Prefix,
    Statusmsg,
    Chanlimit(usize),
    Extban,
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
            Token::Letter(name, letter) => write!(f, "{name}={letter}"),
            Token::Chanmodes => write!(f, "CHANMODES={}", CHANNEL_MODES.chanmodes()),
            Token::Prefix => {
                f.write_str("PREFIX=(")?;
                letters::ranks().try_for_each(|(letter, ..)| f.write_char(letter))?;
                f.write_str(")")?;
                letters::ranks().try_for_each(|(_, _, sign)| f.write_str(sign))
            }
            Token::Statusmsg => {
                f.write_str("STATUSMSG=")?;
                letters::roles().try_for_each(|(_, sign)| f.write_str(sign))
            }
            Token::Extban => write!(f, "EXTBAN={EXTBAN_PREFIX},{ACCOUNT_BAN}"),
            Token::Chanlimit(rooms) => write!(f, "CHANLIMIT=#:{rooms}"),
            Token::Maxlist(masks) => {
                f.write_str("MAXLIST=")?;
                MaskList::ALL.into_iter().enumerate().try_for_each(|(n, list)| {
                    let comma = if n == 0 { "" } else { "," };
                    write!(f, "{comma}{}:{masks}", ChannelMode::List(list).letter())
                })
            }
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
fn tokens(world: &Surroundings) -> [Token<'_>; 31] {
    let limits = &world.limits;
    [
        Token::Letter("ACCOUNTEXTBAN", ACCOUNT_BAN),
        Token::Number("AWAYLEN", limits.away_bytes_max.into()),
        Token::Letter("BOT", letters::BOT),
        Token::Text("CASEMAPPING", "ascii"),
        Token::Chanlimit(limits.rooms_per_user_max),
        Token::Chanmodes,
        Token::Number("CHANNELLEN", limits.room_name_bytes_max.into()),
        Token::Text("CHANTYPES", "#"),
        Token::Number("CHATHISTORY", limits.history.page_max),
        Token::Text("ELIST", "CMNTU"),
        Token::Letter("EXCEPTS", ChannelMode::List(MaskList::BanExceptions).letter()),
        Token::Extban,
        Token::Number("HOSTLEN", Host::WRITTEN_BYTES),
        Token::Letter("INVEX", ChannelMode::List(MaskList::InviteExceptions).letter()),
        Token::Number("KEYLEN", limits.password_bytes_max.into()),
        Token::Number("KICKLEN", kick_bytes_max(world)),
        Token::Maxlist(limits.masks_per_list_max),
        Token::Number("MODES", MODES_MAX),
        Token::Number("MONITOR", limits.watches_per_user_max),
        Token::Text("MSGREFTYPES", "msgid,timestamp"),
        Token::Number("NAMELEN", limits.realname_bytes_max.into()),
        Token::Text("NETWORK", &world.server.network),
        Token::Number("NICKLEN", limits.name_bytes_max.into()),
        Token::Prefix,
        Token::Bare("SAFELIST"),
        Token::Statusmsg,
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
