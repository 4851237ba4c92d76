//! The types that options have.

use serde::Deserialize;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A type that options have.
pub trait Value: FromStr {
    /// What a value is, for those who wrote something else.
    const IS: &str;

    /// What stands for a value in the help.
    const NAME: &str = "N";

    fn from_flag(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("it must be {}", Self::IS))
    }
}

impl Value for bool {
    const IS: &str = "true or false";
    const NAME: &str = "true|false";
}

impl Value for String {
    const IS: &str = "a text in quotation marks";
    const NAME: &str = "TEXT";
}

impl Value for usize {
    const IS: &str = "a whole number, 0 or more";
}

impl Value for u8 {
    const IS: &str = "a whole number from 0 to 255";
}

impl Value for u16 {
    const IS: &str = "a whole number from 0 to 65535";
}

impl Value for u32 {
    const IS: &str = "a whole number from 0 to 4294967295";
}

impl Value for Seconds {
    const IS: &str = "a number of seconds, above 0 and at most 1000000000";
}

/// A time as people write it: seconds, with a fraction where they want one.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(try_from = "f64")]
pub struct Seconds(f64);

/// Nobody waits longer than that, in seconds; an addition to any `Instant` stays within bounds.
const SECONDS_MAX: f64 = 1e9;

impl TryFrom<f64> for Seconds {
    type Error = String;

    fn try_from(seconds: f64) -> Result<Self, String> {
        if seconds > 0.0 && seconds <= SECONDS_MAX {
            Ok(Seconds(seconds))
        } else {
            Err(format!("it must be {}", Seconds::IS))
        }
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<f64>().map_err(|error| error.to_string())?.try_into()
    }
}

impl From<Seconds> for Duration {
    fn from(Seconds(seconds): Seconds) -> Duration {
        Duration::from_secs_f64(seconds)
    }
}

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Seconds {
        Seconds(duration.as_secs_f64())
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
