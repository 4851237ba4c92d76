//! Nothing in a capture makes the dissector stumble: frames that were cut, shuffled, invented or made to hurt leave no Lua
//! error, tshark goes on to the end, and what is well beside them is dissected all the same.
//!
//! Without tshark these tests fail.

#[path = "dissector_agrees/expected.rs"]
mod expected;
#[path = "common/random.rs"]
mod random;
#[path = "common/tshark.rs"]
mod tshark;

use expected::{fields_of, random_frame};
use random::{Random, with_seeds};
use switchboard::wire::Kind;
use tshark::{Capture, OTHER_PORT, Way, packets};

/// Frames that are mutated in one capture.
const MUTATED: usize = 700;

/// A well-formed frame after each bad one, in a connection of its own, that has to be shown as it is.
struct Witness {
    packet: u64,
    frame: Vec<u8>,
}

/// What a capture can be read like: as it comes, twice, without putting segments together, and with all that helps.
const READINGS: [&[&str]; 4] = [
    &["-T", "pdml"],
    &["-T", "pdml", "-2"],
    &["-T", "pdml", "-o", "tcp.desegment_tcp_streams:FALSE"],
    &["-T", "pdml", "-2", "-o", "tcp.reassemble_out_of_order:TRUE"],
];

/// tshark itself fails the test where it says `Lua Error` or does not end well.
fn assert_unharmed(capture: &Capture, witnesses: &[Witness]) {
    for reading in READINGS {
        let packets = packets(&tshark::tshark_live(capture, reading));
        assert_eq!(packets.len() as u64, capture.packets(), "{reading:?}: as many packets as there are");
        for witness in witnesses {
            let shown = &packets[witness.packet as usize - 1].frames;
            let [shown] = &shown[..] else { panic!("{reading:?}: packet {} is {shown:?}", witness.packet) };
            assert_eq!(shown.fields, fields_of(&witness.frame), "{reading:?}: packet {}", witness.packet);
        }
    }
}

/// A bad frame, in a way that `kind_of_harm` chooses.
fn harmed(random: &mut Random, kind_of_harm: usize) -> Vec<u8> {
    let kind = *random.pick(Kind::ALL);
    let mut frame = random_frame(random, kind);
    match kind_of_harm {
        // Cut.
        0 => frame.truncate(random.between(1, frame.len())),
        // Bytes changed, wherever they are.
        1 => {
            for _ in 0..random.between(1, 5) {
                let at = random.below(frame.len());
                frame[at] = random.next() as u8;
            }
        }
        // Hostile lengths: none, a little off, as long as they can be.
        2 => {
            let body = frame.len() - 8;
            let length =
                *random.pick(&[0, 1, body + 1, body.saturating_sub(1), 0x7fff, 0x8000, 0x8001, 0xffff]);
            frame[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        }
        // The body's bytes in another order.
        3 => {
            for at in (9..frame.len()).rev() {
                let with = random.between(8, at);
                frame.swap(at, with);
            }
        }
        // A true header and noise: counts and lengths of fields are anything.
        4 => {
            let length = random.below(600);
            frame.truncate(8);
            frame[2..4].copy_from_slice(&(length as u16).to_be_bytes());
            frame.extend((0..length).map(|_| random.next() as u8));
        }
        // Every length in it as large as it can be.
        5 => frame[8..].fill(0xff),
        // Noise, and nothing else.
        6 => frame = (0..random.between(1, 300)).map(|_| random.next() as u8).collect(),
        // A frame in a frame in a frame: seals are not nested.
        _ => {
            for _ in 0..random.between(2, 20) {
                let body = [&[0; 8][..], &frame, &[7; 16]].concat();
                let mut sealed = vec![0xcb, 0, 0, 0, 0, 0, 0, 1];
                sealed[2..4].copy_from_slice(&(body.len() as u16).to_be_bytes());
                sealed.extend(body);
                frame = sealed;
            }
        }
    }
    frame
}

#[test]
fn mutated_frames_leave_no_lua_error_and_harm_nothing_beside_them() {
    with_seeds(0..1, |seed| {
        let mut random = Random::new(seed);
        let (mut capture, mut witnesses) = (Capture::new(), Vec::new());
        for number in 0..MUTATED {
            let bad = harmed(&mut random, number % 8);
            let port = 20_000 + number as u16;
            let way = match random.below(5) {
                0 => Way::to_server_at(port, OTHER_PORT),
                _ => Way::to_server(port),
            };
            match random.below(4) {
                0 if bad.len() < 1_400 => capture.udp(way, &bad),
                1 => {
                    // In order, behind a handshake and a frame that is well.
                    capture.connect(way);
                    capture.tcp(way, &random_frame(&mut random, Kind::Hello));
                    bad.chunks(random.between(1, 1_400)).for_each(|part| capture.tcp(way, part));
                    capture.tcp(way, &random_frame(&mut random, Kind::Say));
                }
                2 => {
                    // From the middle, with holes.
                    for part in bad.chunks(random.between(1, 1_400)) {
                        capture.lose(way, random.below(50) as u32);
                        capture.tcp(way, part);
                    }
                }
                _ => {
                    // Only the first bytes of packets were captured.
                    let first = &bad[..bad.len().min(1_400)];
                    capture.tcp_cut(way, first, random.below(first.len() + 1));
                }
            }
            let kind = *random.pick(&[Kind::Hello, Kind::Said, Kind::Members, Kind::Paths]);
            let frame = random_frame(&mut random, kind);
            capture.tcp(Way::to_server(40_000 + number as u16), &frame);
            witnesses.push(Witness { packet: capture.packets(), frame });
        }
        assert_unharmed(&capture, &witnesses);
    });
}

#[test]
fn segments_that_come_twice_or_in_another_order_leave_no_lua_error() {
    let mut random = Random::new(5);
    let mut capture = Capture::new();
    for number in 0..60 {
        let way = Way::to_server(20_000 + number);
        capture.connect(way);
        let bytes: Vec<u8> = [Kind::Hello, Kind::Join, Kind::Say, Kind::Declare, Kind::Data]
            .iter()
            .flat_map(|&kind| random_frame(&mut random, kind))
            .collect();
        // Each part at its place in the stream, in any order, some of them twice.
        let length = random.between(1, 90);
        let mut parts: Vec<(usize, &[u8])> = bytes.chunks(length).enumerate().collect();
        for at in (1..parts.len()).rev() {
            let with = random.below(at + 1);
            parts.swap(at, with);
        }
        parts.extend_from_within(..parts.len() / 4);
        let mut sent = 0_u32;
        for (at, part) in parts {
            capture.lose(way, ((at * length) as u32).wrapping_sub(sent));
            capture.tcp(way, part);
            sent = (at * length + part.len()) as u32;
        }
    }
    let frame = random_frame(&mut random, Kind::Said);
    capture.tcp(Way::to_server(40_000), &frame);
    let witness = Witness { packet: capture.packets(), frame };
    assert_unharmed(&capture, &[witness]);
}

#[test]
fn lists_that_never_end_are_shown_in_part_and_do_end() {
    let mut capture = Capture::new();
    let body = 32_768_usize;
    for (number, kind) in
        [Kind::PeerList, Kind::ServerList, Kind::Members, Kind::Peer].into_iter().enumerate()
    {
        let way = Way::to_server(20_000 + number as u16);
        capture.connect(way);
        // Names of no byte, rows of no column: an entry for each byte.
        let mut frame = vec![kind as u8, 0, (body >> 8) as u8, 0, 0, 0, 0, 0];
        frame.resize(8 + body, 0);
        frame.chunks(1_400).for_each(|part| capture.tcp(way.back(), part));
    }
    let mut random = Random::new(1);
    let frame = random_frame(&mut random, Kind::Said);
    capture.tcp(Way::to_server(40_000), &frame);
    let witness = Witness { packet: capture.packets(), frame };
    assert_unharmed(&capture, &[witness]);
    let noted = tshark::tshark(&capture, &["-Y", "switchboard.note.many"]);
    assert!(noted.contains("peer_list") && noted.contains("server_list"), "{noted}");
}
