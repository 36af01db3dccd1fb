//! Labels, milestones, releases, branches and tags.

use super::effects::{Effects, Event, Fields, Wrong};
use crate::entities::{BRANCHES, LABELS, MILESTONES, RELEASES, TAGS};
use crate::node::padded;
use serde_json::{Value, json};

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#label>
pub(super) fn label(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let (scope, label) = (event.repo()?.id, event.payload.at("label"));
    let node_id = label.str("node_id").ok_or(Wrong::Lacks("label.node_id"))?;
    // It does not tell when it changed.
    let fields = json!({ "node_id": node_id, "name": label.value("name"), "color": label.value("color"), "description": label.value("description"),
        "default": label.flag("default"), "created_at": null, "updated_at": null });
    effects.glimpse(&LABELS, scope, node_id.to_owned(), fields);
    if event.deleted() {
        effects.gone(&LABELS, scope, node_id.to_owned());
    } else {
        effects.ask(scope, &LABELS, node_id, node_id);
    }
    Ok(())
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#milestone>
pub(super) fn milestone(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let (scope, milestone) = (event.repo()?.id, event.payload.at("milestone"));
    let number = milestone.u64("number").ok_or(Wrong::Lacks("milestone.number"))?;
    let node_id = milestone.str("node_id").ok_or(Wrong::Lacks("milestone.node_id"))?;
    let at = effects.time(milestone, "updated_at").ok_or(Wrong::Lacks("milestone.updated_at"))?;
    effects.who(milestone, "creator");
    let fields = json!({ "number": number, "node_id": node_id, "title": milestone.value("title"), "description": milestone.value("description"),
        "state": milestone.value("state"), "author": milestone.login("creator"), "created_at": milestone.utc("created_at"),
        "updated_at": milestone.utc("updated_at"), "closed_at": milestone.utc("closed_at"), "due_on": milestone.utc("due_on") });
    effects.whole(&MILESTONES, scope, padded(number), at, fields);
    if event.deleted() {
        effects.gone(&MILESTONES, scope, padded(number));
    } else {
        effects.ask(scope, &MILESTONES, node_id, &padded(number));
    }
    Ok(())
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#release>
pub(super) fn release(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let (scope, release) = (event.repo()?.id, event.payload.at("release"));
    let id = release.u64("id").ok_or(Wrong::Lacks("release.id"))?;
    let node_id = release.str("node_id").ok_or(Wrong::Lacks("release.node_id"))?;
    let dates = ["updated_at", "published_at", "created_at"];
    let at = dates.iter().find_map(|date| effects.time(release, date)).ok_or(Wrong::Lacks("release.created_at"))?;
    effects.who(release, "author");
    let mut fields = Fields::of(release);
    fields.copy(&["id", "node_id", "tag_name", "name", "body", "draft", "prerelease", "html_url"]);
    fields.times(&["created_at", "published_at", "updated_at"]);
    fields.set("author", "author", |release| release.login("author"));
    let state = if release.flag("draft") {
        "draft"
    } else if release.flag("prerelease") {
        "prerelease"
    } else {
        "published"
    };
    fields.map.insert("state".to_owned(), state.into());
    effects.part(&RELEASES, scope, padded(id), at, fields.map);
    if event.deleted() {
        effects.gone(&RELEASES, scope, padded(id));
    } else {
        // The tagged commit is not told.
        effects.ask(scope, &RELEASES, node_id, &padded(id));
    }
    Ok(())
}

/// A branch or tag moved. Which order two pushes came in, only GitHub can tell: the ref is asked for, and the repository,
/// whose head leads to the commits.
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#push>
pub(super) fn push(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let (repo, payload) = (event.repo()?, event.payload);
    let reference = payload.str("ref").ok_or(Wrong::Lacks("ref"))?;
    let at = effects.time(payload, "repository.pushed_at").unwrap_or(event.received_at);
    if let Some(name) = reference.strip_prefix("refs/heads/") {
        let default = payload.str("repository.default_branch").or(repo.default_branch.as_deref());
        let mut fields = Fields::of(payload);
        fields.map.insert("name".to_owned(), name.into());
        fields.set("sha", "after", |payload| payload.value("after"));
        fields.map.insert("is_default".to_owned(), (default == Some(name)).into());
        if !payload.flag("deleted") {
            effects.part(&BRANCHES, repo.id, name.to_owned(), at, fields.map);
        }
    }
    ask(repo.id, reference, effects);
    effects.ask_repository(event);
    effects.who(payload, "sender");
    Ok(())
}

/// `create` and `delete`. <https://docs.github.com/en/webhooks/webhook-events-and-payloads#create>
pub(super) fn reference(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let repo = event.repo()?;
    let name = event.payload.at("ref").0;
    match (event.payload.str("ref_type"), name) {
        (Some("branch"), Value::String(name)) => ask(repo.id, &format!("refs/heads/{name}"), effects),
        (Some("tag"), Value::String(name)) => ask(repo.id, &format!("refs/tags/{name}"), effects),
        (Some("repository"), _) => {}
        (Some(_), _) => return Err(Wrong::Lacks("ref")),
        (None, _) => return Err(Wrong::Lacks("ref_type")),
    }
    effects.ask_repository(event);
    Ok(())
}

/// Refs are asked for by their names: their node ids no payload tells.
fn ask(scope: u64, reference: &str, effects: &mut Effects) {
    for (prefix, entity) in [("refs/heads/", &BRANCHES), ("refs/tags/", &TAGS)] {
        if let Some(name) = reference.strip_prefix(prefix) {
            effects.ask(scope, entity, reference, name);
        }
    }
}
