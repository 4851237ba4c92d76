//! The time of a packet: when it was read or written, not when the turn began.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970, by the clock on the wall.
pub fn unix_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
