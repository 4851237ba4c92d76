//! Watching: who wants to hear of whose coming and going. Two indexes, the watcher's list and one by name.

use super::name::{UserName, fold};
use super::{
    Asker, ChannelId, Effects, Entry, Event, Hub, Outcome, Reply, SessionId, Trait, User, UserKey, send,
};
use std::sync::Arc;

impl Hub {
    /// Names that nobody can have are passed over.
    pub(super) fn watch(&mut self, asker: Asker, names: &[&str], fx: &mut impl Effects) -> Outcome {
        self.user(asker.user)?;
        let (mut new, mut full) = (Vec::new(), Vec::new());
        for &name in names {
            let watches_max = self.limits.watches_per_user_max;
            let Ok(watched) = UserName::new(name, self.limits.name_bytes_max) else {
                continue;
            };
            let list = self.user_mut(asker.user)?.profile_mut().watched_mut();
            if list.contains(&watched) {
                continue;
            }
            if list.len() >= watches_max {
                full.push(name);
                continue;
            }
            list.push(watched.clone());
            self.watchers.entry(Arc::clone(watched.key())).or_default().insert(asker.user);
            new.push(name);
        }
        self.tell_watched(asker, new.into_iter(), &full, fx);
        Ok(())
    }

    pub(super) fn unwatch(&mut self, asker: Asker, names: &[&str], fx: &mut impl Effects) -> Outcome {
        self.user(asker.user)?;
        for name in names {
            let key = fold(name);
            if let Some(profile) = self.user_mut(asker.user)?.known_profile_mut() {
                profile.watched_mut().retain(|watched| **watched.key() != *key);
            }
            self.take_watcher(asker.user, &key);
        }
        asker.done(fx);
        Ok(())
    }

    pub(super) fn unwatch_all(&mut self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        self.user(asker.user)?;
        self.unwatch_all_of(asker.user);
        asker.done(fx);
        Ok(())
    }

    pub(super) fn unwatch_all_of(&mut self, key: UserKey) {
        let profile = self.users.get_mut(&key).and_then(|user| user.known_profile_mut());
        for watched in profile.map(|profile| std::mem::take(profile.watched_mut())).unwrap_or_default() {
            self.take_watcher(key, watched.key());
        }
    }

    fn take_watcher(&mut self, watcher: UserKey, key: &str) {
        if let Some(watchers) = self.watchers.get_mut(key) {
            watchers.remove(&watcher);
            if watchers.is_empty() {
                self.watchers.remove(key);
            }
        }
    }

    pub(super) fn list_watched(&self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        let profile = self.user(asker.user)?.profile();
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
            match self.names.get(&*fold(name)).and_then(|&user| self.entry(asker, user, true, fx)) {
                Some(entry) => here.push(entry),
                None => gone.push(name),
            }
        }
        asker.reply(fx, Reply::Watched { here: &here, gone: &gone, full });
    }

    pub(super) fn tell_appeared(&self, asker: Asker, fx: &mut impl Effects) {
        let Some(user) = self.users.get(&asker.user) else { return };
        let event = Event::Appeared { who: user.person(asker.user) };
        self.tell_watchers(asker.session, &user.name, event, fx);
    }

    pub(super) fn tell_vanished(&self, cause: SessionId, name: &UserName, fx: &mut impl Effects) {
        self.tell_watchers(cause, name, Event::Vanished { name }, fx);
    }

    /// To those who watch somebody and are no neighbours: these have been told.
    pub(super) fn tell_watched_change(
        &self,
        key: UserKey,
        cause: SessionId,
        what: Trait,
        fx: &mut impl Effects,
    ) {
        let Some(user) = self.users.get(&key) else { return };
        let event = Event::WatchedChanged { who: user.person(key), what };
        for to in self.watchers_of(&user.name) {
            if to.0 != key && !self.share_room(to.1, user) {
                send(to, cause, ChannelId::NONE, event, fx);
            }
        }
    }

    fn tell_watchers(&self, cause: SessionId, name: &UserName, event: Event<'_>, fx: &mut impl Effects) {
        for to in self.watchers_of(name) {
            send(to, cause, ChannelId::NONE, event, fx);
        }
    }

    fn watchers_of(&self, name: &UserName) -> impl Iterator<Item = (UserKey, &User)> {
        let watchers = self.watchers.get(name.key()).into_iter().flatten();
        watchers.filter_map(|&watcher| Some((watcher, self.user(watcher).ok()?)))
    }
}
