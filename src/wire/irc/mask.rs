//! Masks of users, `nick!user@host`, in their full form. What they match is the hub's business.
//!
//! There is no escape. Modern IRC ("Wildcard Expressions") has `\*`, but a backslash is a letter of nicknames, and
//! servers in use take it for one; no name has `*` or `?` in it.

use std::fmt;

/// Why something is no mask of users.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadMask {
    Empty,
    /// Longer than this in its full form, in bytes.
    TooLong {
        bytes_max: usize,
    },
    /// A space or a control character, which no name has.
    Character(char),
}

impl fmt::Display for BadMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadMask::Empty => f.write_str("A mask cannot be empty"),
            BadMask::TooLong { bytes_max } => write!(f, "A mask in full has at most {bytes_max} bytes"),
            BadMask::Character(c) => write!(f, "A mask has no {c:?} in it"),
        }
    }
}

impl std::error::Error for BadMask {}

/// The full form of a mask of users, so that the same one is not in a list twice:
///
/// | given | meant |
/// |---|---|
/// | `dan` | `dan!*@*` |
/// | `d@host` | `*!d@host` |
/// | `dan!d` | `dan!d@*` |
/// | `a.host`, `2001::1` | `*!*@a.host`: no nickname has a dot or a colon |
/// | `!@host` | `*!*@host` |
///
/// A ban for an account stays as it is. Several `*` in a row are one. The case stays as it was given, for those who read the list.
///
/// # Errors
/// [`BadMask`] when it can be none.
pub fn hostmask(given: &str, bytes_max: usize) -> Result<String, BadMask> {
    if given.is_empty() {
        return Err(BadMask::Empty);
    }
    if let Some(c) = given.chars().find(|c| c.is_control() || c.is_whitespace()) {
        return Err(BadMask::Character(c));
    }
    if account(given).is_some() {
        return if given.len() > bytes_max {
            Err(BadMask::TooLong { bytes_max })
        } else {
            Ok(given.to_owned())
        };
    }
    let (nick, user, host) = parts(given);
    let mut mask = String::with_capacity(given.len() + "*!*@*".len());
    for (before, part) in [("", nick), ("!", user), ("@", host)] {
        mask.push_str(before);
        if part.is_empty() {
            mask.push('*');
        }
        let start = mask.len();
        for c in part.chars() {
            if c != '*' || mask.len() == start || !mask.ends_with('*') {
                mask.push(c);
            }
        }
    }
    if mask.len() > bytes_max { Err(BadMask::TooLong { bytes_max }) } else { Ok(mask) }
}

/// The account that a ban is for, if it is for one and not for whom a mask matches: `~a:alice` (ISUPPORT EXTBAN and
/// ACCOUNTEXTBAN).
pub fn account(given: &str) -> Option<&str> {
    let rest = given.strip_prefix(EXTBAN_PREFIX)?;
    rest.strip_prefix(ACCOUNT_BAN)?.strip_prefix(':').filter(|account| !account.is_empty())
}

/// What a ban that is no mask begins with, and the letter of one that is for an account.
pub const EXTBAN_PREFIX: char = '~';
pub const ACCOUNT_BAN: char = 'a';

/// Whether the host of a full mask is written as addresses are, or networks of them: `192.0.2.7`, `192.0.2.*`,
/// `2001:db8::/32`.
pub fn is_of_address(mask: &str) -> bool {
    let host = mask.rsplit_once('@').map_or(mask, |(_, host)| host);
    let octet = host.split_once('.').map_or("", |(first, _)| first);
    host.contains(':') || (matches!(octet.len(), 1..=3) && octet.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Nick, user and host; those that are not there are empty.
fn parts(given: &str) -> (&str, &str, &str) {
    match given.split_once('!') {
        Some((nick, rest)) => {
            let (user, host) = rest.rsplit_once('@').unwrap_or((rest, ""));
            (nick, user, host)
        }
        None => match given.rsplit_once('@') {
            Some((user, host)) => ("", user, host),
            None if given.contains(['.', ':']) => ("", "", given),
            None => (given, "", ""),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn masks_of_users_have_three_parts() {
        let cases = [
            ("dan", "dan!*@*"),
            ("d@host", "*!d@host"),
            ("dan!d", "dan!d@*"),
            ("dan!d@h", "dan!d@h"),
            ("a.host", "*!*@a.host"),
            ("2001::1", "*!*@2001::1"),
            ("!@h", "*!*@h"),
            ("@", "*!*@*"),
            ("*", "*!*@*"),
            ("**d***!**@**", "*d*!*@*"),
            ("Dan!d@e@h", "Dan!d@e@h"),
            ("a!b!c@d", "a!b!c@d"),
        ];
        for (given, meant) in cases {
            assert_eq!(hostmask(given, 99).as_deref(), Ok(meant), "{given}");
        }
    }

    #[test]
    fn what_can_be_no_mask_is_told_why() {
        assert_eq!(hostmask("", 99), Err(BadMask::Empty));
        assert_eq!(hostmask("a b", 99), Err(BadMask::Character(' ')));
        assert_eq!(hostmask("a\u{1}", 99), Err(BadMask::Character('\u{1}')));
        assert_eq!(hostmask("dan", 6), Err(BadMask::TooLong { bytes_max: 6 }));
        assert_eq!(hostmask("dan", 7), Ok("dan!*@*".to_owned()));
    }

    #[test]
    fn a_mask_may_be_of_an_address() {
        for mask in ["*!*@192.0.2.7", "*!*@192.0.2.0/24", "a!b@10.*", "*!*@2001:db8::1", "*!*@2001:db8::/32"]
        {
            assert!(is_of_address(mask), "{mask}");
        }
        for mask in ["*!*@*", "ann!*@*", "*!*@22222222.dsqfvfex.2m25rg32.ip", "*!*@*.2m25rg32.ip", "*!*@1*"] {
            assert!(!is_of_address(mask), "{mask}");
        }
    }

    proptest! {
        #[test]
        fn the_full_form_of_a_full_form_is_itself(given in "[a!@*.?é]{1,12}") {
            let full = hostmask(&given, 99).unwrap();
            prop_assert_eq!(hostmask(&full, 99), Ok(full.clone()));
        }
    }
}
