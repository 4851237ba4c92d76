//! One network namespace, held by a process, and whether this machine allows any.

use super::super::common::PATIENCE;
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Set by `.ci/run`: what cannot be tested is a failure then.
const EVERY_TEST: &str = "SWITCHBOARD_EVERY_TEST";

/// A network namespace without a name, which exists as long as a process in it does.
///
/// A name (`ip netns add`) is a file that outlives a test which was killed, and two runs have to agree on who takes which.
/// Here `cat` holds the namespace while its standard input is open, and the kernel closes that when the test process
/// ends, in whatever way: nothing is left behind, and nothing can collide.
pub struct Namespace {
    holder: Child,
    descriptor: File,
}

impl Namespace {
    /// # Errors
    /// A sentence that says what the machine does not allow.
    pub fn new() -> Result<Namespace, String> {
        let mut command = Command::new("unshare");
        command.args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut holder = command.spawn().map_err(|error| format!("unshare: {error}"))?;
        // What was written comes back as soon as `cat` runs, which is after the namespace was made.
        let written = holder.stdin.as_mut().map(|stdin| stdin.write_all(b"\n"));
        let read = holder.stdout.as_mut().map(|stdout| stdout.read_exact(&mut [0]));
        if !matches!((written, read), (Some(Ok(())), Some(Ok(())))) {
            let output = holder.wait_with_output().map_err(|error| format!("unshare: {error}"))?;
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let path = format!("/proc/{}/ns/net", holder.id());
        let descriptor = File::open(&path).map_err(|error| format!("{path}: {error}"))?;
        Ok(Namespace { holder, descriptor })
    }

    /// By which other namespaces name this one.
    pub fn pid(&self) -> u32 {
        self.holder.id()
    }

    /// A command that runs a program in here, under the process id that its `spawn` gives. The program is killed when the
    /// thread that spawned it ends: spawn it from the test's own.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.pid()));
        command.args(["setpriv", "--pdeathsig", "KILL", program]);
        command
    }

    /// Kills what runs in here, children of what was started included.
    pub fn kill_all(&self) {
        let deadline = Instant::now() + PATIENCE;
        // One that is in here may start another one meanwhile.
        while Instant::now() < deadline {
            let inside = self.processes();
            if inside.is_empty() {
                return;
            }
            for pid in inside {
                let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
                // It may be gone by now.
                let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
            }
            std::thread::sleep(Duration::from_millis(1)); // polling, for want of a wait for somebody else's children
        }
    }

    /// The ids of what runs in here, apart from the holder and the test itself.
    pub fn processes(&self) -> Vec<u32> {
        let Ok(here) = self.descriptor.metadata() else { return Vec::new() };
        let Ok(all) = std::fs::read_dir("/proc") else { return Vec::new() };
        let pids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        // That of a process which has ended and was not waited for cannot be looked up, nor can somebody else's.
        let is_here = |pid: &u32| {
            let there = std::fs::metadata(format!("/proc/{pid}/ns/net"));
            there.is_ok_and(|there| (there.dev(), there.ino()) == (here.dev(), here.ino()))
        };
        pids.filter(|pid| ![self.pid(), std::process::id()].contains(pid)).filter(is_here).collect()
    }

    /// Runs a closure in here. A socket that it makes stays in here, whoever uses it.
    pub fn within<T: Send>(&self, run: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let network = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(self.descriptor.as_fd(), network).expect("a thread moves in");
                run()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Runs commands of `ip`, one a line.
    pub fn ip(&self, batch: &str) {
        self.feed("ip", &["-batch", "-"], batch).unwrap_or_else(|error| panic!("{error}\n{batch}"));
    }

    /// Adds rules, in nftables' own language.
    pub fn nft(&self, rules: &str) {
        self.try_nft(rules).unwrap_or_else(|error| panic!("{error}\n{rules}"));
    }

    fn try_nft(&self, rules: &str) -> Result<(), String> {
        self.feed("nft", &["-f", "-"], rules)
    }

    fn feed(&self, program: &str, args: &[&str], input: &str) -> Result<(), String> {
        let mut command = self.command(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let failed = |error| format!("{program}: {error}");
        let mut child = command.spawn().map_err(failed)?;
        // It may be gone before it reads; its status tells.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().map_err(failed)?;
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().next().unwrap_or("no reason given");
        if output.status.success() { Ok(()) } else { Err(format!("{program}: {first}")) }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Whether networks can be built here; found out once. Where they cannot, it says so past the test harness, which would
/// swallow it, and fails where nothing may be left out.
pub fn allowed() -> bool {
    static VERDICT: OnceLock<Result<(), String>> = OnceLock::new();
    let Err(reason) = VERDICT.get_or_init(try_out) else { return true };
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let what = format!("{test} needs network namespaces (root, iproute2, nftables, util-linux): {reason}");
    assert!(std::env::var_os(EVERY_TEST).is_none(), "{what}");
    let _ = writeln!(std::io::stderr(), "\nLEFT OUT: {what}");
    false
}

/// One of each kind of thing that networks are made of.
fn try_out() -> Result<(), String> {
    for tool in ["ip", "nft", "nsenter", "unshare", "setpriv"] {
        let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        found.map_err(|error| format!("{tool}: {error}"))?;
    }
    let (one, other) = (Namespace::new()?, Namespace::new()?);
    let link = format!(
        "link add name port1 type veth peer name eth0 netns {}\nlink add name switch type bridge\n",
        other.pid()
    );
    one.feed("ip", &["-batch", "-"], &link)?;
    let rules = "table inet try {
        chain out { type nat hook postrouting priority srcnat; masquerade fully-random; }
        chain in { type filter hook input priority filter; ct state new numgen random mod 100 < 20 drop; }
    }";
    one.try_nft(rules)
}
