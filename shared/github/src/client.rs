//! Sends requests, one at a time and to one host. Retries nothing, waits for nothing.

use crate::answer::{self, Answer, Budget, Reply, Resource, text};
use crate::error::{ConfigError, Error, Forbidden};
use crate::kind::TokenKind;
use crate::probe::Unreached;
use crate::prune::{self, Schema};
use crate::url::ApiUrl;
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, redirect};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// Every request is answered as of this version, whatever GitHub changes later.
pub const API_VERSION: &str = "2022-11-28";

/// How something is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Post,
    Patch,
    Delete,
}

/// A secret: shows itself to nobody but GitHub.
#[derive(Clone)]
pub struct Token(pub(crate) String);

impl Token {
    pub fn new(text: &str) -> Result<Self, ConfigError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ConfigError::Token("it is empty"));
        }
        if !text.chars().all(|letter| letter.is_ascii_graphic()) {
            return Err(ConfigError::Token("it holds blanks or characters that no token has"));
        }
        Ok(Self(text.to_owned()))
    }

    /// By its form, which GitHub's answers may belie.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        TokenKind::of(&self.0)
    }

    /// Stands for the token in keys and messages; nothing leads back.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(self.0.as_bytes());
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Spent since the client was made, by it and its clones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    pub rest: u64,
    /// REST answers 304, which GitHub does not charge.
    pub not_modified: u64,
    pub graphql: u64,
    pub points: u64,
}

impl Spent {
    #[must_use]
    pub fn requests(self) -> u64 {
        self.rest + self.graphql
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            rest: self.rest + other.rest,
            not_modified: self.not_modified + other.not_modified,
            graphql: self.graphql + other.graphql,
            points: self.points + other.points,
        }
    }

    /// What was spent since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            rest: self.rest.saturating_sub(before.rest),
            not_modified: self.not_modified.saturating_sub(before.not_modified),
            graphql: self.graphql.saturating_sub(before.graphql),
            points: self.points.saturating_sub(before.points),
        }
    }
}

#[derive(Default)]
struct Counters {
    rest: AtomicU64,
    not_modified: AtomicU64,
    graphql: AtomicU64,
    points: AtomicU64,
    /// Counts along.
    of: Option<Arc<Counters>>,
}

impl Counters {
    fn add(&self, counter: impl Fn(&Self) -> &AtomicU64, count: u64) {
        let mut counters = Some(self);
        while let Some(these) = counters {
            counter(these).fetch_add(count, Ordering::Relaxed);
            counters = these.of.as_deref();
        }
    }
}

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: ApiUrl,
    token: Token,
    counters: Arc<Counters>,
    /// What this server knows, once a query was not understood.
    schema: Arc<Mutex<Option<Arc<Schema>>>>,
    /// Found out when GitHub refused a query for it: the token lacks the scope.
    no_projects: Arc<AtomicBool>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("url", &self.url).field("token", &self.token).finish_non_exhaustive()
    }
}

impl Client {
    pub fn new(url: ApiUrl, token: Token) -> Result<Self, ConfigError> {
        Self::trusting(url, token, None)
    }

    /// Trusts the authorities in `ca`, certificates in PEM, besides those that this machine trusts.
    pub fn trusting(url: ApiUrl, token: Token, ca: Option<&[u8]>) -> Result<Self, ConfigError> {
        let bad = |why: &dyn std::fmt::Display| ConfigError::Certificates(why.to_string());
        let certificates = ca.map(reqwest::Certificate::from_pem_bundle).transpose().map_err(|error| bad(&error))?;
        if certificates.as_ref().is_some_and(Vec::is_empty) {
            return Err(bad(&"there is none in it"));
        }
        let http = reqwest::Client::builder()
            .tls_certs_merge(certificates.unwrap_or_default())
            .user_agent(concat!("sei-github/", env!("CARGO_PKG_VERSION")))
            // Followed by hand, so that the token goes to no other host.
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(30))
            .build()
            // What is between the lines of PEM is looked at here only.
            .map_err(|error| if ca.is_some() { bad(&innermost(&error)) } else { ConfigError::Http(error) })?;
        Ok(Self { http, url, token, counters: Arc::default(), schema: Arc::default(), no_projects: Arc::default() })
    }

    /// The same client, and the same meter, for another token of the same server.
    #[must_use]
    pub fn with_token(&self, token: Token) -> Self {
        Self { token, ..self.clone() }
    }

    /// The same client with a meter of its own; what it spends still counts here, too.
    #[must_use]
    pub fn metered(&self) -> Self {
        let counters = Counters { of: Some(self.counters.clone()), ..Counters::default() };
        Self { counters: Arc::new(counters), ..self.clone() }
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn count_rest(&self) {
        self.counters.add(|these| &these.rest, 1);
    }

    pub(crate) fn count_graphql(&self) {
        self.counters.add(|these| &these.graphql, 1);
    }

    /// With the token, and in the API's version.
    pub(crate) fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(&self.token.0).header("accept", "application/vnd.github+json").header("x-github-api-version", API_VERSION)
    }

    /// Whether GitHub accepts the token at all, asked of a route that costs nothing: some answer 401 for one object.
    /// <https://docs.github.com/en/rest/rate-limit/rate-limit>
    pub async fn is_accepted(&self) -> bool {
        !matches!(self.get("/rate_limit", None).await, Err(Error::Unauthenticated))
    }

    /// What the token may spend, by resource; asking costs nothing. Empty for a server without limits.
    /// <https://docs.github.com/en/rest/rate-limit/rate-limit>
    pub async fn budgets(&self) -> Result<Vec<Budget>, Error> {
        match self.get("/rate_limit", None).await {
            Ok(reply) => Ok(answer::budgets(&reply.body, reply.answered_at)),
            Err(Error::Absent { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    #[must_use]
    pub fn url(&self) -> &ApiUrl {
        &self.url
    }

    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    #[must_use]
    pub fn spent(&self) -> Spent {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Spent {
            rest: read(&self.counters.rest),
            not_modified: read(&self.counters.not_modified),
            graphql: read(&self.counters.graphql),
            points: read(&self.counters.points),
        }
    }

    /// Reads what is at `path_or_url`: a path below the API's root, or an address that GitHub gave.
    pub async fn get(&self, path_or_url: &str, etag: Option<&str>) -> Result<Reply, Error> {
        let mut url = self.url.resolve(path_or_url).map_err(|host| Error::OtherHost { host })?;
        // Renamed and transferred repositories answer 301 to their number.
        for _ in 0..5 {
            let mut request = self.http.request(Method::GET, url.clone());
            if let Some(etag) = etag {
                request = request.header("if-none-match", etag);
            }
            self.count_rest();
            let (status, headers, body) = self.send(request, &url).await?;
            match status {
                200..=299 => return Ok(answer::reply(status, &headers, json(&body, &url)?, Timestamp::now())),
                304 => {
                    self.counters.add(|these| &these.not_modified, 1);
                    return Ok(answer::reply(status, &headers, Value::Null, Timestamp::now()));
                }
                301 | 302 | 307 | 308 => {
                    let to = text(&headers, "location").unwrap_or_default();
                    let to = url.join(to).map_err(|_| Error::OtherHost { host: to.to_owned() })?;
                    url = self.url.resolve(to.as_str()).map_err(|host| Error::OtherHost { host })?;
                }
                _ => return Err(answer::refused(status, &headers, &body, url.path(), &Resource::Core, Timestamp::now())),
            }
        }
        Err(Error::Absent { url: url.path().to_owned() })
    }

    /// Makes something at `path` below the API's root.
    pub(crate) async fn post_rest(&self, path: &str, body: &Value) -> Result<Reply, Error> {
        self.change(Verb::Post, path, body).await
    }

    /// Changes what is at `path` below the API's root. Not repeated: whoever asks knows whether it may be.
    pub async fn change(&self, verb: Verb, path: &str, body: &Value) -> Result<Reply, Error> {
        let method = match verb {
            Verb::Post => Method::POST,
            Verb::Patch => Method::PATCH,
            Verb::Delete => Method::DELETE,
        };
        let url = self.url.resolve(path).map_err(|host| Error::OtherHost { host })?;
        let mut request = self.http.request(method, url.clone());
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        self.count_rest();
        match self.send(request, &url).await? {
            // 204, and sometimes 202.
            (status @ 200..=299, headers, body) if body.is_empty() => Ok(answer::reply(status, &headers, Value::Null, Timestamp::now())),
            (status @ 200..=299, headers, body) => Ok(answer::reply(status, &headers, json(&body, &url)?, Timestamp::now())),
            (status, headers, body) => Err(answer::refused(status, &headers, &body, url.path(), &Resource::Core, Timestamp::now())),
        }
    }

    /// Sends a form to the server's pages for people, without the token.
    pub(crate) async fn post_form(&self, path: &str, form: String) -> Result<Value, Error> {
        let url = Url::parse(&format!("{}{path}", self.url.web())).map_err(|_| Error::OtherHost { host: path.to_owned() })?;
        let request = self.http.post(url.clone()).header("accept", "application/json").header("content-type", "application/x-www-form-urlencoded").body(form);
        self.count_rest();
        let answer = request.send().await.map_err(|error| unreachable(&error, &url))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|error| unreachable(&error, &url))?;
        match status {
            200..=299 => json(&body, &url),
            _ => Err(answer::refused(status, &headers, &body, url.path(), &Resource::Core, Timestamp::now())),
        }
    }

    /// Sends a query. Where the server knows less than github.com (an older Enterprise Server), what it does not know
    /// is left out of the query, once that was found out.
    pub async fn graphql(&self, query: &str, variables: &Value) -> Result<Answer, Error> {
        if self.no_projects.load(Ordering::Relaxed) {
            return self.graphql_as_known(&prune::without_projects(query), variables).await;
        }
        match self.graphql_as_known(query, variables).await {
            // Events of a timeline name their project: that is no reason to go without the issue.
            Err(Error::Forbidden { reason: Forbidden::Other, message }) if message.contains("read:project") => {
                let without = prune::without_projects(query);
                if without == query {
                    return Err(Error::Forbidden { reason: Forbidden::Other, message });
                }
                self.no_projects.store(true, Ordering::Relaxed);
                tracing::info!(%message, "the token may not read projects: the query was cut");
                self.graphql_as_known(&without, variables).await
            }
            other => other,
        }
    }

    async fn graphql_as_known(&self, query: &str, variables: &Value) -> Result<Answer, Error> {
        let known = self.schema.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(schema) => self.post(&schema.prune(query), variables).await,
            None => match self.post(query, variables).await {
                Err(Error::Mistake { message }) => {
                    let schema = Arc::new(self.introspect().await?);
                    *self.schema.lock().unwrap_or_else(PoisonError::into_inner) = Some(schema.clone());
                    let pruned = schema.prune(query);
                    if pruned == query {
                        return Err(Error::Mistake { message });
                    }
                    tracing::info!(host = self.url.host(), %message, "this GitHub knows less than we ask: the query was cut");
                    self.post(&pruned, variables).await
                }
                other => other,
            },
        }
    }

    async fn introspect(&self) -> Result<Schema, Error> {
        let answer = self.post(prune::INTROSPECTION, &json!({})).await?;
        Ok(Schema::read(&answer.data))
    }

    async fn post(&self, query: &str, variables: &Value) -> Result<Answer, Error> {
        let url = self.url.graphql().clone();
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = self.http.request(Method::POST, url.clone()).header("content-type", "application/json").body(body);
        self.count_graphql();
        let (status, headers, body) = match self.send(request, &url).await {
            // GitHub ends what takes it too long.
            Err(Error::Passing { status: None, message }) if message.contains("timed out") => {
                return Err(Error::TooHeavy { message });
            }
            other => other?,
        };
        let now = Timestamp::now();
        // Some servers tell a query that they do not understand with 400, in GraphQL's own shape.
        let told = || serde_json::from_slice::<Value>(&body).ok().filter(|body| body.get("errors").is_some_and(Value::is_array));
        if status == 400
            && let Some(body) = told()
        {
            return answer::graphql(&headers, body, now);
        }
        if status != 200 {
            return Err(answer::refused(status, &headers, &body, url.path(), &Resource::Graphql, now));
        }
        let answer = answer::graphql(&headers, json(&body, &url)?, now)?;
        self.counters.add(|these| &these.points, answer.cost);
        Ok(answer)
    }

    async fn send(&self, request: RequestBuilder, url: &Url) -> Result<(u16, reqwest::header::HeaderMap, Vec<u8>), Error> {
        let answer = self.signed(request).send().await.map_err(|error| unreachable(&error, url))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|error| unreachable(&error, url))?;
        Ok((status, headers, body.to_vec()))
    }
}

fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn json(body: &[u8], url: &Url) -> Result<Value, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Passing {
        status: Some(200),
        message: format!("the answer of {} for {} is not JSON ({error}): is this a GitHub API?", url.host_str().unwrap_or_default(), url.path()),
    })
}

pub(crate) fn unreachable(error: &reqwest::Error, url: &Url) -> Error {
    let host = url.host_str().unwrap_or_default();
    let message = if error.is_timeout() {
        format!("{host} timed out")
    } else if error.is_connect() {
        format!("{host} cannot be reached: {}. Check the API URL, the network and the proxy", Unreached::of(error))
    } else {
        format!("the connection to {host} broke off before the answer was whole")
    };
    Error::Passing { status: None, message }
}
