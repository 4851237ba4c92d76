//! Which cores the server and the generator run on, so that neither takes time from the other.
//!
//! `sched_setaffinity(2)`; elsewhere than on Linux nothing is pinned.

/// The server has one core, the generator has the rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cores {
    pub server: usize,
    pub generator: Vec<usize>,
}

#[cfg(target_os = "linux")]
mod linux {
    use super::Cores;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    impl Cores {
        /// The last core that this process may use is the server's; `None` where there is only one.
        pub fn split() -> Option<Cores> {
            let allowed = sched_getaffinity(None).ok()?;
            let mut generator: Vec<usize> =
                (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
            let server = generator.pop()?;
            (!generator.is_empty()).then_some(Cores { server, generator })
        }
    }

    /// Holds this thread, and those that it will start, to these cores. Whether it was possible.
    pub fn hold_to(cores: &[usize]) -> bool {
        let mut set = CpuSet::new();
        cores.iter().for_each(|core| set.set(*core));
        sched_setaffinity(None, &set).is_ok()
    }
}

#[cfg(target_os = "linux")]
pub use linux::hold_to;

#[cfg(not(target_os = "linux"))]
impl Cores {
    pub fn split() -> Option<Cores> {
        None
    }
}

#[cfg(not(target_os = "linux"))]
pub fn hold_to(_: &[usize]) -> bool {
    false
}
