//! proc(5), and the CPU clock of another process, `clock_getcpuclockid(3)`.

use super::{Probe, Reading};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use procfs::process::Process;
use std::time::Duration;

pub struct Proc {
    pid: i32,
    process: Option<Process>,
}

impl Proc {
    pub fn new(pid: u32) -> Self {
        let pid = i32::try_from(pid).unwrap_or(-1);
        Self { pid, process: Process::new(pid).ok() }
    }
}

impl Probe for Proc {
    fn read(&mut self) -> Option<Reading> {
        let process = self.process.as_ref()?;
        // First, because it is what everything else is divided by, and the rest takes a while.
        let cpu = clock_getcpuclockid(Pid::from_raw(self.pid)).ok()?.now().ok()?;
        let stat = process.stat().ok()?;
        let ticks = |n: u64| Duration::from_secs_f64(n as f64 / procfs::ticks_per_second() as f64);
        Some(Reading {
            user: ticks(stat.utime),
            system: ticks(stat.stime),
            cpu: cpu.into(),
            memory: process.status().ok()?.rssanon? * 1_024,
            // Another user's process shows it to root alone.
            reads_and_writes: process.io().ok().map(|io| io.syscr + io.syscw),
            system_calls: None,
            sleeps: sleeps(process),
            waited: tasks_waited(process),
        })
    }
}

/// Of each thread that is there; the process itself would tell that of its first thread alone.
fn sleeps(process: &Process) -> u64 {
    let Ok(tasks) = process.tasks() else { return 0 };
    let statuses = tasks.filter_map(Result::ok).filter_map(|task| task.status().ok());
    statuses.filter_map(|status| status.voluntary_ctxt_switches).sum()
}

/// Of the threads that are there; of those that have ended nothing is told any more.
fn tasks_waited(process: &Process) -> Option<Duration> {
    let tasks = process.tasks().ok()?.filter_map(Result::ok);
    let waited = tasks.filter_map(|task| task.schedstat().ok()).map(|stat| stat.run_delay);
    Some(Duration::from_nanos(waited.reduce(u64::saturating_add)?))
}

/// The second field of `schedstat`, see `Documentation/scheduler/sched-stats.rst` of the kernel.
pub fn waited() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// `SigIgn` of `status`: a bit for each signal, of which the first is 1.
pub fn is_ignored(signal: i32) -> bool {
    let status = Process::myself().and_then(|process| process.status());
    let bit = u32::try_from(signal - 1).ok().and_then(|at| 1_u64.checked_shl(at));
    status.is_ok_and(|status| status.sigign & bit.unwrap_or(0) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::Signal;
    use std::time::Instant;

    #[test]
    fn what_a_process_does_shows() {
        let mut probe = Proc::new(std::process::id());
        let before = probe.read().expect("our own process");
        let began = Instant::now();
        let mut held = Vec::new();
        // More than a tick of the scheduler, and memory that is written to.
        while probe.read().expect("still").cpu < before.cpu + Duration::from_millis(50) {
            held.extend([1_u8; 65_536]);
            assert!(began.elapsed() < Duration::from_secs(30), "CPU does not show");
        }
        let after = probe.read().expect("still");
        assert!(after.memory > 0 && after.user + after.system >= before.user + before.system);
        assert!(after.reads_and_writes > before.reads_and_writes);
        drop(held);
    }

    #[test]
    fn a_signal_that_is_ignored_from_the_start_shows() {
        // What Rust's runtime does before main.
        assert!(is_ignored(Signal::PIPE.as_raw()));
        assert!(!is_ignored(Signal::TERM.as_raw()) && !is_ignored(0) && !is_ignored(999));
    }

    #[test]
    fn a_process_that_is_not_there_is_no_panic() {
        assert_eq!(Proc::new(u32::MAX).read(), None);
        assert_eq!(Proc::new(i32::MAX as u32).read(), None);
    }
}
