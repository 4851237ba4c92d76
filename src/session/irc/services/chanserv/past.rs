//! HISTORY and SEARCH, for those whose clients know no CHATHISTORY: what was said, a NOTICE for each message.

use super::{Heard, ask, not_so, room, word};
use crate::hub::record::Span;
use crate::hub::{Command, Form, MessageId, Part, Past, PastView, RoomName};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Dialogue, Do};
use crate::session::irc::services::put;
use crate::session::irc::write::{Time, millis_of};
use crate::wire::irc::ctcp::Ctcp;

/// Messages of one answer, at most. Who wants more asks again.
const MESSAGES_MAX: usize = 50;
/// Where nobody says how many.
const MESSAGES_USUAL: usize = 20;

/// `<channel> [<number>] [<time>]`
pub fn history<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (room, rest) = room(&heard);
    let (first, behind) = word(rest);
    let (limit, time) = match first.parse() {
        Ok(limit) => (limit, behind),
        Err(_) => (MESSAGES_USUAL, rest),
    };
    let before = match time {
        "" => None,
        time => match millis_of(time) {
            Some(millis) => Some(MessageId::at(millis)),
            None => return not_so(dialogue, heard),
        },
    };
    let limit = limit.clamp(1, MESSAGES_MAX);
    let part = Part::Span(Span { after: None, before, newest: true, limit, said_only: true });
    ask(dialogue, Command::ShowPast { room, part })
}

/// `<channel> <words>`
pub fn search<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (room, words) = room(&heard);
    ask(dialogue, Command::Search { room, words, before: None, limit: MESSAGES_USUAL })
}

/// What was said last comes last, also of a search.
pub fn put_past(
    dialogue: &Dialogue,
    room: &RoomName,
    (entries, more): (&[PastView<'_>], bool),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let is_told = |entry: &&PastView<'_>| {
        entry.retracted.is_none() && matches!(entry.what, Past::Said(Form::Message | Form::Notice))
    };
    let mut entries: Vec<&PastView<'_>> = entries.iter().filter(is_told).collect();
    entries.sort_by_key(|entry| entry.id);
    for PastView { id, what, by, text, .. } in &entries {
        let time = Time(id.millis());
        let action = Ctcp::of(text).filter(Ctcp::is_action);
        match (what, action) {
            (_, Some(action)) => {
                say(dialogue, format_args!("{time} * {by} {}", action.params), world, out);
            }
            (Past::Said(Form::Notice), None) => {
                say(dialogue, format_args!("{time} -{by}- {text}"), world, out);
            }
            (_, None) => say(dialogue, format_args!("{time} <{by}> {text}"), world, out),
        }
    }
    let end = match (entries.len(), more) {
        (0, _) => "Nothing was found in",
        (_, false) => "That is all of",
        (_, true) => "There is more in",
    };
    say(dialogue, format_args!("{end} {room}."), world, out);
}

fn say(dialogue: &Dialogue, text: impl std::fmt::Display, world: &Surroundings, out: &mut Vec<u8>) {
    put(dialogue, &super::CHANSERV, text, world, out);
}
