//! Cloaks: what others see of an address, in its place. Keyed, so that nobody gets from a cloak to its address by trying
//! all of them; in three levels, so that a mask can be for a network that nobody knows. Pure: the key is an argument.
//!
//! ```text
//!   IPv4 address, or IPv6 /64 ─┐        ┌─ IPv4 /24, or IPv6 /56
//!                         k2xd4mfa.q7yh3ucn.zt5bw6ej.ip
//!                                           └─ IPv4 /16, or IPv6 /48
//! ```

use crate::hub::Host;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::cell::Cell;
use std::hash::Hasher;
use std::net::IpAddr;

/// Makes cloaks. SipHash-2-4 is a keyed function made for inputs as short as these (see [`crate::wire::datagram`]).
pub struct Cloaks {
    keyed: SipHasher24,
    /// For what stands in the place of people's names.
    names: [u8; 32],
    /// The latest one: who speaks in a room is asked for again and again.
    latest: Cell<Option<(IpAddr, Host)>>,
}

/// The networks of an address, in bits, from the narrowest.
const IPV4_LEVELS: [usize; 3] = [32, 24, 16];
const IPV6_LEVELS: [usize; 3] = [64, 56, 48];

impl Cloaks {
    /// Whoever has the secret can find out addresses; with the same one, cloaks are the same after a restart.
    pub fn new(secret: &[u8]) -> Self {
        let derived = blake3::derive_key("switchboard cloaks v1", secret);
        let (key, _) = derived.split_first_chunk().unwrap_or((&[0; 16], &[]));
        let names = blake3::derive_key("switchboard pseudonyms v1", secret);
        Cloaks { keyed: SipHasher24::new_with_key(key), names, latest: Cell::new(None) }
    }

    /// What others see of an address. An IPv4 address has one cloak, in whichever form it comes.
    pub fn host(&self, address: IpAddr) -> Host {
        let address = address.to_canonical();
        if let Some((latest, host)) = self.latest.get()
            && latest == address
        {
            return host;
        }
        let [ip, network, wider] = match address {
            IpAddr::V4(address) => IPV4_LEVELS.map(|bits| self.part(4, bits, &address.octets())),
            IpAddr::V6(address) => IPV6_LEVELS.map(|bits| self.part(6, bits, &address.octets())),
        };
        let host = Host { address: ip, network, wider };
        self.latest.set(Some((address, host)));
        host
    }

    /// What the hub makes other names and hosts of, for rooms in which people are not known.
    pub fn digest(&self, what: &[u8]) -> [u8; 5] {
        let [a, b, c, d, e, ..] = *blake3::keyed_hash(&self.names, what).as_bytes();
        [a, b, c, d, e]
    }

    /// The letters of one network. The version and the length are part of it: networks that begin with the same bytes
    /// have nothing else in common.
    fn part(&self, version: u8, bits: usize, octets: &[u8]) -> [u8; 5] {
        let mut hasher = self.keyed;
        hasher.write(&[version, bits as u8]);
        hasher.write(octets.get(..bits / 8).unwrap_or(octets));
        let [a, b, c, d, e, ..] = hasher.finish128().as_bytes();
        [a, b, c, d, e]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(cloaks: &Cloaks, address: &str) -> Vec<String> {
        let host = cloaks.host(address.parse().expect("an address")).to_string();
        let parts: Vec<String> = host.split('.').map(str::to_owned).collect();
        assert_eq!(parts.len(), 4, "{host}");
        assert_eq!(parts[3], "ip");
        parts
    }

    /// How many levels of two addresses have the same cloak, which begin with the widest.
    fn shared(one: &str, other: &str) -> usize {
        let cloaks = Cloaks::new(b"key");
        let (one, other) = (parts(&cloaks, one), parts(&cloaks, other));
        let shared = (0..3).rev().take_while(|&level| one[level] == other[level]).count();
        assert!((0..3 - shared).all(|level| one[level] != other[level]), "{one:?} and {other:?}");
        shared
    }

    #[test]
    fn neighbours_share_the_parts_of_the_networks_they_share() {
        for (one, other, levels) in [
            ("192.0.2.1", "192.0.2.1", 3),
            ("192.0.2.1", "::ffff:192.0.2.1", 3),
            ("192.0.2.1", "192.0.2.2", 2),
            ("192.0.2.1", "192.0.3.1", 1),
            ("192.0.2.1", "192.1.2.1", 0),
            ("127.0.0.1", "127.0.0.2", 2),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", 3),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", 2),
            ("2001:db8:1:2::1", "2001:db8:1:102::1", 1),
            ("2001:db8:1:2::1", "2001:db8:2:2::1", 0),
            ("1.2.3.4", "102:304::", 0),
        ] {
            assert_eq!(shared(one, other), levels, "{one} and {other}");
        }
    }

    #[test]
    fn another_key_makes_another_cloak_in_every_part() {
        let (one, other) =
            (parts(&Cloaks::new(b"one"), "192.0.2.1"), parts(&Cloaks::new(b"other"), "192.0.2.1"));
        assert!((0..3).all(|level| one[level] != other[level]));
        assert_eq!(one, parts(&Cloaks::new(b"one"), "192.0.2.1"), "the same key makes the same");
    }

    #[test]
    fn nothing_of_the_address_shows() {
        let cloaks = Cloaks::new(b"key");
        for address in ["10.20.30.40", "127.0.0.1", "::1", "2001:db8::5", "0.0.0.0"] {
            let host = cloaks.host(address.parse().expect("an address"));
            let text = host.to_string();
            assert!(!text.contains(address), "{text}");
            let octets = match address.parse().expect("an address") {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            assert!(!host.address.windows(2).any(|pair| pair == &octets[..2]), "{address}");
            let letters =
                text.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b) || b == b'.');
            assert!(letters, "{text}");
        }
    }
}
