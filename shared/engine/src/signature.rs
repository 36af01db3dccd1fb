//! Whether GitHub signed these bytes: HMAC-SHA256 by a secret that it and we share. Never shows a secret, never looks
//! at what was signed.
//! <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>

use crate::ports::StoreError;
use async_trait::async_trait;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use github::Secret;
use std::sync::Arc;

/// Where the secrets come from.
#[async_trait]
pub trait Keyring: Send + Sync {
    /// Those that are known or, if `again`, those of now: a signature did not fit, and they may have been replaced.
    async fn secrets(&self, again: bool) -> Result<Arc<Secrets>, StoreError>;
}

/// The present secret of a hook and, while it is being replaced, the one before.
pub struct Secrets(Vec<Key>);

impl Secrets {
    /// Empty ones are none: GitHub signs nothing with them.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let given = secrets.into_iter().map(Secret::reveal).filter(|secret| !secret.is_empty());
        Self(given.map(|secret| Key::new(HMAC_SHA256, secret.as_bytes())).collect())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `header` is `X-Hub-Signature-256`. Compared in constant time, with every secret.
    #[must_use]
    pub fn signed(&self, body: &[u8], header: &str) -> bool {
        let Some(tag) = header.trim().strip_prefix("sha256=").and_then(bytes) else { return false };
        // All are tried, so that the time does not tell which one it was.
        self.0.iter().fold(false, |signed, key| signed | verify(key, body, &tag).is_ok())
    }
}

/// As GitHub writes it, for whoever sends events himself.
#[must_use]
pub fn header(secret: &Secret, body: &[u8]) -> String {
    let tag = sign(&Key::new(HMAC_SHA256, secret.reveal().as_bytes()), body);
    tag.as_ref().iter().fold("sha256=".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// 64 hexadecimal digits.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digits = hex.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| pair.get(at).and_then(|digit| char::from(*digit).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    /// The example of GitHub's documentation.
    #[test]
    fn githubs_own_example_is_signed() {
        let secret = Secret::new("It's a Secret to Everybody");
        let secrets = Secrets::new([&secret]);
        assert!(secrets.signed(b"Hello, World!", SIGNED));
        assert_eq!(header(&secret, b"Hello, World!"), SIGNED);
        assert!(!secrets.signed(b"Hello, World.", SIGNED));
    }

    #[test]
    fn two_secrets_are_good_while_one_replaces_the_other_and_none_is_never_good() {
        let (new, old) = (Secret::new("new"), Secret::new("It's a Secret to Everybody"));
        assert!(Secrets::new([&new, &old]).signed(b"Hello, World!", SIGNED));
        assert!(!Secrets::new([&new]).signed(b"Hello, World!", SIGNED));
        let none = Secrets::new([&Secret::new("")]);
        assert!(none.is_empty() && !none.signed(b"", &header(&Secret::new(""), b"")));
    }

    #[test]
    fn what_is_no_signature_is_not_one() {
        let secrets = Secrets::new([&Secret::new("It's a Secret to Everybody")]);
        let long = format!("{SIGNED}00");
        for header in ["", "sha256=", "sha1=757107ea", "757107ea", &SIGNED.replace('7', "g"), &long, SIGNED.get(..70).unwrap_or_default(), "sha256=äöü"] {
            assert!(!secrets.signed(b"Hello, World!", header), "{header}");
        }
    }
}
