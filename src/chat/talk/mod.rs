//! What two people say to each other, whatever path it takes. Pure: no socket, and time is an argument.
//!
//! Each side numbers its lines and keeps every one until the other side has acknowledged it. So a line survives the
//! path it was sent on, and however often it is sent, it is passed on once and in its place.
//!
//! ```text
//!   lines      | acknowledged: gone | in flight, at most WINDOW | waiting | no room beyond LINES_MAX
//!   numbers                   acked ┘       sent ┘
//! ```
//!
//! The payload, after docs/PROTOCOL.md: `seq u32 | ack u32 | text`. `seq` 0 stands for no line, only an acknowledgement;
//! `ack` is the last line up to which all have arrived.
//!
//! Absent on purpose: selective acknowledgement and congestion control. A window of short lines is what a person
//! types in minutes; files go through `pipe`, which is TCP.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

/// Bytes of a payload in front of the text.
pub const HEAD_BYTES: usize = 8;

/// Lines in flight, and so the most that can arrive ahead of one that is missing.
pub const WINDOW: u32 = 64;

/// Lines of ours that are kept, in flight or waiting to be.
const LINES_MAX: usize = 4 * WINDOW as usize;

/// Lines in one talk. A last number is simpler than numbers that wrap, and nobody gets there.
const SEQ_MAX: u32 = u32::MAX - 1;

/// How long an acknowledgement may take over a path that loses, before the line is sent again.
const TIMEOUT_MIN: Duration = Duration::from_millis(250);
const TIMEOUT_MAX: Duration = Duration::from_secs(2);

/// One conversation of two, from one side.
#[derive(Default)]
pub struct Talk {
    /// Our lines that are not acknowledged, the oldest first; it has the number `acked + 1`.
    lines: VecDeque<Line>,
    acked: u32,
    /// The last line that was sent at least once.
    sent: u32,
    /// The peer's last line that was passed on, as all before it were.
    received: u32,
    /// Lines of the peer's that wait for one before them.
    early: BTreeMap<u32, String>,
    owes_ack: bool,
    /// While nothing more can be shown: how far the peer's lines were acknowledged before.
    held_at: Option<u32>,
    timing: Timing,
    loss: Loss,
    scratch: Vec<u8>,
}

struct Line {
    text: String,
    times_sent: u32,
    /// How it was sent last; `None` makes it due.
    flight: Option<Flight>,
}

#[derive(Clone, Copy)]
struct Flight {
    at: Instant,
    /// After how long it is sent again; `None` on a path that loses nothing.
    timeout: Option<Duration>,
}

/// What the path is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carrier {
    /// Bytes arrive, and in order, or the path is gone: TCP, or the relay.
    Reliable,
    /// Anything may be lost, doubled, or late. What is longer than `payload_max` bytes goes by the relay instead.
    Datagrams { payload_max: usize },
}

/// Where a payload goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Via {
    Path,
    /// Through the server, because it does not fit into a datagram.
    Relay,
}

/// Why a text is not said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsayable {
    /// Too many lines wait for the peer already.
    NoRoom,
    /// It holds NUL, CR or LF.
    NotOneLine,
}

/// What no peer that keeps to the protocol sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    Short,
    NotUtf8,
    NotOneLine,
    /// An acknowledgement of lines that were never sent.
    AckOfNothing,
    /// A line further ahead than the window allows.
    BeyondWindow,
}

/// How lossy the present path is. Acknowledgements get lost as well as lines, so not every line that was sent again had
/// been lost.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Loss {
    /// Datagrams with a line in them, those sent again included.
    pub sent: u64,
    /// Those sent again because no acknowledgement came in time.
    pub retransmitted: u64,
    /// From a line to its acknowledgement, smoothed.
    pub round_trip: Option<Duration>,
}

impl Talk {
    /// Queues a line. Its bytes and [`HEAD_BYTES`] have to fit into a payload of the relay, which is for the caller to
    /// see to.
    ///
    /// # Errors
    /// [`Unsayable`]; the line is then not queued.
    pub fn say(&mut self, text: &str) -> Result<(), Unsayable> {
        if !is_one_line(text) {
            return Err(Unsayable::NotOneLine);
        }
        if !self.has_room() {
            return Err(Unsayable::NoRoom);
        }
        self.lines.push_back(Line { text: text.to_owned(), times_sent: 0, flight: None });
        Ok(())
    }

    /// Whether another line can be queued.
    pub fn has_room(&self) -> bool {
        let last = self.lines.len() as u64 + u64::from(self.acked);
        self.lines.len() < LINES_MAX && last < u64::from(SEQ_MAX)
    }

    /// Takes a payload in, and passes on to `line` what is next in order, which can be several lines or none.
    ///
    /// # Errors
    /// [`Malformed`]; nothing has changed then, and there is no point in going on with this peer.
    pub fn receive(
        &mut self,
        now: Instant,
        payload: &[u8],
        mut line: impl FnMut(&str),
    ) -> Result<(), Malformed> {
        let Payload { seq, ack, text } = Payload::decode(payload)?;
        if ack > self.sent {
            return Err(Malformed::AckOfNothing);
        }
        if seq.saturating_sub(self.acknowledgement()) > WINDOW || seq > SEQ_MAX {
            return Err(Malformed::BeyondWindow);
        }
        self.acknowledged(ack, now);
        if seq == 0 {
            return Ok(());
        }
        // One that had arrived before too: the acknowledgement may not have.
        self.owes_ack = true;
        if seq > self.received + 1 {
            self.early.entry(seq).or_insert_with(|| text.to_owned());
        } else if seq > self.received {
            self.received = seq;
            line(text);
            while let Some(next) = self.early.first_entry().filter(|next| *next.key() == self.received + 1) {
                self.received += 1;
                line(&next.remove());
            }
        }
        Ok(())
    }

    /// While `held`, the peer's lines are passed on and not acknowledged, so that it stops after as many as may be under
    /// way.
    pub fn hold(&mut self, held: bool) {
        if held == self.held_at.is_some() {
            return;
        }
        self.held_at = held.then_some(self.received);
        self.owes_ack |= !held;
    }

    /// The last line of the peer's that it may know to have arrived.
    fn acknowledgement(&self) -> u32 {
        self.held_at.unwrap_or(self.received)
    }

    fn acknowledged(&mut self, ack: u32, now: Instant) {
        // Datagrams overtake each other; an older one says nothing new.
        let Some(count) = ack.checked_sub(self.acked).filter(|&count| count > 0) else { return };
        let count = self.lines.len().min(count as usize);
        let mut newest = None;
        let mut is_plain = true;
        for line in self.lines.drain(..count) {
            // Which of several sendings was acknowledged nobody can tell (Karn, Partridge 1987), and a line that had to
            // wait for one sent again, or for one that went by the relay, says nothing about the path either.
            is_plain &= line.times_sent == 1;
            newest = line.flight.filter(|flight| flight.timeout.is_some());
            is_plain &= newest.is_some();
        }
        self.acked = ack;
        if let Some(flight) = newest.filter(|_| is_plain) {
            self.timing.sample(now.saturating_duration_since(flight.at));
        }
    }

    /// Takes everything that is not acknowledged as lost with the old path, and owes the peer an acknowledgement on the
    /// new one, because the last one may be lost too. To be called whenever the path changes, before [`Talk::send`].
    pub fn path_changed(&mut self) {
        self.lines.iter_mut().for_each(|line| line.flight = None);
        self.owes_ack = true;
        (self.timing, self.loss) = (Timing::default(), Loss::default());
    }

    /// Emits what is due: lines that were not sent yet as far as the window goes, lines whose time is up, and an
    /// acknowledgement if one is owed and no line carries it.
    pub fn send(&mut self, now: Instant, carrier: Carrier, mut emit: impl FnMut(Via, &[u8])) {
        let ack = self.acknowledgement();
        let scratch = &mut self.scratch;
        for (line, seq) in self.lines.iter_mut().take(WINDOW as usize).zip(self.acked + 1..) {
            let timed_out = match line.flight {
                None => false,
                Some(flight) if flight.due().is_some_and(|due| due <= now) => true,
                Some(_) => continue,
            };
            if timed_out {
                self.loss.retransmitted += 1;
                self.timing.back_off(line.flight.and_then(|flight| flight.timeout));
            }
            let via = match carrier {
                Carrier::Datagrams { payload_max } if HEAD_BYTES + line.text.len() > payload_max => {
                    Via::Relay
                }
                _ => Via::Path,
            };
            let timeout = match (carrier, via) {
                (Carrier::Datagrams { .. }, Via::Path) => Some(self.timing.timeout),
                _ => None,
            };
            self.loss.sent += u64::from(timeout.is_some());
            line.flight = Some(Flight { at: now, timeout });
            line.times_sent = line.times_sent.saturating_add(1);
            self.sent = self.sent.max(seq);
            self.owes_ack = false;
            emit(via, Payload { seq, ack, text: &line.text }.encode(scratch));
        }
        self.acknowledge(emit);
    }

    /// Emits the acknowledgement that is owed, if one is, and nothing else.
    pub fn acknowledge(&mut self, mut emit: impl FnMut(Via, &[u8])) {
        let ack = self.acknowledgement();
        if self.held_at.is_none() && std::mem::take(&mut self.owes_ack) {
            emit(Via::Path, Payload { seq: 0, ack, text: "" }.encode(&mut self.scratch));
        }
    }

    /// When a line is next to be sent again. New lines and acknowledgements do not wait for it: they go with the next
    /// [`Talk::send`].
    pub fn next_deadline(&self) -> Option<Instant> {
        self.in_flight().filter_map(|line| line.flight?.due()).min()
    }

    fn in_flight(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().take(WINDOW as usize)
    }

    /// Whether the peer has everything that was said.
    pub fn is_settled(&self) -> bool {
        self.lines.is_empty()
    }

    /// Lines that the peer has not acknowledged, those that were never sent included; it may have some of them all the
    /// same.
    pub fn unacked(&self) -> impl ExactSizeIterator<Item = &str> {
        self.lines.iter().map(|line| line.text.as_str())
    }

    pub fn loss(&self) -> Loss {
        Loss { round_trip: self.timing.smoothed, ..self.loss }
    }
}

impl Flight {
    fn due(self) -> Option<Instant> {
        self.timeout.map(|timeout| self.at + timeout)
    }
}

/// When to send again, after RFC 6298, with limits that suit a conversation.
struct Timing {
    smoothed: Option<Duration>,
    variation: Duration,
    timeout: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Timing { smoothed: None, variation: Duration::ZERO, timeout: TIMEOUT_MIN }
    }
}

impl Timing {
    fn sample(&mut self, round_trip: Duration) {
        let smoothed = match self.smoothed {
            None => {
                self.variation = round_trip / 2;
                round_trip
            }
            Some(smoothed) => {
                self.variation = (self.variation * 3 + smoothed.abs_diff(round_trip)) / 4;
                (smoothed * 7 + round_trip) / 8
            }
        };
        self.smoothed = Some(smoothed);
        self.timeout = (smoothed + self.variation * 4).clamp(TIMEOUT_MIN, TIMEOUT_MAX);
    }

    /// A line's time was up. The longer one holds for all lines until a sample says otherwise: over a path slower than
    /// the timeout, every line would else be sent twice, and none would ever be a sample.
    fn back_off(&mut self, timeout: Option<Duration>) {
        let doubled = timeout.unwrap_or(TIMEOUT_MIN) * 2;
        self.timeout = self.timeout.max(doubled).min(TIMEOUT_MAX);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Payload<'a> {
    seq: u32,
    ack: u32,
    text: &'a str,
}

impl<'a> Payload<'a> {
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let (seq, rest) = payload.split_first_chunk().ok_or(Malformed::Short)?;
        let (ack, text) = rest.split_first_chunk().ok_or(Malformed::Short)?;
        let (seq, ack) = (u32::from_be_bytes(*seq), u32::from_be_bytes(*ack));
        let text = std::str::from_utf8(text).map_err(|_| Malformed::NotUtf8)?;
        if is_one_line(text) { Ok(Payload { seq, ack, text }) } else { Err(Malformed::NotOneLine) }
    }

    fn encode<'b>(&self, out: &'b mut Vec<u8>) -> &'b [u8] {
        out.clear();
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(&self.ack.to_be_bytes());
        out.extend_from_slice(self.text.as_bytes());
        out
    }
}

fn is_one_line(text: &str) -> bool {
    !text.contains(['\0', '\r', '\n'])
}

impl std::error::Error for Malformed {}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::Short => "a line without its number",
            Malformed::NotUtf8 => "a line that is not UTF-8",
            Malformed::NotOneLine => "a line with NUL, CR or LF in it",
            Malformed::AckOfNothing => "an acknowledgement of lines that were never sent",
            Malformed::BeyondWindow => "a line too far ahead of those before it",
        })
    }
}
