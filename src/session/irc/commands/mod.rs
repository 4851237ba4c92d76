//! What each command asks of the hub, and how the hub's answer is written: a file per family.
//!
//! - `link` PING, PONG, QUIT: about the connection;
//! - `talk` PRIVMSG, NOTICE, TAGMSG;
//! - `rooms` JOIN, PART, NAMES;
//! - `modes` and `user_modes` MODE;
//! - `topic` TOPIC;
//! - `moderate` KICK, INVITE;
//! - `list` LIST;
//! - `chathistory` CHATHISTORY, `redact` REDACT, `markread` MARKREAD: what was said before; `past` how it is written;
//! - `knock` KNOCK; `rename` RENAME;
//! - `oneself` NICK, SETNAME, AWAY;
//! - `who` WHO; `whois` WHOIS, WHOWAS, ISON, USERHOST; `monitor` MONITOR: about others;
//! - `server` LUSERS, MOTD and whatever else is asked about the server itself; `help` HELP;
//! - `operators` OPER, and what only operators may do; `bans` DLINE, UNDLINE, and what STATS shows of them;
//! - `authenticate` AUTHENTICATE; `account` REGISTER, VERIFY: logging in to accounts, and making them;
//! - [`table`] all of them.

#[cfg(feature = "storage")]
pub mod account;
#[cfg(feature = "storage")]
pub mod authenticate;
pub mod bans;
pub mod chathistory;
pub mod help;
pub mod knock;
pub mod link;
pub mod list;
pub mod markread;
pub mod moderate;
pub mod modes;
pub mod monitor;
pub mod oneself;
pub mod operators;
pub mod past;
pub mod redact;
pub mod rename;
pub mod rooms;
pub mod server;
pub mod table;
pub mod talk;
pub mod topic;
pub mod user_modes;
pub mod who;
pub mod whois;

use super::capabilities::{self, Negotiated};
use super::dialogue::{Call, Dialogue, Do};
use super::registration;
use super::services::{self, chanserv};
use crate::hub::{Marks, Reply};
use crate::session::Surroundings;
use crate::wire::cut;
use crate::wire::irc::{LineBody, LineHead, ListLines, Numeric};
use std::fmt::Display;

/// What the hub was asked for: its answer does not always say.
#[derive(PartialEq, Eq, Default, Debug)]
pub enum Doing {
    #[default]
    Nothing,
    /// Could the client have that nickname?
    CheckNick,
    Login,
    /// The counts of the welcome.
    Welcome,
    Message,
    /// A message that no program may answer, and so no refusal either.
    Notice,
    Join,
    /// The names that follow a JOIN, or that NAMES asked for. `behind`, here and below: where the next page begins;
    /// `None` behind the last.
    Names {
        behind: Option<String>,
    },
    Part,
    Counts,
    Who {
        wanted: who::Wanted,
        behind: Option<String>,
    },
    /// Is somebody here whose server is asked?
    WhoisTarget {
        is_here: bool,
    },
    Whois,
    Was,
    IsOn,
    UserHost,
    /// Whom the client watches, as far as the line is about it.
    Watching,
    /// All whom it watches.
    ListWatched,
    Oper,
    /// Logging in to an account by AUTHENTICATE.
    #[cfg(feature = "storage")]
    Authenticate,
    /// Making one by REGISTER.
    #[cfg(feature = "storage")]
    Register,
    /// What NickServ was told.
    #[cfg(feature = "storage")]
    NickServ,
    /// Is the client an operator, who may do that?
    Rehash {
        is_operator: bool,
    },
    Kill,
    /// Of an address, or its end.
    Ban,
    /// What the server counts.
    Figures,
    /// The bans of the server.
    Bans {
        behind: Option<String>,
    },
    Wallops,
    Topic,
    Kick,
    Invite,
    Invitations,
    List {
        behind: Option<String>,
    },
    Nick,
    SetName,
    Away,
    /// Not away any more.
    Back,
    /// Changes of a room's modes.
    Modes,
    /// What a room's modes are.
    Settings,
    /// What ChanServ was told.
    ChanServ {
        behind: Option<String>,
    },
    /// A wish to be let into a room.
    Knock,
    RenameRoom,
    /// One of a room's lists, from this entry on; the next page begins with `next`.
    Masks {
        from: usize,
        next: Option<usize>,
    },
    /// Up to when the client has read a room that it has just entered; its names come then.
    MarkOnJoin,
    MarkRead,
    /// A page of history; `whom` of the task is the subcommand.
    Chathistory,
    Targets,
    /// `whom` of the task is the message.
    Redact,
    /// What one's own modes are.
    OwnModes,
    SetOwnModes,
    ModesOfOthers,
}

/// Carries out the line, or what is next of it.
pub fn carry_out<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    match dialogue.task.doing {
        Doing::Login if dialogue.is_open() => return registration::welcome(dialogue),
        Doing::Welcome => {
            server::put_motd(dialogue, &mut call);
            #[cfg(feature = "storage")]
            if dialogue.account().is_some() {
                user_modes::put_registered(dialogue, call.world, call.out);
            }
            return Do::Done;
        }
        _ => {}
    }
    if !dialogue.is_open() {
        return registration::carry_out(dialogue, call);
    }
    let command = call.message.command;
    let Some(row) = table::named(command) else {
        return unknown(dialogue, &mut call);
    };
    dialogue.task.command = row.name;
    if call.message.params.len() < row.params_min {
        return not_enough(dialogue, &mut call);
    }
    (row.carry_out)(dialogue, call)
}

/// Writes the hub's answer.
pub fn answer(dialogue: &mut Dialogue, reply: &Reply<'_>, world: &Surroundings, out: &mut Vec<u8>) {
    if let Doing::Who { wanted, .. } = dialogue.task.doing {
        return who::answer(dialogue, wanted, reply, world, out);
    }
    if let Doing::ChanServ { .. } = dialogue.task.doing
        && chanserv::answer(dialogue, reply, world, out)
    {
        return;
    }
    match *reply {
        Reply::LoggedIn { name, .. } => registration::logged_in(dialogue, name, world, out),
        Reply::Counts(counts) => server::put_counts(dialogue, counts, world, out),
        Reply::Sent { id, to, words, least, away } => {
            talk::sent(dialogue, talk::Sent { id, to, words, least, away }, world, out)
        }
        Reply::Renamed { from, to } => oneself::renamed(dialogue, (from, to), world, out),
        Reply::Look(ref look) => whois::put_look(dialogue, look, world, out),
        Reply::Was { entries } => whois::put_was(dialogue, entries, world, out),
        Reply::Here { entries } => match &mut dialogue.task.doing {
            Doing::WhoisTarget { is_here } => *is_here = !entries.is_empty(),
            Doing::IsOn => whois::put_ison(dialogue, entries, world, out),
            Doing::UserHost => whois::put_userhost(dialogue, entries, world, out),
            Doing::ModesOfOthers => user_modes::of_others(dialogue, !entries.is_empty(), world, out),
            _ => {}
        },
        Reply::Watched { here, gone, full } => match dialogue.task.doing {
            Doing::ListWatched => monitor::put_list_of_watched(dialogue, here, gone, world, out),
            _ => monitor::put_watched(dialogue, here, gone, full, world, out),
        },
        Reply::Marks { now, before } => {
            dialogue.marks = now;
            match &mut dialogue.task.doing {
                Doing::Rehash { is_operator } => *is_operator = now.contains(Marks::OPERATOR),
                Doing::Oper => operators::risen(dialogue, now, before, world, out),
                _ => user_modes::put_own(dialogue, now, before, world, out),
            }
        }
        #[cfg(feature = "storage")]
        Reply::Account { name, change } => account::changed(dialogue, (name, change), world, out),
        #[cfg(feature = "storage")]
        Reply::ScramKeys { keys, nonce } => authenticate::challenge(dialogue, (keys, nonce), world, out),
        #[cfg(feature = "storage")]
        Reply::KnownAccount { name, made_millis } => {
            services::nickserv::put_account(dialogue, (name, made_millis), world, out)
        }
        Reply::Done => done(dialogue, world, out),
        _ => answer_about_room(dialogue, reply, world, out),
    }
}

fn answer_about_room(dialogue: &mut Dialogue, reply: &Reply<'_>, world: &Surroundings, out: &mut Vec<u8>) {
    match *reply {
        Reply::Joined { who, known_as, room, subject, flags, made, .. } => {
            rooms::joined(dialogue, (who, known_as), room, subject, world, out);
            rooms::warn(dialogue, room, (flags, made), world, out);
        }
        Reply::Left { room, text } => rooms::left(dialogue, room, text, world, out),
        Reply::Occupants { room, entries, hidden, next } => {
            rooms::put_names(dialogue, (room, hidden), entries, next, world, out)
        }
        Reply::Subject { room, subject } => topic::put(dialogue, room, subject, world, out),
        Reply::SubjectSet { room, text, id } => topic::set(dialogue, room, (id, text), world, out),
        Reply::Kicked { room, who, text } => moderate::kicked(dialogue, (room, who), text, world, out),
        Reply::Invited { room, who, away } => moderate::invited(dialogue, (room, who), away, world, out),
        Reply::Invitations { rooms } => moderate::put_invitations(dialogue, rooms, world, out),
        Reply::RoomRenamed { who: Some(who), from, to, subject, text } if from.shown() != to.shown() => {
            let host = dialogue.host;
            let renamed = rename::Renamed { from, to, subject, text };
            rename::renamed(dialogue, (who, host), who, &renamed, world, out)
        }
        Reply::Wished { room, .. } => knock::delivered(dialogue, room, world, out),
        // Who enters is not shown a batch of nothing.
        Reply::Past { room, entries, .. }
            if dialogue.task.doing == Doing::Chathistory || !entries.is_empty() =>
        {
            past::put(dialogue, room, entries, world, out)
        }
        Reply::Retracted { room, id, text } => redact::redacted(dialogue, room, (id, text), world, out),
        Reply::Spoken { rooms } => chathistory::put_targets(dialogue, rooms, world, out),
        Reply::ReadMark { conversation, at_millis } => {
            markread::put(dialogue, conversation, at_millis, world, out);
            rooms::go_on_with_names(dialogue);
        }
        Reply::Rooms { rooms, next } => list::put(dialogue, rooms, next, world, out),
        Reply::Banned { ban } => bans::banned(dialogue, ban, world, out),
        Reply::Unbanned { pattern } => bans::unbanned(dialogue, pattern, world, out),
        Reply::Status { figures } => server::put_figures(dialogue, figures, world, out),
        Reply::Bans { entries, next } => bans::put(dialogue, entries, next, world, out),
        Reply::Changed { room, asked, changes, refused } => {
            modes::changed(dialogue, room, [asked, changes], refused, world, out)
        }
        Reply::Settings { room, flags, occupants_max, password, made_millis } => {
            let settings = modes::Settings { flags, occupants_max, password, made_millis };
            modes::put_settings(dialogue, room, &settings, world, out)
        }
        Reply::Masks { room, list, entries, more } => {
            modes::put_masks(dialogue, room, (list, more), entries, world, out)
        }
        _ => {}
    }
}

/// Carried out, and the hub says nothing more about it.
fn done(dialogue: &mut Dialogue, world: &Surroundings, out: &mut Vec<u8>) {
    match dialogue.task.doing {
        Doing::SetName => oneself::realname_set(dialogue, world, out),
        Doing::Away => oneself::put_away(dialogue, true, world, out),
        #[cfg(feature = "storage")]
        Doing::Authenticate => authenticate::sign(dialogue, world, out),
        Doing::Back => oneself::put_away(dialogue, false, world, out),
        _ => {}
    }
}

/// 421, and nothing more.
pub fn unknown<'a>(dialogue: &Dialogue, call: &mut Call<'_, '_>) -> Do<'a> {
    let command = call.message.command;
    call.numeric(Numeric::ERR_UNKNOWNCOMMAND, &dialogue.nick).echo(command).trailing("Unknown command");
    Do::Done
}

/// 431, and nothing more.
pub fn no_nickname<'a>(dialogue: &Dialogue, call: &mut Call<'_, '_>) -> Do<'a> {
    call.numeric(Numeric::ERR_NONICKNAMEGIVEN, &dialogue.nick).trailing("Which nickname?");
    Do::Done
}

/// 461, and nothing more.
pub fn not_enough<'a>(dialogue: &Dialogue, call: &mut Call<'_, '_>) -> Do<'a> {
    let body = call.numeric(Numeric::ERR_NEEDMOREPARAMS, &dialogue.nick).param(dialogue.task.command);
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

/// A list as a reply of as many lines as it takes, of which the last is still to be ended.
pub fn list_of<'o>(
    dialogue: &'o Dialogue,
    numeric: Numeric,
    separator: char,
    items: impl Iterator<Item = impl Display>,
    world: &'o Surroundings,
    out: &'o mut Vec<u8>,
) -> ListLines<'o, impl for<'l> FnMut(LineHead<'l>) -> LineBody<'l>> {
    let (server, nick) = (world.server.name.as_str(), &*dialogue.nick);
    let mut list = ListLines::new(out, separator, move |head| head.numeric(server, numeric, nick));
    items.for_each(|item| list.item(item));
    list
}

/// 407 with the first of those in a list that are more than the command takes; the others are done.
pub fn too_many(dialogue: &Dialogue, call: &mut Call<'_, '_>, list: &str, max: usize) {
    if let Some(over) = list.split(',').filter(|entry| !entry.is_empty()).nth(max) {
        let body = call.numeric(Numeric::ERR_TOOMANYTARGETS, &dialogue.nick).echo(over);
        body.trailing(format_args!("Too many targets: nothing is done from this one on, the limit is {max}"));
    }
}

/// The entry at a place of a list with commas, as `JOIN #a,#b` has it, and whether it is the last of those that count:
/// at most `max`. Empty entries are none.
pub fn entry(list: &str, at: u16, max: usize) -> (Option<&str>, bool) {
    let mut entries = list.split(',').filter(|entry| !entry.is_empty()).take(max).skip(at.into());
    let entry = entries.next();
    (entry, entries.next().is_none())
}

fn chanserv<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    services::said(dialogue, call, &chanserv::CHANSERV)
}

#[cfg(feature = "storage")]
fn nickserv<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    services::said(dialogue, call, &services::nickserv::NICKSERV)
}
