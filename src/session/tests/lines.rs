//! A dialect of lines for tests alone: what the server does for any such dialect, whatever its words.
//!
//! A connection speaks it when its first line is `LINES`. Then: `echo TEXT`, `login NAME`, `list N` (so many steps),
//! `oper NAME PASSWORD`, `variant BITS`, `quit`; everything else is no news.

use crate::hub::{Command, Reply, RequestId};
use crate::session::{CloseReason, Credential, Dialect, Step, Variant, Verdict};
use std::io::Write;
use std::time::Duration;

pub const FIRST: &[u8] = b"LINES";

#[derive(Default)]
pub struct Lines {
    pub is_open: bool,
    variant: Variant,
    /// Steps done of the line at hand.
    steps: usize,
    verdict: Option<Verdict>,
}

impl Lines {
    pub fn dialect(&self) -> Option<Dialect> {
        self.is_open.then_some(Dialect::Irc(self.variant))
    }

    pub fn next<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> Step<'a> {
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
            return Step::Incomplete { needed: bytes.len() + 1 };
        };
        let (used, request) = (end + 1, RequestId(1));
        let line = str::from_utf8(&bytes[..end]).expect("a test writes text");
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "echo" => {
                out.extend_from_slice(rest.as_bytes());
                out.push(b'\n');
                Step::Done { used }
            }
            "login" => Step::Command {
                used,
                request,
                command: Command::Login { name: rest, payload_max: 0, username: "", realname: "" },
            },
            "list" => {
                self.steps += 1;
                let is_last = self.steps == rest.parse::<usize>().expect("a number");
                if is_last {
                    self.steps = 0;
                }
                let used = if is_last { used } else { 0 };
                Step::Command {
                    used,
                    request,
                    command: Command::ListRooms { after: "", filter: Default::default() },
                }
            }
            "oper" => match self.verdict.take() {
                None => {
                    let (name, password) = rest.split_once(' ').expect("a name and a password");
                    Step::Verify { used: 0, request, credential: Credential::Operator { name }, password }
                }
                Some(verdict) => {
                    out.extend_from_slice(format!("{verdict:?}\n").as_bytes());
                    Step::Done { used }
                }
            },
            "variant" => {
                self.variant = Variant::from_bits(rest.parse().expect("bits"));
                out.extend_from_slice(b"changed\n");
                Step::NewDialect { used }
            }
            "quit" => Step::Quit { used, text: rest },
            _ => Step::Done { used },
        }
    }

    pub fn verified(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
    }
}

pub fn encode_reply(reply: &Reply<'_>, out: &mut Vec<u8>) {
    let word: &[u8] = match reply {
        Reply::Rooms { .. } => b"rooms\n",
        Reply::LoggedIn { .. } => b"welcome\n",
        _ => b"reply\n",
    };
    out.extend_from_slice(word);
}

pub fn encode_throttled(wait: Duration, out: &mut Vec<u8>) {
    let _ = writeln!(out, "wait {}", wait.as_millis());
}

pub fn encode_farewell(reason: CloseReason, out: &mut Vec<u8>) {
    let _ = writeln!(out, "ERROR {reason}");
}
