//! What a chat sends and receives past its connection to the server: [`Paths`] on one side, the [`Conversation`], which
//! knows no sockets, on the other.

use super::capture::Capture;
use super::conversation::{Conversation, WayOut, Ways};
use super::link::Link;
use super::paths::{Dialler, Happened, Paths, Sent};
use crate::wire::{Frame, RefusalCode};
use mio::Registry;
use mio::event::Event;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long the server may take to see where our datagrams come from.
const BINDING_TIME: Duration = Duration::from_secs(1);

/// After how long it is tried again where datagrams to the server do not get through.
const TICKET_TIME: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Bypass {
    /// `None` when nobody wants them, or no port could be had.
    paths: Option<Paths>,
    /// Why there are none although they are wanted.
    trouble: Option<String>,
    declared: Vec<SocketAddr>,
    /// Until when offers wait for the server to see where our datagrams come from: peers behind other NATs have no other
    /// way to learn it.
    unobserved_until: Option<Instant>,
    /// When to try again to exchange datagrams with the server.
    ticket_at: Option<Instant>,
    offers: Vec<(u32, bool)>,
    /// Frames that a direct path did not take yet, for the next turn. Bounded by what a talk has under way.
    held: Vec<(u32, Vec<u8>)>,
    /// Relays of which the conversation was told that there is a direct path, and not yet that it is gone.
    direct: BTreeSet<u32>,
}

impl Bypass {
    /// Opens ports where they are of any use. Not to get them is no error: there is the relay.
    pub fn open(registry: &Registry, ways: Ways, interactive: bool, declared: &[SocketAddr]) -> Self {
        let mut bypass =
            Bypass { paths: None, trouble: None, declared: declared.to_vec(), ..Bypass::default() };
        if ways.wants_ports(interactive) {
            match Paths::open(registry, true) {
                Ok(paths) => bypass.paths = Some(paths),
                Err(error) => bypass.trouble = Some(format!("no port for direct paths: {error}")),
            }
        }
        bypass
    }

    /// What goes through its sockets from now on is captured.
    pub fn capture(&mut self, capture: &Capture) {
        if let Some(paths) = &mut self.paths {
            paths.capture(capture);
        }
    }

    pub fn dialler(&self) -> Dialler {
        self.paths.as_ref().map(Paths::dialler).unwrap_or_default()
    }

    /// The server has welcomed us: goes into the directory, and asks for datagrams, if any can be exchanged.
    pub fn welcomed(&mut self, conversation: &mut Conversation, local: Option<SocketAddr>, now: Instant) {
        let addresses = match (&mut self.paths, local) {
            (Some(paths), Some(local)) => paths.addresses(local, &self.declared, false),
            _ => Vec::new(),
        };
        conversation.declare(&addresses);
        if self.paths.is_some() {
            conversation.ask_for_ticket();
            self.unobserved_until = Some(now + BINDING_TIME);
        }
    }

    /// Takes an event, if it is for one of these sockets.
    pub fn note(&mut self, event: &Event) {
        if let Some(paths) = self.paths.as_mut().filter(|paths| paths.owns(event.token())) {
            paths.note(event);
        }
    }

    /// Sees a frame from the server that is about these ways. The conversation sees it too.
    pub fn see(&mut self, channel: u32, frame: &Frame<'_>, server: Option<SocketAddr>, now: Instant) {
        let Some(paths) = &mut self.paths else { return };
        match frame {
            Frame::Ticket(ticket) => {
                if let Some(server) = server {
                    paths.ticket(channel, &ticket.key, server, now);
                }
            }
            Frame::Refused(refused) if refused.code == RefusalCode::NoDatagrams.number() => {
                self.unobserved_until = None;
            }
            Frame::Bound(_) => paths.bound(now),
            Frame::Paths(round) if round.addresses.iter().next().is_some() => {
                paths.begin(channel, round, false, now);
            }
            _ => {}
        }
    }

    /// The connection to the server is gone.
    pub fn server_lost(&mut self) {
        self.offers.clear();
        (self.unobserved_until, self.ticket_at) = (None, None);
        if let Some(paths) = &mut self.paths {
            paths.unbind();
        }
    }

    /// Lets everything happen that is due. While nothing can be shown, what others say in rooms gets lost, as datagrams
    /// may; peers of calls stop by themselves, as they are not told that anything arrived.
    pub fn drive(&mut self, conversation: &mut Conversation, stalled: bool, now: Instant) {
        let Bypass { paths: Some(paths), held, direct, unobserved_until, ticket_at, .. } = self else {
            return;
        };
        paths.drive(now, |happened| match happened {
            Happened::ServerFrame { frame: Frame::Said(_), .. } if stalled => {}
            Happened::ServerFrame { channel, flags, frame } => conversation.receive(channel, flags, frame),
            Happened::PeerData { channel, flags, payload } => {
                conversation.receive_payload(channel, payload, flags);
            }
            Happened::Opened { channel, transport, peer } => {
                direct.insert(channel);
                conversation.path_opened(channel, transport, peer);
            }
            Happened::RoundFailed { channel, again: true, .. } => conversation.search_again(channel),
            Happened::RoundFailed { channel, again: false, reason } => {
                conversation.search_is_over(channel, &reason);
            }
            Happened::Lost { channel, reason } => {
                held.retain(|(of, _)| *of != channel); // lines are sent again, by the relay
                direct.remove(&channel);
                conversation.path_lost(channel, &reason);
            }
            Happened::Bound => {
                *unobserved_until = None;
                conversation.set_datagrams(true);
            }
            Happened::NotBound { reason } => {
                *unobserved_until = None;
                *ticket_at = Some(now + TICKET_TIME);
                conversation.datagrams_failed(&reason);
            }
        });
    }

    /// Sends what the conversation has for these ways; what finds none goes over the connection to the server.
    pub fn serve(&mut self, conversation: &mut Conversation, mut link: Option<&mut Link>, now: Instant) {
        let WayOut { direct, datagrams, offers, closed, reports } = conversation.take_way_out();
        self.held.extend(direct);
        for channel in self.send_held(now) {
            conversation.path_lost(channel, "the connection is gone");
        }
        for frame in datagrams {
            let sent = self.paths.as_mut().is_some_and(|paths| paths.send_to_server(&frame));
            if let Some(link) = link.as_mut().filter(|_| !sent) {
                link.out().send_encoded(&frame);
            }
        }
        for channel in closed {
            self.offers.retain(|(of, _)| *of != channel);
            self.direct.remove(&channel);
            self.paths.iter_mut().for_each(|paths| paths.close(channel));
        }
        let local = link.as_ref().and_then(|link| link.local_address());
        if link.is_some() && self.ticket_at.is_some_and(|at| at <= now) {
            self.ticket_at = None;
            conversation.ask_for_ticket();
        }
        self.offers.extend(offers);
        if self.unobserved_until.is_none_or(|until| now >= until) {
            self.offer(conversation, local);
        }
        let Some(paths) = &mut self.paths else { return };
        reports.into_iter().for_each(|channel| match (paths.report(channel), paths.server_tally()) {
            (Some(report), _) => conversation.show_report(channel, report),
            (None, tally) => conversation.show_relay(channel, tally),
        });
        paths.flush();
    }

    /// Sends what direct paths take. Returns the relays whose path is gone without the conversation knowing it: what it
    /// sent there has to be sent again.
    fn send_held(&mut self, now: Instant) -> Vec<u32> {
        let Bypass { paths: Some(paths), held, direct, .. } = self else { return Vec::new() };
        let (mut full, mut gone) = (BTreeSet::new(), Vec::new());
        held.retain(|(channel, frame)| {
            if full.contains(channel) {
                return true;
            }
            match paths.send_to_peer(*channel, frame, now) {
                Sent::Full => return full.insert(*channel),
                Sent::NoPath if direct.remove(channel) => gone.push(*channel),
                Sent::Taken | Sent::TooLong | Sent::NoPath => {}
            }
            false
        });
        gone
    }

    /// Tells peers where they may try to reach us, or that they need not.
    fn offer(&mut self, conversation: &mut Conversation, local: Option<SocketAddr>) {
        for (channel, shown) in std::mem::take(&mut self.offers) {
            let addresses = match (&mut self.paths, local) {
                (Some(paths), Some(local)) if shown => paths.addresses(local, &self.declared, false),
                _ => Vec::new(),
            };
            conversation.offer_paths(channel, &addresses);
            if let Some(paths) = self.paths.as_mut().filter(|_| !addresses.is_empty()) {
                paths.expect_round(channel);
            }
            if shown && addresses.is_empty() {
                let why = self.trouble.as_deref().unwrap_or("this host has no address to offer");
                conversation.path_failed(channel, why);
            }
        }
    }

    /// Whether something has still to be written to a peer whose call is over.
    pub fn are_closing(&self) -> bool {
        self.paths.as_ref().is_some_and(Paths::is_closing)
    }

    pub fn is_busy(&self) -> bool {
        self.paths.as_ref().is_some_and(Paths::is_busy)
    }

    pub fn next_look(&self) -> Option<Instant> {
        let offers_at = self.unobserved_until.filter(|_| !self.offers.is_empty());
        [self.paths.as_ref().and_then(Paths::next_look), offers_at, self.ticket_at]
            .into_iter()
            .flatten()
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_gone_when_something_is_sent_is_reported_once() {
        let poll = mio::Poll::new().expect("a poll");
        let paths = Paths::open(poll.registry(), false).expect("a port");
        let mut bypass = Bypass { paths: Some(paths), ..Bypass::default() };
        bypass.direct.insert(7);
        // The conversation has been told of 8's loss, and of 7's not.
        bypass.held = [7, 8, 7].map(|channel| (channel, vec![0; 8])).to_vec();
        assert_eq!(bypass.send_held(Instant::now()), [7]);
        bypass.held.push((7, vec![0; 8]));
        assert!(bypass.send_held(Instant::now()).is_empty() && bypass.held.is_empty());
    }
}
