//! Where a peer can be reached is shown to those only whom its owner lets see it, and tried only when both ends of a
//! relay want that.

#[path = "common/recorder.rs"]
mod recorder;

use recorder::{Answered, Happened, Recorded, Recorder, moment};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use switchboard::hub::{
    Address, ChannelId, Command, Hub, Limits, Observed, Offers, Origin, PathRole, Purpose, Refusal,
    RequestId, SessionId, Transport,
};

const ANN: SessionId = SessionId(1);
const BOB: SessionId = SessionId(2);
const CY: SessionId = SessionId(3);

struct Desk {
    hub: Hub,
    now: Instant,
    requests: u32,
    recorder: Recorder,
}

impl Desk {
    /// Ann and Bob are seen at 192.0.2.1 and .2, over TCP from port 5,000, in datagrams from 6,000; Cy over TCP alone.
    fn new() -> Desk {
        let (hub, now) = (Hub::new(Limits::default()), Instant::now());
        let mut desk = Desk { hub, now, requests: 0, recorder: Recorder::default() };
        for (session, name) in [(ANN, "ann"), (BOB, "bob"), (CY, "cy")] {
            let ip = [192, 0, 2, session.0 as u8];
            let udp = (session != CY).then(|| SocketAddr::from((ip, 6_000)));
            let observed = Observed { tcp: SocketAddr::from((ip, 5_000)), udp, heard: now };
            desk.recorder.1.observed.insert(session, observed);
            desk.ask(session, Command::Login { name, payload_max: 1_000, username: "", realname: "" });
        }
        desk
    }

    fn ask(&mut self, session: SessionId, command: Command<'_>) -> Vec<Recorded> {
        self.requests += 1;
        self.hub.handle(moment(self.now), session, RequestId(self.requests), command, &mut self.recorder);
        self.hub.audit().expect("the books agree");
        self.recorder.take()
    }

    fn answer(&mut self, session: SessionId, command: Command<'_>) -> Answered {
        match self.ask(session, command).into_iter().next() {
            Some(Recorded::Reply { to, answer, .. }) if to == session => answer,
            other => panic!("no answer but {other:?}"),
        }
    }

    fn declare(&mut self, session: SessionId, shown: bool, addresses: &[Address]) -> Answered {
        let addresses = addresses.into();
        self.answer(session, Command::Declare { offers: Offers::default(), shown, addresses })
    }

    fn looked_up(&mut self, asker: SessionId, name: &str) -> Vec<Address> {
        match self.answer(asker, Command::Lookup { name }) {
            Answered::Peer { addresses, .. } => addresses,
            other => panic!("{other:?}"),
        }
    }

    /// Ann has called Bob, who took the call.
    fn relay(&mut self) -> ChannelId {
        let effects = self.ask(ANN, Command::Open { to: "bob", purpose: Purpose::Conversation });
        let Some(Recorded::Send { channel, .. }) = effects.first() else { panic!("{effects:?}") };
        self.ask(BOB, Command::Accept { channel: *channel });
        *channel
    }

    fn offer(&mut self, by: SessionId, channel: ChannelId, addresses: &[Address]) -> Vec<Recorded> {
        self.ask(by, Command::OfferPaths { channel, addresses: addresses.into() })
    }
}

fn at(transport: Transport, origin: Origin, address: &str) -> Address {
    Address { transport, origin, at: address.parse().expect("an address") }
}

fn tcp(address: &str) -> Address {
    at(Transport::Tcp, Origin::Declared, address)
}

fn udp(address: &str) -> Address {
    at(Transport::Udp, Origin::Declared, address)
}

/// What one end is told to try: who, role, round, key, addresses.
type Told = (SessionId, PathRole, u8, [u8; 32], Vec<Address>);

fn told(effects: &[Recorded]) -> Vec<Told> {
    let paths = effects.iter().filter_map(|effect| match effect {
        Recorded::Send { to, event: Happened::Paths { round, role, key, addresses }, .. } => {
            Some((*to, *role, *round, key.0, addresses.clone()))
        }
        _ => None,
    });
    paths.collect()
}

#[test]
fn the_directory_shows_addresses_of_those_alone_who_want_it() {
    let mut desk = Desk::new();
    assert_eq!(desk.looked_up(CY, "ann"), [], "who declared nothing shows nothing");
    let ours = [tcp("10.0.0.1:7000"), udp("10.0.0.1:7000")];
    assert_eq!(desk.declare(ANN, false, &ours), Answered::Done);
    assert_eq!(desk.looked_up(CY, "ann"), [], "declared is not shown");
    assert_eq!(desk.declare(ANN, true, &ours), Answered::Done);
    let observed = [
        at(Transport::Tcp, Origin::Observed, "192.0.2.1:5000"),
        at(Transport::Udp, Origin::Observed, "192.0.2.1:6000"),
    ];
    assert_eq!(desk.looked_up(CY, "ann"), [ours.as_slice(), &observed].concat());
    assert_eq!(desk.declare(ANN, true, &[tcp("192.0.2.1:5000")]), Answered::Done);
    assert_eq!(
        desk.looked_up(CY, "ann"),
        [tcp("192.0.2.1:5000")],
        "of UDP nothing was said, and none is there twice"
    );
    assert_eq!(desk.declare(ANN, false, &[]), Answered::Done);
    assert_eq!(desk.looked_up(CY, "ann"), [], "it can be taken back");
}

#[test]
fn a_round_begins_when_both_have_offered_and_gives_each_the_other_s_addresses_under_one_key() {
    let mut desk = Desk::new();
    let relay = desk.relay();
    assert_eq!(told(&desk.offer(ANN, relay, &[udp("10.0.0.1:7000")])), [], "one alone starts nothing");
    let effects = desk.offer(BOB, relay, &[udp("10.0.0.2:7000"), tcp("10.0.0.2:7000")]);
    let [caller, callee] = &told(&effects)[..] else { panic!("{effects:?}") };
    let for_ann = vec![
        udp("10.0.0.2:7000"),
        tcp("10.0.0.2:7000"),
        at(Transport::Tcp, Origin::Observed, "192.0.2.2:5000"),
        at(Transport::Udp, Origin::Observed, "192.0.2.2:6000"),
    ];
    let for_bob = vec![udp("10.0.0.1:7000"), at(Transport::Udp, Origin::Observed, "192.0.2.1:6000")];
    assert_eq!((caller.0, caller.1, caller.2, &caller.4), (ANN, PathRole::Caller, 1, &for_ann));
    assert_eq!((callee.0, callee.1, callee.2, &callee.4), (BOB, PathRole::Callee, 1, &for_bob));
    assert_eq!(caller.3, callee.3, "both have the same key");

    // The next round has another key, and after the last one there is none.
    let mut keys = vec![caller.3];
    for round in 2..=3 {
        desk.offer(BOB, relay, &[udp("10.0.0.2:7000")]);
        let effects = desk.offer(ANN, relay, &[udp("10.0.0.1:7000")]);
        let (.., key, _) = told(&effects)[0].clone();
        assert_eq!(told(&effects)[0].2, round);
        assert!(!keys.contains(&key));
        keys.push(key);
    }
    let refused = Answered::Refused(Refusal::TooManyRounds { rounds_max: 3 });
    let addresses = [udp("10.0.0.1:7000")];
    assert_eq!(
        desk.answer(ANN, Command::OfferPaths { channel: relay, addresses: addresses.into() }),
        refused
    );
}

#[test]
fn where_one_end_offers_nothing_neither_learns_an_address() {
    let mut desk = Desk::new();
    let relay = desk.relay();
    desk.offer(ANN, relay, &[udp("10.0.0.1:7000"), tcp("10.0.0.1:7000")]);
    let effects = desk.offer(BOB, relay, &[]);
    let told = told(&effects);
    assert_eq!(told.len(), 2, "both are told that there is nothing to try");
    assert!(told.iter().all(|(.., addresses)| addresses.is_empty()), "{told:?}");
}

#[test]
fn only_the_ends_of_an_open_relay_can_offer_paths() {
    let mut desk = Desk::new();
    let effects = desk.ask(ANN, Command::Open { to: "bob", purpose: Purpose::Conversation });
    let Some(Recorded::Send { channel, .. }) = effects.first() else { panic!("{effects:?}") };
    let offer = || Command::OfferPaths { channel: *channel, addresses: [udp("10.0.0.1:7000")].into() };
    let refused = Answered::Refused(Refusal::NoSuchRelay);
    assert_eq!(desk.answer(ANN, offer()), refused, "it rings");
    assert_eq!(desk.answer(BOB, offer()), refused, "it rings");
    desk.ask(BOB, Command::Accept { channel: *channel });
    assert_eq!(desk.answer(CY, offer()), refused, "a third has no part in it");
    assert_eq!(desk.answer(ANN, offer()), Answered::Done);
    desk.ask(BOB, Command::Close { channel: *channel });
    assert_eq!(desk.answer(ANN, offer()), refused, "it has ended");
}

#[test]
fn addresses_at_which_nobody_can_be_reached_are_refused() {
    let mut desk = Desk::new();
    for address in [
        "10.0.0.1:0",
        "0.0.0.0:7000",
        "255.255.255.255:7000",
        "224.0.0.1:7000",
        "169.254.1.1:7000",
        "127.0.0.1:7000",
        "[::]:7000",
        "[::1]:7000",
        "[ff02::1]:7000",
        "[fe80::1]:7000",
    ] {
        let expected = Refusal::BadAddress { address: address.parse().expect("an address") };
        assert_eq!(
            desk.declare(ANN, true, &[tcp("10.0.0.1:7000"), udp(address)]),
            Answered::Refused(expected)
        );
    }
    assert_eq!(desk.looked_up(CY, "ann"), [], "what is refused leaves no trace");
    let many: Vec<Address> = (1..=17).map(|port| tcp(&format!("10.0.0.1:{port}"))).collect();
    let refused = Answered::Refused(Refusal::TooManyAddresses { addresses_max: 16 });
    assert_eq!(desk.declare(ANN, true, &many), refused);
    assert_eq!(desk.declare(ANN, true, &many[..16]), Answered::Done);
    // On the server's own machine, loopback is an address like others.
    let local = SocketAddr::from(([127, 0, 0, 1], 5_000));
    desk.recorder.1.observed.get_mut(&BOB).expect("Bob is seen").tcp = local;
    assert_eq!(desk.declare(BOB, true, &[tcp("127.0.0.1:7000")]), Answered::Done);
}

#[test]
fn the_directory_tells_when_a_peer_was_last_heard_of() {
    let mut desk = Desk::new();
    desk.now += Duration::from_secs(1_000);
    // In steps of five minutes: at which moment somebody does something is theirs to know.
    desk.recorder.1.observed.get_mut(&ANN).expect("Ann is seen").heard += Duration::from_secs(370);
    match desk.answer(CY, Command::Lookup { name: "ann" }) {
        Answered::Peer { online_seconds: 1_000, heard_seconds: 600, .. } => {}
        other => panic!("{other:?}"),
    }
}
