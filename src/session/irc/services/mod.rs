//! Services: names that nobody has, and by which the server answers those who expect such.
//!
//! What stands behind them are requests like any others. `PRIVMSG NickServ :HELP`, `NICKSERV HELP` and `NS HELP` are the
//! same; the answers are NOTICEs. A NOTICE to them is not answered, as none is (Modern IRC, "NOTICE message").
//!
//! - `nickserv` accounts, in a build that can keep them;
//! - [`chanserv`] rooms, beyond what modes can say.

pub mod chanserv;
#[cfg(feature = "storage")]
pub mod nickserv;

use super::commands::Doing;
use super::dialogue::{Call, Dialogue, Do, noted};
use super::refusals::{Capital, Sentence};
use super::write::Write;
use crate::hub::Refusal;
use crate::session::Surroundings;
use crate::wire::irc::ctcp::Ctcp;
use crate::wire::irc::mask::hostmask;
use crate::wire::irc::{Capability, Numeric};
use std::fmt::Display;

/// A name by which the server answers.
#[derive(Clone, Copy)]
pub struct Service {
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub about: &'static str,
    /// In the order in which HELP has them.
    pub rows: &'static [Row],
}

/// A subcommand.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    /// As [`commands::table`](super::commands::table) has it.
    pub params: &'static str,
    /// With fewer words behind the subcommand, its syntax is told.
    pub words_min: usize,
    pub text: &'static [&'static str],
    pub(super) carry_out: Handler,
}

impl Row {
    const fn new(
        name: &'static str,
        params: &'static str,
        words_min: usize,
        text: &'static [&'static str],
        carry_out: Handler,
    ) -> Row {
        Row { name, params, words_min, text, carry_out }
    }
}

type Handler = for<'a> fn(&mut Dialogue, Heard<'a, '_>) -> Do<'a>;

/// What was said to a service.
pub struct Heard<'a, 'w> {
    pub service: &'static Service,
    pub row: &'static Row,
    /// What stands behind the subcommand, without blanks around it.
    pub rest: &'a str,
    /// The second word of that as a whole mask, as MODE makes it one; empty where it cannot be one.
    pub mask: &'a str,
    /// Where the next page of a list begins; empty for the first.
    pub after: &'a str,
    pub world: &'w Surroundings,
    pub out: &'w mut Vec<u8>,
}

/// All that there are.
pub const SERVICES: &[&Service] = &[
    #[cfg(feature = "storage")]
    &nickserv::NICKSERV,
    &chanserv::CHANSERV,
];

/// What stands between a service's name and the server's.
const USER: &str = "services";

/// The service of a name, which is written in either case.
pub fn named(name: &str) -> Option<&'static Service> {
    SERVICES.iter().copied().find(|service| service.name.eq_ignore_ascii_case(name))
}

/// PRIVMSG to a service.
pub fn told<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>, service: &'static Service) -> Do<'a> {
    let text = call.message.params.get(1).unwrap_or_default();
    if dialogue.task.step == 0 && dialogue.capabilities.has(Capability::EchoMessage) {
        let head = Write::to(call.out).time(dialogue.variant(), call.world);
        dialogue.own(head, "PRIVMSG").param(service.name).trailing(text);
    }
    if Ctcp::of(text).is_some() {
        return Do::Done; // there is no program to be asked
    }
    carry_out(dialogue, service, text, call)
}

/// A command that is the service's: everything behind it is what it is told.
pub fn said<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>, service: &'static Service) -> Do<'a> {
    let words: Vec<&str> = call.message.params.iter().collect();
    carry_out(dialogue, service, &words.join(" "), call)
}

fn carry_out<'a>(
    dialogue: &mut Dialogue,
    service: &'static Service,
    text: &str,
    call: Call<'a, '_>,
) -> Do<'a> {
    let Call { notes, world, out, .. } = call;
    let after = match &mut dialogue.task.doing {
        Doing::ChanServ { behind } if dialogue.task.step > 0 => match behind.take() {
            Some(after) => after,
            None => return Do::Done,
        },
        _ => String::new(),
    };
    let (subcommand, rest) = word(text);
    if subcommand.is_empty() || subcommand.eq_ignore_ascii_case("HELP") {
        put_help(dialogue, service, rest, world, out);
        return Do::Done;
    }
    let Some(row) = row_of(service, subcommand) else {
        let name = service.name;
        put(
            dialogue,
            service,
            format_args!("There is no {subcommand}. What there is: /msg {name} HELP"),
            world,
            out,
        );
        return Do::Done;
    };
    if rest.split(' ').filter(|word| !word.is_empty()).count() < row.words_min {
        put_syntax(dialogue, service, row, world, out);
        return Do::Done;
    }
    let (second, _) = word(word(rest).1);
    let mask = hostmask(second, world.limits.mask_bytes_max.into()).unwrap_or_default();
    let [rest, mask, after] = noted(notes, [rest, &mask, &after]);
    (row.carry_out)(dialogue, Heard { service, row, rest, mask, after, world, out })
}

fn row_of(service: &Service, subcommand: &str) -> Option<&'static Row> {
    service.rows.iter().find(|row| row.name.eq_ignore_ascii_case(subcommand))
}

/// The first word, and what stands behind it.
pub fn word(text: &str) -> (&str, &str) {
    let text = text.trim_matches(' ');
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start_matches(' '))
}

/// One line of an answer.
pub fn put(
    dialogue: &Dialogue,
    service: &Service,
    text: impl Display,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let head = Write::to(out).time(dialogue.variant(), world);
    let line = head.source(service.name, USER, &world.server.name, "NOTICE");
    line.param(&dialogue.nick).trailing(text);
}

/// How a subcommand is written.
pub fn put_syntax(
    dialogue: &Dialogue,
    service: &Service,
    row: &Row,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let Row { name, params, .. } = row;
    put(dialogue, service, format_args!("It is written {name} {params}"), world, out);
}

/// Why the hub does not do it.
pub fn refuse(
    dialogue: &Dialogue,
    service: &Service,
    refusal: Refusal,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    put(dialogue, service, Capital(Sentence(refusal)), world, out);
}

fn put_help(dialogue: &Dialogue, service: &Service, subject: &str, world: &Surroundings, out: &mut Vec<u8>) {
    let (subject, _) = word(subject);
    if let Some(Row { name, params, text, .. }) = row_of(service, subject) {
        put(dialogue, service, format_args!("{name} {params}"), world, out);
        text.iter().for_each(|line| put(dialogue, service, line, world, out));
        return;
    }
    put(dialogue, service, service.about, world, out);
    for Row { name, params, .. } in service.rows {
        put(dialogue, service, format_args!("  {name} {params}"), world, out);
    }
    put(dialogue, service, "HELP <one of these> tells more of it.", world, out);
}

/// WHOIS of a service: 311, 312 and 318.
pub fn put_whois(dialogue: &Dialogue, service: &Service, world: &Surroundings, out: &mut Vec<u8>) {
    let (name, server) = (service.name, &world.server.name);
    let line = dialogue.line(Numeric::RPL_WHOISUSER, world, out).param(name);
    line.param(USER).param(server).param("*").trailing(service.about);
    let line = dialogue.line(Numeric::RPL_WHOISSERVER, world, out).param(name).param(server);
    line.trailing(&world.server.about);
    super::commands::whois::end_of_whois(dialogue, name, world, out);
}

/// What a reply to `doing` is said by, if it is a service.
pub fn of(doing: &Doing) -> Option<&'static Service> {
    match doing {
        #[cfg(feature = "storage")]
        Doing::NickServ => Some(&nickserv::NICKSERV),
        Doing::ChanServ { .. } => Some(&chanserv::CHANSERV),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::name;

    #[test]
    fn nobody_else_can_have_the_name_of_a_service() {
        for service in SERVICES {
            assert!(name::SERVICES.contains(&service.name), "{}", service.name);
            assert!(named(&service.name.to_uppercase()).is_some());
        }
    }

    #[test]
    fn every_line_of_help_has_room_and_every_subcommand_is_there_once() {
        for service in SERVICES {
            for (at, row) in service.rows.iter().enumerate() {
                assert!(
                    row.text.iter().all(|line| line.len() < 300 && !line.is_empty()) && !row.text.is_empty()
                );
                assert!(service.rows[..at].iter().all(|other| other.name != row.name), "{}", row.name);
            }
        }
    }

    #[test]
    fn words_and_what_is_behind_them() {
        assert_eq!(word("  IDENTIFY  ann  se same "), ("IDENTIFY", "ann  se same"));
        assert_eq!(word("HELP"), ("HELP", ""));
        assert_eq!(word(""), ("", ""));
    }
}
