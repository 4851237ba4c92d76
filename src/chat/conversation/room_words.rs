//! What is told of a room, in sentences and lines.

use super::received::span;
use crate::chat::room_command::flag_words;
use crate::wire::frame::{Changed, Grants, Joined, MaskEntry, MemberEntry, Settings, WishEntry};
use crate::wire::{AffiliationCode, ChangeCode, WishCode};
use jiff::Timestamp;

/// What one who enters may not expect: who learns who they are, and whether it is kept what they say (XEP-0045 §7.2.3,
/// §7.2.12).
pub fn warning(joined: &Joined<'_>) -> String {
    let is = |code: ChangeCode| joined.flags & 1 << code.number() != 0;
    let who = if is(ChangeCode::SemiAnonymous) {
        format!("only admins can find out who you are; for the others you are {}", joined.you)
    } else {
        "everybody sees who you are".to_owned()
    };
    let kept = if is(ChangeCode::NoHistory) { "" } else { ", and what is said may be kept" };
    format!("in {} {who}{kept}", joined.room)
}

/// What has changed about a room, in one sentence.
pub fn change(Changed { by, change, on, seconds, value, reason }: Changed<'_>, room: &str) -> String {
    let is_on = on != 0;
    let either = |yes: &str, no: &str| if is_on { yes.to_owned() } else { no.to_owned() };
    let listed =
        |what: &str| if is_on { format!("{what} {value}") } else { format!("no longer {what} {value}") };
    let has = |what: &str| match is_on {
        true => format!("has {value} as {what}"),
        false => format!("has {value} as {what} no more"),
    };
    let what = match ChangeCode::from_number(change) {
        Some(ChangeCode::Hidden) => either("is hidden", "is hidden no more"),
        Some(ChangeCode::MembersOnly) => either("is for members only", "is open to everybody"),
        Some(ChangeCode::Moderated) => either("is moderated", "is moderated no more"),
        Some(ChangeCode::ClosedToOutsiders) => either("is closed to outsiders", "takes words from outside"),
        Some(ChangeCode::SubjectLocked) => {
            either("leaves its subject to moderators", "lets everybody set its subject")
        }
        Some(ChangeCode::NoControlMessages) => either("takes no control messages", "takes control messages"),
        Some(ChangeCode::Persistent) => either("lasts", "ends when the last one leaves"),
        Some(ChangeCode::SemiAnonymous) => {
            either("shows who somebody is to its admins alone", "shows everybody who is who")
        }
        Some(ChangeCode::NoHistory) => either("keeps nothing of what is said", "keeps what is said"),
        Some(ChangeCode::VisitorsPassive) => either(
            "lets visitors do nothing but listen",
            "lets visitors whisper, invite and change their names",
        ),
        Some(ChangeCode::ModeratorsInvite) => {
            either("leaves inviting to moderators", "lets everybody invite")
        }
        Some(ChangeCode::SubjectOpen) => {
            either("lets visitors set its subject, too", "lets no visitors set its subject")
        }
        Some(ChangeCode::Owner) => has("an owner"),
        Some(ChangeCode::Admin) => has("an admin"),
        Some(ChangeCode::Member) => has("a member"),
        Some(ChangeCode::Unaffiliated) => format!("has {value} on no list any more"),
        Some(ChangeCode::Outcast) => listed("bans"),
        Some(ChangeCode::Mute) => listed("mutes"),
        Some(ChangeCode::Password) => either("has a password now", "has no password any more"),
        Some(ChangeCode::OccupantsMax) if is_on => format!("takes {value} at most"),
        Some(ChangeCode::OccupantsMax) => "takes as many as the server allows".to_owned(),
        Some(ChangeCode::Moderator) => has("a moderator"),
        Some(ChangeCode::Voice) if is_on => format!("gives {value} a voice"),
        Some(ChangeCode::Voice) => format!("takes the voice of {value}"),
        Some(ChangeCode::Ban) => listed("bans"),
        Some(ChangeCode::BanException) => listed("excepts from its bans"),
        Some(ChangeCode::InviteException) => listed("lets in without an invitation"),
        Some(ChangeCode::Preset) | None => "has changed in a way that this client does not know".to_owned(),
    };
    let time = if seconds == 0 { String::new() } else { format!(" for {}", span(seconds)) };
    let reason = if reason.is_empty() { String::new() } else { format!(", because {reason}") };
    match by {
        "" => format!("{room} {what}{time}{reason} (its time was over)"),
        by => format!("{room} {what}{time}{reason} (set by {by})"),
    }
}

/// What a room is set to.
pub fn settings_line(settings: Settings<'_>) -> String {
    let Settings { flags, occupants_max, made_millis, has_password, password, .. } = settings;
    let mut words: Vec<String> = flag_words(flags).map(str::to_owned).collect();
    if words.is_empty() {
        words.push("open to everybody".to_owned());
    }
    match (has_password, password) {
        (0, _) => {}
        (_, "") => words.push("has a password".to_owned()),
        (_, password) => words.push(format!("has the password {password}")),
    }
    if occupants_max != 0 {
        words.push(format!("takes {occupants_max} at most"));
    }
    words.push(format!("made {}", moment(made_millis)));
    words.join(", ")
}

pub fn member_line(entry: MemberEntry<'_>) -> String {
    let MemberEntry { account, affiliation, grants, reserved, by, at_millis, until_millis, reason } = entry;
    let affiliation = match AffiliationCode::from_number(affiliation) {
        Some(AffiliationCode::Owner) => "owner",
        Some(AffiliationCode::Admin) => "admin",
        Some(AffiliationCode::Member) => "member",
        Some(AffiliationCode::Outcast) => "outcast",
        Some(AffiliationCode::None) | None => "nothing in particular",
    };
    let voice = if grants & Grants::VOICE != 0 { ", has a voice" } else { "" };
    let muted = if grants & Grants::MUTED != 0 { ", is muted" } else { "" };
    let reserved = if reserved.is_empty() { String::new() } else { format!(", is {reserved} there") };
    format!("{account}: {affiliation}{voice}{muted}{reserved}{}", note(by, at_millis, until_millis, reason))
}

pub fn mask_line(entry: MaskEntry<'_>) -> String {
    let MaskEntry { mask, by, at_millis, until_millis, reason } = entry;
    format!("{mask}{}", note(by, at_millis, until_millis, reason))
}

pub fn wish_line(WishEntry { who, wish, text }: WishEntry<'_>) -> String {
    let words = if text.is_empty() { String::new() } else { format!(": {text}") };
    format!("{who} asks for {}{words}", wished_words(wish))
}

pub fn wished_words(wish: u8) -> &'static str {
    match WishCode::from_number(wish) {
        Some(WishCode::Voice) => "a voice",
        Some(WishCode::Membership) => "membership",
        None => "something that this client does not know",
    }
}

/// Who did it, when, for how long, and why.
fn note(by: &str, at_millis: u64, until_millis: u64, reason: &str) -> String {
    let by = if by.is_empty() { String::new() } else { format!(" (by {by}, {})", moment(at_millis)) };
    let until = if until_millis == 0 { String::new() } else { format!(", until {}", moment(until_millis)) };
    let reason = if reason.is_empty() { String::new() } else { format!(", because {reason}") };
    format!("{by}{until}{reason}")
}

/// To the minute, as everybody on earth understands it.
pub(super) fn moment(millis: u64) -> String {
    let moment = i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    moment.map_or_else(String::new, |moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
