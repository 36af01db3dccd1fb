//! The members and teams of an organization, read with each discovery. Decides nothing about repositories.
//! <https://docs.github.com/en/graphql/reference/objects#team>

use crate::discover::Found;
use crate::entities::{Group, TEAMS};
use crate::model::ScopeId;
use crate::node::{Node, Out, padded};
use crate::organization::patiently;
use crate::plan::{Bill, further};
use crate::{Env, Error};
use serde_json::{Value, json};

const PEOPLE_QUERY: &str = "query($org: String!, $people: Boolean!, $after: String, $teams: Boolean!, $teamsAfter: String) { rateLimit { cost remaining resetAt } \
    organization(login: $org) { databaseId membersWithRole(first: 100, after: $after) @include(if: $people) { pageInfo { hasNextPage endCursor } \
    nodes { __typename id databaseId login name } } \
    teams(first: 30, after: $teamsAfter) @include(if: $teams) { pageInfo { hasNextPage endCursor } nodes { id databaseId slug name description privacy \
    parentTeam { slug } createdAt updatedAt members(first: 100) { pageInfo { hasNextPage endCursor } nodes { login } } \
    repositories(first: 100) { pageInfo { hasNextPage endCursor } nodes { nameWithOwner } } } } } }";

/// What the query has of a team.
pub(crate) const TEAM: &str = "id databaseId slug name description privacy \
    parentTeam { slug } createdAt updatedAt members(first: 100) { pageInfo { hasNextPage endCursor } nodes { login } } \
    repositories(first: 100) { pageInfo { hasNextPage endCursor } nodes { nameWithOwner } }";

/// As the query has it.
const TEAMS_A_PAGE: u32 = 30;

const TEAM_QUERY: &str = "query($org: String!, $slug: String!, $members: String, $repositories: String) { rateLimit { cost remaining resetAt } \
    organization(login: $org) { team(slug: $slug) { members(first: 100, after: $members) { pageInfo { hasNextPage endCursor } nodes { login } } \
    repositories(first: 100, after: $repositories) { pageInfo { hasNextPage endCursor } nodes { nameWithOwner } } } } }";

pub(crate) fn queries() -> [(String, String); 2] {
    [("people", PEOPLE_QUERY), ("team", TEAM_QUERY)].map(|(name, query)| (name.to_owned(), query.to_owned()))
}

/// Members and teams: one query for most organizations.
pub(crate) async fn read(org: &str, org_id: ScopeId, env: &Env, found: &mut Found) -> Result<(), Error> {
    let (mut people, mut teams) = (true, env.settings.wants(Group::Teams));
    let (mut after, mut teams_after) = (Value::Null, Value::Null);
    // Asked for one by one once GitHub refuses both: it refuses a whole query for one field that the token may not read.
    let mut together = true;
    while people || teams {
        let (ask_people, ask_teams) = (people, teams && (together || !people));
        let variables = json!({ "org": org, "people": ask_people, "teams": ask_teams, "after": after, "teamsAfter": teams_after });
        let answer = match patiently(env, PEOPLE_QUERY, &variables).await {
            Ok(answer) if Node(&answer.data).at("organization").exists() => answer,
            refused => {
                let why = why_refused(refused)?;
                if ask_people && ask_teams {
                    together = false;
                    continue;
                }
                let what = if ask_people { "members" } else { "teams" };
                found.refused.push(format!("{what} of {org}: {why} Give the token the scope read:org (or, fine-grained, read access to members)."));
                (people, teams) = (people && !ask_people, teams && !ask_teams);
                continue;
            }
        };
        found.missing.extend(answer.errors.iter().map(|error| format!("members and teams: {}", error.message)));
        let organization = Node(&answer.data).at("organization");
        let mut out = Out::new(org_id, env.now());
        for member in organization.items("membersWithRole.nodes") {
            out.who(member, "");
        }
        for node in organization.items("teams.nodes") {
            team(org, node, env, &mut out).await?;
        }
        found.written += env.store.put(&out.records).await?;
        if ask_people {
            people = organization.flag("membersWithRole.pageInfo.hasNextPage");
            after = organization.value("membersWithRole.pageInfo.endCursor");
        }
        if ask_teams {
            teams = organization.flag("teams.pageInfo.hasNextPage");
            teams_after = organization.value("teams.pageInfo.endCursor");
        }
    }
    Ok(())
}

/// What reading so many members and teams costs; a team of over a hundred costs more.
pub(crate) fn cost(members: u64, teams: u64, wants_teams: bool) -> Bill {
    let team_pages = if wants_teams { further(teams, TEAMS_A_PAGE) } else { 0 };
    let all = json!({ "people": true, "teams": wants_teams });
    Bill::priced(1.0, PEOPLE_QUERY, &all) + Bill::queries(f64::from(further(members, 100).max(team_pages)), PEOPLE_QUERY, 1)
}

/// What GitHub says to a token that may not see something; every other error is one.
pub(crate) fn why_refused(answer: Result<github::Answer, Error>) -> Result<String, Error> {
    match answer {
        Ok(answer) => Ok(answer.errors.first().map_or_else(|| "GitHub returned nothing.".to_owned(), |error| error.message.clone())),
        Err(Error::GitHub(error @ (github::Error::Forbidden { .. } | github::Error::Absent { .. } | github::Error::Rejected { .. }))) => Ok(error.to_string()),
        Err(error) => Err(error),
    }
}

pub(crate) async fn team(org: &str, node: Node<'_>, env: &Env, out: &mut Out) -> Result<(), Error> {
    let (Some(id), Some(slug)) = (node.u64("databaseId"), node.str("slug")) else { return Ok(()) };
    let names = |node: Node<'_>, list: &str, field: &str| -> Vec<String> { node.items(list).filter_map(|item| item.str(field)).map(str::to_owned).collect() };
    let mut members = names(node, "members.nodes", "login");
    let mut repositories = names(node, "repositories.nodes", "nameWithOwner");
    let mut page = (node.value("members.pageInfo"), node.value("repositories.pageInfo"));
    let more = |page: &Value| Node(page).flag("hasNextPage");
    while more(&page.0) || more(&page.1) {
        let variables = json!({
            "org": org, "slug": slug,
            "members": Node(&page.0).value("endCursor"), "repositories": Node(&page.1).value("endCursor"),
        });
        let answer = patiently(env, TEAM_QUERY, &variables).await?;
        let next = Node(&answer.data).at("organization.team");
        if more(&page.0) {
            members.extend(names(next, "members.nodes", "login"));
        }
        if more(&page.1) {
            repositories.extend(names(next, "repositories.nodes", "nameWithOwner"));
        }
        page = (next.value("members.pageInfo"), next.value("repositories.pageInfo"));
    }
    let fields = json!({
        "id": id,
        "node_id": node.value("id"),
        "slug": slug,
        "name": node.value("name"),
        "description": node.value("description"),
        "privacy": match node.str("privacy") { Some("SECRET") => "secret", _ => "closed" },
        "parent": node.value("parentTeam.slug"),
        "members": members,
        "repositories": repositories,
        "created_at": node.utc("createdAt"),
        "updated_at": node.utc("updatedAt"),
    });
    out.push(&TEAMS, padded(id), None, fields);
    Ok(())
}
