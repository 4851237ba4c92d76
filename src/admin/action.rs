//! What an operator can do and see.

use super::Error;
use super::link::{Answer, Link};
use super::output::{Column, Meaning, Table};
use crate::net::Key;
use crate::wire::frame::{Administer, ListRooms, ListServer};
use crate::wire::{AdministerCode, Frame, ListServerCode};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    Kill {
        name: String,
        words: String,
    },
    /// `seconds`: 0 until it is undone.
    Ban {
        network: String,
        seconds: u32,
        words: String,
    },
    Unban {
        network: String,
    },
    Announce {
        words: String,
    },
    DropAccount {
        name: String,
    },
    DestroyRoom {
        room: String,
        instead: String,
        words: String,
    },
    Bans,
    Rooms,
    Sessions,
    Accounts,
    Status,
}

impl Action {
    /// What was seen, if that is what it is about.
    pub(super) fn carry_out(&self, link: &mut Link) -> Result<Option<Table>, Error> {
        let view = match self {
            Action::Bans => ListServerCode::Bans,
            Action::Sessions => ListServerCode::Sessions,
            Action::Accounts => ListServerCode::Accounts,
            Action::Status => ListServerCode::Status,
            Action::Rooms => return list_rooms(link).map(Some),
            _ => return self.administer(link).map(|()| None),
        };
        list(link, view).map(Some)
    }

    fn administer(&self, link: &mut Link) -> Result<(), Error> {
        let (what, seconds, value, instead, text) = match self {
            Action::Kill { name, words } => (AdministerCode::Kill, 0, name.as_str(), "", words.as_str()),
            Action::Ban { network, seconds, words } => {
                (AdministerCode::Ban, *seconds, network.as_str(), "", &**words)
            }
            Action::Unban { network } => (AdministerCode::Unban, 0, network.as_str(), "", ""),
            Action::Announce { words } => (AdministerCode::Announce, 0, "", "", &**words),
            Action::DropAccount { name } => (AdministerCode::DropAccount, 0, name.as_str(), "", ""),
            Action::DestroyRoom { room, instead, words } => {
                (AdministerCode::DestroyRoom, 0, room.as_str(), instead.as_str(), &**words)
            }
            Action::Bans | Action::Rooms | Action::Sessions | Action::Accounts | Action::Status => {
                return Ok(());
            }
        };
        let what = what.number();
        match link.ask(|request| Administer { request, what, seconds, value, instead, text })? {
            Answer::Done => Ok(()),
            Answer::Refused { text, .. } => Err(Error::Refused { text }),
            Answer::Frame { .. } => Err(link.strange()),
        }
    }
}

const fn text(name: &'static str) -> Column {
    Column { name, meaning: Meaning::Text }
}

const fn number(name: &'static str) -> Column {
    Column { name, meaning: Meaning::Number }
}

const fn time(name: &'static str) -> Column {
    Column { name, meaning: Meaning::Time }
}

/// The columns of a view, as the protocol has them.
fn columns(view: ListServerCode) -> &'static [Column] {
    match view {
        ListServerCode::Bans => {
            const { &[text("pattern"), text("by"), text("reason"), time("since"), time("until")] }
        }
        ListServerCode::Sessions => {
            const {
                &[
                    text("name"),
                    text("session"),
                    text("account"),
                    text("address"),
                    number("rooms"),
                    number("online-seconds"),
                    number("heard-seconds"),
                ]
            }
        }
        ListServerCode::Accounts => const { &[text("name"), time("made"), number("sessions")] },
        ListServerCode::Status => const { &[text("figure"), number("value")] },
    }
}

/// All pages of a list.
fn list(link: &mut Link, view: ListServerCode) -> Result<Table, Error> {
    let columns = columns(view);
    let mut table = Table { columns, rows: Vec::new() };
    let mut after = String::new();
    loop {
        let what = view.number();
        let answer = link.ask(|request| ListServer { request, what, after: &after })?;
        let (kind, body, is_more) = match answer {
            Answer::Frame { kind, body, is_more } => (kind, body, is_more),
            Answer::Refused { text, .. } => return Err(Error::Refused { text }),
            Answer::Done => return Err(link.strange()),
        };
        let Ok(Frame::ServerList(list)) = Frame::decode(kind as u8, &body) else {
            return Err(link.strange());
        };
        let before = table.rows.len();
        for row in list.rows.iter() {
            // A newer server may have more to say, an older one less.
            let said = row.columns().chain(std::iter::repeat("")).take(columns.len());
            table.rows.push(said.map(str::to_owned).collect());
        }
        let Some(last) = table.rows.get(before..).and_then(<[_]>::last).filter(|_| is_more) else { break };
        after = match (view, &last[..]) {
            (ListServerCode::Sessions, [name, session, ..]) => format!("{name} {session}"),
            (_, [first, ..]) => first.clone(),
            (_, []) => break,
        };
    }
    if view == ListServerCode::Sessions {
        table.rows.iter_mut().filter_map(|row| row.get_mut(1)).for_each(name_session);
    }
    Ok(table)
}

/// Sessions are called what the server's log calls them.
fn name_session(session: &mut String) {
    if let Ok(number) = session.parse() {
        *session = Key::from_u64(number).to_string();
    }
}

fn list_rooms(link: &mut Link) -> Result<Table, Error> {
    let mut table = Table { columns: const { &[text("room"), number("occupants")] }, rows: Vec::new() };
    let mut after = String::new();
    loop {
        let (kind, body, is_more) = match link.ask(|request| ListRooms { request, after: &after })? {
            Answer::Frame { kind, body, is_more } => (kind, body, is_more),
            Answer::Refused { text, .. } => return Err(Error::Refused { text }),
            Answer::Done => return Err(link.strange()),
        };
        let Ok(Frame::RoomList(list)) = Frame::decode(kind as u8, &body) else { return Err(link.strange()) };
        for room in list.rooms.iter() {
            room.name.clone_into(&mut after);
            table.rows.push(vec![room.name.to_owned(), room.occupants.to_string()]);
        }
        if !is_more {
            return Ok(table);
        }
    }
}
