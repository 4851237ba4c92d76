//! ChanServ: rooms, beyond what modes can say, in words that people of other networks know.

mod answers;
mod past;

pub use answers::{Wished, answer};

use super::{Heard, Row, Service, put_syntax, word};
use crate::hub::{Affiliation, Command, Flag, MaskList, Preset, RoomChange, RoomRef, Terms, Wish};
use crate::session::flags::flag_of_word;
use crate::session::irc::commands::Doing;
use crate::session::irc::dialogue::{Dialogue, Do};
use crate::wire::seconds_of;

pub const CHANSERV: Service = Service {
    name: "ChanServ",
    about: "Channels: who owns, runs and may enter them, what they are set to, and how long they last.",
    rows: &[
        Row::new("INFO", "<channel>", 1, &["What a channel is set to."], info),
        Row::new(
            "REGISTER",
            "<channel>",
            1,
            &[
                "Makes a channel of yours last: it stays when nobody is in it. As SET <channel> persistent ON.",
            ],
            register,
        ),
        Row::new(
            "PRESET",
            "<channel> public|private|announce|anonymous|club",
            2,
            &["Sets what goes together, by one word. For owners. INFO says what has come of it."],
            preset,
        ),
        Row::new(
            "SET",
            "<channel> <setting> ON|OFF",
            3,
            &[
                "One setting: hidden, members-only, moderated, closed, subject-locked, no-control-messages,",
                "persistent, anonymous, no-history, visitors-passive, moderators-invite, subject-open. For owners.",
            ],
            set,
        ),
        Row::new(
            "OWNER",
            "<channel> <nickname or account>",
            2,
            &["Makes somebody an owner, who may do everything. For owners."],
            owner,
        ),
        Row::new(
            "ADMIN",
            "<channel> <nickname or account>",
            2,
            &["Makes somebody an admin, who bans, and says who is a member and who moderates. For owners."],
            admin,
        ),
        Row::new(
            "MEMBER",
            "<channel> <nickname or account>",
            2,
            &["Makes somebody a member, who enters whatever the channel is set to. For admins."],
            member,
        ),
        Row::new(
            "REMOVE",
            "<channel> <nickname or account>",
            2,
            &["Takes somebody off these lists; for a ban, too. For admins."],
            remove,
        ),
        Row::new(
            "BAN",
            "<channel> <nickname, account or mask> [<time>] [<reason>]",
            2,
            &[
                "Keeps somebody out, for good or for a time, as 90m, 2h or 7d. A nickname means their account;",
                "who has none is banned by a mask, as ann!*@* or *!*@host. For admins.",
            ],
            ban,
        ),
        Row::new("UNBAN", "<channel> <account or mask>", 2, &["Undoes a ban."], unban),
        Row::new(
            "MUTE",
            "<channel> <nickname or mask> [<time>] [<reason>]",
            2,
            &[
                "Takes somebody's voice, for good or for a time. Members have a voice of their own: they are muted by",
                "their account, as ~a:ann. For moderators.",
            ],
            mute,
        ),
        Row::new("UNMUTE", "<channel> <nickname or mask>", 2, &["Undoes a mute."], unmute),
        Row::new(
            "LIST",
            "<channel> [OWNERS|ADMINS|MEMBERS|OUTCASTS|WISHES]",
            1,
            &["Who is what to a channel, since when and by whom; and what was asked for."],
            list,
        ),
        Row::new(
            "HISTORY",
            "<channel> [<number>] [<time>]",
            1,
            &[
                "What was said last, up to 50 messages; with a time, before that, as 2026-01-31T18:30:00Z. For those in",
                "it. Clients that know CHATHISTORY do this by scrolling.",
            ],
            past::history,
        ),
        Row::new(
            "SEARCH",
            "<channel> <words>",
            2,
            &[
                "What was said with all of these words in it, the last 20 messages. For those in it, and its members.",
            ],
            past::search,
        ),
        Row::new(
            "ASK",
            "<channel> VOICE|MEMBERSHIP [<words>]",
            2,
            &["Asks those for a voice, or to be a member, who can say yes. KNOCK asks for membership, too."],
            ask_for,
        ),
        Row::new(
            "GRANT",
            "<channel> <nickname> VOICE|MEMBERSHIP",
            3,
            &["Says yes to somebody who asked."],
            grant,
        ),
        Row::new(
            "DENY",
            "<channel> <nickname> VOICE|MEMBERSHIP",
            3,
            &["Says no to somebody who asked."],
            deny,
        ),
        Row::new(
            "RESERVE",
            "<channel> [<nickname>]",
            1,
            &["Keeps a nickname for you there; without one, none. For members."],
            reserve,
        ),
        Row::new(
            "RENAME",
            "<channel> <channel> [<reason>]",
            2,
            &["Gives a channel another name. For owners."],
            rename,
        ),
        Row::new(
            "DESTROY",
            "<channel> [<channel to go to>] [<reason>]",
            1,
            &["Ends a channel, with all that is kept of it. It does not come back. For owners."],
            destroy,
        ),
    ],
};

/// The room that it is about, and what stands behind it.
fn room<'a>(heard: &Heard<'a, '_>) -> (RoomRef<'a>, &'a str) {
    let (name, rest) = word(heard.rest);
    (RoomRef::Named(name), rest)
}

fn ask<'a>(dialogue: &mut Dialogue, command: Command<'a>) -> Do<'a> {
    dialogue.task.begin(Doing::ChanServ { behind: None }, "");
    Do::Ask(command)
}

/// As [`ask`], where the answer may have another page.
fn ask_pages<'a>(dialogue: &mut Dialogue, command: Command<'a>) -> Do<'a> {
    dialogue.task.begin(Doing::ChanServ { behind: None }, "");
    dialogue.task.step = 1;
    Do::AskAndGoOn(command)
}

fn change<'a>(dialogue: &mut Dialogue, room: RoomRef<'a>, change: RoomChange<'a>) -> Do<'a> {
    ask(dialogue, Command::Change { room, changes: [change].into() })
}

fn not_so<'a>(dialogue: &Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    put_syntax(dialogue, heard.service, heard.row, heard.world, heard.out);
    Do::Done
}

fn info<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    ask(dialogue, Command::ShowSettings { room: room(&heard).0 })
}

fn register<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    change(dialogue, room(&heard).0, RoomChange::Flag { flag: Flag::Persistent, on: true })
}

fn preset<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (room, rest) = room(&heard);
    let wanted = word(rest).0;
    match Preset::ALL.into_iter().find(|preset| preset.word().eq_ignore_ascii_case(wanted)) {
        Some(preset) => change(dialogue, room, RoomChange::Preset(preset)),
        None => not_so(dialogue, heard),
    }
}

fn set<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (room, rest) = room(&heard);
    let (wanted, rest) = word(rest);
    match (flag_of_word(wanted), word(rest).0.to_ascii_uppercase().as_str()) {
        (Some(flag), "ON") => change(dialogue, room, RoomChange::Flag { flag, on: true }),
        (Some(flag), "OFF") => change(dialogue, room, RoomChange::Flag { flag, on: false }),
        _ => not_so(dialogue, heard),
    }
}

fn affiliate<'a>(dialogue: &mut Dialogue, heard: &Heard<'a, '_>, affiliation: Affiliation) -> Do<'a> {
    let (room, rest) = room(heard);
    let whom = word(rest).0;
    change(dialogue, room, RoomChange::Affiliate { affiliation, whom, terms: Terms::NONE })
}

fn owner<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    affiliate(dialogue, &heard, Affiliation::Owner)
}

fn admin<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    affiliate(dialogue, &heard, Affiliation::Admin)
}

fn member<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    affiliate(dialogue, &heard, Affiliation::Member)
}

fn remove<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    affiliate(dialogue, &heard, Affiliation::None)
}

/// `[<time>] [<reason>]`
fn terms(text: &str) -> Terms<'_> {
    let (first, rest) = word(text);
    match seconds_of(first) {
        Some(seconds) => Terms { reason: rest, seconds: Some(seconds) },
        None => Terms { reason: text, seconds: None },
    }
}

/// Whether somebody is meant by a mask, and not by a name.
fn is_mask(whom: &str) -> bool {
    whom.contains(['!', '@', '*', '?']) || whom.starts_with('~')
}

/// A change of a list of masks, where the mask is one.
fn change_masks<'a>(
    dialogue: &mut Dialogue,
    heard: Heard<'a, '_>,
    of: impl FnOnce(&'a str) -> RoomChange<'a>,
) -> Do<'a> {
    match heard.mask {
        "" => not_so(dialogue, heard),
        mask => change(dialogue, room(&heard).0, of(mask)),
    }
}

fn ban<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (room, rest) = room(&heard);
    let (whom, rest) = word(rest);
    let terms = terms(rest);
    let list = MaskList::Bans;
    match is_mask(whom) {
        true => change_masks(dialogue, heard, |mask| RoomChange::AddMask { list, mask, terms }),
        false => {
            change(dialogue, room, RoomChange::Affiliate { affiliation: Affiliation::Outcast, whom, terms })
        }
    }
}

fn unban<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (room, rest) = room(&heard);
    let whom = word(rest).0;
    let list = MaskList::Bans;
    match is_mask(whom) {
        true => change_masks(dialogue, heard, |mask| RoomChange::RemoveMask { list, mask }),
        false => change(dialogue, room, RoomChange::Unaffiliate { affiliation: Affiliation::Outcast, whom }),
    }
}

fn mute<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let terms = terms(word(room(&heard).1).1);
    change_masks(dialogue, heard, |mask| RoomChange::AddMask { list: MaskList::Mutes, mask, terms })
}

fn unmute<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    change_masks(dialogue, heard, |mask| RoomChange::RemoveMask { list: MaskList::Mutes, mask })
}

fn list<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (room, rest) = room(&heard);
    let affiliation = match word(rest).0.to_ascii_uppercase().as_str() {
        "" => None,
        "OWNERS" => Some(Affiliation::Owner),
        "ADMINS" => Some(Affiliation::Admin),
        "MEMBERS" => Some(Affiliation::Member),
        "OUTCASTS" => Some(Affiliation::Outcast),
        "WISHES" => return ask(dialogue, Command::ListWishes { room }),
        _ => return not_so(dialogue, heard),
    };
    ask_pages(dialogue, Command::ListMembers { room, affiliation, after: heard.after })
}

fn wish(text: &str) -> Option<Wish> {
    match text.to_ascii_uppercase().as_str() {
        "VOICE" => Some(Wish::Voice),
        "MEMBERSHIP" => Some(Wish::Membership),
        _ => None,
    }
}

/// How it is written here.
pub fn word_of(wish: Wish) -> &'static str {
    match wish {
        Wish::Voice => "VOICE",
        Wish::Membership => "MEMBERSHIP",
    }
}

fn ask_for<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (room, rest) = room(&heard);
    let (what, text) = word(rest);
    match wish(what) {
        Some(wish) => ask(dialogue, Command::Wish { room, wish, text }),
        None => not_so(dialogue, heard),
    }
}

fn decide<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>, grant: bool) -> Do<'a> {
    let (room, rest) = room(&heard);
    let (who, rest) = word(rest);
    match wish(word(rest).0) {
        Some(wish) => ask(dialogue, Command::Decide { room, who, wish, grant }),
        None => not_so(dialogue, heard),
    }
}

fn grant<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    decide(dialogue, heard, true)
}

fn deny<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    decide(dialogue, heard, false)
}

fn reserve<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (room, rest) = room(&heard);
    ask(dialogue, Command::ReserveName { room, name: word(rest).0 })
}

fn rename<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (room, rest) = room(&heard);
    let (to, text) = word(rest);
    ask(dialogue, Command::RenameRoom { room, to, text })
}

fn destroy<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (room, rest) = room(&heard);
    let (first, behind) = word(rest);
    let (instead, text) = if first.starts_with('#') { (first, behind) } else { ("", rest) };
    ask(dialogue, Command::Destroy { room, text, instead })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::flags::flag_word;

    #[test]
    fn a_time_may_stand_in_front_of_a_reason() {
        let rows = [
            ("", Terms::NONE),
            ("2h", Terms { reason: "", seconds: Some(7_200) }),
            ("7d too loud", Terms { reason: "too loud", seconds: Some(604_800) }),
            ("too loud", Terms { reason: "too loud", seconds: None }),
            ("2 loud", Terms { reason: "2 loud", seconds: None }),
        ];
        for (text, expected) in rows {
            assert_eq!(terms(text), expected, "{text:?}");
        }
    }

    #[test]
    fn help_names_every_setting_and_preset() {
        let row = |name| CHANSERV.rows.iter().find(|row| row.name == name).expect("a row");
        let set = row("SET").text.join(" ");
        assert!(Flag::ALL.iter().all(|flag| set.contains(flag_word(*flag))), "{set}");
        assert!(Preset::ALL.iter().all(|preset| row("PRESET").params.contains(preset.word())));
    }
}
