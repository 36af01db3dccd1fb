//! What discovery left for the sweeps about one repository, or one project: its present name and what moved.

use crate::mark::partition;
use crate::model::{ScopeId, State, StateKey};
use crate::ports::{Store, StoreError};
use crate::summary;
use crate::{Env, Error};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The hint: rewritten by discovery only when something in it moved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Repository {
    pub id: ScopeId,
    pub org_id: ScopeId,
    pub owner: String,
    pub name: String,
    pub default_branch: Option<String>,
    /// Of a project, by which its board is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_id: Option<String>,
    /// By sweep: anything that differs when something may have changed.
    pub moved: BTreeMap<String, String>,
    /// By entity: GitHub's own totals.
    pub totals: BTreeMap<String, u64>,
    /// What GitHub has switched off in it: `issues`, or `repository` for all.
    pub disabled: Vec<String>,
    /// Set when GitHub no longer lists it.
    pub gone: bool,
}

impl Repository {
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    #[must_use]
    pub fn key(scope: ScopeId) -> StateKey {
        StateKey { of: partition(scope), name: "hint".to_owned() }
    }

    pub(crate) fn parse(state: &State) -> Option<Self> {
        (state.revision > 0).then(|| serde_json::from_value(state.value.clone()).ok()).flatten()
    }

    /// What discovery knows of it, if it does.
    pub async fn read(env: &Env, scope: ScopeId) -> Result<Option<Self>, StoreError> {
        let states = env.store.states(&[Self::key(scope)]).await?;
        Ok(states.first().and_then(Self::parse))
    }
}

/// Its sweeps stop, unless another organization of ours has it by now; a board's, too.
pub(crate) async fn close(id: ScopeId, org_id: ScopeId, store: &dyn Store) -> Result<(), Error> {
    let key = Repository::key(id);
    for _ in 0..5 {
        let states = store.states(std::slice::from_ref(&key)).await?;
        let Some((state, mut repo)) = states.first().and_then(|state| Some((state, Repository::parse(state)?))) else { return Ok(()) };
        if repo.org_id != org_id {
            return Ok(());
        }
        if !repo.gone {
            repo.gone = true;
            let value = serde_json::to_value(&repo).map_err(|error| Error::Unreadable(error.to_string()))?;
            match store.save(&key, state.revision, &value).await {
                Err(StoreError::Conflict) => continue,
                other => other?,
            };
        }
        return Ok(summary::renew(store, id).await?);
    }
    Err(StoreError::Conflict.into())
}
