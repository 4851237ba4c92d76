//! Passwords of the server and of its operators, which are kept as hashes: Argon2id (RFC 9106) in the PHC string format,
//! with the parameters that the OWASP Password Storage Cheat Sheet asks for. To check one takes tens of milliseconds, and
//! so is done by the `worker` alone.
//!
//! The bare build has no config that could hold one.

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
