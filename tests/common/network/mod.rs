//! Small networks for tests: hosts, switches, routers with NAT, firewalls and loss, out of network namespaces.
//!
//! ```text
//! let Some(network) = Network::if_allowed() else { return };
//! let internet = network.segment();
//! let server = internet.host();
//! let home = internet.router(Nat::EndpointIndependent);
//! let alice = home.inside.host();
//! alice.lose(20, Traffic::Udp);
//! let chat = alice.command(SWITCHBOARD);
//! ```
//!
//! A host is a namespace; a segment is another one with a bridge in it, and a veth pair joins the two. Nothing of it
//! has a name outside, so that tests run in parallel, and all of it is gone with its values or with the test process.
//! Linux alone has namespaces, and `root` alone may make them, which who has run `unshare --user --map-root-user` is.
#![allow(dead_code)] // each test file uses its part

mod namespace;

use super::common::{SWITCHBOARD, Server};
use namespace::Namespace;
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;
use std::rc::Rc;

/// What Ethernet carries.
const MTU: u16 = 1_500;

/// Numbers the segments of one test.
pub struct Network {
    addresses: Addresses,
    segments: Cell<u8>,
}

/// Where the addresses of all segments are from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Addresses {
    Private,
    Documentation,
}

/// The networks of RFC 5737, one for each segment.
const DOCUMENTATION: [[u8; 3]; 3] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];

/// Which addresses the hosts of a segment have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Families {
    Both,
    V4,
    V6,
}

impl Network {
    /// `None` where the machine does not allow networks, after saying so.
    pub fn if_allowed() -> Option<Rc<Network>> {
        Self::with(Addresses::Private)
    }

    /// The same with addresses that are nobody's (RFC 5737, RFC 3849), for what is shown to others. It has three segments.
    pub fn documented_if_allowed() -> Option<Rc<Network>> {
        Self::with(Addresses::Documentation)
    }

    fn with(addresses: Addresses) -> Option<Rc<Network>> {
        namespace::allowed().then(|| Rc::new(Network { addresses, segments: Cell::new(0) }))
    }

    /// A segment with IPv4 and IPv6.
    pub fn segment(self: &Rc<Self>) -> Segment {
        self.segment_of(Families::Both, MTU)
    }

    /// A segment of this kind. With an MTU below 1,280 there is no IPv6 (RFC 8200, section 5).
    pub fn segment_of(self: &Rc<Self>, families: Families, mtu: u16) -> Segment {
        let number = self.segments.get() + 1;
        self.segments.set(number);
        let switch = Namespace::new().expect("a namespace");
        switch.ip(&format!(
            "link add name switch mtu {mtu} type bridge mcast_snooping 0\nlink set dev switch up\n"
        ));
        let shared = Rc::new(Shared { number, addresses: self.addresses, families, mtu, switch });
        Segment { network: Rc::clone(self), shared, hosts: Cell::new(GATEWAY), gateway: false }
    }
}

/// The number of a segment's router.
const GATEWAY: u8 = 1;

/// Hosts that reach each other without a router, over a switch.
pub struct Segment {
    network: Rc<Network>,
    shared: Rc<Shared>,
    hosts: Cell<u8>,
    gateway: bool,
}

/// What a segment and the links into it have in common.
struct Shared {
    number: u8,
    addresses: Addresses,
    families: Families,
    mtu: u16,
    switch: Namespace,
}

impl Shared {
    fn has_v4(&self) -> bool {
        self.families != Families::V6
    }

    fn has_v6(&self) -> bool {
        self.families != Families::V4 && self.mtu >= 1_280
    }

    fn v4(&self, host: u8) -> Ipv4Addr {
        let [a, b, c] = match self.addresses {
            Addresses::Private => [10, self.number, 0],
            Addresses::Documentation => DOCUMENTATION[usize::from(self.number) - 1],
        };
        Ipv4Addr::new(a, b, c, host)
    }

    fn v6(&self, host: u8) -> Ipv6Addr {
        let (segment, host) = (u16::from(self.number), u16::from(host));
        match self.addresses {
            Addresses::Private => Ipv6Addr::new(0xfd00, segment, 0, 0, 0, 0, 0, host),
            Addresses::Documentation => Ipv6Addr::new(0x2001, 0xdb8, segment, 0, 0, 0, 0, host),
        }
    }
}

impl Segment {
    /// A further host.
    pub fn host(&self) -> Host {
        let number = self.hosts.get() + 1;
        self.hosts.set(number);
        self.host_numbered(number, "eth0")
    }

    fn host_numbered(&self, number: u8, interface: &'static str) -> Host {
        let place = Place { shared: Rc::clone(&self.shared), number, interface, gateway: self.gateway };
        let namespace = place.attach();
        Host { place, namespace: Some(namespace) }
    }

    /// A command that runs a program where the switch is: its interface `switch`, once it is promiscuous, sees all that
    /// passes between the hosts. The program is killed when the thread that spawned it ends.
    pub fn command_at_the_switch(&self, program: &str) -> Command {
        self.shared.switch.command(program)
    }

    /// A further router, which leads to a segment of its own and hides that behind its address here.
    pub fn router(&self, nat: Nat) -> Router {
        self.router_to(nat, self.shared.families, MTU)
    }

    /// The same, with the kind of the segment inside.
    pub fn router_to(&self, nat: Nat, families: Families, mtu: u16) -> Router {
        let mut inside = self.network.segment_of(families, mtu);
        let host = self.host();
        Place { shared: Rc::clone(&inside.shared), number: GATEWAY, interface: "inside", gateway: false }
            .join(host.namespace());
        inside.gateway = true;
        host.within(|| {
            for switch in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                std::fs::write(format!("/proc/sys/net/{switch}"), "1").expect("a router forwards");
            }
        });
        host.namespace().nft(&nat.rules());
        Router { host, inside }
    }
}

/// How a router hides the hosts behind it. Either way it lets nobody in whom they have not spoken to first.
#[derive(Clone, Copy, Debug)]
pub enum Nat {
    /// One external port for all destinations of an internal one (RFC 4787, REQ-1): as Linux does it while the port is
    /// free. Datagrams are let in from where one was sent to: address and port dependent filtering.
    EndpointIndependent,
    /// Another external port for each destination.
    Symmetric,
}

impl Nat {
    fn rules(self) -> String {
        let masquerade = match self {
            Nat::EndpointIndependent => "masquerade",
            Nat::Symmetric => "masquerade fully-random",
        };
        // What comes for the router itself is dropped, as routers for homes do. Were it taken and answered (with an
        // error), it would be a flow of its own on the external port, and the host inside could not have that any more.
        format!(
            "table inet router {{
                chain out {{ type nat hook postrouting priority srcnat; oifname eth0 {masquerade}; }}
                chain in {{ type filter hook input priority filter; iifname eth0 ct state {{ new, invalid }} drop; }}
                chain through {{
                    type filter hook forward priority filter; iifname eth0 ct state {{ new, invalid }} drop;
                }}
            }}"
        )
    }
}

/// A router: a host of the segment outside, and the segment inside.
pub struct Router {
    pub host: Host,
    pub inside: Segment,
}

/// Where a host is plugged in, so that it can be taken away and given back.
struct Place {
    shared: Rc<Shared>,
    number: u8,
    interface: &'static str,
    gateway: bool,
}

impl Place {
    fn attach(&self) -> Namespace {
        let namespace = Namespace::new().expect("a namespace");
        namespace.ip("link set dev lo up\n");
        self.join(&namespace);
        namespace
    }

    /// Plugs a namespace into the segment, with addresses and routes. They are the same every time, down to the
    /// hardware's, because the neighbours remember it.
    fn join(&self, namespace: &Namespace) {
        let Place { shared, number, interface, gateway } = self;
        let Shared { number: segment, mtu, switch, .. } = &**shared;
        let port = self.port();
        // Where both ends happen to have one index, the kernel takes up to a second to notice that the link is up.
        let index = 1_000 * u32::from(*segment) + u32::from(*number);
        let mut batch = format!(
            "link add name {interface} index {index} mtu {mtu} \
             address 02:00:00:00:{segment:02x}:{number:02x} type veth \
             peer name {port} mtu {mtu} netns {}\n",
            switch.pid()
        );
        if shared.has_v4() {
            batch += &format!("addr add {}/24 dev {interface}\n", shared.v4(*number));
        }
        if shared.has_v6() {
            batch += &format!("addr add {}/64 dev {interface} nodad\n", shared.v6(*number));
        }
        batch += &format!("link set dev {interface} up\n");
        if *gateway && shared.has_v4() {
            batch += &format!("route add default via {}\n", shared.v4(GATEWAY));
        }
        if *gateway && shared.has_v6() {
            batch += &format!("route add default via {}\n", shared.v6(GATEWAY));
        }
        namespace.ip(&batch);
        switch.ip(&format!("link set dev {port} master switch up\n"));
    }

    /// The switch's end of the link.
    fn port(&self) -> String {
        format!("port{}", self.number)
    }
}

impl Drop for Host {
    /// What a command of ours has started is not our child, and may have left its group and session.
    fn drop(&mut self) {
        if let Some(namespace) = &self.namespace {
            namespace.kill_all();
        }
    }
}

/// Traffic that a rule is about.
#[derive(Clone, Copy, Debug)]
pub enum Traffic {
    Udp,
    TcpAndUdp,
}

/// What a host's own firewall does not let in.
#[derive(Clone, Copy, Debug)]
pub enum Firewall {
    /// No datagram.
    Udp,
    /// No connection that somebody else begins.
    InboundConnections,
    /// Nothing that does not belong to what the host began itself; an answer to a datagram does belong.
    Unsolicited,
}

/// One host; killed, with what runs on it, when it goes out of scope.
pub struct Host {
    place: Place,
    /// `None` while the power is off.
    namespace: Option<Namespace>,
}

impl Host {
    pub fn v4(&self) -> IpAddr {
        assert!(self.place.shared.has_v4(), "this segment has no IPv4");
        self.place.shared.v4(self.place.number).into()
    }

    pub fn v6(&self) -> IpAddr {
        assert!(self.place.shared.has_v6(), "this segment has no IPv6");
        self.place.shared.v6(self.place.number).into()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        let shared = &self.place.shared;
        let v4 = shared.has_v4().then(|| self.v4());
        v4.into_iter().chain(shared.has_v6().then(|| self.v6())).collect()
    }

    fn namespace(&self) -> &Namespace {
        self.namespace.as_ref().expect("the power is on")
    }

    /// A command that runs a program on this host. It is killed when the thread that spawned it ends.
    pub fn command(&self, program: &str) -> Command {
        self.namespace().command(program)
    }

    /// Runs a closure on this host. Sockets that it makes stay there, whoever uses them.
    pub fn within<T: Send>(&self, run: impl FnOnce() -> T + Send) -> T {
        self.namespace().within(run)
    }

    pub fn firewall(&self, firewall: Firewall) {
        self.drop_incoming(match firewall {
            Firewall::Udp => "meta l4proto udp",
            Firewall::InboundConnections => "tcp flags & (syn | ack) == syn",
            Firewall::Unsolicited => "ct state { new, invalid }",
        });
    }

    /// Loses so many of a hundred packets that come in.
    pub fn lose(&self, percent: u8, traffic: Traffic) {
        let which = match traffic {
            Traffic::Udp => "udp",
            Traffic::TcpAndUdp => "{ tcp, udp }",
        };
        self.drop_incoming(&format!("meta l4proto {which} numgen random mod 100 < {percent}"));
    }

    /// Has packets leave whole, as they do on a real cable: with their checksums, and none longer than the MTU. Otherwise
    /// the kernel leaves both to the hardware, of which there is none here, and a capture shows packets that never are.
    pub fn finishes_packets(&self) {
        let mut command = self.command("ethtool");
        command.args(["-K", self.place.interface, "tx", "off", "tso", "off", "gso", "off"]);
        let output = command.output().expect("ethtool runs; install ethtool");
        assert!(output.status.success(), "ethtool: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Lets packets out one behind the other, so many bytes a second, as a slow line does. None may be longer than 200
    /// bytes.
    pub fn send_slowly(&self, bytes_per_second: u32) {
        let rate = format!("{}bit", bytes_per_second * 8);
        let mut command = self.command("tc");
        command.args(["qdisc", "add", "dev", self.place.interface, "root", "tbf", "rate", &rate]);
        let output = command.args(["burst", "200", "latency", "5s"]).output().expect("tc runs");
        assert!(output.status.success(), "tc: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Drops, without a word, everything that comes from another host, or through this router from there.
    pub fn drop_from(&self, other: &Host) {
        for address in other.addresses() {
            let family = if address.is_ipv4() { "ip" } else { "ip6" };
            self.drop_incoming(&format!("{family} saddr {address}"));
        }
    }

    /// Takes back what the three above have set up.
    pub fn let_everything_in(&self) {
        self.namespace().nft("table inet firewall { }\ndelete table inet firewall\n");
    }

    /// A rule for packets to this host, and for those that it forwards inwards; a further one if there are some.
    fn drop_incoming(&self, which: &str) {
        let chain = |hook| {
            let rule = format!("iifname eth0 {which} drop");
            format!("chain {hook} {{ type filter hook {hook} priority filter; {rule}; }}")
        };
        let (to, through) = (chain("input"), chain("forward"));
        self.namespace().nft(&format!("table inet firewall {{\n{to}\n{through}\n}}\n"));
    }

    /// Pulls the cable: addresses and routes stay, packets do not arrive.
    pub fn unplug(&self) {
        self.place.shared.switch.ip(&format!("link set dev {} down\n", self.place.port()));
    }

    pub fn plug_in(&self) {
        self.place.shared.switch.ip(&format!("link set dev {} up\n", self.place.port()));
    }

    /// Takes the host away, so that nobody hears of it. What runs on it runs on, in a network that leads nowhere: end it.
    pub fn power_off(&mut self) {
        self.place.shared.switch.ip(&format!("link delete dev {}\n", self.place.port()));
        self.namespace = None;
    }

    /// Gives the host back, with the addresses that it had, and without a memory of connections or firewalls.
    pub fn power_on(&mut self) {
        self.namespace = Some(self.place.attach());
    }

    /// The ids of what runs on this host.
    pub fn processes(&self) -> Vec<u32> {
        self.namespace().processes()
    }

    /// Where [`Host::serve`] listens: on the first of its addresses.
    pub fn address(&self) -> SocketAddr {
        let address = *self.addresses().first().expect("an address");
        SocketAddr::new(address, 7_667)
    }

    /// Starts a server on this host.
    pub fn serve(&self) -> Server {
        let mut command = self.command(SWITCHBOARD);
        command.args(["serve", "--ephemeral", "--listen", &self.address().to_string()]);
        Server::spawn(command)
    }
}
