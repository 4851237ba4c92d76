//! Everybody who has an account, who of them is here, and what they wait for. What becomes of it, `accounts` has.

use super::name::{UserName, fold};
use super::record::{AccountId, AccountRecord, Record, Secret};
use super::{RequestId, SessionId, UserKey};
use smallvec::SmallVec;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Everybody who has an account.
#[derive(Default)]
pub(super) struct Accounts {
    /// By folded name.
    pub by_name: BTreeMap<Arc<str>, Account>,
    pub names: HashMap<AccountId, Arc<str>>,
    pub last: u64,
    /// What is being looked at, by whoever waits for it.
    pub pending: HashMap<SessionId, Pending>,
    /// Those who are here, by the account that they have identified themselves for.
    here: HashMap<AccountId, SmallVec<[UserKey; 1]>>,
    /// Who has identified themselves, and has no name here yet.
    pub before_login: HashMap<SessionId, AccountId>,
}

pub(super) struct Account {
    pub id: AccountId,
    pub name: UserName,
    pub secret: Box<Secret>,
    /// In milliseconds since 1970.
    pub made_millis: u64,
}

/// What somebody waits for, and by which request.
pub(super) struct Pending {
    pub request: RequestId,
    pub what: Wanted,
}

pub(super) enum Wanted {
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
    pub fn identity(&self) -> Identity {
        Identity { id: self.id, name: self.name.clone() }
    }

    pub fn record(&self) -> Record {
        let Account { id, name, secret, made_millis } = self;
        let (name, secret) = (name.shown().into(), (**secret).clone());
        Record::Account(AccountRecord { id: *id, name, secret, made_millis: *made_millis })
    }
}

impl Accounts {
    pub fn named(&self, name: &str) -> Option<&Account> {
        self.by_name.get(&*fold(name))
    }

    pub fn get(&self, id: AccountId) -> Option<&Account> {
        self.by_name.get(self.names.get(&id)?)
    }

    pub fn insert(&mut self, account: Account) {
        self.last = self.last.max(account.id.0);
        self.names.insert(account.id, Arc::clone(account.name.key()));
        self.by_name.insert(Arc::clone(account.name.key()), account);
    }

    pub fn remove(&mut self, id: AccountId) -> Option<Account> {
        self.by_name.remove(&self.names.remove(&id)?)
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
                    && account.id.0 <= self.last
            })
    }
}
