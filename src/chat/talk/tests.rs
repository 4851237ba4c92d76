use super::*;
use random::{Random, with_seeds};

#[path = "../../../tests/common/random.rs"]
mod random;

const DATAGRAMS: Carrier = Carrier::Datagrams { payload_max: 60 };

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn send(talk: &mut Talk, now: Instant, carrier: Carrier) -> Vec<(Via, Vec<u8>)> {
    let mut sent = Vec::new();
    talk.send(now, carrier, |via, payload| sent.push((via, payload.to_vec())));
    sent
}

fn numbers(sent: &[(Via, Vec<u8>)]) -> Vec<(u32, u32)> {
    let decoded = sent.iter().map(|(_, payload)| Payload::decode(payload).expect("a payload"));
    decoded.map(|payload| (payload.seq, payload.ack)).collect()
}

fn payload(seq: u32, ack: u32, text: &str) -> Vec<u8> {
    Payload { seq, ack, text }.encode(&mut Vec::new()).to_vec()
}

fn receive(talk: &mut Talk, now: Instant, bytes: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut lines = Vec::new();
    talk.receive(now, bytes, |line| lines.push(line.to_owned())).map(|()| lines)
}

fn say(talk: &mut Talk, texts: &[&str]) {
    texts.iter().for_each(|text| talk.say(text).expect("room"));
}

#[test]
fn a_payload_is_seq_ack_text() {
    let mut talk = Talk::default();
    say(&mut talk, &["hé"]);
    let sent = send(&mut talk, Instant::now(), Carrier::Reliable);
    assert_eq!(sent, [(Via::Path, b"\0\0\0\x01\0\0\0\0h\xc3\xa9".to_vec())]);
}

#[test]
fn a_line_is_kept_until_it_is_acknowledged_and_an_ack_goes_with_a_line_if_there_is_one() {
    let now = Instant::now();
    let (mut alice, mut bob) = (Talk::default(), Talk::default());
    say(&mut alice, &["one", "two"]);
    for (_, bytes) in send(&mut alice, now, Carrier::Reliable) {
        receive(&mut bob, now, &bytes).expect("a line");
    }
    assert!(!alice.is_settled() && alice.unacked().eq(["one", "two"]));
    assert_eq!(send(&mut alice, now + ms(60_000), Carrier::Reliable), [], "TCP has it");
    say(&mut bob, &["three"]);
    let sent = send(&mut bob, now, Carrier::Reliable);
    assert_eq!(numbers(&sent), [(1, 2)]);
    assert_eq!(receive(&mut alice, now, &sent[0].1), Ok(vec!["three".to_owned()]));
    assert!(alice.is_settled());
    assert_eq!(numbers(&send(&mut alice, now, Carrier::Reliable)), [(0, 1)]);
    assert_eq!(send(&mut alice, now, Carrier::Reliable), [], "one acknowledgement is enough");
}

#[test]
fn early_lines_wait_and_doubled_ones_are_acknowledged_again_and_not_shown() {
    let now = Instant::now();
    let mut talk = Talk::default();
    assert_eq!(receive(&mut talk, now, &payload(3, 0, "c")), Ok(vec![]));
    assert_eq!(receive(&mut talk, now, &payload(2, 0, "b")), Ok(vec![]));
    assert_eq!(numbers(&send(&mut talk, now, DATAGRAMS)), [(0, 0)]);
    let lines = receive(&mut talk, now, &payload(1, 0, "a")).expect("a line");
    assert_eq!(lines, ["a", "b", "c"]);
    assert_eq!(numbers(&send(&mut talk, now, DATAGRAMS)), [(0, 3)]);
    assert_eq!(receive(&mut talk, now, &payload(2, 0, "b")), Ok(vec![]));
    assert_eq!(numbers(&send(&mut talk, now, DATAGRAMS)), [(0, 3)]);
    assert_eq!(receive(&mut talk, now, &payload(0, 0, "what a newer one may add")), Ok(vec![]));
    assert_eq!(send(&mut talk, now, DATAGRAMS), [], "an acknowledgement is not acknowledged");
}

#[test]
fn a_change_of_path_sends_all_again_and_an_acknowledgement_in_any_case() {
    let now = Instant::now();
    let mut talk = Talk::default();
    say(&mut talk, &["one", "two"]);
    send(&mut talk, now, Carrier::Reliable);
    receive(&mut talk, now, &payload(1, 1, "hello")).expect("a line");
    assert_eq!(numbers(&send(&mut talk, now, Carrier::Reliable)), [(0, 1)]);
    talk.path_changed();
    assert_eq!(numbers(&send(&mut talk, now, Carrier::Reliable)), [(2, 1)]);
    receive(&mut talk, now, &payload(0, 2, "")).expect("an acknowledgement");
    talk.path_changed();
    assert_eq!(numbers(&send(&mut talk, now, Carrier::Reliable)), [(0, 1)], "the old one may be lost");
}

#[test]
fn over_datagrams_a_line_is_sent_again_after_a_timeout_that_doubles() {
    let start = Instant::now();
    let mut talk = Talk::default();
    say(&mut talk, &["hello"]);
    let mut now = start;
    let mut gaps = Vec::new();
    for _ in 0..6 {
        assert_eq!(numbers(&send(&mut talk, now, DATAGRAMS)), [(1, 0)]);
        let next = talk.next_deadline().expect("a deadline");
        assert_eq!(send(&mut talk, next - ms(1), DATAGRAMS), []);
        gaps.push(next.duration_since(now).as_millis());
        now = next;
    }
    assert_eq!(gaps, [250, 500, 1_000, 2_000, 2_000, 2_000]);
    assert_eq!(talk.loss(), Loss { sent: 6, retransmitted: 5, round_trip: None });
    receive(&mut talk, now, &payload(0, 1, "")).expect("an acknowledgement");
    assert!(talk.is_settled() && talk.next_deadline().is_none());
    assert_eq!(talk.loss().round_trip, None, "which of the six was acknowledged nobody knows");
}

#[test]
fn only_a_line_sent_once_says_how_long_the_way_is_and_a_long_one_makes_for_patience() {
    let now = Instant::now();
    let mut talk = Talk::default();
    say(&mut talk, &["one"]);
    send(&mut talk, now, DATAGRAMS);
    receive(&mut talk, now + ms(200), &payload(0, 1, "")).expect("an acknowledgement");
    assert_eq!(talk.loss().round_trip, Some(ms(200)));
    say(&mut talk, &["two"]);
    send(&mut talk, now, DATAGRAMS);
    assert_eq!(talk.next_deadline(), Some(now + ms(600)), "the round trip and four times its variation");
    talk.path_changed();
    assert_eq!(talk.loss(), Loss::default(), "it was another path's");
}

#[test]
fn what_does_not_fit_into_a_datagram_goes_by_the_relay_once() {
    let now = Instant::now();
    let mut talk = Talk::default();
    let (fits, long) = ("x".repeat(52), "x".repeat(53));
    say(&mut talk, &[&fits, &long, "short"]);
    let sent = send(&mut talk, now, DATAGRAMS);
    assert_eq!(sent.iter().map(|(via, _)| *via).collect::<Vec<_>>(), [Via::Path, Via::Relay, Via::Path]);
    assert_eq!(numbers(&send(&mut talk, now + ms(250), DATAGRAMS)), [(1, 0), (3, 0)]);
    receive(&mut talk, now + ms(300), &payload(0, 3, "")).expect("an acknowledgement");
    assert_eq!(talk.loss().round_trip, None);
}

#[test]
fn a_peer_that_acknowledges_nothing_is_sent_a_window_and_no_more() {
    let now = Instant::now();
    let mut talk = Talk::default();
    let mut said = 0;
    while talk.has_room() {
        say(&mut talk, &["hello"]);
        said += 1;
    }
    assert_eq!((said, talk.say("hello")), (LINES_MAX, Err(Unsayable::NoRoom)));
    assert_eq!(send(&mut talk, now, Carrier::Reliable).len(), WINDOW as usize);
    assert_eq!(send(&mut talk, now, Carrier::Reliable), []);
    receive(&mut talk, now, &payload(0, 10, "")).expect("an acknowledgement");
    let next: Vec<(u32, u32)> = (65..75).map(|seq| (seq, 0)).collect();
    assert_eq!(numbers(&send(&mut talk, now, Carrier::Reliable)), next);
    assert!(talk.has_room());
}

#[test]
fn what_breaks_the_rules_is_an_error_and_changes_nothing() {
    let now = Instant::now();
    let mut talk = Talk::default();
    say(&mut talk, &["one"]);
    send(&mut talk, now, DATAGRAMS);
    let cases = [
        (vec![], Malformed::Short),
        (vec![0; 7], Malformed::Short),
        (b"\0\0\0\x01\0\0\0\0\xff".to_vec(), Malformed::NotUtf8),
        (payload(1, 1, "a\nb"), Malformed::NotOneLine),
        (payload(1, 1, "a\0b"), Malformed::NotOneLine),
        (payload(1, 2, "a"), Malformed::AckOfNothing),
        (payload(0, u32::MAX, ""), Malformed::AckOfNothing),
        (payload(WINDOW + 1, 1, "a"), Malformed::BeyondWindow),
        (payload(u32::MAX, 1, "a"), Malformed::BeyondWindow),
    ];
    for (bytes, why) in cases {
        assert_eq!(receive(&mut talk, now, &bytes), Err(why), "{bytes:?}");
        assert!(!talk.is_settled() && send(&mut talk, now, DATAGRAMS).is_empty());
    }
    for text in ["a\0", "a\rb", "\n"] {
        assert_eq!(talk.say(text), Err(Unsayable::NotOneLine));
    }
    assert_eq!(receive(&mut talk, now, &payload(WINDOW, 1, "a")), Ok(vec![]), "the last that may be early");
}

#[test]
fn the_last_number_ends_it_without_a_wrap() {
    let now = Instant::now();
    let before = SEQ_MAX - 1;
    let mut talk = Talk { acked: before, sent: before, received: before, ..Talk::default() };
    say(&mut talk, &["the last"]);
    assert_eq!(talk.say("one more"), Err(Unsayable::NoRoom));
    assert_eq!(numbers(&send(&mut talk, now, DATAGRAMS)), [(SEQ_MAX, before)]);
    assert_eq!(receive(&mut talk, now, &payload(SEQ_MAX, SEQ_MAX, "bye")), Ok(vec!["bye".to_owned()]));
    assert_eq!(receive(&mut talk, now, &payload(u32::MAX, 0, "x")), Err(Malformed::BeyondWindow));
    assert!(talk.is_settled() && !talk.has_room());
    assert_eq!(numbers(&send(&mut talk, now, DATAGRAMS)), [(0, SEQ_MAX)]);
}

/// Two talks, and paths between them that come and go.
struct World {
    random: Random,
    now: Instant,
    sides: [Side; 2],
    /// By the path's number.
    paths: Vec<Carrier>,
    transit: Vec<Packet>,
    stamp: u64,
}

#[derive(Default)]
struct Side {
    talk: Talk,
    to_say: Vec<String>,
    heard: Vec<String>,
    /// The path that this side uses; the other one may be ahead or behind.
    path: usize,
}

struct Packet {
    to: usize,
    /// `None` for the relay, which loses nothing here.
    path: Option<usize>,
    at: Instant,
    stamp: u64,
    bytes: Vec<u8>,
}

/// How often the path changes.
const PATHS: usize = 6;
const LOSS_PERCENT: usize = 25;
const STEPS_MAX: usize = 100_000;

impl World {
    fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let sides = [(); 2].map(|()| {
            let lines = random.below(400);
            let to_say = (0..lines).map(|n| format!("{n} {}", "x".repeat(random.below(80)))).collect();
            Side { to_say, ..Side::default() }
        });
        let paths =
            (0..PATHS).map(|_| if random.chance(50) { Carrier::Reliable } else { DATAGRAMS }).collect();
        World { random, now: Instant::now(), sides, paths, transit: Vec::new(), stamp: 0 }
    }

    fn run(mut self) {
        let mut said = [0; 2];
        for step in 0.. {
            let is_over = |at: usize| {
                let (side, other) = (&self.sides[at], &self.sides[1 - at]);
                side.path == PATHS - 1 && side.talk.is_settled() && other.heard == side.to_say
            };
            if is_over(0) && is_over(1) {
                return;
            }
            assert!(step < STEPS_MAX, "it never settles");
            let at = self.random.below(2);
            let side = &mut self.sides[at];
            while said[at] < side.to_say.len() && side.talk.has_room() && self.random.chance(30) {
                side.talk.say(&side.to_say[said[at]]).expect("room");
                said[at] += 1;
            }
            // The ends of a path are never more than one change apart: the next path needs both.
            if side.path + 1 < PATHS && side.path <= self.sides[1 - at].path && self.random.chance(2) {
                self.change_path(at);
            }
            self.send(at);
            self.now += ms(self.random.below(60) as u64);
            self.deliver();
        }
    }

    fn change_path(&mut self, at: usize) {
        self.sides[at].path += 1;
        self.sides[at].talk.path_changed();
        // What the old path still held, either way, may arrive or not; its end is gone first, as with a broken connection.
        let old = self.sides[at].path - 1;
        let keeps = self.random.below(self.stamp as usize + 1) as u64;
        self.transit.retain(|packet| packet.path != Some(old) || packet.stamp < keeps);
    }

    fn send(&mut self, at: usize) {
        let path = self.sides[at].path;
        // A path that the other end has left takes nothing to it any more.
        let dead = self.sides[1 - at].path > path;
        let carrier = self.paths[path];
        let sent = send(&mut self.sides[at].talk, self.now, carrier);
        for (via, bytes) in sent {
            let fits = carrier == Carrier::Reliable || via == Via::Relay || bytes.len() <= 60;
            assert!(fits, "{} bytes in a datagram", bytes.len());
            let is_datagram = via == Via::Path && carrier != Carrier::Reliable;
            let copies = match (via, is_datagram) {
                (Via::Path, _) if dead => 0,
                (_, true) if self.random.chance(LOSS_PERCENT) => 0,
                (_, true) if self.random.chance(10) => 2,
                _ => 1,
            };
            for _ in 0..copies {
                self.stamp += 1;
                let delay = if is_datagram { self.random.below(300) as u64 } else { 40 };
                self.transit.push(Packet {
                    to: 1 - at,
                    path: (via == Via::Path).then_some(path),
                    at: self.now + ms(delay),
                    stamp: self.stamp,
                    bytes: bytes.clone(),
                });
            }
        }
    }

    fn deliver(&mut self) {
        self.transit.sort_by_key(|packet| (packet.at, packet.stamp));
        let later = self.transit.partition_point(|packet| packet.at <= self.now);
        for packet in self.transit.drain(..later) {
            let side = &mut self.sides[packet.to];
            let heard = &mut side.heard;
            let taken = side.talk.receive(self.now, &packet.bytes, |line| heard.push(line.to_owned()));
            assert_eq!(taken, Ok(()));
            assert!(self.sides[1 - packet.to].to_say.starts_with(&self.sides[packet.to].heard));
        }
    }
}

#[test]
fn every_line_arrives_once_and_in_order_whatever_the_paths_do() {
    with_seeds(0..100, |seed| World::new(seed).run());
}
