//! DLINE, UNDLINE and STATS d: whom the server does not take. No document has them; the names are those of servers in use
//! (ircd-hybrid and its like), where a D-line is for addresses, as these are.

use super::Doing;
use crate::hub::record::BanRecord;
use crate::hub::{Command, Network};
use crate::session::irc::dialogue::{Call, Dialogue, Do, noted};
use crate::session::irc::write::Write;
use crate::session::{Banned, Surroundings};
use crate::wire::irc::Numeric;
use crate::wire::seconds_of;

/// `DLINE [<time>] <address or network> [:<text>]`. A bare number is minutes, as others have it; 0 is no time.
pub fn dline<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let first = params.get(0).unwrap_or_default();
    // What is an address is no time, whatever else it looks like.
    let time = Some(first).filter(|first| Network::parse(first).is_err()).and_then(time_of);
    let (seconds, at) = match time {
        Some(seconds) => (Some(seconds).filter(|&seconds| seconds > 0), 1),
        None => (None, 0),
    };
    let (pattern, text) = (params.get(at).unwrap_or_default(), params.get(at + 1).unwrap_or_default());
    dialogue.task.begin(Doing::Ban, pattern);
    Do::Ask(Command::Ban { pattern, text, seconds })
}

/// In seconds.
fn time_of(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<u64>().ok()?.checked_mul(60);
    }
    seconds_of(text)
}

pub fn undline<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let pattern = call.message.params.get(0).unwrap_or_default();
    dialogue.task.begin(Doing::Ban, pattern);
    Do::Ask(Command::Unban { pattern })
}

/// A NOTICE, for which there is no number.
pub fn banned(dialogue: &Dialogue, ban: &BanRecord, world: &Surroundings, out: &mut Vec<u8>) {
    notice(dialogue, &format!("{} is {}", ban.pattern, Banned::of(&ban.note)), world, out);
}

pub fn unbanned(dialogue: &Dialogue, pattern: &str, world: &Surroundings, out: &mut Vec<u8>) {
    notice(dialogue, &format!("{pattern} is banned no more"), world, out);
}

fn notice(dialogue: &Dialogue, text: &str, world: &Surroundings, out: &mut Vec<u8>) {
    Write::to(out).server(world, "NOTICE").param(&dialogue.nick).trailing(text);
}

/// The next page of the list; `None` behind the last.
pub fn next_page<'a>(dialogue: &mut Dialogue, notes: &'a mut String) -> Option<Do<'a>> {
    let task = &mut dialogue.task;
    let behind = match &mut task.doing {
        Doing::Bans { behind } => behind.take(),
        _ => None,
    };
    if task.step > 0 && behind.is_none() {
        return None;
    }
    task.step = 1;
    task.begin(Doing::Bans { behind: None }, "");
    let [after] = noted(notes, [&behind.unwrap_or_default()]);
    Some(Do::AskAndGoOn(Command::ListBans { after }))
}

/// 225 for each.
pub fn put(
    dialogue: &mut Dialogue,
    entries: &[&BanRecord],
    next: Option<&str>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    for ban in entries {
        // A parameter that begins with a colon is the last one.
        let zero = if ban.pattern.starts_with(':') { "0" } else { "" };
        let pattern = format_args!("{zero}{}", ban.pattern);
        let body = dialogue.line(Numeric::RPL_STATSDLINE, world, out).param("d").param(pattern);
        body.trailing(format_args!("{}, by {}", Banned::of(&ban.note), ban.note.by));
    }
    dialogue.task.doing = Doing::Bans { behind: next.map(str::to_owned) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_minutes_or_has_a_unit() {
        for (text, seconds) in [("90", Some(5_400)), ("0", Some(0)), ("2h", Some(7_200)), ("bob", None)] {
            assert_eq!(time_of(text), seconds, "{text}");
        }
        assert_eq!(time_of("99999999999999999999"), None);
    }
}
