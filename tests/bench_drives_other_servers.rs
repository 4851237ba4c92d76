//! The load generator against a server that is not ours: ngIRCd, over IRC. What it delivers is exactly what is expected,
//! and what it refuses is told in its own words. Without ngIRCd these tests fail.

mod common;
#[path = "../benches/engines/peers.rs"]
#[allow(dead_code)] // the bench compares with more of them, and starts them otherwise
mod peers;
#[path = "common/running.rs"]
mod running;

use running::Running;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use switchboard::load::plan::{Mixed, Pace, Protocol, Rooms, Scenario};
use switchboard::load::{Error, Outcome, Plan, Target, Unwatched, run};

struct Ngircd {
    process: Running,
    address: SocketAddr,
    config: PathBuf,
}

impl Ngircd {
    /// Takes so many connections; 0: any number.
    fn start(connections_max: usize) -> Ngircd {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let config =
            std::env::temp_dir().join(format!("switchboard-ngircd-{}-{number}.conf", std::process::id()));
        let program = peers::installed("ngircd").expect("these tests need ngircd");
        let unlimited = "MaxConnections = 0\n";
        assert!(peers::NGIRCD.contains(unlimited));
        loop {
            let port = free_port();
            let text = peers::NGIRCD.replace("{port}", &port.to_string());
            let text = text.replace(unlimited, &format!("MaxConnections = {connections_max}\n"));
            std::fs::write(&config, text).expect("a config file");
            let mut command = Command::new(&program);
            command.arg("--nodaemon").arg("--config").arg(&config);
            let mut process = Running::start("ngircd", command);
            let line = process.stdout.wait_until("ready, or no port", |line| {
                line.contains(" ready.") || line.contains("Can't bind")
            });
            if line.contains(" ready.") {
                return Ngircd { process, address: ([127, 0, 0, 1], port).into(), config };
            }
            // Somebody else took the port meanwhile.
        }
    }

    fn bench(&self, threads: usize, rooms: Rooms) -> Result<Outcome, Error> {
        self.carry(threads, Scenario::Rooms(rooms))
    }

    fn carry(&self, threads: usize, scenario: Scenario) -> Result<Outcome, Error> {
        let plan = Plan {
            scenario,
            protocol: Protocol::Irc,
            threads,
            spread_sources: false,
            warmup: Duration::from_millis(200),
            duration: Duration::from_millis(800),
            patience: Duration::from_secs(20),
        };
        let target = Target { address: self.address, pid: Some(self.process.pid()), label: "ngircd".into() };
        run(&plan, &target, &mut Unwatched)
    }
}

impl Drop for Ngircd {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.config);
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn rooms(rooms: usize, members: usize, senders: usize, pace: Pace) -> Rooms {
    Rooms { rooms, members, senders, payload: 64, pace, named: None }
}

#[track_caller]
fn assert_exact(outcome: &Outcome) {
    let counts = outcome.counts;
    assert!(counts.delivered > 0, "{counts:?}");
    assert_eq!(counts.arrived, counts.expected, "{counts:?}");
    let faults = [counts.lost, counts.duplicated, counts.out_of_order, counts.refused, counts.disconnected];
    assert_eq!((faults, outcome.figures.len()), ([0; 5], 0), "{counts:?} {:?}", outcome.figures);
}

#[test]
fn ngircd_delivers_what_is_expected_in_both_loops() {
    let server = Ngircd::start(0);
    for threads in [1, 2] {
        let closed = server.bench(threads, rooms(1, 20, 10, Pace::Window(32))).expect("an outcome");
        assert_exact(&closed);
        assert!(closed.server.is_some_and(|server| server.memory > 0), "its process is looked at, too");
    }
    assert_exact(&server.bench(1, rooms(5, 4, 4, Pace::Window(40))).expect("an outcome"));
    let open = server.bench(1, rooms(2, 10, 2, Pace::Rate(500.0))).expect("an outcome");
    assert_exact(&open);
    assert_eq!((open.counts.offered, open.counts.expected), (400, 500 * 9));
}

#[test]
fn a_limit_of_ngircd_is_told_in_its_words() {
    let server = Ngircd::start(3);
    let error = server.bench(1, rooms(1, 10, 1, Pace::Window(1))).expect_err("there is room for three");
    let words = error.to_string();
    assert!(words.contains("onnection limit") || words.contains("closed the connection"), "{words}");
}

#[test]
fn a_bit_of_everything_goes_without_relays_over_irc() {
    let server = Ngircd::start(0);
    let mixed = Mixed { clients: 20, payload: 64, rate: 500.0, churn_per_second: 10.0 };
    let outcome = server.carry(1, Scenario::Mixed(mixed)).expect("an outcome");
    let counts = outcome.counts;
    assert_eq!((counts.arrived, counts.lost, counts.refused), (counts.expected, 0, 0), "{counts:?}");
    // Of ten messages nine go to nine others, and one to one.
    assert_eq!(counts.expected, 500 * (9 * 9 + 1) / 10);
    assert!(outcome.figures.iter().any(|figure| figure.name == "visits"), "{:?}", outcome.figures);
}

#[test]
fn one_command_compares_two_servers_that_speak_differently() {
    let server = Ngircd::start(0);
    let mut command = Command::new(common::SWITCHBOARD);
    command.args(["bench", "rooms", "--versus", &server.address.to_string(), "--versus-protocol", "irc"]);
    command.args([
        "--repeat",
        "1",
        "--members",
        "6",
        "--senders",
        "2",
        "--duration",
        "0.5",
        "--warmup",
        "0.1",
    ]);
    let output = command.output().expect("it runs");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    let header = format!("switchboard (native)   {} (irc)   ratio", server.address);
    assert!(stdout.contains(&format!("ratio: switchboard ÷ {}\n", server.address)), "{stdout}");
    let squeezed: Vec<String> =
        stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let header = header.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeezed.contains(&header), "{stdout}");
    assert!(!stdout.contains(" lost\n"), "{stdout}");
}
