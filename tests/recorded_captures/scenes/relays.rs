//! Bytes from peer to peer through the server.

use super::super::Scene;
use super::super::blocks::Seen;
use super::super::common::open_relay;
use super::super::network::Families;
use super::super::sights::{anywhere, at_least, exactly, seen};
use super::super::stage::{PORT, Stage, bye, login, read_little, run, send_little, serve};
use std::io::Write;
use switchboard::wire::frame::Data;
use switchboard::wire::{Flags, Kind, header};

pub const RELAY: Scene = Scene {
    name: "relay",
    about: "alice (192.0.2.3) sends a file to bob (192.0.2.4) through the server (192.0.2.2): `switchboard pipe`, which \
            offers a relay, moves bytes, says that they have ended, and closes it.",
    families: Families::V4,
    play: relay,
    sights: &[
        exactly(1, "switchboard.kind == \"open\""),
        exactly(1, "switchboard.kind == \"offer\""),
        exactly(1, "switchboard.kind == \"accept\""),
        exactly(1, "switchboard.kind == \"opened\""),
        at_least(2, "switchboard.kind == \"data\""),
        at_least(2, "switchboard.flags.end == 1"),
        seen("switchboard.kind == \"closed\""),
    ],
    remarks: &[],
};

/// Whether this is a frame of that kind from the server.
fn is_from_server(seen: &Seen<'_>, kind: Kind) -> bool {
    seen.from.port() == PORT && seen.payload.first() == Some(&(kind as u8))
}

fn relay(stage: &Stage) {
    let [server, alice, bob] = stage.hosts();
    let serving = serve(&server, &[]);
    let address = serving.address.to_string();
    let through_the_server = ["--path", "relay"];
    let mut bob = run(
        &bob,
        "bob",
        &[&["pipe", &address, "--nick", "bob", "--from", "alice"], &through_the_server[..]].concat(),
    );
    stage.wait_for("bob is there", |seen| seen.iter().any(|seen| is_from_server(seen, Kind::Welcome)));
    let mut alice = run(
        &alice,
        "alice",
        &[&["pipe", &address, "--nick", "alice", "--to", "bob"], &through_the_server[..]].concat(),
    );
    alice.write("Two spoons of Earl Grey,\none for the pot.\n");
    alice.end_input();
    assert_eq!(bob.stdout.next(), "Two spoons of Earl Grey,");
    assert_eq!(bob.stdout.next(), "one for the pot.");
    alice.finish_content();
    bob.finish_content();
}

pub const BACKPRESSURE: Scene = Scene {
    name: "backpressure-zero-window",
    about: "alice (192.0.2.3) sends to bob (192.0.2.4) over a relay, and bob stops reading. His window closes; the server's \
            queue for him grows to its high-water mark; the server (192.0.2.2) stops reading from alice; its window closes, \
            too, and alice has to wait. Then bob reads on.",
    families: Families::V4,
    play: backpressure,
    sights: &[
        at_least(10, "switchboard.kind == \"data\" and ip.src == 192.0.2.3"),
        at_least(10, "switchboard.kind == \"data\" and ip.dst == 192.0.2.4"),
        seen("tcp.analysis.zero_window and ip.src == 192.0.2.4"),
        seen("tcp.analysis.zero_window and ip.src == 192.0.2.2"),
        anywhere("tcp.analysis.window_update and ip.src == 192.0.2.4"),
        anywhere("tcp.analysis.window_update and ip.src == 192.0.2.2"),
    ],
    remarks: &["window", "Window", "keep-alive"],
};

/// Of the payload of each frame, and of the relay.
const FRAME_BYTES: usize = 1_000;
const FRAMES: usize = 70;

fn backpressure(stage: &Stage) {
    let [server, alice, bob] = stage.hosts();
    // So that little has to be sent until every buffer on the way is full.
    read_little(&server, 16_384);
    read_little(&bob, 16_384);
    send_little(&alice, 8_192);
    let serving = serve(&server, &["--send-buffer-bytes", "4096", "--high-water-bytes", "8192"]);
    let (mut alice, mut bob) = (login(&alice, &serving, "alice"), login(&bob, &serving, "bob"));
    let relay = open_relay(&mut alice, &mut bob, "bob");
    let mut sending = alice.stream.try_clone().expect("a second handle");
    let sender = std::thread::spawn(move || {
        let mut frame = Vec::new();
        header::put(&mut frame, Flags::NONE, relay, &Data { payload: &[b'.'; FRAME_BYTES] });
        (0..FRAMES).for_each(|_| sending.write_all(&frame).expect("the server reads, in the end"));
    });
    let [alices, bobs] = [&alice, &bob].map(|client| client.stream.local_addr().expect("an address"));
    stage.wait_for_zero_window(bobs, serving.address);
    stage.wait_for_zero_window(serving.address, alices);
    for _ in 0..FRAMES {
        bob.receive_kind(Kind::Data);
    }
    sender.join().expect("all is sent");
    bye(alice);
    bob.receive_kind(Kind::Closed);
    bye(bob);
}
