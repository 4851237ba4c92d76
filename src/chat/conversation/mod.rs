//! What one user is in the middle of: rooms, calls, requests that wait for their answers. Pure: typed lines and
//! frames go in, frames and lines to show come out, and no socket or clock is known here.
//!
//! - [`typed`] what the user types, as requests;
//! - [`accounts`] passwords, and whose the connection is;
//! - [`calls`] talking to one peer, [`ways`] by relay or directly, and with whose [`consent`];
//! - [`running`] what becomes of rooms, told in [`room_words`];
//! - [`past`] what was said before;
//! - [`received`] what the server sends, as things to show.
//!
//! A room and a call are both *places*: one of them is the target, which the prompt shows and lines are said to. What
//! is typed at a prompt goes to the place that this prompt showed or nowhere, even if the target has changed since.

mod accounts;
mod calls;
mod consent;
mod past;
mod received;
mod room_words;
mod running;
#[cfg(test)]
mod tests;
mod typed;
mod ways;

pub use accounts::{Credentials, Login};
pub use calls::AtOnce;
pub use consent::{Share, Ways};
pub use ways::WayOut;

use super::shown::Shown;
use crate::wire::frame::{Body, Join};
use crate::wire::header::put;
use crate::wire::irc::ctcp::Ctcp;
use crate::wire::{Flags, RefusalCode};
use accounts::{Asked, Wants};
use calls::{Call, Ending, Stage};
use past::{Numbers, Part, PastAsked};
use running::RoomAsked;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Instant;

/// How a call or a pipe that nobody here can take is declined.
pub(super) const NOT_TAKING_CALLS: &str = "this is a script, which takes no calls";
const NOT_A_PIPE: &str = "this is a chat; the other end of a pipe is `switchboard pipe --from`";

pub struct Conversation {
    /// As the server writes it.
    nick: String,
    /// Whether a person is typing: rooms are then introduced, and calls can be taken.
    interactive: bool,
    online: bool,
    text_max: usize,
    rooms: Vec<Room>,
    calls: Vec<Call>,
    endings: Vec<Ending>,
    at_once: AtOnce,
    had_calls: bool,
    ways: Ways,
    way_out: WayOut,
    /// Whether nothing more can be shown for now.
    stalled: bool,
    /// Whether rooms and relays go in datagrams now.
    datagrams: bool,
    /// The call about which the prompt asks whether its peer may see this client's addresses.
    asked: Option<PlaceId>,
    /// The time of this turn.
    now: Instant,
    target: Option<PlaceId>,
    /// The target when the prompt was last shown.
    prompted: Option<PlaceId>,
    places: u32,
    pending: BTreeMap<u32, Pending>,
    requests: u32,
    frames: Vec<u8>,
    shown: Vec<Shown>,
    leaving: Option<String>,
    /// Texts that the server refused, and those it had not confirmed when the connection broke.
    refused: usize,
    unconfirmed: usize,
    /// A room from the command line that cannot be entered, and why.
    failed_room: Option<(String, String)>,
    /// The call from the command line that did not come about, and why.
    failed_call: Option<(String, String)>,
    credentials: Credentials,
    /// The account that the server has us for.
    account: Option<String>,
    /// What the prompt asks a password for.
    wants: Option<Wants>,
    /// Why the account from the command line was not made.
    failed_account: Option<String>,
    /// How many messages are shown of a room that is entered.
    past_on_entering: u16,
    /// What `/more` shows, and of which room.
    past_more: Option<(String, Part)>,
}

/// Names a room or a call for as long as the client runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct PlaceId(u32);

struct Room {
    id: PlaceId,
    name: String,
    /// Where the server has it, while we are in.
    channel: Option<u32>,
    subject: String,
    /// The name that we have in it.
    you: String,
    /// What we say to enter; often empty.
    password: String,
    numbers: Numbers,
}

/// What a request that has not been answered was about.
enum Pending {
    Join {
        room: String,
        typed: bool,
    },
    Leave {
        room: String,
    },
    Text {
        to: String,
        text: String,
        /// When it was sent, if that was in a datagram, which may get lost.
        in_datagram: Option<Instant>,
    },
    Subject {
        room: String,
        text: String,
    },
    Names {
        of: NamesOf,
        names: Vec<String>,
    },
    Rooms {
        lines: Vec<String>,
    },
    Open {
        call: PlaceId,
    },
    Accept {
        call: PlaceId,
    },
    Paths {
        call: PlaceId,
        /// Whether the offer had addresses in it.
        shown: bool,
    },
    Ticket,
    Declared,
    Peer,
    Account(Asked),
    Past {
        room: String,
        asked: PastAsked,
    },
    Room {
        room: String,
        asked: RoomAsked,
    },
    /// Decline or close: the answer says nothing that is not known already.
    End,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum NamesOf {
    Room { channel: u32, name: String },
    Server,
}

impl Conversation {
    pub fn new(nick: &str, rooms: &[String], interactive: bool, ways: Ways, now: Instant) -> Self {
        let mut conversation = Conversation {
            nick: nick.to_owned(),
            interactive,
            online: false,
            text_max: 0,
            rooms: Vec::new(),
            calls: Vec::new(),
            endings: Vec::new(),
            at_once: AtOnce::Nothing,
            had_calls: false,
            ways,
            way_out: WayOut::default(),
            stalled: false,
            datagrams: false,
            asked: None,
            now,
            target: None,
            prompted: None,
            places: 0,
            pending: BTreeMap::new(),
            requests: 0,
            frames: Vec::new(),
            shown: Vec::new(),
            leaving: None,
            refused: 0,
            unconfirmed: 0,
            failed_room: None,
            failed_call: None,
            credentials: Credentials::default(),
            account: None,
            wants: None,
            failed_account: None,
            past_more: None,
            past_on_entering: if interactive { past::USUAL } else { 0 },
        };
        for room in rooms {
            conversation.add_room(&room_name(room));
        }
        conversation
    }

    /// What is done about calls without the user.
    pub fn at_once(&mut self, at_once: AtOnce) {
        self.at_once = at_once;
    }

    /// The call that a script's lines are for, instead of a room.
    pub fn script_call(&self) -> &AtOnce {
        &self.at_once
    }

    /// Whether nothing more can be shown for now: peers are then not told that their lines have arrived, and stop.
    pub fn set_stalled(&mut self, stalled: bool) {
        self.stalled = stalled;
    }

    /// The time that holds until the next call.
    pub fn set_now(&mut self, now: Instant) {
        self.now = now;
    }

    /// The server has welcomed us, for the first time or again: enter the rooms.
    pub fn connected(&mut self, nick: &str, text_max: u16) {
        self.online = true;
        nick.clone_into(&mut self.nick);
        self.text_max = usize::from(text_max).max(1);
        self.register_at_once();
        let rooms: Vec<String> = self.rooms.iter().map(|room| room.name.clone()).collect();
        self.notice(format!("connected as {nick}"));
        for room in rooms {
            self.ask_to_join(room, false);
        }
        if let AtOnce::Call(peer) = &self.at_once
            && !self.had_calls
        {
            let peer = peer.clone();
            self.call_peer(&peer);
        }
    }

    /// The connection is gone. Nothing is sent again by itself: what was not confirmed may have been said all the
    /// same.
    pub fn disconnected(&mut self) {
        self.online = false;
        self.account = None;
        self.frames.clear();
        for (_, pending) in std::mem::take(&mut self.pending) {
            if let Pending::Text { to, text, .. } = pending {
                self.unconfirmed += 1;
                self.trouble(format!("not confirmed: {to}: {text}"));
            }
        }
        self.lose_relays();
        for room in &mut self.rooms {
            room.channel = None;
        }
        self.mend_target();
    }

    /// The frames to send, which are then on their way.
    pub fn take_frames(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.frames)
    }

    pub fn take_shown(&mut self) -> Vec<Shown> {
        std::mem::take(&mut self.shown)
    }

    /// Whether the user wants to go, and with which words.
    pub fn leaving(&self) -> Option<&str> {
        self.leaving.as_deref()
    }

    /// Whether every request has its answer.
    pub fn is_settled(&self) -> bool {
        self.pending.is_empty()
            && self.endings.is_empty()
            && self.calls.iter().all(|call| call.talk.is_settled())
    }

    /// Requests without their answers.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// Whether an answer is to come that may change the target, so that the next prompt had better wait for it.
    pub fn is_moving(&self) -> bool {
        self.calls.iter().any(|call| call.stage == Stage::Asked { hung_up: false })
            || self.pending.values().any(|pending| {
                matches!(pending, Pending::Join { .. } | Pending::Leave { .. } | Pending::Accept { .. })
            })
    }

    /// Whether a line can be said in the first room now.
    pub fn is_in_first_room(&self) -> bool {
        self.rooms.first().is_some_and(|room| room.channel.is_some())
    }

    pub fn has_rooms(&self) -> bool {
        !self.rooms.is_empty()
    }

    /// A room that was to be entered from the start and cannot be, and why.
    pub fn failed_room(&mut self) -> Option<(String, String)> {
        self.failed_room.take()
    }

    pub fn refused(&self) -> usize {
        self.refused
    }

    pub fn unconfirmed(&self) -> usize {
        self.unconfirmed
    }

    /// The prompt. The line typed at it goes to the place that it shows.
    pub fn prompt(&mut self) -> String {
        self.prompted = self.target;
        if let Some(wants) = &self.wants {
            return wants.question();
        }
        if let Some(question) = self.question() {
            return question;
        }
        let name = match self.target {
            Some(id) => self.place_name(id).unwrap_or_default(),
            None => String::new(),
        };
        format!("{name}> ")
    }

    pub fn notice(&mut self, text: impl Into<String>) {
        self.shown.push(Shown::Notice(text.into()));
    }

    pub fn trouble(&mut self, text: impl Into<String>) {
        self.shown.push(Shown::Trouble(text.into()));
    }

    fn ask_to_join(&mut self, room: String, typed: bool) {
        let password = self.room_named(&room).map(|room| room.password.clone()).unwrap_or_default();
        let past = self.past_on_entering;
        self.request(0, Pending::Join { room: room.clone(), typed }, |request| Join {
            request,
            past,
            room: &room,
            password: &password,
        });
    }

    /// Sends a request under a new id, and remembers what it was about.
    fn request<'a, B: Body<'a>>(&mut self, channel: u32, pending: Pending, body: impl FnOnce(u32) -> B) {
        // Zero means that no answer is wanted.
        self.requests = self.requests.checked_add(1).unwrap_or(1);
        put(&mut self.frames, Flags::NONE, channel, &body(self.requests));
        self.pending.insert(self.requests, pending);
    }

    fn next_place(&mut self) -> PlaceId {
        self.places += 1;
        PlaceId(self.places)
    }

    fn add_room(&mut self, name: &str) {
        if self.room_named(name).is_none() {
            let id = self.next_place();
            let (subject, you, password, numbers) = Default::default();
            self.rooms.push(Room {
                id,
                name: name.to_owned(),
                channel: None,
                subject,
                you,
                password,
                numbers,
            });
        }
    }

    fn room_named(&self, name: &str) -> Option<&Room> {
        self.rooms.iter().find(|room| same_name(&room.name, name))
    }

    fn room_at(&mut self, channel: u32) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|room| room.channel == Some(channel))
    }

    fn room(&self, id: PlaceId) -> Option<&Room> {
        self.rooms.iter().find(|room| room.id == id)
    }

    fn place_name(&self, id: PlaceId) -> Option<String> {
        let room = self.room(id).map(|room| room.name.clone());
        room.or_else(|| self.call(id).map(|call| format!("@{}", call.peer)))
    }

    fn remove_room(&mut self, name: &str) {
        self.rooms.retain(|room| !same_name(&room.name, name));
        self.mend_target();
    }

    /// A target that is no more gives way to the room entered last.
    fn mend_target(&mut self) {
        if self.target.is_none_or(|id| self.place_name(id).is_none()) {
            self.target = self.rooms.last().map(|room| room.id);
        }
    }
}

/// Whether the server takes two names for the same.
pub fn same_name(one: &str, other: &str) -> bool {
    crate::hub::name::fold(one) == crate::hub::name::fold(other)
}

/// A room as users write it, with the `#` that they may leave out.
pub fn room_name(name: &str) -> String {
    if name.starts_with('#') { name.to_owned() } else { format!("#{name}") }
}

/// Cuts a text into pieces of at most `bytes_max` bytes, between characters. A limit too small for a character gives
/// that character alone. Each piece of an action is one.
pub(super) fn pieces(text: &str, bytes_max: usize) -> impl Iterator<Item = Cow<'_, str>> {
    let action = Ctcp::of(text).filter(|ctcp| ctcp.is_action() && text.len() > bytes_max);
    let (mut rest, bytes_max) = match &action {
        Some(ctcp) => (ctcp.params, bytes_max.saturating_sub(ctcp.frame_bytes())),
        None => (text, bytes_max),
    };
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let at = rest.floor_char_boundary(bytes_max).max(first.len_utf8());
        let (piece, behind) = rest.split_at(at);
        rest = behind;
        Some(match action {
            Some(_) => Ctcp::action(piece).to_string().into(),
            None => piece.into(),
        })
    })
}

fn is_code(code: u16, expected: RefusalCode) -> bool {
    code == expected.number()
}
