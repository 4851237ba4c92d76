//! Up to when an account has read its conversations (IRCv3 read-marker), for the next of its clients to go on there. An
//! account's marks are in memory once one of them was asked for.

use super::name::{RoomName, UserName};
use super::past::Wanted;
use super::record::{AccountId, Fetch, Fetched, Record};
use super::{Asker, Effects, Hub, MessageId, Outcome, Refusal, Reply};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// By account, then by the folded name of the conversation; in milliseconds since 1970.
pub(super) type ReadMarks = HashMap<AccountId, BTreeMap<Arc<str>, u64>>;

impl Hub {
    pub(super) fn show_read_mark(
        &mut self,
        asker: Asker,
        conversation: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        self.read_mark(asker, conversation, None, fx)
    }

    /// It never goes back.
    pub(super) fn mark_read(
        &mut self,
        asker: Asker,
        conversation: &str,
        at_millis: u64,
        fx: &mut impl Effects,
    ) -> Outcome {
        self.read_mark(asker, conversation, Some(at_millis), fx)
    }

    fn read_mark(
        &mut self,
        asker: Asker,
        conversation: &str,
        at_millis: Option<u64>,
        fx: &mut impl Effects,
    ) -> Outcome {
        let account = self.user(asker.user)?.identity().ok_or(Refusal::NotIdentified)?.id;
        self.key_of_conversation(conversation)?;
        self.check_not_waiting(asker)?;
        if !self.read_marks.contains_key(&account) && fx.fetch(asker.session, Fetch::ReadUpTo { account }) {
            self.wait(asker, Wanted::Mark { account, conversation: conversation.into(), at_millis });
            return Ok(());
        }
        self.go_on_marking(asker, account, conversation, at_millis, fx)
    }

    fn key_of_conversation(&self, conversation: &str) -> Result<Arc<str>, Refusal> {
        if conversation.starts_with('#') {
            Ok(Arc::clone(RoomName::new(conversation, self.limits.room_name_bytes_max)?.key()))
        } else {
            Ok(Arc::clone(UserName::new(conversation, self.limits.name_bytes_max)?.key()))
        }
    }

    /// What storage has of an account's marks.
    pub(super) fn take_marks(&mut self, account: AccountId, fetched: &Fetched) -> Outcome {
        let Fetched::ReadUpTo(marks) = fetched else { return Err(Refusal::NotReadable) };
        let marks = marks.iter().map(|(conversation, at)| (Arc::from(&**conversation), *at));
        let marks: BTreeMap<_, _> = marks.collect();
        self.read_marks.entry(account).or_insert(marks);
        Ok(())
    }

    pub(super) fn go_on_marking(
        &mut self,
        asker: Asker,
        account: AccountId,
        conversation: &str,
        at_millis: Option<u64>,
        fx: &mut impl Effects,
    ) -> Outcome {
        let user = self.user(asker.user)?;
        if user.identity().map(|identity| identity.id) != Some(account) {
            return Err(Refusal::NotIdentified);
        }
        let key = self.key_of_conversation(conversation)?;
        let marks = self.read_marks.entry(account).or_default();
        let before = marks.get(&key).copied();
        let Some(at) = at_millis.filter(|at| before.is_none_or(|before| before < *at)) else {
            asker.reply(fx, Reply::ReadMark { conversation, at_millis: before });
            return Ok(());
        };
        let conversation_key = || -> Box<str> { (&*key).into() };
        fx.store(Record::ReadUpTo { account, conversation: conversation_key(), at_millis: at });
        marks.insert(Arc::clone(&key), at);
        if marks.len() > self.limits.history.read_marks_max
            && let Some(oldest) = marks.iter().min_by_key(|(_, at)| **at).map(|(key, _)| Arc::clone(key))
        {
            marks.remove(&oldest);
            fx.store(Record::ReadUpToGone { account, conversation: (&*oldest).into() });
        }
        let reply = Reply::ReadMark { conversation, at_millis: Some(at) };
        asker.reply(fx, reply);
        asker.tell_other_seats(fx, self.user(asker.user)?, reply);
        Ok(())
    }

    /// In which of one's rooms something was said in that time, the longest ago first.
    pub(super) fn list_spoken(
        &self,
        asker: Asker,
        (after_millis, before_millis): (u64, u64),
        limit: usize,
        fx: &mut impl Effects,
    ) -> Outcome {
        let user = self.user(asker.user)?;
        let not_before = self.limits.history.not_before(asker.now.unix_millis);
        let rooms = user.rooms.iter().filter_map(|&channel| self.channels.room(channel));
        let latest = |room: &super::Room| match &room.history {
            Some(history) => history.latest_said,
            None => self.pasts.latest.get(&room.id).copied(),
        };
        let mut spoken: Vec<_> = rooms
            .filter_map(|room| Some((&room.name, latest(room).filter(|id| *id >= not_before)?)))
            .map(|(name, MessageId(id))| (name, MessageId(id).millis()))
            .filter(|&(_, at)| after_millis < at && at < before_millis)
            .collect();
        spoken.sort_unstable_by_key(|&(_, at)| at);
        spoken.truncate(limit.min(self.limits.history.page_max));
        asker.reply(fx, Reply::Spoken { rooms: &spoken });
        Ok(())
    }
}
