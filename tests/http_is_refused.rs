//! Other protocols on the port are recognised and told in their own words that nobody speaks them here. What they
//! carry is never acted on: a browser can be made to send lines that look like chat to any port.

mod common;

use common::{Client, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{Flags, header};

/// What the server answers to `bytes`, up to the end of the stream.
fn answer(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("the server accepts");
    stream.set_read_timeout(Some(common::PATIENCE)).expect("a time-out");
    stream.write_all(bytes).expect("the server reads");
    read_to_end(&mut stream)
}

fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an orderly end, not a reset");
    answer
}

fn starts_with(answer: &[u8], start: &str) {
    let answer = String::from_utf8_lossy(answer);
    assert!(answer.starts_with(start), "{answer:?} does not start with {start:?}");
}

#[test]
fn http_is_answered_and_closed() {
    let server = Server::start(&[]);
    let get = answer(server.address, b"GET /chat HTTP/1.1\r\nHost: example\r\nUpgrade: websocket\r\n\r\n");
    starts_with(&get, "HTTP/1.1 404 ");
    for method in ["POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"] {
        let request = format!("{method} / HTTP/1.1\r\nHost: example\r\n\r\n");
        let refused = answer(server.address, request.as_bytes());
        starts_with(&refused, "HTTP/1.1 405 ");
        let refused = String::from_utf8(refused).expect("text");
        assert!(refused.contains("\r\nAllow: GET\r\n") && refused.contains("\r\nConnection: close\r\n"));
        let (head, body) = refused.split_once("\r\n\r\n").expect("an end of the head");
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
    }
    starts_with(&answer(server.address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HTTP/1.1 405 ");
}

/// In whatever pieces it comes: the method alone, or all but the last byte of it, must not be taken for something
/// else.
#[test]
fn a_method_in_pieces_is_still_a_method() {
    let server = Server::start(&[]);
    for cut in 1..=5 {
        let mut stream = TcpStream::connect(server.address).expect("the server accepts");
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(common::PATIENCE)).expect("a time-out");
        let request = b"POST / HTTP/1.1\r\n\r\nNICK mallory\r\n";
        for piece in [&request[..cut], &request[cut..]] {
            match stream.write_all(piece) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {} // it has decided already
                Err(error) => panic!("{error}"),
            }
            Client::connect(server.address); // another turn of the server between the two, most likely
        }
        starts_with(&read_to_end(&mut stream), "HTTP/1.1 405 ");
    }
}

#[test]
fn lines_in_a_body_are_never_acted_on() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let room = alice.join("#lobby");
    let lines =
        b"NICK mallory\r\nUSER m 0 * :m\r\nJOIN #lobby\r\nPRIVMSG #lobby :pwned\r\nPRIVMSG alice :pwned\r\n";
    let mut frames = Vec::new();
    let hello = frame::Hello { request: 1, version: frame::VERSION, body_max: 8_192, name: "mallory" };
    header::put(&mut frames, Flags::NONE, 0, &hello);
    header::put(
        &mut frames,
        Flags::NONE,
        0,
        &frame::Join { request: 2, past: 0, room: "#lobby", password: "" },
    );
    header::put(&mut frames, Flags::NONE, room, &frame::Say { request: 3, text: "pwned" });
    header::put(&mut frames, Flags::NONE, 0, &frame::Tell { request: 4, to: "alice", text: "pwned" });
    for head in ["GET", "POST", "PUT"] {
        for body in [&lines[..], &frames] {
            let mut request =
                format!("{head} / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
            request.extend_from_slice(body);
            let answer = answer(server.address, &request);
            starts_with(&answer, "HTTP/1.1 40");
            assert!(!answer.contains(&0x81), "no welcome");
        }
    }
    // Had anything been acted on, alice would hear of it before the pong, and somebody else would be here.
    alice.send(0, &frame::Ping { token: 1 });
    assert_eq!(alice.receive().frame(), Frame::Pong(frame::Pong { token: 1 }));
    alice.send(0, &frame::ListPeers { request: 9, after: "" });
    let peers = alice.receive();
    let Frame::PeerList(list) = peers.frame() else { panic!("{:?}", peers.frame()) };
    assert_eq!(list.names.iter().collect::<Vec<_>>(), ["alice"]);
}

#[test]
fn tls_gets_an_alert() {
    let server = Server::start(&[]);
    // RFC 8446 §5.1: a handshake record of 512 bytes, the first of them of a ClientHello.
    let mut hello = vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    hello.resize(5 + 512, 0xab);
    // A fatal (2) alert (21), handshake_failure (40).
    assert_eq!(answer(server.address, &hello), [21, 3, 3, 0, 2, 2, 40]);
    assert_eq!(answer(server.address, &hello[..1]), [21, 3, 3, 0, 2, 2, 40], "the first byte decides");
}

#[test]
fn where_irc_is_not_spoken_text_is_told_so_in_an_irc_line() {
    let server = Server::start(&["--irc", "false"]);
    for text in
        ["NICK alice\r\nUSER alice 0 * :Alice\r\n", "CAP LS 302\r\n", "hello?\n", "\r\n", "post / http\r\n"]
    {
        let answer = answer(server.address, text.as_bytes());
        starts_with(&answer, "ERROR :");
        assert!(answer.ends_with(b"\r\n"));
    }
}

#[test]
fn silence_is_cut_at_the_login_deadline() {
    let server = Server::start(&["--login-seconds", "0.5"]);
    let started = std::time::Instant::now();
    let silent = answer(server.address, b"");
    assert!(started.elapsed().as_secs_f32() >= 0.5, "not before its time");
    starts_with(&silent, "ERROR :no login in time");
    starts_with(&answer(server.address, b"GE"), "ERROR :no login in time");
    // Who has sent the beginning of a frame is told in a frame.
    let mut client = Client::connect(server.address);
    client.send_bytes(&[0x80, 0]);
    let bye = client.receive();
    let Frame::Bye(farewell) = bye.frame() else { panic!("{:?}", bye.frame()) };
    assert_eq!(farewell.code, switchboard::wire::ByeCode::LoginTimeout.number());
    assert_eq!(client.receive_all(), []);
}
