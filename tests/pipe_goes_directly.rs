//! `switchboard pipe` with two ends that show their addresses: the bytes take a connection of the two ends' own, and
//! the server sees none of them.

mod common;
#[path = "common/running.rs"]
mod running;

use common::{Client, SWITCHBOARD, Server, eventually, memory_of, wait_for};
use running::Lines;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use switchboard::wire::Kind;

const MIB: usize = 1_024 * 1_024;
const SHOWN: [&str; 2] = ["--share-addresses", "always"];

fn pipe(server: &Server, args: &[&str], ways: &[&str]) -> Child {
    let mut command = Command::new(SWITCHBOARD);
    command.arg("pipe").arg(server.address.to_string()).args(args).args(ways);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("pipe starts")
}

fn receiver(server: &Server, ways: &[&str]) -> Child {
    let child = pipe(server, &["--nick", "bob", "--from", "alice"], ways);
    let mut asker = Client::login(server.address, "asker");
    eventually("bob is here", || {
        let request = asker.next_request();
        asker.send(0, &switchboard::wire::frame::Lookup { request, name: "bob" });
        asker.receive().kind() == Kind::Peer
    });
    child
}

fn sender(server: &Server, ways: &[&str]) -> Child {
    pipe(server, &["--nick", "alice", "--to", "bob"], ways)
}

fn errors(child: &mut Child) -> Lines {
    Lines::read("a pipe".to_owned(), child.stderr.take().expect("stderr is piped"))
}

/// Bytes that tell their place.
fn counted(bytes: usize) -> Vec<u8> {
    (0..bytes as u64 / 8 + 1).flat_map(u64::to_le_bytes).take(bytes).collect()
}

/// Moves `bytes`, and returns what the two ends say of the way.
fn moved(server: &Server, bytes: usize, ways: [&[&str]; 2]) -> [String; 2] {
    let sent = counted(bytes);
    let (mut bob, mut alice) = (receiver(server, ways[1]), sender(server, ways[0]));
    let told = [errors(&mut alice), errors(&mut bob)];
    let (mut stdin, to_send) = (alice.stdin.take().expect("stdin is piped"), sent.clone());
    let feeder = std::thread::spawn(move || stdin.write_all(&to_send));
    let mut got = Vec::new();
    bob.stdout.take().expect("stdout is piped").read_to_end(&mut got).expect("bytes");
    assert!(got == sent, "{bytes} bytes became {}", got.len());
    assert!(wait_for(&mut alice).success() && wait_for(&mut bob).success());
    feeder.join().expect("a thread").expect("all is read");
    told.map(|mut lines| lines.wait_until("the way", |line| line.starts_with("-- ")))
}

#[test]
fn every_byte_arrives_by_a_connection_of_the_two_ends_own() {
    let server = Server::start(&[]);
    for bytes in [0, 1, 32_736, 32_737, 10 * MIB + 7] {
        let told = moved(&server, bytes, [&SHOWN, &SHOWN]);
        assert!(told[0].starts_with("-- bob: direct tcp, at "), "{told:?}");
        assert!(told[1].starts_with("-- alice: direct tcp, at "), "{told:?}");
    }
}

#[test]
fn where_one_end_does_not_show_its_addresses_it_is_the_relay() {
    let server = Server::start(&[]);
    let told = moved(&server, MIB, [&SHOWN, &[]]);
    assert_eq!(told[0], "-- bob: relay: the other end does not show its addresses");
    let told = moved(&server, MIB, [&[], &SHOWN]);
    assert!(told[0].starts_with("-- bob: relay: your addresses are not shown"), "{told:?}");
    let told = moved(&server, MIB, [&["--path", "relay"], &SHOWN]);
    assert_eq!(told[0], "-- bob: relay: as --path relay has it");
}

#[test]
fn who_insists_on_a_direct_path_and_gets_none_is_told() {
    let server = Server::start(&[]);
    let (mut bob, mut alice) =
        (receiver(&server, &[]), sender(&server, &["--path", "direct", SHOWN[0], SHOWN[1]]));
    let mut told = errors(&mut alice);
    told.wait_for("no direct path: the other end does not show its addresses");
    assert!(!wait_for(&mut alice).success() && !wait_for(&mut bob).success());
}

#[test]
fn a_gibibyte_goes_through_in_bounded_memory_past_the_server() {
    const TOTAL: usize = 1_024 * MIB;
    let server = Server::start(&[]);
    let (mut bob, mut alice) = (receiver(&server, &SHOWN), sender(&server, &SHOWN));
    let chunk = counted(MIB);
    let (mut stdin, sent) = (alice.stdin.take().expect("stdin is piped"), chunk.clone());
    let feeder = std::thread::spawn(move || (0..TOTAL / MIB).try_for_each(|_| stdin.write_all(&sent)));
    let mut stdout = bob.stdout.take().expect("stdout is piped");
    let (mut got, mut most) = (vec![0; MIB], [0; 3]);
    for n in 0..TOTAL / MIB {
        stdout.read_exact(&mut got).expect("a chunk");
        assert!(got == chunk, "chunk {n}");
        if n % 64 == 0 {
            let now = [server.pid(), alice.id(), bob.id()].map(memory_of);
            most = std::array::from_fn(|i| now[i].max(most[i]));
        }
    }
    assert_eq!(stdout.read(&mut got).expect("the end"), 0);
    assert!(wait_for(&mut alice).success() && wait_for(&mut bob).success());
    feeder.join().expect("a thread").expect("all is read");
    assert!(most.iter().all(|&bytes| bytes < 32 * MIB), "resident bytes of server and clients: {most:?}");
}

#[test]
fn a_slow_output_holds_the_input_back() {
    let server = Server::start(&[]);
    let (mut bob, mut alice) = (receiver(&server, &SHOWN), sender(&server, &SHOWN));
    let total = 256 * MIB;
    let mut stdin = alice.stdin.take().expect("stdin is piped");
    let feeder = std::thread::spawn(move || stdin.write_all(&vec![7; total]));
    let mut stdout = bob.stdout.take().expect("stdout is piped");
    stdout.read_exact(&mut [0]).expect("it begins");
    // As long as nobody reads, nothing may pile up; long enough for both ends to ask for signs of life.
    std::thread::sleep(std::time::Duration::from_secs(12));
    let held = [alice.id(), bob.id()].map(memory_of);
    assert!(held.iter().all(|&bytes| bytes < 32 * MIB), "resident bytes: {held:?}");
    assert!(!feeder.is_finished(), "the input waits");
    let rest = std::io::copy(&mut stdout, &mut std::io::sink()).expect("the rest");
    assert_eq!(rest as usize + 1, total);
    assert!(wait_for(&mut alice).success() && wait_for(&mut bob).success());
    feeder.join().expect("a thread").expect("all is read");
}

#[test]
fn an_end_that_dies_is_no_success_for_the_other() {
    let server = Server::start(&[]);
    for sender_dies in [true, false] {
        let (mut bob, mut alice) = (receiver(&server, &SHOWN), sender(&server, &SHOWN));
        let mut told = [errors(&mut alice), errors(&mut bob)];
        let mut stdin = alice.stdin.take().expect("stdin is piped");
        stdin.write_all(&counted(MIB)).expect("taken");
        let mut stdout = bob.stdout.take().expect("stdout is piped");
        stdout.read_exact(&mut vec![0; MIB]).expect("it is under way");
        let (dies, stays, told) = if sender_dies {
            (&mut alice, &mut bob, &mut told[1])
        } else {
            (&mut bob, &mut alice, &mut told[0])
        };
        dies.kill().expect("it was running");
        dies.wait().expect("it is gone");
        assert!(!wait_for(stays).success());
        told.wait_for("the transfer with");
    }
}
