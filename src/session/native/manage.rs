//! Frames of those who run a room: what they ask for, as commands, and what they are told.

use super::codes::{
    affiliated, affiliation_code, bits, flag_bits, hub_affiliation, hub_wish, list_code, role_code, wish_code,
};
use super::encode::put;
use crate::hub::record::{MemberRecord, Wish};
use crate::hub::{
    Affiliation, ChannelId, Command, Flag, Flags, KnownPassword, MaskEntry, MaskList, MemberView, Preset,
    Role, RoomChange, RoomRef, Terms, WishView,
};
use crate::session::flags::flag_code;
use crate::wire::frame::{self, Grants, put_list};
use crate::wire::{AffiliationCode, ChangeCode, Frame, Kind, RefusalCode, WishCode};

/// Why a frame asks for nothing that there is.
pub(super) type Why = (RefusalCode, &'static str);

pub(super) const UNKNOWN_REQUEST: Why =
    (RefusalCode::UnknownRequest, "a client cannot ask for that, or this server does not know it");
const NO_SUCH_CHANGE: Why = (RefusalCode::UnknownRequest, "there is no such change of a room");
const NO_SUCH_AFFILIATION: Why = (RefusalCode::UnknownRequest, "there is no such affiliation");
const NO_SUCH_LIST: Why = (RefusalCode::UnknownRequest, "a room has no such list");
const NO_SUCH_WISH: Why =
    (RefusalCode::UnknownRequest, "there is no such wish; ask for a voice, or for membership");
const NO_SUCH_PRESET: Why = (
    RefusalCode::BadText,
    "there is no such preset; there are public, private, announce, anonymous and club",
);
const ONLY_ON: Why = (RefusalCode::UnknownRequest, "that is not undone; say what is to be in its place");

/// The request id and the command of a frame with which somebody runs a room.
///
/// # Errors
/// [`Why`] the frame asks for nothing that there is.
pub(super) fn command<'a>(room: RoomRef<'a>, frame: Frame<'a>) -> Result<(u32, Command<'a>), Why> {
    Ok(match frame {
        Frame::Change(f) => (f.request, change(room, f)?),
        Frame::ShowSettings(f) => (f.request, Command::ShowSettings { room }),
        Frame::ReserveName(f) => (f.request, Command::ReserveName { room, name: f.name }),
        Frame::ListMembers(f) => (f.request, list_members(room, f)?),
        Frame::ListMasks(f) => (f.request, list_masks(room, f)?),
        Frame::Kick(f) => (f.request, Command::Kick { room, who: f.who, text: f.text }),
        Frame::Invite(f) => (f.request, Command::Invite { room, who: f.who }),
        Frame::Destroy(f) => (f.request, Command::Destroy { room, text: f.text, instead: f.instead }),
        Frame::RenameRoom(f) => (f.request, Command::RenameRoom { room, to: f.to, text: f.text }),
        Frame::Wish(f) => {
            let room = if f.room.is_empty() { room } else { RoomRef::Named(f.room) };
            (f.request, Command::Wish { room, wish: wish(f.wish)?, text: f.text })
        }
        Frame::Decide(f) => {
            let (wish, grant) = (wish(f.wish)?, f.grant != 0);
            (f.request, Command::Decide { room, who: f.who, wish, grant })
        }
        Frame::ListWishes(f) => (f.request, Command::ListWishes { room }),
        _ => return Err(UNKNOWN_REQUEST),
    })
}

fn change<'a>(room: RoomRef<'a>, frame: frame::Change<'a>) -> Result<Command<'a>, Why> {
    let frame::Change { change, on, seconds, value, reason, .. } = frame;
    let on = on != 0;
    let terms = Terms { reason, seconds: (seconds != 0).then_some(seconds.into()) };
    let affiliate = |affiliation| match on {
        true => RoomChange::Affiliate { affiliation, whom: value, terms },
        false => RoomChange::Unaffiliate { affiliation, whom: value },
    };
    let grant = |role| {
        if on { RoomChange::Grant { role, to: value } } else { RoomChange::Revoke { role, from: value } }
    };
    let code = ChangeCode::from_number(change).ok_or(NO_SUCH_CHANGE)?;
    let change = match code {
        ChangeCode::Password => RoomChange::Password(on.then_some(value)),
        // What is no number is none from 1 on, either.
        ChangeCode::OccupantsMax => RoomChange::OccupantsMax(on.then(|| value.parse().unwrap_or(0))),
        ChangeCode::Moderator => grant(Role::Moderator),
        ChangeCode::Voice => grant(Role::Participant),
        ChangeCode::Owner => affiliate(Affiliation::Owner),
        ChangeCode::Admin => affiliate(Affiliation::Admin),
        ChangeCode::Member => affiliate(Affiliation::Member),
        ChangeCode::Unaffiliated if !on => return Err(ONLY_ON),
        ChangeCode::Unaffiliated => affiliate(Affiliation::None),
        ChangeCode::Outcast => affiliate(Affiliation::Outcast),
        ChangeCode::Preset if !on => return Err(ONLY_ON),
        ChangeCode::Preset => {
            let preset = Preset::ALL.into_iter().find(|preset| preset.word() == value);
            RoomChange::Preset(preset.ok_or(NO_SUCH_PRESET)?)
        }
        code => match (flag_of(code), list_of(code)) {
            (Some(flag), _) => RoomChange::Flag { flag, on },
            (None, Some(list)) if on => RoomChange::AddMask { list, mask: value, terms },
            (None, Some(list)) => RoomChange::RemoveMask { list, mask: value },
            (None, None) => return Err(NO_SUCH_CHANGE),
        },
    };
    Ok(Command::Change { room, changes: Box::new([change]) })
}

fn list_members<'a>(room: RoomRef<'a>, frame: frame::ListMembers<'a>) -> Result<Command<'a>, Why> {
    let affiliation = match AffiliationCode::from_number(frame.affiliation).ok_or(NO_SUCH_AFFILIATION)? {
        AffiliationCode::None => None,
        code => Some(hub_affiliation(code)),
    };
    Ok(Command::ListMembers { room, affiliation, after: frame.after })
}

fn list_masks(room: RoomRef<'_>, frame: frame::ListMasks) -> Result<Command<'_>, Why> {
    let list = ChangeCode::from_number(frame.list).and_then(list_of).ok_or(NO_SUCH_LIST)?;
    Ok(Command::ListMasks { room, list, from: frame.from.into() })
}

fn wish(number: u8) -> Result<Wish, Why> {
    WishCode::from_number(number).map(hub_wish).ok_or(NO_SUCH_WISH)
}

fn flag_of(code: ChangeCode) -> Option<Flag> {
    Flag::ALL.into_iter().find(|&flag| flag_code(flag) == code)
}

fn list_of(code: ChangeCode) -> Option<MaskList> {
    MaskList::ALL.into_iter().find(|&list| list_code(list) == code)
}

pub(super) fn put_change(channel: ChannelId, by: &str, change: RoomChange<'_>, out: &mut Vec<u8>) {
    let digits;
    let (change, on, value, terms) = match change {
        RoomChange::Flag { flag, on } => (flag_code(flag), on, "", Terms::NONE),
        RoomChange::Password(password) => {
            (ChangeCode::Password, password.is_some(), password.unwrap_or_default(), Terms::NONE)
        }
        RoomChange::OccupantsMax(None) => (ChangeCode::OccupantsMax, false, "", Terms::NONE),
        RoomChange::OccupantsMax(Some(occupants_max)) => {
            digits = occupants_max.to_string();
            (ChangeCode::OccupantsMax, true, &*digits, Terms::NONE)
        }
        RoomChange::Grant { role, to } => (role_code(role), true, to, Terms::NONE),
        RoomChange::Revoke { role, from } => (role_code(role), false, from, Terms::NONE),
        RoomChange::AddMask { list, mask, terms } => (list_code(list), true, mask, terms),
        RoomChange::RemoveMask { list, mask } => (list_code(list), false, mask, Terms::NONE),
        RoomChange::Affiliate { affiliation, whom, terms } => (affiliated(affiliation), true, whom, terms),
        RoomChange::Unaffiliate { affiliation, whom } => (affiliated(affiliation), false, whom, Terms::NONE),
        // What follows from a change, its own frame says; and a preset is told as the changes that it came to.
        RoomChange::Stands { .. } | RoomChange::Preset(_) => return,
    };
    let Terms { reason, seconds } = terms;
    let seconds = seconds.map_or(0, |seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
    let (change, on) = (change.number(), on.into());
    put(out, channel, &frame::Changed { by, change, on, seconds, value, reason });
}

pub(super) fn put_settings(
    request: u32,
    channel: ChannelId,
    (flags, occupants_max, password, made_millis): (Flags, Option<u32>, KnownPassword<'_>, u64),
    out: &mut Vec<u8>,
) {
    let (has_password, password) = match password {
        KnownPassword::None => (0, ""),
        KnownPassword::Secret => (1, ""),
        KnownPassword::Shown(password) => (1, password),
    };
    let settings = frame::Settings {
        request,
        flags: flag_bits(flags),
        occupants_max: occupants_max.unwrap_or(0),
        made_millis,
        has_password,
        password,
    };
    put(out, channel, &settings);
}

pub(super) fn put_masks(
    request: u32,
    channel: ChannelId,
    body_max: u16,
    (entries, more): (&[MaskEntry], bool),
    out: &mut Vec<u8>,
) {
    let masks = entries.iter().map(|entry| frame::MaskEntry {
        mask: &entry.mask,
        by: &entry.by,
        at_millis: entry.at_millis,
        until_millis: entry.until_millis.unwrap_or(0),
        reason: &entry.reason,
    });
    put_list(out, Kind::Masks, channel.0, request, body_max, masks, more);
}

pub(super) fn put_members(
    request: u32,
    channel: ChannelId,
    body_max: u16,
    (entries, more): (&[MemberView<'_>], bool),
    out: &mut Vec<u8>,
) {
    let members = entries.iter().map(|&MemberView { account, member }| {
        let MemberRecord { affiliation, has_voice, muted, reserved, .. } = member;
        let note = member.note_shown();
        frame::MemberEntry {
            account,
            affiliation: affiliation_code(*affiliation).number(),
            grants: bits(*has_voice, Grants::VOICE) | bits(muted.is_some(), Grants::MUTED),
            reserved: reserved.as_deref().unwrap_or_default(),
            by: &note.by,
            at_millis: note.at_millis,
            until_millis: note.until_millis.unwrap_or(0),
            reason: &note.reason,
        }
    });
    put_list(out, Kind::Members, channel.0, request, body_max, members, more);
}

pub(super) fn put_wishes(
    request: u32,
    channel: ChannelId,
    body_max: u16,
    entries: &[WishView<'_>],
    out: &mut Vec<u8>,
) {
    let wishes = entries.iter().map(|&WishView { who, wish, text }| frame::WishEntry {
        who,
        wish: wish_code(wish).number(),
        text,
    });
    put_list(out, Kind::Wishes, channel.0, request, body_max, wishes, false);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Split;

    const ROOM: RoomRef<'static> = RoomRef::Channel(ChannelId(7));

    fn asked(change: u8, on: u8, value: &'static str) -> frame::Change<'static> {
        frame::Change { request: 1, change, on, seconds: 60, value, reason: "so" }
    }

    /// The frame that tells of a change, once it is made as it was asked for.
    fn told(command: Command<'_>) -> Vec<u8> {
        let Command::Change { changes, .. } = command else { panic!("{command:?}") };
        let [change] = *changes else { panic!("{changes:?}") };
        let mut out = Vec::new();
        put_change(ChannelId(7), "ann", change, &mut out);
        out
    }

    #[test]
    fn every_change_is_told_as_it_was_asked_for() {
        let lasting =
            [ChangeCode::Ban, ChangeCode::BanException, ChangeCode::InviteException, ChangeCode::Mute];
        let affiliations = ChangeCode::Owner.number()..=ChangeCode::Outcast.number();
        for &code in ChangeCode::ALL.iter().filter(|&&code| code != ChangeCode::Preset) {
            for on in [1, 0] {
                let is_affiliation = affiliations.contains(&code.number());
                let has_value = !Flag::ALL.into_iter().any(|flag| flag_code(flag) == code)
                    && (on == 1 || !matches!(code, ChangeCode::Password | ChangeCode::OccupantsMax));
                let value = if has_value { "25" } else { "" };
                let Ok(command) = change(ROOM, asked(code.number(), on, value)) else {
                    assert_eq!((code, on), (ChangeCode::Unaffiliated, 0));
                    continue;
                };
                let out = told(command);
                let Ok(Split::Frame(raw)) = crate::wire::split(&out, u16::MAX) else { panic!("{code:?}") };
                let has_terms = on == 1 && (is_affiliation || lasting.contains(&code));
                let (seconds, reason) = if has_terms { (60, "so") } else { (0, "") };
                let change = code.number();
                let expected = frame::Changed { by: "ann", change, on, seconds, value, reason };
                assert_eq!(raw.decode(), Ok(Frame::Changed(expected)), "{code:?} {on}");
            }
        }
    }

    #[test]
    fn what_is_not_there_is_refused_by_what_it_would_be() {
        let preset = ChangeCode::Preset.number();
        for (frame, why) in [
            (asked(255, 1, ""), NO_SUCH_CHANGE),
            (asked(preset, 1, "secret"), NO_SUCH_PRESET),
            (asked(preset, 0, "public"), ONLY_ON),
        ] {
            assert_eq!(change(ROOM, frame), Err(why), "{frame:?}");
        }
        for word in ["public", "private", "announce", "anonymous", "club"] {
            assert!(change(ROOM, asked(preset, 1, word)).is_ok(), "{word}");
            assert!(NO_SUCH_PRESET.1.contains(word), "{word}");
        }
        let members = frame::ListMembers { request: 1, affiliation: 5, after: "" };
        assert_eq!(command(ROOM, Frame::ListMembers(members)), Err(NO_SUCH_AFFILIATION));
        let flag = frame::ListMasks { request: 1, list: ChangeCode::Hidden.number(), from: 0 };
        assert_eq!(command(ROOM, Frame::ListMasks(flag)), Err(NO_SUCH_LIST));
        let wish = frame::Wish { request: 1, wish: 2, room: "", text: "" };
        assert_eq!(command(ROOM, Frame::Wish(wish)), Err(NO_SUCH_WISH));
        assert_eq!(command(ROOM, Frame::Done(frame::Done { request: 1 })), Err(UNKNOWN_REQUEST));
    }

    #[test]
    fn a_limit_that_is_no_number_is_one_that_no_room_has() {
        for (value, limit) in [("25", Some(25)), ("many", Some(0)), ("", Some(0)), ("4294967296", Some(0))] {
            let Ok(Command::Change { changes, .. }) =
                change(ROOM, asked(ChangeCode::OccupantsMax.number(), 1, value))
            else {
                panic!("{value:?}")
            };
            assert_eq!(*changes, [RoomChange::OccupantsMax(limit)], "{value:?}");
        }
    }
}
