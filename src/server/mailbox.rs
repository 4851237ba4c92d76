//! How other threads reach a running reactor.

use super::credentials::Outcome;
#[cfg(feature = "storage")]
use crate::storage::Answer;
use mio::Waker;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// What other threads can send.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    Stop,
    /// The password that was to be looked at is.
    Checked(Outcome),
    /// What storage says.
    #[cfg(feature = "storage")]
    Stored(Answer),
}

/// Lets another thread reach a running reactor. Wake-ups coalesce; messages do not.
#[derive(Clone)]
pub struct Handle {
    sender: Sender<Message>,
    waker: Arc<Waker>,
}

impl Handle {
    pub fn new(waker: Waker) -> (Handle, Receiver<Message>) {
        let (sender, mailbox) = channel();
        (Handle { sender, waker: Arc::new(waker) }, mailbox)
    }

    /// Stops the server as SIGTERM does.
    ///
    /// # Errors
    /// When the wake-up cannot be written; a reactor that is gone already is no error.
    pub fn stop(&self) -> io::Result<()> {
        // A receiver that is gone has nothing left to stop.
        let _ = self.sender.send(Message::Stop);
        self.waker.wake()
    }

    /// # Errors
    /// When the reactor is gone, or cannot be woken up.
    pub(super) fn checked(&self, outcome: Outcome) -> io::Result<()> {
        self.sender.send(Message::Checked(outcome)).map_err(io::Error::other)?;
        self.waker.wake()
    }

    /// # Errors
    /// When the reactor is gone, or cannot be woken up.
    #[cfg(feature = "storage")]
    pub(super) fn stored(&self, answer: Answer) -> io::Result<()> {
        self.sender.send(Message::Stored(answer)).map_err(io::Error::other)?;
        self.waker.wake()
    }
}
