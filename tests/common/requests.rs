//! Requests about people and rooms, of all kinds, good ones and bad.
#![allow(clippy::explicit_auto_deref)] // without the star, what is picked from is taken for a str

use crate::random::Random;
use switchboard::hub::{
    Affiliation, ChannelId, Command, Flag, Form, Marks, MaskList, Preset, Role, RoomChange, RoomFilter,
    RoomRef, Terms, UserFilter, Wish, Words,
};

const NAMES: [&str; 11] =
    ["gus", "hal", "ann", "ANN", "Bob", "cy", "dora", "eve", "fay", "a b", "much-too-long"];
const ROOMS: [&str; 7] = ["#a", "#A", "#b", "#c", "#d", "#e", "a"];
const TEXTS: [&str; 6] = ["hi", "hi", "", "two\nlines", "\u{1}VERSION\u{1}", "a text that is much too long"];
const MASKS: [&str; 8] =
    ["*", "*!*@*", "a*!*@*", "BOB!*@*", "*!native@*", "", "a b", "a-mask-that-is-too-long"];
const AFFILIATIONS: [Affiliation; 5] =
    [Affiliation::Outcast, Affiliation::None, Affiliation::Member, Affiliation::Admin, Affiliation::Owner];
const ROLES: [Role; 4] = [Role::Moderator, Role::Moderator, Role::Participant, Role::Visitor];

/// Any of those requests that are about what people are and what rooms are set to.
pub fn any_request(random: &mut Random, channel: ChannelId) -> Command<'static> {
    let name = *random.pick(&NAMES);
    let text = if random.chance(50) { "hi" } else { *random.pick(&TEXTS) };
    let room = any_room(random, channel);
    match random.below(44) {
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
        32..=38 => any_affair(random, room, name, text),
        39..=41 => Command::Change { room, changes: [any_standing(random)].into() },
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
    match random.below(11) {
        0 => RoomChange::Flag { flag: *random.pick(&Flag::ALL), on: random.chance(50) },
        1 => RoomChange::Flag { flag: Flag::Persistent, on: random.chance(80) },
        2 => RoomChange::Password(*random.pick(&[None, None, Some("key"), Some("a b")])),
        3 => RoomChange::OccupantsMax(*random.pick(&[None, None, Some(2), Some(0)])),
        4 => RoomChange::Grant { role, to: name },
        5 => RoomChange::Revoke { role, from: name },
        6 => RoomChange::AddMask { list, mask, terms: any_terms(random) },
        7 => RoomChange::RemoveMask { list, mask },
        8 => RoomChange::Preset(*random.pick(&Preset::ALL)),
        _ => any_standing(random),
    }
}

/// What an account is to a room.
fn any_standing(random: &mut Random) -> RoomChange<'static> {
    let names = if random.chance(70) { &NAMES[..2] } else { &NAMES };
    let whom = *random.pick(names);
    let affiliation = *random.pick(&AFFILIATIONS);
    let muted = *random.pick(&["~a:gus", "~a:hal", "~a:nobody"]);
    match random.below(8) {
        0 => RoomChange::Unaffiliate { affiliation, whom },
        1 => RoomChange::AddMask { list: MaskList::Mutes, mask: muted, terms: any_terms(random) },
        2 => RoomChange::RemoveMask { list: MaskList::Mutes, mask: muted },
        _ => RoomChange::Affiliate { affiliation, whom, terms: any_terms(random) },
    }
}

fn any_terms(random: &mut Random) -> Terms<'static> {
    let reason = *random.pick(&["", "", "so", "a reason that is much too long"]);
    Terms { reason, seconds: *random.pick(&[None, None, Some(5), Some(20), Some(60)]) }
}

/// What owners do, and what is asked of those who run a room.
fn any_affair(
    random: &mut Random,
    room: RoomRef<'static>,
    name: &'static str,
    text: &'static str,
) -> Command<'static> {
    let wish = *random.pick(&[Wish::Voice, Wish::Membership]);
    match random.below(12) {
        0 => Command::Destroy { room, text, instead: *random.pick(&["", "#b", "a"]) },
        1 => Command::RenameRoom { room, to: *random.pick(&ROOMS), text },
        2..=4 => Command::Wish { room, wish, text },
        5..=7 => Command::Decide { room, who: name, wish, grant: random.chance(60) },
        8 => Command::ListWishes { room },
        9 => {
            let affiliation = random.chance(50).then(|| *random.pick(&AFFILIATIONS));
            Command::ListMembers { room, affiliation, after: "" }
        }
        _ => Command::ReserveName { room, name: *random.pick(&[name, "", "gus"]) },
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
