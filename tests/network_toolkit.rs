//! The networks that other tests are built on do what they are taken for.

mod common;
#[path = "common/network/mod.rs"]
mod network;

use common::{PATIENCE, eventually};
use network::{Families, Firewall, Host, Nat, Network, Traffic};
use socket2::{Domain, Socket, Type};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

/// How long a test waits for something that must not come. What does come takes microseconds.
const QUIET: Duration = Duration::from_millis(300);

/// A socket on a host.
fn socket(host: &Host, address: IpAddr) -> UdpSocket {
    let socket = host.within(|| UdpSocket::bind((address, 0)).expect("a port"));
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    socket
}

/// Sends until it arrives (the first may be lost while neighbours find each other) and returns where it came from. What
/// was sent before the one that arrives has arrived too, or never will.
fn seen_from(sender: &UdpSocket, receiver: &UdpSocket) -> SocketAddr {
    let to = receiver.local_addr().expect("an address");
    receiver.set_read_timeout(Some(QUIET)).expect("a time-out");
    let (mut tries, mut seen) = (0_u8, None);
    eventually("a datagram arrives", || {
        tries += 1;
        sender.send_to(&[tries], to).expect("it goes out");
        let mut buffer = [0; 16];
        while let Ok((n, from)) = receiver.recv_from(&mut buffer) {
            if buffer[..n] == [tries] {
                seen = Some(from);
                break;
            }
        }
        seen.is_some()
    });
    receiver.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    seen.expect("it arrived")
}

/// Whether nothing arrives for a while.
fn is_quiet(socket: &UdpSocket) -> bool {
    socket.set_read_timeout(Some(QUIET)).expect("a time-out");
    let received = socket.recv_from(&mut [0; 2_048]);
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    matches!(received, Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()))
}

#[test]
fn an_endpoint_independent_nat_shows_one_port_to_all() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment();
    let servers = [internet.host(), internet.host()];
    let home = internet.router(Nat::EndpointIndependent);
    let alice = home.inside.host();
    for family in [Host::v4, Host::v6] {
        let inside = socket(&alice, family(&alice));
        let [one, other] =
            servers.each_ref().map(|server| seen_from(&inside, &socket(server, family(server))));
        assert_eq!(one, other);
        assert_eq!(one.ip(), family(&home.host), "it is the router's address that they see");
    }
}

#[test]
fn a_symmetric_nat_shows_another_port_to_each() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment();
    let home = internet.router(Nat::Symmetric);
    let alice = home.inside.host();
    let inside = socket(&alice, alice.v4());
    // Two random ports are the same once in 60,000 times, all five never.
    let ports: Vec<u16> = (0..5)
        .map(|_| internet.host())
        .map(|server| seen_from(&inside, &socket(&server, server.v4())).port())
        .collect();
    assert!(ports.iter().any(|port| *port != ports[0]), "{ports:?}");
}

#[test]
fn a_nat_lets_in_answers_and_nobody_else() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment();
    let (server, stranger) = (internet.host(), internet.host());
    let home = internet.router(Nat::EndpointIndependent);
    let alice = home.inside.host();
    let (inside, outside) = (socket(&alice, alice.v4()), socket(&server, server.v4()));
    let mapped = seen_from(&inside, &outside);
    outside.send_to(b"answer", mapped).expect("it goes out");
    inside.recv_from(&mut [0; 16]).expect("the answer arrives");
    let strange = socket(&stranger, stranger.v4());
    strange.send_to(b"unsolicited", mapped).expect("it goes out");
    assert!(is_quiet(&inside));
    inside.send_to(b"come in", strange.local_addr().expect("an address")).expect("it goes out");
    let (_, from) = strange.recv_from(&mut [0; 16]).expect("it arrives");
    assert_eq!(from, mapped, "who was knocked by has not changed the mapping");
    strange.send_to(b"now it is an answer", mapped).expect("it goes out");
    inside.recv_from(&mut [0; 32]).expect("it arrives");
}

#[test]
fn two_hosts_behind_nats_reach_each_other_once_both_have_tried() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment();
    let server = internet.host();
    let homes = [(); 2].map(|()| internet.router(Nat::EndpointIndependent));
    let [alice, bob] = homes.each_ref().map(|home| home.inside.host());
    let (a, b) = (socket(&alice, alice.v4()), socket(&bob, bob.v4()));
    let meeting = socket(&server, server.v4());
    let (to_a, to_b) = (seen_from(&a, &meeting), seen_from(&b, &meeting));
    a.send_to(b"too early", to_b).expect("it goes out");
    assert!(is_quiet(&b), "bob has not tried yet");
    b.send_to(b"through", to_a).expect("it goes out");
    assert_eq!(a.recv_from(&mut [0; 16]).expect("it arrives").1, to_b);
    a.send_to(b"back", to_b).expect("it goes out");
    assert_eq!(b.recv_from(&mut [0; 16]).expect("it arrives").1, to_a);
}

#[test]
fn a_firewall_keeps_out_what_it_is_for() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (alice, bob) = (lan.host(), lan.host());
    let (a, b) = (socket(&alice, alice.v4()), socket(&bob, bob.v4()));
    let (to_a, to_b) = (a.local_addr().expect("an address"), b.local_addr().expect("an address"));
    seen_from(&a, &b);
    let address = bob.v4();
    let listener = bob.within(|| TcpListener::bind((address, 0)).expect("a port"));
    let to_listener = listener.local_addr().expect("an address");
    let connects = || alice.within(|| TcpStream::connect_timeout(&to_listener, QUIET).is_ok());
    assert!(connects());

    bob.firewall(Firewall::InboundConnections);
    assert!(!connects());
    seen_from(&a, &b);

    bob.firewall(Firewall::Udp);
    a.send_to(b"hello", to_b).expect("it goes out");
    assert!(is_quiet(&b));

    bob.let_everything_in();
    assert!(connects());
    // Other sockets: to the kernel the two above have spoken with each other.
    bob.firewall(Firewall::Unsolicited);
    assert!(!connects());
    let (c, d) = (socket(&alice, alice.v4()), socket(&bob, bob.v4()));
    let to_d = d.local_addr().expect("an address");
    c.send_to(b"unsolicited", to_d).expect("it goes out");
    assert!(is_quiet(&d));
    seen_from(&d, &c);
    c.send_to(b"answer", to_d).expect("it goes out");
    d.recv_from(&mut [0; 16]).expect("the answer arrives");

    bob.let_everything_in();
    alice.drop_from(&bob);
    b.send_to(b"hello", to_a).expect("it goes out");
    assert!(is_quiet(&a));
}

#[test]
fn twenty_percent_loss_loses_about_so_many() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (alice, bob) = (lan.host(), lan.host());
    let (a, b) = (socket(&alice, alice.v4()), socket(&bob, bob.v4()));
    seen_from(&a, &b);
    bob.lose(20, Traffic::Udp);
    let to_b = b.local_addr().expect("an address");
    b.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out");
    // Few at a time, so that no queue overflows, each lot followed by a mark which is repeated until it arrives.
    let arrived: usize = (0..20_u8)
        .map(|lot| {
            (0..50).for_each(|_| assert_eq!(a.send_to(b"one", to_b).expect("it goes out"), 3));
            let mut count = 0;
            eventually("the mark arrives", || {
                a.send_to(&[lot], to_b).expect("it goes out");
                let mut buffer = [0; 16];
                while let Ok((n, _)) = b.recv_from(&mut buffer) {
                    match buffer[..n] {
                        [mark] if mark == lot => return true,
                        [_] => {} // an earlier lot's, sent again while it was under way
                        _ => count += 1,
                    }
                }
                false
            });
            count
        })
        .sum();
    // Of 1,000 the standard deviation is 13.
    assert!((700..900).contains(&arrived), "{arrived}");
}

#[test]
fn a_narrow_segment_on_the_way_takes_large_datagrams_in_fragments_only() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment_of(Families::V4, 1_200);
    let server = internet.host();
    let home = internet.router(Nat::EndpointIndependent);
    let alice = home.inside.host();
    let (inside, outside) = (socket(&alice, alice.v4()), socket(&server, server.v4()));
    seen_from(&inside, &outside);
    let to = outside.local_addr().expect("an address");
    // What fits into alice's own segment goes out with DF, and the router refuses it; then alice knows.
    inside.send_to(&[1; 1_300], to).expect("it goes out");
    assert!(is_quiet(&outside));
    inside.send_to(&[2; 1_300], to).expect("it goes out");
    let mut buffer = [0; 2_048];
    assert_eq!(outside.recv_from(&mut buffer).expect("it arrives").0, 1_300);
    assert_eq!(buffer[0], 2);
    assert!(fragments_made(&alice) > 0);
}

#[test]
fn a_connection_that_both_ends_begin_passes_firewalls_and_nats_that_let_answers_in() {
    let Some(network) = Network::if_allowed() else { return };
    let internet = network.segment();
    let (alice, bob) = (internet.host(), internet.host());
    [&alice, &bob].iter().for_each(|host| host.firewall(Firewall::Unsolicited));
    assert!(both_connect([&alice, &bob], [alice.v4(), bob.v4()]));
    [&alice, &bob].iter().for_each(|host| host.firewall(Firewall::InboundConnections));
    assert!(!both_connect([&alice, &bob], [alice.v4(), bob.v4()]));

    let homes = [(); 2].map(|()| internet.router(Nat::EndpointIndependent));
    let [alice, bob] = homes.each_ref().map(|home| home.inside.host());
    assert!(both_connect([&alice, &bob], homes.each_ref().map(|home| home.host.v4())));
    let homes = [(); 2].map(|()| internet.router(Nat::Symmetric));
    let [alice, bob] = homes.each_ref().map(|home| home.inside.host());
    assert!(!both_connect([&alice, &bob], homes.each_ref().map(|home| home.host.v4())));
}

/// Whether two hosts that connect to each other at the same time, from the port that the other one connects to, get a
/// connection; `seen` is where the other one sees them.
fn both_connect(hosts: [&Host; 2], seen: [IpAddr; 2]) -> bool {
    let port = 5_000;
    let local = if seen[0].is_ipv4() { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) };
    let sockets = hosts.map(|host| {
        host.within(|| {
            let socket = Socket::new(Domain::for_address((local, port).into()), Type::STREAM, None);
            let socket = socket.expect("a socket");
            socket.set_reuse_address(true).expect("an option");
            socket.bind(&SocketAddr::new(local, port).into()).expect("a port");
            socket
        })
    });
    // The first attempt may be refused or dropped before the other end has tried; the kernel tries again after 1 s.
    let to = [seen[1], seen[0]];
    std::thread::scope(|scope| {
        let pairs = sockets.iter().zip(to);
        let attempts: Vec<_> = pairs
            .map(|(socket, to)| {
                let to = SocketAddr::new(to, port).into();
                scope.spawn(move || socket.connect_timeout(&to, Duration::from_millis(3_500)).is_ok())
            })
            .collect();
        attempts.into_iter().all(|attempt| attempt.join().expect("a thread"))
    })
}

/// How many fragments a host's kernel has made of datagrams.
fn fragments_made(host: &Host) -> u64 {
    let table = host.within(|| std::fs::read_to_string("/proc/thread-self/net/snmp").expect("counters"));
    let mut rows = table.lines().filter(|line| line.starts_with("Ip:")).map(|line| line.split_whitespace());
    let (names, numbers) = (rows.next().expect("names"), rows.next().expect("numbers"));
    let made = names.zip(numbers).find(|(name, _)| *name == "FragCreates");
    made.and_then(|(_, number)| number.parse().ok()).expect("a number")
}

#[test]
fn a_host_without_its_cable_or_its_power_is_silent_and_comes_back() {
    let Some(network) = Network::if_allowed() else { return };
    let lan = network.segment();
    let (alice, mut bob) = (lan.host(), lan.host());
    for family in [Host::v4, Host::v6] {
        let (a, b) = (socket(&alice, family(&alice)), socket(&bob, family(&bob)));
        seen_from(&a, &b);
        bob.unplug();
        let _ = a.send_to(b"lost", b.local_addr().expect("an address"));
        assert!(is_quiet(&b));
        bob.plug_in();
        seen_from(&a, &b);
        seen_from(&b, &a);
    }
    let a = socket(&alice, alice.v4());
    bob.power_off();
    bob.power_on();
    let b = socket(&bob, bob.v4());
    seen_from(&a, &b);
    seen_from(&b, &a);
}

#[test]
fn nothing_outlives_the_host_it_runs_on() {
    let Some(network) = Network::if_allowed() else { return };
    let host = network.segment().host();
    // A child in a session of its own, whose parent is gone.
    let status = host.command("sh").args(["-c", "setsid sleep 1000 & exit 0"]).status();
    assert!(status.expect("sh runs").success());
    eventually("one process is left", || host.processes().len() == 1);
    let left = host.processes();
    drop(host);
    let is_alive = |pid: &u32| std::fs::metadata(format!("/proc/{pid}/ns/net")).is_ok();
    assert!(!left.iter().any(is_alive), "{left:?}");
}

#[test]
fn hosts_of_one_family_have_no_other() {
    let Some(network) = Network::if_allowed() else { return };
    for (families, has) in [(Families::V4, [true, false]), (Families::V6, [false, true])] {
        let lan = network.segment_of(families, 1_500);
        let (alice, bob) = (lan.host(), lan.host());
        let listing =
            alice.command("ip").args(["-o", "addr", "show", "scope", "global"]).output().expect("ip runs");
        let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
        assert_eq!([listing.contains("inet "), listing.contains("inet6 ")], has, "{listing}");
        let family = if families == Families::V4 { Host::v4 } else { Host::v6 };
        seen_from(&socket(&alice, family(&alice)), &socket(&bob, family(&bob)));
    }
}
