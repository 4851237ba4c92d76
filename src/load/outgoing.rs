//! What a client has to send and its socket has not taken yet.

use super::marker::{self, Marker};
use super::speech::Template;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};

/// With so many bytes that the server does not take, a run has shown what there is to show.
pub const BACKLOG_MAX: usize = 256 * 1_024 * 1_024;

/// And with so many of all clients together.
pub const BACKLOGS_MAX: usize = 4 * BACKLOG_MAX;

#[derive(Default)]
pub struct Outgoing {
    bytes: Vec<u8>,
    /// How many of `bytes` the socket took.
    taken: usize,
    /// Where in `bytes` each message ends, and when it was due.
    messages: VecDeque<(usize, u64)>,
    /// How many of `messages`, from the front, were handed to the socket, whether it took them or not.
    handed: usize,
}

impl Outgoing {
    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// To append something that is no message.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Appends a message.
    pub fn message(&mut self, template: &Template, marker: Marker) {
        let at = self.bytes.len() + template.marker_at;
        self.bytes.extend_from_slice(&template.bytes);
        if let Some(place) = self.bytes.get_mut(at..at + marker::LEN) {
            place.copy_from_slice(&marker.to_bytes());
        }
        self.messages.push_back((self.bytes.len(), marker.due));
    }

    /// Writes as much as the socket takes. Tells of each message when it was due as it is handed to the socket for the
    /// first time, and how many the socket has taken whole: what lies between the two is the server's doing.
    ///
    /// # Errors
    /// Those of the socket but `WouldBlock`, after which it is tried again when the socket is writable.
    pub fn flush(&mut self, socket: &mut impl Write, handed: impl FnMut(u64)) -> io::Result<u64> {
        self.messages.iter().skip(self.handed).map(|(_, due)| *due).for_each(handed);
        self.handed = self.messages.len();
        while !self.is_empty() {
            match socket.write(&self.bytes[self.taken..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => self.taken += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let taken = self.messages.iter().take_while(|(end, _)| *end <= self.taken).count();
        self.messages.drain(..taken);
        self.handed -= taken;
        self.forget_taken();
        Ok(taken as u64)
    }

    /// Without a copy where all is gone, and otherwise only when that halves what is kept.
    fn forget_taken(&mut self) {
        if self.is_empty() {
            self.bytes.clear();
        } else if self.taken >= self.len() {
            self.bytes.drain(..self.taken);
            self.messages.iter_mut().for_each(|(end, _)| *end -= self.taken);
        } else {
            return;
        }
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, then no more.
    struct Sink {
        got: Vec<u8>,
        room: usize,
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(self.room);
            if n == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.room -= n;
            self.got.extend_from_slice(&bytes[..n]);
            Ok(n)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_message_is_sent_when_its_last_byte_is_taken_whatever_the_socket_takes_at_once() {
        let template = Template { bytes: vec![b'x'; 30], marker_at: 5 };
        for step in [1, 7, 29, 30, 31, 61, 1_000] {
            let (mut out, mut sink) = (Outgoing::default(), Sink { got: Vec::new(), room: 0 });
            let (mut handed, mut sent) = (Vec::new(), 0);
            for sequence in 0..10 {
                out.message(&template, Marker { stream: 1, sequence, due: u64::from(sequence) });
                sink.room += step;
                sent += out.flush(&mut sink, |due| handed.push(due)).expect("it takes some");
                assert_eq!(sent, sink.got.len() as u64 / 30, "in steps of {step}");
                assert_eq!(handed.last(), Some(&u64::from(sequence)), "handed over, taken or not");
            }
            while !out.is_empty() {
                sink.room = step;
                sent += out.flush(&mut sink, |due| handed.push(due)).expect("it takes some");
            }
            assert_eq!((sent, handed), (10, (0..10).collect()), "each once");
            for (sequence, message) in (0..).zip(sink.got.chunks(30)) {
                assert_eq!(Marker::read(&message[5..]).map(|marker| marker.sequence), Some(sequence));
            }
        }
    }
}
