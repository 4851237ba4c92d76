//! NICK, SETNAME and AWAY: what a client says of itself.

use super::{Doing, cut, no_nickname};
use crate::hub::{Command, UserName};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::write::Write;
use crate::wire::irc::{Capability, Numeric};

/// NICK, after the welcome.
pub fn nick<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let Some(name) = call.message.params.get(0).filter(|name| !name.is_empty()) else {
        return no_nickname(dialogue, &mut call);
    };
    dialogue.task.begin(Doing::Nick, name);
    Do::Ask(Command::Rename { name })
}

/// The client is called otherwise from here on; nothing is said where it is not.
pub fn renamed(
    dialogue: &mut Dialogue,
    (from, to): (&UserName, &UserName),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    if from.shown() != to.shown() {
        let head = Write::to(out).time(dialogue.variant(), world);
        dialogue.own(head, "NICK").param(to.shown()).end();
        dialogue.nick = to.shown().into();
    }
}

/// SETNAME (IRCv3 setname). A name that is too long is refused, not cut.
pub fn setname<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let text = call.message.params.get(0).unwrap_or_default();
    if text.is_empty() || text.len() > call.world.limits.realname_bytes_max.into() {
        refuse_realname(call.world, call.out);
        return Do::Done;
    }
    dialogue.task.begin(Doing::SetName, text);
    Do::Ask(Command::SetRealName { text })
}

/// FAIL (IRCv3 standard-replies).
pub fn refuse_realname(world: &Surroundings, out: &mut Vec<u8>) {
    Write::to(out)
        .server(world, "FAIL")
        .param("SETNAME")
        .param("INVALID_REALNAME")
        .trailing(format_args!("A real name has 1 to {} bytes", world.limits.realname_bytes_max));
}

/// The client has the real name that it asked for, and is told so if it knows how.
pub fn realname_set(dialogue: &mut Dialogue, world: &Surroundings, out: &mut Vec<u8>) {
    if dialogue.capabilities.has(Capability::Setname) {
        let head = Write::to(out).time(dialogue.variant(), world);
        dialogue.own(head, "SETNAME").trailing(dialogue.task.about());
    }
}

/// AWAY; without a text, back again.
pub fn away<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let text = call.message.params.get(0).filter(|text| !text.is_empty());
    let text = text.map(|text| cut(text, call.world.limits.away_bytes_max.into()));
    dialogue.task.begin(if text.is_some() { Doing::Away } else { Doing::Back }, "");
    Do::Ask(Command::SetAway { text })
}

/// 305 or 306.
pub fn put_away(dialogue: &Dialogue, is_away: bool, world: &Surroundings, out: &mut Vec<u8>) {
    if is_away {
        dialogue.line(Numeric::RPL_NOWAWAY, world, out).trailing("You have been marked as being away");
    } else {
        dialogue.line(Numeric::RPL_UNAWAY, world, out).trailing("You are no longer marked as being away");
    }
}
