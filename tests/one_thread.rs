//! One thread does everything, an idle server does nothing, and an idle connection costs next to nothing.

mod common;

use common::{Client, Server};
use std::time::{Duration, Instant};

const CLIENTS: usize = 1_000;

/// Resident memory that one idle, logged-in connection may cost, in bytes.
const BYTES_PER_CONNECTION_MAX: usize = 4 * 1_024;

fn threads_of(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/task", server.pid())).expect("its threads").count()
}

#[test]
fn one_thread_serves_a_thousand_and_rests_when_they_do() {
    let server = Server::start(&[]);
    let mut warm_up: Vec<Client> =
        (0..50).map(|n| Client::login(server.address, &format!("early{n}"))).collect();
    warm_up[0].join("#lobby");
    assert_eq!(threads_of(&server), 1);
    let before = server.memory();
    let mut clients: Vec<Client> =
        (0..CLIENTS).map(|n| Client::login(server.address, &format!("idle{n}"))).collect();
    let after = server.memory();
    let per_connection = after.saturating_sub(before) / CLIENTS;
    println!("{per_connection} bytes per idle connection ({before} before, {after} with {CLIENTS} more)");
    assert!(per_connection <= BYTES_PER_CONNECTION_MAX, "{per_connection} bytes per idle connection");

    let (cpu, clock) = (server.cpu(), Instant::now());
    std::thread::sleep(Duration::from_secs(2)); // the interval that is measured
    let (cpu, clock) = (server.cpu() - cpu, clock.elapsed());
    assert!(cpu <= clock / 50, "{cpu:?} of {clock:?} with nothing to do");

    for client in &mut clients {
        client.round_trip();
    }
    assert_eq!(threads_of(&server), 1, "still one, after the work");
}
