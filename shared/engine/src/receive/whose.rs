//! Whose event it is: which repository or organization, and whether that is copied. What discovery has not seen yet is
//! made known here, if it would take it.

use super::Outcome;
use super::effects::repository_as_graphql;
use crate::model::ScopeId;
use crate::node::Node;
use crate::ports::StoreError;
use crate::repository::Repository;
use crate::{Env, Error};
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(super) struct Whose {
    pub(super) org_id: ScopeId,
    pub(super) org: String,
    pub(super) repo: Option<Repository>,
    /// Nobody had seen the repository before.
    pub(super) new: bool,
}

/// The owner of what the event is about, or what becomes of the event instead.
pub(super) async fn find(payload: Node<'_>, name: &str, env: &Env) -> Result<Result<Whose, Outcome>, Error> {
    let (organization, repository) = (payload.at("organization"), payload.at("repository"));
    let lacks = |what: &str| Ok(Err(Outcome::Malformed { why: format!("`{name}` without `{what}`") }));
    let ignored = |why: String| Ok(Err(Outcome::Ignored { why }));
    let owner = repository.at("owner");
    // Old payloads of pushes name the owner by `name`.
    let login = owner.str("login").or_else(|| owner.str("name")).or_else(|| organization.str("login"));
    let Some(login) = login else { return lacks(if repository.exists() { "repository.owner" } else { "organization" }) };
    let org_id = owner.u64("id").or_else(|| organization.u64("id"));
    let Some(org_id) = org_id else { return lacks("organization.id") };
    let copied = env.settings.orgs.iter().any(|org| org.eq_ignore_ascii_case(login));
    if !repository.exists() {
        return if copied {
            Ok(Ok(Whose { org_id, org: login.to_owned(), repo: None, new: false }))
        } else {
            ignored(format!("the organization `{login}` is not copied"))
        };
    }
    let (Some(id), Some(full_name)) = (repository.u64("id"), repository.str("full_name")) else { return lacks("repository.id") };
    let known = Repository::read(env, id).await?;
    let left = name == "repository" && payload.str("action") == Some("transferred");
    if !copied {
        // Given to somebody else: gone from here.
        return match known.filter(|known| left && !known.gone) {
            Some(known) => Ok(Ok(Whose { org_id: known.org_id, org: known.owner.clone(), repo: Some(known), new: false })),
            None => ignored(format!("the organization `{login}` is not copied")),
        };
    }
    let pushed_at = repository.time("pushed_at").or_else(|| Timestamp::from_second(repository.at("pushed_at").0.as_i64()?).ok());
    let as_graphql = repository_as_graphql(repository, pushed_at);
    if let Some(reason) = env.settings.selection.compile()?.against(Node(&as_graphql), login).first() {
        return ignored(format!("{full_name} is not chosen: {reason}"));
    }
    match known {
        Some(known) if left && known.org_id != org_id => {
            // Given by one organization of ours to another.
            let repo = hint(id, org_id, login, repository);
            super::repositories::take_over(&known, &repo, env).await?;
            Ok(Ok(Whose { org_id, org: login.to_owned(), repo: Some(repo), new: true }))
        }
        Some(known) if known.gone && name != "repository" => ignored(format!("{full_name} is gone")),
        // From before it went to another organization of ours, or from after, and the event that says so is late.
        Some(known) if known.org_id != org_id => Ok(Ok(Whose { org_id: known.org_id, org: known.owner.clone(), repo: Some(known), new: true })),
        Some(known) => {
            let renamed = !known.full_name().eq_ignore_ascii_case(full_name);
            Ok(Ok(Whose { org_id, org: login.to_owned(), new: renamed || known.gone, repo: Some(known) }))
        }
        None => {
            let repo = hint(id, org_id, login, repository);
            let value = serde_json::to_value(&repo).map_err(|error| Error::Unreadable(error.to_string()))?;
            match env.store.save(&Repository::key(id), 0, &value).await {
                // Somebody else made it known.
                Ok(_) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(Ok(Whose { org_id, org: login.to_owned(), repo: Some(repo), new: true }))
        }
    }
}

/// Enough to read it by; discovery and the question about it tell the rest.
fn hint(id: ScopeId, org_id: ScopeId, owner: &str, repository: Node<'_>) -> Repository {
    Repository {
        id,
        org_id,
        owner: owner.to_owned(),
        name: repository.str("name").unwrap_or_default().to_owned(),
        default_branch: repository.str("default_branch").map(str::to_owned),
        node_id: None,
        moved: BTreeMap::new(),
        totals: BTreeMap::new(),
        disabled: Vec::new(),
        gone: false,
    }
}
