//! Why a connection ends: one closed set for the log, the counters, what the client is told, and what those who stay
//! are told.

use crate::hub::Departure;
use crate::hub::record::Note;
use crate::wire::ByeCode;
use jiff::Timestamp;
use std::fmt;
use std::io::ErrorKind;

/// Why a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CloseReason {
    /// The client said goodbye.
    Goodbye,
    /// The client closed its side of the connection.
    PeerClosed,
    /// The connection broke.
    Io(ErrorKind),
    BadMagic,
    Malformed(&'static str),
    FrameTooLong {
        length: u16,
        max: u16,
    },
    HelloExpected,
    /// A protocol that is recognised, but not spoken here.
    NotSpoken,
    LoginTimeout,
    /// The server has a password, and none was given.
    PasswordMissing,
    /// The server has a password, and this is another one.
    WrongPassword,
    /// The server has a password, and cannot tell whether this is it.
    PasswordUnchecked,
    IdleTimeout,
    SlowConsumer,
    /// It sent faster than it may, and too much of that.
    Flood,
    ServerStopping,
    ServerFull,
    /// An operator ended the session.
    Killed,
    /// It was one of several of a user, by an account which that user has no more.
    LoggedOut,
    /// Where it comes from is banned.
    Banned,
    /// It asked for figures over HTTP, and has them.
    Scraped,
}

impl CloseReason {
    /// Whether there is anybody left to hear last words.
    pub fn has_farewell(self) -> bool {
        !matches!(self, CloseReason::PeerClosed | CloseReason::Io(_) | CloseReason::Scraped)
    }

    /// The reason in a word or two, for counters. Those that say more than that are one.
    pub fn label(self) -> &'static str {
        match self {
            CloseReason::Goodbye => "goodbye",
            CloseReason::PeerClosed => "peer-closed",
            CloseReason::Io(_) => "broken",
            CloseReason::BadMagic => "bad-magic",
            CloseReason::Malformed(_) => "malformed",
            CloseReason::FrameTooLong { .. } => "frame-too-long",
            CloseReason::HelloExpected => "hello-expected",
            CloseReason::NotSpoken => "not-spoken",
            CloseReason::LoginTimeout => "login-timeout",
            CloseReason::PasswordMissing => "password-missing",
            CloseReason::WrongPassword => "wrong-password",
            CloseReason::PasswordUnchecked => "password-unchecked",
            CloseReason::IdleTimeout => "idle-timeout",
            CloseReason::SlowConsumer => "slow-consumer",
            CloseReason::Flood => "flood",
            CloseReason::ServerStopping => "server-stopping",
            CloseReason::ServerFull => "server-full",
            CloseReason::Killed => "killed",
            CloseReason::LoggedOut => "logged-out",
            CloseReason::Banned => "banned",
            CloseReason::Scraped => "scraped",
        }
    }

    /// Every [`CloseReason::label`].
    pub const LABELS: [&'static str; 21] = [
        "goodbye",
        "peer-closed",
        "broken",
        "bad-magic",
        "malformed",
        "frame-too-long",
        "hello-expected",
        "not-spoken",
        "login-timeout",
        "password-missing",
        "wrong-password",
        "password-unchecked",
        "idle-timeout",
        "slow-consumer",
        "flood",
        "server-stopping",
        "server-full",
        "killed",
        "logged-out",
        "banned",
        "scraped",
    ];

    pub fn bye_code(self) -> ByeCode {
        match self {
            CloseReason::Goodbye | CloseReason::PeerClosed | CloseReason::Io(_) => ByeCode::Goodbye,
            CloseReason::BadMagic => ByeCode::BadMagic,
            // Not said in frames: nobody counts these.
            CloseReason::Flood
            | CloseReason::PasswordMissing
            | CloseReason::WrongPassword
            | CloseReason::PasswordUnchecked => ByeCode::Malformed,
            CloseReason::Malformed(_) | CloseReason::NotSpoken | CloseReason::Scraped => ByeCode::Malformed,
            CloseReason::FrameTooLong { .. } => ByeCode::FrameTooLong,
            CloseReason::HelloExpected => ByeCode::HelloExpected,
            CloseReason::LoginTimeout => ByeCode::LoginTimeout,
            CloseReason::IdleTimeout => ByeCode::IdleTimeout,
            CloseReason::SlowConsumer => ByeCode::SlowConsumer,
            CloseReason::ServerStopping => ByeCode::ServerStopping,
            CloseReason::ServerFull => ByeCode::ServerFull,
            CloseReason::Killed => ByeCode::Killed,
            CloseReason::LoggedOut => ByeCode::LoggedOut,
            CloseReason::Banned => ByeCode::Banned,
        }
    }

    /// What the others in a room are told; `None` where the hub knew, and has told them, before the connection did.
    pub fn departure(self) -> Option<Departure<'static>> {
        let departure = match self {
            CloseReason::Goodbye | CloseReason::Killed | CloseReason::LoggedOut => return None,
            CloseReason::PeerClosed | CloseReason::Io(_) | CloseReason::IdleTimeout => Departure::Lost,
            CloseReason::BadMagic
            | CloseReason::Malformed(_)
            | CloseReason::FrameTooLong { .. }
            | CloseReason::HelloExpected
            | CloseReason::NotSpoken
            | CloseReason::Scraped
            | CloseReason::PasswordMissing
            | CloseReason::WrongPassword
            | CloseReason::PasswordUnchecked
            | CloseReason::LoginTimeout => Departure::Dropped("protocol error"),
            CloseReason::Flood => Departure::Dropped("Excess Flood"),
            CloseReason::Banned => Departure::Dropped("banned"),
            CloseReason::SlowConsumer => Departure::Dropped("did not read what it was sent"),
            CloseReason::ServerStopping | CloseReason::ServerFull => {
                Departure::Dropped("the server is stopping")
            }
        };
        Some(departure)
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CloseReason::Goodbye => f.write_str("goodbye"),
            CloseReason::PeerClosed => f.write_str("the client closed the connection"),
            CloseReason::Io(kind) => write!(f, "the connection broke: {kind}"),
            CloseReason::BadMagic => f.write_str("that is not a Switchboard client"),
            CloseReason::Malformed(what) => write!(f, "malformed: {what}"),
            CloseReason::FrameTooLong { length, max } => {
                write!(f, "a body of {length} bytes is over the limit of {max}")
            }
            CloseReason::HelloExpected => f.write_str("the first frame must be hello"),
            CloseReason::NotSpoken => f.write_str("this server does not speak that protocol"),
            CloseReason::LoginTimeout => f.write_str("no login in time"),
            CloseReason::PasswordMissing => {
                f.write_str("this server has a password: send PASS before NICK and USER")
            }
            CloseReason::WrongPassword => f.write_str("wrong password"),
            CloseReason::PasswordUnchecked => {
                f.write_str("the password cannot be checked at this time; connect again")
            }
            CloseReason::IdleTimeout => f.write_str("nothing was heard from you, not even an answer to ping"),
            CloseReason::SlowConsumer => f.write_str("you did not read what you were sent; connect again"),
            CloseReason::Flood => f.write_str("Excess Flood"),
            CloseReason::ServerStopping => f.write_str("the server is stopping"),
            CloseReason::ServerFull => f.write_str("the server is full; try again later"),
            CloseReason::Killed => f.write_str("an operator of the server ended your session"),
            CloseReason::LoggedOut => {
                f.write_str("another of your connections gave up the account that this one was here by")
            }
            CloseReason::Banned => f.write_str("banned"),
            CloseReason::Scraped => f.write_str("it has the figures that it asked for"),
        }
    }
}

/// What those are told whom a ban keeps out. Shown, it is a sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Banned<'a> {
    /// Why; often empty.
    pub text: &'a str,
    /// Until when, in milliseconds since 1970, where it does not hold until it is undone.
    pub until_millis: Option<u64>,
}

impl<'a> Banned<'a> {
    pub fn of(note: &'a Note) -> Banned<'a> {
        Banned { text: &note.reason, until_millis: note.until_millis }
    }
}

impl fmt::Display for Banned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("banned")?;
        if !self.text.is_empty() {
            write!(f, ": {}", self.text)?;
        }
        match self.until_millis {
            Some(until) => write!(f, " (until {})", Minute(until)),
            None => Ok(()),
        }
    }
}

/// A time as people read it, to the minute, which is the next one where it has seconds.
struct Minute(u64);

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = i64::try_from(self.0.saturating_add(59_999)).unwrap_or(i64::MAX);
        match Timestamp::from_millisecond(millis) {
            Ok(time) => write!(f, "{}", time.strftime("%Y-%m-%d %H:%M UTC")),
            Err(_) => f.write_str("the end of time"), // or some ten thousand years from now
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_banned_reads_why_and_until_when() {
        let banned = |text, until_millis| Banned { text, until_millis }.to_string();
        assert_eq!(banned("", None), "banned");
        assert_eq!(banned("spam", None), "banned: spam");
        assert_eq!(banned("spam", Some(1_767_225_600_000)), "banned: spam (until 2026-01-01 00:00 UTC)");
        assert_eq!(banned("", Some(1_767_225_600_001)), "banned (until 2026-01-01 00:01 UTC)");
        assert_eq!(banned("", Some(u64::MAX)), "banned (until the end of time)");
    }
}
