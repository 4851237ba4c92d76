//! What the server's process uses, read from the system.

use std::fs;
use std::time::Duration;

/// Everything since the process began.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Reading {
    pub user: Duration,
    pub system: Duration,
    /// Of all threads, as the scheduler counts it.
    pub cpu: Duration,
    /// Anonymous memory at this moment, in bytes.
    pub memory: u64,
    pub reads_and_writes: Option<u64>,
    pub system_calls: Option<u64>,
    pub sleeps: u64,
}

pub trait Probe {
    /// `None` when the process is gone, or the machine does not tell.
    fn read(&mut self) -> Option<Reading>;
}

/// A probe of a process of this machine.
pub fn of(pid: u32) -> impl Probe {
    Proc { pid }
}

/// `/proc`, proc(5).
struct Proc {
    pid: u32,
}

impl Probe for Proc {
    fn read(&mut self) -> Option<Reading> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.pid)).ok()? {
            let schedstat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            nanoseconds += schedstat.split_whitespace().next()?.parse::<u64>().ok()?;
        }
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        Some(Reading {
            cpu: Duration::from_nanos(nanoseconds),
            memory: number("RssAnon:")? * 1_024,
            sleeps: number("voluntary_ctxt_switches:")?,
            ..Reading::default()
        })
    }
}
