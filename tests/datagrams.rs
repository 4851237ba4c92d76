//! A client that has logged in over TCP binds an address for datagrams, and what it says, hears and relays goes in them
//! as far as it fits; all the rest goes by TCP.

mod common;
#[path = "common/datagrams.rs"]
mod datagrams;
#[path = "common/sealing.rs"]
mod sealing;

use common::{Client, Received, SWITCHBOARD, Server, open_relay};
use datagrams::{ALL, Datagrams, is_empty, socket, ticket};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use switchboard::wire::datagram::FRAME_MAX;
use switchboard::wire::frame::{self, Frame, Wants};
use switchboard::wire::{Flags, Kind, RefusalCode, header};

/// Logs in, binds and joins #tea.
fn bound(server: &Server, name: &str, wants: u8) -> (Client, Datagrams, u32) {
    let mut client = Client::login(server.address, name);
    let datagrams = Datagrams::bind(&mut client, server.address, wants);
    let tea = client.join("#tea");
    (client, datagrams, tea)
}

/// Who said what.
fn said(received: &Received) -> (String, String) {
    match received.frame() {
        Frame::Said(said) => (said.by.to_owned(), said.text.to_owned()),
        other => panic!("nothing said, but {other:?}"),
    }
}

fn words(by: &str, text: &str) -> (String, String) {
    (by.to_owned(), text.to_owned())
}

#[test]
fn an_address_counts_once_it_has_answered_a_challenge() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let sealing = ticket(&mut alice, ALL);
    let mut datagrams = Datagrams { sealing, socket: socket(server.address) };
    let bind = datagrams.sealing.bind();
    datagrams.send_bytes(&bind);
    let challenge = datagrams.receive_bytes();
    assert!(challenge.len() <= bind.len(), "{} bytes for {}", challenge.len(), bind.len());
    let cookie = datagrams.sealing.open_challenge(&challenge);
    datagrams.send_bytes(&datagrams.sealing.prove(cookie));
    let received = alice.receive_kind(Kind::Bound);
    assert_eq!(received.frame(), Frame::Bound(frame::Bound { address: datagrams.address() }));
    assert!(datagrams.round_trip().is_empty());
}

#[test]
fn over_ipv6_as_well_and_over_a_wildcard_for_both() {
    let server = Server::spawn({
        let mut command = Command::new(SWITCHBOARD);
        command.args(["serve", "--ephemeral", "--listen", "[::]:0"]);
        command
    });
    for (name, ip) in [("alice", "127.0.0.1"), ("bob", "::1")] {
        let address = std::net::SocketAddr::new(ip.parse().expect("an address"), server.address.port());
        let mut client = Client::login(address, name);
        // The address that `bound` tells is compared with the socket's own: no mapped one.
        Datagrams::bind(&mut client, address, ALL).round_trip();
    }
}

#[test]
fn what_is_said_reaches_everybody_each_in_their_own_way() {
    let server = Server::start(&[]);
    let (mut alice, mut alice_datagrams, tea) = bound(&server, "alice", ALL);
    let (mut bob, mut bob_datagrams, _) = bound(&server, "bob", Wants::ROOMS);
    let (mut carol, carol_datagrams, _) = bound(&server, "carol", Wants::RELAYS);
    let mut dave = Client::login(server.address, "dave");
    dave.join("#tea");

    alice_datagrams.send(tea, &frame::Say { request: 77, text: "in a datagram" });
    let done = alice.receive_kind(Kind::Done);
    assert_eq!(done.frame(), Frame::Done(frame::Done { request: 77 }), "answers go by TCP");
    assert_eq!(said(&bob_datagrams.receive()), words("alice", "in a datagram"));
    for client in [&mut carol, &mut dave] {
        assert_eq!(said(&client.receive_kind(Kind::Said)), words("alice", "in a datagram"));
    }

    dave.say(tea, "over TCP");
    assert_eq!(said(&alice_datagrams.receive()), words("dave", "over TCP"));
    assert_eq!(said(&bob_datagrams.receive()), words("dave", "over TCP"));
    assert_eq!(said(&carol.receive_kind(Kind::Said)), words("dave", "over TCP"));

    // Everything else that happens in a room goes by TCP: it must not be lost.
    let request = dave.next_request();
    dave.send(tea, &frame::SetSubject { request, text: "Assam" });
    for client in [&mut alice, &mut bob, &mut carol] {
        client.receive_kind(Kind::Subject);
    }
    assert!(alice_datagrams.round_trip().is_empty() && bob_datagrams.round_trip().is_empty());
    assert!(is_empty(&carol_datagrams.socket), "she asked for relays alone");
}

#[test]
fn a_message_that_does_not_fit_goes_by_tcp() {
    let server = Server::start(&[]);
    let (mut alice, mut datagrams, tea) = bound(&server, "alice", ALL);
    let mut dave = Client::login(server.address, "dave");
    dave.join("#tea");
    let longest = FRAME_MAX - "________".len() - "\u{4}dave".len();
    let (fits, does_not) = ("x".repeat(longest), "x".repeat(longest + 1));
    dave.say(tea, &does_not);
    dave.say(tea, &fits);
    dave.say(tea, &"y".repeat(4_096));
    assert_eq!(said(&datagrams.receive()).1, fits);
    assert_eq!(said(&alice.receive_kind(Kind::Said)).1, does_not);
    assert_eq!(said(&alice.receive_kind(Kind::Said)).1.len(), 4_096);
    assert!(datagrams.round_trip().is_empty());
}

#[test]
fn relay_payload_goes_as_it_came_where_the_other_end_wants_it_so() {
    let server = Server::start(&[]);
    let (mut alice, mut alice_datagrams, _) = bound(&server, "alice", ALL);
    let (mut bob, mut bob_datagrams, _) = bound(&server, "bob", Wants::RELAYS);
    let relay = open_relay(&mut alice, &mut bob, "bob");
    let payload = |received: &Received| match received.frame() {
        Frame::Data(data) => (received.channel(), data.payload.to_vec()),
        other => panic!("no payload, but {other:?}"),
    };
    let longest = vec![7; FRAME_MAX - 8];
    for sent in [&b"to and fro"[..], b"", &longest] {
        alice_datagrams.send(relay, &frame::Data { payload: sent });
        assert_eq!(payload(&bob_datagrams.receive()), (relay, sent.to_vec()));
        bob_datagrams.send(relay, &frame::Data { payload: sent });
        assert_eq!(payload(&alice_datagrams.receive()), (relay, sent.to_vec()));
    }
    // What was sent over TCP must not be lost on its way.
    alice.send(relay, &frame::Data { payload: b"over TCP" });
    assert_eq!(payload(&bob.receive_kind(Kind::Data)), (relay, b"over TCP".to_vec()));
    assert!(bob_datagrams.round_trip().is_empty());
}

#[test]
fn payload_for_a_peer_without_datagrams_goes_by_tcp() {
    let server = Server::start(&[]);
    let (mut alice, mut datagrams, _) = bound(&server, "alice", ALL);
    let mut bob = Client::login(server.address, "bob");
    let relay = open_relay(&mut alice, &mut bob, "bob");
    datagrams.send(relay, &frame::Data { payload: b"in a datagram" });
    let received = bob.receive_kind(Kind::Data);
    assert_eq!(received.frame(), Frame::Data(frame::Data { payload: b"in a datagram" }));
    bob.send(relay, &frame::Data { payload: b"over TCP" });
    alice.receive_kind(Kind::Data);
    assert!(datagrams.round_trip().is_empty());
}

#[test]
fn another_address_is_challenged_and_the_old_one_holds_until_it_has_answered() {
    let server = Server::start(&[]);
    let (mut alice, mut datagrams, tea) = bound(&server, "alice", ALL);
    let mut dave = Client::login(server.address, "dave");
    dave.join("#tea");

    let old = datagrams.move_to(socket(server.address));
    datagrams.send(tea, &frame::Say { request: 0, text: "I have moved" });
    assert_eq!(
        said(&dave.receive_kind(Kind::Said)),
        words("alice", "I have moved"),
        "it is her all the same"
    );
    let challenge = datagrams.receive_bytes();
    dave.say(tea, "to the old address");
    let new = datagrams.move_to(old);
    assert_eq!(said(&datagrams.receive()), words("dave", "to the old address"));

    let old = datagrams.move_to(new);
    let cookie = datagrams.sealing.open_challenge(&challenge);
    datagrams.send_bytes(&datagrams.sealing.prove(cookie));
    let received = alice.receive_kind(Kind::Bound);
    assert_eq!(received.frame(), Frame::Bound(frame::Bound { address: datagrams.address() }));
    dave.say(tea, "to the new address");
    assert_eq!(said(&datagrams.receive()), words("dave", "to the new address"));
    assert!(is_empty(&old));
}

#[test]
fn what_comes_twice_counts_once_and_what_comes_late_still_counts() {
    let server = Server::start(&[]);
    let (_alice, mut datagrams, tea) = bound(&server, "alice", ALL);
    let mut dave = Client::login(server.address, "dave");
    dave.join("#tea");
    let says: Vec<Vec<u8>> = ["0", "1", "2", "3"]
        .iter()
        .map(|text| datagrams.sealing.seal(tea, &frame::Say { request: 0, text }))
        .collect();
    for at in [3, 1, 1, 0, 3, 2, 0, 2] {
        datagrams.send_bytes(&says[at]);
    }
    datagrams.round_trip();
    dave.send(0, &frame::Ping { token: 1 });
    let mut heard = Vec::new();
    loop {
        let received = dave.receive();
        match received.kind() {
            Kind::Pong => break,
            _ => heard.push(said(&received).1),
        }
    }
    assert_eq!(heard, ["3", "1", "0", "2"]);
}

#[test]
fn only_what_may_be_lost_is_taken_from_a_datagram() {
    let server = Server::start(&[]);
    let (mut alice, mut datagrams, tea) = bound(&server, "alice", ALL);
    let mut bob = Client::login(server.address, "bob");
    let relay = open_relay(&mut alice, &mut bob, "bob");
    datagrams.send(0, &frame::Join { request: 50, past: 0, room: "#other", password: "" });
    datagrams.send(tea, &frame::Leave { request: 51 });
    datagrams.send(0, &frame::Tell { request: 52, to: "bob", text: "psst" });
    datagrams.send(0, &frame::Bye { code: 0, text: "" });
    let mut end = Vec::new();
    header::put(&mut end, Flags::END, relay, &frame::Data { payload: b"the end" });
    let end = datagrams.sealing.seal_bytes(&end);
    datagrams.send_bytes(&end);
    let empty = datagrams.sealing.seal_bytes(&[]);
    datagrams.send_bytes(&empty);
    assert!(datagrams.round_trip().is_empty());
    alice.round_trip(); // she is still here, and nothing was answered
    bob.round_trip();
    // What is wrong with a message is told, as it is over TCP.
    datagrams.send(tea, &frame::Say { request: 53, text: "" });
    let received = alice.receive_kind(Kind::Refused);
    assert!(matches!(received.frame(), Frame::Refused(refused) if refused.request == 53));
}

#[test]
fn a_new_ticket_ends_the_binding_before_it() {
    let server = Server::start(&[]);
    let (mut alice, mut old, tea) = bound(&server, "alice", ALL);
    let mut new = Datagrams::bind(&mut alice, server.address, ALL);
    assert_eq!(new.sealing.number, old.sealing.number);
    old.send(0, &frame::Ping { token: 1 });
    let mut dave = Client::login(server.address, "dave");
    dave.join("#tea");
    dave.say(tea, "hello");
    assert_eq!(said(&new.receive()).1, "hello");
    assert!(new.round_trip().is_empty() && is_empty(&old.socket));
}

#[test]
fn a_server_without_datagrams_says_so() {
    let mut command = Command::new(SWITCHBOARD);
    let mut child = command
        .args(["serve", "--ephemeral", "--listen", "127.0.0.1:0", "--datagrams", "false"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().expect("piped"));
    std::io::BufRead::read_line(&mut stdout, &mut line).expect("a line");
    let address = line.strip_prefix("listening on ").and_then(|rest| rest.strip_suffix(" (TCP)\n"));
    let address = address.and_then(|a| a.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
    let mut alice = Client::login(address, "alice");
    alice.send(0, &frame::GetTicket { request: 9, wants: ALL });
    let received = alice.receive();
    let Frame::Refused(refused) = received.frame() else { panic!("{received:?}") };
    assert_eq!((refused.request, refused.code), (9, RefusalCode::NoDatagrams.number()));
    child.kill().expect("kill");
    child.wait().expect("wait");
}

#[test]
fn a_port_that_is_taken_for_datagrams_is_told_as_that() {
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let address = taken.local_addr().expect("an address").to_string();
    let output = Command::new(SWITCHBOARD)
        .args(["serve", "--ephemeral", "--listen", &address])
        .output()
        .expect("it runs");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!output.status.success());
    for word in [&address, "UDP", "another program", "--listen", "datagrams = false", "in use"] {
        assert!(stderr.contains(word), "{word:?} is missing in: {stderr}");
    }
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}
