//! What was acknowledged survives the end of the process at any moment: a server is killed again and again while clients
//! make accounts, change passwords and talk in a room that lasts, and after each start everything that they were told is
//! so.
//!
//! 25 times as a rule; SWITCHBOARD_KILLS says otherwise, and SWITCHBOARD_SEED repeats a run.

mod common;
#[path = "common/kept.rs"]
mod kept;
#[path = "common/random.rs"]
mod random;

use common::{Client, PATIENCE, Server};
use kept::{Directory, enter, identify, past, register};
use random::Random;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Body, Frame};
use switchboard::wire::{
    BODY_MAX, ChangeCode, CredentialsCode, Flags, Kind, RefusalCode, Split, header, split,
};

const KILLS: usize = 25;

/// Who speaks, and where.
const SPEAKER: &str = "speaker";
const ROOM: &str = "#talk";
const PASSWORD: &str = "sesame";

/// Messages that are looked at, at once.
const PAGE: u16 = 100;

/// Clients at a time, so that what several ask for is one transaction.
const WRITERS: usize = 3;

/// How long the server may live at most.
const LIFE: Duration = Duration::from_millis(120);

/// How long it may take to read back what it kept, half of the time; a loaded machine may be slow at times.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// Accounts of earlier lives that are looked at after each start, besides those of the last.
const LOOKED_AT: usize = 20;

/// Names of accounts, with the passwords of which one is right: two, where the end came before it was said that it was
/// changed.
type Accounts = BTreeMap<String, Vec<String>>;

/// Asks until the server is gone.
struct Writer {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Writer {
    fn connect(address: SocketAddr) -> Option<Writer> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        Some(Writer { stream, received: Vec::new() })
    }

    /// `None`: the server is gone, and whether it has done it is not known.
    fn ask(&mut self, what: CredentialsCode, name: &str, password: &str, new: &str) -> Option<()> {
        let body = frame::Credentials { request: 1, what: what.number(), name, password, new };
        self.request(0, &body, Kind::Account).map(drop)
    }

    /// The same of anything; the number of the channel that the answer is about.
    fn request<'a>(&mut self, channel: u32, body: &impl Body<'a>, answer: Kind) -> Option<u32> {
        let mut bytes = Vec::new();
        header::put(&mut bytes, Flags::NONE, channel, body);
        self.stream.write_all(&bytes).ok()?;
        loop {
            if let Split::Frame(raw) = split(&self.received, u16::MAX).expect("the server sends frames") {
                let kind = Kind::from_u8(raw.header.kind).expect("a known kind");
                let (channel, length) = (raw.header.channel, raw.len());
                assert_ne!(kind, Kind::Refused, "{:?}", Frame::decode(raw.header.kind, raw.body));
                self.received.drain(..length);
                if kind == answer {
                    return Some(channel);
                }
                continue;
            }
            let mut chunk = [0; 4_096];
            match self.stream.read(&mut chunk) {
                Ok(0) | Err(_) => return None,
                Ok(n) => self.received.extend_from_slice(&chunk[..n]),
            }
        }
    }
}

/// Says one number after the other until the server is gone. Returns those of which it was told that they are saved.
fn speak_on(address: SocketAddr, numbers: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut saved = Vec::new();
    let speak = || {
        let mut speaker = Writer::connect(address)?;
        speaker.ask(CredentialsCode::Identify, SPEAKER, PASSWORD, "")?;
        let hello = frame::Hello { request: 2, version: frame::VERSION, body_max: BODY_MAX, name: SPEAKER };
        speaker.request(0, &hello, Kind::Welcome)?;
        let room = speaker.request(
            0,
            &frame::Join { request: 3, past: 0, room: ROOM, password: "" },
            Kind::Joined,
        )?;
        for number in numbers {
            let text = &number.to_string();
            speaker.request(room, &frame::Say { request: 4, text }, Kind::Done)?;
            saved.push(number);
        }
        Some(())
    };
    speak();
    saved
}

/// A room that lasts, for whoever speaks.
fn found(server: &Server) {
    let mut speaker = Client::login(server.address, SPEAKER);
    register(&mut speaker, "", PASSWORD).expect("an account");
    let room = speaker.join(ROOM);
    let (change, value, reason) = (ChangeCode::Persistent.number(), "", "");
    let request = speaker.next_request();
    speaker.send(room, &frame::Change { request, change, on: 1, seconds: 0, value, reason });
    speaker.receive_kind(Kind::Done);
}

/// What was saved of what was said is there, as far as one page goes.
fn listen(server: &Server, saved: &[u64]) {
    let mut speaker = Client::connect(server.address);
    identify(&mut speaker, SPEAKER, PASSWORD).expect("it is the password");
    speaker.hello(SPEAKER);
    enter(&mut speaker, ROOM, PAGE);
    let there: Vec<u64> =
        past(&mut speaker).0.iter().map(|(.., text)| text.parse().expect("a number")).collect();
    assert!(there.is_sorted(), "{there:?}");
    for number in saved.iter().rev().take(usize::from(PAGE) / 2) {
        assert!(there.contains(number), "{number} is lost: {there:?}");
    }
}

/// Makes accounts and changes passwords until the server is gone. Returns what it was told.
fn write_on(address: SocketAddr, names: impl Iterator<Item = String>, mut random: Random) -> Accounts {
    let mut told = Accounts::new();
    let Some(mut writer) = Writer::connect(address) else { return told };
    for name in names {
        if writer.ask(CredentialsCode::Register, &name, "first", "").is_none() {
            return told;
        }
        told.insert(name.clone(), vec!["first".to_owned()]);
        if random.chance(30) {
            let passwords = told.entry(name.clone()).or_default();
            passwords.push("second".to_owned()); // from here on either may be right
            if writer.ask(CredentialsCode::Change, "", "first", "second").is_none() {
                return told;
            }
            passwords.remove(0);
        }
        if writer.ask(CredentialsCode::LogOut, "", "", "").is_none() {
            return told;
        }
    }
    told
}

/// Each of these is there.
fn look_at<'a>(server: &Server, accounts: impl Iterator<Item = (&'a String, &'a Vec<String>)>) {
    let mut client = Client::connect(server.address);
    for (name, passwords) in accounts {
        assert_eq!(register(&mut client, name, "x"), Err(RefusalCode::AccountExists), "{name} is lost");
        // A wrong guess would make the next one wait: those that are certain are tried out.
        if let [password] = &passwords[..] {
            assert_eq!(identify(&mut client, name, password), Ok(()), "{name}: {password}");
            kept::send(&mut client, CredentialsCode::LogOut, "", "", "");
            kept::answer(&mut client).expect("logged out");
        }
    }
}

fn start(directory: &Directory) -> (Server, Duration) {
    let args =
        ["--registration", "before-login", "--registrations-per-address-max", "0", "--login-seconds", "300"];
    let server = directory.serve(&args);
    let line = server.wait_for_log(" accounts and ");
    let millis = line.rsplit(" in ").next().and_then(|rest| rest.split(' ').next()?.parse().ok());
    (server, Duration::from_millis(millis.unwrap_or_else(|| panic!("no time in {line:?}"))))
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    let kills = number("SWITCHBOARD_KILLS").map_or(KILLS, |kills: u64| kills as usize);
    let seed = number("SWITCHBOARD_SEED").unwrap_or_else(random::fresh_seed);
    eprintln!("SWITCHBOARD_SEED={seed} SWITCHBOARD_KILLS={kills}");
    let (directory, mut random) = (Directory::new("survives"), Random::new(seed));
    let (mut all, mut last) = (Accounts::new(), Accounts::new());
    let (mut times, mut saved) = (Vec::new(), Vec::<u64>::new());
    for life in 0..kills {
        let (mut server, time) = start(&directory);
        times.push(time);
        if life == 0 {
            found(&server);
        }
        look_at(&server, last.iter());
        if !saved.is_empty() {
            listen(&server, &saved);
        }
        all.append(&mut last);
        let sample = (0..LOOKED_AT.min(all.len())).filter_map(|_| all.iter().nth(random.below(all.len())));
        look_at(&server, sample);
        let (address, end) =
            (server.address, Instant::now() + LIFE.mul_f64(random.below(1_000) as f64 / 1e3));
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let names = (0..).map(move |n| format!("u{life}-{writer}-{n}"));
                    let random = random.fork();
                    scope.spawn(move || write_on(address, names, random))
                })
                .collect();
            let begin = life as u64 * 1_000_000;
            let speaker = scope.spawn(move || speak_on(address, begin..));
            std::thread::sleep(end.saturating_duration_since(Instant::now())); // any moment is as good as another
            server.child.kill().expect("it can be killed");
            server.wait();
            for writer in writers {
                last.extend(writer.join().expect("a content writer"));
            }
            saved.extend(speaker.join().expect("a content speaker"));
        });
    }
    let (server, _) = start(&directory);
    all.append(&mut last);
    look_at(&server, all.iter());
    listen(&server, &saved);
    times.sort_unstable();
    eprintln!("{} accounts, {} messages; slowest start {:?}", all.len(), saved.len(), times.last());
    assert!(!all.is_empty() && !saved.is_empty(), "nothing was ever acknowledged");
    assert!(times[times.len() / 2] < READ_WITHIN, "{times:?}");
}
