//! Where a GitHub's API is: github.com, an Enterprise Server, ghe.com.
//! <https://docs.github.com/en/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint>

use crate::error::ConfigError;
use url::{Host, Url};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUrl {
    rest: Url,
    graphql: Url,
}

impl ApiUrl {
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let bad = |why: &str| ConfigError::Url { url: text.to_owned(), why: why.to_owned() };
        let text = text.trim();
        if !text.contains("://") {
            return Err(bad("it has no scheme, such as https://"));
        }
        let mut rest = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
        if !matches!(rest.scheme(), "https" | "http") {
            return Err(bad("the scheme must be https"));
        }
        if !rest.username().is_empty() || rest.password().is_some() {
            // Not shown again: it may be a token.
            let url = format!("{}://…@{}", rest.scheme(), rest.host_str().unwrap_or_default());
            return Err(ConfigError::Url { url, why: "it holds credentials, which belong into GITHUB_TOKEN".to_owned() });
        }
        rest.set_query(None);
        rest.set_fragment(None);
        let path = rest.path().trim_end_matches('/').to_owned();
        // A bare https://HOST of an Enterprise Server means its API; github.com and ghe.com have a host for it.
        let server = match rest.host() {
            Some(Host::Domain("github.com" | "www.github.com")) => {
                rest.set_host(Some("api.github.com")).map_err(|error| bad(&error.to_string()))?;
                false
            }
            Some(Host::Domain(host)) => !host.starts_with("api.") && host != "localhost",
            Some(_) => false,
            None => return Err(bad("it has no host")),
        };
        let path = if path.is_empty() && server && rest.scheme() == "https" { "/api/v3".to_owned() } else { path };
        rest.set_path(&path);
        let mut graphql = rest.clone();
        let root = path.strip_suffix("/v3").unwrap_or(&path);
        graphql.set_path(&format!("{root}/graphql"));
        Ok(Self { rest, graphql })
    }

    #[must_use]
    pub fn rest(&self) -> &Url {
        &self.rest
    }

    #[must_use]
    pub fn graphql(&self) -> &Url {
        &self.graphql
    }

    #[must_use]
    pub fn host(&self) -> &str {
        self.rest.host_str().unwrap_or_default()
    }

    /// Where its pages for people are, such as `https://github.com`.
    #[must_use]
    pub fn web(&self) -> String {
        let host = self.host();
        let host = if host == "api.github.com" || host.ends_with(".ghe.com") { host.strip_prefix("api.").unwrap_or(host) } else { host };
        let port = self.rest.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{host}{port}", self.rest.scheme())
    }

    /// Whether this is GitHub's own service, not a server of somebody's.
    #[must_use]
    pub fn is_cloud(&self) -> bool {
        self.host() == "api.github.com" || self.host().ends_with(".ghe.com")
    }

    /// `path` below the REST root, or an absolute address on the same host; none for any other host.
    pub(crate) fn resolve(&self, path_or_url: &str) -> Result<Url, String> {
        let text = if path_or_url.starts_with('/') { format!("{}{path_or_url}", self.rest.as_str().trim_end_matches('/')) } else { path_or_url.to_owned() };
        let url = Url::parse(&text).map_err(|_| text.clone())?;
        if url.origin() == self.rest.origin() { Ok(url) } else { Err(url.host_str().unwrap_or_default().to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_github_has_its_addresses() {
        for (given, rest, graphql) in [
            ("https://api.github.com", "https://api.github.com/", "https://api.github.com/graphql"),
            ("https://github.com/", "https://api.github.com/", "https://api.github.com/graphql"),
            ("https://ghe.example.com/api/v3/", "https://ghe.example.com/api/v3", "https://ghe.example.com/api/graphql"),
            ("https://ghe.example.com", "https://ghe.example.com/api/v3", "https://ghe.example.com/api/graphql"),
            ("https://api.octo.ghe.com", "https://api.octo.ghe.com/", "https://api.octo.ghe.com/graphql"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/graphql"),
            ("http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/api/graphql"),
        ] {
            let url = ApiUrl::parse(given).unwrap_or_else(|error| unreachable!("{given}: {error}"));
            assert_eq!((url.rest().as_str(), url.graphql().as_str()), (rest, graphql), "{given}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for given in ["", "api.github.com", "ftp://x", "https://", "https://user:secret@ghe.example.com"] {
            assert!(ApiUrl::parse(given).is_err(), "{given}");
        }
    }
}
