//! `switchboard doctor` passes where everything works, and where something on the way does not it says what.

mod common;
#[path = "common/network/mod.rs"]
mod network;

use common::SWITCHBOARD;
use network::{Families, Firewall, Host, Nat, Network, Traffic};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What it may take at most, and what a loaded machine adds.
const AT_MOST: Duration = Duration::from_secs(30 + 30);

/// Whether it was content, and all that it said.
fn doctor(host: &Host, server: SocketAddr) -> (bool, String) {
    let started = Instant::now();
    let mut command = host.command(SWITCHBOARD);
    let output = command.args(["doctor", &server.to_string()]).output().expect("the doctor runs");
    assert!(started.elapsed() < AT_MOST);
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The line about a step.
fn line<'a>(said: &'a str, step: &str) -> &'a str {
    let about = |line: &&str| line.get(6..).is_some_and(|rest| rest.starts_with(step));
    said.lines().find(about).unwrap_or_else(|| panic!("nothing of {step} in:\n{said}"))
}

#[test]
fn a_healthy_server_passes_from_behind_a_router_and_over_ipv6() {
    let Some(network) = Network::if_allowed() else { return };
    for families in [Families::V4, Families::V6] {
        let internet = network.segment_of(families, 1_500);
        let server = internet.host();
        let home = internet.router(Nat::EndpointIndependent);
        let _serving = server.serve();
        let (content, said) = doctor(&home.inside.host(), server.address());
        assert!(content, "{said}");
        assert!(line(&said, "udp bind").ends_with("so it is behind a NAT"), "{said}");
    }
}

#[test]
fn without_a_router_in_between_no_nat_is_seen() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice) = (lan.host(), lan.host());
    let _serving = server.serve();
    let (content, said) = doctor(&alice, server.address());
    assert!(content, "{said}");
    assert!(line(&said, "udp bind").ends_with("so no NAT is in between"), "{said}");
}

#[test]
fn blocked_datagrams_are_named_on_either_side() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let server = lan.host();
    let _serving = server.serve();
    let alice = lan.host();
    for blocked in [&server, &alice] {
        blocked.firewall(Firewall::Udp);
        let (content, said) = doctor(&alice, server.address());
        let bind = line(&said, "udp bind");
        assert!(!content && bind.starts_with("FAIL"), "{said}");
        assert!(bind.contains("no answer") && bind.contains("UDP port 7667 is blocked"), "{said}");
        assert!(line(&said, "direct udp").starts_with("ok"), "on one host nothing is blocked: {said}");
        blocked.let_everything_in();
    }
    let (content, said) = doctor(&alice, server.address());
    assert!(content, "{said}");
}

#[test]
fn datagrams_that_get_lost_are_counted_and_are_no_failure() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice) = (lan.host(), lan.host());
    let _serving = server.serve();
    alice.lose(40, Traffic::Udp);
    // Of a hundred bindings one fails at such a rate, which is told as well.
    let outcomes = std::iter::repeat_with(|| doctor(&alice, server.address()));
    let bound = outcomes.take(3).find(|(_, said)| line(said, "udp bind").starts_with("ok"));
    let (content, said) = bound.expect("one of three comes about");
    assert!(content, "{said}");
    for step in ["udp room", "udp relay"] {
        assert!(line(&said, step).contains("of 20 lost on the way"), "{said}");
    }
}

#[test]
fn a_name_without_an_address_is_named() {
    let Some(network) = Network::if_allowed() else { return };
    let alice = network.segment().host();
    let output = alice.command(SWITCHBOARD).args(["doctor", "nobody.invalid"]).output();
    let output = output.expect("the doctor runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && line(&said, "name").starts_with("FAIL"), "{said}");
    assert!(line(&said, "name").contains("nobody.invalid:7667"), "{said}");
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice) = (lan.host(), lan.host());
    let _serving = server.serve();
    server.firewall(Firewall::InboundConnections);
    let (content, said) = doctor(&alice, server.address());
    let tcp = line(&said, "tcp");
    assert!(!content && tcp.starts_with("FAIL"), "{said}");
    assert!(tcp.contains("firewall") && tcp.contains("TCP port 7667"), "{said}");
    server.let_everything_in();
    server.unplug();
    let (content, said) = doctor(&alice, server.address());
    assert!(!content && line(&said, "tcp").starts_with("FAIL"), "{said}");
}
