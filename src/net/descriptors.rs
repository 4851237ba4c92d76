//! How many files the process may have open, `getrlimit(2)`.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the soft limit on descriptors to the hard one and returns what holds now; `None` when there is no limit.
pub fn raise_limit() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit = raised,
            Err(error) => log::debug!("the limit on open files stays as it is: {error}"),
        }
    }
    limit.current
}
