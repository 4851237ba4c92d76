//! AUTHENTICATE: what client and server say to each other in SASL, in base64 and in pieces of 400 bytes (IRCv3 SASL 3.1,
//! RFC 4422).

use base64ct::{Base64, Encoding};

/// A piece that is as long as this one has another behind it.
const PIECE_BYTES: usize = 400;

/// What a client may say at once, before base64. A password may have 1,000 bytes.
pub const MESSAGE_BYTES_MAX: usize = 4_096;

/// The pieces of a message that have come.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Pieces(String);

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Taken {
    /// There is more to come.
    More,
    Message(Vec<u8>),
    /// A piece, or all of them together, are too long: 905.
    TooLong,
    /// No base64.
    Bad,
}

impl Pieces {
    /// Takes the parameter of AUTHENTICATE; `+` is nothing.
    pub fn take(&mut self, piece: &str) -> Taken {
        if piece.len() > PIECE_BYTES || self.0.len() + piece.len() > MESSAGE_BYTES_MAX.div_ceil(3) * 4 {
            self.0.clear();
            return Taken::TooLong;
        }
        if piece != "+" {
            self.0.push_str(piece);
            if piece.len() == PIECE_BYTES {
                return Taken::More;
            }
        }
        let message = Base64::decode_vec(&std::mem::take(&mut self.0));
        message.map_or(Taken::Bad, Taken::Message)
    }
}

/// The parameters of AUTHENTICATE that make up a message, in order.
pub fn pieces_of(message: &str, mut each: impl FnMut(&str)) {
    let encoded = Base64::encode_string(message.as_bytes());
    let mut rest = encoded.as_str();
    while let Some((piece, behind)) = rest.split_at_checked(PIECE_BYTES) {
        each(piece);
        rest = behind;
    }
    each(if rest.is_empty() { "+" } else { rest });
}

/// RFC 4616: as whom to act, whose password, and the password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plain<'a> {
    pub authorization: &'a str,
    pub user: &'a str,
    pub password: &'a str,
}

impl Plain<'_> {
    /// `None`, if it is no such message.
    pub fn parse(message: &[u8]) -> Option<Plain<'_>> {
        let mut parts = std::str::from_utf8(message).ok()?.split('\0');
        let plain = Plain { authorization: parts.next()?, user: parts.next()?, password: parts.next()? };
        (parts.next().is_none() && !plain.user.is_empty()).then_some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_and_go_in_pieces() {
        for length in [0, 1, 299, 300, 301, 599, 600, 601, 1_000] {
            let message = "x".repeat(length);
            let (mut pieces, mut taken, mut count) = (Pieces::default(), Taken::More, 0);
            pieces_of(&message, |piece| {
                assert_eq!(taken, Taken::More);
                (taken, count) = (pieces.take(piece), count + 1);
            });
            assert_eq!(
                (taken, count),
                (Taken::Message(message.into_bytes()), length.div_ceil(3) * 4 / PIECE_BYTES + 1)
            );
        }
    }

    #[test]
    fn what_is_too_long_or_no_base64_is_forgotten() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.take(&"A".repeat(401)), Taken::TooLong);
        let long = "A".repeat(400);
        let taken: Vec<Taken> = (0..14).map(|_| pieces.take(&long)).collect();
        assert_eq!(taken[12], Taken::More);
        assert_eq!(taken[13], Taken::TooLong);
        assert_eq!(pieces.take("????"), Taken::Bad);
        assert_eq!(pieces.take("YQ=="), Taken::Message(b"a".to_vec()), "and nothing of the earlier is in it");
        assert_eq!(pieces.take("+"), Taken::Message(vec![]));
    }

    #[test]
    fn plain() {
        let plain = |message: &'static str| Plain::parse(message.as_bytes());
        let expected = Plain { authorization: "", user: "ann", password: "se same" };
        assert_eq!(plain("\0ann\0se same"), Some(expected));
        assert_eq!(plain("bob\0ann\0"), Some(Plain { authorization: "bob", password: "", ..expected }));
        for bad in ["", "ann", "\0ann", "\0\0sesame", "a\0b\0c\0d"] {
            assert_eq!(plain(bad), None, "{bad:?}");
        }
        assert_eq!(Plain::parse(b"\0ann\0\xff"), None);
    }
}
