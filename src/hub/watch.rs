//! Watching: who wants to hear of whose coming and going. Two indexes, the watcher's list and one by name.

use super::name::{UserName, fold};
use super::{Asker, ChannelId, Effect, Effects, Entry, Event, Hub, Outcome, Reply, SessionId, Trait};
use std::sync::Arc;

impl Hub {
    /// Names that nobody can have are passed over.
    pub(super) fn watch(&mut self, asker: Asker, names: &[&str], fx: &mut impl Effects) -> Outcome {
        self.user(asker.session)?;
        let (mut new, mut full) = (Vec::new(), Vec::new());
        for &name in names {
            let watches_max = self.limits.watches_per_user_max;
            let Ok(watched) = UserName::new(name, self.limits.name_bytes_max) else {
                continue;
            };
            let list = self.user_mut(asker.session)?.profile_mut().watched_mut();
            if list.contains(&watched) {
                continue;
            }
            if list.len() >= watches_max {
                full.push(name);
                continue;
            }
            list.push(watched.clone());
            self.watchers.entry(Arc::clone(watched.key())).or_default().insert(asker.session);
            new.push(name);
        }
        self.tell_watched(asker, new.into_iter(), &full, fx);
        Ok(())
    }

    pub(super) fn unwatch(&mut self, asker: Asker, names: &[&str], fx: &mut impl Effects) -> Outcome {
        self.user(asker.session)?;
        for name in names {
            let key = fold(name);
            if let Some(profile) = self.user_mut(asker.session)?.known_profile_mut() {
                profile.watched_mut().retain(|watched| **watched.key() != *key);
            }
            self.take_watcher(asker.session, &key);
        }
        asker.done(fx);
        Ok(())
    }

    pub(super) fn unwatch_all(&mut self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        self.user(asker.session)?;
        self.unwatch_all_of(asker.session);
        asker.done(fx);
        Ok(())
    }

    pub(super) fn unwatch_all_of(&mut self, session: SessionId) {
        let profile = self.users.get_mut(&session).and_then(|user| user.known_profile_mut());
        for watched in profile.map(|profile| std::mem::take(profile.watched_mut())).unwrap_or_default() {
            self.take_watcher(session, watched.key());
        }
    }

    fn take_watcher(&mut self, session: SessionId, key: &str) {
        if let Some(watchers) = self.watchers.get_mut(key) {
            watchers.remove(&session);
            if watchers.is_empty() {
                self.watchers.remove(key);
            }
        }
    }

    pub(super) fn list_watched(&self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        let profile = self.user(asker.session)?.profile();
        let watched = profile.map_or(&[][..], |profile| profile.watched());
        self.tell_watched(asker, watched.iter().map(UserName::shown), &[], fx);
        Ok(())
    }

    fn tell_watched<'a>(
        &self,
        asker: Asker,
        names: impl Iterator<Item = &'a str>,
        full: &[&str],
        fx: &mut impl Effects,
    ) {
        let (mut here, mut gone): (Vec<Entry<'_>>, Vec<&str>) = (Vec::new(), Vec::new());
        for name in names {
            match self.names.get(&*fold(name)).and_then(|session| self.entry(asker, *session, true, fx)) {
                Some(entry) => here.push(entry),
                None => gone.push(name),
            }
        }
        asker.reply(fx, Reply::Watched { here: &here, gone: &gone, full });
    }

    pub(super) fn tell_appeared(&self, session: SessionId, fx: &mut impl Effects) {
        let Some(user) = self.users.get(&session) else { return };
        let event = Event::Appeared { who: user.person(session) };
        self.tell_watchers(session, &user.name, event, fx);
    }

    pub(super) fn tell_vanished(&self, session: SessionId, name: &UserName, fx: &mut impl Effects) {
        self.tell_watchers(session, name, Event::Vanished { name }, fx);
    }

    /// To those who watch somebody and are no neighbours: these have been told.
    pub(super) fn tell_watched_change(&self, session: SessionId, what: Trait, fx: &mut impl Effects) {
        let Some(user) = self.users.get(&session) else { return };
        let shares_room = |watcher: &SessionId| {
            self.users.get(watcher).is_some_and(|watcher| watcher.shares_room_with(user))
        };
        let event = Event::WatchedChanged { who: user.person(session), what };
        for &to in
            self.watchers_of(&user.name).filter(|&&watcher| watcher != session && !shares_room(&watcher))
        {
            fx.emit(Effect::Send { to, cause: session, channel: ChannelId::NONE, room: None, event });
        }
    }

    fn tell_watchers(&self, cause: SessionId, name: &UserName, event: Event<'_>, fx: &mut impl Effects) {
        for &to in self.watchers_of(name) {
            fx.emit(Effect::Send { to, cause, channel: ChannelId::NONE, room: None, event });
        }
    }

    fn watchers_of(&self, name: &UserName) -> impl Iterator<Item = &SessionId> {
        self.watchers.get(name.key()).into_iter().flatten()
    }
}
