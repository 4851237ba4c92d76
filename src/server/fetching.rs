//! What the hub asks storage for: whoever wants it is not read until it is there. Who wants the same at one time is
//! answered by one look.

use super::counters::Pause;
use super::engine::Engine;
use super::exchange::{Exchange, key_of, session_id};
use super::trace::trace;
use crate::hub::record::{Fetch, Fetched};
use crate::hub::{HistoryLimits, RequestId, SessionId};
use crate::net::{Key, Socket};
use smallvec::SmallVec;

/// Questions that were asked, with their numbers and whoever waits for the answer.
#[derive(Default)]
pub struct Questions {
    last: u64,
    open: Vec<Question>,
}

struct Question {
    number: u64,
    what: Fetch,
    by: SmallVec<[Key; 1]>,
}

impl<S: Socket> Exchange<S> {
    /// `false` where there is nobody to ask.
    pub(super) fn ask_storage(&mut self, session: SessionId, what: Fetch) -> bool {
        let key = key_of(session);
        let Some(storage) = &mut self.keeping.storage else { return false };
        let Some(connection) = self.connections.get_mut(key).filter(|connection| connection.is_open()) else {
            return false;
        };
        let Questions { last, open } = &mut self.keeping.questions;
        match open.iter_mut().find(|question| question.what == what) {
            Some(question) => question.by.push(key),
            None => {
                *last += 1;
                if storage.fetch(*last, what.clone()).is_err() {
                    return false;
                }
                open.push(Question { number: *last, what, by: SmallVec::from_elem(key, 1) });
            }
        }
        connection.await_storage(true);
        self.note_paused(key, Pause::Storage);
        true
    }

    /// Hands on what was put since the last time.
    pub fn hand_on(&mut self) {
        if let Some(storage) = &mut self.keeping.storage {
            storage.flush();
        }
    }

    /// From now on, rooms keep so much of what happens in them.
    pub fn keep_within(&mut self, limits: HistoryLimits) {
        if let Some(storage) = &mut self.keeping.storage {
            storage.keep_within(limits);
        }
    }
}

impl<S: Socket> Engine<S> {
    /// Stage 5: lets those go on who waited for this.
    pub(super) fn hand_on_fetched(&mut self, number: u64, fetched: &Fetched) {
        let open = &mut self.exchange.keeping.questions.open;
        let Some(at) = open.iter().position(|question| question.number == number) else { return };
        for key in open.remove(at).by {
            let connection = self.exchange.connections.get_mut(key).filter(|connection| connection.is_open());
            let Some(connection) = connection else { continue };
            connection.await_storage(false);
            trace!("{key} is read again: storage has answered");
            self.exchange.keeping.asking = Some((key, RequestId::NONE));
            self.hub.fetched(self.exchange.moment(), session_id(key), fetched, &mut self.exchange);
            self.exchange.keeping.asking = None;
            if !self.exchange.is_paused(key) {
                self.settle(key);
            }
            self.exchange.list_to_read(key);
        }
    }
}
