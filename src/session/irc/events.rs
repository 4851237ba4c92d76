//! What others did, as lines: written once for all clients that share a [`Variant`].

use super::capabilities::{ACCOUNT_NOTIFY, AWAY_NOTIFY, EXTENDED_JOIN, INVITE_NOTIFY, REDACTION, SETNAME};
use super::features;
use super::letters::{ChannelMode, Rank, ranks};
use super::words::{Target, put_words};
use super::write::{Id, Write};
use crate::hub::{
    Affiliation, Departure, Event, Form, Host, Killing, MaskList, MessageId, Person, RoomChange, Trait, Words,
};
use crate::session::{Stamp, Surroundings, Variant};
use crate::wire::irc::mask::{ACCOUNT_BAN, EXTBAN_PREFIX};
use crate::wire::irc::{LineBody, LineHead, ModeChange, Numeric, put_modes};
use std::fmt;

/// Who, for whom, and when: what the lines about one event have in common.
#[derive(Clone, Copy)]
struct Scene<'w> {
    variant: Variant,
    world: &'w Surroundings,
    stamp: &'w Stamp<'w>,
}

impl Scene<'_> {
    fn line<'o>(&self, out: &'o mut Vec<u8>, who: &Person<'_>, command: &str) -> LineBody<'o> {
        self.head(out, who).source(who.name.shown(), who.username(), &self.host_of(who), command)
    }

    /// Where nobody did it, the server says so.
    fn line_by<'o>(&self, out: &'o mut Vec<u8>, by: Option<&Person<'_>>, command: &str) -> LineBody<'o> {
        match by {
            Some(by) => self.line(out, by, command),
            None => Write::to(out).time(self.variant, self.world).server(self.world, command),
        }
    }

    fn host_of(&self, who: &Person<'_>) -> Host {
        self.stamp.host_of(who)
    }

    fn head<'o>(&self, out: &'o mut Vec<u8>, who: &Person<'_>) -> Write<'o> {
        Write::to(out).time(self.variant, self.world).by(self.variant, who.account, who.marks())
    }
}

/// Appends an event. `target` is the room that it is about, or the client that it is for.
pub fn encode_event(variant: Variant, target: &str, event: &Event<'_>, stamp: &Stamp<'_>, out: &mut Vec<u8>) {
    let world = stamp.surroundings;
    let scene = Scene { variant, world, stamp };
    match *event {
        Event::Said { by, words, id, least } => {
            say(&scene, &by, Target { least, name: target }, words, id, out)
        }
        Event::Told { from, words, id } => {
            say(&scene, &from, Target { least: None, name: target }, words, id, out)
        }
        // As one's own words are echoed (IRCv3 echo-message), and as bouncers do it.
        Event::ToldElsewhere { from, to, words, id } => {
            say(&scene, &from, Target { least: None, name: to.shown() }, words, id, out)
        }
        Event::Entered { who } => entered(&scene, &who, target, out),
        Event::Left { who, text } => put_with_words(scene.line(out, &who, "PART").param(target), text),
        Event::Quit { who, why } => scene.line(out, &who, "QUIT").trailing(Parting(why)),
        Event::Kicked { by, who, text } => {
            let by_name = by.map_or(&*world.server.name, |by| by.name.shown());
            let text = if text.is_empty() { by_name } else { text };
            scene.line_by(out, by.as_ref(), "KICK").param(target).param(who.shown()).trailing(text);
        }
        Event::SubjectSet { by, text, id } => {
            let head = scene.head(out, &by).message(variant, id, "");
            let line = head.source(by.name.shown(), by.username(), &scene.host_of(&by), "TOPIC");
            line.param(target).trailing(text);
        }
        Event::Changed { by, changes } => changed(&scene, by.as_ref(), target, changes, out),
        Event::Invited { by, room } => scene.line(out, &by, "INVITE").param(target).param(room.shown()).end(),
        Event::GuestInvited { by, who } if variant.has(INVITE_NOTIFY) => {
            scene.line(out, &by, "INVITE").param(who.shown()).param(target).end();
        }
        Event::Renamed { who, to } => scene.line(out, &who, "NICK").param(to.shown()).end(),
        Event::AwayChanged { who } if variant.has(AWAY_NOTIFY) => away(&scene, &who, out),
        Event::RealNameChanged { who } if variant.has(SETNAME) => {
            scene.line(out, &who, "SETNAME").trailing(who.realname());
        }
        Event::AccountChanged { who } if variant.has(ACCOUNT_NOTIFY) => {
            scene.line(out, &who, "ACCOUNT").param(who.account.unwrap_or("*")).end();
        }
        // In the words that neighbours are told with (IRCv3 extended-monitor).
        Event::WatchedChanged { who, what: Trait::Away } => {
            encode_event(variant, target, &Event::AwayChanged { who }, stamp, out)
        }
        Event::WatchedChanged { who, what: Trait::Account } => {
            encode_event(variant, target, &Event::AccountChanged { who }, stamp, out)
        }
        Event::WatchedChanged { who, what: Trait::RealName } => {
            encode_event(variant, target, &Event::RealNameChanged { who }, stamp, out)
        }
        Event::Appeared { who } => {
            let (nick, user) = (who.name.shown(), who.username());
            Write::to(out)
                .numeric(world, Numeric::RPL_MONONLINE, target)
                .trailing(format_args!("{nick}!{user}@{}", scene.host_of(&who)));
        }
        Event::Vanished { name } => {
            Write::to(out).numeric(world, Numeric::RPL_MONOFFLINE, target).trailing(name.shown());
        }
        // To all it is a NOTICE: not everybody has asked for WALLOPS.
        Event::Announced { by, text, to_all: true } => {
            let text = &format!("Announcement by {}: {text}", by.name);
            let words = Words { form: Form::Notice, text, tags: "" };
            put_words(words, variant, out, |out, _, command| {
                Write::to(out).time(variant, world).server(world, command).param(target)
            });
        }
        Event::Announced { by, text, to_all: false } => scene.line(out, &by, "WALLOPS").trailing(text),
        Event::Killed { by, text: "" } => {
            let why = Killing { by: by.name.shown(), text: "" };
            scene.line(out, &by, "KILL").param(target).trailing(why);
        }
        Event::Killed { by, text } => scene.line(out, &by, "KILL").param(target).trailing(text),
        // Nobody calls who takes no relays.
        Event::Offered { .. } | Event::Ringing { .. } | Event::RelayClosed { .. } | Event::Paths { .. } => {}
        Event::AccountChanged { .. }
        | Event::AwayChanged { .. }
        | Event::RealNameChanged { .. }
        | Event::GuestInvited { .. } => {}
        Event::Retracted { by, id, text } if variant.has(REDACTION) => {
            put_with_words(scene.line(out, &by, "REDACT").param(target).param(Id(id)), text);
        }
        Event::Destroyed { .. }
        | Event::RoomRenamed { .. }
        | Event::Wished { .. }
        | Event::Decided { .. }
        | Event::Retracted { .. } => {}
    }
}

fn say(
    scene: &Scene<'_>,
    by: &Person<'_>,
    target: Target<'_>,
    words: Words<'_>,
    id: MessageId,
    out: &mut Vec<u8>,
) {
    put_words(words, scene.variant, out, |out, is_first, command| {
        let mut head = scene.head(out, by);
        if is_first {
            head = head.message(scene.variant, id, words.tags);
        }
        head.source(by.name.shown(), by.username(), &scene.host_of(by), command).param(target)
    });
}

fn entered(scene: &Scene<'_>, who: &Person<'_>, room: &str, out: &mut Vec<u8>) {
    put_join(scene.variant, scene.line(out, who, "JOIN"), room, who.account, who.realname());
    // IRCv3 away-notify: those who come are away already.
    if scene.variant.has(AWAY_NOTIFY) && who.away().is_some() {
        away(scene, who, out);
    }
}

/// JOIN, with account and real name for those who want them (IRCv3 extended-join).
pub fn put_join(variant: Variant, line: LineBody<'_>, room: &str, account: Option<&str>, realname: &str) {
    let line = line.param(room);
    if variant.has(EXTENDED_JOIN) {
        line.param(account.unwrap_or("*")).trailing(realname)
    } else {
        line.end()
    }
}

fn away(scene: &Scene<'_>, who: &Person<'_>, out: &mut Vec<u8>) {
    let line = scene.line(out, who, "AWAY");
    match who.away() {
        Some(text) => line.trailing(text),
        None => line.end(),
    }
}

fn changed(
    scene: &Scene<'_>,
    by: Option<&Person<'_>>,
    room: &str,
    changes: &[RoomChange<'_>],
    out: &mut Vec<u8>,
) {
    put_changes(out, changes, |head| {
        let write = Write::from(head).time(scene.variant, scene.world);
        let line = match by {
            Some(by) => write.by(scene.variant, by.account, by.marks()).source(
                by.name.shown(),
                by.username(),
                &scene.host_of(by),
                "MODE",
            ),
            None => write.server(scene.world, "MODE"),
        };
        line.param(room)
    });
}

/// Writes what has changed about a room, in as many lines as it takes; `begin` writes what is in front of the letters.
pub fn put_changes(
    out: &mut Vec<u8>,
    changes: &[RoomChange<'_>],
    begin: impl for<'l> FnMut(LineHead<'l>) -> LineBody<'l>,
) {
    let mut numbers = Vec::new();
    let changes = modes_of(changes, &mut numbers);
    put_modes(out, &changes, features::MODES_MAX, begin);
}

/// What has changed about a room, as modes. `numbers` keeps what is written of numbers.
pub fn modes_of<'a>(changes: &'a [RoomChange<'a>], numbers: &'a mut Vec<String>) -> Vec<ModeChange<'a>> {
    let written = changes.iter().filter_map(|change| match *change {
        RoomChange::OccupantsMax(Some(max)) => Some(max.to_string()),
        RoomChange::Affiliate { affiliation: Affiliation::Outcast, whom, .. }
        | RoomChange::Unaffiliate { affiliation: Affiliation::Outcast, whom } => {
            Some(format!("{EXTBAN_PREFIX}{ACCOUNT_BAN}:{whom}"))
        }
        _ => None,
    });
    numbers.extend(written);
    let mut written = numbers.iter().map(String::as_str);
    let mut modes = Vec::with_capacity(changes.len());
    for change in changes {
        match *change {
            RoomChange::Flag { flag, on } => modes.push(mode(on, ChannelMode::Flag(flag), None)),
            RoomChange::Password(password) => {
                let shown = Some(password.unwrap_or("*"));
                modes.push(mode(password.is_some(), ChannelMode::Key, shown));
            }
            RoomChange::OccupantsMax(None) => modes.push(mode(false, ChannelMode::Limit, None)),
            RoomChange::OccupantsMax(Some(_)) => modes.push(mode(true, ChannelMode::Limit, written.next())),
            RoomChange::AddMask { list, mask, .. } => {
                modes.push(mode(true, ChannelMode::List(list), Some(mask)))
            }
            RoomChange::RemoveMask { list, mask } => {
                modes.push(mode(false, ChannelMode::List(list), Some(mask)))
            }
            RoomChange::Affiliate { affiliation: Affiliation::Outcast, .. } => {
                modes.push(mode(true, ChannelMode::List(MaskList::Bans), written.next()));
            }
            RoomChange::Unaffiliate { affiliation: Affiliation::Outcast, .. } => {
                modes.push(mode(false, ChannelMode::List(MaskList::Bans), written.next()));
            }
            RoomChange::Stands { whom, before, after } => {
                for (letter, rank, _) in ranks() {
                    let (had, has) = (rank.is_of(before), rank.is_of(after));
                    if had != has {
                        modes.push(ModeChange { adding: has, letter, param: Some(whom) });
                    }
                }
            }
            // What follows from them for those who are here is told behind them; and for others there is no letter.
            RoomChange::Grant { .. }
            | RoomChange::Revoke { .. }
            | RoomChange::Affiliate { .. }
            | RoomChange::Unaffiliate { .. }
            | RoomChange::Preset(_) => {}
        }
    }
    modes
}

fn mode(adding: bool, mode: ChannelMode, param: Option<&str>) -> ModeChange<'_> {
    ModeChange { adding, letter: mode.letter(), param }
}

/// The letter of what was asked for, and its parameter.
pub fn mode_asked<'a>(change: &RoomChange<'a>) -> Option<(char, &'a str)> {
    let (mode, param) = match *change {
        RoomChange::Flag { flag, .. } => (ChannelMode::Flag(flag), ""),
        RoomChange::Password(password) => (ChannelMode::Key, password.unwrap_or_default()),
        RoomChange::OccupantsMax(_) => (ChannelMode::Limit, "0"), // which alone is refused
        RoomChange::Grant { role, to: whom } | RoomChange::Revoke { role, from: whom } => {
            (ChannelMode::Rank(Rank::Role(role)), whom)
        }
        RoomChange::AddMask { list, mask, .. } | RoomChange::RemoveMask { list, mask } => {
            (ChannelMode::List(list), mask)
        }
        RoomChange::Affiliate { affiliation, whom, .. } | RoomChange::Unaffiliate { affiliation, whom } => {
            (ChannelMode::Rank(Rank::Affiliation(affiliation)), whom)
        }
        RoomChange::Stands { .. } | RoomChange::Preset(_) => return None,
    };
    Some((mode.letter(), param))
}

/// A trailing where there is something to say.
pub fn put_with_words(line: LineBody<'_>, text: &str) {
    if text.is_empty() { line.end() } else { line.trailing(text) }
}

/// Why somebody is gone, in the words of QUIT.
struct Parting<'a>(Departure<'a>);

impl fmt::Display for Parting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Departure::Quit("") => f.write_str("Quit"),
            Departure::Quit(text) => write!(f, "Quit: {text}"),
            Departure::Lost => f.write_str("Connection lost"),
            Departure::Dropped(text) => f.write_str(text),
            Departure::Killed(why) => why.fmt(f),
        }
    }
}
