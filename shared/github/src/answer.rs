//! What an answer of GitHub's means: success, or one of the errors. Pure functions of status, headers and body.

use crate::error::{Error, Forbidden};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use serde_json::Value;

#[derive(Debug, Clone)]
pub struct Reply {
    /// Null if `not_modified`.
    pub body: Value,
    pub not_modified: bool,
    /// The `next` of the `Link` header, verbatim.
    pub next: Option<String>,
    /// Of how many pages this is one, if the `Link` header tells.
    pub pages: Option<u64>,
    pub etag: Option<String>,
    pub budget: Option<Budget>,
    /// By GitHub's own clock.
    pub answered_at: Timestamp,
    /// Of a classic token.
    pub scopes: Option<Vec<String>>,
    /// Organizations silently left out: `X-GitHub-SSO: partial-results`.
    pub sso_partial: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub data: Value,
    pub errors: Vec<GraphqlError>,
    pub budget: Option<Budget>,
    pub cost: u64,
    /// When the token ends, if GitHub tells.
    pub token_expires: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphqlError {
    pub kind: Option<String>,
    pub path: Vec<String>,
    pub message: String,
    pub saml_failure: bool,
}

/// What the token may still spend, as the last answer told. A server without limits tells none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    pub resource: Resource,
    pub limit: u32,
    pub remaining: u32,
    /// How long until it is whole again, by GitHub's own clock: ours need not agree with it.
    pub reset_in: SignedDuration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    Core,
    Graphql,
    Other(String),
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    text(headers, name)?.trim().parse().ok()
}

impl Budget {
    pub(crate) fn read(headers: &HeaderMap, asked: &Resource, now: Timestamp) -> Option<Self> {
        let reset = Timestamp::from_second(number(headers, "x-ratelimit-reset")?).ok()?;
        let resource = match text(headers, "x-ratelimit-resource") {
            Some("core") => Resource::Core,
            Some("graphql") => Resource::Graphql,
            Some(other) => Resource::Other(other.to_owned()),
            None => asked.clone(),
        };
        Some(Self {
            resource,
            limit: number(headers, "x-ratelimit-limit")?,
            remaining: number(headers, "x-ratelimit-remaining")?,
            reset_in: reset.duration_since(sent_at(headers).unwrap_or(now)),
        })
    }
}

/// The budgets that `/rate_limit` tells of the two resources we use.
pub(crate) fn budgets(body: &Value, now: Timestamp) -> Vec<Budget> {
    let read = |name: &str, resource: Resource| {
        let of = body.get("resources")?.get(name)?;
        let number = |name: &str| of.get(name)?.as_u64().and_then(|number| u32::try_from(number).ok());
        let reset = Timestamp::from_second(of.get("reset")?.as_i64()?).ok()?;
        Some(Budget { resource, limit: number("limit")?, remaining: number("remaining")?, reset_in: reset.duration_since(now) })
    };
    [read("core", Resource::Core), read("graphql", Resource::Graphql)].into_iter().flatten().collect()
}

/// GitHub's own clock.
pub(crate) fn sent_at(headers: &HeaderMap) -> Option<Timestamp> {
    text(headers, "date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|date| date.timestamp())
}

/// When to come back: after `retry-after`, else at the reset of a spent budget, else in a minute.
/// <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately>
fn limited(headers: &HeaderMap, asked: &Resource, now: Timestamp) -> Error {
    let seconds = |seconds: i64| SignedDuration::from_secs(seconds.clamp(1, 86_400));
    if let Some(after) = number::<i64>(headers, "retry-after") {
        return Error::Limited { wait: seconds(after), resource: asked.clone(), secondary: true };
    }
    match Budget::read(headers, asked, now).filter(|budget| budget.remaining == 0) {
        // A second more, since GitHub's clock is told in whole ones.
        Some(budget) => Error::Limited { wait: seconds(budget.reset_in.as_secs() + 1), resource: budget.resource, secondary: false },
        None => Error::Limited { wait: seconds(60), resource: asked.clone(), secondary: true },
    }
}

fn is_about_limits(message: &str) -> bool {
    let message = message.to_lowercase();
    ["rate limit", "abuse detection", "secondary rate", "too many requests"].iter().any(|words| message.contains(words))
}

pub(crate) fn list(headers: &HeaderMap, name: &str) -> Option<Vec<String>> {
    let text = text(headers, name)?;
    Some(text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
}

/// The error that a status other than success tells.
pub(crate) fn refused(status: u16, headers: &HeaderMap, body: &[u8], url: &str, asked: &Resource, now: Timestamp) -> Error {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = parsed.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    match status {
        401 => Error::Unauthenticated,
        403 | 429 => {
            let spent = number::<u32>(headers, "x-ratelimit-remaining") == Some(0);
            if status == 429 || headers.contains_key("retry-after") || spent || is_about_limits(&message) {
                return limited(headers, asked, now);
            }
            Error::Forbidden { reason: forbidden(headers, &message), message }
        }
        404 => Error::Absent { url: url.to_owned() },
        409 => Error::Empty,
        410 => Error::Gone { message },
        451 => Error::Blocked { message },
        502 | 504 if *asked == Resource::Graphql => Error::TooHeavy { message: format!("it answered {status}") },
        500.. => Error::Passing { status: Some(status), message: format!("GitHub answered {status} for {url}: it has trouble; try again later") },
        _ => Error::Rejected { status, message },
    }
}

fn forbidden(headers: &HeaderMap, message: &str) -> Forbidden {
    let sso = text(headers, "x-github-sso").unwrap_or_default();
    if sso.starts_with("required") {
        let url = sso.split_once("url=").map(|(_, url)| url.trim().to_owned());
        return Forbidden::Sso { url };
    }
    if let Some(reason) = by_words(message) {
        return reason;
    }
    let (accepted, has) = (list(headers, "x-accepted-oauth-scopes"), list(headers, "x-oauth-scopes"));
    match (accepted, has) {
        (Some(accepted), Some(has)) if !accepted.is_empty() && !accepted.iter().any(|scope| has.contains(scope)) => Forbidden::Scope { accepted, has },
        (_, None) => text(headers, "x-accepted-github-permissions")
            .filter(|accepted| !accepted.is_empty())
            .map_or(Forbidden::Other, |accepted| Forbidden::Permission { accepted: accepted.to_owned() }),
        _ => Forbidden::Other,
    }
}

/// What GitHub tells by its wording alone, over REST and GraphQL alike.
fn by_words(message: &str) -> Option<Forbidden> {
    let says = |words: &str| message.contains(words);
    if says("SAML") {
        Some(Forbidden::Sso { url: None })
    } else if says("IP allow list") {
        Some(Forbidden::IpAllowList)
    } else if says("OAuth App access restrictions") {
        Some(Forbidden::AppRestrictions)
    } else if says("forbids access via a") {
        Some(Forbidden::TokenPolicy)
    } else {
        None
    }
}

impl GraphqlError {
    /// The meaning of a `FORBIDDEN`, as far as it is told.
    #[must_use]
    pub fn forbidden(&self) -> Option<Forbidden> {
        if self.saml_failure { Some(Forbidden::Sso { url: None }) } else { by_words(&self.message) }
    }
}

pub(crate) fn reply(status: u16, headers: &HeaderMap, body: Value, now: Timestamp) -> Reply {
    Reply {
        not_modified: status == 304,
        next: link(headers, "next"),
        pages: link(headers, "last").and_then(|url| url.split(['?', '&']).find_map(|pair| pair.strip_prefix("page="))?.parse().ok()),
        etag: text(headers, "etag").map(str::to_owned),
        budget: Budget::read(headers, &Resource::Core, now),
        answered_at: sent_at(headers).unwrap_or(now),
        scopes: list(headers, "x-oauth-scopes"),
        sso_partial: text(headers, "x-github-sso").filter(|sso| sso.starts_with("partial")).map(str::to_owned),
        body,
    }
}

/// `<https://…>; rel="next", <…>; rel="last"`; addresses may hold commas.
fn link(headers: &HeaderMap, rel: &str) -> Option<String> {
    let mut rest = text(headers, "link")?;
    while let Some((_, from)) = rest.split_once('<') {
        let (url, after) = from.split_once('>')?;
        let params = after.split('<').next().unwrap_or_default();
        if params.contains(&format!("rel=\"{rel}\"")) || params.contains(&format!("rel={rel}")) {
            return Some(url.to_owned());
        }
        rest = after;
    }
    None
}

/// What a GraphQL answer with status 200 tells.
pub(crate) fn graphql(headers: &HeaderMap, body: Value, now: Timestamp) -> Result<Answer, Error> {
    let Value::Object(mut body) = body else {
        return Err(Error::Passing { status: Some(200), message: "GitHub's answer is not what GraphQL answers".to_owned() });
    };
    let errors: Vec<GraphqlError> = body.get("errors").and_then(Value::as_array).map(|errors| errors.iter().map(error).collect()).unwrap_or_default();
    let data = body.remove("data").unwrap_or(Value::Null);
    let has = |kind: &str| errors.iter().any(|error| error.kind.as_deref() == Some(kind));
    if has("RATE_LIMITED") || errors.iter().any(|error| is_about_limits(&error.message)) {
        return Err(limited(headers, &Resource::Graphql, now));
    }
    let first = || errors.first().map_or_else(|| "no data".to_owned(), |error| error.message.clone());
    if ["RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED"].into_iter().any(has) {
        return Err(Error::TooHeavy { message: first() });
    }
    if errors.iter().any(|error| error.message.contains("Something went wrong while executing your query") || error.message.contains("timeout")) {
        return Err(Error::TooHeavy { message: first() });
    }
    if data.is_null() {
        let message = body.get("message").and_then(Value::as_str).map_or_else(first, str::to_owned);
        return Err(match errors.first() {
            // No type, no data: the query itself was not accepted.
            Some(error) if error.kind.is_none() => Error::Mistake { message },
            Some(error) if error.kind.as_deref() == Some("INSUFFICIENT_SCOPES") => Error::Forbidden { reason: Forbidden::Other, message },
            Some(_) => Error::Rejected { status: 200, message },
            None => Error::Passing { status: Some(200), message: format!("GitHub's answer has no data: {message}") },
        });
    }
    let cost = data.pointer("/rateLimit/cost").and_then(Value::as_u64).unwrap_or(1);
    let token_expires = crate::told::expires(headers);
    Ok(Answer { data, errors, budget: Budget::read(headers, &Resource::Graphql, now), cost, token_expires })
}

fn error(error: &Value) -> GraphqlError {
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
    let path = error.get("path").and_then(Value::as_array).into_iter().flatten();
    GraphqlError {
        kind: text("type"),
        path: path.map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned)).collect(),
        // Some servers print the whole query.
        message: text("message").unwrap_or_default().chars().take(300).collect(),
        saml_failure: error.pointer("/extensions/saml_failure").and_then(Value::as_bool).unwrap_or(false),
    }
}
