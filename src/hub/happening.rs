//! Something that happened in a room, as the bytes that memory and storage keep of it: one behind the other, each with
//! its length in front. Storage keeps these bytes for years: what was written once means the same for ever.
//!
//! ```text
//!    4 B      8 B   1 B    8 B      15 B   7 lengths, 10 B    as long as these say
//!   ┌────────┬────┬──────┬─────────┬──────┬─────────────────┬──────────────────────────────────────────────────────────┐
//!   │ length │ id │ what │ account │ host │ 1 1 1 1 2 2 2   │ by, username, account's name, retracted by, why, tags, text│
//!   └────────┴────┴──────┴─────────┴──────┴─────────────────┴──────────────────────────────────────────────────────────┘
//! ```
//!
//! Big-endian. The length counts what is behind it. An account 0 is none, and so is a name of no bytes.

use super::record::{AccountId, Past};
use super::{Form, Host, MessageId, PastView};

/// Something that happened, and whose it was, which others are not told where the room hides it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Happening<'a> {
    pub view: PastView<'a>,
    pub owner: Option<AccountId>,
}

/// Bytes in front of the names and texts.
const HEAD_BYTES: usize = 4 + 8 + 1 + 8 + 15 + 10;

const LENGTH_BYTES: usize = 4;

const PASTS: [(Past, u8); 9] = [
    (Past::Said(Form::Message), 0),
    (Past::Said(Form::Notice), 1),
    (Past::Said(Form::Tags), 2),
    (Past::Entered, 3),
    (Past::Left, 4),
    (Past::Quit, 5),
    (Past::Kicked, 6),
    (Past::SubjectSet, 7),
    (Past::Renamed, 8),
];

impl Happening<'_> {
    /// Appends it. What is longer than its length can say is cut at a character, which no limit of the hub allows.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let PastView { id, what, by, username, host, account, text, tags, retracted } = self.view;
        let (retracted_by, reason) = retracted.unwrap_or_default();
        let short = |text: &'_ str| text.floor_char_boundary(u8::MAX.into());
        let long = |text: &'_ str| text.floor_char_boundary(u16::MAX.into());
        let account = account.unwrap_or_default();
        let names = [by, username, account, retracted_by].map(|name| name.split_at(short(name)).0);
        let texts = [reason, tags, text].map(|text| text.split_at(long(text)).0);
        let bytes = names.iter().chain(&texts).map(|part| part.len()).sum::<usize>();
        out.reserve(HEAD_BYTES + bytes);
        out.extend_from_slice(&((HEAD_BYTES - LENGTH_BYTES + bytes) as u32).to_be_bytes());
        out.extend_from_slice(&id.0.to_be_bytes());
        out.push(PASTS.iter().find(|(past, _)| *past == what).map_or(u8::MAX, |&(_, number)| number));
        out.extend_from_slice(&self.owner.map_or(0, |account| account.0).to_be_bytes());
        for part in [host.address, host.network, host.wider] {
            out.extend_from_slice(&part);
        }
        out.extend(names.map(|name| name.len() as u8));
        for text in texts {
            out.extend_from_slice(&(text.len() as u16).to_be_bytes());
        }
        names.iter().chain(&texts).for_each(|part| out.extend_from_slice(part.as_bytes()));
    }

    /// The same, when nobody is to read it any more.
    pub fn retracted<'a>(&'a self, by: &'a str, reason: &'a str) -> Happening<'a> {
        Happening {
            view: PastView { text: "", tags: "", retracted: Some((by, reason)), ..self.view },
            ..*self
        }
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
    let [what] = fields.array()?;
    let (what, _) = PASTS.into_iter().find(|(_, number)| *number == what)?;
    let owner = u64::from_be_bytes(fields.array()?);
    let host = Host { address: fields.array()?, network: fields.array()?, wider: fields.array()? };
    let short: [u8; 4] = fields.array()?;
    let long: [[u8; 2]; 3] = [fields.array()?, fields.array()?, fields.array()?];
    let [by, username, account, retracted_by] = short.map(|length| fields.text(length.into()));
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
        for (what, _) in PASTS {
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
