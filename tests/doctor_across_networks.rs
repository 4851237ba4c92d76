//! `switchboard doctor` passes where everything works, and where something on the way does not it says what.

mod common;
#[path = "common/network/mod.rs"]
mod network;

use common::SWITCHBOARD;
use network::{Families, Firewall, Host, Nat, Network};
use std::net::SocketAddr;

/// Whether it was content, and all that it said.
fn doctor(host: &Host, server: SocketAddr) -> (bool, String) {
    let mut command = host.command(SWITCHBOARD);
    let output = command.args(["doctor", &server.to_string()]).output().expect("the doctor runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
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
    }
}

#[test]
fn blocked_datagrams_are_named() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice) = (lan.host(), lan.host());
    let _serving = server.serve();
    server.firewall(Firewall::Udp);
    let (content, said) = doctor(&alice, server.address());
    assert!(!content && said.to_lowercase().contains("udp"), "{said}");
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (server, alice) = (lan.host(), lan.host());
    let _serving = server.serve();
    server.firewall(Firewall::InboundConnections);
    let (content, said) = doctor(&alice, server.address());
    assert!(!content && said.to_lowercase().contains("tcp"), "{said}");
}
