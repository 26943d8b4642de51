//! JSON to a URL, with a signature by which the receiver knows who has sent it.

use super::Http;
use crate::{Message, Secret};
use host::Deadline;
use ring::hmac;
use std::fmt::Write;

/// The signature's header: `sha256=` and the HMAC-SHA256 of the body under the shared secret, in hexadecimal digits.
const SIGNATURE: &str = "X-Kaiwudb-Ha-Signature";
/// The same for every try of one message.
const REPETITION: &str = "Idempotency-Key";

pub(super) fn send(
    url: &Secret,
    secret: Option<&Secret>,
    http: &Http,
    message: &Message,
    deadline: Deadline,
) -> Result<(), String> {
    let url = url.read(deadline)?;
    let body = serde_json::to_string(message).map_err(|error| error.to_string())?;
    let mut headers = vec![(REPETITION, message.id.clone())];
    if let Some(secret) = secret {
        headers.push((SIGNATURE, signature(&secret.read(deadline)?, &body)));
    }
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    http.post(&url, &headers, &body).map(drop)
}

fn signature(secret: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut text = "sha256=".to_owned();
    for byte in hmac::sign(&key, body.as_bytes()).as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        // Test case 2.
        assert_eq!(
            super::signature("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
