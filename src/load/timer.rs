//! Waking up on time. mio's timeout is in milliseconds, rounded up; a schedule needs better. On Linux a timer is one more
//! readiness source, timerfd_create(2); elsewhere the timeout has to do, and `behind` tells what that costs.

#[cfg(target_os = "linux")]
pub use linux::Timer;
#[cfg(not(target_os = "linux"))]
pub use other::Timer;

/// Below this, in nanoseconds, going to sleep takes longer than what is waited for.
pub const TOO_SOON: u64 = 20_000;

#[cfg(target_os = "linux")]
mod linux {
    use crate::load::clock::SECOND;
    use mio::unix::SourceFd;
    use mio::{Interest, Registry, Token};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::io;
    use std::os::fd::{AsRawFd, OwnedFd};

    pub struct Timer {
        fd: OwnedFd,
        /// What it is set to, by the run's clock.
        set: Option<u64>,
    }

    impl Timer {
        /// # Errors
        /// Those of timerfd_create(2) and epoll_ctl(2).
        pub fn new(registry: &Registry, token: Token) -> io::Result<Timer> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            registry.register(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE)?;
            Ok(Timer { fd, set: None })
        }

        /// Rings once at `at`, and returns whether it will; setting it anew takes back what was set before.
        pub fn set(&mut self, now: u64, at: u64) -> bool {
            if self.set == Some(at) {
                return true;
            }
            let wait = at.saturating_sub(now).max(1); // 0 would mean never
            let value = Timespec { tv_sec: (wait / SECOND) as i64, tv_nsec: (wait % SECOND) as i64 };
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
            let set = timerfd_settime(&self.fd, TimerfdTimerFlags::empty(), &once).is_ok();
            self.set = set.then_some(at);
            set
        }

        /// It rang: setting it is worth a system call again. Its count is never read; each setting gives a new edge.
        pub fn rang(&mut self) {
            self.set = None;
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use mio::{Registry, Token};
    use std::io;

    pub struct Timer;

    impl Timer {
        /// # Errors
        /// None.
        pub fn new(_: &Registry, _: Token) -> io::Result<Timer> {
            Ok(Timer)
        }

        /// There is none; the poll's timeout has to do.
        pub fn set(&mut self, _: u64, _: u64) -> bool {
            false
        }

        pub fn rang(&mut self) {}
    }
}
