//! Passwords that wait to be checked. One at a time is held against its hash, which takes tens of milliseconds; the
//! others wait here, as long as their connections last:
//!
//! ```text
//!   log-ins     192.0.2.1: ann, bob  ─┐
//!               192.0.2.7: cy        ─┼─ in turns: of the two lines, and in each line of the addresses
//!   operators   192.0.2.9: dan       ─┘
//! ```
//!
//! So whoever guesses holds up nobody but those who guess the same way from the same address. A guess at an operator's
//! password makes the next one from its address wait, longer each time; a right password of the server's is remembered
//! as a keyed hash, so that a thousand clients who come back after a restart cost one check and not a thousand.
//!
//! Pure: time and the key are arguments.

use super::address::{ClientAddress, Origin};
use super::limits::Registrations;
use crate::hub::RequestId;
use crate::net::Key;
use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::ops::Bound;
use std::time::{Duration, Instant};

/// A password that a client has given, and waits for the verdict on.
#[derive(Debug)]
pub struct Given {
    pub key: Key,
    pub request: RequestId,
    pub address: ClientAddress,
    pub purpose: Purpose,
    pub password: String,
}

/// What a password is for; as [`crate::session::Credential`] has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    Login,
    Operator {
        name: String,
    },
    /// An account's, or one that is to be.
    Account(AccountProof),
}

/// What an account's password is looked at for; [`crate::hub::Proof`] with everything in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountProof {
    /// Whether it is right. `None`: there is no such account, which is not to be told by the time that it takes.
    Check {
        account: String,
        hash: Option<String>,
    },
    Make,
    /// Whether it is right, and then what is to be kept of another one.
    Change {
        account: String,
        hash: String,
        new: String,
    },
}

impl AccountProof {
    /// Whose password may be guessed here; nobody's, where one is made.
    pub fn account(&self) -> Option<&str> {
        match self {
            AccountProof::Check { account, .. } | AccountProof::Change { account, .. } => Some(account),
            AccountProof::Make => None,
        }
    }
}

/// Where a password stands in its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    origin: Origin,
    number: u64,
}

/// Those who wait, who is next, and what came of earlier ones.
pub struct Checks {
    logins: Line,
    operators: Line,
    accounts: Line,
    /// Numbers those who come, so that those of one address keep their order.
    number: u64,
    /// Whose line it was last.
    latest: usize,
    /// Guesses at operators' passwords, by address.
    guesses: Guesses<Origin>,
    /// Guesses at accounts' passwords, by address and by account: many addresses may guess at one.
    by_origin: Guesses<Origin>,
    by_account: Guesses<Box<str>>,
    /// Where accounts were logged in to, the latest last.
    homes: HashMap<Box<str>, Vec<Origin>>,
    /// When those who made accounts may make all of an hour's again, by address.
    registrations: HashMap<Origin, Instant>,
    secret: [u8; 32],
    /// The password that was right last, and the hash that it was held against, as one keyed hash.
    right: Option<blake3::Hash>,
}

/// Those of one kind, by where they come from.
#[derive(Default)]
struct Line {
    waiting: BTreeMap<(Origin, u64), Given>,
    /// Whose turn it was last.
    latest: Option<Origin>,
}

impl Line {
    /// The next one in turn: the first of the address behind the one whose turn it was.
    fn pop(&mut self) -> Option<Given> {
        let behind = self.latest.map_or(Bound::Unbounded, |latest| Bound::Excluded((latest, u64::MAX)));
        let mut next = self.waiting.range((behind, Bound::Unbounded)).chain(&self.waiting);
        let &place = next.next()?.0;
        self.latest = Some(place.0);
        self.waiting.remove(&place)
    }
}

impl Checks {
    /// `secret` is the server's.
    pub fn new(secret: &[u8; 32]) -> Self {
        Checks {
            logins: Line::default(),
            operators: Line::default(),
            accounts: Line::default(),
            number: 0,
            latest: 2, // the first one is first
            guesses: Guesses::default(),
            by_origin: Guesses::default(),
            by_account: Guesses::default(),
            homes: HashMap::new(),
            registrations: HashMap::new(),
            secret: blake3::derive_key("switchboard right passwords v1", secret),
            right: None,
        }
    }

    /// Takes a place at the end of the line of its address.
    pub fn queue(&mut self, given: Given) -> Place {
        self.number += 1;
        let (origin, number) = (given.address.origin(), self.number);
        let line = match given.purpose {
            Purpose::Login => &mut self.logins,
            Purpose::Operator { .. } => &mut self.operators,
            Purpose::Account(_) => &mut self.accounts,
        };
        line.waiting.insert((origin, number), given);
        Place { origin, number }
    }

    /// For one who does not have to wait.
    pub fn nowhere(&mut self, origin: Origin) -> Place {
        self.number += 1;
        Place { origin, number: self.number }
    }

    /// Whoever waited there is gone.
    pub fn leave(&mut self, Place { origin, number }: Place) {
        for line in self.lines() {
            line.waiting.remove(&(origin, number));
        }
    }

    fn lines(&mut self) -> [&mut Line; 3] {
        [&mut self.logins, &mut self.operators, &mut self.accounts]
    }

    /// The next one; of all kinds in turn, where several wait.
    pub fn pop(&mut self) -> Option<Given> {
        let behind = self.latest + 1;
        let mut lines = self.lines();
        let count = lines.len();
        (0..count).find_map(|n| lines.get_mut((behind + n) % count)?.pop())
    }

    /// One of this kind is being checked: another kind is next.
    pub fn note_checked(&mut self, purpose: &Purpose) {
        self.latest = match purpose {
            Purpose::Login => 0,
            Purpose::Operator { .. } => 1,
            Purpose::Account(_) => 2,
        };
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.logins.waiting.len() + self.operators.waiting.len() + self.accounts.waiting.len()
    }

    /// How many wait for accounts' passwords.
    pub fn accounts_len(&self) -> usize {
        self.accounts.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this password was right for this hash before.
    pub fn is_known_right(&self, password: &str, hash: &str) -> bool {
        self.right.is_some_and(|right| right == self.keyed(password, hash)) // which takes the same time for all
    }

    pub fn remember_right(&mut self, password: &str, hash: &str) {
        self.right = Some(self.keyed(password, hash));
    }

    pub fn forget_right(&mut self) {
        self.right = None;
    }

    /// No hash has a line feed in it.
    fn keyed(&self, password: &str, hash: &str) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(hash.as_bytes()).update(b"\n").update(password.as_bytes());
        hasher.finalize()
    }

    /// How long the next guess from there has to wait, if it has to.
    pub fn wait(&self, origin: Origin, now: Instant) -> Option<Duration> {
        self.guesses.wait(&origin, now)
    }

    /// The same for a guess at an account's password. Who has logged in to it from there before does not wait for what
    /// others guess: else to guess would be a way to keep somebody out.
    pub fn account_wait(&self, origin: Origin, account: &str, now: Instant) -> Option<Duration> {
        let of_others = if self.is_home(origin, account) { None } else { self.by_account.wait(account, now) };
        self.by_origin.wait(&origin, now).max(of_others)
    }

    fn is_home(&self, origin: Origin, account: &str) -> bool {
        self.homes.get(account).is_some_and(|homes| homes.contains(&origin))
    }

    pub fn note_wrong_account(&mut self, origin: Origin, account: &str, delay: Duration, now: Instant) {
        self.by_origin.note_wrong(origin, delay, now);
        self.by_account.note_wrong(account.into(), delay, now);
    }

    pub fn note_right_account(&mut self, origin: Origin, account: &str) {
        self.by_origin.0.remove(&origin);
        if !self.is_home(origin, account) {
            self.by_account.0.remove(account);
            self.note_home(origin, account);
        } // else what others have guessed from elsewhere is still to be waited for there
    }

    /// Somebody is logged in to an account there, or has just made it.
    pub fn note_home(&mut self, origin: Origin, account: &str) {
        if self.is_home(origin, account) {
            return;
        }
        if self.homes.len() >= HOMES_MAX && !self.homes.contains_key(account) {
            self.homes.clear(); // they log in again
        }
        let homes = self.homes.entry(account.into()).or_default();
        if homes.len() >= HOMES_PER_ACCOUNT_MAX {
            homes.remove(0);
        }
        homes.push(origin);
    }

    /// How long it takes until an account can be made from there, if it cannot now.
    pub fn registration_wait(&self, origin: Origin, rate: Registrations, now: Instant) -> Option<Duration> {
        let (each, level_at) = (rate.each()?, self.registrations.get(&origin)?);
        let owed = level_at.saturating_duration_since(now);
        (owed + each).checked_sub(Registrations::HOUR).filter(|wait| !wait.is_zero())
    }

    /// An account was made from there.
    pub fn note_registration(&mut self, origin: Origin, rate: Registrations, now: Instant) {
        let Some(each) = rate.each() else { return };
        if self.registrations.len() >= REMEMBERED_MAX {
            self.registrations.retain(|_, level_at| *level_at > now);
        }
        let level_at = self.registrations.entry(origin).or_insert(now);
        *level_at = (*level_at).max(now) + each;
    }

    /// A guess from there was wrong. `delay`: how long the next one waits after the first.
    pub fn note_wrong_guess(&mut self, origin: Origin, delay: Duration, now: Instant) {
        self.guesses.note_wrong(origin, delay, now);
    }

    pub fn note_right(&mut self, origin: Origin) {
        self.guesses.0.remove(&origin);
    }
}

/// Accounts of which it is remembered where they were logged in to, and how many places of each, the latest.
const HOMES_MAX: usize = 16_384;
const HOMES_PER_ACCOUNT_MAX: usize = 4;

/// Wrong passwords, by where they came from or whose they were to be.
struct Guesses<K>(HashMap<K, Guessed>);

impl<K> Default for Guesses<K> {
    fn default() -> Self {
        Guesses(HashMap::new())
    }
}

struct Guessed {
    doublings: u32,
    /// When the next guess is taken.
    until: Instant,
    /// When all is forgotten.
    forgotten: Instant,
}

/// How often the time until the next guess is doubled.
pub const DOUBLINGS_MAX: u32 = 6;

/// At how many remembered places those are looked for that can be forgotten. Each has cost a check.
const REMEMBERED_MAX: usize = 1_024;

impl<K: Eq + Hash> Guesses<K> {
    fn wait<Q: Eq + Hash + ?Sized>(&self, of: &Q, now: Instant) -> Option<Duration>
    where
        K: Borrow<Q>,
    {
        let until = self.0.get(of)?.until;
        Some(until.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    fn note_wrong(&mut self, origin: K, delay: Duration, now: Instant) {
        if self.0.len() >= REMEMBERED_MAX {
            self.0.retain(|_, guessed| guessed.forgotten > now);
        }
        let before = self.0.get(&origin).filter(|guessed| guessed.forgotten > now);
        let doublings = before.map_or(0, |guessed| (guessed.doublings + 1).min(DOUBLINGS_MAX));
        let longest = delay.saturating_mul(1 << DOUBLINGS_MAX);
        let until = now + delay.saturating_mul(1 << doublings);
        self.0.insert(origin, Guessed { doublings, until, forgotten: until + longest });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn address(n: u8) -> ClientAddress {
        ClientAddress::from(SocketAddr::from(([192, 0, 2, n], 1)))
    }

    fn origin(n: u8) -> Origin {
        address(n).origin()
    }

    fn given(purpose: Purpose, at: u8, password: &str) -> Given {
        let (key, request) = (Key::from_u64(0), RequestId(1));
        Given { key, request, address: address(at), purpose, password: password.to_owned() }
    }

    fn login(at: u8, password: &str) -> Given {
        given(Purpose::Login, at, password)
    }

    fn operator(at: u8, password: &str) -> Given {
        given(Purpose::Operator { name: "ann".to_owned() }, at, password)
    }

    /// The passwords in the order in which they are checked.
    fn order(checks: &mut Checks) -> String {
        let next = || {
            let given = checks.pop()?;
            checks.note_checked(&given.purpose);
            Some(given.password)
        };
        std::iter::from_fn(next).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn addresses_take_turns_and_so_do_the_two_kinds() {
        let mut checks = Checks::new(&[0; 32]);
        for given in [login(1, "a1"), login(1, "a2"), login(1, "a3"), login(2, "b1"), login(3, "c1")] {
            checks.queue(given);
        }
        for n in 0..4 {
            checks.queue(operator(9, &format!("o{n}")));
        }
        assert_eq!(order(&mut checks), "a1 o0 b1 o1 c1 o2 a2 o3 a3");
        assert!(checks.is_empty());
    }

    #[test]
    fn who_is_gone_waits_no_more() {
        let mut checks = Checks::new(&[0; 32]);
        let places = ["a", "b", "c"].map(|password| checks.queue(login(1, password)));
        checks.leave(places[1]);
        checks.leave(places[1]);
        assert_eq!(order(&mut checks), "a c");
    }

    #[test]
    fn a_right_password_is_known_for_its_hash_until_it_is_forgotten() {
        let mut checks = Checks::new(&[0; 32]);
        assert!(!checks.is_known_right("secret", "hash"));
        checks.remember_right("secret", "hash");
        assert!(checks.is_known_right("secret", "hash"));
        assert!(!checks.is_known_right("secret2", "hash") && !checks.is_known_right("secret", "hash2"));
        checks.forget_right();
        assert!(!checks.is_known_right("secret", "hash"));
    }

    #[test]
    fn guesses_from_one_address_have_to_wait_longer_and_longer() {
        let (mut checks, start, delay) = (Checks::new(&[0; 32]), Instant::now(), Duration::from_secs(2));
        let mut now = start;
        let mut waits = Vec::new();
        for _ in 0..9 {
            checks.note_wrong_guess(origin(1), delay, now);
            let wait = checks.wait(origin(1), now).expect("a delay");
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(checks.wait(origin(1), now), None);
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 128, 128]);
        assert_eq!(checks.wait(origin(2), now), None, "others do not wait");
        now += Duration::from_secs(128);
        checks.note_wrong_guess(origin(1), delay, now);
        assert_eq!(checks.wait(origin(1), now), Some(delay), "all is forgotten in the end");
        checks.note_right(origin(1));
        assert_eq!(checks.wait(origin(1), now), None);
    }

    #[test]
    fn so_many_accounts_are_made_from_an_address_at_once_and_the_rest_with_time() {
        let (mut checks, start, rate) =
            (Checks::new(&[0; 32]), Instant::now(), Registrations { per_hour: 4 });
        let quarter = Duration::from_secs(900);
        for _ in 0..4 {
            assert_eq!(checks.registration_wait(origin(1), rate, start), None);
            checks.note_registration(origin(1), rate, start);
        }
        assert_eq!(checks.registration_wait(origin(1), rate, start), Some(quarter));
        assert_eq!(checks.registration_wait(origin(2), rate, start), None, "others do not wait");
        let later = start + quarter;
        assert_eq!(checks.registration_wait(origin(1), rate, later), None);
        checks.note_registration(origin(1), rate, later);
        assert_eq!(checks.registration_wait(origin(1), rate, later), Some(quarter));
        assert_eq!(
            checks.registration_wait(origin(1), Registrations { per_hour: 0 }, later),
            None,
            "any number"
        );
    }

    #[test]
    fn what_is_remembered_of_guesses_does_not_grow_without_bound() {
        let (mut guesses, start) = (Guesses::default(), Instant::now());
        for n in 0..100_000_u32 {
            let [a, b, c, d] = n.to_be_bytes();
            let from = ClientAddress::from(SocketAddr::from(([a, b, c, d], 1))).origin();
            guesses.note_wrong(from, Duration::from_millis(1), start + Duration::from_millis(n.into()));
        }
        assert!(guesses.0.len() <= REMEMBERED_MAX);
    }

    #[test]
    fn nobody_is_kept_out_of_their_account_by_those_who_guess_elsewhere() {
        let mut checks = Checks::new(&[7; 32]);
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        checks.note_right_account(origin(1), "ann");
        checks.note_wrong_account(origin(2), "ann", second, now);
        assert_eq!(checks.account_wait(origin(1), "ann", now), None, "she was here before");
        assert_eq!(checks.account_wait(origin(3), "ann", now), Some(second), "whoever that is");
        checks.note_right_account(origin(1), "ann");
        assert_eq!(
            checks.account_wait(origin(3), "ann", now),
            Some(second),
            "that she comes in helps nobody else"
        );
        checks.note_wrong_account(origin(1), "ann", second, now);
        assert!(
            checks.account_wait(origin(1), "ann", now).is_some(),
            "from her own place guesses count as well"
        );
        for place in 4..=7 {
            checks.note_right_account(origin(place), "ann");
        }
        checks.note_wrong_account(origin(9), "ann", second, now);
        assert!(
            checks.account_wait(origin(1), "ann", now).is_some(),
            "only the latest places are remembered"
        );
        assert_eq!(checks.account_wait(origin(7), "ann", now), None);
    }
}
