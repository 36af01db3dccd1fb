//! Compares the copy with GitHub: asks for the totals again, a hundred repositories a query, counts our rows, and says
//! of each difference why it is there, if that is known. Writes no row and no mark.

use crate::discover::{Discovered, discoveries, hint};
use crate::entities::{COMMITS, Entity, REPOSITORIES, find};
use crate::export::Pages as Rows;
use crate::mark;
use crate::model::{ScopeId, State};
use crate::node::{Node, padded};
use crate::organization::{self, Pages};
use crate::ports::{Store, StoreError};
use crate::repository::Repository;
use crate::selection::Selector;
use crate::standing::{self, EntityStatus, Standing};
use crate::summary::Summary;
use crate::sweeps::{self, Sweep};
use crate::{Env, Error};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What comparing one organization found.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    pub organization: String,
    /// Selected of those that GitHub lists.
    pub repositories: u64,
    /// Totals of GitHub's that were compared.
    pub compared: u64,
    pub differences: Vec<Difference>,
    /// What could not be seen, and why.
    pub missing: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    pub repo: String,
    pub id: ScopeId,
    pub entity: &'static str,
    /// GitHub's total.
    pub github: u64,
    /// Living rows here.
    pub here: u64,
    /// None: it should not be so.
    pub because: Option<Cause>,
}

/// Why a difference is no surprise.
#[derive(Debug, Clone, Serialize)]
pub struct Cause {
    /// Short and stable.
    pub code: &'static str,
    pub message: String,
}

/// As cheap as a discovery, and what tells the number of commits.
const OF_HEAD: &str = "... on Commit { history(first: 1) { totalCount } }";

pub(crate) fn query() -> (String, String) {
    ("verify".to_owned(), organization::query("", OF_HEAD))
}

/// Compares the selected repositories of one organization.
pub async fn verify(org: &str, env: &Env) -> Result<Verification, Error> {
    let selector = env.settings.selection.compile()?;
    let all = discoveries(env.store.as_ref()).await?;
    let mut found = Verification { organization: org.to_owned(), repositories: 0, compared: 0, differences: Vec::new(), missing: Vec::new() };
    let (mut listed, mut org_id) = (BTreeSet::new(), 0);
    let mut pages = Pages::new(org, env, query().1);
    while let Some(answer) = pages.next().await? {
        found.missing.extend(answer.errors.iter().map(|error| error.message.clone()));
        let organization = Node(&answer.data).at("organization");
        org_id = organization.u64("databaseId").unwrap_or(org_id);
        let login = organization.str("login").unwrap_or(org);
        for node in organization.items("repositories.nodes") {
            let Some(id) = node.u64("databaseId") else { continue };
            listed.insert(padded(id));
            if selector.against(node, login).is_empty() {
                found.repositories += 1;
                repository(env.store.as_ref(), node, org_id, standing::chosen(&all, org_id).as_ref(), env.now(), &mut found).await?;
            }
        }
    }
    if found.missing.is_empty() {
        gone(env.store.as_ref(), org_id, &listed, &selector, &mut found).await?;
    }
    Ok(found)
}

async fn repository(
    store: &dyn Store,
    node: Node<'_>,
    org_id: ScopeId,
    chosen: Option<&Discovered>,
    now: jiff::Timestamp,
    found: &mut Verification,
) -> Result<(), StoreError> {
    let there = hint(node, org_id);
    let (repo, id) = (there.full_name(), there.id);
    let states: BTreeMap<String, State> = store.states_of(&mark::partition(id)).await?.into_iter().collect();
    let known = states.get("hint").and_then(Repository::parse);
    let row = store.get(&REPOSITORIES, org_id, &[padded(id)]).await?.iter().any(|row| !row.gone);
    found.compared += 1;
    if !row {
        let message = "no sync has seen it yet: the next one copies it".to_owned();
        let because = known.is_none().then_some(Cause { code: "new", message });
        found.differences.push(Difference { repo: repo.clone(), id, entity: REPOSITORIES.name, github: 1, here: 0, because });
    }
    let Some(known) = known else { return Ok(()) };
    let standings = standing::judge(id, &Summary::of(&known, &states), chosen, now);
    let mut totals = there.totals.clone();
    totals.extend(node.u64("defaultBranchRef.target.history.totalCount").map(|total| (COMMITS.name.to_owned(), total)));
    for (name, github) in totals {
        let (Some(entity), Some(stands)) = (find(&name), standings.iter().find(|stands| stands.entity == name)) else { continue };
        found.compared += 1;
        let here = held(store, entity, id, github).await?;
        if here != github {
            let because = cause(stands, chosen, (&known, &there), here < github);
            found.differences.push(Difference { repo: repo.clone(), id, entity: entity.name, github, here, because });
        }
    }
    Ok(())
}

/// Our rows. Of commits, those that a push by force left behind stay here, and are in no total of GitHub's.
async fn held(store: &dyn Store, entity: &'static Entity, id: ScopeId, github: u64) -> Result<u64, StoreError> {
    let here = store.count(entity, id).await?;
    if entity != &COMMITS || here == github {
        return Ok(here);
    }
    let (mut rows, mut on_branch) = (Rows::new(store, entity, id), 0);
    while let Some(page) = rows.next().await? {
        let left_behind = |row: &&crate::Stored| row.gone || row.fields.get("on_default_branch") == Some(&Value::Bool(false));
        on_branch += u64::try_from(page.iter().filter(|row| !left_behind(row)).count()).unwrap_or(0);
    }
    Ok(on_branch)
}

fn cause(stands: &EntityStatus, chosen: Option<&Discovered>, (known, there): (&Repository, &Repository), fewer: bool) -> Option<Cause> {
    let told = |code, message: &str| Some(Cause { code, message: message.to_owned() });
    let moved = sweeps::ALL.iter().find(|sweep| sweep.entities().iter().any(|entity| entity.name == stands.entity)).is_some_and(|sweep| {
        let name = Sweep::name(*sweep);
        known.moved.get(name) != there.moved.get(name)
    });
    match stands.state {
        Standing::SwitchedOff => return told("switched_off", "its group was not chosen by the last sync (--fetch)"),
        Standing::CatchingUp | Standing::Waiting => return told("catching_up", "it is still being read: sync goes on with it"),
        Standing::Complete | Standing::Empty => {}
        state => {
            let why = stands.error.as_ref().map_or_else(|| state.name().to_owned(), |error| error.message.clone());
            return told("refused", &why);
        }
    }
    if moved {
        return told("changed", "it changed on GitHub since the last sync looked: the next one reads it");
    }
    if let Some(since) = chosen.and_then(|chosen| chosen.since).filter(|_| fewer) {
        return told("since", &format!("only what changed since {since:.0} was asked for (--since)"));
    }
    stands.missing.first().filter(|_| fewer).and_then(|missing| told("missing", missing))
}

/// Repositories that are here and no longer on GitHub's list.
async fn gone(store: &dyn Store, org_id: ScopeId, listed: &BTreeSet<String>, selector: &Selector<'_>, found: &mut Verification) -> Result<(), StoreError> {
    let mut rows = Rows::new(store, &REPOSITORIES, org_id);
    while let Some(page) = rows.next().await? {
        for row in page.into_iter().filter(|row| !row.gone && !listed.contains(&row.key)) {
            let repo = row.fields.get("full_name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let Some(id) = row.key.parse().ok().filter(|_| selector.names(&repo)) else { continue };
            let message = "GitHub no longer lists it: the next sync marks it as gone".to_owned();
            let because = Some(Cause { code: "gone", message });
            found.differences.push(Difference { repo, id, entity: REPOSITORIES.name, github: 0, here: 1, because });
        }
    }
    Ok(())
}
