//! KNOCK, by which one asks to be let into a channel; and what is told of wishes, of which it is one.

use super::{Doing, cut};
use crate::hub::{Command, Person, Refusal, RoomName, RoomRef, Wish};
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::features;
use crate::session::irc::refusals::Sentence;
use crate::session::irc::services::{self, chanserv};
use crate::session::{Stamp, Surroundings};
use crate::wire::irc::Numeric;

/// KNOCK, as servers in use have it. What is asked for is membership: an invitation lets in once.
pub fn knock<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let name = params.get(0).unwrap_or_default();
    dialogue.task.begin(Doing::Knock, name);
    let text = cut(params.get(1).unwrap_or_default(), features::kick_bytes_max(call.world));
    Do::Ask(Command::Wish { room: RoomRef::Named(name), wish: Wish::Membership, text })
}

/// 711.
pub fn delivered(dialogue: &Dialogue, room: &RoomName, world: &Surroundings, out: &mut Vec<u8>) {
    let line = dialogue.line(Numeric::RPL_KNOCKDLVR, world, out).param(room.shown());
    line.trailing("Those who run the channel hear of it");
}

/// Why nobody is told that the client knocks.
pub fn refuse(dialogue: &Dialogue, refusal: Refusal, world: &Surroundings, out: &mut Vec<u8>) {
    let numeric = match refusal {
        Refusal::AlreadyWished | Refusal::TooManyWishes => Numeric::ERR_TOOMANYKNOCK,
        Refusal::NoSuchRoom | Refusal::BadRoomName(_) => Numeric::ERR_NOSUCHCHANNEL,
        Refusal::Banned => Numeric::ERR_BANNEDFROMCHAN,
        _ => {
            let line = dialogue.line(Numeric::ERR_UNKNOWNERROR, world, out).param("KNOCK");
            return line.trailing(Sentence(refusal));
        }
    };
    dialogue.line(numeric, world, out).echo(dialogue.task.about()).trailing(Sentence(refusal));
}

/// 710: somebody asks for membership, which the client can grant. For a voice there is no numeric.
pub fn wished(
    dialogue: &Dialogue,
    room: &RoomName,
    (who, wish, text): (Person<'_>, Wish, &str),
    stamp: &Stamp<'_>,
    out: &mut Vec<u8>,
) {
    let (world, service) = (stamp.surroundings, &chanserv::CHANSERV);
    let (nick, colon) = (who.name.shown(), if text.is_empty() { "" } else { ": " });
    let what = chanserv::Wished(wish);
    let text = format_args!("asks for {what}{colon}{text}");
    match wish {
        Wish::Membership => {
            let host = stamp.host_of(&who);
            let whole = format!("{nick}!{}@{}", who.username(), host);
            let line = dialogue.line(Numeric::RPL_KNOCK, world, out).param(room.shown());
            line.param(whole).trailing(text);
        }
        Wish::Voice => services::put(dialogue, service, format_args!("{nick} in {room} {text}"), world, out),
    }
    let how = format_args!(
        "/msg {} GRANT {room} {nick} {} says yes, DENY no.",
        service.name,
        chanserv::word_of(wish)
    );
    services::put(dialogue, service, how, world, out);
}

/// What became of what the client asked for.
pub fn decided(
    dialogue: &Dialogue,
    room: &RoomName,
    (wish, is_granted): (Wish, bool),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let (verb, what) = (if is_granted { "get" } else { "do not get" }, chanserv::Wished(wish));
    services::put(dialogue, &chanserv::CHANSERV, format_args!("You {verb} {what} in {room}."), world, out);
}
