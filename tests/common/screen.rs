//! A program on a terminal: tmux's, which draws what a person would see. Without tmux the tests that need it fail.
#![allow(dead_code)] // each test file uses its part

use crate::common::PATIENCE;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Screens started so far: several may have a program of the same name.
static SCREENS: AtomicUsize = AtomicUsize::new(0);

/// A terminal with a shell in it, on a tmux server of its own.
pub struct Screen {
    socket: String,
}

impl Screen {
    /// Runs a line of shell.
    pub fn run(line: &str) -> Screen {
        let number = SCREENS.fetch_add(1, Ordering::Relaxed);
        let screen = Screen { socket: format!("switchboard-test-{}-{number}", std::process::id()) };
        screen.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "50", line]);
        screen
    }

    pub fn tmux(&self, args: &[&str]) -> String {
        let output = Command::new("tmux").arg("-L").arg(&self.socket).args(args).output();
        let output = output.expect("these tests need tmux; install it");
        assert!(output.status.success(), "tmux {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The process ids of the shell's children.
    pub fn children(&self) -> String {
        let shell = self.tmux(&["list-panes", "-F", "#{pane_pid}"]);
        let shell = shell.trim();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        children.expect("the shell's children").trim().to_owned()
    }

    pub fn type_text(&self, text: &str) {
        self.tmux(&["send-keys", "-l", "--", text]);
    }

    pub fn key(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    pub fn enter(&self, line: &str) {
        self.type_text(line);
        self.key("Enter");
    }

    pub fn lines(&self) -> Vec<String> {
        let text = self.tmux(&["capture-pane", "-p"]);
        let mut lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    /// Waits until the screen is as it should be.
    pub fn wait(&self, what: &str, holds: impl Fn(&[String]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let lines = self.lines();
            if holds(&lines) {
                return;
            }
            assert!(Instant::now() < deadline, "never happened: {what}\n{}", lines.join("\n"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a line is this one.
    pub fn wait_for(&self, line: &str) {
        self.wait(line, |lines| lines.iter().any(|shown| shown == line));
    }

    /// Waits until a line contains this.
    pub fn wait_for_part(&self, part: &str) {
        self.wait(part, |lines| lines.iter().any(|shown| shown.contains(part)));
    }

    /// Waits until the last line is this one: the prompt, and what is typed behind it.
    pub fn wait_for_prompt(&self, prompt: &str) {
        self.wait(prompt, |lines| lines.last().is_some_and(|last| last == prompt));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-L", &self.socket, "kill-server"]).output();
    }
}
