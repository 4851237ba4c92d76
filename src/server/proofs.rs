//! Passwords of accounts: they wait in line with the others, and the hub goes on when they have been looked at.

use super::address::ClientAddress;
use super::checks::{AccountProof, Given, Purpose};
use super::counters::Pause;
use super::credentials::Outcome;
use super::engine::Engine;
use super::exchange::{Exchange, key_of, session_id};
use super::passwords;
use super::trace::trace;
use crate::hub::name::fold;
use crate::hub::{Proof, Proved, RequestId, SessionId};
use crate::net::{Key, Socket};
use log::info;

impl<S: Socket> Exchange<S> {
    /// The connection is not read until the hub has been told what came of it.
    pub(super) fn queue_proof(&mut self, session: SessionId, proof: Proof<'_>) {
        let (key, request) = (key_of(session), RequestId::NONE);
        let Some(connection) = self.connections.get_mut(key).filter(|connection| connection.is_open()) else {
            return;
        };
        let (proof, password) = match proof {
            Proof::Check { account, hash, password } => {
                let (account, hash) = (fold(account).into_owned(), hash.map(str::to_owned));
                (AccountProof::Check { account, hash }, password)
            }
            Proof::Make { password } => (AccountProof::Make, password),
            Proof::Change { account, hash, old, new } => {
                let (account, hash, new) = (fold(account).into_owned(), hash.to_owned(), new.to_owned());
                (AccountProof::Change { account, hash, new }, old)
            }
        };
        let (address, password, purpose) = (connection.address, password.to_owned(), Purpose::Account(proof));
        let place = if self.checks.accounts_len() < self.limits.passwords_waiting_max {
            self.checks.queue(Given { key, request, address, purpose, password })
        } else {
            self.proved.push((key, Proved::Unknown));
            self.checks.nowhere(address.origin())
        };
        // Many people may have accounts, and what the others' passwords take is not their time.
        connection.await_verdict(request, place, Some(self.now));
        self.note_paused(key, Pause::Password);
    }

    /// The hash to hold a password against, if it is held against one, and whether it is that of the account; or what
    /// is known already.
    pub(super) fn look_at_account(
        &self,
        address: ClientAddress,
        proof: &AccountProof,
    ) -> Result<(Option<String>, bool), Proved> {
        let (origin, now) = (address.origin(), self.now);
        let wait = match proof.account() {
            Some(account) => self.checks.account_wait(origin, account, now),
            None => self.checks.registration_wait(origin, self.limits.registrations, now),
        };
        if let Some(wait) = wait {
            return Err(Proved::NotYet { wait });
        }
        Ok(match proof {
            AccountProof::Check { hash: Some(hash), .. } | AccountProof::Change { hash, .. } => {
                (Some(hash.clone()), true)
            }
            AccountProof::Check { hash: None, .. } => {
                (Some(passwords::nobodys(self.limits.password_cost)), false)
            }
            AccountProof::Make => (None, true),
        })
    }

    /// What the hub is told; and a wrong one makes the next one wait.
    pub(super) fn judge_account(
        &mut self,
        given: &Given,
        proof: &AccountProof,
        outcome: Outcome,
        is_there: bool,
    ) -> Proved {
        let proved = match outcome {
            Outcome::Right if is_there => Proved::Right,
            Outcome::Right | Outcome::Wrong => Proved::Wrong,
            Outcome::Made(secret) => Proved::Made(secret),
            Outcome::Unknown => Proved::Unknown,
        };
        match (&proved, proof.account()) {
            (Proved::Made(_), None) => {
                self.checks.note_registration(given.address.origin(), self.limits.registrations, self.now);
            }
            (Proved::Right | Proved::Made(_), Some(account)) => {
                self.note_account_guess(given.key, given.address, account, true);
            }
            (Proved::Wrong, Some(account)) => {
                self.note_account_guess(given.key, given.address, account, false)
            }
            (_, None) | (Proved::NotYet { .. } | Proved::Unknown, _) => {}
        }
        proved
    }

    /// A wrong password for an account makes the next one wait.
    pub(super) fn note_account_guess(
        &mut self,
        key: Key,
        address: ClientAddress,
        account: &str,
        is_right: bool,
    ) {
        if is_right {
            return self.checks.note_right_account(address.origin(), account);
        }
        info!("{key} {} gave a wrong password for an account", address.ip());
        self.checks.note_wrong_account(address.origin(), account, self.limits.account_delay, self.now);
    }
}

impl<S: Socket> Engine<S> {
    /// Tells the hub what came of passwords, and lets those go on who waited for that.
    pub(super) fn hand_on_proved(&mut self) {
        for (key, proved) in std::mem::take(&mut self.exchange.proved) {
            let Exchange { connections, now, .. } = &mut self.exchange;
            let connection = connections.get_mut(key).filter(|connection| connection.is_open());
            if connection.and_then(|connection| connection.take_verdict(*now)).is_none() {
                continue; // it is gone, and the hub knows
            }
            trace!("{key} is read again: its password was looked at");
            self.exchange.keeping.asking = Some((key, RequestId::NONE));
            let is_made = matches!(proved, Proved::Made(_));
            self.hub.proved(self.exchange.moment(), session_id(key), proved, &mut self.exchange);
            self.exchange.keeping.asking = None;
            self.note_home(key, is_made);
            self.settle(key);
            self.exchange.list_to_read(key);
        }
    }

    /// Who has made an account is logged in to it there, and waits for nobody else's guesses.
    fn note_home(&mut self, key: Key, is_made: bool) {
        let account = self.hub.account_of(session_id(key)).filter(|_| is_made);
        if let (Some(account), Some(connection)) = (account, self.exchange.connections.get(key)) {
            self.exchange.checks.note_home(connection.address.origin(), &fold(account.shown()));
        }
    }
}
