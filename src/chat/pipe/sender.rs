//! The end that reads standard input.

use super::{Out, PipeEnd, SharedWaker};
use crate::chat::error::Error;
use crate::chat::link::{Incoming, Outgoing};
use crate::chat::lost::Lost;
use crate::chat::stdio::{Input, Layout, Reader};
use crate::wire::frame::{Closed, Open, Opened, Refused};
use crate::wire::{ClosedCode, Flags, Frame, HEADER_LEN, Header, Kind, Purpose, RefusalCode};
use indicatif::ProgressBar;

const OPEN: u32 = 1;

/// From this many queued bytes on, no more input is asked for. With one buffer more, it is what a direct path takes.
const HIGH_WATER_BYTES: usize = 128 * 1_024;

/// Buffers that the reading thread fills ahead.
const ASKED_MAX: usize = 2;

/// One buffer, in bytes, with the headers of its frames; this many are used again rather than given back.
const BUFFER_BYTES: usize = 128 * 1_024;

pub(super) struct Sender {
    peer: String,
    waker: SharedWaker,
    progress: ProgressBar,
    stage: Stage,
    /// Payload that was queued.
    bytes: u64,
}

enum Stage {
    /// Until the peer has taken the call.
    Calling,
    /// Until it is clear which way the bytes go.
    Choosing {
        channel: u32,
        payload_max: usize,
    },
    Sending {
        channel: u32,
        payload: usize,
        input: Reader,
    },
    /// Everything is queued; the peer has to say that it is written.
    Ending {
        channel: u32,
    },
    Over(Option<Result<(), Error>>),
}

impl Sender {
    pub fn new(peer: String, waker: SharedWaker, progress: ProgressBar) -> Self {
        Sender { peer, waker, progress, stage: Stage::Calling, bytes: 0 }
    }

    fn opened(&mut self, out: &mut Out<'_>, channel: u32, opened: Opened<'_>) {
        out.route.offer(out.server, channel, out.local, out.now);
        self.progress.set_message(format!("to {}: ", opened.peer));
        self.stage = Stage::Choosing { channel, payload_max: opened.payload_max.into() };
    }

    fn start(&mut self, channel: u32, payload_max: usize) {
        let payload = payload_max.clamp(1, BUFFER_BYTES / 4 - HEADER_LEN);
        let slots = (BUFFER_BYTES / (payload + HEADER_LEN)).max(1);
        let layout = Layout { gap: HEADER_LEN, payload, slots };
        self.stage = match Reader::start(self.waker.clone(), layout) {
            Ok(input) => Stage::Sending { channel, payload, input },
            Err(error) => over(Err(Error::System { what: "start reading standard input", error })),
        };
    }

    fn closed(&mut self, closed: Closed<'_>) {
        let done = ClosedCode::from_number(closed.code) == Some(ClosedCode::Done);
        self.stage = match (&self.stage, done) {
            (Stage::Ending { .. }, true) => over(Ok(())),
            (_, true) => over(Err(self.cut("the receiver ended it before everything was sent"))),
            (_, false) => over(Err(self.cut("the receiver is gone"))),
        };
    }

    fn cut(&self, why: &str) -> Error {
        Error::Cut { peer: self.peer.clone(), why: why.to_owned(), bytes: self.bytes }
    }

    fn channel(&self) -> Option<u32> {
        match self.stage {
            Stage::Choosing { channel, .. } | Stage::Sending { channel, .. } | Stage::Ending { channel } => {
                Some(channel)
            }
            Stage::Calling | Stage::Over(_) => None,
        }
    }
}

impl PipeEnd for Sender {
    fn welcomed(&mut self, out: &mut Outgoing) {
        self.progress.set_message(format!("calling {} ", self.peer));
        out.send(Flags::NONE, 0, &Open { request: OPEN, purpose: Purpose::Pipe.number(), to: &self.peer });
    }

    fn peer(&self) -> &str {
        &self.peer
    }

    /// What the receiver has to say, it says through the server.
    fn receive(&mut self, _: u32, _: Flags, _: &[u8]) {}

    /// Once everything is sent, the receiver says how it went, and may be gone from the path before that arrives.
    fn route_failed(&mut self, why: &str) {
        match self.stage {
            Stage::Choosing { .. } => {
                self.stage = over(Err(Error::Relay { peer: self.peer.clone(), text: why.to_owned() }));
            }
            Stage::Sending { .. } => self.stage = over(Err(self.cut(why))),
            Stage::Calling | Stage::Ending { .. } | Stage::Over(_) => {}
        }
    }

    fn take(&mut self, out: &mut Out<'_>, incoming: Incoming<'_>) {
        let Incoming::Frame { channel, frame, .. } = incoming else { return };
        match frame {
            Frame::Opened(opened) if opened.request == OPEN => self.opened(out, channel, opened),
            Frame::Refused(Refused { request: OPEN, code, text }) => {
                let peer = self.peer.clone();
                self.stage = over(Err(match RefusalCode::from_number(code) {
                    Some(RefusalCode::NoSuchPeer) => Error::Absent { peer },
                    _ => Error::Relay { peer, text: text.to_owned() },
                }));
            }
            Frame::Closed(closed) if self.channel() == Some(channel) => self.closed(closed),
            _ => {}
        }
    }

    fn is_stalled(&self) -> bool {
        false
    }

    /// While the receiver is slow, the server does not read from us, and so does not see a ping.
    fn expects_answers(&self) -> bool {
        matches!(self.stage, Stage::Calling | Stage::Choosing { .. })
    }

    fn pump(&mut self, out: &mut Out<'_>) -> bool {
        if let Stage::Choosing { channel, payload_max } = self.stage
            && let Some(payload_max) = out.route.payload_max(payload_max)
        {
            self.start(channel, payload_max);
        }
        let Stage::Sending { channel, payload, input } = &mut self.stage else { return false };
        let (channel, payload) = (*channel, *payload);
        while out.route.queued_bytes(out.server) < HIGH_WATER_BYTES {
            while input.asked() < ASKED_MAX {
                input.ask(out.server.spare_buffer());
            }
            match input.take() {
                None => return false,
                Some(Input::Got(mut buffer)) => {
                    self.bytes += write_headers(&mut buffer, payload, channel) as u64;
                    self.progress.set_position(self.bytes);
                    out.route.send(out.server, buffer, payload, out.now);
                }
                Some(Input::End) => {
                    out.route.send_end(out.server, channel, out.now);
                    self.stage = Stage::Ending { channel };
                    return false;
                }
                Some(Input::Failed(error)) => {
                    self.stage = over(Err(Error::Input(error)));
                    return false;
                }
            }
        }
        true
    }

    fn outcome(&mut self) -> Option<Result<(), Error>> {
        if let Stage::Over(outcome) = &mut self.stage { outcome.take() } else { None }
    }

    fn lost(&self, server: &str, lost: Lost) -> Result<(), Error> {
        Err(match self.stage {
            Stage::Calling => Error::Server { server: server.to_owned(), lost },
            _ => self.cut(&lost.to_string()),
        })
    }
}

fn over(outcome: Result<(), Error>) -> Stage {
    Stage::Over(Some(outcome))
}

/// Fills the gaps in front of the payloads. Returns how many bytes of payload there are.
fn write_headers(buffer: &mut [u8], payload: usize, channel: u32) -> usize {
    let mut bytes = 0;
    for frame in buffer.chunks_mut(HEADER_LEN + payload) {
        let Some((gap, payload)) = frame.split_first_chunk_mut::<HEADER_LEN>() else { break };
        let length = payload.len() as u16;
        *gap = Header { kind: Kind::Data as u8, flags: Flags::NONE.bits(), length, channel }.to_bytes();
        bytes += payload.len();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Split, split};

    #[test]
    fn a_filled_buffer_becomes_frames_in_place() {
        let mut buffer: Vec<u8> = vec![0; 2 * (HEADER_LEN + 10) + HEADER_LEN + 3];
        assert_eq!(write_headers(&mut buffer, 10, 7), 23);
        let (mut rest, mut lengths) = (buffer.as_slice(), Vec::new());
        while let Ok(Split::Frame(frame)) = split(rest, 10) {
            assert_eq!((frame.kind(), frame.header.channel), (Some(Kind::Data), 7));
            lengths.push(frame.body.len());
            rest = &rest[frame.len()..];
        }
        assert_eq!((lengths.as_slice(), rest.len()), ([10, 10, 3].as_slice(), 0));
    }
}
