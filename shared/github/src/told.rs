//! What the headers of any answer tell of the server and of the token. Judges nothing.

use crate::answer::{list, sent_at, text};
use jiff::Timestamp;
use reqwest::header::HeaderMap;

/// Told beside the answer itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    pub status: u16,
    /// Whether GitHub answered, or something in its place.
    pub github: bool,
    /// GitHub's clock.
    pub sent_at: Option<Timestamp>,
    /// The API version that was used.
    pub api_version: Option<String>,
    /// Of an Enterprise Server.
    pub enterprise_version: Option<String>,
    /// None for tokens that have permissions instead.
    pub scopes: Option<Vec<String>>,
    /// One of which would have let the request through, as `issues=read; pull_requests=read`.
    pub accepted_permissions: Option<String>,
    pub expires: Option<Timestamp>,
    pub sso: Option<Sso>,
}

/// `X-GitHub-SSO`.
/// <https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api#authenticating-with-a-personal-access-token>
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sso {
    /// `url` authorises the token, for an hour.
    Required { url: Option<String> },
    /// Ids of organizations that were silently left out.
    Partial { organizations: Vec<String> },
}

impl Told {
    pub(crate) fn read(status: u16, headers: &HeaderMap) -> Self {
        let owned = |name: &str| text(headers, name).map(str::to_owned).filter(|text| !text.is_empty());
        Self {
            status,
            github: ["x-github-request-id", "x-github-media-type", "x-github-enterprise-version"].iter().any(|name| headers.contains_key(*name)),
            sent_at: sent_at(headers),
            api_version: owned("x-github-api-version-selected"),
            enterprise_version: owned("x-github-enterprise-version").map(|version| enterprise(&version)),
            scopes: list(headers, "x-oauth-scopes"),
            accepted_permissions: owned("x-accepted-github-permissions"),
            expires: expires(headers),
            sso: text(headers, "x-github-sso").and_then(Sso::read),
        }
    }
}

impl Sso {
    fn read(text: &str) -> Option<Self> {
        let (what, rest) = text.split_once(';').unwrap_or((text, ""));
        let value = |name: &str| Some(rest.trim().strip_prefix(name)?.strip_prefix('=')?.trim().to_owned());
        match what.trim() {
            "required" => Some(Self::Required { url: value("url") }),
            "partial-results" => {
                let organizations = value("organizations").unwrap_or_default();
                Some(Self::Partial { organizations: organizations.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect() })
            }
            _ => None,
        }
    }
}

/// Some servers say `enterprise-server@3.14.2`, some the number alone.
fn enterprise(version: &str) -> String {
    version.rsplit('@').next().unwrap_or(version).to_owned()
}

/// <https://docs.github.com/en/rest/authentication/token-expiration-and-revocation>
pub(crate) fn expires(headers: &HeaderMap) -> Option<Timestamp> {
    text(headers, "github-authentication-token-expiration").and_then(expiry)
}

/// `2026-12-01 10:00:00 UTC`, or with an offset in place of UTC.
fn expiry(text: &str) -> Option<Timestamp> {
    let text = text.trim().replace(" UTC", " +0000");
    jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S %z", &text).ok()?.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_expiry_are_read() {
        for text in ["2026-12-01 10:00:00 UTC", "2026-12-01 15:00:00 +0500"] {
            assert_eq!(expiry(text).map(|at| at.to_string()).as_deref(), Some("2026-12-01T10:00:00Z"), "{text}");
        }
        assert_eq!(expiry("tomorrow"), None);
    }

    #[test]
    fn both_meanings_of_the_sso_header_are_told_apart() {
        let url = "https://github.com/orgs/acme/sso?authorization_request=A;B=C".to_owned();
        assert_eq!(Sso::read(&format!("required; url={url}")), Some(Sso::Required { url: Some(url) }));
        let organizations = vec!["21955855".to_owned(), "20582480".to_owned()];
        assert_eq!(Sso::read("partial-results; organizations=21955855,20582480"), Some(Sso::Partial { organizations }));
    }
}
