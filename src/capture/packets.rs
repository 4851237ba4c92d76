//! IP packets with TCP segments and UDP datagrams in them, as a kernel would have sent them: right lengths, right
//! checksums.
//!
//! IPv4 is RFC 791, IPv6 RFC 8200, TCP RFC 9293, UDP RFC 768; the checksum is RFC 1071's.

use std::net::{IpAddr, SocketAddr};

/// Bytes of payload that one segment can have: what an IPv4 packet has room for.
pub const SEGMENT_BYTES_MAX: usize = 65_535 - IPV4_HEADER - TCP_HEADER;

/// Bytes of payload that one datagram can have, for the same reason.
pub const DATAGRAM_BYTES_MAX: usize = 65_535 - IPV4_HEADER - UDP_HEADER;

/// The window that every segment shows, in bytes. The real one is the kernel's affair, and not known here.
pub const WINDOW: u16 = 65_535;

const IPV4_HEADER: usize = 20;
const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// How many routers a packet may pass.
const HOPS: u8 = 64;

/// Do not fragment (RFC 791 §3.1).
const DF: u16 = 0x4000;

/// Bits of a TCP header (RFC 9293 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpFlags(u8);

impl TcpFlags {
    pub const ACK: TcpFlags = TcpFlags(0x10);
    pub const SYN: TcpFlags = TcpFlags(0x02);
    pub const SYN_ACK: TcpFlags = TcpFlags(0x12);
    pub const FIN_ACK: TcpFlags = TcpFlags(0x11);
    pub const PSH_ACK: TcpFlags = TcpFlags(0x18);
    pub const RST_ACK: TcpFlags = TcpFlags(0x14);

    fn has_syn(self) -> bool {
        self.0 & TcpFlags::SYN.0 != 0
    }
}

/// What of a segment is not its payload.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub sequence: u32,
    pub acknowledged: u32,
    pub flags: TcpFlags,
}

/// Appends a packet with this segment, whose payload `fill` appends: at most [`SEGMENT_BYTES_MAX`].
pub fn put_segment(out: &mut Vec<u8>, segment: &Segment, fill: impl FnOnce(&mut Vec<u8>)) {
    let Segment { from, to, sequence, acknowledged, flags } = *segment;
    put_packet(out, TCP, (from, to), 16, |out| {
        put_ports(out, from, to);
        out.extend_from_slice(&sequence.to_be_bytes());
        out.extend_from_slice(&acknowledged.to_be_bytes());
        // With SYN, one option: the longest segment (RFC 9293 §3.7.1).
        let words = if flags.has_syn() { 6 } else { 5 };
        out.extend_from_slice(&[words << 4, flags.0]);
        out.extend_from_slice(&WINDOW.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        if flags.has_syn() {
            let [high, low] = (SEGMENT_BYTES_MAX as u16).to_be_bytes();
            out.extend_from_slice(&[2, 4, high, low]);
        }
        fill(out);
    });
}

/// Appends a packet with a datagram, cut to [`DATAGRAM_BYTES_MAX`].
pub fn put_datagram(out: &mut Vec<u8>, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
    let payload = payload.get(..DATAGRAM_BYTES_MAX).unwrap_or(payload);
    put_packet(out, UDP, (from, to), 6, |out| {
        put_ports(out, from, to);
        out.extend_from_slice(&((UDP_HEADER + payload.len()) as u16).to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(payload);
    });
}

fn put_ports(out: &mut Vec<u8>, from: SocketAddr, to: SocketAddr) {
    out.extend_from_slice(&from.port().to_be_bytes());
    out.extend_from_slice(&to.port().to_be_bytes());
}

/// Appends an IP packet around what `fill` appends, whose checksum is at `checksum_at`.
fn put_packet(
    out: &mut Vec<u8>,
    protocol: u8,
    (from, to): (SocketAddr, SocketAddr),
    checksum_at: usize,
    fill: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    // Whoever has an address of the other version was told to us as an IPv4 address in an IPv6 one.
    let addresses = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            out.extend_from_slice(&[0x45, 0, 0, 0, 0, 0]);
            out.extend_from_slice(&DF.to_be_bytes());
            out.extend_from_slice(&[HOPS, protocol, 0, 0]);
            let addresses = [from.octets(), to.octets()].concat();
            out.extend_from_slice(&addresses);
            addresses
        }
        (from, to) => {
            out.extend_from_slice(&[0x60, 0, 0, 0, 0, 0, protocol, HOPS]);
            let addresses = [in_v6(from), in_v6(to)].concat();
            out.extend_from_slice(&addresses);
            addresses
        }
    };
    let is_v4 = addresses.len() == 8;
    let body = out.len();
    fill(out);
    let length = out.len() - body;
    let mut sum = sum_of(&addresses) + u64::from(protocol) + length as u64;
    sum += sum_of(out.get(body..).unwrap_or_default());
    let checksum = match (protocol, checksum_of(sum)) {
        (UDP, 0) => u16::MAX, // none would be 0
        (_, checksum) => checksum,
    };
    overwrite(out, body + checksum_at, checksum);
    if is_v4 {
        overwrite(out, start + 2, (IPV4_HEADER + length) as u16);
        let header = checksum_of(sum_of(out.get(start..body).unwrap_or_default()));
        overwrite(out, start + 10, header);
    } else {
        overwrite(out, start + 4, length as u16);
    }
}

fn in_v6(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The sum of all words of two bytes, of which eight bytes at a time are looked at: it is the same once it is folded.
fn sum_of(bytes: &[u8]) -> u64 {
    let both = |word: [u8; 8]| {
        let word = u64::from_be_bytes(word);
        (word >> 32) + (word & 0xffff_ffff)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut sum = 0;
    for word in words {
        sum += both(*word);
    }
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    sum + both(last)
}

fn checksum_of(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn overwrite(out: &mut [u8], at: usize, value: u16) {
    if let Some(place) = out.get_mut(at..at + 2) {
        place.copy_from_slice(&value.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_sum_over_a_packet_with_its_checksum_is_all_ones() {
        for (from, to) in [("1.2.3.4:5", "6.7.8.9:10"), ("[2001:db8::1]:5", "[::1]:10")] {
            let (from, to) = (address(from), address(to));
            let header = if from.is_ipv4() { 20 } else { 40 };
            for length in [0, 1, 2, 3, 4, 5, 1_000, SEGMENT_BYTES_MAX] {
                let mut out = Vec::new();
                let segment = Segment { from, to, sequence: 7, acknowledged: 9, flags: TcpFlags::PSH_ACK };
                put_segment(&mut out, &segment, |out| out.extend((0..length).map(|n| n as u8)));
                assert_eq!(out.len(), header + 20 + length);
                let ip = &out[if from.is_ipv4() { 12..20 } else { 8..40 }];
                let body = &out[header..];
                let sum = sum_of(ip) + 6 + body.len() as u64 + sum_of(body);
                assert_eq!(checksum_of(sum), 0, "{length} bytes to {to}");
                if from.is_ipv4() {
                    assert_eq!(checksum_of(sum_of(&out[..20])), 0);
                    assert_eq!(usize::from(u16::from_be_bytes([out[2], out[3]])), out.len());
                }
            }
        }
    }

    /// The example of RFC 1071 §3.
    #[test]
    fn the_sum_is_the_one_of_the_standard() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(checksum_of(sum_of(&bytes)), !0xddf2);
    }
}
