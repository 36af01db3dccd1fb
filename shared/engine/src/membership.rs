//! Whether an organization may be copied: only if the token's owner is a direct member of it, or the token is one of a
//! GitHub App that was installed there. Costs nothing for a member, since the repositories' query tells it along; who
//! is none is told why, at one request or two.
//! <https://docs.github.com/en/rest/orgs/members#get-an-organization-membership-for-the-authenticated-user>

use crate::node::Node;
use crate::{Env, Error};
use github::Forbidden;

/// `organization` is GraphQL's, with `login` and `viewerIsAMember` ("an active member of this organization").
pub(crate) async fn require(env: &Env, organization: Node<'_>) -> Result<(), Error> {
    // An installation is nobody's member; what it may see, the organization's owner decided when installing it.
    if organization.flag("viewerIsAMember") || env.github.has_installation() {
        return Ok(());
    }
    let login = organization.str("login").unwrap_or_default();
    let denied = |why: &str| Err(Error::Membership { login: login.to_owned(), why: why.to_owned() });
    match env.rest(&format!("/user/memberships/orgs/{login}")).await {
        Ok(reply) => match Node(&reply.body).str("state") {
            Some("active") => Ok(()),
            Some("pending") => denied(&format!(
                "the invitation of the token's owner is still pending. Accept it at {}/orgs/{login}/invitation, then try again",
                env.github.web()
            )),
            _ => Err(Error::Unreadable("a membership without a state".to_owned())),
        },
        // Some servers have the list only.
        Err(Error::GitHub(github::Error::Absent { .. })) if memberships(env).await?.iter().any(|org| org.eq_ignore_ascii_case(login)) => Ok(()),
        Err(Error::GitHub(github::Error::Absent { .. })) => denied(
            "the token's owner is no member of it (perhaps an outside collaborator of some repositories). \
             Only repositories of organizations of which the token's owner is a direct member are copied: use the token of a member",
        ),
        Err(Error::GitHub(github::Error::Forbidden { reason: Forbidden::Other | Forbidden::Scope { .. } | Forbidden::Permission { .. }, message })) => {
            denied(&format!(
                "GitHub does not tell whether the token's owner is a member of it ({message}). \
             Give a classic token the scope read:org, a fine-grained one the organization permission Members: read"
            ))
        }
        Err(other) => Err(other),
    }
}

/// Why there is no organization of this name. Personal accounts are no organizations, and are not copied.
pub(crate) async fn no_organization(env: &Env, org: &str, answer: &github::Answer) -> Error {
    let told = answer.errors.first().map_or("GitHub returned nothing.", |error| error.message.as_str());
    let failed = |why: String| Error::Organization { login: org.to_owned(), why };
    if answer.errors.iter().any(|error| error.saml_failure) {
        return failed(format!("{told} Authorise the token for the organization's SAML single sign-on, then try again."));
    }
    let account = env.rest(&format!("/users/{org}")).await;
    if account.is_ok_and(|reply| Node(&reply.body).str("type") == Some("User")) {
        let login = org.to_owned();
        return Error::Membership { login, why: "it is a personal account. Only repositories of organizations are copied".to_owned() };
    }
    failed(format!("{told} Check the spelling, that it is an organization and not a person, and that the token's owner is a member of it."))
}

/// Organizations of which the token's owner is an active member, or where the App is installed; empty for a token that
/// may not tell.
/// <https://docs.github.com/en/rest/orgs/members#list-organization-memberships-for-the-authenticated-user>
pub async fn memberships(env: &Env) -> Result<Vec<String>, Error> {
    let installed = env.github.owners();
    if !installed.is_empty() {
        return Ok(installed);
    }
    let mut next = Some("/user/memberships/orgs?state=active&per_page=100".to_owned());
    let mut logins = Vec::new();
    while let Some(path) = next.take() {
        let reply = match env.rest(&path).await {
            Err(Error::GitHub(github::Error::Forbidden { .. } | github::Error::Absent { .. })) => return Ok(logins),
            other => other?,
        };
        logins.extend(Node(&reply.body).list("")?.iter().filter_map(|one| one.str("organization.login")).map(str::to_owned));
        next = reply.next;
    }
    Ok(logins)
}
