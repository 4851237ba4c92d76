//! `switchboard chat --udp`: what fits goes in datagrams, what does not goes by TCP, and nobody notices.

mod common;
#[path = "common/running.rs"]
mod running;

use common::{SWITCHBOARD, Server};
use running::Running;
use std::process::Command;

const IN_DATAGRAMS: &str = "rooms and relays go in datagrams";

fn chat(server: &Server, nick: &str, args: &[&str]) -> Running {
    let mut command = Command::new(SWITCHBOARD);
    command.arg("chat").arg(server.address.to_string()).args(["--nick", nick]).args(args);
    Running::start(nick, command)
}

#[test]
fn messages_of_a_room_arrive_whatever_their_length() {
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--ephemeral", "--listen", "127.0.0.1:0"]).env("RUST_LOG", "switchboard=debug");
    let server = Server::spawn(command);
    let mut bob = chat(&server, "bob", &["--room", "tea", "--udp"]);
    let mut carol = chat(&server, "carol", &["--room", "tea"]);
    for listener in [&mut bob, &mut carol] {
        listener.stderr.wait_for("you are in #tea");
    }
    bob.stderr.wait_for(IN_DATAGRAMS);
    let mut alice = chat(&server, "alice", &["--room", "tea", "--udp"]);
    alice.stderr.wait_for(IN_DATAGRAMS);
    // One after the other: what goes by TCP and what goes in a datagram may overtake each other.
    for length in [1, 100, 1_000, 1_200, 4_000] {
        let text = "x".repeat(length);
        alice.write(&format!("{text}\n"));
        for listener in [&mut bob, &mut carol] {
            listener.stdout.wait_until("the message", |line| line == format!("#tea <alice> {text}"));
        }
    }
    carol.write("by TCP\n");
    bob.stdout.wait_until("a message sent by TCP", |line| line == "#tea <carol> by TCP");
    [alice, bob, carol].iter_mut().for_each(Running::finish_content);
    server.signal("TERM");
    let told = server.wait_for_log("datagrams: ");
    let counts: Vec<u64> = told.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let [.., received, sent, dropped] = counts[..] else { panic!("{told}") };
    // Three of alice's messages fit, and bob takes them in datagrams; carol's goes out in one, too.
    assert!(received >= 3 && sent >= 4 && dropped == 0, "{told}");
}

#[test]
fn a_call_through_the_relay_keeps_its_order_in_datagrams() {
    let server = Server::start(&[]);
    let mut bob = chat(&server, "bob", &["--take-calls", "--udp", "--path", "relay"]);
    bob.stderr.wait_for(IN_DATAGRAMS);
    let mut alice = chat(&server, "alice", &["--call", "bob", "--udp", "--path", "relay"]);
    alice.stderr.wait_for(IN_DATAGRAMS);
    alice.write_numbered(0..300);
    bob.write_numbered(0..300);
    bob.stdout.expect_numbered("@alice", "alice", 0..300);
    alice.stdout.expect_numbered("@bob", "bob", 0..300);
    bob.end_input();
    alice.finish_content();
    bob.finish_content();
}

#[test]
fn a_server_without_datagrams_is_served_by_tcp_alone() {
    let server = Server::start(&["--datagrams", "false"]);
    let mut bob = chat(&server, "bob", &["--room", "tea", "--udp"]);
    bob.stderr.wait_for("you are in #tea");
    let mut alice = chat(&server, "alice", &["--room", "tea", "--udp"]);
    alice.write("hello\n");
    bob.stdout.wait_until("the message", |line| line == "#tea <alice> hello");
    alice.finish_content();
    bob.finish_content();
}
