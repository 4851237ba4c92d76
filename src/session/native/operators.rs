//! What operators of the server do and see, in frames. Whether one is an operator, the hub knows.

use super::{refused, unknown_request};
use crate::hub::record::BanRecord;
use crate::hub::{AccountView, Command, Figure, RequestId, RoomRef, SessionId, SessionView};
use crate::session::Step;
use crate::wire::frame::{self, ListEntries, RowEntry, put_list, put_row};
use crate::wire::{AdministerCode, Kind, ListServerCode, RawFrame, RefusalCode};
use std::net::IpAddr;

pub(super) fn administer<'a>(
    raw: &RawFrame<'a>,
    asked: frame::Administer<'a>,
    out: &mut Vec<u8>,
) -> Step<'a> {
    let frame::Administer { request, what, seconds, value, instead, text } = asked;
    let command = match AdministerCode::from_number(what) {
        Some(AdministerCode::Ban) => {
            let seconds = Some(u64::from(seconds)).filter(|&seconds| seconds > 0);
            Command::Ban { pattern: value, text, seconds }
        }
        Some(AdministerCode::Unban) => Command::Unban { pattern: value },
        Some(AdministerCode::Kill) => Command::Kill { name: value, text },
        Some(AdministerCode::Announce) => Command::Announce { text, to_all: true },
        Some(AdministerCode::DropAccount) => Command::DropAccount { name: value },
        Some(AdministerCode::DestroyRoom) => Command::Destroy { room: RoomRef::Named(value), text, instead },
        None => return unknown_request(raw, out),
    };
    Step::Command { used: raw.len(), request: RequestId(request), command }
}

pub(super) fn list<'a>(raw: &RawFrame<'a>, asked: frame::ListServer<'a>, out: &mut Vec<u8>) -> Step<'a> {
    let frame::ListServer { request, what, after } = asked;
    let command = match ListServerCode::from_number(what) {
        Some(ListServerCode::Bans) => Command::ListBans { after },
        Some(ListServerCode::Sessions) => match session_behind(after) {
            Some((after, session)) => Command::ListSessions { after, session },
            None => return refused(raw, RefusalCode::BadText, NO_SESSION, out),
        },
        Some(ListServerCode::Accounts) => Command::ListAccounts { after },
        Some(ListServerCode::Status) => Command::ShowStatus { after },
        None => return unknown_request(raw, out),
    };
    Step::Command { used: raw.len(), request: RequestId(request), command }
}

const NO_SESSION: &str = "a list of sessions goes on behind a name, or behind a name, a space and a number";

/// A name, and perhaps a space and the number of a session.
fn session_behind(after: &str) -> Option<(&str, Option<SessionId>)> {
    match after.split_once(' ') {
        Some((name, number)) => Some((name, Some(SessionId(number.parse().ok()?)))),
        None => Some((after, None)),
    }
}

/// As many rows as fit.
fn put_rows<T>(
    request: u32,
    body_max: u16,
    (items, more): (&[T], bool),
    put: impl Fn(&mut Vec<u8>, &T),
    out: &mut Vec<u8>,
) {
    let mut rows = Vec::new();
    items.iter().for_each(|item| put(&mut rows, item));
    let rows: ListEntries<'_, RowEntry<'_>> = ListEntries::of_encoded(&rows);
    put_list(out, Kind::ServerList, 0, request, body_max, rows.iter(), more);
}

pub(super) fn put_bans(
    request: u32,
    body_max: u16,
    (entries, more): (&[&BanRecord], bool),
    out: &mut Vec<u8>,
) {
    let put = |row: &mut Vec<u8>, ban: &&BanRecord| {
        let note = &ban.note;
        let until = note.until_millis.map_or(String::new(), |until| until.to_string());
        put_row(row, &[&ban.pattern, &note.by, &note.reason, &note.at_millis.to_string(), &until]);
    };
    put_rows(request, body_max, (entries, more), put, out);
}

pub(super) fn put_sessions(
    request: u32,
    body_max: u16,
    (entries, more): (&[SessionView<'_>], bool),
    out: &mut Vec<u8>,
) {
    let put = |row: &mut Vec<u8>, view: &SessionView<'_>| {
        let columns = [
            view.name,
            &view.session.0.to_string(),
            view.account.unwrap_or_default(),
            &view.address.as_ref().map_or(String::new(), IpAddr::to_string),
            &view.rooms.to_string(),
            &view.online_seconds.to_string(),
            &view.heard_seconds.to_string(),
        ];
        put_row(row, &columns);
    };
    put_rows(request, body_max, (entries, more), put, out);
}

pub(super) fn put_accounts(
    request: u32,
    body_max: u16,
    (entries, more): (&[AccountView<'_>], bool),
    out: &mut Vec<u8>,
) {
    let put = |row: &mut Vec<u8>, view: &AccountView<'_>| {
        put_row(row, &[view.name, &view.made_millis.to_string(), &view.sessions.to_string()]);
    };
    put_rows(request, body_max, (entries, more), put, out);
}

pub(super) fn put_status(request: u32, body_max: u16, figures: &[Figure], out: &mut Vec<u8>) {
    let put = |row: &mut Vec<u8>, Figure { name, value }: &Figure| put_row(row, &[name, value]);
    put_rows(request, body_max, (figures, false), put, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_sessions_goes_on_behind_one_of_them_or_all_of_somebodys() {
        assert_eq!(session_behind(""), Some(("", None)));
        assert_eq!(session_behind("bob"), Some(("bob", None)));
        assert_eq!(session_behind("bob 7"), Some(("bob", Some(SessionId(7)))));
        for bad in ["bob x", "bob ", "bob 7 8", "bob -1"] {
            assert_eq!(session_behind(bad), None, "{bad:?}");
        }
    }
}
