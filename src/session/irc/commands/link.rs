//! PING, PONG and QUIT.

use crate::session::irc::dialogue::{Call, Dialogue, Do};

/// PING (Modern IRC): the token comes back as it was.
pub fn ping<'a>(_: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let token = call.message.params.get(0).unwrap_or_default();
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
