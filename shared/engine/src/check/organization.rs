//! Whether one organization lets one token in, whether its owner is a member, and what is seen there.

use super::asker::{Asker, Heard};
use super::codes::{APP_RESTRICTIONS, IP_ALLOW_LIST, MEMBERSHIP, REPOSITORIES, SSO, TOKEN_POLICY};
use super::finding::Finding;
use super::permissions::{self, Sample};
use super::token::Holder;
use crate::env::Settings;
use crate::node::Node;
use crate::selection::Selector;
use github::{Answer, Error, Forbidden, Reply};
use serde_json::json;

pub(crate) const QUERY: &str = "query($org: String!, $after: String) { rateLimit { cost remaining resetAt } organization(login: $org) { databaseId login \
    viewerIsAMember repositories(first: 100, after: $after, orderBy: {field: PUSHED_AT, direction: DESC}) { totalCount pageInfo { hasNextPage endCursor } \
    nodes { nameWithOwner isPrivate visibility isArchived isFork pushedAt repositoryTopics(first: 50) { nodes { topic { name } } } } } } }";

/// So many pages of a hundred names are looked through for a chosen one.
const PAGES: usize = 3;

/// What is seen of the organization.
#[derive(Default)]
struct Seen {
    id: Option<u64>,
    member: bool,
    total: u64,
    /// Looked through for chosen ones.
    read: u64,
    chosen: u64,
    sample: Option<Sample>,
    /// Why it is not seen.
    refused: Vec<Forbidden>,
    error: Option<String>,
}

pub(crate) async fn look(asker: &Asker<'_>, org: &str, holder: &Holder, settings: &Settings, selector: &Selector<'_>) -> Vec<Finding> {
    let path = format!("/user/memberships/orgs/{org}");
    let (membership, seen) = futures::join!(async { if holder.installation { None } else { Some(asker.get(&path).await) } }, see(asker, org, selector));
    let web = asker.client.url().web();
    let mut refused = seen.refused.clone();
    if let Some(Ok(probe)) = &membership
        && let Err(Error::Forbidden { reason, .. }) = &probe.answer
    {
        // First, since REST tells where to authorize.
        refused.insert(0, reason.clone());
    }
    if seen.id.is_some_and(|id| holder.left_out.contains(&id.to_string())) {
        refused.push(Forbidden::Sso { url: None });
    }
    let mut out = doors(&refused, org, &web);
    let closed = out.iter().any(|finding| finding.outcome != super::Outcome::Pass);
    if !closed {
        out.extend(membership_of(membership.as_ref(), &seen, org, holder, &web));
        out.push(repositories(&seen, org, holder, settings, &web));
        if !holder.scoped && seen.id.is_some() {
            out.extend(permissions::look(asker, org, seen.sample.as_ref(), settings).await);
        }
    }
    out
}

/// Each way in which an organization keeps a token out.
fn doors(refused: &[Forbidden], org: &str, web: &str) -> Vec<Finding> {
    let sso = refused.iter().find_map(|reason| if let Forbidden::Sso { url } = reason { Some(url.clone()) } else { None });
    let settings = format!("{web}/organizations/{org}/settings");
    let has = |reason: &Forbidden| refused.contains(reason);
    vec![
        match sso {
            Some(url) => {
                let remedy = url.map_or_else(
                    || format!("choose \"Configure SSO\" beside the token at {web}/settings/tokens"),
                    |url| format!("authorize the token, within an hour, at {url}"),
                );
                Finding::fail(&SSO, format!("{org} has SAML single sign-on, for which the token is not authorized"), remedy)
            }
            None => Finding::pass(&SSO, format!("no single sign-on of {org} is in the way")),
        },
        if has(&Forbidden::IpAllowList) {
            Finding::fail(
                &IP_ALLOW_LIST,
                format!("{org} has an IP allow list, without this machine's address"),
                format!("have an owner add the address at {settings}/security"),
            )
        } else {
            Finding::pass(&IP_ALLOW_LIST, format!("no IP allow list of {org} is in the way"))
        },
        if has(&Forbidden::AppRestrictions) {
            let remedy = format!("have an owner approve the app at {settings}/oauth_application_policy, or use a personal access token");
            Finding::fail(&APP_RESTRICTIONS, format!("{org} restricts OAuth apps, and has not approved the token's"), remedy)
        } else {
            Finding::pass(&APP_RESTRICTIONS, format!("no restriction of OAuth apps of {org} is in the way"))
        },
        if has(&Forbidden::TokenPolicy) {
            let remedy = format!(
                "use a token of another kind or a shorter lifetime: {web}/settings/personal-access-tokens. The policy is at {settings}/personal-access-tokens"
            );
            Finding::fail(&TOKEN_POLICY, format!("{org} does not let in tokens of this kind or lifetime"), remedy)
        } else {
            Finding::pass(&TOKEN_POLICY, format!("no policy of {org} about tokens is in the way"))
        },
    ]
}

fn membership_of(heard: Option<&Heard<Reply>>, seen: &Seen, org: &str, holder: &Holder, web: &str) -> Option<Finding> {
    let Some(heard) = heard else {
        return Some(Finding::pass(&MEMBERSHIP, "a GitHub App's installation is no member; it sees the repositories that it was given"));
    };
    let probe = heard.as_ref().ok()?;
    let state = probe.answer.as_ref().ok().and_then(|reply| reply.body.get("state")?.as_str());
    Some(match (state, &probe.answer) {
        (Some("active"), _) => Finding::pass(&MEMBERSHIP, format!("the token's owner is a member of {org}")),
        (Some(state), _) => Finding::fail(
            &MEMBERSHIP,
            format!("the membership of the token's owner in {org} is {state}"),
            format!("accept the invitation at {web}/orgs/{org}/invitation"),
        ),
        // GraphQL says so where the token may not ask over REST.
        _ if seen.member => Finding::pass(&MEMBERSHIP, format!("the token's owner is a member of {org}")),
        (None, Err(Error::Absent { .. } | Error::Forbidden { .. })) => {
            let others: Vec<&str> = holder.organizations.iter().filter(|(_, active)| *active).map(|(login, _)| login.as_str()).take(20).collect();
            let hint = if others.is_empty() { String::new() } else { format!(". The owner is a member of {}", others.join(", ")) };
            let remedy = format!("have an owner of {org} invite the token's owner: {web}/orgs/{org}/people{hint}");
            Finding::fail(&MEMBERSHIP, format!("the token's owner is not a member of {org}, or the token may not tell"), remedy)
        }
        _ => Finding::fail(&MEMBERSHIP, format!("whether the token's owner is a member of {org} could not be found out"), "run sei-github check again"),
    })
}

fn repositories(seen: &Seen, org: &str, holder: &Holder, settings: &Settings, web: &str) -> Finding {
    if let Some(error) = &seen.error {
        let remedy = format!("check the spelling, and that it is an organization and not a person: {web}/{org}");
        return Finding::fail(&REPOSITORIES, format!("{org} cannot be read: {error}"), remedy);
    }
    if seen.total == 0 {
        let remedy = if holder.scoped {
            format!("check what the owner may see: {web}/orgs/{org}/repositories")
        } else {
            format!("choose the organization and its repositories for the token at {web}/settings/personal-access-tokens; an owner may have to approve it")
        };
        return Finding::fail(&REPOSITORIES, format!("the token sees no repository of {org}"), remedy);
    }
    let message = format!("the token sees {} repositories of {org}", seen.total);
    if settings.selection.is_everything() {
        return match &seen.sample {
            Some(sample) if !holder.scoped && !sample.private => {
                let remedy =
                    format!("if {org} has private ones, choose them for the token at {web}/settings/personal-access-tokens; an owner may have to approve it");
                Finding::warn(&REPOSITORIES, format!("{message}; the newest are all public"), remedy)
            }
            _ => Finding::pass(&REPOSITORIES, message),
        };
    }
    let remedy = format!("sei-github repos --org {org}, with the same flags, says why each is left out; globs match owner/name or the name alone");
    match (seen.chosen, seen.read < seen.total) {
        (0, false) => Finding::fail(&REPOSITORIES, format!("{message}, but none that is selected"), remedy),
        (0, true) => Finding::warn(&REPOSITORIES, format!("{message}; none of the {} newest is selected", seen.read), remedy),
        (chosen, true) => Finding::pass(&REPOSITORIES, format!("{message}; of the {} newest, {chosen} are selected", seen.read)),
        (chosen, false) => Finding::pass(&REPOSITORIES, format!("{message}; {chosen} are selected")),
    }
}

async fn see(asker: &Asker<'_>, org: &str, selector: &Selector<'_>) -> Seen {
    let mut seen = Seen::default();
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let answer = match asker.graphql(QUERY, &json!({ "org": org, "after": after })).await {
            Err(silence) => return Seen { error: Some(silence.to_string()), ..seen },
            Ok(probe) => match probe.answer {
                Err(Error::Forbidden { reason, .. }) => return Seen { refused: vec![reason], ..seen },
                Err(error) => return Seen { error: Some(error.to_string()), ..seen },
                Ok(answer) => answer,
            },
        };
        after = add(&mut seen, &answer, org, selector);
        if after.is_none() || seen.chosen > 0 {
            break;
        }
    }
    seen
}

/// Takes in one page; gives the cursor of the next.
fn add(seen: &mut Seen, answer: &Answer, org: &str, selector: &Selector<'_>) -> Option<String> {
    let organization = Node(&answer.data).at("organization");
    seen.refused.extend(answer.errors.iter().filter_map(github::GraphqlError::forbidden));
    if !organization.exists() {
        seen.error = Some(answer.errors.first().map_or_else(|| "GitHub returned nothing".to_owned(), |error| error.message.clone()));
        return None;
    }
    let (list, login) = (organization.at("repositories"), organization.str("login").unwrap_or(org));
    seen.id = organization.u64("databaseId");
    seen.member = organization.flag("viewerIsAMember");
    seen.total = list.u64("totalCount").unwrap_or(0);
    for node in list.items("nodes") {
        let Some(name) = node.str("nameWithOwner") else { continue };
        seen.read += 1;
        if selector.against(node, login).is_empty() {
            seen.chosen += 1;
            let private = node.flag("isPrivate");
            if seen.sample.as_ref().is_none_or(|sample| private && !sample.private) {
                seen.sample = Some(Sample { name: name.to_owned(), private });
            }
        }
    }
    list.str("pageInfo.endCursor").filter(|_| list.flag("pageInfo.hasNextPage")).map(str::to_owned)
}
