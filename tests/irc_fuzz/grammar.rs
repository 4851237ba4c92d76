//! Lines of IRC as chance makes them: those that a client could send, those that are nearly so, and bytes.

use crate::random::Random;
use switchboard::session::irc::offered;

/// What the parameters of some commands are; the others have whatever comes.
const SHAPES: &[(&str, &[Word])] = &[
    ("CAP", &[Word::Of(&["LS", "LIST", "REQ", "END", "ls", "NEW"]), Word::Capabilities]),
    ("INVITE", &[Word::Nick, Word::Room]),
    ("ISON", &[Word::Nicks, Word::Nick]),
    ("JOIN", &[Word::Rooms, Word::Keys]),
    ("KICK", &[Word::Rooms, Word::Nicks, Word::Text]),
    ("KILL", &[Word::Nick, Word::Text]),
    ("LIST", &[Word::Conditions]),
    ("MODE", &[Word::Room, Word::Modes, Word::Any, Word::Any, Word::Any]),
    ("MODE", &[Word::Nick, Word::Modes]),
    ("MODE", &[Word::Room, Word::Of(&["+b", "+e", "+I", "-b"]), Word::Of(&["*!*@*", "ann!*@*"])]),
    ("MODE", &[Word::Room, Word::Of(&["+l", "bIe", "+mC"]), Word::Of(&["1", "2"])]),
    ("MONITOR", &[Word::Of(&["+", "-", "C", "L", "S", "x"]), Word::Nicks]),
    ("NAMES", &[Word::Rooms]),
    ("NICK", &[Word::Nick]),
    ("NOTICE", &[Word::Targets, Word::Text]),
    ("OPER", &[Word::Of(&["root", "nobody"]), Word::Text]),
    ("PART", &[Word::Rooms, Word::Text]),
    ("PRIVMSG", &[Word::Targets, Word::Text]),
    ("STATS", &[Word::Of(&["u", "x"])]),
    ("TAGMSG", &[Word::Targets]),
    ("TOPIC", &[Word::Room, Word::Text]),
    ("USER", &[Word::Nick, Word::Any, Word::Any, Word::Text]),
    ("USERHOST", &[Word::Nicks, Word::Nick]),
    ("WHO", &[Word::Room, Word::Of(&["o", "%tcuihsnfdlaor,123", "%n", "o%%", "%,,"])]),
    ("WHO", &[Word::Mask]),
    ("WHOIS", &[Word::Nicks, Word::Nicks]),
    ("WHOWAS", &[Word::Nick, Word::Of(&["1", "-1", "x", "99999999999999999999"])]),
];

const NICKS: [&str; 12] =
    ["ann", "bob", "Cy", "dora", "ANN", "nobody", "élodie", "日本", "a!b", "-x", "*", "switchboard.local"];
const ROOMS: [&str; 10] = ["#a", "#b", "#A", "#c", "#é", "#", "a", "0", "@#a", "+#b"];
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
            Word::Modes => letters(random, "++--beIklCimnstovBiwxé", 14),
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
                let of = [Word::Nick, Word::Room, Word::Mask, Word::Keys, Word::Text, Word::Modes];
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
