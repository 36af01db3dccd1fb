//! Authorizes an OAuth app for the form of a connector: by GitHub's page in another tab, by a code that is entered there,
//! or by a stack's own function. Tokens and secrets stay here until the form is saved, and are in no answer.

use crate::draft::Draft;
use crate::install::{Asked, draw};
use crate::layout;
use crate::stop::Stop;
use crate::who::{Change, Role, Who};
use crate::{Console, Shared};
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use engine::Credential;
use engine::authorization::{SCOPES, Stopped, ticket};
use engine::away::{self, Away};
use engine::device::{self, DeviceError};
use github::{OAuthApp, Secret};
use maud::{Markup, html};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// GitHub's codes are good for 15 minutes.
const AUTHORIZED: Duration = Duration::from_secs(1200);
/// Where GitHub sends the browser back to, below the console's address.
pub(crate) const CALLBACK: &str = "/authorized";
/// The same, for a browser that shows its session, too.
pub(crate) const BACK: &str = "/console/connectors/new/authorized";

/// Authorizations under way, by a handle that is of use to the session that began them only.
#[derive(Default)]
pub(crate) struct Authorizing(tokio::sync::Mutex<HashMap<String, Authorization>>);

struct Authorization {
    began: Instant,
    session: Option<String>,
    state: Authorized,
}

enum Authorized {
    /// Until a code is entered.
    Waiting(Box<device::Waiting>),
    /// Until the browser is back from GitHub's page.
    Away(Box<Away>),
    Done(Box<Credential>),
}

impl Authorizing {
    pub(crate) async fn forget(&self, handle: &str) {
        self.0.lock().await.remove(handle);
    }
}

/// Begins an authorization or, of one that is under way, asks how it stands.
pub(crate) async fn authorize(State(console): Shared, change: Change) -> Result<Response, Stop> {
    let draft = console.settled(Draft::read(&change));
    let mut asked = Asked { way: "oauth".to_owned(), client_id: change.field("client_id").to_owned(), ..Asked::default() };
    match console.authorization(&change).await {
        Ok(authorization) => asked.authorization = Some(authorization),
        Err(stop) => asked.problem = Some(stop.to_string()),
    }
    Ok(draw(&console, &change.who, &draft, &asked).into_response())
}

/// The browser is back from GitHub, in another tab than the form's.
pub(crate) async fn back(State(console): Shared, who: Who, Query(query): Query<HashMap<String, String>>) -> Result<Markup, Stop> {
    if who.role < Role::Admin {
        return Err(Stop::OnlyAdmins);
    }
    let secret = |name: &str| query.get(name).filter(|text| !text.is_empty() && text.len() < 1000).map(|text| Secret::new(text));
    let stale = || Stop::Wrong("This sign-in is no longer good: it was used, took too long, or began in another session. Begin again in the form.".to_owned());
    let state = secret("state").ok_or_else(stale)?;
    let mut all = console.authorizing.0.lock().await;
    let ours = |one: &Authorization| one.session == who.csrf && matches!(&one.state, Authorized::Away(away) if away.knows(&state));
    let handle = all.iter().find(|(_, one)| ours(one)).map(|(handle, _)| handle.clone()).ok_or_else(stale)?;
    // A state is good once, whatever comes of it.
    let Some(Authorization { began, session, state: Authorized::Away(away) }) = all.remove(&handle) else { return Err(stale()) };
    let credential = away.finish(secret("code").as_ref(), console.now()).await.map_err(|why| match why {
        Stopped::Stale => stale(),
        Stopped::Denied => Stop::Wrong("The request was declined at GitHub. Begin again in the form.".to_owned()),
        Stopped::App(why) => Stop::Wrong(format!("{why}. Begin again in the form.")),
        Stopped::Trouble(error) => crate::install::told(&error),
    })?;
    all.insert(handle, Authorization { began, session, state: Authorized::Done(Box::new(credential)) });
    Ok(layout::bare("Authorized", html! { p { "Go on in the form, which knows it by now. This tab can be closed." } }))
}

impl Console {
    /// The credential that an authorization brought.
    pub(crate) async fn authorized(&self, change: &Change) -> Result<Credential, Stop> {
        let all = self.authorizing.0.lock().await;
        match all.get(change.field("authorized")).filter(|one| one.session == change.who.csrf).map(|one| &one.state) {
            Some(Authorized::Done(credential)) => Ok(credential.as_ref().clone()),
            Some(Authorized::Waiting(_)) => Err(Stop::Wrong("Enter the code on GitHub's page first.".to_owned())),
            Some(Authorized::Away(_)) => Err(Stop::Wrong("Authorize on GitHub's page first.".to_owned())),
            None => Err(Stop::Wrong("Authorize first, or choose another way to sign in.".to_owned())),
        }
    }

    /// The handle of an authorization, and how it stands.
    pub(crate) async fn authorization(&self, change: &Change) -> Result<(String, Markup), Stop> {
        if self.place.one_secret.is_some() {
            return self.by_the_stack(change).await.map(|drawn| (String::new(), drawn));
        }
        let mut all = self.authorizing.0.lock().await;
        all.retain(|_, one| one.began.elapsed() < AUTHORIZED);
        let handle = change.field("authorized").to_owned();
        if change.has("anew") {
            all.retain(|known, one| *known != handle || one.session != change.who.csrf);
        }
        if let Some(one) = all.get_mut(&handle).filter(|one| one.session == change.who.csrf) {
            if let Authorized::Waiting(waiting) = &mut one.state
                && self.now() >= waiting.ask_at
            {
                match waiting.ask(self.now()).await {
                    Ok(Some(credential)) => one.state = Authorized::Done(Box::new(credential)),
                    Ok(None) => {}
                    Err(error) => {
                        all.remove(&handle);
                        return Err(declined(&error));
                    }
                }
            }
            return Ok((handle.clone(), standing(&one.state, self.now())));
        }
        if !handle.is_empty() && !change.has("anew") {
            return Err(Stop::Wrong("It was declined, failed or took too long. Authorize again.".to_owned()));
        }
        let state = self.begin(change).await?;
        let handle = crate::local::random().map_err(|error| Stop::Wrong(error.to_string()))?;
        let drawn = standing(&state, self.now());
        all.insert(handle.clone(), Authorization { began: Instant::now(), session: change.who.csrf.clone(), state });
        Ok((handle, drawn))
    }

    /// By the app's page if there is its secret, which GitHub asks for then; else by a code.
    async fn begin(&self, change: &Change) -> Result<Authorized, Stop> {
        let client_id = change.field("client_id").to_owned();
        if client_id.is_empty() {
            return Err(Stop::Wrong("Give the client id of the OAuth app first.".to_owned()));
        }
        let draft = self.settled(Draft::read(change));
        let (url, ca) = (draft.url()?, draft.ca()?);
        if change.has("client_secret") {
            let app = OAuthApp { client_id, client_secret: Some(Secret::new(change.field("client_secret"))) };
            let callback = format!("{}{CALLBACK}", change.who.here);
            let away = away::leave(url, ca.as_deref(), app, &callback, SCOPES, self.now()).map_err(|why| Stop::Wrong(format!("{why}.")))?;
            return Ok(Authorized::Away(Box::new(away)));
        }
        let app = OAuthApp { client_id, client_secret: None };
        let waiting = device::begin(url, ca.as_deref(), app, SCOPES, self.now()).await.map_err(|error| declined(&error))?;
        Ok(Authorized::Waiting(Box::new(waiting)))
    }

    /// A link to the page of the stack's own function, which has the app's secret and puts the token beside it.
    async fn by_the_stack(&self, change: &Change) -> Result<Markup, Stop> {
        let missing = || Stop::Wrong("This stack has no OAuth app: deploy it with the parameter OAuthClientId, or choose another way to sign in.".to_owned());
        let url = self.place.connect_url.as_ref().ok_or_else(missing)?;
        let name = if change.has("name") { change.field("name") } else { "console" };
        let ticket = ticket(self.store.as_ref(), name, self.now()).await.map_err(|error| crate::install::told(&error))?;
        self.note(&change.who, "connector.authorize", name).await?;
        let location = format!("{url}/oauth/authorize?ticket={}", ticket.reveal());
        Ok(html! {
            p { a class="button" href=(location) target="_blank" rel="noreferrer" { "Go to GitHub" } }
            p class="hint" { "It opens in another tab, and is good once and for ten minutes. When that tab says that it is connected, the token is in the stack's secret: go on here." }
        })
    }
}

/// The app, as the form asks for it.
pub(crate) fn app(who: &Who, client_id: &str) -> Markup {
    html! {
        label class="field" { span { "Client id of the OAuth app" } input name="client_id" value=(client_id) autocomplete="off" spellcheck="false"; }
        label class="field" {
            span { "Its client secret" small { "without it, GitHub shows a page for a code, which the app's settings must enable as device flow" } }
            input type="password" name="client_secret" autocomplete="off" spellcheck="false";
        }
        p class="hint" { "The app's callback URL is " code { (who.here) (CALLBACK) } ", where GitHub does not mind the port." }
    }
}

fn standing(state: &Authorized, now: jiff::Timestamp) -> Markup {
    match state {
        Authorized::Done(_) => html! { p data-then="look" { (crate::bars::chip("good", "authorized")) " The token is kept when you save." } },
        Authorized::Away(away) => html! {
            p { a class="button main" href=(away.location) target="_blank" rel="noreferrer" { "Go to GitHub" } }
            p class="muted" { "Agree there, in another tab; this one goes on by itself. " button formaction="/console/connectors/new/authorize" formnovalidate data-part="" data-again="2" { "I did" } }
            (anew())
        },
        Authorized::Waiting(waiting) => {
            let seconds = waiting.ask_at.duration_since(now).as_secs().clamp(1, 60);
            let page = &waiting.code.verification_uri;
            html! {
                p { "Open " @if page.starts_with("https://") || page.starts_with("http://") { a href=(page) target="_blank" rel="noreferrer" { (page) } } @else { (page) } " and enter the code" }
                p class="code" { (waiting.code.user_code) }
                p class="muted" { "Waiting until it is entered. " button formaction="/console/connectors/new/authorize" formnovalidate data-part="" data-again=(seconds) { "It is" } }
                (anew())
            }
        }
    }
}

fn anew() -> Markup {
    html! { p { button formaction="/console/connectors/new/authorize" formnovalidate data-part="" name="anew" value="yes" { "Begin again" } } }
}

fn declined(error: &DeviceError) -> Stop {
    Stop::Wrong(format!("{error}. Authorize again for a new code."))
}
