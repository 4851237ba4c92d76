//! What is asked about accounts, and what came of it.

use crate::hub::record::Secret;
use std::time::Duration;

/// Who may make an account.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Registration {
    Closed,
    /// Who is logged in, so that their name is known and nobody else's.
    #[default]
    Open,
    /// Also who is not yet.
    BeforeLogin,
}

/// A password that is to be looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof<'a> {
    /// Whether it is that of an account. There may be no such account, which must take as long.
    Check { account: &'a str, hash: Option<&'a str>, password: &'a str },
    /// What is to be kept of it.
    Make { password: &'a str },
    /// Both: of the old one whether it is right, and if so, what is to be kept of the new one.
    Change { account: &'a str, hash: &'a str, old: &'a str, new: &'a str },
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proved {
    Right,
    Wrong,
    /// What is to be kept.
    Made(Secret),
    /// Wrong ones were given too often; the next is looked at after that time. This one was not.
    NotYet {
        wait: Duration,
    },
    /// It could not be looked at.
    Unknown,
}

/// What an account has become, for whoever asked for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountChange {
    Registered,
    Identified,
    LoggedOut,
    PasswordChanged,
    Deleted,
}
