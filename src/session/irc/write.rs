//! How this server begins the lines that it writes.

use super::capabilities::{ACCOUNT_TAG, MESSAGE_TAGS, SERVER_TIME};
use crate::hub::{Marks, MessageId};
use crate::session::{Surroundings, Variant};
use crate::wire::irc::{LineBody, LineHead, Numeric, Source};
use jiff::Timestamp;
use std::fmt;

/// Begins a line.
pub struct Write<'o>(LineHead<'o>);

impl<'o> Write<'o> {
    pub fn to(out: &'o mut Vec<u8>) -> Self {
        Write(LineHead::begin(out))
    }

    /// A reply or refusal; `nick` is empty for somebody who has none yet.
    pub fn numeric(self, world: &Surroundings, numeric: Numeric, nick: &str) -> LineBody<'o> {
        self.0.numeric(&world.server.name, numeric, nick)
    }

    pub fn server(self, world: &Surroundings, command: &str) -> LineBody<'o> {
        self.0.command(Source::Server(&world.server.name), command)
    }

    pub fn bare(self, command: &str) -> LineBody<'o> {
        self.0.command(Source::Nobody, command)
    }

    /// When it happened (IRCv3 server-time), for those who want to know.
    pub fn time(self, variant: Variant, world: &Surroundings) -> Self {
        self.time_of(variant, world.unix_millis)
    }

    /// The same of something that happened before, in milliseconds since 1970.
    pub fn time_of(self, variant: Variant, millis: u64) -> Self {
        if !variant.has(SERVER_TIME) {
            return self;
        }
        Write(self.0.tag("time", Time(millis)))
    }

    /// The batch that it is in (IRCv3 batch), if it is in one.
    pub fn batch(self, reference: Option<&str>) -> Self {
        match reference {
            Some(reference) => Write(self.0.tag("batch", reference)),
            None => self,
        }
    }

    /// What is known of who did it: the account (account-tag), and that it is a program (bot mode).
    pub fn by(self, variant: Variant, account: Option<&str>, marks: Marks) -> Self {
        let mut head = self.account(variant, account).0;
        if variant.has(MESSAGE_TAGS) && marks.contains(Marks::BOT) {
            head = head.bare_tag("bot").bare_tag("draft/bot"); // by both of its names
        }
        Write(head)
    }

    /// The account of who did it (account-tag).
    pub fn account(self, variant: Variant, account: Option<&str>) -> Self {
        match account.filter(|_| variant.has(ACCOUNT_TAG)) {
            Some(account) => Write(self.0.tag("account", account)),
            None => self,
        }
    }

    /// Which message it is (message-ids), and what its author's client says beside it.
    pub fn message(self, variant: Variant, id: MessageId, tags: &str) -> Self {
        if !variant.has(MESSAGE_TAGS) {
            return self;
        }
        Write(self.0.tag("msgid", Id(id)).relayed(tags))
    }

    pub fn source(self, nick: &str, user: &str, host: &dyn fmt::Display, command: &str) -> LineBody<'o> {
        self.0.command(Source::User { nick, user, host }, command)
    }
}

impl<'o> From<LineHead<'o>> for Write<'o> {
    fn from(head: LineHead<'o>) -> Self {
        Write(head)
    }
}

/// A time as server-time has it: `2026-01-01T00:00:00.000Z`.
pub struct Time(pub u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        match Timestamp::from_millisecond(millis) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => f.write_str("1970-01-01T00:00:00.000Z"), // the clock is some ten thousand years off
        }
    }
}

/// A time as people read it: `Monday November 23 2026 -- 14:05:00 UTC`.
pub struct DateTime(pub u64);

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        let time = Timestamp::from_millisecond(millis).unwrap_or_default();
        write!(f, "{}", time.strftime("%A %B %-d %Y -- %H:%M:%S UTC"))
    }
}

/// A moment as clients write it, in milliseconds since 1970.
pub fn millis_of(text: &str) -> Option<u64> {
    let time: Timestamp = text.parse().ok()?;
    time.as_millisecond().try_into().ok()
}

/// The number of a message, which stays the same over restarts.
pub struct Id(pub MessageId);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_milliseconds_always() {
        assert_eq!(Time(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Time(1_767_225_600_120).to_string(), "2026-01-01T00:00:00.120Z");
        assert_eq!(Time(u64::MAX).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn time_for_people_has_names() {
        assert_eq!(DateTime(1_767_225_600_120).to_string(), "Thursday January 1 2026 -- 00:00:00 UTC");
        assert_eq!(DateTime(u64::MAX).to_string(), "Thursday January 1 1970 -- 00:00:00 UTC");
    }
}
