//! Something that happened in a room, as the bytes that memory and storage keep of it: one behind the other, each with
//! its length in front. Storage keeps these bytes for years: what was written once means the same for ever.
//!
//! ```text
//!    4 B      8 B   1 B    3 B       15 B   1 B       8 B       6 B       2 B   as long as these say
//!   ┌────────┬────┬──────┬─────────┬──────┬─────────┬─────────┬─────────┬─────┬──────────────────────────────────────┐
//!   │ length │ id │ what │ lengths │ host │ length  │ account │ lengths │  0  │ by, username, account's name,        │
//!   │        │    │      │         │      │         │         │         │     │ retracted by, why, tags, text        │
//!   └────────┴────┴──────┴─────────┴──────┴─────────┴─────────┴─────────┴─────┴──────────────────────────────────────┘
//! ```
//!
//! Big-endian. The length counts what is behind it; the other lengths are those of the names, in a byte each, and of the
//! texts, in two. An account 0 is none, and so is a name of no bytes.

use super::record::{AccountId, Past};
use super::{Form, Host, MessageId, PastView};

/// Something that happened, and whose it was, which others are not told where the room hides it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Happening<'a> {
    pub view: PastView<'a>,
    pub owner: Option<AccountId>,
}

/// Bytes in front of the names and texts.
const HEAD_BYTES: usize = 3 * 16;

const LENGTH_BYTES: usize = 4;

const PASTS: [Past; 9] = [
    Past::Said(Form::Message),
    Past::Said(Form::Notice),
    Past::Said(Form::Tags),
    Past::Entered,
    Past::Left,
    Past::Quit,
    Past::Kicked,
    Past::SubjectSet,
    Past::Renamed,
];

impl Happening<'_> {
    /// Appends it. What is longer than its length can say is cut at a character, which no limit of the hub allows.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let PastView { id, what, by, username, host, account, text, tags, retracted } = self.view;
        let (retracted_by, reason) = retracted.unwrap_or_default();
        let (by, username, retracted_by) = (short(by), short(username), short(retracted_by));
        let (account, reason) = (short(account.unwrap_or_default()), long(reason));
        let (tags, text) = (long(tags), long(text));
        let names = by.len() + username.len() + account.len() + retracted_by.len();
        let bytes = HEAD_BYTES + names + reason.len() + tags.len() + text.len();
        out.reserve(bytes);
        // Three numbers of 16 bytes: to write the fields one by one is felt in what a message costs.
        let lengths = by.len() << 16 | username.len() << 8 | account.len();
        let length = ((bytes - LENGTH_BYTES) as u128) << 96;
        let first = length | u128::from(id.0) << 32 | u128::from(number_of(what)) << 24 | lengths as u128;
        out.extend_from_slice(&first.to_be_bytes());
        let ([a, b, c, d, e], [f, g, h, i, j], [k, l, m, n, o]) = (host.address, host.network, host.wider);
        let host = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, retracted_by.len() as u8];
        out.extend_from_slice(&host);
        let lengths = reason.len() << 48 | tags.len() << 32 | text.len() << 16;
        let third = u128::from(self.owner.map_or(0, |account| account.0)) << 64 | lengths as u128;
        out.extend_from_slice(&third.to_be_bytes());
        for part in [by, username, account, retracted_by, reason, tags, text] {
            if !part.is_empty() {
                out.extend_from_slice(part.as_bytes());
            }
        }
    }

    /// The same, when nobody is to read it any more.
    pub fn retracted<'a>(&'a self, by: &'a str, reason: &'a str) -> Happening<'a> {
        Happening {
            view: PastView { text: "", tags: "", retracted: Some((by, reason)), ..self.view },
            ..*self
        }
    }
}

/// As much of a name as a byte can count.
fn short(name: &str) -> &str {
    if name.len() <= u8::MAX.into() { name } else { cut(name, u8::MAX.into()) }
}

/// As much of a text as two bytes can count.
fn long(text: &str) -> &str {
    if text.len() <= u16::MAX.into() { text } else { cut(text, u16::MAX.into()) }
}

fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default()
}

fn number_of(what: Past) -> u8 {
    match what {
        Past::Said(Form::Message) => 0,
        Past::Said(Form::Notice) => 1,
        Past::Said(Form::Tags) => 2,
        Past::Entered => 3,
        Past::Left => 4,
        Past::Quit => 5,
        Past::Kicked => 6,
        Past::SubjectSet => 7,
        Past::Renamed => 8,
    }
}

/// What lies in these bytes, up to the first that is nothing.
pub fn happenings(bytes: &[u8]) -> impl Iterator<Item = Happening<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk::<LENGTH_BYTES>()?;
        let (body, behind) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = behind;
        decode(body)
    })
}

fn decode(body: &[u8]) -> Option<Happening<'_>> {
    let mut fields = Fields(body);
    let id = MessageId(u64::from_be_bytes(fields.array()?));
    let [what, by, username, account] = fields.array()?;
    let what = PASTS.into_iter().find(|past| number_of(*past) == what)?;
    let host = Host { address: fields.array()?, network: fields.array()?, wider: fields.array()? };
    let [retracted_by] = fields.array()?;
    let owner = u64::from_be_bytes(fields.array()?);
    let long: [[u8; 2]; 3] = [fields.array()?, fields.array()?, fields.array()?];
    let [_, _] = fields.array()?;
    let short = [by, username, account, retracted_by].map(|length| fields.text(length.into()));
    let [by, username, account, retracted_by] = short;
    let [reason, tags, text] = long.map(|length| fields.text(u16::from_be_bytes(length).into()));
    let retracted = Some((retracted_by?, reason?)).filter(|(by, _)| !by.is_empty());
    let account = account.filter(|account| !account.is_empty());
    let view = PastView {
        id,
        what,
        by: by?,
        username: username?,
        host,
        account,
        text: text?,
        tags: tags?,
        retracted,
    };
    Some(Happening { view, owner: (owner != 0).then_some(AccountId(owner)) })
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one<'a>(id: u64, text: &'a str) -> Happening<'a> {
        let view = PastView {
            id: MessageId(id),
            what: Past::Said(Form::Notice),
            by: "ann",
            username: "~a",
            host: Host { address: *b"abcde", network: *b"fghij", wider: *b"klmno" },
            account: Some("Ann"),
            text,
            tags: "+x=1",
            retracted: None,
        };
        Happening { view, owner: Some(AccountId(7)) }
    }

    #[test]
    fn what_is_written_is_read_back_one_behind_the_other() {
        let nobodys = |id| Happening { view: PastView { account: None, ..one(id, "").view }, owner: None };
        let first = one(1, "good morning ☕");
        let all = [first, first.retracted("bob", "spam"), nobodys(2)];
        let mut bytes = Vec::new();
        all.iter().for_each(|entry| entry.encode(&mut bytes));
        assert_eq!(happenings(&bytes).collect::<Vec<_>>(), all);
        // Cut anywhere, what is whole is there.
        for end in 0..bytes.len() {
            let read = happenings(&bytes[..end]).collect::<Vec<_>>();
            assert_eq!(read, all[..read.len()]);
            assert!(read.len() < 3);
        }
        for what in PASTS {
            let mut bytes = Vec::new();
            let one = Happening { view: PastView { what, ..first.view }, ..first };
            one.encode(&mut bytes);
            assert_eq!(happenings(&bytes).collect::<Vec<_>>(), [one]);
        }
    }

    #[test]
    fn bytes_that_are_no_entry_are_none() {
        let mut bytes = Vec::new();
        one(1, "text").encode(&mut bytes);
        for at in 0..bytes.len() {
            for value in [0, 0x7f, 0xff] {
                let mut bad = bytes.clone();
                bad[at] = value;
                assert!(happenings(&bad).count() <= 2);
            }
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_and_everything_else_is_there() {
        let long = "é".repeat(40_000);
        let one = one(1, &long);
        let one = Happening { view: PastView { by: &long, ..one.view }, ..one };
        let mut bytes = Vec::new();
        one.encode(&mut bytes);
        let read = happenings(&bytes).next().expect("an entry");
        assert_eq!((read.view.by.len(), read.view.text.len()), (254, 65_534));
        assert_eq!(
            (read.view.tags, read.view.account, read.owner),
            ("+x=1", Some("Ann"), Some(AccountId(7)))
        );
    }
}
