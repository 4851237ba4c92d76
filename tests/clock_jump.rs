//! The wall clock jumps by ten days, forwards or back: nobody is cut off for it, and every deadline still holds.
//!
//! The clock of the machine stays as it is. The server alone sees another one, through a small library in C that is put
//! between it and the system's (`LD_PRELOAD`), and that adds the number of seconds in a file.

mod common;

use common::{Client, SWITCHBOARD, Server};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{ByeCode, Kind, RefusalCode};

const TEN_DAYS: i64 = 10 * 24 * 60 * 60;

/// The deadlines of the server under test.
const DEADLINE: Duration = Duration::from_secs(2);

/// A directory of its own, gone when the test is over.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("switchboard-clock-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary directory");
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Adds the seconds in the file to every reading of the wall clock; the monotonic clock stays as it is.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
    char digits[32] = {0};
    int file = open(getenv("CLOCK_OFFSET_FILE"), O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t n = read(file, digits, sizeof digits - 1);
    close(file);
    return n > 0 ? atol(digits) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    int failed = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return failed;
}

time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
"#;

fn build_shim(directory: &Path) -> PathBuf {
    let (source, library) = (directory.join("clock.c"), directory.join("clock.so"));
    std::fs::write(&source, SHIM).expect("a write");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .status()
        .expect("this test needs a C compiler under the name cc");
    assert!(status.success(), "cc builds the library");
    library
}

/// A server whose wall clock can be set.
struct Clocked {
    server: Server,
    offset: PathBuf,
    _directory: Directory,
}

impl Clocked {
    fn start(name: &str) -> Clocked {
        let directory = Directory::new(name);
        let offset = directory.0.join("offset");
        std::fs::write(&offset, "0").expect("a write");
        let seconds = &DEADLINE.as_secs().to_string();
        let mut command = Command::new(SWITCHBOARD);
        command
            .args(["serve", "--ephemeral", "--listen", "127.0.0.1:0", "--login-seconds", seconds])
            .args(["--ping-after-seconds", seconds, "--ping-timeout-seconds", seconds])
            .args(["--relay-answer-seconds", seconds])
            .env("LD_PRELOAD", build_shim(&directory.0))
            .env("CLOCK_OFFSET_FILE", &offset);
        Clocked { server: Server::spawn(command), offset, _directory: directory }
    }

    fn jump(&self, seconds: i64) {
        // In one step: a file that is there is never half written.
        let next = self.offset.with_extension("next");
        std::fs::write(&next, seconds.to_string()).expect("a write");
        std::fs::rename(&next, &self.offset).expect("a rename");
    }

    /// The date of the server's wall clock, from a log line that is provoked for it.
    fn date(&self) -> String {
        self.server.signal("HUP");
        let line = self.server.wait_for_log("there is no config file to read again");
        line.trim_start_matches('[').split('T').next().expect("a date").to_owned()
    }
}

/// Reads up to the end, without answering anything; returns when the end came, and how.
fn wait_for_bye(mut client: Client, since: Instant) -> (Duration, Option<u16>) {
    let mut code = None;
    while let Some(received) = client.receive_or_end() {
        if let Frame::Bye(bye) = received.frame() {
            code = Some(bye.code);
        }
    }
    (since.elapsed(), code)
}

fn assert_in_time(what: &str, took: Duration, due: Duration) {
    assert!(took >= due.mul_f64(0.9), "{what} came early, after {took:?} instead of {due:?}");
    assert!(took <= due + Duration::from_secs(8), "{what} came late, after {took:?} instead of {due:?}");
}

/// Everything that has a deadline, started before the jump and due after it.
fn deadlines_hold_across(name: &str, jump: i64) {
    let clocked = Clocked::start(name);
    let address = clocked.server.address;
    let mut alice = Client::login(address, "alice");
    let mut bob = Client::login(address, "bob");
    let room = alice.join("#lobby");
    bob.join("#lobby");
    let today = clocked.date();

    let since = Instant::now();
    let silent = Client::connect(address);
    let mute = Client::login(address, "mute");
    let call = alice.call("mute");
    clocked.jump(jump);
    assert_ne!(clocked.date(), today, "the server sees another day");

    let silent = std::thread::spawn(move || {
        let mut line = Vec::new();
        std::io::Read::read_to_end(&mut { silent.stream }, &mut line).expect("no reset");
        (since.elapsed(), String::from_utf8_lossy(&line).into_owned())
    });
    let mute = std::thread::spawn(move || wait_for_bye(mute, since));
    bob.say(room, "still here?");
    alice.receive_kind(Kind::Said);

    // The call rings out; alice answers pings meanwhile, as bob does after it.
    let refused = loop {
        match alice.receive().frame() {
            Frame::Ping(frame::Ping { token }) => alice.send(0, &frame::Pong { token }),
            Frame::Refused(refused) if refused.request == call => break refused.code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused, RefusalCode::NoAnswer.number());
    assert_in_time("the end of the call", since.elapsed(), DEADLINE);
    let (took, words) = silent.join().expect("the silent one");
    assert_in_time("the end of the login time", took, DEADLINE);
    assert!(words.starts_with("ERROR :no login in time"), "{words}");
    while !mute.is_finished() {
        alice.round_trip(); // a sign of life, for a server that asks for one all the time
        bob.round_trip();
        std::thread::sleep(Duration::from_millis(20)); // their pace
    }
    let (took, code) = mute.join().expect("the mute one");
    assert_in_time("the end for want of a sign of life", took, 2 * DEADLINE);
    assert_eq!(code, Some(ByeCode::IdleTimeout.number()));

    alice.round_trip();
    clocked.jump(0);
    assert_eq!(clocked.date(), today, "and back");
    alice.say(room, "still here");
    assert_eq!(
        bob.receive_kind(Kind::Said).frame(),
        Frame::Said(frame::Said { by: "alice", text: "still here" })
    );
    alice.send(0, &frame::Lookup { request: 9, name: "bob" });
    let peer = alice.receive_kind(Kind::Peer);
    let Frame::Peer(peer) = peer.frame() else { panic!("no peer") };
    assert!(peer.online_seconds < 60, "{} seconds online", peer.online_seconds);
}

#[test]
fn ten_days_forwards() {
    deadlines_hold_across("forwards", TEN_DAYS);
}

#[test]
fn ten_days_back() {
    deadlines_hold_across("back", -TEN_DAYS);
}
