//! What a connection is owed: a channel of encoded events, which its writer drains.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Encoded once, for everybody who is to get it.
pub type Bytes = Arc<[u8]>;

/// The end that is filled. The writer's end closes when the last clone of this is gone.
#[derive(Clone)]
pub struct Queue {
    sender: UnboundedSender<Bytes>,
    level: Arc<Level>,
}

/// How much is queued, for those who fill the queue and those who wait for it to fall.
#[derive(Default)]
pub struct Level {
    bytes: AtomicUsize,
    fell: Notify,
}

pub fn queue() -> (Queue, UnboundedReceiver<Bytes>, Arc<Level>) {
    let (sender, receiver) = unbounded_channel();
    let level = Arc::new(Level::default());
    (Queue { sender, level: Arc::clone(&level) }, receiver, level)
}

impl Queue {
    /// Queues bytes, and returns how many there are now.
    pub fn push(&self, bytes: Bytes) -> usize {
        let queued = self.level.bytes.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        // A writer that is gone has lost its socket, which its connection will find out.
        let _ = self.sender.send(bytes);
        queued
    }

    pub fn level(&self) -> &Arc<Level> {
        &self.level
    }
}

impl Level {
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// So many bytes are written.
    pub fn fall(&self, bytes: usize, low_water: usize) {
        let before = self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        if before > low_water && before - bytes <= low_water {
            self.fell.notify_waiters();
        }
    }

    /// The writer is gone, and nobody should wait for it.
    pub fn end(&self) {
        self.bytes.store(0, Ordering::Relaxed);
        self.fell.notify_waiters();
    }

    /// Until no more is queued than this, which the writer calls low water.
    pub async fn wait_for(&self, low_water: usize) {
        loop {
            let fell = self.fell.notified(); // before the look, so that none is missed in between
            if self.bytes() <= low_water {
                return;
            }
            fell.await;
        }
    }
}
