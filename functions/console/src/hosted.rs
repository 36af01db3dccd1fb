//! The door of a stack: who has signed in at its OIDC issuer gets a session, an admin's if they are in the group for it.
//!
//! A browser that follows a link sends no header `Authorization`, so that API Gateway's JWT authorizer cannot guard pages.
//! It guards the one address where a session begins: the function exchanges the issuer's code (PKCE), a page of ours brings
//! the ID token there as a bearer token, and only what the authorizer lets through becomes a cookie. No signature is
//! verified here, and no key is known; a session is known by the digest of its cookie alone.

use crate::gateway::Arrived;
use crate::issuer::{Issuer, IssuerError};
use crate::stop::Stop;
use crate::who::{Role, Who};
use crate::{Console, layout, router, security};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::sessions;
use github::Secret;
use maud::html;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// `__Host-`: the browser takes them over HTTPS only, for this host only.
const SESSION: &str = "__Host-sei-console";
/// Of a browser that is at the issuer.
const LEAVING: &str = "__Host-sei-sign-in";
const SIGN_IN: &str = "/sign-in";
const BACK: &str = "/sign-in/back";
/// The one address that the authorizer guards.
const BEGIN: &str = "/session";
const SIGN_OUT: &str = "/sign-out";
const HOME: &str = "/console/";

/// Who may do what, by what the issuer says of them.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    /// The claim that lists somebody's groups.
    pub claim: String,
    /// Whose members change things; nobody does if it is empty.
    pub admins: String,
    /// Whose members look at things; nobody else does if it is empty, and everybody that the issuer lets sign in if it
    /// is [`EVERYBODY`].
    pub viewers: String,
}

/// Of an issuer that lets in whoever comes, these are many.
const EVERYBODY: &str = "everybody";

/// What there is to come in by.
pub struct Entrance {
    pub issuer: Issuer,
    pub roles: Roles,
}

impl Roles {
    /// None for whom it is not.
    fn of(&self, claims: &Value) -> Option<Role> {
        // A list is a list: what is one text is one group, whatever it looks like.
        let of = |group: &str| match claims.get(&self.claim) {
            Some(Value::Array(all)) => all.iter().any(|one| one == group),
            Some(Value::String(one)) => one == group,
            _ => false,
        };
        if !self.admins.is_empty() && of(&self.admins) {
            return Some(Role::Admin);
        }
        (self.viewers == EVERYBODY || !self.viewers.is_empty() && of(&self.viewers)).then_some(Role::Viewer)
    }
}

/// Somebody as the audit calls them: by an address only if the issuer has made sure of it.
fn name(claims: &Value) -> Option<String> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let sure = matches!(claims.get("email_verified"), Some(Value::Bool(true))) || text("email_verified") == Some("true");
    let subject = text("sub")?;
    Some(text("email").filter(|_| sure).unwrap_or(subject).chars().take(200).collect())
}

/// Follows from the cookie of whoever leaves, which only their browser has.
fn derived(what: &str, cookie: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, format!("{what} {cookie}").as_bytes()))
}

fn same(ours: &str, theirs: &str) -> bool {
    verify_slices_are_equal(ours.as_bytes(), theirs.as_bytes()).is_ok()
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';')).find_map(|pair| Some(pair.trim().strip_prefix(name)?.strip_prefix('=')?.to_owned())).filter(|value| !value.is_empty())
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    // Beside others: `extend` would take their place.
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn bare(status: StatusCode, title: &str, text: &str) -> Response {
    let body = html! { p { (text) } p { a class="button" href=(SIGN_IN) { "Sign in" } } };
    (status, layout::bare(title, body)).into_response()
}

fn stale() -> Response {
    bare(StatusCode::BAD_REQUEST, "This sign-in is no longer good", "It was used, took too long, or began in another browser. Begin again.")
}

fn failed(error: &IssuerError) -> Response {
    tracing::error!(%error, "nobody can be signed in");
    match error {
        IssuerError::Refused(_) => stale(),
        _ => bare(StatusCode::BAD_GATEWAY, "That did not work", "The issuer did not answer as it should; the function's log says more. Try again in a while."),
    }
}

/// The pages, behind this door.
pub fn hosted(console: Arc<Console>, entrance: Arc<Entrance>) -> Router {
    let state = (console.clone(), entrance);
    router(console).layer(from_fn_with_state(state, guard)).layer(axum::middleware::map_response(security::secured))
}

type Inside = (Arc<Console>, Arc<Entrance>);

async fn guard(State((console, entrance)): State<Inside>, mut request: Request, next: Next) -> Response {
    // What did not come by way of API Gateway has no name of ours.
    let Some(arrived) = request.extensions().get::<Arrived>().cloned() else { return Stop::Stranger.into_response() };
    let here = format!("https://{}", arrived.host);
    let (headers, path) = (request.headers(), request.uri().path());
    if path.starts_with("/console/assets/") {
        return next.run(request).await;
    }
    let query: HashMap<String, String> = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        // A browser always tells where a form comes from.
        if headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) != Some(here.as_str()) {
            return Stop::Forged.into_response();
        }
        match path {
            BEGIN => return begin(&console, &entrance, headers, arrived.verified).await,
            SIGN_OUT => return sign_out(&console, headers).await,
            _ => {}
        }
    }
    match path {
        SIGN_IN => return leave(&entrance, &here, &query).await,
        BACK => return back(&entrance, &here, headers, &query).await,
        _ => {}
    }
    let found = match cookie(headers, SESSION).map(|cookie| Secret::new(&cookie)) {
        Some(cookie) => match sessions::find(console.store.as_ref(), &cookie, console.now()).await {
            Ok(found) => found.map(|session| (session, cookie)),
            Err(error) => return Stop::from(error).into_response(),
        },
        None => None,
    };
    let Some((session, cookie)) = found else { return stranger(&request) };
    let role = if session.admin { Role::Admin } else { Role::Viewer };
    let who = Who { name: session.name, role, csrf: Some(sessions::csrf(&cookie)), here, signs_out: Some(SIGN_OUT) };
    request.extensions_mut().insert(who);
    next.run(request).await
}

/// Leads whoever opens a page to where they sign in.
fn stranger(request: &Request) -> Response {
    let told = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let wanted = request.uri().path_and_query().map_or(HOME, |wanted| wanted.as_str());
    if *request.method() != Method::GET || told("sec-fetch-mode") != "navigate" {
        return bare(StatusCode::UNAUTHORIZED, "You are not signed in", "Sign in to go on.");
    }
    if told("sec-fetch-site") == "cross-site" {
        // A strict cookie is not sent by a browser that was led here from another site: a page of ours asks again, with it.
        let mut response = layout::bare("One moment", html! { p { a href=(wanted) { "Go on" } } }).into_response();
        response.headers_mut().extend(HeaderValue::from_str(&format!("0; url={wanted}")).map(|refresh| (header::REFRESH, refresh)));
        return response;
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", wanted).finish();
    Redirect::to(&format!("{SIGN_IN}?{query}")).into_response()
}

/// To the issuer.
async fn leave(entrance: &Entrance, here: &str, query: &HashMap<String, String>) -> Response {
    let cookie = match crate::local::random() {
        Ok(cookie) => cookie,
        Err(error) => return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    };
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, derived("verifier", &cookie).as_bytes()));
    let location = entrance.issuer.location(&format!("{here}{BACK}"), &derived("state", &cookie), &derived("nonce", &cookie), &challenge).await;
    let location = match location {
        Ok(location) => location,
        Err(error) => return failed(&error),
    };
    // Only a page of ours is gone on to.
    let to = query.get("to").filter(|to| to.starts_with(HOME) && to.len() < 1500).map_or(HOME, String::as_str);
    let kept = format!("{LEAVING}={cookie}.{}; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax", URL_SAFE_NO_PAD.encode(to));
    with_cookie(Redirect::to(&location).into_response(), &kept)
}

/// From the issuer: its code becomes a token, which a page of ours brings to the authorizer.
async fn back(entrance: &Entrance, here: &str, headers: &HeaderMap, query: &HashMap<String, String>) -> Response {
    let field = |name: &str| query.get(name).map(String::as_str).filter(|text| !text.is_empty() && text.len() < 4000);
    let Some((cookie, _)) = leaving(headers) else { return stale() };
    if !field("state").is_some_and(|state| same(&derived("state", &cookie), state)) {
        return stale();
    }
    let Some(code) = field("code").map(Secret::new) else {
        return bare(StatusCode::FORBIDDEN, "Not signed in", "The issuer did not let you in.");
    };
    match entrance.issuer.token(&code, &format!("{here}{BACK}"), &derived("verifier", &cookie)).await {
        Ok(token) => {
            layout::bare("Signing in", html! { p id="pass" role="status" data-pass=(token.reveal()) { "This page goes on by itself, by its script." } p { a href=(SIGN_IN) { "Begin again" } } })
                .into_response()
        }
        Err(error) => failed(&error),
    }
}

/// The cookie of whoever left, and where they wanted to go.
fn leaving(headers: &HeaderMap) -> Option<(String, String)> {
    let cookie = cookie(headers, LEAVING)?;
    let (cookie, to) = cookie.split_once('.')?;
    let to = String::from_utf8(URL_SAFE_NO_PAD.decode(to).ok()?).ok().filter(|to| to.starts_with(HOME))?;
    Some((cookie.to_owned(), to))
}

/// Begins a session by a token that API Gateway has let through.
async fn begin(console: &Console, entrance: &Entrance, headers: &HeaderMap, verified: bool) -> Response {
    let refused = |status: StatusCode, text: &'static str| bare(status, "Not signed in", text);
    if !verified {
        tracing::error!("a session was asked for past the authorizer: the route {BEGIN} must have it");
        return refused(StatusCode::UNAUTHORIZED, "Nobody has verified who you are.");
    }
    let Some((cookie, to)) = leaving(headers) else { return stale() };
    // The token itself, of which the authorizer's claims are a rendering: there, a list of groups is one text.
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    let claims = bearer.and_then(|token| token.split('.').nth(1)).and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
    let claims: Option<Value> = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(claims) = claims else { return refused(StatusCode::UNAUTHORIZED, "The token cannot be read.") };
    // Of this very sign-in: no token that was made for another, or for a program, begins a session.
    if !claims.get("nonce").and_then(Value::as_str).is_some_and(|nonce| same(&derived("nonce", &cookie), nonce)) {
        return stale();
    }
    let (Some(role), Some(name)) = (entrance.roles.of(&claims), name(&claims)) else {
        return refused(StatusCode::FORBIDDEN, "You are known, but not in a group that may look at this console. Ask who runs it.");
    };
    let session = match sessions::begin(console.store.as_ref(), &name, role == Role::Admin, console.now()).await {
        Ok(session) => session,
        Err(error) => {
            tracing::error!(%error, "a session cannot begin");
            return refused(StatusCode::SERVICE_UNAVAILABLE, "The table does not answer as it should. Try again in a while.");
        }
    };
    tracing::info!(who = name, role = role.name(), "signed in");
    let lasts = sessions::LASTS.as_secs();
    let response = with_cookie(to.into_response(), &format!("{SESSION}={}; Path=/; Max-Age={lasts}; Secure; HttpOnly; SameSite=Strict", session.reveal()));
    with_cookie(response, &format!("{LEAVING}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"))
}

async fn sign_out(console: &Console, headers: &HeaderMap) -> Response {
    if let Some(cookie) = cookie(headers, SESSION)
        && let Err(error) = sessions::end(console.store.as_ref(), &Secret::new(&cookie)).await
    {
        return Stop::from(error).into_response();
    }
    let page = bare(StatusCode::OK, "Signed out", "The session has ended here. The issuer may know you still.");
    with_cookie(page, &format!("{SESSION}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"))
}
