//! Who may do more than others: the server's password and its operators, as the config has them; and what becomes of a
//! password that a client gives.

use super::exchange::Exchange;
use crate::hub::{RequestId, mask};
use crate::net::{Key, Socket};
use crate::session::{Credential, Verdict};

/// Passwords are hashes, as PHC strings.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Credentials {
    /// What everybody has to know who wants to come in.
    pub password: Option<String>,
    pub operators: Vec<Operator>,
}

/// Somebody who runs the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    pub name: String,
    pub password: String,
    /// A mask for where they come from: an IP address, or a cloak.
    pub host: String,
}

/// A password that is to be held against a hash, elsewhere: that takes longer than a turn may.
#[derive(PartialEq, Eq)]
pub struct Check {
    pub key: Key,
    pub request: RequestId,
    pub hash: String,
    pub password: String,
}

impl Credentials {
    fn hash(&self, credential: Credential<'_>, hosts: &[String]) -> Option<&str> {
        match credential {
            Credential::Server => self.password.as_deref(),
            Credential::Operator { name } => {
                let comes_from = |mask: &str| hosts.iter().any(|host| mask::matches(mask, host));
                let mut named = self.operators.iter().filter(|operator| operator.name == name);
                named.find(|operator| comes_from(&operator.host)).map(|operator| operator.password.as_str())
            }
        }
    }
}

impl<S: Socket> Exchange<S> {
    /// A client gives a password. The connection waits until [`Exchange::verified`] says whether it is right, which is
    /// at once where nobody has such a password.
    pub fn verify(&mut self, key: Key, request: RequestId, credential: Credential<'_>, password: &str) {
        let Some(connection) = self.connections.get_mut(key).filter(|connection| connection.is_open()) else {
            return;
        };
        connection.await_verdict(request);
        let address = connection.address.ip();
        let hosts = [address.to_string(), self.cloaks.host(address).to_string()];
        match self.credentials.hash(credential, &hosts) {
            Some(hash) => {
                let (hash, password) = (hash.to_owned(), password.to_owned());
                self.to_check.push(Check { key, request, hash, password });
            }
            None => self.verified(key, request, Verdict::Wrong),
        }
    }

    /// A password was checked. A verdict that nobody waits for is nobody's: the client may be gone.
    pub fn verified(&mut self, key: Key, request: RequestId, verdict: Verdict) {
        let connection = self.connections.get_mut(key).filter(|connection| connection.is_open());
        if !connection.is_some_and(|connection| connection.take_verdict(request)) {
            return;
        }
        if let Some(connection) = self.connections.get_mut(key) {
            connection.session.verified(request, verdict);
        }
        self.list_to_read(key);
    }
}

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
        };
        let hash = |name: &str, host: &str| {
            credentials.hash(Credential::Operator { name }, &[host.to_owned()]).map(str::to_owned)
        };
        assert_eq!(hash("ann", "127.0.0.1").as_deref(), Some("ann from 127.*"));
        assert_eq!(hash("ann", "10.0.0.1").as_deref(), Some("ann from 10.0.0.1"), "a name may come twice");
        assert_eq!(
            (hash("ann", "10.0.0.2"), hash("Ann", "127.0.0.1"), hash("", "127.0.0.1")),
            (None, None, None)
        );
        assert!(hash("bob", "192.0.2.1").is_some());
        assert_eq!(credentials.hash(Credential::Server, &[]), None);
    }
}
