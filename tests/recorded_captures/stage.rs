//! Where a scene is played: hosts on a switch, and dumpcap beside them, which sees all that passes.

use super::blocks::{self, Packet, Seen};
use super::common::{self, Client, SWITCHBOARD, Server};
use super::network::{Families, Host, Nat, Network, Router, Segment};
use super::running::Running;
use super::tshark::Folder;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::rc::Rc;
use switchboard::wire::Kind;

/// The server's, which the dissector knows.
pub const PORT: u16 = 7_667;

/// Where the datagram goes that says that a scene is over (RFC 863: discard).
const OVER: u16 = 9;

pub struct Stage {
    segment: Segment,
    /// Keeps the numbers of segments.
    _network: Rc<Network>,
    dumpcap: Running,
    folder: Folder,
}

impl Stage {
    /// `None` where the machine does not allow networks, after saying so.
    pub fn set(families: Families) -> Option<Stage> {
        let network = Network::documented_if_allowed()?;
        let segment = network.segment_of(families, 1_500);
        let folder = Folder::new();
        let mut command = segment.command_at_the_switch("dumpcap");
        // No resolution of neighbours, which is neither ours nor the same each time.
        command.args(["-q", "-i", "switch", "-f", "tcp or udp", "-w"]).arg(file_in(&folder));
        let mut dumpcap = Running::start("dumpcap", command);
        dumpcap.stderr.wait_for("File: "); // it captures from before it says so
        Some(Stage { segment, _network: network, dumpcap, folder })
    }

    /// A further host. Addresses end in 2 for the first, then 3, and so on.
    pub fn host(&self) -> Host {
        let host = self.segment.host();
        prepare(&host);
        host
    }

    pub fn hosts<const N: usize>(&self) -> [Host; N] {
        [(); N].map(|()| self.host())
    }

    /// A further router, with a host behind it. Only what passes outside is captured.
    pub fn home(&self, nat: Nat) -> (Router, Host) {
        let home = self.segment.router(nat);
        let host = home.inside.host();
        [&home.host, &host].into_iter().for_each(prepare);
        (home, host)
    }

    /// The packets so far.
    fn packets(&self) -> Vec<Packet> {
        blocks::packets(&std::fs::read(file_in(&self.folder)).expect("dumpcap writes"))
    }

    /// Waits until the server has sent a frame of this kind, in front of others in its segment.
    pub fn wait_for_frame(&self, kind: Kind) {
        let begins =
            |seen: &Seen<'_>| seen.from.port() == PORT && seen.payload.first() == Some(&(kind as u8));
        self.wait_for("a frame", |seen| seen.iter().any(begins));
    }

    /// Waits until a segment says that its sender takes no more.
    pub fn wait_for_zero_window(&self, from: SocketAddr, to: SocketAddr) {
        self.wait_for("a window is shut", |seen| {
            let between = seen.iter().filter(|seen| (seen.from, seen.to) == (from, to));
            between.filter_map(|seen| seen.tcp).any(|tcp| tcp.window == 0 && tcp.flags == blocks::ACK)
        });
    }

    /// Waits until the packets are enough.
    pub fn wait_for(&self, what: &str, mut enough: impl FnMut(&[Seen<'_>]) -> bool) {
        common::eventually(what, || {
            let packets = self.packets();
            let seen: Vec<Seen<'_>> = packets.iter().filter_map(Packet::seen).collect();
            enough(&seen)
        });
    }

    /// What was captured up to now, as a file of its own.
    pub fn finish(mut self, about: &str) -> Vec<u8> {
        // What was sent before this is in the file when this is.
        let last = self.segment.host();
        let IpAddr::V4(ip) = last.v4() else { unreachable!("v4 is IPv4") };
        let [a, b, c, _] = ip.octets();
        let socket = last.within(|| UdpSocket::bind((ip, 0)).expect("a socket"));
        socket.set_broadcast(true).expect("broadcast");
        let is_over = |seen: &Seen<'_>| seen.tcp.is_none() && seen.to.port() == OVER;
        self.wait_for("the last packet is captured", |seen| {
            // More than once, because a switch takes its time to notice a new cable.
            socket.send_to(b"over", (Ipv4Addr::new(a, b, c, 255), OVER)).expect("a datagram");
            seen.iter().any(is_over)
        });
        self.dumpcap.kill();
        let mut packets = self.packets();
        packets.retain(|packet| packet.seen().is_some_and(|seen| !is_over(&seen)));
        blocks::file(about, &packets)
    }
}

fn file_in(folder: &Folder) -> PathBuf {
    folder.path().join("scene.pcapng")
}

/// A server on this host, with these further arguments.
pub fn serve(host: &Host, args: &[&str]) -> Server {
    serve_at(host, host.v4(), args)
}

pub fn serve_at(host: &Host, ip: IpAddr, args: &[&str]) -> Server {
    let mut command = host.command(SWITCHBOARD);
    command.args(["serve", "--ephemeral", "--listen", &SocketAddr::new(ip, PORT).to_string()]).args(args);
    Server::spawn(command)
}

/// The same, which tells each step that it takes.
pub fn serve_traced(host: &Host) -> Server {
    let mut command = host.command(SWITCHBOARD);
    command.args(["serve", "--ephemeral", "--listen", &SocketAddr::new(host.v4(), PORT).to_string()]);
    command.env("RUST_LOG", "switchboard=trace");
    Server::spawn(command)
}

/// `switchboard` on this host, with these arguments.
pub fn run(host: &Host, name: &str, args: &[&str]) -> Running {
    let mut command = host.command(SWITCHBOARD);
    command.args(args);
    Running::start(name, command)
}

/// A chat on this host.
pub fn chat(host: &Host, server: &Server, name: &str, args: &[&str]) -> Running {
    let address = server.address.to_string();
    run(host, name, &[&["chat", &address, "--nick", name], args].concat())
}

/// A client whose every byte the test chooses, logged in.
pub fn login(host: &Host, server: &Server, name: &str) -> Client {
    let address = server.address;
    host.within(|| Client::login(address, name))
}

/// alice and bob, logged in and in a room, with its channel.
pub fn in_a_room(server: &Server, alice: &Host, bob: &Host) -> (Client, Client, u32) {
    let (mut alice, mut bob) = (login(alice, server, "alice"), login(bob, server, "bob"));
    let room = alice.join("#tea");
    bob.join("#tea");
    alice.receive_kind(Kind::Entered);
    (alice, bob, room)
}

/// alice calls bob, they find this path, and each says a line over it; then both hang up.
pub fn call_directly(
    server: &Server,
    (alice, bob): (&Host, &Host),
    path: &str,
    [asked, answered]: [&str; 2],
) {
    let show = ["--share-addresses", "always"];
    let mut bob = chat(bob, server, "bob", &[&["--take-calls"], &show[..]].concat());
    bob.stderr.wait_for("connected as bob");
    let mut alice = chat(alice, server, "alice", &[&["--call", "bob"], &show[..]].concat());
    for chat in [&mut alice, &mut bob] {
        chat.stderr.wait_for(path);
    }
    alice.write(&format!("{asked}\n"));
    bob.stdout.wait_for(asked);
    bob.write(&format!("{answered}\n"));
    alice.stdout.wait_for(answered);
    bob.end_input();
    alice.finish_content();
    bob.finish_content();
}

/// Says goodbye, and waits until the server has hung up.
pub fn bye(mut client: Client) {
    let goodbye = switchboard::wire::frame::Bye { code: 0, text: "" };
    client.send(0, &goodbye);
    client.receive_all();
}

/// Lets the sockets of a host take so few bytes that a reader who stops is noticed at once.
pub fn read_little(host: &Host, bytes: u32) {
    set(host, "tcp_rmem", &format!("4096 {bytes} {bytes}")); // the least, what a socket begins with, the most
}

/// The same for what waits to be sent.
pub fn send_little(host: &Host, bytes: u32) {
    set(host, "tcp_wmem", &format!("4096 {bytes} {bytes}"));
}

/// What passes on a cable is to be what a capture shows, and nothing is to be sent twice that was not lost.
fn prepare(host: &Host) {
    host.finishes_packets();
    // No tail loss probes: where packets take no time, they come before any acknowledgement that may be delayed.
    set(host, "tcp_early_retrans", "0");
}

/// A setting of the kernel for one host (tcp(7)).
fn set(host: &Host, setting: &str, value: &str) {
    host.within(|| std::fs::write(format!("/proc/sys/net/ipv4/{setting}"), value).expect("a setting"));
}
