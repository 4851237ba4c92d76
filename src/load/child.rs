//! A server that is started for a run, and that does not outlive it.
//!
//! It is started through this binary's own hidden subcommand `held`, which arranges what has to be arranged in the
//! child itself, and then becomes the server by `exec`: it dies with its parent however that ends (Linux), is held to
//! its core, and may open as many files as the machine allows. It is the leader of a process group of its own, so that
//! a Ctrl-C on the terminal reaches the generator alone, which then ends the server in order.

use super::cores;
use super::words::{WORDS_MAX, excerpt};
use crate::net::descriptors;
use rustix::process::{Pid, Signal, getppid, kill_process_group};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a server may take until it can be connected to. Ergo takes some seconds with an empty database.
const READY_TIME: Duration = Duration::from_secs(30);

/// How long it may take to end after SIGTERM before it is killed. Our own drains for 5 s at most.
const END_TIME: Duration = Duration::from_secs(10);

/// How often is looked whether it is ready, or has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long what a server said at its end may take to be read.
const WORDS_TIME: Duration = Duration::from_millis(500);

/// How many of its last lines are kept, for the case that it fails.
const LAST_LINES_MAX: usize = 3;

/// What of a line is quoted: of complaints about a configuration the end matters, too.
const LINE_CHARACTERS_MAX: usize = 2 * WORDS_MAX;

/// What is longer counts as several lines.
const LINE_BYTES_MAX: u64 = 65_536;

/// The name of the hidden subcommand.
pub const HELD: &str = "held";

#[derive(Debug)]
pub enum Error {
    Start {
        what: String,
        error: io::Error,
    },
    /// It ended before it could be connected to.
    Ended {
        what: String,
        status: ExitStatus,
        words: String,
    },
    /// It did not say where it listens, or nobody can connect there.
    NotReady {
        what: String,
        at: String,
        words: String,
    },
    /// There was somebody already.
    Taken {
        at: SocketAddr,
    },
    /// Asked to end, it did not, or not with success.
    BadEnd {
        what: String,
        how: String,
        words: String,
    },
    Cancelled,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Start { what, error } => write!(f, "cannot start {what}: {error}"),
            Error::Ended { what, status, words } => {
                write!(f, "{what} ended at once, with {status}{}", quote(words))
            }
            Error::NotReady { what, at, words } => write!(
                f,
                "{what} runs, and nobody can connect to {at} after {} s{}",
                READY_TIME.as_secs(),
                quote(words)
            ),
            Error::Taken { at } => write!(
                f,
                "another program listens on {at} already; without the command behind the address, that one is measured"
            ),
            Error::BadEnd { what, how, words } => write!(f, "{what} {how}{}", quote(words)),
            Error::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl std::error::Error for Error {}

fn quote(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!("; its last words: {words}") }
}

/// How servers are started here.
#[derive(Clone, Debug)]
pub struct Launcher<'a> {
    /// This binary.
    pub switchboard: &'a Path,
    /// The core that the server is held to, if any.
    pub core: Option<usize>,
    /// Set when waiting is to be given up.
    pub cancelled: &'a AtomicBool,
}

/// A running server.
pub struct Child {
    process: std::process::Child,
    what: String,
    pub address: SocketAddr,
    last_lines: Arc<Mutex<VecDeque<String>>>,
    /// The threads that read what it says.
    readers: Vec<JoinHandle<()>>,
    has_ended: bool,
}

impl Launcher<'_> {
    /// Starts `switchboard serve` on a free port, with these options. Nothing of it lasts, unless they say where.
    ///
    /// # Errors
    /// [`Error`], if it does not come to listen.
    pub fn serve(&self, options: &[String]) -> Result<Child, Error> {
        let mut command = self.held();
        command.arg(self.switchboard).args(["serve", "--listen", "127.0.0.1:0"]).args(options);
        if !options.iter().any(|option| option.starts_with("--data-dir")) {
            command.arg("--ephemeral");
        }
        command.env("RUST_LOG", "warn");
        let what = "the server".to_owned();
        let mut process = spawn(&mut command, &what)?;
        // It says on its first line where it listens: that is when it can be connected to.
        let mut stdout = process.stdout.take().map(BufReader::new);
        let mut line = String::new();
        let said = stdout.as_mut().map(|stdout| stdout.read_line(&mut line));
        let address = line.split_whitespace().nth(2).and_then(|address| address.parse().ok());
        let mut child = Child::new(process, what, address.unwrap_or(([127, 0, 0, 1], 0).into()));
        match (said, address) {
            (Some(Ok(_)), Some(_)) => {
                child.listen_to(stdout);
                Ok(child)
            }
            _ => Err(child.not_ready("the port of its own choice")),
        }
    }

    /// Starts a command line as a shell would, in which `{port}` stands for a free port; or one that listens where it
    /// is told to by other means, which is `at`.
    ///
    /// # Errors
    /// [`Error`], if nobody can connect to it within 30 s.
    pub fn command(&self, line: &str, at: Option<SocketAddr>) -> Result<Child, Error> {
        let what = program(line).to_owned();
        let address = match at {
            Some(at) => at,
            None => free_port().map_err(|error| Error::Start { what: what.clone(), error })?,
        };
        if is_listening(address) {
            return Err(Error::Taken { at: address });
        }
        let line = line.replace("{port}", &address.port().to_string());
        let mut command = self.held();
        // The shell gives its place to the server, so that what is read of the process is the server's.
        command.args(["sh", "-c", &format!("exec {line}")]);
        let process = spawn(&mut command, &what)?;
        let mut child = Child::new(process, what, address);
        let stdout = child.process.stdout.take();
        child.listen_to(stdout.map(BufReader::new));
        let deadline = Instant::now() + READY_TIME;
        while !is_listening(address) {
            if self.cancelled.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            if child.has_ended() || Instant::now() > deadline {
                return Err(child.not_ready(&address.to_string()));
            }
            thread::sleep(LOOK_EVERY);
        }
        // Somebody else may have been quicker to take the port.
        if child.has_ended() { Err(child.not_ready(&address.to_string())) } else { Ok(child) }
    }

    fn held(&self) -> Command {
        let mut command = Command::new(self.switchboard);
        command.arg(HELD).args(["--parent", &std::process::id().to_string()]);
        if let Some(core) = self.core {
            command.args(["--core", &core.to_string()]);
        }
        command.arg("--");
        command
    }
}

fn has_ended_with(status: ExitStatus) -> String {
    format!("has ended, with {status}, and nobody had asked it to")
}

fn spawn(command: &mut Command, what: &str) -> Result<std::process::Child, Error> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command.spawn().map_err(|error| Error::Start { what: what.to_owned(), error })
}

impl Child {
    fn new(process: std::process::Child, what: String, address: SocketAddr) -> Self {
        let (last_lines, readers) = (Arc::default(), Vec::new());
        let mut child = Self { process, what, address, last_lines, readers, has_ended: false };
        let stderr = child.process.stderr.take();
        child.listen_to(stderr.map(BufReader::new));
        child
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Reads on, so that the server never waits for somebody to read what it logs, whatever that is.
    fn listen_to(&mut self, output: Option<BufReader<impl Read + Send + 'static>>) {
        let Some(mut output) = output else { return };
        let last_lines = Arc::clone(&self.last_lines);
        self.readers.push(thread::spawn(move || {
            let mut line = Vec::new();
            while matches!((&mut output).take(LINE_BYTES_MAX).read_until(b'\n', &mut line), Ok(1..)) {
                let mut last_lines = last_lines.lock().unwrap_or_else(PoisonError::into_inner);
                if last_lines.len() == LAST_LINES_MAX {
                    last_lines.pop_front();
                }
                last_lines.push_back(excerpt(line.trim_ascii(), LINE_CHARACTERS_MAX));
                line.clear();
            }
        }));
    }

    fn last_words(&self) -> String {
        // What it said at its end may not have been read yet; and a child of it may keep its pipes open for longer.
        let deadline = Instant::now() + WORDS_TIME;
        while !self.readers.iter().all(JoinHandle::is_finished) && Instant::now() < deadline {
            thread::sleep(LOOK_EVERY);
        }
        let lines = self.last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join(" / ")
    }

    fn has_ended(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// How it ended, in a sentence, if it has ended while nobody asked it to.
    pub fn obituary(&mut self) -> Option<String> {
        let status = self.process.try_wait().ok()??;
        Some(format!("{} {}{}", self.what, has_ended_with(status), quote(&self.last_words())))
    }

    fn not_ready(&mut self, at: &str) -> Error {
        // Its first line of output is what is waited for: with the end of that, the end of the process is near.
        let deadline = Instant::now() + Duration::from_secs(1);
        let mut status = self.process.try_wait();
        while matches!(status, Ok(None)) && Instant::now() < deadline {
            thread::sleep(LOOK_EVERY);
            status = self.process.try_wait();
        }
        let (what, words) = (self.what.clone(), self.last_words());
        match status {
            Ok(Some(status)) => Error::Ended { what, status, words },
            _ => Error::NotReady { what, at: at.to_owned(), words },
        }
    }

    /// Ends it in order: SIGTERM, time to drain, then its exit status.
    ///
    /// # Errors
    /// [`Error::BadEnd`], if it had to be killed, or did not end with success.
    pub fn stop(mut self, must_succeed: bool) -> Result<(), Error> {
        if let Ok(Some(status)) = self.process.try_wait() {
            return Err(self.bad_end(has_ended_with(status)));
        }
        self.signal(Signal::TERM);
        let deadline = Instant::now() + END_TIME;
        loop {
            match self.process.try_wait() {
                Ok(Some(status)) if status.success() || !must_succeed => return Ok(()),
                Ok(Some(status)) => return Err(self.bad_end(format!("ended with {status}"))),
                Ok(None) if Instant::now() < deadline => thread::sleep(LOOK_EVERY),
                _ => return Err(self.bad_end(format!("did not end within {} s", END_TIME.as_secs()))),
            }
        }
    }

    fn bad_end(&self, how: String) -> Error {
        Error::BadEnd { what: self.what.clone(), how, words: self.last_words() }
    }

    /// To the server, and to whatever it has started.
    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.has_ended {
            self.signal(Signal::KILL);
            let _ = self.process.wait();
            self.has_ended = true;
        }
    }
}

/// What a command line starts, for people: `/usr/sbin/ngircd -n` is `ngircd`.
pub fn program(line: &str) -> &str {
    let first = line.split_whitespace().next().unwrap_or(line);
    first.rsplit('/').next().unwrap_or(first)
}

/// A port of loopback that nobody listens on. Somebody else may take it before it is used.
///
/// # Errors
/// Those of bind(2).
pub fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

fn is_listening(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

/// The other side of it: the subcommand `held`. Returns only if the server cannot be started.
pub fn become_server(parent: u32, core: Option<usize>, command: &[OsString]) -> io::Error {
    if let Err(error) = die_with(parent) {
        return error;
    }
    descriptors::raise_limit();
    if let Some(core) = core {
        cores::hold_to(&[core]);
    }
    match command.split_first() {
        Some((program, arguments)) => Command::new(program).args(arguments).exec(),
        None => io::ErrorKind::InvalidInput.into(),
    }
}

/// The kernel kills this process when the one that started it is gone. It keeps that over an exec.
#[cfg(target_os = "linux")]
fn die_with(parent: u32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have gone before that.
    let is_there = getppid().is_some_and(|pid| u32::try_from(pid.as_raw_nonzero().get()) == Ok(parent));
    if is_there { Ok(()) } else { Err(io::Error::other("whoever started this has ended")) }
}

#[cfg(not(target_os = "linux"))]
fn die_with(_: u32) -> io::Result<()> {
    Ok(())
}
