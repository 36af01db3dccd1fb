//! What GitHub says of one token: whether it is good, until when, and for what. The token's form is a hint only.

use super::asker::{Asker, Heard};
use super::codes::{Code, EXPIRY, KIND, LEFT_OUT, SCOPE_ORG_HOOK, SCOPE_PROJECT, SCOPE_READ_ORG, SCOPE_REPO, VALID};
use super::finding::Finding;
use crate::entities::Group;
use crate::env::Settings;
use github::{Error, Reply, Sso, TokenKind, Told, grants};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// What the rest of the check needs to know of a token.
#[derive(Debug, Default)]
pub(crate) struct Holder {
    /// Rights are told as scopes; otherwise they are permissions, which only asking finds out.
    pub(crate) scoped: bool,
    /// Belongs to a GitHub App's installation, not to a person.
    pub(crate) installation: bool,
    /// Organizations, by login, and whether the membership is active.
    pub(crate) organizations: Vec<(String, bool)>,
    /// Ids of organizations that GitHub leaves out for want of single sign-on.
    pub(crate) left_out: Vec<String>,
}

const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// GitHub does not accept the token.
pub(crate) fn refused(asker: &Asker<'_>) -> Finding {
    let (kind, url) = (asker.client.token().kind(), asker.client.url());
    let what = match kind {
        TokenKind::Refresh => ": it looks like a refresh token, which only makes access tokens",
        TokenKind::Jwt => ": it looks like a GitHub App's JWT, which only makes installation tokens",
        _ => ": it is wrong, expired or revoked, or belongs to another GitHub",
    };
    let remedy = format!("make a token at {}/settings/tokens and put it into GITHUB_TOKEN; for another GitHub, give its --api-url", url.web());
    Finding::fail(&VALID, format!("{} does not accept the token (401){what}", url.host()), remedy)
}

/// Asks who the token is, and judges what was told beside the answers.
pub(crate) async fn look(asker: &Asker<'_>, first: &Told, settings: &Settings, now: Timestamp) -> (Holder, Vec<Finding>) {
    let (user, listed) = futures::join!(asker.get("/user"), asker.get("/user/memberships/orgs?per_page=100"));
    let told = user.as_ref().map_or(first, |probe| &probe.told);
    let web = asker.client.url().web();
    let scopes = told.scopes.clone().or_else(|| first.scopes.clone()).filter(|scopes| !scopes.is_empty());
    let form = asker.client.token().kind();
    let answer = |heard: &Heard<Reply>| heard.as_ref().ok().and_then(|probe| probe.answer.as_ref().ok().map(|reply| reply.body.clone()));
    let forbidden = |heard: &Heard<Reply>| heard.as_ref().is_ok_and(|probe| matches!(probe.answer, Err(Error::Forbidden { .. })));
    let scoped = scopes.is_some() || matches!(form, TokenKind::Classic | TokenKind::OAuth) && told.scopes.is_some();
    let holder = Holder {
        scoped,
        installation: !scoped && forbidden(&user),
        organizations: answer(&listed).as_ref().map(organizations).unwrap_or_default(),
        left_out: match listed.as_ref().ok().and_then(|probe| probe.told.sso.clone()) {
            Some(Sso::Partial { organizations }) => organizations,
            _ => Vec::new(),
        },
    };
    let login = answer(&user).and_then(|user| user.get("login")?.as_str().map(str::to_owned));
    let mut out = vec![valid(asker, login.as_deref(), &holder), kind(form, &holder)];
    out.push(expiry(told.expires.or(first.expires), now, &web));
    if !holder.left_out.is_empty() {
        let message =
            format!("the token is not authorized for the single sign-on of {} other organizations (ids {})", holder.left_out.len(), holder.left_out.join(", "));
        out.push(Finding::warn(&LEFT_OUT, message, format!("choose \"Configure SSO\" beside the token at {web}/settings/tokens")));
    } else {
        out.push(Finding::pass(&LEFT_OUT, "no organization is left out for want of single sign-on"));
    }
    if scoped {
        out.extend(scope_findings(&scopes.unwrap_or_default(), settings, &web));
    }
    (holder, out)
}

fn organizations(listed: &Value) -> Vec<(String, bool)> {
    let of = |membership: &Value| {
        let login = membership.pointer("/organization/login")?.as_str()?.to_owned();
        Some((login, membership.get("state").and_then(Value::as_str) == Some("active")))
    };
    listed.as_array().into_iter().flatten().filter_map(of).collect()
}

fn valid(asker: &Asker<'_>, login: Option<&str>, holder: &Holder) -> Finding {
    let host = asker.client.url().host();
    match login {
        Some(login) => Finding::pass(&VALID, format!("{host} accepts the token; it is {login}'s")),
        None if holder.installation => Finding::pass(&VALID, format!("{host} accepts the token; it is a GitHub App's")),
        None => Finding::pass(&VALID, format!("{host} accepts the token, but does not say whose it is")),
    }
}

fn kind(form: TokenKind, holder: &Holder) -> Finding {
    let told = match (holder.scoped, form) {
        (true, TokenKind::OAuth) | (false, TokenKind::AppUser) => form,
        (true, _) => TokenKind::Classic,
        (false, _) if holder.installation => TokenKind::Installation,
        (false, _) => TokenKind::FineGrained,
    };
    let rights = if holder.scoped { "scopes" } else { "permissions" };
    let known = matches!(form, TokenKind::Unknown | TokenKind::Older) || form == told;
    let belied = if known { String::new() } else { format!(", though it looks like {form}") };
    let message = format!("by GitHub's answers it has {rights}, as {told} has{belied}");
    match told {
        TokenKind::Installation => Finding::warn(
            &KIND,
            format!("{message}; it ends within the hour unless its App renews it"),
            "give the App itself (GITHUB_APP_CLIENT_ID and GITHUB_APP_PRIVATE_KEY_FILE), and its tokens are renewed",
        ),
        TokenKind::AppUser => Finding::warn(
            &KIND,
            format!("{message}; it may end after eight hours"),
            "authorize the app with `sei-github authorize`, which keeps the refresh token, too",
        ),
        _ => Finding::pass(&KIND, message),
    }
}

fn expiry(expires: Option<Timestamp>, now: Timestamp, web: &str) -> Finding {
    let Some(at) = expires else { return Finding::pass(&EXPIRY, "GitHub names no day on which the token ends") };
    let (left, remedy) = (at.duration_since(now), format!("renew it at {web}/settings/tokens, and put the new one into GITHUB_TOKEN"));
    if left <= SignedDuration::ZERO {
        return Finding::fail(&EXPIRY, format!("the token ended on {at}"), remedy);
    }
    let days = left.as_hours() / 24;
    if left <= SOON {
        Finding::warn(&EXPIRY, format!("the token ends on {at}, in {days} days"), remedy)
    } else {
        Finding::pass(&EXPIRY, format!("the token ends on {at}, in {days} days"))
    }
}

fn scope_findings(has: &[String], settings: &Settings, web: &str) -> Vec<Finding> {
    let teams = settings.wants(Group::Teams);
    let wanted: [(&Code, &str, bool); 4] = [
        (&SCOPE_REPO, "repo", true),
        (&SCOPE_READ_ORG, "read:org", teams),
        (&SCOPE_ORG_HOOK, "admin:org_hook", false),
        (&SCOPE_PROJECT, "read:project", false),
    ];
    let one = |(code, scope, needed): (&Code, &str, bool)| {
        if grants(has, scope) {
            return Finding::pass(code, format!("the token has the scope {scope}"));
        }
        let rest = match scope {
            _ if needed => "",
            "admin:org_hook" => "; all is copied without it, but moves on boards are known to one polling interval, not exactly",
            "read:project" if settings.wants(Group::Projects) => "; boards, and with them the stages of issues, stay empty, and all else is copied",
            _ => "; what was chosen works without it",
        };
        let message = format!("the token lacks the scope {scope} (it has {}){rest}", if has.is_empty() { "none".to_owned() } else { has.join(", ") });
        Finding::lacking(
            code,
            needed,
            message,
            format!("tick {scope} for the token at {web}/settings/tokens; for a token of gh: gh auth refresh --scopes {scope}"),
        )
    };
    wanted.map(one).to_vec()
}
