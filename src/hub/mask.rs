//! Masks: patterns for names and for where somebody comes from. `*` stands for any characters, `?` for one; the rest
//! stands for itself, in either case (RFC 2812 §2.5, without its escapes: no name has these characters).
//!
//! Whoever sets a mask or asks for a list chooses how hard it is to match. So a [`Mask`] is folded once and says no to
//! most texts at a glance; a [`Subject`] is held against many masks in time proportional to their lengths, and who
//! holds one mask against many texts is told in *steps* what it took.

use super::name::fold;
use super::{Effects, Host, Person};
use std::cell::OnceCell;
use std::fmt::Write;

/// A mask, made ready for matching.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mask {
    /// Folded; in a row of stars and question marks there is one star at most, and it is the last of them.
    pattern: Box<str>,
    /// Length of what stands before the first star or question mark, in bytes, and of what stands behind the last.
    prefix_bytes: usize,
    suffix_bytes: usize,
    /// Length of the shortest text that it can match, in bytes.
    text_bytes_min: usize,
}

const WILD: [char; 2] = ['*', '?'];

impl Mask {
    pub fn new(mask: &str) -> Mask {
        let mut pattern = String::with_capacity(mask.len());
        let mut star = false;
        for c in fold(mask).chars() {
            // `*?` matches what `?*` matches.
            if c == '*' {
                star = true;
                continue;
            }
            if star && c != '?' {
                pattern.push('*');
                star = false;
            }
            pattern.push(c);
        }
        if star {
            pattern.push('*');
        }
        Mask {
            prefix_bytes: pattern.find(WILD).unwrap_or(pattern.len()),
            suffix_bytes: pattern.rfind(WILD).map_or(pattern.len(), |wild| pattern.len() - wild - 1),
            text_bytes_min: pattern.bytes().filter(|&byte| byte != b'*').count(),
            pattern: pattern.into(),
        }
    }

    /// Whether it matches a text that is folded.
    pub fn matches(&self, folded: &str) -> bool {
        self.matches_counting(folded, &mut 0)
    }

    /// The same, and counts what it took: a step is a byte of the mask held against one of the text, and they are as
    /// many as the square of the text's length at most.
    pub fn matches_counting(&self, folded: &str, steps: &mut usize) -> bool {
        *steps += 1;
        self.may_match(folded) && is_match(self.pattern.as_bytes(), folded.as_bytes(), steps)
    }

    /// The length of what is kept of it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.pattern.len()
    }

    /// A glance: what it says no to does not match.
    fn may_match(&self, folded: &str) -> bool {
        let (mask, text) = (self.pattern.as_bytes(), folded.as_bytes());
        let ends = |mask: Option<&[u8]>, is_end: fn(&[u8], &[u8]) -> bool| {
            mask.is_some_and(|literal| is_end(text, literal))
        };
        text.len() >= self.text_bytes_min
            && ends(mask.get(mask.len() - self.suffix_bytes..), <[u8]>::ends_with)
            && ends(mask.get(..self.prefix_bytes), <[u8]>::starts_with)
    }
}

/// Whether a mask matches a text, both as they were written.
pub fn matches(mask: &str, text: &str) -> bool {
    Mask::new(mask).matches(&fold(text))
}

/// Where a star took too little, only the last one has to take more: no memory, and no way back before it.
fn is_match(mut mask: &[u8], mut text: &[u8], steps: &mut usize) -> bool {
    // Where to go on when the present way leads nowhere: behind the last star, which then takes one character more.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        *steps += 1;
        match (mask, text) {
            ([b'*'], _) | ([], []) => return true,
            ([b'*', rest @ ..], _) => {
                retry = Some((rest, text));
                mask = rest;
            }
            ([b'?', rest @ ..], [_, ..]) => (mask, text) = (rest, behind_character(text)),
            ([wanted, rest @ ..], [byte, behind @ ..]) if wanted == byte => (mask, text) = (rest, behind),
            _ => {
                let Some((behind_star, taken)) = &mut retry else { return false };
                if taken.is_empty() {
                    return false;
                }
                *taken = behind_character(taken);
                (mask, text) = (behind_star, taken);
            }
        }
    }
}

/// What follows the first character of a text, in UTF-8.
fn behind_character(text: &[u8]) -> &[u8] {
    let rest = text.get(1..).unwrap_or_default();
    let next = rest.iter().position(|&byte| !is_continuation(byte)).unwrap_or(rest.len());
    rest.get(next..).unwrap_or_default()
}

/// RFC 3629 §3: the second byte of a character and those behind it are `10xxxxxx`.
fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// What the masks of a room are held against: `name!username@host`, folded. Made once for all the masks and rooms that
/// one command has to do with.
pub struct Subject {
    text: String,
    /// Made when a mask needs it, which most do not.
    places: OnceCell<Option<Box<Places>>>,
}

/// Of a text, where which byte is; as bits, the lowest for the first place. The last place is behind the text.
struct Places {
    of: [u128; 256],
    /// Where characters begin; and behind the text, where the next one would.
    characters: u128,
    end: u128,
}

impl Subject {
    pub fn new(person: Person<'_>, host: Host) -> Subject {
        let mut text = String::with_capacity(96);
        text.push_str(person.name.key());
        // Writing to a String cannot fail.
        let _ = write!(text, "!{}@{host}", fold(person.username()));
        Subject { text, places: OnceCell::new() }
    }

    /// Whether a mask matches, in time proportional to its length.
    pub fn is_matched_by(&self, mask: &Mask) -> bool {
        if !mask.may_match(&self.text) {
            return false;
        }
        match self.places.get_or_init(|| Places::of(&self.text)) {
            Some(places) => places.are_matched_by(&mask.pattern),
            None => mask.matches(&self.text),
        }
    }
}

impl Places {
    /// `None` for a text that is too long: it takes names far beyond the usual limit.
    fn of(text: &str) -> Option<Box<Places>> {
        let end = 1_u128.checked_shl(text.len().try_into().ok()?)?;
        let mut places = Box::new(Places { of: [0; 256], characters: end, end });
        let mut here = 1;
        for byte in text.bytes() {
            if let Some(of) = places.of.get_mut(usize::from(byte)) {
                *of |= here;
            }
            if !is_continuation(byte) {
                places.characters |= here;
            }
            here <<= 1;
        }
        Some(places)
    }

    /// Follows all the ways through the text at once: which places the mask, as far as it was read, can lead to.
    fn are_matched_by(&self, pattern: &str) -> bool {
        let mut reached: u128 = 1;
        for byte in pattern.bytes() {
            reached = match byte {
                // From the first of them on, every one.
                b'*' => (reached | reached.wrapping_neg()) & self.characters,
                b'?' => self.next_character(reached & !self.end),
                _ => (reached & self.of.get(usize::from(byte)).copied().unwrap_or_default()) << 1,
            };
            if reached == 0 {
                return false;
            }
        }
        reached & self.end != 0
    }

    fn next_character(&self, reached: u128) -> u128 {
        let mut next = reached << 1;
        while next & !self.characters != 0 {
            next = (next & self.characters) | ((next & !self.characters) << 1);
        }
        next
    }
}

/// `name!username@host`, as they write it.
pub fn in_full(person: Person<'_>, fx: &impl Effects) -> String {
    let host = person.host(fx);
    let mut subject = String::with_capacity(96);
    // Writing to a String cannot fail.
    let _ = write!(subject, "{}!{}@{host}", person.name, person.username());
    subject
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    fn subject(text: &str) -> Subject {
        Subject { text: text.to_owned(), places: OnceCell::new() }
    }

    #[test]
    fn masks_are_the_same_when_they_match_the_same() {
        let same = |one, other| Mask::new(one) == Mask::new(other);
        assert!(same("A*?b", "a?**B") && same("**", "*") && same("*?*", "?*"));
        assert!(!same("a*", "*a") && !same("?*", "*"));
        // Greek has a letter for the ends of words, which depend on what stands behind a name.
        assert!(matches("\u{3a3}*", "\u{3a3}\u{3a3}") && matches("*\u{3a3}!*", "a\u{3a3}!b@c"));
    }

    #[test]
    fn no_mask_takes_more_steps_than_the_square_of_a_text() {
        let a = "a".repeat(512);
        let stars = "a*".repeat(255) + "b*";
        let half = format!("*{}b*", "a".repeat(256));
        for mask in [stars.clone(), format!("*{stars}"), half, "*a?".repeat(100) + "b*"] {
            let mut steps = 0;
            assert!(!Mask::new(&mask).matches_counting(&a, &mut steps));
            assert!(steps <= a.len() * a.len(), "{steps} steps for {mask}");
        }
        let mut steps = 0;
        for mask in [format!("*{}z", "?".repeat(40)), format!("z{}*", "?".repeat(40)), "?".repeat(513)] {
            assert!(!Mask::new(&mask).matches_counting(&a, &mut steps));
        }
        assert_eq!(steps, 3, "how a mask begins and ends, and how long it is, is seen at a glance");
    }

    #[test]
    fn a_subject_may_be_longer_than_a_mask_usually_meets() {
        for length in [1, 63, 64, 126, 127, 128, 129, 500] {
            let text = "\u{e9}".repeat(length / 2) + &"a".repeat(length % 2) + "!x";
            for (mask, is_match) in
                [("*!x", true), ("*\u{e9}?x*", length % 2 == 0 && length > 1), ("*x!*", false)]
            {
                assert_eq!(subject(&text).is_matched_by(&Mask::new(mask)), is_match, "{length} {mask}");
            }
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
        fn masks_mean_what_they_say(mask in "[ab*?é日]{0,8}", text in "[abé日]{0,10}") {
            let (m, t): (Vec<char>, Vec<char>) = (mask.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&mask, &text), means(&m, &t));
            prop_assert_eq!(subject(&text).is_matched_by(&Mask::new(&mask)), means(&m, &t));
        }
    }
}
