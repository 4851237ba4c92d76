//! Calls: from the first ring to the last line.
//!
//! Lines are numbered and acknowledged ([`Talk`]), so that they can take the relay or a direct path, and change from one
//! to the other, without one being lost or shown twice; which way they go is the business of `ways`.

use super::ways::Way;
use super::{Conversation, NOT_A_PIPE, NOT_TAKING_CALLS, Pending, PlaceId, pieces, same_name};
use crate::chat::command::split_word;
use crate::chat::shown::Shown;
use crate::chat::talk::{HEAD_BYTES, Talk, Unsayable};
use crate::wire::frame::{Accept, Close, Closed, Data, Decline, Offer, Open, Opened};
use crate::wire::header::put;
use crate::wire::{ClosedCode, Flags, Purpose};
use std::time::{Duration, Instant};

/// How long a call that was hung up waits for the peer to acknowledge what was said on a direct path.
const LAST_LINES_TIME: Duration = Duration::from_secs(3);

pub(super) struct Call {
    pub id: PlaceId,
    pub peer: String,
    pub stage: Stage,
    pub talk: Talk,
    pub way: Way,
    /// Whether the peer may see this client's addresses; `None` while the user has not said.
    pub shows_addresses: Option<bool>,
    /// There is no relay any more: our connection to the server is gone, or the peer's.
    pub relay_gone: bool,
    /// A direct path that was lost, and when to tell: the peer may just have hung up.
    pub lost: Option<(Instant, String)>,
}

/// A call that was hung up, with lines under way on a direct path. The user does not see it any more.
pub(super) struct Ending {
    pub call: Call,
    pub until: Instant,
}

/// ```text
///   we call:     Asked ──ringing──▶ Ringing ──opened──▶ Open ──▶ gone
///   they call:   Offered ──accept──▶ Accepted ──done──▶ Open
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// We called; the relay has no channel that we know. Hanging up now means to close it as soon as it has one.
    Asked {
        hung_up: bool,
    },
    Ringing {
        channel: u32,
    },
    Offered {
        channel: u32,
        payload_max: usize,
    },
    Accepted {
        channel: u32,
        payload_max: usize,
    },
    Open {
        channel: u32,
        payload_max: usize,
    },
}

/// What is done about calls without the user, from the start.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum AtOnce {
    #[default]
    Nothing,
    /// This peer is called.
    Call(String),
    /// Whoever calls is answered, one at a time.
    TakeCalls,
}

impl Conversation {
    pub(super) fn call_peer(&mut self, peer: &str) {
        let existing = self.calls.iter().find(|call| same_name(&call.peer, peer));
        match existing.map(|call| (call.id, call.stage)) {
            Some((_, Stage::Offered { .. })) => return self.accept(Some(peer)),
            Some((id, stage)) if stage != (Stage::Asked { hung_up: true }) => {
                self.target = Some(id);
                return self.notice(format!("you have a call with {peer} already"));
            }
            _ => {}
        }
        let call = self.add_call(peer, Stage::Asked { hung_up: false });
        let purpose = Purpose::Conversation.number();
        self.request(0, Pending::Open { call }, |request| Open { request, purpose, to: peer });
        self.target = Some(call);
    }

    pub(super) fn accept(&mut self, peer: Option<&str>) {
        let Some((call, channel, payload_max)) = self.offered(peer) else { return };
        self.set_stage(call, Stage::Accepted { channel, payload_max });
        self.request(channel, Pending::Accept { call }, |request| Accept { request });
        self.target = Some(call);
    }

    /// A first word that is no caller's name belongs to what the caller is told.
    pub(super) fn decline(&mut self, words: &str) {
        let (first, behind) = split_word(words);
        let offered = |call: &Call| matches!(call.stage, Stage::Offered { .. });
        let names_one = self.calls.iter().any(|call| offered(call) && same_name(first, &call.peer));
        let (peer, text) = if names_one { (Some(first), behind) } else { (None, words) };
        let Some((call, channel, _)) = self.offered(peer) else { return };
        let text = pieces(text, self.text_max).next().unwrap_or_default();
        self.request(channel, Pending::End, |request| Decline { request, text: &text });
        if let Some(call) = self.remove_call(call) {
            let words = if text.is_empty() { String::new() } else { format!(": {text}") };
            self.notice(format!("the call from {} is declined{words}", call.peer));
        }
    }

    /// The incoming call that is meant: of that peer, or the only one.
    fn offered(&mut self, peer: Option<&str>) -> Option<(PlaceId, u32, usize)> {
        let offers = self.calls.iter().filter_map(|call| match call.stage {
            Stage::Offered { channel, payload_max } => Some((call, channel, payload_max)),
            _ => None,
        });
        let meant: Vec<_> = offers
            .filter(|(call, ..)| peer.is_none_or(|peer| same_name(peer, &call.peer)))
            .map(|(call, channel, payload_max)| (call.id, channel, payload_max))
            .collect();
        match meant.as_slice() {
            [] => match peer {
                Some(peer) => self.trouble(format!("{peer} is not calling you; /call calls them")),
                None => self.trouble("nobody is calling you; /call PEER calls somebody"),
            },
            [only] => return Some(*only),
            _ => self.trouble("several peers are calling you; name one of them"),
        }
        None
    }

    pub(super) fn hang_up(&mut self, peer: Option<&str>) {
        let meant = |call: &&Call| match peer {
            Some(peer) => same_name(peer, &call.peer),
            None => self.target == Some(call.id),
        };
        let Some((id, stage)) = self.calls.iter().find(meant).map(|call| (call.id, call.stage)) else {
            return self.trouble("there is no such call to end; /leave leaves a room");
        };
        match stage {
            // Without a channel there is nothing to close yet; it is closed when the peer answers.
            Stage::Asked { .. } => {
                self.set_stage(id, Stage::Asked { hung_up: true });
                if self.target == Some(id) {
                    self.target = self.rooms.last().map(|room| room.id);
                }
            }
            _ => self.end_call(id),
        }
        self.notice("the call has ended");
    }

    /// Ends a call from this side. What was said on a direct path, or in datagrams, gets a moment to be acknowledged; over
    /// TCP, the server passes it on before the end.
    pub(super) fn end_call(&mut self, id: PlaceId) {
        let Some(call) = self.remove_call(id) else { return };
        let may_be_lost = matches!(call.way, Way::Direct(_)) || self.datagrams;
        if may_be_lost && !call.talk.is_settled() {
            self.endings.push(Ending { call, until: self.now + LAST_LINES_TIME });
        } else {
            self.close_call(call);
        }
    }

    /// Ends every call.
    pub fn end_calls(&mut self) {
        let calls: Vec<PlaceId> = self.calls.iter().map(|call| call.id).collect();
        calls.into_iter().for_each(|id| self.end_call(id));
    }

    /// Waits no longer for calls that have been hung up.
    pub fn end_endings(&mut self) {
        self.endings.iter_mut().for_each(|ending| ending.until = self.now);
        self.see_endings_through();
    }

    fn close_call(&mut self, mut call: Call) {
        let Some(channel) = call.stage.channel() else { return };
        let was_direct = matches!(call.way, Way::Direct(_));
        if !call.relay_gone {
            // The end overtakes what is under way elsewhere; the peer should know which of its lines have arrived.
            if matches!(call.stage, Stage::Open { .. }) && (was_direct || self.datagrams) {
                let frames = &mut self.frames;
                call.talk.path_changed();
                call.talk.acknowledge(|_, payload| put(frames, Flags::NONE, channel, &Data { payload }));
            }
            self.request(channel, Pending::End, |request| Close { request });
        } else if was_direct {
            // Nobody else can tell the peer.
            let mut frame = Vec::new();
            put(&mut frame, Flags::END, channel, &Data { payload: &[] });
            self.way_out.direct.push((channel, frame));
        }
        self.way_out.closed.push(channel);
    }

    /// Ends the calls that were hung up and have nothing more under way.
    pub(super) fn see_endings_through(&mut self) {
        let (now, endings) = (self.now, std::mem::take(&mut self.endings));
        for ending in endings {
            if ending.call.talk.is_settled() || now >= ending.until {
                self.report_unacknowledged(&ending.call);
                self.close_call(ending.call);
            } else {
                self.endings.push(ending);
            }
        }
    }

    /// Says which lines the peer may not have got.
    pub(super) fn report_unacknowledged(&mut self, call: &Call) {
        for line in call.talk.unacked() {
            self.unconfirmed += 1;
            self.shown.push(Shown::Trouble(format!("not confirmed: @{}: {line}", call.peer)));
        }
    }

    pub(super) fn say_in_call(&mut self, id: PlaceId, text: &str) {
        let Some(call) = self.calls.iter_mut().find(|call| call.id == id) else { return };
        let Stage::Open { payload_max, .. } = call.stage else { return };
        let mut unsaid = None;
        for piece in pieces(text, payload_max.saturating_sub(HEAD_BYTES)) {
            match call.talk.say(&piece) {
                Ok(()) => {}
                Err(Unsayable::NoRoom) => unsaid = Some("the peer has not confirmed what was said before"),
                Err(Unsayable::NotOneLine) => unsaid = Some("it holds a NUL"),
            }
        }
        if let Some(why) = unsaid {
            self.unconfirmed += 1;
            self.trouble(format!("{why}; not said: {text}"));
        }
    }

    /// A script's line, for the call that it is about.
    pub fn say_in_script_call(&mut self, line: &str) {
        if let Some(id) = self.open_call() {
            self.say_in_call(id, &line.replace('\r', ""));
        }
    }

    /// Whether a script's line can be said in the call now.
    pub fn can_say_in_call(&self) -> bool {
        self.open_call().and_then(|id| self.call(id)).is_some_and(|call| call.talk.has_room())
    }

    /// Whether there is, or may soon be, a call.
    pub fn has_calls(&self) -> bool {
        !self.calls.is_empty() || !self.endings.is_empty()
    }

    /// Whether a call has come about since the start.
    pub fn had_calls(&self) -> bool {
        self.had_calls
    }

    /// The call that a script was started for, if it did not come about, and why.
    pub fn failed_call(&mut self) -> Option<(String, String)> {
        self.failed_call.take()
    }

    fn open_call(&self) -> Option<PlaceId> {
        let open = |call: &&Call| matches!(call.stage, Stage::Open { .. });
        self.calls.iter().find(open).map(|call| call.id)
    }

    pub(super) fn offered_by(&mut self, channel: u32, offer: Offer<'_>) {
        self.make_way(channel);
        let purpose = Purpose::from_number(offer.purpose);
        let takes = self.interactive || (self.at_once == AtOnce::TakeCalls && self.calls.is_empty());
        let declined_with = match purpose {
            Some(Purpose::Conversation) if takes => {
                let stage = Stage::Offered { channel, payload_max: usize::from(offer.payload_max).max(1) };
                self.add_call(offer.from, stage);
                if self.at_once == AtOnce::TakeCalls {
                    return self.accept(Some(offer.from));
                }
                return self.notice(format!("{} is calling you; /accept or /decline", offer.from));
            }
            _ if !self.interactive => NOT_TAKING_CALLS,
            Some(Purpose::Conversation | Purpose::Pipe) | None => NOT_A_PIPE,
        };
        self.request(channel, Pending::End, |request| Decline { request, text: declined_with });
        self.notice(format!("a call from {} was declined: {declined_with}", offer.from));
    }

    /// A call that goes on without its relay gives way when a new server gives the relay's number to another one.
    fn make_way(&mut self, channel: u32) {
        let old = self.call_at(channel).filter(|&id| self.call(id).is_some_and(|call| call.relay_gone));
        if let Some(call) = old.and_then(|id| self.remove_call(id)) {
            self.report_unacknowledged(&call);
            self.way_out.closed.push(channel);
            self.notice(format!("the call with {} has ended: its number is another call's now", call.peer));
        }
    }

    /// Our call has reached the peer, and has a channel from now on.
    pub(super) fn rings(&mut self, channel: u32, request: u32) {
        let Some(&Pending::Open { call }) = self.pending.get(&request) else { return };
        self.make_way(channel);
        match self.call(call).map(|call| (call.stage, call.peer.clone())) {
            Some((Stage::Asked { hung_up: false }, peer)) => {
                self.set_stage(call, Stage::Ringing { channel });
                let advice = if self.interactive { "; /hangup gives up" } else { "" };
                self.notice(format!("calling {peer}{advice}"));
            }
            _ => {
                self.remove_call(call);
                self.request(channel, Pending::End, |request| Close { request });
            }
        }
    }

    /// The peer took our call.
    pub(super) fn opened(&mut self, channel: u32, opened: Opened<'_>) {
        let Some(Pending::Open { call }) = self.pending.remove(&opened.request) else { return };
        // Taken back at the moment in which it was taken: close is under way.
        if self.call(call).is_none() {
            return;
        }
        let payload_max = usize::from(opened.payload_max).max(1);
        self.set_stage(call, Stage::Open { channel, payload_max });
        self.notice(format!("{} took the call", opened.peer));
        self.call_is_open(call);
    }

    /// We took the peer's call.
    pub(super) fn accepted(&mut self, call: PlaceId) {
        let Some((peer, stage)) = self.call(call).map(|call| (call.peer.clone(), call.stage)) else { return };
        if let Stage::Accepted { channel, payload_max } = stage {
            self.set_stage(call, Stage::Open { channel, payload_max });
            let advice = if self.interactive { "; /hangup ends it" } else { "" };
            self.notice(format!("you are in a call with {peer}{advice}"));
            self.call_is_open(call);
        }
    }

    fn call_is_open(&mut self, id: PlaceId) {
        self.had_calls = true;
        self.decide_on_way(id);
    }

    pub(super) fn closed(&mut self, channel: u32, closed: Closed<'_>) {
        let Some(id) = self.call_at(channel) else {
            // Both have hung up.
            self.endings.retain(|ending| ending.call.stage.channel() != Some(channel));
            return self.way_out.closed.push(channel);
        };
        let code = ClosedCode::from_number(closed.code);
        if code == Some(ClosedCode::PeerLeft) && self.outlives_relay(id) {
            return;
        }
        let Some(call) = self.remove_call(id) else { return };
        self.way_out.closed.push(channel);
        self.report_unacknowledged(&call);
        let peer = call.peer;
        let how = match code {
            Some(ClosedCode::Done) => "hung up",
            Some(ClosedCode::PeerLeft) => "is gone",
            Some(ClosedCode::NoAnswer) => "called, and you did not answer",
            Some(ClosedCode::Cancelled) => "gave up calling",
            None => return self.notice(format!("the call with {peer} has ended: {}", closed.text)),
        };
        self.notice(format!("{peer} {how}"));
    }

    /// Payload of a call, by whichever way.
    pub fn receive_payload(&mut self, channel: u32, payload: &[u8], flags: Flags) {
        let Conversation { calls, endings, shown, now, .. } = self;
        let ending = endings.iter_mut().map(|ending| &mut ending.call);
        let Some(call) = calls.iter_mut().chain(ending).find(|call| call.stage.channel() == Some(channel))
        else {
            return;
        };
        let (id, peer) = (call.id, call.peer.clone());
        let show = |line: &str| shown.push(Shown::Call { peer: peer.clone(), text: line.to_owned() });
        if !payload.is_empty()
            && let Err(error) = call.talk.receive(*now, payload, show)
        {
            return self.end_broken(id, &format!("what came from {peer} is {error}; the call has ended"));
        }
        if flags.contains(Flags::END)
            && let Some(call) = self.remove_call(id)
        {
            self.report_unacknowledged(&call);
            self.close_call(call);
            self.notice(format!("{peer} hung up"));
        }
    }

    /// Ends a call whose peer does not keep to the protocol; one that was hung up already ends in silence.
    fn end_broken(&mut self, id: PlaceId, why: &str) {
        let at = self.endings.iter().position(|ending| ending.call.id == id);
        let (call, is_news) = match at {
            Some(at) => (Some(self.endings.remove(at).call), false),
            None => (self.remove_call(id), true),
        };
        let Some(call) = call else { return };
        if is_news {
            self.trouble(why);
        }
        self.report_unacknowledged(&call);
        self.close_call(call);
    }

    pub(super) fn call_at(&self, channel: u32) -> Option<PlaceId> {
        self.calls.iter().find(|call| call.stage.channel() == Some(channel)).map(|call| call.id)
    }

    pub(super) fn call(&self, id: PlaceId) -> Option<&Call> {
        self.calls.iter().find(|call| call.id == id)
    }

    pub(super) fn call_mut(&mut self, id: PlaceId) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.id == id)
    }

    pub(super) fn set_stage(&mut self, id: PlaceId, stage: Stage) {
        if let Some(call) = self.call_mut(id) {
            call.stage = stage;
        }
    }

    pub(super) fn add_call(&mut self, peer: &str, stage: Stage) -> PlaceId {
        let id = self.next_place();
        self.calls.push(Call {
            id,
            peer: peer.to_owned(),
            stage,
            talk: Talk::default(),
            way: Way::Relay,
            shows_addresses: self.ways.shows_addresses(self.interactive),
            relay_gone: false,
            lost: None,
        });
        id
    }

    pub(super) fn remove_call(&mut self, id: PlaceId) -> Option<Call> {
        let at = self.calls.iter().position(|call| call.id == id)?;
        let call = self.calls.remove(at);
        self.mend_target();
        Some(call)
    }
}

impl Stage {
    pub fn channel(self) -> Option<u32> {
        match self {
            Stage::Asked { .. } => None,
            Stage::Ringing { channel }
            | Stage::Offered { channel, .. }
            | Stage::Accepted { channel, .. }
            | Stage::Open { channel, .. } => Some(channel),
        }
    }
}
