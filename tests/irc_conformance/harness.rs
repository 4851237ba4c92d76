//! How a table is written, and how it is played.
//!
//! ```text
//! serve --room-modes nt                flags of the server, before the first scene; most tables have none
//!
//! == who sets a subject is told so     a scene: nobody is there yet
//! bob with server-time batch           connects Bob with these capabilities
//! raw cy                               connects Cy, who says everything of himself in the scene
//! in #tea: ann bob                     they enter in this order, and what they are told is passed over
//! ann! MODE #tea +t                    Ann says this; what anybody is told is passed over
//! ann> TOPIC #tea :Milk                Ann says this,
//! ann< :ann TOPIC #tea :Milk           and is told this, and nothing else,
//! bob< @time={time} :ann TOPIC #tea :Milk    and so is Bob;
//! ann> MODE #tea
//! ann< 324 #tea +t                     a numeric is the server's, and for Ann
//! ann< 329 #tea {number}
//! ```
//!
//! Whoever is named connects, with the same nickname and user name. Everybody is told exactly what is written, in that
//! order: after each `>` all of them ping, and what comes before the last pong is what they were told. Nothing waits for
//! time to pass. What is not the same each time has a placeholder:
//!
//! | placeholder | stands for |
//! |---|---|
//! | `{host}` `{user}` `{msgid}` | what has this name; `:ann ` is short for `:ann!{user}@{host} ` |
//! | `{time}` | a time as the tag has it |
//! | `{number}` | digits |
//! | `{word}` | anything without a space |
//! | `{text}` | anything |
//! | `{server}` | the server's name |
//! | `{pseudonym}` | the name that a room gives to somebody whom it hides |
//!
//! Whoever says something with `{pseudonym}` says the one that anybody was told last.
//! In both directions, `{é*200}` is 200 of what stands there, and `{ctcp}` the byte 1 around messages of programs; `{broken}` is a byte that UTF-8
//! does not have.

use crate::common::{PATIENCE, Server};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};

/// Where the tables lie.
pub const TABLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/irc_conformance/tables");

/// In place of the byte 0xff until a line is sent: a character that no table has.
const BROKEN: &str = "\u{10ffff}";

const SERVER: &str = "switchboard.local";

/// Plays `tables/<name>.txt`. Fails with everything in it that is not as it is written.
pub fn play(name: &str) {
    let text = std::fs::read_to_string(format!("{TABLES}/{name}.txt")).expect("the table");
    let text: String = text.lines().map(|line| in_length(line) + "\n").collect();
    let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim())).filter(|(_, line)| {
        !line.is_empty() && !line.starts_with("//") // remarks
    });
    let mut lines = lines.by_ref().peekable();
    // No flood is throttled, and cloaks are the same each time: some tables have masks that could match them by chance.
    let mut flags = vec!["--irc-lines-per-second", "0", "--cloak-key", "the same for all tables"];
    if let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with("serve ")) {
        flags.extend(line.split(' ').skip(1));
    }
    let server = Server::start(&flags);
    let mut stage = Stage {
        address: server.address,
        clients: BTreeMap::new(),
        pseudonym: String::new(),
        faults: String::new(),
    };
    let mut scene = "";
    while let Some((number, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("== ") {
            stage.clear();
            scene = title;
            continue;
        }
        let told = std::iter::from_fn(|| lines.next_if(|(_, line)| expectation(line).is_some()));
        let expected: Vec<_> = told.filter_map(|(_, line)| expectation(line)).collect();
        stage.act(line, &expected, &format!("{name}.txt:{number}, {scene:?}"));
    }
    assert!(stage.faults.is_empty(), "\n{}", stage.faults);
}

/// A line with what a table has in short.
fn in_length(line: &str) -> String {
    let mut parts = line.split('{');
    let mut full = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some(("ctcp", rest)) => full = full + "\u{1}" + rest,
            Some(("broken", rest)) => full = full + BROKEN + rest,
            Some((inside, rest)) if inside.contains('*') => {
                let (what, times) = inside.split_once('*').expect("a star");
                full = full + &what.repeat(times.parse().expect("a number")) + rest;
            }
            _ => full = full + "{" + part,
        }
    }
    full
}

/// `ann< line`
fn expectation(line: &str) -> Option<(&str, &str)> {
    let (who, line) = line.split_once("< ")?;
    is_name(who).then_some((who, line))
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(char::is_alphanumeric)
}

/// Who is there.
struct Stage {
    address: SocketAddr,
    clients: BTreeMap<String, Client>,
    /// The one that anybody was told last.
    pseudonym: String,
    faults: String,
}

impl Stage {
    /// Everybody goes; the next scene begins when the server knows nobody any more.
    fn clear(&mut self) {
        for (_, mut client) in std::mem::take(&mut self.clients) {
            client.send("QUIT");
            client.read_to_end();
        }
    }

    fn act(&mut self, line: &str, expected: &[(&str, &str)], place: &str) {
        if let Some((room, who)) = line.strip_prefix("in ").and_then(|line| line.split_once(": ")) {
            who.split(' ').for_each(|who| _ = self.say(who, &format!("JOIN {room}")));
        } else if let Some(who) = line.strip_prefix("raw ") {
            self.clients.insert(who.to_owned(), Client::connect(self.address));
        } else if let Some((who, capabilities)) = line.split_once(" with ") {
            let client = Client::register(self.address, who, capabilities);
            self.clients.insert(who.to_owned(), client);
        } else if let Some((who, said)) = line.split_once("! ").filter(|(who, _)| is_name(who)) {
            self.say(who, said);
        } else if let Some((who, said)) = line.split_once("> ").filter(|(who, _)| is_name(who)) {
            expected.iter().for_each(|(who, _)| _ = self.client(who));
            let told = self.say(who, said);
            for (who, told) in told {
                let wanted = expected.iter().filter(|(whom, _)| *whom == who).map(|(_, line)| *line);
                self.compare(&who, &told, &wanted.collect::<Vec<_>>(), &format!("{place}\n  {line}"));
            }
        } else {
            panic!("{place}: not in the language of tables: {line}");
        }
    }

    fn client(&mut self, who: &str) -> &mut Client {
        let address = self.address;
        self.clients.entry(who.to_owned()).or_insert_with(|| Client::register(address, who, ""))
    }

    /// Somebody says something; what everybody is told by it, who said it first.
    fn say(&mut self, who: &str, line: &str) -> Vec<(String, Vec<String>)> {
        let line = line.replace("{pseudonym}", &self.pseudonym);
        let client = self.client(who);
        client.send(&line);
        let mut told = vec![(who.to_owned(), client.told())];
        for (name, client) in self.clients.iter_mut().filter(|(name, _)| *name != who) {
            told.push((name.clone(), client.told()));
        }
        self.clients.retain(|_, client| !client.is_gone);
        for line in told.iter().flat_map(|(_, lines)| lines) {
            if let Some(at) = line.find(PSEUDONYM) {
                self.pseudonym = line[at..].chars().take_while(|&c| may_be_in_pseudonym(c)).collect();
            }
        }
        told
    }

    fn compare(&mut self, who: &str, told: &[String], wanted: &[&str], place: &str) {
        let nick = self.clients.get(who).map_or(who, |client| &client.nick);
        let wanted: Vec<String> = wanted.iter().map(|line| in_full(line, nick)).collect();
        let is_right = told.len() == wanted.len()
            && told.iter().zip(&wanted).all(|(told, wanted)| matches(wanted, told));
        if !is_right {
            let list =
                |lines: &[String]| lines.iter().map(|line| format!("\n    {line}")).collect::<String>();
            let (wanted, told) = (list(&wanted), list(told));
            let _ = write!(self.faults, "{place}\n  {who} is to be told{wanted}\n  and is told{told}\n\n");
        }
    }
}

/// An expected line with what may be left out in a table.
fn in_full(line: &str, nick: &str) -> String {
    let (tags, line) = match line.split_once(' ') {
        Some((tags, rest)) if tags.starts_with('@') => (format!("{tags} "), rest),
        _ => (String::new(), line),
    };
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let line = match first.strip_prefix(':') {
        None if first.len() == 3 && first.parse::<u16>().is_ok() => {
            format!(":{{server}} {first} {nick} {rest}")
        }
        Some(by) if is_name(by) => format!(":{by}!{{user}}@{{host}} {rest}"),
        _ => line.to_owned(),
    };
    format!("{tags}{line}").trim_end().replace("{server}", SERVER)
}

/// Whether a line is what an expected one with placeholders describes.
fn matches(wanted: &str, line: &str) -> bool {
    let Some((before, rest)) = wanted.split_once('{') else { return wanted == line };
    let Some((name, after)) = rest.split_once('}') else { return wanted == line };
    let Some(line) = line.strip_prefix(before) else { return false };
    let may_be: fn(char) -> bool = match name {
        "number" => |c| c.is_ascii_digit(),
        "host" => |c| c.is_ascii_alphanumeric() || ".:".contains(c),
        "user" => |c| c.is_alphanumeric() || c == '~',
        "time" => |c| c.is_ascii_digit() || "-:.TZ".contains(c),
        "msgid" | "word" => |c| c != ' ',
        "pseudonym" => may_be_in_pseudonym,
        "text" => |_| true,
        _ => panic!("no such placeholder: {name}"),
    };
    let ends = line.char_indices().take_while(|&(_, c)| may_be(c)).map(|(at, c)| at + c.len_utf8());
    let least = if name == "text" { Some(0) } else { None };
    least.into_iter().chain(ends).any(|end| matches(after, &line[end..]))
}

/// How pseudonyms begin.
const PSEUDONYM: &str = "anon-";

fn may_be_in_pseudonym(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

/// A connection that speaks lines.
pub struct Client {
    stream: BufReader<TcpStream>,
    /// The present one.
    nick: String,
    is_gone: bool,
}

/// What no table says.
const TOKEN: &str = "told-everything";

impl Client {
    fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_nodelay(true).expect("no delay");
        Client { stream: BufReader::new(stream), nick: "*".to_owned(), is_gone: false }
    }

    pub fn register(address: SocketAddr, name: &str, capabilities: &str) -> Client {
        let mut client = Client::connect(address);
        if !capabilities.is_empty() {
            client.send(&format!("CAP REQ :{capabilities}"));
        }
        client.send(&format!("NICK {name}"));
        client.send(&format!("USER {name} 0 * :{name}"));
        client.send("CAP END");
        let told = client.told();
        assert_eq!(client.nick, name, "{name} is let in: {told:#?}");
        client
    }

    pub fn send(&mut self, line: &str) {
        // Whoever has been thrown out may write in vain.
        let line = format!("{line}\r\n");
        let parts: Vec<&[u8]> = line.split(BROKEN).map(str::as_bytes).collect();
        let _ = self.stream.get_mut().write_all(&parts.join(&0xff));
    }

    /// Everything that the client is told because of what happened up to now.
    pub fn told(&mut self) -> Vec<String> {
        self.send(&format!("PING {TOKEN}"));
        let mut told = Vec::new();
        while let Some(line) = self.line() {
            if line.contains(TOKEN) {
                return told;
            }
            told.push(line);
        }
        self.is_gone = true;
        told
    }

    fn read_to_end(&mut self) {
        while self.line().is_some() {}
    }

    /// The next line; `None` at the end.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("reading from the server: {error}; so far {line:?}"),
        }
        let line = line.strip_suffix("\r\n").unwrap_or_else(|| panic!("a line without its end: {line:?}"));
        self.note_nick(line);
        Some(line.to_owned())
    }

    /// The server says what the client is called.
    fn note_nick(&mut self, line: &str) {
        let line =
            if line.starts_with('@') { line.split_once(' ').map_or("", |(_, rest)| rest) } else { line };
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            [_, "001", nick, ..] => nick.clone_into(&mut self.nick),
            [source, "NICK", nick] if source.starts_with(&format!(":{}!", self.nick)) => {
                nick.trim_start_matches(':').clone_into(&mut self.nick);
            }
            _ => {}
        }
    }
}
