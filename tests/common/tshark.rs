//! Packets for tshark, and what it makes of them with the dissector that `switchboard wireshark print` writes.
//!
//! Without tshark these tests fail.
#![allow(dead_code)] // each test file uses its part

use roxmltree::{Document, Node};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

const SWITCHBOARD: &str = env!("CARGO_BIN_EXE_switchboard");

/// The port that the dissector knows, and one that it does not.
pub const PORT: u16 = 7667;
pub const OTHER_PORT: u16 = 9_321;

pub const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 77);

/// Nanoseconds between two packets.
pub const STEP: u64 = 1_000_000;

/// Fails with a sentence where tshark is not there.
pub fn need() {
    let found = Command::new("tshark").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(found.is_ok(), "these tests need tshark; install it");
}

/// A directory of its own, gone at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("switchboard-tshark-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Two ends of which the first is the one that sends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Way {
    pub from: SocketAddrV4,
    pub to: SocketAddrV4,
}

impl Way {
    pub fn to_server(client_port: u16) -> Way {
        Way::to_server_at(client_port, PORT)
    }

    pub fn to_server_at(client_port: u16, port: u16) -> Way {
        Way { from: SocketAddrV4::new(CLIENT, client_port), to: SocketAddrV4::new(SERVER, port) }
    }

    pub fn back(self) -> Way {
        Way { from: self.to, to: self.from }
    }
}

/// A capture in pcapng, simple and valid: packets begin with their IPv4 header, and are a millisecond apart.
pub struct Capture {
    bytes: Vec<u8>,
    packets: u64,
    /// Of each direction, TCP's next number.
    next: HashMap<Way, u32>,
}

impl Capture {
    pub fn new() -> Capture {
        let mut bytes = Vec::new();
        for word in [0x0a0d_0d0a_u32, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        // Interface: 101 is LINKTYPE_RAW; option 9 says that times are in nanoseconds.
        for word in [1_u32, 32, 101, 0, 0x0001_0009, 9, 0, 32] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        Capture { bytes, packets: 0, next: HashMap::new() }
    }

    pub fn write(&self, file: &Path) {
        std::fs::write(file, &self.bytes).expect("a capture");
    }

    /// The number of the last packet.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Three packets that begin a connection.
    pub fn connect(&mut self, way: Way) {
        self.segment(way, b"", SYN);
        self.segment(way.back(), b"", SYN | ACK);
        self.segment(way, b"", ACK);
    }

    pub fn tcp(&mut self, way: Way, bytes: &[u8]) {
        self.segment(way, bytes, PSH | ACK);
    }

    /// As if so many bytes had been lost before they were captured.
    pub fn lose(&mut self, way: Way, bytes: u32) {
        let next = self.next.entry(way).or_insert(1);
        *next = next.wrapping_add(bytes);
    }

    fn segment(&mut self, way: Way, bytes: &[u8], flags: u8) {
        let seq = *self.next.entry(way).or_insert(0);
        let ack = *self.next.entry(way.back()).or_insert(0);
        let mut tcp = ports(way);
        tcp.extend_from_slice(&seq.to_be_bytes());
        tcp.extend_from_slice(&ack.to_be_bytes());
        tcp.extend_from_slice(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend_from_slice(bytes);
        let used = bytes.len() as u32 + u32::from(flags & SYN != 0);
        self.next.insert(way, seq.wrapping_add(used));
        self.ip(way, 6, &tcp);
    }

    pub fn udp(&mut self, way: Way, bytes: &[u8]) {
        let mut udp = ports(way);
        udp.extend_from_slice(&(8 + bytes.len() as u16).to_be_bytes());
        udp.extend_from_slice(&[0, 0]);
        udp.extend_from_slice(bytes);
        self.ip(way, 17, &udp);
    }

    fn ip(&mut self, way: Way, protocol: u8, payload: &[u8]) {
        let mut packet = vec![0x45, 0];
        packet.extend_from_slice(&(20 + payload.len() as u16).to_be_bytes());
        packet.extend_from_slice(&[0, 0, 0, 0, 64, protocol, 0, 0]);
        packet.extend_from_slice(&way.from.ip().octets());
        packet.extend_from_slice(&way.to.ip().octets());
        packet.extend_from_slice(payload);
        self.block(&packet, packet.len());
    }

    /// A packet of which only the first bytes are kept.
    pub fn tcp_cut(&mut self, way: Way, bytes: &[u8], kept: usize) {
        let before = self.bytes.len();
        self.tcp(way, bytes);
        let packet = self.bytes[before + 28..before + 28 + 40 + bytes.len()].to_vec();
        self.bytes.truncate(before);
        self.packets -= 1;
        self.block(&packet[..40 + kept], packet.len());
    }

    fn block(&mut self, packet: &[u8], length: usize) {
        self.packets += 1;
        let time = 1_700_000_000_000_000_000 + self.packets * STEP;
        let padding = packet.len().next_multiple_of(4) - packet.len();
        let total = (32 + packet.len() + padding) as u32;
        let head = [6, total, 0, (time >> 32) as u32, time as u32, packet.len() as u32, length as u32];
        head.iter().for_each(|word| self.bytes.extend_from_slice(&word.to_le_bytes()));
        self.bytes.extend_from_slice(packet);
        self.bytes.resize(self.bytes.len() + padding, 0);
        self.bytes.extend_from_slice(&total.to_le_bytes());
    }
}

const SYN: u8 = 0x02;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

fn ports(way: Way) -> Vec<u8> {
    [way.from.port().to_be_bytes(), way.to.port().to_be_bytes()].concat()
}

/// Runs tshark over a capture with the dissector, twice over all packets as Wireshark does (`-2`), and with these
/// arguments. Its standard output.
pub fn tshark(capture: &Capture, args: &[&str]) -> String {
    tshark_with(capture, &["-2"], args)
}

/// The same in one pass, as when packets are shown while they come.
pub fn tshark_live(capture: &Capture, args: &[&str]) -> String {
    tshark_with(capture, &[], args)
}

fn tshark_with(capture: &Capture, passes: &[&str], args: &[&str]) -> String {
    need();
    let folder = Folder::new();
    let (file, script) = (folder.path().join("capture.pcapng"), folder.path().join("switchboard.lua"));
    capture.write(&file);
    let printed = Command::new(SWITCHBOARD).args(["wireshark", "print"]).output().expect("it prints");
    assert!(printed.status.success() && printed.stderr.is_empty(), "{printed:?}");
    std::fs::write(&script, printed.stdout).expect("the dissector");
    let output = at_home(&folder, Command::new("tshark"))
        .arg("-r")
        .arg(&file)
        .arg("-X")
        .arg(format!("lua_script:{}", script.display()))
        .args(passes)
        .args(args)
        .output()
        .expect("tshark runs");
    checked(&output)
}

/// With nothing of the user's own: neither plugins nor preferences.
pub fn at_home(folder: &Folder, mut command: Command) -> Command {
    command
        .env("HOME", folder.path())
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_DATA_HOME")
        .env("TZ", "UTC");
    command
}

/// What it said, if it was content.
pub fn checked(output: &Output) -> String {
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "tshark: {}: {complained}", output.status);
    let is_trouble = |line: &&str| {
        ["Lua Error", "Lua: Error", "[Dissector bug", "Error during loading"]
            .iter()
            .any(|word| line.contains(word))
    };
    let trouble: Vec<&str> = said.lines().chain(complained.lines()).filter(is_trouble).collect();
    assert!(trouble.is_empty(), "{trouble:#?}");
    said.into_owned()
}

/// One packet as tshark dissected it.
#[derive(Debug)]
pub struct Packet {
    pub number: u64,
    /// Protocols, from the outermost on.
    pub protocols: Vec<String>,
    pub frames: Vec<Shown>,
}

/// One native frame as tshark shows it: fields with their values, in their order. What lies in a sealed frame is in there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shown {
    pub fields: Vec<(String, String)>,
    /// Names of expert notes, without their prefix.
    pub notes: Vec<String>,
    /// Requests and answers: fields that say something about other packets.
    pub links: Vec<(String, String)>,
}

impl Shown {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .chain(&self.links)
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn kind(&self) -> &str {
        self.field("switchboard.kind").unwrap_or_default()
    }
}

/// Dissects everything, field by field.
pub fn dissect(capture: &Capture) -> Vec<Packet> {
    packets(&tshark(capture, &["-T", "pdml"]))
}

pub fn packets(pdml: &str) -> Vec<Packet> {
    let document = Document::parse(pdml).expect("tshark writes XML");
    let packets = document.root_element().children().filter(|node| node.has_tag_name("packet"));
    packets.zip(1..).map(|(node, number)| packet(number, node)).collect()
}

fn packet(number: u64, node: Node<'_, '_>) -> Packet {
    let protocols = node.children().filter(Node::is_element);
    let frames = protocols.clone().filter(|proto| proto.attribute("name") == Some("switchboard")).map(shown);
    Packet {
        number,
        frames: frames.collect(),
        // The wrapper is what Wireshark wraps around the items of any dissector in Lua.
        protocols: protocols
            .filter_map(|proto| proto.attribute("name"))
            .filter(|&name| name != "fake-field-wrapper")
            .map(str::to_owned)
            .collect(),
    }
}

fn shown(proto: Node<'_, '_>) -> Shown {
    let mut shown = Shown::default();
    for field in proto.descendants().filter(|node| node.has_tag_name("field")) {
        let name = field.attribute("name").unwrap_or_default();
        let value = field.attribute("show").unwrap_or_default().to_owned();
        if let Some(note) = name.strip_prefix("switchboard.note.") {
            shown.notes.push(note.to_owned());
        } else if name.starts_with("switchboard.response") {
            shown.links.push((name.to_owned(), value));
        } else if name.starts_with("switchboard.") {
            shown.fields.push((name.to_owned(), value));
        }
    }
    shown
}
