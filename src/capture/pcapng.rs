//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng), as far as packets with remarks need them: a section header,
//! one interface, and a packet each.
//!
//! ```text
//!   +------+--------+-------- … -----------------+--------+
//!   | type | length | body, padded to four bytes | length |      everything is little-endian here
//!   +------+--------+-------- … -----------------+--------+
//! ```
//!
//! The length counts the whole block and stands at both of its ends, so that a reader can go either way; and so that
//! [`whole_blocks`] can say where the last one ends that is all there.

/// Types of blocks (section 4).
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

/// Tells the reader in which order bytes are.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Packets begin with their IP header, whose first four bits say which version it is (LINKTYPE_RAW).
pub const LINKTYPE_RAW: u16 = 101;

/// Options (sections 3.5, 4.1, 4.2, 4.3).
const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;
const SECTION_APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const INTERFACE_RESOLUTION: u16 = 9;
const PACKET_FLAGS: u16 = 2;

/// Times are in 10⁻⁹ seconds.
const NANOSECONDS: u8 = 9;

/// Bytes of type and length, in front of every body.
const BLOCK_HEAD: usize = 8;

/// Bytes of the longest remark; the rest of a longer one is left out.
const COMMENT_BYTES_MAX: usize = 1_000;

/// Which way a packet went, as the one sees it who keeps the file (section 4.3, `epb_flags`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    Inbound,
    Outbound,
}

/// Begins a file: which program wrote it, and the one interface that all packets are of.
pub fn put_header(out: &mut Vec<u8>, application: &str, comment: &str) {
    put_block(out, SECTION_HEADER, |out| {
        out.extend_from_slice(&BYTE_ORDER_MAGIC.to_le_bytes());
        out.extend_from_slice(&1_u16.to_le_bytes()); // version 1.0
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(&u64::MAX.to_le_bytes()); // how long the section gets is not known
        put_option(out, SECTION_APPLICATION, application.as_bytes());
        put_comment(out, comment);
        put_option(out, END_OF_OPTIONS, b"");
    });
    put_block(out, INTERFACE_DESCRIPTION, |out| {
        out.extend_from_slice(&LINKTYPE_RAW.to_le_bytes());
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(&0_u32.to_le_bytes()); // packets are never cut
        put_option(out, INTERFACE_NAME, b"switchboard");
        put_option(out, INTERFACE_RESOLUTION, &[NANOSECONDS]);
        put_option(out, END_OF_OPTIONS, b"");
    });
}

/// Appends a packet, which `write` appends from its IP header on. `at_nanos` is when it was, since 1970.
pub fn put_packet<'a>(
    out: &mut Vec<u8>,
    at_nanos: u64,
    direction: Direction,
    comments: impl IntoIterator<Item = &'a str>,
    write: impl FnOnce(&mut Vec<u8>),
) {
    put_block(out, ENHANCED_PACKET, |out| {
        out.extend_from_slice(&0_u32.to_le_bytes()); // the interface
        out.extend_from_slice(&((at_nanos >> 32) as u32).to_le_bytes());
        out.extend_from_slice(&(at_nanos as u32).to_le_bytes());
        let lengths = out.len();
        out.extend_from_slice(&[0; 8]);
        let start = out.len();
        write(out);
        let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX).to_le_bytes();
        let [captured, original] = [lengths, lengths + 4];
        overwrite(out, captured, length);
        overwrite(out, original, length);
        pad(out, start);
        let way: u32 = match direction {
            Direction::Inbound => 1,
            Direction::Outbound => 2,
        };
        put_option(out, PACKET_FLAGS, &way.to_le_bytes());
        comments.into_iter().for_each(|comment| put_comment(out, comment));
        put_option(out, END_OF_OPTIONS, b"");
    });
}

/// How many of the first bytes are whole blocks; at most `upto`.
pub fn whole_blocks(bytes: &[u8], upto: usize) -> usize {
    let mut whole = 0;
    loop {
        let length = bytes.get(whole + 4..).and_then(|rest| rest.first_chunk());
        let length = length.map_or(0, |length| u32::from_le_bytes(*length) as usize);
        let end = whole.saturating_add(length);
        if length < BLOCK_HEAD + 4 || end > upto.min(bytes.len()) {
            return whole;
        }
        whole = end;
    }
}

fn put_block(out: &mut Vec<u8>, block: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&block.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let length = u32::try_from(out.len() - start + 4).unwrap_or(u32::MAX).to_le_bytes();
    overwrite(out, start + 4, length);
    out.extend_from_slice(&length);
}

fn put_comment(out: &mut Vec<u8>, comment: &str) {
    let cut = comment.floor_char_boundary(COMMENT_BYTES_MAX);
    if let Some(comment) = comment.get(..cut).filter(|comment| !comment.is_empty()) {
        put_option(out, COMMENT, comment.as_bytes());
    }
}

/// An option of at most 65,535 bytes.
fn put_option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    let start = out.len();
    out.extend_from_slice(value);
    pad(out, start);
}

/// Fills up what began at `start` to a multiple of four bytes.
fn pad(out: &mut Vec<u8>, start: usize) {
    let length = out.len() - start;
    out.resize(start + length.next_multiple_of(4), 0);
}

fn overwrite(out: &mut [u8], at: usize, bytes: [u8; 4]) {
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (Vec<u8>, Vec<usize>) {
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        put_header(&mut out, "a program", "why");
        ends.push(out.len());
        for length in 0..9 {
            put_packet(&mut out, 1 << 40, Direction::Inbound, ["one", "two"], |out| {
                out.resize(out.len() + length, 7)
            });
            ends.push(out.len());
        }
        (out, ends)
    }

    #[test]
    fn every_block_has_its_length_at_both_ends_and_is_of_whole_words() {
        let (bytes, _) = file();
        let (mut at, mut blocks) = (0, Vec::new());
        while at < bytes.len() {
            let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
            let length = word(at + 4) as usize;
            assert_eq!((length % 4, word(at + length - 4) as usize), (0, length));
            blocks.push(word(at));
            at += length;
        }
        assert_eq!(blocks[..2], [SECTION_HEADER, INTERFACE_DESCRIPTION]);
        assert_eq!(blocks[2..], [ENHANCED_PACKET; 9]);
    }

    #[test]
    fn what_is_whole_is_found_wherever_it_is_cut() {
        let (bytes, ends) = file();
        for cut in 0..=bytes.len() {
            let expected = ends.iter().rev().find(|&&end| end <= cut).copied();
            for whole in [whole_blocks(&bytes[..cut], cut), whole_blocks(&bytes, cut)] {
                match expected {
                    Some(end) => assert_eq!(whole, end, "cut at {cut}"),
                    None => assert!(whole < ends[0]), // the section header alone
                }
            }
        }
        assert_eq!(whole_blocks(&[0; 100], 100), 0, "no block has no length");
    }

    #[test]
    fn a_remark_is_cut_between_characters() {
        let mut out = Vec::new();
        put_packet(&mut out, 0, Direction::Outbound, ["ä".repeat(5_000).as_str()], |_| {});
        assert!(out.len() < 1_100 && String::from_utf8_lossy(&out).matches('ä').count() == 500);
    }
}
