//! The end that writes standard output.

use super::{Out, PipeEnd, SharedWaker};
use crate::chat::conversation::same_name;
use crate::chat::error::Error;
use crate::chat::link::{Incoming, Outgoing};
use crate::chat::lost::Lost;
use crate::chat::stdio::Writer;
use crate::wire::frame::{Accept, Close, Data, Declare, Decline, ListEntries, Offer, Offers, Refused};
use crate::wire::{Flags, Frame, Purpose};
use indicatif::ProgressBar;
use std::io;

const ACCEPT: u32 = 1;
const CLOSE: u32 = 2;

pub(super) struct Receiver {
    peer: String,
    output: Writer,
    progress: ProgressBar,
    stage: Stage,
    /// Payload that arrived.
    bytes: u64,
}

enum Stage {
    /// Until the peer calls.
    Waiting,
    Receiving {
        channel: u32,
    },
    /// The last byte is here and has to be written.
    Writing {
        channel: u32,
    },
    /// The peer is being told that everything is written.
    Closing,
    Over(Option<Result<(), Error>>),
}

impl Receiver {
    /// # Errors
    /// Those of starting the writing thread.
    pub fn new(peer: String, waker: SharedWaker, progress: ProgressBar) -> io::Result<Self> {
        let output = Writer::start(waker)?;
        Ok(Receiver { peer, output, progress, stage: Stage::Waiting, bytes: 0 })
    }

    /// Takes the call that this end waits for, and no other one.
    fn offered(&mut self, out: &mut Outgoing, channel: u32, offer: Offer<'_>) {
        let is_pipe = Purpose::from_number(offer.purpose) == Some(Purpose::Pipe);
        if matches!(self.stage, Stage::Waiting) && is_pipe && same_name(offer.from, &self.peer) {
            out.send(Flags::NONE, channel, &Accept { request: ACCEPT });
            self.progress.set_message(format!("from {}: ", offer.from));
            self.stage = Stage::Receiving { channel };
        } else {
            let text = format!("this is one end of a pipe, for {} alone", self.peer);
            out.send(Flags::NONE, channel, &Decline { request: 0, text: &text });
        }
    }

    fn received(&mut self, payload: &[u8], flags: Flags, channel: u32) {
        self.output.push(payload);
        self.bytes += payload.len() as u64;
        self.progress.set_position(self.bytes);
        if flags.contains(Flags::END) {
            self.stage = Stage::Writing { channel };
        }
    }

    fn cut(&self, why: &str) -> Error {
        Error::Cut { peer: self.peer.clone(), why: why.to_owned(), bytes: self.bytes }
    }

    fn over(&mut self, outcome: Result<(), Error>) {
        self.stage = Stage::Over(Some(outcome));
    }
}

impl PipeEnd for Receiver {
    fn welcomed(&mut self, out: &mut Outgoing) {
        let mut scratch = Vec::new();
        let addresses = ListEntries::encode(&mut scratch, []);
        out.send(Flags::NONE, 0, &Declare { request: 0, offers: Offers::PIPES, shown: 0, addresses });
        self.progress.set_message(format!("waiting for {} ", self.peer));
    }

    fn peer(&self) -> &str {
        &self.peer
    }

    fn receive(&mut self, channel: u32, flags: Flags, payload: &[u8]) {
        if matches!(self.stage, Stage::Receiving { channel: ours } if ours == channel) {
            self.received(payload, flags, channel);
        }
    }

    /// Once everything is here, the path has served its purpose.
    fn route_failed(&mut self, why: &str) {
        if let Stage::Receiving { .. } = self.stage {
            let error = self.cut(why);
            self.over(Err(error));
        }
    }

    fn take(&mut self, out: &mut Out<'_>, incoming: Incoming<'_>) {
        let Incoming::Frame { channel, flags, frame } = incoming else { return };
        match (frame, &self.stage) {
            (Frame::Offer(offer), _) => self.offered(out.server, channel, offer),
            (Frame::Done(done), Stage::Receiving { channel }) if done.request == ACCEPT => {
                out.route.offer(out.server, *channel, out.local, out.now);
            }
            (Frame::Data(Data { payload }), _) => self.receive(channel, flags, payload),
            // The peer gave up between its call and our answer.
            (Frame::Refused(Refused { request: ACCEPT, .. }), Stage::Receiving { .. }) => {
                self.stage = Stage::Waiting;
            }
            (Frame::Closed(_), Stage::Receiving { channel: ours }) if *ours == channel => {
                let error = self.cut("the sender is gone before its end");
                self.over(Err(error));
            }
            (Frame::Closed(_), Stage::Writing { channel: ours }) if *ours == channel => {
                // Everything is here; that the sender did not wait for our word is its affair.
                log::debug!("the sender is gone before it was told that everything arrived");
            }
            (Frame::Done(done), Stage::Closing) if done.request == CLOSE => self.over(Ok(())),
            // The sender left before our word reached it; what it sent is written all the same.
            (Frame::Refused(Refused { request: CLOSE, .. }), Stage::Closing) => self.over(Ok(())),
            _ => {}
        }
    }

    fn is_stalled(&self) -> bool {
        self.output.is_stalled()
    }

    fn expects_answers(&self) -> bool {
        !self.output.is_stalled()
    }

    fn pump(&mut self, out: &mut Out<'_>) -> bool {
        if matches!(self.stage, Stage::Over(_)) {
            return false;
        }
        if let Err(error) = self.output.pump() {
            let error = Error::Output(io::Error::new(error.kind(), error.to_string()));
            self.over(Err(error));
            return false;
        }
        if let Stage::Writing { channel } = self.stage
            && self.output.is_idle()
        {
            out.server.send(Flags::NONE, channel, &Close { request: CLOSE });
            self.stage = Stage::Closing;
        }
        false
    }

    fn outcome(&mut self) -> Option<Result<(), Error>> {
        if let Stage::Over(outcome) = &mut self.stage { outcome.take() } else { None }
    }

    fn lost(&self, server: &str, lost: Lost) -> Result<(), Error> {
        match self.stage {
            Stage::Waiting => Err(Error::Server { server: server.to_owned(), lost }),
            // Every byte is written; only the sender may not have been told.
            Stage::Closing => Ok(()),
            _ => Err(self.cut(&lost.to_string())),
        }
    }
}
