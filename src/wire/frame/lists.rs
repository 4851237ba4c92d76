//! Lists inside a frame: entries up to the end of the body. Decoding checks every entry once; reading them again
//! later cannot fail. Encoding stops at what the receiver can take, and says that there is more.

use super::{BodyError, Grants, Kind};
use crate::wire::fields::{Fields, put_address, put_long, put_name};
use crate::wire::header::{Flags, HEADER_LEN, put_with};
use crate::wire::schema::{self, Field, Form, Meaning};
use crate::wire::{AffiliationCode, Origin, PastCode, Transport, WishCode};
use std::marker::PhantomData;
use std::net::SocketAddr;

/// Something that a list is made of.
pub trait Entry<'a>: Copy {
    /// What it is made of, in wire order.
    const FIELDS: &'static [Field];

    fn decode(fields: &mut Fields<'a>) -> Result<Self, BodyError>;
    fn encode(&self, out: &mut Vec<u8>);
}

impl<'a> Entry<'a> for &'a str {
    const FIELDS: &'static [Field] = schema::NAMES;

    fn decode(fields: &mut Fields<'a>) -> Result<Self, BodyError> {
        fields.name()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_name(out, self);
    }
}

/// Declares an entry as the list of its fields in wire order, which are those of bodies.
macro_rules! entry {
    ($(#[$meta:meta])* $entry:ident $(<$life:lifetime>)? {
        $($(#[$fmeta:meta])* $field:ident: $type:ident $(as $meaning:ident)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub struct $entry $(<$life>)? { $($(#[$fmeta])* pub $field: body!(@type $type),)* }

        impl<'a> Entry<'a> for $entry $(<$life>)? {
            const FIELDS: &'static [Field] = &[$(body!(@field $field $type $($meaning)?),)*];

            fn decode(fields: &mut Fields<'a>) -> Result<Self, BodyError> {
                Ok($entry { $($field: body!(@decode fields $type),)* })
            }

            fn encode(&self, out: &mut Vec<u8>) {
                $(body!(@encode out (self.$field) $type);)*
            }
        }
    };
}

entry! {
    /// A room in a list of rooms.
    RoomEntry<'a> {
        name: name,
        occupants: u32,
    }
}

entry! {
    /// Somebody in a list of occupants.
    OccupantEntry<'a> {
        name: name,
        /// An [`AffiliationCode`].
        affiliation: u8 as AffiliationCode,
        /// Bits of [`Grants`].
        grants: u8 as Grants,
        /// Who it is, for those who may know it where the room hides that; else empty.
        real: name,
    }
}

entry! {
    /// An account in a list of what accounts are to a room.
    MemberEntry<'a> {
        account: name,
        /// An [`AffiliationCode`].
        affiliation: u8 as AffiliationCode,
        /// Bits of [`Grants`]: those that stay.
        grants: u8 as Grants,
        /// The name that is reserved for it in the room; empty for none.
        reserved: name,
        /// Who said so, and when, in milliseconds since 1970.
        by: name,
        at_millis: u64 as Millis,
        /// Until when; 0: until it is undone.
        until_millis: u64 as Millis,
        /// Why; often empty.
        reason: long,
    }
}

entry! {
    /// An entry in a list of masks.
    MaskEntry<'a> {
        mask: name,
        /// Who set it, as `name!username@host`, and when, in milliseconds since 1970.
        by: long,
        at_millis: u64 as Millis,
        /// Until when; 0: until it is undone.
        until_millis: u64 as Millis,
        /// Why; often empty.
        reason: long,
    }
}

entry! {
    /// Somebody who waits for something.
    WishEntry<'a> {
        who: name,
        /// A [`WishCode`].
        wish: u8 as WishCode,
        text: long,
    }
}

entry! {
    /// Something that happened in a room.
    PastEntry<'a> {
        /// Its upper 44 bits are when, in milliseconds since 1970.
        id: u64 as Happening,
        /// A [`PastCode`].
        what: u8 as PastCode,
        by: name,
        /// Empty where nobody has taken it back.
        retracted_by: name,
        /// Of what was taken back, why.
        text: long,
    }
}

entry! {
    /// An address in a list of addresses.
    AddressEntry {
        /// A [`Transport`].
        transport: u8 as Transport,
        /// An [`Origin`].
        origin: u8 as Origin,
        address: address,
    }
}

/// A row in a list of operators: as many columns as it says, each of them text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowEntry<'a>(&'a [u8]);

impl<'a> RowEntry<'a> {
    pub fn columns(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut rest = Fields::new(self.0.get(1..).unwrap_or_default());
        std::iter::from_fn(move || if rest.is_empty() { None } else { rest.long().ok() })
    }
}

impl<'a> Entry<'a> for RowEntry<'a> {
    /// A row has as many columns as it says: [`Form::Rows`].
    const FIELDS: &'static [Field] = &[];

    fn decode(fields: &mut Fields<'a>) -> Result<Self, BodyError> {
        let begin = *fields;
        let columns = fields.u8()?;
        for _ in 0..columns {
            fields.long()?;
        }
        Ok(RowEntry(begin.up_to(fields)))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0);
    }
}

/// Appends a row, to be sent with others as a list. It has at most 255 columns.
pub fn put_row(out: &mut Vec<u8>, columns: &[&str]) {
    let count = u8::try_from(columns.len()).unwrap_or(u8::MAX);
    out.push(count);
    columns.iter().take(count.into()).for_each(|column| put_long(out, column));
}

/// The entries of a decoded list; they lie in the frame's bytes and are read from there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListEntries<'a, E> {
    bytes: &'a [u8],
    entry: PhantomData<E>,
}

impl<'a, E: Entry<'a>> ListEntries<'a, E> {
    pub(super) fn decode(fields: &mut Fields<'a>) -> Result<Self, BodyError> {
        let bytes = fields.bytes();
        let mut rest = Fields::new(bytes);
        while !rest.is_empty() {
            E::decode(&mut rest)?;
        }
        Ok(ListEntries { bytes, entry: PhantomData })
    }

    /// A list to be sent: `scratch` gets the bytes of its entries.
    pub fn encode(scratch: &'a mut Vec<u8>, entries: impl IntoIterator<Item = E>) -> Self {
        scratch.clear();
        entries.into_iter().for_each(|entry| entry.encode(scratch));
        ListEntries { bytes: scratch, entry: PhantomData }
    }

    /// A list whose entries were encoded one by one. It ends in front of the first that is none.
    pub fn of_encoded(bytes: &'a [u8]) -> Self {
        ListEntries { bytes, entry: PhantomData }
    }

    pub(super) fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn iter(&self) -> impl Iterator<Item = E> + use<'a, E> {
        let mut rest = Fields::new(self.bytes);
        std::iter::from_fn(move || if rest.is_empty() { None } else { E::decode(&mut rest).ok() })
    }
}

/// Appends a list frame with as many of `entries` as fit into `body_max` bytes. The MORE flag is set when one did not
/// fit, or when `more` says that the entries given were not all there are.
pub fn put_list<'a, E: Entry<'a>>(
    out: &mut Vec<u8>,
    kind: Kind,
    channel: u32,
    request: u32,
    body_max: u16,
    entries: impl Iterator<Item = E>,
    mut more: bool,
) {
    let start = out.len();
    put_with(out, kind, Flags::NONE, channel, |out| {
        out.extend_from_slice(&request.to_be_bytes());
        for entry in entries {
            let before = out.len();
            entry.encode(out);
            if out.len() - start - HEADER_LEN > usize::from(body_max) {
                out.truncate(before);
                more = true;
                break;
            }
        }
    });
    if more {
        out[start + 1] |= Flags::MORE.bits();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Frame, Split, split};

    #[test]
    fn a_list_stops_at_what_the_receiver_takes_and_says_so() {
        let names = ["alice", "bob", "carol"];
        for (body_max, expected, more) in [(4 + 6 + 4, 2, true), (4 + 6 + 4 + 6, 3, false), (4, 0, true)] {
            let mut out = Vec::new();
            put_list(&mut out, Kind::PeerList, 0, 9, body_max, names.into_iter(), false);
            let Ok(Split::Frame(raw)) = split(&out, body_max) else { panic!("no frame") };
            let Ok(Frame::PeerList(list)) = raw.decode() else { panic!("no list") };
            assert_eq!(list.names.iter().collect::<Vec<_>>(), names[..expected]);
            assert_eq!((list.request, raw.flags().contains(Flags::MORE)), (9, more));
        }
    }

    #[test]
    fn an_entry_cut_short_is_an_error_of_the_frame() {
        assert_eq!(Frame::decode(Kind::PeerList as u8, &[0, 0, 0, 1, 3, b'a']), Err(BodyError::Short));
        assert_eq!(Frame::decode(Kind::RoomList as u8, &[0, 0, 0, 1, 1, b'a', 0]), Err(BodyError::Short));
        for row in [&[2, 0, 1, b'a'][..], &[1, 0], &[1, 0, 2, b'a'], &[1, 0, 0, 1]] {
            let body = [&[0, 0, 0, 1], row].concat();
            assert_eq!(Frame::decode(Kind::ServerList as u8, &body), Err(BodyError::Short), "{row:?}");
        }
    }
}
