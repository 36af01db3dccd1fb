//! What happens to projects and to the items on their boards. A move is told exactly here: it goes into the histories,
//! and into the item's row.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#projects_v2_item>

use super::effects::{Effects, Event, Fields, Wrong};
use crate::entities::{PROJECT_ITEMS, PROJECTS};
use crate::model::project_scope;
use crate::node::Node;
use crate::stages::{Board, Sighting, Source, Stage, Text, What};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A single select of an item that was set or cleared.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) field_id: Text,
    pub(super) field: Text,
    pub(super) to: Option<Stage>,
    pub(super) at: Timestamp,
}

pub(super) fn project(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let project = event.payload.at("projects_v2");
    let node_id = project.str("node_id").ok_or(Wrong::Lacks("projects_v2.node_id"))?;
    let number = project.u64("number").ok_or(Wrong::Lacks("projects_v2.number"))?;
    let at = effects.time(project, "updated_at").ok_or(Wrong::Lacks("projects_v2.updated_at"))?;
    effects.who(project, "creator");
    let scope = project_scope(node_id);
    if event.deleted() {
        let at = effects.time(project, "deleted_at").unwrap_or(at);
        let end = Sighting::exact(Source::Webhook, What::Removed, at);
        effects.told.push(end.record(Board { scope, node_id, number }, None, event.received_at));
        effects.gone(&PROJECTS, event.org_id, node_id.to_owned());
        effects.left = Some(scope);
        return Ok(());
    }
    effects.board = Some((node_id.to_owned(), number));
    let mut fields = Fields::of(project);
    fields.copy(&["id", "node_id", "number", "title", "short_description", "public"]);
    fields.times(&["created_at", "updated_at", "closed_at"]);
    fields.set("creator", "creator", |project| project.login("creator"));
    fields.set("state", "closed_at", |project| if project.at("closed_at").exists() { "closed".into() } else { "open".into() });
    effects.part(&PROJECTS, event.org_id, node_id.to_owned(), at, fields.map);
    effects.ask(event.org_id, &PROJECTS, node_id, node_id);
    Ok(())
}

pub(super) fn item(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let item = event.payload.at("projects_v2_item");
    let node_id = item.str("node_id").ok_or(Wrong::Lacks("projects_v2_item.node_id"))?;
    let board = item.str("project_node_id").ok_or(Wrong::Lacks("projects_v2_item.project_node_id"))?;
    let at = effects.time(item, "updated_at").ok_or(Wrong::Lacks("projects_v2_item.updated_at"))?;
    let scope = project_scope(board);
    effects.who(item, "creator");
    let value = event.payload.at("changes.field_value");
    let number = value.u64("project_number").unwrap_or(0);
    let kind = match item.str("content_type") {
        Some("Issue") => "issue",
        Some("PullRequest") => "pull_request",
        Some("DraftIssue") => "draft_issue",
        _ => "redacted",
    };
    effects.board = Some((board.to_owned(), number));
    if event.deleted() {
        effects.gone(&PROJECT_ITEMS, scope, node_id.to_owned());
    } else {
        row(item, kind, scope, at, effects);
        // Of its content a payload tells the node id, of other fields that they changed.
        if event.action != "reordered" {
            effects.ask(scope, &PROJECT_ITEMS, node_id, node_id);
        }
    }
    // How many items it has, and when it changed last.
    effects.ask(event.org_id, &PROJECTS, board, board);
    let Some(mut sighting) = sighted(event, item, at, effects)? else { return Ok(()) };
    sighting.item = Some(node_id.into());
    sighting.content = item.str("content_node_id").map(Text::from);
    sighting.actor = event.payload.login("sender").as_str().map(Text::from);
    // Workflows of a project act in the name of this app.
    sighting.automated = sighting.actor.as_deref().map(|actor| actor.starts_with("github-project-automation"));
    effects.told.push(sighting.record(Board { scope, node_id: board, number }, Some(kind), event.received_at));
    if let (What::Moved, Some(field_id)) = (sighting.what, sighting.field_id) {
        effects.selected.push((scope, node_id.to_owned(), Selected { field_id, field: sighting.field, to: sighting.to, at }));
    }
    Ok(())
}

fn row(item: Node<'_>, kind: &str, scope: u64, at: Timestamp, effects: &mut Effects) {
    let mut fields = Fields::of(item);
    fields.copy(&["id", "node_id", "project_node_id", "content_node_id"]);
    fields.times(&["created_at", "updated_at"]);
    fields.set("creator", "creator", |item| item.login("creator"));
    fields.set("archived", "archived_at", |item| item.at("archived_at").exists().into());
    fields.map.insert("type".to_owned(), kind.into());
    effects.part(&PROJECT_ITEMS, scope, item.str("node_id").unwrap_or_default().to_owned(), at, fields.map);
}

/// What the event means for the item's way over the board, if anything.
fn sighted(event: &Event<'_>, item: Node<'_>, at: Timestamp, effects: &mut Effects) -> Result<Option<Sighting>, Wrong> {
    let exact = |what: What, at: Timestamp| Sighting::exact(Source::Webhook, what, at);
    Ok(match event.action {
        "created" => Some(exact(What::Added, effects.time(item, "created_at").unwrap_or(at))),
        "archived" => Some(exact(What::Archived, effects.time(item, "archived_at").unwrap_or(at))),
        "restored" => Some(exact(What::Restored, at)),
        // It does not tell when: after its last change, and before we were told.
        "deleted" => Some(Sighting { earliest: at.min(event.received_at), set_at: Some(event.received_at), ..exact(What::Removed, event.received_at) }),
        "edited" => {
            let value = event.payload.at("changes.field_value");
            if value.str("field_type") != Some("single_select") {
                return Ok(None);
            }
            let field_id = value.str("field_node_id").ok_or(Wrong::Lacks("changes.field_value.field_node_id"))?;
            // Older payloads tell that it changed, but not to what: it is asked for.
            if !value.0.as_object().is_some_and(|value| value.contains_key("to")) {
                return Ok(None);
            }
            let field = value.str("field_name").unwrap_or(crate::stages::STATUS).into();
            let from = value.0.get("from").map(|_| stage(value.at("from")));
            Some(Sighting { field, field_id: Some(field_id.into()), from, to: stage(value.at("to")), ..exact(What::Moved, at) })
        }
        _ => None,
    })
}

fn stage(option: Node<'_>) -> Option<Stage> {
    Some(Stage { id: option.str("id").map(Text::from), name: option.str("name")?.into() })
}

/// The maps of a row with a single select set, if the row does not know better.
pub(super) fn select(fields: &serde_json::Map<String, Value>, selected: &Selected) -> Option<serde_json::Map<String, Value>> {
    let map = |name: &str| fields.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let (mut values, mut selects) = (map("values"), map("single_selects"));
    let set_at = selects.get(&*selected.field_id).and_then(|value| Node(value).time("updated_at"));
    if set_at.is_some_and(|set_at| set_at >= selected.at) {
        return None;
    }
    match &selected.to {
        Some(stage) => {
            let value = json!({ "field": &*selected.field, "option_id": stage.id.as_deref(), "name": &*stage.name, "updated_at": selected.at.to_string() });
            selects.insert(selected.field_id.to_string(), value);
            values.insert(selected.field.to_string(), (*stage.name).into());
        }
        None => {
            selects.remove(&*selected.field_id);
            values.remove(&*selected.field);
        }
    }
    Some([("values".to_owned(), Value::Object(values)), ("single_selects".to_owned(), Value::Object(selects))].into_iter().collect())
}
