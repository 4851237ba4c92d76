//! What is typed behind `/room`: sentences of those who run a room, and of those who want something of them.

use super::command::split_word;
use crate::hub::Preset;
use crate::wire::irc::mask::hostmask;
use crate::wire::{AffiliationCode, ChangeCode, WishCode, seconds_of};
use std::borrow::Cow;

/// What is to become of a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoomCommand<'a> {
    Help,
    Show,
    Change(Wanted<'a>),
    List(Listed),
    Kick {
        who: &'a str,
        reason: &'a str,
    },
    Invite(&'a str),
    /// `room`: one that the user is not in.
    Ask {
        wish: WishCode,
        room: Option<&'a str>,
        text: &'a str,
    },
    Decide {
        wish: WishCode,
        who: &'a str,
        grant: bool,
    },
    /// Empty: none any more.
    Reserve(&'a str),
    Rename {
        to: &'a str,
        reason: &'a str,
    },
    Destroy {
        instead: Option<&'a str>,
        reason: &'a str,
    },
}

/// A change of a room, as its frame has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted<'a> {
    pub change: ChangeCode,
    pub on: bool,
    pub seconds: u32,
    pub value: Cow<'a, str>,
    pub reason: &'a str,
}

/// A list that a room has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listed {
    /// [`AffiliationCode::None`]: all who are something to the room.
    Members(AffiliationCode),
    /// By the code of its changes.
    Masks(ChangeCode),
    Wishes,
}

pub const HELP: &[&str] = &[
    "Behind /room a name with its # may come first, as in /room #tea show; else it is about the target.",
    "/room show                             what the room is set to",
    "/room set WHAT on|off                  WHAT: hidden, members-only, moderated, closed, subject-locked, \
     no-control-messages, persistent, anonymous, no-history, visitors-passive, moderators-invite, subject-open",
    "/room set password WORD|off            what has to be said to enter, as in /join #tea WORD",
    "/room set limit NUMBER|off             how many it takes",
    "/room preset WORD                      public, private, announce, anonymous or club",
    "/room owner|admin|member NAME          what somebody's account is to the room; /room none NAME: nothing any more",
    "/room moderator|voice NAME [off]       give somebody a role, or take it: for this visit, but an account keeps its voice",
    "/room ban NAME|MASK [for TIME] [because WORDS]   keep an account out, or whoever NAME!USER@HOST matches",
    "/room mute NAME|MASK [for TIME] [because WORDS]  keep them from speaking; a member: /room mute ~a:ACCOUNT",
    "/room unban|unmute NAME|MASK           undo that",
    "/room kick NAME [because WORDS]        make somebody leave",
    "/room invite NAME                      let somebody in, and tell them",
    "/room except NAME|MASK                 no ban by a mask is for them; /room unexcept undoes it",
    "/room admit NAME|MASK                  they enter though the room is for members only; /room unadmit undoes it",
    "/room list WHAT                        WHAT: members, admins, owners, outcasts, bans, mutes, exceptions, \
     admitted or wishes",
    "/room ask voice|membership [WORDS]     ask those who can grant it; from outside: /room #tea ask membership",
    "/room grant|deny voice|membership NAME what becomes of somebody's wish",
    "/room reserve NAME|-                   a name that nobody else may have in the room, or none any more",
    "/room rename ROOM [because WORDS]      give the room another name",
    "/room destroy [go ROOM] [because WORDS]  end it, and say where to go",
];

/// The longest mask that is sent, in bytes; the server may take less.
const MASK_BYTES_MAX: usize = 255;

/// The words for what is on in a room whose flags are these bits.
pub fn flag_words(flags: u16) -> impl Iterator<Item = &'static str> {
    ChangeCode::flags().filter(move |(code, _)| flags & 1 << code.number() != 0).map(|(_, word)| word)
}

/// The room that is named, if one is, and what is to become of it.
///
/// # Errors
/// A sentence for the one who typed it.
pub fn parse(args: &str) -> Result<(Option<&str>, RoomCommand<'_>), String> {
    let (first, behind) = split_word(args);
    let (room, (verb, args)) =
        if first.starts_with('#') { (Some(first), split_word(behind)) } else { (None, (first, behind)) };
    let command = match verb {
        "" | "show" => nothing(args, "/room show").map(|()| RoomCommand::Show),
        "help" | "?" => Ok(RoomCommand::Help),
        "set" => set(args),
        "preset" => preset(args),
        "list" => list(args),
        "ask" => ask(room, args),
        "grant" | "deny" => decide(verb, args),
        "kick" => kick(args),
        "invite" => Ok(RoomCommand::Invite(one(args, "/room invite NAME")?)),
        "reserve" => {
            let name = one(args, "/room reserve NAME, or /room reserve - for none")?;
            Ok(RoomCommand::Reserve(if name == "-" { "" } else { name }))
        }
        "rename" => rename(args),
        "destroy" => destroy(args),
        "ban" | "mute" | "except" | "admit" => keep_out(verb, args),
        "unban" | "unmute" | "unexcept" | "unadmit" => let_in(verb, args),
        "moderator" | "voice" => grant_role(verb, args),
        "owner" | "admin" | "member" | "none" => affiliate(verb, args),
        _ => Err(format!("there is no /room {verb}; /room help lists what there is")),
    };
    Ok((room, command?))
}

fn set(args: &str) -> Result<RoomCommand<'_>, String> {
    let usage = "/room set WHAT on, or off; /room help lists what can be set";
    let (what, value) = split_word(args);
    let value = one(value, usage)?;
    let on = value != "off";
    let change = match what {
        "password" => ChangeCode::Password,
        "limit" if on && !value.parse::<u32>().is_ok_and(|limit| limit > 0) => {
            return Err(format!("{value} is no limit: /room set limit NUMBER, or off"));
        }
        "limit" => ChangeCode::OccupantsMax,
        _ => {
            let (code, _) = ChangeCode::flags()
                .find(|(_, word)| *word == what)
                .ok_or_else(|| format!("a room has no {what}: {usage}"))?;
            if !["on", "off"].contains(&value) {
                return Err(format!("{what} is on or off, not {value}: /room set {what} on"));
            }
            return Ok(changed(code, on, ""));
        }
    };
    Ok(changed(change, on, if on { value } else { "" }))
}

fn preset(args: &str) -> Result<RoomCommand<'_>, String> {
    let presets = Preset::ALL.map(Preset::word);
    let usage = format!("/room preset WORD, where WORD is one of {}", presets.join(", "));
    let word = one(args, &usage)?;
    if presets.contains(&word) {
        Ok(changed(ChangeCode::Preset, true, word))
    } else {
        Err(format!("there is no preset {word}: {usage}"))
    }
}

fn list(args: &str) -> Result<RoomCommand<'_>, String> {
    let usage = "/room list members, admins, owners, outcasts, bans, mutes, exceptions, admitted or wishes";
    Ok(RoomCommand::List(match one(args, usage)? {
        "members" => Listed::Members(AffiliationCode::None),
        "admins" => Listed::Members(AffiliationCode::Admin),
        "owners" => Listed::Members(AffiliationCode::Owner),
        "outcasts" => Listed::Members(AffiliationCode::Outcast),
        "bans" => Listed::Masks(ChangeCode::Ban),
        "mutes" => Listed::Masks(ChangeCode::Mute),
        "exceptions" => Listed::Masks(ChangeCode::BanException),
        "admitted" => Listed::Masks(ChangeCode::InviteException),
        "wishes" => Listed::Wishes,
        other => return Err(format!("a room has no list of {other}: {usage}")),
    }))
}

fn ask<'a>(room: Option<&'a str>, args: &'a str) -> Result<RoomCommand<'a>, String> {
    let (what, text) = split_word(args);
    Ok(RoomCommand::Ask { wish: wish(what, "/room ask voice, or /room ask membership")?, room, text })
}

fn decide<'a>(verb: &str, args: &'a str) -> Result<RoomCommand<'a>, String> {
    let usage = format!("/room {verb} voice NAME, or /room {verb} membership NAME");
    let (what, who) = split_word(args);
    Ok(RoomCommand::Decide { wish: wish(what, &usage)?, who: one(who, &usage)?, grant: verb == "grant" })
}

fn wish(word: &str, usage: &str) -> Result<WishCode, String> {
    match word {
        "voice" => Ok(WishCode::Voice),
        "membership" => Ok(WishCode::Membership),
        _ => Err(format!("what is it about? {usage}")),
    }
}

fn kick(args: &str) -> Result<RoomCommand<'_>, String> {
    let (who, words) = split_word(args);
    let who = one(who, "/room kick NAME because WORDS")?;
    // Why somebody has to leave is often said without `because`.
    Ok(RoomCommand::Kick { who, reason: behind_word("because", words).unwrap_or(words) })
}

fn rename(args: &str) -> Result<RoomCommand<'_>, String> {
    let usage = "/room rename ROOM because WORDS";
    let (to, words) = split_word(args);
    Ok(RoomCommand::Rename { to: one(to, usage)?, reason: reason(words, usage)? })
}

fn destroy(args: &str) -> Result<RoomCommand<'_>, String> {
    let usage = "/room destroy go ROOM because WORDS; all but destroy may be left out";
    let (instead, words) = match behind_word("go", args) {
        Some(behind) => {
            let (room, words) = split_word(behind);
            (Some(one(room, usage)?), words)
        }
        None => (None, args),
    };
    Ok(RoomCommand::Destroy { instead, reason: reason(words, usage)? })
}

fn keep_out<'a>(verb: &str, args: &'a str) -> Result<RoomCommand<'a>, String> {
    let usage = format!("/room {verb} NAME for 2h because WORDS; for and because may be left out");
    let (whom, words) = split_word(args);
    let whom = one(whom, &usage)?;
    let (span, words) = match behind_word("for", words) {
        None => (None, words),
        Some(behind) => match find_word(behind, "because") {
            Some(at) => {
                let (span, words) = behind.split_at(at);
                (Some(span), words)
            }
            None => (Some(behind), ""),
        },
    };
    let seconds = match span.map(str::trim) {
        None => 0,
        Some(span) => seconds_of(span)
            .and_then(|seconds| u32::try_from(seconds).ok())
            .ok_or_else(|| format!("{span:?} is no time; write 30m, 2h or 7d: {usage}"))?,
    };
    let (change, value) = kept_out(verb, whom)?;
    Ok(RoomCommand::Change(Wanted { change, on: true, seconds, value, reason: reason(words, &usage)? }))
}

fn let_in<'a>(verb: &str, args: &'a str) -> Result<RoomCommand<'a>, String> {
    let whom = one(args, &format!("/room {verb} NAME, or /room {verb} MASK"))?;
    let (change, value) = kept_out(verb.trim_start_matches("un"), whom)?;
    Ok(RoomCommand::Change(Wanted { change, on: false, seconds: 0, value, reason: "" }))
}

/// A ban by name is one of an account; a mask says itself whom it is for, and of a name elsewhere
/// a mask is made.
fn kept_out<'a>(verb: &str, whom: &'a str) -> Result<(ChangeCode, Cow<'a, str>), String> {
    let is_mask = whom.contains(['*', '?', '!', '@']) || whom.starts_with('~');
    if verb == "ban" && !is_mask {
        return Ok((ChangeCode::Outcast, whom.into()));
    }
    let code = match verb {
        "ban" => ChangeCode::Ban,
        "except" => ChangeCode::BanException,
        "admit" => ChangeCode::InviteException,
        _ => ChangeCode::Mute,
    };
    let mask = hostmask(whom, MASK_BYTES_MAX).map_err(|_| {
        format!("{whom} is no mask; write NAME!USER@HOST, where * stands for anything: /room {verb} *!*@host")
    })?;
    Ok((code, mask.into()))
}

fn grant_role<'a>(verb: &str, args: &'a str) -> Result<RoomCommand<'a>, String> {
    let usage = format!("/room {verb} NAME, or /room {verb} NAME off");
    let (who, behind) = split_word(args);
    let who = one(who, &usage)?;
    let on = match behind {
        "" | "on" => true,
        "off" => false,
        _ => return Err(format!("{behind:?} was not understood: {usage}")),
    };
    Ok(changed(if verb == "voice" { ChangeCode::Voice } else { ChangeCode::Moderator }, on, who))
}

fn affiliate<'a>(verb: &str, args: &'a str) -> Result<RoomCommand<'a>, String> {
    let usage = format!("/room {verb} NAME because WORDS; because may be left out");
    let (whom, words) = split_word(args);
    let change = match verb {
        "owner" => ChangeCode::Owner,
        "admin" => ChangeCode::Admin,
        "member" => ChangeCode::Member,
        _ => ChangeCode::Unaffiliated,
    };
    let (value, reason) = (one(whom, &usage)?.into(), reason(words, &usage)?);
    Ok(RoomCommand::Change(Wanted { change, on: true, seconds: 0, value, reason }))
}

fn changed(change: ChangeCode, on: bool, value: &str) -> RoomCommand<'_> {
    RoomCommand::Change(Wanted { change, on, seconds: 0, value: value.into(), reason: "" })
}

fn nothing(args: &str, usage: &str) -> Result<(), String> {
    match args {
        "" => Ok(()),
        _ => Err(format!("{args:?} was not understood: {usage}")),
    }
}

fn one<'a>(args: &'a str, usage: &str) -> Result<&'a str, String> {
    match split_word(args) {
        ("", _) => Err(format!("that needs more: {usage}")),
        (word, "") => Ok(word),
        _ => Err(format!("one word is enough, not {args:?}: {usage}")),
    }
}

/// What follows `because`.
fn reason<'a>(words: &'a str, usage: &str) -> Result<&'a str, String> {
    match behind_word("because", words) {
        Some("") => Err(format!("because of what? {usage}")),
        Some(reason) => Ok(reason),
        None => nothing(words, usage).map(|()| ""),
    }
}

fn behind_word<'a>(word: &str, text: &'a str) -> Option<&'a str> {
    let (first, behind) = split_word(text);
    (first == word).then_some(behind)
}

/// Where a word begins that stands alone.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let mut at = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        if piece.trim_end() == word {
            return Some(at);
        }
        at += piece.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change<'a>(change: ChangeCode, on: bool, value: &'a str) -> RoomCommand<'a> {
        changed(change, on, value)
    }

    fn for_a_time<'a>(change: ChangeCode, seconds: u32, value: &'a str, reason: &'a str) -> RoomCommand<'a> {
        RoomCommand::Change(Wanted { change, on: true, seconds, value: value.into(), reason })
    }

    #[test]
    fn sentences_are_understood() {
        use ChangeCode as C;
        for (line, expected) in [
            ("", RoomCommand::Show),
            ("show", RoomCommand::Show),
            ("set moderated on", change(C::Moderated, true, "")),
            ("set anonymous off", change(C::SemiAnonymous, false, "")),
            ("set password sesame", change(C::Password, true, "sesame")),
            ("set password off", change(C::Password, false, "")),
            ("set limit 25", change(C::OccupantsMax, true, "25")),
            ("preset announce", change(C::Preset, true, "announce")),
            ("owner ann", change(C::Owner, true, "ann")),
            ("none  ann", change(C::Unaffiliated, true, "ann")),
            ("member ann because she asked", for_a_time(C::Member, 0, "ann", "she asked")),
            ("moderator bob", change(C::Moderator, true, "bob")),
            ("voice bob off", change(C::Voice, false, "bob")),
            ("ban bob", change(C::Outcast, true, "bob")),
            ("ban bob for 2h", for_a_time(C::Outcast, 7_200, "bob", "")),
            ("ban bob for 1d 12h because of  that", for_a_time(C::Outcast, 129_600, "bob", "of  that")),
            ("ban *.example because spam", for_a_time(C::Ban, 0, "*!*@*.example", "spam")),
            ("ban *!*@host", change(C::Ban, true, "*!*@host")),
            ("mute bob for 30m", for_a_time(C::Mute, 1_800, "bob!*@*", "")),
            ("mute ~a:bob", change(C::Mute, true, "~a:bob")),
            ("unban bob", change(C::Outcast, false, "bob")),
            ("unban *!*@host", change(C::Ban, false, "*!*@host")),
            ("unmute bob", change(C::Mute, false, "bob!*@*")),
            ("except *!*@host", change(C::BanException, true, "*!*@host")),
            ("unexcept bob", change(C::BanException, false, "bob!*@*")),
            ("admit bob for 2h", for_a_time(C::InviteException, 7_200, "bob!*@*", "")),
            ("unadmit bob", change(C::InviteException, false, "bob!*@*")),
            ("kick bob", RoomCommand::Kick { who: "bob", reason: "" }),
            ("kick bob because no", RoomCommand::Kick { who: "bob", reason: "no" }),
            ("kick bob not here", RoomCommand::Kick { who: "bob", reason: "not here" }),
            ("invite bob", RoomCommand::Invite("bob")),
            ("list members", RoomCommand::List(Listed::Members(AffiliationCode::None))),
            ("list bans", RoomCommand::List(Listed::Masks(C::Ban))),
            ("list wishes", RoomCommand::List(Listed::Wishes)),
            ("ask voice please", RoomCommand::Ask { wish: WishCode::Voice, room: None, text: "please" }),
            ("grant voice bob", RoomCommand::Decide { wish: WishCode::Voice, who: "bob", grant: true }),
            (
                "deny membership bob",
                RoomCommand::Decide { wish: WishCode::Membership, who: "bob", grant: false },
            ),
            ("reserve ann", RoomCommand::Reserve("ann")),
            ("reserve -", RoomCommand::Reserve("")),
            ("rename #b because so", RoomCommand::Rename { to: "#b", reason: "so" }),
            ("destroy", RoomCommand::Destroy { instead: None, reason: "" }),
            (
                "destroy go #b because we move",
                RoomCommand::Destroy { instead: Some("#b"), reason: "we move" },
            ),
            ("destroy because so", RoomCommand::Destroy { instead: None, reason: "so" }),
        ] {
            assert_eq!(parse(line), Ok((None, expected)), "{line:?}");
        }
    }

    #[test]
    fn a_room_may_be_named_first() {
        assert_eq!(parse("#tea"), Ok((Some("#tea"), RoomCommand::Show)));
        let ask = RoomCommand::Ask { wish: WishCode::Membership, room: Some("#tea"), text: "" };
        assert_eq!(parse("#tea ask membership"), Ok((Some("#tea"), ask)));
    }

    #[test]
    fn what_is_not_understood_is_told_with_what_to_write() {
        for (line, said) in [
            ("frobnicate", "/room help"),
            ("show all", "/room show"),
            ("set", "/room set WHAT on"),
            ("set moderated", "/room set WHAT on"),
            ("set moderated maybe", "/room set moderated on"),
            ("set colour on", "a room has no colour"),
            ("set limit many", "/room set limit NUMBER"),
            ("set limit 0", "/room set limit NUMBER"),
            ("preset secret", "public, private, announce, anonymous, club"),
            ("owner", "/room owner NAME"),
            ("owner ann bob", "/room owner NAME"),
            ("ban", "/room ban NAME for 2h"),
            ("ban bob for ever", "write 30m, 2h or 7d"),
            ("ban bob for", "write 30m, 2h or 7d"),
            ("ban bob because", "because of what?"),
            ("ban bob he spams", "/room ban NAME for 2h because WORDS"),
            ("voice bob perhaps", "/room voice NAME off"),
            (
                "list colours",
                "members, admins, owners, outcasts, bans, mutes, exceptions, admitted or wishes",
            ),
            ("ask", "/room ask voice, or /room ask membership"),
            ("grant bob", "/room grant voice NAME"),
            ("grant voice", "/room grant voice NAME"),
            ("rename", "/room rename ROOM"),
            ("destroy now", "/room destroy go ROOM"),
            ("destroy go", "/room destroy go ROOM"),
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.contains(said), "{line:?}: {error}");
        }
    }

    #[test]
    fn help_names_every_flag_and_preset() {
        let help = HELP.join("\n");
        assert!(ChangeCode::flags().all(|(_, word)| help.contains(word)), "{help}");
        assert!(Preset::ALL.iter().all(|preset| help.contains(preset.word())), "{help}");
        assert_eq!(flag_words(0b101).collect::<Vec<_>>(), ["hidden", "moderated"]);
    }
}
