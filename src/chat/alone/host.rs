//! The one that waits for a call is the server of whoever calls, for exactly one relay, whose other end it is too.

use super::dialogue::{CHANNEL, Dialogue};
use crate::chat::conversation::same_name;
use crate::chat::lost::Lost;
use crate::hub::Refusal;
use crate::hub::name::UserName;
use crate::wire::frame::{
    BodyError, Close, Data, Done, Hello, Open, Opened, Refused, Ringing, VERSION, Welcome,
};
use crate::wire::header::put;
use crate::wire::{BODY_MAX, BODY_MAX_FLOOR, Flags, Frame, Purpose, RawFrame, RefusalCode};
use std::time::Instant;

/// The longest name of a user, in bytes: a server's default.
pub const NAME_BYTES_MAX: u8 = 32;

/// The longest text in bye, in bytes; there is no other text that welcome's limit is for.
const TEXT_MAX: u16 = 4_096;

/// Answers one guest after the other.
pub struct Host {
    nick: String,
    /// The guest's name and its longest body, once it is welcome.
    guest: Option<(String, u16)>,
}

/// What a frame of the guest's came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Served {
    Answered,
    /// The frames so far end with welcome; bodies may now have so many bytes.
    Welcomed {
        body_max: u16,
    },
}

impl Host {
    pub fn new(nick: &str) -> Self {
        Host { nick: nick.to_owned(), guest: None }
    }

    /// The guest is gone.
    pub fn forget(&mut self) {
        self.guest = None;
    }

    /// Carries out what a guest asks for, and puts the answer among the dialogue's frames.
    ///
    /// # Errors
    /// When there is no going on with this guest.
    pub fn serve(
        &mut self,
        now: Instant,
        raw: &RawFrame<'_>,
        dialogue: &mut Dialogue,
    ) -> Result<Served, Lost> {
        let frame = match raw.decode() {
            Ok(frame) => frame,
            Err(BodyError::UnknownKind(_)) => return Ok(refuse(dialogue, raw, UNKNOWN)),
            Err(BodyError::NotUtf8) => {
                return Ok(refuse(dialogue, raw, (RefusalCode::NotUtf8, "the text is not UTF-8")));
            }
            Err(error) => return Err(Lost::Broken(error.to_string())),
        };
        match (frame, &self.guest) {
            (Frame::Hello(hello), None) => return Ok(self.greet(raw, hello, dialogue)),
            (Frame::Hello(_), Some(_)) => {
                return Ok(refuse(
                    dialogue,
                    raw,
                    (RefusalCode::AlreadyLoggedIn, "you are already logged in"),
                ));
            }
            (Frame::Open(open), Some((name, body_max))) if is_conversation(&open) && !dialogue.has_peer() => {
                dialogue.begin(name, *body_max, now);
                let out = dialogue.frames();
                put(out, Flags::NONE, CHANNEL, &Ringing { request: open.request });
                let opened = Opened { request: open.request, payload_max: *body_max, peer: &self.nick };
                put(out, Flags::NONE, CHANNEL, &opened);
                dialogue.notice(format!("{name} called; you are talking to each other"));
            }
            (Frame::Data(Data { payload }), _) if is_ours(raw, dialogue) => {
                let taken = dialogue.receive(now, payload, raw.flags());
                taken.map_err(|malformed| Lost::Broken(malformed.to_string()))?;
            }
            (Frame::Close(Close { request }), _) if is_ours(raw, dialogue) => {
                dialogue.peer_left("");
                put(dialogue.frames(), Flags::NONE, CHANNEL, &Done { request });
            }
            (Frame::Data(_) | Frame::Close(_), _) => {
                return Ok(refuse(dialogue, raw, (RefusalCode::NoSuchRelay, "you have no such relay")));
            }
            _ => return Ok(refuse(dialogue, raw, UNKNOWN)),
        }
        Ok(Served::Answered)
    }

    fn greet(&mut self, raw: &RawFrame<'_>, hello: Hello<'_>, dialogue: &mut Dialogue) -> Served {
        if hello.version != VERSION {
            return refuse(dialogue, raw, (RefusalCode::Version, "only version 1 is spoken here"));
        }
        if let Err(refusal) = UserName::new(hello.name, NAME_BYTES_MAX) {
            return refuse(dialogue, raw, (RefusalCode::BadName, &refusal.to_string()));
        }
        if same_name(hello.name, &self.nick) {
            return refuse(dialogue, raw, (RefusalCode::NameTaken, &Refusal::NameTaken.to_string()));
        }
        let body_max = hello.body_max.clamp(BODY_MAX_FLOOR, BODY_MAX);
        self.guest = Some((hello.name.to_owned(), body_max));
        let (request, name) = (hello.request, hello.name);
        let welcome = Welcome { request, version: VERSION, body_max, text_max: TEXT_MAX, name };
        put(dialogue.frames(), Flags::NONE, 0, &welcome);
        Served::Welcomed { body_max }
    }
}

const UNKNOWN: (RefusalCode, &str) = (
    RefusalCode::UnknownRequest,
    "this is a chat of two without a server: there is one peer here, and no rooms",
);

fn refuse(dialogue: &mut Dialogue, raw: &RawFrame<'_>, (code, text): (RefusalCode, &str)) -> Served {
    let refused = Refused { request: raw.request(), code: code.number(), text };
    put(dialogue.frames(), Flags::NONE, raw.header.channel, &refused);
    Served::Answered
}

fn is_conversation(open: &Open<'_>) -> bool {
    Purpose::from_number(open.purpose) == Some(Purpose::Conversation)
}

fn is_ours(raw: &RawFrame<'_>, dialogue: &Dialogue) -> bool {
    raw.header.channel == CHANNEL && dialogue.has_peer()
}
