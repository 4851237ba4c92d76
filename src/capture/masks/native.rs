//! What of native frames is secret: a table of the kinds that have something, and a walk through their fields.

use super::MASK;
use crate::wire::{BODY_MAX, ChangeCode, Flags, HEADER_LEN, Header, Kind};

/// A field of a body, from the front. What is behind the last one that is named is shown.
#[derive(Clone, Copy, Debug)]
enum Field {
    /// So many bytes that are shown.
    Shown(u16),
    /// One byte, which may say what a later field is.
    Code,
    /// A length byte, and so many bytes.
    Name(Is),
    /// Two length bytes, and so many bytes.
    Long(Is),
    /// So many bytes that are not shown.
    Secret(u16),
}

#[derive(Clone, Copy, Debug)]
enum Is {
    Open,
    Secret,
    /// Where the code in front said so.
    SecretWith(ChangeCode),
}

/// The fields of a kind, up to its last secret (docs/PROTOCOL.md has all).
fn fields_of(kind: u8) -> &'static [Field] {
    use Field::{Code, Long, Name, Secret, Shown};
    const IN_CHANGE: Is = Is::SecretWith(ChangeCode::Password);
    match Kind::from_u8(kind) {
        Some(Kind::Credentials) => &[Shown(5), Name(Is::Open), Long(Is::Secret), Long(Is::Secret)],
        Some(Kind::Join) => &[Shown(6), Name(Is::Open), Name(Is::Secret)],
        Some(Kind::Change) => &[Shown(4), Code, Shown(5), Name(IN_CHANGE)],
        Some(Kind::Changed) => &[Name(Is::Open), Code, Shown(5), Name(IN_CHANGE)],
        Some(Kind::Settings) => &[Shown(19), Name(Is::Secret)],
        Some(Kind::Ticket) => &[Shown(4), Secret(32)],
        Some(Kind::Paths) => &[Shown(2), Secret(32)],
        _ => &[],
    }
}

/// The mask of a stream of frames.
pub struct Mask {
    header: [u8; HEADER_LEN],
    /// Bytes of the body that are to come.
    left: usize,
    fields: &'static [Field],
    code: u8,
    at: At,
}

/// What the next byte is.
#[derive(Clone, Copy, Debug)]
enum At {
    /// This byte of a header.
    Header(usize),
    /// The first of the next field, or of the rest.
    Field,
    Code,
    /// One of the length of a field.
    Length {
        missing: u8,
        length: usize,
        is_secret: bool,
    },
    /// One of so many.
    Within {
        left: usize,
        is_secret: bool,
    },
    /// Nobody knows: what came before is no frame.
    Lost,
}

impl Default for Mask {
    fn default() -> Self {
        Mask { header: [0; HEADER_LEN], left: 0, fields: &[], code: 0, at: At::Header(0) }
    }
}

impl Mask {
    pub fn apply(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let used = match self.at {
                At::Header(filled) => self.take_header(filled, bytes),
                At::Field => {
                    self.at = self.next_field();
                    0
                }
                At::Lost => {
                    bytes.fill(MASK);
                    bytes.len()
                }
                _ => self.take_body(bytes),
            };
            bytes = bytes.get_mut(used..).unwrap_or_default();
        }
    }

    /// Takes what there is of a header. One that the other end would not take ends the conversation: what comes behind
    /// it is anything.
    fn take_header(&mut self, filled: usize, bytes: &mut [u8]) -> usize {
        if filled == 0
            && let Some(header) = Header::read(bytes)
            && header.kind >= Kind::FIRST
        {
            self.begin_body(header);
            return HEADER_LEN;
        }
        let missing = self.header.get_mut(filled..).unwrap_or_default();
        let taken = missing.len().min(bytes.len());
        missing.iter_mut().zip(bytes.iter()).for_each(|(to, from)| *to = *from);
        self.at = At::Header(filled + taken);
        if self.header[0] < Kind::FIRST {
            self.at = At::Lost;
            return 0;
        }
        if filled + taken < HEADER_LEN {
            return taken;
        }
        if let Some(header) = Header::read(&self.header) {
            self.begin_body(header);
        }
        taken
    }

    fn begin_body(&mut self, header: Header) {
        (self.left, self.fields) = (header.length.into(), fields_of(header.kind));
        self.at = match Flags::from_bits(header.flags) {
            Some(_) if header.length <= BODY_MAX => self.in_body(At::Field),
            _ => At::Lost,
        };
    }

    /// Where it goes on: behind the last byte of a body, with the next header.
    fn in_body(&self, at: At) -> At {
        if self.left == 0 { At::Header(0) } else { at }
    }

    fn next_field(&mut self) -> At {
        let Some((field, rest)) = self.fields.split_first() else {
            return At::Within { left: self.left, is_secret: false };
        };
        self.fields = rest;
        let length = |missing, is| At::Length { missing, length: 0, is_secret: self.is_secret(is) };
        match *field {
            Field::Shown(left) => At::Within { left: left.into(), is_secret: false },
            Field::Secret(left) => At::Within { left: left.into(), is_secret: true },
            Field::Code => At::Code,
            Field::Name(is) => length(1, is),
            Field::Long(is) => length(2, is),
        }
    }

    fn is_secret(&self, is: Is) -> bool {
        match is {
            Is::Open => false,
            Is::Secret => true,
            Is::SecretWith(code) => self.code == code as u8,
        }
    }

    /// Takes bytes of the body. A field that is longer than its frame ends with it.
    fn take_body(&mut self, bytes: &mut [u8]) -> usize {
        let (taken, at) = match self.at {
            At::Within { left, is_secret } => {
                let taken = left.min(self.left).min(bytes.len());
                if is_secret {
                    bytes.iter_mut().take(taken).for_each(|byte| *byte = MASK);
                }
                (taken, if taken == left { At::Field } else { At::Within { left: left - taken, is_secret } })
            }
            At::Length { missing, length, is_secret } => {
                let length = length << 8 | usize::from(bytes.first().copied().unwrap_or_default());
                let at = match missing {
                    1 => At::Within { left: length, is_secret },
                    _ => At::Length { missing: missing - 1, length, is_secret },
                };
                (1, at)
            }
            at => {
                self.code = bytes.first().copied().unwrap_or_default();
                (1, if matches!(at, At::Code) { At::Field } else { at })
            }
        };
        self.left -= taken.min(self.left);
        self.at = self.in_body(at);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::masked;
    use super::*;
    use crate::capture::flow::Role;
    use crate::wire::frame::*;
    use crate::wire::header;

    const KEY: [u8; 32] = *b"thirty-two bytes of sesame, open";

    fn frame<'a>(body: &impl Body<'a>) -> Vec<u8> {
        let mut out = Vec::new();
        header::put(&mut out, Flags::NONE, 7, body);
        out
    }

    fn all() -> Vec<(Vec<u8>, &'static [&'static str])> {
        let change = |change: ChangeCode| Change {
            request: 1,
            change: change as u8,
            on: 1,
            seconds: 0,
            value: "sesame",
            reason: "why",
        };
        let changed = |change: ChangeCode| Changed {
            by: "ann",
            change: change as u8,
            on: 1,
            seconds: 0,
            value: "sesame",
            reason: "why",
        };
        let settings = Settings {
            request: 1,
            flags: 3,
            occupants_max: 9,
            made_millis: 8,
            has_password: 1,
            password: "sesame",
        };
        let credentials = Credentials { request: 1, what: 2, name: "ann", password: "sesame", new: "open" };
        vec![
            (frame(&Hello { request: 1, version: VERSION, body_max: 9_000, name: "sesame" }), &[]),
            (frame(&credentials), &["sesame", "open"]),
            (frame(&Join { request: 1, past: 2, room: "#tea", password: "sesame" }), &["sesame"]),
            (frame(&Join { request: 1, past: 2, room: "#tea", password: "" }), &[]),
            (frame(&Say { request: 1, text: "sesame" }), &[]),
            (frame(&change(ChangeCode::Password)), &["sesame"]),
            (frame(&change(ChangeCode::Hidden)), &[]),
            (frame(&changed(ChangeCode::Password)), &["sesame"]),
            (frame(&changed(ChangeCode::Moderator)), &[]),
            (frame(&settings), &["sesame"]),
            (frame(&Ticket { request: 1, key: KEY }), &["thirty-two bytes of sesame, open"]),
            (frame(&Leave { request: 4 }), &[]),
            (frame(&Data { payload: b"" }), &[]),
        ]
    }

    fn hidden(bytes: &[u8], secrets: &[&str]) -> Vec<u8> {
        let mut text: Vec<u8> = bytes.to_vec();
        for secret in secrets {
            let at = text.windows(secret.len()).rposition(|part| part == secret.as_bytes()).expect(secret);
            text[at..at + secret.len()].fill(MASK);
        }
        text
    }

    #[test]
    fn secrets_are_masked_and_nothing_else_is() {
        let (mut sent, mut expected) = (Vec::new(), Vec::new());
        for (frame, secrets) in all() {
            assert_eq!(masked(Role::Client, &frame), hidden(&frame, secrets), "{frame:?}");
            expected.extend(hidden(&frame, secrets));
            sent.extend(frame);
        }
        assert_eq!(masked(Role::Server, &sent), expected, "one behind the other");
    }

    #[test]
    fn the_key_of_a_round_is_masked() {
        let addresses = ListEntries::of_encoded(&[]);
        let paths = frame(&Paths { round: 1, role: 2, key: KEY, addresses });
        let masked = masked(Role::Server, &paths);
        assert_eq!(masked[8..10], [1, 2]);
        assert_eq!(masked[10..42], [MASK; 32]);
        assert_eq!(masked[42..], paths[42..]);
    }

    #[test]
    fn a_secret_that_claims_to_be_longer_than_its_frame_ends_with_it() {
        let mut join = frame(&Join { request: 1, past: 2, room: "#tea", password: "sesame" });
        let length_at = join.len() - "sesame".len() - 1;
        join[length_at] = 255;
        let leave = frame(&Leave { request: 4 });
        let masked = masked(Role::Client, &[join.as_slice(), &leave].concat());
        assert!(masked.ends_with(&leave) && !masked.windows(6).any(|part| part == b"sesame"));
    }

    #[test]
    fn behind_what_is_no_frame_everything_is_masked() {
        let leave = frame(&Leave { request: 4 });
        for broken in [&b"hello"[..], &[0x84, 0x80, 0, 0, 0, 0, 0, 0], &[0x84, 0, 0xff, 0xff, 0, 0, 0, 0]] {
            let masked = masked(Role::Client, &[&leave, broken, b"sesame", leave.as_slice()].concat());
            assert!(masked.starts_with(&leave) && masked.ends_with(&[MASK; 18]), "{masked:?}");
        }
    }
}
