//! What the values of options may be, and the sentences for those that they may not.

use crate::load::limits;
use crate::load::report::numbers::count;
use std::ops::RangeInclusive;

/// A whole number from `MIN` to `MAX`.
pub fn whole<const MIN: usize, const MAX: usize>(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (MIN..=MAX).contains(number));
    number.ok_or_else(|| format!("it is a whole number, at least {MIN} and at most {}", count(MAX as f64)))
}

/// How many there may be depends on the scenario and the protocol.
pub fn bytes(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "it is a whole number of bytes".to_owned())
}

/// Clients, or whatever there is of each kind of them.
pub fn clients<const MIN: usize>(text: &str) -> Result<usize, String> {
    whole::<MIN, { limits::CLIENTS_MAX }>(text)
}

/// What names of rooms begin with, behind the `#`.
pub fn beginning(text: &str) -> Result<String, String> {
    let is_one = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_one.then(|| text.to_owned()).ok_or_else(|| "it is 1 to 20 letters and digits".to_owned())
}

/// Messages a second.
pub fn rate(text: &str) -> Result<f64, String> {
    within(text, limits::RATES).ok_or_else(|| above_zero(limits::RATES))
}

/// Comings and goings a second.
pub fn visits(text: &str) -> Result<f64, String> {
    within(text, limits::VISITS).ok_or_else(|| above_zero(limits::VISITS))
}

pub fn seconds(text: &str) -> Result<f64, String> {
    let (min, max) = limits::SECONDS.into_inner();
    within(text, limits::SECONDS)
        .ok_or_else(|| format!("it is a number of seconds above 0, from {min} to {}", count(max)))
}

pub fn seconds_or_none(text: &str) -> Result<f64, String> {
    let none = text.parse() == Ok(0.0);
    if none { Ok(0.0) } else { seconds(text).map_err(|sentence| format!("{sentence}, or 0 for none")) }
}

fn within(text: &str, range: RangeInclusive<f64>) -> Option<f64> {
    text.parse().ok().filter(|number| range.contains(number))
}

fn above_zero(range: RangeInclusive<f64>) -> String {
    format!("it is a number above 0, from {} to {}", range.start(), count(*range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_beginning_of_a_name_in_every_protocol_is_refused() {
        assert_eq!(beginning("club7"), Ok("club7".into()));
        for bad in ["", "#club", "a b", "a,b", "é", "twenty-one-characters", "abcdefghijklmnopqrstu"] {
            assert_eq!(beginning(bad), Err("it is 1 to 20 letters and digits".into()), "{bad}");
        }
    }

    #[test]
    fn numbers_that_nothing_could_be_made_of_are_refused_with_what_is_possible() {
        for bad in ["1e-300", "1e308", "1e12", "inf", "NaN", "-1", "0", "x", ""] {
            assert_eq!(rate(bad), Err("it is a number above 0, from 0.001 to 10,000,000".into()), "{bad}");
            assert!(visits(bad).is_err() && seconds(bad).is_err(), "{bad}");
        }
        assert_eq!((rate("1e7"), rate("0.5"), visits("0.001")), (Ok(1e7), Ok(0.5), Ok(0.001)));
        assert_eq!(
            (seconds("86400"), seconds_or_none("0"), seconds_or_none("0.0")),
            (Ok(86_400.0), Ok(0.0), Ok(0.0))
        );
        assert!(seconds("86401").is_err() && seconds_or_none("1e-9").is_err());
        for bad in ["18446744073709551615", "18446744073709551616", "1000001", "1", "-3", "2.5", "1e3"] {
            let says = "it is a whole number, at least 2 and at most 1,000,000";
            assert_eq!(clients::<2>(bad), Err(says.into()), "{bad}");
        }
    }
}
