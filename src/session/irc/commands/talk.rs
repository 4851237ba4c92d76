//! PRIVMSG, NOTICE and TAGMSG.

use super::{Doing, cut, entry, not_enough, too_many, unknown};
use crate::hub::{Command, Form, Host, MessageId, Role, RoomRef, Words};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do};
use crate::session::irc::features::TARGETS_MAX;
use crate::session::irc::letters;
use crate::session::irc::services;
use crate::session::irc::words::{Target, put_words};
use crate::session::irc::write::Write;
use crate::wire::irc::ctcp::Ctcp;
use crate::wire::irc::line::LINE_BYTES_MAX;
use crate::wire::irc::{Capability, Message, Numeric};
use std::fmt::Write as _;

pub fn privmsg<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let nick = &dialogue.nick;
    let params = call.message.params;
    if params.get(0).is_none_or(str::is_empty) {
        call.numeric(Numeric::ERR_NORECIPIENT, nick).trailing("No recipient given (PRIVMSG)");
        return Do::Done;
    }
    if params.get(1).is_none_or(str::is_empty) {
        call.numeric(Numeric::ERR_NOTEXTTOSEND, nick).trailing("No text to send");
        return Do::Done;
    }
    if let Some(service) = params.get(0).and_then(services::named) {
        return services::told(dialogue, call, service);
    }
    say(dialogue, call, Doing::Message, Form::Message)
}

/// NOTICE is never answered, with a refusal neither (Modern IRC, "NOTICE message").
pub fn notice<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    if params.get(1).is_none_or(str::is_empty)
        || params.get(0).is_some_and(|to| services::named(to).is_some())
    {
        return Do::Done;
    }
    say(dialogue, call, Doing::Notice, Form::Notice)
}

/// TAGMSG (IRCv3 message-tags): tags alone.
pub fn tagmsg<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    if !dialogue.capabilities.has(Capability::MessageTags) {
        return unknown(dialogue, &mut call);
    }
    if call.message.params.is_empty() {
        return not_enough(dialogue, &mut call);
    }
    say(dialogue, call, Doing::Message, Form::Tags)
}

/// The next target.
fn say<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>, doing: Doing, form: Form) -> Do<'a> {
    let Message { params, tags, .. } = call.message;
    let (target, is_last) = entry(params.get(0).unwrap_or_default(), dialogue.task.step, TARGETS_MAX);
    let Some(target) = target else { return Do::Done };
    if dialogue.task.step == 0 && doing != Doing::Notice {
        too_many(dialogue, &mut call, params.get(0).unwrap_or_default(), TARGETS_MAX);
    }
    dialogue.task.step += 1;
    dialogue.task.begin(doing, target);
    let said = if form == Form::Tags { "" } else { params.get(1).unwrap_or_default() };
    let room = room_for(dialogue, target);
    if dialogue.capabilities.has(Capability::MessageTags) {
        tags.put_client_only(call.notes);
    }
    let tags_end = call.notes.len();
    // An ACTION that is cut is one still.
    let ctcp = Ctcp::of(said).filter(|_| said.len() > room);
    if let Some(ctcp) = ctcp {
        let _ = write!(call.notes, "{}", ctcp.shortened(room)); // writing to a String cannot fail
    }
    let (tags, shortened) = call.notes.split_at_checked(tags_end).unwrap_or_default();
    let text = if ctcp.is_some() { shortened } else { cut(said, room) };
    // NOTICE is answered by nothing.
    if text.len() < said.len()
        && form == Form::Message
        && dialogue.capabilities.has(Capability::StandardReplies)
    {
        let body =
            Write::to(call.out).server(call.world, "WARN").param(dialogue.task.command).param("MESSAGE_CUT");
        let (sent, all) = (text.len(), said.len());
        body.echo(target).trailing(format_args!("Others get the first {sent} of its {all} bytes"));
    }
    let words = Words { form, text, tags };
    let (least, name) = rank_of(target);
    let command = if name.starts_with('#') {
        Command::Say { room: RoomRef::Named(name), words, least }
    } else {
        Command::Tell { to: target, words, even_oneself: true }
    };
    if is_last { Do::Ask(command) } else { Do::AskAndGoOn(command) }
}

/// How many bytes of a text others have room for in one line: in theirs, more stands in front of it than in the client's
/// own. What is longer is cut, as by every server; clients reckon with it, and divide it themselves.
fn room_for(dialogue: &Dialogue, target: &str) -> usize {
    const BETWEEN: usize = ":!@ PRIVMSG  :\r\n".len();
    let before = dialogue.nick.len() + dialogue.user.len() + Host::WRITTEN_BYTES + target.len();
    LINE_BYTES_MAX.saturating_sub(before + BETWEEN)
}

/// STATUSMSG: `@#room` is for those who moderate it, `+#room` also for those with a voice.
fn rank_of(target: &str) -> (Option<Role>, &str) {
    let name_behind = |sign| target.strip_prefix(sign).filter(|name| name.starts_with('#'));
    let meant = letters::roles().find_map(|(role, sign)| Some((Some(role), name_behind(sign)?)));
    meant.unwrap_or((None, target))
}

/// What was said and is on its way.
pub struct Sent<'a> {
    pub id: MessageId,
    pub to: &'a str,
    pub words: Words<'a>,
    pub least: Option<Role>,
    pub away: Option<&'a str>,
}

/// To those who want it, their own message comes back (IRCv3 echo-message); and 301, if the other one is away.
pub fn sent(dialogue: &Dialogue, sent: Sent<'_>, world: &Surroundings, out: &mut Vec<u8>) {
    let Sent { id, to, words, least, away } = sent;
    if dialogue.capabilities.has(Capability::EchoMessage) {
        let variant = dialogue.variant();
        put_words(words, variant, out, |out, is_first, command| {
            let mut head = Write::to(out).time(variant, world);
            if is_first {
                head = head.message(variant, id, words.tags);
            }
            dialogue.own(head, command).param(Target { least, name: to })
        });
    }
    if let Some(text) = away.filter(|_| words.form == Form::Message) {
        Write::to(out).numeric(world, Numeric::RPL_AWAY, &dialogue.nick).param(to).trailing(text);
    }
}
