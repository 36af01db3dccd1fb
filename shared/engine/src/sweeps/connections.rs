//! The lists inside an item (a pull request's reviews, a repository's tags): asked for with the item, and paged on
//! by themselves when they overflow, never cut.

use crate::Error;
use crate::entities::Entity;
use crate::node::{Node, Out, short_hash};
use crate::sweeps::{Complete, Visit};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// Whose list it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent<'a> {
    pub(crate) number: u64,
    /// `issue`, `pull_request` or `repository`.
    pub(crate) kind: &'static str,
    /// Every key of the list's rows begins so.
    pub(crate) prefix: &'a str,
}

/// Rows that come at once.
pub(crate) const PAGE: u32 = 100;

pub(crate) struct Connection {
    /// GraphQL's name of it.
    pub(crate) field: &'static str,
    /// Names it in the query where one field is asked for twice (branches and tags are both `refs`).
    pub(crate) alias: &'static str,
    /// Arguments besides `first` and `after`, with a leading comma.
    pub(crate) args: &'static str,
    pub(crate) select: fn() -> String,
    pub(crate) entity: &'static Entity,
    pub(crate) read: fn(Parent<'_>, Node<'_>, &mut Out),
}

/// A list that goes on after what came with its parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Overflow {
    pub(crate) number: u64,
    pub(crate) alias: String,
    pub(crate) after: String,
    /// Hashes of the keys so far, to tell what is gone once the list is complete.
    pub(crate) seen: Vec<u64>,
}

impl Connection {
    /// `reviews(first: 100) { … }`. The size of a list costs no points, only the number of its parents does.
    pub(crate) fn query(&self, after: &str) -> String {
        let Self { field, alias, args, .. } = self;
        let select = (self.select)();
        let name = if field == alias { (*field).to_owned() } else { format!("{alias}: {field}") };
        format!("{name}(first: {PAGE}{after}{args}) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {select} }} }}")
    }

    /// Its number of rows alone.
    pub(crate) fn count_query(&self) -> String {
        let Self { field, alias, args, .. } = self;
        format!("{alias}: {field}(first: 1{args}) {{ totalCount }}")
    }

    /// Reads what came of the list; returns the rest to be paged on, or what the list is now known to be.
    pub(crate) fn take(&self, parent: Parent<'_>, item: Node<'_>, before: Vec<u64>, out: &mut Out) -> Taken {
        let list = item.at(self.alias);
        if !list.exists() {
            // Not asked for, or this server does not know it: nothing is known of the list.
            return Taken::Nothing;
        }
        let start = out.records.len();
        for node in list.items("nodes") {
            (self.read)(parent, node, out);
        }
        let fresh = out.records.iter().skip(start).filter(|record| record.entity == self.entity);
        let mut seen: BTreeSet<u64> = fresh.map(|record| short_hash(&record.key)).collect();
        seen.extend(before);
        match (list.flag("pageInfo.hasNextPage"), list.str("pageInfo.endCursor")) {
            (true, Some(after)) => {
                Taken::More(Overflow { number: parent.number, alias: self.alias.to_owned(), after: after.to_owned(), seen: seen.into_iter().collect() })
            }
            _ => Taken::All(Complete { entity: self.entity, prefix: parent.prefix.to_owned(), keys: seen, upto: None, after: None }),
        }
    }
}

pub(crate) enum Taken {
    Nothing,
    More(Overflow),
    All(Complete),
}

/// What is wrong with an answer about one repository, by what to do.
///
/// Errors beside data mean that some items are null: a smaller page finds out which, and a page of one names it.
pub(crate) fn check(visit: &Visit<'_>, answer: &github::Answer) -> Result<Vec<String>, Error> {
    let root = Node(&answer.data).at("repository");
    if !root.exists() {
        return Err(denied(&answer.errors));
    }
    if let Some(id) = root.u64("databaseId").filter(|id| *id != visit.repo.id) {
        let message = format!("{} is now another repository ({id}): the next discovery follows it", visit.repo.full_name());
        return Err(Error::Denied { code: "renamed", message });
    }
    if answer.errors.is_empty() {
        return Ok(Vec::new());
    }
    if visit.page_size > 1 {
        return Err(Error::Heavy);
    }
    Ok(told(&answer.errors))
}

/// Each error with the place it concerns.
pub(crate) fn told(errors: &[github::GraphqlError]) -> Vec<String> {
    errors.iter().map(|error| format!("{}: {}", error.path.join("."), error.message)).collect()
}

fn denied(errors: &[github::GraphqlError]) -> Error {
    let message = errors.first().map_or_else(|| "GitHub returned nothing".to_owned(), |error| error.message.clone());
    let kind = errors.first().and_then(|error| error.kind.as_deref());
    let code = match kind {
        _ if errors.iter().any(|error| error.saml_failure) => "sso",
        Some("NOT_FOUND") => "absent",
        Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => "forbidden",
        _ if message.contains("blocked") || message.contains("DMCA") => "blocked",
        _ => return Error::Unreadable(message),
    };
    Error::Denied { code, message }
}

/// `nodes` of whatever list is at `path`, as values.
pub(crate) fn value_list(node: Node<'_>, path: &str, read: impl Fn(Node<'_>) -> Option<Value>) -> Value {
    node.items(path).filter_map(read).collect()
}
