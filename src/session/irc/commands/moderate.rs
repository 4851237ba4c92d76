//! KICK and INVITE.

use super::{Doing, cut, entry, not_enough, too_many};
use crate::hub::{Command, RoomName, RoomRef, UserName};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::features::{self, LIST_MAX};
use crate::session::irc::refusals::Obstacle;
use crate::session::irc::write::Write;
use crate::wire::irc::Numeric;

/// KICK: one user after the other, each from the one room, or from the room in the same place of a list
/// (RFC 2812 §3.2.8).
pub fn kick<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let rooms = params.get(0).unwrap_or_default();
    let is_one_room = !rooms.contains(',');
    let is_about_the_room = matches!(dialogue.task.refused, Some(Obstacle::Room | Obstacle::Role));
    if is_one_room && is_about_the_room {
        return Do::Done; // as it would be for the others
    }
    let at = dialogue.task.step;
    let (who, is_last) = entry(params.get(1).unwrap_or_default(), at, LIST_MAX);
    let (room, _) = entry(rooms, if is_one_room { 0 } else { at }, LIST_MAX);
    let (Some(who), Some(room)) = (who, room) else { return Do::Done };
    if at == 0 {
        too_many(dialogue, &mut call, params.get(1).unwrap_or_default(), LIST_MAX);
    }
    dialogue.task.step += 1;
    dialogue.task.begin_with(Doing::Kick, room, who);
    let text = cut(params.get(2).unwrap_or_default(), features::kick_bytes_max(call.world));
    let command = Command::Kick { room: RoomRef::Named(room), who, text };
    if is_last { Do::Ask(command) } else { Do::AskAndGoOn(command) }
}

/// Who says nothing says their own name.
pub fn kicked(
    dialogue: &Dialogue,
    (room, who): (&RoomName, &UserName),
    text: &str,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let text = if text.is_empty() { &*dialogue.nick } else { text };
    let head = Write::to(out).time(dialogue.variant(), world);
    dialogue.own(head, "KICK").param(room.shown()).param(who.shown()).trailing(text);
}

/// INVITE; without parameters, the rooms that one is invited to.
pub fn invite<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    match (params.get(0), params.get(1)) {
        (None, _) => {
            dialogue.task.begin(Doing::Invitations, "");
            Do::Ask(Command::ListInvited)
        }
        (Some(_), None) => not_enough(dialogue, &mut call),
        (Some(who), Some(room)) => {
            dialogue.task.begin_with(Doing::Invite, room, who);
            Do::Ask(Command::Invite { room: RoomRef::Named(room), who })
        }
    }
}

/// 341; and 301, if the other one is away.
pub fn invited(
    dialogue: &Dialogue,
    (room, who): (&RoomName, &UserName),
    away: Option<&str>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let who = who.shown();
    dialogue.line(Numeric::RPL_INVITING, world, out).param(who).param(room.shown()).end();
    if let Some(text) = away {
        dialogue.line(Numeric::RPL_AWAY, world, out).param(who).trailing(text);
    }
}

/// 336 for each, and 337.
pub fn put_invitations(dialogue: &Dialogue, rooms: &[&RoomName], world: &Surroundings, out: &mut Vec<u8>) {
    for room in rooms {
        dialogue.line(Numeric::RPL_INVITELIST, world, out).param(room.shown()).end();
    }
    dialogue.line(Numeric::RPL_ENDOFINVITELIST, world, out).trailing("End of /INVITE list");
}
