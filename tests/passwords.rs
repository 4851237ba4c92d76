//! Who gives the right password comes in, whatever others do meanwhile: guess operators' passwords, or come all at once.

mod common;
#[path = "common/irc.rs"]
mod irc;

use common::Server;
use irc::{Link, hash_of};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many come back at once when the server is there again.
const AT_ONCE: usize = 300;

/// A server with a password, `secret`, and an operator of the same password.
fn serve(name: &str, more: &str) -> Server {
    let path = std::env::temp_dir().join(format!("switchboard-{}-{name}.toml", std::process::id()));
    let hash = hash_of("secret");
    let operator = format!("[[operators]]\nname = \"ann\"\npassword = \"{hash}\"\n");
    std::fs::write(&path, format!("password = \"{hash}\"\nirc-lines-per-second = 0\n{more}{operator}"))
        .expect("a file in the temporary directory");
    let server = Server::start(&["--config", path.to_str().expect("a path in UTF-8")]);
    std::fs::remove_file(&path).expect("the file was read");
    server
}

#[test]
fn all_who_come_at_once_get_in_while_somebody_guesses_the_passwords_of_operators() {
    // The guesser is not made to wait, so that there are guesses all the time.
    let server = serve("all-at-once", "oper-delay-seconds = 1e-9\n");
    let mut guesser = Link::log_in(server.address, "guesser", "secret");
    guesser.wait_for(&[" 001 "]);
    for n in 0..1_000 {
        guesser.send(&format!("OPER ann guess{n}\r\n"));
    }
    guesser.wait_for(&[" 464 "]);
    let mut guests: Vec<Link> =
        (0..AT_ONCE).map(|n| Link::log_in(server.address, &format!("guest{n}"), "secret")).collect();
    for guest in &mut guests {
        guest.wait_for(&[" 001 "]);
    }
}

#[test]
fn who_does_not_guess_waits_for_no_guesses() {
    let server = serve("guesses", "");
    let mut guesser = Link::log_in(server.address, "guesser", "secret");
    guesser.wait_for(&[" 001 "]);
    guesser.send("OPER ann guess\r\nOPER ann guess\r\n");
    guesser.wait_for(&[" 464 "]);
    let told = guesser.wait_for(&[" 263 ", " 464 "]);
    assert!(
        told.contains(" 263 guesser OPER :A wrong password came from your address; try again in "),
        "{told}"
    );
}

#[test]
fn who_gives_no_password_is_told_to_and_who_gives_another_one_that_it_is_wrong() {
    let server = serve("missing", "");
    for (password, words) in
        [("", "his server has a password: send PASS before NICK and USER"), ("x", "rong password")]
    {
        let mut guest = Link::log_in(server.address, "guest", password);
        for head in [" 464 * :", "ERROR :Closing Link: "] {
            let told = guest.wait_for(&[head]);
            assert!(told.trim_end().ends_with(words), "{told}");
        }
    }
}

#[test]
fn time_does_not_tell_which_operators_there_are() {
    let server = serve("timing", "oper-delay-seconds = 1e-9\n");
    let mut guesser = Link::log_in(server.address, "guesser", "secret");
    guesser.wait_for(&[" 001 "]);
    let mut fastest = [Duration::MAX; 2];
    for _ in 0..5 {
        for (name, fastest) in ["ann", "nobody"].into_iter().zip(&mut fastest) {
            let start = Instant::now();
            guesser.send(&format!("OPER {name} guess\r\n"));
            guesser.wait_for(&[" 464 "]);
            *fastest = start.elapsed().min(*fastest);
        }
    }
    // Without a hash to hold it against, an answer takes a hundredth of that.
    let [known, unknown] = fastest;
    assert!(unknown > known / 5, "an unknown one takes {unknown:?}, a known one {known:?}");
}

/// Whatever is a client of ours has a way to give it.
#[test]
fn doctor_and_pipe_come_in_where_the_server_wants_a_password() {
    let server = serve("clients", "");
    let file = std::env::temp_dir().join(format!("switchboard-{}-secret", std::process::id()));
    std::fs::write(&file, "secret\n").expect("a file in the temporary directory");
    let (address, file_name) = (server.address.to_string(), file.to_str().expect("a path in UTF-8"));
    let run = |args: &[&str]| {
        let mut command = Command::new(common::SWITCHBOARD);
        command.args(args).args(["--server-password-file", file_name]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts")
    };
    let receiver = run(&["pipe", &address, "--nick", "bob", "--from", "alice"]);
    let mut link = Link::log_in(server.address, "watch", "secret");
    common::eventually("the receiver is there", || {
        link.send("ISON bob\r\n");
        link.wait_for(&[" 303 "]).contains("bob")
    });
    let mut sender = run(&["pipe", &address, "--nick", "alice", "--to", "bob"]);
    sender.stdin.take().expect("piped").write_all(b"all of it").expect("it reads");
    let sent = sender.wait_with_output().expect("it ends");
    let received = receiver.wait_with_output().expect("it ends");
    assert!(sent.status.success() && received.status.success(), "{sent:?} {received:?}");
    assert_eq!(received.stdout, b"all of it");
    let doctor = run(&["doctor", &address]).wait_with_output().expect("it ends");
    let found = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(found.lines().any(|line| line.starts_with("ok") && line.contains("login")), "{found}");
    std::fs::remove_file(&file).expect("it is there");
}
