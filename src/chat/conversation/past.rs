//! What was said before: shown on entering, read back, searched, taken back.
//!
//! The server's numbers of messages are long. What a list shows has a short number here, which stays its own for as long
//! as the client is in the room.

use super::running::RoomAsked;
use super::{Conversation, Pending};
use crate::chat::past_command::{Mark, Meant, PartWanted};
use crate::chat::shown::Shown;
use crate::wire::frame::{Past, PastEntry, Retract, Retracted, Search, ShowPast};
use crate::wire::{PartCode, PastCode};
use jiff::Timestamp;

/// How many messages are shown where nobody says how many.
pub const USUAL: u16 = 20;
/// How many are, at most.
const LISTED_MAX: usize = 1_000;
/// How many short numbers are known at a time.
const NUMBERS_MAX: usize = 10_000;
/// Among so many messages, the last that one has said is looked for.
const LAST_AMONG: u16 = 100;

/// The upper bits of a message's number are the time at which it was said.
const MILLIS_SHIFT: u32 = 20;

/// What was asked for, and what has come of it so far.
pub struct PastAsked {
    wanted: Wanted,
    /// In the order in which the server gives them.
    entries: Vec<Entry>,
}

enum Wanted {
    /// What was said last, on entering.
    OnEntering,
    Part(Part),
    /// The last that one has said oneself, to be taken back for this reason.
    Last {
        reason: String,
    },
}

/// A list of messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    of: Of,
    limit: u16,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Of {
    /// `id`: of the latest, nothing.
    Room { part: PartCode, id: u64 },
    /// Before this message; zero: up to now.
    Search { before: u64, words: String },
}

struct Entry {
    id: u64,
    what: Option<PastCode>,
    by: String,
    retracted_by: String,
    text: String,
}

/// The messages of a room that this client has shown.
#[derive(Default)]
pub struct Numbers {
    /// A message's short number is one more than its index.
    known: Vec<u64>,
    /// The latest that was shown on entering.
    latest: u64,
}

impl Numbers {
    fn number_of(&mut self, id: u64) -> usize {
        let at = self.known.iter().position(|&known| known == id).unwrap_or_else(|| {
            if self.known.len() == NUMBERS_MAX {
                self.known.clear();
            }
            self.known.push(id);
            self.known.len() - 1
        });
        at + 1
    }

    fn id_of(&self, number: u32) -> Option<u64> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.known.get(at).copied()
    }
}

impl PastAsked {
    pub fn on_entering() -> Self {
        PastAsked { wanted: Wanted::OnEntering, entries: Vec::new() }
    }

    fn part(part: Part) -> Self {
        PastAsked { wanted: Wanted::Part(part), entries: Vec::new() }
    }

    /// What to ask the server for, after what there is already.
    fn next(&self) -> Part {
        let latest = |limit| Part { of: Of::Room { part: PartCode::Latest, id: 0 }, limit };
        match &self.wanted {
            Wanted::OnEntering => latest(USUAL),
            Wanted::Last { .. } => latest(LAST_AMONG),
            Wanted::Part(part) => {
                let there = u16::try_from(self.entries.len()).unwrap_or(u16::MAX);
                let part = part.behind(&self.entries).unwrap_or_else(|| part.clone());
                Part { limit: part.limit.saturating_sub(there), ..part }
            }
        }
    }
}

impl Part {
    fn wanted(&self) -> usize {
        usize::from(self.limit).min(LISTED_MAX)
    }

    /// What lies behind these, the way that this part goes.
    fn behind(&self, entries: &[Entry]) -> Option<Part> {
        let ids = entries.iter().map(|entry| entry.id);
        let (first, last) = (ids.clone().min()?, ids.max()?);
        let of = match &self.of {
            Of::Room { part: PartCode::After, .. } => Of::Room { part: PartCode::After, id: last },
            Of::Room { .. } => Of::Room { part: PartCode::Before, id: first },
            Of::Search { words, .. } => Of::Search { before: first, words: words.clone() },
        };
        Some(Part { of, limit: self.limit })
    }
}

impl Conversation {
    /// How many of the latest messages are shown of each room that is entered.
    pub fn show_on_entering(&mut self, messages: u16) {
        self.past_on_entering = messages;
    }

    pub(super) fn history(&mut self, wanted: PartWanted) {
        let Some((room, channel)) = self.target_room() else { return };
        let id = match wanted.mark {
            None => 0,
            Some(Mark::Moment(millis)) => millis << MILLIS_SHIFT,
            Some(Mark::Number(number)) => match self.id_of(channel, number) {
                Some(id) => id,
                None => return self.no_such_number(number),
            },
        };
        let of = Of::Room { part: wanted.part, id };
        self.ask_past(channel, room, PastAsked::part(Part { of, limit: wanted.limit.unwrap_or(USUAL) }));
    }

    /// In the target, or in a room that one is a member of.
    pub(super) fn search(&mut self, room: Option<&str>, words: &str) {
        let place = match room {
            Some(room) => Some(self.place_of(room)),
            None => self.target_room(),
        };
        let Some((room, channel)) = place else { return };
        let of = Of::Search { before: 0, words: words.to_owned() };
        self.ask_past(channel, room, PastAsked::part(Part { of, limit: USUAL }));
    }

    pub(super) fn more(&mut self) {
        match self.past_more.clone() {
            Some((room, part)) => {
                let (room, channel) = self.place_of(&room);
                self.ask_past(channel, room, PastAsked::part(part));
            }
            None => self.trouble("there is nothing more to show; /history or /search first"),
        }
    }

    pub(super) fn retract(&mut self, meant: Meant, reason: &str) {
        let Some((room, channel)) = self.target_room() else { return };
        match meant {
            Meant::Number(number) => match self.id_of(channel, number) {
                Some(id) => self.take_back(channel, room, id, reason),
                None => self.no_such_number(number),
            },
            Meant::Last => {
                let wanted = Wanted::Last { reason: reason.to_owned() };
                self.ask_past(channel, room, PastAsked { wanted, entries: Vec::new() });
            }
        }
    }

    fn take_back(&mut self, channel: u32, room: String, id: u64, text: &str) {
        let asked = RoomAsked::Told(format!("what was said in {room} at {} is taken back", moment_of(id)));
        self.request(channel, Pending::Room { room, asked }, |request| Retract { request, id, text });
    }

    fn id_of(&mut self, channel: u32, number: u32) -> Option<u64> {
        self.room_at(channel)?.numbers.id_of(number)
    }

    fn no_such_number(&mut self, number: u32) {
        self.trouble(format!("no message was shown with the number {number}; /history shows them"));
    }

    /// The room that is the target, while we are in it.
    fn target_room(&mut self) -> Option<(String, u32)> {
        let room = self.target.and_then(|id| self.room(id));
        let target = room.and_then(|room| Some((room.name.clone(), room.channel?)));
        if target.is_none() {
            self.trouble("only of a room one is in there is a history; /switch to one, or /join one");
        }
        target
    }

    /// A room by its name, and where the server has it; zero where we are not in it.
    fn place_of(&self, name: &str) -> (String, u32) {
        let channel = self.room_named(name).and_then(|room| room.channel).unwrap_or(0);
        (name.to_owned(), channel)
    }

    fn ask_past(&mut self, channel: u32, room: String, asked: PastAsked) {
        let Part { of, limit } = asked.next();
        let named = if channel == 0 { room.clone() } else { String::new() };
        let pending = Pending::Past { room, asked };
        match of {
            Of::Room { part, id } => self.request(channel, pending, |request| ShowPast {
                request,
                part: part.number(),
                events: 0,
                limit,
                id,
                to: 0,
            }),
            Of::Search { before, words } => {
                self.request(channel, pending, |request| Search {
                    request,
                    before,
                    limit,
                    room: &named,
                    words: &words,
                });
            }
        }
    }

    /// A frame of the answer; `goes_on` says that another one follows.
    pub(super) fn past_came(&mut self, channel: u32, past: Past<'_>, goes_on: bool) {
        let Some(Pending::Past { room, mut asked }) = self.pending.remove(&past.request) else { return };
        asked.entries.extend(past.entries.iter().map(Entry::of));
        if goes_on {
            self.pending.insert(past.request, Pending::Past { room, asked });
            return;
        }
        let there_is_more = past.more != 0 && past.entries.iter().next().is_some();
        match asked.wanted {
            // The server gives less at a time than somebody may want.
            Wanted::Part(ref part) if there_is_more && asked.entries.len() < part.wanted() => {
                self.ask_past(channel, room, asked);
            }
            Wanted::Part(part) => self.show_part((channel, &room), &part, asked.entries, there_is_more),
            Wanted::OnEntering => self.show_latest(channel, &asked.entries),
            Wanted::Last { reason } => self.take_back_last(channel, room, &asked.entries, &reason),
        }
    }

    fn show_part(
        &mut self,
        (channel, room): (u32, &str),
        part: &Part,
        mut entries: Vec<Entry>,
        there_is_more: bool,
    ) {
        let behind = part.behind(&entries).filter(|_| there_is_more);
        let count = match (entries.len(), &part.of) {
            (0, Of::Search { words, .. }) => format!("nothing with {words:?} in it"),
            (0, _) => "nothing that was said".to_owned(),
            (1, _) => "1 message".to_owned(),
            (n, _) => format!("{n} messages"),
        };
        let more = match &behind {
            Some(Part { of: Of::Room { part: PartCode::After, .. }, .. }) => {
                "; /more shows what was said after"
            }
            Some(_) => "; /more shows those before",
            None => "",
        };
        self.past_more = behind.map(|part| (room.to_owned(), part));
        // What was found last is shown last, as what was said last is.
        entries.sort_by_key(|entry| entry.id);
        for entry in entries {
            // Of a room that one is not in, nothing can be taken back.
            let number = self.room_at(channel).map(|room| room.numbers.number_of(entry.id));
            self.shown.extend(entry.shown(room, number));
        }
        self.notice(format!("{room}: {count}{more}"));
    }

    /// What was shown already, when the room was entered before, is not shown again.
    fn show_latest(&mut self, channel: u32, entries: &[Entry]) {
        let Some(room) = self.room_at(channel) else { return };
        let known = room.numbers.latest;
        room.numbers.latest = entries.iter().map(|entry| entry.id).fold(known, u64::max);
        let news = entries.iter().filter(|entry| entry.id > known);
        let lines: Vec<Shown> = news.filter_map(|entry| entry.shown(&room.name, None)).collect();
        self.shown.extend(lines);
    }

    fn take_back_last(&mut self, channel: u32, room: String, entries: &[Entry], reason: &str) {
        let you = self.room_at(channel).map(|room| room.you.clone()).unwrap_or_default();
        let is_own = |entry: &&Entry| entry.by == you && entry.retracted_by.is_empty();
        match entries.iter().rfind(is_own).map(|entry| entry.id) {
            Some(id) => self.take_back(channel, room, id, reason),
            None => self.trouble(format!("none of the last messages in {room} is yours")),
        }
    }

    pub(super) fn retracted(&mut self, channel: u32, Retracted { id, by, text }: Retracted<'_>) {
        let Some(room) = self.room_at(channel) else { return };
        let number = room.numbers.known.iter().position(|&known| known == id);
        let number = number.map_or(String::new(), |at| format!(", number {}", at + 1));
        let words = if text.is_empty() { String::new() } else { format!(": {text}") };
        let told =
            format!("{by} took back what was said in {} at {}{number}{words}", room.name, moment_of(id));
        self.notice(told);
    }
}

impl Entry {
    fn of(entry: PastEntry<'_>) -> Entry {
        let PastEntry { id, what, by, retracted_by, text } = entry;
        let (by, retracted_by, text) = (by.to_owned(), retracted_by.to_owned(), text.to_owned());
        Entry { id, what: PastCode::from_number(what), by, retracted_by, text }
    }

    /// Nothing, of what has no words for people.
    fn shown(&self, room: &str, number: Option<usize>) -> Option<Shown> {
        let Entry { id, what, by, retracted_by, text } = self;
        let number = number.map_or(String::new(), |number| format!(" {number}"));
        let head = format!("{room}{number} [{}]", moment_of(*id));
        let words = if text.is_empty() { String::new() } else { format!(": {text}") };
        Some(match what {
            Some(PastCode::Said | PastCode::Notice) if !retracted_by.is_empty() => {
                Shown::Past(format!("{head} -- {retracted_by} took back what {by} said{words}"))
            }
            Some(PastCode::Said) => Shown::said_before(&head, by, text),
            Some(PastCode::Notice) => Shown::Past(format!("{head} -- notice of {by}{words}")),
            _ => return None,
        })
    }
}

/// When something was said, by its number.
fn moment_of(id: u64) -> String {
    let moment = i64::try_from(id >> MILLIS_SHIFT).ok();
    let moment = moment.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    moment.map_or_else(String::new, |moment| moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{LOBBY, in_lobby, lines, receive, refused, request, typed};
    use super::*;
    use crate::wire::frame::ListEntries;
    use crate::wire::{Flags, Frame, Kind, RefusalCode};

    const NOON: u64 = 1_800_014_400_000;

    /// Said so many seconds after noon.
    fn said<'a>(seconds: u64, by: &'a str, text: &'a str) -> PastEntry<'a> {
        let id = (NOON + seconds * 1_000) << MILLIS_SHIFT;
        PastEntry { id, what: PastCode::Said.number(), by, retracted_by: "", text }
    }

    fn answer(chat: &mut Conversation, request: u32, entries: &[PastEntry<'_>], more: bool) {
        let mut bytes = Vec::new();
        let entries = ListEntries::encode(&mut bytes, entries.iter().copied());
        receive(chat, LOBBY, Frame::Past(Past { request, more: more.into(), entries }));
    }

    fn history(chat: &mut Conversation, line: &str, entries: &[PastEntry<'_>], more: bool) -> Vec<String> {
        typed(chat, line);
        let kind = if line.starts_with("/search") { Kind::Search } else { Kind::ShowPast };
        let request = request(chat, kind);
        answer(chat, request, entries, more);
        lines(chat)
    }

    #[test]
    fn what_was_said_has_its_time_and_a_number_that_stays_its_own() {
        let mut alice = in_lobby(true);
        let (tea, milk) = (said(0, "bob", "tea?"), said(61, "ann", "\u{1}ACTION pours\u{1}"));
        let shown = history(&mut alice, "/history", &[tea, milk], false);
        let [first, second] =
            ["#lobby 1 [2027-01-15T12:00:00Z] <bob> tea?", "#lobby 2 [2027-01-15T12:01:01Z] * ann pours"];
        assert_eq!(shown, [first, second, "-- #lobby: 2 messages"]);
        let shown = history(&mut alice, "/search tea", &[said(70, "cy", "tea!"), tea], false);
        let third = "#lobby 3 [2027-01-15T12:01:10Z] <cy> tea!";
        assert_eq!(shown, [first, third, "-- #lobby: 2 messages"], "the newest is shown last");
        let shown = history(&mut alice, "/search milk", &[], false);
        assert_eq!(shown, ["-- #lobby: nothing with \"milk\" in it"]);
    }

    #[test]
    fn nobody_can_say_what_looks_like_something_taken_back() {
        let mut alice = in_lobby(true);
        let gone = PastEntry { retracted_by: "ann", ..said(0, "bob", "a slip") };
        let shown = history(&mut alice, "/history", &[gone, said(1, "bob", "-- ann took back")], false);
        let [first, second, _] = shown.as_slice() else { panic!("{shown:?}") };
        assert_eq!(first, "#lobby 1 [2027-01-15T12:00:00Z] -- ann took back what bob said: a slip");
        assert_eq!(second, "#lobby 2 [2027-01-15T12:00:01Z] <bob> -- ann took back");
    }

    #[test]
    fn more_goes_on_where_a_list_ended() {
        let mut alice = in_lobby(true);
        let shown = history(&mut alice, "/history 1", &[said(5, "bob", "a")], true);
        assert_eq!(shown.last().map(String::as_str), Some("-- #lobby: 1 message; /more shows those before"));
        for (line, part) in [("/more", PartCode::Before), ("/history after 1", PartCode::After)] {
            typed(&mut alice, line);
            let mut asked = None;
            super::super::tests::sent(&mut alice, |_, frame| match frame {
                Frame::ShowPast(frame) => asked = Some((frame.request, frame.part, frame.id, frame.limit)),
                _ => panic!("{frame:?}"),
            });
            let (request, number, id, limit) = asked.expect("a request");
            assert_eq!((number, id), (part.number(), said(5, "", "").id));
            assert_eq!(limit, if part == PartCode::Before { 1 } else { USUAL });
            answer(&mut alice, request, &[], false);
            assert_eq!(lines(&mut alice), ["-- #lobby: nothing that was said"]);
        }
        typed(&mut alice, "/more");
        assert_eq!(lines(&mut alice), ["!! there is nothing more to show; /history or /search first"]);
    }

    #[test]
    fn who_wants_more_than_the_server_gives_at_a_time_gets_it_in_several_answers() {
        let mut alice = in_lobby(true);
        typed(&mut alice, "/history 3");
        let first = request(&mut alice, Kind::ShowPast);
        alice.receive(
            LOBBY,
            Flags::MORE,
            Frame::Past(Past { request: first, more: 1, entries: ListEntries::of_encoded(&[]) }),
        );
        answer(&mut alice, first, &[said(5, "bob", "b"), said(6, "bob", "c")], true);
        let second = request(&mut alice, Kind::ShowPast);
        assert_eq!(lines(&mut alice), [""; 0]);
        answer(&mut alice, second, &[said(4, "bob", "a")], true);
        let shown = lines(&mut alice);
        assert!(shown[0].ends_with("<bob> a") && shown[2].ends_with("<bob> c"), "{shown:?}");
        assert_eq!(shown[3], "-- #lobby: 3 messages; /more shows those before");
    }

    #[test]
    fn what_one_has_said_is_taken_back_by_its_number_or_as_the_last() {
        let mut alice = in_lobby(true);
        typed(&mut alice, "/retract 1 no");
        assert_eq!(lines(&mut alice), ["!! no message was shown with the number 1; /history shows them"]);
        let own = said(1, "alice", "a");
        history(&mut alice, "/history", &[own, said(2, "bob", "b")], false);
        typed(&mut alice, "/retract 1 a slip");
        let done = request(&mut alice, Kind::Retract);
        receive(&mut alice, LOBBY, Frame::Done(crate::wire::frame::Done { request: done }));
        assert_eq!(lines(&mut alice), ["-- what was said in #lobby at 2027-01-15T12:00:01Z is taken back"]);
        typed(&mut alice, "/retract last");
        let asked = request(&mut alice, Kind::ShowPast);
        answer(&mut alice, asked, &[own, PastEntry { retracted_by: "alice", ..said(3, "alice", "") }], false);
        let again = request(&mut alice, Kind::Retract);
        receive(&mut alice, LOBBY, refused(again, RefusalCode::NotThere, "there is no such message"));
        assert_eq!(lines(&mut alice), ["!! #lobby: there is no such message"]);
        receive(&mut alice, LOBBY, Frame::Retracted(Retracted { id: own.id, by: "bob", text: "x" }));
        assert_eq!(
            lines(&mut alice),
            ["-- bob took back what was said in #lobby at 2027-01-15T12:00:01Z, number 1: x"]
        );
    }
}
