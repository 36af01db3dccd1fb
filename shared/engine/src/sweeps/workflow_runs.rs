//! Runs of GitHub Actions workflows, newest first, asked for conditionally: an idle repository costs nothing.
//! <https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository>

use super::{Page, Sweep, Visit};
use crate::Error;
use crate::entities::{Entity, Group, WORKFLOW_RUNS};
use crate::model::Record;
use crate::node::{Node, Out, padded};
use async_trait::async_trait;
use serde_json::{Value, json};

pub(crate) struct WorkflowRuns;

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

    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let first = format!("/repos/{}/actions/runs?per_page={}", visit.repo.full_name(), visit.page_size);
        let at = visit.position().as_str();
        let etag = if at.is_none() && !visit.full() { visit.mark.etag.as_deref() } else { None };
        let reply = visit.env.rest(at.unwrap_or(&first), etag).await?;
        if reply.not_modified {
            return Ok(Page { total: visit.mark.total, ..Page::default() });
        }
        let mut out = Out::new(visit.scope(), visit.now);
        let mut newest = None;
        for run in Node(&reply.body).items("workflow_runs") {
            newest = newest.max(run.time("updated_at"));
            read(run, &mut out);
        }
        let known = !visit.full() && !visit.first() && all_known(visit, &out.records).await?;
        Ok(Page {
            newest,
            total: Node(&reply.body).u64("total_count"),
            next: reply.next.filter(|_| !known).map(Value::from),
            etag: reply.etag.filter(|_| at.is_none()),
            records: out.records,
            ..Page::default()
        })
    }
}

/// Whether every record is stored just so: then what is older is stored too.
pub(super) async fn all_known(visit: &Visit<'_>, records: &[Record]) -> Result<bool, Error> {
    let either: [&'static Entity; 2] = [&WORKFLOW_RUNS, &crate::entities::DEPLOYMENTS];
    for entity in either {
        let ours: Vec<&Record> = records.iter().filter(|record| record.entity == entity).collect();
        let keys: Vec<String> = ours.iter().map(|record| record.key.clone()).collect();
        if keys.is_empty() {
            continue;
        }
        let stored = visit.env.store.get(entity, visit.scope(), &keys).await?;
        let known = |record: &&Record| stored.iter().any(|row| row.key == record.key && row.fields == record.fields);
        if !ours.iter().all(known) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read(run: Node<'_>, out: &mut Out) {
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
