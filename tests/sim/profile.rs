//! Whose token it is, what it may, and which GitHub answers: what every answer tells beside its body, and the routes
//! about tokens and members. Plain data; knows no repository's content.
//! <https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api>

use crate::rest::{Answer, Found};
use crate::shapes;
use axum::body::Body;
use axum::http::{HeaderValue, Response};
use serde_json::{Value, json};

/// What GitHub knows of a token.
#[derive(Debug, Clone)]
pub struct Identity {
    /// None for tokens that have permissions instead.
    pub scopes: Option<Vec<String>>,
    /// Read permissions, such as `issues`; of no use to a token with scopes.
    pub permissions: Vec<String>,
    /// None for an installation's token.
    pub login: Option<String>,
    /// Seconds since 1970.
    pub expires: Option<i64>,
    /// `acme` and its state, active or pending.
    pub memberships: Vec<(String, String)>,
    pub door: Option<Door>,
    /// The one organization that an installation's token is good for.
    pub only: Option<String>,
    /// Ids of organizations that lists leave out for want of single sign-on.
    pub left_out: Vec<u64>,
}

/// What keeps a token out of the organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Sso,
    IpAllowList,
    AppRestrictions,
    NoClassicTokens,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            scopes: Some(vec!["repo".to_owned(), "read:org".to_owned(), "read:project".to_owned()]),
            permissions: Vec::new(),
            login: Some("octo-admin".to_owned()),
            expires: None,
            memberships: vec![("acme".to_owned(), "active".to_owned())],
            door: None,
            only: None,
            left_out: Vec::new(),
        }
    }
}

/// Which GitHub it is. The default is github.com.
#[derive(Debug, Clone)]
pub struct Server {
    /// Version of an Enterprise Server.
    pub enterprise: Option<String>,
    /// Whether its answers carry the version; older ones tell it at `/meta` only.
    pub tells_version: bool,
    /// `Type`, `Type.field` or `Type.field(argument)` that its GraphQL does not know.
    pub lacks: Vec<String>,
    /// The API version that it answers in.
    pub api_version: Option<String>,
    /// Refuses the API version that is asked for.
    pub refuses_version: bool,
    /// Its API is below `/api`, and nowhere else.
    pub below_api: bool,
}

/// What GraphQL learned after Enterprise Server 3.10, of August 2023, of what a sync asks for: issue types and sub-issues
/// with their events, duplicates as a reason, projects in timelines, ids that do not fit in 32 bits.
/// <https://docs.github.com/en/graphql/overview/changelog>
const AFTER_3_10: &[&str] = &[
    "Issue.issueType",
    "Issue.parent",
    "Issue.subIssues",
    "Issue.stateReason(enableDuplicate)",
    "PullRequest.fullDatabaseId",
    "IssueTypeAddedEvent",
    "IssueTypeChangedEvent",
    "IssueTypeRemovedEvent",
    "ParentIssueAddedEvent",
    "ParentIssueRemovedEvent",
    "SubIssueAddedEvent",
    "SubIssueRemovedEvent",
    "AddedToProjectV2Event",
    "ProjectV2ItemStatusChangedEvent",
    "RemovedFromProjectV2Event",
];

impl Server {
    /// Every kind of GitHub that there is, by name. github.com and ghe.com differ in nothing but their host.
    #[must_use]
    pub fn matrix() -> Vec<(&'static str, Self)> {
        let enterprise = |version: &str, tells_version: bool, lacks: &[&str]| Self {
            enterprise: Some(version.to_owned()),
            tells_version,
            lacks: lacks.iter().map(|what| (*what).to_owned()).collect(),
            below_api: true,
            ..Self::default()
        };
        vec![
            ("github.com", Self::default()),
            ("ghe.com", Self::default()),
            ("Enterprise Server 3.20", enterprise("3.20.1", true, &[])),
            ("Enterprise Server 3.10", enterprise("3.10.5", false, AFTER_3_10)),
        ]
    }
}

impl Default for Server {
    fn default() -> Self {
        Self { enterprise: None, tells_version: true, lacks: Vec::new(), api_version: Some("2022-11-28".to_owned()), refuses_version: false, below_api: false }
    }
}

/// A status, a body, and headers beside it.
pub(crate) type Refusal = (u16, Value, Vec<(&'static str, String)>);

fn set(reply: &mut Response<Body>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

/// Adds what every answer to an accepted token carries.
pub(crate) fn dress(reply: &mut Response<Body>, identity: &Identity, server: &Server, path: &str) {
    if let Some(scopes) = &identity.scopes
        && !reply.headers().contains_key("x-oauth-scopes")
    {
        set(reply, "x-oauth-scopes", &scopes.join(", "));
    }
    if identity.scopes.is_none()
        && let Some(permission) = permission(path)
    {
        set(reply, "x-accepted-github-permissions", &format!("{permission}=read"));
    }
    if let Some(at) = identity.expires.and_then(|at| jiff::Timestamp::from_second(at).ok()) {
        set(reply, "github-authentication-token-expiration", &at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    }
    if let Some(version) = &server.api_version {
        set(reply, "x-github-api-version-selected", version);
    }
    if let Some(version) = server.enterprise.as_ref().filter(|_| server.tells_version) {
        set(reply, "x-github-enterprise-version", version);
    }
    if path == "/user/memberships/orgs" && !identity.left_out.is_empty() {
        let ids = identity.left_out.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        set(reply, "x-github-sso", &format!("partial-results; organizations={ids}"));
    }
}

impl Identity {
    /// The answer to a query that names projects, if the token may not read them: GitHub refuses the whole query for want
    /// of a scope.
    pub(crate) fn refuses_projects(&self, query: &str) -> Option<Value> {
        let asks = ["projectsV2", "on ProjectV2 {", " project {"].iter().find(|asks| query.contains(**asks))?;
        match &self.scopes {
            Some(scopes) if !scopes.iter().any(|scope| scope == "project" || scope == "read:project") => {
                let field = if *asks == "projectsV2" { "projectsV2" } else { "project" };
                let message = format!(
                    "Your token has not been granted the required scopes to execute this query. The '{field}' field requires one of the following scopes: ['read:project'], but your token has only been granted the: ['{}'] scopes.",
                    scopes.join("', '")
                );
                Some(json!({ "errors": [{ "type": "INSUFFICIENT_SCOPES", "message": message }] }))
            }
            None if *asks == "projectsV2" && !self.permissions.iter().any(|may| may == "organization_projects") => {
                let message = "Resource not accessible by personal access token";
                Some(
                    json!({ "data": { "organization": null }, "errors": [{ "type": "FORBIDDEN", "path": ["organization", "projectsV2"], "message": message }] }),
                )
            }
            _ => None,
        }
    }
}

/// The permission that reads what is at `path`.
fn permission(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["repos", _, _, "issues", ..] => Some("issues"),
        ["repos", _, _, "pulls", ..] => Some("pull_requests"),
        ["repos", _, _, "commits", ..] => Some("contents"),
        ["repos", _, _, "deployments", ..] => Some("deployments"),
        ["repos", _, _, "actions", ..] => Some("actions"),
        ["orgs", _, "teams"] | ["user", "memberships", "orgs", _] => Some("members"),
        _ => None,
    }
}

/// What the token is refused; `public` says whether the repository that it is about is.
pub(crate) fn refusal(path: &str, identity: &Identity, server: &Server, public: bool) -> Option<Refusal> {
    if server.refuses_version {
        let message = "Invalid API version. See https://docs.github.com/rest/about-the-rest-api/api-versions";
        return Some((400, json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": "400" }), Vec::new()));
    }
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    if matches!(parts.as_slice(), ["user", "memberships", "orgs", _] | ["orgs" | "repos", ..])
        && let Some(door) = identity.door
    {
        let sso = (door == Door::Sso).then(|| ("x-github-sso", "required; url=https://github.com/orgs/acme/sso?authorization_request=1".to_owned()));
        return Some((403, body(door.message()), sso.into_iter().collect()));
    }
    let needs = permission(path)?;
    match &identity.scopes {
        Some(scopes) if needs == "members" && !scopes.iter().any(|scope| scope.ends_with(":org") || scope == "user") => {
            let accepted = ("x-accepted-oauth-scopes", "admin:org, read:org, user, write:org".to_owned());
            Some((403, body("This API operation needs the \"read:org\" scope."), vec![accepted]))
        }
        Some(_) => None,
        None if public || identity.permissions.iter().any(|may| may == needs) => None,
        None => Some((403, body("Resource not accessible by personal access token"), Vec::new())),
    }
}

impl Door {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Sso => "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.",
            Self::IpAllowList => {
                "Although you appear to have the correct authorization credentials, the `acme` organization has an IP allow list enabled, and your IP address is not permitted to access this resource."
            }
            Self::AppRestrictions => {
                "Although you appear to have the correct authorization credentials, the `acme` organization has enabled OAuth App access restrictions, meaning that data access to third-parties is limited."
            }
            Self::NoClassicTokens => {
                "`acme` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, or a personal access token with fine-grained permissions."
            }
        }
    }

    /// The answer to a query about the organization.
    pub(crate) fn graphql(self) -> Value {
        json!({ "data": { "organization": null }, "errors": [{ "type": "FORBIDDEN", "path": ["organization"], "extensions": { "saml_failure": self == Self::Sso },
            "locations": [{ "line": 1, "column": 1 }], "message": self.message() }] })
    }
}

fn body(message: &str) -> Value {
    json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": "403" })
}

/// The routes about the token and its owner.
pub(crate) fn answer(path: &str, identity: &Identity, server: &Server) -> Option<Answer> {
    let one = |body: Value| Some(Answer::Found(Found { body, next: None }));
    let membership = |(org, state): &(String, String)| shapes::membership(org, state, identity.login.as_deref().unwrap_or_default());
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["user"] => match &identity.login {
            Some(login) => one(shapes::viewer(login)),
            None => Some(Answer::Refused((403, body("Resource not accessible by integration"), Vec::new()))),
        },
        ["user", "memberships", "orgs"] if identity.login.is_none() => Some(Answer::Refused((403, body("Resource not accessible by integration"), Vec::new()))),
        ["user", "memberships", "orgs"] => one(identity.memberships.iter().map(membership).collect()),
        ["user", "memberships", "orgs", org] => match identity.memberships.iter().find(|(login, _)| login.eq_ignore_ascii_case(org)) {
            Some(found) => one(membership(found)),
            None => Some(Answer::NotFound),
        },
        ["meta"] => {
            let mut meta = json!({ "verifiable_password_authentication": false });
            if let Some(version) = &server.enterprise {
                meta["installed_version"] = json!(version);
            }
            one(meta)
        }
        _ => None,
    }
}
