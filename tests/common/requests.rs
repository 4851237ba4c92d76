//! Requests about people and rooms, of all kinds, good ones and bad.
#![allow(clippy::explicit_auto_deref)] // without the star, what is picked from is taken for a str

use crate::random::Random;
use switchboard::hub::{
    ChannelId, Command, Flag, Form, Marks, MaskList, Role, RoomChange, RoomFilter, RoomRef, Terms,
    UserFilter, Words,
};

const NAMES: [&str; 11] =
    ["gus", "hal", "ann", "ANN", "Bob", "cy", "dora", "eve", "fay", "a b", "much-too-long"];
const ROOMS: [&str; 7] = ["#a", "#A", "#b", "#c", "#d", "#e", "a"];
const TEXTS: [&str; 6] = ["hi", "hi", "", "two\nlines", "\u{1}VERSION\u{1}", "a text that is much too long"];
const MASKS: [&str; 8] =
    ["*", "*!*@*", "a*!*@*", "BOB!*@*", "*!native@*", "", "a b", "a-mask-that-is-too-long"];
const ROLES: [Role; 4] = [Role::Moderator, Role::Moderator, Role::Participant, Role::Visitor];

/// Any of those requests that are about what people are and what rooms are set to.
pub fn any_request(random: &mut Random, channel: ChannelId) -> Command<'static> {
    let name = *random.pick(&NAMES);
    let text = if random.chance(50) { "hi" } else { *random.pick(&TEXTS) };
    let room = any_room(random, channel);
    match random.below(32) {
        0 | 28..=31 => Command::Rename { name },
        1 => Command::SetRealName { text },
        2 => Command::SetAway { text: random.chance(60).then_some(text) },
        3 => Command::SetMarks { set: any_mark(random), clear: any_mark(random) },
        4 | 5 => {
            Command::Join { room: *random.pick(&ROOMS), password: *random.pick(&["", "key", "no"]), past: 0 }
        }
        6 => Command::Leave { room, text },
        7 => Command::Say { room, words: any_words(random, text), least: None },
        8 => Command::Say { room, words: Words::message(text), least: Some(*random.pick(&ROLES)) },
        9 => Command::Tell { to: name, words: any_words(random, text), even_oneself: random.chance(50) },
        10 => Command::SetSubject { room, text },
        11 => Command::ShowSubject { room },
        12..=15 => {
            let changes = (0..random.below(5)).map(|_| any_change(random)).collect();
            Command::Change { room, changes }
        }
        16 => Command::ShowSettings { room },
        17 => Command::ListMasks { room, list: *random.pick(&MaskList::ALL), from: random.below(3) },
        18 => Command::Kick { room, who: name, text },
        19 | 20 => Command::Invite { room, who: name },
        21 => Command::ListInvited,
        22 => {
            let mask = random.chance(50).then_some("#*");
            let filter = RoomFilter { mask, occupants_above: Some(1), ..RoomFilter::default() };
            Command::ListRooms { after: *random.pick(&ROOMS), filter }
        }
        23 => Command::Who { room, after: name, in_full: true },
        24 => {
            let filter = UserFilter { mask: Some(*random.pick(&MASKS)), operators_only: random.chance(20) };
            Command::FindUsers { after: "", filter }
        }
        25 => any_look(random, name),
        26 => Command::CheckName { name },
        _ => any_watch(random, name, text),
    }
}

fn any_room(random: &mut Random, channel: ChannelId) -> RoomRef<'static> {
    if random.chance(50) { RoomRef::Channel(channel) } else { RoomRef::Named(*random.pick(&ROOMS)) }
}

fn any_words(random: &mut Random, text: &'static str) -> Words<'static> {
    let form = *random.pick(&[Form::Message, Form::Notice, Form::Tags]);
    Words { form, text, tags: *random.pick(&["", "", "+a=b", "+too=many-tags"]) }
}

fn any_mark(random: &mut Random) -> Marks {
    *random.pick(&[Marks::NONE, Marks::INVISIBLE, Marks::WALLOPS, Marks::BOT, Marks::OPERATOR])
}

fn any_change(random: &mut Random) -> RoomChange<'static> {
    let (name, role) = (*random.pick(&NAMES), *random.pick(&ROLES));
    let (list, mask) = (*random.pick(&MaskList::ALL), *random.pick(&MASKS));
    match random.below(8) {
        0 | 1 => RoomChange::Flag { flag: *random.pick(&Flag::ALL), on: random.chance(50) },
        2 => RoomChange::Password(*random.pick(&[None, None, Some("key"), Some("a b")])),
        3 => RoomChange::OccupantsMax(*random.pick(&[None, None, Some(2), Some(0)])),
        4 => RoomChange::Grant { role, to: name },
        5 => RoomChange::Revoke { role, from: name },
        6 => RoomChange::AddMask { list, mask, terms: Terms::NONE },
        _ => RoomChange::RemoveMask { list, mask },
    }
}

fn any_look(random: &mut Random, name: &'static str) -> Command<'static> {
    match random.below(4) {
        0 => Command::Look { name },
        1 => Command::Was { name, entries_max: random.below(4) },
        2 => Command::IsHere { names: NAMES.into() },
        _ => Command::Count,
    }
}

fn any_watch(random: &mut Random, name: &'static str, text: &'static str) -> Command<'static> {
    match random.below(7) {
        0 | 1 => Command::Watch { names: [name, "bob"].into() },
        2 => Command::Unwatch { names: [name].into() },
        3 => Command::UnwatchAll,
        4 => Command::ListWatched,
        5 => Command::Announce { text, to_all: false },
        _ => Command::Kill { name, text },
    }
}
