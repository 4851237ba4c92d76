//! Accounts: names that are their owners' even while these are not here.
//!
//! A password is never the hub's: what is kept of it goes to and fro in a [`Secret`], and whether it is right is for the
//! world to say ([`Effects::prove`], [`Hub::proved`]), because that takes longer than a turn may. Meanwhile the session
//! waits; should it leave, nobody learns what came of it.

mod scram;
mod terms;

pub use terms::{AccountChange, Proof, Proved, Registration};

use super::lasting::check_durable;
use super::name::{UserName, fold};
use super::record::{AccountId, AccountRecord, Record, Secret};
use super::{
    Asker, ChannelId, Effects, Event, Hub, Moment, Outcome, Refusal, Reply, RequestId, SessionId, Trait,
    UserKey, tell_neighbours,
};
use smallvec::SmallVec;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

/// Everybody who has an account.
#[derive(Default)]
pub(super) struct Accounts {
    /// By folded name.
    by_name: BTreeMap<Arc<str>, Account>,
    names: HashMap<AccountId, Arc<str>>,
    /// The highest number that was ever given.
    last: AccountId,
    /// What is being looked at, by whoever waits for it.
    pending: HashMap<SessionId, Pending>,
    /// Those who are here, by the account that they have identified themselves for.
    here: HashMap<AccountId, SmallVec<[UserKey; 1]>>,
    /// Who has identified themselves, and has no name here yet.
    before_login: HashMap<SessionId, AccountId>,
}

struct Account {
    id: AccountId,
    name: UserName,
    secret: Box<Secret>,
    made_millis: u64,
}

/// What somebody waits for, and by which request.
struct Pending {
    request: RequestId,
    what: Wanted,
}

enum Wanted {
    Register(UserName),
    Identify(AccountId),
    /// There is no such account.
    IdentifyNobody,
    Change(AccountId),
    Delete(AccountId),
}

/// The account of somebody who is here.
#[derive(Clone)]
pub(super) struct Identity {
    pub id: AccountId,
    pub name: UserName,
}

impl Account {
    fn identity(&self) -> Identity {
        Identity { id: self.id, name: self.name.clone() }
    }

    fn record(&self) -> Record {
        let Account { id, name, secret, made_millis } = self;
        let (name, secret) = (name.shown().into(), (**secret).clone());
        Record::Account(AccountRecord { id: *id, name, secret, made_millis: *made_millis })
    }
}

impl Accounts {
    fn named(&self, name: &str) -> Option<&Account> {
        self.by_name.get(&*fold(name))
    }

    fn get(&self, id: AccountId) -> Option<&Account> {
        self.by_name.get(self.names.get(&id)?)
    }

    fn insert(&mut self, account: Account) {
        self.last = self.last.max(account.id);
        self.names.insert(account.id, Arc::clone(account.name.key()));
        self.by_name.insert(Arc::clone(account.name.key()), account);
    }

    fn remove(&mut self, id: AccountId) -> Option<Account> {
        self.by_name.remove(&self.names.remove(&id)?)
    }

    /// All numbers up to this one were given to somebody.
    pub fn note_given(&mut self, last: AccountId) {
        self.last = self.last.max(last);
    }

    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Those who are here under an account.
    pub fn users_of(&self, id: AccountId) -> &[UserKey] {
        self.here.get(&id).map_or(&[], |users| users)
    }

    pub fn name_of(&self, id: AccountId) -> Option<&UserName> {
        self.get(id).map(|account| &account.name)
    }

    /// Whose account a user had, and whose they have.
    pub fn note_identity(&mut self, user: UserKey, before: Option<AccountId>, after: Option<AccountId>) {
        if let Some(before) = before
            && let Some(users) = self.here.get_mut(&before)
        {
            users.retain(|other| *other != user);
            if users.is_empty() {
                self.here.remove(&before);
            }
        }
        if let Some(after) = after {
            self.here.entry(after).or_default().push(user);
        }
    }

    /// How many there are who are here under an account.
    pub fn here_len(&self) -> usize {
        self.here.values().map(|users| users.len()).sum()
    }

    /// A session is gone.
    pub fn forget_session(&mut self, session: SessionId) {
        self.pending.remove(&session);
        self.before_login.remove(&session);
    }

    /// Whether the index of numbers is that of names.
    pub fn agree(&self) -> bool {
        self.names.len() == self.by_name.len()
            && self.by_name.iter().all(|(key, account)| {
                self.names.get(&account.id) == Some(key)
                    && account.name.key() == key
                    && account.id <= self.last
            })
    }
}

impl Hub {
    /// Takes an account that was there before the server started.
    pub(super) fn restore_account(&mut self, record: AccountRecord) -> Outcome {
        let AccountRecord { id, name, secret, made_millis } = record;
        let name = UserName::new(&name, u8::MAX)?; // whatever the limit was, and is now
        if self.accounts.by_name.contains_key(name.key()) {
            return Err(Refusal::AccountExists);
        }
        self.accounts.insert(Account { id, name, secret: Box::new(secret), made_millis });
        Ok(())
    }

    pub fn accounts_len(&self) -> usize {
        self.accounts.len()
    }

    /// Whose account a name is, if it is one's.
    pub(super) fn account_named(&self, name: &str) -> Option<AccountId> {
        self.accounts.named(name).map(|account| account.id)
    }

    /// The account that a session has identified itself for.
    pub(super) fn identity(&self, session: SessionId) -> Option<Identity> {
        match self.users.get(&self.user_of(session)) {
            Some(user) => user.identity().cloned(),
            None => Some(self.accounts.get(*self.accounts.before_login.get(&session)?)?.identity()),
        }
    }

    /// What somebody brings along who logs in now.
    pub(super) fn take_identity(&mut self, session: SessionId) -> Option<Identity> {
        let id = self.accounts.before_login.remove(&session)?;
        Some(self.accounts.get(id)?.identity())
    }

    /// A name that is somebody's account is for them alone.
    pub(super) fn check_reserved(&self, session: SessionId, name: &UserName) -> Outcome {
        let Some(account) = self.accounts.by_name.get(name.key()) else { return Ok(()) };
        match self.identity(session) {
            Some(identity) if identity.id == account.id => Ok(()),
            _ => Err(Refusal::NameReserved),
        }
    }

    /// An empty name is the one that the asker has.
    pub(super) fn register(
        &mut self,
        asker: Asker,
        name: &str,
        password: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        let user = self.users.get(&asker.user);
        match self.limits.registration {
            Registration::Closed => return Err(Refusal::RegistrationClosed),
            Registration::Open if user.is_none() => return Err(Refusal::NotLoggedIn),
            Registration::Open | Registration::BeforeLogin => {}
        }
        if self.identity(asker.session).is_some() {
            return Err(Refusal::AlreadyIdentified);
        }
        let name = match user {
            Some(user) if name.is_empty() => user.name.clone(),
            _ => UserName::new(name, self.limits.name_bytes_max)?,
        };
        self.check_registrable(asker.session, &name)?;
        self.check_new_password(password)?;
        check_durable(fx)?;
        self.prove(asker, Wanted::Register(name), Proof::Make { password }, fx)
    }

    fn check_registrable(&self, session: SessionId, name: &UserName) -> Outcome {
        if self.accounts.by_name.contains_key(name.key()) {
            return Err(Refusal::AccountExists);
        }
        if self.names.get(name.key()).is_some_and(|&owner| owner != self.user_of(session)) {
            return Err(Refusal::NameTaken);
        }
        let accounts_max = self.limits.accounts_max;
        if self.accounts.len() >= accounts_max {
            Err(Refusal::TooManyAccounts { accounts_max })
        } else {
            Ok(())
        }
    }

    fn check_new_password(&self, password: &str) -> Outcome {
        let bytes_max = self.limits.account_password_bytes_max;
        if password.is_empty() || password.len() > bytes_max.into() {
            return Err(Refusal::BadAccountPassword { bytes_max });
        }
        Ok(())
    }

    /// Longer ones were never taken, and are not worth the time.
    fn check_old_password(&self, password: &str) -> Outcome {
        let bytes_max = self.limits.account_password_bytes_max;
        if password.len() > bytes_max.into() { Err(Refusal::WrongPassword) } else { Ok(()) }
    }

    /// Whoever gives the password of an account is its owner.
    pub(super) fn identify(
        &mut self,
        asker: Asker,
        name: &str,
        password: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        if self.identity(asker.session).is_some() {
            return Err(Refusal::AlreadyIdentified);
        }
        let own = self.users.get(&asker.user).map(|user| user.name.clone());
        let name = own.as_ref().filter(|_| name.is_empty()).map_or(name, UserName::shown);
        self.check_old_password(password)?;
        if is_too_long(name) {
            return Err(Refusal::WrongPassword);
        }
        let found = self.accounts.named(name);
        let wanted = found.map_or(Wanted::IdentifyNobody, |account| Wanted::Identify(account.id));
        let hash = found.map(|account| account.secret.hash.clone());
        self.prove(asker, wanted, Proof::Check { account: name, hash: hash.as_deref(), password }, fx)
    }

    pub(super) fn show_account(&self, asker: Asker, name: &str, fx: &mut impl Effects) -> Outcome {
        let account = match name {
            "" => self.identity(asker.session).and_then(|identity| self.accounts.get(identity.id)),
            name => self.accounts.named(name),
        };
        let missing = if name.is_empty() { Refusal::NotIdentified } else { Refusal::NoSuchAccount };
        let Account { name, made_millis, .. } = account.ok_or(missing)?;
        asker.reply(fx, Reply::KnownAccount { name: name.shown(), made_millis: *made_millis });
        Ok(())
    }

    /// Whoever has the name of the account needs the account to have it.
    pub(super) fn log_out(&mut self, asker: Asker, fx: &mut impl Effects) -> Outcome {
        let identity = self.identity(asker.session).ok_or(Refusal::NotIdentified)?;
        if self.users.get(&asker.user).is_some_and(|user| user.name == identity.name) {
            return Err(Refusal::NameNeedsAccount);
        }
        self.accounts.before_login.remove(&asker.session);
        self.end_other_seats(asker.now, asker.user, asker.session, fx);
        self.set_identity(asker.session, None, fx);
        asker.reply(fx, Reply::Account { name: identity.name.shown(), change: AccountChange::LoggedOut });
        Ok(())
    }

    pub(super) fn change_password(
        &mut self,
        asker: Asker,
        old: &str,
        new: &str,
        fx: &mut impl Effects,
    ) -> Outcome {
        let (id, name, hash) = self.own_account(asker.session)?;
        self.check_old_password(old)?;
        self.check_new_password(new)?;
        check_durable(fx)?;
        self.prove(
            asker,
            Wanted::Change(id),
            Proof::Change { account: name.shown(), hash: &hash, old, new },
            fx,
        )
    }

    pub(super) fn delete_account(&mut self, asker: Asker, password: &str, fx: &mut impl Effects) -> Outcome {
        let (id, name, hash) = self.own_account(asker.session)?;
        self.check_old_password(password)?;
        check_durable(fx)?;
        let proof = Proof::Check { account: name.shown(), hash: Some(&hash), password };
        self.prove(asker, Wanted::Delete(id), proof, fx)
    }

    fn own_account(&self, session: SessionId) -> Result<(AccountId, UserName, Box<str>), Refusal> {
        let identity = self.identity(session).ok_or(Refusal::NotIdentified)?;
        let account = self.accounts.get(identity.id).ok_or(Refusal::NotIdentified)?;
        Ok((account.id, account.name.clone(), account.secret.hash.clone()))
    }

    fn prove(&mut self, asker: Asker, what: Wanted, proof: Proof<'_>, fx: &mut impl Effects) -> Outcome {
        if self.accounts.pending.contains_key(&asker.session) {
            return Err(Refusal::StillProving);
        }
        self.accounts.pending.insert(asker.session, Pending { request: asker.request, what });
        fx.prove(asker.session, proof);
        Ok(())
    }

    /// What came of [`Effects::prove`]. Nothing, where nobody waits for it any more.
    pub fn proved(&mut self, now: Moment, session: SessionId, proved: Proved, fx: &mut impl Effects) {
        self.times.note(now);
        let Some(Pending { request, what }) = self.accounts.pending.remove(&session) else { return };
        let asker = self.asker(now, session, request, ChannelId::NONE);
        if let Err(refusal) = self.go_on(asker, what, proved, fx) {
            asker.reply(fx, Reply::Refused(refusal));
        }
    }

    fn go_on(&mut self, asker: Asker, what: Wanted, proved: Proved, fx: &mut impl Effects) -> Outcome {
        match (what, proved) {
            (_, Proved::Wrong) => Err(Refusal::WrongPassword),
            (Wanted::Register(_), Proved::NotYet { wait }) => {
                Err(Refusal::TooManyRegistrations { seconds: whole_seconds(wait) })
            }
            (_, Proved::NotYet { wait }) => Err(Refusal::TryLater { seconds: whole_seconds(wait) }),
            (Wanted::Register(name), Proved::Made(secret)) => self.make_account(asker, name, secret, fx),
            (Wanted::Identify(id), Proved::Right) => self.identify_as(asker, id, fx),
            (Wanted::Change(id), Proved::Made(secret)) => self.replace_secret(asker, id, secret, fx),
            (Wanted::Delete(id), Proved::Right) => self.end_account(asker, id, fx),
            _ => Err(Refusal::CannotProve),
        }
    }

    fn make_account(
        &mut self,
        asker: Asker,
        name: UserName,
        secret: Secret,
        fx: &mut impl Effects,
    ) -> Outcome {
        // While the password was looked at, others went on.
        self.check_registrable(asker.session, &name)?;
        check_durable(fx)?;
        let id = self.accounts.last.next(asker.now.unix_millis);
        let account = Account { id, name, secret: Box::new(secret), made_millis: asker.now.unix_millis };
        let (record, identity) = (account.record(), account.identity());
        fx.store(record);
        self.accounts.insert(account);
        self.set_identity(asker.session, Some(identity.clone()), fx);
        asker.reply(fx, Reply::Account { name: identity.name.shown(), change: AccountChange::Registered });
        Ok(())
    }

    fn identify_as(&mut self, asker: Asker, id: AccountId, fx: &mut impl Effects) -> Outcome {
        let identity = self.accounts.get(id).ok_or(Refusal::WrongPassword)?.identity();
        self.set_identity(asker.session, Some(identity.clone()), fx);
        asker.reply(fx, Reply::Account { name: identity.name.shown(), change: AccountChange::Identified });
        Ok(())
    }

    fn replace_secret(
        &mut self,
        asker: Asker,
        id: AccountId,
        secret: Secret,
        fx: &mut impl Effects,
    ) -> Outcome {
        check_durable(fx)?;
        let key = self.accounts.names.get(&id).ok_or(Refusal::NotIdentified)?;
        let account = self.accounts.by_name.get_mut(key).ok_or(Refusal::NotIdentified)?;
        *account.secret = secret;
        fx.store(account.record());
        let change = AccountChange::PasswordChanged;
        asker.reply(fx, Reply::Account { name: account.name.shown(), change });
        Ok(())
    }

    fn end_account(&mut self, asker: Asker, id: AccountId, fx: &mut impl Effects) -> Outcome {
        check_durable(fx)?;
        let name = self.remove_account(asker, id, fx).ok_or(Refusal::NotIdentified)?;
        asker.reply(fx, Reply::Account { name: name.shown(), change: AccountChange::Deleted });
        Ok(())
    }

    /// Whoever else is identified for it is told. Returns the name of the account that is no more.
    pub(super) fn remove_account(
        &mut self,
        asker: Asker,
        id: AccountId,
        fx: &mut impl Effects,
    ) -> Option<UserName> {
        let account = self.accounts.remove(id)?;
        fx.store(Record::AccountGone(id));
        let of_newcomers = self.accounts.before_login.iter().filter(|(_, of)| **of == id);
        let newcomers: Vec<SessionId> = of_newcomers.map(|(&session, _)| session).collect();
        let of_account = self.users.iter().filter(|(_, user)| user.identity().is_some_and(|i| i.id == id));
        let mut users: Vec<UserKey> = of_account.map(|(&key, _)| key).collect();
        users.sort_unstable(); // so that it is the same each time
        let reply = Reply::Account { name: account.name.shown(), change: AccountChange::Deleted };
        for session in newcomers {
            self.accounts.before_login.remove(&session);
            if session != asker.session {
                asker.tell_seat(fx, session, reply);
            }
        }
        for key in users {
            let Ok(user) = self.user(key) else { continue };
            let stays = if key == asker.user { asker.session } else { user.first_seat(key) };
            self.end_other_seats(asker.now, key, stays, fx);
            self.set_user_identity(key, stays, None, fx);
            if stays != asker.session {
                asker.tell_seat(fx, stays, reply);
            }
        }
        self.drop_all_wishes_of(id);
        self.forget_member(id, fx);
        Some(account.name)
    }

    /// In the order of folded names, behind this one: number, name, and when it was made.
    pub(super) fn accounts_behind(&self, after: &str) -> impl Iterator<Item = (AccountId, &str, u64)> {
        let rest = self.accounts.by_name.range::<str, _>((Bound::Excluded(after), Bound::Unbounded));
        rest.map(|(_, account)| (account.id, account.name.shown(), account.made_millis))
    }

    /// Tells those who see them. Who is not logged in is seen by nobody.
    fn set_identity(&mut self, session: SessionId, identity: Option<Identity>, fx: &mut impl Effects) {
        let key = self.user_of(session);
        match identity {
            identity if self.users.contains_key(&key) => self.set_user_identity(key, session, identity, fx),
            Some(identity) => _ = self.accounts.before_login.insert(session, identity.id),
            None => _ = self.accounts.before_login.remove(&session),
        }
    }

    fn set_user_identity(
        &mut self,
        key: UserKey,
        cause: SessionId,
        identity: Option<Identity>,
        fx: &mut impl Effects,
    ) {
        let Some(user) = self.users.get_mut(&key) else { return };
        let (before, after) = (user.identity().map(|i| i.id), identity.as_ref().map(|i| i.id));
        user.rare_mut().identity = identity.map(Box::new);
        self.accounts.note_identity(key, before, after);
        let Some(user) = self.users.get(&key) else { return };
        let event = Event::AccountChanged { who: user.person(key) };
        tell_neighbours(user, &self.known_in(user), cause, event, fx);
        self.tell_watched_change(key, cause, Trait::Account, fx);
        self.refresh_rooms_of(key, fx);
    }
}

/// No account has such a name: the length of one is counted in a byte.
fn is_too_long(name: &str) -> bool {
    name.len() > usize::from(u8::MAX)
}

/// After so many, whoever waits need not wait any more.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(1)
}
