//! The last words to those whose protocol is not spoken here, in that protocol.

use super::http;
use crate::wire::sniff::Protocol;
use std::fmt::Display;
use std::io::Write;

/// A fatal alert "handshake_failure" (RFC 8446 §6): TLS 1.2 record, level 2, description 40.
const TLS_HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

pub(super) fn encode_farewell(protocol: Protocol, words: &dyn Display, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = match protocol {
        Protocol::Tls => out.write_all(&TLS_HANDSHAKE_FAILURE),
        Protocol::HttpGet => return http::encode_not_found(out),
        Protocol::HttpOther => return http::encode_not_allowed(out),
        Protocol::Text | Protocol::Native => write!(out, "ERROR :{words}\r\n"),
    };
}

#[cfg(test)]
mod tests {
    use crate::hub::{Host, Limits};
    use crate::session::{CloseReason, Description, Session, Step, Surroundings};

    fn farewell_to(bytes: &[u8]) -> Vec<u8> {
        let server = Description { irc: false, ..Description::default() };
        let surroundings = Surroundings::new(server, Limits::default());
        let (mut session, mut notes, mut out) = (Session::new(Host::default()), String::new(), Vec::new());
        let mut next = |bytes| {
            session.next(bytes, &surroundings, &mut notes, &mut out) == Step::Close(CloseReason::NotSpoken)
        };
        assert!(next(bytes));
        assert!(next(b"NICK x\r\n"), "and never another step");
        session.encode_farewell(CloseReason::NotSpoken, &CloseReason::NotSpoken, &mut out);
        out
    }

    #[test]
    fn everybody_is_told_in_their_own_words() {
        assert!(farewell_to(b"GET / HTTP/1.1\r\n").starts_with(b"HTTP/1.1 404 "));
        assert!(farewell_to(b"POST / HTTP/1.1\r\n\r\nNICK x\r\n").starts_with(b"HTTP/1.1 405 "));
        assert_eq!(farewell_to(&[0x16, 3, 1])[0], 21);
        assert_eq!(farewell_to(b"NICK a\r\n"), b"ERROR :IRC is turned off on this server\r\n");
    }
}
