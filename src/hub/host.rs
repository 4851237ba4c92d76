//! Where somebody comes from, without saying it.

use std::fmt;

/// A cloak in place of an address: made by the server with a key, so that it says nothing to others but that two people
/// come from the same address or the same network. Its three parts go from the address itself to wider networks, so
/// that a mask can be for one of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Host {
    /// Of the address: an IPv4 address, or an IPv6 network of 64 bits.
    pub address: [u8; 5],
    pub network: [u8; 5],
    pub wider: [u8; 5],
}

impl Host {
    /// Length of a host as it is written, in bytes.
    pub const WRITTEN_BYTES: usize = 3 * 9 + 2;
}

/// RFC 4648 §6, in lowercase.
const BASE32: [char; 32] = [
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u',
    'v', 'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7',
];

/// Five bytes as eight digits.
pub(super) fn base32(bytes: [u8; 5]) -> impl Iterator<Item = char> {
    let bits = bytes.iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
    let digit = move |at: u32| BASE32.get(((bits >> (at * 5)) & 31) as usize).copied().unwrap_or('a');
    (0..8).rev().map(digit)
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [self.address, self.network, self.wider] {
            base32(part).try_for_each(|digit| fmt::Write::write_char(f, digit))?;
            f.write_str(".")?;
        }
        f.write_str("ip")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_of_eight_letters() {
        let host = Host { address: *b"fooba", network: [0; 5], wider: [0xff; 5] };
        assert_eq!(host.to_string(), "mzxw6ytb.aaaaaaaa.77777777.ip", "RFC 4648 §10 has the first");
        assert_eq!(host.to_string().len(), Host::WRITTEN_BYTES);
    }
}
