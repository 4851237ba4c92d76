//! Who somebody is, or was: WHOIS, WHOWAS, ISON and USERHOST.

use super::rooms::Ranks;
use super::{Doing, entry, list_of, no_nickname, not_enough, server, too_many};
use crate::hub::{Command, Entry, Formerly, Look, Marks, Person, Seen};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::features::WHOIS_MAX;
use crate::session::irc::services;
use crate::session::irc::write::DateTime;
use crate::wire::irc::{Capability, LineBody, ListLines, Numeric};
use std::fmt;
use std::net::IpAddr;

/// Names in one USERHOST (RFC 2812 §4.8).
const USERHOST_MAX: usize = 5;

/// Entries in one answer to WHOWAS, however many are wanted.
const WHOWAS_MAX: usize = 32;

/// WHOIS (Modern IRC, "WHOIS message"): of each name in turn. In front of them there may be a server, or a nickname for
/// the server that it is on, as a rule once more the same.
pub fn whois<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let (target, names) = match (params.get(0), params.get(1)) {
        (target, Some(names)) => (target, names),
        (names, None) => (None, names.unwrap_or_default()),
    };
    let target = target.filter(|target| !target.eq_ignore_ascii_case(names));
    let asks_first = target.is_some_and(|target| is_of_others(dialogue, target, call.world));
    match target {
        Some(target) if asks_first && dialogue.task.step == 0 => {
            dialogue.task.step = 1;
            dialogue.task.begin(Doing::WhoisTarget { is_here: false }, target);
            return Do::AskAndGoOn(Command::IsHere { names: Box::new([target]) });
        }
        Some(target) if dialogue.task.doing == (Doing::WhoisTarget { is_here: false }) => {
            server::put_no_such(dialogue, &mut call, target);
            return Do::Done;
        }
        Some(_) if dialogue.task.step == 0 && server::is_elsewhere(dialogue, &mut call, target) => {
            return Do::Done;
        }
        _ => {}
    }
    let at = dialogue.task.step - u16::from(asks_first);
    let (name, is_last) = entry(names, at, WHOIS_MAX);
    let Some(name) = name else { return no_nickname(dialogue, &mut call) };
    if at == 0 {
        too_many(dialogue, &mut call, names, WHOIS_MAX);
    }
    if let Some(service) = services::named(name).filter(|_| is_last && at == 0) {
        services::put_whois(dialogue, service, call.world, call.out);
        return Do::Done;
    }
    dialogue.task.step += 1;
    dialogue.task.begin(Doing::Whois, name);
    let command = Command::Look { name };
    if is_last { Do::Ask(command) } else { Do::AskAndGoOn(command) }
}

/// Whether a server is meant by the nickname of somebody else, who has to be on it: no nickname has a dot.
fn is_of_others(dialogue: &Dialogue, target: &str, world: &Surroundings) -> bool {
    !target.contains('.') && !server::is_this(dialogue, target, world)
}

/// 311 to 338, as far as each is true, and 318.
pub fn put_look(dialogue: &Dialogue, look: &Look<'_>, world: &Surroundings, out: &mut Vec<u8>) {
    let Look { person, host, places, seen, address, real } = *look;
    let (own, name, marks) = (&*dialogue.nick, person.name.shown(), person.marks());
    about(dialogue, Numeric::RPL_WHOISUSER, name, world, out)
        .param(person.username())
        .param(host)
        .param("*")
        .trailing(person.realname());
    let all_ranks = dialogue.capabilities.has(Capability::MultiPrefix);
    let mut rooms = ListLines::new(out, ' ', |head| {
        head.numeric(&world.server.name, Numeric::RPL_WHOISCHANNELS, own).param(name)
    });
    for place in places {
        let ranks = Ranks::of(Some(place.standing), all_ranks);
        rooms.item(format_args!("{ranks}{}", place.room.shown()));
    }
    rooms.end();
    about(dialogue, Numeric::RPL_WHOISSERVER, name, world, out)
        .param(&world.server.name)
        .trailing(&world.server.about);
    if marks.contains(Marks::OPERATOR) {
        about(dialogue, Numeric::RPL_WHOISOPERATOR, name, world, out)
            .trailing("is an operator of this server");
    }
    if let Some(text) = person.away() {
        about(dialogue, Numeric::RPL_AWAY, name, world, out).trailing(text);
    }
    if marks.contains(Marks::BOT) {
        about(dialogue, Numeric::RPL_WHOISBOT, name, world, out).trailing("is a bot");
    }
    if let Some(account) = person.account {
        about(dialogue, Numeric::RPL_WHOISACCOUNT, name, world, out)
            .param(account)
            .trailing("is logged in as");
    }
    if let Some(address) = address {
        about(dialogue, Numeric::RPL_WHOISACTUALLY, name, world, out)
            .param(Param(address))
            .trailing(if name == own { "is where you connect from" } else { "is where they connect from" });
    }
    if let Some(real) = real {
        about(dialogue, Numeric::RPL_WHOISSPECIAL, name, world, out).trailing(Behind(real));
    }
    if let Some(Seen { idle_seconds, since_millis }) = seen {
        about(dialogue, Numeric::RPL_WHOISIDLE, name, world, out)
            .param(idle_seconds)
            .param(since_millis / 1_000)
            .trailing("seconds idle, signon time");
    }
    end_of_whois(dialogue, name, world, out);
}

/// Who is behind a name that a room gave them.
struct Behind<'a>(Person<'a>);

impl fmt::Display for Behind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Person { name, account, .. } = self.0;
        match account {
            Some(account) => write!(f, "is {name}, logged in as {account}"),
            None => write!(f, "is {name}"),
        }
    }
}

/// Begins a line about somebody.
fn about<'o>(
    dialogue: &Dialogue,
    numeric: Numeric,
    name: &str,
    world: &Surroundings,
    out: &'o mut Vec<u8>,
) -> LineBody<'o> {
    dialogue.line(numeric, world, out).param(name)
}

/// 318.
pub fn end_of_whois(dialogue: &Dialogue, name: &str, world: &Surroundings, out: &mut Vec<u8>) {
    dialogue.line(Numeric::RPL_ENDOFWHOIS, world, out).echo(name).trailing("End of /WHOIS list");
}

/// WHOWAS (Modern IRC): the latest first. A count that is not positive is none.
pub fn whowas<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let Some(name) = params.get(0).filter(|name| !name.is_empty()) else {
        return no_nickname(dialogue, &mut call);
    };
    if server::is_elsewhere(dialogue, &mut call, params.get(2)) {
        return Do::Done;
    }
    let count = params.get(1).and_then(|count| count.parse::<usize>().ok()).filter(|&count| count > 0);
    dialogue.task.begin(Doing::Was, name);
    Do::Ask(Command::Was { name, entries_max: count.unwrap_or(WHOWAS_MAX).min(WHOWAS_MAX) })
}

/// 314 and 312 of each, and 369.
pub fn put_was(dialogue: &Dialogue, entries: &[&Formerly], world: &Surroundings, out: &mut Vec<u8>) {
    for formerly in entries {
        let name = formerly.name.shown();
        dialogue
            .line(Numeric::RPL_WHOWASUSER, world, out)
            .param(name)
            .param(&formerly.username)
            .param(formerly.host)
            .param("*")
            .trailing(&formerly.realname);
        dialogue
            .line(Numeric::RPL_WHOISSERVER, world, out)
            .param(name)
            .param(&world.server.name)
            .trailing(DateTime(formerly.until_millis));
    }
    end_of_whowas(dialogue, world, out);
}

/// 369.
pub fn end_of_whowas(dialogue: &Dialogue, world: &Surroundings, out: &mut Vec<u8>) {
    dialogue.line(Numeric::RPL_ENDOFWHOWAS, world, out).echo(dialogue.task.about()).trailing("End of WHOWAS");
}

/// ISON (RFC 2812 §4.9).
pub fn ison<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    ask(dialogue, call, Doing::IsOn, usize::MAX)
}

/// USERHOST (RFC 2812 §4.8).
pub fn userhost<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    ask(dialogue, call, Doing::UserHost, USERHOST_MAX)
}

/// The names may be parameters of their own, or all in one with spaces.
fn ask<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>, doing: Doing, max: usize) -> Do<'a> {
    let params = call.message.params;
    let words = params.iter().flat_map(|param| param.split(' ')).filter(|word| !word.is_empty());
    let names: Box<[&str]> = words.take(max).collect();
    if names.is_empty() {
        return not_enough(dialogue, &mut call);
    }
    dialogue.task.begin(doing, "");
    Do::Ask(Command::IsHere { names })
}

/// 303.
pub fn put_ison(dialogue: &Dialogue, entries: &[Entry<'_>], world: &Surroundings, out: &mut Vec<u8>) {
    let names = entries.iter().map(|entry| entry.person.name.shown());
    list_of(dialogue, Numeric::RPL_ISON, ' ', names, world, out).end_even_empty();
}

/// 302: with `*` behind operators, and with `-` in front of those who are away, else `+`.
pub fn put_userhost(dialogue: &Dialogue, entries: &[Entry<'_>], world: &Surroundings, out: &mut Vec<u8>) {
    list_of(dialogue, Numeric::RPL_USERHOST, ' ', entries.iter().map(UserHost), world, out).end_even_empty();
}

struct UserHost<'e>(&'e Entry<'e>);

impl fmt::Display for UserHost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { person, host, .. } = self.0;
        let star = if person.marks().contains(Marks::OPERATOR) { "*" } else { "" };
        let sign = if person.away().is_some() { '-' } else { '+' };
        write!(f, "{}{star}={sign}{}@{host}", person.name, person.username())
    }
}

/// An address that can stand in a line: no parameter but the last one begins with a colon.
struct Param(IpAddr);

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        write!(f, "{}{text}", if text.starts_with(':') { "0" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_parameter() {
        for (address, written) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::1", "0::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "0::ffff:192.0.2.1"),
        ] {
            assert_eq!(Param(address.parse().expect("an address")).to_string(), written);
        }
    }
}
