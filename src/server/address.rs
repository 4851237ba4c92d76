//! Where clients come from: their addresses, and what of these counts as one place.

use super::allowance::Allowance;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Instant;

/// Where a client connects from, in canonical form: an IPv4 address never looks like an IPv6 one. Without the scope of
/// a link-local address, which says nothing to others; that makes it two thirds as long.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClientAddress {
    /// As IPv6, which is two bytes shorter than to say which of the two it is.
    octets: [u8; 16],
    port: u16,
}

impl ClientAddress {
    pub fn ip(self) -> IpAddr {
        Ipv6Addr::from(self.octets).to_canonical()
    }

    pub fn origin(self) -> Origin {
        let mut octets = self.octets;
        if self.ip().is_ipv6() {
            octets.iter_mut().skip(8).for_each(|octet| *octet = 0);
        }
        Origin(octets)
    }
}

impl From<SocketAddr> for ClientAddress {
    fn from(address: SocketAddr) -> Self {
        let octets = match address.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
            IpAddr::V6(ip) => ip.octets(),
        };
        ClientAddress { octets, port: address.port() }
    }
}

impl From<ClientAddress> for SocketAddr {
    fn from(address: ClientAddress) -> Self {
        SocketAddr::new(address.ip(), address.port)
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&SocketAddr::from(*self), f)
    }
}

/// What counts as one address, where something is bounded for each: an IPv4 address, or an IPv6 network of 64 bits, in
/// which anybody can have as many addresses as they like.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Origin([u8; 16]);

/// How many connections there are from where, and what those before them have spent. Those of the machine itself are not
/// counted: what they are for (a proxy, a bench) has its reasons to have many.
#[derive(Default)]
pub struct Origins {
    connections: HashMap<Origin, usize>,
    /// What those have spent who are gone, until it would be made up for: to connect anew is no way to send faster.
    spent: HashMap<Origin, Allowance>,
}

/// At how many places those are looked for whose clients have made up for what they spent.
const SPENT_MAX: usize = 1_024;

impl Origins {
    /// Of those that count.
    pub fn connections(&self, address: ClientAddress) -> usize {
        self.connections.get(&address.origin()).copied().unwrap_or(0)
    }

    /// What a client from there begins with; `None`: with everything.
    pub fn spent(&self, address: ClientAddress, now: Instant) -> Option<Allowance> {
        self.spent.get(&address.origin()).copied().filter(|allowance| !allowance.is_whole(now))
    }

    /// A client from there is gone, and has spent that.
    pub fn note_spent(&mut self, address: ClientAddress, allowance: Allowance, now: Instant) {
        if address.ip().is_loopback() || allowance.is_whole(now) {
            return;
        }
        if self.spent.len() >= SPENT_MAX {
            self.spent.retain(|_, allowance| !allowance.is_whole(now));
        }
        let spent = self.spent.entry(address.origin()).or_insert(allowance);
        *spent = (*spent).max(allowance);
    }

    pub fn note_opened(&mut self, address: ClientAddress) {
        if !address.ip().is_loopback() {
            *self.connections.entry(address.origin()).or_default() += 1;
        }
    }

    pub fn note_closed(&mut self, address: ClientAddress) {
        let origin = address.origin();
        if let Some(connections) = self.connections.get_mut(&origin) {
            *connections -= 1;
            if *connections == 0 {
                self.connections.remove(&origin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::allowance::Rate;
    use std::time::Duration;

    fn address(text: &str) -> ClientAddress {
        ClientAddress::from(SocketAddr::new(text.parse().expect("an address"), 1))
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_origin() {
        for (one, other, is_same) in [
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ] {
            assert_eq!(address(one).origin() == address(other).origin(), is_same, "{one} and {other}");
        }
    }

    #[test]
    fn connections_are_counted_while_they_last_but_for_those_of_the_machine_itself() {
        let mut origins = Origins::default();
        for text in ["2001:db8::1", "2001:db8::2", "127.0.0.1", "::1"] {
            origins.note_opened(address(text));
        }
        let counts = ["2001:db8::3", "127.0.0.1", "::1"].map(|text| origins.connections(address(text)));
        assert_eq!(counts, [2, 0, 0]);
        for text in ["2001:db8::1", "127.0.0.1", "2001:db8::2"] {
            origins.note_closed(address(text));
        }
        assert!(origins.connections.is_empty());
    }

    #[test]
    fn who_comes_back_has_spent_what_they_had_spent() {
        let (rate, start) = (Rate { per_second: 4, burst: 20 }, Instant::now());
        let mut origins = Origins::default();
        let mut allowance = Allowance::new(start);
        for _ in 0..20 {
            assert!(allowance.take(rate, start));
        }
        origins.note_spent(address("192.0.2.1"), allowance, start);
        origins.note_spent(address("127.0.0.1"), allowance, start);
        let mut again = origins.spent(address("192.0.2.1"), start).expect("it is remembered");
        assert!(!again.take(rate, start));
        let later = start + Duration::from_secs(5);
        assert_eq!(origins.spent(address("192.0.2.1"), later), None, "that is made up for");
        for other in ["192.0.2.2", "127.0.0.1"] {
            assert_eq!(origins.spent(address(other), start), None, "{other}");
        }
        for n in 0..10_000_u32 {
            let at = start + Duration::from_millis(n.into());
            let from = ClientAddress::from(SocketAddr::from((n.to_be_bytes(), 1)));
            let mut allowance = Allowance::new(at);
            allowance.take(rate, at);
            origins.note_spent(from, allowance, at);
        }
        assert!(origins.spent.len() <= SPENT_MAX, "{}", origins.spent.len());
    }
}
