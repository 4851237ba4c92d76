//! What is asked about the server itself: LUSERS and MOTD.

use super::Doing;
use crate::hub::{Command, Counts};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::wire::irc::Numeric;

pub fn lusers<'a>(dialogue: &mut Dialogue, _: Call<'a, '_>) -> Do<'a> {
    dialogue.task.begin(Doing::Counts, "");
    Do::Ask(Command::Count)
}

/// 251 to 255, 265 and 266 (Modern IRC, "LUSERS message").
pub fn put_counts(dialogue: &Dialogue, counts: Counts, world: &Surroundings, out: &mut Vec<u8>) {
    let Counts { users, invisible, operators, rooms, users_most } = counts;
    let visible = users.saturating_sub(invisible);
    dialogue
        .line(Numeric::RPL_LUSERCLIENT, world, out)
        .trailing(format_args!("There are {visible} users and {invisible} invisible on 1 servers"));
    if operators > 0 {
        dialogue.line(Numeric::RPL_LUSEROP, world, out).param(operators).trailing("operator(s) online");
    }
    if rooms > 0 {
        dialogue.line(Numeric::RPL_LUSERCHANNELS, world, out).param(rooms).trailing("channels formed");
    }
    dialogue
        .line(Numeric::RPL_LUSERME, world, out)
        .trailing(format_args!("I have {users} clients and 0 servers"));
    for (numeric, which) in [(Numeric::RPL_LOCALUSERS, "local"), (Numeric::RPL_GLOBALUSERS, "global")] {
        dialogue
            .line(numeric, world, out)
            .param(users)
            .param(users_most)
            .trailing(format_args!("Current {which} users {users}, max {users_most}"));
    }
}

pub fn motd<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    put_motd(dialogue, &mut call);
    Do::Done
}

/// 375, 372 and 376; 422 where there is none.
pub fn put_motd(dialogue: &Dialogue, call: &mut Call<'_, '_>) {
    let (world, nick) = (call.world, dialogue.nick.as_str());
    if world.server.motd.is_empty() {
        return call.numeric(Numeric::ERR_NOMOTD, nick).trailing("There is no message of the day");
    }
    let name = &world.server.name;
    call.numeric(Numeric::RPL_MOTDSTART, nick).trailing(format_args!("- {name} Message of the day - "));
    for line in &world.server.motd {
        call.numeric(Numeric::RPL_MOTD, nick).trailing(format_args!("- {line}"));
    }
    call.numeric(Numeric::RPL_ENDOFMOTD, nick).trailing("End of /MOTD command");
}
