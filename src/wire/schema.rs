//! What bodies are made of, as data: for whoever shows frames instead of acting on them. The same macros that decode and
//! encode a body declare its fields here, so that the two cannot differ. Nothing of it is looked at while a server runs.

use std::fmt::Debug;

/// A field of a body, or of an entry in a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// As in `docs/PROTOCOL.md`.
    pub name: &'static str,
    pub form: Form,
    pub meaning: Meaning,
}

/// How a field lies in the bytes: section 3 of `docs/PROTOCOL.md`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    U8,
    U16,
    U32,
    U64,
    Magic,
    Name,
    Long,
    Text,
    Bytes,
    Bytes16,
    Bytes24,
    Bytes32,
    Address,
    /// Entries of these fields up to the end of the body.
    List(&'static [Field]),
    /// Entries of a number of columns, and as many `long`, up to the end of the body.
    Rows,
}

/// What the value of a field stands for, beyond what its form says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// Nothing else.
    Plain,
    /// One of these numbers.
    Code(&'static [Word]),
    /// Any of these bits.
    Bits(&'static [Word]),
    /// Bit n is the one of these whose number is n.
    BitPerCode(&'static [Word]),
    /// 1 for yes, 0 for no.
    YesNo,
    /// Milliseconds since 1970 in UTC; 0: never, or none.
    Millis,
    /// The number of something that happened in a room; its upper 44 bits are milliseconds since 1970.
    Happening,
    /// A span of time.
    Seconds,
    /// A length in bytes.
    Length,
    /// A password or a key.
    Secret,
}

/// A number with the word for it, as the code writes it: [`snake_case`] makes it that of `docs/PROTOCOL.md`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word {
    pub number: u32,
    pub word: &'static str,
}

/// What `hello` is made of; its magic makes it the one body that no macro declares.
pub(super) const HELLO: &[Field] = &[
    plain("magic", Form::Magic),
    plain("request", Form::U32),
    plain("version", Form::U8),
    Field { name: "body_max", form: Form::U16, meaning: Meaning::Length },
    plain("name", Form::Name),
];

/// What a list of names is made of.
pub(super) const NAMES: &[Field] = &[plain("name", Form::Name)];

const fn plain(name: &'static str, form: Form) -> Field {
    Field { name, form, meaning: Meaning::Plain }
}

impl Form {
    /// The fewest bytes that such a field takes.
    pub const fn len_min(self) -> usize {
        match self {
            Form::U8 | Form::Name => 1,
            Form::U16 | Form::Long => 2,
            Form::U32 | Form::Magic => 4,
            Form::U64 => 8,
            Form::Bytes16 => 16,
            Form::Address => 18,
            Form::Bytes24 => 24,
            Form::Bytes32 => 32,
            Form::Text | Form::Bytes | Form::List(_) | Form::Rows => 0,
        }
    }

    /// The word of `docs/PROTOCOL.md` for a form that is no list.
    pub fn word(self) -> Option<&'static str> {
        Some(match self {
            Form::U8 => "u8",
            Form::U16 => "u16",
            Form::U32 => "u32",
            Form::U64 => "u64",
            Form::Magic => "magic",
            Form::Name => "name",
            Form::Long => "long",
            Form::Text => "text",
            Form::Bytes => "bytes",
            Form::Bytes16 => "bytes16",
            Form::Bytes24 => "bytes24",
            Form::Bytes32 => "bytes32",
            Form::Address => "address",
            Form::Rows => "rows",
            Form::List(_) => return None,
        })
    }
}

/// `SetSubject` → `set_subject`: the name in the code, and the one on the wire's side of it.
pub fn snake_case(name: impl Debug) -> String {
    let (mut snake, mut last) = (String::new(), 'A');
    for c in format!("{name:?}").chars().filter(|&c| c != '"') {
        if c.is_ascii_uppercase() && !last.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
        last = c;
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::{Frame, Kind};
    use crate::wire::{ChangeCode, RefusalCode};

    #[test]
    fn names_are_those_of_the_document() {
        assert_eq!(snake_case(Kind::SetSubject), "set_subject");
        assert_eq!(snake_case(RefusalCode::NotUtf8), "not_utf8");
        assert_eq!(snake_case("MODERATOR"), "moderator");
    }

    #[test]
    fn a_schema_has_what_the_macros_were_given() {
        let change = Kind::Change.fields();
        let names: Vec<&str> = change.iter().map(|field| field.name).collect();
        assert_eq!(names, ["request", "change", "on", "seconds", "value", "reason"]);
        assert_eq!(change[2], Field { name: "on", form: Form::U8, meaning: Meaning::YesNo });
        let Meaning::Code(words) = change[1].meaning else { panic!("a change is a code") };
        assert_eq!(words.len(), ChangeCode::ALL.len());
        assert_eq!(Kind::Credentials.answers(), [Kind::Account, Kind::Done]);
        assert!(Kind::Said.answers().is_empty());
    }

    /// Fewer bytes than the shortest body are too few for the decoder as well.
    #[test]
    fn the_shortest_bodies_are_as_long_as_their_fields_say() {
        for &kind in Kind::ALL {
            let shortest: usize = kind.fields().iter().map(|field| field.form.len_min()).sum();
            let mut body = vec![0; shortest];
            if kind == Kind::Hello {
                body[..4].copy_from_slice(&crate::wire::frame::MAGIC);
                body[8] = crate::wire::frame::VERSION;
            }
            assert!(Frame::decode(kind as u8, &body).is_ok(), "{kind:?} of {shortest} bytes");
            if let Some(shorter) = shortest.checked_sub(1) {
                assert!(Frame::decode(kind as u8, &body[..shorter]).is_err(), "{kind:?} of {shorter} bytes");
            }
        }
    }
}
