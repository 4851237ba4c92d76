//! Up to when an account has read its conversations (IRCv3 read-marker), for the next of its clients to go on there. An
//! account's marks are in memory once one of them was asked for.

use super::name::{RoomName, UserName};
use super::past::Wanted;
use super::record::{AccountId, Fetch, Fetched, Record};
use super::{Asker, Effects, Hub, MessageId, Outcome, Refusal, Reply, UserKey};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// By whose they are, then by the folded name of the conversation; in milliseconds since 1970.
pub(super) type ReadMarks = HashMap<Reader, BTreeMap<Arc<str>, u64>>;

/// Whose marks they are: without an account, they are gone with the visit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Reader {
    Account(AccountId),
    Visitor(UserKey),
}

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
        let reader = self.reader(asker)?;
        self.key_of_conversation(conversation)?;
        self.check_not_waiting(asker)?;
        if let Reader::Account(account) = reader
            && !self.read_marks.contains_key(&reader)
            && fx.fetch(asker.session, Fetch::ReadUpTo { account })
        {
            self.wait(asker, Wanted::Mark { account, conversation: conversation.into(), at_millis });
            return Ok(());
        }
        self.go_on_marking(asker, reader, conversation, at_millis, fx)
    }

    fn reader(&self, asker: Asker) -> Result<Reader, Refusal> {
        let identity = self.user(asker.user)?.identity();
        Ok(identity.map_or(Reader::Visitor(asker.user), |identity| Reader::Account(identity.id)))
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
        self.read_marks.entry(Reader::Account(account)).or_insert(marks);
        Ok(())
    }

    pub(super) fn go_on_marking(
        &mut self,
        asker: Asker,
        reader: Reader,
        conversation: &str,
        at_millis: Option<u64>,
        fx: &mut impl Effects,
    ) -> Outcome {
        if self.reader(asker)? != reader {
            return Err(Refusal::NotIdentified);
        }
        let key = self.key_of_conversation(conversation)?;
        let marks = self.read_marks.entry(reader).or_default();
        let before = marks.get(&key).copied();
        let Some(at) = at_millis.filter(|at| before.is_none_or(|before| before < *at)) else {
            asker.reply(fx, Reply::ReadMark { conversation, at_millis: before });
            return Ok(());
        };
        marks.insert(Arc::clone(&key), at);
        if marks.len() > self.limits.history.read_marks_max
            && let Some(oldest) = marks.iter().min_by_key(|(_, at)| **at).map(|(key, _)| Arc::clone(key))
        {
            marks.remove(&oldest);
            if let Reader::Account(account) = reader {
                fx.store(Record::ReadUpToGone { account, conversation: (&*oldest).into() });
            }
        }
        if let Reader::Account(account) = reader {
            fx.store(Record::ReadUpTo { account, conversation: (&*key).into(), at_millis: at });
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
