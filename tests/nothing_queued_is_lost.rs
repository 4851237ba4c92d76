//! Closing a socket that has unread input resets the connection, and what was queued for the client is gone. Ours
//! arrives, whoever ends the connection and whatever the client has sent that nobody reads any more.

mod common;

use common::{Client, Received, Server};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{ByeCode, Flags, Kind, header};

/// A small buffer in the kernel, so that it is the server that holds the bytes.
const ARGS: [&str; 4] = ["--send-buffer-bytes", "8192", "--drain-seconds", "30"];

/// Twice as much as is to wait in the server: the kernel of the one who does not read takes its part.
const MESSAGES: usize = 100;
const MESSAGE_BYTES: usize = 4_000;

fn text(n: usize) -> String {
    format!("{n:0>MESSAGE_BYTES$}")
}

/// Bob, who reads nothing, and for whom at least 200,000 bytes wait in the server.
fn bob_with_a_queue(server: &Server) -> Client {
    let bob = Client::login(server.address, "bob");
    let mut alice = Client::login(server.address, "alice");
    for n in 0..MESSAGES {
        let request = alice.next_request();
        alice.send(0, &frame::Tell { request, to: "bob", text: &text(n) });
        assert_eq!(alice.receive().kind(), Kind::Done);
    }
    bob
}

/// Pings: requests as good as any, were somebody to read them.
fn unread_input(pings: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for token in 0..pings {
        header::put(&mut bytes, Flags::NONE, 0, &frame::Ping { token });
    }
    bytes
}

/// Reads to the end, and goes on sending all the while: the last bytes are on their way when more input arrives.
fn receive_all_while_sending(bob: &mut Client) -> Vec<Received> {
    let more = unread_input(50);
    let mut received = Vec::new();
    while let Some(f) = bob.receive_or_end() {
        received.push(f);
        bob.send_bytes(&more);
    }
    received
}

fn assert_all_there(received: &[Received], bye: ByeCode) {
    let told = received.iter().filter(|f| f.kind() == Kind::Told);
    for (n, f) in told.clone().enumerate() {
        assert_eq!(f.frame(), Frame::Told(frame::Told { from: "alice", text: &text(n) }));
    }
    assert_eq!(told.count(), MESSAGES, "messages that arrived");
    let last = received.last().expect("something");
    let Frame::Bye(farewell) = last.frame() else { panic!("the last frame is {:?}", last.frame()) };
    assert_eq!(farewell.code, bye.number());
}

#[test]
fn when_the_client_says_goodbye_and_goes_on_sending() {
    let server = Server::start(&ARGS);
    let mut bob = bob_with_a_queue(&server);
    let mut bytes = Vec::new();
    header::put(&mut bytes, Flags::NONE, 0, &frame::Bye { code: 0, text: "" });
    bytes.extend(unread_input(6_000));
    bob.send_bytes(&bytes);
    // Over its high-water mark the server does not even read the goodbye until something was read here.
    assert_all_there(&receive_all_while_sending(&mut bob), ByeCode::Goodbye);
}

#[test]
fn when_the_server_stops() {
    let mut server = Server::start(&ARGS);
    let mut bob = bob_with_a_queue(&server);
    bob.send_bytes(&unread_input(6_000));
    server.signal("TERM");
    server.wait_for_log("stopping");
    bob.send_bytes(&unread_input(6_000));
    assert_all_there(&receive_all_while_sending(&mut bob), ByeCode::ServerStopping);
    drop(bob);
    assert!(server.wait().success());
}

#[test]
fn when_the_client_breaks_the_protocol_and_goes_on_sending() {
    let server = Server::start(&ARGS);
    let mut bob = bob_with_a_queue(&server);
    let mut bytes = b"GET / HTTP/1.1\r\n\r\n".to_vec();
    bytes.extend(unread_input(6_000));
    bob.send_bytes(&bytes);
    assert_all_there(&receive_all_while_sending(&mut bob), ByeCode::Malformed);
}
