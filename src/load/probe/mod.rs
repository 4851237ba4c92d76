//! What the server's process uses, as the system tells it.
//!
//! Nothing of it costs the server anything: the kernel keeps these figures in any case. What would cost it something,
//! [`system_calls`], is apart from the rest and has to be asked for.

#[cfg(target_os = "linux")]
mod linux;
mod listener;
pub mod system_calls;

pub use listener::{listener_of, listeners_of};

use std::time::Duration;

/// Everything since the process began.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Reading {
    /// In clock ticks, of which there are 100 in a second.
    pub user: Duration,
    pub system: Duration,
    /// Of all threads, those that have ended included, as the scheduler counts it. What a thread has used since the
    /// scheduler looked at it last, at most 4 ms, is missing.
    pub cpu: Duration,
    /// Anonymous memory at this moment, in bytes.
    pub memory: u64,
    pub reads_and_writes: Option<u64>,
    pub system_calls: Option<u64>,
    pub sleeps: u64,
    /// How long its threads were ready to run and had to wait for a core, added up.
    pub waited: Option<Duration>,
}

pub trait Probe {
    /// `None` when the process is gone, or the machine does not tell.
    fn read(&mut self) -> Option<Reading>;
}

/// A probe of a process of this machine.
#[cfg(target_os = "linux")]
pub fn of(pid: u32) -> impl Probe {
    linux::Proc::new(pid)
}

/// A probe that sees nothing: only Linux tells so much of another process.
#[cfg(not(target_os = "linux"))]
pub fn of(_: u32) -> impl Probe {
    Blind
}

#[cfg(not(target_os = "linux"))]
struct Blind;

#[cfg(not(target_os = "linux"))]
impl Probe for Blind {
    fn read(&mut self) -> Option<Reading> {
        None
    }
}

/// How long the present thread has waited for a core so far, in nanoseconds; `None` where the machine does not tell.
pub fn waited() -> Option<u64> {
    #[cfg(target_os = "linux")]
    return linux::waited();
    #[cfg(not(target_os = "linux"))]
    None
}

/// Whether this process ignores a signal, as it may have been told to before it began. `false` where the system does not
/// tell.
pub fn is_ignored(signal: i32) -> bool {
    #[cfg(target_os = "linux")]
    return linux::is_ignored(signal);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = signal;
        false
    }
}

/// Why nothing can be read of this process, in a sentence; `None` if it can.
pub fn why_blind(pid: u32) -> Option<String> {
    if of(pid).read().is_some() {
        None
    } else if cfg!(target_os = "linux") {
        Some(format!("/proc/{pid} cannot be read: is that the server's process, and is it yours?"))
    } else {
        Some("CPU and memory of the server are read from /proc, which this system does not have".into())
    }
}
