//! TOPIC (Modern IRC, "TOPIC message").

use super::Doing;
use crate::hub::{Command, MessageId, RoomName, RoomRef, SubjectView};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::features;
use crate::session::irc::write::Write;
use crate::wire::irc::Numeric;

/// TOPIC: what is longer than a line can carry is cut, as TOPICLEN says.
pub fn topic<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let name = params.get(0).unwrap_or_default();
    dialogue.task.begin(Doing::Topic, name);
    let room = RoomRef::Named(name);
    Do::Ask(match params.get(1) {
        None => Command::ShowSubject { room },
        Some(text) => {
            Command::SetSubject { room, text: super::cut(text, features::topic_bytes_max(call.world)) }
        }
    })
}

/// 331, or 332 and 333.
pub fn put(
    dialogue: &Dialogue,
    room: &RoomName,
    subject: Option<SubjectView<'_>>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let room = room.shown();
    let Some(SubjectView { text, author, at_millis, .. }) = subject else {
        return dialogue.line(Numeric::RPL_NOTOPIC, world, out).param(room).trailing("No topic is set");
    };
    dialogue.line(Numeric::RPL_TOPIC, world, out).param(room).trailing(text);
    let line = dialogue.line(Numeric::RPL_TOPICWHOTIME, world, out).param(room);
    line.param(author).param(at_millis / 1_000).end();
}

/// The client has set it.
pub fn set(
    dialogue: &Dialogue,
    room: &RoomName,
    (id, text): (MessageId, &str),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let head = Write::to(out).time(dialogue.variant(), world).message(dialogue.variant(), id, "");
    dialogue.own(head, "TOPIC").param(room.shown()).trailing(text);
}
