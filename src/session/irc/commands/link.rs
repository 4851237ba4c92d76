//! PING, PONG and QUIT.

use super::not_enough;
use crate::session::irc::dialogue::{Call, Dialogue, Do};

/// PING (Modern IRC): the token comes back as it was. It is answered before the welcome as well.
pub fn ping<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let Some(token) = call.message.params.get(0) else { return not_enough(dialogue, &mut call) };
    let name = call.world.server.name.as_str();
    call.server("PONG").param(name).trailing(token);
    Do::Done
}

/// An answer to our PING; that it came is all that it says.
pub fn pong<'a>(_: &mut Dialogue, _: Call<'a, '_>) -> Do<'a> {
    Do::Done
}

pub fn quit<'a>(_: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    Do::Quit(call.message.params.get(0).unwrap_or_default())
}
