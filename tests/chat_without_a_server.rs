//! `switchboard chat --listen` and `switchboard chat --peer`: two talk without a server.

mod common;

use common::{Client, PATIENCE, SWITCHBOARD, eventually, wait_for};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;
use switchboard::wire::frame::{Data, Open, VERSION, Welcome};
use switchboard::wire::{Frame, Kind};

/// A chat whose standard streams are pipes, and what it says on them.
struct Chat {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    notices: Receiver<String>,
}

impl Chat {
    fn start(args: &[&str]) -> Chat {
        let mut command = Command::new(SWITCHBOARD);
        command.arg("chat").args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("chat starts");
        let output = lines_of(child.stdout.take().expect("stdout is piped"));
        let notices = lines_of(child.stderr.take().expect("stderr is piped"));
        Chat { input: child.stdin.take(), child, output, notices }
    }

    /// One that waits at a port of its own, and where.
    fn listen(host: &str) -> (Chat, String) {
        let chat = Chat::start(&["--nick", "bob", "--listen", &format!("{host}:0")]);
        let notice = chat.wait_for_notice("waiting for a call at ");
        let address = notice.rsplit(' ').next().expect("an address").to_owned();
        (chat, address)
    }

    fn call(nick: &str, address: &str) -> Chat {
        Chat::start(&["--nick", nick, "--peer", address])
    }

    fn say(&mut self, text: &str) {
        self.input.as_mut().expect("input is open").write_all(text.as_bytes()).expect("chat reads");
    }

    fn end_input(&mut self) {
        self.input = None;
    }

    fn wait_for_notice(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.notices.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(_) => panic!("never said: {text}"),
            }
        }
    }

    fn next_line(&self) -> String {
        self.output.recv_timeout(PATIENCE).expect("a line")
    }

    /// Waits for its end: the status, and what it still said, on standard output and standard error.
    fn finish(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        self.end_input();
        let status = wait_for(&mut self.child);
        (status, self.output.iter().collect(), self.notices.iter().collect())
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    lines
}

/// A thousand lines, and how the other end shows them.
fn thousand(nick: &str) -> (String, Vec<String>) {
    let lines: Vec<String> = (0..1_000).map(|n| format!("/{nick} says {n} {}", "é".repeat(n % 50))).collect();
    (lines.join("\n") + "\n", lines.iter().map(|line| format!("@{nick} <{nick}> {line}")).collect())
}

#[test]
fn a_line_is_delivered_before_the_caller_ends_and_the_next_one_may_call() {
    let (bob, address) = Chat::listen("127.0.0.1");
    for nick in ["alice", "carol"] {
        let mut caller = Chat::call(nick, &address);
        caller.say("hi");
        let (status, output, notices) = caller.finish();
        assert!(status.success() && output.is_empty(), "{notices:?}");
        assert_eq!(bob.next_line(), format!("@{nick} <{nick}> hi"));
        bob.wait_for_notice(&format!("{nick} left"));
    }
    let (status, output, _) = bob.finish();
    assert!(status.success() && output.is_empty(), "its input is at its end, and its last peer has left");
}

#[test]
fn a_thousand_lines_go_both_ways_at_once_and_neither_end_cuts_the_other_off() {
    let (mut bob, address) = Chat::listen("127.0.0.1");
    let mut alice = Chat::call("alice", &address);
    let ((of_alice, to_bob), (of_bob, to_alice)) = (thousand("alice"), thousand("bob"));
    let feeding = std::thread::spawn(move || {
        bob.say(&of_bob);
        bob.end_input();
        bob
    });
    alice.say(&of_alice);
    alice.end_input();
    let bob = feeding.join().expect("bob is fed");
    let (status, output, notices) = alice.finish();
    assert!(status.success(), "{notices:?}");
    assert_eq!(output, to_alice);
    let (status, output, notices) = bob.finish();
    assert!(status.success(), "{notices:?}");
    assert_eq!(output, to_bob);
}

#[test]
fn a_caller_that_is_killed_is_missed_and_the_next_one_is_served() {
    let (mut bob, address) = Chat::listen("127.0.0.1");
    let mut alice = Chat::call("alice", &address);
    alice.say("hello\n");
    assert_eq!(bob.next_line(), "@alice <alice> hello");
    bob.end_input();
    alice.child.kill().expect("kill");
    bob.wait_for_notice("alice is gone");
    let mut again = Chat::call("alice", &address);
    again.say("again\n");
    assert!(again.finish().0.success());
    assert_eq!(bob.next_line(), "@alice <alice> again");
    assert!(bob.finish().0.success());
}

#[test]
fn a_listener_that_is_killed_is_no_success_for_the_caller() {
    let (mut bob, address) = Chat::listen("127.0.0.1");
    let mut alice = Chat::call("alice", &address);
    alice.wait_for_notice("bob took the call");
    // It takes bytes, and acknowledges nothing any more.
    let stopped = Command::new("kill").args(["-STOP", &bob.child.id().to_string()]).status();
    assert!(stopped.expect("kill runs").success());
    alice.say("into the dark\n");
    let connected: SocketAddr = address.parse().expect("an address");
    eventually("the line is under way", || unread_at(connected));
    bob.child.kill().expect("kill");
    wait_for(&mut bob.child);
    let (status, _, notices) = alice.finish();
    assert!(!status.success());
    assert!(notices.contains(&"!! not confirmed: bob: into the dark".to_owned()), "{notices:?}");
    assert!(notices.last().is_some_and(|line| line.starts_with("switchboard: ")), "{notices:?}");
}

/// Whether a connection to that local port has bytes that nobody has read: the receive queue in /proc/net/tcp.
fn unread_at(address: SocketAddr) -> bool {
    let port = format!(":{:04X}", address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the table of connections");
    table.lines().skip(1).any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_open = fields[3] == "01";
        is_open && fields[1].ends_with(&port) && !fields[4].ends_with(":00000000")
    })
}

#[test]
fn strangers_and_garbage_close_only_their_own_connection() {
    let (bob, address) = Chat::listen("127.0.0.1");
    let garbage: [(&[u8], &[u8]); 6] = [
        (b"GET / HTTP/1.1\r\n\r\n", b"ERROR :"),
        (b"NICK x\r\n", b"ERROR :"),
        (&[0xff; 64], &[0x86]),
        (&[0x84, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0x86]),
        (b"\x80\0\0\x11\0\0\0\0SWBX\0\0\0\x01\x01\x80\0\x05alice", &[0x86]),
        (b"\x80\0\0\x04\0\0\0\0SWBD", &[0x86]),
    ];
    for (bytes, answer) in garbage {
        let told = told(&address, bytes);
        assert!(told.starts_with(answer), "{bytes:?} was answered {told:?}");
    }
    let mut alice = Client::login(address.parse().expect("an address"), "alice");
    let request = alice.next_request();
    alice.send(0, &Open { request, purpose: 0, to: "" });
    let channel = alice.receive_kind(Kind::Opened).channel();
    assert!(told(&address, b"").starts_with(b"ERROR :busy"), "somebody else is here");
    alice.round_trip();
    alice.send(channel, &Data { payload: b"no number" });
    let bye = alice.receive_kind(Kind::Bye);
    assert!(matches!(bye.frame(), Frame::Bye(bye) if bye.code == 101), "{:?}", bye.frame());
    let mut carol = Chat::call("carol", &address);
    carol.say("hello\n");
    assert!(carol.finish().0.success());
    assert_eq!(bob.next_line(), "@carol <carol> hello");
}

#[test]
fn who_says_hello_and_does_not_call_is_in_nobodys_way_for_long() {
    let (bob, address) = Chat::listen("127.0.0.1");
    let mut mute = Client::login(address.parse().expect("an address"), "mute");
    let bye = mute.receive_kind(Kind::Bye);
    assert!(matches!(bye.frame(), Frame::Bye(bye) if bye.text == "you said hello and opened no call"));
    assert!(mute.receive_or_end().is_none());
    let mut carol = Chat::call("carol", &address);
    carol.say("hello\n");
    assert!(carol.finish().0.success());
    assert_eq!(bob.next_line(), "@carol <carol> hello");
}

#[test]
fn a_peer_that_does_not_take_the_call_is_not_waited_for_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut alice = Chat::call("alice", &listener.local_addr().expect("its address").to_string());
    alice.say("hello\n");
    let mut mute = Client::over(listener.accept().expect("she calls").0);
    assert_eq!(mute.receive().kind(), Kind::Hello);
    mute.send(0, &Welcome { request: 0, version: VERSION, body_max: 512, text_max: 512, name: "alice" });
    assert_eq!(mute.receive().kind(), Kind::Open);
    let (status, output, notices) = alice.finish();
    assert!(!status.success() && output.is_empty());
    let last = notices.last().expect("a sentence");
    assert!(last.ends_with("no call came about with the peer within 10 seconds"), "{notices:?}");
}

/// What a stranger is told who says this, up to the end of the stream.
fn told(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let mut told = Vec::new();
    // It may have closed already.
    let _ = stream.write_all(bytes);
    let _ = stream.read_to_end(&mut told);
    told
}

#[test]
fn one_peer_at_a_time_and_not_of_the_same_name() {
    let (bob, address) = Chat::listen("127.0.0.1");
    let cases = [("BOB", "somebody here has that name"), ("a b", "that user name cannot be used")];
    for (nick, said) in cases {
        let (status, _, notices) = Chat::call(nick, &address).finish();
        assert!(!status.success() && notices.iter().any(|line| line.contains(said)), "{notices:?}");
    }
    let alice = Chat::call("alice", &address);
    bob.wait_for_notice("alice called");
    let (status, _, notices) = Chat::call("carol", &address).finish();
    assert!(!status.success() && notices.iter().any(|line| line.contains("busy")), "{notices:?}");
    assert!(alice.finish().0.success(), "she was not disturbed");
}

#[test]
fn it_works_over_ipv6() {
    let (bob, address) = Chat::listen("[::1]");
    assert!(address.starts_with("[::1]:"), "{address}");
    let mut alice = Chat::call("alice", &address);
    alice.say("six\n");
    assert!(alice.finish().0.success());
    assert_eq!(bob.next_line(), "@alice <alice> six");
}

#[test]
fn what_is_said_leaves_with_the_one_who_says_goodbye() {
    let (mut bob, address) = Chat::listen("127.0.0.1");
    let alice = Chat::call("alice", &address);
    bob.wait_for_notice("alice called");
    bob.say("the last word\n");
    assert_eq!(alice.next_line(), "@bob <bob> the last word");
    let ended = Command::new("kill").args(["-TERM", &bob.child.id().to_string()]).status();
    assert!(ended.expect("kill runs").success());
    alice.wait_for_notice("bob left");
    let (status, _, notices) = alice.finish();
    assert!(!status.success(), "its input had not ended");
    assert!(notices.iter().any(|line| line.contains("bob left before everything was said")), "{notices:?}");
}

#[test]
fn what_cannot_work_is_one_sentence_and_no_success() {
    let (_bob, taken) = Chat::listen("127.0.0.1");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = free.local_addr().expect("its address").to_string();
    drop(free);
    let cases: [(&[&str], &str); 7] = [
        (&["--nick", "a", "--peer", &nobody], "does somebody wait there with --listen?"),
        (&["--nick", "a", "--listen", &taken], "cannot listen on "),
        (&["--nick", "a b", "--listen", "127.0.0.1:0"], "that user name cannot be used"),
        (&["--nick", "a", "--listen", "127.0.0.1:0", "--peer", &taken], "cannot be used with '--peer"),
        (&["--nick", "a", "--peer", &taken, "--room", "r"], "cannot be used with '--room"),
        (&["--nick", "a", "--listen", "127.0.0.1:0", "localhost"], "cannot be used with '[ADDR]'"),
        (&["--nick", "a", "--listen", ":7667"], "an address to wait at is HOST or HOST:PORT"),
    ];
    for (args, said) in cases {
        let (status, output, notices) = Chat::start(args).finish();
        assert!(!status.success() && output.is_empty(), "{args:?}");
        assert!(notices.len() == 1 && notices[0].contains(said), "{args:?}: {notices:?}");
    }
}
