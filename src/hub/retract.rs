//! Retracting what was said: its author may, and who moderates the room. That something was said stays; what, nobody
//! reads any more, in memory or in storage.

use super::happening::{Happening, happenings};
use super::moderation::check_act;
use super::past::Wanted;
use super::privileges::Act;
use super::record::{Fetch, Record, Span};
use super::{Asker, ChannelId, Effects, Event, Hub, MessageId, Outcome, Refusal, Reply, RoomRef, UserKey};

/// What is to be retracted, and why.
pub(super) struct Retraction {
    pub id: MessageId,
    pub text: Box<str>,
}

impl Hub {
    pub(super) fn retract(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        (id, text): (MessageId, &str),
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, ..) = self.occupied(asker, room)?;
        self.check_text_or_empty(text, self.limits.kick_bytes_max)?;
        let asker = Asker { channel, ..asker };
        let retraction = Retraction { id, text: text.into() };
        let history = self.history(channel, fx)?;
        if let Some((happening, author)) = history.find(id) {
            let mut bytes = Vec::new();
            happening.encode(&mut bytes);
            return self.retract_found(asker, &retraction, (&bytes, Some(author)), fx);
        }
        if history.may_be_stored(id)
            && let Some(room) = history.lasting
        {
            let (after, before) =
                (id.0.checked_sub(1).map(MessageId), Some(MessageId(id.0.saturating_add(1))));
            let span = Span { after, before, newest: false, limit: 1, said_only: true };
            if fx.fetch(asker.session, Fetch::Past { room, spans: vec![span] }) {
                self.wait(asker, Wanted::Retraction { channel, retraction });
                return Ok(());
            }
        }
        Err(Refusal::NoSuchMessage)
    }

    /// Goes on with what storage has of it.
    pub(super) fn retract_stored(
        &mut self,
        asker: Asker,
        channel: ChannelId,
        retraction: &Retraction,
        bytes: &[u8],
        fx: &mut impl Effects,
    ) -> Outcome {
        self.occupied(asker, RoomRef::Channel(channel))?;
        self.retract_found(asker, retraction, (bytes, None), fx)
    }

    /// `author`: who said it, where that is known otherwise than by their account.
    fn retract_found(
        &mut self,
        asker: Asker,
        Retraction { id, text }: &Retraction,
        (bytes, author): (&[u8], Option<UserKey>),
        fx: &mut impl Effects,
    ) -> Outcome {
        let (_, user, room) = self.occupied(asker, RoomRef::Channel(asker.channel))?;
        let said = happenings(bytes).next().filter(|happening| happening.view.id == *id);
        let said = said.filter(|said| said.view.what.is_said() && said.view.retracted.is_none());
        let said = said.ok_or(Refusal::NoSuchMessage)?;
        let is_own = match (said.owner, user.identity()) {
            (Some(owner), Some(identity)) => owner == identity.id,
            (Some(_), None) => false,
            (None, _) => author == Some(asker.user),
        };
        if !is_own && check_act(user, room, Act::Kick).is_err() {
            return Err(Refusal::NotYours);
        }
        let by_name: Box<str> = room.name_of(user).shown().into();
        asker.publish_as(fx, room, user, |by| Event::Retracted { by, id: *id, text });
        let mut bytes = Vec::new();
        let Happening { view, owner } = said;
        Happening { view, owner }.retracted(&by_name, text).encode(&mut bytes);
        let room = super::rooms::room_mut(&mut self.channels, asker.channel)?;
        if let Some(history) = &mut room.history {
            let before = history.size();
            history.replace(*id, &bytes);
            self.pasts.bytes = self.pasts.bytes + history.size() - before;
            if let Some(room) = history.lasting {
                fx.store(Record::Retracted { room, id: *id, by: by_name, reason: text.clone() });
            }
        }
        asker.tell(fx, Reply::Retracted { room: &room.name, id: *id, text });
        Ok(())
    }
}
