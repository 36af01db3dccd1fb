//! A project's board: its fields, its items with their values, and what moved between two readings. Read whole whenever
//! the project changed: GitHub lists items by their position, not by their change.
//! <https://docs.github.com/en/graphql/reference/objects#projectv2item>

mod items;
mod moves;

use super::census::{self, Tail};
use super::connections::told;
use super::{Page, Sweep, Visit};
use crate::entities::{Entity, Group, PROJECT_FIELDS, PROJECT_ITEMS};
use crate::mark;
use crate::model::{Job, Presence, Record, Stored};
use crate::node::{Node, Out, WHO, short_hash};
use crate::plan::{Bill, Shape, further};
use crate::repository::Repository;
use crate::stages;
use crate::sweeps::Complete;
use crate::{Env, Error};
use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) struct Board;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    after: Option<String>,
    /// Met on this walk and not stored before.
    fresh: u64,
    /// Items that the token may not see.
    redacted: u64,
    tail: Option<Tail>,
}

const BOARD: &str = "id number title fields(first: 100) @include(if: $start) { nodes { \
    ... on ProjectV2FieldCommon { id databaseId name dataType createdAt updatedAt } \
    ... on ProjectV2SingleSelectField { options { id name color description } } \
    ... on ProjectV2IterationField { configuration { duration startDay iterations { id title startDate duration } \
    completedIterations { id title startDate duration } } } } }";

fn query() -> String {
    format!(
        "query($id: ID!, $first: Int!, $after: String, $start: Boolean!) {{ rateLimit {{ cost remaining resetAt }} node(id: $id) {{ ... on ProjectV2 {{ \
         {BOARD} items(first: $first, after: $after, archivedStates: [ARCHIVED, NOT_ARCHIVED]) {{ totalCount pageInfo {{ hasNextPage endCursor }} \
         nodes {{ {} }} }} }} }} }} {WHO} {}",
        items::SELECT,
        items::OF_FIELD
    )
}

/// What a first read of a board with so many items costs.
pub(crate) fn first_read(items: u64) -> Bill {
    let query = query().replace("@include(if: $start)", "");
    Bill::queries(1.0, &query, PAGE) + Bill::queries(f64::from(further(items, PAGE)), &query, PAGE)
}

const PAGE: u32 = 100;

#[async_trait]
impl Sweep for Board {
    fn name(&self) -> &'static str {
        "project_items"
    }
    fn group(&self) -> Group {
        Group::Projects
    }
    fn page_size(&self) -> u32 {
        PAGE
    }
    fn entities(&self) -> &'static [&'static Entity] {
        static OF: &[&Entity] = &[&PROJECT_ITEMS, &PROJECT_FIELDS];
        OF
    }

    /// Nothing says for certain that a project's `updatedAt` moves with everything on its board.
    fn trusts_for(&self) -> Option<SignedDuration> {
        Some(SignedDuration::from_hours(24))
    }

    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let mut position: Position = serde_json::from_value(visit.position().clone()).unwrap_or_default();
        if let Some(tail) = position.tail.take() {
            let (mut page, rest) = census::go_on(visit, &PROJECT_ITEMS, tail, position.fresh).await?;
            page.ahead = left(visit, &page.records).await?;
            position = if page.whole { Position::default() } else { position };
            page.next = (page.whole || rest.is_some()).then(|| json!(Position { tail: rest, ..position }));
            return Ok(page);
        }
        let Some(id) = &visit.repo.node_id else { return Err(Error::Unreadable("the project has no node id".to_owned())) };
        let start = position.after.is_none();
        let variables = json!({ "id": id, "first": visit.page_size, "after": position.after, "start": start });
        let answer = visit.env.graphql(&query(), &variables).await?;
        let mut missing = check(visit, &answer)?;
        let board = Node(&answer.data).at("node");
        let mut out = Out::new(visit.scope(), visit.now);
        let ours = items::Of { node_id: id, number: board.u64("number").unwrap_or(0) };
        let mut page = Page::default();
        if start {
            page.sets.push(fields(ours, board, &mut out));
            former_options(visit, &mut out).await?;
        }
        for node in board.items("items.nodes") {
            position.redacted += u64::from(node.str("type") == Some("REDACTED"));
            items::read(ours, node, &mut out);
        }
        let (fresh, _) = visit.fresh(&PROJECT_ITEMS, &out.records).await?;
        page.ahead = moves::seen(visit, ours, &out.records).await?;
        position.fresh += fresh;
        position.after = board.str("items.pageInfo.endCursor").map(str::to_owned);
        if !board.flag("items.pageInfo.hasNextPage") || position.after.is_none() {
            position.tail = Some(Tail::Compare);
            if position.redacted > 0 {
                missing.push(format!("{} items of {}: the token may not see their repositories (REDACTED)", position.redacted, visit.repo.full_name()));
            }
        }
        page.total = board.u64("items.totalCount");
        page.newest = board.items("items.nodes").filter_map(|node| node.time("updatedAt")).max();
        page.next = Some(json!(position));
        (page.records, page.missing) = (out.records, missing);
        Ok(page)
    }

    /// Of a board; a repository has none.
    fn first_read(&self, _: &Shape, _: &crate::Settings) -> Bill {
        Bill::default()
    }

    fn queries(&self) -> Vec<(String, String)> {
        vec![("board".to_owned(), query())]
    }
}

/// What an item is asked for by itself, with the fragment that it needs.
pub(crate) fn item_fields() -> String {
    items::SELECT.replace("...OfField", "... on ProjectV2FieldCommon { id name }")
}

/// Reads an item that was asked for by itself into `out`, and returns what it shows that was not known.
pub(crate) async fn item(node: Node<'_>, job: &Job, env: &Env, out: &mut Out) -> Result<Vec<Record>, Error> {
    let (Some(id), Some(number)) = (node.str("project.id"), node.u64("project.number")) else { return Ok(Vec::new()) };
    let of = items::Of { node_id: id, number };
    let start = out.records.len();
    items::read(of, node, out);
    let reading = Job { sweep: PROJECT_ITEMS.name.to_owned(), ..job.clone() };
    let mark = mark::read(env.store.as_ref(), &reading).await?;
    let repo = Repository::default();
    let visit = Visit { env, job: &reading, repo: &repo, mark: &mark, page_size: 1, now: out.now, deadline: jiff::Timestamp::MAX };
    moves::seen(&visit, of, out.records.get(start..).unwrap_or_default()).await
}

/// What is wrong with an answer about one board; a smaller page finds out which item it is about.
fn check(visit: &Visit<'_>, answer: &github::Answer) -> Result<Vec<String>, Error> {
    if !Node(&answer.data).at("node.items").exists() {
        let error = answer.errors.first();
        let message = error.map_or_else(|| "GitHub returned nothing".to_owned(), |error| error.message.clone());
        let code = match error.and_then(|error| error.kind.as_deref()) {
            _ if answer.errors.iter().any(|error| error.saml_failure) => "sso",
            Some("NOT_FOUND") => "absent",
            Some("INSUFFICIENT_SCOPES") => "scope",
            Some("FORBIDDEN") => "forbidden",
            _ => return Err(Error::Unreadable(message)),
        };
        return Err(Error::Denied { code, message });
    }
    if answer.errors.is_empty() {
        return Ok(Vec::new());
    }
    if visit.page_size > 1 {
        return Err(Error::Heavy);
    }
    Ok(told(&answer.errors))
}

fn fields(of: items::Of<'_>, board: Node<'_>, out: &mut Out) -> Complete {
    let mut set = Complete { entity: &PROJECT_FIELDS, prefix: String::new(), keys: std::collections::BTreeSet::new(), upto: None, after: None };
    for node in board.items("fields.nodes") {
        let Some(id) = node.str("id") else { continue };
        let iteration = |completed: bool| {
            move |node: Node<'_>| {
                json!({ "id": node.value("id"), "title": node.value("title"), "start_date": node.value("startDate"),
                    "duration": node.value("duration"), "completed": completed })
            }
        };
        let configuration = node.at("configuration");
        let iterations: Vec<Value> =
            configuration.items("completedIterations").map(iteration(true)).chain(configuration.items("iterations").map(iteration(false))).collect();
        let record = json!({
            "project": of.number,
            "project_node_id": of.node_id,
            "id": node.u64("databaseId"),
            "node_id": id,
            "name": node.value("name"),
            "data_type": node.value("dataType"),
            "options": node.value("options"),
            "former_options": Value::Null,
            "iterations": if configuration.exists() { json!(iterations) } else { Value::Null },
            "created_at": node.utc("createdAt"),
            "updated_at": node.utc("updatedAt"),
        });
        set.keys.insert(short_hash(id));
        out.push(&PROJECT_FIELDS, id.to_owned(), node.time("updatedAt"), record);
    }
    set
}

/// Timelines tell a stage by the name that it had then: what options were called is kept when they are renamed.
async fn former_options(visit: &Visit<'_>, out: &mut Out) -> Result<(), Error> {
    let ours = |record: &&mut Record| record.entity == &PROJECT_FIELDS;
    let keys: Vec<String> = out.records.iter().filter(|record| record.entity == &PROJECT_FIELDS).map(|record| record.key.clone()).collect();
    let stored = visit.env.store.get(&PROJECT_FIELDS, visit.scope(), &keys).await?;
    for record in out.records.iter_mut().filter(ours) {
        let Some(row) = stored.iter().find(|row| row.key == record.key) else { continue };
        let list = |fields: &serde_json::Map<String, Value>, name: &str| fields.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let (old, new) = (list(&row.fields, "options"), list(&record.fields, "options"));
        let name_of = |options: &[Value], id: &Value| options.iter().find(|option| option.get("id") == Some(id)).and_then(|option| option.get("name").cloned());
        let mut former = list(&row.fields, "former_options");
        for option in &old {
            let (Some(id), Some(name)) = (option.get("id"), option.get("name")) else { continue };
            if name_of(&new, id).as_ref() != Some(name) {
                former.push(json!({ "id": id, "name": name, "until": visit.now.to_string() }));
            }
        }
        if !former.is_empty() {
            record.fields.insert("former_options".to_owned(), Value::Array(former));
        }
    }
    Ok(())
}

/// What the tombstones of items mean for their histories: told before the tombstones are.
async fn left(visit: &Visit<'_>, tombstones: &[Record]) -> Result<Vec<Record>, Error> {
    let gone: Vec<String> = tombstones.iter().filter(|record| record.presence == Presence::Gone).map(|record| record.key.clone()).collect();
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let rows = visit.env.store.get(&PROJECT_ITEMS, visit.scope(), &gone).await?;
    let sighted = |row: &Stored| moves::removed(visit, row);
    Ok(rows.iter().filter(|row| !row.gone).filter_map(sighted).collect())
}

/// The board that a sweep reads.
fn of_board<'a>(visit: &Visit<'_>, of: items::Of<'a>) -> stages::Board<'a> {
    stages::Board { scope: visit.scope(), node_id: of.node_id, number: of.number }
}
