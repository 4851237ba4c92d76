//! Rooms across real networks: a router on the way, IPv6, a small MTU, loss, and a server whose host restarts.

mod common;
#[path = "common/network/mod.rs"]
mod network;
#[path = "common/running.rs"]
mod running;

use common::{SWITCHBOARD, Server};
use network::{Families, Firewall, Host, Nat, Network, Traffic};
use running::Running;
use std::net::SocketAddr;

/// A chat on this host, once it is in the room.
fn chat(host: &Host, name: &str, server: SocketAddr) -> Running {
    let mut command = host.command(SWITCHBOARD);
    command.args(["chat", &server.to_string(), "--nick", name, "--room", "ops"]);
    let mut chat = Running::start(name, command);
    chat.stderr.wait_for("you are in #ops");
    chat
}

/// Both speak at once, and each reads what the other has said: every line once, in order.
fn converse(alice: &mut Running, bob: &mut Running, lines: std::ops::Range<usize>) {
    alice.write_numbered(lines.clone());
    bob.write_numbered(lines.clone());
    bob.stdout.expect_numbered("#ops", "alice", lines.clone());
    alice.stdout.expect_numbered("#ops", "bob", lines);
}

/// Ends both; neither has anything to complain about, nor another line.
fn part(mut alice: Running, mut bob: Running) {
    for chat in [&mut alice, &mut bob] {
        chat.finish_content();
        assert_eq!(chat.stdout.rest(), [""; 0]);
    }
}

#[test]
fn a_room_works_from_behind_a_router() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment();
    let server = internet.host();
    server.firewall(Firewall::Udp); // rooms do not depend on datagrams
    let home = internet.router(Nat::EndpointIndependent);
    let (alice, bob) = (home.inside.host(), home.inside.host());
    let _serving = server.serve();
    let mut alice = chat(&alice, "alice", server.address());
    let mut bob = chat(&bob, "bob", server.address());
    converse(&mut alice, &mut bob, 0..200);
    part(alice, bob);
}

#[test]
fn a_room_works_where_there_is_ipv6_alone() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment_of(Families::V6, 1_500);
    let server = internet.host();
    let home = internet.router(Nat::EndpointIndependent);
    let (alice, bob) = (home.inside.host(), internet.host());
    let _serving = server.serve();
    assert!(server.address().is_ipv6());
    let mut alice = chat(&alice, "alice", server.address());
    let mut bob = chat(&bob, "bob", server.address());
    converse(&mut alice, &mut bob, 0..200);
    part(alice, bob);
}

#[test]
fn ipv4_and_ipv6_meet_in_a_room() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment();
    let (server, alice, bob) = (internet.host(), internet.host(), internet.host());
    let mut command = server.command(SWITCHBOARD);
    command.args(["serve", "--ephemeral", "--listen", "[::]:7667"]);
    let _serving = Server::spawn(command);
    let mut alice = chat(&alice, "alice", (server.v4(), 7_667).into());
    let mut bob = chat(&bob, "bob", (server.v6(), 7_667).into());
    converse(&mut alice, &mut bob, 0..200);
    part(alice, bob);
}

#[test]
fn a_narrow_segment_on_the_way_is_no_hindrance() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment_of(Families::V4, 1_200);
    let server = internet.host();
    let homes = [(); 2].map(|()| internet.router(Nat::EndpointIndependent));
    let [alice, bob] = homes.each_ref().map(|home| home.inside.host());
    let _serving = server.serve();
    let mut alice = chat(&alice, "alice", server.address());
    let mut bob = chat(&bob, "bob", server.address());
    converse(&mut alice, &mut bob, 0..500);
    part(alice, bob);
}

#[test]
fn with_a_fifth_of_all_packets_lost_everything_is_said_once_and_in_order() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment();
    let server = internet.host();
    let home = internet.router(Nat::EndpointIndependent);
    let (alice, bob) = (home.inside.host(), home.inside.host());
    let _serving = server.serve();
    let hosts = [&server, &alice, &bob];
    let mut alice = chat(&alice, "alice", server.address());
    let mut bob = chat(&bob, "bob", server.address());
    // Not before: of all connections that begin so, one in a thousand needs longer than anybody waits.
    hosts.iter().for_each(|host| host.lose(20, Traffic::TcpAndUdp));
    converse(&mut alice, &mut bob, 0..200);
    part(alice, bob);
}

#[test]
fn everybody_comes_back_by_themselves_after_the_servers_host_restarted() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment();
    let mut server = internet.host();
    let home = internet.router(Nat::EndpointIndependent);
    let (alice, bob) = (home.inside.host(), internet.host());
    let serving = server.serve();
    let mut alice = chat(&alice, "alice", server.address());
    let mut bob = chat(&bob, "bob", server.address());
    converse(&mut alice, &mut bob, 0..10);
    // Nobody hears of its end.
    server.power_off();
    drop(serving);
    for chat in [&mut alice, &mut bob] {
        chat.write("into the dark\n");
    }
    server.power_on();
    let _serving = server.serve();
    for chat in [&mut alice, &mut bob] {
        chat.stderr.wait_for("not confirmed: #ops: into the dark");
        chat.stderr.wait_for("you are in #ops");
    }
    converse(&mut alice, &mut bob, 10..20);
    for mut chat in [alice, bob] {
        assert!(!chat.finish().success(), "a line was not confirmed");
        assert_eq!(chat.stdout.rest(), [""; 0]);
    }
}

#[test]
fn a_cable_that_was_out_for_a_moment_costs_nothing() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment();
    let (server, alice, bob) = (internet.host(), internet.host(), internet.host());
    let _serving = server.serve();
    let mut alice = chat(&alice, "alice", server.address());
    let mut bob = chat(&bob, "bob", server.address());
    converse(&mut alice, &mut bob, 0..10);
    server.unplug();
    alice.write_numbered(10..20);
    bob.write_numbered(10..20);
    server.plug_in();
    bob.stdout.expect_numbered("#ops", "alice", 10..20);
    alice.stdout.expect_numbered("#ops", "bob", 10..20);
    part(alice, bob);
}
