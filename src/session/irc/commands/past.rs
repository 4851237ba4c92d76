//! What happened in a room, as lines: those that told of it then, with the time of then, in a batch (IRCv3 chathistory)
//! for those who know batches.

use crate::hub::{MessageId, Past, PastView, RoomName, Words};
use crate::session::Surroundings;
use crate::session::irc::dialogue::Dialogue;
use crate::session::irc::events::put_with_words;
use crate::session::irc::words::put_words;
use crate::session::irc::write::Write;
use crate::wire::irc::{Capability, LineBody};

/// What the lines of the batch refer to it by. Once at a time is enough, and no answer with a label is called so.
pub const REFERENCE: &str = "h";

/// Begins a batch of this type, about this; its end is [`end`].
pub fn begin(dialogue: &Dialogue, kind: &str, about: Option<&str>, world: &Surroundings, out: &mut Vec<u8>) {
    if dialogue.capabilities.has(Capability::Batch) {
        let line = Write::to(out).server(world, "BATCH").param(format_args!("+{REFERENCE}")).param(kind);
        match about {
            Some(about) => line.param(about).end(),
            None => line.end(),
        }
    }
}

pub fn end(dialogue: &Dialogue, world: &Surroundings, out: &mut Vec<u8>) {
    if dialogue.capabilities.has(Capability::Batch) {
        Write::to(out).server(world, "BATCH").param(format_args!("-{REFERENCE}")).end();
    }
}

/// Begins a line of the batch.
pub fn line<'o>(dialogue: &Dialogue, out: &'o mut Vec<u8>) -> Write<'o> {
    Write::to(out).batch(dialogue.capabilities.has(Capability::Batch).then_some(REFERENCE))
}

/// All of it, in its order. What was retracted nobody is told of again.
pub fn put(
    dialogue: &Dialogue,
    room: &RoomName,
    entries: &[PastView<'_>],
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    begin(dialogue, "chathistory", Some(room.shown()), world, out);
    for entry in entries.iter().filter(|entry| entry.retracted.is_none()) {
        put_one(dialogue, room.shown(), entry, out);
    }
    end(dialogue, world, out);
}

fn put_one(dialogue: &Dialogue, room: &str, entry: &PastView<'_>, out: &mut Vec<u8>) {
    let PastView { what, text, tags, .. } = *entry;
    let form = match what {
        Past::Said(form) => form,
        _ => return put_event(begin_one(dialogue, entry, out, true), room, entry),
    };
    put_words(Words { form, text, tags }, dialogue.variant(), out, |out, is_first, command| {
        begin_one(dialogue, entry, out, is_first)(command).param(room)
    });
}

fn put_event<'o>(begin: impl FnOnce(&str) -> LineBody<'o>, room: &str, entry: &PastView<'_>) {
    let text = entry.text;
    match entry.what {
        Past::Entered => begin("JOIN").param(room).end(),
        Past::Left => put_with_words(begin("PART").param(room), text),
        Past::Quit => put_with_words(begin("QUIT"), text),
        Past::Kicked => {
            let (whom, why) = text.split_once(' ').unwrap_or((text, ""));
            let why = if why.is_empty() { entry.by } else { why };
            begin("KICK").param(room).param(whom).trailing(why);
        }
        Past::SubjectSet => begin("TOPIC").param(room).trailing(text),
        Past::Renamed => begin("NICK").param(text).end(),
        Past::Said(_) => {}
    }
}

/// Begins the line of a command about something that happened. `is_first`: the others are more of the same message.
fn begin_one<'o>(
    dialogue: &Dialogue,
    entry: &PastView<'_>,
    out: &'o mut Vec<u8>,
    is_first: bool,
) -> impl FnOnce(&str) -> LineBody<'o> {
    let variant = dialogue.variant();
    let PastView { id, by, username, host, account, tags, .. } = *entry;
    let mut head = line(dialogue, out).time_of(variant, id.millis()).account(variant, account);
    if is_first {
        head = head.message(variant, id, tags);
    }
    move |command| head.source(by, username, &host, command)
}

/// The number of a message, as a client refers to it.
pub fn message_of(text: &str) -> Option<MessageId> {
    let is_number = !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number.then(|| u64::from_str_radix(text, 16).ok().map(MessageId))?
}
