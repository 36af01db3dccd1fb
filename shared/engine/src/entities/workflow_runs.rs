//! `workflow_runs`: a run of a GitHub Actions workflow.

use super::{Entity, Field, Group, Kind};

pub static WORKFLOW_RUNS: Entity = Entity {
    name: "workflow_runs",
    about: "A run of a GitHub Actions workflow.",
    source: "https://docs.github.com/en/rest/actions/workflow-runs",
    group: Group::WorkflowRuns,
    fields: &[
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("name", Kind::Text, ""),
        Field::new("workflow_id", Kind::Integer, ""),
        Field::new("workflow", Kind::Text, "path"),
        Field::new("run_number", Kind::Integer, ""),
        Field::new("run_attempt", Kind::Integer, ""),
        Field::new("event", Kind::Text, ""),
        Field::new("state", Kind::Text, "queued, in progress or completed"),
        Field::new("conclusion", Kind::Text, ""),
        Field::new("sha", Kind::Text, ""),
        Field::new("branch", Kind::Text, ""),
        Field::new("author", Kind::Text, "login; null if the account was deleted"),
        Field::new("pull_requests", Kind::Integers, "numbers"),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
        Field::new("run_started_at", Kind::Time, ""),
        Field::new("html_url", Kind::Text, ""),
    ],
};
