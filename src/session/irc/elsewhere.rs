//! What a client is told of itself without having asked: another session of the same user has made it so, or it follows from
//! what was asked for. It cannot be a part of what the client's own line comes to, labels and all; so the names of a room are
//! asked for here, in between two lines.

#[cfg(feature = "storage")]
use super::commands::account;
use super::commands::{Doing, markread, modes, oneself, rooms, user_modes};
use super::dialogue::Dialogue;
use crate::hub::Reply;
use crate::session::Surroundings;

/// The rooms whose names are still to be asked for. Boxed where it is kept: most clients never have any.
#[derive(Default)]
pub struct Owed(Vec<Box<str>>);

/// `Task::step` while the names are asked for that the client has not asked for.
const OWED_STEP: u16 = u16::MAX - 1;

impl Dialogue {
    pub fn encode_unasked(&mut self, reply: &Reply<'_>, world: &Surroundings, out: &mut Vec<u8>) {
        match *reply {
            Reply::Joined { who, known_as, room, subject, .. } => {
                rooms::put_joined(self, (who, known_as), room, subject, world, out);
                self.owe_names(room.shown());
            }
            Reply::Renamed { from, to } => oneself::renamed(self, (from, to), world, out),
            Reply::Marks { now, before } => {
                self.marks = now;
                user_modes::put_changed(self, now, before, world, out);
            }
            Reply::ReadMark { conversation, at_millis } => {
                markread::put(self, conversation, at_millis, world, out)
            }
            // What was granted to somebody who had asked for it: the others are told by an event.
            Reply::Changed { room, changes, .. } => modes::put_own_changes(self, room, changes, world, out),
            #[cfg(feature = "storage")]
            Reply::Account { name, change } => account::changed_elsewhere(self, (name, change), world, out),
            _ => {}
        }
    }

    /// The names of this room are to be asked for, when nothing else is being done.
    pub(super) fn owe_names(&mut self, room: &str) {
        self.seldom().owed.get_or_insert_default().add(room);
    }

    /// Whether there are names to be asked for, and nothing else is being done.
    pub fn owes_names(&self) -> bool {
        let is_free = self.task.step == 0 && self.task.doing == Doing::Nothing && self.label.is_none();
        self.is_open() && self.owed().is_some() && (is_free || self.task.step == OWED_STEP)
    }

    /// Goes on with them. Whether the hub is to be asked for the next page.
    pub(super) fn asks_for_owed(&mut self) -> bool {
        while self.owes_names() {
            match self.task.doing {
                Doing::MarkOnJoin | Doing::Names { behind: Some(_) } => return true,
                Doing::Names { behind: None } => {
                    let owed = &mut self.seldom().owed;
                    *owed = owed.take().and_then(Owed::without_first);
                    self.task.end();
                }
                _ => {
                    let room = self.owed().and_then(|owed| owed.0.first()).cloned().unwrap_or_default();
                    rooms::begin_names(self, &room);
                    self.task.step = OWED_STEP;
                }
            }
        }
        false
    }
}

impl Owed {
    fn add(&mut self, room: &str) {
        if !self.0.iter().any(|owed| **owed == *room) {
            self.0.push(room.into());
        }
    }

    /// The others, if there are any.
    fn without_first(mut self: Box<Self>) -> Option<Box<Self>> {
        if !self.0.is_empty() {
            self.0.remove(0);
        }
        (!self.0.is_empty()).then_some(self)
    }
}
