//! Deployments with their statuses, newest first, down to where nothing is new.
//! <https://docs.github.com/en/graphql/reference/objects#deployment>

use super::census::{self, Tail};
use super::connections::{check, told};
use super::{Page, Sweep, Visit};
use crate::entities::{DEPLOYMENTS, Entity, Group};
use crate::node::{Node, Out, WHO, padded};
use crate::{Env, Error};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) struct Deployments;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    after: Option<String>,
    /// Met on this walk and not stored before.
    fresh: u64,
    tail: Option<Tail>,
}

/// Of a deployment.
pub(crate) const SELECT: &str = "id databaseId commitOid ref { name } task environment description state creator { ...Who } createdAt updatedAt \
    statuses(first: 100) { pageInfo { hasNextPage endCursor } nodes { state environment description createdAt creator { ...Who } } }";

fn query() -> String {
    format!(
        "query($owner: String!, $name: String!, $first: Int!, $after: String) {{ rateLimit {{ cost remaining resetAt }} \
         repository(owner: $owner, name: $name) {{ databaseId deployments(first: $first, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}) {{ \
         totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {SELECT} }} }} }} }} {WHO}"
    )
}

const STATUSES_QUERY: &str = "query($id: ID!, $after: String) { rateLimit { cost remaining resetAt } node(id: $id) { ... on Deployment { \
    statuses(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { state environment description createdAt creator { ...Who } } } } } }";

#[async_trait]
impl Sweep for Deployments {
    fn name(&self) -> &'static str {
        "deployments"
    }
    fn group(&self) -> Group {
        Group::Deployments
    }
    fn entities(&self) -> &'static [&'static Entity] {
        static OF: &[&Entity] = &[&DEPLOYMENTS];
        OF
    }
    fn page_size(&self) -> u32 {
        50
    }

    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let mut position: Position = serde_json::from_value(visit.position().clone()).unwrap_or_default();
        if let Some(tail) = position.tail.take() {
            let (mut page, rest) = census::go_on(visit, &DEPLOYMENTS, tail, position.fresh).await?;
            position = if page.whole { Position::default() } else { position };
            page.next = (page.whole || rest.is_some()).then(|| json!(Position { tail: rest, ..position }));
            return Ok(page);
        }
        let variables = json!({
            "owner": visit.repo.owner, "name": visit.repo.name, "first": visit.page_size, "after": position.after,
        });
        let mut answer = visit.env.graphql(&query(), &variables).await?;
        let mut missing = check(visit, &answer)?;
        for node in answer.data.pointer_mut("/repository/deployments/nodes").and_then(Value::as_array_mut).into_iter().flatten() {
            missing.extend(complete_statuses(visit.env, node).await?);
        }
        let list = Node(&answer.data).at("repository.deployments");
        let mut out = Out::new(visit.scope(), visit.now);
        for node in list.items("nodes") {
            read(node, &mut out);
        }
        let newest = list.items("nodes").filter_map(|node| node.time("updatedAt")).max();
        let (fresh, known) = visit.fresh(&DEPLOYMENTS, &out.records).await?;
        position.fresh += fresh;
        position.after = list.str("pageInfo.endCursor").map(str::to_owned);
        let more = list.flag("pageInfo.hasNextPage") && !known;
        position.tail = (!more).then_some(Tail::Compare);
        Ok(Page { records: out.records, total: list.u64("totalCount"), newest, next: Some(json!(position)), missing, ..Page::default() })
    }

    fn queries(&self) -> Vec<(String, String)> {
        vec![("deployments".to_owned(), query()), ("deployment_statuses".to_owned(), format!("{STATUSES_QUERY} {WHO}"))]
    }
}

/// Pages on where a deployment has over a hundred statuses. That is rare, so it happens within the page. Tells what
/// could not be read.
pub(crate) async fn complete_statuses(env: &Env, node: &mut Value) -> Result<Vec<String>, Error> {
    let mut missing = Vec::new();
    while Node(node).flag("statuses.pageInfo.hasNextPage") {
        let variables = json!({ "id": Node(node).value("id"), "after": Node(node).value("statuses.pageInfo.endCursor") });
        let mut answer = env.graphql(&format!("{STATUSES_QUERY} {WHO}"), &variables).await?;
        missing.extend(told(&answer.errors));
        let page = answer.data.pointer_mut("/node/statuses").map(Value::take).unwrap_or_default();
        let further = Node(&page).list("nodes")?.into_iter().map(|status| status.0.clone());
        if let Some(nodes) = node.pointer_mut("/statuses/nodes").and_then(Value::as_array_mut) {
            nodes.extend(further);
        }
        node["statuses"]["pageInfo"] = Node(&page).value("pageInfo");
    }
    Ok(missing)
}

pub(crate) fn read(node: Node<'_>, out: &mut Out) {
    let Some(id) = node.u64("databaseId") else { return };
    out.who(node, "creator");
    let mut statuses: Vec<Value> = node
        .items("statuses.nodes")
        .map(|status| {
            json!({
                "state": status.lower("state"),
                "created_at": status.utc("createdAt"),
                "author": status.login("creator"),
                "environment": status.value("environment"),
                "description": status.value("description"),
            })
        })
        .collect();
    statuses.sort_by_key(|status| status.get("created_at").and_then(Value::as_str).unwrap_or_default().to_owned());
    let latest = statuses.last().and_then(|status| status.get("state")).cloned();
    let fields = json!({
        "id": id,
        "node_id": node.value("id"),
        "sha": node.value("commitOid"),
        "ref": node.value("ref.name"),
        "task": node.value("task"),
        "environment": node.value("environment"),
        "description": node.value("description"),
        "state": latest.unwrap_or_else(|| node.lower("state")),
        "author": node.login("creator"),
        "created_at": node.utc("createdAt"),
        "updated_at": node.utc("updatedAt"),
        "statuses": statuses,
    });
    out.push(&DEPLOYMENTS, padded(id), node.time("updatedAt"), fields);
}
