//! The web flow of an OAuth app: from a link that is good once to a token in the vault. Knows nothing of HTTP, and shows
//! no secret: state, ticket and cookie are kept as digests only.
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#web-application-flow>

use crate::Error;
use crate::model::StateKey;
use crate::ports::{Store, StoreError, Vault};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use github::{Client, Credential, OAuthApp, OAuthError, Secret};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

const PARTITION: &str = "authorizations";
/// Between the link and its use, and between leaving for GitHub and coming back.
pub const LASTS: SignedDuration = SignedDuration::from_mins(10);

/// What the copy needs of a token: private repositories, members and teams, boards, and the organization's webhook.
/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps>
pub const SCOPES: &str = "repo read:org read:project admin:org_hook";

/// One app on one GitHub, and where it comes back to.
pub struct Door<'a> {
    pub store: &'a dyn Store,
    pub vault: &'a dyn Vault,
    pub client: &'a Client,
    pub app: &'a OAuthApp,
    pub redirect_uri: &'a str,
    pub scopes: &'a str,
    /// What the credentials are kept under.
    pub name: &'a str,
}

/// Where the browser goes, and what it must bring back.
pub struct Begun {
    pub location: String,
    pub cookie: Secret,
}

/// Why nobody was authorized, by what to do.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// Begin anew. Wrong, reused, expired, of another browser: whoever guesses learns nothing.
    #[error("this sign-in is no longer good")]
    Stale,
    #[error("the request was declined at GitHub")]
    Denied,
    /// Somebody must mend the app's settings.
    #[error("{0}")]
    App(String),
    #[error(transparent)]
    Trouble(#[from] Error),
}

#[derive(Debug, Serialize, Deserialize)]
struct Pending {
    integration: String,
    expires_at: Timestamp,
    /// Digest of the cookie; none for a ticket.
    #[serde(default)]
    browser: Option<String>,
}

/// Makes a link's ticket: only who has it may begin, so that no stranger's token gets into an integration.
pub async fn ticket(store: &dyn Store, integration: &str, now: Timestamp) -> Result<Secret, Error> {
    let ticket = random()?;
    sweep(store, now).await?;
    keep(store, &ticket, &Pending { integration: integration.to_owned(), expires_at: later(now), browser: None }).await?;
    Ok(ticket)
}

/// Uses up the ticket, and tells where to send the browser.
pub async fn begin(door: &Door<'_>, ticket: &Secret, now: Timestamp) -> Result<Begun, Stopped> {
    let pending = take(door.store, ticket, now).await?.filter(|pending| pending.browser.is_none()).ok_or(Stopped::Stale)?;
    let (state, cookie) = (random()?, random()?);
    keep(door.store, &state, &Pending { expires_at: later(now), browser: Some(digest(cookie.reveal())), ..pending }).await?;
    let location = location(door.client, door.app, door.redirect_uri, door.scopes, &state, &verifier(&cookie))?;
    Ok(Begun { location, cookie })
}

/// GitHub's page on which somebody agrees.
pub(crate) fn location(client: &Client, app: &OAuthApp, redirect_uri: &str, scopes: &str, state: &Secret, verifier: &Secret) -> Result<String, Stopped> {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.reveal().as_bytes()));
    let authorize = format!("{}/login/oauth/authorize", client.url().web());
    let mut location = Url::parse(&authorize).map_err(|error| Stopped::App(error.to_string()))?;
    location
        .query_pairs_mut()
        .append_pair("client_id", &app.client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", scopes)
        .append_pair("state", state.reveal())
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("allow_signup", "false");
    Ok(location.to_string())
}

/// A code for a token.
pub(crate) async fn exchange(
    client: &Client,
    app: &OAuthApp,
    code: &Secret,
    redirect_uri: &str,
    verifier: &Secret,
    now: Timestamp,
) -> Result<Credential, Stopped> {
    let token = app.token_of_code(client, code, redirect_uri, verifier, now).await;
    token.map_err(|error| match error {
        OAuthError::Expired | OAuthError::Pending | OAuthError::SlowDown { .. } | OAuthError::BadRefreshToken => Stopped::Stale,
        OAuthError::Denied => Stopped::Denied,
        error @ OAuthError::App { .. } => Stopped::App(error.to_string()),
        OAuthError::GitHub(error) => Stopped::Trouble(error.into()),
    })
}

/// The browser is back: uses up the state, then the code, and stores the token. Returns the integration's name.
pub async fn finish(door: &Door<'_>, cookie: &Secret, state: &Secret, code: Option<&Secret>, now: Timestamp) -> Result<String, Stopped> {
    // Used up whatever comes next: a state is good once.
    let pending = take(door.store, state, now).await?.ok_or(Stopped::Stale)?;
    let ours = pending.browser.as_ref().is_some_and(|browser| verify_slices_are_equal(browser.as_bytes(), digest(cookie.reveal()).as_bytes()).is_ok());
    if !ours {
        return Err(Stopped::Stale);
    }
    let Some(code) = code else { return Err(Stopped::Denied) };
    let credential = exchange(door.client, door.app, code, door.redirect_uri, &verifier(cookie), now).await?;
    keep_token(door, credential).await?;
    Ok(pending.integration)
}

/// Beside the integration's other credentials; an older one of the same app makes way.
async fn keep_token(door: &Door<'_>, credential: Credential) -> Result<(), Error> {
    let same_app = |one: &Credential| matches!(one, Credential::Oauth { client_id, .. } if *client_id == door.app.client_id);
    loop {
        let mut kept = door.vault.read(door.name).await?;
        kept.credentials.retain(|one| !same_app(one));
        kept.credentials.push(credential.clone());
        match door.vault.replace(door.name, &kept.revision, &kept.credentials).await {
            Err(StoreError::Conflict) => {}
            other => return Ok(other.map(|_| ())?),
        }
    }
}

/// Follows from the cookie, which only the browser has.
fn verifier(cookie: &Secret) -> Secret {
    Secret::new(&URL_SAFE_NO_PAD.encode(Sha256::digest(format!("verifier {}", cookie.reveal()).as_bytes())))
}

pub(crate) fn random() -> Result<Secret, Error> {
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Unreadable("this machine has no random numbers".to_owned()))?;
    Ok(Secret::new(&URL_SAFE_NO_PAD.encode(bytes)))
}

pub(crate) fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

fn later(now: Timestamp) -> Timestamp {
    now.checked_add(LASTS).unwrap_or(now)
}

fn key(secret: &Secret) -> StateKey {
    StateKey { of: PARTITION.to_owned(), name: digest(secret.reveal()) }
}

async fn keep(store: &dyn Store, secret: &Secret, pending: &Pending) -> Result<(), Error> {
    let value = serde_json::to_value(pending).map_err(|error| Error::Unreadable(error.to_string()))?;
    store.save(&key(secret), 0, &value).await?;
    Ok(())
}

/// Of two who take the same one, one gets it.
async fn take(store: &dyn Store, secret: &Secret, now: Timestamp) -> Result<Option<Pending>, Error> {
    let key = key(secret);
    let state = store.states(std::slice::from_ref(&key)).await?.into_iter().next().unwrap_or_default();
    if state.revision == 0 {
        return Ok(None);
    }
    match store.save(&key, state.revision, &serde_json::Value::Null).await {
        Err(StoreError::Conflict) => return Ok(None),
        other => other.map(|_| ())?,
    }
    let pending: Option<Pending> = serde_json::from_value(state.value).ok();
    Ok(pending.filter(|pending| now < pending.expires_at))
}

/// Removes those that nobody came back with.
async fn sweep(store: &dyn Store, now: Timestamp) -> Result<(), Error> {
    for (name, state) in store.states_of(PARTITION).await? {
        let pending: Option<Pending> = serde_json::from_value(state.value).ok();
        if pending.is_none_or(|pending| pending.expires_at <= now) {
            match store.save(&StateKey { of: PARTITION.to_owned(), name }, state.revision, &serde_json::Value::Null).await {
                Ok(_) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
