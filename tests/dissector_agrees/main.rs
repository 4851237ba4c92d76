//! Every kind of frame goes through a real socket, and tshark with our dissector shows what was sent: every field, by its
//! name, with its value, however the bytes were cut.
//!
//! Without tshark these tests fail.

mod expected;
#[allow(dead_code)]
#[path = "../golden_frames/goldens.rs"]
mod goldens;
#[path = "../common/random.rs"]
mod random;
#[path = "../common/tshark.rs"]
mod tshark;

use expected::{fields_of, random_frame};
use random::{Random, with_seeds};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;
use switchboard::wire::Kind;
use tshark::{Capture, Packet, Shown, Way, dissect};

/// Sends the bytes of `frames` through a connection on the loopback and puts what is read into the capture, one packet for
/// each read, of which `length` says how long it may be.
fn through_a_connection(
    capture: &mut Capture,
    way: Way,
    frames: &[Vec<u8>],
    mut length: impl FnMut() -> usize,
) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut sender = TcpStream::connect(listener.local_addr().expect("its address")).expect("it listens");
    let (mut receiver, _) = listener.accept().expect("a connection");
    receiver.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    let bytes = frames.concat();
    std::thread::scope(|scope| {
        scope.spawn(move || sender.write_all(&bytes).expect("somebody reads"));
        let mut buffer = [0; 65_536];
        loop {
            let most = length().clamp(1, 1_400);
            match receiver.read(&mut buffer[..most]).expect("bytes, or the end") {
                0 => break,
                read => capture.tcp(way, &buffer[..read]),
            }
        }
    });
}

/// Asserts that these are the frames of one way, in their order.
fn assert_shown(packets: &[Packet], first: u64, last: u64, frames: &[Vec<u8>]) {
    let within = packets.iter().filter(|packet| (first..=last).contains(&packet.number));
    let shown: Vec<&Shown> = within.flat_map(|packet| &packet.frames).collect();
    for (shown, sent) in shown.iter().zip(frames) {
        assert_eq!(shown.fields, fields_of(sent), "tshark (left) shows something else than was sent (right)");
        let bad = ["short", "trailing", "not_utf8", "no_frame", "bad_seal", "bad_flags", "out_of_step"];
        assert!(shown.notes.iter().all(|note| !bad.contains(&note.as_str())), "{shown:?}");
    }
    assert_eq!(shown.len(), frames.len(), "as many as were sent");
}

/// Each way has its frames: requests go to the server, all others to the client.
fn assert_agrees(frames: &[Vec<u8>], mut length: impl FnMut() -> usize) {
    let is_request = |frame: &&Vec<u8>| Kind::from_u8(frame[0]).is_some_and(Kind::is_request);
    let requests: Vec<Vec<u8>> = frames.iter().filter(is_request).cloned().collect();
    let others: Vec<Vec<u8>> = frames.iter().filter(|frame| !is_request(frame)).cloned().collect();
    let mut capture = Capture::new();
    let way = Way::to_server(40_000);
    capture.connect(way);
    through_a_connection(&mut capture, way, &requests, &mut length);
    let middle = capture.packets();
    through_a_connection(&mut capture, way.back(), &others, &mut length);
    let packets = dissect(&capture);
    assert_eq!(packets.len() as u64, capture.packets());
    assert_shown(&packets, 1, middle, &requests);
    assert_shown(&packets, middle + 1, capture.packets(), &others);
}

#[test]
fn frames_of_the_document_are_shown_as_they_are() {
    // What is sealed in the golden frame is none; that of the document is.
    let goldens = goldens::goldens().into_iter().map(|golden| golden.bytes);
    let mut frames: Vec<Vec<u8>> = goldens.filter(|frame| frame[0] != Kind::Sealed as u8).collect();
    for dump in include_str!("../../docs/PROTOCOL.md").split("```hexdump\n").skip(1) {
        let dump = goldens::hex(dump.split("```").next().unwrap_or_default());
        frames
            .extend(goldens::frames(&dump).iter().map(|raw| [&raw.header.to_bytes()[..], raw.body].concat()));
    }
    for kind in Kind::ALL {
        assert!(frames.iter().any(|frame| frame[0] == *kind as u8), "{kind:?} is missing");
    }
    assert_agrees(&frames, || 1_400);
    assert_agrees(&frames, || 7);
}

#[test]
fn random_frames_are_shown_as_they_are_however_they_are_cut() {
    with_seeds(0..2, |seed| {
        let mut random = Random::new(seed);
        let mut frames = Vec::new();
        for _ in 0..4 {
            for &kind in Kind::ALL {
                frames.push(random_frame(&mut random, kind));
            }
        }
        // The first frame of each way has to be one that begins there; the others come in any order.
        let mut lengths = random.fork();
        assert_agrees(&frames, || match lengths.below(3) {
            0 => lengths.between(1, 20),
            1 => lengths.between(20, 300),
            _ => 1_400, // several frames at once
        });
    });
}

#[test]
fn a_frame_that_comes_byte_by_byte_is_one_frame() {
    let mut random = Random::new(9);
    let frames: Vec<Vec<u8>> =
        [Kind::Hello, Kind::Say, Kind::Declare].map(|kind| random_frame(&mut random, kind)).to_vec();
    assert_agrees(&frames, || 1);
}

#[test]
fn datagrams_are_shown_as_they_are() {
    let mut random = Random::new(3);
    let (client, server) =
        (UdpSocket::bind("127.0.0.1:0").expect("a port"), UdpSocket::bind("127.0.0.1:0").expect("a port"));
    server.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    let mut capture = Capture::new();
    let mut frames = Vec::new();
    for round in 0..40_u16 {
        for kind in [Kind::Bind, Kind::Challenge, Kind::Prove, Kind::Sealed] {
            let frame = random_frame(&mut random, kind);
            client.send_to(&frame, server.local_addr().expect("an address")).expect("it is sent");
            let mut buffer = [0; 2_000];
            let read = server.recv(&mut buffer).expect("the loopback loses nothing");
            let way = Way::to_server(41_000 + round);
            capture.udp(if kind == Kind::Challenge { way.back() } else { way }, &buffer[..read]);
            frames.push(frame);
        }
    }
    let packets = dissect(&capture);
    assert!(packets.iter().all(|packet| packet.frames.len() == 1), "one frame in each datagram");
    assert_shown(&packets, 1, capture.packets(), &frames);
}
