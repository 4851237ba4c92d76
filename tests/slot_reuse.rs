//! Connections come and go so fast that every slot is used again at once, often in the turn in which it is freed. What
//! was meant for one client never reaches the next one in its place.

mod common;

use common::{Client, Server, open_relay};
use socket2::SockRef;
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{BODY_MAX, Flags, header};

/// SplitMix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// A client whose every byte can be told from anybody else's.
struct Tagged {
    client: Client,
    name: String,
    tag: u64,
    pings: u64,
}

impl Tagged {
    /// Connects and says hello, without waiting for the answer.
    fn connect(address: SocketAddr, name: String, tag: u64) -> Tagged {
        let mut client = Client::connect(address);
        client.hello(&name);
        Tagged { client, name, tag, pings: 0 }
    }

    /// The first frame is the welcome, to this name: nothing that was another's comes before it.
    fn expect_welcome(&mut self) {
        let welcome = self.client.receive();
        match welcome.frame() {
            Frame::Welcome(welcome) => assert_eq!(welcome.name, self.name),
            other => panic!("{} was to be welcomed, not: {other:?}", self.name),
        }
    }

    fn ping(&mut self) {
        self.pings += 1;
        let token = self.tag << 16 | self.pings;
        self.client.send(0, &frame::Ping { token });
    }

    fn tell(&mut self, to: &str) {
        let text = format!("from {} for {to}", self.name);
        self.client.send(0, &frame::Tell { request: 0, to, text: &text });
    }

    /// Reads until the answer to the latest ping, and looks at everything before it.
    fn settle(&mut self) {
        self.ping();
        let last = self.tag << 16 | self.pings;
        loop {
            let received = self.client.receive();
            match received.frame() {
                Frame::Pong(pong) => {
                    assert_eq!(pong.token >> 16, self.tag, "{} got another's pong", self.name);
                    if pong.token == last {
                        return;
                    }
                }
                Frame::Told(told) => {
                    let text = format!("from {} for {}", told.from, self.name);
                    assert_eq!(told.text, text, "{} got another's message", self.name);
                }
                // Whom it told something may be gone.
                Frame::Refused(refused) => assert_eq!(refused.request, 0),
                other => panic!("{} got {other:?}", self.name),
            }
        }
    }

    /// Goes, in one of the ways in which clients go, with answers unread and requests unanswered.
    fn vanish(mut self, random: &mut Random) {
        for _ in 0..random.below(20) {
            self.ping();
        }
        match random.below(4) {
            0 => self.client.send(0, &frame::Bye { code: 0, text: "" }),
            1 => SockRef::from(&self.client.stream).set_linger(Some(Duration::ZERO)).expect("linger"),
            2 => self.client.stream.shutdown(Shutdown::Write).expect("a shutdown"),
            _ => {}
        }
    }
}

/// One seed's storm, among others on the same server.
fn storm(address: SocketAddr, seed: u64) {
    let mut random = Random(seed);
    let mut next = 0;
    let mut newcomer = || {
        next += 1;
        Tagged::connect(address, format!("s{seed}-{next}"), seed << 32 | next)
    };
    let mut clients: Vec<Tagged> = (0..6).map(|_| newcomer()).collect();
    clients.iter_mut().for_each(Tagged::expect_welcome);
    for _ in 0..150 {
        let (one, other) = (random.below(clients.len()), random.below(clients.len()));
        match random.below(4) {
            0 => clients[one].settle(),
            1 if one != other => {
                let to = clients[other].name.clone();
                clients[one].tell(&to);
            }
            _ => {
                // Somebody has just sent something to the one who goes, and the next one comes at once.
                let goes = clients.swap_remove(one);
                let other = random.below(clients.len());
                clients[other].tell(&goes.name);
                goes.vanish(&mut random);
                let mut comes = newcomer();
                clients[other].ping();
                comes.expect_welcome();
                clients.push(comes);
            }
        }
    }
    clients.iter_mut().for_each(Tagged::settle);
}

#[test]
fn a_storm_of_connections_never_mixes_two_clients_up() {
    let server = Server::start(&[]);
    let address = server.address;
    for round in 0..15 {
        let storms: Vec<_> = (0..4)
            .map(|n| {
                let seed = round * 4 + n;
                (seed, std::thread::spawn(move || storm(address, seed)))
            })
            .collect();
        for (seed, storm) in storms {
            storm.join().unwrap_or_else(|_| panic!("the storm of seed {seed}"));
        }
    }
}

#[test]
fn going_coming_and_talking_in_one_turn_never_mixes_two_clients_up() {
    let server = Server::start(&[]);
    let mut random = Random(1);
    let mut next = 0;
    let mut name = move || {
        next += 1;
        (format!("turn-{next}"), next)
    };
    let mut clients: Vec<Tagged> = Vec::new();
    for seed in 0..60 {
        // While the server is stopped, all of this piles up; then it comes as one batch of events.
        server.signal("STOP");
        let mut fresh = Vec::new();
        for _ in 0..10 {
            if clients.len() > 4 {
                let goes = clients.swap_remove(random.below(clients.len()));
                for client in &mut clients {
                    client.tell(&goes.name);
                }
                goes.vanish(&mut random);
            }
            let (name, tag) = name();
            fresh.push(Tagged::connect(server.address, name, tag));
            for client in &mut clients {
                client.ping();
            }
        }
        server.signal("CONT");
        fresh.iter_mut().for_each(Tagged::expect_welcome);
        clients.append(&mut fresh);
        clients.iter_mut().for_each(Tagged::settle);
        assert!(!clients.is_empty(), "seed {seed}");
        clients.truncate(12);
    }
}

#[test]
fn relay_payload_for_one_who_went_reaches_nobody() {
    let server = Server::start(&[]);
    let mut random = Random(2);
    let mut alice = Client::login(server.address, "alice");
    for round in 0..40 {
        let callee = format!("callee{round}");
        let mut bob = Client::login(server.address, &callee);
        let relay = open_relay(&mut alice, &mut bob, &callee);
        server.signal("STOP");
        let payload = vec![b'!'; 1 + random.below(3_000)];
        let mut bytes = Vec::new();
        for _ in 0..1 + random.below(40) {
            header::put(&mut bytes, Flags::NONE, relay, &frame::Data { payload: &payload });
        }
        // Half of it before the other end goes, half after.
        let (before, after) = bytes.split_at(bytes.len() / 2);
        alice.send_bytes(before);
        if random.below(2) == 0 {
            SockRef::from(&bob.stream).set_linger(Some(Duration::ZERO)).expect("linger");
        }
        drop(bob);
        let mut heirs: Vec<Client> = (0..3).map(|_| Client::connect(server.address)).collect();
        alice.send_bytes(after);
        server.signal("CONT");
        for (n, heir) in heirs.iter_mut().enumerate() {
            let name = &format!("heir{round}-{n}");
            let hello = frame::Hello { request: 1, version: frame::VERSION, body_max: BODY_MAX, name };
            heir.send(0, &hello);
            assert!(matches!(heir.receive().frame(), Frame::Welcome(_)));
        }
        alice.round_trip();
        for heir in &mut heirs {
            heir.send(0, &frame::Ping { token: 1 });
            assert_eq!(heir.receive().frame(), Frame::Pong(frame::Pong { token: 1 }), "round {round}");
        }
    }
}
