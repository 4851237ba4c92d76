//! What is asked about the server itself. It is alone: a question for another one is refused with 402.

use super::{Doing, bans};
use crate::hub::{Command, Counts, Figure, mask};
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::features;
use crate::session::irc::write::DateTime;
use crate::session::{Surroundings, VERSION};
use crate::wire::irc::Numeric;
use std::fmt;

/// Whether a question is for another server, which has then been told. This one is meant by a mask for its name, or by
/// the name of the client, who is on it.
pub fn is_elsewhere(dialogue: &Dialogue, call: &mut Call<'_, '_>, target: Option<&str>) -> bool {
    let target = target.filter(|target| !target.is_empty() && !is_this(dialogue, target, call.world));
    if let Some(target) = target {
        put_no_such(dialogue, call, target);
    }
    target.is_some()
}

/// Whether this server is meant.
pub fn is_this(dialogue: &Dialogue, target: &str, world: &Surroundings) -> bool {
    mask::matches(target, &world.server.name) || target.eq_ignore_ascii_case(&dialogue.nick)
}

/// 402.
pub fn put_no_such(dialogue: &Dialogue, call: &mut Call<'_, '_>, target: &str) {
    call.numeric(Numeric::ERR_NOSUCHSERVER, &dialogue.nick).echo(target).trailing("No such server");
}

/// LUSERS (Modern IRC): of a mask of servers, as the server that is asked knows them.
pub fn lusers<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    if params.iter().any(|target| is_elsewhere(dialogue, &mut call, Some(target))) {
        return Do::Done;
    }
    dialogue.task.begin(Doing::Counts, "");
    Do::Ask(Command::Count)
}

/// 251 to 255, 265 and 266 (Modern IRC, "LUSERS message").
pub fn put_counts(dialogue: &Dialogue, counts: Counts, world: &Surroundings, out: &mut Vec<u8>) {
    let Counts { users, invisible, operators, rooms, users_most } = counts;
    let visible = users.saturating_sub(invisible);
    dialogue
        .line(Numeric::RPL_LUSERCLIENT, world, out)
        .trailing(format_args!("There are {visible} users and {invisible} invisible on 1 servers"));
    dialogue.line(Numeric::RPL_LUSEROP, world, out).param(operators).trailing("operator(s) online");
    if world.strangers > 0 {
        let line = dialogue.line(Numeric::RPL_LUSERUNKNOWN, world, out).param(world.strangers);
        line.trailing("connections that have not registered");
    }
    if rooms > 0 {
        dialogue.line(Numeric::RPL_LUSERCHANNELS, world, out).param(rooms).trailing("channels formed");
    }
    dialogue
        .line(Numeric::RPL_LUSERME, world, out)
        .trailing(format_args!("I have {users} clients and 0 servers"));
    for (numeric, which) in [(Numeric::RPL_LOCALUSERS, "local"), (Numeric::RPL_GLOBALUSERS, "global")] {
        dialogue
            .line(numeric, world, out)
            .param(users)
            .param(users_most)
            .trailing(format_args!("Current {which} users {users}, max {users_most}"));
    }
}

pub fn motd<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    if is_elsewhere_by(dialogue, &mut call, 0) {
        return Do::Done;
    }
    put_motd(dialogue, &mut call);
    Do::Done
}

/// 375, 372 and 376; 422 where there is none.
pub fn put_motd(dialogue: &Dialogue, call: &mut Call<'_, '_>) {
    let (world, nick) = (call.world, &*dialogue.nick);
    if world.server.motd.is_empty() {
        return call.numeric(Numeric::ERR_NOMOTD, nick).trailing("There is no message of the day");
    }
    let name = &world.server.name;
    call.numeric(Numeric::RPL_MOTDSTART, nick).trailing(format_args!("- {name} Message of the day - "));
    for line in &world.server.motd {
        call.numeric(Numeric::RPL_MOTD, nick).trailing(format_args!("- {line}"));
    }
    call.numeric(Numeric::RPL_ENDOFMOTD, nick).trailing("End of /MOTD command");
}

/// The same for the parameter at this place.
fn is_elsewhere_by(dialogue: &Dialogue, call: &mut Call<'_, '_>, place: usize) -> bool {
    let target = call.message.params.get(place);
    is_elsewhere(dialogue, call, target)
}

/// 351, and what the server supports.
pub fn version<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    if is_elsewhere_by(dialogue, &mut call, 0) {
        return Do::Done;
    }
    let (world, nick) = (call.world, &*dialogue.nick);
    let body = call.numeric(Numeric::RPL_VERSION, nick).param(VERSION).param(&world.server.name);
    body.trailing(&world.server.about);
    features::put(world, nick, call.out);
    Do::Done
}

/// 391: in seconds since 1970, and for people.
pub fn time<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    if !is_elsewhere_by(dialogue, &mut call, 0) {
        let world = call.world;
        call.numeric(Numeric::RPL_TIME, &dialogue.nick)
            .param(&world.server.name)
            .param(world.unix_millis / 1_000)
            .trailing(DateTime(world.unix_millis));
    }
    Do::Done
}

/// 256 to 259, as far as there are lines; 423 where there is none.
pub fn admin<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    if is_elsewhere_by(dialogue, &mut call, 0) {
        return Do::Done;
    }
    let (world, nick) = (call.world, &*dialogue.nick);
    let name = &world.server.name;
    if world.server.admin.is_empty() {
        let body = call.numeric(Numeric::ERR_NOADMININFO, nick).param(name);
        body.trailing("Nobody has said who runs this server");
        return Do::Done;
    }
    call.numeric(Numeric::RPL_ADMINME, nick).param(name).trailing("Who runs this server");
    let numerics = [Numeric::RPL_ADMINLOC1, Numeric::RPL_ADMINLOC2, Numeric::RPL_ADMINEMAIL];
    for (numeric, line) in numerics.into_iter().zip(&world.server.admin) {
        call.numeric(numeric, nick).trailing(line);
    }
    Do::Done
}

/// 371 and 374.
pub fn info<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    if is_elsewhere_by(dialogue, &mut call, 0) {
        return Do::Done;
    }
    let (world, nick) = (call.world, &*dialogue.nick);
    let mut line = |text: fmt::Arguments<'_>| call.numeric(Numeric::RPL_INFO, nick).trailing(text);
    line(format_args!("{}: {}", world.server.name, world.server.about));
    line(format_args!("Running {VERSION}, a chat and relay server"));
    line(format_args!("Started {}", DateTime(world.started_unix_millis)));
    line(format_args!("Clients that speak native frames are in the same rooms"));
    call.numeric(Numeric::RPL_ENDOFINFO, nick).trailing("End of /INFO list");
    Do::Done
}

/// 364 and 365: `LINKS [[server] mask]`, and there is this one. In 364, its name stands for the mask as well, as most
/// servers have it; clients draw a tree of it.
pub fn links<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let (target, wanted) = match (params.get(0), params.get(1)) {
        (target, Some(wanted)) => (target, wanted),
        (wanted, None) => (None, wanted.unwrap_or("*")),
    };
    if is_elsewhere(dialogue, &mut call, target) {
        return Do::Done;
    }
    let (world, nick) = (call.world, &*dialogue.nick);
    let name = &world.server.name;
    if mask::matches(wanted, name) {
        let body = call.numeric(Numeric::RPL_LINKS, nick).param(name).param(name);
        body.trailing(format_args!("0 {}", world.server.about));
    }
    call.numeric(Numeric::RPL_ENDOFLINKS, nick).echo(wanted).trailing("End of /LINKS list");
    Do::Done
}

/// STATS (Modern IRC): `u`, for how long the server has been up; for operators `d`, its bans, and `t`, its figures; of
/// anything else there is only the end.
pub fn stats<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    if is_elsewhere_by(dialogue, &mut call, 1) {
        return Do::Done;
    }
    let query = call.message.params.get(0).unwrap_or_default();
    if matches!(query, "d" | "D") {
        return stats_of_bans(dialogue, call);
    }
    if matches!(query, "t" | "T") && dialogue.task.step == 0 {
        dialogue.task.step = 1;
        dialogue.task.begin(Doing::Figures, "");
        return Do::AskAndGoOn(Command::ShowStatus { after: "" }); // and comes back for the end
    }
    let (world, nick) = (call.world, &*dialogue.nick);
    if query == "u" {
        let up = Uptime(world.unix_millis.saturating_sub(world.started_unix_millis) / 1_000);
        call.numeric(Numeric::RPL_STATSUPTIME, nick).trailing(up);
    }
    call.numeric(Numeric::RPL_ENDOFSTATS, nick).echo(query).trailing("End of /STATS report");
    Do::Done
}

/// 249 for each figure.
pub fn put_figures(dialogue: &Dialogue, figures: &[Figure], world: &Surroundings, out: &mut Vec<u8>) {
    for Figure { name, value } in figures {
        dialogue.line(Numeric::RPL_STATSDEBUG, world, out).param("t").param(name).trailing(value);
    }
}

/// 225 for each, page by page; 481 for who is no operator.
fn stats_of_bans<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let Call { message, world, notes, out } = call;
    match bans::next_page(dialogue, notes) {
        Some(ask) => ask,
        None => {
            let query = message.params.get(0).unwrap_or_default();
            let line = dialogue.line(Numeric::RPL_ENDOFSTATS, world, out);
            line.echo(query).trailing("End of /STATS report");
            Do::Done
        }
    }
}

/// In seconds.
struct Uptime(u64);

impl fmt::Display for Uptime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minutes, seconds) = (self.0 / 60, self.0 % 60);
        let (days, hours) = (minutes / (24 * 60), minutes / 60 % 24);
        write!(f, "Server Up {days} days {hours}:{:02}:{seconds:02}", minutes % 60)
    }
}

/// 445 (RFC 2812 §4.5): nobody is on the server's machine to be called.
pub fn summon<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    call.numeric(Numeric::ERR_SUMMONDISABLED, &dialogue.nick).trailing("SUMMON has been disabled");
    Do::Done
}

/// 446 (RFC 2812 §4.6): nor is it told who is.
pub fn users<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    call.numeric(Numeric::ERR_USERSDISABLED, &dialogue.nick).trailing("USERS has been disabled");
    Do::Done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_days_hours_minutes_and_seconds() {
        assert_eq!(Uptime(0).to_string(), "Server Up 0 days 0:00:00");
        assert_eq!(Uptime(3 * 86_400 + 4 * 3_600 + 5 * 60 + 6).to_string(), "Server Up 3 days 4:05:06");
    }
}
