//! What happened in one room, as far as it is in memory: two logs, so that comings and goings do not push out what was
//! said. Each is bytes, in which everything lies one behind the other as [`Happening`] writes it, and an index of it: to
//! keep something is to copy it, and allocates nothing once a log has its size. What is given up at the front stays there
//! until it is as much as the rest, which then moves to the front.
//!
//! Of a room that lasts, storage has what is not here. From which number on a log is whole, it knows itself; what is
//! older is asked for ([`History::missing`]) and put in front ([`History::select`]).

use super::happening::{Happening, happenings};
use super::record::{RoomId, Span};
use super::{MessageId, Part, PastView, UserKey};
use std::collections::VecDeque;
use std::ops::Range;

/// How much a log may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bounds {
    pub entries_max: usize,
    pub bytes_max: usize,
    /// What is older is not kept.
    pub not_before: MessageId,
}

#[derive(Default)]
pub(super) struct History {
    said: Log,
    events: Log,
    /// The number of a room that lasts.
    pub lasting: Option<RoomId>,
    /// The latest message, in memory or not.
    pub latest_said: Option<MessageId>,
}

#[derive(Default)]
struct Log {
    index: VecDeque<Place>,
    bytes: Vec<u8>,
    /// Where in `bytes` the first one is.
    start: usize,
    /// Bytes that were here before those.
    gone: u64,
    /// What has a lower number is not here, whether or not there was something.
    whole_from: MessageId,
}

/// Where something lies.
struct Place {
    id: MessageId,
    /// Bytes in front of it since the log began.
    at: u64,
    /// Whose doing it was. Means something only as long as they are here.
    author: UserKey,
}

impl Log {
    fn size(&self) -> usize {
        self.bytes.len() + self.index.len() * size_of::<Place>()
    }

    /// Returns what `write` appends.
    fn push(&mut self, id: MessageId, author: UserKey, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let start = self.bytes.len();
        self.index.push_back(Place { id, at: self.gone + start as u64, author });
        write(&mut self.bytes);
        self.bytes.get(start..).unwrap_or_default()
    }

    fn trim(&mut self, bounds: Bounds) {
        while let Some(first) = self.index.front()
            && (self.index.len() > bounds.entries_max
                || self.bytes.len() - self.start > bounds.bytes_max
                || first.id < bounds.not_before)
        {
            self.pop();
        }
    }

    fn pop(&mut self) {
        let Some(first) = self.index.pop_front() else { return };
        let end = self.index.front().map_or(self.gone + self.bytes.len() as u64, |next| next.at);
        self.start = (end - self.gone) as usize;
        self.whole_from = MessageId(first.id.0 + 1);
        if self.start * 2 >= self.bytes.len() {
            self.bytes.drain(..self.start);
            (self.gone, self.start) = (end, 0);
        }
    }

    /// Which places have numbers from the one on and below the other.
    fn places(&self, from: MessageId, before: MessageId) -> Range<usize> {
        let start = self.index.partition_point(|place| place.id < from);
        start..self.index.partition_point(|place| place.id < before).max(start)
    }

    /// The bytes of these places.
    fn slice(&self, places: Range<usize>) -> &[u8] {
        let end = self.gone + self.bytes.len() as u64;
        let offset =
            |place: usize| (self.index.get(place).map_or(end, |place| place.at) - self.gone) as usize;
        self.bytes.get(offset(places.start)..offset(places.end)).unwrap_or_default()
    }

    /// Puts something else in the place of what has this number.
    fn replace(&mut self, id: MessageId, bytes: &[u8]) {
        let Ok(place) = self.index.binary_search_by_key(&id, |place| place.id) else { return };
        let behind = self.slice(place + 1..self.index.len()).to_vec();
        let Some(at) = self.index.get(place).map(|place| place.at) else { return };
        let old = self.gone + (self.bytes.len() - behind.len()) as u64 - at;
        self.bytes.truncate((at - self.gone) as usize);
        self.bytes.extend(bytes);
        self.bytes.extend(behind);
        for later in self.index.iter_mut().skip(place + 1) {
            later.at = later.at - old + bytes.len() as u64;
        }
    }

    fn forget(&mut self, whole_from: MessageId) {
        *self = Log { whole_from, ..Log::default() };
    }
}

impl History {
    /// Of a room that was there before the server started: nothing below this number is in memory.
    pub fn of_lasting(room: RoomId, whole_from: MessageId, latest_said: Option<MessageId>) -> History {
        let mut history = History { lasting: Some(room), latest_said, ..History::default() };
        history.forget(whole_from);
        history
    }

    /// About what it takes, in bytes.
    pub fn size(&self) -> usize {
        self.said.size() + self.events.size()
    }

    /// Keeps what has the highest number yet: a [`Happening`], which `write` appends. Returns its bytes.
    pub fn keep(
        &mut self,
        (id, is_said): (MessageId, bool),
        author: UserKey,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> &[u8] {
        if is_said {
            self.latest_said = Some(id);
        }
        self.log_mut(is_said).push(id, author, write)
    }

    /// Gives up what is beyond the bounds.
    pub fn trim(&mut self, is_said: bool, bounds: Bounds) {
        self.log_mut(is_said).trim(bounds);
    }

    fn log_mut(&mut self, is_said: bool) -> &mut Log {
        if is_said { &mut self.said } else { &mut self.events }
    }

    /// Gives up the oldest that is in memory; but not the latest message.
    pub fn give_up_oldest(&mut self) -> bool {
        let first = |log: &Log| log.index.front().map_or(MessageId(u64::MAX), |place| place.id);
        if first(&self.events) < first(&self.said) {
            self.events.pop();
        } else if self.said.index.len() > 1 {
            self.said.pop();
        } else {
            return false;
        }
        true
    }

    /// Nothing below this number is in memory any more.
    pub fn forget(&mut self, whole_from: MessageId) {
        self.said.forget(whole_from);
        self.events.forget(whole_from);
    }

    /// Everything that is in memory, in its order, and whether it is a message.
    pub fn all(&self) -> Vec<(MessageId, bool, Vec<u8>)> {
        let mut all = Vec::new();
        for (log, is_said) in [(&self.said, true), (&self.events, false)] {
            for place in 0..log.index.len() {
                let Some(id) = log.index.get(place).map(|place| place.id) else { break };
                all.push((id, is_said, log.slice(place..place + 1).to_vec()));
            }
        }
        all.sort_unstable_by_key(|&(id, ..)| id);
        all
    }

    /// From which number on everything is in memory that is wanted.
    fn whole_from(&self, said_only: bool) -> MessageId {
        if said_only { self.said.whole_from } else { self.said.whole_from.max(self.events.whole_from) }
    }

    fn count(&self, from: MessageId, before: MessageId, said_only: bool) -> usize {
        let events = if said_only { 0 } else { self.events.places(from, before).len() };
        self.said.places(from, before).len() + events
    }

    /// What storage has to be asked for, because it is wanted and not in memory: of each span one more than is wanted,
    /// which tells that there is more. Empty where everything is here.
    pub fn missing(&self, part: &Part, not_before: MessageId) -> Vec<Span> {
        let Some(_) = self.lasting else { return Vec::new() };
        let spans = match *part {
            Part::Span(ref span) => vec![span.clone()],
            Part::Around { id, limit, said_only } => {
                let (before, from) = halves(limit);
                let older = Span { after: None, before: Some(id), newest: true, limit: before, said_only };
                let newer = Span { after: below(id), before: None, newest: false, limit: from, said_only };
                vec![older, newer]
            }
        };
        spans.into_iter().filter_map(|span| self.missing_of(span, not_before)).collect()
    }

    fn missing_of(&self, span: Span, not_before: MessageId) -> Option<Span> {
        let whole_from = self.whole_from(span.said_only);
        let (from, before) = bounds_of(&span, not_before);
        if from >= whole_from || from >= before {
            return None;
        }
        if span.newest && self.count(whole_from.max(from), before, span.said_only) >= span.limit {
            return None;
        }
        Some(Span { after: below(from), limit: span.limit + 1, ..span })
    }

    /// A part of what happened, in its order, and whether there is more of what was asked for. `fetched`: what storage
    /// had of [`History::missing`].
    pub fn select<'a>(
        &'a self,
        part: &Part,
        fetched: &'a [u8],
        not_before: MessageId,
    ) -> (Vec<PastView<'a>>, bool) {
        let (said_only, from, before) = match part {
            Part::Span(span) => {
                let (from, before) = bounds_of(span, not_before);
                (span.said_only, from, before)
            }
            Part::Around { said_only, .. } => (*said_only, not_before, LAST),
        };
        let (whole_from, is_lasting) = (self.whole_from(said_only), self.lasting.is_some());
        let from_memory = if is_lasting { from.max(whole_from) } else { from };
        let History { said, events, .. } = self;
        let places = said.places(from_memory, before);
        let mut views: Vec<PastView<'a>> =
            happenings(said.slice(places)).map(|happening| happening.view).collect();
        if !said_only {
            let places = events.places(from_memory, before);
            views.extend(happenings(events.slice(places)).map(|happening| happening.view));
        }
        let fetched_views = happenings(fetched).map(|happening| happening.view);
        views.extend(fetched_views.filter(|view| (from..before).contains(&view.id)));
        // What came from both is as memory has it: the sort leaves that in front.
        views.sort_by_key(|view| view.id);
        views.dedup_by_key(|view| view.id);
        let (range, more) = match *part {
            Part::Span(Span { newest: true, limit, .. }) => {
                let has_older = is_lasting && from < whole_from && fetched.is_empty() && views.len() >= limit;
                (views.len().saturating_sub(limit)..views.len(), views.len() > limit || has_older)
            }
            Part::Span(Span { limit, .. }) => (0..limit.min(views.len()), views.len() > limit),
            Part::Around { id, limit, .. } => {
                let (before, from) = halves(limit);
                let at = views.partition_point(|view| view.id < id);
                let range = at.saturating_sub(before)..(at + from).min(views.len());
                let more = range.len() < views.len();
                (range, more)
            }
        };
        views.truncate(range.end);
        views.drain(..range.start);
        (views, more)
    }

    /// What has this number, and who did it, if it is in memory.
    pub fn find(&self, id: MessageId) -> Option<(Happening<'_>, UserKey)> {
        for log in [&self.said, &self.events] {
            if let Ok(place) = log.index.binary_search_by_key(&id, |place| place.id) {
                let author = log.index.get(place)?.author;
                return Some((happenings(log.slice(place..place + 1)).next()?, author));
            }
        }
        None
    }

    /// Whether what has this number may be in storage.
    pub fn may_be_stored(&self, id: MessageId) -> bool {
        self.lasting.is_some() && id < self.whole_from(false)
    }

    pub fn replace(&mut self, id: MessageId, bytes: &[u8]) {
        self.said.replace(id, bytes);
    }

    /// Messages with all of these words in them, the latest first.
    pub fn search(&self, words: &[String], before: MessageId, not_before: MessageId) -> Vec<PastView<'_>> {
        let places = self.said.places(not_before, before);
        let mut found: Vec<PastView<'_>> = happenings(self.said.slice(places))
            .map(|happening| happening.view)
            .filter(|view| has_words(view.text, words))
            .collect();
        found.reverse();
        found
    }
}

/// Above every number.
const LAST: MessageId = MessageId(u64::MAX);

/// The numbers that a span has: from the one on, and below the other.
fn bounds_of(span: &Span, not_before: MessageId) -> (MessageId, MessageId) {
    let from = span.after.map_or(MessageId(0), |after| MessageId(after.0.saturating_add(1)));
    (from.max(not_before), span.before.unwrap_or(LAST))
}

/// The number in front of one; none in front of the first.
fn below(id: MessageId) -> Option<MessageId> {
    id.0.checked_sub(1).map(MessageId)
}

/// How many before something, and how many from it on.
fn halves(limit: usize) -> (usize, usize) {
    (limit / 2, limit - limit / 2)
}

/// What a text consists of, to be searched: letters and digits, without regard to case.
pub(super) fn words_of(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn has_words(text: &str, wanted: &[String]) -> bool {
    let words = words_of(text);
    wanted.iter().all(|word| words.contains(word))
}

#[cfg(test)]
mod tests;
