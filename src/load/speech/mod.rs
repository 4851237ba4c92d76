//! What clients say and hear, in the protocol of the run: how to log in, to enter a room, to say something, and what the
//! next bytes of the server mean. Pure: bytes in, bytes out.
//!
//! Only what every server of the protocol understands is said. The rest of the generator knows no protocol.

mod irc;
mod native;
mod raw;

use super::plan::Protocol;

/// One protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speech {
    Native,
    Irc,
    Raw,
}

/// Where a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whither<'a> {
    /// To a room that the sender is in: its name, and the channel that [`Heard::Joined`] told.
    Room { name: &'a str, channel: u32 },
    /// To one client.
    Client { name: &'a str },
    /// To the other end of a relay.
    Relay { channel: u32 },
}

/// What the server said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard<'a> {
    /// Somebody's message: its text.
    Message(&'a [u8]),
    /// The log-in is through.
    LoggedIn,
    /// One is in the room that one wanted to enter. `occupants` are those known by now, oneself among them.
    Joined { channel: u32, occupants: u32 },
    /// Names of occupants, so many, which come before [`Heard::Joined`].
    Names(u32),
    /// Somebody entered, who may be oneself in a protocol that tells one so.
    Entered,
    /// Answer this: [`Speech::answer`].
    Ping(&'a [u8]),
    /// The answer to [`Speech::ask`].
    Pong(u64),
    /// Somebody calls.
    Offered { channel: u32 },
    /// The call was taken.
    Opened { channel: u32 },
    /// What a binding of datagrams is made of.
    Ticket { number: u32, key: [u8; 32] },
    /// Datagrams flow.
    Bound,
    /// A request was refused, with these words.
    Refused(&'a [u8]),
    /// The last words before the server hangs up.
    Ended(&'a [u8]),
    /// Nothing that matters here.
    Other,
}

/// The front of what has arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<'a> {
    /// One utterance, and its bytes.
    Whole { len: usize, heard: Heard<'a> },
    /// The end has not arrived; it makes sense to look again at so many bytes.
    Incomplete { needed: usize },
}

/// A message that is sent again and again, with another marker each time.
#[derive(Clone, Debug)]
pub struct Template {
    pub bytes: Vec<u8>,
    /// Where the marker is.
    pub marker_at: usize,
}

/// What follows the marker.
const FILLER: u8 = b'x';

impl Speech {
    pub fn of(protocol: Protocol) -> Speech {
        match protocol {
            Protocol::Native => Speech::Native,
            Protocol::Irc => Speech::Irc,
            Protocol::Raw => Speech::Raw,
        }
    }

    /// Whether whoever says something hears it as well.
    pub fn has_echo(self) -> bool {
        self == Speech::Raw
    }

    /// Whether there are log-ins, rooms and answers at all.
    pub fn has_sessions(self) -> bool {
        self != Speech::Raw
    }

    /// The longest text that every server of the protocol takes, in bytes.
    pub fn text_max(self) -> usize {
        match self {
            Speech::Native | Speech::Raw => native::TEXT_MAX,
            Speech::Irc => irc::TEXT_MAX,
        }
    }

    /// The longest payload of a relay, in bytes; `None` where there are no relays.
    pub fn relay_max(self) -> Option<usize> {
        match self {
            Speech::Native => Some(native::RELAY_MAX),
            Speech::Raw => Some(raw::RELAY_MAX),
            Speech::Irc => None,
        }
    }

    pub fn log_in(self, out: &mut Vec<u8>, name: &str) {
        match self {
            Speech::Native => native::log_in(out, name),
            Speech::Irc => irc::log_in(out, name),
            Speech::Raw => {}
        }
    }

    pub fn enter(self, out: &mut Vec<u8>, room: &str) {
        match self {
            Speech::Native => native::enter(out, room),
            Speech::Irc => irc::enter(out, room),
            Speech::Raw => {}
        }
    }

    pub fn leave(self, out: &mut Vec<u8>, room: &str, channel: u32) {
        match self {
            Speech::Native => native::leave(out, channel),
            Speech::Irc => irc::leave(out, room),
            Speech::Raw => {}
        }
    }

    /// Asks for a [`Heard::Pong`] with this token: the answer comes behind everything that was under way.
    pub fn ask(self, out: &mut Vec<u8>, token: u64) {
        match self {
            Speech::Native | Speech::Raw => native::ask(out, token),
            Speech::Irc => irc::ask(out, token),
        }
    }

    /// Answers [`Heard::Ping`].
    pub fn answer(self, out: &mut Vec<u8>, ping: &[u8]) {
        match self {
            Speech::Native => native::answer(out, ping),
            Speech::Irc => irc::answer(out, ping),
            Speech::Raw => {}
        }
    }

    /// A message with a text of `payload` bytes.
    pub fn template(self, to: Whither<'_>, payload: usize) -> Template {
        let text = vec![FILLER; payload];
        match self {
            Speech::Native => native::template(to, &text),
            Speech::Irc => irc::template(to, &text),
            Speech::Raw => raw::template(&text),
        }
    }

    /// Calls somebody, for a relay; native only.
    pub fn call(self, out: &mut Vec<u8>, name: &str) {
        native::call(out, name);
    }

    /// Takes the call of [`Heard::Offered`]; native only.
    pub fn accept(self, out: &mut Vec<u8>, channel: u32) {
        native::accept(out, channel);
    }

    /// Asks for datagrams, relay payload among them; native only.
    pub fn ask_for_ticket(self, out: &mut Vec<u8>) {
        native::ask_for_ticket(out);
    }

    /// The next utterance. The hot path of receiving: a message costs a look at its head and nothing else.
    ///
    /// # Errors
    /// What is wrong with the bytes, if they are not of this protocol.
    #[inline]
    pub fn next(self, bytes: &[u8]) -> Result<Step<'_>, String> {
        match self {
            Speech::Native => native::next(bytes),
            Speech::Irc => irc::next(bytes),
            Speech::Raw => raw::next(bytes),
        }
    }
}
