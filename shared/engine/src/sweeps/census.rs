//! Finds out which of our rows GitHub no longer has, where its list does not tell: asks for them by node id, a hundred
//! a request. Reads no list of GitHub's.
//! <https://docs.github.com/en/graphql/guides/using-global-node-ids>

use super::{Page, Visit};
use crate::entities::Entity;
use crate::model::{Presence, Record};
use crate::node::Node;
use crate::{Error, Listing};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

pub(crate) const QUERY: &str = "query($ids: [ID!]!) { rateLimit { cost remaining resetAt } nodes(ids: $ids) { id } }";

/// How far our rows have been asked for, in the order of their keys: oldest first, since what is old goes first.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Census {
    after: Option<String>,
    /// How many rows more we hold than GitHub counts: it ends when they are found. None asks for every row.
    surplus: Option<u64>,
    held: u64,
}

/// What comes after a list was read to its end, or to what is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Tail {
    /// Comparing what we hold with GitHub's total, once the last page is written.
    Compare,
    Ask(Census),
}

/// What the sweep keeps between walks.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Memo {
    held: Option<u64>,
    /// GitHub's total, where it never agreed with what it lists: asking again would find the same.
    settled_for: Option<u64>,
}

/// The next step after the list. No tail is left when nothing remains to be done, or, on a page that is `whole`, when
/// something slipped by while the list was paged and it must be read again from its start.
///
/// Our rows are counted only if `fresh`, those that were new on this walk, do not explain GitHub's total.
pub(crate) async fn go_on(visit: &Visit<'_>, entity: &'static Entity, tail: Tail, fresh: u64) -> Result<(Page, Option<Tail>), Error> {
    match tail {
        Tail::Ask(census) => ask(visit, entity, census).await,
        Tail::Compare => compare(visit, entity, fresh).await,
    }
}

async fn compare(visit: &Visit<'_>, entity: &'static Entity, fresh: u64) -> Result<(Page, Option<Tail>), Error> {
    let mut page = Page { local: true, ..Page::default() };
    if visit.env.settings.since.is_some() {
        return Ok((page, None));
    }
    let total = visit.mark.total;
    let memo: Memo = serde_json::from_value(visit.mark.memo.clone()).unwrap_or_default();
    let expected = if visit.first() { Some(fresh) } else { memo.held.map(|held| held + fresh) };
    if !visit.full() && total.is_none_or(|total| expected == Some(total)) {
        page.memo = Some(json!(Memo { held: expected, settled_for: None }));
        return Ok((page, None));
    }
    let held = visit.env.store.count(entity, visit.scope()).await?;
    let now = Memo { held: Some(held), settled_for: total.filter(|total| *total != held) };
    page.memo = Some(json!(now));
    let surplus = total.map_or(0, |total| held.saturating_sub(total));
    let tail = if visit.full() {
        // Whoever reads everything asks for everything.
        Some(Tail::Ask(Census { surplus: None, held, after: None }))
    } else if memo == now || surplus == 0 {
        page.whole = memo != now && total.is_some_and(|total| total > held);
        None
    } else {
        Some(Tail::Ask(Census { surplus: Some(surplus), held, after: None }))
    };
    Ok((page, tail))
}

/// Asks for the next hundred rows; those that are gone come back as tombstones, with what is left to ask.
async fn ask(visit: &Visit<'_>, entity: &'static Entity, mut census: Census) -> Result<(Page, Option<Tail>), Error> {
    let listing = Listing { after: census.after.as_deref(), limit: 100, ..Listing::all(entity, visit.scope()) };
    let listed = visit.env.store.list(&listing).await?;
    let living: Vec<_> = listed.rows.iter().filter(|row| !row.gone && row.fields.get("node_id").is_some_and(Value::is_string)).collect();
    let mut page = Page { local: living.is_empty(), total: visit.mark.total, ..Page::default() };
    if !living.is_empty() {
        let ids: Vec<&Value> = living.iter().filter_map(|row| row.fields.get("node_id")).collect();
        let answer = match visit.env.graphql(QUERY, &json!({ "ids": ids })).await {
            // A server that does not tell leaves the question open; everything else was read.
            Err(Error::GitHub(error @ (github::Error::Rejected { .. } | github::Error::Mistake { .. }))) => {
                page.missing.push(format!("whether some {} were deleted: {error}", entity.name));
                return Ok((page, None));
            }
            other => other?,
        };
        let absent: HashSet<&str> =
            answer.errors.iter().filter(|error| error.kind.as_deref() == Some("NOT_FOUND")).filter_map(|error| error.path.get(1)).map(String::as_str).collect();
        for (index, (row, node)) in living.iter().zip(Node(&answer.data).list("nodes")?).enumerate() {
            if node.exists() || !absent.contains(index.to_string().as_str()) {
                continue;
            }
            let version = row.version.absent(visit.now);
            page.records.push(Record { entity, scope: row.scope, key: row.key.clone(), version, fields: Map::new(), presence: Presence::Gone });
        }
    }
    let gone = u64::try_from(page.records.len()).unwrap_or(0);
    census.held = census.held.saturating_sub(gone);
    census.surplus = census.surplus.map(|surplus| surplus.saturating_sub(gone));
    census.after = listed.rows.last().map(|row| row.key.clone());
    let total = visit.mark.total;
    page.memo = Some(json!(Memo { held: Some(census.held), settled_for: total.filter(|total| *total != census.held) }));
    let through = !listed.more || census.after.is_none() || census.surplus == Some(0);
    Ok((page, (!through).then_some(Tail::Ask(census))))
}
