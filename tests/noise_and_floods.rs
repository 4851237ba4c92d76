//! Noise, trickles and floods: input that is cut off, that comes byte by byte, that means nothing, or that never ends.
//! None of it costs the server more than next to nothing, and nobody else notices.

mod common;
#[path = "common/intruder.rs"]
mod intruder;
#[path = "common/random.rs"]
mod random;

use common::{Client, Received, Server};
use intruder::{Bystanders, assert_small, bye_code, claimed, name, raw, whole};
use random::Random;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{BODY_MAX, ByeCode, Kind, Split, split};

#[test]
fn a_frame_that_is_cut_off_ends_the_connection_without_a_word() {
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::start(&server);
    let say = whole(bystanders.room, &frame::Say { request: 1, text: "half of it" });
    for length in [1, 4, 8, say.len() - 1] {
        let mut mallory = Client::login(server.address, "mallory");
        mallory.send_bytes(&say[..length]);
        mallory.stream.shutdown(Shutdown::Write).expect("the end");
        assert_eq!(mallory.receive_all(), []);
        bystanders.notice_nothing(&length);
    }
}

#[test]
fn a_trickle_of_single_bytes_is_as_good_as_any() {
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::start(&server);
    let mut slow = Client::connect(server.address);
    let text = &"é".repeat(2_048);
    let hello = frame::Hello { request: 1, version: frame::VERSION, body_max: BODY_MAX, name: "slow" };
    let mut bytes = whole(0, &hello);
    bytes.extend(whole(0, &frame::Tell { request: 2, to: "bob", text }));
    bytes.extend(whole(0, &frame::Ping { token: 3 }));
    for byte in bytes {
        slow.send_bytes(&[byte]);
    }
    let kinds = [(); 3].map(|()| slow.receive().kind());
    assert_eq!(kinds, [Kind::Welcome, Kind::Done, Kind::Pong]);
    assert_eq!(bystanders.bob.receive().frame(), Frame::Told(frame::Told { from: "slow", text }));
    bystanders.notice_nothing(&"a trickle");
}

fn random_bytes(random: &mut Random, length: usize) -> Vec<u8> {
    (0..length).map(|_| random.next() as u8).collect()
}

/// Noise; or noise in the shape of frames, which gets further.
fn random_input(random: &mut Random) -> Vec<u8> {
    if random.below(2) == 0 {
        let length = random.below(2_000);
        return random_bytes(random, length);
    }
    let mut bytes = Vec::new();
    for _ in 0..random.below(30) {
        let kind = match random.below(10) {
            0 => random.next() as u8 | 0x80,
            _ => Kind::ALL[random.below(Kind::ALL.len())] as u8,
        };
        if kind == Kind::Bye as u8 {
            continue;
        }
        let mut body = match random.below(4) {
            0 => Vec::new(),
            _ => (random.next() as u32).to_be_bytes().to_vec(),
        };
        for _ in 0..random.below(3) {
            let length = random.below(20);
            let field = random_bytes(random, length);
            body.extend(name(&field));
        }
        let channel = if random.below(2) == 0 { 0 } else { random.next() as u32 };
        bytes.extend(raw(kind, channel, &body));
    }
    bytes
}

#[test]
fn random_bytes_are_survived() {
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::start(&server);
    let before = server.memory();
    for seed in 0..1_000 {
        let mut random = Random::new(seed);
        let input = random_input(&mut random);
        let mut stranger = Client::connect(server.address);
        stranger.send_bytes(&input);
        stranger.stream.shutdown(Shutdown::Write).expect("the end");
        let answer = stranger.stream.read_to_end(&mut Vec::new());
        answer.unwrap_or_else(|e| panic!("seed {seed} before login: {e}"));

        let mut known = Client::login(server.address, &format!("seed{seed}"));
        known.send_bytes(&input);
        known.stream.shutdown(Shutdown::Write).expect("the end");
        for received in known.receive_all() {
            received.frame();
        }
        if seed % 50 == 0 {
            bystanders.notice_nothing(&seed);
        }
    }
    bystanders.notice_nothing(&"all seeds");
    assert_small(&server, before, "random bytes");
}

const WITHOUT_END: usize = 10 * 1_024 * 1_024;

/// Writes 10 MB of the same, unless it is cut off, and meanwhile reads to the end.
fn send_without_end(client: &mut Client, start: &[u8], piece: &[u8]) -> Vec<u8> {
    let mut writer = client.stream.try_clone().expect("a clone");
    let mut received = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let (mut next, mut written) = (start, 0);
            while written < WITHOUT_END && writer.write_all(next).is_ok() {
                written += next.len();
                next = piece;
            }
            let _ = writer.shutdown(Shutdown::Write);
        });
        match client.stream.read_to_end(&mut received) {
            Ok(_) => {}
            // Who goes on and on is told, and then cut off.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error}"),
        }
    });
    received
}

fn frames(mut bytes: &[u8]) -> Vec<Received> {
    let mut frames = Vec::new();
    while let Ok(Split::Frame(raw)) = split(bytes, u16::MAX) {
        frames.push(Received { header: raw.header, body: raw.body.to_vec() });
        bytes = &bytes[raw.len()..];
    }
    frames
}

#[test]
fn what_never_ends_costs_the_server_next_to_nothing() {
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::start(&server);
    let before = server.memory();

    let line = send_without_end(&mut Client::connect(server.address), b"NICK ", &[b'a'; 65_536]);
    let line = String::from_utf8_lossy(&line);
    // It is told once that the line is too long; whoever goes on is a flooder.
    assert!(
        line.starts_with(":switchboard.local 417 * ") && line.len() < 300,
        "a line without an end: {line:?}"
    );

    let too_long = claimed(Kind::Say as u8, bystanders.room, u16::MAX);
    let mut strangers = Client::connect(server.address);
    let mut known = Client::login(server.address, "known");
    for client in [&mut strangers, &mut known] {
        let received = frames(&send_without_end(client, &too_long, &[0; 65_536]));
        let codes: Vec<_> = received.iter().map(bye_code).collect();
        assert_eq!(codes, [Some(ByeCode::FrameTooLong)], "a frame without an end");
    }

    let payload = whole(77, &frame::Data { payload: &[0; 30_000] });
    let mut pusher = Client::login(server.address, "pusher");
    let refused = frames(&send_without_end(&mut pusher, &payload, &payload));
    assert!(!refused.is_empty() && refused.iter().all(|f| f.kind() == Kind::Refused && f.channel() == 77));

    bystanders.notice_nothing(&"what never ends");
    assert_small(&server, before, "what never ends");
}

/// The one who asks is made to wait, not the server to remember: reading stops at the high-water mark of its answers.
#[test]
fn questions_without_end_whose_answers_nobody_reads_are_not_kept() {
    let server = Server::start(&["--send-buffer-bytes", "65536"]);
    let mut bystanders = Bystanders::start(&server);
    let before = server.memory();
    let mut asker = Client::login(server.address, "asker");
    let questions = 8 * WITHOUT_END / 16; // far more than the kernel keeps on the way
    let mut writer = asker.stream.try_clone().expect("a clone");
    let written = &AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let piece = whole(0, &frame::Ping { token: 1 }).repeat(1_024);
            for _ in 0..questions / 1_024 {
                writer.write_all(&piece).expect("the server reads on in the end");
                written.fetch_add(1_024, Ordering::Relaxed);
            }
        });
        let mut last = (0, Instant::now());
        common::eventually("the asker has to wait", || {
            let written = written.load(Ordering::Relaxed);
            if written != last.0 {
                last = (written, Instant::now());
            }
            written > 0 && last.1.elapsed() > Duration::from_millis(200)
        });
        assert!(last.0 < questions, "all questions were taken");
        bystanders.notice_nothing(&"questions without end");
        assert_small(&server, before, "questions without end");
        let answers = whole(0, &frame::Pong { token: 1 }).repeat(1_024);
        let mut received = vec![0; answers.len()];
        for n in 0..questions / 1_024 {
            asker.stream.read_exact(&mut received).expect("answers");
            assert!(received == answers, "the answers from {} on are others", n * 1_024);
        }
    });
    asker.round_trip();
    bystanders.notice_nothing(&"questions without end");
    assert_small(&server, before, "answers that were read in the end");
}
