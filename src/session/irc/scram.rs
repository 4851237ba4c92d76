//! SCRAM-SHA-256, the server's side of it (RFC 5802, RFC 7677): who logs in proves to know a password without saying
//! it, and learns that the server knows it, too. No channel binding: without TLS there is no channel to bind to.
//!
//! ```text
//!   C: n,,n=user,r=<nonce>                    client-first
//!   S: r=<nonce><more>,s=<salt>,i=<count>     server-first
//!   C: c=biws,r=<nonce><more>,p=<proof>       client-final
//!   S: v=<signature>                          server-final
//! ```

use crate::hub::record::ScramKeys;
use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// How often a password is hashed: RFC 7677 §4 wants 4,096 or more, and clients have to do the same at every login.
pub const ITERATIONS: u32 = 16_384;

/// Why it goes no further. Clients of IRC are told that it failed, and no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// Not as RFC 5802 §7 has it.
    Message,
    /// The client wants to bind a channel, or to require an extension.
    Unsupported,
    /// The nonce or the header of the beginning is not repeated.
    Mismatch,
    /// Another password.
    Proof,
}

/// What the client began with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientFirst {
    /// Whose password is meant.
    pub user: String,
    /// As whom to act; empty: as that user.
    pub authorization: String,
    /// The header, which the end repeats.
    header: String,
    bare: String,
    nonce: String,
}

impl ClientFirst {
    /// # Errors
    /// [`Bad`], if it is none.
    pub fn parse(message: &str) -> Result<ClientFirst, Bad> {
        let (binding, rest) = message.split_once(',').ok_or(Bad::Message)?;
        let (authorization, bare) = rest.split_once(',').ok_or(Bad::Message)?;
        match binding {
            "n" | "y" => {}
            binding if binding.starts_with("p=") => return Err(Bad::Unsupported),
            _ => return Err(Bad::Message),
        }
        let authorization = match authorization {
            "" => String::new(),
            named => unescape(named.strip_prefix("a=").ok_or(Bad::Message)?)?,
        };
        if bare.starts_with("m=") {
            return Err(Bad::Unsupported);
        }
        let mut parts = bare.split(',');
        let user = unescape(attribute(parts.next(), "n=")?)?;
        let nonce = attribute(parts.next(), "r=")?;
        if nonce.is_empty() || !nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Bad::Message);
        }
        let header = message.get(..message.len() - bare.len()).unwrap_or_default();
        Ok(ClientFirst { user, authorization, header: header.into(), bare: bare.into(), nonce: nonce.into() })
    }
}

/// A conversation after its first half.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    first: ClientFirst,
    keys: ScramKeys,
    /// The client's nonce and the server's.
    nonce: String,
    /// What the server has said.
    pub message: String,
}

impl Challenge {
    /// `more` is the server's part of the nonce: printable ASCII without commas, and never the same.
    pub fn new(first: ClientFirst, keys: ScramKeys, more: &str) -> Challenge {
        let nonce = format!("{}{more}", first.nonce);
        let message = format!("r={nonce},s={},i={}", Base64::encode_string(&keys.salt), keys.iterations);
        Challenge { first, keys, nonce, message }
    }

    /// Whose password is meant.
    pub fn user(&self) -> &str {
        &self.first.user
    }

    /// Which keys the proof is held against.
    pub fn salt(&self) -> [u8; 16] {
        self.keys.salt
    }

    /// The server's last message, if the client's proof is one.
    ///
    /// # Errors
    /// [`Bad`], if it is not.
    pub fn finish(&self, client_final: &str) -> Result<String, Bad> {
        let (without_proof, proof) = client_final.rsplit_once(",p=").ok_or(Bad::Message)?;
        let mut parts = without_proof.split(',');
        let header = Base64::decode_vec(attribute(parts.next(), "c=")?).map_err(|_| Bad::Message)?;
        if header != self.first.header.as_bytes() || attribute(parts.next(), "r=")? != self.nonce {
            return Err(Bad::Mismatch);
        }
        let mut proven = [0; 32];
        let length = Base64::decode(proof, &mut proven).map_err(|_| Bad::Message)?.len();
        if length != proven.len() {
            return Err(Bad::Message);
        }
        let said = format!("{},{},{without_proof}", self.first.bare, self.message);
        let mut client_key = hmac(&self.keys.stored_key, said.as_bytes());
        client_key.iter_mut().zip(proven).for_each(|(byte, other)| *byte ^= other);
        // Both sides are hashes: how far they agree tells nothing of the key.
        if Sha256::digest(client_key)[..] != self.keys.stored_key {
            return Err(Bad::Proof);
        }
        Ok(format!("v={}", Base64::encode_string(&hmac(&self.keys.server_key, said.as_bytes()))))
    }
}

/// What is kept of a password, made of what PBKDF2 makes of it (RFC 5802 §3, `SaltedPassword`).
pub fn keys_of(salted: &[u8; 32], salt: [u8; 16], iterations: u32) -> ScramKeys {
    let client_key = hmac(salted, b"Client Key");
    let stored_key = Sha256::digest(client_key).into();
    ScramKeys { salt, iterations, stored_key, server_key: hmac(salted, b"Server Key") }
}

/// What is held against a proof where there is no such account: it looks the same each time, and no proof fits it.
pub fn nobodys_keys(secret: &[u8; 32], account: &str) -> ScramKeys {
    let mut salt = [0; 16];
    salt.iter_mut().zip(hmac(secret, account.as_bytes())).for_each(|(byte, other)| *byte = other);
    ScramKeys { salt, iterations: ITERATIONS, stored_key: [0; 32], server_key: [0; 32] }
}

fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // A key of any length will do.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.chain_update(message).finalize().into_bytes().into()
}

fn attribute<'a>(part: Option<&'a str>, name: &str) -> Result<&'a str, Bad> {
    part.and_then(|part| part.strip_prefix(name)).ok_or(Bad::Message)
}

/// A comma is written `=2C`, and `=` is `=3D`.
fn unescape(name: &str) -> Result<String, Bad> {
    let mut parts = name.split('=');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (character, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return Err(Bad::Message),
        };
        text.push(character);
        text.push_str(rest);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const MORE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    fn challenge() -> Challenge {
        let salt: [u8; 16] =
            Base64::decode_vec("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64").try_into().expect("16 bytes");
        let salted = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(b"pencil", &salt, 4_096);
        Challenge::new(ClientFirst::parse(FIRST).expect("as in the RFC"), keys_of(&salted, salt, 4_096), MORE)
    }

    /// RFC 7677 §3.
    #[test]
    fn the_example_of_the_rfc() {
        let challenge = challenge();
        assert_eq!(challenge.user(), "user");
        assert_eq!(
            challenge.message,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        assert_eq!(challenge.finish(FINAL), Ok("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".into()));
    }

    #[test]
    fn a_proof_of_another_password_or_another_conversation_is_none() {
        let challenge = challenge();
        let other = |from: &str, to: &str| challenge.finish(&FINAL.replace(from, to));
        assert_eq!(other("p=dHz", "p=dHy"), Err(Bad::Proof));
        assert_eq!(other("r=rO", "r=rP"), Err(Bad::Mismatch));
        assert_eq!(other("$k0", "$k1"), Err(Bad::Mismatch));
        assert_eq!(other("c=biws", "c=eSws"), Err(Bad::Mismatch), "y,, is not n,,");
        for bad in
            ["", "c=biws", "c=biws,r=x", "p=", "c=biws,r=x,p=", "c=biws,r=x,p=????", "r=x,c=biws,p=dHzb"]
        {
            assert!(challenge.finish(bad).is_err(), "{bad}");
        }
        for at in 0..FINAL.len() {
            assert!(challenge.finish(&FINAL[..at]).is_err(), "{at} bytes of it");
        }
    }

    #[test]
    fn beginnings() {
        let first = ClientFirst::parse("y,a=bob,n=a=2Cb=3D,r=x,ext=1").expect("one");
        assert_eq!((&*first.user, &*first.authorization), ("a,b=", "bob"));
        for (bad, why) in [
            ("p=tls-unique,,n=user,r=x", Bad::Unsupported),
            ("n,,m=ext,n=user,r=x", Bad::Unsupported),
            ("", Bad::Message),
            ("n", Bad::Message),
            ("n,,", Bad::Message),
            ("n,,n=user", Bad::Message),
            ("n,,n=user,r=", Bad::Message),
            ("n,,n=user,r=a b", Bad::Message),
            ("n,,n=us=er,r=x", Bad::Message),
            ("n,bob,n=user,r=x", Bad::Message),
            ("x,,n=user,r=x", Bad::Message),
        ] {
            assert_eq!(ClientFirst::parse(bad), Err(why), "{bad}");
        }
    }
}
