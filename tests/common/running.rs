//! A process that runs beside the test, whose output is read line by line, with a deadline.
#![allow(dead_code)] // each test file uses its part

use super::common::{PATIENCE, wait_for};
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::Range;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A line with a number. Lengths vary, and a few lines together are longer than any packet.
pub fn numbered(n: usize) -> String {
    format!("line {n}{}", " and so on".repeat(n % 31))
}

/// A process with pipes for its standard streams; killed when it goes out of scope.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    pub stdout: Lines,
    pub stderr: Lines,
}

impl Running {
    /// `name` is what the test's own output calls it.
    pub fn start(name: &str, mut command: Command) -> Running {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a process starts");
        let stdin = child.stdin.take();
        let stdout = Lines::read(format!("{name} says"), child.stdout.take().expect("stdout is piped"));
        let stderr = Lines::read(format!("{name} notes"), child.stderr.take().expect("stderr is piped"));
        Running { child, stdin, stdout, stderr }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input.
    pub fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("the input is open");
        stdin.write_all(text.as_bytes()).expect("the process reads");
    }

    /// Writes lines with these numbers.
    pub fn write_numbered(&mut self, range: Range<usize>) {
        self.write(&range.map(|n| numbered(n) + "\n").collect::<String>());
    }

    /// Ends its standard input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Ends its standard input and waits until it ends.
    #[track_caller]
    pub fn finish(&mut self) -> ExitStatus {
        self.end_input();
        wait_for(&mut self.child)
    }

    /// The same, and it has nothing to complain about.
    #[track_caller]
    pub fn finish_content(&mut self) {
        let status = self.finish();
        assert!(status.success(), "{status}: {}", self.stderr.rest().join("\n"));
    }

    /// Ends it at once, and returns when it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The lines of a stream, which a thread reads, so that the process never waits for the test.
pub struct Lines {
    name: String,
    incoming: Receiver<String>,
    passed: Vec<String>,
}

impl Lines {
    pub fn read(name: String, stream: impl Read + Send + 'static) -> Lines {
        let (sender, incoming) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Lines { name, incoming, passed: Vec::new() }
    }

    /// The next line within this time; `None` when there is none, or at the end.
    pub fn next_within(&mut self, time: Duration) -> Option<String> {
        let line = self.incoming.recv_timeout(time).ok()?;
        self.passed.push(line.clone());
        Some(line)
    }

    /// The next line.
    #[track_caller]
    pub fn next(&mut self) -> String {
        let line = self.next_within(PATIENCE);
        line.unwrap_or_else(|| panic!("no line came after:\n{}", self.so_far()))
    }

    /// The next line that contains `text`; those before it are passed over.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        self.wait_until(text, |line| line.contains(text))
    }

    /// The next line that is looked for; those before it are passed over.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, found: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.next_within(deadline.saturating_duration_since(Instant::now())) {
                Some(line) if found(&line) => return line,
                Some(_) => {}
                None => panic!("never came: {what}; only\n{}", self.so_far()),
            }
        }
    }

    /// The next lines are this one, as often as `numbered` has it: each number once, in order, and nothing between.
    #[track_caller]
    pub fn expect_numbered(&mut self, before: &str, by: &str, range: Range<usize>) {
        for n in range {
            let line = self.next();
            let expected = format!("{before} <{by}> {}", numbered(n));
            assert_eq!(line, expected, "after\n{}", self.so_far());
        }
    }

    /// Everything until the stream ends.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<String> {
        let mut rest = Vec::new();
        loop {
            match self.incoming.recv_timeout(PATIENCE) {
                Ok(line) => rest.push(line),
                Err(RecvTimeoutError::Disconnected) => return rest,
                Err(RecvTimeoutError::Timeout) => panic!("{}: no end of it", self.so_far()),
            }
        }
    }

    /// The last few lines; each is cut, as some are long.
    fn so_far(&self) -> String {
        let last = self.passed.iter().rev().take(20).rev();
        last.map(|line| format!("{}: {line:.100}\n", self.name)).collect()
    }
}
