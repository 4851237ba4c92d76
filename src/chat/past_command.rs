//! What is typed about what was said before: `/history`, `/search` and `/retract`.

use super::command::split_word;
use crate::wire::PartCode;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// A part of what was said in a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartWanted {
    pub part: PartCode,
    /// Nothing, of what was said last.
    pub mark: Option<Mark>,
    /// How many messages; as many as usual where nothing is said.
    pub limit: Option<u16>,
}

/// What a part is before, after or around.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// A message, by the number with which this client has shown it.
    Number(u32),
    /// In milliseconds since 1970.
    Moment(u64),
}

/// Whose words are taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meant {
    /// What one has said last.
    Last,
    /// By the number with which this client has shown it.
    Number(u32),
}

const HISTORY: &str =
    "/history 50, or /history before, after or around NUMBER or TIME, as in /history after 2026-01-31";
const RETRACT: &str = "/retract NUMBER WORDS, or /retract last WORDS; /history shows the numbers";

/// # Errors
/// A sentence for the one who typed it.
pub fn history(args: &str) -> Result<PartWanted, String> {
    let (first, behind) = split_word(args);
    let part = match first {
        "before" => PartCode::Before,
        "after" => PartCode::After,
        "around" => PartCode::Around,
        _ if behind.is_empty() => {
            return Ok(PartWanted { part: PartCode::Latest, mark: None, limit: limit(first)? });
        }
        _ => return Err(format!("{args:?} was not understood: {HISTORY}")),
    };
    let (word, count) = split_word(behind);
    let mark = mark(word).ok_or_else(|| match word {
        "" => format!("{first} what? {HISTORY}"),
        _ => {
            format!("{word} is neither a number nor a time such as 2026-01-31 or 2026-01-31T18:30: {HISTORY}")
        }
    })?;
    Ok(PartWanted { part, mark: Some(mark), limit: limit(count)? })
}

/// # Errors
/// A sentence for the one who typed it.
pub fn retract(args: &str) -> Result<(Meant, &str), String> {
    let (first, words) = split_word(args);
    let meant = match first {
        "" => return Err(format!("/retract needs more: {RETRACT}")),
        "last" => Meant::Last,
        number => match number.parse() {
            Ok(number) => Meant::Number(number),
            Err(_) => return Err(format!("{number} is no number of a message: {RETRACT}")),
        },
    };
    // Why is often said without `because`.
    let (because, behind) = split_word(words);
    Ok((meant, if because == "because" { behind } else { words }))
}

fn limit(word: &str) -> Result<Option<u16>, String> {
    match (word, word.parse()) {
        ("", _) => Ok(None),
        (_, Ok(limit)) if limit > 0 => Ok(Some(limit)),
        _ => Err(format!("{word} is no number of messages: {HISTORY}")),
    }
}

/// A time without its distance from UTC is in UTC, as this client writes times.
fn mark(word: &str) -> Option<Mark> {
    if let Ok(number) = word.parse() {
        return Some(Mark::Number(number));
    }
    let in_utc = |time: civil::DateTime| time.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
    let moment: Option<Timestamp> = word.parse().ok().or_else(|| in_utc(word.parse().ok()?));
    moment.and_then(|moment| u64::try_from(moment.as_millisecond()).ok()).map(Mark::Moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_understood() {
        let part = |part, mark, limit| PartWanted { part, mark, limit };
        for (line, expected) in [
            ("", part(PartCode::Latest, None, None)),
            ("50", part(PartCode::Latest, None, Some(50))),
            ("before 12", part(PartCode::Before, Some(Mark::Number(12)), None)),
            ("after 12 5", part(PartCode::After, Some(Mark::Number(12)), Some(5))),
            ("around 1970-01-02", part(PartCode::Around, Some(Mark::Moment(86_400_000)), None)),
            ("after 1970-01-01T00:01", part(PartCode::After, Some(Mark::Moment(60_000)), None)),
            ("after 1970-01-01T01:00:02+01:00", part(PartCode::After, Some(Mark::Moment(2_000)), None)),
        ] {
            assert_eq!(history(line), Ok(expected), "{line:?}");
        }
    }

    #[test]
    fn what_is_taken_back_is_a_number_or_the_last() {
        assert_eq!(retract("last"), Ok((Meant::Last, "")));
        assert_eq!(retract("12 a  slip"), Ok((Meant::Number(12), "a  slip")));
        assert_eq!(retract("12 because of that"), Ok((Meant::Number(12), "of that")));
    }

    #[test]
    fn what_is_not_understood_is_told_with_what_to_write() {
        for line in ["0", "many", "70000", "5 6", "before", "before noon", "before 12 many", "between 1 2"] {
            let error = history(line).expect_err(line);
            assert!(error.contains("/history before, after or around"), "{line:?}: {error}");
        }
        for line in ["", "first", "-1", "99999999999"] {
            let error = retract(line).expect_err(line);
            assert!(error.contains("/retract NUMBER"), "{line:?}: {error}");
        }
    }
}
