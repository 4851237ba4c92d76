//! Who is let into a room, or is not: its lists of masks, and the invitations. And what lists of masks may take.
//!
//! Whoever makes a room may fill its lists, and everybody may make many rooms. So a room's lists together are bounded in
//! bytes; and the more all rooms take, the less any one of them may have (a *dynamic threshold*, as switches share
//! buffers among ports: Choudhury and Hahne, 1998). What is assured to every room, nobody takes from it.

use super::invitations::Invitation;
use super::mask::{Mask, Subject};
use super::members::Members;
use super::settings::{MaskEntry, MaskList};
use super::{Effects, Hub, Limits, Person, UserKey};
use std::cell::OnceCell;

/// A room may have this part of what is left for all of them.
const PART_OF_WHAT_IS_LEFT: usize = 512;

/// What the lists of any room may take, in bytes, whatever others take: about six masks.
const ASSURED_BYTES: usize = 1_280;

/// Who is let in, or is not.
#[derive(Default)]
pub(super) struct Guests {
    bans: Vec<MaskEntry>,
    ban_exceptions: Vec<MaskEntry>,
    invite_exceptions: Vec<MaskEntry>,
    mutes: Vec<MaskEntry>,
    /// The accounts that are something to the room.
    pub members: Members,
    /// Those who were invited and have not entered, the longest ago first.
    pub invited: Vec<Invitation<UserKey>>,
}

impl Guests {
    pub fn list(&self, list: MaskList) -> &[MaskEntry] {
        match list {
            MaskList::Bans => &self.bans,
            MaskList::BanExceptions => &self.ban_exceptions,
            MaskList::InviteExceptions => &self.invite_exceptions,
            MaskList::Mutes => &self.mutes,
        }
    }

    /// Where an entry is in a list.
    pub fn position(&self, list: MaskList, mask: &Mask) -> Option<usize> {
        self.list(list).iter().position(|entry| entry.compiled() == mask)
    }

    pub fn list_mut(&mut self, list: MaskList) -> &mut Vec<MaskEntry> {
        match list {
            MaskList::Bans => &mut self.bans,
            MaskList::BanExceptions => &mut self.ban_exceptions,
            MaskList::InviteExceptions => &mut self.invite_exceptions,
            MaskList::Mutes => &mut self.mutes,
        }
    }

    /// What its lists take, in bytes.
    pub fn mask_bytes(&self) -> usize {
        MaskList::ALL.iter().flat_map(|&list| self.list(list)).map(MaskEntry::bytes).sum()
    }
}

/// Somebody who may come in or speak, and is held against lists of masks, which most rooms do not have.
pub(super) struct Candidate<'a, F> {
    pub person: Person<'a>,
    fx: &'a F,
    subject: OnceCell<Subject>,
}

impl<'a, F: Effects> Candidate<'a, F> {
    pub fn new(person: Person<'a>, fx: &'a F) -> Self {
        Candidate { person, fx, subject: OnceCell::new() }
    }

    pub fn is_on(&self, list: &[MaskEntry]) -> bool {
        list.iter().any(|entry| self.subject().is_matched_by(entry.compiled()))
    }

    fn subject(&self) -> &Subject {
        self.subject.get_or_init(|| Subject::new(self.person, self.person.host(self.fx)))
    }
}

impl Hub {
    /// What the lists of one room may take at present, in bytes.
    pub(super) fn mask_bytes_max(&self) -> usize {
        let Limits { mask_bytes_per_room_max, mask_bytes_on_server_max, .. } = self.limits;
        let left = mask_bytes_on_server_max.saturating_sub(self.mask_bytes);
        (left / PART_OF_WHAT_IS_LEFT).max(ASSURED_BYTES).min(mask_bytes_per_room_max)
    }
}
