//! Passwords of the server and of its operators, which are kept as hashes: Argon2id (RFC 9106) in the PHC string format,
//! with the parameters that the OWASP Password Storage Cheat Sheet asks for. To check one takes tens of milliseconds, and
//! so is done by the `worker` alone.
//!
//! The bare build has no config that could hold one.

use crate::hub::record::Secret;
#[cfg(feature = "storage")]
use crate::session::scram;
#[cfg(feature = "storage")]
use std::borrow::Cow;

/// Whether `hash` is one of `password`. One that is no PHC string is of none.
#[cfg(feature = "config")]
pub fn is_right(password: &str, hash: &str) -> bool {
    use argon2::{Argon2, PasswordVerifier};
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

#[cfg(not(feature = "config"))]
pub fn is_right(_: &str, _: &str) -> bool {
    false
}

/// What is kept of a password. `salt` is random: 19 MiB of memory, 2 passes and 1 lane are this crate's defaults.
///
/// # Errors
/// When the machine has no memory for it.
#[cfg(feature = "config")]
pub fn hash(password: &str, salt: [u8; 16]) -> Result<String, String> {
    use argon2::{Argon2, PasswordHasher};
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|error| format!("the password cannot be hashed: {error}"))
}

/// Which nobody's password is: what passwords are held against where there is no such account, so that it takes as long.
pub const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$bm9ib2R5J3MgcGFzc3dvcmQgaXMgbm9uZSBhdCBhbGw";

/// What is kept of an account's password: as it is, and as SCRAM has it.
///
/// # Errors
/// A sentence, when there is no memory for it, or no randomness.
#[cfg(feature = "storage")]
pub fn secret(password: &str) -> Result<Secret, String> {
    let mut salts = [[0; 16]; 2];
    for salt in &mut salts {
        getrandom::fill(salt).map_err(|error| format!("no random numbers: {error}"))?;
    }
    let password = prepared(password);
    let salted =
        pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(password.as_bytes(), &salts[1], scram::ITERATIONS);
    let scram = Some(scram::keys_of(&salted, salts[1], scram::ITERATIONS));
    Ok(Secret { hash: hash(&password, salts[0])?.into(), scram })
}

#[cfg(not(feature = "storage"))]
pub fn secret(_: &str) -> Result<Secret, String> {
    Err("this build keeps no accounts".to_owned())
}

/// As SCRAM compares it, so that one password is one however it is typed (RFC 4013). One that cannot be brought into
/// that form is taken as it is; SCRAM clients that are strict will not send it.
#[cfg(feature = "storage")]
fn prepared(password: &str) -> Cow<'_, str> {
    stringprep::saslprep(password).unwrap_or(Cow::Borrowed(password))
}

/// Whether `hash`, made by [`secret`], is of `password`.
#[cfg(feature = "storage")]
pub fn is_accounts(password: &str, hash: &str) -> bool {
    is_right(&prepared(password), hash)
}

#[cfg(not(feature = "storage"))]
pub fn is_accounts(_: &str, _: &str) -> bool {
    false
}

/// Whether passwords can be checked against this.
#[cfg(feature = "config")]
pub fn is_hash(text: &str) -> bool {
    argon2::PasswordHash::new(text).is_ok_and(|hash| hash.algorithm.as_str().starts_with("argon2"))
}

#[cfg(test)]
#[cfg(feature = "config")]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_one_password() {
        let kept = hash("correct horse", [7; 16]).expect("memory");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_hash(&kept) && is_right("correct horse", &kept) && !is_right("correct hors", &kept));
        assert_ne!(kept, hash("correct horse", [8; 16]).expect("memory"));
        for bad in ["", "password", "$argon2id$", "$sha256$c2FsdHNhbHQ$aGFzaA"] {
            assert!(!is_hash(bad) && !is_right("", bad), "{bad}");
        }
    }
}
