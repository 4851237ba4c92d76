//! Packets out of a pcapng file that is still being written, and a file with nothing in it but them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Types of blocks (draft-ietf-opsawg-pcapng, section 4), and LINKTYPE_ETHERNET.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const ETHERNET: u32 = 1;

/// Options.
const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const RESOLUTION: u16 = 9;
const INTERFACE_NAME: u16 = 2;

pub const ACK: u8 = 0x10;

/// One packet, from its Ethernet header on.
pub struct Packet {
    /// Nanoseconds since 1970, as two halves: dumpcap's own resolution where the kernel has it.
    time: [u8; 8],
    bytes: Vec<u8>,
}

/// What of a packet's headers a scene waits for.
pub struct Seen<'a> {
    pub from: SocketAddr,
    pub to: SocketAddr,
    /// `None` for UDP.
    pub tcp: Option<Tcp>,
    pub payload: &'a [u8],
}

#[derive(Clone, Copy)]
pub struct Tcp {
    pub seq: u32,
    pub flags: u8,
    pub window: u16,
}

impl Packet {
    pub fn seen(&self) -> Option<Seen<'_>> {
        let (ethertype, packet) = (self.bytes.get(12..14)?, self.bytes.get(14..)?);
        let (protocol, from, to, rest) = match ethertype {
            [0x08, 0x00] => {
                let length = usize::from(be16(packet, 2)?);
                let rest = packet.get(usize::from(packet.first()? & 15) * 4..length)?;
                (packet.get(9)?, v4(packet, 12)?, v4(packet, 16)?, rest)
            }
            [0x86, 0xdd] => {
                let length = usize::from(be16(packet, 4)?);
                (packet.get(6)?, v6(packet, 8)?, v6(packet, 24)?, packet.get(40..40 + length)?)
            }
            _ => return None,
        };
        let (from, to) = (SocketAddr::new(from, be16(rest, 0)?), SocketAddr::new(to, be16(rest, 2)?));
        match protocol {
            6 => {
                let [high, low] = [be16(rest, 4)?, be16(rest, 6)?];
                let seq = u32::from(high) << 16 | u32::from(low);
                let tcp = Tcp { seq, flags: *rest.get(13)?, window: be16(rest, 14)? };
                let payload = rest.get(usize::from(rest.get(12)? >> 4) * 4..)?;
                Some(Seen { from, to, tcp: Some(tcp), payload })
            }
            17 => Some(Seen { from, to, tcp: None, payload: rest.get(8..)? }),
            _ => None,
        }
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

fn v4(bytes: &[u8], at: usize) -> Option<IpAddr> {
    bytes.get(at..)?.first_chunk::<4>().map(|ip| Ipv4Addr::from(*ip).into())
}

fn v6(bytes: &[u8], at: usize) -> Option<IpAddr> {
    bytes.get(at..)?.first_chunk::<16>().map(|ip| Ipv6Addr::from(*ip).into())
}

/// The packets of as many blocks as are all there.
pub fn packets(file: &[u8]) -> Vec<Packet> {
    let mut packets = Vec::new();
    let mut rest = file;
    while let Some((kind, body, behind)) = block(rest) {
        if let (ENHANCED_PACKET, Some(time), Some(length)) = (kind, body.get(4..12), le32(body, 12)) {
            let bytes = body.get(20..20 + length as usize).expect("a packet is as long as its block says");
            // Both halves are little-endian words, and stay so.
            packets.push(Packet { time: time.try_into().expect("eight bytes"), bytes: bytes.to_vec() });
        }
        rest = behind;
    }
    packets
}

/// The first block: its type, its body, and what is behind it.
fn block(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let length = le32(bytes, 4)? as usize;
    Some((le32(bytes, 0)?, bytes.get(8..length.checked_sub(4)?)?, bytes.get(length..)?))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// A file with these packets and what they show, and without what dumpcap says about the machine.
pub fn file(about: &str, packets: &[Packet]) -> Vec<u8> {
    let mut out = Vec::new();
    let magic_version_length = [0x1a2b_3c4d_u32, 1, u32::MAX, u32::MAX];
    put(
        &mut out,
        SECTION_HEADER,
        &magic_version_length,
        &[],
        &[(COMMENT, about.as_bytes()), (APPLICATION, b"dumpcap")],
    );
    put(
        &mut out,
        INTERFACE_DESCRIPTION,
        &[ETHERNET, 0],
        &[],
        &[(INTERFACE_NAME, b"switch"), (RESOLUTION, &[9])],
    );
    for packet in packets {
        let words = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|n| packet.time[at + n]));
        let length = packet.bytes.len() as u32;
        put(&mut out, ENHANCED_PACKET, &[0, words(0), words(4), length, length], &packet.bytes, &[]);
    }
    out
}

fn put(out: &mut Vec<u8>, kind: u32, words: &[u32], bytes: &[u8], options: &[(u16, &[u8])]) {
    let mut body: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let put_padded = |body: &mut Vec<u8>, bytes: &[u8]| {
        body.extend_from_slice(bytes);
        body.resize(body.len().next_multiple_of(4), 0);
    };
    put_padded(&mut body, bytes);
    for (code, value) in options {
        body.extend_from_slice(&code.to_le_bytes());
        body.extend_from_slice(&(value.len() as u16).to_le_bytes());
        put_padded(&mut body, value);
    }
    if !options.is_empty() {
        body.extend_from_slice(&[0; 4]); // the end of the options
    }
    let length = (body.len() as u32 + 12).to_le_bytes();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&length);
    out.extend_from_slice(&body);
    out.extend_from_slice(&length);
}
