//! What a run is to do.

use std::net::SocketAddr;
use std::time::Duration;

/// One run against one server.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    pub scenario: Scenario,
    pub protocol: Protocol,
    /// Threads that drive clients; each has a poll of its own.
    pub threads: usize,
    /// Whether clients connect from all over 127.0.0.0/8, which one server needs that is to see more connections than
    /// an address has ports, or that limits connections per address.
    pub spread_sources: bool,
    /// Load before the measured time begins, so that caches are warm and windows are full.
    pub warmup: Duration,
    /// The measured time.
    pub duration: Duration,
    /// For how long, after the last message was sent, those that have not arrived are waited for, counted from the
    /// last one that did.
    pub patience: Duration,
}

/// What the clients do.
#[derive(Clone, PartialEq, Debug)]
pub enum Scenario {
    /// Members of rooms talk.
    Rooms(Rooms),
    /// Pairs exchange payload over a relay, one way.
    Relay(Relay),
    /// A storm of log-ins.
    Connect(Connect),
    /// Everyone enters one room.
    Join(Join),
    /// Logged in, and silent.
    Idle(Idle),
    /// As [`Scenario::Rooms`], but part of the members stop reading when the measured time begins.
    Slow(Slow),
    /// As [`Scenario::Rooms`], while others come and go.
    Churn(Churn),
    /// Rooms, private messages, relays and churn at once.
    Mixed(Mixed),
}

/// Every room has the same number of members and of senders; a client is in one room.
#[derive(Clone, PartialEq, Debug)]
pub struct Rooms {
    pub rooms: usize,
    /// Members of each room, its senders among them.
    pub members: usize,
    /// How many of each room's members send.
    pub senders: usize,
    /// Bytes of each message's text.
    pub payload: usize,
    pub pace: Pace,
    /// How the names of the rooms begin, behind `#`; a number of four digits follows. `None`: as no other's do.
    pub named: Option<String>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Relay {
    pub pairs: usize,
    pub transport: Transport,
    /// Bytes of payload in each frame.
    pub payload: usize,
    pub pace: Pace,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Connect {
    /// How many log in altogether.
    pub clients: usize,
    /// How many are on their way at one time.
    pub at_once: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Join {
    pub members: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Idle {
    pub clients: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Slow {
    pub rooms: Rooms,
    /// How many in a hundred of those who do not send stop reading.
    pub stalled_percent: u8,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Churn {
    pub rooms: Rooms,
    /// Clients beyond the members, who enter and leave the rooms.
    pub visitors: usize,
    /// How many of them leave and come back in a second, by a new connection every second time.
    pub per_second: f64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Mixed {
    /// Members of rooms of ten, one sender each.
    pub clients: usize,
    pub payload: usize,
    /// Messages of all kinds in a second: rooms, private ones and relay payload, 8 : 1 : 1.
    pub rate: f64,
    pub churn_per_second: f64,
}

/// When the next message is sent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Pace {
    /// Closed loop: so many messages are under way in all rooms together, and the next one is sent when one has
    /// arrived everywhere. Tells the cost under pressure, not the latency that users would see.
    Window(usize),
    /// Open loop: so many messages a second, by schedule, whether the server keeps up or not.
    Rate(f64),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    Tcp,
    Udp,
}

/// What the clients speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    Native,
    Irc,
    /// Native frames that nobody answers: no log-in, no rooms, and whatever anybody sends goes to everybody, its sender
    /// included. What a floor understands.
    Raw,
}

/// Where the server is, and how to look at its process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    pub address: SocketAddr,
    /// The server's process, if it runs on this machine.
    pub pid: Option<u32>,
    /// What tables and plots call it.
    pub label: String,
}
