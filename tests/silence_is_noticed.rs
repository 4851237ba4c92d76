//! A client that says nothing is asked for a sign of life, and dropped where it gives none: at the times that are
//! configured, whatever other deadlines there are.

mod common;

use common::{Client, Server};
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{ByeCode, Kind, LeftCode};

/// Long before any of the other deadlines, which are left at 10 seconds and more; long enough for a busy machine.
const SOON: Duration = Duration::from_secs(6);

fn receive_soon(client: &mut Client, kind: Kind) {
    let started = Instant::now();
    assert_eq!(client.receive().kind(), kind);
    assert!(started.elapsed() < SOON, "{kind:?} came after {:?} only", started.elapsed());
}

#[test]
fn every_silence_is_asked_about_in_time() {
    let server = Server::start(&["--ping-after-seconds", "0.3"]); // the login deadline is 10 s, the ping's answer 60 s
    let mut alice = Client::login(server.address, "alice");
    for _ in 0..3 {
        receive_soon(&mut alice, Kind::Ping);
        alice.send(0, &frame::Pong { token: 0 });
    }
}

#[test]
fn who_does_not_answer_is_dropped_and_the_others_are_told() {
    let server = Server::start(&["--ping-after-seconds", "1", "--ping-timeout-seconds", "1.5"]);
    let mut alice = Client::login(server.address, "alice");
    let mut bob = Client::login(server.address, "bob");
    alice.join("#lobby");
    bob.join("#lobby");
    let left = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Alice was already told that bob entered.
            assert_eq!(alice.receive().kind(), Kind::Entered);
            receive_soon(&mut alice, Kind::Ping);
            let bye = alice.receive();
            assert!(matches!(bye.frame(), Frame::Bye(bye) if bye.code == ByeCode::IdleTimeout.number()));
            assert_eq!(alice.receive_all(), []);
        });
        loop {
            let received = bob.receive();
            match received.kind() {
                Kind::Ping => bob.send(0, &frame::Pong { token: 0 }),
                _ => break received,
            }
        }
    });
    let expected = frame::Left { who: "alice", code: LeftCode::Lost.number(), text: "" };
    assert_eq!(left.frame(), Frame::Left(expected));
}
