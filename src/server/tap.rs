//! The capture, if there is one: what the server reads and writes is recorded where it does so. A connection holds
//! nothing for it; without a capture each call costs a branch.

use super::binding::Path;
use super::engine::Engine;
use super::exchange::Exchange;
use crate::capture::{Ends, Recorder, Side};
use crate::net::datagram::Train;
use crate::net::{Blocks, Flushed, Key, Outbox, Socket, Tapped, listener, tap};
use std::io::{self, IoSlice};
use std::net::SocketAddr;

/// What records, and where the server's datagram sockets are.
#[derive(Default)]
pub struct Tap {
    recorder: Option<Box<Recorder>>,
    datagrams: Vec<SocketAddr>,
}

/// The tap on one connection.
pub struct OnConnection<'a> {
    recorder: &'a mut Recorder,
    key: Key,
}

impl tap::Tap for OnConnection<'_> {
    fn read(&mut self, bytes: &[u8]) {
        self.recorder.read(self.key.to_u64(), bytes);
    }

    fn wrote(&mut self, slices: &[IoSlice<'_>], taken: usize) {
        self.recorder.wrote(self.key.to_u64(), slices, taken);
    }

    fn shut(&mut self) {
        self.recorder.shut(self.key.to_u64());
    }

    fn failed(&mut self, error: &io::Error, is_write: bool) {
        self.recorder.failed(self.key.to_u64(), error.kind(), is_write);
    }
}

impl Tap {
    /// Puts the tap on a connection's socket, for one call.
    #[inline]
    pub fn on<'a, S: Socket>(&'a mut self, key: Key, socket: &'a mut S) -> Tapped<'a, S, OnConnection<'a>> {
        let tap = self.recorder.as_deref_mut().map(|recorder| OnConnection { recorder, key });
        Tapped { socket, tap }
    }

    /// Writes what a connection is owed: [`Outbox::flush`], which is not slowed down where nothing is captured.
    ///
    /// # Errors
    /// Those of [`Outbox::flush`].
    pub fn flush<S: Socket>(
        &mut self,
        key: Key,
        outbox: &mut Outbox,
        blocks: &mut Blocks,
        socket: &mut S,
        budget: usize,
    ) -> io::Result<Flushed> {
        match self.recorder {
            None => outbox.flush(blocks, socket, budget),
            Some(_) => outbox.flush(blocks, &mut self.on(key, socket), budget),
        }
    }

    /// The connection is not read for now: because of a queue that is too long, or for something else.
    pub fn paused(&mut self, key: Key, waits_for: Option<Key>) {
        if let Some(recorder) = &mut self.recorder {
            let why = match waits_for {
                Some(other) if other == key => "until what is queued for it is less",
                Some(_) => "until what is queued for whom it sends to is less",
                None => "until it may go on: a password, a disk, or too many lines",
            };
            recorder.paused(key.to_u64(), why);
        }
    }

    /// The socket is about to be closed; `is_unread`: there is something in it.
    pub fn closed(&mut self, key: Key, is_unread: bool) {
        if let Some(recorder) = &mut self.recorder {
            recorder.closed(key.to_u64(), is_unread);
        }
    }

    /// Last words to a newcomer there is no room for; then it is closed.
    pub fn turn_away<S: Socket>(&mut self, socket: S, theirs: SocketAddr, words: &[u8]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.turned_away(ends(&socket, theirs), words);
        }
        listener::turn_away(socket, words);
    }

    /// A datagram came.
    pub fn received(&mut self, path: Path, datagram: &[u8]) {
        if let (Some(recorder), Some(ours)) = (&mut self.recorder, self.datagrams.get(path.socket)) {
            let ours = SocketAddr::new(path.server.unwrap_or(ours.ip()), ours.port());
            recorder.datagram(Ends { ours, theirs: path.client }, Side::Theirs, datagram);
        }
    }

    /// The first `sent` datagrams of a train went.
    pub fn sent(&mut self, socket: usize, train: Train<'_>, sent: usize) {
        if let (Some(recorder), Some(ours)) = (&mut self.recorder, self.datagrams.get(socket)) {
            let ours = SocketAddr::new(train.ends.ours.unwrap_or(ours.ip()), ours.port());
            let ends = Ends { ours, theirs: train.ends.theirs };
            for datagram in train.datagrams.chunks(train.length.max(1)).take(sent) {
                recorder.datagram(ends, Side::Ours, datagram);
            }
        }
    }

    /// The turn is over: what was recorded goes to the disk.
    #[inline]
    pub fn end_turn(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.hand_over();
        }
    }
}

fn ends(socket: &impl Socket, theirs: SocketAddr) -> Ends {
    // What has no address of its own, in a test, answers from the one that was asked.
    let ours = socket.local_address().map_or(theirs, listener::canonical);
    Ends { ours, theirs }
}

impl<S: Socket> Exchange<S> {
    pub(super) fn note_opened(&mut self, key: Key) {
        if let (Some(recorder), Some(connection)) = (&mut self.tap.recorder, self.connections.get(key)) {
            let ends = ends(&connection.socket, connection.address.into());
            recorder.opened(key.to_u64(), &key.to_string(), ends, Side::Theirs);
        }
    }

    /// Nothing is read of the connection although there may be something, which a capture tells.
    pub(super) fn note_left_unread(&mut self, key: Key) {
        if let Some(connection) = self.connections.get(key).filter(|connection| connection.is_paused()) {
            self.tap.paused(key, connection.waits_for());
        }
    }
}

impl<S: Socket> Engine<S> {
    /// Last words to a newcomer there is no descriptor for.
    pub fn turn_away(&mut self, socket: S, theirs: SocketAddr, words: &[u8]) {
        self.exchange.tap.turn_away(socket, theirs, words);
    }

    /// Records everything from now on. `datagrams`: the addresses of the sockets for these.
    pub fn set_recorder(&mut self, recorder: Recorder, datagrams: Vec<SocketAddr>) {
        self.exchange.tap = Tap { recorder: Some(Box::new(recorder)), datagrams };
    }

    /// The turn is over.
    pub fn end_turn(&mut self) {
        self.exchange.tap.end_turn();
    }
}
