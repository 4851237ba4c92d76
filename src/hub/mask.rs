//! Masks: patterns for names and for where somebody comes from. `*` stands for any characters, `?` for one; the rest
//! stands for itself, in either case (RFC 2812 §2.5, without its escapes: no name has these characters).

use super::name::fold;
use super::{Host, Person};
use std::fmt::Write;

/// Whether a mask matches a text. Both are folded as names are.
pub fn matches(mask: &str, text: &str) -> bool {
    matches_folded(&fold(mask), &fold(text))
}

/// The same for what is folded already. Takes time in proportion to the product of both lengths at most, and no memory:
/// where a star took too little, only the last one has to take more.
pub fn matches_folded(mask: &str, text: &str) -> bool {
    let (mut mask, mut text) = (mask.chars(), text.chars());
    // Where to go on when the present way leads nowhere: behind the last star, which then takes one character more.
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        match (mask.next(), text.clone().next()) {
            (Some('*'), _) => retry = Some((mask.clone(), text.clone())),
            (Some('?'), Some(_)) => _ = text.next(),
            (Some(of_mask), Some(of_text)) if of_mask == of_text => _ = text.next(),
            (None, None) => return true,
            _ => {
                let Some((behind_star, taken)) = &mut retry else { return false };
                if taken.next().is_none() {
                    return false;
                }
                (mask, text) = (behind_star.clone(), taken.clone());
                continue;
            }
        }
    }
}

/// What masks are held against: `name!username@host`, folded.
pub fn subject_of(person: Person<'_>, host: Host) -> String {
    let subject = in_full(person, host);
    match fold(&subject) {
        std::borrow::Cow::Borrowed(_) => subject,
        std::borrow::Cow::Owned(folded) => folded,
    }
}

/// `name!username@host`, as they write it.
pub fn in_full(person: Person<'_>, host: Host) -> String {
    let mut subject = String::with_capacity(96);
    // Writing to a String cannot fail.
    let _ = write!(subject, "{}!{}@{host}", person.name, person.username());
    subject
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    #[test]
    fn stars_and_question_marks() {
        for (mask, text) in [
            ("", ""),
            ("*", ""),
            ("*", "anything"),
            ("a?c", "abc"),
            ("A*", "abc"),
            ("*É", "cafÉ"),
            ("*!*@*.ip", "ann!native@aaaaaaaa.bbbbbbbb.cccccccc.ip"),
            ("a*b*c", "aXbYbZc"),
            ("**a**", "a"),
            ("?", "é"),
            ("*ab", "aab"),
        ] {
            assert!(matches(mask, text), "{mask} {text}");
        }
        for (mask, text) in
            [("", "a"), ("?", ""), ("a", "b"), ("a*c", "ab"), ("ab", "abc"), ("*b", "abc"), ("a?", "a")]
        {
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
                assert!(!matches_folded(&mask, &a));
                start.elapsed()
            };
            let fastest = (0..20).map(|_| once()).min().unwrap();
            assert!(fastest < Duration::from_millis(1), "{fastest:?} for {mask}");
        }
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
    }
}
