//! HELP and HELPOP (Modern IRC, "HELP message"): a topic for each command.

use super::table::{self, COMMANDS, Row};
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::wire::irc::Numeric;

/// Length of a line with names of topics, in bytes.
const LINE_OF_NAMES_BYTES: usize = 72;

/// 704, 705 and 706; 524 for what is no topic.
pub fn help<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let nick = &*dialogue.nick;
    let subject = call.message.params.get(0).unwrap_or_default();
    if subject.is_empty() {
        put_names(nick, &mut call);
        return Do::Done;
    }
    let Some(row) = table::named(subject) else {
        let body = call.numeric(Numeric::ERR_HELPNOTFOUND, nick).echo(subject);
        body.trailing("There is no help on that; HELP alone names what there is");
        return Do::Done;
    };
    let Row { name, params, text, .. } = row;
    let space = if params.is_empty() { "" } else { " " };
    call.numeric(Numeric::RPL_HELPSTART, nick).param(name).trailing(format_args!("{name}{space}{params}"));
    for line in *text {
        call.numeric(Numeric::RPL_HELPTXT, nick).param(name).trailing(line);
    }
    call.numeric(Numeric::RPL_ENDOFHELP, nick).param(name).trailing("End of /HELP");
    Do::Done
}

/// All there is help on.
fn put_names(nick: &str, call: &mut Call<'_, '_>) {
    const SUBJECT: &str = "*";
    call.numeric(Numeric::RPL_HELPSTART, nick).param(SUBJECT).trailing("HELP <command> tells more of one");
    let mut line = String::new();
    for Row { name, .. } in COMMANDS {
        if line.len() + 1 + name.len() > LINE_OF_NAMES_BYTES {
            call.numeric(Numeric::RPL_HELPTXT, nick).param(SUBJECT).trailing(&line);
            line.clear();
        }
        line.push_str(if line.is_empty() { "" } else { " " });
        line.push_str(name);
    }
    call.numeric(Numeric::RPL_HELPTXT, nick).param(SUBJECT).trailing(&line);
    call.numeric(Numeric::RPL_ENDOFHELP, nick).param(SUBJECT).trailing("End of /HELP");
}
