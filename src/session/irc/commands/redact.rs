//! REDACT (IRCv3 message-redaction): taking back what was said in a room. What was said to somebody alone is not kept, and
//! so not taken back.

use super::past::message_of;
use super::{Doing, unknown};
use crate::hub::{Command, MessageId, Refusal, RoomName, RoomRef};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::events::put_with_words;
use crate::session::irc::refusals::Sentence;
use crate::session::irc::write::{Id, Write};
use crate::wire::irc::Capability;

pub fn redact<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    if !dialogue.capabilities.has(Capability::DraftMessageRedaction) {
        return unknown(dialogue, &mut call);
    }
    let params = call.message.params;
    let (target, message) = (params.get(0).unwrap_or_default(), params.get(1).unwrap_or_default());
    dialogue.task.begin_with(Doing::Redact, target, message);
    if !target.starts_with('#') {
        refuse(dialogue, Refusal::NoSuchRoom, call.world, call.out);
        return Do::Done;
    }
    // What is no number at all is a number that no message has: the room is judged first.
    let id = message_of(message).unwrap_or(MessageId(u64::MAX));
    Do::Ask(Command::Retract { room: RoomRef::Named(target), id, text: params.get(2).unwrap_or_default() })
}

pub fn refuse(dialogue: &Dialogue, refusal: Refusal, world: &Surroundings, out: &mut Vec<u8>) {
    let (code, names_message) = match refusal {
        Refusal::NoSuchRoom | Refusal::NotInRoom => ("INVALID_TARGET", false),
        Refusal::NoSuchMessage | Refusal::NoHistory => ("UNKNOWN_MSGID", true),
        _ => ("REDACT_FORBIDDEN", true),
    };
    let line = Write::to(out).server(world, "FAIL").param("REDACT").param(code).echo(dialogue.task.about());
    let line = if names_message { line.echo(dialogue.task.whom()) } else { line };
    line.trailing(Sentence(refusal));
}

/// The client has taken it back.
pub fn redacted(
    dialogue: &Dialogue,
    room: &RoomName,
    (id, text): (MessageId, &str),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let head = Write::to(out).time(dialogue.variant(), world);
    put_with_words(dialogue.own(head, "REDACT").param(room.shown()).param(Id(id)), text);
}
