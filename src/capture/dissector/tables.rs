//! The schema as tables of Lua.

use crate::wire::frame::{MAGIC, VERSION};
use crate::wire::schema::{Field, Form, Meaning, Word, snake_case};
use crate::wire::{BODY_MAX, Flags, HEADER_LEN, Kind, datagram};
use std::fmt::{self, Write};

/// Sets of words that are in the file already. Several fields share one.
type Written = Vec<&'static [Word]>;

/// Appends everything that the parts behind it look up.
pub fn put(file: &mut String) {
    // Writing to a string cannot fail.
    let _ = constants(file).and_then(|()| words(file)).and_then(|written| kinds(file, &written));
}

fn constants(file: &mut String) -> fmt::Result {
    writeln!(file, "-- Numbers of the protocol.")?;
    writeln!(file, "local HEADER_LEN = {HEADER_LEN}")?;
    writeln!(file, "local BODY_MAX = {BODY_MAX}")?;
    writeln!(file, "local DATAGRAM_MAX = {}", datagram::DATAGRAM_MAX)?;
    writeln!(file, "local TAG_LEN = {}", datagram::TAG_LEN)?;
    writeln!(file, "local PROTOCOL_VERSION = {VERSION}")?;
    writeln!(file, "local MAGIC = \"{}\"", MAGIC.escape_ascii())?;
    writeln!(file, "local FLAG_MORE, FLAG_END = {}, {}", Flags::MORE.bits(), Flags::END.bits())?;
    writeln!(file)
}

/// The sets of words, each once.
fn words(file: &mut String) -> Result<Written, fmt::Error> {
    let mut written = Written::new();
    for kind in Kind::ALL {
        collect(kind.fields(), &mut written);
    }
    writeln!(file, "-- Words for numbers.\nlocal WORDS = {{")?;
    for set in &written {
        writeln!(file, "  {{")?;
        for word in *set {
            writeln!(file, "    [{}] = \"{}\",", word.number, snake_case(word.word))?;
        }
        writeln!(file, "  }},")?;
    }
    writeln!(file, "}}\n")?;
    Ok(written)
}

fn collect(fields: &[Field], written: &mut Written) {
    for field in fields {
        if let Some(set) = words_of(field.meaning)
            && !written.contains(&set)
        {
            written.push(set);
        }
        if let Form::List(entry) = field.form {
            collect(entry, written);
        }
    }
}

fn words_of(meaning: Meaning) -> Option<&'static [Word]> {
    match meaning {
        Meaning::Code(set) | Meaning::Bits(set) | Meaning::BitPerCode(set) => Some(set),
        _ => None,
    }
}

/// Every kind with its fields, in their order.
fn kinds(file: &mut String, written: &Written) -> fmt::Result {
    writeln!(
        file,
        "-- Kinds of frames, by number; the fields of each in the order in which they lie in the body."
    )?;
    writeln!(file, "local KINDS = {{")?;
    for &kind in Kind::ALL {
        write!(file, "  [{:#04x}] = {{ name = \"{}\"", kind as u8, snake_case(kind))?;
        if kind.is_request() {
            write!(file, ", answers = {{")?;
            for answer in kind.answers() {
                write!(file, " {} = true,", snake_case(answer))?;
            }
            write!(file, " }}")?;
        }
        writeln!(file, ", fields = {{")?;
        for field in kind.fields() {
            self::field(file, field, 4, written)?;
        }
        writeln!(file, "  }} }},")?;
    }
    writeln!(file, "}}")
}

fn field(file: &mut String, field: &Field, indent: usize, written: &Written) -> fmt::Result {
    let form = field.form.word().unwrap_or("list");
    write!(
        file,
        "{:indent$}{{ name = \"{}\", form = \"{form}\", len_min = {}",
        "",
        field.name,
        field.form.len_min()
    )?;
    match field.meaning {
        Meaning::Plain => {}
        Meaning::Code(_) => write!(file, ", means = \"code\"")?,
        Meaning::Bits(_) => write!(file, ", means = \"bits\"")?,
        Meaning::BitPerCode(_) => write!(file, ", means = \"bit_per_code\"")?,
        Meaning::YesNo => write!(file, ", means = \"yes_no\"")?,
        Meaning::Millis => write!(file, ", means = \"millis\"")?,
        Meaning::Happening => write!(file, ", means = \"happening\"")?,
        Meaning::Seconds => write!(file, ", means = \"seconds\"")?,
        Meaning::Length => write!(file, ", means = \"length\"")?,
        Meaning::Secret => write!(file, ", means = \"secret\"")?,
    }
    let set = words_of(field.meaning);
    if let Some(at) = set.and_then(|set| written.iter().position(|other| *other == set)) {
        write!(file, ", words = WORDS[{}]", at + 1)?; // tables of Lua begin at 1
    }
    let Form::List(entry) = field.form else { return writeln!(file, " }},") };
    writeln!(file, ", entry = {{")?;
    for part in entry {
        self::field(file, part, indent + 2, written)?;
    }
    writeln!(file, "{:indent$}}} }},", "")
}
