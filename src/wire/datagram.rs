//! Frames in datagrams: one whole frame each, sealed with a counter and a tag.
//!
//! ```text
//!   0        8                16                                       n-16        n
//!   +--------+----------------+---------------------------------------+-----------+
//!   | header |    counter     |  a whole frame, its own header first  |    tag    |
//!   +--------+----------------+---------------------------------------+-----------+
//!     kind sealed, channel = binding                                    over all before it
//! ```
//!
//! The tag is SipHash with 128 bits. It authenticates; it does not hide anything. Each direction has a
//! key of its own, so that nothing can be sent back to where it came from.

use super::frame::{self, Body, Kind};
use super::header::{self, Flags, HEADER_LEN, Split, split};
use super::{BODY_MAX, Frame};
use siphasher::sip128::SipHasher24;

/// The longest datagram that is sent, in bytes of UDP payload: fits every path that IPv6 may use (RFC 8200 §5: 1,280
/// bytes) with the headers of IP and UDP, and room to spare for a tunnel.
pub const DATAGRAM_MAX: usize = 1_200;

/// Bytes that sealing adds to a frame.
pub const SEAL_LEN: usize = HEADER_LEN + COUNTER_LEN + TAG_LEN;

/// The longest frame, header and body, in bytes, that fits into a datagram.
pub const FRAME_MAX: usize = DATAGRAM_MAX - SEAL_LEN;

const COUNTER_LEN: usize = 8;
/// Bytes of the tag, at the end of every datagram.
pub const TAG_LEN: usize = 16;
const KEY_LEN: usize = 16;

/// The key of one direction of one binding, or of a direct path. SipHash-2-4 with 128 bits, which is a MAC for just such
/// short messages and costs a third of what a cryptographic hash does (Aumasson, Bernstein: "SipHash: a fast short-input
/// PRF", 2012). Keys come from BLAKE3, so that no two uses share one.
#[derive(Clone)]
pub struct Seal(SipHasher24);

/// Who sends, and to whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sender {
    /// To the server.
    Client,
    /// To a client.
    Server,
    /// The one who opened a relay, to the other end, on a direct path.
    Caller,
    /// The one who accepted it, to the other end, on a direct path.
    Callee,
}

impl Seal {
    /// The key that `sender` tags with, from that of a ticket or of a round of paths.
    pub fn derive(key: &[u8; 32], sender: Sender) -> Seal {
        let context = match sender {
            Sender::Client => "switchboard datagrams v1, client to server",
            Sender::Server => "switchboard datagrams v1, server to client",
            Sender::Caller => "switchboard paths v1, caller to callee",
            Sender::Callee => "switchboard paths v1, callee to caller",
        };
        let derived = blake3::derive_key(context, key);
        let mut key = [0; KEY_LEN];
        key.copy_from_slice(&derived[..KEY_LEN]);
        Seal(SipHasher24::new_with_key(&key))
    }

    /// Appends a datagram that holds `frame`.
    pub fn seal(&self, out: &mut Vec<u8>, binding: u32, counter: u64, frame: &[u8]) {
        let start = out.len();
        header::put_with(out, Kind::Sealed, Flags::NONE, binding, |out| {
            out.extend_from_slice(&counter.to_be_bytes());
            out.extend_from_slice(frame);
            out.extend_from_slice(&[0; TAG_LEN]);
        });
        self.overwrite_tag(out, start);
    }

    /// Appends a datagram of another kind, whose body ends in a tag; the one given is overwritten.
    pub fn sign<'a>(&self, out: &mut Vec<u8>, binding: u32, body: &impl Body<'a>) {
        let start = out.len();
        header::put(out, Flags::NONE, binding, body);
        self.overwrite_tag(out, start);
    }

    /// Puts the tag over the last bytes of the datagram that begins at `start`.
    fn overwrite_tag(&self, out: &mut Vec<u8>, start: usize) {
        out.truncate(out.len() - TAG_LEN);
        let tag = self.tag(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&tag);
    }

    fn tag(&self, bytes: &[u8]) -> [u8; TAG_LEN] {
        self.0.hash(bytes).as_bytes()
    }

    /// In constant time, so that a forger learns nothing from how long a refusal takes.
    fn verifies(&self, bytes: &[u8], tag: &[u8; TAG_LEN]) -> bool {
        let expected = self.tag(bytes);
        expected.iter().zip(tag).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }
}

/// A datagram whose shape is right, and of which nothing else is known.
#[derive(Clone, Copy, Debug)]
pub struct Unverified<'a> {
    /// The binding's number; on a direct path, the relay's.
    pub channel: u32,
    bytes: &'a [u8],
    content: Content<'a>,
}

/// What a datagram says, if its tag is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content<'a> {
    Bind,
    Challenge { cookie: [u8; 24] },
    Prove { cookie: [u8; 24] },
    Sealed { counter: u64, frame: &'a [u8] },
}

/// Looks at the shape of a datagram: exactly one frame of a kind that datagrams have. `None` for everything else.
pub fn parse(datagram: &[u8]) -> Option<Unverified<'_>> {
    if datagram.len() > DATAGRAM_MAX {
        return None;
    }
    parse_frame(datagram)
}

/// The same for a frame that came over TCP, as it does on a direct path, and may be longer.
pub fn parse_frame(frame: &[u8]) -> Option<Unverified<'_>> {
    let Ok(Split::Frame(raw)) = split(frame, BODY_MAX) else { return None };
    if raw.len() != frame.len() {
        return None;
    }
    let content = match raw.decode().ok()? {
        Frame::Bind(_) => Content::Bind,
        Frame::Challenge(frame::Challenge { cookie, .. }) => Content::Challenge { cookie },
        Frame::Prove(frame::Prove { cookie, .. }) => Content::Prove { cookie },
        Frame::Sealed(frame::Sealed { counter, frame_and_tag }) => {
            let (frame, _) = frame_and_tag.split_last_chunk::<TAG_LEN>()?;
            Content::Sealed { counter, frame }
        }
        _ => return None,
    };
    Some(Unverified { channel: raw.header.channel, bytes: frame, content })
}

impl<'a> Unverified<'a> {
    /// The whole datagram, in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        false // it has at least a header; asked by those who ask len()
    }

    /// What it says, if `seal` made its tag.
    pub fn verify(&self, seal: &Seal) -> Option<Content<'a>> {
        let (bytes, tag) = self.bytes.split_last_chunk::<TAG_LEN>()?;
        seal.verifies(bytes, tag).then_some(self.content)
    }
}

/// Which counters of one direction have been seen: the highest, and those shortly before it (RFC 6479's idea, with
/// one word). What is older than the window counts as seen.
#[derive(Clone, Copy, Default, Debug)]
pub struct ReplayWindow {
    /// One above the highest counter seen.
    next: u64,
    /// Bit 0 is the highest counter seen, bit n the one n below it.
    seen: u128,
}

impl ReplayWindow {
    /// How many counters below the highest are told apart.
    pub const LEN: u64 = u128::BITS as u64;

    /// Notes a counter; `false` when it was seen before, or may have been.
    pub fn accept(&mut self, counter: u64) -> bool {
        if counter >= self.next {
            let ahead = counter - self.next + 1;
            let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
            self.next = counter.saturating_add(1);
            return counter != u64::MAX; // the last one could be repeated for ever
        }
        let behind = self.next - 1 - counter;
        if behind >= Self::LEN {
            return false;
        }
        let bit = 1 << behind;
        let fresh = self.seen & bit == 0;
        self.seen |= bit;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const KEY: [u8; 32] = [7; 32];

    fn sealed(frame: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Seal::derive(&KEY, Sender::Client).seal(&mut out, 9, 3, frame);
        out
    }

    #[test]
    fn a_sealed_frame_comes_out_as_it_went_in() {
        let datagram = sealed(b"a frame");
        assert_eq!(datagram.len(), 7 + SEAL_LEN);
        let unverified = parse(&datagram).expect("its shape is right");
        assert_eq!(unverified.channel, 9);
        let content = unverified.verify(&Seal::derive(&KEY, Sender::Client));
        assert_eq!(content, Some(Content::Sealed { counter: 3, frame: b"a frame" }));
    }

    #[test]
    fn no_bit_can_be_changed_and_no_byte_be_missing() {
        let (datagram, seal) = (sealed(b"a frame"), Seal::derive(&KEY, Sender::Client));
        for bit in 0..datagram.len() * 8 {
            let mut forged = datagram.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&forged).is_none_or(|d| d.verify(&seal).is_none()), "bit {bit}");
        }
        for length in 0..datagram.len() {
            assert!(parse(&datagram[..length]).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn what_one_side_sent_is_not_taken_for_the_others() {
        let datagram = sealed(b"a frame");
        let unverified = parse(&datagram).expect("its shape is right");
        assert_eq!(unverified.verify(&Seal::derive(&KEY, Sender::Server)), None);
        assert_eq!(unverified.verify(&Seal::derive(&[8; 32], Sender::Client)), None);
    }

    #[test]
    fn a_challenge_is_no_longer_than_what_it_answers() {
        let seal = Seal::derive(&KEY, Sender::Client);
        let (mut bind, mut challenge, mut prove) = (Vec::new(), Vec::new(), Vec::new());
        seal.sign(&mut bind, 1, &frame::Bind { padding: [0; 24], tag: [0; 16] });
        seal.sign(&mut challenge, 1, &frame::Challenge { cookie: [5; 24], tag: [0; 16] });
        seal.sign(&mut prove, 1, &frame::Prove { cookie: [5; 24], tag: [0; 16] });
        assert!(challenge.len() <= bind.len() && bind.len() == prove.len());
        assert_eq!(parse(&bind).and_then(|d| d.verify(&seal)), Some(Content::Bind));
        assert_eq!(parse(&prove).and_then(|d| d.verify(&seal)), Some(Content::Prove { cookie: [5; 24] }));
    }

    proptest! {
        /// Against a set that remembers everything: nothing is accepted twice, and whatever is in the window or ahead
        /// of it is accepted once.
        #[test]
        fn the_window_accepts_every_counter_at_most_once(
            steps in prop::collection::vec((0..400_u64, any::<bool>()), 0..500)
        ) {
            let (mut window, mut seen, mut highest) = (ReplayWindow::default(), HashSet::new(), 0_u64);
            for (step, ahead) in steps {
                let counter = if ahead { highest + step / 8 } else { highest.saturating_sub(step) };
                let in_window = counter + ReplayWindow::LEN > highest;
                let accepted = window.accept(counter);
                prop_assert_eq!(accepted, in_window && !seen.contains(&counter));
                if accepted {
                    seen.insert(counter);
                }
                highest = highest.max(counter);
            }
        }

        #[test]
        fn random_datagrams_are_nobodys(bytes in prop::collection::vec(any::<u8>(), 0..1_300)) {
            let seal = Seal::derive(&KEY, Sender::Client);
            prop_assert!(parse(&bytes).is_none_or(|datagram| datagram.verify(&seal).is_none()));
        }
    }
}
