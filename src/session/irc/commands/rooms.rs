//! JOIN, PART and NAMES.

use super::{Doing, entry, topic};
use crate::hub::{Command, Entry, Flag, Flags, Person, RoomName, RoomRef, Standing, SubjectView, UserName};
use crate::session::irc::dialogue::{Call, Dialogue, Do, noted};
use crate::session::irc::events::{put_join, put_with_words};
use crate::session::irc::letters::ranks;
use crate::session::irc::write::Write;
use crate::session::{Stamp, Surroundings};
use crate::wire::irc::{Capability, ListLines, Numeric};
use std::fmt;

/// JOIN: one room after the other; behind each come its names. `JOIN 0` leaves all (RFC 2812 §3.2.1).
pub fn join<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    if let Some(next) = next_page(dialogue, call.notes) {
        return next;
    }
    let params = call.message.params;
    let rooms = params.get(0).unwrap_or_default();
    if rooms == "0" {
        return Do::Ask(Command::LeaveAll { text: "" });
    }
    let keys = params.get(1).unwrap_or_default().split(',').chain(std::iter::repeat(""));
    // A key is for the room in the same place, also where there is none in a place.
    let mut rooms = rooms.split(',').zip(keys).filter(|(room, _)| !room.is_empty());
    let Some((room, password)) = rooms.nth(dialogue.task.step.into()) else { return Do::Done };
    dialogue.task.step += 1;
    dialogue.task.begin(Doing::Join, room);
    let past = match dialogue.capabilities.has(Capability::DraftChathistory) {
        true => 0, // it asks for what it wants
        false => call.world.server.history_lines.into(),
    };
    Do::AskAndGoOn(Command::Join { room, password, past })
}

/// The names of a room, page by page, once `joined` or [`names`] has begun with them.
fn next_page<'a>(dialogue: &Dialogue, notes: &'a mut String) -> Option<Do<'a>> {
    next_names(dialogue, notes).map(Do::AskAndGoOn)
}

/// The same, as what the hub is asked for.
pub fn next_names<'a>(dialogue: &Dialogue, notes: &'a mut String) -> Option<Command<'a>> {
    if dialogue.task.doing == Doing::MarkOnJoin {
        let [conversation] = noted(notes, [dialogue.task.about()]);
        return Some(Command::ShowReadMark { conversation });
    }
    let Doing::Names { behind: Some(after) } = &dialogue.task.doing else { return None };
    let [room, after] = noted(notes, [dialogue.task.about(), after]);
    Some(ask_names(dialogue, room, after))
}

/// The hub has let the client in: JOIN, the subject, and then the names.
pub fn joined(
    dialogue: &mut Dialogue,
    (who, known_as): (Person<'_>, Option<&UserName>),
    room: &RoomName,
    subject: Option<SubjectView<'_>>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    put_joined(dialogue, (who, known_as), room, subject, world, out);
    begin_names(dialogue, room.shown());
}

/// That what one says is kept in a place that outlasts the visit (XEP-0045 §7.2.12), and that everybody learns who one is
/// (§7.2.3) where that is so, which goes without saying in other rooms of IRC.
pub fn warn(
    dialogue: &Dialogue,
    room: &RoomName,
    (flags, made): (Flags, bool),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let is_kept = flags.has(Flag::Persistent) && !flags.has(Flag::NoHistory);
    if !is_kept || made || !world.server.history_notice || world.limits.history.messages_max == 0 {
        return;
    }
    let who = if flags.has(Flag::SemiAnonymous) { "" } else { ", and everybody in it sees who you are" };
    let text = format_args!("What is said in {room} is kept{who}");
    Write::to(out).server(world, "NOTICE").param(&dialogue.nick).trailing(text);
}

/// Begins with what comes behind that: how far the client has read there, and the names.
pub fn begin_names(dialogue: &mut Dialogue, room: &str) {
    dialogue.task.begin(Doing::MarkOnJoin, room);
    if !dialogue.capabilities.has(Capability::DraftReadMarker) {
        go_on_with_names(dialogue);
    }
}

/// What comes behind a JOIN and what belongs to it, if that is what the client is being told.
pub fn go_on_with_names(dialogue: &mut Dialogue) {
    if dialogue.task.doing == Doing::MarkOnJoin {
        let are_wanted = !dialogue.capabilities.has(Capability::NoImplicitNames);
        dialogue.task.doing = Doing::Names { behind: are_wanted.then(String::new) };
    }
}

/// JOIN and the subject.
pub fn put_joined(
    dialogue: &Dialogue,
    (who, known_as): (Person<'_>, Option<&UserName>),
    room: &RoomName,
    subject: Option<SubjectView<'_>>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let variant = dialogue.variant();
    let line = dialogue.own(Write::to(out).time(variant, world), "JOIN");
    put_join(variant, line, room.shown(), who.account, who.realname());
    if let Some(known_as) = known_as {
        Write::to(out).server(world, "NOTICE").param(&dialogue.nick).trailing(format_args!(
            "{room} hides who is in it: the others know you as {known_as}, and only its admins can find out who you are"
        ));
    }
    if let Some(subject) = subject {
        topic::put(dialogue, room, Some(subject), world, out);
    }
}

pub fn part<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let (room, is_last) = entry(params.get(0).unwrap_or_default(), dialogue.task.step, usize::MAX);
    let Some(room) = room else { return Do::Done };
    dialogue.task.step += 1;
    dialogue.task.begin(Doing::Part, room);
    let text = params.get(1).unwrap_or_default();
    let command = Command::Leave { room: RoomRef::Named(room), text };
    if is_last { Do::Ask(command) } else { Do::AskAndGoOn(command) }
}

pub fn left(dialogue: &Dialogue, room: &RoomName, text: &str, world: &Surroundings, out: &mut Vec<u8>) {
    let head = Write::to(out).time(dialogue.variant(), world);
    put_with_words(dialogue.own(head, "PART").param(room.shown()), text);
}

/// The room is no more. To the client that is as if it had been made to leave.
pub fn destroyed(
    dialogue: &Dialogue,
    room: &RoomName,
    by: Person<'_>,
    (text, instead): (&str, &str),
    stamp: &Stamp<'_>,
    out: &mut Vec<u8>,
) {
    let world = stamp.surroundings;
    let head = Write::to(out).time(dialogue.variant(), world);
    let head = head.by(dialogue.variant(), by.account, by.marks());
    let host = stamp.host_of(&by);
    let line = head.source(by.name.shown(), by.username(), &host, "KICK");
    line.param(room.shown()).param(&dialogue.nick).trailing(Ended { text, instead });
}

/// Why a room is no more, and where to go.
struct Ended<'a> {
    text: &'a str,
    instead: &'a str,
}

impl fmt::Display for Ended<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ended { text, instead } = self;
        f.write_str("The channel is no more")?;
        let colon = if text.is_empty() { "" } else { ": " };
        write!(f, "{colon}{text}")?;
        if instead.is_empty() { Ok(()) } else { write!(f, " (go to {instead})") }
    }
}

/// NAMES of one room. Without a room there is nothing to tell that LIST and WHO do not tell better.
pub fn names<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    if dialogue.task.step > 0 {
        return next_page(dialogue, call.notes).unwrap_or(Do::Done);
    }
    let (room, _) = entry(call.message.params.get(0).unwrap_or_default(), 0, 1);
    let Some(room) = room else {
        end_of_names(dialogue, "*", call.world, call.out);
        return Do::Done;
    };
    dialogue.task.step = 1;
    dialogue.task.begin(Doing::Names { behind: None }, room);
    Do::AskAndGoOn(ask_names(dialogue, room, ""))
}

fn ask_names<'a>(dialogue: &Dialogue, room: &'a str, after: &'a str) -> Command<'a> {
    let in_full = dialogue.capabilities.has(Capability::UserhostInNames);
    Command::Who { room: RoomRef::Named(room), after, in_full }
}

/// 366.
pub fn end_of_names(dialogue: &Dialogue, room: &str, world: &Surroundings, out: &mut Vec<u8>) {
    dialogue.line(Numeric::RPL_ENDOFNAMES, world, out).echo(room).trailing("End of /NAMES list");
}

/// 353, and 366 behind the last of them.
pub fn put_names(
    dialogue: &mut Dialogue,
    (room, is_hidden): (&RoomName, bool),
    entries: &[Entry<'_>],
    next: Option<&str>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let (nick, capabilities) = (&*dialogue.nick, dialogue.capabilities);
    let mut lines = ListLines::new(out, ' ', |head| {
        let body = head.numeric(&world.server.name, Numeric::RPL_NAMREPLY, nick);
        body.param(if is_hidden { "@" } else { "=" }).param(room.shown())
    });
    for entry in entries {
        let ranks =
            Ranks::of(entry.place.map(|place| place.standing), capabilities.has(Capability::MultiPrefix));
        let name = entry.person.name.shown();
        if capabilities.has(Capability::UserhostInNames) {
            lines.item(format_args!("{ranks}{name}!{}@{}", entry.person.username(), entry.host));
        } else {
            lines.item(format_args!("{ranks}{name}"));
        }
    }
    lines.end();
    if next.is_none() {
        end_of_names(dialogue, room.shown(), world, out);
    }
    dialogue.task.doing = Doing::Names { behind: next.map(str::to_owned) };
}

/// What an occupant is, as the signs in front of a nickname: the highest, or all of them.
pub struct Ranks {
    standing: Standing,
    all: bool,
}

impl Ranks {
    pub fn of(standing: Option<Standing>, all: bool) -> Ranks {
        Ranks { standing: standing.unwrap_or_default(), all }
    }
}

impl fmt::Display for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.standing == Standing::default() {
            return Ok(()); // as most are
        }
        let signs = ranks().filter(|(_, rank, _)| rank.is_of(self.standing)).map(|(_, _, sign)| sign);
        signs.take(if self.all { usize::MAX } else { 1 }).try_for_each(|sign| f.write_str(sign))
    }
}
