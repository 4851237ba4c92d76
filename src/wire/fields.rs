//! The primitives that bodies are made of: big-endian integers, a name (one length byte, then UTF-8), and a text
//! (UTF-8 up to the end of the body), and an address.

use super::frame::BodyError;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

pub(super) fn be32(bytes: [u8; 4]) -> u32 {
    u32::from_be_bytes(bytes)
}

/// Takes fields off the front of a body. Every method fails with [`BodyError::Short`] where the body ends too soon.
#[derive(Clone, Copy)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub fn new(body: &'a [u8]) -> Self {
        Fields(body)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], BodyError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(BodyError::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    pub fn u8(&mut self) -> Result<u8, BodyError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Result<u16, BodyError> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, BodyError> {
        self.array().map(be32)
    }

    pub fn u64(&mut self) -> Result<u64, BodyError> {
        self.array().map(u64::from_be_bytes)
    }

    /// One length byte, then that many bytes of UTF-8.
    pub fn name(&mut self) -> Result<&'a str, BodyError> {
        std::str::from_utf8(self.name_bytes()?).map_err(|_| BodyError::NotUtf8)
    }

    /// A name, without a look at whether it is UTF-8.
    pub fn name_bytes(&mut self) -> Result<&'a [u8], BodyError> {
        let length = usize::from(self.u8()?);
        let (name, rest) = self.0.split_at_checked(length).ok_or(BodyError::Short)?;
        self.0 = rest;
        Ok(name)
    }

    /// Two length bytes, then that many bytes of UTF-8.
    pub fn long(&mut self) -> Result<&'a str, BodyError> {
        let length = usize::from(self.u16()?);
        let (text, rest) = self.0.split_at_checked(length).ok_or(BodyError::Short)?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| BodyError::NotUtf8)
    }

    /// An address: 16 bytes of IPv6, in which IPv4 is mapped (RFC 4291 §2.5.5.2), and two of port.
    pub fn address(&mut self) -> Result<SocketAddr, BodyError> {
        let ip = Ipv6Addr::from(self.array::<16>()?).to_canonical();
        Ok(SocketAddr::new(ip, self.u16()?))
    }

    /// Everything that is left, as UTF-8.
    pub fn text(&mut self) -> Result<&'a str, BodyError> {
        std::str::from_utf8(self.bytes()).map_err(|_| BodyError::NotUtf8)
    }

    /// Everything that is left.
    pub fn bytes(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// What was taken off since, by `later`, which began as a copy of this.
    pub fn up_to(&self, later: &Fields<'a>) -> &'a [u8] {
        self.0.get(..self.0.len().saturating_sub(later.0.len())).unwrap_or_default()
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), BodyError> {
        if self.0.is_empty() { Ok(()) } else { Err(BodyError::Trailing) }
    }
}

/// As much of a text as there may be, in bytes, and no character in part.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}

/// Writes a name field. Names longer than 255 bytes do not exist (the hub's limit is far below); one that came
/// here all the same is cut at a character, so that what follows stays in step.
pub fn put_name(out: &mut Vec<u8>, name: &str) {
    let name = cut(name, u8::MAX.into());
    out.push(name.len() as u8);
    out.extend_from_slice(name.as_bytes());
}

/// Writes a text with its length in front, cut at a character where two bytes cannot say how long it is.
pub fn put_long(out: &mut Vec<u8>, text: &str) {
    let text = cut(text, u16::MAX.into());
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Writes an address field.
pub fn put_address(out: &mut Vec<u8>, address: SocketAddr) {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    out.extend_from_slice(&ip.octets());
    out.extend_from_slice(&address.port().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_off_in_order_and_end_is_checked() {
        let mut fields = Fields::new(&[1, 0, 2, 3, b'a', b'b', b'c', b'x']);
        assert_eq!((fields.u8(), fields.u16(), fields.name()), (Ok(1), Ok(2), Ok("abc")));
        assert_eq!(fields.end(), Err(BodyError::Trailing));
        assert_eq!(fields.text(), Ok("x"));
        assert_eq!(fields.end(), Ok(()));
        assert_eq!(fields.u8(), Err(BodyError::Short));
    }

    #[test]
    fn a_name_longer_than_its_body_is_short_and_bad_utf8_is_told_apart() {
        assert_eq!(Fields::new(&[4, b'a']).name(), Err(BodyError::Short));
        assert_eq!(Fields::new(&[1, 0xff]).name(), Err(BodyError::NotUtf8));
        assert_eq!(Fields::new(&[0xc3]).text(), Err(BodyError::NotUtf8));
    }

    #[test]
    fn an_overlong_name_is_cut_at_a_character() {
        let mut out = Vec::new();
        put_name(&mut out, &"é".repeat(200));
        assert_eq!((out[0], out.len()), (254, 255));
    }
}
