//! What two readings of a board show: which items came, went and moved between them. What it finds is written before the
//! rows that it was found from.

use super::items::Of;
use super::of_board;
use crate::Error;
use crate::entities::PROJECT_ITEMS;
use crate::model::{Record, Stored};
use crate::node::Node;
use crate::stages::{STATUS, Sighting, Source, Stage, Text, What};
use crate::sweeps::Visit;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Compares a page's items with what is stored of them.
pub(super) async fn seen(visit: &Visit<'_>, of: Of<'_>, records: &[Record]) -> Result<Vec<Record>, Error> {
    let items: Vec<&Record> = records.iter().filter(|record| record.entity == &PROJECT_ITEMS).collect();
    let keys: Vec<String> = items.iter().map(|record| record.key.clone()).collect();
    let stored = if keys.is_empty() { Vec::new() } else { visit.env.store.get(&PROJECT_ITEMS, visit.scope(), &keys).await? };
    let stored: BTreeMap<&str, &Stored> = stored.iter().filter(|row| !row.gone).map(|row| (row.key.as_str(), row)).collect();
    let board = of_board(visit, of);
    let mut all = Vec::new();
    for item in items {
        let now = Value::Object(item.fields.clone());
        let before = stored.get(item.key.as_str()).map(|row| Value::Object(row.fields.clone()));
        // Nothing is seen of an item twice: not by an older page than the row that is there.
        let newer = stored.get(item.key.as_str()).is_none_or(|row| row.version < item.version);
        if newer {
            let sightings = compare(&item.key, before.as_ref().map(Node), Node(&now), visit.mark.began_at, visit.now);
            let kind = item.fields.get("type").and_then(Value::as_str);
            all.extend(sightings.iter().map(|sighting| sighting.record(board, kind, visit.now)));
        }
    }
    Ok(all)
}

/// An item that is no longer on the board: it left between the last reading and this one.
pub(super) fn removed(visit: &Visit<'_>, row: &Stored) -> Option<Record> {
    let fields = Value::Object(row.fields.clone());
    let node = Node(&fields);
    let of = Of { node_id: node.str("project_node_id")?, number: node.u64("project")? };
    let mut sighting = about(&row.key, node, What::Removed, visit.now);
    sighting.earliest = visit.mark.began_at.unwrap_or(visit.now).min(visit.now);
    Some(sighting.record(of_board(visit, of), node.str("type"), visit.now))
}

fn about(item: &str, node: Node<'_>, what: What, at: Timestamp) -> Sighting {
    Sighting {
        item: Some(item.into()),
        content: node.str("content_node_id").map(Text::from),
        issue: node.u64("repo_id").zip(node.u64("number")),
        ..Sighting::exact(Source::Snapshot, what, at)
    }
}

/// What happened to an item after `last`, when the reading that found it as it was `before` began.
fn compare(item: &str, before: Option<Node<'_>>, now: Node<'_>, last: Option<Timestamp>, read_at: Timestamp) -> Vec<Sighting> {
    let mut all = Vec::new();
    let created = now.time("created_at").unwrap_or(read_at).min(read_at);
    let changed = now.time("updated_at").filter(|at| *at <= read_at);
    let earliest = match before {
        None => {
            all.push(about(item, now, What::Added, created));
            created
        }
        // What a webhook has told since the last reading is in the row already.
        Some(_) => last.unwrap_or(created).max(created).min(read_at),
    };
    let between = |what: What, set_at: Option<Timestamp>| Sighting { earliest, set_at, ..about(item, now, what, read_at) };
    let touched = before.and_then(|before| before.str("read_updated_at")).or(now.str("created_at")) != now.str("updated_at");
    let (was, is) = (before.is_some_and(|before| before.flag("archived")), now.flag("archived"));
    // What is archived cannot be changed: it was restored meanwhile, and archived again.
    if was != is || is && touched {
        all.push(between(if is { What::Archived } else { What::Restored }, changed));
    }
    let nothing = Map::new();
    let options = |node: Option<Node<'_>>| node.and_then(|node| node.at("single_selects").0.as_object().cloned()).unwrap_or_else(|| nothing.clone());
    let (then, present) = (options(before), options(Some(now)));
    let fields: BTreeSet<&String> = then.keys().chain(present.keys()).collect();
    for id in fields {
        let (old, new) = (then.get(id), present.get(id));
        let option = |value: Option<&Value>| value.and_then(|value| value.get("option_id")?.as_str()).map(str::to_owned);
        let set = |value: Option<&Value>| value.and_then(|value| value.get("updated_at").cloned());
        if option(old) == option(new) && (before.is_none() || set(old) == set(new)) {
            continue;
        }
        let name = new.or(old).and_then(|value| value.get("field")?.as_str()).unwrap_or_default().to_owned();
        let set_at = new.map_or(changed, |new| Node(new).time("updated_at"));
        let mut moved = between(What::Moved, set_at.filter(|at| *at <= read_at));
        moved.from = before.map(|_| stage(old));
        moved.to = stage(new);
        (moved.field, moved.field_id) = (name.into(), Some(id.as_str().into()));
        all.push(moved);
    }
    // Still, or again, without a status: whatever a timeline told meanwhile, it was undone.
    let status = |options: &Map<String, Value>| options.values().any(|value| Node(value).str("field").is_some_and(|field| field.eq_ignore_ascii_case(STATUS)));
    if touched && !status(&then) && !status(&present) {
        all.push(Sighting { from: before.map(|_| None), ..between(What::Moved, changed) });
    }
    all
}

fn stage(value: Option<&Value>) -> Option<Stage> {
    let value = Node(value?);
    Some(Stage { id: value.str("option_id").map(Text::from), name: value.str("name")?.into() })
}
