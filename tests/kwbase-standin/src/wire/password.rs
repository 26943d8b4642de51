//! Checks a password against the SCRAM verifier that PostgreSQL keeps.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{digest, hmac, pbkdf2};

/// Whether `password` belongs to `verifier`, which reads `SCRAM-SHA-256$<rounds>:<salt>$<stored key>:<server key>`
/// (RFC 5803). A verifier of another form fits no password.
pub(crate) fn matches(verifier: &str, password: &str) -> bool {
    let check = || {
        let (head, keys) = verifier.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (rounds, salt) = head.split_once(':')?;
        let rounds: NonZeroU32 = rounds.parse().ok()?;
        let salt = BASE64.decode(salt).ok()?;
        let server_key = BASE64.decode(keys.split_once(':')?.1).ok()?;
        let mut salted = [0; digest::SHA256_OUTPUT_LEN];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            rounds,
            &salt,
            password.as_bytes(),
            &mut salted,
        );
        // The server key is an HMAC under the salted password; comparing it takes constant time.
        hmac::verify(
            &hmac::Key::new(hmac::HMAC_SHA256, &salted),
            b"Server Key",
            &server_key,
        )
        .ok()
    };
    check().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by PostgreSQL 15: CREATE ROLE u PASSWORD 'pencil'.
    const VERIFIER: &str = "SCRAM-SHA-256$4096:ligXPkxdo7lOyCyXgi9BMg==$LksC7E+9zhY8k1j6GfUPr3YuSQfU2ySVg7PTQP+u4Qk=:TDLeBaSVBYRK0D0Sy/uSyoWAINHbrUeAxBl0ohxyA5c=";

    #[test]
    fn only_the_right_password_fits() {
        assert!(matches(VERIFIER, "pencil"));
        assert!(!matches(VERIFIER, "Pencil"));
        assert!(!matches("md5e8a48653851e28c69d0506508fb27fc5", "pencil"));
        assert!(!matches("SCRAM-SHA-256$0:$:", ""));
    }
}
