//! The credentials a run may use: the one with the most budget left is asked with, and one that GitHub refuses is set
//! aside. Never waits, and never shows a token.

use crate::Error;
use crate::member::{Held, Member, Source};
use crate::ports::Vault;
use crate::renew;
use github::{ApiUrl, App, Client, ConfigError, Credential, OAuthApp, Resource, Spent, Token};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Credentials of one server; they share one meter.
#[derive(Clone)]
pub struct Tokens {
    base: Client,
    members: Arc<[Member]>,
    keeper: Option<Keeper>,
    /// The organization that is asked about, in lower case.
    about: Option<Arc<str>>,
    /// Where the App can be installed, for messages.
    install: Option<Arc<str>>,
}

/// Where the credentials are kept, and under which name.
#[derive(Clone)]
pub(crate) struct Keeper {
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) name: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("members", &self.members.len()).field("about", &self.about).finish_non_exhaustive()
    }
}

impl Tokens {
    /// One for each token; none is an error.
    pub fn new(url: ApiUrl, tokens: Vec<Token>) -> Result<Self, ConfigError> {
        Self::trusting(url, tokens, None)
    }

    /// Trusts the authorities in `ca`, certificates in PEM, too.
    pub fn trusting(url: ApiUrl, tokens: Vec<Token>, ca: Option<&[u8]>) -> Result<Self, ConfigError> {
        let first = tokens.first().cloned().ok_or(ConfigError::Token("there is none"))?;
        let member = |(place, token)| Member::new(Source::Fixed, Held { token: Some(token), ends: None }, place);
        let members: Vec<Member> = tokens.into_iter().enumerate().map(member).collect();
        Ok(Self { base: Client::trusting(url, first, ca)?, members: members.into(), keeper: None, about: None, install: None })
    }

    /// None, for whoever asks GitHub nothing.
    pub fn none(url: ApiUrl) -> Result<Self, ConfigError> {
        // Never sent: there is nobody to ask with.
        let base = Client::new(url, Token::new("none")?)?;
        Ok(Self { base, members: Vec::new().into(), keeper: None, about: None, install: None })
    }

    /// Any kind of credential. Asks GitHub only where there is an App: whether its key is accepted, and where it is installed.
    pub async fn connect(url: ApiUrl, credentials: &[Credential], ca: Option<&[u8]>, now: Timestamp) -> Result<Self, Error> {
        let (mut members, mut install) = (Vec::new(), None);
        let mut base: Option<Client> = None;
        for (place, credential) in credentials.iter().enumerate() {
            let (source, text, ends) = match credential {
                Credential::Token { token, expires_at } => (Source::Fixed, token, *expires_at),
                Credential::Oauth { client_id, client_secret, token, expires_at, .. } => {
                    (Source::Oauth(OAuthApp { client_id: client_id.clone(), client_secret: client_secret.clone() }), token, *expires_at)
                }
                Credential::App { client_id, private_key, installations } => {
                    let app = Arc::new(App::new(client_id, private_key)?);
                    let jwt = app.jwt(now)?;
                    let client = base.as_ref().map_or_else(|| Client::trusting(url.clone(), jwt.clone(), ca), |base| Ok(base.with_token(jwt.clone())))?;
                    let (found, page) = installed(&client, &app, installations).await?;
                    install = Some(page.into());
                    let member = |one: &github::Installation| Member::new(Source::Installation { app: app.clone(), id: one.id }, Held::default(), place);
                    members.extend(found.iter().map(|one| member(one).of(&one.account)));
                    base.get_or_insert(client);
                    continue;
                }
            };
            let token = Token::new(text.reveal())?;
            if base.is_none() {
                base = Some(Client::trusting(url.clone(), token.clone(), ca)?);
            }
            members.push(Member::new(source, Held { token: Some(token), ends }, place));
        }
        let base = base.ok_or(ConfigError::Token("there is none"))?;
        Ok(Self { base, members: members.into(), keeper: None, about: None, install })
    }

    /// Where they are kept, so that what is renewed is stored there, and what somebody replaced is found there.
    #[must_use]
    pub fn kept_in(self, vault: Arc<dyn Vault>, name: &str) -> Self {
        Self { keeper: Some(Keeper { vault, name: name.to_owned() }), ..self }
    }

    /// The organizations where an App is installed, in lower case.
    pub(crate) fn owners(&self) -> Vec<String> {
        self.members.iter().filter_map(|member| member.owner.clone()).collect()
    }

    pub(crate) fn keeper(&self) -> Option<&Keeper> {
        self.keeper.as_ref()
    }

    pub(crate) fn base(&self) -> &Client {
        &self.base
    }

    /// The same for an organization: an App has a token of its own for each.
    pub(crate) fn about(&self, org: &str) -> Self {
        Self { about: Some(org.to_lowercase().into()), ..self.clone() }
    }

    fn suits(&self, member: &Member) -> bool {
        let (Some(owner), Some(about)) = (&member.owner, &self.about) else { return true };
        **owner == **about
    }

    /// All that may be asked with, whether or not GitHub refused them.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| self.suits(member))
    }

    /// Those to ask with, the one with the most left of the resource first; of which nothing is known is taken for whole.
    pub(crate) fn by_budget(&self, resource: &Resource, now: Timestamp) -> Vec<&Member> {
        let mut usable: Vec<&Member> = self.members().filter(|member| member.is_usable()).collect();
        usable.sort_by_key(|member| std::cmp::Reverse(member.left(resource, now).map_or(u32::MAX, |left| left.remaining)));
        usable
    }

    /// A client for each that GitHub did not refuse, with the organization that it is good for, if for one only. What an
    /// App cannot make a token of is left out.
    pub(crate) async fn clients(&self, now: Timestamp) -> Vec<(Option<&str>, Client)> {
        let mut all = Vec::new();
        for member in self.members().filter(|member| member.is_usable()) {
            if let Source::Installation { app, id } = &member.source
                && member.is_due(now)
                && let Ok(held) = renew::installation(&self.base, app, *id, now).await
            {
                member.hold(held);
            }
            let client = member.held().token.map(|token| self.base.with_token(token));
            all.extend(client.map(|client| (member.owner.as_deref(), client)));
        }
        all
    }

    /// Why there is nothing to ask with, if the organization is the reason.
    pub(crate) fn not_installed(&self) -> Option<Error> {
        let about = self.about.as_ref().filter(|_| self.members().next().is_none())?;
        let install = self.install.as_deref().unwrap_or_default();
        Some(Error::NotInstalled { login: about.to_string(), why: format!("the GitHub App is not installed there. Let an owner install it at {install}") })
    }

    /// Whether one of them is a GitHub App's for an installation, which is no user's.
    pub(crate) fn has_installation(&self) -> bool {
        self.members().any(|member| member.is_usable() && member.is_installation())
    }

    /// Whether one of them is replaced by itself before it ends.
    pub(crate) fn renews(&self) -> bool {
        self.members().any(|member| !matches!(member.source, Source::Fixed))
    }

    /// Where people find the server's pages, for messages.
    #[must_use]
    pub fn web(&self) -> String {
        self.base.url().web()
    }

    /// Whether it is a server of somebody's own: all have their API there.
    /// <https://docs.github.com/en/enterprise-server/rest/using-the-rest-api/getting-started-with-the-rest-api>
    pub(crate) fn is_enterprise_server(&self) -> bool {
        self.base.url().rest().path().trim_end_matches('/').ends_with("/api/v3")
    }

    /// How many of how many GitHub no longer accepts.
    #[must_use]
    pub fn refused(&self) -> (usize, usize) {
        (self.members.iter().filter(|member| !member.is_usable()).count(), self.members.len())
    }

    /// The same tokens with a meter of their own.
    #[must_use]
    pub(crate) fn metered(&self) -> Self {
        Self { base: self.base.metered(), ..self.clone() }
    }

    /// What is known to be left of each token's limits.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Vec<Left> {
        let mut all = Vec::new();
        for member in self.members.iter() {
            for resource in [Resource::Core, Resource::Graphql] {
                if let Some(told) = member.left(&resource, now) {
                    all.push(Left {
                        token: member.account(),
                        resource: crate::gate::name(&resource),
                        remaining: told.remaining,
                        limit: told.limit,
                        resets: told.resets,
                    });
                }
            }
        }
        all
    }

    /// Points of GraphQL that all of them may spend in an hour, without the share that is left to their owners. Of which
    /// nothing was told is taken for one like the others; none where nothing was told of any.
    pub(crate) fn points_an_hour(&self, now: Timestamp, reserve_percent: u32) -> Option<u64> {
        let usable: Vec<&Member> = self.members().filter(|member| member.is_usable()).collect();
        let limit = usable.iter().filter_map(|member| member.left(&Resource::Graphql, now)).map(|told| u64::from(told.limit)).max()?;
        let accounts: BTreeSet<String> = usable.iter().map(|member| member.account()).collect();
        Some(limit * u64::try_from(accounts.len()).unwrap_or(1) * u64::from(100_u32.saturating_sub(reserve_percent)) / 100)
    }

    /// By all of them.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.base.spent()
    }
}

/// What is left of a limit in its hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Whose limit it is, from which nothing leads back to the token.
    pub token: String,
    /// `core` (REST) or `graphql`.
    pub resource: &'static str,
    pub remaining: u32,
    pub limit: u32,
    /// When it is whole again.
    pub resets: Timestamp,
}

/// The installations that were chosen, and the page on which the App is installed; `client` has the App's JWT.
async fn installed(client: &Client, app: &App, chosen: &[u64]) -> Result<(Vec<github::Installation>, String), Error> {
    let refused = |error| match error {
        github::Error::Unauthenticated => Error::Access {
            why: format!(
                "{} does not accept the key of the GitHub App {}: it is another App's or was removed, the client id is wrong, or this machine's clock is",
                client.url().host(),
                app.client_id()
            ),
        },
        other => Error::GitHub(other),
    };
    let page = format!("{}/apps/{}/installations/new", client.url().web(), client.app_slug().await.map_err(refused)?);
    let mut all = client.installations().await.map_err(refused)?;
    if let Some(lacking) = chosen.iter().find(|id| !all.iter().any(|one| one.id == **id)) {
        return Err(Error::Access { why: format!("the GitHub App {} has no installation {lacking}: it was removed, or is another App's", app.client_id()) });
    }
    all.retain(|one| (chosen.is_empty() || chosen.contains(&one.id)) && !one.suspended);
    if all.is_empty() {
        return Err(Error::Access {
            why: format!("the GitHub App {} is not installed anywhere, or suspended: let an owner of the organization install it at {page}", app.client_id()),
        });
    }
    Ok((all, page))
}
