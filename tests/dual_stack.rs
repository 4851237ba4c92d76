//! One wildcard address takes IPv4 and IPv6, and an IPv4 client is never shown as an IPv6 one.

mod common;

use common::{Client, SWITCHBOARD, Server};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;

fn server_on_every_address() -> Server {
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--ephemeral", "--listen", "[::]:0"]).env("RUST_LOG", "debug");
    Server::spawn(command)
}

#[test]
fn an_ipv4_client_of_the_ipv6_wildcard_is_logged_as_ipv4() {
    let server = server_on_every_address();
    assert_eq!(server.address.ip(), IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let mut alice =
        Client::login(SocketAddr::from((Ipv4Addr::LOCALHOST, server.address.port())), "alice-by-ipv4");
    let local = alice.stream.local_addr().expect("an address");
    alice.join("#lobby");
    drop(alice);
    for what in ["connected", "closed"] {
        let line = server.wait_for_log(what);
        assert!(line.contains(&local.to_string()) && !line.contains("::ffff:"), "{line}");
    }
}

#[test]
fn ipv6_is_served_beside_it_in_the_same_rooms() {
    let server = server_on_every_address();
    let port = server.address.port();
    let mut alice = Client::login(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), "alice");
    let mut bob = Client::login(SocketAddr::from((Ipv6Addr::LOCALHOST, port)), "bob");
    let room = alice.join("#lobby");
    assert_eq!(bob.join("#lobby"), room);
    alice.say(room, "hello");
    bob.receive_kind(switchboard::wire::Kind::Said);
    let line = server.wait_for_log("[::1]:");
    assert!(line.contains("connected"), "{line}");
}
