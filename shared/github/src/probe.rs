//! Asks once, within a time, and keeps what the headers told whatever the answer was: for finding out what works.
//! Follows nothing and asks nothing again.

use crate::answer::{self, Answer, Reply, Resource, text};
use crate::client::Client;
use crate::error::Error;
use crate::told::Told;
use jiff::Timestamp;
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::time::Duration;

/// An answer, good or bad, with what came beside it.
#[derive(Debug)]
pub struct Probe<T> {
    pub told: Told,
    pub answer: Result<T, Error>,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreached {
    #[error("its name does not resolve")]
    Dns,
    #[error("nothing there accepts a connection")]
    Connect,
    #[error("its certificate was not issued by an authority that this machine trusts")]
    Untrusted,
    #[error("no TLS connection came about")]
    Tls,
    #[error("the proxy does not let the connection through")]
    Proxy,
    #[error("it did not answer in time")]
    Timeout,
    #[error("the connection broke off before the answer was whole")]
    Broken,
}

impl Unreached {
    /// reqwest does not tell these apart itself; its causes do.
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        let mut causes = String::new();
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(this) = cause {
            causes.push_str(&format!("{this}; ").to_lowercase());
            cause = this.source();
        }
        let says = |words: &[&str]| words.iter().any(|word| causes.contains(word));
        if says(&["tunnel error", "proxy authorization", "socks"]) {
            Self::Proxy
        } else if error.is_timeout() {
            Self::Timeout
        } else if says(&["dns error", "failed to lookup"]) {
            Self::Dns
        } else if says(&["unknownissuer", "invalid peer certificate", "certificate"]) {
            Self::Untrusted
        } else if says(&["corrupt message", "invalidcontenttype", "handshake", "tls"]) && error.is_connect() {
            Self::Tls
        } else if error.is_connect() {
            Self::Connect
        } else {
            Self::Broken
        }
    }
}

impl Client {
    /// Asks what is at `path`, once. A redirect is no answer.
    pub async fn probe(&self, path: &str, within: Duration) -> Result<Probe<Reply>, Unreached> {
        let Ok(url) = self.url().resolve(path) else {
            let told = Told::default();
            return Ok(Probe { told, answer: Err(Error::OtherHost { host: path.to_owned() }) });
        };
        self.count_rest();
        let (status, headers, body) = self.once(self.http().get(url.clone()), within).await?;
        let now = Timestamp::now();
        let answer = match status {
            200..=299 => match serde_json::from_slice(&body) {
                Ok(value) => Ok(answer::reply(status, &headers, value, now)),
                Err(_) => Err(Error::Passing { status: Some(status), message: "the answer is not JSON: is this a GitHub API?".to_owned() }),
            },
            300..=399 => {
                let to = text(&headers, "location").and_then(|to| url.join(to).ok());
                Err(Error::OtherHost { host: to.map_or_else(|| "nowhere".to_owned(), |to| to.origin().ascii_serialization()) })
            }
            _ => Err(answer::refused(status, &headers, &body, url.path(), &Resource::Core, now)),
        };
        Ok(Probe { told: told(status, &headers, &body), answer })
    }

    /// Sends a query, once and as it is.
    pub async fn probe_graphql(&self, query: &str, variables: &Value, within: Duration) -> Result<Probe<Answer>, Unreached> {
        let url = self.url().graphql().clone();
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.count_graphql();
        let request = self.http().post(url.clone()).header("content-type", "application/json").body(body);
        let (status, headers, body) = self.once(request, within).await?;
        let now = Timestamp::now();
        let answer = match (status, serde_json::from_slice(&body)) {
            (200, Ok(value)) => answer::graphql(&headers, value, now),
            (200, Err(_)) => Err(Error::Passing { status: Some(200), message: "the answer is not JSON: is this a GitHub API?".to_owned() }),
            _ => Err(answer::refused(status, &headers, &body, url.path(), &Resource::Graphql, now)),
        };
        Ok(Probe { told: told(status, &headers, &body), answer })
    }

    async fn once(&self, request: RequestBuilder, within: Duration) -> Result<(u16, HeaderMap, Vec<u8>), Unreached> {
        let answer = self.signed(request).timeout(within).send().await.map_err(|error| Unreached::of(&error))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|error| Unreached::of(&error))?;
        Ok((status, headers, body.to_vec()))
    }
}

/// A proxy may strip headers, but GitHub's bodies name its documentation, too.
fn told(status: u16, headers: &HeaderMap, body: &[u8]) -> Told {
    let mut told = Told::read(status, headers);
    told.github |= serde_json::from_slice::<Value>(body).is_ok_and(|body| body.get("documentation_url").is_some());
    told
}
