//! Installs an integration: one form, in which GitHub's own lists help, and a check before it is saved. The form's secrets
//! stay in the browser until they are saved, and are never sent back to one. What `connect` asks, this asks.

use crate::authorizing;
use crate::connectors::address;
use crate::draft::Draft;
use crate::form::{self, Listed};
use crate::layout::{self, proof};
use crate::stop::Stop;
use crate::who::{Change, Role, Who};
use crate::{Console, Shared};
use async_trait::async_trait;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use engine::check::{Report, Verdict, Way, check};
use engine::{Choice, Credential, Credentials, Env, Integration, Job, Queue, Settings, StoreError, Tokens, Vault, integration, memberships};
use github::{Secret, Token};
use maud::{Markup, html};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So long a list of repositories is good for searching in.
const LISTED: Duration = Duration::from_secs(300);
/// Lists of repositories, by whose they are.
#[derive(Default)]
pub(crate) struct Lists(Mutex<HashMap<String, (Instant, Arc<engine::Choices>)>>);

/// Looking asks for no job.
struct Nowhere;

#[async_trait]
impl Queue for Nowhere {
    async fn send(&self, _: &[Job]) -> Result<(), StoreError> {
        Ok(())
    }
}

pub(crate) async fn page(State(console): Shared, who: Who) -> Result<Markup, Stop> {
    if who.role < Role::Admin {
        return Err(Stop::OnlyAdmins);
    }
    let practice = console.place.practice.as_ref();
    let mut draft = Draft::new(console.place.api_url.as_deref().or(practice.map(|practice| practice.api_url.as_str())));
    draft.webhook_url = console.place.webhook_url.clone().unwrap_or_default();
    Ok(draw(&console, &who, &draft, &Asked::default()))
}

/// What was asked of GitHub for the form, and what came of it.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) way: String,
    pub(crate) client_id: String,
    pub(crate) authorization: Option<(String, Markup)>,
    pub(crate) listed: Listed,
    pub(crate) report: Option<Report>,
    pub(crate) problem: Option<String>,
}

pub(crate) async fn change(State(console): Shared, change: Change) -> Result<Response, Stop> {
    let draft = console.settled(Draft::read(&change));
    let mut asked = Asked { way: change.field("way").to_owned(), client_id: change.field("client_id").to_owned(), ..Asked::default() };
    let done = async {
        let given = console.given(&change).await?;
        match change.field("action") {
            "look" => console.look_for(&draft, &change, given.as_deref(), None).await.map(|listed| asked.listed = listed).map(|()| None),
            "check" => {
                let one = draft.integration(credentials(&console, given.as_deref()))?;
                integration::is_free(console.store.as_ref(), &one).await?;
                console.checked(&one, given.as_deref(), &draft).await.map(|report| asked.report = Some(report)).map(|()| None)
            }
            _ => {
                let one = draft.integration(credentials(&console, given.as_deref()))?;
                integration::is_free(console.store.as_ref(), &one).await?;
                let report = console.checked(&one, given.as_deref(), &draft).await?;
                if report.verdict != Verdict::Works && !change.has("anyway") {
                    asked.report = Some(report);
                    return Err(Stop::Wrong(
                        "Nothing was saved: the check below found what cannot work. Mend it, choose less, or save it all the same.".to_owned(),
                    ));
                }
                console.save(&one, given.as_deref(), &change).await.map(Some)
            }
        }
    };
    let done: Result<Option<String>, Stop> = done.await;
    match done {
        Ok(Some(name)) => return Ok(Redirect::to(&address(&name)).into_response()),
        Ok(None) => {}
        Err(Stop::Store(error)) => return Err(error.into()),
        Err(stop) => asked.problem = Some(stop.to_string()),
    }
    if asked.way == "oauth" && change.has("authorized") {
        asked.authorization = console.authorization(&change).await.ok();
    }
    Ok(draw(&console, &change.who, &draft, &asked).into_response())
}

/// A stack's are always in its secret.
fn credentials(console: &Console, given: Option<&[Credential]>) -> Credentials {
    if given.is_some() || console.place.one_secret.is_some() { Credentials::Stored } else { Credentials::Environment }
}

pub(crate) fn draw(console: &Console, who: &Who, draft: &Draft, asked: &Asked) -> Markup {
    let body = html! {
        p class="trail" { a href="/console/connectors" { "Connectors" } }
        div class="title" { h1 { "Install a connector" } }
        @if let Some(practice) = &console.place.practice {
            p class="notice" { "This is a demo: a simulated GitHub answers at " code { (practice.api_url) } ". It accepts the token " code { (practice.token) } " and, for signing in, the OAuth app " code { (practice.client_id) } ". Its organization is " code { "acme" } "." }
        }
        form class="sheet" method="post" action="/console/connectors/new" data-parts="" autocomplete="off" {
            (proof(who))
            @if console.place.api_url.is_none() { (form::which_github(draft)) }
            (sign_in(console, who, draft, asked))
            (form::name(draft))
            (form::repositories(draft, &asked.listed))
            (form::options(console, draft))
            fieldset {
                legend { "Check and save" }
                p class="hint" { "The check asks GitHub a few questions and says of each thing whether it can work, what it would cost if not, and how to mend it." }
                p { button name="action" value="check" data-part="" { "Check" } }
                (form::findings(asked.report.as_ref()))
                (form::problem(asked.problem.as_deref()))
                div class="choices" {
                    @if console.syncs.is_some() { label class="choice" { input type="checkbox" name="start" value="yes" checked; span { "Copy at once" small { "and watch it" } } } }
                    label class="choice" { input type="checkbox" name="anyway" value="yes"; span { "Save even if the check fails" } }
                }
                p { button class="main" name="action" value="save" data-part="" { "Save" } }
            }
        }
    };
    layout::page(console, who, "Connectors", "Install a connector", body)
}

fn sign_in(console: &Console, who: &Who, draft: &Draft, asked: &Asked) -> Markup {
    let (at_hand, stack) = (!console.place.at_hand.is_empty(), console.place.one_secret.is_some());
    let kept = if stack { "kept in the stack's secret" } else { "kept for this user only" };
    let default = if asked.way.is_empty() { "token" } else { &asked.way };
    let web = draft.url().map_or_else(|_| "https://github.com".to_owned(), |url| url.web());
    let way = |value: &str, text: &str, more: &str| {
        html! { label class="choice" { input type="radio" name="way" value=(value) checked[default == value]; span { (text) small { (more) } } } }
    };
    html! {
        fieldset {
            legend { "How does it sign in?" }
            div class="choices" {
                @if stack { (way("kept", "The stack's token", "what its secret holds already")) }
                @if !stack || console.place.connect_url.is_some() { (way("oauth", "Authorize", "with the browser, by an OAuth app")) }
                (way("token", "Paste a token", "a personal access token"))
                (way("app", "GitHub App", "by its private key"))
                @if at_hand { (way("environment", "The environment's token", "GITHUB_TOKEN, read at each run")) }
            }
            div class="by-token" {
                label class="field" {
                    span { "Token" small { (kept) ", and never shown again" } }
                    input type="password" name="token" autocomplete="off" spellcheck="false" data-then="look";
                }
                p class="hint" {
                    a href={ (web) "/settings/tokens/new?scopes=repo,read:org,read:project&description=sei-github" } target="_blank" rel="noreferrer" { "Make one on GitHub" }
                    " with the scopes repo and read:org, read:project for boards, and admin:org_hook only for a webhook."
                }
            }
            div class="by-oauth" {
                @if !stack { (authorizing::app(who, &asked.client_id)) }
                div id="authorization" aria-live="polite" {
                    @match &asked.authorization {
                        Some((handle, text)) => { input type="hidden" name="authorized" value=(handle); (text) },
                        None => { p { button formaction="/console/connectors/new/authorize" formnovalidate data-part="" { "Authorize" } } },
                    }
                }
            }
            div class="by-app" {
                label class="field" { span { "Client id of the GitHub App" } input name="app_client_id" autocomplete="off" spellcheck="false"; }
                label class="field" { span { "Private key" small { "the content of the .pem file; " (kept) ", and never shown again" } } textarea name="private_key" rows="4" autocomplete="off" spellcheck="false" data-then="look" {} }
            }
        }
    }
}

impl Console {
    /// What a stack has settled is not for a form to say.
    pub(crate) fn settled(&self, draft: Draft) -> Draft {
        match &self.place.api_url {
            Some(url) => Draft { ca_cert: String::new(), ..Draft { kind: Draft::new(Some(url)).kind, api_url: url.clone(), ..draft } },
            None => draft,
        }
    }

    /// The credentials that the form brings; none for those of the environment, and none at all is a mistake.
    async fn given(&self, change: &Change) -> Result<Option<Vec<Credential>>, Stop> {
        let wrong = |text: &str| Stop::Wrong(text.to_owned());
        let one = match change.field("way") {
            "environment" if !self.place.at_hand.is_empty() => return Ok(None),
            // A stack's own function has put the token into its secret.
            "kept" | "oauth" if self.place.one_secret.is_some() => return Ok(None),
            "oauth" => return Ok(Some(vec![self.authorized(change).await?])),
            "app" => {
                app(change.field("app_client_id"), change.field("private_key"))?.ok_or_else(|| wrong("Give the GitHub App's client id and its private key."))?
            }
            _ => token(change.field("token"))?.ok_or_else(|| wrong("Paste a token first, or choose another way to sign in."))?,
        };
        Ok(Some(vec![one]))
    }

    /// Tokens to ask with: those that are given, else those of the integration.
    pub(crate) async fn tokens(&self, one: Option<&Integration>, given: Option<&[Credential]>, draft: &Draft) -> Result<Tokens, Stop> {
        let kept = match one {
            Some(one) => (one.credentials == Credentials::Stored).then(|| self.secret(&one.name)),
            None => self.place.one_secret.clone(),
        };
        let at_hand = match (given, &kept) {
            (Some(given), _) => given,
            (None, None) => self.place.at_hand.as_slice(),
            (None, Some(_)) => &[],
        };
        let kept = kept.as_ref().map(|name| (self.place.vault.clone() as Arc<dyn Vault>, name.as_str()));
        let pool = integration::pool(&draft.url()?, at_hand, kept, draft.ca()?.as_deref(), self.now()).await.map_err(|error| told(&error))?;
        pool.ok_or_else(|| Stop::Wrong("There is no token to ask GitHub with.".to_owned()))
    }

    /// What an integration's credentials are kept under.
    pub(crate) fn secret(&self, integration: &str) -> String {
        self.place.one_secret.clone().unwrap_or_else(|| integration.to_lowercase())
    }

    /// What GitHub lists for the form.
    pub(crate) async fn look_for(&self, draft: &Draft, change: &Change, given: Option<&[Credential]>, one: Option<&Integration>) -> Result<Listed, Stop> {
        let tokens = self.tokens(one, given, draft).await?;
        let env = Env::new(tokens, self.store.clone(), Arc::new(Nowhere), self.clock.clone(), Settings::default());
        let organizations = memberships(&env).await.map_err(|error| told(&error))?;
        let wanted = if draft.organizations.is_empty() && organizations.len() == 1 { organizations.clone() } else { draft.organizations.clone() };
        let mut listed = Listed { organizations, find: change.field("find").to_owned(), ..Listed::default() };
        let whose = given.or(Some(&self.place.at_hand)).unwrap_or_default().iter().map(fingerprint).collect::<Vec<_>>().join(" ");
        for org in &wanted {
            let key = format!("{} {} {whose} {}", draft.url()?.rest(), one.map(|one| one.name.as_str()).unwrap_or_default(), org.to_lowercase());
            let choices = match self.listed.get(&key) {
                Some(choices) => choices,
                None => {
                    let choices = Arc::new(engine::repositories(org, &env).await.map_err(|error| told(&error))?);
                    self.listed.put(key, choices.clone());
                    choices
                }
            };
            listed.repositories.extend(choices.repositories.iter().filter(|one| one.against.is_empty()).cloned().collect::<Vec<Choice>>());
            listed.missing.extend(choices.missing.iter().cloned());
        }
        Ok(listed)
    }

    pub(crate) async fn checked(&self, one: &Integration, given: Option<&[Credential]>, draft: &Draft) -> Result<Report, Stop> {
        let tokens = self.tokens(Some(one), given, draft).await?;
        let way = Way { proxy: (self.place.proxy)(&draft.url()?), private_ca: one.ca_cert.is_some() };
        check(&tokens, &one.settings(), &way, self.clock.as_ref()).await.map_err(|error| told(&error))
    }

    /// The credentials first: an integration without them would be half of one.
    async fn save(&self, one: &Integration, given: Option<&[Credential]>, change: &Change) -> Result<String, Stop> {
        if let Some(given) = given {
            integration::keep(self.place.vault.as_ref(), &self.secret(&one.name), given, self.place.one_secret.is_some()).await?;
        }
        integration::add(self.store.as_ref(), one).await?;
        self.note(&change.who, "connector.install", &one.name).await?;
        self.authorizing.forget(change.field("authorized")).await;
        if let Some(syncs) = self.syncs.as_ref().filter(|_| change.has("start")) {
            self.note(&change.who, "sync.begin", &one.name).await?;
            syncs.begin(&one.name);
        }
        Ok(one.name.clone())
    }
}

impl Lists {
    fn get(&self, key: &str) -> Option<Arc<engine::Choices>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (at, _)| at.elapsed() < LISTED);
        all.get(key).map(|(_, choices)| choices.clone())
    }

    fn put(&self, key: String, choices: Arc<engine::Choices>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (Instant::now(), choices));
    }
}

/// From which nothing leads back to the secret.
fn fingerprint(credential: &Credential) -> String {
    match credential {
        Credential::Token { token, .. } | Credential::Oauth { token, .. } => token.fingerprint(),
        Credential::App { client_id, private_key, .. } => format!("{client_id} {}", private_key.fingerprint()),
    }
}

pub(crate) fn token(text: &str) -> Result<Option<Credential>, Stop> {
    if text.is_empty() {
        return Ok(None);
    }
    Token::new(text).map_err(|error| Stop::Wrong(error.to_string()))?;
    Ok(Some(Credential::token(text)))
}

pub(crate) fn app(client_id: &str, key: &str) -> Result<Option<Credential>, Stop> {
    match (client_id.is_empty(), key.is_empty()) {
        (true, true) => Ok(None),
        (false, false) => Ok(Some(Credential::App { client_id: client_id.to_owned(), private_key: Secret::new(key), installations: Vec::new() })),
        _ => Err(Stop::Wrong("A GitHub App needs both its client id and its private key.".to_owned())),
    }
}

pub(crate) fn told(error: &engine::Error) -> Stop {
    Stop::Wrong(match error {
        engine::Error::GitHub(github::Error::Unauthenticated) => "GitHub does not accept the token: it is wrong, expired or revoked.".to_owned(),
        other => format!("{other}."),
    })
}
