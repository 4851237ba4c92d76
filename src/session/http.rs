//! As much of HTTP as one question takes: `GET /metrics`, by those who collect figures (RFC 9112).
//!
//! ```text
//!   GET /metrics HTTP/1.1        the request line decides: not ours, 404; no request line, 400
//!   Host: example                each line has a name and a colon, or 400
//!                                an empty line ends it: answered, and closed
//! ```
//!
//! One question for each connection. What comes behind it is thrown away, whatever it says: a browser can be made to send
//! lines that look like chat to any port.

use super::CloseReason;
use std::io::Write;

/// Bytes of a request line and its headers together; more are refused.
pub const HEAD_BYTES_MAX: usize = 8 * 1_024;

/// What the figures are written in: Prometheus' text exposition format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const METRICS_PATH: &str = "/metrics";

/// For how many more bytes there should be room when the end has not come.
const MORE_BYTES: usize = 1_024;

/// A request of which the end has not come yet.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Request {
    /// Bytes of whole lines that were looked at. Fits: [`HEAD_BYTES_MAX`].
    looked: u16,
    has_host: bool,
    /// It came with HTTP/1.1, which wants a host.
    wants_host: bool,
    wrong: Option<Wrong>,
}

/// Why there is no answer but that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wrong {
    /// It is not HTTP, or not whole.
    Bad,
    /// There is nothing of that name.
    NotFound,
}

/// What is known by now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    /// It goes on; worth another look with this many bytes.
    Incomplete {
        needed: usize,
    },
    /// The figures.
    Metrics,
    Nothing(Wrong),
}

impl Request {
    /// Looks at the lines that are there. `bytes` start where the request does, each time.
    pub fn read(&mut self, bytes: &[u8]) -> Asked {
        loop {
            let rest = bytes.get(usize::from(self.looked)..).unwrap_or_default();
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                let is_too_long = bytes.len() > HEAD_BYTES_MAX;
                return if is_too_long { self.refuse(Wrong::Bad) } else { incomplete(bytes) };
            };
            let is_first = self.looked == 0;
            let line = rest.get(..end).unwrap_or_default();
            let looked = usize::from(self.looked) + end + 1;
            if looked > HEAD_BYTES_MAX {
                return self.refuse(Wrong::Bad);
            }
            self.looked = looked as u16;
            // RFC 9112 §2.2: a line may also end in LF alone, as those do who type it.
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let understood = match line {
                [] if is_first || (self.wants_host && !self.has_host) => Err(Wrong::Bad),
                [] => return Asked::Metrics,
                _ if is_first => self.take_request_line(line),
                _ => self.take_field(line),
            };
            if let Err(wrong) = understood {
                return self.refuse(wrong);
            }
        }
    }

    /// `GET /metrics HTTP/1.1` (RFC 9112 §3).
    fn take_request_line(&mut self, line: &[u8]) -> Result<(), Wrong> {
        let line = std::str::from_utf8(line).map_err(|_| Wrong::Bad)?;
        let mut words = line.split(' ');
        let (method, target, version, end) = (words.next(), words.next(), words.next(), words.next());
        let (Some("GET"), Some(target), Some(version), None) = (method, target, version, end) else {
            return Err(Wrong::Bad);
        };
        self.wants_host = version == "HTTP/1.1";
        let is_printed = !target.is_empty() && target.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_printed || !(self.wants_host || version == "HTTP/1.0") {
            return Err(Wrong::Bad);
        }
        // §3.2.2: the path stands behind a host where a proxy is asked.
        let path = match target.strip_prefix("http://") {
            Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
            None => target,
        };
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        if path == METRICS_PATH { Ok(()) } else { Err(Wrong::NotFound) }
    }

    /// `Host: example` (RFC 9112 §5): nothing but the host is of interest, but what is no field is no HTTP.
    fn take_field(&mut self, line: &[u8]) -> Result<(), Wrong> {
        let colon = line.iter().position(|byte| *byte == b':').ok_or(Wrong::Bad)?;
        let (name, value) = line.split_at(colon);
        let is_name = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_graphic());
        let is_value = value.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control());
        if !is_name || !is_value {
            return Err(Wrong::Bad);
        }
        self.has_host |= name.eq_ignore_ascii_case(b"host");
        Ok(())
    }

    fn refuse(&mut self, wrong: Wrong) -> Asked {
        self.wrong = Some(wrong);
        Asked::Nothing(wrong)
    }

    /// The last words, and the only ones.
    pub fn encode_farewell(&self, reason: CloseReason, out: &mut Vec<u8>) {
        match (self.wrong, reason) {
            (Some(Wrong::Bad), _) => encode_bad(out),
            (_, CloseReason::NotSpoken) => encode_not_found(out),
            (_, CloseReason::LoginTimeout) => {
                encode(out, "408 Request Timeout", "", "The request took too long.\n")
            }
            _ => encode(out, "503 Service Unavailable", "", "The server has to close this connection.\n"),
        }
    }
}

fn incomplete(bytes: &[u8]) -> Asked {
    Asked::Incomplete { needed: bytes.len() + MORE_BYTES }
}

pub(super) fn encode_not_found(out: &mut Vec<u8>) {
    encode(out, "404 Not Found", "", "There is nothing to see over HTTP here.\n");
}

pub(super) fn encode_not_allowed(out: &mut Vec<u8>) {
    encode(out, "405 Method Not Allowed", "Allow: GET\r\n", "Only GET is taken.\n");
}

fn encode_bad(out: &mut Vec<u8>) {
    encode(out, "400 Bad Request", "", "That is not HTTP/1.0 or HTTP/1.1.\n");
}

/// Appends the figures, as the answer to a request for them.
pub fn encode_metrics(figures: &str, out: &mut Vec<u8>) {
    encode_typed(out, "200 OK", "", METRICS_TYPE, figures);
}

fn encode(out: &mut Vec<u8>, status: &str, extra: &str, body: &str) {
    encode_typed(out, status, extra, "text/plain", body);
}

/// RFC 9112 §2.1, with a body and an end.
fn encode_typed(out: &mut Vec<u8>, status: &str, extra: &str, content_type: &str, body: &str) {
    let length = body.len();
    // Writing to a Vec cannot fail.
    let _ = write!(
        out,
        "HTTP/1.1 {status}\r\n{extra}Content-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known in the end, however the bytes come: at once, or one by one.
    fn asked(request: &str) -> Asked {
        let at_once = Request::default().read(request.as_bytes());
        let mut slow = Request::default();
        let decided = (1..=request.len()).find_map(|n| match slow.read(&request.as_bytes()[..n]) {
            Asked::Incomplete { .. } => None,
            decided => Some(decided),
        });
        match at_once {
            Asked::Incomplete { needed } => assert!(decided.is_none() && needed > request.len()),
            at_once => assert_eq!(decided, Some(at_once), "{request:?}"),
        }
        at_once
    }

    #[test]
    fn the_figures_are_asked_for() {
        for request in [
            "GET /metrics HTTP/1.0\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: example\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nAccept: */*\r\nhOsT:\r\nX: caf\u{e9}\r\n\r\nNICK mallory\r\n",
            "GET /metrics?format=text HTTP/1.0\r\n\r\n",
            "GET http://example:7667/metrics HTTP/1.1\r\nHost: example\r\n\r\n",
            "GET /metrics HTTP/1.0\n\n",
        ] {
            assert_eq!(asked(request), Asked::Metrics, "{request:?}");
        }
    }

    #[test]
    fn nothing_else_is_there() {
        for target in
            ["/", "/metrics/", "/metric", "/METRICS", "/?/metrics", "http://metrics", "*", "//metrics"]
        {
            let request = format!("GET {target} HTTP/1.1\r\n");
            assert_eq!(asked(&request), Asked::Nothing(Wrong::NotFound), "{target}");
        }
    }

    #[test]
    fn what_is_no_http_is_told_so() {
        for request in [
            "GET \r\n",
            "GET /metrics\r\n",
            "GET /metrics \r\n",
            "GET  /metrics HTTP/1.1\r\n",
            "GET /metrics HTTP/1.1 x\r\n",
            "GET /metrics HTTP/2.0\r\n",
            "GET /metrics FTP/1.1\r\n",
            "GET /met\u{1}rics HTTP/1.1\r\n",
            "GET /metrics HTTP/1.1\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost\r\n",
            "GET /metrics HTTP/1.1\r\n: example\r\n",
            "GET /metrics HTTP/1.1\r\nHost : example\r\n",
            "GET /metrics HTTP/1.1\r\nHost: a\r\n b\r\n",
            "GET /metrics HTTP/1.1\r\nHost: a\u{0}b\r\n",
            "GET /metrics HTTP/1.1\r\r\n",
            "\r\n",
        ] {
            assert_eq!(asked(request), Asked::Nothing(Wrong::Bad), "{request:?}");
        }
    }

    #[test]
    fn it_ends_somewhere() {
        let head = "GET /metrics HTTP/1.1\r\nHost: example\r\n";
        let long = |filler: &str| head.to_owned() + &filler.repeat(HEAD_BYTES_MAX / filler.len() + 1);
        assert_eq!(asked(&long("x")), Asked::Nothing(Wrong::Bad));
        assert_eq!(asked(&long("X: y\r\n")), Asked::Nothing(Wrong::Bad));
        assert_eq!(asked(head), Asked::Incomplete { needed: head.len() + MORE_BYTES });
    }
}
