//! TERM and INT end the server without losing anybody's bytes, a second signal ends it at once, HUP changes settings
//! and never harms.

mod common;

use common::{Client, Received, SWITCHBOARD, Server, eventually};
use socket2::SockRef;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{ByeCode, Flags, Kind, RefusalCode, Split, header, split};

/// Text of the n-th message: long enough that a few hundred of them fill every kernel buffer.
fn text(n: usize) -> String {
    format!("{n:05} {}", "x".repeat(3_500))
}

/// Connects with the smallest receive buffer there is, so that what is not read stays in the server.
fn login_with_a_small_buffer(address: SocketAddr, name: &str) -> Client {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(1).expect("a buffer size");
    socket.connect(&address.into()).expect("the server accepts");
    let stream = TcpStream::from(socket);
    let mut client = Client::over(stream);
    client.hello(name);
    assert_eq!(client.receive().kind(), Kind::Welcome);
    client
}

fn is_bye(received: &Received, code: ByeCode) -> bool {
    matches!(received.frame(), Frame::Bye(bye) if bye.code == code.number())
}

/// Reads a little at a time, with pauses, up to the end of the stream.
fn read_slowly(client: &mut Client) -> Vec<Received> {
    let (mut bytes, mut frames, mut chunk) = (Vec::new(), Vec::new(), [0; 4_096]);
    loop {
        let n = client.stream.read(&mut chunk).expect("no reset");
        if n == 0 {
            break;
        }
        bytes.extend_from_slice(&chunk[..n]);
        std::thread::sleep(Duration::from_millis(1)); // this is what makes it slow
    }
    let mut rest = &bytes[..];
    while let Split::Frame(raw) = split(rest, u16::MAX).expect("frames") {
        frames.push(Received { header: raw.header, body: raw.body.to_vec() });
        rest = &rest[raw.len()..];
    }
    assert!(rest.is_empty(), "the stream ends inside a frame");
    frames
}

#[test]
fn a_slow_reader_gets_everything_then_bye_then_the_end() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&["--drain-seconds", "60", "--send-buffer-bytes", "4096"]);
        let mut alice = Client::login(server.address, "alice");
        let mut bob = login_with_a_small_buffer(server.address, "bob");
        let room = alice.join("#lobby");
        bob.join("#lobby");
        const MESSAGES: usize = 150;
        for n in 0..MESSAGES {
            alice.say(room, &text(n));
        }
        server.signal(signal);
        server.wait_for_log("stopping: 2 connections drain");
        let to_bob = read_slowly(&mut bob);
        let said: Vec<String> = to_bob
            .iter()
            .filter_map(|f| if let Frame::Said(said) = f.frame() { Some(said.text.to_owned()) } else { None })
            .collect();
        assert_eq!(said, (0..MESSAGES).map(text).collect::<Vec<_>>());
        assert!(is_bye(to_bob.last().expect("frames"), ByeCode::ServerStopping), "{:?}", to_bob.last());
        assert_eq!(to_bob.iter().filter(|f| f.kind() == Kind::Bye).count(), 1);
        let to_alice = alice.receive_all();
        assert!(is_bye(to_alice.last().expect("a farewell"), ByeCode::ServerStopping));
        drop((alice, bob));
        assert_eq!(server.wait().code(), Some(0), "after {signal}");
    }
}

/// Says one thing after the other until the server hangs up; returns which were done.
fn talk_until_the_end(mut client: Client, room: u32, started: std::sync::mpsc::Sender<()>) -> BTreeSet<u32> {
    let mut writer = client.stream.try_clone().expect("a second handle");
    let talking = std::thread::spawn(move || {
        for n in 1.. {
            let mut bytes = Vec::new();
            header::put(&mut bytes, Flags::NONE, room, &frame::Say { request: n, text: &n.to_string() });
            if writer.write_all(&bytes).is_err() {
                return;
            }
        }
    });
    let mut done = BTreeSet::new();
    while let Some(received) = client.receive_or_end() {
        match received.frame() {
            Frame::Done(frame::Done { request }) => {
                done.insert(request);
            }
            Frame::Bye(_) => {
                let _ = client.stream.shutdown(Shutdown::Both); // which ends the talking
                break;
            }
            other => panic!("{other:?}"),
        }
        if done.len() == 100 {
            let _ = started.send(());
        }
    }
    talking.join().expect("the talker");
    done
}

#[test]
fn what_was_acknowledged_is_delivered_however_the_signal_falls() {
    for round in 0..5 {
        let mut server = Server::start(&["--drain-seconds", "60"]);
        let mut listeners: Vec<Client> =
            (0..3).map(|n| Client::login(server.address, &format!("listener{n}"))).collect();
        let room = listeners[0].join("#lobby");
        listeners[1].join("#lobby");
        listeners[2].join("#lobby");
        let mut alice = Client::login(server.address, "alice");
        alice.join("#lobby");
        let (started, wait) = std::sync::mpsc::channel();
        let listening: Vec<_> = listeners
            .into_iter()
            .map(|mut listener| std::thread::spawn(move || listener.receive_all()))
            .collect();
        let talking = std::thread::spawn(move || talk_until_the_end(alice, room, started));
        wait.recv_timeout(common::PATIENCE).expect("a hundred acknowledgements");
        server.signal("TERM");
        let done = talking.join().expect("alice");
        assert!(done.len() >= 100);
        for listener in listening {
            let received = listener.join().expect("a listener");
            let said: Vec<u32> = received
                .iter()
                .filter_map(|f| if let Frame::Said(said) = f.frame() { said.text.parse().ok() } else { None })
                .collect();
            assert!(said.is_sorted(), "in order");
            let heard: BTreeSet<u32> = said.into_iter().collect();
            let lost: Vec<_> = done.difference(&heard).collect();
            assert!(lost.is_empty(), "round {round}: acknowledged and not delivered: {lost:?}");
            assert!(is_bye(received.last().expect("frames"), ByeCode::ServerStopping));
        }
        assert_eq!(server.wait().code(), Some(0));
    }
}

#[test]
fn a_client_that_never_reads_holds_the_end_up_for_the_drain_time_at_most() {
    let mut server = Server::start(&["--drain-seconds", "1", "--send-buffer-bytes", "4096"]);
    let mut alice = Client::login(server.address, "alice");
    let mut deaf = login_with_a_small_buffer(server.address, "deaf");
    let room = alice.join("#lobby");
    deaf.join("#lobby");
    for n in 0..100 {
        alice.say(room, &text(n));
    }
    let signalled = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    let took = signalled.elapsed();
    assert!(took >= Duration::from_millis(900), "it was given its time: {took:?}");
    assert!(took < Duration::from_secs(10), "and no more than that: {took:?}");
    drop((alice, deaf));
}

#[test]
fn a_second_signal_ends_at_once() {
    for (first, second) in [("TERM", "TERM"), ("INT", "INT"), ("TERM", "INT")] {
        let mut server = Server::start(&["--drain-seconds", "600"]);
        let client = Client::login(server.address, "who-stays-on-the-line");
        server.signal(first);
        server.wait_for_log("stopping: 1 connections drain; a second signal ends at once");
        server.signal(second);
        assert_eq!(server.wait().code(), Some(1), "{first}, then {second}");
        server.wait_for_log("switchboard: stopped at once: a second signal came before everything was sent");
        drop(client);
    }
}

#[test]
fn newcomers_are_not_taken_while_it_stops() {
    let mut server = Server::start(&["--drain-seconds", "600"]);
    let client = Client::login(server.address, "alice");
    server.signal("TERM");
    server.wait_for_log("stopping");
    eventually("the port is closed", || TcpStream::connect(server.address).is_err());
    drop(client);
    assert_eq!(server.wait().code(), Some(0));
}

/// A config file of its own, gone when the test is over.
struct ConfigFile(PathBuf);

impl ConfigFile {
    fn new(name: &str, text: &str) -> ConfigFile {
        let file =
            ConfigFile(std::env::temp_dir().join(format!("switchboard-{}-{name}.toml", std::process::id())));
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.0, text).expect("a file in the temporary directory");
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a path in UTF-8")
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Asks to join and says whether that was granted.
fn may_join(client: &mut Client, room: &str) -> bool {
    let request = client.next_request();
    client.send(0, &frame::Join { request, past: 0, room, password: "" });
    loop {
        match client.receive().frame() {
            Frame::Joined(joined) if joined.request == request => return true,
            Frame::Refused(refused) if refused.request == request => {
                assert_eq!(refused.code, RefusalCode::RoomFull.number(), "{}", refused.text);
                return false;
            }
            _ => {}
        }
    }
}

#[test]
fn hup_takes_a_new_file_and_keeps_the_old_settings_when_it_is_wrong() {
    let file = ConfigFile::new("reload", "rooms-max = 1\n");
    let mut server = Server::start(&["--config", file.path()]);
    let mut alice = Client::login(server.address, "alice");
    assert!(may_join(&mut alice, "#one"));
    assert!(!may_join(&mut alice, "#two"), "one room is all there may be");

    file.write("rooms-max = 2\n");
    server.signal("HUP");
    server.wait_for_log("settings reloaded");
    assert!(may_join(&mut alice, "#two"));
    assert!(!may_join(&mut alice, "#three"));

    let mistakes = [
        ("rooms-max = 3\nroms-max = 4\n", "line 2: there is no setting roms-max; did you mean rooms-max?"),
        ("rooms-max = \"many\"\n", "line 1: rooms-max must be a whole number"),
        ("rooms-max = 3\nqueued-bytes-soft = 1\n", "queued-bytes-soft is 1; it must be at least"),
        ("rooms-max = \n", "line 1: "),
    ];
    for (text, complaint) in mistakes {
        file.write(text);
        server.signal("HUP");
        let line = server.wait_for_log("settings not reloaded, the old ones stay");
        assert!(line.contains(complaint), "{line}");
        assert!(!may_join(&mut alice, "#three"), "nothing of a wrong file counts");
    }
    std::fs::remove_file(&file.0).expect("the file was there");
    server.signal("HUP");
    let line = server.wait_for_log("settings not reloaded, the old ones stay");
    assert!(line.contains("cannot read the config file") && line.contains(file.path()), "{line}");

    file.write("rooms-max = 3\nlisten = [\"127.0.0.1:1\"]\n");
    server.signal("HUP");
    server.wait_for_log("settings reloaded");
    assert!(may_join(&mut alice, "#three"), "it goes on, and takes a right file again");
    Client::login(server.address, "newcomer");
    server.signal("TERM");
    drop(alice);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn what_can_only_change_with_a_restart_is_said() {
    let file = ConfigFile::new("listen", "listen = [\"127.0.0.1:0\"]\n");
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--ephemeral", "--config", file.path()]);
    let server = Server::spawn(command);
    file.write("listen = [\"127.0.0.1:1\"]\n");
    server.signal("HUP");
    server.wait_for_log("`listen` changes with a restart only");
    server.wait_for_log("settings reloaded");
    Client::login(server.address, "alice");
}

#[test]
fn hup_without_a_file_only_warns() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    server.signal("HUP");
    server.wait_for_log("there is no config file to read again");
    alice.round_trip();
}

#[test]
fn a_storm_of_signals_harms_nobody() {
    let file = ConfigFile::new("storm", "rooms-max = 1\n");
    let mut server = Server::start(&["--config", file.path()]);
    let mut alice = Client::login(server.address, "alice");
    let mut bob = Client::login(server.address, "bob");
    let room = alice.join("#lobby");
    bob.join("#lobby");
    let mut storm = Command::new("sh")
        .args([
            "-c",
            "n=0; while [ $n -lt 1000 ]; do kill -HUP $0; n=$((n+1)); done",
            &server.pid().to_string(),
        ])
        .spawn()
        .expect("a shell");
    for n in 0..1_000 {
        alice.say(room, &n.to_string());
    }
    for n in 0..1_000 {
        let said = bob.receive_kind(Kind::Said);
        assert_eq!(said.frame(), Frame::Said(frame::Said { by: "alice", text: &n.to_string() }));
    }
    assert!(storm.wait().expect("the storm ends").success(), "the server was there for all of it");
    file.write("rooms-max = 2\n");
    server.signal("HUP");
    eventually("the new file holds", || may_join(&mut alice, "#two"));
    server.signal("TERM");
    drop((alice, bob));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_connection_that_breaks_while_it_drains_is_no_trouble() {
    let mut server = Server::start(&["--drain-seconds", "600", "--send-buffer-bytes", "4096"]);
    let mut alice = Client::login(server.address, "alice");
    let mut bob = login_with_a_small_buffer(server.address, "bob");
    let room = alice.join("#lobby");
    bob.join("#lobby");
    for n in 0..50 {
        alice.say(room, &text(n));
    }
    server.signal("TERM");
    server.wait_for_log("stopping");
    SockRef::from(&bob.stream).set_linger(Some(Duration::ZERO)).expect("linger");
    drop(bob); // a reset, with bytes queued
    drop(alice);
    assert_eq!(server.wait().code(), Some(0));
}
