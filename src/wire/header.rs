//! The fixed header, and the boundary between one frame and the next.
//!
//! ```text
//!   0        1        2                 4                                   8
//!   +--------+--------+--------+--------+--------+--------+--------+--------+--- … ---+
//!   |  kind  | flags  |  body length    |              channel              |  body   |
//!   +--------+--------+--------+--------+--------+--------+--------+--------+--- … ---+
//! ```
//!
//! Big-endian. The length counts the body alone. Nothing here allocates, and nothing looks at a body.

use super::fields::be32;
use super::frame::{Body, BodyError, Frame, Kind};
use std::fmt;
use std::ops::Range;

/// Bytes in front of every body.
pub const HEADER_LEN: usize = 8;

/// The longest body, in bytes, that this implementation ever sends or accepts. Below `u16::MAX` on purpose: a
/// length that is too long can then be written down, sent, and refused.
pub const BODY_MAX: u16 = 32_768;

/// The smallest body maximum a client may negotiate, in bytes. A room's frame is the same bytes for every member,
/// so every member has to be able to take the longest text.
pub const BODY_MAX_FLOOR: u16 = 8_192;

const KIND: usize = 0;
const FLAGS: usize = 1;
const LENGTH: Range<usize> = 2..4;
const CHANNEL: Range<usize> = 4..8;

/// Bits of the header's second byte. A bit without a name here must be zero.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Flags(u8);

impl Flags {
    pub const NONE: Flags = Flags(0);
    /// On a list: the list goes on; ask again, after the last name of this frame.
    pub const MORE: Flags = Flags(0x01);
    /// On relay payload: the sender has nothing more to say in this direction.
    pub const END: Flags = Flags(0x02);

    const KNOWN: u8 = Self::MORE.0 | Self::END.0;

    pub fn from_bits(bits: u8) -> Option<Flags> {
        (bits & !Self::KNOWN == 0).then_some(Flags(bits))
    }

    pub fn bits(self) -> u8 {
        self.0
    }

    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The eight bytes, read but not judged: `kind` may be one that nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub kind: u8,
    pub flags: u8,
    pub length: u16,
    pub channel: u32,
}

impl Header {
    /// Reads a header from the front of `bytes`; `None` while there are fewer than [`HEADER_LEN`].
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let h: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        Some(Header {
            kind: h[KIND],
            flags: h[FLAGS],
            length: u16::from_be_bytes([h[LENGTH.start], h[LENGTH.start + 1]]),
            channel: be32([
                h[CHANNEL.start],
                h[CHANNEL.start + 1],
                h[CHANNEL.start + 2],
                h[CHANNEL.start + 3],
            ]),
        })
    }

    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut h = [0; HEADER_LEN];
        h[KIND] = self.kind;
        h[FLAGS] = self.flags;
        h[LENGTH].copy_from_slice(&self.length.to_be_bytes());
        h[CHANNEL].copy_from_slice(&self.channel.to_be_bytes());
        h
    }

    /// Header and body together, in bytes.
    pub fn frame_len(self) -> usize {
        HEADER_LEN + usize::from(self.length)
    }
}

/// Why a stream of bytes is not a stream of frames. There is no way back into step: the connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// The first byte of a frame is below 0x80.
    NotAFrame(u8),
    /// The length exceeds what was negotiated.
    TooLong { length: u16, max: u16 },
    /// A flag that this version does not know.
    UnknownFlags(u8),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            FrameError::NotAFrame(byte) => write!(f, "0x{byte:02x} does not begin a frame"),
            FrameError::TooLong { length, max } => {
                write!(f, "a body of {length} bytes is over the limit of {max}")
            }
            FrameError::UnknownFlags(bits) => write!(f, "flags 0x{bits:02x} are not known here"),
        }
    }
}

impl std::error::Error for FrameError {}

/// What the front of a byte stream holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Split<'a> {
    Frame(RawFrame<'a>),
    /// Not a whole frame yet; it will be one (or at least a header) at `needed` bytes in total.
    Incomplete {
        needed: usize,
    },
}

/// One whole frame, its body not yet looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawFrame<'a> {
    pub header: Header,
    pub body: &'a [u8],
}

impl<'a> RawFrame<'a> {
    /// Header and body together, in bytes.
    pub fn len(&self) -> usize {
        HEADER_LEN + self.body.len()
    }

    pub fn is_empty(&self) -> bool {
        false // a frame has at least its header
    }

    pub fn kind(&self) -> Option<Kind> {
        Kind::from_u8(self.header.kind)
    }

    pub fn flags(&self) -> Flags {
        Flags(self.header.flags)
    }

    /// The request id of a frame whose body starts with one, so that even a body that does not parse can be
    /// refused by its id; 0 otherwise.
    pub fn request(&self) -> u32 {
        let at = match self.kind() {
            Some(Kind::Hello) => 4..8,
            Some(kind) if kind.is_request() => 0..4,
            _ => return 0,
        };
        self.body.get(at).and_then(|b| b.try_into().ok()).map_or(0, be32)
    }

    /// # Errors
    /// [`BodyError`] when the body is not what its kind promises.
    pub fn decode(&self) -> Result<Frame<'a>, BodyError> {
        Frame::decode(self.header.kind, self.body)
    }
}

/// Finds the first frame in `bytes`. Looks at the header only, so that a frame that arrives byte by byte costs
/// nothing until it is whole.
///
/// # Errors
/// [`FrameError`] as soon as the header shows it; the body need not have arrived.
pub fn split(bytes: &[u8], body_max: u16) -> Result<Split<'_>, FrameError> {
    if let Some(&first) = bytes.first()
        && first < Kind::FIRST
    {
        return Err(FrameError::NotAFrame(first));
    }
    let Some(header) = Header::read(bytes) else {
        return Ok(Split::Incomplete { needed: HEADER_LEN });
    };
    if header.length > body_max {
        return Err(FrameError::TooLong { length: header.length, max: body_max });
    }
    if Flags::from_bits(header.flags).is_none() {
        return Err(FrameError::UnknownFlags(header.flags));
    }
    match bytes.get(HEADER_LEN..header.frame_len()) {
        Some(body) => Ok(Split::Frame(RawFrame { header, body })),
        None => Ok(Split::Incomplete { needed: header.frame_len() }),
    }
}

/// Appends one frame to `out`.
///
/// Total: whatever the fields hold, one frame comes out. Nothing that has passed the limits of a session reaches
/// [`BODY_MAX`]; debug builds assert that, and release builds cut the body there rather than send what no peer takes.
pub fn put<'a>(out: &mut Vec<u8>, flags: Flags, channel: u32, body: &impl Body<'a>) {
    put_with(out, body.kind(), flags, channel, |out| body.encode(out));
}

/// Appends one frame whose body `fill` writes; the length is filled in afterwards.
pub fn put_with(out: &mut Vec<u8>, kind: Kind, flags: Flags, channel: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&Header { kind: kind as u8, flags: flags.bits(), length: 0, channel }.to_bytes());
    fill(out);
    let length = out.len() - start - HEADER_LEN;
    debug_assert!(length <= usize::from(BODY_MAX), "{kind:?} body of {length} bytes");
    let length = u16::try_from(length).unwrap_or(u16::MAX).min(BODY_MAX);
    out.truncate(start + HEADER_LEN + usize::from(length));
    out[start + LENGTH.start..start + LENGTH.end].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_round_trips() {
        let header = Header { kind: 0x94, flags: 1, length: 0x1234, channel: 0xdead_beef };
        assert_eq!(header.to_bytes(), [0x94, 1, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef]);
        assert_eq!(Header::read(&header.to_bytes()), Some(header));
        assert_eq!(Header::read(&header.to_bytes()[..7]), None);
    }

    #[test]
    fn a_frame_is_found_at_exactly_its_last_byte() {
        let mut bytes = Vec::new();
        put_with(&mut bytes, Kind::Data, Flags::END, 7, |out| out.extend_from_slice(b"abc"));
        for cut in 0..bytes.len() {
            let needed = if cut < HEADER_LEN { HEADER_LEN } else { bytes.len() };
            assert_eq!(split(&bytes[..cut], 16), Ok(Split::Incomplete { needed }), "cut at {cut}");
        }
        let Ok(Split::Frame(frame)) = split(&bytes, 16) else { panic!("no frame") };
        assert_eq!((frame.body, frame.len(), frame.flags()), (&b"abc"[..], 11, Flags::END));
    }

    #[test]
    fn lengths_zero_max_and_one_over() {
        let header = |length| Header { kind: 0x84, flags: 0, length, channel: 0 }.to_bytes();
        assert!(matches!(split(&header(0), 16), Ok(Split::Frame(f)) if f.body.is_empty()));
        assert_eq!(split(&header(16), 16), Ok(Split::Incomplete { needed: 24 }));
        assert_eq!(split(&header(17), 16), Err(FrameError::TooLong { length: 17, max: 16 }));
    }

    #[test]
    fn a_wrong_first_byte_is_told_before_a_header_is_there() {
        assert_eq!(split(b"G", 16), Err(FrameError::NotAFrame(b'G')));
        assert_eq!(split(&[0x80, 0x80, 0, 0, 0, 0, 0, 0], 16), Err(FrameError::UnknownFlags(0x80)));
    }
}
