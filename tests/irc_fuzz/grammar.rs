//! Lines of IRC as chance makes them: those that a client could send, those that are nearly so, and bytes.

use crate::random::Random;
use switchboard::session::irc::offered;
use switchboard::wire::ChangeCode;

/// What the parameters of some commands are; the others have whatever comes.
const SHAPES: &[(&str, &[Word])] = &[
    ("AUTHENTICATE", &[Word::Piece]),
    ("CAP", &[Word::Of(&["LS", "LIST", "REQ", "END", "ls", "NEW"]), Word::Capabilities]),
    ("CHANSERV", &[Word::Of(&["SET"]), Word::Room, Word::Flag, Word::Of(&["ON", "OFF"])]),
    (
        "CHATHISTORY",
        &[Word::Of(&["LATEST", "BEFORE", "AFTER"]), Word::Room, Word::Mark, Word::Of(&["5", "0"])],
    ),
    ("CHATHISTORY", &[Word::Of(&["BETWEEN"]), Word::Room, Word::Mark, Word::Mark, Word::Of(&["5", "-1"])]),
    ("CS", &[Word::Subcommand, Word::Room, Word::Any, Word::Any]),
    (
        "CS",
        &[Word::Of(&["ASK", "PRESET"]), Word::Room, Word::Of(&["VOICE", "MEMBERSHIP", "club"]), Word::Text],
    ),
    ("CS", &[Word::Of(&["GRANT", "DENY"]), Word::Room, Word::Nick, Word::Of(&["VOICE", "MEMBERSHIP"])]),
    ("DLINE", &[Word::Address, Word::Text]),
    ("DLINE", &[Word::Of(&["2h", "10", "x"]), Word::Address, Word::Text]),
    ("INVITE", &[Word::Nick, Word::Room]),
    ("ISON", &[Word::Nicks, Word::Nick]),
    ("JOIN", &[Word::Rooms, Word::Keys]),
    ("JOIN", &[Word::Room]),
    ("KICK", &[Word::Rooms, Word::Nicks, Word::Text]),
    ("KILL", &[Word::Nick, Word::Text]),
    ("KNOCK", &[Word::Room, Word::Text]),
    ("LIST", &[Word::Conditions]),
    ("MARKREAD", &[Word::Room, Word::Mark]),
    ("MODE", &[Word::Room, Word::Modes, Word::Any, Word::Any, Word::Any]),
    ("MODE", &[Word::Nick, Word::Modes]),
    ("MODE", &[Word::Room, Word::Of(&["+b", "+e", "+I", "+Q", "-b"]), Word::Of(&["*!*@*", "ann!*@*"])]),
    (
        "MODE",
        &[Word::Room, Word::Of(&["+bbbbb"]), Word::Mask, Word::Mask, Word::Mask, Word::Mask, Word::Mask],
    ),
    ("MODE", &[Word::Room, Word::Of(&["+QIeQIe"]), Word::Mask, Word::Mask, Word::Mask]),
    ("MODE", &[Word::Room, Word::Of(&["+l", "bIeQ", "+mC"]), Word::Of(&["1", "2"])]),
    ("MODE", &[Word::Room, Word::Of(&["+A", "+i", "+P", "-A", "-i"])]),
    ("MODE", &[Word::Room, Word::Of(&["+q", "+a", "+o", "-q"]), Word::Nick]),
    ("MONITOR", &[Word::Of(&["+", "-", "C", "L", "S", "x"]), Word::Nicks]),
    ("NAMES", &[Word::Rooms]),
    ("NICK", &[Word::Nick]),
    ("NOTICE", &[Word::Targets, Word::Text]),
    ("NS", &[Word::Of(&["IDENTIFY"]), Word::Account, Word::Password]),
    ("NS", &[Word::Of(&["LOGOUT"])]),
    ("NS", &[Word::Of(&["REGISTER", "DROP", "IDENTIFY", "PASSWD", "INFO"]), Word::Password, Word::Password]),
    ("OPER", &[Word::Of(&["root", "nobody"]), Word::Text]),
    ("PART", &[Word::Rooms, Word::Text]),
    ("PRIVMSG", &[Word::Targets, Word::Text]),
    ("PRIVMSG", &[Word::Of(&["NickServ", "chanserv"]), Word::Text]),
    ("REDACT", &[Word::Room, Word::Any, Word::Text]),
    ("REGISTER", &[Word::Account, Word::Of(&["*", "me@example.org"]), Word::Password]),
    ("RENAME", &[Word::Room, Word::Room, Word::Text]),
    ("STATS", &[Word::Of(&["u", "d", "x"])]),
    ("TAGMSG", &[Word::Targets]),
    ("TOPIC", &[Word::Room, Word::Text]),
    ("UNDLINE", &[Word::Address]),
    ("USER", &[Word::Nick, Word::Any, Word::Any, Word::Text]),
    ("USERHOST", &[Word::Nicks, Word::Nick]),
    ("WHO", &[Word::Room, Word::Of(&["o", "%tcuihsnfdlaor,123", "%n", "o%%", "%,,"])]),
    ("WHO", &[Word::Mask]),
    ("WHOIS", &[Word::Nicks, Word::Nicks]),
    ("WHOWAS", &[Word::Nick, Word::Of(&["1", "-1", "x", "99999999999999999999"])]),
];

/// Stands for the name that a room gave to somebody, which nobody can know beforehand.
pub const PSEUDONYM: &str = "anon-somebody";

const NICKS: [&str; 13] = [
    "ann",
    "bob",
    "Cy",
    "dora",
    "ANN",
    "nobody",
    "élodie",
    "日本",
    "a!b",
    "-x",
    "*",
    "switchboard.local",
    PSEUDONYM,
];
const ROOMS: [&str; 12] = ["#a", "#b", "#A", "#c", "#é", "#", "a", "0", "@#a", "+#b", "#d", "#e"];
const ACCOUNTS: [&str; 4] = ["*", "zoe", "yan", "ann"];
const PASSWORDS: [&str; 3] = ["sesame", "simsim", ""];
/// What SASL says: mechanisms, and in base64 by PLAIN that it is Zoe, Yan, and Ann with another password.
const PIECES: [&str; 9] = [
    "PLAIN",
    "PLAIN",
    "SCRAM-SHA-256",
    "EXTERNAL",
    "AHpvZQBzZXNhbWU=",
    "AHlhbgBzZXNhbWU=",
    "AGFubgBzaW1zaW0=",
    "+",
    "*",
];
const ADDRESSES: [&str; 6] = ["192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "127.0.0.1", "0.0.0.0/0", "a"];
const MARKS: [&str; 5] =
    ["*", "timestamp=2026-01-01T00:00:00.000Z", "msgid=0", "msgid=1-1", "timestamp=yesterday"];
const TEXTS: [&str; 12] = [
    "",
    "hello",
    "hello there",
    ":",
    ":) a  b ",
    "\u{1}ACTION waves\u{1}",
    "\u{1}VERSION\u{1}",
    "\u{1}",
    "é日\u{1f375}\u{301}",
    "#a,#b",
    "4294967296",
    "\u{202e}",
];
const UNKNOWN: [&str; 4] = ["NONSENSE", "SQUIT", "é", "00"];

#[derive(Clone, Copy)]
enum Word {
    Nick,
    Nicks,
    Room,
    Rooms,
    Targets,
    Mask,
    Keys,
    Modes,
    Flag,
    Account,
    Password,
    Piece,
    Subcommand,
    Address,
    Mark,
    Conditions,
    Capabilities,
    Text,
    Any,
    Of(&'static [&'static str]),
}

impl Word {
    fn drawn(self, random: &mut Random) -> String {
        match self {
            Word::Nick => random.pick(&NICKS).to_string(),
            Word::Nicks => list(random, |random| random.pick(&NICKS).to_string()),
            Word::Room => random.pick(&ROOMS).to_string(),
            Word::Rooms => list(random, |random| random.pick(&ROOMS).to_string()),
            Word::Targets => list(random, |random| {
                let of = if random.chance(50) { Word::Room } else { Word::Nick };
                of.drawn(random)
            }),
            Word::Mask => letters(random, "abc*?!@.:é", 12),
            Word::Keys => list(random, |random| letters(random, "key:,", 3)),
            Word::Modes => letters(random, "++--beIQklACEPTVimnstuqaovBiwxé", 14),
            Word::Flag => {
                let words: Vec<&str> = ChangeCode::flags().map(|(_, word)| word).collect();
                random.pick(&words).to_string()
            }
            Word::Account => random.pick(&ACCOUNTS).to_string(),
            Word::Password => random.pick(&PASSWORDS).to_string(),
            Word::Piece if random.chance(10) => "A".repeat(random.between(399, 402)),
            Word::Piece => random.pick(&PIECES).to_string(),
            Word::Subcommand => {
                let chanserv = offered::SERVICES.last().expect("ChanServ");
                random.pick(chanserv.rows).name.to_owned()
            }
            Word::Address => random.pick(&ADDRESSES).to_string(),
            Word::Mark => random.pick(&MARKS).to_string(),
            Word::Conditions => list(random, |random| letters(random, "<>!*#CTab019", 5)),
            Word::Capabilities => {
                let one = |random: &mut Random| random.pick(offered::CAPABILITIES).to_string();
                let mut all = one(random);
                while random.chance(60) {
                    all += if random.chance(20) { " -" } else { " " };
                    all += &one(random);
                }
                all
            }
            Word::Text if random.chance(5) => random.pick(&["x", "é", "日", " "]).repeat(random.below(700)),
            Word::Text => random.pick(&TEXTS).to_string(),
            Word::Any => {
                let of =
                    [Word::Nick, Word::Room, Word::Mask, Word::Keys, Word::Text, Word::Modes, Word::Account];
                random.pick(&of).drawn(random)
            }
            Word::Of(words) => random.pick(words).to_string(),
        }
    }
}

fn list(random: &mut Random, mut item: impl FnMut(&mut Random) -> String) -> String {
    let mut items = vec![item(random)];
    while random.chance(40) {
        items.push(item(random));
    }
    items.join(",")
}

fn letters(random: &mut Random, from: &str, max: usize) -> String {
    let from: Vec<char> = from.chars().collect();
    (0..random.between(1, max)).map(|_| *random.pick(&from)).collect()
}

/// A line, without its end, that is one by the grammar, but for `except`. Nothing says that it makes sense.
pub fn line(random: &mut Random, except: &[&str]) -> String {
    let command = loop {
        let all = offered::COMMANDS;
        let command =
            if random.chance(2) { random.pick(&UNKNOWN) } else { all[random.below(all.len())].name };
        if !except.contains(&command) {
            break command;
        }
    };
    let shapes: Vec<_> = SHAPES.iter().filter(|(name, _)| *name == command).collect();
    let (any, mut words): (_, Vec<String>) = ([Word::Any; 3], Vec::new());
    let shape = if shapes.is_empty() || random.chance(5) { &any } else { random.pick(&shapes).1 };
    for word in shape {
        if random.chance(15) {
            break;
        }
        words.push(word.drawn(random));
    }
    let mut line = if random.chance(5) { command.to_lowercase() } else { command.to_owned() };
    let last = words.pop();
    for word in words {
        // In the middle, what cannot stand there is a word of its own.
        let word = word.trim_start_matches(':').replace(' ', "_");
        line = line + " " + if word.is_empty() { "x" } else { &word };
    }
    match last {
        Some(last) => line + " :" + &last,
        None => line,
    }
}

/// A line of the grammar with tags and a source, perhaps, and then changed at random.
pub fn nearly(random: &mut Random) -> Vec<u8> {
    let mut line = line(random, &[]);
    if random.chance(10) {
        line = format!(":ann!x@y {line}");
    }
    if random.chance(30) {
        let tags =
            random.pick(&["@label=7", "@+typing=active;x=y", "@=;;=", "@+a=\\:\\s;+a", "@", "@label="]);
        line = format!("{tags} {line}");
    }
    let mut line = line.into_bytes();
    while random.chance(40) {
        let at = random.below(line.len() + 1);
        match random.below(5) {
            0 => line.insert(at, random.next() as u8),
            1 => drop(line.splice(at.., [])),
            2 => drop(line.drain(at.saturating_sub(random.below(9))..at)),
            3 => {
                let some = line[..at].to_vec();
                line.splice(at..at, some);
            }
            _ => drop(line.splice(at..at, std::iter::repeat_n(random.next() as u8, random.below(900)))),
        }
    }
    line
}

/// Bytes that are hardly a line.
pub fn noise(random: &mut Random) -> Vec<u8> {
    let few = b"\0\r\n :@;=,#x\x01\xff\xc3\xa9";
    let is_any = random.chance(50);
    let byte = |random: &mut Random| if is_any { random.next() as u8 } else { *random.pick(few) };
    (0..random.below(300)).map(|_| byte(random)).collect()
}
