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

/// What a new hash costs whoever makes it, and whoever guesses. Those that are there keep theirs, which is in them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
}

impl Default for Cost {
    /// What the OWASP Password Storage Cheat Sheet asks for: 19 MiB, and 2 passes, of 1 lane.
    fn default() -> Self {
        Cost { memory_kib: 19_456, iterations: 2 }
    }
}

/// What is kept of a password. `salt` is random.
///
/// # Errors
/// When the machine has no memory for it.
#[cfg(feature = "config")]
pub fn hash(password: &str, salt: [u8; 16], Cost { memory_kib, iterations }: Cost) -> Result<String, String> {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
    let failed = |error: &dyn std::fmt::Display| format!("the password cannot be hashed: {error}");
    let params = Params::new(memory_kib, iterations, 1, None).map_err(|error| failed(&error))?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = hasher.hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|error| failed(&error))
}

/// Which nobody's password is: what passwords are held against where there is no such account, so that it takes as long
/// as for one whose hash has this cost.
pub fn nobodys(Cost { memory_kib, iterations }: Cost) -> String {
    let rest = "bm9ib2R5J3Mgc2FsdA$bm9ib2R5J3MgcGFzc3dvcmQgaXMgbm9uZSBhdCBhbGw";
    format!("$argon2id$v=19$m={memory_kib},t={iterations},p=1${rest}")
}

/// What is kept of an account's password: as it is, and as SCRAM has it.
///
/// # Errors
/// A sentence, when there is no memory for it, or no randomness.
#[cfg(feature = "storage")]
pub fn secret(password: &str, cost: Cost) -> Result<Secret, String> {
    let mut salts = [[0; 16]; 2];
    for salt in &mut salts {
        getrandom::fill(salt).map_err(|error| format!("no random numbers: {error}"))?;
    }
    let password = prepared(password);
    let salted =
        pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(password.as_bytes(), &salts[1], scram::ITERATIONS);
    let scram = Some(scram::keys_of(&salted, salts[1], scram::ITERATIONS));
    Ok(Secret { hash: hash(&password, salts[0], cost)?.into(), scram })
}

#[cfg(not(feature = "storage"))]
pub fn secret(_: &str, _: Cost) -> Result<Secret, String> {
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
        let kept = hash("correct horse", [7; 16], Cost::default()).expect("memory");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_hash(&kept) && is_right("correct horse", &kept) && !is_right("correct hors", &kept));
        assert_ne!(kept, hash("correct horse", [8; 16], Cost::default()).expect("memory"));
        assert!(is_hash(&nobodys(Cost::default())), "so that it takes as long");
        let cheap = hash("correct horse", [7; 16], Cost { memory_kib: 8, iterations: 1 }).expect("memory");
        assert!(cheap.contains("m=8,t=1,") && is_right("correct horse", &cheap));
        for bad in ["", "password", "$argon2id$", "$sha256$c2FsdHNhbHQ$aGFzaA"] {
            assert!(!is_hash(bad) && !is_right("", bad), "{bad}");
        }
    }
}
