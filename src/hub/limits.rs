//! What one user, one room and the whole hub may have.

use std::time::Duration;

/// Every bound of the hub. Names end in their unit or in what they count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Length of a user's name, in bytes of UTF-8.
    pub name_bytes_max: u8,
    /// Length of a room's name with its `#`, in bytes of UTF-8.
    pub room_name_bytes_max: u8,
    /// Length of a message or of the words said on leaving, in bytes of UTF-8.
    pub text_bytes_max: u16,
    /// Length of a room's subject, in bytes of UTF-8.
    pub subject_bytes_max: u16,
    pub rooms_max: usize,
    pub rooms_per_user_max: usize,
    pub occupants_per_room_max: usize,
    pub relays_max: usize,
    /// Calls that ring count as relays.
    pub relays_per_user_max: usize,
    /// Entries in one reply to a request for a list.
    pub page_entries_max: usize,
    /// How long a call rings.
    pub relay_answer_time: Duration,
    /// Addresses that one may declare, or offer for a direct path.
    pub addresses_per_user_max: usize,
    /// How often the two ends of a relay may try to find a direct path.
    pub path_rounds_max: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            name_bytes_max: 32,
            room_name_bytes_max: 64,
            text_bytes_max: 4_096,
            subject_bytes_max: 1_024,
            rooms_max: 50_000,
            rooms_per_user_max: 100,
            occupants_per_room_max: 20_000,
            relays_max: 10_000,
            relays_per_user_max: 8,
            page_entries_max: 200,
            relay_answer_time: Duration::from_secs(60),
            addresses_per_user_max: 16,
            path_rounds_max: 3,
        }
    }
}
