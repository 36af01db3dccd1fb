//! How a token is replaced before it ends: an installation's by its App, an OAuth app's by its refresh token, which is
//! good once, so that one worker of all asks and stores the new pair before anybody uses it. Never waits.

use crate::member::{Held, Member, Source, lock};
use crate::model::StateKey;
use crate::ports::{Kept, StoreError};
use crate::tokens::Keeper;
use crate::{Env, Error};
use github::{Client, ConfigError, Credential, OAuthApp, OAuthError, Secret, Token};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Who asks for a new pair, by the credential's name and place.
const PARTITION: &str = "renewals";
/// So long nobody else asks, should the one who does die.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Others look again after so long.
const A_MOMENT: SignedDuration = SignedDuration::from_secs(2);
/// The vault is tried so often: what GitHub just gave is nowhere else.
const TRIES: u32 = 5;

/// Why a credential cannot be used.
pub(crate) enum Unusable {
    /// GitHub does not want it any more: set it aside.
    Refused(String),
    Error(Error),
}

impl<E: Into<Error>> From<E> for Unusable {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// A client with a token that is good for the next minutes.
pub(crate) async fn client(env: &Env, member: &Member) -> Result<Client, Unusable> {
    let now = env.now();
    if member.is_due(now) {
        let _one = member.renewing.lock().await;
        if member.is_due(now) {
            match &member.source {
                Source::Fixed => {}
                Source::Installation { app, id } => member.hold(installation(env.github.base(), app, *id, now).await?),
                Source::Oauth(app) => match env.github.keeper() {
                    Some(keeper) => pair(env, member, app, keeper).await?,
                    // Nowhere to store it: used to its end.
                    None => tracing::debug!("a token that expires is kept nowhere, and so is not renewed"),
                },
            }
        }
    }
    let token = member.held().token.ok_or(Error::Config(ConfigError::Token("there is none")))?;
    Ok(env.github.base().with_token(token))
}

/// After a 401: whether there is another token to try, because somebody replaced it or it can be made anew.
pub(crate) async fn another(env: &Env, member: &Member, refused: &Token) -> Result<bool, Error> {
    let _one = member.renewing.lock().await;
    if member.held().token.is_some_and(|token| token.fingerprint() != refused.fingerprint()) {
        return Ok(true);
    }
    if matches!(member.source, Source::Installation { .. }) {
        member.hold(Held::default());
        return Ok(true);
    }
    let Some(keeper) = env.github.keeper() else { return Ok(false) };
    let kept = keeper.vault.read(&keeper.name).await?;
    Ok(adopt(member, &kept)? && member.held().token.is_some_and(|token| token.fingerprint() != refused.fingerprint()))
}

pub(crate) async fn installation(base: &Client, app: &github::App, id: u64, now: Timestamp) -> Result<Held, Unusable> {
    let client = base.with_token(app.jwt(now)?);
    match client.installation_token(id).await {
        Ok((token, ends)) => Ok(Held { token: Some(token), ends: Some(ends) }),
        Err(github::Error::Unauthenticated) => Err(Unusable::Refused(format!("GitHub does not accept the key of the GitHub App {}", app.client_id()))),
        Err(github::Error::Absent { .. }) => {
            Err(Unusable::Refused(format!("the GitHub App {} is not installed there any more (installation {id})", app.client_id())))
        }
        Err(github::Error::Forbidden { message, .. }) => Err(Unusable::Refused(format!("GitHub refuses the installation {id} a token: {message}"))),
        Err(other) => Err(Error::GitHub(other).into()),
    }
}

/// Takes over what is kept at the member's place. Whether there is a token.
fn adopt(member: &Member, kept: &Kept) -> Result<bool, ConfigError> {
    let (token, ends) = match kept.credentials.get(member.place) {
        Some(Credential::Oauth { token, expires_at, .. } | Credential::Token { token, expires_at }) => (token, *expires_at),
        _ => return Ok(false),
    };
    member.hold(Held { token: Some(Token::new(token.reveal())?), ends });
    Ok(true)
}

/// One worker asks for the new pair; the others take it over.
async fn pair(env: &Env, member: &Member, app: &OAuthApp, keeper: &Keeper) -> Result<(), Unusable> {
    let key = StateKey { of: PARTITION.to_owned(), name: format!("{}#{}", keeper.name, member.place) };
    let now = env.now();
    let ours = match lease(env, &key, now).await? {
        Ok(revision) => revision,
        Err(until) => {
            adopt(member, &keeper.vault.read(&keeper.name).await?)?;
            // Good for some minutes more, unless GitHub has made the new one already: then a 401 leads back to the vault.
            let lives = member.held().ends.is_some_and(|ends| ends > now);
            let soon = now.checked_add(A_MOMENT).unwrap_or(now).min(until);
            return if lives { Ok(()) } else { Err(Error::Waiting { until: soon }.into()) };
        }
    };
    let done = ask(env, member, app, keeper).await;
    // Kept when a new pair is not stored yet: nobody else may ask with the old one.
    if lock(&member.unstored).is_none() {
        match env.store.save(&key, ours, &Value::Null).await {
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => tracing::warn!(%error, "a lease could not be given back: it ends by itself"),
        }
    }
    done
}

/// The revision of our lease, or until when another's lasts.
async fn lease(env: &Env, key: &StateKey, now: Timestamp) -> Result<Result<u64, Timestamp>, StoreError> {
    let state = env.store.states(std::slice::from_ref(key)).await?.into_iter().next().unwrap_or_default();
    let end = now.checked_add(LEASE).unwrap_or(now);
    if let Some(until) = crate::gate::until(&state.value).filter(|until| *until > now) {
        return Ok(Err(until));
    }
    match env.store.save(key, state.revision, &json!({ "until": end.to_string() })).await {
        Ok(revision) => Ok(Ok(revision)),
        Err(StoreError::Conflict) => Ok(Err(end)),
        Err(error) => Err(error),
    }
}

async fn ask(env: &Env, member: &Member, app: &OAuthApp, keeper: &Keeper) -> Result<(), Unusable> {
    let unstored = lock(&member.unstored).clone();
    let kept = keeper.vault.read(&keeper.name).await?;
    let new = match unstored {
        Some(new) => new,
        None => {
            adopt(member, &kept)?;
            let Some(Credential::Oauth { refresh_token: Some(refresh), .. }) = kept.credentials.get(member.place) else { return Ok(()) };
            // Read under the lease: whoever asked before us has stored what came.
            if !member.is_due(env.now()) {
                return Ok(());
            }
            match app.refresh(env.github.base(), refresh, env.now()).await {
                Ok(new) => with_refresh(new, refresh),
                Err(OAuthError::BadRefreshToken) => {
                    let why = format!(
                        "the authorization of {} has ended: it was revoked, or not used for six months. Authorize it again with `sei-github connect`",
                        app.client_id
                    );
                    return Err(Unusable::Refused(why));
                }
                Err(OAuthError::GitHub(error)) => return Err(Error::GitHub(error).into()),
                Err(other) => return Err(Unusable::Refused(other.to_string())),
            }
        }
    };
    *lock(&member.unstored) = Some(new.clone());
    store(member, keeper, kept, new).await?;
    *lock(&member.unstored) = None;
    Ok(())
}

/// A server that tells no new refresh token leaves the old one good.
fn with_refresh(new: Credential, old: &Secret) -> Credential {
    match new {
        Credential::Oauth { client_id, client_secret, token, refresh_token: None, expires_at, refresh_expires_at } => {
            Credential::Oauth { client_id, client_secret, token, refresh_token: Some(old.clone()), expires_at, refresh_expires_at }
        }
        other => other,
    }
}

async fn store(member: &Member, keeper: &Keeper, mut kept: Kept, new: Credential) -> Result<(), Error> {
    let before = kept.credentials.get(member.place).cloned();
    for tried in 1.. {
        let mut all = kept.credentials.clone();
        if let Some(place) = all.get_mut(member.place) {
            *place = new.clone();
        }
        match keeper.vault.replace(&keeper.name, &kept.revision, &all).await {
            Ok(revision) => {
                adopt(member, &Kept { credentials: all, revision })?;
                return Ok(());
            }
            Err(StoreError::Conflict) if tried < TRIES => {
                kept = keeper.vault.read(&keeper.name).await?;
                // Somebody put another credential into this place: theirs stands.
                if kept.credentials.get(member.place) != before.as_ref() {
                    adopt(member, &kept)?;
                    return Ok(());
                }
            }
            Err(StoreError::Unavailable { .. }) if tried < TRIES => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
