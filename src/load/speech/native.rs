//! Native frames, `docs/PROTOCOL.md`. Encoded and decoded by [`wire`](crate::wire) alone.

use super::{Heard, Step, Template, Whither};
use crate::wire::fields::Fields;
use crate::wire::frame::{
    Accept, Data, Frame, GetTicket, Hello, Join, Leave, Open, Ping, Pong, Say, Tell, VERSION, Wants,
};
use crate::wire::header::put;
use crate::wire::{BODY_MAX, BODY_MAX_FLOOR, Flags, Kind, Purpose, RawFrame, Split, split};

/// What every client can take with the fields around it. A server's own limit is usually lower, and it says so.
pub const TEXT_MAX: usize = BODY_MAX_FLOOR as usize - 1_024;

/// Payload alone is the whole body.
pub const RELAY_MAX: usize = BODY_MAX as usize;

/// The id of requests whose answer is awaited. One request of a client is under way at a time.
const REQUEST: u32 = 1;

/// The id of those whose success is not worth an answer.
const UNANSWERED: u32 = 0;

pub fn log_in(out: &mut Vec<u8>, name: &str) {
    put(out, Flags::NONE, 0, &Hello { request: REQUEST, version: VERSION, body_max: BODY_MAX, name });
}

pub fn enter(out: &mut Vec<u8>, room: &str) {
    put(out, Flags::NONE, 0, &Join { request: REQUEST, past: 0, room, password: "" });
}

pub fn leave(out: &mut Vec<u8>, channel: u32) {
    put(out, Flags::NONE, channel, &Leave { request: UNANSWERED });
}

pub fn ask(out: &mut Vec<u8>, token: u64) {
    put(out, Flags::NONE, 0, &Ping { token });
}

pub fn answer(out: &mut Vec<u8>, ping: &[u8]) {
    let token = Fields::new(ping).u64().unwrap_or_default();
    put(out, Flags::NONE, 0, &Pong { token });
}

pub fn call(out: &mut Vec<u8>, to: &str) {
    put(out, Flags::NONE, 0, &Open { request: REQUEST, purpose: Purpose::Pipe.number(), to });
}

pub fn accept(out: &mut Vec<u8>, channel: u32) {
    put(out, Flags::NONE, channel, &Accept { request: UNANSWERED });
}

pub fn ask_for_ticket(out: &mut Vec<u8>) {
    put(out, Flags::NONE, 0, &GetTicket { request: REQUEST, wants: Wants::RELAYS });
}

pub fn template(to: Whither<'_>, text: &[u8]) -> Template {
    let mut bytes = Vec::new();
    let filler = std::str::from_utf8(text).unwrap_or_default();
    match to {
        Whither::Room { channel, .. } => {
            put(&mut bytes, Flags::NONE, channel, &Say { request: UNANSWERED, text: filler });
        }
        Whither::Client { name } => {
            put(&mut bytes, Flags::NONE, 0, &Tell { request: UNANSWERED, to: name, text: filler });
        }
        Whither::Relay { channel } => put(&mut bytes, Flags::NONE, channel, &Data { payload: text }),
    }
    let marker_at = bytes.len() - text.len();
    Template { bytes, marker_at }
}

#[inline]
pub fn next(bytes: &[u8]) -> Result<Step<'_>, String> {
    match split(bytes, u16::MAX) {
        Ok(Split::Frame(raw)) => Ok(Step::Whole { len: raw.len(), heard: heard(raw)? }),
        Ok(Split::Incomplete { needed }) => Ok(Step::Incomplete { needed }),
        Err(error) => Err(error.to_string()),
    }
}

#[inline]
fn heard(raw: RawFrame<'_>) -> Result<Heard<'_>, String> {
    match raw.header.kind {
        // The name and the text are not looked at; that would cost more than all the rest.
        SAID | TOLD => {
            let mut fields = Fields::new(raw.body);
            fields.name_bytes().map_err(|error| error.to_string())?;
            Ok(Heard::Message(fields.bytes()))
        }
        DATA => Ok(Heard::Message(raw.body)),
        ENTERED => Ok(Heard::Entered), // of which there are millions when thousands enter a room
        _ => answered(raw),
    }
}

const SAID: u8 = Kind::Said as u8;
const TOLD: u8 = Kind::Told as u8;
const DATA: u8 = Kind::Data as u8;
const ENTERED: u8 = Kind::Entered as u8;

/// Everything but messages.
#[cold]
fn answered(raw: RawFrame<'_>) -> Result<Heard<'_>, String> {
    let channel = raw.header.channel;
    Ok(match raw.decode().map_err(|error| error.to_string())? {
        Frame::Welcome(_) => Heard::LoggedIn,
        Frame::Joined(joined) => Heard::Joined { channel, occupants: joined.occupants },
        Frame::Ping(_) => Heard::Ping(raw.body),
        Frame::Pong(pong) => Heard::Pong(pong.token),
        Frame::Offer(_) => Heard::Offered { channel },
        Frame::Opened(_) => Heard::Opened { channel },
        Frame::Ticket(ticket) => Heard::Ticket { number: channel, key: ticket.key },
        Frame::Bound(_) => Heard::Bound,
        Frame::Refused(refused) => Heard::Refused(refused.text.as_bytes()),
        Frame::Bye(bye) => Heard::Ended(bye.text.as_bytes()),
        _ => Heard::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::Said;

    #[test]
    fn what_is_said_is_what_the_server_decodes() {
        let Template { bytes, marker_at } = template(Whither::Room { name: "#r", channel: 7 }, b"xxxx");
        let Ok(Split::Frame(raw)) = split(&bytes, BODY_MAX) else { panic!("no frame") };
        assert_eq!(raw.decode(), Ok(Frame::Say(Say { request: 0, text: "xxxx" })));
        assert_eq!((raw.header.channel, &bytes[marker_at..]), (7, &b"xxxx"[..]));
    }

    #[test]
    fn a_message_is_heard_wherever_it_comes_from() {
        let mut bytes = Vec::new();
        put(&mut bytes, Flags::NONE, 7, &Said { by: "somebody", text: "words" });
        let len = bytes.len();
        put(&mut bytes, Flags::NONE, 8, &Data { payload: b"payload" });
        assert_eq!(next(&bytes), Ok(Step::Whole { len, heard: Heard::Message(b"words") }));
        let rest = &bytes[len..];
        assert_eq!(next(rest), Ok(Step::Whole { len: rest.len(), heard: Heard::Message(b"payload") }));
        assert_eq!(next(&bytes[..len - 1]), Ok(Step::Incomplete { needed: len }));
        assert!(next(b"ERROR :what is that?\r\n").is_err());
    }
}
