//! Bytes that were read and not yet used.
//!
//! All connections read into one scratch buffer. Only the beginning of a frame whose end has not arrived is kept,
//! in a buffer of the connection's own; an idle connection keeps nothing.
//!
//! ```text
//!   scratch   [ frame | frame | frame | fra ]          the rest moves to `held` …
//!   held      [ fra ]                                  … and, once the next read has put its bytes behind the
//!                                                      place for it, back to the front of scratch
//!   held      [ a long fra               …… ]          or, above 1 KiB, is filled up in place: who writes such a
//!                                            └ needed  frame byte by byte does not make us copy its start each time
//! ```

use super::Socket;
use std::io;

/// Up to this many held bytes are copied in front of what the next read brought, which saves the read of the rest of a frame
/// alone; copying this much costs less than a system call.
const COPIED_BYTES_MAX: usize = 1_024;

/// What one connection has sent and nobody has used yet: nothing, as a rule.
#[derive(Default)]
pub struct Inbox(Option<Box<Held>>);

struct Held {
    bytes: Vec<u8>,
    /// With how many bytes it is worth looking at them again.
    needed: usize,
}

/// Where the bytes of a read are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filled {
    /// In the first so many bytes of the scratch buffer.
    Scratch(usize),
    /// In the inbox: [`Inbox::take_held`].
    Held,
    /// The peer writes no more.
    End,
}

impl Inbox {
    /// Bytes kept from earlier reads.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |held| held.bytes.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there may be whole frames here already, left because a budget was spent or reading paused.
    pub fn is_worth_a_look(&self) -> bool {
        self.0.as_ref().is_some_and(|held| !held.bytes.is_empty() && held.bytes.len() >= held.needed)
    }

    /// Reads once. `scratch` must be longer than `COPIED_BYTES_MAX`.
    ///
    /// # Errors
    /// Those of the socket, `WouldBlock` and `Interrupted` among them; what was held stays held.
    pub fn fill(&mut self, socket: &mut impl Socket, scratch: &mut [u8]) -> io::Result<Filled> {
        let length = self.len();
        match &mut self.0 {
            Some(held) if length > COPIED_BYTES_MAX => {
                let Held { bytes, needed } = &mut **held;
                bytes.resize((*needed).max(length + 1), 0);
                let read = socket.read(&mut bytes[length..]);
                bytes.truncate(length + read.as_ref().copied().unwrap_or(0));
                Ok(if read? == 0 { Filled::End } else { Filled::Held })
            }
            held => {
                let n = socket.read(&mut scratch[length..])?;
                if n == 0 {
                    return Ok(Filled::End);
                }
                if let Some(held) = held.take() {
                    scratch[..length].copy_from_slice(&held.bytes);
                }
                Ok(Filled::Scratch(length + n))
            }
        }
    }

    /// Forgets what is held.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// Takes what is held out, so that it can be used while the connection is borrowed otherwise; what is not used
    /// comes back through [`Inbox::put_back`].
    pub fn take_held(&mut self) -> Vec<u8> {
        self.0.take().map(|held| held.bytes).unwrap_or_default()
    }

    /// Gives back what [`Inbox::take_held`] took, without its first `used` bytes. `needed` is how many bytes there
    /// have to be before another look makes sense.
    pub fn put_back(&mut self, mut held: Vec<u8>, used: usize, needed: usize) {
        held.drain(..used);
        self.hold(held, needed);
    }

    /// Keeps the end of the scratch buffer that was not used.
    pub fn keep(&mut self, rest: &[u8], needed: usize) {
        debug_assert!(self.is_empty());
        self.hold(rest.to_vec(), needed);
    }

    fn hold(&mut self, bytes: Vec<u8>, needed: usize) {
        self.0 = (!bytes.is_empty()).then(|| Box::new(Held { bytes, needed }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::Shutdown;

    /// Gives out what it holds, at most `step` bytes a read.
    struct Source<'a> {
        bytes: &'a [u8],
        step: usize,
    }

    impl Read for Source<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = self.step.min(into.len()).min(self.bytes.len());
            let (now, later) = self.bytes.split_at(n);
            into[..n].copy_from_slice(now);
            self.bytes = later;
            Ok(n)
        }
    }

    impl Write for Source<'_> {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Socket for Source<'_> {
        fn shutdown(&self, _: Shutdown) -> io::Result<()> {
            Ok(())
        }
    }

    /// "Frames" of a fixed length, so that what comes out can be compared with what went in.
    fn run(frame: usize, step: usize) -> Vec<u8> {
        let sent: Vec<u8> = (0..frame * 5).map(|i| i as u8).collect();
        let mut source = Source { bytes: &sent, step };
        let (mut inbox, mut scratch, mut got) = (Inbox::default(), vec![0; 4_096], Vec::new());
        loop {
            match inbox.fill(&mut source, &mut scratch).expect("a read") {
                Filled::End => break,
                Filled::Scratch(n) => {
                    let used = n / frame * frame;
                    got.extend_from_slice(&scratch[..used]);
                    inbox.keep(&scratch[used..n], frame);
                }
                Filled::Held => {
                    let held = inbox.take_held();
                    let used = held.len() / frame * frame;
                    got.extend_from_slice(&held[..used]);
                    inbox.put_back(held, used, frame);
                }
            }
        }
        assert!(inbox.is_empty());
        assert_eq!(got, sent, "frames of {frame} in steps of {step}");
        got
    }

    #[test]
    fn every_byte_comes_out_once_however_it_went_in() {
        for frame in [1, 7, 1_023, 1_024, 1_025, 3_000, 10_000] {
            for step in [1, 3, 1_000, 1_024, 4_096] {
                run(frame, step);
            }
        }
    }

    #[test]
    fn an_idle_inbox_keeps_no_memory() {
        let mut inbox = Inbox::default();
        inbox.keep(&[1; 2_000], 2_001);
        let held = inbox.take_held();
        inbox.put_back(held, 2_000, 8);
        assert!(inbox.0.is_none());
    }
}
