//! Whatever clients send, before the welcome and after: the server goes on, every line that leaves is one, every command
//! of a registered client is answered, and nothing grows without end.
//!
//! Over the engine with sockets that are made up, and a shorter run over real ones. `SWITCHBOARD_FUZZ_TIMES=100` runs
//! the former a hundred times as long, `SWITCHBOARD_SEED` with the one seed that a failure has printed.

#[path = "../common/mod.rs"]
mod common;
mod grammar;
#[path = "../common/pieces.rs"]
mod pieces;
#[path = "../common/random.rs"]
mod random;

use common::{PATIENCE, Server};
use pieces::Pieces;
use random::{Random, with_seeds};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use switchboard::hub;
use switchboard::hub::record::Secret;
use switchboard::net::Key;
use switchboard::server::credentials::{Check, Credentials, Operator, Outcome};
use switchboard::server::{Engine, Limits};
use switchboard::session::Description;
use switchboard::wire::irc::Numeric;
use switchboard::wire::irc::line::{LINE_BYTES_MAX, TAGS_BYTES_MAX};

const SEEDS: u64 = 50;
const LINES: usize = 10_000;
const CLIENTS: usize = 5;

/// What all that is known of a few clients may take, in bytes.
const MEMORY_MAX: u64 = 4 << 20;
/// What one line may be answered with, in bytes: HELP, and lists of what so few clients have made.
const ANSWER_MAX: usize = 64 << 10;

#[test]
fn whatever_is_sent_the_server_goes_on_and_every_line_that_leaves_is_one() {
    let times = std::env::var("SWITCHBOARD_FUZZ_TIMES").map_or(1, |times| times.parse().expect("a number"));
    let mut met = BTreeSet::new();
    with_seeds(0..SEEDS * times, |seed| {
        let memory = allocation_counter::measure(|| World::new(seed).run(&mut met));
        assert!(memory.bytes_max < MEMORY_MAX, "{} bytes at one time", memory.bytes_max);
    });
    if std::env::var_os("SWITCHBOARD_SEED").is_none() {
        let all = Numeric::ALL.iter().map(|row| row.numeric.to_string());
        let missed: Vec<String> = all.filter(|numeric| !met.contains(numeric)).collect();
        assert!(missed.len() < 5, "the grammar leads to few numerics; not to {missed:?}");
    }
}

/// A line that leaves: its bounds, and no bytes that would make two of it.
fn check_line(line: &[u8]) {
    let shown = String::from_utf8_lossy(line);
    let text = std::str::from_utf8(line).unwrap_or_else(|_| panic!("not UTF-8: {shown:?}"));
    assert!(!text.contains(['\0', '\r', '\n']), "{shown:?}");
    let tags = if text.starts_with('@') { text.find(' ').expect("something behind the tags") + 1 } else { 0 };
    assert!(tags <= TAGS_BYTES_MAX, "{tags} bytes of tags: {shown:?}");
    assert!(line.len() - tags + 2 <= LINE_BYTES_MAX, "{} bytes: {shown:?}", line.len() - tags + 2);
    assert!(text.len() > tags && !text[tags..].starts_with(' '), "{shown:?}");
}

struct World {
    random: Random,
    engine: Engine<Pieces>,
    clients: Vec<Client>,
    connected: u16,
    /// What a room called somebody last.
    pseudonym: String,
}

struct Client {
    key: Key,
    socket: Pieces,
    manner: Manner,
    lines: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// Says anything from the start.
    Stranger,
    /// Has logged in, and says anything.
    Usual,
    /// Has logged in, says what the grammar has, and wants an answer to all of it.
    Labelling,
}

impl World {
    fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let mut limits = Limits::default();
        limits.irc_lines.per_second = 0; // time stands still, and lines would be held back,
        limits.account_delay = Duration::ZERO; // and so would guesses
        limits.registrations.per_hour = 0;
        let small = hub::Limits {
            page_entries_max: random.between(1, 4),
            scanned_entries_max: random.between(1, 6),
            masks_per_list_max: 4,
            rooms_per_user_max: 4,
            watches_per_user_max: 4,
            invitations_max: 3,
            ..hub::Limits::default()
        };
        let hub_limits = if random.chance(50) { small } else { hub::Limits::default() };
        let mut engine = Engine::new(limits, hub_limits, [0; 32], Instant::now());
        let operators =
            vec![Operator { name: "root".to_owned(), password: "a hash".to_owned(), host: "*".to_owned() }];
        let password = random.chance(20).then(|| "a hash".to_owned());
        let lines = |text: &str| vec![text.to_owned(); 3];
        let server = Description { motd: lines("milk"), admin: lines("tea"), ..Description::default() };
        let server = if random.chance(50) { server } else { Description::default() };
        engine.describe(server, Credentials { password, operators, ..Credentials::default() });
        World { random, engine, clients: Vec::new(), connected: 0, pseudonym: grammar::PSEUDONYM.to_owned() }
    }

    fn run(mut self, met: &mut BTreeSet<String>) {
        for n in 0..LINES {
            while self.clients.len() < CLIENTS {
                self.connect();
            }
            let who = self.random.below(CLIENTS);
            for told in self.act(who) {
                self.note_pseudonym(&told);
                // The first parameter of a numeric is a client's name.
                met.extend(
                    told.lines()
                        .filter_map(|line| line.split(' ').find(|word| word.len() == 3))
                        .map(str::to_owned),
                );
            }
            if n % 50 == 0 {
                self.engine.hub().audit().expect("the books agree");
            }
        }
        while !self.clients.is_empty() {
            self.send(0, b"\r\nQUIT\r\n".to_vec());
            self.clients[0].socket.0.borrow_mut().is_shut = true;
            self.settle();
        }
        assert_eq!(self.engine.hub().counts().users, 0);
        assert_eq!(self.engine.exchange().surroundings.strangers, 0);
        assert_eq!(self.engine.connections_len(), 0);
    }

    fn connect(&mut self) {
        self.connected += 1;
        let socket = Pieces::default();
        let key = self.engine.admit(socket.clone(), SocketAddr::from(([127, 0, 0, 1], self.connected)));
        let manner = *self.random.pick(&[Manner::Stranger, Manner::Usual, Manner::Labelling]);
        self.clients.push(Client { key: key.expect("there is room"), socket, manner, lines: 0 });
        let at = self.clients.len() - 1;
        if manner == Manner::Stranger {
            self.send(at, b"PONG\n".to_vec()); // the first bytes tell that it speaks IRC
        } else {
            let caps = "labeled-response batch message-tags echo-message server-time";
            let caps = if manner == Manner::Labelling { caps } else { "away-notify" };
            let hello =
                format!("CAP REQ :{caps}\nNICK n{}\nUSER u 0 * :U\nPASS x\nCAP END\n", self.connected);
            self.send(at, hello.into_bytes());
            self.settle();
        }
    }

    /// Somebody says something, and everybody's lines are looked at.
    fn act(&mut self, who: usize) -> Vec<String> {
        let random = &mut self.random;
        let client = &mut self.clients[who];
        client.lines += 1;
        if client.manner == Manner::Labelling {
            let (label, line) = (client.lines, grammar::line(random, &["CAP", "QUIT"]));
            let line = line.replace(grammar::PSEUDONYM, &self.pseudonym);
            let may_be_answered = line.len() + 2 <= LINE_BYTES_MAX;
            self.send(who, format!("@label={label} {line}\r\n").into_bytes());
            let told = self.settle();
            let answers = &told[who];
            let bears = |line: &&str| line.split(' ').next().is_some_and(|tags| bears(tags, label));
            let count = answers.lines().filter(bears).count();
            let is_gone = answers.contains("ERROR :");
            assert!(count == 1 || is_gone || !may_be_answered, "{line:?} is answered by {answers:?}");
            return told;
        }
        let mut bytes = match random.below(10) {
            0 => grammar::noise(random),
            1..4 => grammar::nearly(random),
            _ => grammar::line(random, &[]).replace(grammar::PSEUDONYM, &self.pseudonym).into_bytes(),
        };
        bytes.extend_from_slice(random.pick(&["\r\n", "\r\n", "\n", "\r\n\r\n"]).as_bytes());
        self.send(who, bytes);
        self.settle()
    }

    fn note_pseudonym(&mut self, told: &str) {
        let mut words = told.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let is_one = |word: &&str| word.strip_prefix("anon-").is_some_and(|rest| rest.len() == 8);
        if let Some(pseudonym) = words.rfind(is_one) {
            pseudonym.clone_into(&mut self.pseudonym);
        }
    }

    /// In pieces, of which the server sees one at a time.
    fn send(&mut self, who: usize, mut bytes: Vec<u8>) {
        let Client { key, socket, .. } = &self.clients[who];
        while bytes.len() > 1 && self.random.chance(30) {
            let rest = bytes.split_off(self.random.between(1, bytes.len() - 1));
            socket.0.borrow_mut().input.push_back(std::mem::replace(&mut bytes, rest));
        }
        socket.0.borrow_mut().input.push_back(bytes);
        self.engine.note(*key, true, true);
    }

    fn work(&mut self) {
        while self.engine.has_work() {
            self.engine.read();
            self.engine.flush();
            self.engine.reap(drop);
        }
    }

    /// Until there is nothing more to do; what each client was told. Those who are gone are forgotten after that.
    fn settle(&mut self) -> Vec<String> {
        loop {
            self.work();
            self.engine.take_wishes_to_reload();
            if let Some(check) = self.engine.next_check() {
                self.engine.checked(outcome(&mut self.random, &check));
            } else if !self.engine.has_work() {
                break; // and no verdict was given without a check
            }
        }
        let told = |client: &Client| {
            let output = std::mem::take(&mut client.socket.0.borrow_mut().output);
            assert!(output.len() <= ANSWER_MAX, "{} bytes at once", output.len());
            let lines = output.split_inclusive(|&byte| byte == b'\n');
            lines.for_each(|line| check_line(line.strip_suffix(b"\r\n").expect("a line with its end")));
            String::from_utf8_lossy(&output).into_owned()
        };
        let told: Vec<String> = self.clients.iter().map(told).collect();
        for client in self.clients.iter().filter(|client| client.socket.0.borrow().is_shut) {
            self.engine.note(client.key, true, true); // they have gone, too
        }
        self.work();
        self.clients.retain(|client| !client.socket.0.borrow().is_shut);
        told
    }
}

/// A verdict on a password that nobody has looked at.
fn outcome(random: &mut Random, check: &Check) -> Outcome {
    match random.below(8) {
        0 => Outcome::Unknown,
        1 if check.hash.is_some() => Outcome::Wrong,
        _ if check.hash.is_none() || check.new.is_some() => {
            Outcome::Made(Secret { hash: "a hash".into(), scram: None })
        }
        _ => Outcome::Right,
    }
}

/// Whether tags have a label.
fn bears(tags: &str, label: u32) -> bool {
    let tags = tags.strip_prefix('@').unwrap_or_default();
    tags.split(';').any(|tag| tag == format!("label={label}"))
}

#[test]
fn the_same_over_real_sockets() {
    let server = Server::start(&["--irc-lines-per-second", "0"]);
    with_seeds(0..3, |seed| {
        let mut random = Random::new(seed);
        let mut clients: Vec<_> = (0..4).map(|n| Connected::new(server.address, n)).collect();
        for _ in 0..400 {
            let at = random.below(clients.len());
            let line = if random.chance(70) {
                grammar::line(&mut random, &["QUIT"]).into()
            } else {
                grammar::nearly(&mut random)
            };
            let client = &mut clients[at];
            // Whoever has been thrown out may write in vain.
            let _ = client.stream.write_all(&line).and_then(|()| client.stream.write_all(b"\r\n"));
        }
        for client in clients {
            client.leave();
        }
    });
    // And it goes on.
    let mut last = Connected::new(server.address, 9);
    last.stream.write_all(b"PING :still here\r\n").expect("the server reads");
    last.leave();
}

/// A client of a real server, whose lines are looked at as they come.
struct Connected {
    stream: TcpStream,
    reader: std::thread::JoinHandle<()>,
}

impl Connected {
    fn new(address: SocketAddr, n: usize) -> Connected {
        let mut stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time-out");
        let mut lines = BufReader::new(stream.try_clone().expect("another handle"));
        let reader = std::thread::spawn(move || {
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                check_line(line.strip_suffix(b"\r\n").expect("a line with its end"));
                line.clear();
            }
        });
        let hello = format!(
            "NICK r{n}\r\nUSER r 0 * :R\r\nCAP REQ :message-tags server-time labeled-response batch\r\nCAP END\r\n"
        );
        stream.write_all(hello.as_bytes()).expect("the server reads");
        Connected { stream, reader }
    }

    fn leave(mut self) {
        let _ = self.stream.write_all(b"\r\nQUIT\r\n");
        self.reader.join().expect("every line is one");
    }
}
