//! Hello and goodbye, answers, and signs of life.

use super::{Body, BodyError, Kind};
use crate::wire::fields::{Fields, put_long, put_name};
use crate::wire::schema::{self, Field, Form, Meaning};
use crate::wire::{AccountCode, ByeCode, CredentialsCode, RefusalCode};

/// The first four bytes of hello's body, so that a stray program is recognised as one.
pub const MAGIC: [u8; 4] = *b"SWBD";

/// The version of the protocol that this code speaks.
pub const VERSION: u8 = 1;

/// Client: the first frame. `body_max` is the longest body, in bytes, that the client wants to take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hello<'a> {
    pub request: u32,
    pub version: u8,
    pub body_max: u16,
    pub name: &'a str,
}

impl<'a> Body<'a> for Hello<'a> {
    const FIELDS: &'static [Field] = schema::HELLO;

    fn kind(&self) -> Kind {
        Kind::Hello
    }

    fn decode(fields: &mut Fields<'a>) -> Result<Self, BodyError> {
        if fields.array()? != MAGIC {
            return Err(BodyError::BadMagic);
        }
        let (request, version, body_max) = (fields.u32()?, fields.u8()?, fields.u16()?);
        if version != VERSION {
            // What another version says after this point is not ours to judge; the answer is a refusal.
            fields.bytes();
            return Ok(Hello { request, version, body_max, name: "" });
        }
        Ok(Hello { request, version, body_max, name: fields.name()? })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.request.to_be_bytes());
        out.push(self.version);
        out.extend_from_slice(&self.body_max.to_be_bytes());
        put_name(out, self.name);
    }
}

body! {
    /// Server: the session is open. From here on `body_max` (bytes) holds in both directions.
    Welcome<'a> {
        request: u32,
        version: u8,
        body_max: u16 as Length,
        /// The longest text, in bytes, that say, tell, decline and bye may have; a subject may be held to less.
        text_max: u16 as Length,
        /// The name as the server shows it to others.
        name: name,
    }

    /// Server: the request was carried out, and there is nothing more to tell about it.
    Done {
        request: u32,
    }

    /// Server: the request was not carried out. The header's channel is the request's.
    Refused<'a> {
        request: u32,
        /// A [`RefusalCode`] or a newer one.
        code: u16 as RefusalCode,
        /// A sentence for a person.
        text: text,
    }

    /// Both: are you there?
    Ping {
        token: u64,
    }

    /// Both: the answer to ping, with its token.
    Pong {
        token: u64,
    }

    /// Both: the last frame. A client says why it leaves, for those who stay; the server says why it hangs up.
    Bye<'a> {
        /// A [`ByeCode`] or a newer one.
        code: u16 as ByeCode,
        text: text,
    }

    /// Client: a password, before `hello` or after it.
    Credentials<'a> {
        request: u32,
        /// A [`CredentialsCode`]: what it is the password of, and what for.
        what: u8 as CredentialsCode,
        /// Of the account or the operator; empty where there is none, or where it is the user's own.
        name: name,
        password: long as Secret,
        /// The one to be from now on, where it is to be changed.
        new: long as Secret,
    }

    /// Server: what has become of an account.
    Account<'a> {
        request: u32,
        /// An [`AccountCode`].
        code: u8 as AccountCode,
        /// Its name.
        name: name,
    }
}
