//! The receiving half of a thread, which is the hot path: many messages to a read, and nothing between them but the look at
//! the marker.

use super::Worker;
use crate::load::cast::Part;
use crate::load::client::State;
use crate::load::error::Error;
use crate::load::outgoing::Outgoing;
use crate::load::speech::{Heard, Step};
use crate::load::words::{WORDS_MAX, excerpt};
use crate::net::inbox::Filled;
use std::io::ErrorKind;

impl Worker {
    /// Reads until the socket is empty. A read that comes back with less than it could have says so; what arrives after it
    /// is a new edge.
    pub(super) fn read(&mut self, at: usize) -> Result<(), Error> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let result = self.read_into(at, &mut scratch);
        self.scratch = scratch;
        result
    }

    fn read_into(&mut self, at: usize, scratch: &mut [u8]) -> Result<(), Error> {
        // A server that writes as fast as is read here would keep this socket full for ever.
        while !self.setup.is_given_up() {
            let Some(client) = self.clients.get_mut(at).filter(|client| client.is_reading) else {
                return Ok(());
            };
            let Some(socket) = &mut client.socket else { return Ok(()) };
            match client.inbox.fill(socket, scratch) {
                Ok(Filled::Scratch(n)) => {
                    let bytes = scratch.get(..n).unwrap_or_default();
                    let (used, needed) = self.hear(at, bytes)?;
                    let rest = bytes.get(used..).unwrap_or_default();
                    if let Some(client) = self.clients.get_mut(at) {
                        client.inbox.keep(rest, needed);
                    }
                    if n < scratch.len() {
                        return Ok(());
                    }
                }
                Ok(Filled::Held) => {
                    let held = client.inbox.take_held();
                    let (used, needed) = self.hear(at, &held)?;
                    if let Some(client) = self.clients.get_mut(at) {
                        client.inbox.put_back(held, used, needed);
                    }
                }
                Ok(Filled::End) => return self.lose(at, b""),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.lose(at, error.to_string().as_bytes()),
            }
        }
        Ok(())
    }

    /// Takes everything whole out of what was read. Returns how many bytes that was, and with how many it makes sense to
    /// look at the rest again.
    fn hear(&mut self, at: usize, bytes: &[u8]) -> Result<(usize, usize), Error> {
        let now = self.now();
        let speech = self.setup.speech;
        self.latencies.begin_read(now);
        let mut rest = bytes;
        let needed = loop {
            match speech.next(rest) {
                Ok(Step::Whole { len, heard }) => {
                    rest = rest.get(len..).unwrap_or_default();
                    match heard {
                        Heard::Message(text) => self.message(at, text),
                        Heard::Other => {}
                        heard => self.answered(at, heard)?,
                    }
                }
                Ok(Step::Incomplete { needed }) => break needed,
                Err(what) => return Err(Error::NotTheProtocol { who: self.name(at), what }),
            }
        };
        self.latencies.end_read();
        self.land_all(now);
        self.send_due(now)?;
        Ok((bytes.len() - rest.len(), needed))
    }

    #[inline]
    fn message(&mut self, at: usize, text: &[u8]) {
        let Some(client) = self.clients.get(at) else { return };
        if client.part != Part::Member {
            self.latencies.note_uncounted();
            return;
        }
        let landing = self.tally.deliver(&client.seats, text, &mut self.latencies, &mut self.flights);
        self.landed.extend(landing);
    }

    /// A connection is at its end. Before the load that ends the run; in it, it is counted, and nobody waits any more for
    /// what this client has not had.
    pub(super) fn lose(&mut self, at: usize, words: &[u8]) -> Result<(), Error> {
        let who = self.name(at);
        let now = self.now();
        let Some(client) = self.clients.get_mut(at).filter(|client| client.state != State::Gone) else {
            return Ok(());
        };
        let doing = client.state.doing();
        client.state = State::Gone;
        client.socket = None; // which deregisters it
        client.out = Outgoing::default();
        self.backlog -= std::mem::take(&mut client.backlog);
        if self.talk.is_none() {
            return Err(Error::Disconnected { who, doing, words: excerpt(words, WORDS_MAX) });
        }
        log::debug!("{who} was disconnected: {}", excerpt(words, WORDS_MAX));
        if client.part == Part::Staller && !client.is_reading {
            self.dropped += 1;
            return Ok(());
        }
        self.disconnected += 1;
        if client.part != Part::Member {
            return Ok(());
        }
        let mut landed = Vec::new();
        let (number, echo) = (client.number, self.setup.speech.has_echo());
        for (stream, seat) in client.seats.all() {
            if self.setup.cast.receives(number, stream, echo) {
                self.flights.leave(stream, self.tally.next_at(seat), |landing| landed.push(landing));
            }
        }
        landed.into_iter().for_each(|landing| self.land_anywhere(landing, now));
        Ok(())
    }
}
