//! What happens to a repository itself: made, renamed, given away, deleted.

use super::effects::{Effects, Event, Wrong};
use crate::entities::REPOSITORIES;
use crate::model::{Presence, Record, ScopeId, Version};
use crate::node::padded;
use crate::ports::StoreError;
use crate::repository::Repository;
use crate::{Env, Error};
use serde_json::Map;

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#repository>
pub(super) fn repository(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let repo = event.repo()?;
    let away = event.action == "transferred" && !event.payload.str("repository.owner.login").is_some_and(|owner| owner.eq_ignore_ascii_case(event.org));
    if event.deleted() || away {
        effects.asked.retain(|(_, asked)| asked.entity != REPOSITORIES.name);
        effects.gone(&REPOSITORIES, repo.org_id, padded(repo.id));
        effects.left = Some(repo.id);
    } else {
        // Its former name is known to whoever reads it next to what is stored.
        effects.ask_repository(event);
    }
    Ok(())
}

/// It belongs to another organization from now on: what is in it stays under its own id.
pub(super) async fn take_over(known: &Repository, repo: &Repository, env: &Env) -> Result<(), Error> {
    let now = env.now();
    for row in env.store.get(&REPOSITORIES, known.org_id, &[padded(known.id)]).await?.iter().filter(|row| !row.gone) {
        env.store.put(&[tombstone(known.org_id, known.id, row.version.absent(now))]).await?;
    }
    let key = Repository::key(known.id);
    let state = env.store.states(std::slice::from_ref(&key)).await?.into_iter().next().unwrap_or_default();
    let value = serde_json::to_value(repo).map_err(|error| Error::Unreadable(error.to_string()))?;
    match env.store.save(&key, state.revision, &value).await {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A tombstone for a repository that GitHub does not show under this id any more.
pub(crate) fn tombstone(org_id: ScopeId, id: ScopeId, version: Version) -> Record {
    Record { entity: &REPOSITORIES, scope: org_id, key: padded(id), version, fields: Map::new(), presence: Presence::Gone }
}
