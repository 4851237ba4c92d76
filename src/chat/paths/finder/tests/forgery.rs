//! What does not come from where it says, or not from the peer at all.

use super::*;

/// Where somebody is who has nothing to do with the call.
fn victim() -> SocketAddr {
    host(8)
}

/// A peer that has the key, and can put any source address into its datagrams.
struct Forger {
    finder: Finder,
    now: Instant,
    seal: Seal,
    role: PathRole,
    counter: u64,
    /// Pings to the victim, to which nothing else goes, and the tokens of those to the forger's own address.
    to_victim: usize,
    tokens: Vec<u64>,
    opened: Option<Way>,
    ended: Option<Action>,
}

impl Forger {
    /// The finder of somebody who was told both addresses, in this role.
    fn against(role: PathRole) -> Self {
        let now = Instant::now();
        let entry = |address| AddressEntry { transport: Transport::Udp.number(), origin: 0, address };
        let addresses = vec![entry(victim()), entry(host(1))];
        let round = Round { channel: CHANNEL, round: 1, role, key: &KEY, addresses, udp: true };
        let theirs = match role {
            PathRole::Caller => Sender::Callee,
            PathRole::Callee => Sender::Caller,
        };
        Forger {
            finder: Finder::new(round, tokens(0), now),
            now,
            seal: Seal::derive(&KEY, theirs),
            role,
            counter: 0,
            to_victim: 0,
            tokens: Vec::new(),
            opened: None,
            ended: None,
        }
    }

    fn forge<'a>(&mut self, source: SocketAddr, body: &impl Body<'a>) {
        let (mut frame, mut sealed) = (Vec::new(), Vec::new());
        put(&mut frame, Flags::NONE, CHANNEL, body);
        self.seal.seal(&mut sealed, CHANNEL, self.counter, &frame);
        self.counter += 1;
        self.finder.receive(Way::Udp(source), &parse(&sealed).expect("a datagram"), self.now);
    }

    /// Lets the finder do what is due, and looks at what it sent.
    fn step(&mut self, time: Duration) {
        self.now += time;
        self.finder.tick(self.now);
        while let Some(action) = self.finder.take_action() {
            match action {
                Action::Send { way: Way::Udp(to), sealed } => self.see(to, &sealed),
                Action::Open { way } => self.opened = Some(way),
                end => self.ended = Some(end),
            }
        }
    }

    fn see(&mut self, to: SocketAddr, sealed: &[u8]) {
        let ours = if self.role == PathRole::Caller { Sender::Caller } else { Sender::Callee };
        let content = parse(sealed).and_then(|datagram| datagram.verify(&Seal::derive(&KEY, ours)));
        let Some(Content::Sealed { frame, .. }) = content else { panic!("not sealed") };
        let Ok(Split::Frame(raw)) = split(frame, BODY_MAX) else { panic!("no frame") };
        match raw.decode() {
            Ok(Frame::Ping(_)) if to == victim() => self.to_victim += 1,
            Ok(Frame::Ping(Ping { token })) => self.tokens.push(token),
            other => assert_ne!(to, victim(), "{other:?}"),
        }
    }

    fn answer_own(&mut self) {
        for token in std::mem::take(&mut self.tokens) {
            self.forge(host(1), &Pong { token });
        }
    }
}

#[test]
fn who_answers_for_an_address_that_is_not_its_own_is_not_believed() {
    for role in PEER {
        let mut forger = Forger::against(role);
        let started = forger.now;
        while forger.ended.is_none() {
            forger.step(STEP);
            // All that can be known: times, small numbers, and what came to an address of its own.
            let micros = (forger.now - started).as_micros() as u64;
            let guesses =
                (0..20).flat_map(|n| [n, n << 48, n << 48 | micros, n << 48 | (micros - 5_000), !n]);
            let seen = forger.tokens.clone();
            for token in guesses.chain(seen) {
                forger.forge(victim(), &Pong { token });
            }
            forger.forge(victim(), &CHOICE);
            forger.forge(victim(), &Data { payload: b"talk to me" });
            assert!(forger.now - started < Duration::from_secs(5), "the search ends");
        }
        assert_eq!(forger.opened, None, "{role:?}");
        assert!(matches!(forger.ended, Some(Action::Fail { .. })), "{:?}", forger.ended);
        let pings_max = (ROUND_TIME.as_millis() / UDP_PACE.as_millis()) as usize;
        assert!((1..=pings_max).contains(&forger.to_victim), "{} pings", forger.to_victim);
    }
}

#[test]
fn a_token_is_good_once() {
    let mut forger = Forger::against(PathRole::Callee);
    forger.step(STEP);
    let token = forger.tokens[0];
    forger.forge(host(1), &Pong { token });
    let round_trip = |forger: &Forger| {
        forger
            .finder
            .probes
            .iter()
            .find(|probe| probe.way == Way::Udp(host(1)))
            .and_then(|probe| probe.round_trip)
    };
    assert_eq!(round_trip(&forger), Some(Duration::ZERO));
    forger.step(STEP);
    forger.forge(host(1), &Pong { token });
    assert_eq!(round_trip(&forger), Some(Duration::ZERO), "the second answer says nothing");
}

#[test]
fn a_path_does_not_live_on_what_anybody_could_have_sent() {
    for role in PEER {
        let mut forger = Forger::against(role);
        while forger.opened.is_none() {
            forger.step(STEP);
            forger.answer_own();
            forger.forge(host(1), &CHOICE);
        }
        assert_eq!(forger.opened, Some(Way::Udp(host(1))));
        let minute = forger.now + Duration::from_secs(60);
        while forger.now < minute {
            forger.step(STEP);
            forger.answer_own();
            forger.forge(host(1), &CHOICE);
        }
        assert_eq!(forger.ended, None, "while pings are answered");
        let silent = forger.now;
        while forger.ended.is_none() {
            forger.step(STEP);
            forger.forge(host(1), &Data { payload: b"still here" });
            forger.forge(host(1), &CHOICE);
            forger.forge(host(1), &Ping { token: 1 });
            forger.forge(host(1), &Pong { token: 1 });
            assert!(forger.now - silent < Duration::from_secs(9), "it is dead, whatever is heard");
        }
        assert!(matches!(forger.ended, Some(Action::Die { .. })));
    }
}

#[test]
fn whoever_hopes_for_a_choice_tries_nothing_new_after_the_round() {
    let now = Instant::now();
    let entry =
        |transport: Transport| AddressEntry { transport: transport.number(), origin: 0, address: victim() };
    let addresses = vec![entry(Transport::Udp), entry(Transport::Tcp)];
    let round = Round { channel: CHANNEL, round: 1, role: PathRole::Callee, key: &KEY, addresses, udp: true };
    let mut forger =
        Forger { finder: Finder::new(round, tokens(0), now), ..Forger::against(PathRole::Callee) };
    let (mut tried, mut ended) = (Vec::new(), None);
    while ended.is_none() {
        forger.now += STEP;
        forger.forge(host(1), &CHOICE); // so that the callee waits for longer than the round
        forger.finder.tick(forger.now);
        while let Some(action) = forger.finder.take_action() {
            match action {
                Action::Dial(to) => {
                    forger.finder.not_connected(to, true, forger.now);
                    tried.push(forger.now);
                }
                Action::Send { .. } => tried.push(forger.now),
                Action::Fail { .. } => ended = Some(forger.now),
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(ended.is_some_and(|at| at >= now + ROUND_TIME + CHOICE_TIME));
    let last = tried.last().copied().expect("something was tried");
    assert!((now + ROUND_TIME - UDP_PACE..now + ROUND_TIME).contains(&last), "{:?}", last - now);
}

#[test]
fn who_has_another_key_gets_nowhere() {
    let network = Network { host_tcp: Some(Duration::from_millis(10)), ..CLEAR };
    let mut world = World::with_keys(network, [KEY, [9; 32]]);
    world.run(ROUND_TIME + CHOICE_TIME);
    world.assert_failed("no answer");
    assert!(world.finders.iter().all(|finder| !finder.heard && finder.forged > 0));
}

#[test]
fn a_replay_is_not_taken_again_and_wins_no_address() {
    let mut world = World::new(CLEAR);
    let now = world.now;
    world.finders[0].tick(now);
    let sealed = std::iter::from_fn(|| world.finders[0].take_action())
        .find_map(|action| match action {
            Action::Send { way: Way::Udp(_), sealed } => Some(sealed),
            _ => None,
        })
        .expect("a ping");
    let [caller, callee] = &mut world.finders;
    let ping = parse(&sealed).expect("a datagram");
    let elsewhere = Way::Udp(observed(7));
    assert_eq!(caller.receive(elsewhere, &ping, now), Received::Forged, "our own, sent back");
    assert_eq!(callee.receive(Way::Udp(host(0)), &ping, now), Received::Nothing);
    let probes = callee.probes.len();
    assert_eq!(callee.receive(elsewhere, &ping, now), Received::Nothing);
    assert_eq!((callee.probes.len(), callee.tally().replayed), (probes, 1), "no address is learned from it");
}
