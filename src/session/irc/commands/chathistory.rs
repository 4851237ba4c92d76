//! CHATHISTORY (IRCv3 chathistory): pages of what happened in a room, by the number of a message or by time. What one
//! says to another is not kept, and its history is empty.

use super::past::{self, message_of};
use super::{Doing, not_enough, unknown};
use crate::hub::record::Span;
use crate::hub::{Command, MessageId, Part, Refusal, RoomName, RoomRef};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::refusals::Sentence;
use crate::session::irc::write::{Time, Write, millis_of};
use crate::wire::irc::Capability;
use std::fmt::Display;

/// Where a page begins or ends.
#[derive(Clone, Copy)]
enum Mark {
    Message(MessageId),
    /// In milliseconds since 1970.
    Time(u64),
}

impl Mark {
    fn of(text: &str) -> Option<Mark> {
        match text.split_once('=')? {
            ("msgid", id) => message_of(id).map(Mark::Message),
            ("timestamp", time) => millis_of(time).map(Mark::Time),
            _ => None,
        }
    }

    /// The number that is later than nothing that is to be left out.
    fn after(self) -> MessageId {
        match self {
            Mark::Message(id) => id,
            // Everything of that millisecond is left out.
            Mark::Time(millis) => MessageId(MessageId::at(millis.saturating_add(1)).0.saturating_sub(1)),
        }
    }

    fn before(self) -> MessageId {
        match self {
            Mark::Message(id) => id,
            Mark::Time(millis) => MessageId::at(millis),
        }
    }
}

pub fn chathistory<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    if !dialogue.capabilities.has(Capability::DraftChathistory) {
        return unknown(dialogue, &mut call);
    }
    let params = call.message.params;
    let subcommand = params.get(0).unwrap_or_default();
    let is_known = ["LATEST", "BEFORE", "AFTER", "AROUND", "BETWEEN", "TARGETS"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(subcommand));
    if !is_known {
        return fail(
            &mut call,
            "INVALID_PARAMS",
            &[subcommand],
            "There is no such subcommand of CHATHISTORY",
        );
    }
    let subcommand = subcommand.to_ascii_uppercase();
    let wanted = 4 + usize::from(subcommand == "BETWEEN");
    if params.len() < wanted {
        dialogue.task.command = "CHATHISTORY";
        return not_enough(dialogue, &mut call);
    }
    let limit =
        params.get(wanted - 1).and_then(|limit| limit.parse::<usize>().ok()).filter(|&limit| limit > 0);
    let Some(limit) = limit else {
        return fail(&mut call, "INVALID_PARAMS", &[&subcommand], "The limit has to be a number above 0");
    };
    let at = |place: usize| params.get(place).and_then(Mark::of);
    if subcommand == "TARGETS" {
        let (Some(from), Some(to)) = (at(1), at(2)) else {
            return fail(&mut call, "INVALID_PARAMS", &[&subcommand], NO_MARK);
        };
        let (from, to) = (from.after().millis(), to.before().millis());
        dialogue.task.begin(Doing::Targets, "");
        let (after_millis, before_millis) = (from.min(to), from.max(to));
        return Do::Ask(Command::ListSpoken { after_millis, before_millis, limit });
    }
    let target = params.get(1).unwrap_or_default();
    let said_only = !dialogue.capabilities.has(Capability::DraftEventPlayback);
    let any = params.get(2) == Some("*");
    let span = |after, before, newest| Part::Span(Span { after, before, newest, limit, said_only });
    let part = match (subcommand.as_str(), at(2), at(3)) {
        ("LATEST", None, _) if any => span(None, None, true),
        ("LATEST", Some(after), _) => span(Some(after.after()), None, true),
        ("BEFORE", Some(before), _) => span(None, Some(before.before()), true),
        ("AFTER", Some(after), _) => span(Some(after.after()), None, false),
        ("AROUND", Some(around), _) => Part::Around { id: around.before(), limit, said_only },
        ("BETWEEN", Some(one), Some(other)) => match one.before() <= other.before() {
            true => span(Some(one.after()), Some(other.before()), false),
            false => span(Some(other.after()), Some(one.before()), true),
        },
        _ => return fail(&mut call, "INVALID_PARAMS", &[&subcommand, target], NO_MARK),
    };
    if !target.starts_with('#') {
        past::begin(dialogue, "chathistory", Some(target), call.world, call.out);
        past::end(dialogue, call.world, call.out);
        return Do::Done;
    }
    dialogue.task.begin_with(Doing::Chathistory, target, &subcommand);
    Do::Ask(Command::ShowPast { room: RoomRef::Named(target), part })
}

const NO_MARK: &str = "Write msgid=ID or timestamp=YYYY-MM-DDThh:mm:ss.sssZ";

fn fail<'a>(call: &mut Call<'_, '_>, code: &str, about: &[&str], text: &str) -> Do<'a> {
    put_failed(code, about, text, call.world, call.out);
    Do::Done
}

fn put_failed(code: &str, about: &[&str], text: impl Display, world: &Surroundings, out: &mut Vec<u8>) {
    let line = Write::to(out).server(world, "FAIL").param("CHATHISTORY").param(code);
    about.iter().fold(line, |line, about| line.echo(about)).trailing(text);
}

/// Of a room whose history is not kept there is none; who may not read it is told so.
pub fn refuse(dialogue: &Dialogue, refusal: Refusal, world: &Surroundings, out: &mut Vec<u8>) {
    let (target, subcommand) = (dialogue.task.about(), dialogue.task.whom());
    match refusal {
        Refusal::NoHistory => {
            past::begin(dialogue, "chathistory", Some(target), world, out);
            past::end(dialogue, world, out);
        }
        Refusal::NotReadable | Refusal::TryLater { .. } => {
            put_failed("MESSAGE_ERROR", &[subcommand, target], Sentence(refusal), world, out)
        }
        _ => put_failed("INVALID_TARGET", &[subcommand, target], Sentence(refusal), world, out),
    }
}

/// TARGETS: rooms, and when something was said there last.
pub fn put_targets(dialogue: &Dialogue, rooms: &[(&RoomName, u64)], world: &Surroundings, out: &mut Vec<u8>) {
    past::begin(dialogue, "draft/chathistory-targets", None, world, out);
    for (room, at) in rooms {
        let line = past::line(dialogue, out).server(world, "CHATHISTORY").param("TARGETS");
        line.param(room.shown()).param(Time(*at)).end();
    }
    past::end(dialogue, world, out);
}
