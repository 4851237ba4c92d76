//! Masks: `*` for any characters, `?` for one, and what they are matched against: `nick!user@host`.
//!
//! There is no escape. Modern IRC ("Wildcard Expressions") has `\*`, but a backslash is a letter of nicknames, and
//! servers in use take it for one; no name has `*` or `?` in it.

use std::fmt;

/// Whether `text` is what `mask` describes. Both are folded already, by the same rule.
///
/// Without memory of its own. The time is bounded by the product of the two lengths, whatever the mask: only the last
/// `*` is ever tried again, because what an earlier one could take more of, the last can take too.
pub fn matches(mask: &str, text: &str) -> bool {
    let (mut mask, mut text) = (mask.chars(), text.chars());
    let mut again = None;
    loop {
        let goes_on = match (mask.clone().next(), text.clone().next()) {
            (Some('*'), _) => {
                mask.next();
                again = Some((mask.clone(), text.clone()));
                continue;
            }
            (None, None) => return true,
            (Some(wanted), Some(c)) => wanted == '?' || wanted == c,
            (None, Some(_)) => false,
            (Some(_), None) => return false, // nor would it with less of the text
        };
        if goes_on {
            mask.next();
            text.next();
            continue;
        }
        let Some((after_star, taken_to)) = &mut again else { return false };
        taken_to.next();
        (mask, text) = (after_star.clone(), taken_to.clone());
    }
}

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
            BadMask::Empty => f.write_str("a mask cannot be empty"),
            BadMask::TooLong { bytes_max } => write!(f, "a mask has at most {bytes_max} bytes"),
            BadMask::Character(c) => write!(f, "{c:?} cannot be in a mask"),
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
/// Several `*` in a row are one. The case stays as it was given, for those who read the list.
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
    use std::time::{Duration, Instant};

    #[test]
    fn a_star_is_any_characters_and_a_question_mark_is_one() {
        let yes = [
            ("", ""),
            ("*", ""),
            ("**", "x"),
            ("a?c", "abc"),
            ("a?c", "aéc"),
            ("a*c", "ac"),
            ("a*c", "abcbc"),
            ("*!*@*.de", "dan!d@a.b.de"),
            ("?*", "日"),
            ("*a?", "aaé"),
            (r"a\*", r"a\b"),
            ("*ab*ab", "abab"),
        ];
        for (mask, text) in yes {
            assert!(matches(mask, text), "{mask} {text}");
        }
        let no = [
            ("", "x"),
            ("?", ""),
            ("a?c", "ac"),
            ("a*c", "abcd"),
            ("a", "A"),
            ("*b", "bc"),
            ("??", "é"),
            ("*ab*ab", "ab"),
            ("dan!*@*", "danny!d@h"),
            ("*?", ""),
        ];
        for (mask, text) in no {
            assert!(!matches(mask, text), "{mask} {text}");
        }
    }

    #[test]
    fn no_mask_takes_long() {
        let a = "a".repeat(512);
        let stars = "a*".repeat(255) + "b";
        let masks =
            [stars.clone(), format!("*{stars}"), format!("*{}b", "a".repeat(256)), "*a?".repeat(100) + "b"];
        for mask in masks {
            // The fastest of a few, because the machine may have something else to do.
            let once = || {
                let start = Instant::now();
                assert!(!matches(&mask, &a));
                start.elapsed()
            };
            let fastest = (0..20).map(|_| once()).min().unwrap();
            assert!(fastest < Duration::from_millis(1), "{fastest:?} for {mask}");
        }
    }

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

    /// What a mask means, without care for time.
    fn means(mask: &[char], text: &[char]) -> bool {
        match (mask, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => means(rest, text) || (!text.is_empty() && means(mask, &text[1..])),
            ([wanted, rest @ ..], [c, behind @ ..]) => (*wanted == '?' || wanted == c) && means(rest, behind),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn masks_mean_what_they_say(mask in "[ab*?é]{0,8}", text in "[abé]{0,10}") {
            let (m, t): (Vec<char>, Vec<char>) = (mask.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&mask, &text), means(&m, &t));
        }

        #[test]
        fn the_full_form_of_a_full_form_is_itself(given in "[a!@*.?é]{1,12}") {
            let full = hostmask(&given, 99).unwrap();
            prop_assert_eq!(hostmask(&full, 99), Ok(full.clone()));
        }
    }
}
