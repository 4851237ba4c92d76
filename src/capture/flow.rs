//! One TCP connection as packets: what was read and written becomes segments with the numbers that follow from it.
//!
//! Handshake, acknowledgements and windows are made up, because a program does not see the real ones; they fit, and
//! claim no more than what is known. What is told of them is in `docs/CAPTURE.md`.

use super::masks::Mask;
use super::packets::{SEGMENT_BYTES_MAX, Segment, TcpFlags, WINDOW, put_segment};
use super::pcapng::Direction;
use super::sheet::Sheet;
use std::io::IoSlice;
use std::net::SocketAddr;

/// The end of a conversation that a packet comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Ours,
    Theirs,
}

impl Side {
    pub fn other(self) -> Side {
        match self {
            Side::Ours => Side::Theirs,
            Side::Theirs => Side::Ours,
        }
    }

    pub fn direction(self) -> Direction {
        match self {
            Side::Ours => Direction::Outbound,
            Side::Theirs => Direction::Inbound,
        }
    }
}

/// What an end is to the other: the client is the one that connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Client,
    Server,
}

/// The addresses of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    pub ours: SocketAddr,
    pub theirs: SocketAddr,
}

impl Ends {
    /// From `side` to the other.
    pub fn from(self, side: Side) -> (SocketAddr, SocketAddr) {
        match side {
            Side::Ours => (self.ours, self.theirs),
            Side::Theirs => (self.theirs, self.ours),
        }
    }
}

pub struct Flow {
    name: String,
    ends: Ends,
    ours: Half,
    theirs: Half,
    is_reset: bool,
    /// The file that it was last seen in.
    file: u32,
    /// What there is to say with the next packet.
    remarks: Vec<String>,
    /// Since when it is not read, and why.
    paused: Option<(u64, &'static str)>,
    /// Since when the socket takes nothing.
    blocked: Option<u64>,
}

/// What one side sends.
struct Half {
    /// The sequence number of its next byte.
    next: u32,
    /// The one up to which the other side has acknowledged it.
    acknowledged: u32,
    has_ended: bool,
    mask: Mask,
}

impl Half {
    fn new(first: u32, role: Role, shows_secrets: bool) -> Half {
        let mask = if shows_secrets { Mask::none(role) } else { Mask::new(role) };
        Half { next: first, acknowledged: first, has_ended: false, mask }
    }

    /// Bytes that the other side has not acknowledged.
    fn in_flight(&self) -> usize {
        self.next.wrapping_sub(self.acknowledged) as usize
    }
}

impl Flow {
    /// `number` is unlike that of any other connection; `initiator` is the side that connected.
    pub fn new(number: u64, name: &str, ends: Ends, initiator: Side, shows_secrets: bool) -> Self {
        // Any numbers will do, as long as a port that is used again does not go on with them.
        let first = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let role = |side: Side| if side == initiator { Role::Client } else { Role::Server };
        Flow {
            name: name.to_owned(),
            ends,
            ours: Half::new(first as u32, role(Side::Ours), shows_secrets),
            theirs: Half::new((first >> 32) as u32, role(Side::Theirs), shows_secrets),
            is_reset: false,
            file: 0,
            remarks: Vec::new(),
            paused: None,
            blocked: None,
        }
    }

    /// The connection is there.
    pub fn shake_hands(&mut self, sheet: &mut Sheet, initiator: Side) {
        self.file = sheet.file();
        self.remarks.push(format!("{}: connected", self.name));
        self.put(sheet, initiator, TcpFlags::SYN, &mut Payload::none());
        self.put(sheet, initiator.other(), TcpFlags::SYN_ACK, &mut Payload::none());
        self.put(sheet, initiator, TcpFlags::ACK, &mut Payload::none());
    }

    /// The first `length` bytes of these were sent.
    pub fn data(&mut self, sheet: &mut Sheet, side: Side, slices: &[IoSlice<'_>], length: usize) {
        self.go_on(sheet, side);
        let mut payload = Payload { slices, at: 0, left: length, take: 0 };
        while payload.left > 0 {
            payload.take = payload.left.min(SEGMENT_BYTES_MAX);
            if self.half(side).in_flight() + payload.take >= usize::from(WINDOW) {
                self.put(sheet, side.other(), TcpFlags::ACK, &mut Payload::none());
            }
            self.put(sheet, side, TcpFlags::PSH_ACK, &mut payload);
        }
    }

    /// A side says nothing more.
    pub fn end(&mut self, sheet: &mut Sheet, side: Side) {
        if !self.half(side).has_ended {
            self.go_on(sheet, side);
            self.put(sheet, side, TcpFlags::FIN_ACK, &mut Payload::none());
            self.put(sheet, side.other(), TcpFlags::ACK, &mut Payload::none());
            self.half(side).has_ended = true;
        }
    }

    /// A side has broken it off.
    pub fn reset(&mut self, sheet: &mut Sheet, side: Side) {
        self.put(sheet, side, TcpFlags::RST_ACK, &mut Payload::none());
        self.is_reset = true;
    }

    /// Whether nothing more can come of it.
    pub fn is_over(&self) -> bool {
        self.is_reset || self.ours.has_ended && self.theirs.has_ended
    }

    /// Something to be told with the next packet.
    pub fn remark(&mut self, remark: String) {
        // One that never has another packet does not gather more and more of them.
        self.remarks.truncate(REMARKS_MAX - 1);
        self.remarks.push(remark);
    }

    /// We do not read it, although there is something, from now on.
    pub fn pause(&mut self, at: u64, why: &'static str) {
        self.paused.get_or_insert((at, why));
    }

    /// The socket has taken nothing.
    pub fn block(&mut self, at: u64) {
        self.blocked.get_or_insert(at);
    }

    /// What held a side back is over.
    fn go_on(&mut self, sheet: &Sheet, side: Side) {
        let waited = |since: u64| sheet.now().saturating_sub(since) / 1_000;
        if side == Side::Theirs
            && let Some((since, why)) = self.paused.take()
        {
            self.remark(format!("{}: not read for {} µs, {why}", self.name, waited(since)));
        }
        if side == Side::Ours
            && let Some(since) = self.blocked.take()
        {
            self.remark(format!("{}: the socket took nothing for {} µs (EAGAIN)", self.name, waited(since)));
        }
    }

    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Ours => &mut self.ours,
            Side::Theirs => &mut self.theirs,
        }
    }

    /// One packet, with the next part of the payload.
    fn put(&mut self, sheet: &mut Sheet, side: Side, flags: TcpFlags, payload: &mut Payload<'_>) {
        sheet.make_room(payload.take);
        if self.is_reset || sheet.is_over() {
            payload.left = 0; // nobody wants to know
            return;
        }
        if self.file != sheet.file() {
            self.file = sheet.file();
            self.remarks.insert(0, format!("{}: goes on from the file before", self.name));
        }
        let (from, to) = self.ends.from(side);
        let other = self.half(side.other());
        let acknowledged = if flags == TcpFlags::SYN { 0 } else { other.next };
        other.acknowledged = other.next;
        let remarks = std::mem::take(&mut self.remarks);
        let half = self.half(side);
        let segment = Segment { from, to, sequence: half.next, acknowledged, flags };
        half.next = half.next.wrapping_add(payload.take as u32);
        if [TcpFlags::SYN, TcpFlags::SYN_ACK, TcpFlags::FIN_ACK].contains(&flags) {
            half.next = half.next.wrapping_add(1);
        }
        let mask = &mut half.mask;
        sheet.put(side.direction(), &remarks, |out| {
            put_segment(out, &segment, |out| {
                let start = out.len();
                payload.copy_to(out);
                mask.apply(out.get_mut(start..).unwrap_or_default());
            });
        });
    }
}

/// As many remarks wait for a packet.
const REMARKS_MAX: usize = 8;

/// Bytes in slices, taken off the front segment by segment.
struct Payload<'a> {
    slices: &'a [IoSlice<'a>],
    /// How many bytes of the first slice are done with.
    at: usize,
    left: usize,
    /// How many the next segment has.
    take: usize,
}

impl Payload<'_> {
    fn none() -> Payload<'static> {
        Payload { slices: &[], at: 0, left: 0, take: 0 }
    }

    fn copy_to(&mut self, out: &mut Vec<u8>) {
        let mut missing = self.take;
        while missing > 0
            && let Some((first, behind)) = self.slices.split_first()
        {
            let rest = first.get(self.at..).unwrap_or_default();
            let part = rest.get(..missing).unwrap_or(rest);
            out.extend_from_slice(part);
            missing -= part.len();
            self.at += part.len();
            if part.len() == rest.len() {
                (self.slices, self.at) = (behind, 0);
            }
        }
        self.left -= self.take;
    }
}
