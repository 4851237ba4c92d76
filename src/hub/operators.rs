//! What operators see of the whole server, and what they do to accounts.

use super::lasting::check_durable;
use super::name::fold;
use super::record::AccountId;
use super::view::{AccountView, Census, SessionView};
use super::{Asker, Effects, Hub, Outcome, Refusal, Reply, SessionId, User, UserKey};
use std::collections::HashMap;
use std::ops::Bound;

impl Hub {
    /// By name, and where somebody has several, by number. `after`: a name, and a session of theirs behind which it goes
    /// on; without one, behind all of them.
    pub(super) fn list_sessions(
        &self,
        asker: Asker,
        after: (&str, Option<SessionId>),
        fx: &mut impl Effects,
    ) -> Outcome {
        self.operator(asker)?;
        let (name, session) = (fold(after.0), after.1);
        let begin = match session {
            Some(_) => Bound::Included(&*name),
            None => Bound::Excluded(&*name),
        };
        let page = self.limits.page_entries_max;
        let (mut entries, mut more) = (Vec::new(), false);
        'names: for (key, &user_key) in self.names.range::<str, _>((begin, Bound::Unbounded)) {
            let Some(user) = self.users.get(&user_key) else { continue };
            let mut seats: Vec<SessionId> = user.seats(user_key).collect();
            seats.sort_unstable();
            seats.retain(|&seat| **key != *name || session.is_none_or(|session| seat > session));
            for seat in seats {
                if entries.len() >= page {
                    more = true;
                    break 'names;
                }
                entries.push(session_view(asker, (user_key, user), seat, fx));
            }
        }
        let next = entries.last().filter(|_| more).map(|last| (last.name, last.session));
        asker.reply(fx, Reply::Sessions { entries: &entries, next });
        Ok(())
    }

    pub(super) fn list_accounts(&self, asker: Asker, after: &str, fx: &mut impl Effects) -> Outcome {
        self.operator(asker)?;
        let page = self.limits.page_entries_max;
        let after = fold(after);
        let mut found: Vec<_> = self.accounts_behind(&after).take(page.saturating_add(1)).collect();
        let more = found.len() > page;
        found.truncate(page);
        let mut sessions: HashMap<AccountId, usize> = found.iter().map(|&(id, ..)| (id, 0)).collect();
        for (&key, user) in &self.users {
            if let Some(count) = user.identity().and_then(|identity| sessions.get_mut(&identity.id)) {
                *count += user.seats(key).count();
            }
        }
        let entries: Vec<AccountView<'_>> = found
            .into_iter()
            .map(|(id, name, made_millis)| {
                let sessions = sessions.get(&id).copied().unwrap_or(0);
                AccountView { name, made_millis, sessions }
            })
            .collect();
        let next = entries.last().filter(|_| more).map(|last| last.name);
        asker.reply(fx, Reply::Accounts { entries: &entries, next });
        Ok(())
    }

    /// Whoever is here with it keeps their name, and hears of it.
    pub(super) fn drop_account(&mut self, asker: Asker, name: &str, fx: &mut impl Effects) -> Outcome {
        self.operator(asker)?;
        let id = self.account_named(name).ok_or(Refusal::NoSuchAccount)?;
        check_durable(fx)?;
        let name = self.remove_account(asker, id, fx).ok_or(Refusal::NoSuchAccount)?;
        asker.reply(fx, Reply::AccountDropped { name: name.shown() });
        Ok(())
    }

    /// How much there is of everything, behind a figure of this name; all of it, where there is no such figure.
    pub(super) fn show_status(&self, asker: Asker, after: &str, fx: &mut impl Effects) -> Outcome {
        self.operator(asker)?;
        let figures = fx.figures(&self.census());
        let begin = figures.iter().position(|figure| figure.name == after).map_or(0, |at| at + 1);
        asker.reply(fx, Reply::Status { figures: figures.get(begin..).unwrap_or_default() });
        Ok(())
    }

    /// How much there is of everything.
    pub fn census(&self) -> Census {
        let (relays, accounts, bans) = (self.relays_len(), self.accounts_len(), self.bans_len());
        Census { counts: self.counts(), relays, accounts, bans }
    }
}

fn session_view<'a>(
    asker: Asker,
    (key, user): (UserKey, &'a User),
    session: SessionId,
    fx: &impl Effects,
) -> SessionView<'a> {
    let observed = fx.observed(session);
    let seconds = |since| asker.now.monotonic.saturating_duration_since(since).as_secs();
    SessionView {
        session,
        name: user.name.shown(),
        account: user.person(key).account,
        address: observed.map(|observed| observed.tcp.ip()),
        rooms: user.rooms.len(),
        online_seconds: seconds(user.since),
        heard_seconds: observed.map_or(0, |observed| seconds(observed.heard)),
    }
}
