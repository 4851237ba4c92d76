//! The marker in front of every message's text: who sent it, the how-manieth it is, and when it was due.
//!
//! ```text
//!   0       1                       4                                       9                                17
//!   +-------+-----------------------+---------------------------------------+---------------- … -------------+--- … --+
//!   |   ~   | stream, 3 characters  |  sequence number, 5 characters        |  due, 8 characters             | filler |
//!   +-------+-----------------------+---------------------------------------+---------------- … -------------+--- … --+
//! ```
//!
//! A character carries six bits, and is `0` plus their value: printable, without a space, the same in every encoding,
//! and left alone by IRC. It has a fixed place and a fixed width, so that reading one is a dozen instructions on whole
//! words, without a search, a table or a branch for each character.

/// Bytes of a marker: the shortest text that a message can have.
pub const LEN: usize = 17;

/// The first byte. No server begins a text with it by itself.
const MAGIC: u8 = b'~';

const SEQUENCE_BITS: u32 = 30;
const STREAM_BITS: u32 = 18;
const DUE_BITS: u32 = 48;

/// How many streams there can be.
pub const STREAMS_MAX: usize = 1 << STREAM_BITS;

/// How many messages of one stream can be told apart.
pub const SEQUENCES_MAX: u32 = 1 << SEQUENCE_BITS;

/// What a message says about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marker {
    /// Whose message it is.
    pub stream: u32,
    /// 0 for the first of the stream, and less than [`SEQUENCES_MAX`].
    pub sequence: u32,
    /// The time at which it was due, in nanoseconds since the run's epoch; comes round after 78 hours.
    pub due: u64,
}

impl Marker {
    /// Reads the marker at the front of a text; `None` when there is none.
    #[inline]
    pub fn read(text: &[u8]) -> Option<Marker> {
        let bytes: &[u8; LEN] = text.first_chunk()?;
        let (first, second) = (word(bytes, 1), word(bytes, 9));
        // A character below `0`, or 64 and more above it, leaves a bit here.
        let (first, second) = (first.wrapping_sub(ZEROS), second.wrapping_sub(ZEROS));
        if bytes[0] != MAGIC || (first | second) & !SIX_BITS != 0 {
            return None;
        }
        let who = gather(first);
        Some(Marker {
            stream: (who >> SEQUENCE_BITS) as u32,
            sequence: (who & ((1 << SEQUENCE_BITS) - 1)) as u32,
            due: gather(second),
        })
    }

    /// The characters. What does not fit into its place comes round.
    pub fn to_bytes(self) -> [u8; LEN] {
        let stream = u64::from(self.stream) & ((1 << STREAM_BITS) - 1);
        let sequence = u64::from(self.sequence) & ((1 << SEQUENCE_BITS) - 1);
        let mut bytes = [MAGIC; LEN];
        let first = scatter(stream << SEQUENCE_BITS | sequence) + ZEROS;
        let second = scatter(self.due & ((1 << DUE_BITS) - 1)) + ZEROS;
        bytes[1..9].copy_from_slice(&first.to_be_bytes());
        bytes[9..].copy_from_slice(&second.to_be_bytes());
        bytes
    }
}

const ZEROS: u64 = 0x3030_3030_3030_3030;
const SIX_BITS: u64 = 0x3f3f_3f3f_3f3f_3f3f;

fn word(bytes: &[u8; LEN], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_be_bytes(word)
}

/// Eight bytes of six bits each, moved together: pairs of bytes first, then pairs of pairs.
fn gather(x: u64) -> u64 {
    let x = (x & 0x3f00_3f00_3f00_3f00) >> 2 | x & 0x003f_003f_003f_003f;
    let x = (x & 0x0fff_0000_0fff_0000) >> 4 | x & 0x0000_0fff_0000_0fff;
    (x & 0x00ff_ffff_0000_0000) >> 8 | x & 0x0000_0000_00ff_ffff
}

/// The way back.
fn scatter(x: u64) -> u64 {
    let x = (x & 0x0000_ffff_ff00_0000) << 8 | x & 0x0000_0000_00ff_ffff;
    let x = (x & 0x00ff_f000_00ff_f000) << 4 | x & 0x0000_0fff_0000_0fff;
    (x & 0x0fc0_0fc0_0fc0_0fc0) << 2 | x & 0x003f_003f_003f_003f
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_marker_comes_back_from_every_boundary() {
        let edges = |bits: u32| [0, 1, 63, 64, (1_u64 << (bits - 1)) - 1, 1 << (bits - 1), (1 << bits) - 1];
        for stream in edges(STREAM_BITS) {
            for sequence in edges(SEQUENCE_BITS) {
                for due in edges(DUE_BITS) {
                    let marker = Marker { stream: stream as u32, sequence: sequence as u32, due };
                    let mut text = marker.to_bytes().to_vec();
                    assert!(text.iter().all(|byte| (b'0'..b'0' + 64).contains(byte) || *byte == MAGIC));
                    assert_eq!(Marker::read(&text), Some(marker));
                    text.extend_from_slice(b"filler");
                    assert_eq!(Marker::read(&text), Some(marker));
                    assert_eq!(Marker::read(&text[..LEN - 1]), None, "cut short");
                }
            }
        }
    }

    #[test]
    fn what_is_too_large_comes_round() {
        let marker = Marker { stream: 1 << STREAM_BITS, sequence: 1 << SEQUENCE_BITS, due: 1 << DUE_BITS };
        assert_eq!(Marker::read(&marker.to_bytes()), Some(Marker { stream: 0, sequence: 0, due: 0 }));
    }

    #[test]
    fn other_texts_have_no_marker() {
        for text in [&b"hello"[..], b"~hello everybody in here", b"000000000000000000", b""] {
            assert_eq!(Marker::read(text), None);
        }
        let marker = Marker { stream: 5, sequence: 6, due: 7 }.to_bytes();
        for at in 0..LEN {
            for wrong in [b' ', b'/', b'p', 0, 0xff] {
                let mut text = marker;
                text[at] = wrong;
                assert_eq!(Marker::read(&text), None, "{wrong} at {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_marker_comes_back(stream in 0..1_u32 << STREAM_BITS, sequence in 0..1_u32 << SEQUENCE_BITS, due in 0..1_u64 << DUE_BITS) {
            let marker = Marker { stream, sequence, due };
            prop_assert_eq!(Marker::read(&marker.to_bytes()), Some(marker));
        }
    }
}
