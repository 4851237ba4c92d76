//! What a thread uses itself: how long it was at work in the measured time, and how long it waited for a core.

use super::Worker;
use crate::load::clock::SECOND;
use crate::load::probe;
use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds, all of them, since the thread began; the time itself since the run's epoch.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    at: u64,
    cpu: u64,
    /// Ready to run, and not running. `None` where the machine does not tell.
    waited: Option<u64>,
}

/// Shares of the time between two looks.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct OwnUse {
    pub busy: f64,
    pub waited: Option<f64>,
}

impl Used {
    fn so_far(now: u64) -> Used {
        let cpu = clock_gettime(ClockId::ThreadCPUTime);
        Used { at: now, cpu: cpu.tv_sec as u64 * SECOND + cpu.tv_nsec as u64, waited: probe::waited() }
    }

    fn until(self, end: Used) -> Option<OwnUse> {
        let time = end.at.checked_sub(self.at).filter(|time| *time > 0)? as f64;
        let waited = self.waited.zip(end.waited);
        Some(OwnUse {
            busy: end.cpu.saturating_sub(self.cpu) as f64 / time,
            waited: waited.map(|(from, to)| to.saturating_sub(from) as f64 / time),
        })
    }
}

impl Worker {
    /// Looks where the measured time begins and where it ends.
    pub(super) fn look_at_own_use(&mut self, now: u64) {
        let Some(talk) = &self.talk else { return };
        let measured = talk.timeline().measured.clone();
        for (mark, used) in [measured.start, measured.end].into_iter().zip(&mut self.used) {
            if now >= mark && used.is_none() {
                *used = Some(Used::so_far(now));
            }
        }
    }

    /// The measured time begins now, and ends with the present order.
    pub(super) fn measure_until_done(&mut self, measured: bool) {
        self.used = [None; 2];
        if measured {
            let now = self.now();
            self.latencies.measure(now..u64::MAX);
            self.note_use(0);
        }
    }

    pub(super) fn note_use(&mut self, mark: usize) {
        let now = self.now();
        let is_next = self.talk.is_none() && self.used.iter().flatten().count() == mark;
        self.used
            .get_mut(mark)
            .filter(|_| is_next)
            .into_iter()
            .for_each(|used| *used = Some(Used::so_far(now)));
    }

    pub(super) fn own_use(&self) -> OwnUse {
        let [Some(from), Some(to)] = self.used else { return OwnUse::default() };
        from.until(to).unwrap_or_default()
    }
}
