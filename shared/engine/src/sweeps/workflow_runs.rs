//! Runs of GitHub Actions workflows, newest first, asked for conditionally: an idle repository costs nothing.
//! <https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository>

use super::census::{self, Tail};
use super::{Page, Sweep, Visit};
use crate::Error;
use crate::entities::{COMMITS, Entity, Group, WORKFLOW_RUNS};
use crate::node::{Node, Out, padded};
use crate::plan::Counted;
use crate::repository::Repository;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) struct WorkflowRuns;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    /// The next page's address, verbatim from the `Link` header.
    next: Option<String>,
    /// The least `created_at` so far.
    oldest: Option<Timestamp>,
    /// GitHub refuses page 100 and beyond: from there on each page begins where the last one ended.
    before: Option<Timestamp>,
    /// Met on this walk and not stored before.
    fresh: u64,
    tail: Option<Tail>,
}

impl Position {
    fn url(&self, visit: &Visit<'_>) -> String {
        let list = format!("/repos/{}/actions/runs?per_page={}", visit.repo.full_name(), visit.page_size);
        match (&self.next, self.before) {
            (Some(next), _) => next.clone(),
            // `created=<=…`: the same second once more, since a second may hold many.
            (None, Some(before)) => format!("{list}&created=%3C%3D{before:.0}"),
            (None, None) => list,
        }
    }

    /// Takes in a page whose first run began at `oldest`; false at the end.
    fn go_on(&mut self, oldest: Option<Timestamp>, next: Option<String>) -> bool {
        self.oldest = self.oldest.into_iter().chain(oldest).min();
        let more = next.is_some();
        let steps = self.before.is_some_and(|before| oldest.is_some_and(|oldest| oldest < before));
        (self.before, self.next) = if steps { (oldest, None) } else { (self.before, next) };
        more
    }
}

#[async_trait]
impl Sweep for WorkflowRuns {
    fn name(&self) -> &'static str {
        "workflow_runs"
    }
    fn group(&self) -> Group {
        Group::WorkflowRuns
    }
    fn entities(&self) -> &'static [&'static Entity] {
        static OF: &[&Entity] = &[&WORKFLOW_RUNS];
        OF
    }
    fn always_due(&self) -> bool {
        // Nothing in GraphQL tells that a workflow ran.
        true
    }

    fn counted_at(&self, repo: &Repository) -> Option<Counted> {
        Some(Counted { path: format!("/repos/{}/actions/runs?per_page=1", repo.full_name()), per: COMMITS.name, each: 1.0 })
    }

    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let mut position: Position = serde_json::from_value(visit.position().clone()).unwrap_or_default();
        if let Some(tail) = position.tail.take() {
            let (mut page, rest) = census::go_on(visit, &WORKFLOW_RUNS, tail, position.fresh).await?;
            position = if page.whole { Position::default() } else { position };
            page.next = (page.whole || rest.is_some()).then(|| json!(Position { tail: rest, ..position }));
            return Ok(page);
        }
        let at_start = visit.position().is_null();
        let known = if at_start && !visit.full() { visit.mark.etag.as_ref() } else { None };
        let (reply, etag) = match visit.env.rest_unless(&position.url(visit), known).await {
            Err(Error::GitHub(github::Error::Rejected { .. })) if position.next.is_some() && position.before.is_none() => {
                (position.next, position.before) = (None, position.oldest);
                (visit.env.rest(&position.url(visit)).await?, None)
            }
            answered => answered?,
        };
        if reply.not_modified {
            return Ok(Page { total: visit.mark.total, ..Page::default() });
        }
        let mut out = Out::new(visit.scope(), visit.now);
        let mut newest = None;
        let runs = Node(&reply.body).list("workflow_runs")?;
        for run in &runs {
            newest = newest.max(run.time("updated_at"));
            read(*run, &mut out);
        }
        let (fresh, known) = visit.fresh(&WORKFLOW_RUNS, &out.records).await?;
        position.fresh += fresh;
        let oldest = runs.iter().filter_map(|run| run.time("created_at")).min();
        let total = if position.before.is_none() { Node(&reply.body).u64("total_count") } else { visit.mark.total };
        let more = position.go_on(oldest, reply.next) && !known;
        position.tail = (!more).then_some(Tail::Compare);
        Ok(Page { newest, total, next: Some(json!(position)), etag: etag.filter(|_| at_start), records: out.records, ..Page::default() })
    }
}

pub(crate) fn read(run: Node<'_>, out: &mut Out) {
    let Some(id) = run.u64("id") else { return };
    out.who(run, "actor");
    let numbers: Value = run.items("pull_requests").filter_map(|pull| pull.u64("number")).collect();
    let fields = json!({
        "id": id,
        "node_id": run.value("node_id"),
        "name": run.value("name"),
        "workflow_id": run.value("workflow_id"),
        "workflow": run.value("path"),
        "run_number": run.value("run_number"),
        "run_attempt": run.value("run_attempt"),
        "event": run.value("event"),
        "state": run.value("status"),
        "conclusion": run.value("conclusion"),
        "sha": run.value("head_sha"),
        "branch": run.value("head_branch"),
        "author": run.login("actor"),
        "pull_requests": numbers,
        "created_at": run.utc("created_at"),
        "updated_at": run.utc("updated_at"),
        "run_started_at": run.utc("run_started_at"),
        "html_url": run.value("html_url"),
    });
    out.push(&WORKFLOW_RUNS, padded(id), run.time("updated_at"), fields);
}
