//! Runs of `switchboard bench`, and what came out of them.
#![allow(dead_code)] // each test file uses its part

use crate::common::SWITCHBOARD;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A little load, for a short time.
pub const SMALL: [&str; 8] = ["--members", "6", "--senders", "2", "--duration", "0.5", "--warmup", "0.1"];

/// A run of `switchboard bench` that all of its processes can be told by.
pub struct Bench {
    pub mark: String,
    pub command: Command,
}

impl Bench {
    pub fn new(arguments: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut command = Command::new(SWITCHBOARD);
        command.arg("bench").args(arguments).env("BENCH_TEST_MARK", &mark);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { mark, command }
    }

    /// The same, begun by a shell, whose script ends with `"$@"`.
    pub fn begun_by(script: &str, arguments: &[&str]) -> Self {
        let mut bench = Self::new(&[]);
        let mark = &bench.mark;
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", SWITCHBOARD, "bench"]).args(arguments).env("BENCH_TEST_MARK", mark);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        bench.command = command;
        bench
    }

    /// A file of its own, which is not there yet.
    pub fn file(&self, name: &str) -> PathBuf {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{}", self.mark));
        fs::create_dir_all(&directory).expect("a directory");
        directory.join(name)
    }

    pub fn run(mut self) -> (Output, String) {
        (self.command.output().expect("it runs"), self.mark)
    }

    pub fn start(mut self) -> (Child, String) {
        (self.command.spawn().expect("it starts"), self.mark)
    }
}

/// The command lines of processes that came out of this run.
pub fn processes(mark: &str) -> Vec<String> {
    let variable = format!("BENCH_TEST_MARK={mark}");
    let entries = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    entries
        .filter(|entry| {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|one| one == variable.as_bytes())
        })
        .filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok())
        .filter(|line| !line.is_empty())
        .map(|line| line.replace('\0', " "))
        .collect()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}
