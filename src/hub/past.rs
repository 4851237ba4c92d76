//! The past of rooms: what happened is kept, shown to those who are in them, and found by its words.
//!
//! What is not in memory, storage has: the hub asks for it ([`Effects::fetch`]), whoever wants it waits, and
//! [`Hub::fetched`] goes on. Nobody else waits, and as in the meantime anything may have happened, what was asked for is
//! judged anew.

use super::happening::Happening;
use super::history::{History, words_of};
use super::read_marks::Reader;
use super::record::{AccountId, Fetch, Fetched, Past, Record, RoomId, Span};
use super::retract::Retraction;
use super::rooms::Room;
use super::{
    Asker, ChannelId, Departure, Effects, Flag, Hub, MessageId, Moment, Outcome, Part, PastView, Refusal,
    Reply, RequestId, RoomRef, SessionId, UserKey,
};
use std::borrow::Cow;
use std::collections::HashMap;

/// What the hub keeps of the past beside the rooms.
#[derive(Default)]
pub(super) struct Pasts {
    /// The number of the last thing that happened.
    pub last: MessageId,
    /// What all rooms have in memory, in bytes.
    pub bytes: usize,
    /// The latest message of rooms whose past is not in memory.
    pub latest: HashMap<RoomId, MessageId>,
    /// What somebody waits for.
    pub waiting: HashMap<SessionId, Waiting>,
}

/// What somebody wanted who waits for storage, and by which request.
pub(super) struct Waiting {
    pub request: RequestId,
    pub wanted: Wanted,
}

pub(super) enum Wanted {
    Enter { room: Box<str>, password: Box<str>, past: usize },
    Past { channel: ChannelId, part: Part },
    Search { channel: ChannelId, limit: usize },
    Retraction { channel: ChannelId, retraction: Retraction },
    Mark { account: AccountId, conversation: Box<str>, at_millis: Option<u64> },
}

/// Something that happened in a room, but for when.
pub(super) struct Happened<'a> {
    pub what: Past,
    pub by: UserKey,
    pub text: &'a str,
    pub tags: &'a str,
}

impl Happened<'_> {
    /// Where nothing is said with it.
    pub fn bare(what: Past, by: UserKey) -> Self {
        Happened { what, by, text: "", tags: "" }
    }
}

/// Something that happened in a room that lasts, as it is to be written down.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PastBytes<'a> {
    pub room: RoomId,
    pub is_said: bool,
    pub id: MessageId,
    /// A [`Happening`].
    pub bytes: &'a [u8],
}

impl Hub {
    /// The number of something that happens now.
    pub(super) fn next_message(&mut self, now: Moment) -> MessageId {
        self.pasts.last = self.pasts.last.next(now.unix_millis);
        self.pasts.last
    }

    /// Keeps something that happened to somebody who is in a room, or did it there.
    pub(super) fn keep_now(
        &mut self,
        now: Moment,
        channel: ChannelId,
        happened: Happened<'_>,
        fx: &mut impl Effects,
    ) {
        if self.limits.history.messages_max > 0 {
            let id = self.next_message(now);
            self.keep(id, channel, happened, fx);
        }
    }

    /// The same, with the number that it has already. Nothing, where the room does not keep what happens.
    pub(super) fn keep(
        &mut self,
        id: MessageId,
        channel: ChannelId,
        Happened { what, by, text, tags }: Happened<'_>,
        fx: &mut impl Effects,
    ) {
        let Hub { channels, users, limits, pasts, .. } = self;
        let limits = &limits.history;
        let (Some(room), Some(user)) = (channels.room_mut(channel), users.get(&by)) else { return };
        if !limits.are_kept() || room.settings.flags.has(Flag::NoHistory) || is_fleeting(what, tags) {
            return;
        }
        up_to_date(room, &mut pasts.latest, id, fx);
        let Some(mut history) = room.history.take() else { return };
        let (lasting, before) = (history.lasting, history.size());
        let person = room.person(by, user);
        let owner = user.identity().map(|identity| identity.id);
        let (name, username, account) = (person.name.shown(), person.username(), person.account);
        let host = person.host(fx);
        let view = PastView { id, what, by: name, username, host, account, text, tags, retracted: None };
        let bytes = history.keep((id, what.is_said()), by, |out| Happening { view, owner }.encode(out));
        if let Some(room) = lasting {
            fx.store_past(PastBytes { room, is_said: what.is_said(), id, bytes });
        }
        history.trim(what.is_said(), limits.in_memory(id.millis()));
        pasts.bytes = pasts.bytes + history.size() - before;
        while pasts.bytes > limits.memory_bytes_max {
            let before = history.size();
            if !history.give_up_oldest() {
                break;
            }
            pasts.bytes -= before - history.size();
        }
        room.history = Some(history);
    }

    /// They leave the server.
    pub(super) fn keep_departure(
        &mut self,
        now: Moment,
        (key, channel): (UserKey, ChannelId),
        why: Departure<'_>,
        fx: &mut impl Effects,
    ) {
        // Where nobody knows who they are, they have left the room, and that is all.
        let is_known = self.channels.room(channel).is_some_and(Room::knows_people);
        let words = if is_known { parting_words(why) } else { Cow::Borrowed("") };
        let what = if is_known { Past::Quit } else { Past::Left };
        self.keep_now(now, channel, Happened { text: &words, ..Happened::bare(what, key) }, fx);
    }

    /// Nobody is in a room that lasts: its past need not be in memory.
    pub(super) fn rest(&mut self, channel: ChannelId) {
        let Some(room) = self.channels.room_mut(channel) else { return };
        if let Some(history) = room.history.take_if(|history| history.lasting.is_some()) {
            self.pasts.bytes -= history.size();
            self.pasts.latest.extend(history.latest_said.map(|latest| (room.id, latest)));
        }
    }

    /// Somebody has asked for the past of a room from outside.
    fn rest_if_empty(&mut self, channel: ChannelId) {
        if self.channels.room(channel).is_some_and(|room| room.occupants.is_empty()) {
            self.rest(channel);
        }
    }

    /// The past of a room.
    pub(super) fn history(
        &mut self,
        channel: ChannelId,
        fx: &mut impl Effects,
    ) -> Result<&mut History, Refusal> {
        let room = super::rooms::room_mut(&mut self.channels, channel)?;
        let whole_from = MessageId(self.pasts.last.0 + 1);
        Ok(up_to_date(room, &mut self.pasts.latest, whole_from, fx))
    }

    /// What happened in a room is no longer to be kept, what did so far neither.
    pub(super) fn end_past(&mut self, channel: ChannelId, fx: &mut impl Effects) {
        let before = MessageId(self.pasts.last.0 + 1);
        let Some(history) = self.channels.room_mut(channel).and_then(|room| room.history.as_mut()) else {
            return;
        };
        self.pasts.bytes -= history.size();
        history.forget(MessageId::default());
        history.latest_said = None;
        if let Some(room) = history.lasting {
            fx.store(Record::PastGone { room, before });
        }
    }

    /// Enters, and sees so much of what was said last before anything else.
    pub(super) fn enter(
        &mut self,
        asker: Asker,
        (room, password): (&str, &str),
        past: usize,
        fx: &mut impl Effects,
    ) -> Outcome {
        self.check_not_waiting(asker)?;
        let past = past.min(self.limits.history.page_max);
        if past == 0 {
            return self.join(asker, room, password, fx);
        }
        let found = self.room_names.get(&*super::name::fold(room)).copied();
        if let Some(channel) = found
            && self.check_joining(asker, room, password, fx).is_ok()
            && self.ask_for(asker, channel, &latest(past), fx)
        {
            let wanted = Wanted::Enter { room: room.into(), password: password.into(), past };
            self.wait(asker, wanted);
            return Ok(());
        }
        self.enter_with(asker, (room, password), past, &[], fx)
    }

    fn enter_with(
        &mut self,
        asker: Asker,
        (room, password): (&str, &str),
        past: usize,
        fetched: &[u8],
        fx: &mut impl Effects,
    ) -> Outcome {
        self.join(asker, room, password, fx)?;
        let found = self.room_names.get(&*super::name::fold(room)).copied();
        match found {
            Some(channel) => self.put_past(Asker { channel, ..asker }, &latest(past), fetched, fx),
            None => Ok(()),
        }
    }

    pub(super) fn show_past(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        part: Part,
        fx: &mut impl Effects,
    ) -> Outcome {
        self.check_not_waiting(asker)?;
        let (channel, _, room) = self.occupied(asker, room)?;
        if !self.limits.history.are_kept() || room.settings.flags.has(Flag::NoHistory) {
            return Err(Refusal::NoHistory);
        }
        let part = at_most(part, self.limits.history.page_max);
        if self.ask_for(asker, channel, &part, fx) {
            self.wait(asker, Wanted::Past { channel, part });
            return Ok(());
        }
        self.put_past(Asker { channel, ..asker }, &part, &[], fx)
    }

    /// Asks storage for what is not in memory. `false` where everything is there, or nothing can be asked.
    fn ask_for(&mut self, asker: Asker, channel: ChannelId, part: &Part, fx: &mut impl Effects) -> bool {
        let not_before = self.limits.history.not_before(asker.now.unix_millis);
        let Ok(history) = self.history(channel, fx) else { return false };
        let spans = history.missing(part, not_before);
        match history.lasting {
            Some(room) if !spans.is_empty() => fx.fetch(asker.session, Fetch::Past { room, spans }),
            _ => false,
        }
    }

    /// Whoever waits for something asks for nothing else: over TCP they are not heard, in a datagram they may be.
    pub(super) fn check_not_waiting(&self, asker: Asker) -> Outcome {
        let waits = self.pasts.waiting.contains_key(&asker.session);
        if waits { Err(Refusal::TryLater { seconds: 1 }) } else { Ok(()) }
    }

    pub(super) fn wait(&mut self, asker: Asker, wanted: Wanted) {
        self.pasts.waiting.insert(asker.session, Waiting { request: asker.request, wanted });
    }

    /// Answers with a part of the past of the room that is the asker's channel.
    fn put_past(&mut self, asker: Asker, part: &Part, fetched: &[u8], fx: &mut impl Effects) -> Outcome {
        let not_before = self.limits.history.not_before(asker.now.unix_millis);
        let room = super::rooms::room_mut(&mut self.channels, asker.channel)?;
        let (entries, more) = match &mut room.history {
            Some(history) => history.select(part, fetched, not_before),
            None => (Vec::new(), false),
        };
        asker.reply(fx, Reply::Past { room: &room.name, entries: &entries, more });
        Ok(())
    }

    pub(super) fn search(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        words: &str,
        (before, limit): (Option<MessageId>, usize),
        fx: &mut impl Effects,
    ) -> Outcome {
        self.check_not_waiting(asker)?;
        let (channel, ..) = self.named(asker, room)?;
        let room = self.own(asker, channel)?;
        if !self.limits.history.are_kept() || room.settings.flags.has(Flag::NoHistory) {
            return Err(Refusal::NoHistory);
        }
        let wanted = words_of(words);
        if wanted.is_empty() || words.len() > SEARCH_BYTES_MAX {
            return Err(Refusal::BadSearch);
        }
        let limit = limit.min(self.limits.history.page_max);
        let from = self.limits.history.not_before(asker.now.unix_millis);
        if let Some(room) = self.history(channel, fx)?.lasting {
            let words = wanted.join(" ").into();
            if fx.fetch(asker.session, Fetch::Search { room, words, from, before, limit: limit + 1 }) {
                self.wait(asker, Wanted::Search { channel, limit });
                self.rest_if_empty(channel);
                return Ok(());
            }
        }
        let room = super::rooms::room_mut(&mut self.channels, channel)?;
        let before = before.unwrap_or(MessageId(u64::MAX));
        let found = room.history.as_ref().map(|history| history.search(&wanted, before, from));
        let found = found.unwrap_or_default();
        let asker = Asker { channel, ..asker };
        put_found(asker, &room.name, &found, limit, fx);
        self.rest_if_empty(channel);
        Ok(())
    }

    /// What somebody waits for has come.
    pub fn fetched(&mut self, now: Moment, session: SessionId, fetched: &Fetched, fx: &mut impl Effects) {
        let Some(Waiting { request, wanted }) = self.pasts.waiting.remove(&session) else { return };
        let channel = match wanted {
            Wanted::Past { channel, .. }
            | Wanted::Search { channel, .. }
            | Wanted::Retraction { channel, .. } => channel,
            Wanted::Enter { .. } | Wanted::Mark { .. } => ChannelId::NONE,
        };
        let asker = self.asker(now, session, request, channel);
        if let Err(refusal) = self.go_on_with(asker, wanted, fetched, fx) {
            asker.reply(fx, Reply::Refused(refusal));
        }
    }

    fn go_on_with(
        &mut self,
        asker: Asker,
        wanted: Wanted,
        fetched: &Fetched,
        fx: &mut impl Effects,
    ) -> Outcome {
        let bytes = match fetched {
            Fetched::Past(bytes) => bytes.as_slice(),
            Fetched::ReadUpTo(_) | Fetched::Failed(_) => &[],
        };
        match wanted {
            // Who wants to enter is not kept out because the past cannot be read.
            Wanted::Enter { room, password, past } => {
                self.enter_with(asker, (&room, &password), past, bytes, fx)
            }
            Wanted::Mark { account, conversation, at_millis } => {
                self.take_marks(account, fetched)?;
                self.go_on_marking(asker, Reader::Account(account), &conversation, at_millis, fx)
            }
            _ if matches!(fetched, Fetched::Failed(_)) => Err(Refusal::NotReadable),
            Wanted::Past { channel, part } => {
                self.occupied(asker, RoomRef::Channel(channel))?;
                self.put_past(asker, &part, bytes, fx)
            }
            Wanted::Search { channel, limit } => {
                let room = self.own(asker, channel)?;
                let found: Vec<PastView<'_>> =
                    super::happening::happenings(bytes).map(|happening| happening.view).collect();
                put_found(asker, &room.name, &found, limit, fx);
                Ok(())
            }
            Wanted::Retraction { channel, retraction } => {
                self.retract_stored(asker, channel, &retraction, bytes, fx)
            }
        }
    }
}

/// The longest words to search for, in bytes.
const SEARCH_BYTES_MAX: usize = 256;

fn put_found(
    asker: Asker,
    room: &super::RoomName,
    found: &[PastView<'_>],
    limit: usize,
    fx: &mut impl Effects,
) {
    let entries = found.get(..limit).unwrap_or(found);
    asker.reply(fx, Reply::Past { room, entries, more: entries.len() < found.len() });
}

/// The latest messages.
fn latest(limit: usize) -> Part {
    Part::Span(Span { after: None, before: None, newest: true, limit, said_only: true })
}

fn at_most(part: Part, page: usize) -> Part {
    match part {
        Part::Span(span) => Part::Span(Span { limit: span.limit.min(page), ..span }),
        Part::Around { id, limit, said_only } => Part::Around { id, limit: limit.min(page), said_only },
    }
}

/// Whether something means nothing once it has been seen: that somebody is about to write (IRCv3 typing), which no text
/// and no other tag goes with. The hub knows no protocol, and has this one word of it.
fn is_fleeting(what: Past, tags: &str) -> bool {
    let is_typing = |tag: &str| matches!(tag.split('=').next(), Some("+typing" | "+draft/typing" | ""));
    what == Past::Said(super::Form::Tags) && tags.split(';').all(is_typing)
}

/// How somebody left, in words.
fn parting_words(why: Departure<'_>) -> Cow<'_, str> {
    match why {
        Departure::Quit(text) | Departure::Dropped(text) => text.into(),
        Departure::Lost => "Connection lost".into(),
        Departure::Killed(why) => why.to_string().into(),
    }
}

/// The past of a room as it is to be now: of one that lasts, written down what was not, and what is before this number
/// is not in memory where nothing is.
fn up_to_date<'a>(
    room: &'a mut Room,
    latest: &mut HashMap<RoomId, MessageId>,
    whole_from: MessageId,
    fx: &mut impl Effects,
) -> &'a mut History {
    let (id, lasts) = (room.id, room.settings.flags.has(Flag::Persistent));
    let of_room = || match lasts {
        true => Box::new(History::of_lasting(id, whole_from, latest.remove(&id))),
        false => Box::default(),
    };
    let history = room.history.get_or_insert_with(of_room);
    match history.lasting {
        None if lasts => {
            history.lasting = Some(id);
            for (at, is_said, bytes) in history.all() {
                fx.store_past(PastBytes { room: id, is_said, id: at, bytes: &bytes });
            }
        }
        Some(_) if !lasts => history.lasting = None,
        _ => {}
    }
    history
}
