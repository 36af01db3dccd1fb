//! How long it takes from the merge of a pull request until it is in production. `answer` loads, the rest is pure; knows no clock.

use super::ask::{AskError, Asked, Matcher};
use super::catalogue::{Answer, Entry, Report};
use super::committed::PARTS;
use super::labels::{text, time};
use super::options;
use super::parts::between;
use super::people::People;
use super::pulls::{Pull, nothing, read, wanted};
use super::question::{Across, Question};
use super::times::{Timed, TimesReport, Words, times};
use crate::entities::{COMMITS, DEPLOYMENTS, REPOSITORIES, WORKFLOW_RUNS};
use crate::export::{Pages, names};
use crate::model::{ScopeId, Stored};
use crate::ports::{Rows, StoreError};
use crate::row::Row;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

pub(super) static ENTRY: Entry = Entry {
    name: WORDS.report,
    aliases: &[],
    title: WORDS.title,
    about: "How long it takes from the merge of a pull request until it is in production",
    across: &Across::OF_ITEMS,
    own: &[options::CREATED, options::MERGED, options::LABEL, options::SHIPPED_BY, options::ENVIRONMENT, options::WORKFLOW],
    measures: true,
    run: |store, asked| Box::pin(answer(store, asked)),
};

static WORDS: Words = Words {
    report: "lead-time-to-production",
    title: "Lead time to production",
    counted: "shipped",
    waits: "production",
    ended: "merged",
    notes: &[
        (
            "shipped",
            "the time is that from the merge into the default branch to the first success of a deployment, or run, of the merge's commit or a later one",
        ),
        ("open", "those that are merged and not shipped"),
    ],
};

/// What went to production, and when it was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    pub sha: String,
    pub at: Timestamp,
    /// The commit's date; none if the copy does not have it.
    pub committed_at: Option<Timestamp>,
}

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let question = Question::of(asked, "merged")?;
    let (repos, labels, people) = (asked.matcher("repo")?, asked.all("label"), People::load(store, asked).await?);
    let by_runs = asked.one("by") == Some("workflow");
    let which = asked.matcher(if by_runs { "workflow" } else { "environment" })?;
    let defaults = default_branches(store).await?;
    let (mut all, mut there, mut shipped) = (Vec::new(), false, false);
    for (scope, repo) in names(store, false).await?.iter().filter(|(_, repo)| repos.takes(repo)) {
        let mut pulls = read(store, *scope, repo, &people, false).await?;
        there |= !pulls.is_empty();
        let default = defaults.get(scope);
        pulls.retain(|pull| pull.merged_at.is_some() && pull.base_ref.as_ref() == default && default.is_some() && wanted(pull, &people, &labels));
        let shipments = shipments(store, *scope, by_runs, &which).await?;
        shipped |= !shipments.is_empty();
        all.push((pulls, shipments));
    }
    let (group, option) = if by_runs { ("workflow-runs", "--workflow") } else { ("deployments", "--environment, or --by workflow") };
    let unshipped = || format!("nothing that was asked for went to production in this copy: it needs the group {group}; see {option}");
    let hint = if there { (!shipped).then(unshipped) } else { Some(nothing()) };
    Ok(Answer { report: Report::Times(Box::new((production(&all, &question), question))), hint })
}

pub(super) async fn default_branches(store: &dyn Rows) -> Result<BTreeMap<ScopeId, String>, StoreError> {
    let mut branches = BTreeMap::new();
    for org in store.scopes(&REPOSITORIES).await? {
        let mut pages = Pages::new(store, &REPOSITORIES, org);
        while let Some(rows) = pages.next().await? {
            let named = |row: &Stored| Some((row.key.parse().ok()?, text(&row.fields, "default_branch")?.to_owned()));
            branches.extend(rows.iter().filter(|row| !row.gone).filter_map(named));
        }
    }
    Ok(branches)
}

/// Of one repository, in order of time.
async fn shipments(store: &dyn Rows, scope: ScopeId, by_runs: bool, which: &Matcher) -> Result<Vec<Shipment>, StoreError> {
    let mut shipments = Vec::new();
    let mut pages = Pages::new(store, if by_runs { &WORKFLOW_RUNS } else { &DEPLOYMENTS }, scope);
    while let Some(rows) = pages.next().await? {
        for row in rows.iter().filter(|row| !row.gone) {
            let at = if by_runs { ran(row, which) } else { deployed(row, which) };
            if let Some((at, sha)) = at.zip(text(&row.fields, "sha")) {
                shipments.push(Shipment { sha: sha.to_owned(), at, committed_at: None });
            }
        }
    }
    shipments.sort_by(|one, other| (one.at, &one.sha).cmp(&(other.at, &other.sha)));
    let wanted: Arc<HashSet<String>> = Arc::new(shipments.iter().map(|shipment| shipment.sha.clone()).collect());
    let reader = || {
        let wanted = wanted.clone();
        move |row: &dyn Row| Some((row.text("sha").filter(|sha| wanted.contains(*sha))?.to_owned(), row.time("committed_at")?))
    };
    let dates = if shipments.is_empty() { Vec::new() } else { between(store, &COMMITS, scope, &PARTS, &["sha", "committed_at"], reader).await? };
    let dates: HashMap<String, Timestamp> = dates.into_iter().collect();
    for shipment in &mut shipments {
        shipment.committed_at = dates.get(&shipment.sha).copied();
    }
    Ok(shipments)
}

/// When the first of its statuses told success.
fn deployed(row: &Stored, which: &Matcher) -> Option<Timestamp> {
    let statuses = row.fields.get("statuses").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let succeeded = |status: &&Value| status.get("state").and_then(Value::as_str) == Some("success");
    let at = statuses.iter().filter(succeeded).filter_map(|status| status.get("created_at")?.as_str()?.parse().ok()).min();
    at.filter(|_| text(&row.fields, "environment").is_some_and(|name| which.takes(name)))
}

/// When it was done. A workflow is known by its name and by its file.
fn ran(row: &Stored, which: &Matcher) -> Option<Timestamp> {
    let named = ["name", "workflow"].iter().filter_map(|name| text(&row.fields, name)).any(|name| which.takes(name));
    let at = time(&row.fields, "updated_at").filter(|_| named);
    at.filter(|_| text(&row.fields, "conclusion") == Some("success"))
}

/// The merge to the first shipment after it of its own commit or of one that is not older than the merge: another is of an
/// older state.
fn arrived(pull: &Pull, merged_at: Timestamp, shipments: &[Shipment]) -> Option<Timestamp> {
    let after = shipments.get(shipments.partition_point(|shipment| shipment.at < merged_at)..).unwrap_or_default();
    let has = |shipment: &&Shipment| {
        pull.merge_commit_sha.as_deref() == Some(shipment.sha.as_str()) || shipment.committed_at.is_none_or(|committed_at| committed_at >= merged_at)
    };
    after.iter().find(has).map(|shipment| shipment.at)
}

/// Of the merged pull requests of repositories, and what went to production of each.
#[must_use]
pub fn production(all: &[(Vec<Pull>, Vec<Shipment>)], question: &Question) -> TimesReport {
    let pulls = all.iter().flat_map(|(pulls, shipments)| pulls.iter().map(move |pull| (pull, shipments)));
    let timed = pulls.filter_map(|(pull, shipments)| {
        let merged_at = pull.merged_at?;
        let traits = pull.item.traits(Some(merged_at));
        Some(Timed { traits, number: pull.item.number, start: merged_at, end: arrived(pull, merged_at, shipments), open: true })
    });
    times(&WORDS, timed, question)
}
