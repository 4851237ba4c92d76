//! What of lines is secret: passwords and keys in the commands of IRC, what NickServ is told, and the headers of HTTP
//! that let somebody in.

use super::MASK;
use crate::capture::flow::Role;

const LF: u8 = b'\n';
const CR: u8 = b'\r';

/// Bytes of the longest command that is looked for.
const WORD_BYTES_MAX: usize = 24;

/// Who is told passwords in messages, by whatever name its server has.
const NICKSERV: &[u8; 8] = b"NICKSERV";

/// What NickServ is told and others may read, behind it as well.
const HARMLESS: [&[u8]; 3] = [b"HELP", b"INFO", b"LOGOUT"];

/// The letter of a channel's key.
const KEY: u8 = b'k';

/// What a line does with its parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Command {
    Harmless,
    /// What is secret begins with this parameter; the first has number 1.
    SecretFrom(u8),
    /// Modes are in this parameter, and in those behind it that begin with a sign; what follows a `k` among them is
    /// secret.
    Modes {
        first: u8,
    },
    /// Target, then a text, which is a secret or not.
    Message,
    /// The text alone.
    ToNickServ,
}

fn command(sender: Role, word: &[u8]) -> Command {
    match (word, sender) {
        (b"PASS" | b"AUTHENTICATE" | b"WEBIRC", _) => Command::SecretFrom(1),
        (b"AUTHORIZATION:" | b"PROXY-AUTHORIZATION:" | b"COOKIE:" | b"SET-COOKIE:", _) => {
            Command::SecretFrom(1)
        }
        (b"OPER" | b"VERIFY" | b"JOIN", Role::Client) => Command::SecretFrom(2),
        (b"REGISTER", Role::Client) => Command::SecretFrom(3),
        (b"MODE", _) => Command::Modes { first: 2 },
        (b"324", Role::Server) => Command::Modes { first: 3 }, // RPL_CHANNELMODEIS has the client in front
        (b"PRIVMSG" | b"NOTICE" | b"SQUERY", _) => Command::Message,
        (b"NS" | b"NICKSERV", _) => Command::ToNickServ,
        _ => Command::Harmless,
    }
}

/// What the next byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    /// The first of a line.
    Start,
    Tags,
    /// In front of the source, or of the command.
    BeforeSource,
    Source,
    BeforeCommand,
    Command,
    BeforeParam,
    Param,
    /// The first word of what NickServ is told, or in front of it.
    Told,
    /// Behind it, if it was a word that has a secret behind it.
    BeforeSecret,
    Secret,
    /// Nothing that matters comes until the end of the line.
    Rest,
}

/// The mask of a stream of lines.
pub struct Mask {
    sender: Role,
    at: At,
    /// The front of the word that is being read, in upper case.
    word: [u8; WORD_BYTES_MAX],
    word_len: usize,
    /// The end of it.
    recent: [u8; NICKSERV.len()],
    command: Command,
    /// How many parameters have begun.
    params: u8,
    /// The parameter is one with modes in it.
    has_modes: bool,
    /// A key may follow; or NickServ was named.
    is_warned: bool,
}

impl Mask {
    pub fn new(sender: Role) -> Self {
        Mask {
            sender,
            at: At::Start,
            word: [0; WORD_BYTES_MAX],
            word_len: 0,
            recent: [0; NICKSERV.len()],
            command: Command::Harmless,
            params: 0,
            has_modes: false,
            is_warned: false,
        }
    }

    pub fn apply(&mut self, bytes: &mut [u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let shown = if self.at == At::Rest {
                let end = rest.iter().position(|byte| *byte == LF);
                let Some(end) = end else { return };
                self.at = At::Param; // which ends with the line
                end
            } else {
                if let Some(first) = rest.first_mut()
                    && self.step(*first)
                    && !matches!(*first, CR | LF)
                {
                    *first = MASK;
                }
                1
            };
            rest = rest.get_mut(shown..).unwrap_or_default();
        }
    }

    /// Takes one byte. `true` if it is secret.
    fn step(&mut self, byte: u8) -> bool {
        if byte == LF {
            *self = Mask::new(self.sender);
            return false;
        }
        match self.at {
            At::Start if byte == CR => {}
            At::Start if byte == b'@' => self.at = At::Tags,
            At::Start | At::BeforeSource => match byte {
                b' ' => self.at = At::BeforeSource,
                b':' => self.at = At::Source,
                _ => self.begin(At::Command, byte),
            },
            At::Tags if byte == b' ' => self.at = At::BeforeSource,
            At::Source if byte == b' ' => self.at = At::BeforeCommand,
            At::BeforeCommand if byte != b' ' => self.begin(At::Command, byte),
            At::Command if byte == b' ' => {
                self.command = command(self.sender, self.word());
                self.at = match self.command {
                    Command::Harmless => At::Rest,
                    _ => At::BeforeParam,
                };
            }
            At::BeforeParam if byte != b' ' => self.begin_param(byte),
            At::Param if byte == b' ' => self.at = At::BeforeParam,
            At::Told => self.listen(byte),
            At::BeforeSecret if byte != b' ' => self.at = At::Secret,
            At::Command | At::Param => self.take(byte),
            At::Tags | At::Source | At::BeforeCommand | At::BeforeParam => {}
            At::BeforeSecret | At::Secret | At::Rest => {}
        }
        self.at == At::Secret
    }

    /// The first byte of a parameter.
    fn begin_param(&mut self, byte: u8) {
        self.params = self.params.saturating_add(1);
        match self.command {
            Command::SecretFrom(first) if self.params >= first => self.at = At::Secret,
            Command::Modes { .. } if self.is_warned => self.at = At::Secret,
            Command::Message if self.params > 1 && !self.is_warned => self.at = At::Rest,
            Command::Message if self.params > 1 => self.tell(byte),
            Command::ToNickServ => self.tell(byte),
            Command::Modes { first } => {
                // A last parameter may have spaces in it; here each word of it counts for itself.
                self.has_modes = self.params == first || matches!(byte, b'+' | b'-' | b':');
                self.begin(At::Param, byte);
            }
            _ => self.begin(At::Param, byte),
        }
    }

    /// What NickServ is told begins.
    fn tell(&mut self, byte: u8) {
        (self.at, self.word_len) = (At::Told, 0);
        if byte != b':' {
            self.take(byte);
        }
    }

    fn listen(&mut self, byte: u8) {
        match byte {
            b' ' if self.word_len == 0 => {}
            b' ' if HARMLESS.contains(&self.word()) => self.at = At::Rest,
            b' ' => self.at = At::BeforeSecret,
            _ => self.take(byte),
        }
    }

    fn begin(&mut self, at: At, byte: u8) {
        (self.at, self.word_len, self.recent) = (at, 0, [0; NICKSERV.len()]);
        self.take(byte);
    }

    /// A byte of a word.
    fn take(&mut self, byte: u8) {
        let upper = byte.to_ascii_uppercase();
        if let Some(place) = self.word.get_mut(self.word_len) {
            *place = upper;
        }
        self.word_len = self.word_len.saturating_add(1);
        self.recent.rotate_left(1);
        if let Some(last) = self.recent.last_mut() {
            *last = upper;
        }
        self.is_warned |= match self.command {
            Command::Modes { .. } => self.has_modes && byte == KEY,
            Command::Message => self.recent == *NICKSERV,
            _ => false,
        };
    }

    /// The word that was read; nothing if it is longer than any that matters.
    fn word(&self) -> &[u8] {
        self.word.get(..self.word_len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::masked;
    use super::*;

    /// Lines with `_` in the place of each secret byte, and who sends them.
    const LINES: &[(Role, &str, &str)] = &[
        (Role::Client, "PASS sesame", "PASS ******"),
        (Role::Client, "pass :open sesame", "pass ************"),
        (Role::Client, "  PASS   sesame", "  PASS   ******"),
        (Role::Client, "@label=1 :me PASS sesame", "@label=1 :me PASS ******"),
        (Role::Client, "PASSAGE sesame", "PASSAGE sesame"),
        (Role::Client, "OPER root sesame", "OPER root ******"),
        (Role::Client, "AUTHENTICATE PLAIN", "AUTHENTICATE *****"),
        (Role::Server, "AUTHENTICATE cj1meQ==", "AUTHENTICATE ********"),
        (Role::Client, "REGISTER ann * :open sesame", "REGISTER ann * ************"),
        (Role::Server, "REGISTER SUCCESS ann :welcome", "REGISTER SUCCESS ann :welcome"),
        (Role::Client, "VERIFY ann 123456", "VERIFY ann ******"),
        (Role::Client, "JOIN #a,#b key,key", "JOIN #a,#b *******"),
        (Role::Client, "JOIN #a", "JOIN #a"),
        (Role::Server, ":ann!a@b JOIN #a account :Ann", ":ann!a@b JOIN #a account :Ann"),
        (Role::Client, "MODE #a +k sesame", "MODE #a +k ******"),
        (Role::Client, "MODE #a +lk 5 sesame", "MODE #a +lk ********"),
        (Role::Client, "MODE #a +b *!*@k", "MODE #a +b *!*@k"),
        (Role::Client, "MODE #a +b *!*@k +k sesame", "MODE #a +b *!*@k +k ******"),
        (Role::Client, "MODE #a k :sesame", "MODE #a k *******"),
        (Role::Client, "MODE #a :+k sesame", "MODE #a :+k ******"),
        (Role::Server, ":ann!a@b MODE #kk +k sesame", ":ann!a@b MODE #kk +k ******"),
        (Role::Server, ":srv 324 kim #kk +nk sesame", ":srv 324 kim #kk +nk ******"),
        (Role::Server, ":srv 324 kim #kk +n", ":srv 324 kim #kk +n"),
        (Role::Client, "PRIVMSG NickServ :IDENTIFY ann sesame", "PRIVMSG NickServ :IDENTIFY **********"),
        (
            Role::Client,
            "PRIVMSG #a,nickserv@srv : identify  sesame",
            "PRIVMSG #a,nickserv@srv : identify  ******",
        ),
        (Role::Server, ":ann!a@b PRIVMSG NickServ :DROP sesame", ":ann!a@b PRIVMSG NickServ :DROP ******"),
        (Role::Client, "PRIVMSG NickServ :HELP IDENTIFY", "PRIVMSG NickServ :HELP IDENTIFY"),
        (Role::Client, "PRIVMSG NickServ :LOGOUT", "PRIVMSG NickServ :LOGOUT"),
        (Role::Client, "NS IDENTIFY sesame", "NS IDENTIFY ******"),
        (Role::Client, "nickserv :set password old new", "nickserv :set ****************"),
        (Role::Client, "PRIVMSG bob :NickServ IDENTIFY sesame", "PRIVMSG bob :NickServ IDENTIFY sesame"),
        (Role::Client, "PRIVMSG #tea :PASS sesame", "PRIVMSG #tea :PASS sesame"),
        (Role::Client, "GET / HTTP/1.1", "GET / HTTP/1.1"),
        (Role::Client, "Authorization: Basic YTpi", "Authorization: **********"),
        (Role::Client, "Cookie: id=1", "Cookie: ****"),
    ];

    #[test]
    fn secrets_are_masked_and_nothing_else_is() {
        for role in [Role::Client, Role::Server] {
            let (mut sent, mut expected) = (String::new(), String::new());
            for (_, line, shown) in LINES.iter().filter(|(sender, ..)| *sender == role) {
                for end in ["\r\n", "\n", "\r\n\r\n"] {
                    let line = format!("{line}{end}");
                    let masked = masked(role, line.as_bytes());
                    assert_eq!(String::from_utf8_lossy(&masked), format!("{shown}{end}"));
                    sent += &line;
                    expected += &format!("{shown}{end}");
                }
            }
            assert_eq!(String::from_utf8_lossy(&masked(role, sent.as_bytes())), expected);
        }
    }
}
