//! `switchboard pipe`: standard input of one end becomes standard output of the other, whole or not at all.

mod common;

use common::{Client, SWITCHBOARD, Server, eventually, memory_of, wait_for};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use switchboard::wire::frame::{Accept, Bye, Close, Data, Decline, Open};
use switchboard::wire::{Flags, Frame, Kind, Purpose};

const MIB: usize = 1_024 * 1_024;

fn pipe(server: &Server, args: &[&str]) -> Child {
    let mut command = Command::new(SWITCHBOARD);
    command.arg("pipe").arg(server.address.to_string()).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("pipe starts")
}

fn receiver(server: &Server) -> Child {
    let child = pipe(server, &["--nick", "bob", "--from", "alice"]);
    let mut asker = Client::login(server.address, "asker");
    eventually("bob is here", || {
        let request = asker.next_request();
        asker.send(0, &switchboard::wire::frame::Lookup { request, name: "bob" });
        asker.receive().kind() == Kind::Peer
    });
    child
}

fn sender(server: &Server) -> Child {
    pipe(server, &["--nick", "alice", "--to", "Bob"])
}

/// Bytes that no two places have in common, from a xorshift generator.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes: Vec<u8> = (0..length / 8 + 1).flat_map(|_| next().to_le_bytes()).collect();
    bytes.truncate(length);
    bytes
}

/// Feeds a child's standard input from a thread, and ends it.
fn feed(child: &mut Child, bytes: Vec<u8>) -> std::thread::JoinHandle<()> {
    let mut stdin = child.stdin.take().expect("stdin is piped");
    std::thread::spawn(move || {
        // The other end may be gone on purpose.
        let _ = stdin.write_all(&bytes);
    })
}

fn error_of(mut child: Child) -> String {
    let mut errors = String::new();
    child.stderr.take().expect("stderr is piped").read_to_string(&mut errors).expect("text");
    assert!(!wait_for(&mut child).success(), "{errors}");
    // Notices aside, such as that of the way.
    let sentences: Vec<_> = errors.lines().filter(|line| !line.starts_with("-- ")).collect();
    assert_eq!(sentences.len(), 1, "one sentence: {errors}");
    errors
}

#[test]
fn every_byte_arrives_whatever_the_length() {
    let server = Server::start(&[]);
    for length in [0, 1, 32_760, 32_761, 131_072, 10 * MIB + 7] {
        let sent = noise(length);
        let (mut bob, mut alice) = (receiver(&server), sender(&server));
        let feeder = feed(&mut alice, sent.clone());
        let mut got = Vec::new();
        bob.stdout.take().expect("stdout is piped").read_to_end(&mut got).expect("bytes");
        assert!(got == sent, "{length} bytes became {}", got.len());
        assert!(wait_for(&mut alice).success() && wait_for(&mut bob).success(), "{length}");
        feeder.join().expect("fed");
    }
}

#[test]
fn two_gibibytes_go_through_in_bounded_memory() {
    const TOTAL: usize = 2_048 * MIB;
    let server = Server::start(&[]);
    let (mut bob, mut alice) = (receiver(&server), sender(&server));
    let chunk = noise(MIB);
    let (mut stdin, sent) = (alice.stdin.take().expect("stdin is piped"), chunk.clone());
    let feeder = std::thread::spawn(move || {
        for n in 0..TOTAL / MIB {
            stdin
                .write_all(&(n as u64).to_le_bytes())
                .and_then(|()| stdin.write_all(&sent[8..]))
                .expect("taken");
        }
    });
    let mut stdout = bob.stdout.take().expect("stdout is piped");
    let (mut got, mut most) = (vec![0; MIB], [0; 3]);
    for n in 0..TOTAL / MIB {
        stdout.read_exact(&mut got).expect("a chunk");
        assert!(got[..8] == (n as u64).to_le_bytes() && got[8..] == chunk[8..], "chunk {n}");
        if n % 64 == 0 {
            let now = [server.pid(), alice.id(), bob.id()].map(memory_of);
            most = std::array::from_fn(|i| now[i].max(most[i]));
        }
    }
    assert_eq!(stdout.read(&mut got).expect("the end"), 0);
    assert!(wait_for(&mut alice).success() && wait_for(&mut bob).success());
    feeder.join().expect("fed");
    assert!(most.iter().all(|&bytes| bytes < 32 * MIB), "resident bytes of server and clients: {most:?}");
}

#[test]
fn a_slow_output_holds_the_input_back() {
    let server = Server::start(&[]);
    let (mut bob, mut alice) = (receiver(&server), sender(&server));
    let total = 256 * MIB;
    let feeder = feed(&mut alice, vec![7; total]);
    let mut stdout = bob.stdout.take().expect("stdout is piped");
    let mut first = [0];
    stdout.read_exact(&mut first).expect("it begins");
    std::thread::sleep(std::time::Duration::from_secs(1)); // as long as nobody reads, nothing may pile up
    let held = [server.pid(), alice.id(), bob.id()].map(memory_of);
    assert!(held.iter().all(|&bytes| bytes < 32 * MIB), "resident bytes: {held:?}");
    assert!(!feeder.is_finished(), "the input waits");
    let rest = std::io::copy(&mut stdout, &mut std::io::sink()).expect("the rest");
    assert_eq!(rest as usize + 1, total);
    assert!(wait_for(&mut alice).success() && wait_for(&mut bob).success());
}

#[test]
fn what_is_typed_goes_through_at_once() {
    let server = Server::start(&[]);
    let (mut bob, mut alice) = (receiver(&server), sender(&server));
    let (mut stdin, mut stdout) = (alice.stdin.take().expect("in"), bob.stdout.take().expect("out"));
    for line in ["one\n", "two\n"] {
        stdin.write_all(line.as_bytes()).expect("taken");
        let mut got = [0; 4];
        stdout.read_exact(&mut got).expect("it arrives though nothing follows");
        assert_eq!(&got, line.as_bytes());
    }
    drop(stdin);
    assert!(wait_for(&mut alice).success() && wait_for(&mut bob).success());
}

#[test]
fn a_peer_that_is_not_there_or_does_not_want_it() {
    let server = Server::start(&[]);
    assert!(
        error_of(sender(&server))
            .contains("Bob is not connected yet; start `switchboard pipe --from` there first")
    );
    let mut bob = Client::login(server.address, "bob");
    let alice = sender(&server);
    let channel = bob.receive_kind(Kind::Offer).channel();
    let request = bob.next_request();
    bob.send(channel, &Decline { request, text: "not today" });
    assert!(error_of(alice).contains("not today"));
}

#[test]
fn other_callers_are_declined_and_the_right_one_still_gets_through() {
    let server = Server::start(&[]);
    let mut bob = receiver(&server);
    let mut mallory = Client::login(server.address, "mallory");
    let request = mallory.next_request();
    mallory.send(0, &Open { request, purpose: Purpose::Pipe.number(), to: "bob" });
    let refused = mallory.receive_kind(Kind::Refused);
    assert!(matches!(refused.frame(), Frame::Refused(refused) if refused.text.contains("for alice alone")));
    let mut alice = sender(&server);
    feed(&mut alice, b"hello".to_vec());
    let mut got = String::new();
    bob.stdout.take().expect("stdout is piped").read_to_string(&mut got).expect("text");
    assert_eq!(got, "hello");
    assert!(wait_for(&mut alice).success() && wait_for(&mut bob).success());
}

#[test]
fn a_transfer_that_is_cut_is_no_success_on_either_end() {
    let server = Server::start(&[]);
    // The sender dies.
    let (mut bob, mut alice) = (receiver(&server), sender(&server));
    alice.stdin.as_mut().expect("stdin is piped").write_all(b"half").expect("taken");
    let mut got = [0; 4];
    bob.stdout.as_mut().expect("stdout is piped").read_exact(&mut got).expect("it began");
    alice.kill().expect("kill");
    alice.wait().expect("wait");
    assert!(error_of(bob).contains("incomplete: the sender is gone before its end, after 4 bytes"));
    // The receiver dies.
    let (mut bob, mut alice) = (receiver(&server), sender(&server));
    let feeder = feed(&mut alice, vec![1; 64 * MIB]);
    bob.stdout.as_mut().expect("stdout is piped").read_exact(&mut got).expect("it began");
    bob.kill().expect("kill");
    bob.wait().expect("wait");
    assert!(error_of(alice).contains("incomplete: the receiver is gone"));
    feeder.join().expect("fed");
}

#[test]
fn output_that_cannot_be_written_is_told_on_both_ends() {
    let server = Server::start(&[]);
    let (mut bob, mut alice) = (receiver(&server), sender(&server));
    drop(bob.stdout.take());
    let feeder = feed(&mut alice, vec![1; 16 * MIB]);
    assert!(error_of(bob).contains("cannot write to standard output"));
    assert!(error_of(alice).contains("incomplete"));
    feeder.join().expect("fed");
}

#[test]
fn everything_written_is_confirmed_before_the_sender_ends() {
    let server = Server::start(&[]);
    let mut bob = Client::login(server.address, "bob");
    let mut alice = sender(&server);
    let channel = bob.receive_kind(Kind::Offer).channel();
    let request = bob.next_request();
    bob.send(channel, &Accept { request });
    drop(alice.stdin.take());
    let data = bob.receive_kind(Kind::Data);
    assert!(matches!(data.frame(), Frame::Data(Data { payload: &[] })) && data.has(Flags::END));
    std::thread::sleep(std::time::Duration::from_millis(200)); // it must not end by itself
    assert!(alice.try_wait().expect("wait").is_none(), "nothing is confirmed yet");
    let request = bob.next_request();
    bob.send(channel, &Close { request });
    assert!(wait_for(&mut alice).success());
    bob.send(0, &Bye { code: 0, text: "" });
}

#[test]
fn a_server_that_goes_away_is_told_on_both_ends() {
    let mut server = Server::start(&[]);
    let (mut bob, mut alice) = (receiver(&server), sender(&server));
    alice.stdin.as_mut().expect("stdin is piped").write_all(b"half").expect("taken");
    let mut got = [0; 4];
    bob.stdout.as_mut().expect("stdout is piped").read_exact(&mut got).expect("it began");
    server.child.kill().expect("kill");
    server.wait();
    for end in [alice, bob] {
        assert!(error_of(end).contains("incomplete"));
    }
}
