//! System calls of a process, all of them, counted by the kernel's tracepoint `raw_syscalls:sys_enter`.
//!
//! It makes every system call of the machine a little slower while it counts (some 100 ns), so that CPU of such a run
//! is not compared with that of others: `--count-system-calls` is for knowing how often, not how long.

use std::fmt;

/// Why they cannot be counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CannotCount(String);

impl fmt::Display for CannotCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "system calls cannot be counted: {}", self.0)
    }
}

impl std::error::Error for CannotCount {}

#[cfg(target_os = "linux")]
pub use linux::SystemCalls;

#[cfg(target_os = "linux")]
mod linux {
    use super::CannotCount;
    use perf_event::events::Tracepoint;
    use perf_event::{Builder, Counter};
    use rustix::io::Errno;
    use std::fs;
    use std::io::ErrorKind;

    /// Where tracefs is mounted, as a rule.
    const TRACEPOINTS: [&str; 2] = ["/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events"];

    /// One counter for each thread, which those that it starts later count into as well.
    pub struct SystemCalls(Vec<Counter>);

    impl SystemCalls {
        /// # Errors
        /// Who may count is the administrator's to say: root, or whoever `kernel.perf_event_paranoid = -1` lets.
        pub fn of(pid: u32) -> Result<Self, CannotCount> {
            let cannot = |why: String| CannotCount(why);
            let id = TRACEPOINTS.iter().find_map(|events| {
                let id = fs::read_to_string(format!("{events}/raw_syscalls/sys_enter/id")).ok()?;
                id.trim().parse().ok()
            });
            let id = id.ok_or_else(|| {
                cannot("their tracepoint is not to be seen: as root, mount -t tracefs tracefs /sys/kernel/tracing".into())
            })?;
            let tasks = fs::read_dir(format!("/proc/{pid}/task"))
                .map_err(|error| cannot(format!("/proc/{pid}/task: {error}")))?;
            let mut counters = Vec::new();
            for task in tasks.filter_map(Result::ok) {
                let Some(tid) = task.file_name().to_str().and_then(|name| name.parse().ok()) else {
                    continue;
                };
                let mut builder = Builder::new(Tracepoint::with_id(id));
                builder.observe_pid(tid).any_cpu().include_kernel().inherit(true).enabled(true);
                match builder.build() {
                    Ok(counter) => counters.push(counter),
                    // A thread that has ended in the meantime.
                    Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => {}
                    Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                        return Err(cannot("it takes root, or sysctl kernel.perf_event_paranoid=-1".into()));
                    }
                    Err(error) => return Err(cannot(error.to_string())),
                }
            }
            Ok(Self(counters))
        }

        /// Since it was opened.
        pub fn count(&mut self) -> Option<u64> {
            self.0.iter_mut().map(|counter| counter.read().ok()).sum()
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub struct SystemCalls;

#[cfg(not(target_os = "linux"))]
impl SystemCalls {
    pub fn of(_: u32) -> Result<Self, CannotCount> {
        Err(CannotCount("only Linux does".into()))
    }

    pub fn count(&mut self) -> Option<u64> {
        None
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_is_counted_or_it_is_said_why_not() {
        match SystemCalls::of(std::process::id()) {
            Ok(mut calls) => {
                let before = calls.count().expect("a count");
                for _ in 0..1_000 {
                    let _ = std::fs::metadata("/");
                }
                assert!(calls.count().expect("a count") >= before + 1_000);
            }
            Err(why) => assert!(why.to_string().contains("root"), "{why}"),
        }
    }
}
