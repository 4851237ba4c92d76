//! How a pipe's bytes get to the other end: through the relay, or over a TCP connection of the two ends' own.
//!
//! The way is chosen once, before the first byte, and kept: a pipe has no lines that could be sent again, so a direct
//! path that dies ends the transfer, as a relay that dies does. UDP is absent on purpose: it would need a congestion
//! control of its own.

use crate::chat::Ways;
use crate::chat::link::Outgoing;
use crate::chat::paths::{DIRECT_PAYLOAD_MAX, Dialler, Happened, Mode, Paths, Sent};
use crate::wire::frame::{AddressEntry, Data, ListEntries, OfferPaths, Refused};
use crate::wire::{Flags, Frame, HEADER_LEN, Transport};
use mio::Registry;
use mio::event::Event;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The request id of every offer; the two ends number theirs from 1 on.
const OFFER: u32 = 100;

/// How long the other end, or the server, may take to begin or to end a round.
const ROUND_PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Route {
    mode: Mode,
    /// `None` where peers are to see no addresses, or no port could be had.
    paths: Option<Paths>,
    declared: Vec<SocketAddr>,
    stage: Stage,
    /// What the user should be told, once.
    news: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Stage {
    /// There is no relay yet.
    Idle,
    Searching {
        channel: u32,
        local: SocketAddr,
        until: Instant,
    },
    Relay,
    Direct {
        channel: u32,
    },
    /// Only a direct path would have done, or there was one and it is gone.
    Failed(String),
}

impl Route {
    /// Opens a port if peers may see where it is.
    pub fn open(registry: &Registry, ways: Ways, declared: Vec<SocketAddr>) -> Self {
        let wanted = ways.wants_ports(false); // nobody is there to be asked
        let mut route = Route { mode: ways.mode, paths: None, declared, stage: Stage::Idle, news: None };
        if wanted {
            match Paths::open(registry, false) {
                Ok(paths) => route.paths = Some(paths),
                Err(error) => log::warn!("no port for direct paths: {error}"),
            }
        }
        route
    }

    pub fn dialler(&self) -> Dialler {
        self.paths.as_ref().map(Paths::dialler).unwrap_or_default()
    }

    pub fn note(&mut self, event: &Event) {
        if let Some(paths) = self.paths.as_mut().filter(|paths| paths.owns(event.token())) {
            paths.note(event);
        }
    }

    /// The relay is there: offers the other end addresses, or none.
    pub fn offer(&mut self, out: &mut Outgoing, channel: u32, local: Option<SocketAddr>, now: Instant) {
        let addresses = match (&mut self.paths, local) {
            (Some(paths), Some(local)) => paths.addresses(local, &self.declared, true),
            _ => Vec::new(),
        };
        send_offer(out, channel, &addresses);
        match local {
            Some(local) if !addresses.is_empty() => {
                self.paths.iter_mut().for_each(|paths| paths.expect_round(channel));
                self.stage = Stage::Searching { channel, local, until: now + ROUND_PATIENCE };
            }
            _ => {
                let why = match self.mode {
                    Mode::Relay => "as --path relay has it",
                    _ if self.paths.is_some() => "this host has no address to offer",
                    _ => "your addresses are not shown (--share-addresses always shows them)",
                };
                self.give_up(why);
            }
        }
    }

    /// Sees a frame from the server that is about the search.
    pub fn see(&mut self, channel: u32, frame: &Frame<'_>, now: Instant) {
        let Stage::Searching { channel: ours, until, .. } = &mut self.stage else { return };
        match frame {
            Frame::Paths(round) if channel == *ours => {
                *until = now + ROUND_PATIENCE;
                if round.addresses.iter().next().is_none() {
                    self.give_up("the other end does not show its addresses");
                } else if let Some(paths) = &mut self.paths {
                    paths.begin(channel, round, true, now);
                }
            }
            Frame::Refused(Refused { request: OFFER, text, .. }) => self.give_up(text),
            _ => {}
        }
    }

    /// Lets happen what is due; what arrives on the direct path goes to `take`.
    pub fn drive(&mut self, out: &mut Outgoing, now: Instant, mut take: impl FnMut(u32, Flags, &[u8])) {
        let Some(mut paths) = self.paths.take() else { return };
        let mut again = false;
        paths.drive(now, |happened| match happened {
            Happened::PeerData { channel, flags, payload } => {
                // The other end has chosen, and does not wait for this one.
                self.is_direct_from_now_on(channel, None);
                take(channel, flags, payload);
            }
            Happened::Opened { channel, peer, .. } => self.is_direct_from_now_on(channel, Some(peer)),
            Happened::RoundFailed { again: true, .. } => again = true,
            Happened::RoundFailed { reason, .. } => self.give_up(&reason),
            Happened::Lost { reason, .. } => {
                self.stage = Stage::Failed(format!("the direct path is lost: {reason}"));
            }
            Happened::ServerFrame { .. } | Happened::Bound | Happened::NotBound { .. } => {}
        });
        if let Stage::Searching { channel, local, until } = self.stage {
            if again {
                send_offer(out, channel, &paths.addresses(local, &self.declared, true));
                paths.expect_round(channel);
            }
            if now >= until {
                self.give_up("the other end does not look for one");
            }
        }
        self.paths = Some(paths);
    }

    fn is_direct_from_now_on(&mut self, channel: u32, peer: Option<SocketAddr>) {
        self.stage = Stage::Direct { channel };
        if let Some(peer) = peer {
            self.news = Some(format!("direct tcp, at {peer}"));
        }
    }

    fn give_up(&mut self, why: &str) {
        if self.mode == Mode::Direct {
            self.stage = Stage::Failed(format!("no direct path: {why}"));
        } else {
            self.stage = Stage::Relay;
            self.news = Some(format!("relay: {why}"));
        }
    }

    /// The longest payload of a frame once the way is chosen; `None` before.
    pub fn payload_max(&self, of_relay: usize) -> Option<usize> {
        match self.stage {
            Stage::Relay => Some(of_relay),
            Stage::Direct { .. } => Some(DIRECT_PAYLOAD_MAX),
            Stage::Idle | Stage::Searching { .. } | Stage::Failed(_) => None,
        }
    }

    /// Why it cannot go on.
    pub fn failed(&self) -> Option<&str> {
        if let Stage::Failed(why) = &self.stage { Some(why) } else { None }
    }

    pub fn take_news(&mut self) -> Option<String> {
        self.news.take()
    }

    /// Sends data frames that lie one behind the other in `buffer`, each but the last with `payload` bytes.
    pub fn send(&mut self, out: &mut Outgoing, buffer: Vec<u8>, payload: usize, now: Instant) {
        let (Stage::Direct { channel }, Some(paths)) = (&self.stage, &mut self.paths) else {
            // What follows a failure is of no use to anybody.
            if self.failed().is_none() {
                out.send_buffer(buffer);
            }
            return;
        };
        for frame in buffer.chunks(HEADER_LEN + payload) {
            if paths.send_to_peer(*channel, frame, now) != Sent::Taken {
                self.stage = Stage::Failed("the direct path takes nothing more".to_owned());
                return;
            }
        }
        out.keep_buffer(buffer);
    }

    /// Nothing more follows.
    pub fn send_end(&mut self, out: &mut Outgoing, channel: u32, now: Instant) {
        let mut end = Vec::new();
        crate::wire::header::put(&mut end, Flags::END, channel, &Data { payload: &[] });
        self.send(out, end, DIRECT_PAYLOAD_MAX, now);
    }

    /// Bytes that wait to be written, whichever way they go.
    pub fn queued_bytes(&self, out: &Outgoing) -> usize {
        let direct = match (&self.stage, &self.paths) {
            (Stage::Direct { channel }, Some(paths)) => paths.queued_bytes(*channel),
            _ => 0,
        };
        out.queued_bytes() + direct
    }

    /// Whether to read from the other end.
    pub fn stop_reading(&mut self, stalled: bool, now: Instant) {
        if let (Stage::Direct { channel }, Some(paths)) = (&self.stage, &mut self.paths) {
            paths.stop_reading(*channel, stalled, now);
        }
    }

    pub fn flush(&mut self) {
        if let Some(paths) = &mut self.paths {
            paths.flush();
        }
    }

    pub fn is_busy(&self) -> bool {
        self.paths.as_ref().is_some_and(Paths::is_busy)
    }

    pub fn next_look(&self) -> Option<Instant> {
        let patience = if let Stage::Searching { until, .. } = self.stage { Some(until) } else { None };
        [self.paths.as_ref().and_then(Paths::next_look), patience].into_iter().flatten().min()
    }
}

fn send_offer(out: &mut Outgoing, channel: u32, addresses: &[AddressEntry]) {
    let tcp = addresses.iter().copied().filter(|entry| entry.transport == Transport::Tcp.number());
    let mut scratch = Vec::new();
    let addresses = ListEntries::encode(&mut scratch, tcp);
    out.send(Flags::NONE, channel, &OfferPaths { request: OFFER, addresses });
}
