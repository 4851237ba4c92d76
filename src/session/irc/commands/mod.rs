//! What each command asks of the hub, and how the hub's answer is written: a file per family.
//!
//! - `link` PING, PONG, QUIT: about the connection;
//! - `talk` PRIVMSG, NOTICE, TAGMSG;
//! - `rooms` JOIN, PART, NAMES;
//! - `server` LUSERS, MOTD and whatever else is asked about the server itself.

pub mod link;
pub mod rooms;
pub mod server;
pub mod talk;

use super::capabilities::{self, Negotiated};
use super::dialogue::{Call, Dialogue, Do};
use super::registration;
use crate::hub::Reply;
use crate::session::Surroundings;
use crate::wire::irc::Numeric;

/// What the hub was asked for: its answer does not always say.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Doing {
    #[default]
    Nothing,
    Login,
    /// The counts of the welcome.
    Welcome,
    Message,
    /// A message that no program may answer, and so no refusal either.
    Notice,
    Join,
    /// The names that follow a JOIN, or that NAMES asked for.
    Names,
    Part,
    Counts,
}

/// A command that a client may send after the welcome.
struct Row {
    name: &'static str,
    params_min: usize,
    carry_out: for<'a> fn(&mut Dialogue, Call<'a, '_>) -> Do<'a>,
}

const fn row(
    name: &'static str,
    params_min: usize,
    carry_out: for<'a> fn(&mut Dialogue, Call<'a, '_>) -> Do<'a>,
) -> Row {
    Row { name, params_min, carry_out }
}

/// In the order of the alphabet.
const COMMANDS: &[Row] = &[
    row("CAP", 0, cap),
    row("JOIN", 1, rooms::join),
    row("LUSERS", 0, server::lusers),
    row("MOTD", 0, server::motd),
    row("NAMES", 0, rooms::names),
    row("NOTICE", 0, talk::notice),
    row("PART", 1, rooms::part),
    row("PASS", 0, already_registered),
    row("PING", 1, link::ping),
    row("PONG", 0, link::pong),
    row("PRIVMSG", 0, talk::privmsg),
    row("QUIT", 0, link::quit),
    row("TAGMSG", 1, talk::tagmsg),
    row("USER", 0, already_registered),
];

/// Carries out the line, or what is next of it.
pub fn carry_out<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    match dialogue.task.doing {
        Doing::Login if dialogue.is_open() => return registration::welcome(dialogue, call),
        Doing::Welcome => {
            server::put_motd(dialogue, &mut call);
            return Do::Done;
        }
        _ => {}
    }
    if !dialogue.is_open() {
        return registration::carry_out(dialogue, call);
    }
    let command = call.message.command;
    let Some(row) = COMMANDS.iter().find(|row| row.name.eq_ignore_ascii_case(command)) else {
        call.numeric(Numeric::ERR_UNKNOWNCOMMAND, &dialogue.nick).echo(command).trailing("Unknown command");
        return Do::Done;
    };
    if call.message.params.len() < row.params_min {
        return not_enough(dialogue, &mut call, row.name);
    }
    (row.carry_out)(dialogue, call)
}

/// Writes the hub's answer.
pub fn answer(dialogue: &mut Dialogue, reply: &Reply<'_>, world: &Surroundings, out: &mut Vec<u8>) {
    match *reply {
        Reply::LoggedIn { name, .. } => registration::logged_in(dialogue, name),
        Reply::Counts(counts) => server::put_counts(dialogue, counts, world, out),
        Reply::Joined { room, subject, .. } => rooms::joined(dialogue, room, subject, world, out),
        Reply::Left { room, text } => rooms::left(dialogue, room, text, world, out),
        Reply::Occupants { room, entries, hidden, more } => {
            rooms::put_names(dialogue, (room, hidden), entries, more, world, out)
        }
        Reply::Sent { id, to, words, least, away } => {
            talk::sent(dialogue, talk::Sent { id, to, words, least, away }, world, out)
        }
        _ => {}
    }
}

/// 461, and nothing more.
pub fn not_enough<'a>(dialogue: &Dialogue, call: &mut Call<'_, '_>, command: &str) -> Do<'a> {
    let body = call.numeric(Numeric::ERR_NEEDMOREPARAMS, &dialogue.nick).param(command);
    body.trailing("Not enough parameters");
    Do::Done
}

fn already_registered<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    call.numeric(Numeric::ERR_ALREADYREGISTERED, &dialogue.nick).trailing("You may not register again");
    Do::Done
}

fn cap<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    match capabilities::cap(dialogue, &mut call) {
        Negotiated::Changed => Do::NewVariant,
        Negotiated::Open | Negotiated::Ended | Negotiated::Nothing => Do::Done,
    }
}

/// The entry at a place of a list with commas, as `JOIN #a,#b` has it, and whether it is the last of those that count:
/// at most `max`. Empty entries are none.
pub fn entry(list: &str, at: u16, max: usize) -> (Option<&str>, bool) {
    let mut entries = list.split(',').filter(|entry| !entry.is_empty()).take(max).skip(at.into());
    let entry = entries.next();
    (entry, entries.next().is_none())
}
