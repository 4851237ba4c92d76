//! Who may do more than others: the server's password and its operators, as the config has them; and what becomes of a
//! password that a client gives.

use super::address::ClientAddress;
use super::checks::{AccountProof, Given, Purpose};
use super::connection::Connection;
use super::counters::Pause;
use super::exchange::Exchange;
use super::passwords::Cost;
use super::trace::trace;
use crate::hub::record::Secret;
use crate::hub::{Network, Proved, RequestId, mask};
use crate::net::blocks::Expect;
use crate::net::{Key, Socket};
use crate::session::{Credential, Verdict};
use crate::wire::cut;
use log::{info, warn};

/// Passwords are hashes, as PHC strings.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Credentials {
    /// What everybody has to know who wants to come in.
    pub password: Option<String>,
    pub operators: Vec<Operator>,
    /// From where the server's figures may be asked for over HTTP.
    pub metrics: Vec<Network>,
}

/// Somebody who runs the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    pub name: String,
    pub password: String,
    /// A mask for where they come from: an IP address, or a cloak.
    pub host: String,
}

/// A password that is to be looked at elsewhere: that takes longer than a turn may.
#[derive(Debug)]
pub struct Check {
    /// What it is to be held against; nothing, where it is a new one.
    pub hash: Option<String>,
    pub password: String,
    /// Whether it is an account's, which may be typed in several ways.
    pub is_accounts: bool,
    /// If it is right, what is to be kept of this one is made.
    pub new: Option<String>,
    /// What is made costs so much.
    pub cost: Cost,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Right,
    Wrong,
    /// What is to be kept.
    Made(Secret),
    /// It could not be looked at.
    Unknown,
}

/// What is known without a look at the password.
enum Known {
    Verdict(Verdict),
    Proved(Proved),
}

/// The password that is being checked.
pub struct Checking {
    given: Given,
    hash: String,
    /// What the password is for there is: otherwise it is checked only so that it takes as long.
    is_there: bool,
}

impl Operator {
    fn may_come_from(&self, hosts: &[String]) -> bool {
        hosts.iter().any(|host| mask::matches(&self.host, host))
    }
}

impl Credentials {
    /// Who has this name, and may come from there.
    fn operator(&self, name: &str, hosts: &[String]) -> Option<&Operator> {
        self.operators.iter().find(|operator| operator.name == name && operator.may_come_from(hosts))
    }

    /// Whether there is such an operator still, with the same password, who may come from there.
    fn has(&self, known: &Operator, hosts: &[String]) -> bool {
        let is_same = |other: &Operator| other.name == known.name && other.password == known.password;
        self.operators.iter().any(|other| is_same(other) && other.may_come_from(hosts))
    }
}

impl<S: Socket> Exchange<S> {
    /// A client gives a password. The connection waits until it is known whether that is right.
    pub fn verify(&mut self, key: Key, request: RequestId, credential: Credential<'_>, password: &str) {
        let Some(connection) = self.connections.get_mut(key).filter(|connection| connection.is_open()) else {
            return;
        };
        // Whoever knows the server's password does not wait behind those who guess.
        if credential == Credential::Server
            && let Some(hash) = &self.credentials.password
            && self.checks.is_known_right(password, hash)
        {
            connection.session.verified(request, Verdict::Right);
            return self.list_to_read(key);
        }
        let purpose = match credential {
            Credential::Server => Purpose::Login,
            Credential::Operator { name } => Purpose::Operator { name: name.to_owned() },
        };
        let (address, password) = (connection.address, password.to_owned());
        let place = self.checks.queue(Given { key, request, address, purpose, password });
        connection.await_verdict(request, place, None);
        self.note_paused(key, Pause::Password);
    }

    /// The next password for whoever has the time to check it; none while one is being checked. Those that need no
    /// check have their verdict.
    pub fn next_check(&mut self) -> Option<Check> {
        while self.checking.is_none() {
            let given = self.checks.pop()?;
            match self.look_at(&given) {
                Ok((hash, is_there)) => {
                    self.checks.note_checked(&given.purpose);
                    let new = match &given.purpose {
                        Purpose::Account(AccountProof::Change { new, .. }) => Some(new.clone()),
                        _ => None,
                    };
                    let is_accounts = matches!(given.purpose, Purpose::Account(_));
                    let (password, cost) = (given.password.clone(), self.limits.password_cost);
                    let check = Check { hash: hash.clone(), password, is_accounts, new, cost };
                    self.checking = Some(Checking { given, hash: hash.unwrap_or_default(), is_there });
                    return Some(check);
                }
                Err(Known::Verdict(verdict)) => self.verified(given.key, given.request, verdict),
                Err(Known::Proved(proved)) => self.proved.push((given.key, proved)),
            }
        }
        None
    }

    /// The hash to hold a password against, and whether it is that of what the password is for; or the verdict, where
    /// that is known already. Where there is no such operator another one's hash takes its place, so that time does not
    /// tell who there is.
    fn look_at(&self, given: &Given) -> Result<(Option<String>, bool), Known> {
        let Credentials { password, operators, .. } = &self.credentials;
        let right = Known::Verdict(Verdict::Right);
        match &given.purpose {
            Purpose::Login => match password {
                Some(hash) if self.checks.is_known_right(&given.password, hash) => Err(right),
                Some(hash) => Ok((Some(hash.clone()), true)),
                None => Err(right), // the password was given up meanwhile
            },
            Purpose::Account(proof) => self.look_at_account(given.address, proof).map_err(Known::Proved),
            Purpose::Operator { name } => {
                if let Some(wait) = self.checks.wait(given.address.origin(), self.now) {
                    return Err(Known::Verdict(Verdict::NotYet { wait }));
                }
                let found = self.credentials.operator(name, &self.hosts(given.address));
                let other = operators.iter().find(|operator| operator.name == *name).or(operators.first());
                let hash = found.or(other).map(|operator| operator.password.clone());
                hash.map(|hash| (Some(hash), found.is_some())).ok_or(Known::Verdict(Verdict::Wrong))
            }
        }
    }

    /// What an operator's host may be written for: the address, and the cloak.
    fn hosts(&self, address: ClientAddress) -> [String; 2] {
        [address.ip().to_string(), self.cloaks.host(address.ip()).to_string()]
    }

    /// The password that was to be looked at is.
    pub fn checked(&mut self, outcome: Outcome) {
        let Some(Checking { given, hash, is_there }) = self.checking.take() else { return };
        self.counters.passwords_checked += 1;
        let verdict = match &outcome {
            Outcome::Right if is_there => Verdict::Right,
            Outcome::Right | Outcome::Wrong => Verdict::Wrong,
            Outcome::Made(_) | Outcome::Unknown => Verdict::Unknown,
        };
        let verdict = match &given.purpose {
            Purpose::Account(proof) => {
                let proved = self.judge_account(&given, proof, outcome, is_there);
                return self.proved.push((given.key, proved));
            }
            Purpose::Login => {
                if verdict == Verdict::Right {
                    self.checks.remember_right(&given.password, &hash);
                }
                verdict
            }
            Purpose::Operator { name } => self.judge_operator(&given, name, &hash, verdict),
        };
        self.verified(given.key, given.request, verdict);
    }

    /// An operator's password has been checked, against this hash. While that was done, the config may have changed, and
    /// whoever gave it may be gone: a guess is one all the same.
    fn judge_operator(&mut self, given: &Given, name: &str, hash: &str, verdict: Verdict) -> Verdict {
        let Given { key, address, .. } = *given;
        let operator = self.credentials.operator(name, &self.hosts(address));
        let operator = operator.filter(|operator| verdict == Verdict::Right && operator.password == hash);
        if let Some(operator) = operator.cloned() {
            self.checks.note_right(address.origin());
            if let Some(connection) = self.connections.get_mut(key).filter(|c| c.awaits(given.request)) {
                info!("{key} {} is operator {name}", address.ip());
                connection.note_operator(operator);
            }
            return Verdict::Right;
        }
        if verdict == Verdict::Unknown {
            return verdict;
        }
        warn!(
            "{key} {} gave a wrong password for operator {:?}",
            address.ip(),
            cut(name, NAME_BYTES_LOGGED_MAX)
        );
        self.checks.note_wrong_guess(address.origin(), self.limits.oper_delay, self.now);
        Verdict::Wrong
    }

    /// Those who have shown themselves to be an operator, and could not do so any more.
    pub fn former_operators(&self) -> Vec<Key> {
        let is_former = |key: &Key| {
            let connection = self.connections.get(*key);
            connection
                .and_then(|connection| Some((connection.operator()?, connection.address)))
                .is_some_and(|(operator, address)| !self.credentials.has(operator, &self.hosts(address)))
        };
        self.connections.keys().filter(is_former).collect()
    }

    /// What they have shown themselves to be counts no more.
    pub fn forget_operator(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Some(operator) = connection.take_operator() {
            info!("{key} {} is no longer operator {}", connection.address.ip(), operator.name);
        }
    }

    /// Tells somebody that they are no operator any more.
    pub fn tell_dismissed(&mut self, key: Key) {
        self.push(key, |connection, blocks, surroundings| {
            let Connection { session, outbox, .. } = connection;
            outbox.push_own(blocks, Expect::Little, |out| session.encode_dismissed(surroundings, out));
        });
        self.tell(key, DISMISSED);
    }

    /// Tells a client something that it is the server's to say.
    pub fn tell(&mut self, key: Key, text: &str) {
        self.push(key, |connection, blocks, surroundings| {
            let Connection { session, outbox, .. } = connection;
            outbox.push_own(blocks, Expect::Little, |out| session.encode_notice(text, surroundings, out));
        });
    }

    /// A verdict that nobody waits for is nobody's: the client may be gone.
    fn verified(&mut self, key: Key, request: RequestId, verdict: Verdict) {
        let connection = self.connections.get_mut(key).filter(|connection| connection.is_open());
        let Some(connection) = connection.filter(|connection| connection.awaits(request)) else { return };
        connection.take_verdict(self.now);
        connection.session.verified(request, verdict);
        trace!("{key} is read again: its password was looked at");
        self.list_to_read(key);
    }
}

const DISMISSED: &str = "You are no longer an operator: your entry in the config file is gone or has changed";

/// What the log has of a name that somebody made up.
const NAME_BYTES_LOGGED_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_known_by_name_and_by_where_they_come_from() {
        let operator = |name: &str, host: &str| Operator {
            name: name.to_owned(),
            password: format!("{name} from {host}"),
            host: host.to_owned(),
        };
        let credentials = Credentials {
            password: None,
            operators: vec![operator("ann", "127.*"), operator("ann", "10.0.0.1"), operator("bob", "*")],
            metrics: Vec::new(),
        };
        let hash = |name: &str, host: &str| {
            credentials.operator(name, &[host.to_owned()]).map(|operator| operator.password.clone())
        };
        assert_eq!(hash("ann", "127.0.0.1").as_deref(), Some("ann from 127.*"));
        assert_eq!(hash("ann", "10.0.0.1").as_deref(), Some("ann from 10.0.0.1"), "a name may come twice");
        assert_eq!(
            (hash("ann", "10.0.0.2"), hash("Ann", "127.0.0.1"), hash("", "127.0.0.1")),
            (None, None, None)
        );
        assert!(hash("bob", "192.0.2.1").is_some());
    }
}
