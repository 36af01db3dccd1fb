//! The small lists of a repository: branches, tags, labels, milestones, releases. One query brings them all.

use super::connections::{Connection, Overflow, PAGE, Parent, Taken, check};
use super::{Page, Sweep, Visit};
use crate::entities::{BRANCHES, Entity, Group, LABELS, MILESTONES, RELEASES, TAGS};
use crate::node::{Node, Out, WHO, padded};
use crate::plan::{Bill, Shape};
use crate::{Error, Settings};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) struct Catalogue;

/// None at the start; then what is left of the lists that overflowed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    overflows: Vec<Overflow>,
}

static LISTS: &[Connection] = &[
    Connection {
        field: "refs",
        alias: "branches",
        args: ", refPrefix: \"refs/heads/\"",
        select: || "id name branchProtectionRule { id } target { oid ... on Commit { committedDate author { user { login } } } }".to_owned(),
        entity: &BRANCHES,
        read: branch,
    },
    Connection {
        field: "refs",
        alias: "tags",
        args: ", refPrefix: \"refs/tags/\"",
        select: || {
            "id name target { __typename oid ... on Commit { committedDate author { user { login } } } ... on Tag { message \
             tagger { date user { login } } target { __typename oid ... on Commit { committedDate author { user { login } } } ... on Tag { target { __typename oid } } } } }"
                .to_owned()
        },
        entity: &TAGS,
        read: tag,
    },
    Connection {
        field: "labels",
        alias: "labels",
        args: "",
        select: || "id name color description isDefault createdAt updatedAt".to_owned(),
        entity: &LABELS,
        read: label,
    },
    Connection {
        field: "milestones",
        alias: "milestones",
        args: "",
        select: || "id number title description state creator { ...Who } createdAt updatedAt closedAt dueOn".to_owned(),
        entity: &MILESTONES,
        read: milestone,
    },
    Connection {
        field: "releases",
        alias: "releases",
        args: "",
        select: || {
            "id databaseId tagName name description isDraft isPrerelease author { __typename login id databaseId name } tagCommit { oid } \
             createdAt publishedAt updatedAt url"
                .to_owned()
        },
        entity: &RELEASES,
        read: release,
    },
];

#[async_trait]
impl Sweep for Catalogue {
    fn name(&self) -> &'static str {
        "catalogue"
    }
    fn group(&self) -> Group {
        Group::Always
    }
    fn entities(&self) -> &'static [&'static Entity] {
        static OF: &[&Entity] = &[&BRANCHES, &TAGS, &LABELS, &MILESTONES, &RELEASES];
        OF
    }

    fn chosen(&self, settings: &Settings) -> &'static str {
        if settings.wants(RELEASES.group) { "|releases" } else { "" }
    }

    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let mut overflows = serde_json::from_value::<Position>(visit.position().clone()).unwrap_or_default().overflows;
        let mut page = Page::default();
        let mut out = Out::new(visit.scope(), visit.now);
        let wanted = LISTS.iter().filter(|list| visit.env.settings.wants(list.entity.group));
        let asked: Vec<(&Connection, Option<Overflow>)> = if overflows.is_empty() {
            wanted.map(|list| (list, None)).collect()
        } else {
            let overflow = overflows.remove(0);
            wanted.filter(|list| list.alias == overflow.alias).map(|list| (list, Some(overflow.clone()))).collect()
        };
        let after = asked.first().and_then(|(_, overflow)| overflow.as_ref()).map(|overflow| overflow.after.clone());
        let variables = json!({ "owner": visit.repo.owner, "name": visit.repo.name, "after": after });
        let lists: Vec<&Connection> = asked.iter().map(|(list, _)| *list).collect();
        let answer = visit.env.graphql(&query(&lists, after.is_some()), &variables).await?;
        page.missing = check(visit, &answer)?;
        let root = Node(&answer.data).at("repository");
        for (list, overflow) in asked {
            let parent = Parent { number: 0, kind: "repository", prefix: "" };
            match list.take(parent, root, overflow.map(|overflow| overflow.seen).unwrap_or_default(), &mut out) {
                Taken::Nothing => {}
                Taken::More(overflow) => overflows.push(overflow),
                Taken::All(set) => page.sets.push(set),
            }
        }
        mark_default(&mut out, visit.repo.default_branch.as_deref());
        page.records = out.records;
        if !overflows.is_empty() {
            let position = serde_json::to_value(Position { overflows });
            page.next = Some(position.map_err(|error| Error::Unreadable(error.to_string()))?);
        }
        Ok(page)
    }

    /// All lists at once, then each by itself.
    fn first_read(&self, shape: &Shape, _settings: &crate::Settings) -> Bill {
        let wanted: Vec<&Connection> = LISTS.iter().filter(|list| shape.wants(list.entity.group)).collect();
        let paged = wanted.iter().map(|list| Bill::queries(shape.pages(list.entity.name, PAGE) - 1.0, &query(&[list], true), 1));
        paged.fold(Bill::queries(1.0, &query(&wanted, false), 1), std::ops::Add::add)
    }

    fn queries(&self) -> Vec<(String, String)> {
        let all: Vec<&Connection> = LISTS.iter().collect();
        let mut queries = vec![("catalogue".to_owned(), query(&all, false))];
        queries.extend(LISTS.iter().map(|list| (format!("catalogue_{}", list.alias), query(&[list], true))));
        queries
    }
}

fn query(lists: &[&Connection], paged: bool) -> String {
    let (variable, after) = if paged { (", $after: String", ", after: $after") } else { ("", "") };
    let inside: Vec<String> = lists.iter().map(|list| list.query(after)).collect();
    let inside = inside.join(" ");
    let who = if inside.contains("...Who") { WHO } else { "" };
    format!(
        "query($owner: String!, $name: String!{variable}) {{ rateLimit {{ cost remaining resetAt }} \
         repository(owner: $owner, name: $name) {{ databaseId {inside} }} }} {who}"
    )
}

/// How one of the lists is read.
pub(crate) fn list(entity: &str) -> Option<&'static Connection> {
    LISTS.iter().find(|list| list.entity.name == entity)
}

pub(crate) fn mark_default(out: &mut Out, default: Option<&str>) {
    for record in out.records.iter_mut().filter(|record| record.entity == &BRANCHES) {
        let is_default = default == Some(record.key.as_str());
        record.fields.insert("is_default".to_owned(), Value::Bool(is_default));
    }
}

fn branch(_: Parent<'_>, node: Node<'_>, out: &mut Out) {
    let Some(name) = node.str("name") else { return };
    let fields = json!({
        "name": name,
        "node_id": node.value("id"),
        "sha": node.value("target.oid"),
        "committed_at": node.utc("target.committedDate"),
        "author": node.login("target.author.user"),
        "protected": node.at("branchProtectionRule").exists(),
    });
    out.push(&BRANCHES, name.to_owned(), None, fields);
}

fn tag(_: Parent<'_>, node: Node<'_>, out: &mut Out) {
    let Some(name) = node.str("name") else { return };
    let target = node.at("target");
    let annotated = target.str("__typename") == Some("Tag");
    // A tag may point to a tag; two steps reach the commit of every tag that is seen in practice.
    let commit = match (annotated, target.at("target.target").exists()) {
        (false, _) => target,
        (true, true) => target.at("target.target"),
        (true, false) => target.at("target"),
    };
    let fields = json!({
        "name": name,
        "node_id": node.value("id"),
        "sha": if commit.str("__typename") == Some("Commit") { commit.value("oid") } else { Value::Null },
        "annotated": annotated,
        "message": target.value("message"),
        "author": if annotated { target.login("tagger.user") } else { target.login("author.user") },
        "tagged_at": if annotated { target.utc("tagger.date") } else { target.utc("committedDate") },
    });
    out.push(&TAGS, name.to_owned(), None, fields);
}

fn label(_: Parent<'_>, node: Node<'_>, out: &mut Out) {
    let Some(id) = node.str("id") else { return };
    let fields = json!({
        "node_id": id,
        "name": node.value("name"),
        "color": node.value("color"),
        "description": node.value("description"),
        "default": node.flag("isDefault"),
        "created_at": node.utc("createdAt"),
        "updated_at": node.utc("updatedAt"),
    });
    out.push(&LABELS, id.to_owned(), node.time("updatedAt"), fields);
}

fn milestone(_: Parent<'_>, node: Node<'_>, out: &mut Out) {
    let Some(number) = node.u64("number") else { return };
    out.who(node, "creator");
    let fields = json!({
        "number": number,
        "node_id": node.value("id"),
        "title": node.value("title"),
        "description": node.value("description"),
        "state": node.lower("state"),
        "author": node.login("creator"),
        "created_at": node.utc("createdAt"),
        "updated_at": node.utc("updatedAt"),
        "closed_at": node.utc("closedAt"),
        "due_on": node.utc("dueOn"),
    });
    out.push(&MILESTONES, padded(number), node.time("updatedAt"), fields);
}

fn release(_: Parent<'_>, node: Node<'_>, out: &mut Out) {
    let Some(id) = node.u64("databaseId") else { return };
    out.who(node, "author");
    let (draft, prerelease) = (node.flag("isDraft"), node.flag("isPrerelease"));
    let fields = json!({
        "id": id,
        "node_id": node.value("id"),
        "tag_name": node.value("tagName"),
        "sha": node.value("tagCommit.oid"),
        "name": node.value("name"),
        "body": node.value("description"),
        "draft": draft,
        "prerelease": prerelease,
        "state": if draft { "draft" } else if prerelease { "prerelease" } else { "published" },
        "author": node.login("author"),
        "created_at": node.utc("createdAt"),
        "published_at": node.utc("publishedAt"),
        "updated_at": node.utc("updatedAt"),
        "html_url": node.value("url"),
    });
    out.push(&RELEASES, padded(id), node.time("updatedAt"), fields);
}
