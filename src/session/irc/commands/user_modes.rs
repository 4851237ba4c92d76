//! MODE, of users (Modern IRC, "MODE message").

use super::Doing;
use crate::hub::{Command, Marks, Refusal, name};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::letters::{self, USER_MODES};
use crate::session::irc::refusals;
use crate::session::irc::write::Write;
use crate::wire::irc::{ModeChange, ModeChanges, ModeError, Numeric};

/// One's own modes; of others, nobody sees or sets any.
pub fn of_user<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>, target: &'a str) -> Do<'a> {
    if name::fold(target) != name::fold(&dialogue.nick) {
        dialogue.task.begin(Doing::ModesOfOthers, target);
        return Do::Ask(Command::IsHere { names: Box::new([target]) });
    }
    let params = call.message.params;
    let given = params.rest_from(1);
    let (mut set, mut clear, mut unknown) = (Marks::NONE, Marks::NONE, String::new());
    for change in ModeChanges::new(USER_MODES, given, 0) {
        let ModeChange { adding, letter, .. } = match change {
            Ok(change) => change,
            Err(ModeError::Unknown(letter) | ModeError::ParamMissing { letter, .. }) => {
                unknown.push(letter);
                continue;
            }
        };
        let Some(mark) = letters::mark_of(letter) else { continue };
        // What was said last holds.
        (set, clear) = match adding {
            true => (set.with(mark), clear.without(mark)),
            false => (set.without(mark), clear.with(mark)),
        };
    }
    if !unknown.is_empty() {
        let what = if unknown.chars().nth(1).is_some() { "are no user modes" } else { "is no user mode" };
        let line = dialogue.line(Numeric::ERR_UMODEUNKNOWNFLAG, call.world, call.out);
        line.trailing(format_args!("There {what} {unknown}"));
    }
    dialogue.task.begin(if given.is_empty() { Doing::OwnModes } else { Doing::SetOwnModes }, "");
    Do::Ask(Command::SetMarks { set, clear })
}

/// 401 or 502.
pub fn of_others(dialogue: &Dialogue, is_here: bool, world: &Surroundings, out: &mut Vec<u8>) {
    if is_here {
        let line = dialogue.line(Numeric::ERR_USERSDONTMATCH, world, out);
        line.trailing("You can see and change only your own modes");
    } else {
        refusals::put_about(dialogue, Refusal::NoSuchPeer, ("", dialogue.task.about()), world, out);
    }
}

/// 221, or those of one's modes that have changed.
pub fn put_own(dialogue: &Dialogue, now: Marks, before: Marks, world: &Surroundings, out: &mut Vec<u8>) {
    if dialogue.task.doing == Doing::OwnModes {
        let mut letters = letters::of_marks(now);
        letters.extend(dialogue.account().is_some().then_some(letters::REGISTERED));
        return dialogue.line(Numeric::RPL_UMODEIS, world, out).param(format_args!("+{letters}")).end();
    }
    put_changed(dialogue, now, before, world, out);
}

/// MODE with that one is logged in, or is not any more.
#[cfg(feature = "storage")]
pub fn put_registered(dialogue: &Dialogue, world: &Surroundings, out: &mut Vec<u8>) {
    let sign = if dialogue.account().is_some() { '+' } else { '-' };
    let head = Write::to(out).time(dialogue.variant(), world);
    let letter = letters::REGISTERED;
    dialogue.own(head, "MODE").param(&dialogue.nick).trailing(format_args!("{sign}{letter}"));
}

/// MODE with those that have changed, if any.
pub fn put_changed(dialogue: &Dialogue, now: Marks, before: Marks, world: &Surroundings, out: &mut Vec<u8>) {
    let mut letters = String::new();
    for (sign, changed) in [('+', now.without(before)), ('-', before.without(now))] {
        if !changed.is_empty() {
            letters.push(sign);
            letters.push_str(&letters::of_marks(changed));
        }
    }
    if !letters.is_empty() {
        let head = Write::to(out).time(dialogue.variant(), world);
        dialogue.own(head, "MODE").param(&dialogue.nick).trailing(letters);
    }
}
