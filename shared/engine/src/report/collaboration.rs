//! Who approved what was merged: one who had been asked, another, or nobody. Pure but for `answer`, which loads; knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::groups::{in_order, keys, named};
use super::items::Word;
use super::labels::{text, texts, time};
use super::options;
use super::people::People;
use super::pulls::{Pull, nothing, read, wanted};
use super::question::{Across, Question};
use super::sheet::{Cell, Column, Sheet};
use crate::entities::{REVIEW_REQUESTS, TEAMS};
use crate::export::{Pages, names};
use crate::model::ScopeId;
use crate::ports::{Rows, StoreError};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) static ENTRY: Entry = Entry {
    name: "pr-collaboration",
    aliases: &[],
    title: "Pull request collaboration",
    about: "Who approved what was merged: one who had been asked, another, or nobody",
    across: &Across::OF_ITEMS,
    own: &[options::CREATED, options::MERGED, options::LABEL],
    measures: false,
    run: |store, asked| Box::pin(answer(store, asked)),
};

/// A request for review: of a person or of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub at: Timestamp,
    /// Who was asked; of a team, its members.
    pub of: BTreeSet<String>,
}

/// Requests by the number of the pull request.
pub type Requests = HashMap<u64, Vec<Request>>;

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let question = Question::of(asked, "merged")?;
    let (repos, labels, people) = (asked.matcher("repo")?, asked.all("label"), People::load(store, asked).await?);
    let teams = teams(store, &people).await?;
    let (mut all, mut there) = (Vec::new(), false);
    for (scope, repo) in names(store, false).await?.iter().filter(|(_, repo)| repos.takes(repo)) {
        let mut pulls = read(store, *scope, repo, &people, true).await?;
        there |= !pulls.is_empty();
        pulls.retain(|pull| wanted(pull, &people, &labels));
        let requests = if pulls.is_empty() { Requests::new() } else { requests(store, *scope, &people, &teams).await? };
        all.push((pulls, requests));
    }
    Ok(Answer { report: Report::Sheet(collaboration(&all, &question)), hint: (!there).then(nothing) })
}

/// Members by the slug of their team.
async fn teams(store: &dyn Rows, people: &People) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
    let mut teams: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for org in store.scopes(&TEAMS).await? {
        let mut pages = Pages::new(store, &TEAMS, org);
        while let Some(rows) = pages.next().await? {
            for row in rows.iter().filter(|row| !row.gone) {
                let members = texts(&row.fields, "members").into_iter().map(|login| people.name(&login).to_owned());
                teams.entry(text(&row.fields, "slug").unwrap_or_default().to_owned()).or_default().extend(members);
            }
        }
    }
    Ok(teams)
}

async fn requests(store: &dyn Rows, scope: ScopeId, people: &People, teams: &BTreeMap<String, BTreeSet<String>>) -> Result<Requests, StoreError> {
    let mut requests = Requests::new();
    let mut pages = Pages::new(store, &REVIEW_REQUESTS, scope);
    while let Some(rows) = pages.next().await? {
        for row in rows.iter().filter(|row| !row.gone) {
            let row = &row.fields;
            let Some((number, at)) = row.get("pull_request").and_then(Value::as_u64).zip(time(row, "requested_at")) else { continue };
            let team = text(row, "team").and_then(|slug| teams.get(slug)).cloned().unwrap_or_default();
            let of = text(row, "reviewer").map(|login| people.name(login).to_owned()).into_iter().chain(team).collect();
            requests.entry(number).or_default().push(Request { at, of });
        }
    }
    Ok(requests)
}

/// The first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Approved by another who had been asked to review.
    Assigned,
    /// Approved by another who had not.
    Unassigned,
    /// Merged by its author, after another said something.
    SelfWithReview,
    /// Merged by its author; nobody said a word.
    Alone,
    /// Merged by another, without an approval.
    Unapproved,
}

fn how(pull: &Pull, merged_at: Timestamp, requests: &[Request]) -> How {
    let said: Vec<_> = pull.item.said.iter().filter(|said| said.at <= merged_at).collect();
    let approvals: Vec<_> = said.iter().filter(|said| said.what == Word::Approval).collect();
    let asked = |by: &str| requests.iter().any(|request| request.at <= merged_at && request.of.contains(by));
    if approvals.iter().any(|said| said.by.as_deref().is_some_and(asked)) {
        How::Assigned
    } else if !approvals.is_empty() {
        How::Unassigned
    } else if pull.merged_by.is_none() || pull.merged_by != pull.item.author {
        How::Unapproved
    } else if said.is_empty() {
        How::Alone
    } else {
        How::SelfWithReview
    }
}

/// Of the merged pull requests of repositories, and the requests for review of each.
#[must_use]
pub fn collaboration(all: &[(Vec<Pull>, Requests)], question: &Question) -> Sheet {
    let zone = question.measure.zone();
    let mut groups: BTreeMap<Option<String>, [u64; 5]> = BTreeMap::new();
    let mut counted: u64 = 0;
    for (pull, requests) in all.iter().flat_map(|(pulls, requests)| pulls.iter().map(move |pull| (pull, requests))) {
        let Some(merged_at) = pull.merged_at.filter(|at| *at <= question.now) else { continue };
        if !question.created.takes(Some(pull.item.created_at)) || !question.closed.takes(Some(merged_at)) {
            continue;
        }
        counted += 1;
        let requests = requests.get(&pull.item.number).map_or(&[][..], Vec::as_slice);
        let how = how(pull, merged_at, requests);
        for key in keys(&pull.item.traits(Some(merged_at)), question.across, &zone) {
            if let Some(number) = groups.entry(key).or_default().get_mut(how as usize) {
                *number += 1;
            }
        }
    }
    let row = |(name, counts): (Option<String>, [u64; 5])| {
        let [assigned, unassigned, ..] = counts;
        let merged = counts.iter().sum();
        let mut row = vec![named(name, question.across), Cell::Number(merged)];
        row.extend(counts.map(Cell::Number));
        row.extend([Cell::share(assigned, merged), Cell::share(assigned + unassigned, merged)]);
        row
    };
    Sheet {
        report: "pr-collaboration",
        title: "Pull request collaboration",
        as_of: question.now,
        facts: vec![format!("{counted} merged pull requests")],
        columns: vec![
            Column::new("group", "", ""),
            Column::new("merged", "merged", ""),
            Column::new("assigned_peer", "assigned peer", "approved by another who had been asked to review, or whose team had"),
            Column::new("unassigned_peer", "unassigned peer", "approved by another, but by none who had been asked"),
            Column::new("self_with_review", "self, reviewed", "merged by its author without an approval, after another said something"),
            Column::new("self_alone", "self, alone", "merged by its author, and nobody else said a word"),
            Column::new("unapproved", "unapproved", "merged by another, without an approval"),
            Column::new("assigned_peer_share", "assigned %", ""),
            Column::new("approved_share", "approved %", "by any peer"),
        ],
        rows: in_order(groups, question.across, |counts| counts.iter().sum()).into_iter().map(row).collect(),
        drawn: vec![2, 3, 4, 5, 6],
        more: 0,
    }
}
