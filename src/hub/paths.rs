//! Where peers can be reached: what the directory says of it, and how the two ends of a relay come to try each other's
//! addresses at the same moment.
//!
//! ```text
//!   offer_paths of one end ──▶ waits ──offer_paths of the other──▶ Paths to both, which starts a round
//!                                                                  and may be repeated, path_rounds_max times in all
//! ```
//!
//! An address is shown to nobody whose owner has not asked for that: in the directory by `declare`, to the other end of
//! a relay by an offer of its own. Where one of two ends offers nothing, neither learns anything.

use super::relays::{Relay, State};
use super::{Asker, Effect, Effects, Event, Hub, Outcome, Refusal};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// What an address is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    Tcp,
    Udp,
}

/// Who says that an address is a peer's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Origin {
    /// The peer itself.
    Declared,
    /// The server, which was reached from there.
    Observed,
}

/// Where a peer may be reached.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Address {
    pub transport: Transport,
    pub origin: Origin,
    pub at: SocketAddr,
}

/// What a peer is there for, beyond relays as such.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Offers {
    pub conversations: bool,
    pub pipes: bool,
}

/// What the server itself sees of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Observed {
    /// Where its connection comes from.
    pub tcp: SocketAddr,
    /// Where its datagrams come from, once it has answered there.
    pub udp: Option<SocketAddr>,
    /// When it was last heard of.
    pub heard: Instant,
}

/// Which end of a relay one is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PathRole {
    Caller,
    Callee,
}

/// What both ends of a direct path derive their keys from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PathKey(pub [u8; 32]);

impl std::fmt::Debug for PathKey {
    /// A secret stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PathKey(…)")
    }
}

/// What one user had put into the directory.
pub(super) struct Listing {
    pub offers: Offers,
    shown: bool,
    addresses: Box<[Address]>,
}

/// The search of a relay's two ends for a direct path.
#[derive(Default)]
pub(super) struct Search {
    /// Rounds begun.
    rounds: u8,
    by_caller: Option<Box<[Address]>>,
    by_callee: Option<Box<[Address]>>,
}

/// What both ends of a relay offered for one round.
struct Offered {
    by_caller: Box<[Address]>,
    by_callee: Box<[Address]>,
}

impl Hub {
    pub(super) fn declare(
        &mut self,
        asker: Asker,
        offers: Offers,
        shown: bool,
        addresses: Box<[Address]>,
        fx: &mut impl Effects,
    ) -> Outcome {
        self.user(asker.user)?;
        self.check_addresses(asker, &addresses, fx)?;
        self.user_mut(asker.user)?.set_listing(asker.session, Listing { offers, shown, addresses });
        asker.done(fx);
        Ok(())
    }

    /// What others may know of where a session is reached.
    pub(super) fn shown_addresses(listing: &Listing, observed: Option<Observed>) -> Vec<Address> {
        if listing.shown { with_observed(&listing.addresses, observed) } else { Vec::new() }
    }

    pub(super) fn offer_paths(
        &mut self,
        asker: Asker,
        addresses: Box<[Address]>,
        fx: &mut impl Effects,
    ) -> Outcome {
        let rounds_max = self.limits.path_rounds_max;
        self.check_addresses(asker, &addresses, fx)?;
        let relay = self.channels.relay_mut(asker.channel).ok_or(Refusal::NoSuchRelay)?;
        let role = relay.role(asker.session).ok_or(Refusal::NoSuchRelay)?;
        let State::Open { search } = &mut relay.state else { return Err(Refusal::NoSuchRelay) };
        if search.rounds >= rounds_max {
            return Err(Refusal::TooManyRounds { rounds_max });
        }
        match role {
            PathRole::Caller => search.by_caller = Some(addresses),
            PathRole::Callee => search.by_callee = Some(addresses),
        }
        asker.done(fx);
        if let Some(offered) = search.next_round() {
            let round = search.rounds;
            start_round(relay, asker, round, offered, fx);
        }
        Ok(())
    }

    /// An address will be tried by somebody else's client; one at which nobody can be reached is refused.
    fn check_addresses(&self, asker: Asker, addresses: &[Address], fx: &impl Effects) -> Outcome {
        let addresses_max = self.limits.addresses_per_user_max;
        if addresses.len() > addresses_max {
            return Err(Refusal::TooManyAddresses { addresses_max });
        }
        // Somebody else's loopback is not the one that is meant, unless they are on this very machine.
        let is_local = fx.observed(asker.session).is_some_and(|observed| observed.tcp.ip().is_loopback());
        match addresses.iter().find(|address| !is_reachable(address.at, is_local)) {
            Some(address) => Err(Refusal::BadAddress { address: address.at }),
            None => Ok(()),
        }
    }
}

impl Search {
    /// Once both have offered, what they did: a round begins.
    fn next_round(&mut self) -> Option<Offered> {
        match (self.by_caller.take(), self.by_callee.take()) {
            (Some(by_caller), Some(by_callee)) => {
                self.rounds += 1;
                Some(Offered { by_caller, by_callee })
            }
            (by_caller, by_callee) => {
                (self.by_caller, self.by_callee) = (by_caller, by_callee);
                None
            }
        }
    }
}

/// Tells both ends at once what to try.
fn start_round(
    relay: &Relay,
    asker: Asker,
    round: u8,
    Offered { by_caller, by_callee }: Offered,
    fx: &mut impl Effects,
) {
    let is_wanted = !by_caller.is_empty() && !by_callee.is_empty();
    let key = fx.fresh_key();
    let ends = [
        (relay.caller, PathRole::Caller, relay.callee, &by_callee),
        (relay.callee, PathRole::Callee, relay.caller, &by_caller),
    ];
    for (to, role, peer, offered) in ends {
        let addresses = if is_wanted { with_observed(offered, fx.observed(peer)) } else { Vec::new() };
        let event = Event::Paths { round, role, key, addresses: &addresses };
        fx.emit(Effect::Send { to, cause: asker.session, channel: asker.channel, room: None, event });
    }
}

/// What was declared, and behind it where the server sees the peer, for each transport of which something was declared.
fn with_observed(declared: &[Address], observed: Option<Observed>) -> Vec<Address> {
    let mut addresses = declared.to_vec();
    let Some(observed) = observed else { return addresses };
    let seen = [(Transport::Tcp, Some(observed.tcp)), (Transport::Udp, observed.udp)];
    for (transport, at) in seen {
        let of_transport = |address: &Address| address.transport == transport;
        if let Some(at) = at
            && declared.iter().any(of_transport)
            && !declared.iter().any(|address| of_transport(address) && address.at == at)
        {
            addresses.push(Address { transport, origin: Origin::Observed, at });
        }
    }
    addresses
}

/// Whether others can reach an address, as far as it shows; loopback only those on its own machine, if `is_local`.
pub fn is_reachable(address: SocketAddr, is_local: bool) -> bool {
    let ip = address.ip().to_canonical();
    let is_one = match ip {
        IpAddr::V4(ip) => !ip.is_broadcast() && !ip.is_link_local(),
        // Link-local addresses mean something on one link only, and nobody says which.
        IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    };
    let is_somewhere = !ip.is_unspecified() && !ip.is_multicast() && (is_local || !ip.is_loopback());
    address.port() != 0 && is_one && is_somewhere
}
