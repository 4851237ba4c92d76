//! TCP carries bytes, not frames: it may cut one into many segments, and join many in one.

use super::super::Scene;
use super::super::network::Families;
use super::super::sights::exactly;
use super::super::stage::{Stage, bye, in_a_room, serve, serve_traced};
use switchboard::wire::frame::Say;
use switchboard::wire::{Flags, Kind, header};

pub const PARTIAL_READ: Scene = Scene {
    name: "partial-read",
    about: "alice (192.0.2.3) sends one frame in four segments, each only when the server (192.0.2.2) has read the one \
            before: three bytes, the rest of the header, a part of the body, the rest. bob (192.0.2.4) gets it whole.",
    families: Families::V4,
    play: partial_read,
    sights: &[
        exactly(1, "tcp.len == 3 and ip.src == 192.0.2.3"),
        exactly(1, "tcp.len == 5 and ip.src == 192.0.2.3"),
        exactly(1, "tcp.segment.count == 4"),
        exactly(1, "switchboard.kind == \"say\""),
        exactly(1, "switchboard.kind == \"said\""),
    ],
    remarks: &[],
};

fn partial_read(stage: &Stage) {
    let [server, alice, bob] = stage.hosts();
    let serving = serve_traced(&server);
    let (mut alice, mut bob, room) = in_a_room(&serving, &alice, &bob);
    let mut frame = Vec::new();
    header::put(
        &mut frame,
        Flags::NONE,
        room,
        &Say { request: alice.next_request(), text: "One sentence, in pieces." },
    );
    let mut sent = 0;
    for upto in [3, 8, 20] {
        alice.send_bytes(&frame[sent..upto]);
        serving.wait_for_log(&format!(" holds {upto} bytes: "));
        sent = upto;
    }
    alice.send_bytes(&frame[sent..]);
    bob.receive_kind(Kind::Said);
    alice.receive_kind(Kind::Done);
    bye(alice);
    bob.receive_kind(Kind::Left);
    bye(bob);
}

pub const COALESCED: Scene = Scene {
    name: "coalesced-frames",
    about: "alice (192.0.2.3) writes three frames at once, and TCP sends them in one segment. The server (192.0.2.2) reads \
            all of them in one turn, and writes once to her and once to bob (192.0.2.4).",
    families: Families::V4,
    play: coalesced,
    sights: &[
        exactly(1, "switchboard.kind == \"say\" and count(switchboard.kind) == 3"),
        exactly(1, "switchboard.kind == \"done\" and count(switchboard.kind) == 3"),
        exactly(1, "switchboard.kind == \"said\" and count(switchboard.kind) == 3"),
    ],
    remarks: &[],
};

fn coalesced(stage: &Stage) {
    let [server, alice, bob] = stage.hosts();
    let serving = serve(&server, &[]);
    let (mut alice, mut bob, room) = in_a_room(&serving, &alice, &bob);
    let mut frames = Vec::new();
    for text in ["one", "two", "three"] {
        header::put(&mut frames, Flags::NONE, room, &Say { request: alice.next_request(), text });
    }
    alice.send_bytes(&frames);
    for _ in 0..3 {
        alice.receive_kind(Kind::Done);
        bob.receive_kind(Kind::Said);
    }
    bye(alice);
    bob.receive_kind(Kind::Left);
    bye(bob);
}
