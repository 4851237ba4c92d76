//! The trace: one line for each step of the turn, by the name of the connection, for those who want to watch it work.
//! `RUST_LOG=switchboard=trace` turns it on, and `docs/OBSERVE.md` reads one message's way from it.
//!
//! Off, a line costs one load and one comparison: what it says is put together behind them, in code that lies apart.
//!
//! Absent on purpose: what people say, passwords and tickets. Frames, commands and effects are told by their kind alone.

use crate::hub::{ChannelId, RequestId};
use crate::net::{Flushed, Key};
use crate::session::Step;
use crate::wire::frame::MAGIC;
use crate::wire::{BODY_MAX, Flags, Kind, RawFrame, Split, split};
use log::{Level, LevelFilter};
use std::fmt::{self, Debug, Display, Write};
use std::time::Duration;

/// What the lines are logged under, whichever file they are in: `RUST_LOG=info,switchboard::turn=trace` asks for them
/// alone.
pub const TARGET: &str = "switchboard::turn";

/// One line, if somebody wants it. Takes what `format!` takes.
macro_rules! trace {
    ($($arg:tt)+) => {
        if $crate::server::trace::is_on() {
            $crate::server::trace::tell(format_args!($($arg)+));
        }
    };
}
pub(super) use trace;

#[inline(always)]
pub fn is_on() -> bool {
    Level::Trace <= log::STATIC_MAX_LEVEL && log::max_level() == LevelFilter::Trace
}

#[cold]
#[inline(never)]
pub fn tell(line: fmt::Arguments<'_>) {
    log::trace!(target: TARGET, "{line}");
}

/// The name of a variant, and nothing that is in it, as the documents write it: `SetSubject { … }` is `set_subject`.
pub struct Variant<'a, T>(pub &'a T);

impl<T: Debug> Display for Variant<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = Name { out: f, has_begun: false, has_ended: false };
        let _ = write!(name, "{:?}", self.0); // ends with an error where the name does, so that the rest is not written
        Ok(())
    }
}

/// Takes letters up to the first thing that is none.
struct Name<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    has_begun: bool,
    has_ended: bool,
}

impl Write for Name<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.has_ended |= !c.is_ascii_alphanumeric();
            if self.has_ended {
                return Err(fmt::Error);
            }
            if c.is_ascii_uppercase() && self.has_begun {
                self.out.write_char('_')?;
            }
            self.out.write_char(c.to_ascii_lowercase())?;
            self.has_begun = true;
        }
        Ok(())
    }
}

/// How long a poll may sleep.
pub struct Sleep(pub Option<Duration>);

impl Display for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("sleeps until something happens"),
            Some(Duration::ZERO) => f.write_str("work is left over, so it looks and does not sleep"),
            Some(time) => write!(f, "sleeps until something happens, for {} ms at most", time.as_millis()),
        }
    }
}

/// What a session made of the first of these bytes.
#[cold]
pub fn step(key: Key, bytes: &[u8], step: &Step<'_>) {
    let taken = Taken { bytes: bytes.get(..step.used()).unwrap_or_default() };
    match step {
        Step::Incomplete { .. } if bytes.is_empty() => {}
        Step::Incomplete { needed } => tell(format_args!(
            "{key} holds {} bytes: the beginning of something that takes {needed}",
            bytes.len()
        )),
        Step::Command { request, command, .. } => tell(format_args!(
            "{key} {taken}: command {}{}",
            Variant(command),
            For(*request, ChannelId::NONE)
        )),
        Step::Payload { relay, .. } => tell(format_args!("{key} {taken}: payload for relay {}", relay.0)),
        Step::Close(reason) => tell(format_args!("{key} has to be closed: {}", Variant(reason))),
        Step::Ticket { .. }
        | Step::Done { .. }
        | Step::NewDialect { .. }
        | Step::Verify { .. }
        | Step::Metrics
        | Step::Reload { .. }
        | Step::Quit { .. } => tell(format_args!("{key} {taken}: {}", Variant(step))),
    }
}

/// Bytes that a step is done with: frames, or a line.
struct Taken<'a> {
    bytes: &'a [u8],
}

impl Display for Taken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match split(self.bytes, BODY_MAX) {
            _ if self.bytes.is_empty() => f.write_str("goes on with what it took"),
            Ok(Split::Frame(raw)) if self.bytes[0] >= Kind::FIRST => {
                f.write_str("takes frame ")?;
                match raw.kind() {
                    Some(kind) => write!(f, "{}", Variant(&kind))?,
                    None => write!(f, "0x{:02x}", raw.header.kind)?,
                }
                let parts = [("channel", raw.header.channel), ("request", request_of(&raw).unwrap_or(0))];
                for (name, number) in parts.into_iter().filter(|&(_, number)| number != 0) {
                    write!(f, ", {name} {number}")?;
                }
                if raw.flags() != Flags::NONE {
                    write!(f, ", flags 0x{:02x}", raw.header.flags)?;
                }
                write!(f, ", {} bytes", raw.len())?;
                match self.bytes.len() - raw.len() {
                    0 => Ok(()),
                    more => write!(f, ", and {more} bytes of frames behind it"),
                }
            }
            _ => write!(f, "takes a line of {} bytes", self.bytes.len()),
        }
    }
}

/// The request id of a frame that has one: hello's is behind its magic.
fn request_of(raw: &RawFrame<'_>) -> Option<u32> {
    let kind = raw.kind().filter(|kind| kind.is_request())?;
    let at = if kind == Kind::Hello { MAGIC.len() } else { 0 };
    raw.body.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// The request that something answers, and the channel that it is about, as far as there are such.
pub struct For(pub RequestId, pub ChannelId);

impl Display for For {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let For(request, channel) = self;
        if *channel != ChannelId::NONE {
            write!(f, ", channel {}", channel.0)?;
        }
        if *request != RequestId::NONE {
            write!(f, ", request {}", request.0)?;
        }
        Ok(())
    }
}

/// So many bytes of what a channel was told are owed to one of those who hear it.
#[cold]
pub fn owed(key: Key, channel: ChannelId, bytes: usize) {
    tell(format_args!("{key} is owed {bytes} bytes of channel {}", channel.0));
}

/// A flush that began with so many bytes queued, and left so many.
#[cold]
pub fn flushed(key: Key, before: usize, after: usize, flushed: Option<Flushed>) {
    let written = before - after;
    match flushed {
        Some(Flushed::All) if before == 0 => {}
        Some(Flushed::All) => tell(format_args!("{key} wrote {written} bytes: all that was queued")),
        Some(Flushed::Budget) => {
            tell(format_args!("{key} wrote {written} bytes, the budget of a turn; {after} are left"))
        }
        Some(Flushed::WouldBlock) if written > 0 => tell(format_args!(
            "{key} wrote {written} bytes, then WouldBlock: a partial write, {after} are left"
        )),
        Some(Flushed::WouldBlock) => {
            tell(format_args!("{key} takes nothing now: WouldBlock; {after} bytes are left"))
        }
        Some(Flushed::Held) => tell(format_args!(
            "{key} wrote {written} bytes; {after} are held back until the disk has what they tell"
        )),
        None => tell(format_args!("{key} could not be written to: it is lost")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Command, RoomRef, Words};
    use crate::wire::frame::{Hello, Join, Say, VERSION};
    use crate::wire::header;

    fn taken(bytes: &[u8]) -> String {
        Taken { bytes }.to_string()
    }

    #[test]
    fn a_variant_is_told_by_its_name_alone() {
        assert_eq!(Variant(&Kind::SetSubject).to_string(), "set_subject");
        assert_eq!(Variant(&Some("secret")).to_string(), "some");
        let room = RoomRef::Named("secret");
        let command = Command::Say { room, words: Words::message("secret"), least: None };
        assert_eq!(Variant(&command).to_string(), "say");
    }

    #[test]
    fn what_was_taken_is_told_without_what_it_says() {
        let mut bytes = Vec::new();
        header::put(&mut bytes, Flags::NONE, 7, &Say { request: 4, text: "secret" });
        assert_eq!(taken(&bytes), "takes frame say, channel 7, request 4, 18 bytes");
        bytes.extend_from_within(..);
        assert_eq!(
            taken(&bytes),
            "takes frame say, channel 7, request 4, 18 bytes, and 18 bytes of frames behind it"
        );
        let mut bytes = Vec::new();
        header::put(
            &mut bytes,
            Flags::NONE,
            0,
            &Hello { request: 9, version: VERSION, body_max: 8_192, name: "ann" },
        );
        assert!(taken(&bytes).starts_with("takes frame hello, request 9, "), "{}", taken(&bytes));
        bytes.clear();
        header::put(
            &mut bytes,
            Flags::NONE,
            0,
            &Join { request: 0, past: 0, room: "#tea", password: "secret" },
        );
        assert!(taken(&bytes).starts_with("takes frame join, ") && !taken(&bytes).contains("secret"));
        assert_eq!(taken(b"PASS secret\r\n"), "takes a line of 13 bytes");
        assert_eq!(taken(b""), "goes on with what it took");
    }
}
