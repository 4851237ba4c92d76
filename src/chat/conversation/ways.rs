//! Which way a call's lines go: by the relay, or on a direct path if both sides want one and the network has one.
//!
//! ```text
//!   Relay ──both show addresses──▶ Searching ──opened──▶ Direct ──lost──▶ Relay
//!                                      └──no round found one──▶ Relay
//! ```
//!
//! Pure, like the conversation: the sockets are those of [`Paths`](crate::chat::paths::Paths), and [`WayOut`] is what
//! they are to send.

#[cfg(test)]
mod tests;

use super::calls::{Call, Stage};
use super::{Conversation, Pending, PlaceId};
use crate::chat::paths::{DATAGRAM_PAYLOAD_MAX, Mode, Report, Tally};
use crate::chat::talk::{Carrier, Via};
use crate::wire::datagram::FRAME_MAX;
use crate::wire::frame::{Data, GetTicket, Paths, Wants};
use crate::wire::header::put;
use crate::wire::{Flags, Transport};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long it may take to hear from the server that a peer whose path is gone has hung up.
const HANG_UP_TIME: Duration = Duration::from_millis(500);

/// How long a round may take, and the answer to it.
const ROUND_PATIENCE: Duration = Duration::from_secs(5);

/// How long a message that went as a datagram may stay unconfirmed.
const CONFIRMATION_TIME: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    Relay,
    /// By the relay, while a direct path is looked for, until the peer, or the server, has to have said something.
    Searching {
        until: Instant,
    },
    Direct(Transport),
}

/// What is to go another way than over the connection to the server.
#[derive(Default, Debug)]
pub struct WayOut {
    /// Frames for direct paths, by the channel of their relay.
    pub direct: Vec<(u32, Vec<u8>)>,
    /// Frames for the server that may go as datagrams.
    pub datagrams: Vec<Vec<u8>>,
    /// Relays whose ends look for a direct path, and whether this end shows its addresses.
    pub offers: Vec<(u32, bool)>,
    /// Relays that need no direct path any more.
    pub closed: Vec<u32>,
    /// The direct paths of which the user wants to know how they are.
    pub reports: Vec<u32>,
}

impl Conversation {
    /// The server has told both ends what to try.
    pub(super) fn round_begins(&mut self, channel: u32, paths: Paths<'_>) {
        let until = self.now + ROUND_PATIENCE;
        if paths.addresses.iter().next().is_some() {
            if let Some(Way::Searching { until: old }) =
                self.call_at(channel).and_then(|id| self.call_mut(id)).map(|call| &mut call.way)
            {
                *old = until;
            }
            return;
        }
        let call = self.call_at(channel).and_then(|id| self.call(id));
        if let Some(peer) =
            call.filter(|call| matches!(call.way, Way::Searching { .. })).map(|call| call.peer.clone())
        {
            self.path_failed(channel, &format!("{peer} does not show its addresses"));
        }
    }

    /// There is a direct path from now on.
    pub fn path_opened(&mut self, channel: u32, transport: Transport, at: SocketAddr) {
        let Some(call) = self.call_at(channel).and_then(|id| self.call_mut(id)) else { return };
        call.way = Way::Direct(transport);
        call.talk.path_changed();
        let peer = call.peer.clone();
        self.notice(format!("{peer}: direct {}, at {at}", name_of(transport)));
    }

    /// There is no direct path, for a reason that the user wants to know.
    pub fn path_failed(&mut self, channel: u32, reason: &str) {
        let Some(id) = self.call_at(channel) else { return };
        let Some(call) = self.call_mut(id) else { return };
        if matches!(std::mem::replace(&mut call.way, Way::Relay), Way::Direct(_)) {
            call.talk.path_changed();
        }
        let peer = call.peer.clone();
        self.go_by_relay(id, &peer, reason);
    }

    /// This end has nothing left to try; the other one need not wait for it.
    pub fn search_is_over(&mut self, channel: u32, reason: &str) {
        self.way_out.offers.push((channel, false));
        self.path_failed(channel, reason);
    }

    /// A direct path is gone.
    pub fn path_lost(&mut self, channel: u32, reason: &str) {
        if let Some(at) = self.endings.iter().position(|ending| ending.call.stage.channel() == Some(channel))
        {
            // What it waited for can still be said by the relay, which needs no waiting.
            let ending = &mut self.endings[at];
            ending.call.way = Way::Relay;
            ending.call.talk.path_changed();
            return;
        }
        let (id, now) = (self.call_at(channel), self.now);
        let Some(id) = id else { return };
        let Some(call) = self.call_mut(id) else { return };
        call.way = Way::Relay;
        call.talk.path_changed();
        let (peer, relay_gone) = (call.peer.clone(), call.relay_gone);
        call.lost = Some((now + HANG_UP_TIME, format!("the direct path is lost: {reason}")));
        if relay_gone {
            if let Some(call) = self.remove_call(id) {
                self.report_unacknowledged(&call);
            }
            self.notice(format!("the call with {peer} has ended: {reason}"));
        }
    }

    /// Tells of direct paths that were lost, unless the call has ended with them.
    fn tell_of_losses(&mut self) {
        let now = self.now;
        let due = |call: &mut Call| {
            let (_, reason) = call.lost.take_if(|(at, _)| *at <= now)?;
            Some((call.id, call.peer.clone(), reason))
        };
        let lost: Vec<_> = self.calls.iter_mut().filter_map(due).collect();
        for (id, peer, reason) in lost {
            self.go_by_relay(id, &peer, &reason);
        }
    }

    pub(super) fn go_by_relay(&mut self, id: PlaceId, peer: &str, reason: &str) {
        if self.ways.mode == Mode::Direct {
            self.end_call(id);
            let ended = format!("{reason}; the call has ended, as --path direct has it");
            if !self.interactive {
                self.failed_call.get_or_insert((peer.to_owned(), ended.clone()));
            }
            self.trouble(format!("no direct path to {peer}: {ended}"));
        } else {
            self.notice(format!("{peer}: relay: {reason}"));
        }
    }

    /// The connection to the server is gone, and every relay with it. What is direct goes on.
    pub(super) fn lose_relays(&mut self) {
        self.datagrams = false;
        self.way_out.datagrams.clear();
        self.way_out.offers.clear();
        self.endings.retain_mut(|ending| {
            ending.call.relay_gone = true;
            matches!(ending.call.way, Way::Direct(_))
        });
        for mut call in std::mem::take(&mut self.calls) {
            if matches!(call.way, Way::Direct(_)) {
                let was_gone = std::mem::replace(&mut call.relay_gone, true);
                // Told once, and not at every attempt to connect again.
                if !was_gone {
                    self.notice(format!("the call with {} goes on directly, without the server", call.peer));
                }
                self.calls.push(call);
                continue;
            }
            self.way_out.closed.extend(call.stage.channel());
            self.notice(format!("the call with {} has ended with the connection", call.peer));
            self.report_unacknowledged(&call);
        }
    }

    /// Whether a place can be talked to without the server.
    pub(super) fn goes_on_offline(&self, id: PlaceId) -> bool {
        self.call(id).is_some_and(|call| matches!(call.way, Way::Direct(_)))
    }

    /// Whether a call goes on although its relay is gone.
    pub(super) fn outlives_relay(&mut self, id: PlaceId) -> bool {
        let Some(call) = self.call_mut(id).filter(|call| matches!(call.way, Way::Direct(_))) else {
            return false;
        };
        call.relay_gone = true;
        let peer = call.peer.clone();
        self.notice(format!("{peer} has lost the server; the call goes on directly"));
        true
    }

    /// Datagrams to and from the server flow from now on, or do not any more.
    pub fn set_datagrams(&mut self, flow: bool) {
        if self.ways.udp && std::mem::replace(&mut self.datagrams, flow) != flow {
            let relayed = |call: &&mut Call| !matches!(call.way, Way::Direct(_));
            self.calls.iter_mut().filter(relayed).for_each(|call| call.talk.path_changed());
            if flow {
                self.notice("rooms and relays go in datagrams from now on, as far as they fit");
            }
        }
    }

    /// The server cannot be reached in datagrams, or does not want them.
    pub fn datagrams_failed(&mut self, why: &str) {
        self.set_datagrams(false);
        if self.ways.udp {
            self.notice(format!("no datagrams: {why}; rooms and relays go by TCP"));
        }
    }

    /// Asks for datagrams.
    pub fn ask_for_ticket(&mut self) {
        let wants = if self.ways.udp { Wants::ROOMS | Wants::RELAYS } else { 0 };
        self.request(0, Pending::Ticket, |request| GetTicket { request, wants });
    }

    /// Sends the request last made, whose frame begins at `from`, in a datagram if that is wanted and possible.
    pub(super) fn by_datagram_if_wanted(&mut self, from: usize) {
        let fits = self.frames.len() - from <= FRAME_MAX;
        if !self.datagrams || !fits {
            return;
        }
        let frame = self.frames.split_off(from);
        self.way_out.datagrams.push(frame);
        if let Some(Pending::Text { in_datagram, .. }) = self.pending.get_mut(&self.requests) {
            *in_datagram = Some(self.now);
        }
    }

    /// Sends what is due in calls, and gives up on what was not confirmed. To be called once a turn.
    pub fn pump(&mut self) {
        let Conversation { calls, endings, frames, way_out, ways, datagrams, stalled, now, .. } = self;
        for call in calls.iter_mut().chain(endings.iter_mut().map(|ending| &mut ending.call)) {
            let Stage::Open { channel, .. } = call.stage else { continue };
            let is_direct = matches!(call.way, Way::Direct(_));
            call.talk.hold(*stalled);
            if !is_direct && call.relay_gone {
                continue;
            }
            let lossy = call.way == Way::Direct(Transport::Udp) || (!is_direct && *datagrams);
            let carrier = if lossy {
                Carrier::Datagrams { payload_max: DATAGRAM_PAYLOAD_MAX }
            } else {
                Carrier::Reliable
            };
            let emit = |via, payload: &[u8]| {
                let mut frame = Vec::new();
                put(&mut frame, Flags::NONE, channel, &Data { payload });
                match via {
                    Via::Path if is_direct => way_out.direct.push((channel, frame)),
                    Via::Path if *datagrams => way_out.datagrams.push(frame),
                    Via::Path | Via::Relay => frames.extend_from_slice(&frame),
                }
            };
            // Where only a direct path will do, nothing is said before there is one; what is heard is acknowledged.
            if !is_direct && ways.mode == Mode::Direct {
                call.talk.acknowledge(emit);
            } else {
                call.talk.send(*now, carrier, emit);
            }
        }
        self.end_searches();
        self.tell_of_losses();
        self.see_endings_through();
        self.give_up_unconfirmed();
    }

    /// Searches that the other end, or the server, has nothing to say to come to their end; and the other end hears so.
    fn end_searches(&mut self) {
        let now = self.now;
        let over = self.calls.iter().filter_map(|call| match call.way {
            Way::Searching { until } if until <= now => call.stage.channel(),
            _ => None,
        });
        for channel in over.collect::<Vec<_>>() {
            self.search_is_over(channel, "the other end does not look for a direct path");
        }
    }

    /// Nothing is sent again by itself in a room; what a datagram may have lost is told.
    fn give_up_unconfirmed(&mut self) {
        let now = self.now;
        let late = |pending: &mut Pending| match pending {
            Pending::Text { in_datagram: Some(sent), .. } => now >= *sent + CONFIRMATION_TIME,
            _ => false,
        };
        let late: Vec<Pending> =
            self.pending.extract_if(.., |_, pending| late(pending)).map(|(_, p)| p).collect();
        for pending in late {
            let Pending::Text { to, text, .. } = pending else { continue };
            self.unconfirmed += 1;
            self.trouble(format!("not confirmed, perhaps lost with its datagram: {to}: {text}"));
        }
    }

    /// When [`Conversation::pump`] has something to do without anything else happening.
    pub fn next_deadline(&self) -> Option<Instant> {
        let endings = self.endings.iter();
        let talks = self.calls.iter().chain(endings.clone().map(|ending| &ending.call));
        let resent = talks.filter_map(|call| call.talk.next_deadline());
        let unconfirmed = self.pending.values().filter_map(|pending| match pending {
            Pending::Text { in_datagram: Some(sent), .. } => Some(*sent + CONFIRMATION_TIME),
            _ => None,
        });
        let told = self.calls.iter().filter_map(|call| call.lost.as_ref().map(|(at, _)| *at));
        let searches = self.calls.iter().filter_map(|call| match call.way {
            Way::Searching { until } => Some(until),
            _ => None,
        });
        resent.chain(searches).chain(endings.map(|ending| ending.until)).chain(unconfirmed).chain(told).min()
    }

    /// What is to go another way than over the connection to the server.
    pub fn take_way_out(&mut self) -> WayOut {
        std::mem::take(&mut self.way_out)
    }

    /// `/path`: how the call that is the target goes.
    pub(super) fn show_path(&mut self) {
        let call = self.target.and_then(|id| self.call(id));
        match call.map(|call| (call.peer.clone(), call.way, call.stage)) {
            None => self.trouble("only calls take a path; /switch to one first"),
            Some((peer, Way::Searching { .. }, _)) => {
                self.notice(format!("{peer}: relay, while a direct path is looked for"))
            }
            Some((_, _, Stage::Open { channel, .. })) if self.ways.wants_ports(self.interactive) => {
                self.way_out.reports.push(channel);
            }
            Some((peer, _, Stage::Open { .. })) => self.notice(format!("{peer}: relay")),
            Some((peer, ..)) => self.notice(format!("{peer} has not answered yet")),
        }
    }

    /// What there is to say of the relay; `tally` counts the datagrams exchanged with the server, if there are any.
    pub fn show_relay(&mut self, channel: u32, tally: Option<Tally>) {
        let Some(call) = self.call_at(channel).and_then(|id| self.call(id)) else { return };
        let mut sentence = format!("{}: relay", call.peer);
        if let Some(Tally { received, lost, .. }) = tally.filter(|_| self.datagrams) {
            let total = received + lost;
            sentence += &format!(", {lost} of {total} datagrams from the server lost on the way here");
        }
        self.notice(sentence);
    }

    /// What there is to say of a direct path.
    pub fn show_report(&mut self, channel: u32, report: Report) {
        let Some(call) = self.call_at(channel).and_then(|id| self.call(id)) else { return };
        let round_trip = report.round_trip.or(call.talk.loss().round_trip);
        let round_trip = round_trip.map_or("no round trip measured yet".to_owned(), |time| {
            format!("round trip {:.1} ms", time.as_secs_f64() * 1e3)
        });
        let (peer, transport, at) = (call.peer.clone(), name_of(report.transport), report.peer);
        let mut sentence = format!("{peer}: direct {transport}, at {at}, {round_trip}");
        if report.transport == Transport::Udp {
            let (received, lost) = (report.tally.received, report.tally.lost);
            let again = call.talk.loss().retransmitted;
            sentence += &format!(
                ", {lost} of {} datagrams lost on the way here, {again} lines sent again",
                received + lost
            );
        }
        self.notice(sentence);
    }
}

fn name_of(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    }
}
