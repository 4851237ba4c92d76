//! Two who call each other talk directly where their networks allow it, and by relay where they do not; they see which
//! it is, and nothing is lost or doubled when it changes.

mod common;
#[path = "common/network/mod.rs"]
mod network;
#[path = "common/running.rs"]
mod running;

use common::SWITCHBOARD;
use network::{Families, Firewall, Host, Nat, Network, Router, Traffic};
use running::{Lines, Running};
use std::net::SocketAddr;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

/// How each kind of path is called.
const TCP: &str = "direct tcp";
const UDP: &str = "direct udp";
/// With a reason behind it.
const RELAY: &str = "relay: ";

/// What a script needs for a direct path; without it nobody is shown its addresses.
const SHARE: [&str; 2] = ["--share-addresses", "always"];

fn chat(host: &Host, name: &str, args: &[&str]) -> Running {
    let mut command = host.command(SWITCHBOARD);
    command.arg("chat").args(["--nick", name]).args(args);
    Running::start(name, command)
}

/// Alice's conversation with bob.
struct Call {
    alice: Running,
    bob: Running,
}

impl Call {
    /// Alice calls bob, who takes it; both agree to be reached directly.
    fn start(server: SocketAddr, alice: &Host, bob: &Host) -> Call {
        Self::start_with(server, alice, bob, &SHARE)
    }

    /// The same, with other options of alice's.
    fn start_with(server: SocketAddr, alice: &Host, bob: &Host, options: &[&str]) -> Call {
        let server = server.to_string();
        let mut bob = chat(bob, "bob", &[&[server.as_str(), "--take-calls"], &SHARE[..]].concat());
        bob.stderr.wait_for("connected as bob");
        let alice = chat(alice, "alice", &[&[server.as_str(), "--call", "bob"], options].concat());
        Call { alice, bob }
    }

    /// Both are told that this is the path now.
    #[track_caller]
    fn expect_path(&mut self, path: &str) {
        expect_path(&mut self.alice.stderr, path);
        expect_path(&mut self.bob.stderr, path);
    }

    /// Both speak at once, and each reads what the other has said: every line once, in order.
    #[track_caller]
    fn converse(&mut self, lines: Range<usize>) {
        self.speak(lines.clone());
        self.hear(lines);
    }

    fn speak(&mut self, lines: Range<usize>) {
        self.alice.write_numbered(lines.clone());
        self.bob.write_numbered(lines);
    }

    #[track_caller]
    fn hear(&mut self, lines: Range<usize>) {
        self.bob.stdout.expect_numbered("@alice", "alice", lines.clone());
        self.alice.stdout.expect_numbered("@bob", "bob", lines);
    }

    /// Alice hangs up. Neither has anything to complain about, nor another line.
    #[track_caller]
    fn end(mut self) {
        self.bob.end_input();
        self.alice.finish_content();
        self.bob.finish_content();
        assert_eq!(self.alice.stdout.rest(), [""; 0]);
        assert_eq!(self.bob.stdout.rest(), [""; 0]);
    }
}

/// The next path that is told is this one. What is said about the relay before a direct path is found does not count.
#[track_caller]
fn expect_path(notices: &mut Lines, path: &str) {
    let told = notices.wait_until(path, |line| {
        [TCP, UDP].iter().any(|direct| line.contains(direct)) || (path == RELAY && line.contains(RELAY))
    });
    let reason = told.split_once(path).map(|(_, reason)| reason.trim());
    assert!(reason.is_some(), "not {path}, but {told}");
    assert!(path != RELAY || reason.is_some_and(|reason| reason.len() > 5), "no reason: {told}");
}

/// A server in the middle, and two homes, each with one host behind a router.
struct TwoHomes {
    server: Host,
    homes: [Router; 2],
    alice: Host,
    bob: Host,
}

impl TwoHomes {
    fn new(network: &Rc<Network>, nat: Nat, mtu: u16) -> TwoHomes {
        let internet = network.segment_of(Families::V4, mtu);
        let server = internet.host();
        let homes = [(); 2].map(|()| internet.router(nat));
        let [alice, bob] = homes.each_ref().map(|home| home.inside.host());
        TwoHomes { server, homes, alice, bob }
    }

    /// Two homes between which there are datagrams alone: without this a connection that both begin at once passes as
    /// well, and which of the two is taken is not what the test is about.
    fn with_udp_alone(network: &Rc<Network>, mtu: u16) -> TwoHomes {
        let two = Self::new(network, Nat::EndpointIndependent, mtu);
        [&two.alice, &two.bob].iter().for_each(|host| host.firewall(Firewall::InboundConnections));
        two
    }
}

#[test]
fn in_one_network_it_is_tcp() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice, bob) = (lan.host(), lan.host(), lan.host());
    let _serving = server.serve();
    let mut call = Call::start(server.address(), &alice, &bob);
    call.expect_path(TCP);
    call.converse(0..200);
    call.end();
}

#[test]
fn where_connections_are_kept_out_it_is_udp() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice, bob) = (lan.host(), lan.host(), lan.host());
    [&alice, &bob].iter().for_each(|host| host.firewall(Firewall::InboundConnections));
    let _serving = server.serve();
    let mut call = Call::start(server.address(), &alice, &bob);
    call.expect_path(UDP);
    call.converse(0..200);
    call.end();
}

#[test]
fn where_only_one_can_be_connected_to_it_is_tcp_all_the_same() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice, bob) = (lan.host(), lan.host(), lan.host());
    bob.firewall(Firewall::InboundConnections);
    let _serving = server.serve();
    let mut call = Call::start(server.address(), &alice, &bob);
    call.expect_path(TCP);
    call.converse(0..50);
    call.end();
}

#[test]
fn where_there_is_ipv6_alone_it_is_direct_as_well() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment_of(Families::V6, 1_500);
    let (server, alice, bob) = (lan.host(), lan.host(), lan.host());
    let _serving = server.serve();
    let mut call = Call::start(server.address(), &alice, &bob);
    call.expect_path(TCP);
    call.converse(0..200);
    call.end();
    [&alice, &bob].iter().for_each(|host| host.firewall(Firewall::InboundConnections));
    let mut call = Call::start(server.address(), &alice, &bob);
    call.expect_path(UDP);
    call.converse(0..200);
    call.end();
}

#[test]
fn behind_two_nats_it_is_udp() {
    let Some(network) = Network::if_allowed() else { return };
    let two = TwoHomes::new(&network, Nat::EndpointIndependent, 1_500);
    let _serving = two.server.serve();
    let mut call = Call::start(two.server.address(), &two.alice, &two.bob);
    call.expect_path(UDP);
    call.converse(0..200);
    call.end();
}

#[test]
fn behind_one_nat_together_they_meet_inside() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment();
    let server = internet.host();
    let home = internet.router(Nat::Symmetric);
    let (alice, bob) = (home.inside.host(), home.inside.host());
    let _serving = server.serve();
    let mut call = Call::start(server.address(), &alice, &bob);
    call.expect_path(TCP);
    call.converse(0..50);
    call.end();
}

#[test]
fn through_firewalls_that_let_answers_in_it_is_udp_and_without_udp_tcp_from_both_ends() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice, bob) = (lan.host(), lan.host(), lan.host());
    [&alice, &bob].iter().for_each(|host| host.firewall(Firewall::Unsolicited));
    let _serving = server.serve();
    let mut call = Call::start(server.address(), &alice, &bob);
    // A connection that both begin at once may be first here; it is a path to a declared address like any other.
    let direct = |line: &str| line.contains(TCP) || line.contains(UDP);
    call.alice.stderr.wait_until("a direct path", direct);
    call.bob.stderr.wait_until("a direct path", direct);
    call.converse(0..50);
    call.end();
    [&alice, &bob].iter().for_each(|host| host.firewall(Firewall::Udp));
    let mut call = Call::start(server.address(), &alice, &bob);
    call.expect_path(TCP);
    call.converse(0..50);
    call.end();
}

#[test]
fn behind_two_symmetric_nats_it_is_the_relay() {
    let Some(network) = Network::if_allowed() else { return };
    let two = TwoHomes::new(&network, Nat::Symmetric, 1_500);
    let _serving = two.server.serve();
    let mut call = Call::start(two.server.address(), &two.alice, &two.bob);
    call.converse(0..100); // nobody has to wait until the attempts are over
    call.expect_path(RELAY);
    call.converse(100..200);
    call.end();
}

#[test]
fn behind_firewalls_it_is_the_relay() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice, bob) = (lan.host(), lan.host(), lan.host());
    for host in [&alice, &bob] {
        // The second on top: a connection that both ends begin at once would pass the first.
        for kind in [Firewall::Unsolicited, Firewall::InboundConnections, Firewall::Udp] {
            host.firewall(kind);
        }
    }
    let _serving = server.serve();
    let mut call = Call::start(server.address(), &alice, &bob);
    call.converse(0..100);
    call.expect_path(RELAY);
    call.converse(100..200);
    call.end();
}

#[test]
fn who_does_not_share_addresses_is_talked_to_by_relay() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice, bob) = (lan.host(), lan.host(), lan.host());
    let _serving = server.serve();
    for options in [&[][..], &["--share-addresses", "never"], &["--path", "relay", SHARE[0], SHARE[1]]] {
        let mut call = Call::start_with(server.address(), &alice, &bob, options);
        call.expect_path(RELAY);
        call.converse(0..50);
        call.end();
    }
}

#[test]
fn with_a_fifth_of_all_datagrams_lost_the_conversation_is_intact() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice, bob) = (lan.host(), lan.host(), lan.host());
    for host in [&alice, &bob] {
        host.firewall(Firewall::InboundConnections);
        host.lose(20, Traffic::Udp);
    }
    let _serving = server.serve();
    let mut call = Call::start(server.address(), &alice, &bob);
    call.expect_path(UDP);
    call.converse(0..200);
    call.end();
}

#[test]
fn loss_of_datagrams_is_shown_to_who_asks() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice, bob) = (lan.host(), lan.host(), lan.host());
    for host in [&alice, &bob] {
        host.firewall(Firewall::InboundConnections);
        host.lose(20, Traffic::Udp);
    }
    let _serving = server.serve();
    let at = server.address().to_string();
    let mut bob = chat(&bob, "bob", &[&[at.as_str(), "--take-calls"], &SHARE[..]].concat());
    bob.stderr.wait_for("connected as bob");
    // `/path` takes a terminal, which `script` gives; it passes on what the terminal shows.
    let mut command = alice.command("script");
    // It is a child of `script`, and is to end with it in any case.
    let line =
        format!("exec setpriv --pdeathsig KILL {SWITCHBOARD} chat {at} --nick alice {}", SHARE.join(" "));
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let mut alice = Running::start("alice", command);
    alice.stdout.wait_for("connected as alice");
    alice.write("/call bob\r");
    alice.stdout.wait_for(UDP);
    common::eventually("loss is shown", || {
        // What is typed while there is no prompt may be dropped, so this is said and asked again and again.
        bob.write("hello\n");
        alice.write("/path\r");
        let shown = std::iter::from_fn(|| alice.stdout.next_within(Duration::from_millis(500)));
        let mut paths = shown.filter(|line| line.contains(UDP) && line.contains(" datagrams lost "));
        paths.any(|line| !line.contains(", 0 of "))
    });
}

#[test]
fn with_a_fifth_of_all_packets_lost_the_conversation_is_intact() {
    let Some(network) = Network::if_allowed() else { return };
    let two = TwoHomes::with_udp_alone(&network, 1_500);
    let _serving = two.server.serve();
    let mut call = Call::start(two.server.address(), &two.alice, &two.bob);
    call.expect_path(UDP);
    // Whether it stays direct is a matter of luck; that it stays intact is not.
    [&two.server, &two.alice, &two.bob].iter().for_each(|host| host.lose(20, Traffic::TcpAndUdp));
    call.converse(0..200);
    // How it ends is one too: a goodbye may take longer to arrive than anybody waits.
    call.bob.end_input();
    call.alice.finish();
    call.bob.kill();
    assert_eq!(call.bob.stdout.rest(), [""; 0]);
    assert_eq!(call.alice.stdout.rest(), [""; 0]);
}

#[test]
fn a_narrow_segment_on_the_way_is_no_hindrance() {
    let Some(network) = Network::if_allowed() else { return };
    let two = TwoHomes::with_udp_alone(&network, 1_200);
    let _serving = two.server.serve();
    let mut call = Call::start(two.server.address(), &two.alice, &two.bob);
    call.expect_path(UDP);
    call.converse(0..200);
    // The first of these are just too long for the way with all their headers, the last for a datagram of ours.
    for length in (1_000..=1_400).step_by(20) {
        let line = "x".repeat(length);
        call.alice.write(&format!("{line}\n"));
        call.bob.write(&format!("{line}\n"));
        assert_eq!(call.bob.stdout.next(), format!("@alice <alice> {line}"));
        assert_eq!(call.alice.stdout.next(), format!("@bob <bob> {line}"));
    }
    call.end();
}

#[test]
fn a_line_too_long_for_a_datagram_keeps_its_place_among_the_others() {
    let Some(network) = Network::if_allowed() else { return };
    let two = TwoHomes::with_udp_alone(&network, 1_500);
    let _serving = two.server.serve();
    let mut call = Call::start(two.server.address(), &two.alice, &two.bob);
    call.expect_path(UDP);
    let long = "x".repeat(3_000);
    for n in 0..20 {
        call.alice.write_numbered(n..n + 1);
        call.alice.write(&format!("{long}\n"));
    }
    for n in 0..20 {
        call.bob.stdout.expect_numbered("@alice", "alice", n..n + 1);
        assert_eq!(call.bob.stdout.next(), format!("@alice <alice> {long}"));
    }
    call.end();
}

/// Drops everything between the two, in mid-conversation, and expects that it goes on by relay.
#[track_caller]
fn break_and_go_on(mut call: Call, ends: [&Host; 2]) {
    call.converse(0..100);
    call.speak(100..150); // some of it is under way when it breaks
    ends[0].drop_from(ends[1]);
    ends[1].drop_from(ends[0]);
    call.speak(150..200);
    call.hear(100..200);
    call.expect_path(RELAY);
    call.converse(200..250);
    call.end();
}

#[test]
fn a_connection_that_dies_leaves_the_conversation_to_the_relay() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice, bob) = (lan.host(), lan.host(), lan.host());
    let _serving = server.serve();
    let mut call = Call::start(server.address(), &alice, &bob);
    call.expect_path(TCP);
    break_and_go_on(call, [&alice, &bob]);
}

#[test]
fn a_way_for_datagrams_that_dies_leaves_the_conversation_to_the_relay() {
    let Some(network) = Network::if_allowed() else { return };
    let two = TwoHomes::with_udp_alone(&network, 1_500);
    let _serving = two.server.serve();
    let mut call = Call::start(two.server.address(), &two.alice, &two.bob);
    call.expect_path(UDP);
    break_and_go_on(call, two.homes.each_ref().map(|home| &home.host));
}

#[test]
fn a_path_that_dies_in_one_direction_only_loses_nothing_either() {
    let Some(network) = Network::if_allowed() else { return };
    let two = TwoHomes::with_udp_alone(&network, 1_500);
    let _serving = two.server.serve();
    let mut call = Call::start(two.server.address(), &two.alice, &two.bob);
    call.expect_path(UDP);
    call.converse(0..50);
    two.homes[1].host.drop_from(&two.homes[0].host);
    call.converse(50..150);
    call.expect_path(RELAY);
    call.end();
}

#[test]
fn a_direct_conversation_goes_on_without_the_server() {
    let Some(network) = Network::if_allowed() else { return };
    for path in [TCP, UDP] {
        let lan = network.segment();
        let (mut server, alice, bob) = (lan.host(), lan.host(), lan.host());
        if path == UDP {
            [&alice, &bob].iter().for_each(|host| host.firewall(Firewall::InboundConnections));
        }
        let serving = server.serve();
        let mut call = Call::start(server.address(), &alice, &bob);
        call.expect_path(path);
        call.converse(0..50);
        drop(serving); // both notice this at once
        server.power_off();
        call.converse(50..150);
        for chat in [&mut call.alice, &mut call.bob] {
            chat.stderr.wait_for("trying again in");
        }
        call.converse(150..200);
    }
}

#[test]
fn a_server_that_goes_without_a_word_is_not_missed() {
    let Some(network) = Network::if_allowed() else { return };
    let two = TwoHomes::with_udp_alone(&network, 1_500);
    let TwoHomes { mut server, homes: _homes, alice, bob } = two;
    let _serving = server.serve();
    let mut call = Call::start(server.address(), &alice, &bob);
    call.expect_path(UDP);
    call.converse(0..50);
    server.power_off();
    call.converse(50..150);
}

#[test]
fn two_who_know_each_others_address_need_no_server() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    for address in [Host::v4, Host::v6] {
        let (alice, bob) = (lan.host(), lan.host());
        let at = SocketAddr::new(address(&bob), 7_668).to_string();
        let listener = chat(&bob, "bob", &["--listen", &at]);
        // Nothing that the listener says is agreed on, so the caller tries until somebody is there.
        common::eventually("bob listens", || {
            let at = SocketAddr::new(address(&bob), 7_668);
            alice.within(|| std::net::TcpStream::connect(at).is_ok())
        });
        let caller = chat(&alice, "alice", &["--peer", &at]);
        let mut call = Call { alice: caller, bob: listener };
        call.converse(0..200);
        call.end();
    }
}
