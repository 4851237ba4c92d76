//! It is ready a moment after it is started, and gone soon after it is told to stop, whoever is connected.

mod common;
#[path = "common/irc.rs"]
mod irc;

use common::{SWITCHBOARD, Server};
use irc::{Link, hash_of};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// From the start of the process to the line that says where it listens; the fastest of several, as the machine has other
/// things to do.
fn time_to_ready(args: &[&str]) -> Duration {
    let start = |_| {
        let started = Instant::now();
        let mut child = Command::new(SWITCHBOARD)
            .args(["serve", "--ephemeral", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let took = started.elapsed();
        assert!(line.starts_with("listening on "), "{line:?}");
        child.kill().expect("kill");
        child.wait().expect("wait");
        took
    };
    (0..10).map(start).min().expect("some")
}

const READY_WITHIN: Duration = Duration::from_millis(100);

#[test]
fn it_is_ready_at_once_with_the_file_that_comes_with_it_and_with_many_operators() {
    let took = time_to_ready(&["--config", "docs/switchboard.toml"]);
    assert!(took < READY_WITHIN, "{took:?}");

    let path = std::env::temp_dir().join(format!("switchboard-{}-dozen.toml", std::process::id()));
    let hash = hash_of("secret");
    let operator = |n| format!("[[operators]]\nname = \"operator{n}\"\npassword = \"{hash}\"\n");
    let operators: String = (0..12).map(operator).collect();
    std::fs::write(&path, format!("password = \"{hash}\"\n{operators}")).expect("a temporary file");
    let took = time_to_ready(&["--config", path.to_str().expect("a path in UTF-8")]);
    std::fs::remove_file(&path).expect("the file was there");
    assert!(took < READY_WITHIN, "with a dozen operators {took:?}");
}

#[test]
fn it_is_gone_soon_however_many_are_connected_and_whether_or_not_they_read() {
    const CLIENTS: usize = 500;
    const DEAF: usize = 20;
    let mut server = Server::start(&[
        "--irc-lines-per-second",
        "0",
        "--send-buffer-bytes",
        "4096",
        "--drain-seconds",
        "2",
    ]);
    let mut links: Vec<Link> =
        (0..CLIENTS).map(|n| Link::log_in(server.address, &format!("n{n}"), "")).collect();
    for link in &mut links {
        link.wait_for(&[" 422 "]);
    }
    // What these are owed is more than the kernel takes on the way: they never read it.
    for link in &mut links[..DEAF] {
        link.send("JOIN #deaf\r\n");
        link.wait_for(&[" 366 "]);
    }
    let speaker = &mut links[DEAF];
    for n in 0..3_000 {
        speaker.send(&format!("PRIVMSG n{} :{}\r\n", n % DEAF, "x".repeat(350)));
    }
    speaker.send("PING through\r\n");
    speaker.wait_for(&["PONG"]);
    let told = Instant::now();
    server.signal("TERM");
    // Those who read are told; half of them hang up at once, the others wait for the server to do so.
    for link in &mut links[DEAF + 1..] {
        assert!(link.wait_for(&["ERROR"]).contains("the server is stopping"));
    }
    links.truncate(CLIENTS / 2);
    assert_eq!(server.wait().code(), Some(0));
    let took = told.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
}
