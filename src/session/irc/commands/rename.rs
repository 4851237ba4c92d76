//! RENAME of a channel (IRCv3 draft channel-rename).

use super::{Doing, cut};
use crate::hub::{Command, Refusal, RoomRef};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::features;
use crate::session::irc::refusals::{self, Sentence};
use crate::session::irc::write::Write;

pub fn rename<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let (from, to) = (params.get(0).unwrap_or_default(), params.get(1).unwrap_or_default());
    dialogue.task.begin_with(Doing::RenameRoom, from, to);
    let text = cut(params.get(2).unwrap_or_default(), features::kick_bytes_max(call.world));
    Do::Ask(Command::RenameRoom { room: RoomRef::Named(from), to, text })
}

/// FAIL where the draft has a code, else the numeric.
pub fn refuse(dialogue: &Dialogue, refusal: Refusal, world: &Surroundings, out: &mut Vec<u8>) {
    let (from, to) = (&*dialogue.task.about, &*dialogue.task.whom);
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
