//! OPER, and what only operators of the server may do: KILL, REHASH, WALLOPS.

use super::{Doing, user_modes};
use crate::hub::{Command, Marks, Refusal};
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::refusals;
use crate::session::{Credential, Surroundings, Verdict};
use crate::wire::irc::Numeric;
use std::fmt::Display;

/// OPER (Modern IRC): the password is checked elsewhere, and the line comes again with what was found out. Whether there
/// is such an operator is not told, nor whether one may be it from there: both are a wrong password.
pub fn oper<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    match dialogue.take_verdict() {
        None => {
            let (name, password) = (params.get(0).unwrap_or_default(), params.get(1).unwrap_or_default());
            Do::Verify { credential: Credential::Operator { name }, password }
        }
        Some(Verdict::Right) => {
            dialogue.task.begin(Doing::Oper, "");
            Do::Ask(Command::BecomeOperator)
        }
        Some(Verdict::Wrong) => {
            call.numeric(Numeric::ERR_PASSWDMISMATCH, &dialogue.nick)
                .trailing("Wrong name or password, or not from your address");
            Do::Done
        }
        Some(Verdict::NotYet { wait }) => try_again(
            dialogue,
            &mut call,
            format_args!("A wrong password came from your address; try again in {:.1} s", wait.as_secs_f64()),
        ),
        Some(Verdict::Unknown) => {
            try_again(dialogue, &mut call, "The password cannot be checked at this time; try again later")
        }
    }
}

/// 263, and nothing more.
fn try_again<'a>(dialogue: &Dialogue, call: &mut Call<'_, '_>, why: impl Display) -> Do<'a> {
    call.numeric(Numeric::RPL_TRYAGAIN, &dialogue.nick).param("OPER").trailing(why);
    Do::Done
}

/// 381, and the mode that comes with it.
pub fn risen(dialogue: &Dialogue, now: Marks, before: Marks, world: &Surroundings, out: &mut Vec<u8>) {
    dialogue.line(Numeric::RPL_YOUREOPER, world, out).trailing("You are now an IRC operator");
    user_modes::put_own(dialogue, now, before, world, out);
}

/// KILL (Modern IRC); who is killed is told by KILL and ERROR.
pub fn kill<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let (name, text) = (params.get(0).unwrap_or_default(), params.get(1).unwrap_or_default());
    dialogue.task.begin(Doing::Kill, name);
    Do::Ask(Command::Kill { name, text })
}

/// REHASH (Modern IRC): for those whose marks say that they are operators.
pub fn rehash<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let task = &mut dialogue.task;
    if task.step == 0 {
        task.step = 1;
        task.begin(Doing::Rehash { is_operator: false }, "");
        return Do::AskAndGoOn(Command::SetMarks { set: Marks::NONE, clear: Marks::NONE });
    }
    if task.doing != (Doing::Rehash { is_operator: true }) {
        refusals::put(dialogue, Refusal::NotOperator, call.world, call.out);
        return Do::Done;
    }
    // Which file that is, is nobody's business.
    call.numeric(Numeric::RPL_REHASHING, &dialogue.nick).param("config").trailing("Rehashing");
    Do::Reload
}

/// WALLOPS (Modern IRC).
pub fn wallops<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    dialogue.task.begin(Doing::Wallops, "");
    Do::Ask(Command::Announce { text: call.message.params.get(0).unwrap_or_default(), to_all: false })
}
