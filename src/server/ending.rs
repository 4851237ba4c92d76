//! How the server comes to its end: who is here gets what is queued, and what lasts is saved.

use super::reactor::{Exit, Listening, Reactor};
use log::{debug, error, info};
use signal_hook::consts::SIGHUP;
use std::time::Duration;

/// How long the end waits for the disk.
const SAVED_WITHIN: Duration = Duration::from_secs(5);

impl Reactor {
    pub(super) fn take_signals(&mut self) {
        let pending: Vec<i32> = self.signals.as_mut().map(|s| s.pending().collect()).unwrap_or_default();
        for signal in pending {
            match signal {
                SIGHUP => self.reload(&[]),
                _ => self.terminate(),
            }
        }
    }

    pub(super) fn terminate(&mut self) {
        self.terminations += 1;
        if self.terminations == 1 {
            info!(
                "stopping: {} connections drain; a second signal ends at once",
                self.engine.connections_len()
            );
            self.stop();
        }
    }

    fn stop(&mut self) {
        for Listening { mut socket, .. } in self.listeners.drain(..) {
            let _ = self.poll.registry().deregister(&mut socket);
        }
        self.engine.stop();
    }

    /// Everybody is gone: what is not on the disk yet gets there, within [`SAVED_WITHIN`]. `None` until then.
    pub(super) fn end(&mut self) -> Option<Exit> {
        let now = self.engine.now();
        let until = *self.saved_by.get_or_insert(now + SAVED_WITHIN);
        let is_saved = self.engine.end_storage();
        if !is_saved && now < until {
            return None;
        }
        self.log_counters();
        if is_saved {
            return Some(Exit::Drained);
        }
        let (records, why) = self.engine.unsaved();
        error!(
            "{records} changes could not be saved before the end: {}",
            why.unwrap_or("the disk takes too long")
        );
        Some(Exit::Unsaved)
    }

    fn log_counters(&self) {
        let counters = self.engine.counters();
        info!(
            "stopped: {} connections served, {} turned away, {} frames and {} bytes read, {} ranges queued",
            counters.accepted,
            counters.refused_total(),
            counters.frames,
            counters.bytes_read,
            counters.ranges_queued
        );
        debug!(
            "datagrams: {} received, {} sent, {} dropped ({})",
            counters.datagrams,
            counters.datagrams_sent,
            counters.dropped_total(),
            counters.dropped_by_reason()
        );
    }
}
