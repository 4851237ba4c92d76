//! What one user, one room and the whole hub may have.

use super::history::Bounds;
use super::settings::{Flag, Flags};
use super::{MessageId, Registration};
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
    /// Entries that one request for a list with conditions looks at.
    pub scanned_entries_max: usize,
    /// Length of what somebody says they are called on their machine, in bytes of UTF-8.
    pub username_bytes_max: u8,
    /// Length of what somebody says they are really called, in bytes of UTF-8.
    pub realname_bytes_max: u16,
    /// Length of what those are told who write to somebody who is away, in bytes of UTF-8.
    pub away_bytes_max: u16,
    /// Length of the words on kicking somebody, and on ending their session, in bytes of UTF-8.
    pub kick_bytes_max: u16,
    /// Length of the tags of one message, in bytes.
    pub tags_bytes_max: u16,
    /// Length of a room's password, in bytes of UTF-8.
    pub password_bytes_max: u8,
    /// Length of a mask in a room's list, in bytes of UTF-8.
    pub mask_bytes_max: u8,
    /// Entries in each of a room's lists of masks.
    pub masks_per_list_max: usize,
    /// What the lists of masks of one room take together, in bytes of memory.
    pub mask_bytes_per_room_max: usize,
    /// The same of all rooms. The nearer they come to it, the less one room may have; a few masks it always may.
    pub mask_bytes_on_server_max: usize,
    /// Accounts that are something to one room.
    pub members_per_room_max: usize,
    /// The same of all rooms. The nearer they come to it, the fewer one room may have; a few it always may.
    pub members_on_server_max: usize,
    /// Rooms that stay when nobody is in them, of one owner.
    pub rooms_per_account_max: usize,
    /// What people ask for in one room, and what one of them asks for anywhere, that nobody has decided.
    pub wishes_per_room_max: usize,
    pub wishes_per_user_max: usize,
    /// Changes of a room in one request.
    pub changes_max: usize,
    /// Invitations to one room that are open, and those that one user has. Where there are as many, the oldest by whoever
    /// made the most gives way to a new one.
    pub invitations_max: usize,
    /// Names that one user may watch.
    pub watches_per_user_max: usize,
    /// Names that were given up and are remembered.
    pub former_names_max: usize,
    /// Of these, names of people who came from one address.
    pub former_names_per_host_max: usize,
    pub accounts_max: usize,
    /// Sessions of one user.
    pub seats_per_user_max: usize,
    /// Length of an account's password, in bytes of UTF-8.
    pub account_password_bytes_max: u16,
    /// Who may make an account.
    pub registration: Registration,
    pub history: HistoryLimits,
    /// Addresses and networks that operators keep out.
    pub bans_max: usize,
    /// What a room is set to when it is made.
    pub new_rooms: Flags,
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
            scanned_entries_max: 2_000,
            username_bytes_max: 16,
            realname_bytes_max: 150,
            away_bytes_max: 300,
            kick_bytes_max: 300,
            tags_bytes_max: 4_094,
            password_bytes_max: 32,
            mask_bytes_max: 200,
            masks_per_list_max: 100,
            mask_bytes_per_room_max: 65_536,
            mask_bytes_on_server_max: 64 << 20,
            members_per_room_max: 2_000,
            members_on_server_max: 500_000,
            rooms_per_account_max: 50,
            wishes_per_room_max: 50,
            wishes_per_user_max: 10,
            changes_max: 20,
            invitations_max: 100,
            watches_per_user_max: 100,
            former_names_max: 256,
            former_names_per_host_max: 32,
            accounts_max: 100_000,
            seats_per_user_max: 8,
            account_password_bytes_max: 1_000,
            registration: Registration::Open,
            history: HistoryLimits::default(),
            bans_max: 10_000,
            new_rooms: Flags::NONE.with(Flag::ClosedToOutsiders),
            relay_answer_time: Duration::from_secs(60),
            addresses_per_user_max: 16,
            path_rounds_max: 3,
        }
    }
}

/// What is kept of the past. A limit of 0 messages keeps nothing, one of 0 days keeps for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HistoryLimits {
    /// Messages of one room in storage. As many comings and goings are kept beside them; likewise in memory.
    pub messages_max: usize,
    /// What the messages of one room may take, in bytes.
    pub bytes_max: usize,
    /// How long something is kept, in days.
    pub days_max: usize,
    /// Messages of one room in memory: all that a room has which does not last.
    pub memory_messages_max: usize,
    /// What all rooms may have in memory, in bytes.
    pub memory_bytes_max: usize,
    /// How much of it is shown in one answer.
    pub page_max: usize,
    /// Conversations of which an account can say up to when it has read them. Of more, the oldest gives way.
    pub read_marks_max: usize,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        HistoryLimits {
            messages_max: 1_000,
            bytes_max: 1 << 20,
            days_max: 30,
            memory_messages_max: 100,
            memory_bytes_max: 64 << 20,
            page_max: 100,
            read_marks_max: 200,
        }
    }
}

const DAY_MILLIS: u64 = 24 * 3_600_000;

impl HistoryLimits {
    pub fn are_kept(&self) -> bool {
        self.messages_max > 0
    }

    /// What is older than this is not shown any more.
    pub fn not_before(&self, now_millis: u64) -> MessageId {
        match self.days_max {
            0 => MessageId::default(),
            days => MessageId::at(now_millis.saturating_sub((days as u64).saturating_mul(DAY_MILLIS))),
        }
    }

    pub(super) fn in_memory(&self, now_millis: u64) -> Bounds {
        Bounds {
            entries_max: self.memory_messages_max.min(self.messages_max),
            bytes_max: self.bytes_max,
            not_before: self.not_before(now_millis),
        }
    }
}
