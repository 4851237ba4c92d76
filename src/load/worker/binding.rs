//! Datagrams of a thread's clients: the tickets, the binding, and what arrives.

use super::{Task, Worker};
use crate::load::client::Client;
use crate::load::clock::SECOND;
use crate::load::datagrams::Datagrams;
use crate::load::error::Error;
use crate::load::speech::{Heard, Step};
use mio::{Interest, Token};

/// Set in the token of a client's datagram socket.
const DATAGRAMS: usize = 1 << 40;

/// Nanoseconds until a client that is not bound yet asks again, and between two signs of life of one that is.
const BIND_AGAIN: u64 = SECOND / 4;
const KEEP_ALIVE: u64 = 20 * SECOND;

/// The client whose datagram socket has this token.
pub fn client_of(token: Token) -> Option<usize> {
    (token.0 & DATAGRAMS != 0).then_some(token.0 & !DATAGRAMS)
}

impl Worker {
    /// Everybody asks for a ticket.
    pub(super) fn bind_all(&mut self) {
        self.task = Task::Bind { again: self.now() + BIND_AGAIN };
        let speech = self.setup.speech;
        for at in 0..self.clients.len() {
            self.clients.get_mut(at).into_iter().for_each(|client| speech.ask_for_ticket(client.out.bytes()));
            self.mark(at);
        }
    }

    pub(super) fn has_ticket(&mut self, at: usize, number: u32, key: &[u8; 32]) -> Result<(), Error> {
        let failed = Error::machine("a datagram socket");
        let mut datagrams = Datagrams::new(self.setup.server, number, key).map_err(&failed)?;
        let token = Token(at | DATAGRAMS);
        self.poll.registry().register(datagrams.source(), token, Interest::READABLE).map_err(&failed)?;
        datagrams.bind();
        if let Some(client) = self.clients.get_mut(at) {
            client.datagrams = Some(Box::new(datagrams));
        }
        Ok(())
    }

    pub(super) fn is_bound(&mut self, at: usize) {
        let client = self.clients.get_mut(at);
        client.and_then(|client| client.datagrams.as_mut()).into_iter().for_each(|d| d.is_bound = true);
    }

    /// How many are bound, and whether all are. What is lost on the way is sent again.
    pub(super) fn go_on_binding(&mut self, again: u64) -> (usize, bool) {
        let now = self.now();
        let bound = |client: &&Client| client.datagrams.as_ref().is_some_and(|d| d.is_bound);
        let done = self.clients.iter().filter(bound).count();
        if now > again {
            self.task = Task::Bind { again: now + BIND_AGAIN };
            let datagrams = self.clients.iter_mut().filter_map(|client| client.datagrams.as_mut());
            datagrams.filter(|datagrams| !datagrams.is_bound).for_each(|datagrams| datagrams.bind());
        }
        (done, done == self.clients.len())
    }

    /// Signs of life of those who have datagrams.
    pub(super) fn keep_alive(&mut self, now: u64) {
        if now.saturating_sub(self.kept_alive) > KEEP_ALIVE {
            self.kept_alive = now;
            self.clients.iter_mut().filter_map(|client| client.datagrams.as_mut()).for_each(|d| d.ping());
        }
    }

    /// Receives until the socket is empty.
    pub(super) fn receive_datagrams(&mut self, at: usize) -> Result<(), Error> {
        let mut buffers = self.buffers.take().unwrap_or_default();
        let mut result = Ok(());
        let client = self.clients.get_mut(at);
        client.and_then(|client| client.datagrams.as_mut()).into_iter().for_each(|d| d.is_ready());
        loop {
            let now = self.now();
            let Self { clients, latencies, tally, flights, landed, setup, .. } = self;
            let Some(client) = clients.get_mut(at) else { break };
            let (Some(datagrams), seats) = (&mut client.datagrams, &client.seats) else { break };
            latencies.begin_read(now);
            let more = datagrams.receive(&mut buffers, |frame| {
                if let Ok(Step::Whole { heard: Heard::Message(text), .. }) = setup.speech.next(frame) {
                    landed.extend(tally.deliver(seats, text, latencies, flights));
                }
            });
            latencies.end_read();
            self.land_all(now);
            result = self.send_due(now);
            if !more || result.is_err() || self.setup.is_given_up() {
                break;
            }
        }
        self.buffers = Some(buffers);
        result
    }
}
