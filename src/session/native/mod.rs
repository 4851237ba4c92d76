//! The native dialect: frames.
//!
//! ```text
//!   Hello ──the hub accepts the login──▶ Open
//! ```
//!
//! In `Hello` everything but hello ends the connection, and bodies are short. What a body says wrongly inside a whole
//! frame is refused and the connection goes on; what breaks framing ends it.

mod codes;
mod credentials;
mod encode;
mod history;
mod manage;
mod operators;

use encode::encode_pong;
pub(super) use encode::{encode_event, encode_farewell, encode_notice, encode_ping, encode_refusal};

use super::{CloseReason, Step, Surroundings, Verdict};
use crate::hub::{
    Address, ChannelId, Command, Offers, Origin, Purpose, RequestId, RoomFilter, RoomRef, Transport, Words,
};
use crate::wire::frame::{self, AddressEntry, BodyError, ListEntries};
use crate::wire::{self, BODY_MAX, BODY_MAX_FLOOR, Frame, FrameError, Kind, RawFrame, RefusalCode, Split};

/// The longest body, in bytes, before login: enough for two passwords.
const BODY_MAX_BEFORE_LOGIN: u16 = 4_096;

#[derive(Default)]
pub(super) struct Native {
    /// What hello asked for and the server granted, in bytes.
    body_max: u16,
    open: bool,
    /// The server's password was given.
    is_let_in: bool,
    /// What became of the password in the frame that comes again. Boxed, because few give one.
    verdict: Option<Box<Verdict>>,
}

impl Native {
    #[inline]
    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn open(&mut self) {
        self.open = true;
    }

    pub fn verified(&mut self, verdict: Verdict) {
        self.verdict = Some(Box::new(verdict));
    }

    fn take_verdict(&mut self) -> Option<Verdict> {
        self.verdict.take().map(|verdict| *verdict)
    }

    pub fn next<'a>(&mut self, bytes: &'a [u8], surroundings: &Surroundings, out: &mut Vec<u8>) -> Step<'a> {
        let body_max = if self.open { self.body_max } else { BODY_MAX_BEFORE_LOGIN };
        match wire::split(bytes, body_max) {
            Ok(Split::Incomplete { needed }) => Step::Incomplete { needed },
            Ok(Split::Frame(raw)) if self.open => self.next_when_open(bytes, raw, surroundings, out),
            Ok(Split::Frame(raw)) => self.next_before_login(raw, surroundings, out),
            Err(error) => Step::Close(close_reason(error)),
        }
    }

    fn next_before_login<'a>(
        &mut self,
        raw: RawFrame<'a>,
        surroundings: &Surroundings,
        out: &mut Vec<u8>,
    ) -> Step<'a> {
        let used = raw.len();
        match raw.decode() {
            Ok(Frame::Hello(hello)) if hello.version != frame::VERSION => {
                refused(&raw, RefusalCode::Version, "this server speaks version 1 of the protocol", out)
            }
            Ok(Frame::Hello(_)) if self.has_to_come_in(surroundings) => {
                refused(&raw, RefusalCode::BadPassword, credentials::WANTS_PASSWORD, out)
            }
            Ok(Frame::Credentials(given)) => self.credentials(&raw, given, surroundings, out),
            Ok(Frame::Hello(hello)) => {
                self.body_max = hello.body_max.clamp(BODY_MAX_FLOOR, BODY_MAX);
                let command = Command::Login {
                    name: hello.name,
                    payload_max: self.body_max,
                    username: "",
                    realname: "",
                };
                Step::Command { used, request: RequestId(hello.request), command }
            }
            Err(BodyError::NotUtf8) if raw.kind() == Some(Kind::Hello) => {
                refused(&raw, RefusalCode::BadName, "that user name is not UTF-8", out)
            }
            Err(BodyError::BadMagic) => Step::Close(CloseReason::BadMagic),
            Err(BodyError::Short | BodyError::Trailing) if raw.kind() == Some(Kind::Hello) => {
                Step::Close(CloseReason::Malformed("hello does not have the fields it should"))
            }
            Ok(_) | Err(_) => Step::Close(CloseReason::HelloExpected),
        }
    }

    fn next_when_open<'a>(
        &mut self,
        bytes: &'a [u8],
        raw: RawFrame<'a>,
        surroundings: &Surroundings,
        out: &mut Vec<u8>,
    ) -> Step<'a> {
        if raw.kind() == Some(Kind::Data) {
            return self.payload(bytes, raw);
        }
        match raw.decode() {
            Ok(Frame::Credentials(given)) => self.credentials(&raw, given, surroundings, out),
            Ok(frame) => step_of(&raw, frame, out),
            // Who wants to leave is not kept because of how they say it.
            Err(BodyError::NotUtf8) if raw.kind() == Some(Kind::Bye) => {
                Step::Quit { used: raw.len(), text: "" }
            }
            Err(BodyError::NotUtf8) => refused(&raw, RefusalCode::NotUtf8, "the text is not UTF-8", out),
            Err(BodyError::UnknownKind(_)) => unknown_request(&raw, out),
            Err(BodyError::Short | BodyError::Trailing | BodyError::BadMagic) => {
                Step::Close(CloseReason::Malformed("a body does not have the fields that its kind promises"))
            }
        }
    }

    /// As many whole payload frames for the same relay as lie at the front of `bytes`: they go on together.
    fn payload<'a>(&self, bytes: &'a [u8], first: RawFrame<'a>) -> Step<'a> {
        let (mut used, mut longest) = (first.len(), first.body.len());
        while let Some(rest) = bytes.get(used..)
            && let Ok(Split::Frame(raw)) = wire::split(rest, self.body_max)
            && raw.kind() == Some(Kind::Data)
            && raw.header.channel == first.header.channel
        {
            used += raw.len();
            longest = longest.max(raw.body.len());
        }
        Step::Payload { used, relay: ChannelId(first.header.channel), longest }
    }
}

/// What a frame that is well-formed asks for.
fn step_of<'a>(raw: &RawFrame<'a>, frame: Frame<'a>, out: &mut Vec<u8>) -> Step<'a> {
    let (used, channel) = (raw.len(), ChannelId(raw.header.channel));
    let room = RoomRef::Channel(channel);
    let (request, command) = match frame {
        Frame::Join(f) => (f.request, Command::Join { room: f.room, password: f.password, past: f.past.into() }),
        Frame::Leave(f) => (f.request, Command::Leave { room, text: "" }),
        Frame::Say(f) => (f.request, Command::Say { room, words: Words::message(f.text), least: None }),
        Frame::SetSubject(f) => (f.request, Command::SetSubject { room, text: f.text }),
        Frame::ListRooms(f) => (f.request, Command::ListRooms { after: f.after, filter: RoomFilter::default() }),
        Frame::Who(f) => (f.request, Command::Who { room, after: f.after, in_full: false }),
        Frame::Change(_)
        | Frame::ShowSettings(_)
        | Frame::ReserveName(_)
        | Frame::ListMembers(_)
        | Frame::ListMasks(_)
        | Frame::Kick(_)
        | Frame::Invite(_)
        | Frame::Destroy(_)
        | Frame::RenameRoom(_)
        | Frame::Wish(_)
        | Frame::Decide(_)
        | Frame::ListWishes(_) => match manage::command(room, frame) {
            Ok(asked) => asked,
            Err((code, text)) => return refused(raw, code, text, out),
        },
        Frame::ShowPast(_)
        | Frame::Search(_)
        | Frame::Retract(_)
        | Frame::MarkRead(_) => match history::command(room, frame) {
            Ok(asked) => asked,
            Err((code, text)) => return refused(raw, code, text, out),
        },
        Frame::Declare(f) => match addresses(f.addresses) {
            Some(addresses) => {
                let offers = Offers {
                    conversations: f.offers & frame::Offers::CONVERSATIONS != 0,
                    pipes: f.offers & frame::Offers::PIPES != 0,
                };
                (f.request, Command::Declare { offers, shown: f.shown != 0, addresses })
            }
            None => return refused(raw, RefusalCode::BadAddress, NO_SUCH_TRANSPORT, out),
        },
        Frame::Tell(f) => (f.request, Command::Tell { to: f.to, words: Words::message(f.text), even_oneself: false }),
        Frame::Lookup(f) => (f.request, Command::Lookup { name: f.name }),
        Frame::ListPeers(f) => (f.request, Command::ListPeers { after: f.after }),
        Frame::Open(f) => match wire::Purpose::from_number(f.purpose) {
            Some(purpose) => (f.request, Command::Open { to: f.to, purpose: hub_purpose(purpose) }),
            None => return refused(raw, RefusalCode::UnknownRequest, "there is no such purpose of a relay", out),
        },
        Frame::Accept(f) => (f.request, Command::Accept { channel }),
        Frame::Decline(f) => (f.request, Command::Decline { channel, text: f.text }),
        Frame::Close(f) => (f.request, Command::Close { channel }),
        Frame::OfferPaths(f) => match addresses(f.addresses) {
            Some(addresses) => (f.request, Command::OfferPaths { channel, addresses }),
            None => return refused(raw, RefusalCode::BadAddress, NO_SUCH_TRANSPORT, out),
        },
        Frame::Administer(f) => return operators::administer(raw, f, out),
        Frame::ListServer(f) => return operators::list(raw, f, out),
        Frame::GetTicket(f) => {
            return Step::Ticket { used, request: RequestId(f.request), wants: f.wants };
        }
        Frame::Ping(f) => {
            encode_pong(f.token, out);
            return Step::Done { used };
        }
        Frame::Pong(_) => return Step::Done { used },
        Frame::Bye(f) => return Step::Quit { used, text: f.text },
        Frame::Hello(_) => return refused(raw, RefusalCode::AlreadyLoggedIn, "you are already logged in", out),
        // Payload and passwords take their own paths, and the rest is what a server says.
        Frame::Data(_)
        | Frame::Credentials(_)
        | Frame::Account(_)
        | Frame::Welcome(_)
        | Frame::Done(_)
        | Frame::Refused(_)
        | Frame::Joined(_)
        | Frame::Said(_)
        | Frame::Entered(_)
        | Frame::Left(_)
        | Frame::Subject(_)
        | Frame::RoomList(_)
        | Frame::Occupants(_)
        | Frame::Notice(_)
        | Frame::Kicked(_)
        | Frame::Changed(_)
        | Frame::Settings(_)
        | Frame::Past(_)
        | Frame::Retracted(_)
        | Frame::ReadMark(_)
        | Frame::Members(_)
        | Frame::Masks(_)
        | Frame::Wishes(_)
        | Frame::Wished(_)
        | Frame::Decided(_)
        | Frame::Destroyed(_)
        | Frame::RoomRenamed(_)
        | Frame::Told(_)
        | Frame::ToldElsewhere(_)
        | Frame::Peer(_)
        | Frame::PeerList(_)
        | Frame::Renamed(_)
        | Frame::Invited(_)
        | Frame::Offer(_)
        | Frame::Ringing(_)
        | Frame::Opened(_)
        | Frame::Closed(_)
        | Frame::Paths(_)
        | Frame::Ticket(_)
        | Frame::Bound(_)
        | Frame::ServerList(_)
        | Frame::Announced(_)
        // Datagrams, which do not come over TCP.
        | Frame::Bind(_)
        | Frame::Challenge(_)
        | Frame::Prove(_)
        | Frame::Sealed(_) => return unknown_request(raw, out),
    };
    Step::Command { used, request: RequestId(request), command }
}

const NO_SUCH_TRANSPORT: &str = "there is no such transport; an address is for TCP (0) or UDP (1)";

/// What a client says of its own addresses: whatever it writes, they are declared and not observed. `None` if one is
/// for a transport that nobody knows.
fn addresses(entries: ListEntries<'_, AddressEntry>) -> Option<Box<[Address]>> {
    let address = |entry: AddressEntry| {
        let transport = match wire::Transport::from_number(entry.transport)? {
            wire::Transport::Tcp => Transport::Tcp,
            wire::Transport::Udp => Transport::Udp,
        };
        Some(Address { transport, origin: Origin::Declared, at: entry.address })
    };
    entries.iter().map(address).collect()
}

fn unknown_request<'a>(raw: &RawFrame<'_>, out: &mut Vec<u8>) -> Step<'a> {
    let (code, text) = manage::UNKNOWN_REQUEST;
    refused(raw, code, text, out)
}

fn refused<'a>(raw: &RawFrame<'_>, code: RefusalCode, text: &str, out: &mut Vec<u8>) -> Step<'a> {
    encode_refusal(RequestId(raw.request()), ChannelId(raw.header.channel), (code, text), out);
    Step::Done { used: raw.len() }
}

fn close_reason(error: FrameError) -> CloseReason {
    match error {
        FrameError::NotAFrame(_) => CloseReason::Malformed("a frame begins with a byte from 0x80 on"),
        FrameError::TooLong { length, max } => CloseReason::FrameTooLong { length, max },
        FrameError::UnknownFlags(_) => CloseReason::Malformed("a header has flags that are not known here"),
    }
}

fn hub_purpose(purpose: wire::Purpose) -> Purpose {
    match purpose {
        wire::Purpose::Conversation => Purpose::Conversation,
        wire::Purpose::Pipe => Purpose::Pipe,
    }
}
