//! Peers by name: who is here, and a word to one of them.

use super::name::fold;
use super::rooms::behind;
use super::{Asker, Effect, Effects, Event, Hub, Outcome, Refusal, Reply, SessionId};
use std::time::Instant;

impl Hub {
    pub(super) fn tell(&mut self, asker: Asker, to: &str, text: &str, fx: &mut impl Effects) -> Outcome {
        let from = &self.user(asker.session)?.name;
        self.check_text(text, self.limits.text_bytes_max)?;
        let to = self.peer(asker, to)?;
        let event = Event::Told { from, text };
        fx.emit(Effect::Send { to, cause: asker.session, channel: asker.channel, event });
        asker.done(fx);
        Ok(())
    }

    pub(super) fn lookup(
        &mut self,
        now: Instant,
        asker: Asker,
        name: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        self.user(asker.session)?;
        let session = self.names.get(&*fold(name)).ok_or(Refusal::NoSuchPeer)?;
        let peer = self.users.get(session).ok_or(Refusal::NoSuchPeer)?;
        let observed = fx.observed(*session);
        let heard = observed.map_or(peer.since, |observed| observed.heard);
        let listing = peer.listing();
        let addresses = listing.map(|listing| Hub::shown_addresses(listing, observed)).unwrap_or_default();
        let reply = Reply::Peer {
            name: peer.name.shown(),
            relays: peer.payload_max > 0,
            offers: listing.map(|listing| listing.offers).unwrap_or_default(),
            online_seconds: now.saturating_duration_since(peer.since).as_secs(),
            heard_seconds: now.saturating_duration_since(heard).as_secs(),
            addresses: &addresses,
        };
        asker.reply(fx, reply);
        Ok(())
    }

    pub(super) fn list_peers(&mut self, asker: Asker, after: &str, fx: &mut impl Effects) -> Outcome {
        self.user(asker.session)?;
        let (names, more) =
            self.page_of_names(self.names.range::<str, _>(behind(&fold(after))).map(|(name, _)| name));
        asker.reply(fx, Reply::Peers { names: &names, more });
        Ok(())
    }

    /// Somebody else who is here, by name.
    pub(super) fn peer(&self, asker: Asker, name: &str) -> Result<SessionId, Refusal> {
        match self.names.get(&*fold(name)) {
            None => Err(Refusal::NoSuchPeer),
            Some(&session) if session == asker.session => Err(Refusal::Yourself),
            Some(&session) => Ok(session),
        }
    }
}
