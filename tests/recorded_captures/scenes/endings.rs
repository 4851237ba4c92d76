//! Connections end: on one side alone, at once, or because somebody does not read.

use super::super::Scene;
use super::super::network::Families;
use super::super::sights::{anywhere, at_least, exactly, seen};
use super::super::stage::{Stage, bye, in_a_room, read_little, serve};
use std::net::Shutdown;
use std::time::Duration;
use switchboard::wire::frame::{Say, Who};
use switchboard::wire::{Flags, Kind, header};

pub const HALF_CLOSE: Scene = Scene {
    name: "half-close",
    about: "alice (192.0.2.3) says something, asks who is there, and closes her side of the connection, all in one segment. \
            The server (192.0.2.2) answers everything into the side that is open, and then closes that.",
    families: Families::V4,
    play: half_close,
    sights: &[
        exactly(1, "switchboard.kind == \"who\""),
        exactly(1, "tcp.flags.fin == 1 and ip.src == 192.0.2.3"),
        exactly(1, "switchboard.kind == \"occupants\" and ip.dst == 192.0.2.3"),
        exactly(1, "switchboard.kind == \"said\" and ip.dst == 192.0.2.4"),
        exactly(1, "tcp.flags.fin == 1 and ip.dst == 192.0.2.3"),
        exactly(1, "switchboard.kind == \"left\" and ip.dst == 192.0.2.4"),
    ],
    remarks: &[],
};

fn half_close(stage: &Stage) {
    let [server, alice, bob] = stage.hosts();
    let serving = serve(&server, &[]);
    let (mut alice, mut bob, room) = in_a_room(&serving, &alice, &bob);
    let mut frames = Vec::new();
    header::put(
        &mut frames,
        Flags::NONE,
        room,
        &Say { request: alice.next_request(), text: "My last words." },
    );
    header::put(&mut frames, Flags::NONE, room, &Who { request: alice.next_request(), after: "" });
    // More is to come: so they wait for the FIN, and go with it in one segment.
    let more = socket2::SockRef::from(&alice.stream).send_with_flags(&frames, libc::MSG_MORE);
    assert_eq!(more.expect("the socket takes them"), frames.len());
    alice.stream.shutdown(Shutdown::Write).expect("a half-close");
    let kinds: Vec<Kind> = alice.receive_all().iter().map(|frame| frame.kind()).collect();
    assert_eq!(kinds, [Kind::Done, Kind::Occupants]);
    bob.receive_kind(Kind::Left);
    drop(alice);
    bye(bob);
}

pub const RESET: Scene = Scene {
    name: "reset",
    about: "alice (192.0.2.3) goes without a goodbye: a connection that is closed with SO_LINGER at zero ends with a reset. \
            The server (192.0.2.2) tells bob (192.0.2.4).",
    families: Families::V4,
    play: reset,
    sights: &[
        exactly(1, "switchboard.kind == \"say\""),
        exactly(1, "tcp.flags.reset == 1 and ip.src == 192.0.2.3"),
        exactly(1, "switchboard.left.code == \"lost\""),
        exactly(2, "tcp.flags.fin == 1"),
    ],
    remarks: &["Connection reset"],
};

fn reset(stage: &Stage) {
    let [server, alice, bob] = stage.hosts();
    let serving = serve(&server, &[]);
    let (mut alice, mut bob, room) = in_a_room(&serving, &alice, &bob);
    alice.say(room, "I have to");
    bob.receive_kind(Kind::Said);
    socket2::SockRef::from(&alice.stream).set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
    drop(alice);
    bob.receive_kind(Kind::Left);
    bye(bob);
}

pub const SLOW_CONSUMER: Scene = Scene {
    name: "slow-consumer-dropped",
    about: "bob (192.0.2.4) does not read what alice (192.0.2.3) says in the room. His window closes, and the server's queue \
            for him reaches its limit: he is dropped, alice is told, and never had to wait. When bob reads on, he finds \
            what was queued, and why he was dropped.",
    families: Families::V4,
    play: slow_consumer,
    sights: &[
        at_least(10, "switchboard.kind == \"say\""),
        at_least(10, "switchboard.kind == \"done\" and ip.dst == 192.0.2.3"),
        seen("tcp.analysis.zero_window and ip.src == 192.0.2.4"),
        exactly(1, "switchboard.left.code == \"dropped\""),
        anywhere("tcp.analysis.window_update and ip.src == 192.0.2.4"),
        exactly(1, "switchboard.bye.code == \"slow_consumer\""),
        exactly(1, "tcp.flags.fin == 1 and ip.dst == 192.0.2.4"),
    ],
    remarks: &["window", "Window", "keep-alive"],
};

/// Bytes that a connection may have queued, and of each message.
const QUEUED_MAX: &str = "24576";
const TEXT_BYTES: usize = 1_000;

/// Messages that are more than bob's socket takes, and less than the server's limit.
const WINDOW_FULL: usize = 20;

fn slow_consumer(stage: &Stage) {
    let [server, alice, bob] = stage.hosts();
    read_little(&bob, 16_384);
    // What a relay may queue on top is part of the least that the server allows.
    let limits =
        ["--queued-bytes-soft", QUEUED_MAX, "--queued-bytes-max", QUEUED_MAX, "--high-water-bytes", "8192"];
    let relays = ["--relays-per-user-max", "1", "--read-bytes-per-turn-max", "16384"];
    let others = ["--send-buffer-bytes", "4096", "--drain-seconds", "30"];
    let serving = serve(&server, &[limits.as_slice(), &relays, &others].concat());
    let (mut alice, mut bob, room) = in_a_room(&serving, &alice, &bob);
    let text = ".".repeat(TEXT_BYTES);
    for said in 0.. {
        assert!(said < 100, "{said} messages and nobody is dropped");
        if said == WINDOW_FULL {
            stage.wait_for_zero_window(bob.stream.local_addr().expect("an address"), serving.address);
        }
        let request = alice.next_request();
        alice.send(room, &Say { request, text: &text });
        if alice.receive().kind() == Kind::Left {
            alice.receive_kind(Kind::Done);
            break;
        }
    }
    alice.round_trip();
    let received = bob.receive_all();
    assert_eq!(received.last().map(|last| last.kind()), Some(Kind::Bye));
    drop(bob);
    bye(alice);
}
