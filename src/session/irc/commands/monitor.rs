//! MONITOR (IRCv3 monitor): whose coming and going a client wants to hear of. That somebody came or is gone is an event.

use super::{Doing, list_of, not_enough};
use crate::hub::{Command, Entry};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::wire::irc::Numeric;
use std::fmt;

pub fn monitor<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let subcommand = params.get(0).unwrap_or_default();
    let names = || -> Box<[&'a str]> {
        params.get(1).unwrap_or_default().split(',').filter(|name| !name.is_empty()).collect()
    };
    dialogue.task.begin(Doing::Watching, "");
    Do::Ask(match subcommand {
        "+" | "-" if names().is_empty() => return not_enough(dialogue, &mut call),
        "+" => Command::Watch { names: names() },
        "-" => Command::Unwatch { names: names() },
        "C" | "c" => Command::UnwatchAll,
        "S" | "s" => Command::ListWatched,
        "L" | "l" => {
            dialogue.task.begin(Doing::ListWatched, "");
            Command::ListWatched
        }
        _ => {
            call.numeric(Numeric::ERR_UNKNOWNERROR, &dialogue.nick)
                .param("MONITOR")
                .echo(subcommand)
                .trailing("No such subcommand of MONITOR");
            return Do::Done;
        }
    })
}

/// 730 and 731, who is here and who is not, and 734 for those who are too many.
pub fn put_watched(
    dialogue: &Dialogue,
    here: &[Entry<'_>],
    gone: &[&str],
    full: &[&str],
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    list_of(dialogue, Numeric::RPL_MONONLINE, ',', here.iter().map(Online), world, out).end();
    list_of(dialogue, Numeric::RPL_MONOFFLINE, ',', gone.iter(), world, out).end();
    if !full.is_empty() {
        let limit = world.limits.watches_per_user_max;
        dialogue
            .line(Numeric::ERR_MONLISTFULL, world, out)
            .param(limit)
            .echo(Joined(full))
            .trailing("Monitor list is full");
    }
}

/// 732, and 733 behind the last of them.
pub fn put_list_of_watched(
    dialogue: &Dialogue,
    here: &[Entry<'_>],
    gone: &[&str],
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let names = here.iter().map(|entry| entry.person.name.shown()).chain(gone.iter().copied());
    list_of(dialogue, Numeric::RPL_MONLIST, ',', names, world, out).end();
    dialogue.line(Numeric::RPL_ENDOFMONLIST, world, out).trailing("End of MONITOR list");
}

struct Online<'e>(&'e Entry<'e>);

impl fmt::Display for Online<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { person, host, .. } = self.0;
        write!(f, "{}!{}@{host}", person.name, person.username())
    }
}

struct Joined<'a>(&'a [&'a str]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            write!(f, "{}{name}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}
