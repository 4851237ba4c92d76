//! Datagrams of those who have no business here: forged, repeated, cut, with tickets of others, from addresses that are
//! not theirs. Nothing comes of them but a number in a counter. A challenge is the only thing that goes to an address
//! which is not proven, never longer than what it answers, and only to where that came from.

mod common;
#[path = "common/datagrams.rs"]
mod datagrams;
#[path = "common/flaky.rs"]
mod flaky;
#[path = "common/random.rs"]
mod random;
#[path = "common/sealing.rs"]
mod sealing;
#[path = "common/stage.rs"]
mod stage;

use common::{Client, SWITCHBOARD, Server};
use datagrams::{ALL, Datagrams, is_empty, socket, ticket};
use random::Random;
use sealing::{Opened, Sealing};
use stage::{Guest, Stage};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;
use switchboard::server::Limits;
use switchboard::server::binding::{COOKIE_TIME, Dropped, PROOF_TIME, Path};
use switchboard::wire::datagram::DATAGRAM_MAX;
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{Flags, Kind, header};

const WINDOW: usize = 1 << 20;
const EXPIRY: Duration = Duration::from_secs(60);

/// An address on the stage.
fn at(port: u16) -> Path {
    Path { socket: 0, server: None, client: SocketAddr::from(([192, 0, 2, 1], port)) }
}

fn stage() -> Stage {
    let ping_after = Duration::from_secs(1_000_000); // what goes by TCP is a message then, or an answer
    Stage::new(Limits { ping_after, ..Limits::default() })
}

fn ask_for_ticket(stage: &mut Stage, guest: &mut Guest) -> Sealing {
    guest.send(0, &frame::GetTicket { request: 1, wants: ALL });
    stage.run(&[guest]);
    let received = guest.receive();
    let Frame::Ticket(ticket) = received[0].frame() else { panic!("{received:?}") };
    Sealing::new(received[0].header.channel, &ticket.key)
}

/// Has a guest prove an address.
fn prove(stage: &mut Stage, guest: &mut Guest, sealing: &mut Sealing, path: Path) {
    let sent = stage.datagram(path, &sealing.bind(), &[guest]);
    let [(to, challenge)] = &sent[..] else { panic!("no challenge: {sent:?}") };
    assert_eq!(*to, path);
    let prove = sealing.prove(sealing.clone().open_challenge(challenge));
    assert!(stage.datagram(path, &prove, &[guest]).is_empty());
    assert_eq!(guest.kinds(), [Kind::Bound]);
}

/// Somebody who is bound, alone in #tea with somebody who listens over TCP.
struct Scene {
    stage: Stage,
    alice: Guest,
    sealing: Sealing,
    listener: Guest,
    tea: u32,
}

impl Scene {
    fn new(path: Path) -> Scene {
        let mut stage = stage();
        let (mut alice, tea) = stage.enter("alice", "#tea", WINDOW);
        let mut sealing = ask_for_ticket(&mut stage, &mut alice);
        prove(&mut stage, &mut alice, &mut sealing, path);
        let (listener, _) = stage.enter("listener", "#tea", WINDOW);
        alice.kinds();
        Scene { stage, alice, sealing, listener, tea }
    }

    fn receive(&mut self, from: Path, datagram: &[u8]) -> Vec<(Path, Vec<u8>)> {
        self.stage.datagram(from, datagram, &[&self.alice, &self.listener])
    }

    fn dropped(&self, why: Dropped) -> u64 {
        self.stage.engine.counters().dropped(why)
    }

    /// Where alice gets datagrams.
    fn reaches(&mut self) -> Option<Path> {
        self.listener.send(self.tea, &frame::Say { request: 0, text: "where are you?" });
        self.stage.run(&[&self.listener, &self.alice]);
        let sent = std::mem::take(&mut self.stage.sent);
        assert_eq!(sent.len() + self.alice.receive().len(), 1, "once, in one way or the other");
        sent.first().map(|(path, _)| *path)
    }
}

#[test]
fn no_bit_of_a_datagram_can_be_changed() {
    let mut scene = Scene::new(at(1));
    let say = scene.sealing.seal(scene.tea, &frame::Say { request: 0, text: "it is me" });
    let bind = scene.sealing.bind();
    let mut forgeries = 0;
    for good in [&say, &bind] {
        for bit in 0..good.len() * 8 {
            let mut forged = good.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            for from in [at(1), at(666)] {
                assert_eq!(scene.receive(from, &forged), [], "bit {bit}");
                forgeries += 1;
            }
        }
    }
    assert!(scene.listener.kinds().is_empty());
    assert_eq!(scene.stage.engine.counters().dropped_total(), forgeries);
    assert_eq!(scene.receive(at(1), &say), []);
    assert_eq!(scene.listener.kinds(), [Kind::Said], "and the one that nobody changed counts");
}

#[test]
fn what_is_cut_lengthened_or_glued_together_is_nothing() {
    let mut scene = Scene::new(at(1));
    let say = scene.sealing.seal(scene.tea, &frame::Say { request: 0, text: "it is me" });
    for length in 0..say.len() {
        assert_eq!(scene.receive(at(1), &say[..length]), []);
    }
    assert_eq!(scene.receive(at(1), &[&say[..], &[0]].concat()), []);
    assert_eq!(scene.receive(at(1), &[&say[..], &say[..]].concat()), []);
    assert_eq!(scene.dropped(Dropped::Shape), say.len() as u64 + 2);
    for length in [DATAGRAM_MAX + 1, 2_000, 65_507] {
        let mut long = say.clone();
        long.resize(length, 0);
        assert_eq!(scene.receive(at(1), &long), []);
    }
    assert_eq!(scene.dropped(Dropped::TooLong), 3);
    // Sealed by the right hand, but more or less than one frame, or none that a datagram may hold.
    let mut frame = Vec::new();
    header::put(&mut frame, Flags::NONE, scene.tea, &frame::Say { request: 0, text: "x" });
    for content in [&frame[..frame.len() - 1], &[&frame[..], &frame[..]].concat(), b"no frame", &[0x93]] {
        let datagram = scene.sealing.seal_bytes(content);
        assert_eq!(scene.receive(at(1), &datagram), []);
    }
    assert_eq!(scene.dropped(Dropped::Shape), say.len() as u64 + 6);
    // What a server says, or what goes by TCP, bare or sealed.
    let mut bare = Vec::new();
    header::put(&mut bare, Flags::NONE, scene.tea, &frame::Say { request: 0, text: "x" });
    assert_eq!(scene.receive(at(1), &bare), []);
    let join = scene.sealing.seal(0, &frame::Join { request: 1, past: 0, room: "#other", password: "" });
    assert_eq!(scene.receive(at(1), &join), []);
    assert_eq!(scene.dropped(Dropped::Frame), 1);
    assert!(scene.listener.kinds().is_empty() && scene.alice.kinds().is_empty());
}

#[test]
fn what_was_recorded_cannot_be_played_again() {
    let mut scene = Scene::new(at(1));
    let datagrams: Vec<Vec<u8>> = (0..300)
        .map(|n| scene.sealing.seal(scene.tea, &frame::Say { request: 0, text: &n.to_string() }))
        .collect();
    for datagram in &datagrams {
        assert_eq!(scene.receive(at(1), datagram), []);
    }
    assert_eq!(scene.listener.receive().len(), 300);
    for from in [at(1), at(666)] {
        for datagram in &datagrams {
            assert_eq!(scene.receive(from, datagram), []);
        }
    }
    assert_eq!(scene.dropped(Dropped::Replayed), 600);
    assert!(scene.listener.kinds().is_empty());
    // What the server sent is no datagram of the client's.
    scene.listener.send(scene.tea, &frame::Say { request: 0, text: "back" });
    scene.stage.run(&[&scene.listener, &scene.alice]);
    let (_, servers) = scene.stage.sent.pop().expect("a datagram for alice");
    assert_eq!(scene.receive(at(1), &servers), []);
    assert_eq!(scene.dropped(Dropped::Forged), 1);
}

#[test]
fn an_answer_to_a_challenge_moves_nothing_a_second_time() {
    let mut scene = Scene::new(at(1));
    let bind = scene.sealing.bind();
    let prove_from = |scene: &mut Scene, from: Path| {
        let sent = scene.receive(from, &bind);
        scene.sealing.prove(scene.sealing.clone().open_challenge(&sent[0].1))
    };
    let (first, second) = (prove_from(&mut scene, at(2)), prove_from(&mut scene, at(3)));
    assert_eq!(scene.receive(at(666), &first), [], "made for another address");
    assert_eq!(scene.receive(at(3), &second), []);
    assert_eq!(scene.alice.kinds(), [Kind::Bound]);
    for (from, recorded) in [(at(2), &first), (at(3), &second)] {
        assert_eq!(scene.receive(from, recorded), []);
    }
    assert_eq!((scene.dropped(Dropped::Cookie), scene.alice.kinds()), (3, vec![]));
    assert_eq!(scene.reaches(), Some(at(3)));
}

#[test]
fn a_challenge_can_be_answered_for_ten_seconds() {
    for (late, kinds) in [(Duration::ZERO, vec![Kind::Bound]), (Duration::from_millis(1), vec![])] {
        let mut stage = stage();
        let mut alice = stage.login("alice", WINDOW);
        let mut sealing = ask_for_ticket(&mut stage, &mut alice);
        let sent = stage.datagram(at(1), &sealing.bind(), &[&alice]);
        let prove = sealing.prove(sealing.clone().open_challenge(&sent[0].1));
        stage.pass(COOKIE_TIME - Duration::from_micros(1) + late, &[&alice]);
        assert!(stage.datagram(at(1), &prove, &[&alice]).is_empty());
        assert_eq!(alice.kinds(), kinds);
        // One that nobody made.
        assert!(stage.datagram(at(1), &sealing.prove([7; 24]), &[&alice]).is_empty());
        assert_eq!(alice.kinds(), []);
        sealing.counter += 1;
    }
}

#[test]
fn one_who_has_a_ticket_cannot_use_that_of_another() {
    let mut scene = Scene::new(at(1));
    let mut mallory = scene.stage.login("mallory", WINDOW);
    let mut own = ask_for_ticket(&mut scene.stage, &mut mallory);
    let mut forger = own.clone();
    forger.number = scene.sealing.number;
    let say = frame::Say { request: 0, text: "I am alice" };
    for datagram in [forger.bind(), forger.prove([0; 24]), forger.seal(scene.tea, &say)] {
        assert_eq!(scene.receive(at(666), &datagram), []);
    }
    assert_eq!(scene.dropped(Dropped::Forged), 3);
    // With the own one, nobody says anything in a room they are not in.
    let datagram = own.seal(scene.tea, &say);
    let sent = scene.stage.datagram(at(666), &datagram, &[&mallory]);
    assert!(sent.iter().all(|(to, bytes)| *to == at(666) && bytes.len() <= datagram.len()));
    assert_eq!(mallory.kinds(), [Kind::Refused]);
    assert!(scene.listener.kinds().is_empty());
}

#[test]
fn a_ticket_ends_with_its_connection_whoever_gets_the_slot() {
    let mut scene = Scene::new(at(1));
    let mut ghost = scene.sealing.clone();
    let old = scene.alice.key;
    scene.alice.send(0, &frame::Bye { code: 0, text: "" });
    scene.stage.run(&[&scene.alice]);
    scene.alice.shut();
    scene.stage.run(&[&scene.alice, &scene.listener]);
    assert!(scene.stage.engine.exchange().connections.get(old).is_none(), "reaped");
    let mut haunt = |scene: &mut Scene, why: Dropped| {
        let before = scene.dropped(why);
        let say = ghost.seal(scene.tea, &frame::Say { request: 0, text: "boo" });
        for datagram in [say, ghost.bind(), ghost.prove([1; 24])] {
            assert_eq!(scene.receive(at(1), &datagram), []);
        }
        assert_eq!(scene.dropped(why), before + 3, "{why:?}");
    };
    haunt(&mut scene, Dropped::Unknown);
    let mut heir = scene.stage.login("heir", WINDOW);
    assert_eq!(heir.key.slot(), old.slot());
    haunt(&mut scene, Dropped::Unknown);
    let sealing = ask_for_ticket(&mut scene.stage, &mut heir);
    assert_eq!(sealing.number, old.slot());
    haunt(&mut scene, Dropped::Forged);
    assert_eq!(heir.kinds(), []);
    assert_eq!(scene.listener.kinds(), [Kind::Left]);
}

#[test]
fn silence_ends_a_binding_and_signs_of_life_keep_it() {
    let mut scene = Scene::new(at(1));
    for _ in 0..4 {
        scene.stage.pass(EXPIRY / 2, &[]);
        assert_eq!(scene.reaches(), Some(at(1)));
        let sign = scene.sealing.seal_bytes(&[]);
        assert_eq!(scene.receive(at(1), &sign), []);
    }
    scene.stage.pass(EXPIRY, &[]);
    assert_eq!(scene.reaches(), None, "over TCP");
    // Whoever has the address now gets no more than was sent from there, until it is proven anew.
    let sign = scene.sealing.seal_bytes(&[]);
    assert_eq!(scene.receive(at(1), &sign), [], "too short to be challenged");
    let ping = scene.sealing.seal(0, &frame::Ping { token: 5 });
    let sent = scene.receive(at(1), &ping);
    assert_eq!(scene.reaches(), None);
    let [(to, challenge)] = &sent[..] else { panic!("{sent:?}") };
    assert!(*to == at(1) && challenge.len() <= ping.len());
    let prove = scene.sealing.prove(scene.sealing.clone().open_challenge(challenge));
    assert_eq!(scene.receive(at(1), &prove), []);
    assert_eq!(scene.alice.kinds(), [Kind::Bound]);
    assert_eq!(scene.reaches(), Some(at(1)));
}

#[test]
fn somebody_who_forges_an_address_they_once_had_cannot_keep_datagrams_flowing_there() {
    let mut scene = Scene::new(at(1));
    let (start, mut challenges) = (scene.stage.now, 0);
    while scene.reaches() == Some(at(1)) {
        scene.stage.pass(Duration::from_secs(20), &[]);
        let sign = scene.sealing.seal_bytes(&[]);
        challenges += scene.receive(at(1), &sign).len(); // which whoever has the address now does not answer
        assert!(scene.stage.now < start + PROOF_TIME + 2 * EXPIRY, "it goes on for ever");
    }
    assert!(scene.stage.now > start + PROOF_TIME);
    assert!((1..=4).contains(&challenges), "{challenges}");
}

/// What went to each address, and what came from it.
#[derive(Default)]
struct Account {
    came: usize,
    went: usize,
}

#[test]
fn an_address_that_is_not_proven_never_gets_more_than_came_from_it() {
    random::with_seeds(0..20, |seed| {
        let mut random = Random::new(seed);
        let mut scene = Scene::new(at(1));
        let mut accounts: HashMap<u16, Account> = HashMap::new();
        let mut challenges = 0;
        let start = scene.stage.now;
        for _ in 0..2_000 {
            let datagram = match random.below(6) {
                0 | 1 => scene.sealing.bind(),
                2 => scene.sealing.seal_bytes(&[]),
                3 => scene.sealing.seal(0, &frame::Ping { token: random.next() }),
                4 => scene.sealing.prove([random.next() as u8; 24]),
                _ => scene.sealing.seal(scene.tea, &frame::Say { request: 0, text: "hello" }),
            };
            let from = at(random.between(100, 110) as u16);
            if random.chance(30) {
                scene.stage.now += Duration::from_millis(random.below(200) as u64);
            }
            let account = accounts.entry(from.client.port()).or_default();
            account.came += datagram.len();
            for (to, sent) in scene.receive(from, &datagram) {
                assert_eq!(to, from, "only to the one who asked");
                let opened = scene.sealing.clone().open(&sent);
                assert!(matches!(opened, Opened::Challenge { .. }), "{opened:?}");
                account.went += sent.len();
                challenges += 1;
            }
            assert!(account.went <= account.came);
            scene.listener.receive();
        }
        let seconds = (scene.stage.now - start).as_secs() as usize + 1;
        assert!(challenges > 0 && challenges <= 10 + 5 * seconds, "{challenges} in {seconds} s");
        assert!(scene.reaches().is_none_or(|path| path == at(1)));
    });
}

#[test]
fn the_log_tells_what_was_dropped_and_why() {
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--ephemeral", "--listen", "127.0.0.1:0"]).env("RUST_LOG", "debug");
    let server = Server::spawn(command);
    let stranger = socket(server.address);
    stranger.send(b"hello?").expect("it goes");
    let line = server.wait_for_log("datagrams dropped");
    assert!(line.contains("1 misshapen"), "{line}");
    stranger.send(&[0; DATAGRAM_MAX + 1]).expect("it goes");
    server.signal("TERM");
    server.wait_for_log("datagrams: ");
}

#[test]
fn over_a_real_socket_strangers_hear_nothing_and_a_challenge_goes_to_the_one_who_asked() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let mut good = Datagrams::bind(&mut alice, server.address, ALL);
    let stranger = socket(server.address);
    let mut random = Random::new(3);
    for _ in 0..2_000 {
        let mut bytes = vec![0; random.below(1_300)];
        bytes.iter_mut().for_each(|byte| *byte = random.next() as u8);
        let mut forged = good.sealing.clone().seal(0, &frame::Ping { token: random.next() });
        let at = random.below(forged.len());
        forged[at] ^= 1 << random.below(8);
        let _ = stranger.send(&bytes);
        let _ = stranger.send(&forged);
        if random.chance(5) {
            good.round_trip(); // so that the kernel's queue does not overflow
        }
    }
    // Somebody repeats a `bind` that they have seen.
    let mut bob = Client::login(server.address, "bob");
    let mut sealing = ticket(&mut bob, ALL);
    stranger.send(&sealing.bind()).expect("it goes");
    let mut challenge = [0; 100];
    let n = stranger.recv(&mut challenge).expect("a challenge, and nothing before it");
    let cookie = sealing.open_challenge(&challenge[..n]);
    assert!(n <= sealing.bind().len());
    // The answer counts from where the challenge went, and from nowhere else.
    let elsewhere = socket(server.address);
    elsewhere.send(&sealing.prove(cookie)).expect("it goes");
    good.round_trip();
    bob.send(0, &frame::Ping { token: 77 });
    assert_eq!(bob.receive().kind(), Kind::Pong, "not bound");
    stranger.send(&sealing.prove(cookie)).expect("it goes");
    bob.receive_kind(Kind::Bound);
    assert!(good.round_trip().is_empty());
    assert!(is_empty(&stranger) && is_empty(&elsewhere));
}
