//! Spans of time as people write them: `90s`, `30m`, `2h`, `7d`, `1d12h`.

use jiff::{Span, SpanRelativeTo, Unit};

/// How many seconds a text says, rounded down. `None`, where it is no span of time with a unit, or one of months and
/// years, which have no length of their own, or not at least one second.
pub fn seconds_of(text: &str) -> Option<u64> {
    let span: Span = text.parse().ok()?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    let seconds = span.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).ok()?;
    (seconds >= 1.0).then_some(seconds as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_needs_a_unit() {
        let rows = [
            ("90s", Some(90)),
            ("30m", Some(1_800)),
            ("2h", Some(7_200)),
            ("2 hours", Some(7_200)),
            ("7d", Some(604_800)),
            ("1d12h", Some(129_600)),
            ("2w", Some(1_209_600)),
        ];
        for (text, seconds) in rows {
            assert_eq!(seconds_of(text), seconds, "{text:?}");
        }
        for text in ["", "2", "h", "0s", "-2h", "2mo", "1y", "2h later", "99999999999999999999h"] {
            assert_eq!(seconds_of(text), None, "{text:?}");
        }
    }
}
