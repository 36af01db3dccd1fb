//! Translates what API Gateway brings from a browser into the web flow's two steps, and their ends into pages. No page
//! and no log holds a code, a state or a token.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use engine::authorization::{Door, Stopped, begin, finish};
use github::Secret;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// A browser's request by way of API Gateway, or a call by somebody whom IAM lets invoke the function itself. A browser
/// cannot make the latter: API Gateway wraps what it sends.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Event {
    Browser(Request),
    /// Asks for a link for this integration, good once and for ten minutes.
    Operator {
        link_for: String,
    },
}

/// The parts that are used of payload format 2.0.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    #[serde(default)]
    pub raw_path: String,
    #[serde(default)]
    pub raw_query_string: String,
    #[serde(default)]
    pub cookies: Vec<String>,
    pub request_context: Context,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    #[serde(default)]
    pub domain_name: String,
    pub http: Http,
}

#[derive(Debug, Deserialize)]
pub struct Http {
    pub method: String,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    pub status_code: u16,
    pub headers: BTreeMap<&'static str, String>,
    pub cookies: Vec<String>,
    pub body: String,
}

impl Request {
    /// Where GitHub sends the browser back to; API Gateway, not the browser, tells the host.
    #[must_use]
    pub fn callback(&self) -> String {
        format!("https://{}/oauth/callback", self.request_context.domain_name)
    }
}

/// `__Host-`: the browser takes it over HTTPS only, for this host only.
const COOKIE: &str = "__Host-sei-github";

pub async fn handle(request: &Request, door: &Door<'_>, now: Timestamp) -> Response {
    if request.request_context.http.method != "GET" {
        return page(405, "Not like this", "This address is for browsers.");
    }
    let query: HashMap<String, String> = url::form_urlencoded::parse(request.raw_query_string.as_bytes()).into_owned().collect();
    let secret = |name: &str| query.get(name).filter(|text| !text.is_empty() && text.len() < 1000).map(|text| Secret::new(text));
    if request.raw_path.ends_with("/oauth/authorize") {
        let Some(ticket) = secret("ticket") else { return stopped(&Stopped::Stale) };
        return match begin(door, &ticket, now).await {
            Ok(begun) => away(&begun.location, begun.cookie.reveal()),
            Err(why) => stopped(&why),
        };
    }
    if !request.raw_path.ends_with("/oauth/callback") {
        return page(404, "Nothing is here", "The link is `/oauth/authorize?ticket=…`, as the command prints it.");
    }
    let cookie = request.cookies.iter().find_map(|cookie| cookie.strip_prefix(COOKIE)?.strip_prefix('=')).map(Secret::new);
    let (Some(cookie), Some(state)) = (cookie, secret("state")) else { return stopped(&Stopped::Stale) };
    match finish(door, &cookie, &state, secret("code").as_ref(), now).await {
        Ok(integration) => {
            tracing::info!(integration, "authorized");
            page(200, "Connected", "The token is stored. You can close this window.")
        }
        Err(why) => stopped(&why),
    }
}

fn away(location: &str, cookie: &str) -> Response {
    let mut response = page(302, "To GitHub", "Your browser is on its way.");
    response.headers.insert("location", location.to_owned());
    response.cookies = vec![format!("{COOKIE}={cookie}; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax")];
    response
}

/// The function's own settings cannot be read.
pub fn unavailable(error: &impl std::error::Error) -> Response {
    tracing::error!(%error, "the app's settings cannot be read");
    stopped(&Stopped::App(String::new()))
}

fn stopped(why: &Stopped) -> Response {
    tracing::warn!(%why, "not authorized");
    match why {
        Stopped::Stale => page(
            400,
            "This sign-in is no longer good",
            "It was used, or is older than ten minutes, or began in another browser. Ask for a new link with `sei-github connect`.",
        ),
        Stopped::Denied => page(403, "Not authorized", "The request was declined at GitHub. Nothing was stored."),
        Stopped::App(_) => page(502, "The app is not set up", "Its settings at GitHub and here do not agree; the function's log says how. Nothing was stored."),
        Stopped::Trouble(_) => {
            page(502, "That did not work", "GitHub or the table did not answer as it should; the function's log says more. Ask for a new link and try again.")
        }
    }
}

fn page(status_code: u16, title: &str, text: &str) -> Response {
    let body = format!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1><p>{text}</p></html>");
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
    ];
    // Whatever was begun is over, or a new cookie follows.
    let forget = format!("{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    Response { status_code, headers: headers.map(|(name, value)| (name, value.to_owned())).into(), cookies: vec![forget], body }
}
