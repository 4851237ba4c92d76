//! Frames about what happened before.

use super::encode::put;
use super::manage::{UNKNOWN_REQUEST, Why};
use crate::hub::record::Span;
use crate::hub::{ChannelId, Command, Form, MessageId, Part, Past, PastView, RoomRef};
use crate::wire::frame::{self, Entry, PastEntry};
use crate::wire::header::{Flags, HEADER_LEN, put_with};
use crate::wire::{Frame, Kind, PartCode, PastCode, RefusalCode};

const NO_SUCH_PART: Why = (
    RefusalCode::UnknownRequest,
    "there is no such part of what happened; ask for the latest, or before, after, around or between messages",
);

/// The request id and the command of a frame that asks for what happened before.
///
/// # Errors
/// [`Why`] the frame asks for nothing that there is.
pub(super) fn command<'a>(room: RoomRef<'a>, frame: Frame<'a>) -> Result<(u32, Command<'a>), Why> {
    Ok(match frame {
        Frame::ShowPast(f) => (f.request, Command::ShowPast { room, part: part(&f)? }),
        Frame::Search(f) => {
            let before = (f.before != 0).then_some(MessageId(f.before));
            let room = if f.room.is_empty() { room } else { RoomRef::Named(f.room) };
            (f.request, Command::Search { room, words: f.words, before, limit: f.limit.into() })
        }
        Frame::Retract(f) => (f.request, Command::Retract { room, id: MessageId(f.id), text: f.text }),
        Frame::MarkRead(frame::MarkRead { request, at_millis: 0, conversation }) => {
            (request, Command::ShowReadMark { conversation })
        }
        Frame::MarkRead(frame::MarkRead { request, at_millis, conversation }) => {
            (request, Command::MarkRead { conversation, at_millis })
        }
        _ => return Err(UNKNOWN_REQUEST),
    })
}

fn part(frame: &frame::ShowPast) -> Result<Part, Why> {
    let frame::ShowPast { part, events, limit, id, to, .. } = *frame;
    let (limit, said_only, id, to) = (usize::from(limit), events == 0, MessageId(id), MessageId(to));
    let span = |after, before, newest| Part::Span(Span { after, before, newest, limit, said_only });
    Ok(match PartCode::from_number(part).ok_or(NO_SUCH_PART)? {
        PartCode::Latest => span(None, None, true),
        PartCode::Before => span(None, Some(id), true),
        PartCode::After => span(Some(id), None, false),
        PartCode::Around => Part::Around { id, limit, said_only },
        PartCode::Between if id <= to => span(Some(id), Some(to), false),
        PartCode::Between => span(Some(to), Some(id), true),
    })
}

/// In as many frames as it takes.
pub(super) fn put_past(
    request: u32,
    channel: ChannelId,
    body_max: u16,
    (entries, more): (&[PastView<'_>], bool),
    out: &mut Vec<u8>,
) {
    let mut entries = entries.iter().map(entry_of).peekable();
    loop {
        let start = out.len();
        put_with(out, Kind::Past, Flags::NONE, channel.0, |out| {
            out.extend_from_slice(&request.to_be_bytes());
            out.push(more.into());
            let mut is_first = true;
            while let Some(entry) = entries.peek() {
                let before = out.len();
                entry.encode(out);
                // One entry fits into any frame: the longest text does, and what stands beside it is short.
                if out.len() - start - HEADER_LEN > usize::from(body_max) && !is_first {
                    return out.truncate(before);
                }
                is_first = false;
                entries.next();
            }
        });
        if entries.peek().is_none() {
            return;
        }
        if let Some(flags) = out.get_mut(start + 1) {
            *flags |= Flags::MORE.bits();
        }
    }
}

fn entry_of<'a>(view: &PastView<'a>) -> PastEntry<'a> {
    let what = match view.what {
        Past::Said(Form::Message) => PastCode::Said,
        Past::Said(Form::Notice) => PastCode::Notice,
        Past::Said(Form::Tags) => PastCode::Tags,
        Past::Entered => PastCode::Entered,
        Past::Left => PastCode::Left,
        Past::Quit => PastCode::Quit,
        Past::Kicked => PastCode::Kicked,
        Past::SubjectSet => PastCode::SubjectSet,
        Past::Renamed => PastCode::Renamed,
    };
    let (retracted_by, text) = view.retracted.unwrap_or(("", view.text));
    PastEntry { id: view.id.0, what: what.number(), by: view.by, retracted_by, text }
}

pub(super) fn put_retracted(channel: ChannelId, (id, by): (MessageId, &str), text: &str, out: &mut Vec<u8>) {
    put(out, channel, &frame::Retracted { id: id.0, by, text });
}
