//! `switchboard chat` without a terminal serves scripts and pipes.

mod common;

use common::{Client, SWITCHBOARD, Server, eventually, wait_for};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use switchboard::wire::frame::{Said, Tell, Told};
use switchboard::wire::{Frame, Kind};

/// A `switchboard chat` whose standard streams are pipes.
fn chat(address: &str, args: &[&str]) -> Child {
    let mut command = Command::new(SWITCHBOARD);
    command.arg("chat").arg(address).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("chat starts")
}

fn say(child: &mut Child, text: &str) {
    child.stdin.as_mut().expect("stdin is open").write_all(text.as_bytes()).expect("chat reads");
}

/// Ends the input and returns the status, standard output and standard error.
fn finish(mut child: Child) -> (ExitStatus, String, String) {
    drop(child.stdin.take());
    let mut stderr = child.stderr.take().expect("stderr is piped");
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    let mut output = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut output).expect("text");
    }
    (wait_for(&mut child), output, errors.join().expect("a thread").expect("text"))
}

/// Waits for a line of a chat's standard error; the rest of it is read and dropped.
fn wait_for_notice(child: &mut Child, text: &str) {
    let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
    assert!(lines.any(|line| line.expect("text").contains(text)), "never said: {text}");
    std::thread::spawn(move || lines.for_each(drop));
}

#[test]
fn lines_are_said_in_the_first_room_and_all_delivered_before_it_leaves() {
    let server = Server::start(&[]);
    let address = server.address.to_string();
    let mut bob = Client::login(server.address, "bob");
    bob.join("#ops");
    let mut child = chat(&address, &["--nick", "uptime", "--room", "ops", "--room", "#other"]);
    let lines: Vec<String> = (0..2_000).map(|n| format!("line {n}")).collect();
    say(&mut child, &format!("/quit is text\r\n\n{}\nthe last without its end", lines.join("\n")));
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        loop {
            match bob.receive().frame() {
                Frame::Said(Said { by: "uptime", text }) => said.push(text.to_owned()),
                Frame::Left(_) => return said,
                _ => {}
            }
        }
    });
    let (status, output, errors) = finish(child);
    assert!(status.success() && output.is_empty(), "{output}{errors}");
    let mut expected = vec!["/quit is text".to_owned()];
    expected.extend(lines);
    expected.push("the last without its end".to_owned());
    assert_eq!(reader.join().expect("bob reads"), expected);
}

#[test]
fn what_arrives_is_one_harmless_line_each() {
    let server = Server::start(&[]);
    let mut child = chat(&server.address.to_string(), &["--nick", "log", "--room", "ops"]);
    let mut bob = Client::login(server.address, "bob");
    wait_for_notice(&mut child, "you are in #ops");
    let channel = bob.join("#ops");
    bob.say(channel, "hello");
    bob.say(channel, "\u{1b}[2J\u{202e}boo \u{3}4red");
    let request = bob.next_request();
    bob.send(0, &Tell { request, to: "log", text: "psst" });
    bob.receive_kind(Kind::Done);
    bob.call("log");
    assert!(bob.receive_kind(Kind::Refused).body.ends_with(b"takes no calls"));
    child.stderr = None;
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    for expected in ["#ops <bob> hello", "#ops <bob> ^[[2J\u{fffd}boo red", "*bob* psst"] {
        assert_eq!(lines.next().expect("a line").expect("text"), expected);
    }
    drop(child.stdin.take());
    assert!(lines.next().is_none() && wait_for(&mut child).success());
}

#[test]
fn a_refused_line_is_told_and_is_no_success() {
    let server = Server::start(&[]);
    let mut child = chat(&server.address.to_string(), &["--nick", "a", "--room", "ops"]);
    say(&mut child, "good\nbad\0\n");
    let (status, output, errors) = finish(child);
    assert!(!status.success() && output.is_empty());
    assert!(
        errors.contains("!! #ops did not get \"bad^@\": ") && errors.contains("1 line was refused"),
        "{errors}"
    );
}

#[test]
fn what_cannot_work_is_one_sentence_and_no_success() {
    let server = Server::start(&[]);
    let address = server.address.to_string();
    let _taken = Client::login(server.address, "taken");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = free.local_addr().expect("its address").to_string();
    drop(free);
    let cases: [(&str, &[&str], &str); 9] = [
        (&nobody, &["--nick", "a", "--room", "r"], "is a server running there"),
        (&address, &["--nick", "taken", "--room", "r"], "somebody here has that name"),
        (&address, &["--nick", "a b", "--room", "r"], "that user name cannot be used"),
        (&address, &["--nick", "a", "--room", "r r"], "cannot enter #r r"),
        (&address, &["--nick", "-x"], "a value that begins with - goes behind ="),
        (&address, &["--nick", "--room", "r"], "a value is required for '--nick <NAME>'"),
        (&address, &[], "were not provided: --nick <NAME>"),
        ("127.0.0.1:x", &["--nick", "a"], "a port is a number from 1 to 65535"),
        (&address, &["--nick", "a"], "there is no room to say a line in"),
    ];
    for (server, args, said) in cases {
        let mut child = chat(server, args);
        // It may be gone before it reads.
        let _ = child.stdin.as_mut().map(|stdin| stdin.write_all(b"hello\n"));
        let (status, output, errors) = finish(child);
        assert!(!status.success() && output.is_empty(), "{args:?}: {output}");
        assert!(errors.lines().last().is_some_and(|line| line.contains(said)), "{args:?}: {errors}");
        let complaints = errors.lines().filter(|line| !line.starts_with("-- ")).count();
        assert_eq!(complaints, 1, "{args:?}: {errors}");
    }
}

#[test]
fn a_server_that_answers_in_text_is_quoted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let child = chat(&address, &["--nick", "a", "--room", "r"]);
    let (mut stream, _) = listener.accept().expect("chat connects");
    stream.write_all(b"ERROR :the server is full\r\n").expect("chat reads");
    let (status, _, errors) = finish(child);
    assert!(!status.success() && errors.contains("ERROR :the server is full"), "{errors}");
}

#[test]
fn it_comes_back_after_the_server_did_and_tells_what_was_not_confirmed() {
    let mut server = Server::start(&[]);
    let address = server.address.to_string();
    let mut child = chat(&address, &["--nick", "a", "--room", "ops"]);
    let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
    let mut wait = |text: &str| {
        assert!(lines.any(|line| line.expect("text").contains(text)), "never said: {text}");
    };
    wait("you are in #ops");
    // A server that has stopped takes bytes and confirms nothing.
    server.signal("STOP");
    say(&mut child, "into the dark\n");
    std::thread::sleep(std::time::Duration::from_millis(200)); // nothing tells that the line is under way
    server.child.kill().expect("kill");
    server.wait();
    wait("not confirmed: #ops: into the dark");
    wait("trying again in");
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--ephemeral", "--listen", &address]);
    let again = Server::spawn(command);
    wait("you are in #ops");
    let mut bob = Client::login(again.address, "bob");
    bob.join("#ops");
    say(&mut child, "here again\n");
    let said = bob.receive_kind(Kind::Said);
    assert!(matches!(said.frame(), Frame::Said(Said { text: "here again", .. })), "not what was said before");
    drop(child.stdin.take());
    assert!(!wait_for(&mut child).success(), "a line may be missing");
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let server = Server::start(&[]);
    let mut child = chat(&server.address.to_string(), &["--nick", "log", "--room", "ops"]);
    wait_for_notice(&mut child, "you are in #ops");
    drop(child.stdout.take());
    let mut bob = Client::login(server.address, "bob");
    let channel = bob.join("#ops");
    eventually("it ends", || {
        bob.say(channel, "hello");
        child.try_wait().expect("wait").is_some()
    });
    assert!(wait_for(&mut child).success());
}

#[test]
fn a_signal_says_goodbye_first_and_then_ends_it_as_a_signal_does() {
    use std::os::unix::process::ExitStatusExt;
    let server = Server::start(&[]);
    let mut bob = Client::login(server.address, "bob");
    bob.join("#ops");
    let mut child = chat(&server.address.to_string(), &["--nick", "a", "--room", "ops"]);
    wait_for_notice(&mut child, "you are in #ops");
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
    let left = bob.receive_kind(Kind::Left);
    assert!(matches!(left.frame(), Frame::Left(left) if left.code == 1), "it quit, it was not lost");
    assert_eq!(wait_for(&mut child).signal(), Some(15));
}

#[test]
fn output_that_nobody_reads_does_not_keep_it_from_ending() {
    use std::os::unix::process::ExitStatusExt;
    let server = Server::start(&[]);
    let mut bob = Client::login(server.address, "bob");
    let room = bob.join("#ops");
    let mut child = chat(&server.address.to_string(), &["--nick", "a", "--room", "ops"]);
    wait_for_notice(&mut child, "you are in #ops");
    for _ in 0..50 {
        bob.say(room, &"more than a pipe holds ".repeat(150));
    }
    drop(child.stdin.take()); // it leaves, and then waits for somebody to read what it has shown
    bob.receive_kind(Kind::Left);
    let pid = child.id().to_string();
    eventually("a signal ends it", || {
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("kill runs").success());
        matches!(child.try_wait(), Ok(Some(status)) if status.signal() == Some(15))
    });
}

#[test]
fn two_talk_privately_while_a_third_is_in_the_room() {
    let server = Server::start(&[]);
    let mut script = chat(&server.address.to_string(), &["--nick", "carol", "--room", "ops"]);
    wait_for_notice(&mut script, "you are in #ops");
    let (mut alice, mut bob) = (Client::login(server.address, "alice"), Client::login(server.address, "bob"));
    let request = alice.next_request();
    alice.send(0, &Tell { request, to: "BOB", text: "for you" });
    let told = bob.receive_kind(Kind::Told);
    assert!(matches!(told.frame(), Frame::Told(Told { from: "alice", text: "for you" })));
    let channel = alice.join("#ops");
    alice.say(channel, "for all");
    let mut lines = BufReader::new(script.stdout.take().expect("stdout is piped")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "#ops <alice> for all");
    drop(script.stdin.take());
    assert!(wait_for(&mut script).success());
}
