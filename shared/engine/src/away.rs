//! The web flow of an OAuth app whose browser comes back to the very process that it left: nothing of it is in the table
//! or the vault. Knows nothing of HTTP, and shows no secret. For one that may come back to another process, see
//! [`crate::authorization`].
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#web-application-flow>

use crate::Error;
use crate::authorization::{LASTS, Stopped, digest, exchange, location, random};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use github::{ApiUrl, Client, Credential, OAuthApp, Secret, Token};
use jiff::Timestamp;
use std::fmt;

/// A browser that is at GitHub.
pub struct Away {
    client: Client,
    app: OAuthApp,
    redirect_uri: String,
    /// Digest of what it must bring back.
    state: String,
    verifier: Secret,
    ends: Timestamp,
    /// Where it goes; holds no secret but the state, which is of use to this process only.
    pub location: String,
}

impl fmt::Debug for Away {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Away").field("redirect_uri", &self.redirect_uri).field("ends", &self.ends).finish_non_exhaustive()
    }
}

/// Sends a browser away. The app needs its secret: GitHub exchanges no code without.
pub fn leave(url: ApiUrl, ca: Option<&[u8]>, app: OAuthApp, redirect_uri: &str, scopes: &str, now: Timestamp) -> Result<Away, Stopped> {
    // There is no token yet: these requests carry none.
    let none = Token::new("none").map_err(Error::from)?;
    let client = Client::trusting(url, none, ca).map_err(Error::from)?;
    let (state, verifier) = (random()?, random()?);
    let location = location(&client, &app, redirect_uri, scopes, &state, &verifier)?;
    let ends = now.checked_add(LASTS).unwrap_or(now);
    Ok(Away { client, app, redirect_uri: redirect_uri.to_owned(), state: digest(state.reveal()), verifier, ends, location })
}

impl Away {
    /// Whether this is the browser that left.
    #[must_use]
    pub fn knows(&self, state: &Secret) -> bool {
        verify_slices_are_equal(self.state.as_bytes(), digest(state.reveal()).as_bytes()).is_ok()
    }

    /// Uses up the code, if GitHub gave one. What comes must be stored.
    pub async fn finish(&self, code: Option<&Secret>, now: Timestamp) -> Result<Credential, Stopped> {
        if now >= self.ends {
            return Err(Stopped::Stale);
        }
        let code = code.ok_or(Stopped::Denied)?;
        exchange(&self.client, &self.app, code, &self.redirect_uri, &self.verifier, now).await
    }
}
