//! The smallest send buffer the kernel has, and a small receive buffer: nearly every write is a partial one, and every byte arrives once
//! and in order all the same.

mod common;

use common::{Client, Server, eventually, open_relay};
use socket2::{Domain, SockRef, Socket, Type};
use std::net::{SocketAddr, TcpStream};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{Flags, Kind, header};

/// What the kernel makes of it is its minimum, about 4.6 KB.
const TINY: &str = "1";

/// Connects with a receive buffer of a few frames; it has to be set before the handshake. Not the smallest there is:
/// that one makes windows of some hundred bytes, which the kernel opens by its persist timer, five times a second.
fn login_with_a_tiny_buffer(address: SocketAddr, name: &str) -> Client {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(8 * 1_024).expect("a buffer size");
    socket.connect(&address.into()).expect("the server accepts");
    let mut client = Client::over(TcpStream::from(socket));
    assert!(SockRef::from(&client.stream).recv_buffer_size().is_ok_and(|bytes| bytes <= 16 * 1_024));
    client.hello(name);
    assert_eq!(client.receive().kind(), Kind::Welcome);
    client
}

/// The n-th text: of any length up to the limit, and different in each place.
fn text(n: usize) -> String {
    let length = 1 + n * 797 % 4_000;
    format!("{n:06}").bytes().cycle().take(length.max(6)).map(char::from).collect()
}

#[test]
fn large_bursts_in_a_room_arrive_byte_exact_at_everybody() {
    const MESSAGES: usize = 1_500;
    const LISTENERS: usize = 5;
    let server = Server::start(&["--send-buffer-bytes", TINY]);
    let mut alice = Client::login(server.address, "alice");
    let room = alice.join("#lobby");
    let listening: Vec<_> = (0..LISTENERS)
        .map(|n| {
            let mut listener = login_with_a_tiny_buffer(server.address, &format!("listener{n}"));
            listener.join("#lobby");
            std::thread::spawn(move || {
                for n in 0..MESSAGES {
                    let said = listener.receive_kind(Kind::Said);
                    assert_eq!(said.frame(), Frame::Said(frame::Said { by: "alice", text: &text(n) }));
                }
                listener.round_trip();
            })
        })
        .collect();
    for burst in 0..MESSAGES / 100 {
        let mut bytes = Vec::new();
        for n in burst * 100..(burst + 1) * 100 {
            header::put(&mut bytes, Flags::NONE, room, &frame::Say { request: 0, text: &text(n) });
        }
        alice.send_bytes(&bytes);
        alice.round_trip(); // a burst is at most 200 KB, far below what makes a slow consumer
        if listening.iter().any(|listener| listener.is_finished()) {
            break; // it failed, and says why below
        }
    }
    for listener in listening {
        listener.join().expect("a listener");
    }
}

#[test]
fn a_queue_that_nobody_reads_for_a_while_goes_on_when_they_do() {
    const MESSAGES: usize = 200;
    let server = Server::start(&["--send-buffer-bytes", TINY]);
    let mut alice = Client::login(server.address, "alice");
    let mut bob = login_with_a_tiny_buffer(server.address, "bob");
    let room = alice.join("#lobby");
    bob.join("#lobby");
    for round in 0..3 {
        for n in 0..MESSAGES {
            alice.say(room, &text(round + n));
        }
        for n in 0..MESSAGES {
            let said = bob.receive_kind(Kind::Said);
            assert_eq!(said.frame(), Frame::Said(frame::Said { by: "alice", text: &text(round + n) }));
        }
    }
}

#[test]
fn answers_to_a_flood_of_requests_arrive_though_they_do_not_fit() {
    const REQUESTS: u64 = 30_000;
    let server = Server::start(&["--send-buffer-bytes", TINY]);
    let mut alice = login_with_a_tiny_buffer(server.address, "alice");
    let mut writer = Client::over(alice.stream.try_clone().expect("a second handle"));
    let asking = std::thread::spawn(move || {
        for first in (0..REQUESTS).step_by(1_000) {
            let mut bytes = Vec::new();
            for token in first..first + 1_000 {
                header::put(&mut bytes, Flags::NONE, 0, &frame::Ping { token });
            }
            writer.send_bytes(&bytes); // waits where the server reads no further
        }
    });
    for token in 0..REQUESTS {
        assert_eq!(alice.receive().frame(), Frame::Pong(frame::Pong { token }));
    }
    asking.join().expect("all was taken");
}

#[test]
fn relay_payload_passes_through_a_needle_eye() {
    const FRAMES: usize = 400;
    let server = Server::start(&["--send-buffer-bytes", TINY]);
    let mut alice = Client::login(server.address, "alice");
    let mut bob = login_with_a_tiny_buffer(server.address, "bob");
    let relay = open_relay(&mut alice, &mut bob, "bob");
    let payload = |n: usize| -> Vec<u8> { (0..1 + n * 1_237 % 16_000).map(|i| (i * 7 + n) as u8).collect() };
    let sending = std::thread::spawn(move || {
        for n in 0..FRAMES {
            alice.send(relay, &frame::Data { payload: &payload(n) });
        }
        alice
    });
    for n in 0..FRAMES {
        let data = bob.receive_kind(Kind::Data);
        assert!(data.frame() == Frame::Data(frame::Data { payload: &payload(n) }), "frame {n} differs");
    }
    let mut alice = sending.join().expect("all was taken");
    alice.round_trip();
    let memory = server.memory();
    eventually("the relay goes on the other way", || {
        bob.send(relay, &frame::Data { payload: b"back" });
        alice.receive_kind(Kind::Data).frame() == Frame::Data(frame::Data { payload: b"back" })
    });
    assert!(memory < 64 * 1_024 * 1_024, "{memory} bytes for a few queues of 128 KiB");
}
