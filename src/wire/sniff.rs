//! Which protocol a connection speaks, from its first bytes. Nothing is consumed: the bytes stay where they are, for
//! whoever speaks that protocol to read from the start.

use super::frame::Kind;

/// What begins a connection. `Native` and `Text` are spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    Native,
    /// A TLS ClientHello (RFC 8446 §5.1: a record of type 22).
    Tls,
    /// `GET `, which WebSocket starts with too.
    HttpGet,
    /// Any other method. A browser can be made to send these to any port, with lines in the body that look like
    /// chat commands; so they must never reach a line parser.
    HttpOther,
    /// Text: IRC, or somebody with netcat.
    Text,
}

const METHODS: [&[u8]; 9] =
    [b"POST ", b"PUT ", b"HEAD ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"TRACE ", b"CONNECT ", b"PRI "];
const GET: &[u8] = b"GET ";
const TLS_HANDSHAKE: u8 = 0x16;

/// `None` while the bytes could still become more than one of them; eight bytes always decide.
pub fn sniff(bytes: &[u8]) -> Option<Protocol> {
    let &first = bytes.first()?;
    if first >= Kind::FIRST {
        return Some(Protocol::Native);
    }
    if first == TLS_HANDSHAKE {
        return Some(Protocol::Tls);
    }
    if bytes.starts_with(GET) {
        return Some(Protocol::HttpGet);
    }
    if METHODS.iter().any(|method| bytes.starts_with(method)) {
        return Some(Protocol::HttpOther);
    }
    let undecided = METHODS.iter().chain([&GET]).any(|method| method.starts_with(bytes));
    (!undecided).then_some(Protocol::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_decide_and_prefixes_wait() {
        let cases: [(&[u8], Protocol); 8] = [
            (&[0x80, 0, 0, 0], Protocol::Native),
            (&[0xff], Protocol::Native),
            (&[0x16, 3, 1], Protocol::Tls),
            (b"GET / HTTP/1.1", Protocol::HttpGet),
            (b"POST / HTTP/1.1", Protocol::HttpOther),
            (b"PRI * HTTP/2.0", Protocol::HttpOther),
            (b"NICK alice", Protocol::Text),
            (b"PRIVMSG bob :hi", Protocol::Text),
        ];
        for (bytes, protocol) in cases {
            let decided = (1..=bytes.len()).find_map(|n| sniff(&bytes[..n]));
            assert_eq!(decided, Some(protocol), "{bytes:?}");
            assert_eq!(sniff(bytes), Some(protocol));
        }
        assert_eq!((sniff(b""), sniff(b"P"), sniff(b"GET"), sniff(b"OPTIONS")), (None, None, None, None));
        assert_eq!((sniff(b"\r\n"), sniff(b"PA")), (Some(Protocol::Text), None));
        assert_eq!(sniff(b"PASS x"), Some(Protocol::Text));
    }
}
