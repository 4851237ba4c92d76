//! `switchboard doctor` takes two peers through a server, and names what does not work.

mod common;
#[path = "common/running.rs"]
mod running;

use common::{Client, SWITCHBOARD, Server};
use running::Running;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use switchboard::wire::frame::{ListPeers, ListRooms, Refused};
use switchboard::wire::{Flags, Frame, Kind, RefusalCode, header};

const STEPS: [&str; 10] = [
    "name",
    "tcp",
    "login",
    "room",
    "relay",
    "udp bind",
    "udp room",
    "udp relay",
    "direct tcp",
    "direct udp",
];

/// What it may take at most, and what a loaded machine adds.
const AT_MOST: Duration = Duration::from_secs(30 + 30);

fn command(server: SocketAddr) -> Command {
    let mut command = Command::new(SWITCHBOARD);
    command.args(["doctor", &server.to_string()]);
    command
}

/// What a doctor said.
struct Findings {
    content: bool,
    lines: Vec<String>,
}

impl Findings {
    fn of(server: SocketAddr) -> Findings {
        let started = Instant::now();
        let output = command(server).output().expect("the doctor runs");
        assert!(started.elapsed() < AT_MOST);
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).expect("text");
        eprint!("{said}");
        Findings { content: output.status.success(), lines: said.lines().map(str::to_owned).collect() }
    }

    /// The steps with this verdict.
    fn with(&self, verdict: &str) -> Vec<&str> {
        let start = format!("{verdict:<6}");
        let steps = self.lines.iter().filter_map(|line| line.strip_prefix(&start));
        steps
            .filter_map(|rest| STEPS.into_iter().find(|step| rest.starts_with(&format!("{step:<11}"))))
            .collect()
    }

    /// This step alone failed, with these words; those behind it that need it were skipped.
    #[track_caller]
    fn expect_failure(&self, step: &str, words: &[&str]) {
        assert!(!self.content);
        assert_eq!(self.with("FAIL"), [step]);
        let line = self.lines.iter().find(|line| line.starts_with("FAIL")).expect("a failure");
        for word in words {
            assert!(line.contains(word), "no {word:?} in {line:?}");
        }
        let summary = self.lines.last().expect("a summary");
        assert!(summary.ends_with(&format!("failed: {step}")), "{summary}");
    }
}

/// Somebody else's server: does this with every connection.
fn impostor(serve: impl Fn(TcpStream) + Send + Sync + Copy + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Reads until the other side has enough.
fn drain(mut stream: TcpStream) {
    while stream.read(&mut [0; 4_096]).is_ok_and(|n| n > 0) {}
}

/// A port that is forwarded to a server, for TCP alone.
fn forward(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(server) else { continue };
            for (mut from, mut to) in
                [(near.try_clone().expect("a copy"), far.try_clone().expect("a copy")), (far, near)]
            {
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    address
}

#[test]
fn every_step_is_ok_on_a_fresh_server_and_nothing_stays_behind() {
    let server = Server::start(&[]);
    let findings = Findings::of(server.address);
    assert!(findings.content);
    assert_eq!(findings.with("ok"), STEPS);
    assert_eq!(findings.lines.len(), STEPS.len() + 1);
    assert_eq!(findings.lines.last(), Some(&format!("{}: all 10 steps ok", server.address)));

    let mut client = Client::login(server.address, "alice");
    client.send(0, &ListRooms { request: 101, after: "" });
    let rooms = client.receive_kind(Kind::RoomList);
    let Frame::RoomList(list) = rooms.frame() else { panic!("no list") };
    assert_eq!(list.rooms.iter().count(), 0);
    client.send(0, &ListPeers { request: 102, after: "" });
    let peers = client.receive_kind(Kind::PeerList);
    let Frame::PeerList(list) = peers.frame() else { panic!("no list") };
    assert_eq!(list.names.iter().collect::<Vec<_>>(), ["alice"]);
}

#[test]
fn two_doctors_do_not_get_in_each_others_way() {
    let server = Server::start(&[]);
    let address = server.address;
    let other = thread::spawn(move || Findings::of(address));
    assert!(Findings::of(address).content && other.join().expect("no panic").content);
}

#[test]
fn no_server_is_named() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address")
    };
    let findings = Findings::of(address);
    findings.expect_failure("tcp", &["refuses connections", "no server runs there", &address.to_string()]);
    assert_eq!(findings.with("ok"), ["name"]);
    assert_eq!(findings.with("skip"), STEPS[2..]);
    assert!(findings.lines.iter().filter(|line| line.starts_with("skip")).all(|l| l.ends_with("needs tcp")));
}

#[test]
fn a_server_without_datagrams_is_named_and_the_rest_is_tried() {
    let server = Server::start(&["--datagrams", "false"]);
    let findings = Findings::of(server.address);
    findings.expect_failure("udp bind", &["without datagrams", "datagrams = true"]);
    assert_eq!(findings.with("skip"), ["udp room", "udp relay"]);
    assert_eq!(findings.with("ok"), ["name", "tcp", "login", "room", "relay", "direct tcp", "direct udp"]);
}

#[test]
fn somebody_elses_banner_is_named() {
    let address = impostor(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_10.0\r\n");
        drain(stream);
    });
    Findings::of(address).expect_failure("login", &["SSH-2.0-OpenSSH_10.0", "not a Switchboard server"]);
}

#[test]
fn somebody_who_says_nothing_is_named() {
    Findings::of(impostor(drain)).expect_failure("login", &["hello gets no answer", "no Switchboard server"]);
}

#[test]
fn somebody_who_hangs_up_is_named() {
    let findings = Findings::of(impostor(|mut stream| {
        let _ = stream.read(&mut [0; 4_096]); // hello, so that the end is no reset
    }));
    findings.expect_failure("login", &["not a Switchboard server"]);
}

#[test]
fn another_version_is_named() {
    let findings = Findings::of(impostor(|mut stream| {
        let mut refusal = Vec::new();
        let (code, text) = (RefusalCode::Version.number(), "version 2 is spoken here");
        header::put(&mut refusal, Flags::NONE, 0, &Refused { request: 0, code, text });
        let _ = stream.write_all(&refusal);
        drain(stream);
    }));
    findings.expect_failure("login", &["another version", "version 2 is spoken here", "update"]);
}

#[test]
fn a_full_server_is_named() {
    for guests in [0, 1] {
        let server = Server::start(&["--connections-max", "1"]);
        let _here: Vec<Client> = (0..guests).map(|_| Client::login(server.address, "alice")).collect();
        Findings::of(server.address).expect_failure("login", &["full", "connections-max"]);
    }
}

#[test]
fn a_refusal_is_told_and_what_does_not_need_it_is_tried() {
    let server = Server::start(&["--rooms-max", "0"]);
    let findings = Findings::of(server.address);
    findings.expect_failure("room", &["refuses"]);
    assert_eq!(findings.with("skip"), ["udp room"]);
}

#[test]
fn a_port_that_is_forwarded_for_tcp_alone_is_named() {
    let server = Server::start(&[]);
    let address = forward(server.address);
    let findings = Findings::of(address);
    findings.expect_failure("udp bind", &[&format!("UDP port {} is blocked", address.port()), "TCP works"]);
    assert_eq!(findings.with("skip"), ["udp room", "udp relay"]);
}

#[test]
fn a_server_that_is_killed_in_the_middle_is_named() {
    let mut server = Server::start(&[]);
    // No datagram comes through, which takes it seconds to find out.
    let mut doctor = Running::start("doctor", command(forward(server.address)));
    doctor.stdout.wait_for("ok    relay");
    server.child.kill().expect("it runs");
    server.wait();
    let failure = doctor.stdout.wait_for("FAIL");
    assert!(
        failure.contains("udp bind") && failure.contains("the connection to the server is gone"),
        "{failure}"
    );
    let skipped = doctor.stdout.wait_for("skip  direct udp");
    assert!(skipped.contains("the connection to the server is gone"), "{skipped}");
    assert!(doctor.stdout.wait_for("failed: udp bind").contains("5 of 10 steps ok, 4 skipped"));
    assert_eq!(doctor.finish().code(), Some(1));
}

#[test]
fn a_server_that_is_stopped_in_the_middle_is_named() {
    let server = Server::start(&[]);
    let mut doctor = Running::start("doctor", command(forward(server.address)));
    doctor.stdout.wait_for("ok    relay");
    server.signal("TERM");
    let failure = doctor.stdout.wait_for("FAIL");
    assert!(failure.contains("being stopped"), "{failure}");
    assert_eq!(doctor.finish().code(), Some(1));
}

#[test]
fn a_server_that_hangs_does_not_keep_the_doctor() {
    let server = Server::start(&[]);
    let started = Instant::now();
    let mut doctor = Running::start("doctor", command(forward(server.address)));
    doctor.stdout.wait_for("ok    relay");
    server.signal("STOP");
    doctor.stdout.wait_for("FAIL  udp bind");
    let failure = doctor.stdout.wait_for("FAIL  direct tcp");
    assert!(failure.contains("did not come in time") && failure.contains("hangs"), "{failure}");
    assert!(doctor.stdout.wait_for("failed: ").ends_with("udp bind, direct tcp, direct udp"));
    assert_eq!(doctor.finish().code(), Some(1));
    assert!(started.elapsed() < AT_MOST);
}

#[test]
fn output_that_nobody_reads_is_an_error_and_no_panic() {
    let server = Server::start(&[]);
    let mut command = command(server.address);
    let mut doctor = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the doctor runs");
    drop(doctor.stdout.take());
    let output = doctor.wait_with_output().expect("it ends");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(complaint.contains("standard output") && complaint.lines().count() == 1, "{complaint}");
}

#[test]
fn help_explains_every_step() {
    let output = Command::new(SWITCHBOARD).args(["doctor", "--help"]).output().expect("it runs");
    let help = String::from_utf8(output.stdout).expect("text");
    for step in STEPS {
        assert!(help.contains(&format!("\n  {step:<10}  ")), "{step} is not in:\n{help}");
    }
    assert!(help.contains("127.0.0.1:7667") && help.contains("Exit status"));
}
