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
