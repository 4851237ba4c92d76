//! Addresses and networks of addresses, as operators write them.

use super::Refusal;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// All addresses that begin with the same bits, which may be all of them (RFC 4632 §3.1, RFC 4291 §2.3). IPv4 addresses
/// are none of IPv6, however they are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Network {
    /// The others are zero.
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// `192.0.2.1`, `192.0.2.0/24`, `2001:db8::1` or `2001:db8::/32`. What follows the bits of a network is left out.
    ///
    /// # Errors
    /// [`Refusal::BadBan`] where it is none of these, [`Refusal::BanTooWide`] where it is every address that there is.
    pub fn parse(text: &str) -> Result<Network, Refusal> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| Refusal::BadBan)?;
        let mut bits = match bits {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse::<u8>().ok().filter(|&bits| bits <= width(written)).ok_or(Refusal::BadBan)?
            }
            Some(_) => return Err(Refusal::BadBan),
            None => width(written),
        };
        let address = written.to_canonical();
        if address.is_ipv4() && written.is_ipv6() {
            bits = bits.checked_sub(MAPPED_BITS).ok_or(Refusal::BadBan)?;
        }
        if bits == 0 { Err(Refusal::BanTooWide) } else { Ok(Network::of(address, bits)) }
    }

    /// The network of so many bits that an address is in.
    pub(super) fn of(address: IpAddr, bits: u8) -> Network {
        let first = match address {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(ip) & mask))
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(ip) & mask))
            }
        };
        Network { first, bits }
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && Network::of(address, self.bits) == *self
    }

    /// Whether it is one of IPv6, and how many bits are the same.
    pub(super) fn length(&self) -> (bool, u8) {
        (self.first.is_ipv6(), self.bits)
    }
}

/// Bits of an IPv6 address in front of an IPv4 address that is mapped (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Network { first, bits } = self;
        if *bits == width(*first) { write!(f, "{first}") } else { write!(f, "{first}/{bits}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn a_network_is_written_one_way() {
        for (written, same) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("255.255.255.255/1", "128.0.0.0/1"),
            ("2001:DB8:0::7", "2001:db8::7"),
            ("2001:db8:ffff::/32", "2001:db8::/32"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
            ("8000::/1", "8000::/1"),
        ] {
            assert_eq!(Network::parse(written).map(|network| network.to_string()).as_deref(), Ok(same));
        }
    }

    #[test]
    fn what_is_no_network_is_refused_and_so_is_everybody() {
        for garbage in [
            "",
            "/",
            "/24",
            "192.0.2.1/",
            "192.0.2.1/33",
            "192.0.2/24",
            "192.0.2.1/+8",
            "192.0.2.1/-1",
            "192.0.2.1/24/8",
            "192.0.2.*",
            "bob",
            "bob!*@*",
            "2001:db8::/129",
            "fe80::1%eth0",
            "192.0.2.1 ",
            "[::1]",
            "192.0.2.1:80",
            "::ffff:192.0.2.1/64",
            "192.0.2.1/99999999999999999999",
            "0x7f.1",
        ] {
            assert_eq!(Network::parse(garbage), Err(Refusal::BadBan), "{garbage:?}");
        }
        for everybody in ["0.0.0.0/0", "192.0.2.1/0", "::/0", "::ffff:0.0.0.0/96"] {
            assert_eq!(Network::parse(everybody), Err(Refusal::BanTooWide), "{everybody}");
        }
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        for (network, address, is_in) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "::ffff:192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.0", false),
            ("2001:db8::/33", "2001:db8:7fff::", true),
            ("2001:db8::/33", "2001:db8:8000::", false),
            ("::/1", "192.0.2.1", false),
            ("::/1", "::ffff:192.0.2.1", false),
        ] {
            let network = Network::parse(network).expect(network);
            assert_eq!(network.contains(ip(address)), is_in, "{address} in {network}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again_as_the_same(
            address in prop_oneof![any::<u32>().prop_map(|n| IpAddr::V4(n.into())), any::<u128>().prop_map(|n| IpAddr::V6(n.into()))],
            bits in 1_u8..=128,
        ) {
            let address = address.to_canonical();
            let network = Network::of(address, bits.min(width(address)));
            prop_assert!(network.contains(address));
            let shown = network.to_string();
            prop_assert_eq!(Network::parse(&shown), Ok(network), "{}", shown);
        }
    }
}
