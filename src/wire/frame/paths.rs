//! Direct paths: the two ends of a relay learn each other's addresses, and try them in step. The header's channel is the
//! relay.

use super::{AddressEntry, Body, BodyError, Entry, Kind, ListEntries};
use crate::wire::PathRole;
use crate::wire::fields::Fields;
use crate::wire::schema::{Field, Form, Meaning};

body! {
    /// Client: these addresses of mine may the other end try. None: no direct path is wanted.
    OfferPaths<'a> {
        request: u32,
        addresses: addresses,
    }

    /// Server, to both ends at once when both have offered: try these, now.
    Paths<'a> {
        /// From 1 on.
        round: u8,
        /// A [`PathRole`].
        role: u8 as PathRole,
        /// What both ends derive their keys from; fresh in every round.
        key: bytes32 as Secret,
        /// What the other end offered, and where the server saw it; none when one of the two offered none.
        addresses: addresses,
    }
}
