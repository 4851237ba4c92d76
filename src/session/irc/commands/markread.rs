//! MARKREAD (IRCv3 read-marker): up to when one has read a conversation, for one's other clients.

use super::{Doing, unknown};
use crate::hub::{Command, Refusal};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::refusals::Sentence;
use crate::session::irc::write::{Time, Write, millis_of};
use crate::wire::irc::Capability;
use std::fmt::Display;

pub fn markread<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    if !dialogue.capabilities.has(Capability::DraftReadMarker) {
        return unknown(dialogue, &mut call);
    }
    let params = call.message.params;
    let Some(conversation) = params.get(0).filter(|conversation| !conversation.is_empty()) else {
        put_failed("NEED_MORE_PARAMS", "*", "Which conversation?", call.world, call.out);
        return Do::Done;
    };
    dialogue.task.begin(Doing::MarkRead, conversation);
    match params.get(1) {
        None => Do::Ask(Command::ShowReadMark { conversation }),
        Some(time) => match time.strip_prefix("timestamp=").and_then(millis_of) {
            Some(at_millis) => Do::Ask(Command::MarkRead { conversation, at_millis }),
            None => {
                let text = "Write timestamp=YYYY-MM-DDThh:mm:ss.sssZ";
                put_failed("INVALID_PARAMS", conversation, text, call.world, call.out);
                Do::Done
            }
        },
    }
}

fn put_failed(code: &str, about: &str, text: impl Display, world: &Surroundings, out: &mut Vec<u8>) {
    Write::to(out).server(world, "FAIL").param("MARKREAD").param(code).echo(about).trailing(text);
}

pub fn refuse(dialogue: &Dialogue, refusal: Refusal, world: &Surroundings, out: &mut Vec<u8>) {
    let code = match refusal {
        Refusal::NotReadable | Refusal::NotSaved | Refusal::TryLater { .. } => "INTERNAL_ERROR",
        _ => "INVALID_PARAMS",
    };
    put_failed(code, dialogue.task.about(), Sentence(refusal), world, out);
}

/// What the client asked for, or another of its user's sessions has changed.
pub fn put(
    dialogue: &Dialogue,
    conversation: &str,
    at_millis: Option<u64>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    if !dialogue.capabilities.has(Capability::DraftReadMarker) {
        return;
    }
    let line = Write::to(out).server(world, "MARKREAD").param(conversation);
    match at_millis {
        Some(at) => line.param(format_args!("timestamp={}", Time(at))).end(),
        None => line.param("*").end(),
    }
}
