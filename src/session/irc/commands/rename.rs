//! RENAME of a channel (IRCv3 draft channel-rename).

use super::{Doing, cut, rooms};
use crate::hub::{Command, Host, Person, Refusal, RoomName, RoomRef, SubjectView};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::features;
use crate::session::irc::refusals::{self, Sentence};
use crate::session::irc::write::Write;
use crate::wire::irc::Capability;

pub fn rename<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let (from, to) = (params.get(0).unwrap_or_default(), params.get(1).unwrap_or_default());
    dialogue.task.begin_with(Doing::RenameRoom, from, to);
    let text = cut(params.get(2).unwrap_or_default(), features::kick_bytes_max(call.world));
    Do::Ask(Command::RenameRoom { room: RoomRef::Named(from), to, text })
}

/// A room that has another name.
pub struct Renamed<'a> {
    pub from: &'a RoomName,
    pub to: &'a RoomName,
    pub subject: Option<SubjectView<'a>>,
    pub text: &'a str,
}

/// RENAME, for those who know it. For others it is as if they left one room and entered another, whose names they are told
/// a moment later.
pub fn renamed(
    dialogue: &mut Dialogue,
    (by, host): (Person<'_>, Host),
    who: Person<'_>,
    renamed: &Renamed<'_>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let Renamed { from, to, subject, text } = *renamed;
    let head = Write::to(out).time(dialogue.variant(), world);
    if dialogue.capabilities.has(Capability::DraftChannelRename) {
        let line = head.source(by.name.shown(), by.username(), &host, "RENAME");
        return line.param(from.shown()).param(to.shown()).trailing(text);
    }
    let colon = if text.is_empty() { "" } else { ": " };
    let line = dialogue.own(head, "PART").param(from.shown());
    line.trailing(format_args!("The channel is called {to} now{colon}{text}"));
    rooms::put_joined(dialogue, (who, None), to, subject, world, out);
    dialogue.owe_names(to.shown());
}

/// FAIL where the draft has a code, else the numeric.
pub fn refuse(dialogue: &Dialogue, refusal: Refusal, world: &Surroundings, out: &mut Vec<u8>) {
    let (from, to) = (dialogue.task.about(), dialogue.task.whom());
    let code = match refusal {
        Refusal::RoomExists => "CHANNEL_NAME_IN_USE",
        Refusal::BadRoomName(_) | Refusal::NotSaved | Refusal::BadText(_) | Refusal::TextTooLong { .. } => {
            "CANNOT_RENAME"
        }
        _ => return refusals::put_about(dialogue, refusal, (from, to), world, out),
    };
    let line = Write::to(out).server(world, "FAIL").param("RENAME").param(code);
    line.param(cut(from, NAME_BYTES_MAX)).echo(to).trailing(Sentence(refusal));
}

/// What is shown of a name beside another.
const NAME_BYTES_MAX: usize = 64;
