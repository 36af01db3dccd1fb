//! The list of an organization's repositories, a hundred a query, and which of them the owner's selection takes.
//! Writes nothing.

use crate::membership;
use crate::model::ScopeId;
use crate::node::Node;
use crate::selection::Reason;
use crate::{Env, Error};
use jiff::Timestamp;
use serde_json::{Value, json};

/// `$first` repositories by name, with what tells whether anything moved in them; besides, `of_organization` is asked of
/// the organization and `of_head` of each default branch's head.
pub(crate) fn query(of_organization: &str, of_head: &str) -> String {
    format!(
        "query($org: String!, $first: Int!, $after: String) {{ rateLimit {{ cost remaining resetAt }} organization(login: $org) {{ \
    databaseId login viewerIsAMember {of_organization} repositories(first: $first, after: $after, orderBy: {{field: NAME, direction: ASC}}) {{ \
    totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ \
    {} }} }} }} }}",
        fields(of_head)
    )
}

/// Of a repository, everything that discovery wants to know; `of_head` of its default branch's head.
pub(crate) fn fields(of_head: &str) -> String {
    format!(
        "id databaseId name nameWithOwner owner {{ login }} description url isPrivate visibility isArchived isFork isDisabled isTemplate hasIssuesEnabled \
    createdAt updatedAt pushedAt diskUsage stargazerCount forkCount licenseInfo {{ spdxId }} primaryLanguage {{ name }} \
    defaultBranchRef {{ name target {{ oid {of_head} }} }} languages(first: 50, orderBy: {{field: SIZE, direction: DESC}}) {{ edges {{ size node {{ name }} }} }} \
    repositoryTopics(first: 50) {{ nodes {{ topic {{ name }} }} }} \
    pullRequests(first: 1, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{ totalCount nodes {{ updatedAt }} }} \
    issues(first: 1, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{ totalCount nodes {{ updatedAt }} }} \
    labels(first: 100) {{ totalCount nodes {{ id name color description updatedAt }} }} \
    milestones(first: 100, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{ totalCount nodes {{ number updatedAt }} }} \
    branches: refs(first: 1, refPrefix: \"refs/heads/\") {{ totalCount }} tags: refs(first: 1, refPrefix: \"refs/tags/\") {{ totalCount }} \
    releases(first: 20, orderBy: {{field: CREATED_AT, direction: DESC}}) {{ totalCount nodes {{ id updatedAt }} }} \
    deployments(first: 20, orderBy: {{field: CREATED_AT, direction: DESC}}) {{ totalCount nodes {{ id updatedAt state }} }}"
    )
}

const MEMBER: &str = "viewerIsAMember";

/// Repositories a query; fewer after GitHub found that too heavy.
pub(crate) const PAGE: u32 = 100;

/// The pages of an organization's repositories. The first one also tells whether it may be copied at all.
pub(crate) struct Pages<'a> {
    org: &'a str,
    env: &'a Env,
    query: String,
    first: u32,
    after: Option<String>,
    begun: bool,
    more: bool,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(org: &'a str, env: &'a Env, query: String) -> Self {
        Self { org, env, query, first: PAGE, after: None, begun: false, more: true }
    }

    /// Those that come after a page that [`Self::place`] told of.
    pub(crate) fn after(self, place: Option<String>) -> Self {
        Self { after: place, ..self }
    }

    /// Where the next page begins; none after the last.
    pub(crate) fn place(&self) -> Option<&str> {
        self.after.as_deref().filter(|_| self.more)
    }

    /// The next answer, whose `organization.repositories` is there; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<github::Answer>, Error> {
        while self.more {
            let variables = json!({ "org": self.org, "first": self.first, "after": self.after });
            let answer = match patiently(self.env, &self.query, &variables).await {
                Err(Error::GitHub(github::Error::TooHeavy { .. })) if self.first > 1 => {
                    self.first /= 2;
                    continue;
                }
                other => other?,
            };
            let organization = Node(&answer.data).at("organization");
            let untold = answer.errors.iter().any(|error| error.path.last().is_some_and(|field| field == MEMBER));
            if !organization.exists() && untold && self.query.contains(MEMBER) {
                // This server does not tell it here: asked for by itself.
                self.query = self.query.replace(MEMBER, "");
                continue;
            }
            if !organization.exists() {
                return Err(membership::no_organization(self.env, self.org, &answer).await);
            }
            if !self.begun {
                membership::require(self.env, organization).await?;
                self.begun = true;
            }
            let list = organization.at("repositories");
            let null_nodes = list.at("nodes").0.as_array().is_some_and(|nodes| nodes.iter().any(Value::is_null));
            if null_nodes && self.first > 1 {
                self.first /= 2;
                continue;
            }
            self.after = list.str("pageInfo.endCursor").map(str::to_owned);
            self.more = list.flag("pageInfo.hasNextPage") && self.after.is_some();
            return Ok(Some(answer));
        }
        Ok(None)
    }
}

/// Passing trouble is met with two more tries at once: discovery has no mark to come back to. A page that is too heavy is
/// no such trouble where less can be asked for.
pub(crate) async fn patiently(env: &Env, query: &str, variables: &Value) -> Result<github::Answer, Error> {
    let mut tries = 0;
    loop {
        match env.graphql(query, variables).await {
            Err(Error::GitHub(github::Error::Passing { .. })) if tries < 2 => tries += 1,
            Err(Error::GitHub(github::Error::TooHeavy { .. })) if tries < 2 && variables.get("first").is_none() => tries += 1,
            other => return other,
        }
    }
}

/// A repository of the organization's list, and whether it is taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub id: ScopeId,
    pub repo: String,
    pub visibility: String,
    pub archived: bool,
    pub fork: bool,
    pub topics: Vec<String>,
    pub pushed_at: Option<Timestamp>,
    /// What speaks against it: nothing if it is taken.
    pub against: Vec<Reason>,
}

/// The organization's list, judged.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    pub repositories: Vec<Choice>,
    /// What could not be seen, and why.
    pub missing: Vec<String>,
}

/// Reads the list of repositories and nothing else: what a discovery would take, and why not the rest.
pub async fn repositories(org: &str, env: &Env) -> Result<Choices, Error> {
    let env = &env.about(org);
    let selector = env.settings.selection.compile()?;
    let mut choices = Choices::default();
    let mut pages = Pages::new(org, env, query("", ""));
    while let Some(answer) = pages.next().await? {
        choices.missing.extend(answer.errors.iter().map(|error| error.message.clone()));
        let organization = Node(&answer.data).at("organization");
        let login = organization.str("login").unwrap_or(org);
        let nodes = organization.items("repositories.nodes");
        choices.repositories.extend(nodes.filter_map(|node| {
            Some(Choice {
                id: node.u64("databaseId")?,
                repo: node.str("nameWithOwner")?.to_owned(),
                visibility: node.str("visibility").unwrap_or_default().to_lowercase(),
                archived: node.flag("isArchived"),
                fork: node.flag("isFork"),
                topics: node.items("repositoryTopics.nodes").filter_map(|topic| topic.str("topic.name")).map(str::to_owned).collect(),
                pushed_at: node.time("pushedAt"),
                against: selector.against(node, login),
            })
        }));
    }
    Ok(choices)
}
