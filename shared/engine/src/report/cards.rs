//! What a report of stages counts: items and the stages they stayed in. Computes nothing.

use crate::boards::About;
use crate::entities::{ISSUES, PULL_REQUESTS};
use crate::model::{ScopeId, Stored};
use crate::node::padded;
use crate::ports::{Store, StoreError};
use crate::stages;
pub use crate::stages::Stay;
use crate::{boards, export};
use futures::stream::{self, StreamExt, TryStreamExt};
use futures::try_join;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::pin::pin;

/// An item of a project or, without a board, an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Title of the project or, without one, what the stages were made from.
    pub project: String,
    /// owner/name; none for a draft.
    pub repo: Option<String>,
    pub number: Option<u64>,
    pub kind: ItemKind,
    pub creator: Option<String>,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub milestone: Option<String>,
    pub created_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// In any order. They do not overlap; where there is none, the item was in no stage.
    pub stays: Vec<Stay>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    Issue,
    PullRequest,
    Draft,
}

impl Card {
    /// As it was at this moment: what happened later had not happened yet.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp) -> Option<Self> {
        if self.created_at > now {
            return None;
        }
        self.closed_at = self.closed_at.filter(|at| *at <= now);
        self.stays.retain(|stay| stay.start <= now);
        for stay in &mut self.stays {
            stay.end = stay.end.filter(|end| *end <= now);
        }
        Some(self)
    }
}

/// The items of every project that is there, by the stages that `field` names.
pub async fn from_boards(store: &dyn Store, field: &str) -> Result<Vec<Card>, StoreError> {
    let names = export::names(store, false).await?;
    let projects = boards::projects(store).await?;
    let mut cards = Vec::new();
    for scope in boards::scopes(store).await? {
        let items = boards::items(store, scope).await?;
        let on_board: Vec<(ScopeId, u64)> = items.iter().filter_map(|item| item.link.issue).collect();
        // Both take long, and neither keeps all processors busy.
        let (board, found) = try_join!(boards::complete(store, scope, projects.get(&scope), items), contents(store, on_board, Contents::new()))?;
        let Some(mut board) = board.filter(|board| !board.gone) else { continue };
        let project = board.title.clone().or_else(|| board.name.clone()).unwrap_or_else(|| format!("project {}", board.number));
        let histories = board.histories(board.field(Some(field)));
        // Histories hold all that is needed of them.
        drop(std::mem::take(&mut board.sightings));
        let items: HashMap<&str, &boards::Item> = board.items.iter().map(|item| (&*item.link.item, item)).collect();
        // What has left the board, and what only timelines tell of.
        let contents = contents(store, histories.iter().filter_map(|history| history.issue), found).await?;
        for history in histories {
            let item = history.item.as_deref().and_then(|item| items.get(item).copied());
            let content = history.issue.and_then(|issue| contents.get(&issue));
            let kind = match item.and_then(|item| item.kind.as_deref()) {
                Some("draft_issue") => ItemKind::Draft,
                Some("pull_request") => ItemKind::PullRequest,
                Some("issue") => ItemKind::Issue,
                // Only a timeline tells of it.
                _ => match content {
                    Some((kind, _)) => *kind,
                    None => continue,
                },
            };
            let Some(about) = content.map(|(_, about)| about).or(item.map(|item| &item.about)) else { continue };
            let Some(created_at) = about.created_at.or_else(|| Some(history.transitions.first()?.at)) else { continue };
            cards.push(Card {
                project: project.clone(),
                repo: history.issue.and_then(|(repo, _)| names.get(&repo).cloned()),
                number: history.issue.map(|(_, number)| number),
                kind,
                creator: about.creator.clone(),
                labels: about.labels.clone(),
                assignees: about.assignees.clone(),
                milestone: about.milestone.clone(),
                created_at,
                closed_at: about.closed_at,
                // An item is put on the board and into a stage at once: that is no stay in no stage.
                stays: stages::stays(&history.transitions).into_iter().filter(|stay| stay.stage.is_some() || stay.end != Some(stay.start)).collect(),
            });
        }
    }
    Ok(cards)
}

type Contents = BTreeMap<(ScopeId, u64), (ItemKind, About)>;

/// Those of these issues and pull requests that are copied, beside what was found `before`.
async fn contents(store: &dyn Store, issues: impl IntoIterator<Item = (ScopeId, u64)>, before: Contents) -> Result<Contents, StoreError> {
    let mut all = before;
    let mut wanted: BTreeMap<ScopeId, Vec<String>> = BTreeMap::new();
    for (repo, number) in issues.into_iter().filter(|issue| !all.contains_key(issue)) {
        wanted.entry(repo).or_default().push(padded(number));
    }
    for (repo, keys) in wanted {
        for (entity, kind) in [(&ISSUES, ItemKind::Issue), (&PULL_REQUESTS, ItemKind::PullRequest)] {
            let keys: Vec<String> = keys.iter().filter(|key| key.parse().is_ok_and(|number| !all.contains_key(&(repo, number)))).cloned().collect();
            let read = async |keys: &[String]| {
                let rows = store.get_only(entity, repo, keys, &About::FIELDS).await?;
                let about = |row: &Stored| Some(((repo, row.key.parse().ok()?), (kind, About::of(row))));
                Ok::<Vec<_>, StoreError>(rows.iter().filter(|row| !row.gone).filter_map(about).collect())
            };
            let mut parts = pin!(stream::iter(keys.chunks(100).map(read)).buffered(2));
            while let Some(part) = parts.try_next().await? {
                all.extend(part);
            }
        }
    }
    Ok(all)
}
