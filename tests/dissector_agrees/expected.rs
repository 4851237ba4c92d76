//! What tshark has to show of a frame, by its bytes and the schema; and frames with every field drawn at random.

use crate::random::Random;
use std::net::Ipv6Addr;
use switchboard::wire::datagram::TAG_LEN;
use switchboard::wire::schema::{Field, Form, Meaning, Word, snake_case};
use switchboard::wire::{Frame, HEADER_LEN, Header, Kind};

/// Fields as tshark shows them: names and values, in their order.
pub type Fields = Vec<(String, String)>;

/// All fields of a whole frame.
pub fn fields_of(frame: &[u8]) -> Fields {
    let mut fields = Fields::new();
    put_frame(frame, &mut fields);
    fields
}

fn put_frame(frame: &[u8], out: &mut Fields) {
    let header = Header::read(frame).expect("a header");
    let kind = Kind::from_u8(header.kind).expect("a known kind");
    let mut put = |name: &str, value: String| out.push((format!("switchboard.{name}"), value));
    put("kind", snake_case(kind));
    put("kind.number", format!("{:#04x}", header.kind));
    put("flags", format!("{:#04x}", header.flags));
    put("flags.more", (header.flags & 1).to_string());
    put("flags.end", (header.flags >> 1 & 1).to_string());
    put("flags.reserved", "0".to_owned());
    put("length", header.length.to_string());
    put("channel", format!("{:#010x}", header.channel));
    let body = &frame[HEADER_LEN..];
    let prefix = format!("switchboard.{}", snake_case(kind));
    if kind == Kind::Sealed {
        return put_sealed(body, &prefix, out);
    }
    let mut rest = body;
    for field in kind.fields() {
        let name = match field.name {
            "request" => "switchboard.request".to_owned(),
            name => format!("{prefix}.{name}"),
        };
        put_field(field, &name, &mut rest, out);
    }
    assert!(rest.is_empty(), "{kind:?} goes on");
}

fn put_sealed(body: &[u8], prefix: &str, out: &mut Fields) {
    let (inner, tag) = body[8..].split_at(body.len() - 8 - TAG_LEN);
    out.push((format!("{prefix}.counter"), number(&body[..8]).to_string()));
    out.push((format!("{prefix}.frame_and_tag"), hex(&body[8..])));
    if !inner.is_empty() {
        put_frame(inner, out);
    }
    out.push((format!("{prefix}.tag"), hex(tag)));
}

fn put_field(field: &Field, name: &str, rest: &mut &[u8], out: &mut Fields) {
    let mut put = |value: String| out.push((name.to_owned(), value));
    match field.form {
        Form::U8 => put_number(field, name, take(rest, 1), out),
        Form::U16 => put_number(field, name, take(rest, 2), out),
        Form::U32 => put_number(field, name, take(rest, 4), out),
        Form::U64 => put_number(field, name, take(rest, 8), out),
        Form::Magic => put(text(take(rest, 4))),
        Form::Name => {
            let length = number(take(rest, 1));
            put(text(take(rest, length as usize)));
        }
        Form::Long => {
            let length = number(take(rest, 2));
            put(text(take(rest, length as usize)));
        }
        Form::Text => put(text(std::mem::take(rest))),
        Form::Bytes => put(hex(std::mem::take(rest))),
        Form::Bytes16 => put(hex(take(rest, 16))),
        Form::Bytes24 => put(hex(take(rest, 24))),
        Form::Bytes32 => put(hex(take(rest, 32))),
        Form::Address => put_address(name, take(rest, 18), out),
        Form::List(entry) => {
            put(String::new());
            while !rest.is_empty() {
                out.push((format!("{name}.entry"), String::new()));
                entry.iter().for_each(|part| put_field(part, &format!("{name}.{}", part.name), rest, out));
            }
        }
        Form::Rows => {
            put(String::new());
            while !rest.is_empty() {
                out.push((format!("{name}.row"), String::new()));
                for _ in 0..number(take(rest, 1)) {
                    let length = number(take(rest, 2));
                    out.push((format!("{name}.column"), text(take(rest, length as usize))));
                }
            }
        }
    }
}

fn put_number(field: &Field, name: &str, bytes: &[u8], out: &mut Fields) {
    let value = number(bytes);
    let shown = match field.meaning {
        Meaning::Bits(_) | Meaning::BitPerCode(_) => {
            format!("{value:#0width$x}", width = 2 + 2 * bytes.len())
        }
        Meaning::Millis => moment(value),
        _ => value.to_string(),
    };
    out.push((name.to_owned(), shown));
    let mut bit = |word: &Word, at: u32| {
        out.push((format!("{name}.{}", snake_case(word.word)), (value >> at & 1).to_string()));
    };
    match field.meaning {
        Meaning::Bits(words) => words.iter().for_each(|word| bit(word, word.number.trailing_zeros())),
        Meaning::BitPerCode(words) => {
            words.iter().filter(|word| word.number < 16).for_each(|word| bit(word, word.number));
        }
        Meaning::Happening if value > 0 => out.push((format!("{name}.time"), moment(value >> 20))),
        _ => {}
    }
}

fn put_address(name: &str, bytes: &[u8], out: &mut Fields) {
    let ip = Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[..16]).expect("16 bytes"));
    let port = number(&bytes[16..]);
    match ip.to_ipv4_mapped() {
        Some(ip) => {
            out.push((name.to_owned(), format!("{ip}:{port}")));
            out.push((format!("{name}.ipv4"), ip.to_string()));
        }
        None => {
            out.push((name.to_owned(), format!("[{ip}]:{port}")));
            out.push((format!("{name}.ipv6"), ip.to_string()));
        }
    }
    out.push((format!("{name}.port"), port.to_string()));
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (front, behind) = rest.split_at(length);
    *rest = behind;
    front
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).expect("text").to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// A moment as Wireshark writes it. Days to dates: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn moment(millis: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    let (days, of_day) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 2 } else { shifted - 10 };
    let year = era * 400 + year_of_era + u64::from(month < 2);
    format!(
        "{} {day:2}, {year} {:02}:{:02}:{:02}.{millis:03}000000 UTC",
        MONTHS[month as usize],
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// A frame of this kind whose fields are all drawn at random, and of which the decoder makes the same.
pub fn random_frame(random: &mut Random, kind: Kind) -> Vec<u8> {
    let mut body = Vec::new();
    if kind == Kind::Sealed {
        put_random(random, &kind.fields()[0], &mut body);
        let inner = *random.pick(&[Kind::Say, Kind::Said, Kind::Ping, Kind::Pong, Kind::Data, Kind::Sealed]);
        if inner != Kind::Sealed {
            body.extend(random_frame(random, inner));
        }
        put_bytes(random, TAG_LEN, &mut body);
    } else {
        kind.fields().iter().for_each(|field| put_random(random, field, &mut body));
    }
    if kind == Kind::Hello {
        body[8] = 1; // of another version, less is known
    }
    let decoded = Frame::decode(kind as u8, &body).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    let mut encoded = Vec::new();
    decoded.encode_body(&mut encoded);
    assert_eq!(encoded, body, "{kind:?}");
    let channel = random.next() as u32;
    let flags = random.below(4) as u8;
    let header = Header { kind: kind as u8, flags, length: body.len() as u16, channel };
    [&header.to_bytes()[..], &body].concat()
}

fn put_random(random: &mut Random, field: &Field, out: &mut Vec<u8>) {
    match (field.form, field.meaning) {
        (_, Meaning::Code(words)) => {
            let any = random.pick(words).number.to_be_bytes();
            let length = field.form.len_min();
            out.extend_from_slice(&any[4 - length..]);
        }
        // Up to the year 2248, as nobody will see a later one.
        (_, Meaning::Millis) => out.extend_from_slice(&(random.next() >> 21).to_be_bytes()),
        (Form::U8, _) => put_bytes(random, 1, out),
        (Form::U16, _) => put_bytes(random, 2, out),
        (Form::U32, _) => put_bytes(random, 4, out),
        (Form::U64, _) => put_bytes(random, 8, out),
        (Form::Magic, _) => out.extend_from_slice(b"SWBD"),
        (Form::Name, _) => {
            let text = random_text(random, 60);
            out.push(text.len() as u8);
            out.extend_from_slice(text.as_bytes());
        }
        (Form::Long, _) => {
            let text = random_text(random, 300);
            out.extend_from_slice(&(text.len() as u16).to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        (Form::Text, _) => out.extend_from_slice(random_text(random, 400).as_bytes()),
        (Form::Bytes, _) => {
            let length = random.below(200);
            put_bytes(random, length, out);
        }
        (Form::Bytes16, _) => put_bytes(random, 16, out),
        (Form::Bytes24, _) => put_bytes(random, 24, out),
        (Form::Bytes32, _) => put_bytes(random, 32, out),
        (Form::Address, _) => {
            if random.chance(50) {
                out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
                put_bytes(random, 6, out);
            } else {
                put_bytes(random, 18, out);
            }
        }
        (Form::List(entry), _) => {
            for _ in 0..random.below(4) {
                entry.iter().for_each(|part| put_random(random, part, out));
            }
        }
        (Form::Rows, _) => {
            for _ in 0..random.below(4) {
                let columns = random.below(4);
                out.push(columns as u8);
                let column = Field { name: "column", form: Form::Long, meaning: Meaning::Plain };
                (0..columns).for_each(|_| put_random(random, &column, out));
            }
        }
    }
}

fn put_bytes(random: &mut Random, length: usize, out: &mut Vec<u8>) {
    out.extend((0..length).map(|_| random.next() as u8));
}

/// What people may write: no control characters, which nobody may send.
fn random_text(random: &mut Random, bytes_max: usize) -> String {
    const PIECES: &[&str] = &[
        "tea", " ", "é", "日本", "😀", "<b>", "&amp;", "\"", "'", "\\n", "%s", "#", ",", "{", "}",
        "\u{202e}", "x",
    ];
    let mut text = String::new();
    for _ in 0..random.below(20) {
        let piece = *random.pick(PIECES);
        if text.len() + piece.len() <= bytes_max {
            text.push_str(piece);
        }
    }
    text
}
