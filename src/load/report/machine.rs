//! Where it was measured, and what else went on there.

use super::super::cores::Cores;

/// This machine.
#[derive(Clone, PartialEq, Debug)]
pub struct Machine {
    /// That this process may use.
    pub cores: usize,
    pub cpu: String,
    pub system: String,
    /// The generator's, and that of a server of its own.
    pub switchboard: &'static str,
    /// Whether that was built with checks and without optimisation.
    pub is_debug_build: bool,
    /// Of the minute before: how many processes ran or wanted to. `None` where the system does not tell.
    pub load_average: Option<f64>,
    /// Where server and load were held to; `None` where that was left to the system.
    pub pinned: Option<Cores>,
}

impl Machine {
    pub fn this() -> Self {
        let uname = rustix::system::uname();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu: cpu().unwrap_or_else(|| uname.machine().to_string_lossy().into_owned()),
            system: format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy()),
            switchboard: env!("CARGO_PKG_VERSION"),
            is_debug_build: cfg!(debug_assertions),
            load_average: load_average(),
            pinned: None,
        }
    }

    /// What was arranged, and what was found.
    pub fn circumstances(&self) -> String {
        let list = |cores: &[usize]| {
            let cores: Vec<String> = cores.iter().map(usize::to_string).collect();
            format!("{} {}", if cores.len() == 1 { "core" } else { "cores" }, cores.join(", "))
        };
        let cores = match &self.pinned {
            Some(Cores { server, generator }) => {
                format!("server on core {server}, load on {}", list(generator))
            }
            None => "server and load not held to cores".to_owned(),
        };
        match self.load_average {
            Some(load) => format!("{cores}; load average before: {load:.2}"),
            None => cores,
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

#[cfg(target_os = "linux")]
fn load_average() -> Option<f64> {
    use procfs::Current;
    Some(f64::from(procfs::LoadAverage::current().ok()?.one))
}

#[cfg(not(target_os = "linux"))]
fn load_average() -> Option<f64> {
    None
}

#[cfg(not(target_os = "linux"))]
fn cpu() -> Option<String> {
    None
}
