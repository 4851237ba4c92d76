//! What holds for a time: bans and mutes that end by themselves. Their times are those of the wall, because they go on
//! while the server does not run; what is waited for is counted from the last time that was heard of.

use super::mask::Mask;
use super::record::{AccountId, Record};
use super::rooms::room_mut;
use super::settings::{Flag, MaskList, RoomChange};
use super::{Affiliation, ChannelId, Effect, Effects, Event, Hub, Moment, SessionId};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// So many end in one go; the others, as many as there are, right after.
const ENDED_AT_ONCE_MAX: usize = 64;

/// What ends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Due {
    AccountBan(AccountId),
    AccountMute(AccountId),
    Mask(MaskList, Mask),
}

/// What ends when.
#[derive(Default)]
pub(super) struct Times {
    /// By milliseconds since 1970.
    due: BTreeSet<(u64, ChannelId, Due)>,
    /// The last time that was heard of.
    clock: Option<Moment>,
}

impl Times {
    pub fn note(&mut self, now: Moment) {
        self.clock = Some(now);
    }

    pub fn now(&self) -> Option<Moment> {
        self.clock
    }

    /// When something ended before, and when it ends now.
    pub fn replace(&mut self, before: Option<u64>, after: Option<u64>, channel: ChannelId, what: &Due) {
        if let Some(before) = before {
            self.due.remove(&(before, channel, what.clone()));
        }
        if let Some(after) = after {
            self.due.insert((after, channel, what.clone()));
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let Moment { monotonic, unix_millis } = self.clock?;
        let &(due, ..) = self.due.first()?;
        Some(monotonic + Duration::from_millis(due.saturating_sub(unix_millis)))
    }

    fn take_due(&mut self, now: Moment) -> Option<(ChannelId, Due)> {
        self.due.first().filter(|(due, ..)| *due <= now.unix_millis)?;
        self.due.pop_first().map(|(_, channel, what)| (channel, what))
    }

    pub fn len(&self) -> usize {
        self.due.len()
    }

    pub fn has(&self, until: u64, channel: ChannelId, what: Due) -> bool {
        self.due.contains(&(until, channel, what))
    }
}

impl Hub {
    /// Ends what is due.
    pub(super) fn end_what_is_due(&mut self, now: Moment, fx: &mut impl Effects) {
        self.times.note(now);
        for _ in 0..ENDED_AT_ONCE_MAX {
            match self.times.take_due(now) {
                None => return,
                Some((channel, Due::AccountBan(account))) => {
                    self.end_term_of(channel, account, MaskList::Bans, fx)
                }
                Some((channel, Due::AccountMute(account))) => {
                    self.end_term_of(channel, account, MaskList::Mutes, fx)
                }
                Some((channel, Due::Mask(list, mask))) => self.end_mask(channel, list, &mask, fx),
            }
        }
    }

    /// Of the end of a mute all are told who were told of the mute. Of other accounts those hear who can say what an account
    /// is to the room: nobody else is told of accounts that are not there.
    fn end_term_of(&mut self, channel: ChannelId, account: AccountId, of: MaskList, fx: &mut impl Effects) {
        let Some(room) = self.channels.room(channel) else { return };
        let Some(mut record) = room.member(account).cloned() else { return };
        let was_banned = of == MaskList::Bans;
        if was_banned {
            record.affiliation = Affiliation::None;
            record.note.until_millis = None;
        } else {
            record.muted = None;
        }
        self.set_member(channel, record, fx);
        let stood = self.occupants_under(channel, account);
        let stood: Vec<_> = stood.into_iter().filter_map(|key| self.refresh(channel, key)).collect();
        self.tell_standing(channel, &stood, fx);
        let (Some(room), Some(name)) = (self.channels.room(channel), self.accounts.name_of(account)) else {
            return;
        };
        let mask = format!("{}{name}", super::affiliations::ACCOUNT_SIGN);
        let change = match was_banned {
            true => RoomChange::Unaffiliate { affiliation: Affiliation::Outcast, whom: name.shown() },
            false => RoomChange::RemoveMask { list: MaskList::Mutes, mask: &mask },
        };
        let event = Event::Changed { by: None, changes: &[change] };
        if was_banned || room.settings.flags.has(Flag::SemiAnonymous) {
            self.tell_keepers(SessionId::NONE, channel, room, event, fx);
        } else {
            fx.emit(Effect::Publish { channel, room: &room.name, cause: SessionId::NONE, event });
        }
    }

    fn end_mask(&mut self, channel: ChannelId, list: MaskList, mask: &Mask, fx: &mut impl Effects) {
        let Ok(room) = room_mut(&mut self.channels, channel) else { return };
        let Some(guests) = &mut room.guests else { return };
        let Some(at) = guests.position(list, mask) else { return };
        let entry = guests.list_mut(list).remove(at);
        self.mask_bytes -= entry.bytes();
        if room.is_lasting() {
            fx.store(Record::MaskGone { room: room.id, list, mask: entry.mask.clone() });
        }
        let event =
            Event::Changed { by: None, changes: &[RoomChange::RemoveMask { list, mask: &entry.mask }] };
        fx.emit(Effect::Publish { channel, room: &room.name, cause: SessionId::NONE, event });
    }
}
