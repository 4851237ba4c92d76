//! What the tests over real sockets share: a server process, and a client that blocks.
#![allow(dead_code)] // each test file uses its part

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Body};
use switchboard::wire::{BODY_MAX, Flags, Frame, Header, Kind, Split, header, split};

/// How long a test waits for something that must happen. Long, because a loaded machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The binary under test.
pub const SWITCHBOARD: &str = env!("CARGO_BIN_EXE_switchboard");

/// A server process on a port of its own; killed when the test is over.
pub struct Server {
    pub child: Child,
    pub address: SocketAddr,
    log: Receiver<String>,
}

impl Server {
    /// Starts `switchboard serve` with these further arguments. It keeps nothing, unless they say where.
    pub fn start(args: &[&str]) -> Server {
        let mut command = Command::new(SWITCHBOARD);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(args);
        if !args.contains(&"--data-dir") {
            command.arg("--ephemeral");
        }
        Self::spawn(command)
    }

    /// Starts a command that ends up being the server.
    pub fn spawn(mut command: Command) -> Server {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let (sender, log) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                eprintln!("server: {line}");
                let _ = sender.send(line);
            }
        });
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the server says where it listens");
        let address = line.split_whitespace().nth(2).and_then(|a| a.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in {line:?}"));
        Server { child, address, log }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits until the log has a line that contains `text`.
    pub fn wait_for_log(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(_) => panic!("the server never logged {text:?}"),
            }
        }
    }

    /// Waits for the process to end by itself.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for(&mut self.child)
    }

    /// Resident memory, in bytes.
    pub fn memory(&self) -> usize {
        memory_of(self.pid())
    }

    /// User and system time spent so far.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("stat");
        let after_name = stat.rsplit(") ").next().expect("fields");
        let fields: Vec<&str> = after_name.split(' ').collect();
        let ticks: u64 =
            fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime");
        Duration::from_millis(ticks * 10) // USER_HZ is 100 on Linux
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a child to end by itself; fails the test when it does not.
#[track_caller]
pub fn wait_for(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("wait") {
            return status;
        }
        assert!(Instant::now() < deadline, "process {} does not end", child.id());
        std::thread::sleep(Duration::from_millis(5)); // polling, for want of a wait with a time-out
    }
}

pub fn memory_of(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok()).expect("a number") * 1_024
}

/// Polls a condition until it holds; for what no event tells.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One received frame, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub header: Header,
    pub body: Vec<u8>,
}

impl Received {
    pub fn frame(&self) -> Frame<'_> {
        Frame::decode(self.header.kind, &self.body).expect("the server sends frames that decode")
    }

    pub fn kind(&self) -> Kind {
        Kind::from_u8(self.header.kind).expect("a known kind")
    }

    /// What text there is in its body, between bytes that are none.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn channel(&self) -> u32 {
        self.header.channel
    }

    pub fn has(&self, flags: Flags) -> bool {
        Flags::from_bits(self.header.flags).expect("known flags").contains(flags)
    }
}

/// A client that speaks native frames over a blocking socket.
pub struct Client {
    pub stream: TcpStream,
    buffer: Vec<u8>,
    requests: u32,
}

impl Client {
    /// Connects, without a word.
    pub fn connect(address: SocketAddr) -> Client {
        Self::over(TcpStream::connect(address).expect("the server accepts"))
    }

    /// Takes a connection that was made in a special way.
    pub fn over(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_nodelay(true).expect("no delay");
        Client { stream, buffer: Vec::new(), requests: 0 }
    }

    /// Connects and logs in.
    pub fn login(address: SocketAddr, name: &str) -> Client {
        let mut client = Client::connect(address);
        client.hello(name);
        let reply = client.receive();
        assert_eq!(reply.kind(), Kind::Welcome, "{:?}", reply.frame());
        client
    }

    pub fn hello(&mut self, name: &str) {
        let request = self.next_request();
        self.send(0, &frame::Hello { request, version: frame::VERSION, body_max: BODY_MAX, name });
    }

    /// A request id that was not used before.
    pub fn next_request(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }

    pub fn send<'a>(&mut self, channel: u32, body: &impl Body<'a>) {
        self.send_flagged(Flags::NONE, channel, body);
    }

    pub fn send_flagged<'a>(&mut self, flags: Flags, channel: u32, body: &impl Body<'a>) {
        let mut bytes = Vec::new();
        header::put(&mut bytes, flags, channel, body);
        self.send_bytes(&bytes);
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    /// The next frame.
    pub fn receive(&mut self) -> Received {
        self.receive_or_end().expect("a frame, not the end")
    }

    /// The next frame, or `None` at the end of the stream.
    pub fn receive_or_end(&mut self) -> Option<Received> {
        loop {
            if let Split::Frame(raw) = split(&self.buffer, u16::MAX).expect("the server sends frames") {
                let received = Received { header: raw.header, body: raw.body.to_vec() };
                let length = raw.len();
                self.buffer.drain(..length);
                return Some(received);
            }
            let mut chunk = [0; 65_536];
            match self.stream.read(&mut chunk) {
                Ok(0) => {
                    assert!(self.buffer.is_empty(), "the stream ends inside a frame");
                    return None;
                }
                Ok(n) => self.buffer.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("reading from the server: {error}"),
            }
        }
    }

    /// The next frame of this kind; others before it are passed over.
    pub fn receive_kind(&mut self, kind: Kind) -> Received {
        loop {
            let received = self.receive();
            if received.kind() == kind {
                return received;
            }
        }
    }

    /// Everything up to the end of the stream.
    pub fn receive_all(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.receive_or_end()).collect()
    }

    /// Joins a room and returns its channel.
    pub fn join(&mut self, room: &str) -> u32 {
        let request = self.next_request();
        self.send(0, &frame::Join { request, past: 0, room, password: "" });
        self.receive_kind(Kind::Joined).channel()
    }

    /// Says something and waits until the server has taken it.
    pub fn say(&mut self, channel: u32, text: &str) {
        let request = self.next_request();
        self.send(channel, &frame::Say { request, text });
        self.receive_kind(Kind::Done);
    }

    /// Calls somebody and returns the request's id.
    pub fn call(&mut self, to: &str) -> u32 {
        let request = self.next_request();
        self.send(0, &frame::Open { request, purpose: 0, to });
        request
    }

    /// A round trip: everything that was sent before is done when it returns.
    pub fn round_trip(&mut self) {
        self.send(0, &frame::Ping { token: 77 });
        loop {
            if let Frame::Pong(frame::Pong { token: 77 }) = self.receive().frame() {
                return;
            }
        }
    }
}

/// Opens a relay from `caller` to `callee`, whose name is given, and returns its channel.
pub fn open_relay(caller: &mut Client, callee: &mut Client, callee_name: &str) -> u32 {
    caller.call(callee_name);
    let channel = callee.receive_kind(Kind::Offer).channel();
    let request = callee.next_request();
    callee.send(channel, &frame::Accept { request });
    callee.receive_kind(Kind::Done);
    assert_eq!(caller.receive_kind(Kind::Opened).channel(), channel);
    channel
}
