//! Where it was measured.

/// This machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Machine {
    /// That this process may use.
    pub cores: usize,
    pub cpu: String,
    pub system: String,
    /// The generator's, and that of a server of its own.
    pub switchboard: &'static str,
}

impl Machine {
    pub fn this() -> Self {
        let uname = rustix::system::uname();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu: cpu().unwrap_or_else(|| uname.machine().to_string_lossy().into_owned()),
            system: format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy()),
            switchboard: env!("CARGO_PKG_VERSION"),
        }
    }

    pub fn in_words(&self) -> String {
        let cores = if self.cores == 1 { "core" } else { "cores" };
        format!("{} {cores} of {}, {}", self.cores, self.cpu, self.system)
    }
}

#[cfg(target_os = "linux")]
fn cpu() -> Option<String> {
    use procfs::Current;
    Some(procfs::CpuInfo::current().ok()?.model_name(0)?.to_owned())
}

#[cfg(not(target_os = "linux"))]
fn cpu() -> Option<String> {
    None
}
