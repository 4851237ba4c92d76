//! Floods of datagrams: of strangers, which cost a look each and nothing else, and of those who may send, whose limit
//! holds while nobody else notices.

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

use common::{Client, Received, Server, open_relay};
use datagrams::{ALL, Datagrams, is_empty, socket};
use random::Random;
use sealing::Sealing;
use stage::Stage;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;
use switchboard::server::Limits;
use switchboard::server::binding::{Dropped, Path};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{Kind, datagram::DATAGRAM_MAX};

/// Datagrams of somebody who guesses: noise, and forgeries of every kind and for many bindings, each of which costs a
/// tag to be found out.
struct Guesser {
    random: Random,
    forger: Sealing,
    buffer: Vec<u8>,
}

impl Guesser {
    fn new(seed: u64) -> Guesser {
        let (random, forger) = (Random::new(seed), Sealing::new(0, &[1; 32]));
        Guesser { random, forger, buffer: vec![0; DATAGRAM_MAX] }
    }

    /// The next one. Nothing is allocated for it.
    fn next(&mut self) -> &[u8] {
        let Guesser { random, buffer, .. } = self;
        let length = random.between(0, 100);
        for chunk in buffer[..length.max(8)].chunks_mut(8) {
            chunk.copy_from_slice(&random.next().to_le_bytes()[..chunk.len()]);
        }
        if random.chance(20) {
            return &buffer[..length];
        }
        let (kind, body): (u8, usize) =
            *random.pick(&[(0xc8, 40), (0xca, 40), (0xcb, 24), (0xcb, 90), (0xc9, 40)]);
        let number = random.below(4) as u32;
        buffer[..2].copy_from_slice(&[kind, 0]);
        buffer[2..4].copy_from_slice(&(body as u16).to_be_bytes());
        buffer[4..8].copy_from_slice(&number.to_be_bytes());
        &buffer[..8 + body]
    }

    /// One that is made with the key of another ticket.
    fn forgery(&mut self) -> Vec<u8> {
        self.forger.number = self.random.below(4) as u32;
        self.forger.seal(0, &frame::Ping { token: 1 })
    }
}

#[test]
fn ten_million_datagrams_of_strangers_are_answered_by_not_one_byte() {
    const COUNT: u64 = 10_000_000;
    let mut stage = Stage::new(Limits::default());
    let mut alice = stage.login("alice", 1 << 20);
    alice.send(0, &frame::GetTicket { request: 1, wants: ALL });
    stage.run(&[&alice]);
    let received = alice.receive();
    let Frame::Ticket(ticket) = received[0].frame() else { panic!("{received:?}") };
    let mut sealing = Sealing::new(received[0].header.channel, &ticket.key);
    let mut guesser = Guesser::new(1);
    let forgery = guesser.forgery();
    let stranger =
        |n: u64| Path { socket: 0, server: None, client: SocketAddr::from(([192, 0, 2, 1], n as u16)) };
    stage.engine.receive_datagram(stranger(0), &forgery);

    let allocations = allocation_counter::measure(|| {
        for n in 1..COUNT {
            stage.engine.receive_datagram(stranger(n), guesser.next());
            if n % 1_024 == 0 {
                stage.turn(&[]);
            }
        }
    });
    stage.turn(&[]);
    assert_eq!(allocations.count_total, 0, "{allocations:?}");
    assert!(stage.sent.is_empty() && alice.kinds().is_empty());
    let counters = stage.engine.counters();
    assert_eq!((counters.datagrams, counters.dropped_total(), counters.datagrams_sent), (COUNT, COUNT, 0));
    for why in [Dropped::Shape, Dropped::Unknown, Dropped::Forged] {
        assert!(counters.dropped(why) > COUNT / 10, "{} {why}", counters.dropped(why));
    }

    let path = stranger(7);
    let sent = stage.datagram(path, &sealing.bind(), &[&alice]);
    let prove = sealing.prove(sealing.clone().open_challenge(&sent[0].1));
    stage.datagram(path, &prove, &[&alice]);
    let ping = sealing.seal(0, &frame::Ping { token: 1 });
    assert_eq!(stage.datagram(path, &ping, &[&alice]).len(), 1, "and the right one is still served");
}

#[test]
fn a_flood_over_a_real_socket_costs_no_memory_and_leaves_the_server_serving() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let mut datagrams = Datagrams::bind(&mut alice, server.address, ALL);
    let strangers: Vec<UdpSocket> = (0..4).map(|_| socket(server.address)).collect();
    let mut guesser = Guesser::new(2);
    let mut flood = |count: usize| {
        for n in 0..count {
            let _ = strangers[n % strangers.len()].send(guesser.next());
            if n % 10_000 == 0 {
                alice.round_trip();
            }
        }
    };
    flood(20_000);
    let before = server.memory();
    flood(300_000);
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 2 << 20, "{grown} bytes more");
    for stranger in &strangers {
        assert!(is_empty(stranger), "something was sent to a stranger");
    }
    assert!(datagrams.round_trip().is_empty());
}

/// The texts of what was said, without that which was something else.
fn texts(received: &[Received]) -> Vec<String> {
    let said = received.iter().filter_map(|received| match received.frame() {
        Frame::Said(said) => Some(said.text.to_owned()),
        _ => None,
    });
    said.collect()
}

/// Everything that the client gets over TCP up to now.
fn over_tcp(client: &mut Client) -> Vec<Received> {
    client.send(0, &frame::Ping { token: 4_711 });
    let mut received = Vec::new();
    loop {
        let next = client.receive();
        if next.frame() == Frame::Pong(frame::Pong { token: 4_711 }) {
            return received;
        }
        received.push(next);
    }
}

const BURST: usize = 50;
const PER_SECOND: usize = 100;

fn strict() -> Server {
    Server::start(&["--datagrams-caused-burst-max", "50", "--datagrams-caused-per-second-max", "100"])
}

#[test]
fn a_flood_to_a_room_is_held_to_the_limit_of_its_sender_and_nobody_elses() {
    let server = strict();
    let mut mallory = Client::login(server.address, "mallory");
    let mut flooding = Datagrams::bind(&mut mallory, server.address, 0);
    let tea = mallory.join("#tea");
    let mut bob = Client::login(server.address, "bob");
    let mut bobs = Datagrams::bind(&mut bob, server.address, ALL);
    bob.join("#tea");
    let mut carol = Client::login(server.address, "carol");
    let mut carols = Datagrams::bind(&mut carol, server.address, ALL);
    carol.join("#tea");

    let (start, memory) = (Instant::now(), server.memory());
    let (mut sent, mut heard) = (0, Vec::new());
    while sent < 20_000 {
        for _ in 0..200 {
            flooding.send(tea, &frame::Say { request: 0, text: "flood" });
            sent += 1;
        }
        mallory.round_trip();
        if sent % 5_000 == 0 {
            // Somebody else talks and pings meanwhile, within their own limit, and is heard.
            carols.send(tea, &frame::Say { request: 0, text: "excuse me" });
            carols.round_trip();
            heard.append(&mut bobs.round_trip());
        }
    }
    heard.append(&mut bobs.round_trip());
    let grown = server.memory().saturating_sub(memory);
    let flood = over_tcp(&mut bob);
    let seconds = start.elapsed().as_secs() as usize + 1;
    let (by_datagram, by_tcp) = (texts(&heard), texts(&flood));
    assert_eq!(by_datagram.iter().filter(|text| *text == "excuse me").count(), 4, "carol was held up");
    let floods = by_datagram.iter().chain(&by_tcp).filter(|text| *text == "flood").count();
    assert!(floods > 0 && floods <= BURST + PER_SECOND * seconds, "{floods} in {seconds} s");
    assert!(grown < 2 << 20, "{grown} bytes more");
}

#[test]
fn what_is_said_over_tcp_beyond_the_limit_goes_by_tcp_and_none_is_lost() {
    let server = strict();
    let mut alice = Client::login(server.address, "alice");
    let tea = alice.join("#tea");
    let mut bob = Client::login(server.address, "bob");
    let mut bobs = Datagrams::bind(&mut bob, server.address, ALL);
    bob.join("#tea");
    let start = Instant::now();
    for n in 0..1_000 {
        alice.send(tea, &frame::Say { request: 0, text: &n.to_string() });
    }
    alice.round_trip();
    let by_datagram = texts(&bobs.round_trip());
    let by_tcp = texts(&over_tcp(&mut bob));
    let seconds = start.elapsed().as_secs() as usize + 1;
    let most = BURST + PER_SECOND * seconds;
    assert!((BURST..=most).contains(&by_datagram.len()), "{} in datagrams", by_datagram.len());
    let mut all: Vec<u32> =
        by_datagram.iter().chain(&by_tcp).map(|text| text.parse().expect("a number")).collect();
    all.sort_unstable();
    assert_eq!(all, (0..1_000).collect::<Vec<u32>>());
}

#[test]
fn a_flood_of_payload_is_held_to_the_limit_of_its_sender() {
    let server = strict();
    let mut mallory = Client::login(server.address, "mallory");
    let mut flooding = Datagrams::bind(&mut mallory, server.address, ALL);
    let mut bob = Client::login(server.address, "bob");
    let mut bobs = Datagrams::bind(&mut bob, server.address, ALL);
    let relay = open_relay(&mut mallory, &mut bob, "bob");
    let start = Instant::now();
    let mut heard = 0;
    for _ in 0..50 {
        for _ in 0..200 {
            flooding.send(relay, &frame::Data { payload: &[7; 1_000] });
        }
        mallory.round_trip();
        heard += bobs.round_trip().len();
    }
    let seconds = start.elapsed().as_secs() as usize + 1;
    assert!(heard > 0 && heard <= BURST + PER_SECOND * seconds, "{heard} in {seconds} s");
    assert!(over_tcp(&mut bob).iter().all(|received| received.kind() != Kind::Data), "nor by another way");
}
