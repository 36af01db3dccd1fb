//! One event that GitHub sent: writes what it carries into the same rows by the same rules as a sweep, and notes what it
//! lacks to be asked for by node id. Asks GitHub nothing itself, so that no limit holds an event up.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads>
//!
//! A payload tells its object's state at one moment, in whole seconds. Its version is that second alone, so that whatever
//! was read from GitHub in the same second or later stands, and of two payloads of one second the first does. Whatever is
//! lost by that is asked for.

mod catalogue;
mod effects;
mod items;
mod people;
mod projects;
mod repositories;
mod runs;
mod whose;

use crate::asked::{self, Asked};
use crate::entities::{self, Entity, Group};
use crate::model::{Job, Presence, Received, Record, ScopeId, Stored, Version, Written};
use crate::node::Node;
use crate::repository::close;
use crate::{Env, Error, Fleet, Listing};
use effects::{Effects, Event, Wrong};
pub(crate) use repositories::tombstone;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Applied {
        /// Rows written; what is asked for comes later.
        rows: u64,
        /// What is odd about it, for whoever looks.
        note: Option<String>,
    },
    /// The copy has something newer.
    Superseded,
    Ignored {
        why: String,
    },
    /// It lacks what every such event has: trying again would not help.
    Malformed {
        why: String,
    },
}

/// Finds in a payload what it says.
type Reader = fn(&Event<'_>, &mut Effects) -> Result<(), Wrong>;

/// Every event that is used: its actions, what must be chosen for it, and who reads it. To take another, list it here.
static READERS: &[(&str, &str, Group, Reader)] = &[
    (
        "pull_request",
        "assigned auto_merge_disabled auto_merge_enabled closed converted_to_draft demilestoned dequeued edited enqueued labeled locked milestoned opened ready_for_review reopened review_request_removed review_requested synchronize unassigned unlabeled unlocked",
        Group::PullRequests,
        items::pull_request,
    ),
    ("pull_request_review", "dismissed edited submitted", Group::PullRequests, items::review),
    ("pull_request_review_comment", "created deleted edited", Group::PullRequests, items::review_comment),
    ("pull_request_review_thread", "resolved unresolved", Group::PullRequests, items::thread),
    (
        "issues",
        "assigned closed deleted demilestoned edited labeled locked milestoned opened pinned reopened transferred typed unassigned unlabeled unlocked unpinned untyped",
        Group::Issues,
        items::issue,
    ),
    ("issue_comment", "created deleted edited pinned unpinned", Group::Always, items::comment),
    ("sub_issues", "parent_issue_added parent_issue_removed sub_issue_added sub_issue_removed", Group::Issues, items::sub_issues),
    ("label", "created deleted edited", Group::Always, catalogue::label),
    ("milestone", "closed created deleted edited opened", Group::Always, catalogue::milestone),
    ("push", "", Group::Always, catalogue::push),
    ("create", "", Group::Always, catalogue::reference),
    ("delete", "", Group::Always, catalogue::reference),
    ("repository", "archived created deleted edited privatized publicized renamed transferred unarchived", Group::Always, repositories::repository),
    ("release", "created deleted edited prereleased published released unpublished", Group::Releases, catalogue::release),
    ("deployment", "created", Group::Deployments, runs::deployment),
    ("deployment_status", "created", Group::Deployments, runs::deployment_status),
    ("workflow_run", "completed in_progress requested", Group::WorkflowRuns, runs::workflow_run),
    ("projects_v2", "closed created deleted edited reopened", Group::Projects, projects::project),
    ("projects_v2_item", "archived converted created deleted edited reordered restored", Group::Projects, projects::item),
    ("member", "added edited removed", Group::Always, people::member),
    ("membership", "added removed", Group::Teams, people::team),
    ("organization", "deleted member_added member_invited member_removed renamed", Group::Always, people::organization),
    ("team", "added_to_repository created deleted edited removed_from_repository", Group::Teams, people::team),
    ("team_add", "", Group::Teams, people::team),
];

/// The events that are used, as hooks name them.
pub fn events() -> impl Iterator<Item = &'static str> {
    READERS.iter().map(|(name, ..)| *name)
}

#[must_use]
pub fn is_used(event: &str) -> bool {
    events().any(|name| name == event)
}

/// Applies an event by every integration that takes it.
pub async fn receive_all(event: &Received, fleet: &Fleet) -> Result<Outcome, Error> {
    let mut best = Outcome::Ignored { why: "everything is paused".to_owned() };
    for (index, env) in fleet.envs().iter().enumerate() {
        let outcome = receive(event, env).await?;
        let rank = |outcome: &Outcome| match outcome {
            Outcome::Ignored { .. } => 0,
            Outcome::Malformed { .. } => 1,
            Outcome::Superseded => 2,
            Outcome::Applied { .. } => 3,
        };
        best = match (best, outcome) {
            (Outcome::Applied { rows, note }, Outcome::Applied { rows: more, .. }) => Outcome::Applied { rows: rows + more, note },
            (best, outcome) if index == 0 || rank(&outcome) > rank(&best) => outcome,
            (best, _) => best,
        };
    }
    Ok(best)
}

/// Applies an event by the choices of one integration.
pub async fn receive(event: &Received, env: &Env) -> Result<Outcome, Error> {
    let Some((_, actions, group, read)) = READERS.iter().find(|(name, ..)| *name == event.event) else {
        return Ok(Outcome::Ignored { why: format!("the event `{}` is not used", event.event) });
    };
    let payload: Value = match serde_json::from_slice(&event.body) {
        Ok(payload @ Value::Object(_)) => payload,
        Ok(_) => return Ok(Outcome::Malformed { why: "the payload is JSON, but not an object".to_owned() }),
        Err(error) => return Ok(Outcome::Malformed { why: format!("the payload is not JSON: {error}") }),
    };
    if !env.settings.wants(*group) {
        return Ok(Outcome::Ignored { why: format!("`{}` is not fetched", group.name()) });
    }
    let payload = Node(&payload);
    let whose = match whose::find(payload, &event.event, env).await? {
        Ok(whose) => whose,
        Err(other) => return Ok(other),
    };
    let event = Event {
        action: payload.str("action").unwrap_or_default(),
        name: &event.event,
        payload,
        received_at: event.received_at,
        org_id: whose.org_id,
        org: &whose.org,
        repo: whose.repo.as_ref(),
        settings: env.settings.as_ref(),
    };
    let mut effects = Effects::new(event.received_at);
    if whose.new {
        // Its row, its totals and its first sweeps come of this.
        effects.ask_repository(&event);
    }
    if !event.action.is_empty() && !actions.split(' ').any(|known| known == event.action) {
        effects.odd(format!("the action `{}` is not known: what it carries is taken for an edit", event.action));
    }
    match read(&event, &mut effects) {
        Ok(()) => {}
        Err(Wrong::Lacks(what)) => return Ok(Outcome::Malformed { why: format!("`{}` without `{what}`", event.name) }),
        Err(Wrong::Ignored(why)) => return Ok(Outcome::Ignored { why }),
    }
    apply(&event, effects, env).await
}

async fn apply(event: &Event<'_>, mut effects: Effects, env: &Env) -> Result<Outcome, Error> {
    let store = env.store.as_ref();
    if let Some((node_id, number)) = &effects.board {
        crate::projects::meet(event.org_id, event.org, *number, node_id, env).await?;
    }
    let told: Vec<Record> = std::mem::take(&mut effects.told).into_iter().filter(|record| env.settings.wants(record.entity.group)).collect();
    let mut written = store.put(&told).await?;
    let outdated = compare(&told, &mut effects, env).await?;
    written += select(&effects, env).await?;
    for (entity, scope, prefix) in &effects.emptied {
        let gone = everything(entity, *scope, prefix, Version::deleted(event.received_at), env).await?;
        written += store.put(&gone).await?;
    }
    // After what they were: of what never was there would be no tombstone, and a late event would bring it back.
    written += store.put(&effects.gone).await?;
    let mut asked: BTreeMap<ScopeId, Vec<Asked>> = BTreeMap::new();
    for (scope, question) in std::mem::take(&mut effects.asked) {
        if entities::find(question.entity).is_some_and(|entity| env.settings.wants(entity.group)) {
            asked.entry(scope).or_default().push(question);
        }
    }
    let anything = !asked.is_empty();
    for (scope, questions) in asked {
        let here = event.repo.map(|repo| repo.id) == Some(scope) || scope == event.org_id;
        if !here && crate::Repository::read(env, scope).await?.is_none() {
            // Where it went is not copied.
            continue;
        }
        asked::ask(store, scope, &questions).await?;
        let job = Job { scope, sweep: asked::SWEEP.to_owned(), integration: env.settings.integration.clone() };
        env.queue.send(&[job]).await?;
    }
    if let Some(id) = effects.left {
        close(id, event.org_id, store).await?;
    }
    let Written { created, updated, removed, .. } = written;
    let rows = created + updated + removed;
    Ok(if rows == 0 && outdated && effects.gone.is_empty() {
        Outcome::Superseded
    } else if rows == 0 && told.is_empty() && effects.gone.is_empty() && !anything {
        Outcome::Ignored { why: "it changes nothing that is copied".to_owned() }
    } else {
        Outcome::Applied { rows, note: effects.note() }
    })
}

/// Sets single selects in rows of items: what else the row has of them stays.
async fn select(effects: &Effects, env: &Env) -> Result<Written, Error> {
    let mut written = Written::default();
    for (scope, key, selected) in &effects.selected {
        let entity = &entities::PROJECT_ITEMS;
        let stored = env.store.get(entity, *scope, std::slice::from_ref(key)).await?;
        let Some(row) = stored.first().filter(|row| !row.gone) else { continue };
        if let Some(fields) = projects::select(&row.fields, selected) {
            // Dated by what it sets, though the row may be of the same second by now.
            let version = Version::new(Some(selected.at), selected.at).max(row.version.absent(env.now()));
            written += env.store.put(&[Record { entity, scope: *scope, key: key.clone(), version, fields, presence: Presence::Part }]).await?;
        }
    }
    Ok(written)
}

/// Whether everything that was told is older than what is stored. What is of the same second and differs is asked for:
/// nobody can tell which of the two came later.
async fn compare(told: &[Record], effects: &mut Effects, env: &Env) -> Result<bool, Error> {
    let told: Vec<&Record> = told.iter().filter(|record| record.presence != Presence::Glimpse).collect();
    let mut outdated = !told.is_empty();
    for record in told {
        let stored = env.store.get(record.entity, record.scope, std::slice::from_ref(&record.key)).await?;
        let Some(stored) = stored.first().filter(|stored| stored.version >= record.version && differs(record, stored)) else {
            outdated = false;
            continue;
        };
        if stored.version.second() == record.version.second() {
            outdated = false;
            let node_id = record.fields.get("node_id").and_then(Value::as_str);
            // What hangs on an item comes with that, which is asked for anyway.
            if let Some(node_id) = node_id.filter(|_| asked::is_askable(record.entity)) {
                effects.ask(record.scope, record.entity, node_id, &record.key);
            }
        }
    }
    Ok(outdated)
}

fn differs(record: &Record, stored: &Stored) -> bool {
    stored.gone || record.fields.iter().any(|(name, value)| stored.fields.get(name) != Some(value))
}

/// Tombstones for every row under a prefix.
async fn everything(entity: &'static Entity, scope: ScopeId, prefix: &str, version: Version, env: &Env) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = env.store.list(&Listing { prefix, after: after.as_deref(), ..Listing::all(entity, scope) }).await?;
        after = page.rows.last().map(|row| row.key.clone());
        let living = page.rows.into_iter().filter(|row| !row.gone);
        records.extend(living.map(|row| Record { entity, scope, key: row.key, version: version.clone(), fields: Map::new(), presence: Presence::Gone }));
        if !page.more || after.is_none() {
            return Ok(records);
        }
    }
}
