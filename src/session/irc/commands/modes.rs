//! MODE, of channels (Modern IRC, "MODE message"); of users, see `user_modes`.

use super::{Doing, user_modes};
use crate::hub::{
    Command, Flags, KnownPassword, MaskEntry, MaskList, Refusal, RoomChange, RoomName, RoomRef, Terms,
};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::events::{mode_asked, put_changes};
use crate::session::irc::features::MODES_MAX;
use crate::session::irc::letters::{self, CHANNEL_MODES, ChannelMode, Rank};
use crate::session::irc::refusals::{self, Obstacle};
use crate::session::irc::write::Write;
use crate::wire::irc::mask::{BadMask, EXTBAN_PREFIX, hostmask, is_of_address};
use crate::wire::irc::{Capability, ModeChange, ModeChanges, ModeError, Numeric};
use std::fmt::{self, Write as _};

pub fn mode<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let target = call.message.params.get(0).unwrap_or_default();
    if target.starts_with('#') {
        of_room(dialogue, call, target)
    } else {
        user_modes::of_user(dialogue, call, target)
    }
}

/// What is to change, all at once; and then the lists that are asked for, one by one, page by page.
fn of_room<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>, name: &'a str) -> Do<'a> {
    let (params, room) = (call.message.params, RoomRef::Named(name));
    let given = params.rest_from(1);
    if given.is_empty() {
        dialogue.task.begin(Doing::Settings, name);
        return Do::Ask(Command::ShowSettings { room });
    }
    let task = &mut dialogue.task;
    if task.step == 0 {
        task.step = 1;
        task.begin(Doing::Modes, name);
        let changes = changes_of(dialogue, call, name, given);
        return match changes.is_empty() {
            true => ask_list(dialogue, given, name),
            false => Do::AskAndGoOn(Command::Change { room, changes }),
        };
    }
    if task.refused.is_some_and(|obstacle| obstacle != Obstacle::Role) {
        return Do::Done;
    }
    ask_list(dialogue, given, name)
}

/// The changes that a line asks for, after what is wrong with it has been told.
fn changes_of<'a>(
    dialogue: &Dialogue,
    call: Call<'a, '_>,
    room: &str,
    given: &[&'a str],
) -> Box<[RoomChange<'a>]> {
    let Call { notes, world, out, .. } = call;
    let limits = &world.limits;
    let mut asked = ModeChanges::new(CHANNEL_MODES, given, MODES_MAX);
    // Masks first, in full, into the notes: one after the other, so that the changes can borrow them.
    for change in asked.clone().take(limits.changes_max).flatten() {
        if let (Some(ChannelMode::List(_)), Some(mask)) = (ChannelMode::of(change.letter), change.param) {
            notes.push_str(&hostmask(mask, limits.mask_bytes_max.into()).unwrap_or_default());
            notes.push(' ');
        }
    }
    let notes: &'a str = notes;
    let mut masks = notes.split(' ');
    let mut changes = Vec::new();
    for change in asked.by_ref().take(limits.changes_max) {
        match change {
            // Whatever it is, it goes.
            Err(ModeError::ParamMissing { adding: false, letter }) if is_key(letter) => {
                changes.push(RoomChange::Password(None));
            }
            Err(ModeError::Unknown(letter)) => {
                let line = dialogue.line(Numeric::ERR_UNKNOWNMODE, world, out).param(letter);
                line.trailing("There is no such mode of a channel");
            }
            Err(ModeError::ParamMissing { letter, .. }) => {
                bad_param(dialogue, room, (letter, ""), "This mode takes a parameter", world, out);
            }
            Ok(change) => match change_of(change, &mut masks, world) {
                Ok(change) => changes.extend(change),
                Err(why) => {
                    let wrong = (change.letter, change.param.unwrap_or_default());
                    bad_param(dialogue, room, wrong, why, world, out);
                }
            },
        }
    }
    let is_change = |change: &ModeChange<'_>| {
        change.param.is_some() || !matches!(ChannelMode::of(change.letter), Some(ChannelMode::List(_)))
    };
    if let Some(change) = asked.by_ref().flatten().find(is_change).or(asked.beyond()) {
        let wrong = (change.letter, change.param.unwrap_or_default());
        bad_param(dialogue, room, wrong, TooMany { changes_max: limits.changes_max }, world, out);
    }
    changes.into()
}

/// Why a change, and those behind it, are not made.
struct TooMany {
    changes_max: usize,
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooMany { changes_max } = self;
        write!(
            f,
            "Not done, from this one on: one MODE makes {MODES_MAX} changes with a parameter, and {changes_max} in all"
        )
    }
}

fn is_key(letter: char) -> bool {
    ChannelMode::of(letter) == Some(ChannelMode::Key)
}

/// What a letter stands for; nothing, where it asks for a list.
fn change_of<'a>(
    change: ModeChange<'a>,
    masks: &mut impl Iterator<Item = &'a str>,
    world: &Surroundings,
) -> Result<Option<RoomChange<'a>>, BadParam> {
    let ModeChange { adding, letter, param } = change;
    let Some(mode) = ChannelMode::of(letter) else { return Ok(None) };
    let text = param.unwrap_or_default();
    Ok(Some(match (mode, adding) {
        (ChannelMode::List(list), _) => {
            let Some(mask) = param.and_then(|_| masks.next()) else { return Ok(None) };
            match (mask, adding) {
                ("", _) => return Err(BadParam::of_mask(text, world)),
                (mask, true) => RoomChange::AddMask { list, mask, terms: Terms::NONE },
                (mask, false) => RoomChange::RemoveMask { list, mask },
            }
        }
        (ChannelMode::Key, _) => RoomChange::Password(adding.then_some(text)),
        (ChannelMode::Limit, false) => RoomChange::OccupantsMax(None),
        (ChannelMode::Limit, true) => {
            let max = text.parse().map_err(|_| BadParam::OccupantsMax)?;
            RoomChange::OccupantsMax(Some(max))
        }
        (ChannelMode::Rank(Rank::Role(role)), true) => RoomChange::Grant { role, to: text },
        (ChannelMode::Rank(Rank::Role(role)), false) => RoomChange::Revoke { role, from: text },
        (ChannelMode::Rank(Rank::Affiliation(affiliation)), true) => {
            RoomChange::Affiliate { affiliation, whom: text, terms: Terms::NONE }
        }
        (ChannelMode::Rank(Rank::Affiliation(affiliation)), false) => {
            RoomChange::Unaffiliate { affiliation, whom: text }
        }
        (ChannelMode::Flag(flag), on) => RoomChange::Flag { flag, on },
    }))
}

/// Why something cannot be the parameter of a mode, with the limit that it breaks.
enum BadParam {
    Mask(BadMask),
    /// Of an account, in a list of masks alone.
    Account,
    /// In bytes.
    Key {
        bytes_max: u8,
    },
    OccupantsMax,
}

impl BadParam {
    fn of_mask(given: &str, world: &Surroundings) -> Self {
        if given.starts_with(EXTBAN_PREFIX) {
            return BadParam::Account;
        }
        // What was too much for the hub alone is too long.
        let bytes_max = world.limits.mask_bytes_max.into();
        BadParam::Mask(hostmask(given, bytes_max).err().unwrap_or(BadMask::TooLong { bytes_max }))
    }
}

impl fmt::Display for BadParam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadParam::Mask(bad) => bad.fmt(f),
            BadParam::Account => {
                f.write_str("Only bans (b) and mutes (Q) are of accounts; ChanServ's MEMBER lets one in")
            }
            BadParam::Key { bytes_max } => {
                write!(
                    f,
                    "A key is one word of 1 to {bytes_max} bytes, with no comma in it and no colon in front"
                )
            }
            BadParam::OccupantsMax => write!(f, "A limit is a number from 1 to {}", u32::MAX),
        }
    }
}

/// 696 (Modern IRC, "ERR_INVALIDMODEPARAM"). A key, even one that cannot be one, is not shown again.
fn bad_param(
    dialogue: &Dialogue,
    room: &str,
    (letter, param): (char, &str),
    why: impl fmt::Display,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let line = dialogue.line(Numeric::ERR_INVALIDMODEPARAM, world, out).param(room).param(letter);
    line.echo(if is_key(letter) { "*" } else { param }).trailing(why);
}

/// The next page of the present list, or the next list. `step` counts from 1, once the changes are done.
fn ask_list<'a>(dialogue: &mut Dialogue, given: &[&'a str], name: &'a str) -> Do<'a> {
    let task = &mut dialogue.task;
    let next = match task.doing {
        Doing::Masks { next, .. } => next,
        _ => None,
    };
    task.step += u16::from(next.is_none());
    let asked =
        ModeChanges::new(CHANNEL_MODES, given, MODES_MAX).flatten().filter(|change| change.param.is_none());
    let mut lists = asked.filter_map(|change| match ChannelMode::of(change.letter)? {
        ChannelMode::List(list) => Some(list),
        _ => None,
    });
    let Some(list) = lists.nth(usize::from(task.step) - 2) else { return Do::Done };
    let from = next.unwrap_or(0);
    task.begin(Doing::Masks { from, next: None }, name);
    Do::AskAndGoOn(Command::ListMasks { room: RoomRef::Named(name), list, from })
}

/// What took effect, as everybody else in the room is told it, and why the rest did not.
pub fn changed(
    dialogue: &Dialogue,
    room: &RoomName,
    [asked, changes]: [&[RoomChange<'_>]; 2],
    refused: &[(usize, Refusal)],
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let about_rank = refused.iter().position(|(_, refusal)| *refusal == Refusal::NotModerator);
    for (n, &(index, refusal)) in refused.iter().enumerate() {
        // Once is enough: the same rank is wanting for all of them.
        if let Some(change) = asked.get(index)
            && (refusal != Refusal::NotModerator || about_rank == Some(n))
        {
            put_refused(dialogue, room.shown(), change, refusal, world, out);
        }
    }
    put_own_changes(dialogue, room, changes, world, out);
    for change in changes {
        if let RoomChange::AddMask { mask, .. } = change
            && is_of_address(mask)
        {
            warn_of_address(dialogue, room.shown(), mask, world, out);
        }
    }
}

/// What the client has changed, as everybody else in the room is told it.
pub fn put_own_changes(
    dialogue: &Dialogue,
    room: &RoomName,
    changes: &[RoomChange<'_>],
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    put_changes(out, changes, |head| {
        dialogue.own(Write::from(head).time(dialogue.variant(), world), "MODE").param(room.shown())
    });
}

/// Nobody's host is an address here: a mask of one is taken, as by every server, and keeps nobody out.
fn warn_of_address(dialogue: &Dialogue, room: &str, mask: &str, world: &Surroundings, out: &mut Vec<u8>) {
    const WHY: &str = "Masks are held against cloaks: that one matches nobody (WHOIS shows the host)";
    let head = Write::to(out);
    if dialogue.capabilities.has(Capability::StandardReplies) {
        let line = head.server(world, "WARN").param("MODE").param("MASK_OF_ADDRESS");
        line.param(room).echo(mask).trailing(WHY);
    } else {
        head.server(world, "NOTICE").param(&dialogue.nick).trailing(format_args!("{room} {mask}: {WHY}"));
    }
}

/// Why one of the changes did not take effect.
fn put_refused(
    dialogue: &Dialogue,
    room: &str,
    change: &RoomChange<'_>,
    refusal: Refusal,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let Some((letter, param)) = mode_asked(change) else { return };
    match refusal {
        Refusal::TooManyMasks { .. } | Refusal::NoSpaceForMask => {
            let line = dialogue.line(Numeric::ERR_BANLISTFULL, world, out).param(room).param(letter);
            line.trailing(refusals::Sentence(refusal));
        }
        Refusal::BadMask => {
            let why = BadParam::of_mask(param, world);
            bad_param(dialogue, room, (letter, param), why, world, out);
        }
        Refusal::BadRoomPassword => {
            let why = BadParam::Key { bytes_max: world.limits.password_bytes_max };
            bad_param(dialogue, room, (letter, param), why, world, out);
        }
        Refusal::BadOccupantsMax => {
            bad_param(dialogue, room, (letter, param), BadParam::OccupantsMax, world, out);
        }
        _ => refusals::put_about(dialogue, refusal, (room, param), world, out),
    }
}

/// What a room is set to.
pub struct Settings<'a> {
    pub flags: Flags,
    pub occupants_max: Option<u32>,
    pub password: KnownPassword<'a>,
    pub made_millis: u64,
}

/// 324 and 329.
pub fn put_settings(
    dialogue: &Dialogue,
    room: &RoomName,
    settings: &Settings<'_>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let room = room.shown();
    let mut line = dialogue.line(Numeric::RPL_CHANNELMODEIS, world, out).param(room).param(Letters(settings));
    line = match settings.password {
        KnownPassword::None => line,
        KnownPassword::Secret => line.param("*"),
        KnownPassword::Shown(password) => line.param(password),
    };
    match settings.occupants_max {
        Some(max) => line.param(max).end(),
        None => line.end(),
    }
    let line = dialogue.line(Numeric::RPL_CREATIONTIME, world, out).param(room);
    line.param(settings.made_millis / 1_000).end();
}

/// `+ntkl`
struct Letters<'a>(&'a Settings<'a>);

impl fmt::Display for Letters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("+")?;
        let Settings { flags, occupants_max, password, .. } = self.0;
        let set = letters::flags().filter(|(_, flag)| flags.has(*flag)).map(|(letter, _)| letter);
        let key = (*password != KnownPassword::None).then_some(ChannelMode::Key.letter());
        let limit = occupants_max.map(|_| ChannelMode::Limit.letter());
        set.chain(key).chain(limit).try_for_each(|letter| f.write_char(letter))
    }
}

/// 367 and 368, 348 and 349, 346 and 347.
pub fn put_masks(
    dialogue: &mut Dialogue,
    room: &RoomName,
    (list, more): (MaskList, bool),
    entries: &[MaskEntry],
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let (item, end) = match list {
        MaskList::Bans => (Numeric::RPL_BANLIST, Numeric::RPL_ENDOFBANLIST),
        MaskList::BanExceptions => (Numeric::RPL_EXCEPTLIST, Numeric::RPL_ENDOFEXCEPTLIST),
        MaskList::InviteExceptions => (Numeric::RPL_INVEXLIST, Numeric::RPL_ENDOFINVEXLIST),
        MaskList::Mutes => (Numeric::RPL_QUIETLIST, Numeric::RPL_ENDOFQUIETLIST),
    };
    let room = room.shown();
    for MaskEntry { mask, by, at_millis, .. } in entries {
        let line = dialogue.line(item, world, out).param(room);
        let line = match list {
            MaskList::Mutes => line.param(ChannelMode::List(list).letter()),
            _ => line,
        };
        line.param(mask).param(by).param(at_millis / 1_000).end();
    }
    if !more {
        let line = dialogue.line(end, world, out).param(room);
        let line = match list {
            MaskList::Mutes => line.param(ChannelMode::List(list).letter()),
            _ => line,
        };
        line.trailing("End of the list");
    }
    if let Doing::Masks { from, next } = &mut dialogue.task.doing {
        *next = more.then_some(*from + entries.len());
    }
}
