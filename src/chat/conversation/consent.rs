//! Who may see where this client is: what the user has set, the question at the prompt, and what is offered then.

use super::calls::{AtOnce, Call, Stage};
use super::ways::Way;
use super::{Conversation, Pending, PlaceId};
use crate::chat::paths::Mode;
use crate::wire::frame::{AddressEntry, Declare, ListEntries, OfferPaths, Offers};
use std::time::Duration;

/// How long the user at the other end may take to say whether this one may see addresses, and how long the other client
/// may take to offer again.
const FIRST_OFFER_TIME: Duration = Duration::from_secs(60);
const NEXT_OFFER_TIME: Duration = Duration::from_secs(5);

/// Whether peers may see this client's addresses: `--share-addresses`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Share {
    Always,
    /// The user is asked, call by call; where nobody can be asked, never.
    #[default]
    Ask,
    Never,
}

/// What the user wants of the ways that lines take.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Ways {
    pub mode: Mode,
    pub share: Share,
    /// Rooms and relays in datagrams, as far as they fit.
    pub udp: bool,
}

impl Ways {
    /// Whether a peer may see this client's addresses; `None` where the user has to be asked.
    pub fn shows_addresses(&self, interactive: bool) -> Option<bool> {
        match (self.mode, self.share) {
            (Mode::Relay, _) | (_, Share::Never) => Some(false),
            (_, Share::Always) => Some(true),
            (_, Share::Ask) if interactive => None,
            (_, Share::Ask) => Some(false),
        }
    }

    /// Whether anybody may see where this client is, without a call.
    fn shows_addresses_to_all(&self) -> bool {
        self.mode != Mode::Relay && self.share == Share::Always
    }

    /// Whether a port of one's own is of any use.
    pub fn wants_ports(&self, interactive: bool) -> bool {
        self.udp || self.shows_addresses(interactive) != Some(false)
    }

    /// Whether only a direct path will do, and none can come about.
    pub fn is_impossible(&self, interactive: bool) -> bool {
        self.mode == Mode::Direct && self.shows_addresses(interactive) == Some(false)
    }

    /// Why a call stays with the relay, by this user's own choice.
    pub fn why_relay(&self) -> &'static str {
        match (self.mode, self.share) {
            (Mode::Relay, _) => "as --path relay has it",
            (_, Share::Ask) => "your addresses are not shown",
            _ => "your addresses are not shown (--share-addresses always shows them)",
        }
    }
}

impl Conversation {
    /// What the next prompt asks, if it asks anything: about one call after the other.
    pub(super) fn question(&mut self) -> Option<String> {
        let undecided = |call: &&Call| {
            let is_wanted = !matches!(call.stage, Stage::Asked { hung_up: true } | Stage::Offered { .. });
            is_wanted && call.shows_addresses.is_none()
        };
        let call = self.calls.iter().find(undecided);
        self.asked = call.map(|call| call.id);
        call.map(|call| format!("show {} your addresses, to talk directly? [y/N] ", call.peer))
    }

    /// Takes the line typed at a question. Returns whether that was all it is.
    pub(super) fn answered(&mut self, id: PlaceId, line: &str) -> bool {
        let Some(call) = self.call_mut(id) else { return false };
        let (shown, is_answer) = match line.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => (true, true),
            "n" | "no" | "" => (false, true),
            _ => (false, false),
        };
        call.shows_addresses = Some(shown);
        let (peer, is_open) = (call.peer.clone(), matches!(call.stage, Stage::Open { .. }));
        if !is_answer {
            self.notice(format!("that was no answer but said as it is; {peer} does not see your addresses"));
        }
        if is_open {
            self.decide_on_way(id);
        }
        is_answer
    }

    /// An open call offers the peer addresses, or none, once the user has said which.
    pub(super) fn decide_on_way(&mut self, id: PlaceId) {
        let until = self.now + FIRST_OFFER_TIME;
        let Some(call) = self.calls.iter_mut().find(|call| call.id == id) else { return };
        let (Some(shown), Some(channel)) = (call.shows_addresses, call.stage.channel()) else { return };
        self.way_out.offers.push((channel, shown));
        if shown {
            call.way = Way::Searching { until };
        } else {
            let peer = call.peer.clone();
            self.go_by_relay(id, &peer, self.ways.why_relay());
        }
    }

    /// A round has found nothing, and another one may.
    pub fn search_again(&mut self, channel: u32) {
        let until = self.now + NEXT_OFFER_TIME;
        if let Some(call) = self.call_at(channel).and_then(|id| self.call_mut(id)) {
            call.way = Way::Searching { until };
            self.way_out.offers.push((channel, true));
        }
    }

    /// Sends what `Paths` says of our addresses, which may be nothing.
    pub fn offer_paths(&mut self, channel: u32, addresses: &[AddressEntry]) {
        let Some(call) = self.call_at(channel) else { return };
        let pending = Pending::Paths { call, shown: !addresses.is_empty() };
        let mut scratch = Vec::new();
        let addresses = ListEntries::encode(&mut scratch, addresses.iter().copied());
        self.request(channel, pending, |request| OfferPaths { request, addresses });
    }

    /// The server does not take an offer. One without addresses it takes, and the peer then waits no longer.
    pub(super) fn offer_refused(&mut self, call: PlaceId, shown: bool, why: &str) {
        let Some(channel) = self.call(call).and_then(|call| call.stage.channel()) else { return };
        if shown {
            self.search_is_over(channel, why);
        }
    }

    /// Puts this client into the directory. Peers see the addresses only if the user has said that all may.
    pub fn declare(&mut self, addresses: &[AddressEntry]) {
        let takes_calls = self.interactive || self.at_once == AtOnce::TakeCalls;
        let offers = if takes_calls { Offers::CONVERSATIONS } else { 0 };
        let shown = u8::from(self.ways.shows_addresses_to_all());
        let mut scratch = Vec::new();
        let addresses = addresses.iter().copied().filter(|_| shown != 0);
        let addresses = ListEntries::encode(&mut scratch, addresses);
        self.request(0, Pending::Declared, |request| Declare { request, offers, shown, addresses });
    }
}
