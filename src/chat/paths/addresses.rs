//! The addresses of this host that a peer may try.

use crate::wire::frame::AddressEntry;
use crate::wire::{Origin, Transport};
use std::net::{IpAddr, SocketAddr};

/// Addresses that are offered. A peer tries 16, and the server adds up to two that it observed.
const OFFERED_MAX: usize = 14;

/// Where this client may be reached on `port`: at `local`, its end of the connection to the server, at those that the
/// user declared, and at the host's other ones.
pub fn addresses(
    local: SocketAddr,
    declared: &[SocketAddr],
    port: u16,
    takes_v6: bool,
    transports: &[Transport],
) -> Vec<AddressEntry> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        log::debug!("the addresses of this host: {error}");
        Vec::new()
    });
    let others = interfaces.iter().map(if_addrs::Interface::ip);
    choose(local, declared, others, port, takes_v6, transports)
}

fn choose(
    local: SocketAddr,
    declared: &[SocketAddr],
    others: impl Iterator<Item = IpAddr>,
    port: u16,
    takes_v6: bool,
    transports: &[Transport],
) -> Vec<AddressEntry> {
    let near = local.ip().to_canonical();
    let of_host = |ip: IpAddr| SocketAddr::new(ip.to_canonical(), port);
    let others = others.filter(|ip| near.is_loopback() || !ip.is_loopback()).filter(|ip| !is_link_local(*ip));
    let all = [of_host(near)].into_iter().chain(declared.iter().copied()).chain(others.map(of_host));
    let mut entries = Vec::new();
    for address in all.filter(|address| takes_v6 || address.is_ipv4()) {
        for &transport in transports {
            let (transport, origin) = (transport.number(), Origin::Declared.number());
            let entry = AddressEntry { transport, origin, address };
            if entries.len() < OFFERED_MAX && !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    entries
}

/// Such an address means something only together with an interface, which is another one on every host.
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(local: &str, declared: &[&str], others: &[&str], takes_v6: bool) -> Vec<String> {
        let declared: Vec<SocketAddr> = declared.iter().map(|a| a.parse().expect("an address")).collect();
        let others = others.iter().map(|ip| ip.parse().expect("an IP"));
        let local = local.parse().expect("an address");
        let transports = [Transport::Udp];
        let entries = choose(local, &declared, others, 7, takes_v6, &transports);
        entries.iter().map(|entry| entry.address.to_string()).collect()
    }

    #[test]
    fn the_likeliest_come_first_and_each_once() {
        let others = ["127.0.0.1", "192.0.2.1", "198.51.100.1", "::1", "fe80::1", "2001:db8::1"];
        assert_eq!(
            offered("192.0.2.1:5000", &["203.0.113.9:40"], &others, true),
            ["192.0.2.1:7", "203.0.113.9:40", "198.51.100.1:7", "[2001:db8::1]:7"]
        );
        assert_eq!(offered("192.0.2.1:5000", &[], &others, false), ["192.0.2.1:7", "198.51.100.1:7"]);
    }

    #[test]
    fn loopback_is_offered_where_the_server_is_near() {
        assert_eq!(offered("127.0.0.1:5000", &[], &["192.0.2.1"], true), ["127.0.0.1:7", "192.0.2.1:7"]);
        assert_eq!(offered("[::ffff:127.0.0.1]:5000", &[], &[], true), ["127.0.0.1:7"]);
    }

    #[test]
    fn no_more_are_offered_than_a_peer_tries() {
        let others: Vec<String> = (1..100).map(|n| format!("192.0.2.{n}")).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        assert_eq!(offered("192.0.2.1:5000", &[], &others, true).len(), OFFERED_MAX);
    }
}
