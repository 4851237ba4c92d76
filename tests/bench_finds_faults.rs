//! The load generator against a server that loses, repeats and reorders, and counts what it does: the generator comes to
//! the same numbers. And against one that does none of it, the floor that benches compare with.

mod common;

use common::Server;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchboard::load::cores::{Cores, hold_to};
use switchboard::load::outcome::Sample;
use switchboard::load::plan::{Pace, Protocol, Rooms, Scenario};
use switchboard::load::{Outcome, Plan, Target, Unwatched, Watch, run};
use switchboard::wire::{Kind, Split, split};

/// What a floor does wrong, once in so many deliveries; 0 for never.
#[derive(Clone, Copy, Default)]
struct Faults {
    lose: u64,
    repeat: u64,
    reorder: u64,
    /// It reads nothing any more once there are messages, and keeps the connections.
    stop: bool,
}

/// How often it did so.
#[derive(Default)]
struct Done {
    deliveries: AtomicU64,
    lost: AtomicU64,
    repeated: AtomicU64,
    reordered: AtomicU64,
}

/// Everything that anybody sends goes to everybody, by a thread for each connection.
struct Floor {
    address: SocketAddr,
    done: Arc<Done>,
}

impl Floor {
    fn start(faults: Faults) -> Floor {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let done = Arc::new(Done::default());
        let (clients, of_threads) = (Arc::new(Mutex::new(Vec::new())), done.clone());
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                socket.set_nodelay(true).expect("no delay");
                let writer = socket.try_clone().expect("a second handle");
                clients.lock().expect("no panic").push(writer);
                let (clients, done) = (clients.clone(), of_threads.clone());
                std::thread::spawn(move || serve(socket, &clients, faults, &done));
            }
        });
        Floor { address, done }
    }
}

fn serve(mut socket: TcpStream, clients: &Mutex<Vec<TcpStream>>, faults: Faults, done: &Done) {
    let (mut held, mut scratch) = (Vec::new(), vec![0; 65_536]);
    loop {
        match socket.read(&mut scratch) {
            Ok(0) => return,
            Ok(n) => held.extend_from_slice(&scratch[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return, // the run is over
        }
        let (mut frames, mut used) = (Vec::new(), 0);
        while let Ok(Split::Frame(frame)) = split(&held[used..], u16::MAX) {
            frames.push(&held[used..used + frame.len()]);
            used += frame.len();
        }
        if faults.stop && frames.iter().any(|frame| frame[0] == Kind::Said as u8) {
            return; // the other handle keeps the connection
        }
        for client in clients.lock().expect("no panic").iter_mut() {
            let _ = client.write_all(&deliver(&frames, faults, done)); // it may be gone already
        }
        held.drain(..used);
    }
}

/// What one receiver gets of these frames.
fn deliver(frames: &[&[u8]], faults: Faults, done: &Done) -> Vec<u8> {
    let mut out = Vec::new();
    let mut frames = frames.iter().peekable();
    while let Some(frame) = frames.next() {
        let is_message = |frame: &[u8]| frame[0] == Kind::Said as u8;
        let number = done.deliveries.fetch_add(1, Ordering::Relaxed) + 1;
        let is_due = |fault: u64| is_message(frame) && fault != 0 && number.is_multiple_of(fault);
        if is_due(faults.lose) {
            done.lost.fetch_add(1, Ordering::Relaxed);
        } else if is_due(faults.repeat) {
            done.repeated.fetch_add(1, Ordering::Relaxed);
            out.extend_from_slice(frame);
            out.extend_from_slice(frame);
        } else if is_due(faults.reorder)
            && let Some(next) = frames.next_if(|next| is_message(next))
        {
            done.reordered.fetch_add(1, Ordering::Relaxed);
            out.extend_from_slice(next);
            out.extend_from_slice(frame);
        } else {
            out.extend_from_slice(frame);
        }
    }
    out
}

fn bench(floor: &Floor, pace: Pace, seconds: f64) -> Outcome {
    bench_with(floor, pace, seconds, 64)
}

fn bench_with(floor: &Floor, pace: Pace, seconds: f64, payload: usize) -> Outcome {
    let plan = Plan {
        scenario: Scenario::Rooms(Rooms { rooms: 1, members: 10, senders: 3, payload, pace, named: None }),
        protocol: Protocol::Raw,
        threads: 1,
        spread_sources: false,
        warmup: Duration::from_millis(200),
        duration: Duration::from_secs_f64(seconds),
        patience: Duration::from_secs(3),
    };
    let target = Target { address: floor.address, pid: None, label: "floor".into() };
    run(&plan, &target, &mut Unwatched).expect("an outcome")
}

#[test]
fn a_floor_delivers_to_everybody_the_sender_included() {
    let floor = Floor::start(Faults::default());
    for pace in [Pace::Window(1), Pace::Window(64), Pace::Rate(500.0)] {
        let outcome = bench(&floor, pace, 1.0);
        assert_eq!(outcome.samples.len(), 1, "the last second is there, too");
        let counts = outcome.counts;
        assert!(counts.delivered > 0 && counts.expected.is_multiple_of(10), "{counts:?}");
        assert_eq!(counts.arrived, counts.expected, "{counts:?}");
        assert_eq!((counts.lost, counts.duplicated, counts.out_of_order), (0, 0, 0), "{counts:?}");
    }
}

#[test]
fn what_a_server_does_wrong_is_counted_as_what_it_is() {
    let floor = Floor::start(Faults { lose: 701, repeat: 303, reorder: 7, stop: false });
    let outcome = bench(&floor, Pace::Window(60), 3.0);
    let counts = outcome.counts;
    let done = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let Done { lost, repeated, reordered, .. } = &*floor.done;
    assert_eq!(
        (counts.lost, counts.duplicated, counts.out_of_order),
        (done(lost), done(repeated), done(reordered)),
        "{counts:?}"
    );
    assert!(counts.lost > 0 && counts.duplicated > 0 && counts.out_of_order > 0, "{counts:?}");
    assert_eq!(counts.arrived + counts.lost, counts.expected);
}

#[test]
fn a_closed_loop_goes_on_when_messages_are_lost() {
    let floor = Floor::start(Faults { lose: 50, ..Faults::default() });
    let outcome = bench(&floor, Pace::Window(4), 6.5);
    assert!(outcome.counts.lost > 4, "each lost one held one of four tokens: {:?}", outcome.counts);
    assert_eq!(outcome.counts.lost, floor.done.lost.load(Ordering::Relaxed));
}

/// Stops a server for a second when the first second of the measured time is over.
struct Stopper {
    pid: u32,
    has_stopped: bool,
}

impl Watch for Stopper {
    fn sample(&mut self, _: &Sample) {
        if std::mem::replace(&mut self.has_stopped, true) {
            return;
        }
        let pid = self.pid;
        // Beside the run, which goes on.
        std::thread::spawn(move || {
            signal(pid, "STOP");
            std::thread::sleep(Duration::from_secs(1));
            signal(pid, "CONT");
        });
    }
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(status.expect("kill runs").success());
}

#[test]
fn a_server_that_stops_for_a_second_is_charged_with_all_that_was_due_in_it() {
    let server = Server::start(&[]);
    let rooms = Rooms { rooms: 1, members: 6, senders: 2, payload: 64, pace: Pace::Rate(500.0), named: None };
    let plan = Plan {
        scenario: Scenario::Rooms(rooms),
        protocol: Protocol::Native,
        threads: 1,
        spread_sources: false,
        warmup: Duration::from_millis(200),
        duration: Duration::from_secs(3),
        patience: Duration::from_secs(20),
    };
    let target = Target { address: server.address, pid: Some(server.pid()), label: "switchboard".into() };
    let mut stopper = Stopper { pid: server.pid(), has_stopped: false };
    let outcome = run(&plan, &target, &mut stopper).expect("an outcome");
    assert_eq!(outcome.counts.arrived, outcome.counts.expected, "{:?}", outcome.counts);
    assert_eq!(outcome.counts.offered, 1_500, "the schedule does not wait for the server");
    let at = |quantile| Duration::from_nanos(outcome.latency.value_at_quantile(quantile));
    let (p90, max) = (at(0.9), at(1.0));
    assert!(max >= Duration::from_millis(900), "{max:?}");
    // A third of the messages was due while it stood still: nine in ten would be as fast as ever, were only those
    // counted that were under way.
    assert!(p90 >= Duration::from_millis(400), "{p90:?}");
}

#[test]
fn a_server_that_does_not_read_is_not_the_generators_fault() {
    let floor = Floor::start(Faults { stop: true, ..Faults::default() });
    let outcome = bench_with(&floor, Pace::Rate(10_000.0), 1.5, 3_000);
    let counts = outcome.counts;
    assert_eq!(counts.offered, 15_000);
    assert!(counts.sent < counts.offered * 2 / 3, "what fits into the kernel's buffers: {counts:?}");
    assert_eq!((counts.arrived, counts.lost), (0, counts.expected), "{counts:?}");
    assert_eq!(outcome.generator.behind.len(), 15_000, "each was handed over, taken or not");
    let behind = outcome.generator.behind.value_at_quantile(0.5);
    assert!(behind < 100_000_000, "{behind} ns: the third that no socket took waited for more than that");
    let verdict = outcome.generator.was_limit.unwrap_or_default();
    assert!(!verdict.contains("behind its schedule"), "{verdict}");
}

#[test]
fn a_load_that_shares_its_core_with_others_says_so() {
    let floor = Floor::start(Faults::default());
    let core = Cores::split().map_or(0, |cores| cores.generator[0]);
    let is_over = Arc::new(AtomicBool::new(false));
    let at_work = is_over.clone();
    // Threads are held to the core of the thread that starts them.
    let load = std::thread::spawn(move || {
        hold_to(&[core]);
        for _ in 0..3 {
            let is_over = at_work.clone();
            std::thread::spawn(move || while !is_over.load(Ordering::Relaxed) {});
        }
        bench(&floor, Pace::Window(256), 1.0)
    });
    let outcome = load.join();
    is_over.store(true, Ordering::Relaxed);
    let generator = outcome.expect("an outcome").generator;
    let Some(waited) = generator.waited else { return }; // this kernel does not tell
    let verdict = generator.was_limit.unwrap_or_default();
    assert!(verdict.contains("waited for a core"), "{waited} {verdict}");
}
