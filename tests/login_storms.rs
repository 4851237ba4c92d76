//! Many people who log in to their accounts at once are no business of those who are here already: passwords are looked
//! at beside them, one at a time.
//!
//! 40 as a rule, which only tells whether somebody waits for a password that is not theirs; SWITCHBOARD_STORM=1000 asks
//! for so many, and that the slowest in a hundred messages takes no more than twice its time (of a release build, on a
//! machine that does nothing else).

mod common;
#[path = "common/irc.rs"]
mod irc;
#[path = "common/kept.rs"]
mod kept;

use common::{Client, Server};
use kept::Directory;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use switchboard::hub::record::{AccountId, AccountRecord, Record, Secret};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{CredentialsCode, Kind};

const STORM: usize = 40;

/// Who talks meanwhile: pairs, each of whom says something so often.
const PAIRS: usize = 4;
const SAID_EVERY: Duration = Duration::from_millis(5);

/// How long they talk before the storm.
const BEFORE: Duration = Duration::from_secs(3);

/// The time of a few passwords: whoever had to wait for that would wait much longer in a storm.
const MEDIAN_MAX: Duration = Duration::from_millis(20);

fn name(number: usize) -> String {
    format!("storm{number}")
}

/// A directory with so many accounts, all of one password, whose hash costs what it costs by default.
fn directory_with(accounts: usize) -> Directory {
    let directory = Directory::new("storms");
    let hash: Box<str> = irc::hash_of("sesame").into();
    let account = |number| {
        let secret = Secret { hash: hash.clone(), scram: None };
        let id = AccountId(number as u64 + 1);
        Record::Account(AccountRecord { id, name: name(number).into(), secret, made_millis: 1 })
    };
    directory.fill((0..accounts).map(account));
    directory
}

/// Two people who talk until they are told not to; returns how long each message took, and when it was said.
fn talk(server: &Server, pair: usize, goes_on: &'static AtomicBool) -> JoinHandle<Vec<(Instant, Duration)>> {
    let mut ann = Client::login(server.address, &format!("ann{pair}"));
    let mut bob = Client::login(server.address, &format!("bob{pair}"));
    let room = ann.join(&format!("#room{pair}"));
    bob.join(&format!("#room{pair}"));
    std::thread::spawn(move || {
        let mut times = Vec::new();
        while goes_on.load(Ordering::Relaxed) {
            let said = Instant::now();
            ann.send(room, &frame::Say { request: 0, text: "hello" });
            bob.receive_kind(Kind::Said);
            times.push((said, said.elapsed()));
            std::thread::sleep(SAID_EVERY); // the pace
        }
        times
    })
}

/// The median, and the slowest of a hundred.
fn spread(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

#[test]
fn those_who_are_here_do_not_feel_a_storm_of_log_ins() {
    static GOES_ON: AtomicBool = AtomicBool::new(true);
    let asked = std::env::var("SWITCHBOARD_STORM").ok().map(|text| text.parse().expect("a number"));
    let storm = asked.unwrap_or(STORM);
    let directory = directory_with(storm);
    let place = directory.path().to_str().expect("a path in UTF-8");
    let server = Server::start(&["--data-dir", place, "--connections-per-address-max", "0"]);
    let talkers: Vec<_> = (0..PAIRS).map(|pair| talk(&server, pair, &GOES_ON)).collect();
    let mut clients: Vec<Client> = (0..storm).map(|_| Client::connect(server.address)).collect();
    std::thread::sleep(BEFORE); // what is measured is the time
    let begun = Instant::now();
    for (number, client) in clients.iter_mut().enumerate() {
        kept::send(client, CredentialsCode::Identify, &name(number), "sesame", "");
        client.hello(&name(number));
    }
    for (number, client) in clients.iter_mut().enumerate() {
        kept::answer(client).unwrap_or_else(|code| panic!("{number}: {code:?}"));
        let welcome = client.receive_kind(Kind::Welcome);
        assert!(matches!(welcome.frame(), Frame::Welcome(_)));
    }
    let ended = Instant::now();
    GOES_ON.store(false, Ordering::Relaxed);
    let times: Vec<_> = talkers.into_iter().flat_map(|talker| talker.join().expect("a talker")).collect();
    let of = |from: Instant, to: Instant| {
        spread(times.iter().filter(|(said, _)| (from..to).contains(said)).map(|&(_, took)| took).collect())
    };
    let (before, during) = (of(begun - BEFORE, begun), of(begun, ended));
    println!(
        "{storm} log-ins in {:?}; median and p99 before {before:?}, meanwhile {during:?}",
        ended - begun
    );
    assert!(during.0 <= MEDIAN_MAX, "others wait for passwords: {during:?}");
    if asked.is_some() {
        assert!(during.1 <= before.1 * 2, "{during:?} after {before:?}");
    }
}
