//! The trace log tells one readable line for each step of the turn, by the name of the connection, and never what people
//! say, nor what they keep to themselves.

mod common;
#[path = "common/irc.rs"]
mod irc;

use common::{Client, SWITCHBOARD, Server, open_relay};
use irc::Link;
use std::io::Read;
use std::process::Command;
use switchboard::wire::frame;
use switchboard::wire::{Flags, Kind};

fn traced(args: &[&str]) -> Server {
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--listen", "127.0.0.1:0", "--ephemeral"]).args(args);
    command.env("RUST_LOG", "switchboard=trace");
    Server::spawn(command)
}

/// The lines up to the first one that contains `last`, without what the logger puts in front.
fn lines_until(server: &Server, last: &str) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let line = server.wait_for_log("");
        let told = line.split_once("] ").map_or(&*line, |(_, told)| told).to_owned();
        let is_last = told.contains(last);
        lines.push(told);
        if is_last {
            return lines;
        }
    }
}

/// That these texts are in lines of their own, in this order.
#[track_caller]
fn expect_in_order(lines: &[String], texts: &[&str]) {
    let mut rest = lines.iter();
    for text in texts {
        let found = rest.any(|line| line.contains(text));
        assert!(found, "{text:?} is not there, or not in its place:\n{}", lines.join("\n"));
    }
}

#[test]
fn one_messages_way_can_be_read() {
    let server = traced(&[]);
    let mut ann = Client::login(server.address, "ann");
    let mut bob = Client::login(server.address, "bob");
    let (room, _) = (ann.join("#tea"), bob.join("#tea"));
    ann.receive_kind(Kind::Entered);
    ann.say(room, "what nobody else should read");
    bob.receive_kind(Kind::Said);
    drop(bob);
    let lines = lines_until(&server, "c1.2 is reaped");
    let said = format!("channel {room}");
    let expected = [
        " ms", // how long poll may sleep
        "turn ",
        "c0.1 is ready: readable",
        "c0.1 read ",
        &format!("c0.1 takes frame say, {said}, request 3, "),
        &format!("{said} is told said because of c0.1"),
        "c0.1 is answered sent",
        &format!("c1.2 is owed 40 bytes of {said}"),
        "c1.2 wrote 40 bytes: all that was queued",
        " ends after ",
        "c1.2 is ready: readable",
        "c1.2 read the end of the stream",
        "c1.2 is told that nothing more comes (FIN)",
    ];
    expect_in_order(&lines, &expected);
    assert!(lines.iter().all(|line| !line.contains("nobody else")), "{}", lines.join("\n"));
}

/// More than the kernel takes on behalf of somebody who does not read.
const FRAMES: usize = 300;

#[test]
fn what_a_relay_waits_for_can_be_read() {
    let server = traced(&["--send-buffer-bytes", "8192"]);
    let mut ann = Client::login(server.address, "ann");
    let mut bob = Client::login(server.address, "bob");
    let relay = open_relay(&mut ann, &mut bob, "bob");
    let mut sending = ann.stream.try_clone().expect("a second handle");
    let sender = std::thread::spawn(move || {
        let (mut bytes, body) = (Vec::new(), [0; 16_384]);
        switchboard::wire::header::put(&mut bytes, Flags::NONE, relay, &frame::Data { payload: &body });
        for _ in 0..FRAMES {
            std::io::Write::write_all(&mut sending, &bytes).expect("the server reads");
        }
    });
    let mut lines = lines_until(&server, "c0.1 is paused: the queue of its relay's other end is long");
    let mut rest = vec![0; 1 << 20];
    let mut left = FRAMES * (16_384 + 8);
    while left > 0 {
        left -= bob.stream.read(&mut rest).expect("payload").min(left);
    }
    sender.join().expect("all is sent");
    lines.extend(lines_until(&server, "c0.1 is read again: the queue of c1.2 has fallen, or is gone"));
    drop((ann, bob));
    lines.extend(lines_until(&server, "c1.2 is reaped"));
    expect_in_order(
        &lines,
        &[
            "c0.1 takes frame data, ",
            " of payload, straight from c0.1",
            "c1.2 takes no more: WouldBlock",
            "c0.1 is paused",
            "c1.2 wrote ",
            "c0.1 is read again",
        ],
    );
    assert!(lines.iter().any(|line| line.contains("a partial write")), "{}", lines.join("\n"));
}

/// Lines are not told at all, as anything may be in them; frames by their kind.
#[test]
fn secrets_are_not_in_it() {
    let server = traced(&["--registration", "before-login"]);
    let mut ann = Link::log_in(server.address, "ann", "");
    ann.send("JOIN #tea key-of-a-room\r\nPRIVMSG NickServ :REGISTER hunter2-hunter2\r\nhunter3 oops\r\n");
    ann.send("PRIVMSG #tea :between us\r\nPING end\r\n");
    ann.wait_for(&["PONG"]);
    let mut bob = Client::login(server.address, "bob");
    let password = "hunter4-hunter4";
    let asked = frame::Credentials { request: 9, what: 2, name: "bob", password, new: "" };
    bob.send(0, &asked);
    bob.send(0, &frame::Tell { request: 10, to: "ann", text: "for you alone" });
    bob.round_trip();
    drop((ann, bob));
    let mut lines = lines_until(&server, "c1.2 is reaped");
    lines.retain(|line| !line.is_empty());
    expect_in_order(&lines, &["c0.1 takes a line of ", "c1.2 takes frame credentials, request 9"]);
    for secret in ["key-of-a-room", "hunter", "between us", "for you alone", "oops"] {
        let told: Vec<_> = lines.iter().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "{told:?}");
    }
}

/// Without being asked for, not a line of it.
#[test]
fn it_is_silent_unless_asked_for() {
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--listen", "127.0.0.1:0", "--ephemeral"]).env("RUST_LOG", "debug");
    let server = Server::spawn(command);
    drop(Client::login(server.address, "ann"));
    let lines = lines_until(&server, "c0.1 127.0.0.1");
    let lines = [lines, lines_until(&server, " closed: ")].concat();
    assert!(lines.iter().all(|line| !line.contains("turn ") && !line.contains("ready")), "{lines:?}");
}
