//! What is said: to a room, to one user, as a room's subject.

use super::guests::Candidate;
use super::lasting::check_durable;
use super::mask::in_full;
use super::name::fold;
use super::past::Happened;
use super::person::Marks;
use super::privileges::{Act, may};
use super::rooms::{Room, Subject, finds, room_mut};
use super::settings::Flag;
use super::{
    Asker, BadText, ChannelId, Effect, Effects, Event, Form, Hub, Outcome, Past, Person, Refusal, Reply,
    Role, RoomRef, User, UserKey, Words, send, send_in,
};
use memchr::memchr3;

impl Hub {
    pub(super) fn say(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        words: Words<'_>,
        least: Option<Role>,
        fx: &mut impl Effects,
    ) -> Outcome {
        self.check_words(words)?;
        let id = self.next_message(asker.now);
        // A number is known to occupants alone.
        let by_number = matches!(room, RoomRef::Channel(_));
        let (channel, user, room) = self.named(asker, room)?;
        let is_inside = by_number || user.is_in(channel);
        if let Err(refusal) = may_speak(room.person(asker.user, user), is_inside, room, words, fx) {
            // Who does not find a room does not learn of it by speaking to it either.
            return Err(if is_inside || finds(user, channel, room) { refusal } else { Refusal::NoSuchRoom });
        }
        let asker = Asker { channel, ..asker };
        let event = |by| Event::Said { by, words, id, least };
        match least {
            None => {
                asker.publish_as(fx, room, user, event);
                let Words { form, text, tags } = words;
                // Before the answer, which may have to wait until it is on the disk.
                self.keep(id, channel, Happened { what: Past::Said(form), by: asker.user, text, tags }, fx);
            }
            Some(least) => self.tell_some(asker, (room, user), least, event, fx),
        }
        let room = self.room(channel)?;
        asker.tell(fx, Reply::Sent { id, to: room.name.shown(), words, least, away: None });
        // What somebody says under another name is no sign of them under their own.
        if room.knows_people() {
            self.note_spoke(asker);
        }
        Ok(())
    }

    /// To those occupants who stand out by at least this role.
    pub(super) fn tell_some<'a>(
        &self,
        asker: Asker,
        (room, user): (&'a Room, &'a User),
        least: Role,
        event: impl Fn(Person<'a>) -> Event<'a>,
        fx: &mut impl Effects,
    ) {
        let [others, own] = [room.person(asker.user, user), user.person(asker.user)].map(event);
        let heard_by = room.ranked.iter().filter(|(_, standing)| standing.is_at_least(least));
        let (cause, channel, name) = (asker.session, asker.channel, Some(&room.name));
        let heard_by = heard_by.filter_map(|(name, _)| room.user_at(name, &self.names));
        for key in heard_by.filter(|&key| key != asker.user) {
            if let Ok(user) = self.user(key) {
                send_in((key, user), cause, channel, name, others, fx);
            }
        }
        // Who says something hears it at the other seats, whatever their role is.
        if room.occupants.contains(room.key_of(user)) {
            for to in user.other_seats(asker.session) {
                fx.emit(Effect::Send { to, cause, channel, room: name, event: own });
            }
        }
    }

    pub(super) fn tell(
        &mut self,
        asker: Asker,
        to: &str,
        words: Words<'_>,
        even_oneself: bool,
        fx: &mut impl Effects,
    ) -> Outcome {
        self.user(asker.user)?;
        self.check_words(words)?;
        if let Some((key, channel)) = self.hidden_peer(asker, to)
            && (even_oneself || key != asker.user)
        {
            return self.whisper(asker, (key, channel), words, fx);
        }
        let to = match self.peer(asker, to) {
            Err(Refusal::Yourself) if even_oneself => asker.user,
            to => to?,
        };
        let id = self.next_message(asker.now);
        let from = self.user(asker.user)?.person(asker.user);
        let event = Event::Told { from, words, id };
        let peer = self.user(to)?;
        send((to, peer), asker.session, asker.channel, event, fx);
        if to != asker.user {
            let event = Event::ToldElsewhere { from, to: &peer.name, words, id };
            asker.show_other_seats(fx, self.user(asker.user)?, event);
        }
        let away = peer.person(to).away();
        asker.tell(fx, Reply::Sent { id, to: peer.name.shown(), words, least: None, away });
        self.note_spoke(asker);
        Ok(())
    }

    pub(super) fn set_subject(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        text: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        self.user(asker.user)?;
        self.check_text_or_empty(text, self.limits.subject_bytes_max)?;
        let (channel, user, room) = self.occupied(asker, room)?;
        let flags = room.settings.flags;
        let role = room.standing(room.key_of(user)).role(flags.has(Flag::Moderated));
        if !may(role, Act::SetSubject, flags) {
            return Err(Refusal::NotModerator);
        }
        if room.is_silenced(&Candidate::new(room.person(asker.user, user), fx)) {
            return Err(Refusal::Silenced);
        }
        let by = room.name_of(user).shown().into();
        let author = in_full(room.person(asker.user, user), fx).into();
        if room.is_lasting() {
            check_durable(fx)?;
        }
        let id = self.next_message(asker.now);
        let room = room_mut(&mut self.channels, channel)?;
        let at_millis = id.millis(); // one time, for those who are here and those who come
        room.subject = (!text.is_empty()).then(|| Subject { text: text.into(), by, author, at_millis });
        self.keep_room(channel, fx);
        let asker = Asker { channel, ..asker };
        let (room, user) = (self.room(channel)?, self.user(asker.user)?);
        asker.publish_as(fx, room, user, |by| Event::SubjectSet { by, text, id });
        asker.tell(fx, Reply::SubjectSet { room: &room.name, text, id });
        let set = Happened { text, ..Happened::bare(Past::SubjectSet, asker.user) };
        self.keep(id, channel, set, fx);
        Ok(())
    }

    pub(super) fn show_subject(&self, asker: Asker, room: RoomRef<'_>, fx: &mut impl Effects) -> Outcome {
        let (_, _, room) = self.found(asker, room)?;
        asker.reply(fx, Reply::Subject { room: &room.name, subject: room.subject_view() });
        Ok(())
    }

    /// An operator's words, for everybody who wants to hear them.
    /// What all are told, the operator who says it has said already.
    pub(super) fn announce(
        &mut self,
        asker: Asker,
        text: &str,
        to_all: bool,
        fx: &mut impl Effects,
    ) -> Outcome {
        self.operator(asker)?;
        self.check_text(text, self.limits.text_bytes_max)?;
        let by = self.user(asker.user)?.person(asker.user);
        for (&to, user) in &self.users {
            if if to_all { to != asker.user } else { user.marks().contains(Marks::WALLOPS) } {
                send((to, user), asker.session, ChannelId::NONE, Event::Announced { by, text, to_all }, fx);
            }
        }
        asker.reply(fx, Reply::Announced { text });
        Ok(())
    }

    /// Somebody else who is here, by name.
    pub(super) fn peer(&self, asker: Asker, name: &str) -> Result<UserKey, Refusal> {
        match self.names.get(&*fold(name)) {
            None => Err(Refusal::NoSuchPeer),
            Some(&key) if key == asker.user => Err(Refusal::Yourself),
            Some(&key) => Ok(key),
        }
    }

    /// Who says something is idle no more.
    fn note_spoke(&mut self, asker: Asker) {
        if let Some(user) = self.users.get_mut(&asker.user) {
            user.profile_mut().spoke = Some(asker.now.monotonic);
        }
    }

    fn check_words(&self, words: Words<'_>) -> Outcome {
        if !words.tags.is_empty() {
            self.check_text_or_empty(words.tags, self.limits.tags_bytes_max)?;
        }
        match words.form {
            Form::Tags => self.check_text_or_empty(words.text, self.limits.text_bytes_max),
            Form::Message | Form::Notice => self.check_text(words.text, self.limits.text_bytes_max),
        }
    }

    /// A text that may be relayed: not empty, not over the limit, and one line in every dialect.
    pub(super) fn check_text(&self, text: &str, bytes_max: u16) -> Outcome {
        if text.is_empty() {
            return Err(Refusal::BadText(BadText::Empty));
        }
        self.check_text_or_empty(text, bytes_max)
    }

    pub(super) fn check_text_or_empty(&self, text: &str, bytes_max: u16) -> Outcome {
        if text.len() > usize::from(bytes_max) {
            return Err(Refusal::TextTooLong { bytes_max });
        }
        if memchr3(0, b'\r', b'\n', text.as_bytes()).is_some() {
            return Err(Refusal::BadText(BadText::Control));
        }
        Ok(())
    }
}

fn may_speak(
    person: Person<'_>,
    is_inside: bool,
    room: &Room,
    words: Words<'_>,
    fx: &impl Effects,
) -> Outcome {
    let flags = room.settings.flags;
    if (flags.has(Flag::ClosedToOutsiders) || !room.knows_people()) && !is_inside {
        return Err(Refusal::ClosedToOutsiders);
    }
    check_voice(person, room, fx)?;
    if flags.has(Flag::NoControlMessages) && is_control(words.text) {
        return Err(Refusal::NoControlMessages);
    }
    Ok(())
}

/// Whether somebody has a voice in a room, for a message as for the words with which they leave.
pub(super) fn check_voice(person: Person<'_>, room: &Room, fx: &impl Effects) -> Outcome {
    // Where a room is not moderated, everybody's role is enough.
    let flags = room.settings.flags;
    let is_mute = || !may(room.standing(person.name.key()).role(true), Act::Speak, flags);
    let has_no_voice = flags.has(Flag::Moderated) && is_mute();
    // A voice does not help whoever is muted, so that they are told that first.
    match room.is_silenced(&Candidate::new(person, fx)) {
        true => Err(Refusal::Silenced),
        false if has_no_voice => Err(Refusal::NoVoice),
        false => Ok(()),
    }
}

/// Whether a text is for a program: CTCP, but for an action, which is for people. `wire::irc::ctcp` takes such texts apart;
/// the hub knows no protocol, and has this one rule of it again.
fn is_control(text: &str) -> bool {
    text.strip_prefix('\u{1}').is_some_and(|rest| {
        rest.strip_prefix("ACTION").is_none_or(|rest| !rest.is_empty() && !rest.starts_with([' ', '\u{1}']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_no_control_message() {
        for text in ["\u{1}ACTION waves\u{1}", "\u{1}ACTION", "hello \u{1}", "ACTION"] {
            assert!(!is_control(text), "{text:?}");
        }
        for text in ["\u{1}VERSION\u{1}", "\u{1}", "\u{1}ACTIONS\u{1}"] {
            assert!(is_control(text), "{text:?}");
        }
    }
}
